import math

import pytest
import torch
from answers import FORMS, boom, in_all_forms, says, told

from gan_lessons.lessons import dynamics as lesson


def simultaneous(x, y, eta):
    return x - eta * y, y + eta * x


STEP = [
    *in_all_forms(lambda *given: torch.tensor(simultaneous(*given))),
    (simultaneous, "Right"),
    (lambda x, y, eta: torch.tensor([[1, -eta], [eta, 1]]) @ torch.tensor([x, y]), "Right"),
    (lambda x, y, eta: torch.tensor([x, y]) + eta * torch.tensor([-y, x], requires_grad=True), "Right"),
    (lambda x, y, eta: [torch.tensor(x - eta * y), torch.tensor(y + eta * x)], "Right"),
    (lambda x, y, eta: (x - eta * y, y + eta * (x - eta * y)), "y has used the new x"),
    (lambda x, y, eta: (x - eta * (y + eta * x), y + eta * x), "x has used the new y"),
    (lambda x, y, eta: (x - eta * y, y - eta * x), "both descend"),
    (lambda x, y, eta: (x + eta * y, y + eta * x), "both climb"),
    (lambda x, y, eta: (x + eta * y, y - eta * x), "changed places"),
    (lambda x, y, eta: (x - eta * x, y + eta * y), "the other's slope"),
    (lambda x, y, eta: (-eta * y, eta * x), "add them to x and y"),
    (lambda x, y, eta: (y + eta * x, x - eta * y), "the new y comes first"),
    (lambda x, y, eta: simultaneous(x, y, 0.1), "use the x, y and eta given"),
    (lambda x, y, eta: (1.7, 3.2), "use the x, y and eta given"),
    (lambda x, y, eta: (2.0, 3.0), "yours to (2, 3)"),
    (lambda x, y, eta: (1.7, math.nan), "yours to (1.7, nan)"),
    (lambda x, y, eta: x - eta * y, "shape (2,) is wanted; got float"),
    (lambda x, y, eta: {x - eta * y, y + eta * x}, "got set"),
    (lambda x, y, eta: (x - eta * y, ...), "not answered yet"),
    (simultaneous(2, 3, 0.1), "hand over the function itself"),
    (lambda x, y, eta: ..., "not answered yet"),
    (lambda x, y, eta: None, "not answered yet"),
    (boom, "RuntimeError: boom"),
]
AT_EQUILIBRIUM = torch.full((60,), math.log(4))


def ending(loss, sigma, notes=60, last=20):
    """Two rows, at equilibrium but for the last notes."""
    rows = torch.tensor([math.log(4), 0.1]).repeat(notes, 1).T.clone()
    rows[:, -last:] = torch.tensor([[loss], [sigma]])
    return rows


LYING = [
    *[(form(ending(1.39, 0.1)), "Right") for form in FORMS],
    (ending(1.39, 0.5, notes=300), "Right"),
    (ending(1.39, 9.0, 300, 81)[:, :-1], "in 19% of the last 99"),
    (torch.cat([ending(1.39, 9.0, 280, 80), ending(1.39, 0.1, 60)[:, :20]], dim=1), "in 20% of the last 100"),
    (torch.cat([ending(0.2, 0.1, 280, 80), ending(1.39, 0.1, 60)[:, :20]], dim=1), "loss ends at 0.44"),
    (ending(1.39, 530.0, 300, 29), "in 71% of the last 100"),
    (ending(1.39, 0.1).flip(0), "loss ends at 0.10"),
    (ending(1.39, 0.1, 50), "got shape (2, 50)"),
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
    ((AT_EQUILIBRIUM[:30], torch.full((60,), 0.1)), "a tensor is wanted; got tuple of 2"),
    (..., "not answered yet"),
    (None, "not answered yet"),
    (3, "got shape ()"),
]


ANSWERS = told(lesson, {"check_simultaneous_step": STEP, "check_lying_losses": LYING})


@pytest.mark.parametrize(("check", "answer", "text"), ANSWERS)
def test_each_answer_is_told_what_it_is(check, answer, text, capsys):
    says(check, answer, text, capsys)
