"""Behind lesson 09, how good the fakes are."""

import math
from typing import Any

import torch

from gan_lessons.lessons.checking import call, check, close, number, verdict


@check
def check_best_sigma(best_sigma: Any) -> str | None:
    """best_sigma(x, s), at which N(x; s, sigma^2 I) of one fake s, (d,), fits test data x, (m, d), best."""
    x, s = torch.tensor([[0.0, 3.0, 1.0, 0.0], [4.0, 1.0, 1.0, 2.0], [1.0, 0.0, 5.0, 0.0]]), torch.ones(4)
    answer, apart = number(call(best_sigma, x, s)), x - s
    right, distance = apart.square().mean().sqrt().item(), apart.norm(dim=1).mean()
    typical = {
        "this is sigma squared; take the root.": right**2,
        "you add up the pixels; each has a sigma of its own to pay for, so take their mean.": right * 2,
        "you add up the images; the more of them, the larger this is: take their mean.": right * 3**0.5,
        "this is the mean distance of an image; sigma is per pixel.": distance,
        "square first, then take the mean, and the root at the end: the mean distance is too small.": distance / 2,
        "this is the spread of x around its own mean; measure it from s.": x.std(correction=0),
        "this is the spread around the mean difference; the bump is at s, and stays there.": apart.std(),
        "this takes the differences as they are; the normal density squares them.": apart.abs().mean(),
    }
    return verdict(
        answer, right, typical, f"for three test points of 4 pixels it is {right:.4f}; yours is {answer:.4g}."
    )


@check
def check_kl_from_even(kl: Any) -> str | None:
    """kl(counts), (10,), the KL divergence of the digits' shares from even shares, in nats."""
    counts = torch.arange(1.0, 11.0)
    p = counts / counts.sum()
    answer, right = number(call(kl, counts)), (p * (10 * p).log()).sum().item()
    reverse = -(10 * p).log().mean()
    typical = {
        "these are counts; divide them by their sum first.": (counts * (10 * counts).log()).sum(),
        "this is sum p log p; even shares are 1/10, so it is log(p / (1/10)).": right - math.log(10),
        "this is the entropy of the shares; KL compares them with 1/10.": math.log(10) - right,
        "the sign: p stands above 1/10 in the log.": -right,
        "the other way round: this weighs the log by even shares, and a missing digit makes it infinite.": reverse,
        "you take the mean over digits; it is a sum, which p weighs already.": right / 10,
        "this is in bits; the lesson counts in nats, with the natural log.": right / math.log(2),
    }
    other = f"for 1, 2, ..., 10 images it should be {right:.4f}, and yours is {answer:.4g}."
    if mistake := verdict(answer, right, typical, other):
        return mistake
    if not close(number(call(kl, torch.tensor([5.0] * 5 + [0.0] * 5))), math.log(2)):
        return "right, unless a digit is missing: 0 log 0 counts as 0, and torch.xlogy(p, p) knows that."
