"""Two workers share the tests: each has its files, and what is alone is alone."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TESTS = """
import os, time
from pathlib import Path
import pytest

def noted(name):
    began = time.time()
    time.sleep(0.2)
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    with open(Path(__file__).parents[1] / "log", "a") as log:
        log.write(f"{name} {worker} {began} {time.time()}\\n")
"""
ALONE = """
@pytest.mark.alone
@pytest.mark.parametrize("i", range(4))
def test_alone(i):
    noted("alone")

@pytest.mark.parametrize("i", range(3))
def test_after(i):
    noted("after")
"""
BESIDE = """
@pytest.mark.parametrize("i", range(8))
def test_beside(i):
    noted("beside")
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks")
def test_alone_is_alone_and_nobody_waits_forever(tmp_path):
    """About 10 s: two workers, each of which imports torch."""
    (tmp_path / "tests").mkdir()
    for name in ("README.md", "pyproject.toml", "tests/conftest.py", "tests/make/elsewhere.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "tests" / "test_alone.py").write_text(TESTS + ALONE)
    (tmp_path / "tests" / "test_beside.py").write_text(TESTS + BESIDE)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert "15 passed" in done.stdout, done.stdout + done.stderr
    rows = [line.split() for line in (tmp_path / "log").read_text().splitlines()]
    rows = sorted((float(began), float(ended), name, worker) for name, worker, began, ended in rows)
    assert {name: {row[3] for row in rows if row[2] == name} for name in ("alone", "beside")} in (
        {"alone": {"gw0"}, "beside": {"gw1"}},
        {"alone": {"gw1"}, "beside": {"gw0"}},
    )
    together = {frozenset((a[2], b[2])) for a in rows for b in rows if a < b and b[0] < a[1]}
    assert together == {frozenset(("after", "beside"))}  # these two at once, and nothing beside what is alone
    names = [row[2] for row in rows]
    assert names[names.index("alone") :][:4] == 4 * ["alone"]  # it does not take turns: the other one waits
