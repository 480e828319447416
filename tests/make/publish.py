"""For whoever publishes a copy: `python tests/make/publish.py https://github.com/OWNER/NAME`.

Writes the address into pyproject.toml, [project.urls], and from there into the lessons: a badge that opens each in
Colab, and a set-up cell that installs the package there. Run it again for another address.
"""

import re
import sys
from pathlib import Path

import nbformat

ROOT = Path(__file__).parents[2]
COLAB = "https://colab.research.google.com"
BADGE = re.compile(r" · \[!\[Open in Colab\].*$", re.MULTILINE)
HERE = """from importlib.util import find_spec

assert find_spec("gan_lessons"), "see README; in Colab: upload the wheel, %pip install *.whl"
"""
PUBLISHED = """from importlib.util import find_spec

if not find_spec("gan_lessons"):
    %pip install --quiet git+{address}
"""


def address(root: Path) -> str | None:
    """Where the repository is, if it has been published."""
    found = re.search(r'^\[project\.urls\]\nRepository = "(.+)"$', (root / "pyproject.toml").read_text(), re.MULTILINE)
    return found and found[1]


def setup_cell(address: str | None) -> str:
    return (PUBLISHED.format(address=address) if address else HERE).rstrip()


def badge(address: str | None, path: str) -> str:
    repository = (address or "").removeprefix("https://github.com/")
    link = f"{COLAB}/github/{repository}/blob/main/{path}"
    return f" · [![Open in Colab]({COLAB}/assets/colab-badge.svg)]({link})" if address else ""


def publish(root: Path, url: str) -> None:
    if not re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+", url):
        raise SystemExit(f"address: got {url!r}; it must be https://github.com/OWNER/NAME, which is where Colab looks")
    pyproject = root / "pyproject.toml"
    text = re.sub(r"\[project\.urls\]\nRepository = .*\n\n", "", pyproject.read_text())
    text = text.replace("[project.optional-", f'[project.urls]\nRepository = "{url}"\n\n[project.optional-', 1)
    pyproject.write_text(text)
    for path in sorted((root / "notebooks").rglob("[0-9]*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        top, setup = notebook.cells[0], next(cell for cell in notebook.cells if cell.cell_type == "code")
        top.source = BADGE.sub("", top.source) + badge(address(root), path.relative_to(root).as_posix())
        setup.source = setup_cell(address(root))
        nbformat.write(notebook, path)


if __name__ == "__main__":
    publish(ROOT, *sys.argv[1:2] or [""])
