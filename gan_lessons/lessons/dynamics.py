"""Behind lesson 06, when and why training fails."""

import math
from collections.abc import Callable, Sequence

from torch import Tensor

from gan_lessons.lessons.checking import UNANSWERED, check


@check
def check_simultaneous_step(step: Callable[[float, float, float], tuple[float, float]]) -> str | None:
    """step(x, y, eta) of V(x, y) = x y: x descends, y climbs, both from the old position; -> (x, y)."""
    x, y, eta = 2.0, 3.0, 0.1
    answer = step(x, y, eta)
    if answer is None or answer is ...:
        return UNANSWERED
    if not isinstance(answer, Sequence) or len(answer) != 2:
        return f"return two numbers, the new x and the new y; got {answer!r}."
    typical = {
        "this alternates: y has used the new x. Simultaneous: both look at the old position.": (1.7, 3.17),
        "this alternates, y first: x has used the new y. Simultaneous: both look at the old position.": (1.68, 3.2),
        "both descend: y wants V large, so it steps up its slope, y + eta x.": (1.7, 2.8),
        "both climb: x wants V small, so it steps down its slope, x - eta y.": (2.3, 3.2),
        "the signs have changed places: here x climbs and y descends.": (2.3, 2.8),
        "each steps along the other's slope: the slope of V = x y in x is y, and in y it is x.": (1.8, 3.3),
    }

    def same(a: Sequence[float]) -> bool:
        return all(math.isclose(one, other, rel_tol=1e-5) for one, other in zip(a, answer, strict=True))

    if same((1.7, 3.2)):
        return None
    other = f"from (2, 3) with eta = 0.1 it goes to (1.7, 3.2); yours to ({answer[0]:.4g}, {answer[1]:.4g})."
    return next((text for text, wrong in typical.items() if same(wrong)), other)


@check
def check_lying_losses(notes: tuple[Tensor, Tensor]) -> str | None:
    """Lesson 06: (loss of D, sigma) at 60 notes; in the last 20 the loss stays at log 4 and |sigma| < 1."""
    if notes is None or notes is ...:
        return UNANSWERED
    loss_d, sigma = notes
    if loss_d.shape != sigma.shape or loss_d.dim() != 1 or len(loss_d) < 60:
        return f"give two rows of 60 notes; got {tuple(loss_d.shape)} and {tuple(sigma.shape)}."
    loss, width = loss_d[-20:].mean().item(), sigma[-20:].abs()
    if not abs(loss - math.log(4)) <= 0.1:
        return f"D's loss ends at {loss:.2f}, not within 0.1 of 1.39: this failure shows in the losses."
    if (width < 1).all():
        return None
    if ((width - 5).abs() < 1.5).all():
        return f"the losses are at equilibrium, and rightly: |sigma| ends at {width[-1]:.1f}, near 5: no lie here."
    return f"|sigma| is below 1 in {(width < 1).double().mean():.0%} of the last 20 notes, and all are asked for."
