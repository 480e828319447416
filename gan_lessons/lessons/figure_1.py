"""Behind lesson 04, how the distributions move."""

from typing import Any

import torch

from gan_lessons.lessons.checking import call, check, tensor, verdict


@check
def check_optimal_discriminator(D_star: Any) -> str | None:
    """D_star(p_data, p_g), from the two densities at the same x, each (n,) -> (n,)."""
    p, q = torch.tensor([0.08, 0.05, 0.01, 0.0]), torch.tensor([0.02, 0.05, 0.03, 0.04])
    answer = tensor(call(D_star, p, q), 4)
    typical = {
        "this is the probability that x is fake: D says how likely x is real.": q / (p + q),
        "this is a ratio, which can exceed 1: divide by the sum of both.": p / q,
        "this is a density: D compares the two, it does not add up to 1 over x.": p / p.sum(),
    }
    other = f"for p_data = {p[0]:.2f} and p_g = {q[0]:.2f} it should be 0.8, and yours is {answer[0]:.3g}."
    return verdict(answer, p / (p + q), typical, other)


@check
def check_density_of_square(density: Any) -> str | None:
    """p_g(x) on 500 < x < 510, for G(z) = 500 + 10 z^2 and z uniform on [0, 1]; (n,) -> (n,)."""
    x = torch.linspace(501, 509, 9)
    slope = 2 * torch.sqrt(10 * (x - 500))  # dG/dz = 20 z at z = sqrt((x - 500) / 10)
    answer, flat = tensor(call(density, x), 9), torch.ones(9)
    typical = {
        "this is the density of z; where G is steep, the same z are spread over more x: divide by the slope.": flat,
        "you multiply by the slope; a steep G spreads z thin, so divide by it.": slope,
        "this is z itself, at which G(z) = x; the density is p_z there, divided by the slope.": slope / 20,
        "this slope is at z = x; it is wanted at the z for which G(z) = x.": 1 / (20 * x),
    }
    other = f"at x = 505 it should be 0.0707, and yours is {answer[4]:.3g}."
    return verdict(answer, 1 / slope, typical, other)
