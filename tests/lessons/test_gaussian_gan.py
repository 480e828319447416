import math

import pytest
import torch
from answers import boom, says, told
from torch.nn.functional import logsigmoid

from gan_lessons import losses
from gan_lessons.lessons import gaussian_gan as lesson


def bell(x, factor, sd=5.0):
    return factor * torch.exp(-((x - 500) ** 2) / (2 * sd**2))


RIGHT = 1 / (5 * math.sqrt(2 * math.pi))
DENSITY = [
    (lambda x: bell(x, RIGHT), "Right"),
    (lambda x: bell(x.double(), RIGHT), "Right"),
    (lambda x: bell(x, 1 / math.sqrt(5 * 2 * math.pi)), "the variance is 25"),
    (lambda x: bell(x, RIGHT).log(), "take exp"),
    (lambda x: bell(x, 1.0), "area under it is 12.5"),
    (lambda x: bell(x, RIGHT, sd=math.sqrt(5)), "the bump is off"),
    (lambda x: bell(x, RIGHT, sd=10.0), "0.882; it should be"),
    (lambda x: bell(x, RIGHT).sum(), "shape (31,)"),
    (lambda x: 0.1, "shape (31,)"),
    (lambda x: [0.1] * 31, "shape (31,)"),
    (lambda x: torch.zeros(31), "Not yet"),
    (lambda x: None, "not answered yet"),
    (lambda x: ..., "not answered yet"),
    (boom, "RuntimeError: boom"),
    (3, "TypeError"),
]
LOSS = [
    (losses.discriminator_loss, "Right"),
    (lambda r, f: -logsigmoid(r).mean() - logsigmoid(-f).mean(), "Right"),
    (lambda r, f: logsigmoid(r).mean() + logsigmoid(-f).mean(), "minus in front"),
    (lambda r, f: -logsigmoid(r).mean() - logsigmoid(f).mean(), "log(1 - D(G(z)))"),
    (lambda r, f: -logsigmoid(r).sum() - logsigmoid(-f).sum(), "takes the mean"),
    (lambda r, f: -(logsigmoid(r).mean() + logsigmoid(-f).mean()) / 2, "added, not averaged"),
    (lambda r, f: losses.discriminator_loss(f, r), "changed places"),
    (lambda r, f: -(r.sigmoid().log() + (1 - f.sigmoid()).log()).mean(), "rounds to log(0)"),
    (lambda r, f: torch.tensor(3.0), "got 3.0, expected"),
    (lambda r, f: 3.0, "got 3.0, expected"),
    (lambda r, f: None, "not answered yet"),
    (lambda r, f: ..., "not answered yet"),
    (lambda r: r, "TypeError"),
    (boom, "RuntimeError: boom"),
    (None, "TypeError"),
]
NEAR = 500 + 0.9 * torch.sin(torch.arange(400.0)), 5 + 0.9 * torch.cos(torch.arange(400.0))
STEADY = [
    (NEAR, "Right"),
    ((NEAR[0], -NEAR[1]), "Right"),  # the sign of sigma does not show in p_g
    ((torch.cat([torch.full((100,), 480.0), NEAR[0][:300]]), NEAR[1]), "Right"),  # only the last 300 count
    ((NEAR[0] + 2 * (torch.arange(400) % 5 == 0), NEAR[1]), "near (500, 5) in 80%"),
    ((NEAR[0], NEAR[1] + 2 * (torch.arange(400) % 2)), "near (500, 5) in 50%"),
    ((NEAR[0], torch.full((400,), 1.0)), "near (500, 5) in 0%"),
    ((torch.full((400,), 481.0), NEAR[1]), "it is 481.0"),
    ((torch.full((400,), math.nan), NEAR[1]), "it is nan"),
    ((NEAR[0], torch.full((400,), math.nan)), "Not yet"),
    ((NEAR[0][:100], NEAR[1][:100]), "at least 300 numbers"),
    ((NEAR[0], NEAR[1][:350]), "(400,) and (350,)"),
    (None, "not answered yet"),
    (..., "not answered yet"),
    (3, "TypeError"),
    (([500.0] * 300, [5.0] * 300), "Not yet"),
]


ANSWERS = told(lesson, {"check_density": DENSITY, "check_discriminator_loss": LOSS, "check_steady": STEADY})


@pytest.mark.parametrize(("check", "answer", "text"), ANSWERS)
def test_each_answer_is_told_what_it_is(check, answer, text, capsys):
    says(check, answer, text, capsys)
