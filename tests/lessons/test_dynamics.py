import math

import pytest
import torch
from answers import boom, says, told

from gan_lessons.lessons import dynamics as lesson

STEP = [
    (lambda x, y, eta: (x - eta * y, y + eta * x), "Right"),
    (lambda x, y, eta: [torch.tensor(x - eta * y), torch.tensor(y + eta * x)], "Right"),
    (lambda x, y, eta: (x - eta * y, y + eta * (x - eta * y)), "y has used the new x"),
    (lambda x, y, eta: (x - eta * (y + eta * x), y + eta * x), "x has used the new y"),
    (lambda x, y, eta: (x - eta * y, y - eta * x), "both descend"),
    (lambda x, y, eta: (x + eta * y, y + eta * x), "both climb"),
    (lambda x, y, eta: (x + eta * y, y - eta * x), "changed places"),
    (lambda x, y, eta: (x - eta * x, y + eta * y), "the other's slope"),
    (lambda x, y, eta: (-eta * y, eta * x), "yours to (-0.3, 0.2)"),
    (lambda x, y, eta: x - eta * y, "return two numbers"),
    (lambda x, y, eta: ..., "not answered yet"),
    (lambda x, y, eta: None, "not answered yet"),
    (boom, "RuntimeError: boom"),
]
AT_EQUILIBRIUM = torch.full((60,), math.log(4))
LYING = [
    ((AT_EQUILIBRIUM, torch.full((60,), 0.1)), "Right"),
    ((AT_EQUILIBRIUM + 0.09, torch.full((60,), -0.9)), "Right"),
    (
        (AT_EQUILIBRIUM, torch.cat([torch.full((40,), 9.0), torch.full((20,), 0.1)])),
        "Right",
    ),  # only the last third counts
    ((AT_EQUILIBRIUM + 0.11, torch.full((60,), 0.1)), "loss ends at 1.50"),
    ((AT_EQUILIBRIUM * math.nan, torch.full((60,), 0.1)), "loss ends at nan"),
    ((AT_EQUILIBRIUM, torch.full((60,), 5.2)), "no lie here"),
    ((AT_EQUILIBRIUM, torch.full((60,), -5.2)), "no lie here"),
    ((AT_EQUILIBRIUM, torch.cat([torch.full((50,), 9.0), torch.full((10,), 0.1)])), "in 50% of the last 20"),
    ((AT_EQUILIBRIUM, torch.full((60,), math.nan)), "in 0% of the last 20"),
    ((AT_EQUILIBRIUM[:30], torch.full((60,), 0.1)), "got (30,) and (60,)"),
    (..., "not answered yet"),
    (None, "not answered yet"),
    (3, "TypeError"),
]


ANSWERS = told(lesson, {"check_simultaneous_step": STEP, "check_lying_losses": LYING})


@pytest.mark.parametrize(("check", "answer", "text"), ANSWERS)
def test_each_answer_is_told_what_it_is(check, answer, text, capsys):
    says(check, answer, text, capsys)
