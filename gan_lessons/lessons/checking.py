"""How an exercise is checked, and how a lesson shows figures and the package's own code."""

import base64
import functools
import inspect
import io
import sys
import textwrap
from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import torch
from IPython.display import Image, display
from matplotlib.figure import Figure
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer
from torch import Tensor

UNANSWERED = "unanswered"
STYLE, PAPER, INK = "xcode", "#f7f7f7", "#1a1a1a"  # of code that is shown: every colour of this style is dark enough


def check(judge: Callable[[Any], str | None]) -> Callable[[Any], None]:
    """Make a check of an exercise: it prints one line that any console can encode, and never raises.

    judge(answer) returns None for a right answer, UNANSWERED for none, or a sentence that names the mistake.
    """

    @functools.wraps(judge)
    def checked(answer: Any) -> None:
        try:
            mistake = judge(answer)
        except Exception as error:  # whatever a learner's code does, the notebook goes on
            mistake = f"your answer raised {type(error).__name__}: {' '.join(str(error).split())}"
        words = {None: "Right.", UNANSWERED: "Not answered yet."}.get(mistake, f"Not yet: {mistake}")
        encoding = getattr(sys.stdout, "encoding", None) or "ascii"
        print(words.encode(encoding, "backslashreplace").decode(encoding))

    return checked


def close(a: Any, b: Tensor) -> bool:
    """Whether an answer is the tensor b, up to rounding."""
    return torch.is_tensor(a) and a.shape == b.shape and torch.allclose(a.double(), b.double(), rtol=1e-3, atol=1e-7)


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
