"""Tests run on the CPU unless told otherwise, and draw without a screen."""

import os
import signal

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")  # before torch is imported; with "0" test_graphs.py plays on a GPU
os.environ.pop("MPLBACKEND", None)  # the notebooks' kernels inherit it, and would draw nothing
os.environ["TQDM_MININTERVAL"] = "1"  # nbval reads a cell's messages at its end; beyond 1,000 of them zmq drops some

import elsewhere
import matplotlib
import pytest
import torch

matplotlib.use("agg")
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets its background jobs ignore it
torch.set_num_threads(1)  # on busy cores a second thread makes nets this small a hundred times slower


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """The package's wheel, built once for all who install it."""
    return elsewhere.build_wheel(tmp_path_factory.mktemp("wheel"))
