"""How an exercise is checked, and how a lesson shows figures and the package's own code."""

import base64
import functools
import inspect
import io
import sys
import textwrap
from collections.abc import Callable, Mapping
from decimal import Decimal
from numbers import Real
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython.display import Image, display
from matplotlib.figure import Figure
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer
from torch import Tensor

from gan_lessons.devices import seeded

UNANSWERED = "unanswered"
STYLE, PAPER, INK = "xcode", "#f7f7f7", "#1a1a1a"  # of code that is shown: every colour of this style is dark enough


class Mistake(Exception):
    """What is wrong with an answer, in a sentence, or UNANSWERED: what a judge returns, raised from further inside."""


def check(judge: Callable[[Any], str | None]) -> Callable[[Any], None]:
    """Make a check of an exercise: it prints one line that any console can encode, and never raises.

    judge(answer) returns None for a right answer, UNANSWERED for none, or a sentence that names the mistake; one that
    begins with "Right" is printed as it is. The learner's random numbers and gradient mode are as they were afterwards.
    """

    @functools.wraps(judge)
    def checked(answer: Any) -> None:
        try:
            with seeded(0), torch.enable_grad():
                mistake = UNANSWERED if answer is None or answer is ... else judge(answer)
        except Mistake as told:
            mistake = str(told)
        except (Exception, SystemExit) as error:  # whatever a learner's code does, the notebook goes on
            mistake = f"your answer raised {type(error).__name__}: {_words(error)}"
        words = {None: "Right.", UNANSWERED: "Not answered yet."}.get(mistake, f"Not yet: {mistake}")
        words = mistake if (mistake or "").startswith("Right") else words
        words = textwrap.shorten(words, 550, placeholder=" ...")
        words = "".join(c if c.isprintable() else repr(c)[1:-1] for c in words)
        encoding = getattr(sys.stdout, "encoding", None) or "ascii"
        print(words.encode(encoding, "backslashreplace").decode(encoding))

    return checked


def _words(error: BaseException) -> str:
    try:
        return textwrap.shorten(str(error), 300, placeholder=" ...")
    except Exception:
        return "(an error that cannot be printed)"


def call(answer: Any, *given: Any) -> Any:
    """What the learner's function returns. It gets copies of tensors, so that it cannot change what judges it."""
    if answer is None or answer is ...:
        raise Mistake(UNANSWERED)
    if not callable(answer):
        raise Mistake(f"hand over the function itself, not what it returns; got {named(answer)}.")
    return answer(*(one.clone() if torch.is_tensor(one) else one for one in given))


def tensor(answer: Any, *shape: int) -> Tensor:
    """A number, list, tuple, array or tensor of real numbers as a detached double tensor, of this shape if any.

    Raises Mistake, UNANSWERED where it is, or has in it, None or ..., and otherwise with what came instead.

    >>> tensor([1, torch.tensor(2.5, requires_grad=True)], 2)
    tensor([1.0000, 2.5000], dtype=torch.float64)
    """
    if answer is None or answer is ...:
        raise Mistake(UNANSWERED)
    try:
        found = _double(answer)
    except Mistake:
        raise
    except Exception:
        raise Mistake(f"a number or a tensor is wanted; got {named(answer)}.") from None
    if shape and found.shape != shape:
        raise Mistake(f"a tensor of shape {shape} is wanted; got {named(answer)}.")
    return found


def number(answer: Any) -> float:
    """One number, of whatever type or in a tensor of one element, as a float; else raises Mistake like tensor()."""
    found = tensor(answer)
    if found.numel() != 1:
        raise Mistake(f"one number is wanted; got {named(answer)}.")
    return found.item()


def _double(answer: Any) -> Tensor:
    if isinstance(answer, (list, tuple)) and answer:
        return torch.stack([tensor(one) for one in answer])
    if isinstance(answer, (Real, Decimal)):
        return torch.tensor(float(answer), dtype=torch.double)
    if torch.is_tensor(answer) and not answer.is_complex():
        return answer.detach().to("cpu", torch.double)
    if isinstance(answer, (np.ndarray, np.generic)) and answer.dtype.kind in "biuf":
        return torch.tensor(np.asarray(answer, dtype=float))
    raise TypeError


def named(answer: Any) -> str:
    """What came, in a word or two: float, Tensor of shape (3,)."""
    shape = answer.shape if isinstance(answer, (Tensor, np.ndarray)) else None
    size = f" of {len(answer)}" if isinstance(answer, (list, tuple)) else ""
    return f"{type(answer).__name__}{size if shape is None else f' of shape {tuple(shape)}'}"


def close(a: Any, b: Any, rtol: float = 1e-3) -> bool:
    """Whether an answer is b, up to rounding: numbers or tensors of the same shape."""
    a, b = tensor(a), tensor(b)
    return a.shape == b.shape and torch.allclose(a, b, rtol=rtol, atol=1e-7)


def verdict(answer: Any, right: Any, typical: Mapping[str, Any], other: str) -> str | None:
    """None for the right answer, else the sentence in typical whose wrong answer it is, else other."""
    if close(answer, right):
        return None
    return next((text for text, wrong in typical.items() if close(answer, wrong)), other)


def show(picture: Figure | Image, alt: str) -> None:
    """Show a figure, and close it, or a film, as a PNG with a description for those who cannot see it.

    The description is the output's metadata["image/png"]["alt"], as in IPython's own Image, and its plain text.
    """
    if isinstance(picture, Figure):
        file = io.BytesIO()
        picture.savefig(file, format="png", bbox_inches="tight")
        plt.close(picture)
        png = file.getvalue()
    else:
        png = picture.data
    bundle = {"image/png": base64.b64encode(png).decode(), "text/plain": alt}
    display(bundle, metadata={"image/png": {"alt": alt}}, raw=True)


def show_source(*objects: Any) -> None:
    """Show the code of functions, methods or classes: the very code that runs."""
    sources = [textwrap.dedent(inspect.getsource(inspect.unwrap(obj))).strip() for obj in objects]
    code = "\n\n\n".join(sources)
    # ink on paper of its own, readable in a light and in a dark notebook
    paper = f"background: {PAPER}; padding: 2px 8px"
    ink = f"font-family: monospace; background: none; color: {INK}"
    formatter = HtmlFormatter(style=STYLE, noclasses=True, nobackground=True, cssstyles=paper, prestyles=ink)
    display({"text/plain": code, "text/html": highlight(code, PythonLexer(), formatter)}, raw=True)
