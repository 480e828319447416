"""Behind lesson 10, a walk in latent space."""

import math
from typing import Any

import torch
from torch import Tensor

from gan_lessons.lessons.checking import call, check, close, number, tensor, verdict


@check
def check_slerp(slerp: Any) -> str | None:
    """slerp(z_a, z_b, t) on the great circle from z_a to z_b, (d,), (d,), t in [0, 1] -> (d,)."""
    theta, t = math.pi / 3, 0.25

    def on_circle(angle: float) -> Tensor:
        return 8 * torch.tensor([math.cos(angle), math.sin(angle), 0.0])

    z_a, z_b, right = on_circle(0), on_circle(theta), on_circle(t * theta)
    answer, line = tensor(call(slerp, z_a, z_b, t), 3), (1 - t) * z_a + t * z_b
    quarter = math.cos(t * math.pi / 2) * z_a + math.sin(t * math.pi / 2) * z_b
    typical = {
        "this is the straight line: on its way |z| falls below 8, the length of both ends.": line,
        "right length, uneven pace: this is the straight line pushed out to the sphere.": 8 * line / line.norm(),
        "this is the quarter circle: right only for a right angle from z_a to z_b; theirs is 60 degrees here.": quarter,
        "this goes from z_b to z_a: t = 0 is z_a.": on_circle((1 - t) * theta),
        "the division by sin(theta) is missing.": right * math.sin(theta),
        "the weights must not be divided by the lengths; only the angle is one of unit vectors.": right / 8,
    }
    if not answer.isfinite().all():
        return (
            "not a finite number: acos takes the dot product of unit vectors, so divide z_a and z_b by their lengths."
        )
    start = f"from {z_a.tolist()}, 60 degrees on, at t = 0.25 |z| is still 8, and 15 degrees are done"
    if mistake := verdict(answer, right, typical, f"{start}; yours has |z| {answer.norm():.2f}."):
        return mistake
    if not (close(call(slerp, z_a, z_b, 0.0), z_a) and close(call(slerp, z_a, 2 * z_b, 1.0), 2 * z_b)):
        return "right on the way, but t = 0 must give z_a and t = 1 z_b, of whatever length they are."
    longer = math.sin((1 - t) * theta) * z_a + math.sin(t * theta) * 2 * z_b
    if not close(call(slerp, z_a, 2 * z_b, t), longer / math.sin(theta)):
        return "right for two of one length; the weights belong to z_a and z_b themselves, of whatever length they are."
    try:
        parallel = close(call(slerp, z_a, 2 * z_a, t), (1 + t) * z_a)
    except Exception:
        parallel = False
    return None if parallel else "Right. Only for parallel z_a and z_b, sin(theta) = 0, take the straight line instead."


@check
def check_share_changed(share_changed: Any) -> str | None:
    """share_changed(labels), (n, steps) -> share of rows in which not all labels are the same."""
    rows = "00000 77777 19999 00003 26222 44944 54655 88818 35888"  # no two steps tell all, nor does the mean
    labels = torch.tensor([[int(digit) for digit in row] for row in rows.split()])
    answer, steps = number(call(share_changed, labels)), labels.diff(dim=1) != 0
    apart = labels != labels[:, :1]
    typical = {
        "this compares the two ends only: 4, 4, 9, 4, 4 changed on the way.": apart[:, -1].double().mean(),
        "this is the share of steps at which the digit changed; a walk counts once.": steps.double().mean(),
        "this is the share of labels that differ from the first of their walk; a walk counts once.": (
            apart.double().mean()
        ),
        "this is the share of walks that kept their digit.": 2 / 9,
        "this is a count; divide by the number of walks.": 7,
        "this counts the different digits of a walk; the question is whether there is more than one.": 2,
        "this counts changes; a walk with two of them is still one walk.": steps.sum() / 9,
    }
    typical["this compares two steps only; a walk may change at any of them."] = steps[:, 1].double().mean()
    other = f"of the walks {', '.join(rows.split())} seven in nine changed, 0.778, and you get {answer:.3g}."
    return verdict(answer, 7 / 9, typical, other)
