import pytest
import torch
from answers import boom, in_all_forms, says, spoiling, told

from gan_lessons.lessons import figure_1 as lesson

BEST_D = [
    *in_all_forms(lambda p, q: p / (p + q)),
    (lambda p, q: p.div_(q.add_(p)), "Right"),
    (spoiling(lambda p, q: p / (p + q)), "yours is nan"),
    (lambda p, q: 1 / (1 + q / p), "Right"),
    (lambda p, q: q / (p + q), "how likely x is real"),
    (lambda p, q: p / q, "divide by the sum"),
    (lambda p, q: p / p.sum(), "it does not add up to 1"),
    (lambda p, q: p, "it should be 0.8, and yours is 0.08"),
    (lambda p, q: ..., "not answered yet"),
    (boom, "RuntimeError: boom"),
]
SQUARE = [
    *in_all_forms(lambda x: 1 / torch.sqrt(40 * (x - 500))),
    (lambda x: x.sub_(500).mul_(40).rsqrt_(), "Right"),
    (spoiling(lambda x: 1 / torch.sqrt(40 * x)), "yours is inf"),
    (lambda x: 1 / torch.sqrt(40 * (x - 500)), "Right"),
    (lambda x: torch.ones_like(x), "divide by the slope"),
    (lambda x: torch.sqrt(40 * (x - 500)), "you multiply by the slope"),
    (lambda x: torch.sqrt((x - 500) / 10), "this is z itself"),
    (lambda x: 1 / (20 * x), "this slope is at z = x"),
    (lambda x: 1 / (x - 490), "it should be 0.0707, and yours is 0.0667"),
    (lambda x: ..., "not answered yet"),
    (boom, "RuntimeError: boom"),
]


ANSWERS = told(lesson, {"check_optimal_discriminator": BEST_D, "check_density_of_square": SQUARE})


@pytest.mark.parametrize(("check", "answer", "text"), ANSWERS)
def test_each_answer_is_told_what_it_is(check, answer, text, capsys):
    says(check, answer, text, capsys)
