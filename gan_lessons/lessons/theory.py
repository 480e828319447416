"""Behind lesson 05, in which the game has one lowest point: its pictures, and the checks of its exercises."""

import math
from collections.abc import Callable, Sequence
from functools import cache
from types import SimpleNamespace
from typing import Any

import contourpy
import matplotlib.pyplot as plt
import numpy as np
import PIL.Image
import torch
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from torch import Tensor
from torch.distributions import Normal, Uniform, kl_divergence

from gan_lessons import data, dynamics, hill, seen, svg, theory
from gan_lessons.lessons.checking import UNANSWERED, check, show, tensor
from gan_lessons.style import STYLE

P_DATA, KINDS = data.gaussian(), ["copper", "silver", "gold"]
X = torch.linspace(400, 600, 801, dtype=torch.double)  # where the pictures look
MUS, SIGMAS = torch.arange(466.0, 535.0), torch.arange(1, 12.1, 0.5)  # the counterfeiters on the map
GREEN, BLUE, ORANGE = (STYLE[key]["color"] for key in ("fakes", "D", "D*"))
INK, GREY, C_COLOR, M_COLOR = "#333333", "#777777", "#44546a", "#7a5195"  # C: of the height C(G); M: of the middle m
WALKS = (("log(1 - D)", "#0f8b8d"), ("-log D", "#c0392b"))
SHADES = LinearSegmentedColormap.from_list("depth", ["#5d6d84", "#ffffff"])
STRIPS = "the sum is there, but each point stands for a strip of width dx: multiply by it."
BITS = "this is in bits; the lesson counts in nats, with the natural log."
LOWEST, LEVELS = -math.log(4), [-1.3, -1.0, -0.6, -0.2, -0.05]


def height(mu: float, sigma: float) -> float:
    """C of one counterfeiter whose coins follow N(mu, sigma^2)."""
    return theory.criterion(P_DATA, Normal(mu, abs(sigma)), X)


@cache
def landscape(other: bool = False) -> Tensor:
    """C over the map, rows along the spread; other: KL(p_g || p_data) - 2 JSD(p_data || p_g) in its place."""
    C = torch.tensor([[height(mu, sigma) for mu in MUS.tolist()] for sigma in SIGMAS.tolist()])
    return kl_divergence(Normal(MUS, SIGMAS[:, None]), P_DATA) - (C - LOWEST) if other else C


def mix(t: float) -> Callable[[Tensor], Tensor]:
    """The density of coins of which a share t is from N(500, 5^2), the others from N(470, 5^2)."""
    return lambda x: (1 - t) * Normal(470.0, 5.0).log_prob(x).exp() + t * P_DATA.log_prob(x).exp()


@cache
def mixed(best_at: float, now: float) -> float:
    """V if D is the best for mix(best_at), and the coins are mix(now)."""
    return theory.value(theory.optimal_discriminator(P_DATA, mix(best_at)), P_DATA, mix(now), X)


def mean_answers(mu: float, sigma: float) -> list[float]:
    """What the best D says on average about real coins, and about these fakes."""
    z, D = seen.quantiles(Normal(0.0, 1.0), 1000).double(), theory.optimal_discriminator(P_DATA, Normal(mu, sigma))
    return [D(x).mean().item() for x in (500 + 5 * z, mu + sigma * z)]


def best_d(mu: float = 480.0, sigma: float = 5.0) -> str:
    """To drag: a counterfeiter, the best D against it, and C(G), the height of a dot, from above and from the side."""
    p_g, C, at = Normal(mu, sigma), height(mu, sigma), MUS[::2].tolist()
    left = svg.Box(40, 44, 390, 270, (466, 534), (-0.03, 1.1))
    above, side = svg.Box(500, 44, 340, 130, (466, 534), (1, 12)), svg.Box(500, 218, 340, 96, (466, 534), (-1.5, 0.15))
    parts = _coins(left, p_g.log_prob(X).exp(), theory.optimal_discriminator(P_DATA, p_g)(X), "D*", "the best D")
    pixels = PIL.Image.fromarray((SHADES(np.flipud(1 - landscape() / LOWEST))[..., :3] * 255).astype(np.uint8))
    image = f'<image width="340" height="130" preserveAspectRatio="none" href="{svg.png(pixels)}"/>'
    rings = contourpy.contour_generator(MUS.numpy(), SIGMAS.numpy(), landscape().numpy())
    rings = [_curve(above, *ring.T, width=0.8) for level in LEVELS for ring in rings.lines(level)]
    star = svg.text(above.x(500), above.y(5) + 6, "★", "black", "middle", 18)
    parts += above.show([image, *rings, star]) + above.x_axis() + above.y_axis()
    parts += svg.dot(500 + above.x(mu), 44 + above.y(sigma), GREEN)
    parts += svg.text(500, 36, "from above: mean to the right, spread upwards; dark is low")
    guides = [side.line((466, 534), (y, y), "guide") for y in (0, LOWEST)]
    parts += side.show([*guides, _curve(side, at, [height(m, sigma) for m in at])]) + side.y_axis()
    parts += side.x_axis("mean of the fakes, at this spread") + svg.text(500, 210, "from the side: C(G)", C_COLOR)
    parts += svg.dot(500 + side.x(mu), 218 + side.y(C), GREEN) + svg.text(844, 218 + side.y(LOWEST) + 4, "-1.386")
    words = "The best D says on average {:.2f} about real coins and {:.2f} about fakes".format(*mean_answers(mu, sigma))
    words += f". C(G), its V, is {C:.3f}."
    return svg.picture(parts + svg.text(40, 366, words, size=13), words, 900, 376)


def three_moments() -> None:
    """The same as a still: three counterfeiters under the best D, and where they stand on the map."""
    figure, axes = plt.subplots(1, 4, figsize=(12, 3.1), width_ratios=(1, 1, 1, 1.35))
    for i, (mu, ax) in enumerate(zip((475.0, 490.0, 500.0), axes, strict=False), start=1):
        words = "D*: real {:.2f}, fakes {:.2f}".format(*mean_answers(mu, 5.0))
        hill.draw_best(P_DATA, Normal(mu, 5.0), X, ax)
        ax.set_title(f"{i}: mean {mu:.0f}, spread 5\nC = {height(mu, 5):.2f}")
        ax.set(xlabel=f"x  ({words})", xlim=(460, 520), ylabel="D*(x): how real?" if i == 1 else "")
        axes[3].plot(mu, 5, "o", mfc="white", mec=GREEN, zorder=6)
        axes[3].text(mu, 6.2, str(i), ha="center", color=GREEN)
    _say(axes[0], (505, 0.38, "real", INK), (461, 0.6, "fakes", GREEN), (493, 0.88, "best D", ORANGE))
    _map(axes[3]).set_title("the map of all N(mean, spread²):\nheight C(G)")
    show(figure, "1: fakes far off, D* a cliff, C near 0. 2: nearer, a slope. 3: on the data, flat, the lowest point.")


def strips(p_g: Normal, at: Sequence[float] = (490.0, 496.0, 500.0)) -> None:
    """Three strips of x; what each adds to V for every answer y that D could give there, and the best answer."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.4))
    y = torch.linspace(0.002, 0.998, 499)
    _humps(left, p_g.log_prob(X).exp()).set(xlim=(474, 518), ylim=(0, 0.12), title="three strips")
    looks = (("-", 0.01, "left"), ("--", -0.03, "center"), (":", 0.01, "right"))
    for x, (line, shift, side) in zip(at, looks, strict=True):
        a, b = (p.log_prob(torch.tensor(x)).exp().item() for p in (P_DATA, p_g))
        best, adds = a / (a + b), a * y.log() + b * (1 - y).log()
        left.axvspan(x - 0.4, x + 0.4, color="#bbbbbb")
        left.text(x, 0.112, f"{x:.0f}", ha="center", fontsize=9)
        right.plot(y, adds, color=BLUE, linestyle=line)
        right.plot(best, adds.max(), "o", color=ORANGE)
        right.text(best, adds.max() + shift, f"x = {x:.0f}: best {best:.2f}", ha=side)
    _say(left, (505, 0.055, "real, a", INK), (479, 0.07, "fakes, b", GREEN))
    right.set(xlim=(-0.02, 1.1), ylim=(-0.35, 0.03), xlabel="y, what D answers in this strip")
    right.set(ylabel="a log y + b log(1 - y)", title="what the strip adds to V, per unit of width")
    show(figure, "Left: two humps, three strips. Right: a curve over y for each; its top is the share of real coins.")


def four_lines(p: Tensor, q: Tensor) -> None:
    """C from D* to the two mean surprises, line by line, on three kinds of coins."""
    figure, axes = plt.subplots(1, 4, figsize=(13, 3.6))
    m, at = (p + q) / 2, torch.arange(3)
    axes[0].bar([0, 1, 2] * 2, torch.cat([p, q]), 0.6, [0, 0, 0, *p], color=["#555555"] * 3 + [GREEN] * 3)
    for i in range(3):
        axes[0].text(i, 2 * m[i] + 0.02, f"D* {p[i] / (2 * m[i]):.2f}", ha="center", color=ORANGE, fontweight="bold")
    for part, side, color in ((p, -0.19, "#555555"), (q, 0.19, GREEN)):
        ratio, terms = part / m, part * (part / m).log()
        axes[1].bar(at + side, part, 0.38, color=color)
        axes[2].bar(at + side, ratio.log(), 0.38, bottom=LOWEST / 2, color=color)
        axes[3].bar(at + side, terms, 0.38, color=color)
        for i in range(3):
            axes[1].text(i + side, part[i] + 0.015, f"{ratio[i]:.2f}", ha="center", fontsize=8, color=color)
            place = terms[i] + (0.006 if terms[i] > 0 else -0.02)
            axes[3].text(i + side, place, f"{terms[i]:+.3f}", ha="center", fontsize=8)
    axes[1].hlines(m, at - 0.45, at + 0.45, color=M_COLOR, linewidth=2.5)
    real, fakes = ((part * (part / m).log()).sum() for part in (p, q))
    axes[0].set(title="1. the best D: the share\nof real coins in each pile", ylim=(0, 1))
    axes[1].set(title="2. m, the middle of the two bars,\nand each bar divided by m", ylim=(0, 0.7))
    axes[2].set(title="3. log D* and log(1 - D*): from\n-0.69 by log(bar / m) up or down", ylim=(-2.1, 0))
    axes[3].set(title=f"4. bar times log(bar / m): black\ntogether {real:.3f}, green {fakes:.3f}", ylim=(-0.2, 0.38))
    for ax in axes:
        ax.set_xticks(at, KINDS)
        ax.axhline(0, color="black", linewidth=0.8)
    _say(axes[0], (-0.35, 0.93, "black: real", INK), (0.85, 0.93, "green: fakes", GREEN))
    axes[2].axhline(LOWEST / 2, **STYLE["guide"])
    _say(axes[1], (0.46, m[0] - 0.01, "m", M_COLOR))
    show(figure, "Bars of three kinds of coins: piles with D*; the middle; logs from the level -0.69; weighted logs.")


def touching(p: Tensor, m: Tensor) -> None:
    """log u lies under the line u - 1 and touches it at u = 1 only; the dots are the three kinds of coins."""
    u, (figure, ax) = torch.linspace(0.15, 4, 400), plt.subplots(figsize=(8, 3.4))
    ax.plot(u, u - 1, color=GREY)
    ax.plot(u, u.log(), color=C_COLOR, linewidth=2)
    places = ((0.04, -0.3, "left"), (-0.05, 0.1, "right"), (0.04, -0.3, "left"))
    for at, name, (right, up, side) in zip(m / p, KINDS, places, strict=True):
        ax.vlines(at, at.log(), at - 1, color=M_COLOR)
        ax.plot(at, at.log(), "o", color=M_COLOR)
        ax.text(at + right, at.log() + up, name, color=M_COLOR, ha=side)
    _say(ax, (2.0, 1.5, "u - 1", GREY), (2.6, 0.6, "log u", C_COLOR), (1.1, -0.25, "touch at u = 1", INK))
    ax.set(xlabel="u = m / p, the middle divided by the real", ylabel="log u, and u - 1", ylim=(-1.6, 2.8))
    show(figure, "The curve log u lies below the straight line u - 1 everywhere but at u = 1, where they touch.")


def gain(p_g: Normal) -> None:
    """What D* is better than a flat 1/2, at each x: the area is 2 JSD."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.4))
    p, q = P_DATA.log_prob(X).exp(), p_g.log_prob(X).exp()
    of_real, of_fakes = torch.xlogy(p, 2 * p / (p + q)), torch.xlogy(q, 2 * q / (p + q))
    hill.draw_best(P_DATA, p_g, X, left).set(xlim=(474, 518), xlabel="weight of a coin, x", ylabel="D*(x): how real?")
    left.set_title("the best hill, and the flat 1/2")
    _say(left, (502, 0.88, "best D", ORANGE), (509.5, 0.53, "flat 1/2", GREY))
    for curve, look in ((of_real, STYLE["data"]), (of_fakes, STYLE["fakes"]), (of_real + of_fakes, {"color": C_COLOR})):
        right.plot(X, curve, **look)
    right.fill_between(X, of_real + of_fakes, color=C_COLOR, alpha=0.2, linewidth=0)
    right.axhline(0, color="black", linewidth=0.8)
    area = torch.trapezoid(of_real + of_fakes, X).item()
    right.set(title=f"what it gains: the grey area is {area:.3f} = 2 JSD", xlabel="weight of a coin, x")
    right.set(xlim=(474, 518), ylabel="gain over 1/2, per unit of x")
    _say(right, (505.5, 0.037, "by real coins", INK), (475.5, 0.05, "by fakes", GREEN), (493, 0.025, "sum", C_COLOR))
    show(figure, "Left: D* and a flat one half. Right: the gain at each x, never below 0, and 0 where the humps cross.")


def two_roads() -> None:
    """Half way on two roads from N(470, 5^2) to N(500, 5^2), and C all along both."""
    t = torch.linspace(0, 1, 61).tolist()
    figure, axes = plt.subplots(1, 3, figsize=(12, 3.2), width_ratios=(1, 1, 1.5))
    halves = (("slide: half way", lambda x: Normal(485.0, 5.0).log_prob(x).exp()), ("mix: half of each", mix(0.5)))
    for ax, (title, q) in zip(axes, halves, strict=False):
        _humps(ax, q(X)).set(title=title, xlim=(455, 520), ylim=(0, 0.09))
    axes[2].plot(t, [height(470 + 30 * s, 5.0) for s in t], color=C_COLOR, linestyle="--")
    axes[2].plot(t, [mixed(s, s) for s in t], color=C_COLOR, linewidth=2.2)
    axes[2].plot((0, 1), (mixed(0, 0), LOWEST), **STYLE["guide"])
    _say(axes[2], (0.42, -0.13, "slide", C_COLOR), (0.22, -0.78, "mix", C_COLOR), (0.3, -0.36, "straight", GREY))
    axes[2].set(xlabel="t, how far on the road", ylabel="C(G)", title="C on both roads", xlim=(0, 1))
    show(figure, "On the slide C stays near 0 at first, then falls; on the mix it falls at once, bent like a bowl.")


def held_d(best_at: float = 0.3, now: float = 0.3) -> str:
    """To drag: D is the best for the mixture best_at and is then held; the mixture now is what the coins are."""
    left, right = svg.Box(40, 44, 340, 246, (455, 520), (-0.03, 1.1)), svg.Box(450, 44, 390, 246, (0, 1), (-3.1, 0.1))
    parts = _coins(left, mix(now)(X), theory.optimal_discriminator(P_DATA, mix(best_at))(X), "D", "D, held")
    t, (start, end) = [i / 25 for i in range(26)], (mixed(best_at, 0.0), mixed(best_at, 1.0))
    V, C = start + now * (end - start), mixed(now, now)
    lines = [right.line((0, 1), (mixed(at, 0.0), mixed(at, 1.0)), "D", 1, 0.35) for at in (0.1, 0.6, 1.0)]
    lines += [_curve(right, t, [mixed(s, s) for s in t]), right.line((0, 1), (start, end), "D", 2.4)]
    parts += right.show(lines) + right.y_axis() + svg.dot(450 + right.x(now), 44 + right.y(V), GREEN)
    parts += right.x_axis("t, share of coins from the press at 500") + svg.text(450, 14, "solid: C at each t", C_COLOR)
    parts += svg.text(450, 30, "dashed: V of this D, held; thin: of three others", BLUE)
    words = f"From the mixture now this D gets V = {V:.2f}; the mixture's own best D would get C = {C:.2f}."
    return svg.picture(parts + svg.text(40, 344, words, size=13), words, 870, 354)


def lines(best_at: Sequence[float] = (0.1, 0.3, 0.6, 1.0)) -> None:
    """The same as a still: C along the mix, and under it the straight lines of four D that are held."""
    t, (figure, ax) = torch.linspace(0, 1, 51).tolist(), plt.subplots(figsize=(7.4, 3.6))
    ax.plot(t, [mixed(s, s) for s in t], color=C_COLOR, linewidth=2.4)
    for at in best_at:
        ax.plot((0, 1), (mixed(at, 0.0), mixed(at, 1.0)), **STYLE["D"] | {"linewidth": 1.2})
        ax.plot(at, mixed(at, at), "o", color=BLUE)
        ax.text(1.02, mixed(at, 1.0), f"best at {at:g}", va="bottom" if at == 1 else "top", color=BLUE, fontsize=9)
    _say(ax, (0.4, -0.7, "C, the highest of all lines at each t", C_COLOR))
    ax.set(xlim=(0, 1), ylim=(-2.6, 0.1), xlabel="t, share of coins from the press at 500", ylabel="V")
    alt = "V over t: four straight blue lines, each of a D that is held, touch the curve C from below, each at one"
    show(figure, f"{alt} dot; C falls, bent like a bowl.")


def box_and_bell(steps: Sequence[int] = (0, 5, 20, 100)) -> None:
    """Data uniform on [0, 1]: 300 free heights of p_g go down C and become a box; no normal distribution can."""
    x, fine = torch.arange(-0.995, 2, 0.01), torch.linspace(-1.9995, 2.9995, 5000)
    box, start = ((x > 0) & (x < 1)).float(), Normal(0.2, 0.3).log_prob(x).exp()
    heights = dynamics.free_heights(box, start, 0.01, max(steps))
    jsd, sd = min((theory.jsd(Uniform(0.0, 1.0), Normal(0.5, it / 1000), fine), it / 1000) for it in range(240, 300, 3))
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.3), sharey=True)
    for step, alpha in zip(steps, (0.3, 0.5, 0.7, 1), strict=True):
        left.plot(x, heights[step], **STYLE["fakes"] | {"alpha": alpha})
    right.plot(x, Normal(0.5, sd).log_prob(x).exp(), **STYLE["fakes"])
    for ax in (left, right):
        ax.plot(x, box, **STYLE["data"])
        ax.set(xlabel="x", ylabel="density", ylim=(0, 1.7))
    left.set_title("300 free heights, after 0, 5, 20 and 100 steps")
    right.set_title(f"the best normal, spread {sd:.3f}: JSD {jsd:.4f}")
    for x, y, step in ((-0.3, 1.36, "0 steps"), (-0.17, 0.62, "5"), (-0.17, 0.1, "20"), (0.83, 1.03, "100")):
        left.text(x, y, step, color=GREEN)
    alt = "Left: green heights grow into the dotted box. Right: the best bell is higher than the box in its middle,"
    show(figure, f"{alt} cuts off its corners and has tails outside.")


def walks(*paths: Sequence[tuple[float, float]]) -> None:
    """Two walks with the best D at every step, each on the landscape that it goes down; and C on the way."""
    figure, axes = plt.subplots(1, 3, figsize=(13, 3.5))
    for i, (path, (name, color)) in enumerate(zip(paths, WALKS, strict=True)):
        _map(axes[i], bool(i)).plot(*zip(*path, strict=True), color=color, linewidth=2.2)
        axes[i].plot(*path[0], "o", mfc="white", mec=color)
        axes[i].set(title=f"{name} goes down {'KL - 2 JSD' if i else 'C'}", xlim=(476, 508))
        axes[2].plot(range(0, len(path), 5), [height(*theta) for theta in path[::5]], color=color)
    axes[2].axhline(LOWEST, **STYLE["guide"])
    _say(axes[2], (15, -1.3, WALKS[0][0], WALKS[0][1]), (430, -0.9, WALKS[1][0], WALKS[1][1]))
    axes[2].set(xlabel="step of G", ylabel="C(G)", title="C on the way", xlim=(0, len(paths[1])))
    show(figure, "log(1 - D) makes a detour over large spreads and arrives first; -log D goes straight and slows down.")


def two_games(*paths: Sequence[tuple[float, float]]) -> None:
    """C during two trained games of lesson 02: the usual one, and one whose D learns ten times more slowly."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.6))
    for path, line in zip(paths, ("-", "--"), strict=True):
        left.plot(*zip(*path, strict=True), color=GREEN, linestyle=line, linewidth=1.6)
        right.plot(range(0, len(path), 5), [height(*it) for it in path[::5]], color=C_COLOR, linestyle=line)
    right.axhline(LOWEST, **STYLE["guide"])
    _map(left).set(xlim=(478, 506), ylim=(0.7, 12), title="where G went (solid: lr_d = 0.01, dashed: 0.001)")
    _say(right, (90, -0.45, "lr_d = 0.01", C_COLOR), (390, -0.8, "lr_d = 0.001", C_COLOR))
    right.set(xlabel="round", ylabel="C(G)", title="C of the fakes, round by round")
    show(figure, "With lr_d 0.01 C only falls; with 0.001 it falls faster, climbs back by half a unit, then settles.")


def _say(ax: Axes, *labels: tuple[float, float, str, str]) -> None:
    for x, y, words, color in labels:
        ax.text(x, y, words, color=color)


def _humps(ax: Axes, p_g: Tensor) -> Axes:
    ax.plot(X, P_DATA.log_prob(X).exp(), **STYLE["data"])
    ax.plot(X, p_g, **STYLE["fakes"])
    ax.set(xlabel="weight of a coin, x", ylabel="density")
    return ax


def _map(ax: Axes, other: bool = False) -> Axes:
    lowest, highest, levels = (0, 12, [0.1, 0.5, 1.5, 4, 8]) if other else (LOWEST, 0, LEVELS)
    ax.contourf(MUS, SIGMAS, landscape(other), np.linspace(lowest, highest, 25), cmap=SHADES, extend="both")
    rings = ax.contour(MUS, SIGMAS, landscape(other), levels, colors=C_COLOR, linewidths=0.8, linestyles="-")
    ax.clabel(rings, fontsize=7, fmt="%g")
    ax.plot(500, 5, "*", color="black", markersize=11, zorder=5)
    ax.set(xlabel="mean of the fakes", ylabel="spread of the fakes", xlim=(466, 534), ylim=(1, 12))
    return ax


def _coins(box: svg.Box, p_g: Tensor, D: Tensor, style: str, name: str) -> str:
    """Two humps without a scale and a hill, pale where next to no coins are, and both axes."""
    p = P_DATA.log_prob(X).exp()
    inside = [
        box.line((box.x_0, box.x_1), (0.5, 0.5), "guide"),
        box.line(X, p / p.max() / 2, "data", title="real coins"),
        box.line(X, p_g / p.max() / 2, "fakes", title="fakes", fill=True),
        box.line(X, D, style, opacity=0.3),
        box.line(X, D.where(p + p_g > 1e-4, torch.nan), style, title=name),
    ]
    names = svg.legend([("data", "real coins"), ("fakes", "fakes"), (style, name)], 40, 14)
    return names + box.show(inside) + box.x_axis("weight of a coin, x") + box.y_axis()


def _curve(box: svg.Box, x: Sequence[float], y: Sequence[float], width: float = 2.2) -> str:
    points = " ".join(f"{box.x(a):.1f},{box.y(b):.1f}" for a, b in zip(x, y, strict=True))
    return f'<polyline points="{points}" fill="none" stroke="{C_COLOR}" stroke-width="{width}"/>'


def _judge(function: Callable[[Tensor, Tensor, float], Any], right: str, mistakes: dict[str, Callable]) -> str | None:
    """What a learner's function makes of two humps, beside the right number and those of typical mistakes."""
    x, dx = torch.arange(470, 530, 0.25, dtype=torch.double), 0.25  # in float32 some 1 - D would round to 0
    p, q = P_DATA.log_prob(x).exp(), Normal(495.0, 4.0).log_prob(x).exp()
    answer, m = function(p, q, dx), (p + q) / 2
    if answer is None or answer is ...:
        return UNANSWERED
    if getattr(answer, "shape", ()) not in ((), (1,)):
        return f"one number is asked for, and this has shape {tuple(answer.shape)}: add up over all points, times dx."
    triples = {"pm": (p, p, m), "qm": (q, q, m), "pq": (p, p, q), "qp": (q, q, p), "q_pm": (q, p, m), "p_qm": (p, q, m)}
    n = SimpleNamespace(dx=dx, **{key: (w * (a / b).log()).sum().item() * dx for key, (w, a, b) in triples.items()})
    n.jsd, n.C = (n.pm + n.qm) / 2, LOWEST + n.pm + n.qm
    if math.isclose(float(answer), getattr(n, right), rel_tol=1e-3):
        return None
    other = f"for N(500, 5^2) and N(495, 4^2) it should be {getattr(n, right):.3f}, and yours is {float(answer):.3g}."
    other += " Somewhere the log of 0 has slipped in." if math.isnan(float(answer)) else ""
    named = (words for words, wrong in mistakes.items() if math.isclose(float(answer), wrong(n), rel_tol=1e-3))
    return next(named, other)


@check
def check_jsd(jsd: Callable[[Tensor, Tensor, float], Any]) -> str | None:
    """jsd(p, q, dx) in nats, from two densities (n,) at points that are dx apart."""
    mistakes = {
        STRIPS: lambda n: n.jsd / n.dx,
        BITS: lambda n: n.jsd / math.log(2),
        "this is the sum of both mean surprises, 2 JSD; JSD is their mean.": lambda n: 2 * n.jsd,
        "this is KL(p || m) alone; JSD is its mean with KL(q || m).": lambda n: n.pm,
        "this is KL(q || m) alone; JSD is its mean with KL(p || m).": lambda n: n.qm,
        "this is KL(p || q): compare each of the two with the middle m.": lambda n: n.pq,
        "this is made of KL(p || q) and KL(q || p): compare each with m.": lambda n: (n.pq + n.qp) / 2,
        "the middle is m = (p + q) / 2; without the 2 it is lower by log 2.": lambda n: n.jsd - math.log(2),
        "the sign: each term is p log(p / m), not p log(m / p).": lambda n: -n.jsd,
        "this is C = -log 4 + 2 JSD, the next exercise; here JSD alone is asked for.": lambda n: n.C,
        "the weights have changed places: p belongs to log(p / m).": lambda n: (n.q_pm + n.p_qm) / 2,
    }
    return _judge(jsd, "jsd", mistakes)


@check
def check_criterion(C: Callable[[Tensor, Tensor, float], Any]) -> str | None:
    """C(p_data, p_g, dx) = max_D V in nats, from two densities (n,) at points that are dx apart."""
    mistakes = {
        STRIPS: lambda n: n.C / n.dx,
        BITS: lambda n: n.C / math.log(2),
        "this is what D* gets on real coins; add the mean of log(1 - D*) on fakes.": lambda n: n.pm + LOWEST / 2,
        "this is what D* gets on fakes; add the mean of log D* on real coins.": lambda n: n.qm + LOWEST / 2,
        "D* and 1 - D* have changed places: this D takes real for fake.": lambda n: n.q_pm + n.p_qm + LOWEST,
        "this is the JSD; C = -log 4 + 2 JSD.": lambda n: n.jsd,
        "this is twice the JSD; -log 4 is missing.": lambda n: 2 * n.jsd,
        "this is the mean over both kinds of coins; V adds the two means.": lambda n: n.C / 2,
        "the sign: C adds means of logs of probabilities, so it is at most 0.": lambda n: -n.C,
        "one JSD too few: C = -log 4 + 2 JSD.": lambda n: LOWEST + n.jsd,
        "this is -log 4, V of a D that says 1/2; the best D for these two does better.": lambda n: LOWEST,
    }
    return _judge(C, "C", mistakes)


@check
def check_hill(thetas: Sequence[Sequence[float]]) -> str | None:
    """two counterfeiters (mean, spread), between which C rises at least 0.3 above its chord, half way."""
    if "..." in str(thetas).replace("Ellipsis", "...") or "None" in str(thetas):
        return UNANSWERED
    pairs = [tensor(theta).flatten().tolist() for theta in (thetas if hasattr(thetas, "__len__") else [thetas])]
    if [len(theta) for theta in pairs] != [2, 2]:
        return "two counterfeiters are asked for, each a pair: ((mean, spread), (mean, spread))."
    if not all(1 <= sigma <= 12 and 466 <= mu <= 534 for mu, sigma in pairs):
        return f"got {pairs}; stay on the map: mean from 466 to 534, spread from 1 to 12."
    near, far = sorted(pairs, key=lambda theta: abs(theta[0] - 500))
    if abs(far[0] - 500) > 25 and max(abs(near[0] - 500) / 12, abs(far[1] - 5), abs(near[1] - 5)) < 0.25:
        return "this is the slide above, or its mirror image: spread 5 at both ends. Change a spread."
    middle, ends = height((far[0] + near[0]) / 2, (far[1] + near[1]) / 2), [height(*theta) for theta in pairs]
    above = middle - sum(ends) / 2
    if above >= 0.3:
        return None
    why = f"only {above:.2f} above the middle of the chord; let one stand farther out."
    if max(ends) - min(ends) < 0.05 and abs(above) < 0.05:
        why = "level ground; put one near the lowest point and the other far from it."
    elif above < 0:
        why = "below the middle of the chord; there is a hole between your two, not a hill."
    return f"C is {ends[0]:.2f} and {ends[1]:.2f} at the ends and {middle:.2f} half way: {why}"
