"""Behind lesson 01, What does it mean to generate?."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from gan_lessons import devices
from gan_lessons.lessons.checking import UNANSWERED, check


@check
def check_parzen_draws(draw: Callable[[Tensor, float, int], Tensor]) -> str | None:
    """draw(points, h, n) -> n numbers drawn from the Parzen window of width h on points."""
    points, h, n = torch.tensor([0.0, 1.0, 4.0]), 0.04, 3000
    with devices.seeded(0):
        x = draw(points, h, n)
    if x is None or x is ...:
        return UNANSWERED
    if not torch.is_tensor(x) or x.shape != (n,):
        return f"for n = {n} draw must return a tensor of shape ({n},); got {getattr(x, 'shape', type(x).__name__)}."
    nearest = (x[:, None] - points).abs().argmin(dim=1)
    shares, off = nearest.bincount(minlength=3) / n, x - points[nearest]
    typical = {
        "the points come out as they are, and nothing new: add h times a standard normal.": off.abs().max() < 1e-6,
        "all draws share one noise; each needs its own: torch.randn(n).": off.std() < 1e-6,
        "h is the standard deviation of a bump, not its variance: its root is too wide.": _near(off.std(), h**0.5),
        "h is the standard deviation of a bump; do not square it.": _near(off.std(), h**2),
        "this is one bump for all; choose a point first, then draw around it.": off.std() > 0.3,
        "the noise leans to one side: torch.rand is uniform on 0 to 1, torch.randn is normal.": off.mean() > h / 4,
    }
    if not (shares - 1 / 3).abs().max() < 0.05:
        seen = ", ".join(f"{share:.0%}" for share in shares)
        return f"each point should be chosen equally often; of three points yours are near {seen}: use torch.randint."
    if _near(off.std(), h) and off.mean().abs() < h / 4:
        return None
    other = f"around its point a draw should have sd h = {h}, and yours has {off.std():.2g}."
    return next((text for text, wrong in typical.items() if wrong), other)


def _near(a: Tensor, b: float) -> bool:
    return abs(a.item() / b - 1) < 0.1


@check
def check_log_z(log_Z: Callable[[Callable[[Tensor], Tensor], int], Tensor]) -> str | None:
    """log_Z(score, n), the log of the sum of e^score over all images of n pixels that are 0 or 1."""
    n, w = 5, 0.5
    right = n * math.log1p(math.exp(w))  # where each white pixel scores w, Z is a product over pixels
    answer = log_Z(lambda x: w * x.sum(dim=1), n)
    if answer is None or answer is ...:
        return UNANSWERED
    typical = {
        "this is Z; take its log.": math.exp(right),
        "this is the log of the mean; Z is a sum over all images.": right - n * math.log(2),
        "this is the highest score; Z adds up e^score of all images.": n * w,
        "this is the log of the sum of the scores; each must go through exp first.": math.log(2**n * n * w / 2),
        "an image is missing: the black one, of zeros only, counts as well.": math.log(math.exp(right) - 1),
        "this is the logarithm to base 10; take the natural one.": right / math.log(10),
        "this is the logarithm to base 2; take the natural one.": right / math.log(2),
    }
    if not math.isclose(answer, right, rel_tol=1e-4):
        got = f"where each white pixel scores 0.5, log Z of 5 pixels is {right:.4f}; got {float(answer):.4f}."
        return next((text for text, wrong in typical.items() if math.isclose(answer, wrong, rel_tol=1e-4)), got)
    if not math.isclose(log_Z(lambda x: x[:, 0] + 1000, n), 1000 + math.log(16 * (1 + math.e)), rel_tol=1e-5):
        return "right for small scores, but e^1000 is too large for a float: torch.logsumexp is not."
