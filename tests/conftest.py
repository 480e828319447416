"""Tests run on the CPU unless told otherwise, draw without a screen, and are shared by two workers (pytest-xdist;
`-n 0` does without)."""

import os
import signal
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has none: there no test is alone
    fcntl = None

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")  # before torch is imported; with "0" test_graphs.py plays on a GPU
os.environ.pop("MPLBACKEND", None)  # the notebooks' kernels inherit it, and would draw nothing
os.environ["TQDM_MININTERVAL"] = "1"  # nbval reads a cell's messages at its end; beyond 1,000 of them zmq drops some

import elsewhere
import matplotlib
import pytest
import torch

matplotlib.use("agg")
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets its background jobs ignore it
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # as nohup does
torch.set_num_threads(1)  # on busy cores a second thread makes nets this small a hundred times slower
ROOT = Path(__file__).parents[1]


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.suffix == ".ipynb":
            item.add_marker("slow")


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_xdist_make_scheduler(config, log):
    """A file is one worker's, so that what its tests share is made once, and the cells of a notebook stay in order.

    Only the observations are played wherever a worker is free: they share nothing and take longest.
    """
    from xdist.scheduler import LoadScopeScheduling

    class Files(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return nodeid if "test_two_seeds_end_as_recorded" in nodeid else nodeid.partition("::")[0]

    return Files(config, log)


class Locks:
    """For two workers on one machine: any number may have it together, or one alone.

    Whoever waits stands at the turnstile, and those who come later behind: nobody waits forever.
    """

    def __init__(self, turnstile: Path, machine: Path):
        self._turnstile, self._machine = (os.open(path, os.O_RDONLY) for path in (turnstile, machine))
        self.alone = False

    def take(self, alone: bool) -> None:
        fcntl.flock(self._turnstile, fcntl.LOCK_EX)
        fcntl.flock(self._machine, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(self._turnstile, fcntl.LOCK_UN)
        self.alone = alone

    def give_back(self) -> None:
        fcntl.flock(self._machine, fcntl.LOCK_UN)
        self.alone = False


LOCKS = Locks(ROOT / "README.md", ROOT / "pyproject.toml") if fcntl else None  # any two files that are always there


def is_alone(item):
    return item is not None and item.get_closest_marker("alone") is not None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item, nextitem):
    """A test that is marked `alone` measures time, or plays in a browser: meanwhile the other worker rests.

    Which tests a worker has played before must not matter, so each begins with the same random numbers.
    """
    torch.manual_seed(0)
    if not LOCKS or "PYTEST_XDIST_WORKER" not in os.environ:
        return (yield)
    if not LOCKS.alone:
        LOCKS.take(is_alone(item))
    try:
        return (yield)
    finally:
        if not (is_alone(item) and is_alone(nextitem)):  # else the two workers would take turns, and none work beside
            LOCKS.give_back()


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """The package's wheel, built once for all who install it."""
    return elsewhere.build_wheel(tmp_path_factory.mktemp("wheel"))
