"""Tests run on the CPU, and draw without a screen."""

import math
import os
import signal

os.environ["CUDA_VISIBLE_DEVICES"] = ""  # before torch is imported
os.environ.pop("MPLBACKEND", None)  # the notebooks' kernels inherit it, and would draw nothing
os.environ["TQDM_MININTERVAL"] = "1"  # nbval reads a cell's messages at its end; beyond 1,000 of them zmq drops some

import elsewhere
import matplotlib
import pytest
import torch
from torch.nn.functional import softplus

from gan_lessons.losses import Loss

matplotlib.use("agg")
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets its background jobs ignore it
torch.set_num_threads(1)  # on busy cores a second thread makes nets this small a hundred times slower


@pytest.fixture(scope="session")
def pairs():
    """A loss that compares each real x with a fake, and has no D(x): relativistic (Jolicoeur-Martineau 2018)."""

    def behind(a, b):
        return softplus(b - a).mean()

    return Loss(behind, lambda real, fake: behind(fake, real), None, (math.log(2), math.log(2)), "pairs", True)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """The package's wheel, built once for all who install it."""
    return elsewhere.build_wheel(tmp_path_factory.mktemp("wheel"))
