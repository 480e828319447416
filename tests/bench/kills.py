"""Kill a training without a warning, go on, and compare: `python tests/bench/kills.py 50` does so at 50 random moments.

A tenth of the kills hits the command as a user types it. The others hit the same command over epochs of two small
steps, which spends most of its time on saving: in a copy of this process, so that none is spent on imports. After
every kill each file must be whole or absent. The same command then goes on to the end, where checkpoint and picture
must be those of the run that was never killed, byte by byte. Every other kill waits for a file that is being written.
Linux only.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from PIL import Image

from gan_lessons import __main__ as cli
from gan_lessons import checkpoints, data, recipes

FILES = ("checkpoint.pt", "samples.png")
Start = Callable[[Path], int]  # trains in a folder, in a process of which it returns the number


def typed(folder: Path) -> int:
    """python -m gan_lessons mnist_quick --epochs 1"""
    words = ["mnist_quick", "--epochs", "1", "--device", "cpu", "--out", folder]
    quiet = subprocess.DEVNULL
    return subprocess.Popen([sys.executable, "-m", "gan_lessons", *words], stdout=quiet, stderr=quiet).pid


def small(folder: Path) -> int:
    """The same command over 10 epochs of two small steps"""
    if pid := os.fork():
        return pid
    sys.stdout = sys.stderr = None
    cli.RECIPES["mnist_quick"] = partial(recipes.mnist_quick, data=data.mnist("train")[:40], batch_size=20)
    sys.argv = ["gan_lessons", "mnist_quick", "--epochs", "10", "--device", "cpu", "--out", str(folder)]
    failed = 1
    try:
        cli.main()
        failed = 0
    finally:
        os._exit(failed)


def finish(start: Start, folder: Path) -> dict[str, bytes]:
    """Run to the end. Returns what the files hold; there are no others."""
    status = os.waitpid(start(folder), 0)[1]
    assert status == 0 and sorted(os.listdir(folder)) == [*FILES], f"{folder}: ends with {status}"
    return {name: (folder / name).read_bytes() for name in FILES}


def kill(start: Start, folder: Path, after: float, saving: float | None = None) -> str:
    """Kill the run after so many seconds; look at what it leaves. Returns that in words, none if it had ended.

    saving: wait on for a file that is being written, a second at most, and kill so many seconds later.
    """
    pid = start(folder)
    time.sleep(after)
    if saving is not None:
        until = time.monotonic() + 1
        while not any(folder.glob("*.part")) and time.monotonic() < until:
            pass
        time.sleep(saving)
    os.kill(pid, signal.SIGKILL)
    status = os.waitpid(pid, 0)[1]
    assert status in (0, signal.SIGKILL), f"{folder}: had failed before, with {status}"
    found = set(os.listdir(folder)) if folder.exists() else set()
    assert found <= {*FILES, *(f"{name}.part" for name in FILES)}, found
    if "checkpoint.pt" in found:
        step = checkpoints.read(folder / "checkpoint.pt")["steps_done"]  # raises ValueError if its SHA-256 is wrong
    if "samples.png" in found:
        Image.open(folder / "samples.png").load()  # raises OSError if it is cut off
    if status == 0:
        return ""
    words = f"step {step:3}" if "checkpoint.pt" in found else "nothing"
    return f"{words}, an unfinished file" if found - {*FILES} else words


def kills(start: Start, times: int, folder: Path, rng: random.Random) -> Counter[str]:
    """Kill so many runs, and finish each. Returns how often they left what."""
    began = time.perf_counter()
    never_killed = finish(start, folder / "never killed")
    took = time.perf_counter() - began
    left = Counter()
    while left.total() < times:
        here, after = folder / "killed", rng.uniform(0, took)
        saving = rng.uniform(0, 0.02) if left.total() % 2 else None  # about as long as it takes to write
        if words := kill(start, here, after, saving):
            left[words] += 1
        else:
            took = min(took, after + 1)  # the first run was slower
        assert finish(start, here) == never_killed, f"{left}: goes on otherwise than the run that was never killed"
        shutil.rmtree(here)
    return left


if __name__ == "__main__":
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    torch.set_num_threads(1)  # a copy of a process has none of its threads
    data.mnist("train"), torch.optim.Adam([torch.ones(1)])  # what is slow once, for all copies
    with tempfile.TemporaryDirectory() as folder:
        for start, share in ((typed, times // 10), (small, times - times // 10)):
            if share:
                began = time.perf_counter()
                left = kills(start, share, Path(folder, start.__name__), random.Random(0))
                found = ", ".join(f"{what} ({n})" for what, n in sorted(left.items()))
                print(f"{start.__doc__}: {share} of {share} kills left whole files and went on to the same end")
                print(f"  in {time.perf_counter() - began:.0f} s. What they left: {found}", flush=True)
