"""The hill as a still picture: what `views.Figure1` draws while a panel plays."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from torch import Tensor
from torch.distributions import Distribution

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
