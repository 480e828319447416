import math

import pytest
import torch
from answers import FORMS, boom, in_all_forms, says, spoiling, told

from gan_lessons.lessons import theory as lesson


def best_value(p, q, dx):
    return (torch.xlogy(p, p / (p + q)) + torch.xlogy(q, q / (p + q))).sum() * dx


def divergence(p, q, dx):
    m = (p + q) / 2
    return (torch.xlogy(p, p / m) + torch.xlogy(q, q / m)).sum() * dx / 2


CRITERION = [
    *in_all_forms(best_value),
    (lambda p, q, dx: torch.trapezoid(torch.xlogy(p, p / (p + q)) + torch.xlogy(q, q / (p + q)), dx=dx), "Right"),
    (spoiling(best_value), "yours is nan"),
    (lambda p, q, dx: best_value(p, q, dx).item(), "Right"),
    (lambda p, q, dx: -math.log(4) + 2 * divergence(p, q, dx), "Right"),
    (lambda p, q, dx: best_value(p, q, 1.0), "multiply by it"),
    (lambda p, q, dx: (p * (p / (p + q)).log()).sum() * dx, "half on the fakes"),
    (lambda p, q, dx: (q * (q / (p + q)).log()).sum() * dx, "half on the data"),
    (lambda p, q, dx: (p * (q / (p + q)).log() + q * (p / (p + q)).log()).sum() * dx, "inverted policeman"),
    (divergence, "-log 4 + 2 JSD"),
    (lambda p, q, dx: 2 * divergence(p, q, dx), "-log 4 is missing"),
    (lambda p, q, dx: -best_value(p, q, dx), "at most 0"),
    (lambda p, q, dx: (p * (p / (p + q)).log2() + q * (q / (p + q)).log2()).sum() * dx, "natural log"),
    (lambda p, q, dx: -math.log(4), "a D that says 1/2"),
    (lambda p, q, dx: 3.0, "it should be -1.107, and yours is 3"),
    (lambda p, q, dx: math.nan, "yours is nan"),
    (lambda p, q, dx: None, "not answered yet"),
    (lambda p, q, dx: ..., "not answered yet"),
    (lambda p, q, dx: p, "one number is wanted"),
    (boom, "RuntimeError: boom"),
]
HILL = [
    *[(form(torch.tensor([[500.0, 5.0], [532.0, 5.0]])), "Right") for form in FORMS],
    (((468, 5), (500, 5)), "Right"),
    (((500, 5), (468, 4)), "Right"),
    (((470, 5), (500, 5)), "the two of the slide"),
    (([500.0, 5.0], [470.3, 5.2]), "the two of the slide"),
    ([[500.0, 5.0], [530.0, 5.0]], "the slide in a mirror"),
    (((530, 5), (500, 5)), "the slide in a mirror"),
    (((470, math.nan), (500, 5)), "stay on the map"),
    (((480, 5), (520, 5)), "a hole between your two"),
    (((470, 5), (475, 5)), "level ground"),
    (((500, 5), (500, 5)), "level ground"),
    (((480, 5), (500, 5)), "only 0.04 above"),
    (((500, -5), (500, 5)), "stay on the map"),
    (((0, 5), (500, 5)), "stay on the map"),
    (((470, 5), ...), "not answered yet"),
    (((..., ...), (..., ...)), "not answered yet"),
    (None, "not answered yet"),
    (..., "not answered yet"),
    (((470, 5),), "shape (2, 2) is wanted; got tuple of 1"),
    (3, "got int"),
]


ANSWERS = told(lesson, {"check_criterion": CRITERION, "check_hill": HILL})


@pytest.mark.parametrize(("check", "answer", "text"), ANSWERS)
def test_each_answer_is_told_what_it_is(check, answer, text, capsys):
    says(check, answer, text, capsys)
