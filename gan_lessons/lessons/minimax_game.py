"""Behind lesson 03, what each player wants."""

from typing import Any

import torch

from gan_lessons import losses
from gan_lessons.lessons.checking import call, check, close, number, tensor, verdict


@check
def check_minimax(minimax: Any) -> str | None:
    """minimax(V) -> (min max V, max min V) of a table; G picks the row, D the column."""
    V = torch.tensor([[1.0, 5.0, 2.0], [6.0, 0.0, 4.0]])
    got = tensor(call(minimax, V), 2)
    typical = {
        "in min max G moves first, so D's maximum is inside, one for each row; you have exchanged the two numbers.": (
            2.0,
            5.0,
        ),
        "G picks the row here and D the column; you have it the other way round.": (4.0, 1.0),
        "these are the largest and the smallest number of the table: each player answers the other's move.": (6.0, 0.0),
        "these are places in the table; the value V there is wanted: .values, not .indices.": (0.0, 0.0),
    }
    other = f"for the rows {V.int().tolist()} it is (5, 2), and yours is ({', '.join(f'{n:g}' for n in got.tolist())})."
    return verdict(got, (5.0, 2.0), typical, other)


@check
def check_label_of_fakes(loss: Any) -> str | None:
    """loss(logits_fake), G's non-saturating loss, to be minimised; (m,) -> scalar."""
    logits = torch.tensor([0.3, -2.0, 1.0])
    right, answer = losses.non_saturating_generator_loss(logits), number(call(loss, logits))
    p = logits.sigmoid()
    typical = {
        "label 0 is what D wants: descending this, G would help to be caught.": -torch.log(1 - p).mean(),
        "this is log(1 - D(G(z))), the saturating loss: it is asked for -log D(G(z)).": torch.log(1 - p).mean(),
        "the sign: this is log D(G(z)), which G climbs; a loss is minimised.": p.log().mean(),
        "you sum over the minibatch; take the mean.": -p.log().sum(),
        "a sigmoid too many: bce(logits, labels) takes logits, and has the sigmoid inside.": -p.sigmoid().log().mean(),
    }
    if mistake := verdict(answer, right, typical, f"got {answer:.4g}, expected {right.item():.4f}."):
        return mistake
    if not close(number(call(loss, -200 * torch.ones(2))), 200.0):
        return "right for small logits, but log(sigmoid(-200)) rounds to log(0): bce on the logits does not."
