"""Behind lesson 06, when and why training fails."""

import math
from typing import Any

from gan_lessons.lessons.checking import call, check, close, tensor, verdict


@check
def check_simultaneous_step(step: Any) -> str | None:
    """step(x, y, eta) of V(x, y) = x y: x descends, y climbs, both from the old position; -> (x, y)."""
    x, y = tensor(call(step, 2.0, 3.0, 0.1), 2).tolist()
    typical = {
        "this alternates: y has used the new x. Simultaneous: both look at the old position.": (1.7, 3.17),
        "this alternates, y first: x has used the new y. Simultaneous: both look at the old position.": (1.68, 3.2),
        "both descend: y wants V large, so it steps up its slope, y + eta x.": (1.7, 2.8),
        "both climb: x wants V small, so it steps down its slope, x - eta y.": (2.3, 3.2),
        "the signs have changed places: here x climbs and y descends.": (2.3, 2.8),
        "each steps along the other's slope: the slope of V = x y in x is y, and in y it is x.": (1.8, 3.3),
        "these are the steps alone; add them to x and y.": (-0.3, 0.2),
        "the new y comes first here; return x, then y.": (3.2, 1.7),
    }
    other = f"from (2, 3) with eta = 0.1 it goes to (1.7, 3.2); yours to ({x:.4g}, {y:.4g})."
    if mistake := verdict((x, y), (1.7, 3.2), typical, other):
        return mistake
    if not close(call(step, -1.0, 4.0, 0.25), (-2.0, 3.75)):
        return "right from (2, 3) with eta = 0.1, but not from (-1, 4) with eta = 0.25: use the x, y and eta given."


@check
def check_lying_losses(notes: Any) -> str | None:
    """(loss of D, sigma), two rows of 60 notes or more; in their last third the loss stays at log 4 and |sigma| < 1."""
    rows = tensor(notes)
    if rows.dim() != 2 or len(rows) != 2 or rows.shape[1] < 60:
        return f"two rows of at least 60 notes are wanted, D's loss and sigma; got shape {tuple(rows.shape)}."
    last = rows.shape[1] // 3
    loss, width = rows[0, -last:].mean().item(), rows[1, -last:].abs()
    if not abs(loss - math.log(4)) <= 0.1:
        return f"D's loss ends at {loss:.2f}, not within 0.1 of 1.39: this failure shows in the losses."
    if (width < 1).all():
        return None
    if ((width - 5).abs() < 1.5).all():
        return f"the losses are at equilibrium, and rightly: |sigma| ends at {width[-1]:.1f}, near 5: no lie here."
    return f"|sigma| is below 1 in {(width < 1).double().mean():.0%} of the last {last} notes, and all are asked for."
