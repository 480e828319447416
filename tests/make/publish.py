"""Writes into all notebooks what they share: the links on top, the set-up cell, the marks that make slides of sections.

`python tests/make/publish.py`, after a lesson has come, gone or got another number. Whoever publishes a copy runs
`python tests/make/publish.py https://github.com/OWNER/NAME` once: it writes the address into pyproject.toml,
[project.urls], and from there a badge that opens each lesson in Colab, and a set-up cell that installs the package
there. Run it again for another address.
"""

import re
import sys
from pathlib import Path

import nbformat
from execute_notebooks import mark_slides

ROOT = Path(__file__).parents[2]
COLAB = "https://colab.research.google.com"
SETUP = """# brings the package where it is missing, as in Colab; where it is installed, this does nothing
from importlib.util import find_spec

from IPython.core.error import UsageError

if not find_spec("gan_lessons"):
    try:
        {colab}
    except ImportError:
        here = "run `pip install .` in the folder of README.md and restart the kernel."
        raise UsageError("gan_lessons is not installed for this kernel: " + here) from None
    {install}"""
UPLOAD = """print("Choose the wheel of gan_lessons, which README.md says how to build:")
    wheel = " ".join(files.upload())
    %pip install --quiet {wheel}"""


def address(root: Path) -> str | None:
    """Where the repository is, if it has been published."""
    found = re.search(r'^\[project\.urls\]\nRepository = "(.+)"$', (root / "pyproject.toml").read_text(), re.MULTILINE)
    return found and found[1]


def setup_cell(address: str | None) -> str:
    if address:
        return SETUP.format(colab="import google.colab  # noqa: F401", install=f"%pip install --quiet git+{address}")
    return SETUP.format(colab="from google.colab import files", install=UPLOAD)


def top_cell(root: Path, path: Path) -> str:
    """The links above a lesson or its solutions: to its neighbours, to all lessons and, if published, to Colab."""
    number, lessons = path.name[:2], sorted((root / "notebooks").glob("[0-9]*.ipynb"))
    if path.parent.name == "solutions":
        links = [f"**Lesson {number}, solutions**", f"[the lesson](../{path.name})", "[all lessons](../../README.md)"]
    else:
        here = lessons.index(path)
        before = [f"previous: [{it.name[:2]}]({it.name})" for it in lessons[:here][-1:]]
        after = [f"next: [{it.name[:2]}]({it.name})" for it in lessons[here + 1 :][:1]]
        links = [f"**Lesson {number}**", *before, *after, "[all lessons](../README.md)", "[glossary](glossary.md)"]
    if url := address(root):
        place = f"{url.removeprefix('https://github.com/')}/blob/main/{path.relative_to(root).as_posix()}"
        links.append(f"[![Open in Colab]({COLAB}/assets/colab-badge.svg)]({COLAB}/github/{place})")
    return " · ".join(links)


def write_shared(root: Path) -> None:
    for path in sorted((root / "notebooks").rglob("[0-9]*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        setup = next(cell for cell in notebook.cells if cell.cell_type == "code")
        notebook.cells[0].source, setup.source = top_cell(root, path), setup_cell(address(root))
        mark_slides(notebook)
        nbformat.write(notebook, path)


def publish(root: Path, url: str) -> None:
    if not re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+", url):
        raise SystemExit(f"address: got {url!r}; it must be https://github.com/OWNER/NAME, which is where Colab looks")
    pyproject = root / "pyproject.toml"
    text = re.sub(r"\[project\.urls\]\nRepository = .*\n\n", "", pyproject.read_text())
    text = text.replace("[project.optional-", f'[project.urls]\nRepository = "{url}"\n\n[project.optional-', 1)
    pyproject.write_text(text)
    write_shared(root)


if __name__ == "__main__":
    if sys.argv[1:]:
        publish(ROOT, sys.argv[1])
    else:
        write_shared(ROOT)
