"""What the tests of all lessons' exercises share."""

import decimal
import fractions
import functools
import math
import pathlib
from collections.abc import Callable, Sequence
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch import nn

FORMS: list[Callable[[torch.Tensor], Any]] = [
    lambda t: t.float(),
    lambda t: nn.Parameter(t.double()),
    lambda t: t.detach().numpy().astype("float32"),
    lambda t: t.double().tolist(),
    lambda t: tuple(t.double().tolist()) if t.dim() else np.float64(t),
    lambda t: list(t.double()) if t.dim() else t.double().reshape(1),
]


def boom(*args):
    raise RuntimeError("boom")


def in_all_forms(right: Callable[..., Any]) -> list[tuple[Any, str]]:
    """A right answer that returns its numbers as float32, with gradients, as array, list, ...: all are right."""

    def formed(form: Callable[[torch.Tensor], Any], *given: Any) -> Any:
        return form(torch.as_tensor(right(*given)))

    return [(functools.partial(formed, form), "Right") for form in FORMS]


def spoiling(right: Callable[..., Any]) -> Callable[..., Any]:
    """A right answer to tensors of zeros, which it makes of those it is given."""

    def answer(*given: Any) -> Any:
        with torch.no_grad():
            for one in given:
                if torch.is_tensor(one):
                    one.zero_()
        return right(*given)

    return answer


def told(lesson: Any, answers: dict[str, Sequence[tuple[Any, str]]]) -> list[tuple[Any, Any, str]]:
    """(check, answer, what it should say) for each answer to each check of a lesson."""
    return [(getattr(lesson, name), *one) for name, ones in answers.items() for one in ones]


def says(check: Any, answer: Any, text: str, capsys: Any) -> None:
    """The check prints one line that any console can encode, and text is in it."""
    assert check(answer) is None
    printed = capsys.readouterr().out
    assert text.lower() in printed.lower() and printed.count("\n") == 1 and printed.isascii()
    assert printed.startswith(("Right.", "Not answered yet.", "Not yet: "))
    assert printed.startswith("Right.") == text.startswith("Right")
    assert text != "Right" or printed == "Right.\n"


# -- what nobody should answer -----------------------------------------------------------------------------------------


class Stubborn:
    """Nothing can be done with it, and it is equal to everything."""

    def __eq__(self, other: object) -> bool:
        return True

    def _refuse(self, *args: Any) -> Any:
        raise RuntimeError("no")

    __hash__ = __repr__ = __str__ = __float__ = __bool__ = __len__ = __iter__ = __array__ = _refuse


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


def _raises(error: BaseException) -> Callable[..., Any]:
    def answer(*args: Any, **kwargs: Any) -> Any:
        raise error

    return answer


def _for_ever(*args: Any) -> Any:
    return _for_ever(*args)


def _yields(*args: Any) -> Any:
    yield 1.0


async def _later(*args: Any) -> float:
    return 1.0


ITSELF: list[Any] = []
ITSELF.append(ITSELF)
THINGS = [
    None,
    ...,
    NotImplemented,
    "",
    "0.5",
    b"1",
    "\N{HANGUL SYLLABLE GA}\ud800\n\x1b",
    [],
    (),
    {},
    {1, 2},
    [[1], 2],
    [None],
]
THINGS += [ITSELF, [..., 1.0], ("a", "b"), range(2), iter([1.0, 2.0]), math.nan, math.inf, -math.inf, 10**400, 1j, True]
THINGS += [decimal.Decimal("sNaN"), fractions.Fraction(1, 3), object(), math, int, Stubborn, Stubborn(), slice(3)]
THINGS += [pathlib.Path("x"), mock.MagicMock(), torch.distributions.Normal(0.0, 1.0), nn.Linear(1, 1), torch.float32]
THINGS += [torch.empty(0), torch.zeros(2, 2, 2), torch.full((2, 60), math.nan), torch.zeros(2, dtype=torch.complex64)]
THINGS += [torch.zeros(2, 2, device="meta"), torch.eye(2).to_sparse(), torch.tensor(True), torch.zeros((2, 2)).half()]
THINGS += [np.array(["1", "2"]), np.array([None, 1]), np.datetime64("2026-01-01"), np.zeros(2, dtype="i4,f4")]
FUNCTIONS = [lambda: 1.0, lambda a: a, lambda *a: a, lambda *a: print, len, _for_ever, _yields, _later, boom]
FUNCTIONS += [
    _raises(error) for error in (SystemExit(3), StopIteration(), Unspeakable(), AssertionError(), KeyError(1))
]
FUNCTIONS += [_raises(ValueError("line\none\u2028two\x00\N{HANGUL SYLLABLE GA} " + "long " * 1000))]
