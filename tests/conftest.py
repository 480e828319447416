"""Tests run on the CPU, and draw without a screen."""

import os

os.environ["CUDA_VISIBLE_DEVICES"] = ""  # before torch is imported

import matplotlib
import torch

matplotlib.use("agg")
torch.set_num_threads(1)  # on busy cores a second thread makes nets this small a hundred times slower
