"""How long does a learner wait? `python tests/bench/waits.py` prints two tables; `--lessons 02 11` chooses lessons.

First the imports, in a Python of their own. Then, for each lesson, in a fresh kernel and from its start: until its
set-up cell and its imports are through, until it has shown a first picture, until a panel has its first frame, and
until Run all is done; its slowest cell; and the most memory that its kernel had after a cell. Seconds, and in brackets
those of the cores: on a busy machine only these count.
"""

import argparse
import statistics
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import nbformat
import psutil
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
IMPORTS = {
    "torch": "import torch",
    "the package": "import gan_lessons",
    "the package, and what draws and plays": "from gan_lessons import live, views",
    "the same, and a first round": "from gan_lessons import live, recipes, views\nrecipes.gaussian().step()",
}
TIMED = """
import time
began, of_cores = time.perf_counter(), time.process_time()
{code}
print(time.perf_counter() - began, time.process_time() - of_cores)
"""


class Moment(NamedTuple):
    """Since the kernel was asked for: seconds, and those of its cores; its memory then, in MB."""

    seconds: float
    of_cores: float
    memory: float = 0.0

    def __str__(self) -> str:
        return f"{self.seconds:.1f} ({self.of_cores:.1f})"


def imported(code: str, times: int = 3) -> Moment:
    """The median of some new Pythons."""
    runs = [subprocess.check_output([sys.executable, "-c", TIMED.format(code=code)], text=True) for _ in range(times)]
    return Moment(
        *(statistics.median(column) for column in zip(*(map(float, run.split()) for run in runs), strict=True))
    )


def is_picture(output: nbformat.NotebookNode) -> bool:
    return "image/png" in output.get("data", {})


def played(path: Path) -> list[tuple[nbformat.NotebookNode, Moment]]:
    """Each code cell of a lesson, and when it was through."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": path.parent}})
    client.store_widget_state = False
    began, rows = time.perf_counter(), []
    with client.setup_kernel():
        kernel = psutil.Process(client.km.provisioner.pid)
        for index, cell in enumerate(notebook.cells):
            if cell.cell_type == "code":
                client.execute_cell(cell, index)
                used = kernel.cpu_times()
                of_cores = used.user + used.system + used.children_user + used.children_system
                memory = kernel.memory_info().rss / 1e6
                rows.append((cell, Moment(time.perf_counter() - began, of_cores, memory)))
    return rows


def row(path: Path) -> str:
    rows = played(path)
    cells, moments = zip(*rows, strict=True)
    pictures = [moment for cell, moment in rows if any(map(is_picture, cell.outputs))]
    live = [moment for cell, moment in rows if "live" in cell.metadata.get("tags", [])]
    took = [Moment(b.seconds - a.seconds, b.of_cores - a.of_cores) for a, b in pairwise(moments)]
    slowest = max(range(len(took)), key=lambda i: took[i].of_cores)
    until = [moments[0], moments[1], pictures[0] if pictures else "-", live[0] if live else "-", moments[-1]]
    words = f"{took[slowest]}: `{cells[slowest + 1].source.splitlines()[-1][:60]}`"
    return (
        f"| {' | '.join([path.name[:2], *map(str, until), words])} | {max(moment.memory for moment in moments):.0f} |"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lessons", nargs="*", metavar="02", help="all, if left out")
    lessons = parser.parse_args().lessons
    print("| import, seconds (of a core) | |\n| --- | --- |")
    for name, code in IMPORTS.items():
        print(f"| {name} | {imported(code)} |", flush=True)
    print("\n| lesson | set-up cell | imports | first picture | first frame | Run all | its slowest cell | MB |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for path in sorted(NOTEBOOKS.glob("[0-9]*.ipynb")):
        if lessons is None or path.name[:2] in lessons:
            print(row(path), flush=True)
