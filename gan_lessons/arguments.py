"""How an argument is looked at: it comes back as a plain Python value, or is refused by its name, with what was given
and what is allowed. All rooms ask here."""

import math
from collections.abc import Callable, Collection, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
from torch import Tensor

LARGEST = 2**63 - 1  # of whole numbers: the largest that torch takes as a seed, and more than anybody counts to


def count(name: str, value: Any, least: int = 0, most: int = LARGEST) -> int:
    """A whole number between two bounds, both allowed. True and False are no numbers here.

    >>> count("k", np.int64(3), least=0)
    3
    """
    if isinstance(value, Integral) and not isinstance(value, bool) and least <= value <= most:
        return int(value)  # numpy's numbers would make a checkpoint unreadable
    allowed = f">= {least}" if most == LARGEST else f"from {least} to {most}"
    if isinstance(value, Integral) and value > most:
        allowed = f"from {least} to {most}"
    raise ValueError(f"{name}: got {shown(value)}; it must be a whole number {allowed}")


def number(
    name: str, value: Any, least: float = -math.inf, most: float = math.inf, *, above: float = -math.inf
) -> float:
    """A finite number, least <= value <= most and value > above.

    >>> number("lr_d", np.float32(0.5), least=0)
    0.5
    """
    fits = isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
    if fits and least <= value <= most and value > above:
        return float(value)
    bounds = [f">= {least:g}"] if least > -math.inf else []
    bounds += [f"> {above:g}"] if above > -math.inf else []
    bounds += [f"<= {most:g}"] if most < math.inf else []
    raise ValueError(f"{name}: got {shown(value)}; it must be a finite number {' and '.join(bounds)}".rstrip())


def numbers(name: str, value: Any, length: int | None = None, **bounds: float) -> tuple[float, ...]:
    """A row of finite numbers, of a given length if there is one: a tuple, a list, an array or a tensor.

    >>> numbers("start", np.array([480, 1]), length=2)
    (480.0, 1.0)
    """
    if isinstance(value, Tensor | np.ndarray):
        value = value.tolist()
    if not isinstance(value, Sequence) or isinstance(value, str) or (length is not None and len(value) != length):
        raise ValueError(f"{name}: got {shown(value)}; it must be a row of {length or ''} numbers".replace("  ", " "))
    return tuple(number(name, plain(each), **bounds) for each in value)


def one_of(name: str, value: Any, allowed: Collection[str]) -> str:
    """One of some words."""
    if isinstance(value, str) and value in allowed:
        return value
    raise ValueError(f"{name}: got {shown(value)}; allowed are {', '.join(map(repr, allowed))}")


def truth(name: str, value: Any) -> bool:
    if isinstance(value, bool | np.bool_):
        return bool(value)
    raise ValueError(f"{name}: got {shown(value)}; it must be True or False")


def function(name: str, value: Any, what: str) -> Callable[..., Any]:
    """Something to call; what: the words for it, such as "f(fraction of the schedule) -> factor"."""
    if callable(value):
        return value
    raise ValueError(f"{name}: got {shown(value)}; it must be a function {what}")


def plain(value: Any) -> Any:
    """A number of numpy as Python's, also inside of tuples and lists; all else as it is.

    >>> plain((np.float64(0.5), 0.9))
    (0.5, 0.9)
    """
    if isinstance(value, np.generic):
        return value.item()
    if type(value) in (tuple, list):
        return type(value)(map(plain, value))
    return value


def shown(value: Any) -> str:
    """What was given, short enough for a message.

    >>> import torch
    >>> shown(torch.zeros(3, 2)), shown("abc")
    ('a Tensor of shape (3, 2)', "'abc'")
    """
    if isinstance(value, Tensor | np.ndarray):
        return f"a {type(value).__name__} of shape {tuple(value.shape)}"
    try:
        text = " ".join(repr(value).split())
    except Exception:  # a stranger's repr may do anything
        text = f"a {type(value).__name__}"
    return text if len(text) <= 80 else f"{text[:77]}..."
