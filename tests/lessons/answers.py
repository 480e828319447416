"""What the tests of all lessons' exercises share."""

from collections.abc import Sequence
from typing import Any


def boom(*args):
    raise RuntimeError("boom")


def told(lesson: Any, answers: dict[str, Sequence[tuple[Any, str]]]) -> list[tuple[Any, Any, str]]:
    """(check, answer, what it should say) for each answer to each check of a lesson."""
    return [(getattr(lesson, name), *one) for name, ones in answers.items() for one in ones]


def says(check: Any, answer: Any, text: str, capsys: Any) -> None:
    """The check prints one line that any console can encode, and text is in it."""
    assert check(answer) is None
    printed = capsys.readouterr().out
    assert text.lower() in printed.lower() and printed.count("\n") == 1 and printed.isascii()
    assert printed.startswith(("Right.", "Not answered yet.", "Not yet: "))
    assert printed.startswith("Right.") == (text == "Right")
