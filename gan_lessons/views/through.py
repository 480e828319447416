"""Noise through a curve: z below, a generator G of one number above it, and beside it what becomes of z."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch
from torch import Tensor

from gan_lessons import svg
from gan_lessons.style import STYLE

STRIPS = (torch.arange(10) + 0.5) / 10  # the middles of ten equal strips of z
GREEN, GREY = STYLE["fakes"]["color"], "#777777"  # grey: noise


def shares(x: Tensor, high: float, bins: int) -> Tensor:
    """The share of x, (n,), in each of `bins` equal pieces from 0 to high; what lies outside is in none.

    >>> shares(torch.tensor([0.1, 0.6, 0.7, 9.0]), high=1.0, bins=2)
    tensor([0.2500, 0.5000])
    """
    return torch.histc(x[(x >= 0) & (x < high)], bins, 0, high) / len(x)


def outline(heights: Tensor, high: float | None = None) -> tuple[np.ndarray, np.ndarray]:
    """A histogram from 0 to high (its number of bins, unless told) as a line with steps: x and y of its corners.

    >>> [corner.tolist() for corner in outline(torch.tensor([1.0, 3.0]))]
    [[0.0, 1.0, 1.0, 2.0], [1.0, 1.0, 3.0, 3.0]]
    """
    edges = np.linspace(0, high or len(heights), len(heights) + 1)
    return np.repeat(edges, 2)[1:-1], np.repeat(np.asarray(heights), 2)


def picture(G: Callable[[Tensor], Tensor], z: Tensor, data: Tensor, high: float, unit: str, words: str) -> str:
    """z, drawn from 0 to 1, goes up to the curve of G and turns right, where the x = G(z) pile up over the data (SVG).

    z, data: (n,), (m,); x and data from 0 to high, in `high` bins; words stand under the piles.
    """
    bins = int(high)
    middle, below = svg.Box(64, 34, 320, 290, (0, 1), (0, high)), svg.Box(64, 336, 320, 50, (0, 1), (0, 0.1))
    beside = svg.Box(396, 34, 260, 290, (0, 0.25), (0, high))
    fine = torch.linspace(0, 1, 201)
    curve = middle.line(fine, G(fine), "fakes", title="G: each z on the axis below becomes the x on the left")
    heights, columns = shares(G(z), high, bins).tolist(), shares(z, 1.0, 20).tolist()
    rows = [(0, beside.y((i + 1) * high / bins), beside.x(share), 290 / bins) for i, share in enumerate(heights)]
    blocks = [(16 * i, below.y(share), 16, 50 - below.y(share)) for i, share in enumerate(columns)]
    up, far = outline(shares(data, high, bins), high)
    parts = middle.show([_strips(middle, G), curve]) + below.show([_blocks(blocks, GREY)])
    parts += beside.show([_blocks(rows, GREEN), beside.line(far, up, "data", title="the data")])
    parts += middle.y_axis() + below.x_axis("z, random numbers between 0 and 1")
    parts += '<path d="M396 34v290" stroke="#222"/>' + svg.text(40, 16, f"x = G(z), {unit}")
    parts += svg.text(520, 60, "dotted: real digits") + svg.text(520, 78, "green: G(z)", GREEN)
    parts += svg.text(396, 16, "share of the x in each percent") + svg.text(396, 352, words, size=14)
    return svg.picture(parts, "noise below, the curve G above it, and to its right the histogram of G(z)", 670, 420)


def _strips(box: svg.Box, G: Callable[[Tensor], Tensor]) -> str:
    """From the middle of each strip of z up to the curve, and from there to the right."""
    ends = zip(box.x(STRIPS), box.y(G(STRIPS)), strict=True)
    path = "".join(f"M{x:.1f} {box.height}V{y:.1f}H{box.width}" for x, y in ends)
    return f'<path d="{path}" fill="none" stroke="{GREEN}" stroke-width="0.8" opacity="0.7"/>'


def _blocks(blocks: Iterable[Sequence[float]], color: str) -> str:
    path = "".join(f"M{x:.1f} {y:.1f}h{width:.1f}v{height:.1f}h{-width:.1f}z" for x, y, width, height in blocks)
    return f'<path d="{path}" fill="{color}" fill-opacity="0.35" stroke="{color}" stroke-width="0.6"/>'
