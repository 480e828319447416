"""Imports between the rooms run upward only, and ruff is content."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import gan_lessons

ROOT = Path(__file__).parents[1]
HOME = Path(gan_lessons.__file__).parent
ORDER = (
    *("data", "losses", "theory", "dynamics", "models", "optimizers", "checkpoints", "guards", "sweep", "training"),
    *("recipes", "pretrained", "metrics", "plots", "svg", "frames", "history", "controls", "drag", "clock", "live"),
    *("exercises", "__init__", "__main__"),
)


def imported(source: str) -> set[str]:
    """The modules of the package that a module imports, at the top or inside a function."""
    rooms = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            first, _, room = node.module.partition(".")
            if first == "gan_lessons":
                rooms |= {room} if room else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            rooms |= {alias.name for alias in node.names if alias.name.startswith("gan_lessons")}
    return rooms


def test_every_module_has_its_place():
    assert sorted(path.stem for path in HOME.glob("*.py")) == sorted(ORDER)


@pytest.mark.parametrize("room", ORDER)
def test_imports_run_upward(room):
    above = set(ORDER[: ORDER.index(room)]) | ({"Trainer"} if room.startswith("__") else set())
    assert imported((HOME / f"{room}.py").read_text()) <= above


def test_imports_are_found():
    assert imported("from gan_lessons import data\ndef f():\n from gan_lessons.losses import Loss") == {
        "data",
        "losses",
    }
    assert imported("import math, gan_lessons.data") == {"gan_lessons.data"}


def test_ruff_has_nothing_to_say():
    for command in (["check", "--output-format=concise"], ["format", "--check"]):
        ruff = subprocess.run([sys.executable, "-m", "ruff", *command, ROOT], capture_output=True, text=True)
        assert ruff.returncode == 0, ruff.stdout + ruff.stderr
