"""Behind lesson 04, how the distributions move."""

from collections.abc import Callable

import torch
from torch import Tensor

from gan_lessons.lessons.checking import UNANSWERED, check, close


@check
def check_optimal_discriminator(D_star: Callable[[Tensor, Tensor], Tensor]) -> str | None:
    """D_star(p_data, p_g), from the two densities at the same x, each (n,) -> (n,)."""
    p, q = torch.tensor([0.08, 0.05, 0.01, 0.0]), torch.tensor([0.02, 0.05, 0.03, 0.04])
    answer = D_star(p, q)
    if answer is None or answer is ...:
        return UNANSWERED
    typical = {
        "this is the probability that x is fake: D says how likely x is real.": q / (p + q),
        "this is a ratio, which can exceed 1: divide by the sum of both.": p / q,
        "this is a density: D compares the two, it does not add up to 1 over x.": p / p.sum(),
    }
    if close(answer, p / (p + q)):
        return None
    return next((text for text, wrong in typical.items() if close(answer, wrong)), f"got {answer}.")


@check
def check_density_of_square(density: Callable[[Tensor], Tensor]) -> str | None:
    """p_g(x) on 500 < x < 510, for G(z) = 500 + 10 z^2 and z uniform on [0, 1]; (n,) -> (n,)."""
    x = torch.linspace(501, 509, 9)
    slope = 2 * torch.sqrt(10 * (x - 500))  # dG/dz = 20 z at z = sqrt((x - 500) / 10)
    answer = density(x)
    if answer is None or answer is ...:
        return UNANSWERED
    typical = {
        "this is the density of z; where G is steep, the same z are spread over more x: divide by the slope.": x * 0
        + 1,
        "you multiply by the slope; a steep G spreads z thin, so divide by it.": slope,
        "this is z itself, at which G(z) = x; the density is p_z there, divided by the slope.": slope / 20,
        "this slope is at z = x; it is wanted at the z for which G(z) = x.": 1 / (20 * x),
    }
    if close(answer, 1 / slope):
        return None
    other = f"at x = 505 it should be 0.0707, and yours is {answer[4]:.3g}."
    return next((text for text, wrong in typical.items() if close(answer, wrong)), other)
