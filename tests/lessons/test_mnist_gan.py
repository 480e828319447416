import pytest
import torch
from answers import boom, says, told

from gan_lessons import recipes
from gan_lessons.lessons import mnist_gan as lesson

WEIGHTS = [
    (sum(w.numel() for w in recipes.mnist(device="cpu").generator.parameters()), "Right"),
    (100 * 256 + 256 * 512 + 512 * 1024 + 1024 * 784, "biases are missing"),
    (101 * 256 + 257 * 512 + 513 * 784, "the code has a third"),
    (2676, "number of units"),
    (1, "got 1"),
    (..., "not answered yet"),
    (None, "not answered yet"),
]
PIXELS = [
    (lambda x: ((x + 1) * 127.5).round().to(torch.uint8), "Right"),
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
