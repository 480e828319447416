"""Behind lesson 01, What does it mean to generate?."""

import math
from typing import Any

import torch
from torch import Tensor

from gan_lessons.lessons.checking import call, check, close, number, tensor, verdict


@check
def check_parzen_draws(draw: Any) -> str | None:
    """draw(points, h, n) -> n numbers drawn from the Parzen window of width h on points.

    A right answer is refused by chance once in 100,000 times: for the largest gap between a distribution function and
    the one of n draws from it, P(gap > d) <= 2 exp(-2 n d^2) (Massart 1990). That no draw is beyond 3 h has a chance of
    1e-12, and all other bounds are seven standard deviations away or more.
    """
    points, h, n = torch.tensor([0.0, 1.0, 4.0]), 0.04, 10_000
    x = tensor(call(draw, points, h, n), n)
    nearest = (x[:, None] - points).abs().argmin(dim=1)
    shares, off, size = nearest.bincount(minlength=3) / n, x - points[nearest], (x - points[nearest]).abs()
    below = torch.special.ndtr(off.sort().values / h)
    gap = (below - torch.arange(0.5, n) / n).abs().max()
    typical = {
        "the points come out as they are, and nothing new: add h times a standard normal.": size.max() < 1e-6,
        "this noise is +h or -h, with nothing between: torch.randn is normal.": (size - h).abs().max() < 1e-5,
        "many draws share one noise; each needs its own: torch.randn(n).": len((off * 1e5).round().unique()) < 100,
        "h is the standard deviation of a bump, not its variance: its root is too wide.": _near(off.std(), h**0.5),
        "h is the standard deviation of a bump; do not square it.": _near(off.std(), h**2),
        "this is one bump for all; choose a point first, then draw around it.": off.std() > 0.3,
        "the noise leans to one side: torch.rand is uniform on 0 to 1, torch.randn is normal.": off.mean() > h / 4,
        "this noise has hard ends, as a uniform one; torch.randn is normal.": size.max() < 3 * off.std(),
    }
    if not (shares - 1 / 3).abs().max() < 0.05:
        seen = ", ".join(f"{share:.0%}" for share in shares)
        return f"each point should be chosen equally often; of three points yours are near {seen}: use torch.randint."
    if not abs((nearest[1:] == nearest[:-1]).double().mean() - 1 / 3) < 0.05:
        return "the points come in turn or in blocks; choose one by chance for each draw: torch.randint."
    if not (_near(off.std(), h, 0.05) and gap < 0.025 and size.max() > 3 * h):
        other = f"around its point a draw should be normal with sd h = {h}, and yours has sd {off.std():.2g}."
        return next((text for text, wrong in typical.items() if wrong), other)
    if close(call(draw, points, h, n), x):
        return "each call draws the very same numbers: do not set the seed inside."


def _near(a: Tensor, b: float, part: float = 0.1) -> bool:
    return abs(a.item() / b - 1) < part


@check
def check_log_z(log_Z: Any) -> str | None:
    """log_Z(score, n), the log of the sum of e^score over all images of n pixels that are 0 or 1."""
    n, w = 5, 0.5
    right = n * math.log1p(math.exp(w))  # where each white pixel scores w, Z is a product over pixels
    answer = number(call(log_Z, lambda x: w * x.sum(dim=1), n))
    typical = {
        "this is Z; take its log.": math.exp(right),
        "this is the log of the mean; Z is a sum over all images.": right - n * math.log(2),
        "this is the highest score; Z adds up e^score of all images.": n * w,
        "this is the log of the sum of the scores; each must go through exp first.": math.log(2**n * n * w / 2),
        "an image is missing: the black one, of zeros only, counts as well.": math.log(math.exp(right) - 1),
        "this is the logarithm to base 10; take the natural one.": right / math.log(10),
        "this is the logarithm to base 2; take the natural one.": right / math.log(2),
    }
    other = f"where each white pixel scores 0.5, log Z of 5 pixels is {right:.4f}; got {answer:.4f}."
    if mistake := verdict(answer, right, typical, other):
        return mistake
    large = number(call(log_Z, lambda x: x[:, 0] + 1000, n))
    if not close(large, 1000 + math.log(16 * (1 + math.e)), rtol=1e-5):
        return "right for small scores, but e^1000 is too large for a float: torch.logsumexp is not."
