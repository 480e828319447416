"""Takes the README's picture, the first film of lesson 04, out of the notebook: `python tests/make/readme_film.py`."""

from base64 import b64decode
from pathlib import Path

import nbformat

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
PICTURE = NOTEBOOKS / "images" / "figure_1.png"


def first_film() -> bytes:
    notebook = nbformat.read(NOTEBOOKS / "04_figure_1.ipynb", as_version=4)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return next(b64decode(o.data["image/png"]) for o in outputs if "image/png" in o.get("data", {}))


if __name__ == "__main__":
    PICTURE.write_bytes(first_film())
