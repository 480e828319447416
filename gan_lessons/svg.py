"""Small pictures as SVG text, in the colours of `style`: drawn in a millisecond, where matplotlib takes a hundred."""

import base64
import io
from collections.abc import Iterable, Sequence
from functools import lru_cache
from html import escape

import numpy as np
import PIL.Image
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from gan_lessons.style import PUSH_SHOWN, STYLE, push_length
from gan_lessons.tiles import tile

DASHES = {":": "2 4", "-": "none", "--": "7 4", "-.": "8 3 2 3"}


class Chart:
    """Curves over one pair of axes; `str(chart)` is the picture. x, y: the limits of the axes.

    >>> chart = Chart(x=(0, 1), y=(0, 2), xlabel="z", ylabel="G(z)")
    >>> chart.line([0, 1], [0, 2], "fakes", "G")
    >>> str(chart).startswith("<svg")
    True
    """

    def __init__(
        self,
        x: Sequence[float],
        y: Sequence[float],
        xlabel: str = "",
        ylabel: str = "",
        width: int = 440,
        height: int = 240,
    ):
        self.box, self.inside, self.names = Box(50, 44, width, height, x, y), [], []
        self.labels = xlabel, ylabel

    def line(self, x: Sequence[float], y: Sequence[float], style: str, name: str = "") -> None:
        """A curve in a style of `style.STYLE`; not finite numbers leave gaps. A name puts it into the legend."""
        self.inside.append(self.box.line(x, y, style))
        self.names += [(style, name)] if name else []

    def dot(self, x: float, y: float, words: str = "", style: str = "fakes") -> None:
        """A point, with words beside it."""
        a, b = self.box.x(x), self.box.y(y)
        self.inside += [dot(a, b, STYLE[style]["color"]), text(a + 8, b - 6, words, STYLE[style]["color"])]

    def image(self, pixels: Tensor) -> None:
        """A picture in [-1, 1], (rows, columns), black to white, over the whole of the axes; its first row on top."""
        size = f'width="{self.box.width}" height="{self.box.height}" preserveAspectRatio="none"'
        self.inside.append(f'<image {size} href="{png(grey(pixels))}"/>')

    def __str__(self) -> str:
        axes = self.box.x_axis(self.labels[0]) + self.box.y_axis(self.labels[1])
        parts = self.box.show(self.inside) + axes + legend(self.names, self.box.left, 10)
        label = f"{self.labels[1]} over {self.labels[0]}: {', '.join(name for _, name in self.names)}"
        return picture(parts, label, self.box.width + 80, self.box.height + 84)


def round_limits(values: Iterable[float]) -> tuple[float, float]:
    """Limits at round numbers around all values: they stay as they are until a value leaves them."""
    values = np.array([value for value in values if np.isfinite(value)])
    ticks = MaxNLocator(4).tick_values(values.min(), values.max())
    return ticks[0], ticks[-1]


class Box:
    """A rectangle of the picture with axes of its own; what leaves it is cut off."""

    def __init__(self, left: int, top: int, width: int, height: int, x: Sequence[float], y: Sequence[float]):
        self.left, self.top, self.width, self.height = left, top, width, height
        (self.x_0, self.x_1), (self.y_0, self.y_1) = x, y

    def x(self, value: float | np.ndarray) -> np.ndarray:
        return pixels((np.asarray(value, float) - self.x_0) / (self.x_1 - self.x_0) * self.width)

    def y(self, value: float | np.ndarray) -> np.ndarray:
        return pixels(self.height - (np.asarray(value, float) - self.y_0) / (self.y_1 - self.y_0) * self.height)

    def show(self, inside: list[str]) -> str:
        place = f'x="{self.left}" y="{self.top}" width="{self.width}" height="{self.height}"'
        return f'<svg {place} overflow="hidden">{"".join(inside)}</svg>'

    def line(
        self,
        x: Sequence[float],
        y: Sequence[float],
        style: str,
        width: float = 0,
        opacity: float = 1,
        title: str = "",
        fill: bool = False,
    ) -> str:
        """A curve; not finite numbers leave gaps. title: what a hover says; fill: a tint under it."""
        x, y = np.asarray(x), np.asarray(y)
        known = np.isfinite(x) & np.isfinite(y)
        begins = known & ~np.append(False, known[:-1])  # the pen is lifted where a number is missing
        x, y = self.x(x[known]), self.y(y[known])
        moves = zip(np.where(begins[known], "M", "L").tolist(), x.tolist(), y.tolist(), strict=True)
        points = "".join(f"{move}{a:.1f} {b:.1f}" for move, a, b in moves)
        look = f'class="gl-{style.replace("*", "-star")}" {stroke(style, width, opacity)}'
        if fill:
            look = look.replace('fill="none"', f'fill="{STYLE[style]["color"]}" fill-opacity="0.12"')
        return f'<path d="{points}" {look}>{f"<title>{escape(title)}</title>" if title else ""}</path>'

    def x_axis(self, label: str = "") -> str:
        floor = self.top + self.height
        count = max(3, self.width // 70)
        ticks = tick_values(count, float(self.x_0), float(self.x_1))
        texts = [text(self.left + self.x(t), floor + 14, f"{t:g}", anchor="middle") for t in ticks]
        texts.append(text(self.left + self.width / 2, floor + 28, label, anchor="middle"))
        return f'<path d="M{self.left} {floor}h{self.width}" stroke="#222"/>{"".join(texts)}'

    def y_axis(self, label: str = "") -> str:
        ticks = tick_values(4, float(self.y_0), float(self.y_1))
        texts = [text(self.left - 5, self.top + self.y(t) + 4, f"{t:g}", anchor="end") for t in ticks]
        texts.append(text(self.left - 20, self.top - 12, label))
        return f'<path d="M{self.left} {self.top}v{self.height}" stroke="#222"/>{"".join(texts)}'


def pixels(place: np.ndarray) -> np.ndarray:
    """Far outside is as good as outside, and shorter; and what is no number has no place inside."""
    if np.ndim(place) == 0:  # many times a frame, where numpy's own functions take ten times as long
        return -999.0 if place != place else min(max(float(place), -999.0), 1999.0)
    return np.where(np.isnan(place), -999.0, place.clip(-999, 1999))


@lru_cache(200)
def tick_values(count: int, low: float, high: float) -> list[float]:
    return [float(tick) for tick in MaxNLocator(count).tick_values(low, high) if low <= tick <= high]


def digits(images: Tensor, columns: int = 8, scale: float = 2) -> str:
    """Images in [-1, 1], of the shapes that `plots.tile` takes, as one small PNG in an <img>, each pixel `scale` wide.

    >>> import torch
    >>> digits(torch.zeros(2, 784), columns=2)[:32]
    '<img width="112" src="data:image'
    """
    pixels = tile(images, columns)
    alt = f"{len(images)} small pictures in rows of {columns}"
    return f'<img width="{pixels.shape[1] * scale:g}" src="{png(grey(pixels))}" alt="{alt}"/>'


def grey(pixels: Tensor) -> PIL.Image.Image:
    """Pixels in [-1, 1], (rows, columns), as a grey image; (rows, columns, 3) as one in colour."""
    return PIL.Image.fromarray(((pixels + 1) * 127.5).round().clamp(0, 255).byte().numpy())


def png(image: PIL.Image.Image) -> str:
    """A data URI. A grey image is half the size of one in colour."""
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)  # quicker to make than to send
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def stroke(style: str, width: float = 0, opacity: float = 1) -> str:
    look = STYLE[style]
    dashes = DASHES[look["linestyle"]] if style != "guide" else "1 3"
    pen = f'fill="none" stroke="{look["color"]}" stroke-width="{width or look["linewidth"]:g}"'
    pen += f' stroke-dasharray="{dashes}"' if dashes != "none" else ""
    return pen + (f' stroke-opacity="{opacity:g}"' if opacity != 1 else "")  # a browser is slower with plain opacity


def dot(x: float, y: float, fill: str) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{fill}" stroke="{STYLE["fakes"]["color"]}"/>'


def arrow(x: float, y: float, length: float, double: bool = False) -> str:
    """The path of a push's arrow, level, from x, for a group in its style; double: two heads, since it was cut."""
    sign = 1 if length >= 0 else -1
    end, back = x + length, sign * min(5.0, abs(length))
    heads = "".join(
        f"M{at - back:.1f} {y - 3:.1f}L{at:.1f} {y:.1f}L{at - back:.1f} {y + 3:.1f}"
        for at in (end, end - back)[: 1 + double]
    )
    return f'<path class="gl-push" d="M{x:.1f} {y:.1f}H{end:.1f}{heads}"/>'


def text(x: float, y: float, words: str, color: str = "#222", anchor: str = "start", size: int = 12) -> str:
    look = f'fill="{color}" text-anchor="{anchor}" font-size="{size}"'
    return f'<text x="{x:.0f}" y="{y:.0f}" {look}>{escape(words)}</text>'


def legend(names: Iterable[tuple[str, str]], x: float = 10, y: float = 12) -> str:
    """Pairs of a style and a name, in one row."""
    parts = []
    for style, name in names:
        parts.append(f'<path d="M{x:.0f} {y}h26" {stroke(style)}/>{text(x + 31, y + 4, name)}')
        x += 50 + 7 * len(name)
    return "".join(parts)


def picture(parts: str, label: str, width: int, height: int) -> str:
    """The whole: `label` is read out where the picture cannot be seen."""
    head = f'<path d="M0 0L6 3L0 6z" fill="{STYLE["fakes"]["color"]}"/>'
    marker = f'<marker id="gl-head" refX="5" refY="3" markerWidth="6" markerHeight="6" orient="auto">{head}</marker>'
    background = '<rect width="100%" height="100%" fill="white"/>'  # the colours are made for it, in dark themes too
    size = f'viewBox="0 0 {width} {height}" width="{width}" font-family="sans-serif"'
    size += f' role="img" aria-label="{escape(label, quote=True)}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{background}{marker}{parts}</svg>'


def hill_and_pushes(
    x: Tensor, p_data: Tensor, p_g: Tensor, D: Tensor, at: Tensor, heights: Tensor, rows: dict[str, tuple[str, Tensor]]
) -> str:
    """The hill with fakes on it, and under it their pushes by several losses, on the one scale that is drawn.

    x, p_data, p_g, D: shape (n,), the densities on no scale; at, heights: of the fakes, (m,). rows: for each loss its
    colour and its pushes (m,); the mean of them is written beside.
    """
    ends, longest, end = (x[0].item(), x[-1].item()), 110, 276 + 94 * len(rows)
    box, top = Box(20, 34, 490, 190, ends, (-0.05, 1.05)), 2.1 * p_data.max()
    inside = [box.line(x, p_data / top, "data"), box.line(x, p_g / top, "fakes", fill=True)]
    inside += [box.line(ends, (0.5, 0.5), "guide"), box.line(x, D, "D")]
    inside += [dot(box.x(a), box.y(h), STYLE["fakes"]["color"]) for a, h in zip(at, heights, strict=True)]
    parts = [legend([("data", "data"), ("fakes", "fakes"), ("D", "D(x)")], 20, 14), box.show(inside), box.x_axis()]
    parts += [text(516, 34 + box.y(p) + 4, f"{p:g}", STYLE["D"]["color"]) for p in (0, 0.5, 1)]
    parts += [text(510, 256, "x", anchor="end"), text(174, end, "an arrow for a push of")]
    arrows = [("#222", place, end - 4, push) for place, push in zip((304, 343, 405), PUSH_SHOWN, strict=True)]
    parts += [text(place + 3 + longest * push_length(push), end, f"{push:g}") for _, place, _, push in arrows]
    for i, (name, (color, pushes)) in enumerate(rows.items()):
        places = zip((20 + box.x(at)).tolist(), pushes.tolist(), strict=True)
        arrows += [(color, place, 268 + 94 * i + 8 * j, push) for j, (place, push) in enumerate(places)]
        parts.append(text(545, 304 + 94 * i, f"{name}: mean {pushes.mean():.4f}", color, "end"))
    for color, place, y, push in arrows:
        drawn = arrow(place, y, longest * push_length(push), double=abs(push) > 1)
        parts.append(f'<g fill="none" stroke="{color}" stroke-width="1.8">{drawn}</g>')
    label = f"D's hill, {len(at)} fakes on it, and under it their pushes on one scale: {', '.join(rows)}"
    return picture("".join(parts), label, 550, end + 16)
