"""Fake coins and real ones as densities, and beside them what a measure says, as SVG: where nothing is trained.

The real coins are N(500, 5^2).
"""

import math
from functools import cache

import torch
from torch import Tensor
from torch.distributions import Normal

from gan_lessons import data, svg
from gan_lessons.devices import seeded
from gan_lessons.style import STYLE

GREEN, LINK = STYLE["fakes"]["color"], "#7a5195"  # LINK: of a line that joins two points
X = torch.linspace(475, 525, 251)  # where the pictures look
REAL = data.gaussian().log_prob(X).exp()
WIDTHS = tuple(i / 5 for i in range(1, 61))  # of the bumps


FAKES, TEST = 37, 263  # seeds whose numbers have a mean near 0 and a spread near 1, be it only ten of them


@cache
def coins(seed: int, n: int = 1000) -> Tensor:
    """The first n of 1,000 numbers from N(0, 1), always the same."""
    with seeded(seed):
        return torch.randn(1000)[:n]


@cache
def coin_nats(n: int, spread: float) -> list[float]:
    """Mean log p_sigma of 500 test coins, for each width in WIDTHS, with bumps on n fakes from N(500, spread^2)."""
    apart = (5 * coins(TEST, 500)[:, None] - spread * coins(FAKES, n)).square()
    norm = [math.log(n * w * math.sqrt(2 * math.pi)) for w in WIDTHS]
    return [(-apart / (2 * w**2)).logsumexp(1).mean().item() - c for w, c in zip(WIDTHS, norm, strict=True)]


def own_nats() -> float:
    """Mean log p_data of the same test coins."""
    return data.gaussian().log_prob(500 + 5 * coins(TEST, 500)).mean().item()


def mean_of_bumps(sigma: float, n: int, spread: float) -> Tensor:
    return data.bumps((500 + spread * coins(FAKES, n)).tolist(), [sigma] * n, [1.0] * n).log_prob(X).exp()


def bumps(sigma: float = 0.6, n: int = 10, spread: float = 5.0) -> str:
    """Bumps of width sigma on n fakes; right the log-likelihood of test coins over all widths, a dot at this one."""
    left, right = svg.Box(40, 44, 400, 240, (475, 525), (0, 0.2)), svg.Box(510, 44, 330, 240, (0, 12), (-5, -2.9))
    nats, own = coin_nats(n, spread), own_nats()
    now = nats[round(5 * sigma) - 1]
    places = left.x((500 + spread * coins(FAKES, n)[:100]).numpy())
    ticks = "".join(f'<path d="M{a:.1f} 240v-9" stroke="{GREEN}"/>' for a in places)
    parts = left.show([left.line(X, REAL, "data"), left.line(X, mean_of_bumps(sigma, n, spread), "fakes"), ticks])
    parts += left.x_axis("weight of a coin, x") + left.y_axis("density")
    parts += right.show([right.line((0, 12), [own] * 2, "data"), right.line(WIDTHS, nats, "fakes")])
    parts += right.x_axis("sigma, the width of the bumps") + right.y_axis()
    parts += svg.dot(510 + right.x(sigma), 44 + right.y(max(now, -5)), GREEN)
    parts += svg.legend([("data", "real coins"), ("fakes", "mean of the bumps on fakes")], 40, 14)
    parts += svg.text(510, 16, f"log-likelihood of the test coins: {now:.2f} nats", GREEN)
    parts += svg.text(510, 34, f"dotted: with the real density, {own:.2f} nats")
    return svg.picture(parts, f"Bumps of width {sigma:g} on {n} fakes of spread {spread:g}: {now:.2f} nats", 870, 326)


def two(mean: float = 493.0, spread: float = 2.0) -> str:
    """Two densities; right both as points of mean and spread: the line between them, squared, is the distance."""
    left, right = svg.Box(40, 44, 400, 230, (475, 525), (0, 0.2)), svg.Box(510, 44, 330, 230, (485, 515), (0, 14))
    fakes = Normal(mean, spread).log_prob(X).exp()
    parts = left.show([left.line(X, REAL, "data"), left.line(X, fakes, "fakes")])
    parts += left.x_axis("weight of a coin, x") + left.y_axis("density") + right.x_axis("mean") + right.y_axis("spread")
    (a, b), (c, d) = ((510 + right.x(m), 44 + right.y(s)) for m, s in ((mean, spread), (500, 5)))
    parts += f'<path d="M{c:.1f} {d:.1f}L{a:.1f} {b:.1f}" stroke="{LINK}" stroke-width="2"/>'
    parts += f'<path d="M{c:.1f} {d:.1f}H{a:.1f}V{b:.1f}" fill="none" stroke="{LINK}" stroke-dasharray="3 3"/>'
    parts += svg.text(c, d + 6, "\N{BLACK STAR}", "black", "middle", 18) + svg.dot(a, b, GREEN)
    parts += svg.legend([("data", "real coins"), ("fakes", "fakes")], 40, 14)
    square, shift, wider = "\N{SUPERSCRIPT TWO}", mean - 500, spread - 5
    words = f"Fréchet distance: ({shift:g}){square} + ({wider:g}){square} = {shift**2 + wider**2:g}"
    return svg.picture(parts + svg.text(510, 18, words, LINK, size=13), words, 870, 318)
