"""Behind lesson 10, a walk in latent space."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gan_lessons.lessons.checking import UNANSWERED, check, close


@check
def check_slerp(slerp: Callable[[Tensor, Tensor, float], Tensor]) -> str | None:
    """slerp(z_a, z_b, t) on the great circle from z_a to z_b, (d,), (d,), t in [0, 1] -> (d,)."""
    theta, t = math.pi / 3, 0.25

    def on_circle(angle: float) -> Tensor:
        return 8 * torch.tensor([math.cos(angle), math.sin(angle), 0.0])

    z_a, z_b, right = on_circle(0), on_circle(theta), on_circle(t * theta)
    answer = slerp(z_a, z_b, t)
    if answer is None or answer is ...:
        return UNANSWERED
    if not torch.is_tensor(answer) or answer.shape != z_a.shape:
        return f"slerp must return a tensor of z_a's shape (3,); got {getattr(answer, 'shape', type(answer).__name__)}."
    line = (1 - t) * z_a + t * z_b
    typical = {
        "this is the straight line: on its way |z| falls below 8, the length of both ends.": line,
        "right length, uneven pace: this is the straight line pushed out to the sphere.": 8 * line / line.norm(),
        "this is the quarter circle: right only for a right angle from z_a to z_b; theirs is 60 degrees here.": (
            math.cos(t * math.pi / 2) * z_a + math.sin(t * math.pi / 2) * z_b
        ),
        "this goes from z_b to z_a: t = 0 is z_a.": on_circle((1 - t) * theta),
        "the division by sin(theta) is missing.": right * math.sin(theta),
        "the weights must not be divided by the lengths; only the angle is one of unit vectors.": right / 8,
    }
    if close(answer, right):
        at_ends = close(slerp(z_a, z_b, 0.0), z_a) and close(slerp(z_a, 2 * z_b, 1.0), 2 * z_b)
        return (
            None if at_ends else "right on the way, but t = 0 must give z_a and t = 1 z_b, of whatever length they are."
        )
    if not answer.isfinite().all():
        return (
            "not a finite number: acos takes the dot product of unit vectors, so divide z_a and z_b by their lengths."
        )
    start = f"from {z_a.tolist()}, 60 degrees on, at t = 0.25 |z| is still 8, and 15 degrees are done"
    other = f"{start}; yours has |z| {answer.norm():.2f}."
    return next((text for text, wrong in typical.items() if close(answer, wrong)), other)


@check
def check_share_changed(share_changed: Callable[[Tensor], Any]) -> str | None:
    """share_changed(labels), (n, steps) -> share of rows in which not all labels are the same."""
    labels = torch.tensor([[1, 1, 1, 1], [7, 7, 9, 9], [4, 9, 4, 4], [3, 5, 8, 8]])
    answer = share_changed(labels)
    if answer is None or answer is ...:
        return UNANSWERED
    answer = float(answer)
    typical = {
        "this compares the two ends only: 4, 9, 4, 4 changed on the way.": 0.5,
        "this is the share of steps at which the digit changed; a walk counts once.": 5 / 12,
        "this is the share of labels that differ from the first of their walk; a walk counts once.": 6 / 16,
        "this is the share of walks that kept their digit.": 0.25,
        "this is a count; divide by the number of walks.": 3,
        "this counts the different digits of a walk; the question is whether there is more than one.": 2,
        "this counts changes; a walk with two of them is still one walk.": 5 / 4,
    }
    if math.isclose(answer, 0.75, rel_tol=1e-6):
        return None
    other = f"of the walks {labels.tolist()} three in four changed, and you get {answer:.3g}."
    return next((text for text, wrong in typical.items() if math.isclose(answer, wrong, rel_tol=1e-6)), other)
