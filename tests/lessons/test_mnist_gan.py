import numpy as np
import pytest
import torch
from answers import boom, says, spoiling, told

from gan_lessons import recipes
from gan_lessons.lessons import mnist_gan as lesson

RIGHT = 101 * 256 + 257 * 512 + 513 * 1024 + 1025 * 784
WEIGHTS = [
    *[(form(RIGHT), "Right") for form in (int, float, np.int64, np.float32, np.array, torch.tensor)],
    *[(form([RIGHT]), "Right") for form in (list, np.array, torch.tensor)],
    (RIGHT + 0.5, "got 1486352.5"),
    ((1, 486, 352), "a comma makes several numbers"),
    (RIGHT - 784 + 100, "to each output of a layer"),
    (str(RIGHT), "got str"),
    (lambda: RIGHT, "got function"),
    (float("nan"), "got nan"),
    (sum(w.numel() for w in recipes.mnist(device="cpu").generator.parameters()), "Right"),
    (100 * 256 + 256 * 512 + 512 * 1024 + 1024 * 784, "biases are missing"),
    (101 * 256 + 257 * 512 + 513 * 784, "the code has a third"),
    (2676, "number of units"),
    (1, "got 1"),
    (..., "not answered yet"),
    (None, "not answered yet"),
]


def to_pixels(x):
    return ((x + 1) * 127.5).round().to(torch.uint8)


PIXELS = [
    (to_pixels, "Right"),
    (lambda x: ((x + 1) / 2 * 255 + 0.5).to(torch.uint8), "Right"),
    (lambda x: (127.5 * x + 127.4999).round().byte(), "Right"),  # the tie at 127.5 goes down
    (lambda x: x.add_(1).mul_(127.5).add_(0.5).floor_().clamp_(0, 255).to(torch.uint8), "Right"),
    (lambda x: np.round((x.numpy() + 1) * 127.5).astype("uint8"), "Right"),
    (lambda x: torch.tensor([[round((v + 1) * 127.5) for v in row] for row in x.tolist()]).byte(), "Right"),
    (spoiling(to_pixels), "expected [[0, 64"),
    (lambda x: (x + 1).mul(128).to(torch.uint8), "expected [[0, 64"),
    (lambda x: to_pixels(x).flatten(), "yours is (6,)"),
    (lambda x: to_pixels(x).int(), "got torch.int32"),
    (lambda x: to_pixels(x).tolist(), "got list"),
    (lambda x: np.round((x.numpy() + 1) * 127.5), "got float32"),
    (lambda x: ((x + 1) * 127.5).to(torch.uint8), "round first"),
    (lambda x: (x.clamp(min=0) * 255).round().to(torch.uint8), "below 0 became black"),
    (lambda x: ((x + 1) * 127.5).round(), "got torch.float32"),
    (lambda x: 3, "got int"),
    (lambda x: torch.zeros(2, 3, dtype=torch.uint8), "expected [[0, 64"),
    (lambda x: ..., "not answered yet"),
    (boom, "RuntimeError: boom"),
]


ANSWERS = told(lesson, {"check_weights": WEIGHTS, "check_to_pixels": PIXELS})


@pytest.mark.parametrize(("check", "answer", "text"), ANSWERS)
def test_each_answer_is_told_what_it_is(check, answer, text, capsys):
    says(check, answer, text, capsys)
