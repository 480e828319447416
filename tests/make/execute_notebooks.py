"""Run the notebooks in order, each in a fresh kernel, and write their outputs.

`python tests/make/execute_notebooks.py [02 ...]`. Widget views are dropped, since no reader without a kernel can see
them; the PNG beside them stays. A notebook that fails is left as it was.
"""

import os
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from gan_lessons.checkpoints import put

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
VIEW = "application/vnd.jupyter.widget-view+json"


def clean(notebook: nbformat.NotebookNode) -> None:
    """Drop what differs from run to run or needs a kernel: widget views (so progress bars too), times, stderr."""
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if keep(output)]


def keep(output: nbformat.NotebookNode) -> bool:
    if output.get("name") == "stderr":
        return False
    view = output.get("data", {}).pop(VIEW, None)
    return view is None or "image/png" in output.data


def mark_slides(notebook: nbformat.NotebookNode) -> None:
    """Make a slide of the title and of each section, one below it of each subsection; links and set-up are none."""
    setup = next(cell for cell in notebook.cells if cell.cell_type == "code")
    for cell in notebook.cells:
        first_word = cell.source.split(" ")[0] if cell.cell_type == "markdown" else ""
        kind = {"#": "slide", "##": "slide", "###": "subslide"}.get(first_word, "-")
        cell.metadata["slideshow"] = {"slide_type": "skip" if cell in (notebook.cells[0], setup) else kind}


def execute(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    began = time.perf_counter()
    NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        resources={"metadata": {"path": path.parent}},
        store_widget_state=False,
        coalesce_streams=True,  # else a page tears a line that was printed in parts
    ).execute()
    clean(notebook)
    mark_slides(notebook)
    put(path, nbformat.writes(notebook).encode() + b"\n")
    took, size = time.perf_counter() - began, path.stat().st_size
    print(f"{path.relative_to(NOTEBOOKS)}: {took:.0f} s, {size / 1e3:.0f} kB")


if __name__ == "__main__":
    os.environ["CUDA_VISIBLE_DEVICES"] = ""  # outputs are made, and tested, on the CPU
    for path in sorted(NOTEBOOKS.rglob("[0-9]*.ipynb")):
        if ".ipynb_checkpoints" not in path.parts and (not sys.argv[1:] or path.name[:2] in sys.argv[1:]):
            execute(path)
