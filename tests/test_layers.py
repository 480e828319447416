"""Imports between the rooms run one way only: game, what is known, drawing, live, lessons. And ruff is content."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import gan_lessons

ROOT = Path(__file__).parents[1]
HOME = Path(gan_lessons.__file__).parent
SMALL = "arguments devices laws pictures faces shapes data losses convolutional models optimizers guards players"
GAME = f"{SMALL} records graphs checkpoints training conditional digits augment portraits recipes"
KNOWN = "theory dynamics sweep pretrained neighbours metrics latent attributes vae seen"
VIEWS = "views.figure1 views.plane views.images views.parts views.through views.bells views.latent views.attributes"
DRAWING = f"style tiles plots hill svg {VIEWS} views.conditional views"
PANEL = "live.words live.page live.clock live.controls live.history live.game live.panel"
LIVE = f"{PANEL} live.drag live.kinds live.slow live.playground live"
TOP = "lessons lessons.checking LESSON __init__ __main__"  # LESSON: a lesson's module
ORDER = f"{GAME} {KNOWN} {DRAWING} {LIVE} {TOP}".split()


def room_of(path: Path) -> str:
    """gan_lessons/live/panel.py -> live.panel, gan_lessons/live/__init__.py -> live."""
    parts = path.relative_to(HOME).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


ROOMS = {room_of(path): path for path in HOME.rglob("*.py")}
LESSONS = [room for room in ROOMS if room.startswith("lessons.") and room != "lessons.checking"]


def imported(source: str) -> set[str]:
    """The modules of the package that a module imports, at the top or inside a function."""
    rooms = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            first, _, room = node.module.partition(".")
            if first == "gan_lessons":
                names = {f"{room}.{alias.name}".strip(".") for alias in node.names}
                rooms |= {name if name in ROOMS else room or name for name in names}
        elif isinstance(node, ast.Import):
            rooms |= {alias.name for alias in node.names if alias.name.startswith("gan_lessons")}
    return rooms


def allowed(room: str) -> set[str]:
    """What a room may import: all that stands before it; a lesson no other lesson."""
    below = ORDER[: ORDER.index("LESSON" if room in LESSONS else room)]
    inside = {name for name in ROOMS if name.startswith(f"{room}.")}  # an __init__ takes from its own rooms
    return {*below, *inside} | ({"Trainer"} if room.startswith("__") else set())


def test_every_module_has_its_place():
    assert sorted(set(ROOMS) - set(LESSONS)) == sorted(set(ORDER) - {"LESSON"})


def test_every_lesson_has_its_four_files():
    names = [path.stem.partition("_")[2] for path in (ROOT / "notebooks").glob("[0-9]*.ipynb")]
    assert sorted(f"lessons.{name}" for name in names) == sorted(LESSONS)
    for name in names:
        assert (ROOT / "tests" / "lessons" / f"test_{name}.py").exists()
        assert len(list((ROOT / "notebooks" / "solutions").glob(f"[0-9][0-9]_{name}.ipynb"))) == 1


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_imports_run_one_way(room):
    assert imported(ROOMS[room].read_text()) <= allowed(room)


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_only_live_knows_widgets(room):
    widgets = "ipywidgets" in ROOMS[room].read_text()
    assert not widgets or room.startswith(("live", "lessons."))


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_a_room_is_not_two(room):
    length = len(ROOMS[room].read_text().splitlines())
    assert length <= (400 if room in LESSONS else 250)


def test_imports_are_found():
    code = "from gan_lessons import data\ndef f():\n from gan_lessons.losses import Loss"
    assert imported(code) == {"data", "losses"}
    assert imported("import math, gan_lessons.data") == {"gan_lessons.data"}
    assert imported("from gan_lessons.live import controls, Panel") == {"live.controls", "live"}
    assert imported("from gan_lessons.lessons.theory import check_hill") == {"lessons.theory"}


def test_what_is_not_allowed_is_found():
    assert not imported("from gan_lessons import seen") <= allowed("training")
    assert not imported("from gan_lessons.lessons.theory import check_hill") <= allowed("lessons.figure_1")
    assert imported("from gan_lessons.lessons.checking import check") <= allowed("lessons.figure_1")


def test_ruff_has_nothing_to_say():
    for command in (["check", "--output-format=concise"], ["format", "--check"]):
        ruff = subprocess.run([sys.executable, "-m", "ruff", *command, ROOT], capture_output=True, text=True)
        assert ruff.returncode == 0, ruff.stdout + ruff.stderr
