import math

import pytest
import torch
from answers import boom, in_all_forms, says, spoiling, told
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from gan_lessons import losses
from gan_lessons.lessons import minimax_game as lesson


def both(V):
    return torch.stack([V.max(dim=1).values.min(), V.min(dim=0).values.max()])


MINIMAX = [
    *in_all_forms(both),
    (spoiling(both), "places in the table"),
    (lambda V: (V.max(dim=1).values.min(), V.min(dim=0).values.max()), "Right"),
    (lambda V: (min(map(max, V.tolist())), max(map(min, V.T.tolist()))), "Right"),
    (lambda V: (V.min(dim=0).values.max(), V.max(dim=1).values.min()), "exchanged the two numbers"),
    (lambda V: (V.max(dim=0).values.min(), V.min(dim=1).values.max()), "the other way round"),
    (lambda V: (V.max(), V.min()), "the largest and the smallest"),
    (lambda V: (V.max(dim=1).indices.min(), V.min(dim=0).indices.min()), "places in the table"),
    (lambda V: (V.max(dim=1).values.argmin(), V.min(dim=0).values.argmax()), "it is (5, 2), and yours is (0, 2)"),
    (lambda V: (5.0, 3.0), "yours is (5, 3)"),
    (lambda V: (V.max(dim=1).values, V.min(dim=0).values), "got tuple of 2"),
    (lambda V: 5.0, "shape (2,) is wanted; got float"),
    (lambda V: (..., ...), "not answered yet"),
    (lambda V: (V.max(dim=1).values.min(), ...), "not answered yet"),
    (lambda V: None, "not answered yet"),
    (boom, "RuntimeError: boom"),
]
LABEL = [
    *in_all_forms(lambda a: bce(a, torch.ones_like(a))),
    (lambda a: sum(max(-x, 0) + math.log1p(math.exp(-abs(x))) for x in a.tolist()) / len(a), "Right"),
    (spoiling(losses.non_saturating_generator_loss), "got 0.6931"),
    (losses.non_saturating_generator_loss, "Right"),
    (lambda a: bce(a, torch.zeros_like(a)), "help to be caught"),
    (lambda a: -bce(a, torch.zeros_like(a)), "the saturating loss"),
    (lambda a: -bce(a, torch.ones_like(a)), "which G climbs"),
    (lambda a: bce(a, torch.ones_like(a), reduction="sum"), "take the mean"),
    (lambda a: bce(a.sigmoid(), torch.ones_like(a)), "a sigmoid too many"),
    (lambda a: -a.sigmoid().log().mean(), "rounds to log(0)"),
    (lambda a: bce(a, torch.ones_like(a), reduction="none"), "one number is wanted; got Tensor of shape (3,)"),
    (lambda a: 3.0, "got 3, expected"),
    (lambda a: None, "not answered yet"),
    (lambda a: ..., "not answered yet"),
    (boom, "RuntimeError: boom"),
]


ANSWERS = told(lesson, {"check_minimax": MINIMAX, "check_label_of_fakes": LABEL})


@pytest.mark.parametrize(("check", "answer", "text"), ANSWERS)
def test_each_answer_is_told_what_it_is(check, answer, text, capsys):
    says(check, answer, text, capsys)
