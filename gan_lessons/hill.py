"""The hill as a still picture: what `views.Figure1` draws while a panel plays."""

from collections.abc import Callable, Sequence

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor
from torch.distributions import Distribution, Uniform

from gan_lessons import theory
from gan_lessons.seen import Curves, Fakes
from gan_lessons.style import PUSH_SHOWN, STYLE, push_length

LONGEST = 0.12  # of an arrow for a push of 1, in widths of the picture
ROWS = 3  # of arrows under the fakes, so that neighbours do not run into each other


def draw(curves: Curves, fakes: Fakes | None = None, ax: Axes | None = None) -> Axes:
    """D's curve over x, fakes on it, and under each the arrow of its push; the two densities behind, on no scale.

    curves, fakes: from `seen.curves` and `seen.fakes`. An arrow is as long as the root of its push; one cut at a push
    of 1 has two heads. The curves are labelled by hand, where there is room.
    """
    ax = ax or plt.gca()
    x = curves.x
    top = 2.2 * curves.p_data.nan_to_num(posinf=0).max().item()  # at an edge it may be infinite
    for p, key in ((curves.p_data, "data"), (curves.p_g, "fakes")):
        height = 1.1 * p.detach() / top  # the axis is D's
        ax.plot(x, height, **STYLE[key])
    ax.fill_between(x, height, color=STYLE["fakes"]["color"], alpha=0.12, linewidth=0)
    ax.axhline(0.5, **STYLE["guide"])
    ax.plot(x, curves.D.detach(), **STYLE["D"])
    if fakes is not None:
        _pushes(fakes, ax, x[-1].item() - x[0].item())
    ax.set(xlim=(x[0].item(), x[-1].item()), ylim=(-0.12, 1.1), xlabel="x", ylabel="D(x): how real?")
    ax.set_yticks([0, 0.5, 1])
    return ax


def _pushes(fakes: Fakes, ax: Axes, width: float) -> None:
    color = STYLE["push"]["color"]
    for i, (x, height, push) in enumerate(zip(*(v.tolist() for v in fakes[1:]), strict=True)):
        end = x + LONGEST * width * push_length(push)
        below = height - 0.05 - 0.035 * (i % ROWS)
        arrow = {"arrowstyle": "-|>", "color": color, "lw": 1.6, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 8}
        for head in (end, (x + end) / 2) if abs(push) > 1 else (end,):
            ax.annotate("", (head, below), (x, below), arrowprops=arrow, annotation_clip=True)
        ax.plot(x, height, "o", color=STYLE["fakes"]["color"], markersize=6, zorder=5)


def scale(ax: Axes, x: float, y: float) -> None:
    """The arrows of a push of .01, .1 and 1, as a legend that begins at a place of the axes."""
    left, right = ax.get_xlim()
    color = STYLE["push"]["color"]
    ax.text(x, y, "push:", va="center", fontsize=9, color=color)
    x += 0.085 * (right - left)
    for push in PUSH_SHOWN:
        end = x + LONGEST * (right - left) * push_length(push)
        arrow = {"arrowstyle": "-|>", "color": color, "lw": 1.6, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 8}
        ax.annotate("", (end, y), (x, y), arrowprops=arrow)
        ax.text(end, y, f" {push:g}", va="center", fontsize=9, color=color)
        x = end + 0.075 * (right - left)


def draw_best(p_data: Distribution, p_g: Distribution, x: Tensor, ax: Axes | None = None) -> Axes:
    """The same hill if D were trained to the end: D*(x), the share of real ones among all that lie at x."""
    p, q = (it.log_prob(x).exp() for it in (p_data, p_g))
    best = theory.optimal_discriminator(p_data, p_g)(x)
    draw(Curves(x, p, q, torch.full_like(x, torch.nan), best), None, ax)
    (ax or plt.gca()).plot(x, best, **STYLE["D*"])
    return ax or plt.gca()


def rows(ax: Axes, x: Sequence[float], pushes: Sequence[float], top: float, color: str, longest: float = 0.25) -> None:
    """Pushes without the hill, a row for each fake from top downwards: so several losses can be compared on one scale.

    longest: of an arrow for a push of 1, in widths of the axes, whose limits of x must be set before.
    """
    left, right = ax.get_xlim()
    for i, (place, push) in enumerate(zip(x, pushes, strict=True)):
        end = place + longest * (right - left) * push_length(push)
        head = min(6, 1 + 50 * abs(push_length(push)))  # a short arrow has a small one
        arrow = {"arrowstyle": "-|>", "color": color, "lw": 1.3, "shrinkA": 0, "shrinkB": 0, "mutation_scale": head}
        ax.annotate("", (end, top - i), (place, top - i), arrowprops=arrow)
    ax.plot(x, [top - i for i in range(len(x))], ".", color=STYLE["fakes"]["color"], markersize=3)


def arrows(z: Tensor, x: Tensor, ax: Axes, ticks: int = 2) -> None:
    """An arrow from each z, on an axis of its own, to its x = G(z): what the paper's Figure 1 has below.

    z, x: shape (m,), z increasing; ax: its x limits are set, and it is not drawn on otherwise. Each ticks-th z is
    written. Arrows that leave the picture are not drawn.
    """
    low, high = ax.get_xlim()
    feet = low + (high - low) * (0.14 + 0.72 * (z - z[0]) / (z[-1] - z[0]))
    color = STYLE["fakes"]["color"]
    arrow = {"arrowstyle": "-|>", "color": color, "lw": 0.9, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 8}
    for foot, head in zip(feet.tolist(), x.tolist(), strict=True):
        if low <= head <= high:
            ax.annotate("", (head, 1), (foot, 0), arrowprops=arrow)
    ax.hlines([0, 1], low, high, color="black", linewidth=0.8)
    for i in range(0, len(z), ticks):
        ax.text(feet[i], -0.08, f"{z[i]:.1f}", ha="center", va="top", fontsize=8)
    for name, height in (("x", 1), ("z", 0)):
        ax.text(high, height, f" {name}", va="center", clip_on=False)
    ax.set(ylim=(-0.35, 1.05), yticks=[])
    ax.spines[["left", "bottom"]].set_visible(False)


def strips(G: Callable[[Tensor], Tensor], low: float, high: float, starts: Sequence[float], dz: float = 0.05) -> Figure:
    """Change of variables: z uniform from low to high, G as a curve, and where it carries strips of z, from starts.

    On the right the density of G(z), exact and, as bars, of 100,000 draws; in it each strip's share over its width.
    """
    figure, ((main, right), (below, none)) = plt.subplots(
        2, 2, figsize=(10.6, 4.8), width_ratios=(3, 2), height_ratios=(3, 1), sharex="col"
    )
    z, share, draws = torch.linspace(low, high, 501), dz / (high - low), Uniform(low, high).sample((100_000,))
    top, bottom = G(z).max().item(), G(z).min().item()
    x = torch.linspace(bottom + 0.002 * (top - bottom), top - 0.002 * (top - bottom), 2000)
    p_g = theory.pushforward(G, Uniform(low, high))(x)
    main.plot(z, G(z), **STYLE["fakes"])
    below.fill_between([low, high], 1 / (high - low), color="#dddddd")
    right.hist(
        G(draws),
        bins=25,
        density=True,
        orientation="horizontal",
        color=STYLE["fakes"]["color"],
        alpha=0.2,
        edgecolor="white",
    )
    right.plot(p_g, x, **STYLE["fakes"])
    stacked, words = torch.zeros_like(x), {}
    for start, color in zip(starts, ("#6a3d9a", "#7f4f24"), strict=False):
        ends = G(torch.tensor([start, start + dz])).tolist()
        a, b = min(ends), max(ends)
        main.fill_between([start, start + dz], bottom, ends, color=color)
        main.fill_betweenx([a, b], start, high, color=color, alpha=0.25, linewidth=0)
        below.fill_between([start, start + dz], 1 / (high - low), color=color)
        inside = (a <= x) & (x <= b)
        height = torch.where(inside, share / (b - a), 0.0)
        right.fill_betweenx(x, stacked, stacked + height, where=inside, color=color, linewidth=0)
        stacked = stacked + height
        words.setdefault(((a + b) / 2, f"{b - a:.2f}"), []).append(f"{share:g}")
    for (middle, dx), shares in words.items():
        total = len(shares) * share / float(dx)
        added = f"({' + '.join(shares)})" if shares[1:] else shares[0]
        right.text(total, middle + 0.6, f" {added} / {dx} = {total:.3f}", va="bottom", fontsize=9)
    main.set(ylabel="x = G(z)", ylim=(bottom, top))
    below.set(xlabel="z", ylabel="density of z", ylim=(0, 1.3 / (high - low)), xlim=(low, high))
    right.set(xlabel="density of fakes, p_g", ylim=(bottom, top), xlim=(0, 0.25))
    right.tick_params(labelbottom=True)
    none.set_visible(False)
    return figure
