"""Arrays to Axes, in the colours of `style`."""

import io
import math
from collections.abc import Iterable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import PIL.Image
import torch
from IPython.display import Image
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from torch import Tensor
from tqdm.auto import tqdm

from gan_lessons.style import D_COLORS, STYLE
from gan_lessons.tiles import tile as tile
from gan_lessons.training import Record


def losses(history: Record, at_equilibrium: tuple[float, float], ax: Axes | None = None) -> Axes:
    """Both losses by step; the guide lines are their values at equilibrium (`Loss.at_equilibrium`)."""
    ax = ax or plt.gca()
    _curve(ax, history.loss_d, STYLE["D"], "loss of D")
    _curve(ax, history.loss_g, STYLE["fakes"], "loss of G")
    for value in at_equilibrium:
        ax.axhline(value, **STYLE["guide"])
        ax.text(1.01, value, f"{value:.3g}", transform=ax.get_yaxis_transform(), va="center", fontsize=8)
    ax.set(xlabel="step", ylabel="loss")
    _legend_below(ax)
    return ax


def plane(
    axis: Tensor,
    D: Tensor | None,
    x_real: Tensor,
    x_fake: Tensor,
    lines: Tensor,
    push: Tensor,
    ax: Axes | None = None,
    legend: bool = True,
) -> Axes:
    """A game over points of the plane: D(x) as a map, the bluer the surer of real, with its 1/2 line; data, fakes, the
    grid of z as G warps it, and the push on the first fakes. `seen.scene(trainer)` has these arrays.

    axis: (2, n), evenly spaced, or (n,) for both directions; D: (n, n), rows along the second, or None; x_real: (m, 2);
    x_fake: (m', 2); lines: (rows, points, 2); push: (a, 2), a <= m'. The longest arrow is of one length, and its push
    is written.
    """
    ax = ax or plt.gca()
    axes = axis.expand(2, -1)
    half = (axes[:, 1] - axes[:, 0]) / 2  # (2,)
    ends = torch.stack([axes[:, 0] - half, axes[:, -1] + half], dim=1).tolist()
    if D is None:
        ax.text(
            0.03, 0.95, "D sees several x at once:\nno map of single x", transform=ax.transAxes, va="top", fontsize=9
        )
    else:
        colors = ListedColormap(np.reshape(D_COLORS, (256, 3)) / 255)
        look = {"cmap": colors, "vmin": 0, "vmax": 1, "interpolation": "bilinear"}
        ax.imshow(D.numpy(), origin="lower", extent=(*ends[0], *ends[1]), **look)
        ax.contour(*axes, D, levels=[0.5], colors=STYLE["D"]["color"], linestyles=STYLE["D"]["linestyle"])
        ax.plot([], [], **STYLE["D"], label="D(x) = 1/2")
    ax.plot(*x_real.T, ".", color=STYLE["data"]["color"], markersize=3, label="data")
    ax.add_collection(LineCollection(lines.numpy(), colors=STYLE["fakes"]["color"], linewidths=0.5, alpha=0.7))
    ax.plot(*x_fake.T, ".", color=STYLE["fakes"]["color"], markersize=3, label="fakes, G of a grid of z")
    longest = push.norm(dim=1).max().clamp(min=1e-30)
    moves = push / longest * 0.1 * (ends[0][1] - ends[0][0])
    arrows = {"angles": "xy", "scale_units": "xy", "scale": 1, "width": 0.005, "zorder": 3}
    ax.quiver(*x_fake[: len(push)].T, *moves.T, color=STYLE["push"]["color"], **arrows)
    ax.set(xlim=ends[0], ylim=ends[1], aspect="equal", xlabel=f"longest push: {longest:.2g}")
    if legend:
        _legend_below(ax)
    return ax


def image_grid(images: Tensor, columns: int = 8, ax: Axes | None = None, shape: tuple[int, int] | None = None) -> Axes:
    """Images in [-1, 1] as they come, row by row; grey ones white on black. images, shape: as in `tile`."""
    ax = ax or plt.gca()
    pixels = tile(images, columns, shape).numpy()
    pixels = pixels if pixels.ndim == 2 else (pixels.clip(-1, 1) + 1) / 2
    ax.imshow(pixels, cmap="gray", vmin=-1, vmax=1, interpolation="nearest")
    ax.set_axis_off()
    return ax


def film(figures: Iterable[Figure], length: int, seconds: float = 0.12) -> Image:
    """An animated PNG, a frame for each of `length` figures, drawn with a progress bar; it loops, and waits at its end.

    The figures may be one figure, drawn anew and yielded again. `.data` are the bytes of the file, about 9 kB a frame.
    """
    frames = []
    for figure in tqdm(figures, total=length, desc="drawing", leave=False):
        figure.canvas.draw()
        frames.append(PIL.Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).convert("RGB"))
    if not frames:
        raise ValueError("figures: got none; a film needs at least one")
    # one palette for all frames, or colours would flicker
    palette = PIL.Image.fromarray(np.concatenate([np.asarray(frame) for frame in frames[:: max(1, len(frames) // 6)]]))
    palette = palette.quantize(32, method=PIL.Image.Quantize.MAXCOVERAGE)  # keeps white white
    first, *others = (frame.quantize(palette=palette, dither=PIL.Image.Dither.NONE) for frame in frames)
    times = [1000 * seconds] * len(others) + [2000]
    file = io.BytesIO()
    animation = {"append_images": others, "duration": times, "loop": 0, "disposal": 0, "blend": 0}
    first.save(file, "PNG", save_all=True, optimize=True, **animation)
    return Image(file.getvalue(), format="png")


def _curve(ax: Axes, values: Tensor, style: dict, label: str) -> None:
    """Every step faintly, and the mean of each hundredth of the run as a line: minibatches jitter."""
    ax.plot(values, color=style["color"], alpha=0.2, linewidth=0.8)
    width = max(1, len(values) // 100)
    blocks = values[: len(values) // width * width].reshape(-1, width)
    ax.plot(
        torch.arange(len(blocks)) * width + (width - 1) / 2, blocks.mean(1), **style | {"linewidth": 1.8}, label=label
    )


def _legend_below(*axes: Axes) -> None:
    """Under the axes, where no curve can run through it; axes that share a frame share it."""
    handles = [handle for ax in axes for handle in ax.get_legend_handles_labels()[0]]
    axes[-1].legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=4)


def image_rows(rows: dict[str, Tensor], n: int = 14, ax: Axes | None = None) -> Axes:
    """The first n pictures of each set, a row each, with its name on the left. Pictures: as in `image_grid`."""
    ax = image_grid(torch.cat([x[:n] for x in rows.values()]), n, ax=ax)
    height = ax.images[0].get_array().shape[0] / len(rows)
    for i, name in enumerate(rows):
        ax.text(-8, height * (i + 0.5), name, ha="right", va="center", fontsize=9)
    return ax


def bar(ax: Axes, value: float, place: float, words: str, height: float = 0.7, size: float = 8, **look: Any) -> None:
    """A level bar from 0 to value, with words at its end, outside."""
    ax.barh(place, value, height, **look)
    offset, side = (4, "left") if value >= 0 else (-4, "right")
    ax.annotate(words, (value, place), (offset, 0), textcoords="offset points", va="center", ha=side, fontsize=size)


def bar_table(rows: dict[str, dict], columns: dict[str, tuple], colors: list[str], best: str) -> Figure:
    """Rows of numbers as bars. columns: title, "high", "low" or "", digits, end of bars; best: colour of the best."""
    figure, axes = plt.subplots(1, len(columns), figsize=(13, 0.4 * len(rows) + 0.6), sharey=True)
    for ax, (key, (title, good, digits, end)) in zip(axes, columns.items(), strict=True):
        values = [row[key] for row in rows.values()]
        chosen = {"high": max(values), "low": min(values), "": math.nan}[good]
        for i, (value, color) in enumerate(zip(values, colors, strict=True)):
            bar(ax, min(max(value, 0), end), i, f"{value:.{digits}f}", color=color)
            if f"{value:.{digits}f}" == f"{chosen:.{digits}f}":
                ax.texts[-1].set(color=best, fontweight="bold", fontsize=11)
        ax.set(xlim=(0, 1.4 * end), xticks=[], title=f"{title}\ngood is {good}" if good else title)
    axes[0].set(yticks=range(len(rows)), yticklabels=list(rows))
    axes[0].invert_yaxis()
    return figure


def balls(real: Tensor, fake: Tensor, k: int, ax: Axes, tell: bool = True) -> Axes:
    """Points of the plane, (n, 2) and (m, 2): around each real one a ball to its k-th neighbour, green if reached."""
    radius = torch.cdist(real, real).kthvalue(k + 1, dim=1).values  # k others, and itself
    reached, color = (torch.cdist(real, fake) < radius[:, None]).any(dim=1), STYLE["fakes"]["color"]
    for point, r, hit in zip(real.tolist(), radius.tolist(), reached.tolist(), strict=True):
        ax.add_patch(plt.Circle(point, r, fill=False, color=color if hit and tell else "#bbbbbb"))
    ax.plot(*real.T, ".", color="black", markersize=5)
    ax.plot(*fake.T, "x", color=color, markersize=5)
    ax.set(aspect="equal", xticks=[], yticks=[])
    return ax


def corners(spots: Tensor, words: list[str], color: str, ax: Axes | None = None) -> Axes:
    """Four points of the plane, (4, 2), and where 1 - 2 + 3 ends: at the fourth, if they are those of a parallelogram.

    The first and the last are filled; the first two have their words above.
    """
    ax = ax or plt.gca()
    end = spots[0] - spots[1] + spots[2]
    ax.plot(*torch.stack([*spots[:3], end, spots[0]]).T, color="#bbbbbb", linewidth=1)
    for i, (spot, word) in enumerate(zip(spots.tolist(), words, strict=True)):
        ax.plot(*spot, "o", color=color, mfc=color if i in (0, 3) else "white", markersize=8)
        place = {"xytext": (0, 10), "va": "bottom"} if i < 2 else {"xytext": (0, -10), "va": "top"}
        ax.annotate(word, spot, textcoords="offset points", ha="center", fontsize=8, **place)
    ax.plot(*end, "x", color="black", markersize=9, markeredgewidth=2)
    ax.annotate("the sum", end.tolist(), (8, 4), textcoords="offset points", fontsize=9)
    ax.set_aspect("equal")
    ax.set_axis_off()
    return ax


def percentages(shares: Tensor, names: list[str], ax: Axes | None = None) -> Axes:
    """A square table of shares, (n, n), rows and columns with the same names; nan is left out."""
    ax = ax or plt.gca()
    ax.imshow(shares.nan_to_num(), cmap="Oranges", vmin=0, vmax=0.6)
    for i, line in enumerate(shares.tolist()):
        for j, share in enumerate(line):
            ax.text(j, i, "" if math.isnan(share) else f"{share:.0%}", ha="center", va="center")
    ax.set(xticks=range(len(names)), yticks=range(len(names)), xticklabels=names, yticklabels=names)
    return ax


def kinds(games: dict[str, tuple[dict[str, Tensor], list[dict[int, list[float]]]]], names: dict[str, str]) -> Figure:
    """Which kinds of pictures games make: a row each, with a few at two moments, all shares along the first seed, and
    how many kinds were found on each seed.

    games: title -> {moment: pictures}, of which eight are shown, and for each seed {round: shares}; a kind is found if
    it has 1% of all. names: of each kind, with its colour, in the order of the shares, at last of what is none.
    """
    look = {"figsize": (11, 1.7 * len(games) + 0.5), "width_ratios": (5, 4, 2.5), "sharex": "col", "squeeze": False}
    figure, axes = plt.subplots(len(games), 3, **look)
    for (left, along, found), (title, (moments, seeds)) in zip(axes, games.items(), strict=True):
        first, second = (pictures[:8].reshape(2, 4, *pictures.shape[1:]) for pictures in moments.values())
        image_grid(torch.cat([first, torch.ones_like(first[:, :1]), second], dim=1).flatten(0, 1), 9, ax=left)
        left.set_title(title, loc="left")
        for place, moment in zip((0.22, 0.78), moments, strict=True):
            left.text(place, -0.02, moment, transform=left.transAxes, ha="center", va="top", fontsize=9)
        along.stackplot(list(seeds[0]), np.transpose(list(seeds[0].values())), colors=names.values())
        along.set(xlim=(min(seeds[0]), max(seeds[0])), ylim=(0, 1), yticks=[0, 0.2, 0.8, 1], ylabel="share")
        squares = [(at, i, sum(s >= 0.01 for s in one[at][:-1])) for i, one in enumerate(seeds) for at in one]
        at, seed, count = zip(*squares, strict=True)
        look = {"cmap": "Purples", "vmin": 0, "vmax": len(names) - 1, "marker": "s", "s": 30, "edgecolors": "#777777"}
        found.scatter(at, seed, c=count, **look)
        found.set(ylim=(len(seeds) - 0.5, -0.5), yticks=range(len(seeds)), ylabel="seed", visible=len(seeds) > 1)
    axes[-1, 1].set_xlabel("round, of seed 0")
    axes[-1, 2].set_xlabel("round; dark: all kinds found")
    patches = [plt.Rectangle((0, 0), 1, 1, color=color) for color in names.values()]
    figure.legend(patches, names, loc="outside lower center", ncols=len(names))
    return figure
