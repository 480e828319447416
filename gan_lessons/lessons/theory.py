"""Behind lesson 05, the game has one solution."""

import math
from typing import Any

import torch

from gan_lessons import data, theory
from gan_lessons.lessons.checking import call, check, number, tensor, verdict


@check
def check_criterion(C: Any) -> str | None:
    """C(p_data, p_g, dx) = max_D V in nats, from two densities (n,) at points that are dx apart."""
    dx = 0.5
    x = torch.arange(470, 530, dx, dtype=torch.double)  # in float32 some 1 - D would round to 0
    p, q = data.gaussian().log_prob(x).exp(), torch.distributions.Normal(495.0, 4.0).log_prob(x).exp()
    answer = number(call(C, p, q, dx))
    D = p / (p + q)
    terms = p * D.log(), q * (1 - D).log(), p * (1 - D).log() + q * D.log()
    on_data, on_fakes, inverted = (term.sum().item() * dx for term in terms)
    right = on_data + on_fakes
    typical = {
        "the sum is there, but each point stands for a strip of width dx: multiply by it.": right / dx,
        "this is what D wins on the data; add E_g[log(1 - D*)], its half on the fakes.": on_data,
        "this is what D wins on the fakes; add E_data[log D*], its half on the data.": on_fakes,
        "D* and 1 - D* have changed places: this is the inverted policeman.": inverted,
        "this is the JSD; C = -log 4 + 2 JSD.": (right + math.log(4)) / 2,
        "this is twice the JSD; -log 4 is missing.": right + math.log(4),
        "the sign: C is a mean of logs of probabilities, at most 0.": -right,
        "this is in bits; the lesson counts in nats, with the natural log.": right / math.log(2),
        "this is -log 4, V of a D that says 1/2; the best D for these two densities does better.": -math.log(4),
    }
    other = f"for N(500, 5^2) and N(495, 4^2) it should be {right:.3f}, and yours is {answer:.3g}."
    return verdict(answer, right, typical, other)


@check
def check_hill(thetas: Any) -> str | None:
    """two counterfeiters (mu, sigma), between which C rises at least 0.3 above its chord, half way."""
    thetas = tensor(thetas, 2, 2).tolist()
    (mu_1, sigma_1), (mu_2, sigma_2) = thetas
    if not all(1 <= sigma <= 12 and 466 <= mu <= 534 for mu, sigma in thetas):
        return f"got {thetas}; stay on the map: mu from 466 to 534, sigma from 1 to 12."
    for text, taken in {
        "these are the two of the slide; find others.": ((470, 5), (500, 5)),
        "this is the slide in a mirror: C is the same on both sides of 500; find others.": ((500, 5), (530, 5)),
    }.items():
        if (tensor(sorted(thetas)) - tensor(taken)).abs().max() < 1:
            return text
    p_data, middle = data.gaussian(), ((mu_1 + mu_2) / 2, (sigma_1 + sigma_2) / 2)
    ends = [theory.criterion(p_data, torch.distributions.Normal(*map(float, theta))) for theta in thetas]
    C, chord = theory.criterion(p_data, torch.distributions.Normal(*middle)), sum(ends) / 2
    if C - chord >= 0.3:
        return None
    if max(ends) - min(ends) < 0.05 and abs(C - chord) < 0.05:
        level = f"C is {C:.2f} half way, and {ends[0]:.2f} and {ends[1]:.2f} at the ends"
        return f"{level}: level ground. Put one near the lowest point and the other far from it."
    if C < chord:
        return f"half way C is {C:.2f}, below the chord's {chord:.2f}: there is a hole between your two, not a hill."
    return f"half way C is {C:.2f}, only {C - chord:.2f} above the chord's {chord:.2f}: let one stand farther out."
