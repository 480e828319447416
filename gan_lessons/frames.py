"""A trainer's state as a small SVG string, in the colours of `plots`: what the panel shows many times a second.

matplotlib takes 80 ms and 70 kB for such a picture; these take a few ms and 6 to 20 kB. A view has `measure(trainer)`,
the numbers of now by name, and `draw(trainer, track)`, the picture of now and of the track so far, a list of what was
measured at each frame; its `seconds` is how long the panel trains between two frames.
"""

import base64
import io
from collections.abc import Iterable, Sequence

import numpy as np
import PIL.Image
import torch
from matplotlib.ticker import MaxNLocator
from torch import Tensor
from torch.distributions import Distribution, constraints

from gan_lessons import metrics, theory
from gan_lessons.guards import seeded
from gan_lessons.plots import STYLE
from gan_lessons.training import Trainer

DASHES = {":": "2 4", "-": "none", "--": "7 4", "-.": "8 3 2 3"}
Track = Sequence[dict[str, float]]


class Figure1:
    """Figure 1 of the paper for a game over one number, low <= x <= high, and beside it the way of p_g's mean and sd.

    p_data, p_g, D(x), the best D*(x), and arrows from z to x = G(z). Where next to no x ever comes from, D is faint and
    D* not drawn; a p_g too narrow or too high for the picture says so.
    """

    seconds = 0.025

    def __init__(self, low: float = 470.0, high: float = 530.0):
        self.x = torch.linspace(low, high, 121)

    def measure(self, trainer: Trainer) -> dict[str, float]:
        mean, sd = metrics.moments(trainer.generator, trainer.latent, n=512)
        return {"mean": mean, "sd": sd, **_record(trainer)}

    def draw(self, trainer: Trainer, track: Track) -> str:
        label = "Figure 1, live: densities of data and fakes, D and the best D over x; and the way of p_g's mean and sd"
        names = {"data": "p_data", "fakes": "p_g", "D": "D(x)", "D*": "D*(x), the best D"}
        parts = [_legend(names), self._game(trainer, track[-1]), self._arrows(trainer), self._way(trainer, track)]
        return _svg("".join(parts), label, height=345)

    def _game(self, trainer: Trainer, now: dict[str, float]) -> str:
        x, p_data, p_g, D, D_star = (column.detach().numpy() for column in theory.curves(trainer, self.x))
        top, seen = 2.2 * p_data.max(), p_data + p_g > 1e-4 * (p_data + p_g).max()
        density = _Box(20, 28, 460, 190, x[[0, -1]], (0, top))
        probability = _Box(20, 28, 460, 190, x[[0, -1]], (0, 1.1))
        inside = [probability.line(x[[0, -1]], (0.5, 0.5), "guide"), density.line(x, p_data, "data")]
        if spike := now["sd"] < x[1] - x[0]:  # it would fall between two points of x
            inside.append(density.line((now["mean"], now["mean"]), (0, top), "fakes"))
        else:
            inside.append(density.line(x, p_g, "fakes"))
        if spike or p_g.max() > top:
            where, what = (now["mean"], "a spike") if spike else (x[p_g.argmax()], f"up to {p_g.max():.2g}")
            inside.append(_text(density.x(where) + 6, 12, f"p_g: {what}", STYLE["fakes"]["color"]))
        inside.append(probability.line(x, D, "D", opacity=0.3))
        inside += [probability.line(x, np.where(seen, y, np.nan), key) for key, y in (("D", D), ("D*", D_star))]
        ticks = "".join(_text(488, 28 + probability.y(p) + 4, f"{p:g}", STYLE["D"]["color"]) for p in (0, 0.5, 1))
        return density.show(inside) + density.x_axis() + _text(500, 236, "x") + ticks

    def _arrows(self, trainer: Trainer) -> str:
        z = _even(trainer.latent)
        with torch.no_grad():
            g = trainer.generator(z).tolist()
        box = _Box(20, 238, 460, 72, (self.x[0].item(), self.x[-1].item()), (0, 1))
        feet = torch.linspace(30, 430, len(z)).tolist()  # z has an axis of its own
        style = f'stroke="{STYLE["fakes"]["color"]}" marker-end="url(#gl-head)"'
        arrows = [f'<path d="M{a:.1f} 72L{box.x(b):.1f} 4" {style}/>' for a, b in zip(feet, g, strict=True)]
        ticks = [_text(20 + feet[i], 324, f"{z[i]:.1f}", anchor="middle") for i in range(0, len(z), 5)]
        return box.show(arrows) + '<path d="M20 310h460" stroke="#222"/>' + "".join(ticks) + _text(488, 314, "z")

    def _way(self, trainer: Trainer, track: Track) -> str:
        mean, sd = (np.array([seen[name] for seen in track]) for name in ("mean", "sd"))
        goal = trainer.data.mean.item(), trainer.data.stddev.item()
        box = _Box(
            570,
            28,
            180,
            282,
            _round_limits([*(mean - 1), *(mean + 1), goal[0] - 1, goal[0] + 1]),
            _round_limits([0, *(1.1 * sd), goal[1]]),
        )
        few = slice(None, None, 1 + len(track) // 200)
        inside = [
            box.line(np.append(mean[few], mean[-1]), np.append(sd[few], sd[-1]), "fakes", width=1.2),
            _text(box.x(goal[0]), box.y(goal[1]) + 7, "★", anchor="middle", size=20),
            _dot(box.x(mean[0]), box.y(sd[0]), "white"),
            _dot(box.x(mean[-1]), box.y(sd[-1]), STYLE["fakes"]["color"]),
        ]
        return box.show(inside) + box.x_axis("mean of p_g") + box.y_axis("sd of p_g") + _text(690, 16, "★ data")


class Digits:
    """Forty fakes, of the same forty z all along; beside them what D says on average, and both losses.

    Grey guide lines: 1/2, and where the losses rest at equilibrium.
    """

    seconds = 0.06

    def measure(self, trainer: Trainer) -> dict[str, float]:
        return _record(trainer)

    def draw(self, trainer: Trainer, track: Track) -> str:
        fakes = f'<image x="10" y="28" width="448" height="280" href="data:image/png;base64,{self._png(trainer)}"/>'
        steps = np.array([seen["step"] for seen in track])
        ends = _round_limits([0, 100, steps[-1]])
        curves = {name: np.array([seen.get(name, np.nan) for seen in track]) for name in (*_SAID, *_LOSSES)}
        worst = np.nanquantile([*curves["loss_d"], *curves["loss_g"], *trainer.loss.rest], 0.98)
        upper = _Box(530, 28, 220, 110, ends, (0, 1))
        lower = _Box(530, 196, 220, 110, ends, _round_limits([0, 1.1 * worst, min(trainer.loss.rest)]))
        parts = [_text(10, 16, "the same 40 z in every frame"), fakes]
        for box, guides, names in ((upper, [0.5], _SAID), (lower, trainer.loss.rest, _LOSSES)):
            inside = [box.line(ends, (guide, guide), "guide") for guide in guides]
            few = slice(None, None, 1 + len(track) // 150)
            inside += [box.line(steps[few], curves[name][few], style, width=1.6) for name, style in names.items()]
            parts += [box.show(inside), box.x_axis("step" if box is lower else ""), box.y_axis()]
            parts.append(_legend({style: name for name, style in names.items()}, 530, box.top - 12))
        return _svg("".join(parts), "forty fakes; mean D(x) and D(G(z)) and both losses by step", height=345)

    def _png(self, trainer: Trainer) -> str:
        """Eight by five, grey: half the size of colour, and quicker to make than to send."""
        G = trainer.generator
        training = G.training
        with seeded(0), torch.no_grad():
            z = trainer.latent.sample((40,)).to(trainer.device)
            images = G.eval()(z).cpu().reshape(5, 8, 28, 28)
        G.train(training)
        grey = ((images + 1) * 127.5).round().clamp(0, 255).byte().transpose(1, 2).reshape(140, 224)
        file = io.BytesIO()
        PIL.Image.fromarray(grey.numpy()).save(file, "PNG", compress_level=1)
        return base64.b64encode(file.getvalue()).decode()


_SAID = {"D(x)": "data", "D(G(z))": "fakes"}  # what is measured, and the style it is drawn in
_LOSSES = {"loss_d": "D", "loss_g": "fakes"}


def _record(trainer: Trainer) -> dict[str, float]:
    record = trainer.record
    measured = {"loss_d": record.loss_d, "loss_g": record.loss_g, "D(x)": record.d_real, "D(G(z))": record.d_fake}
    return {name: value.item() for name, value in measured.items() if value is not None}


def _even(latent: Distribution) -> Tensor:
    """An even grid of z: draws would clump."""
    if isinstance(latent.support, constraints.interval):
        return torch.linspace(latent.support.lower_bound.item(), latent.support.upper_bound.item(), 21)
    return torch.linspace(-2.4, 2.4, 21) * latent.stddev + latent.mean


def _round_limits(values: Iterable[float]) -> tuple[float, float]:
    """Limits at round numbers around all values: they stay as they are until a value leaves them."""
    values = np.array([value for value in values if np.isfinite(value)])
    ticks = MaxNLocator(4).tick_values(values.min(), values.max())
    return ticks[0], ticks[-1]


class _Box:
    """A rectangle of the picture with axes of its own; what leaves it is cut off."""

    def __init__(self, left: int, top: int, width: int, height: int, x: Sequence[float], y: Sequence[float]):
        self.left, self.top, self.width, self.height = left, top, width, height
        (self.x_0, self.x_1), (self.y_0, self.y_1) = x, y

    def x(self, value: float | np.ndarray) -> float | np.ndarray:
        return (value - self.x_0) / (self.x_1 - self.x_0) * self.width

    def y(self, value: float | np.ndarray) -> float | np.ndarray:
        return self.height - (value - self.y_0) / (self.y_1 - self.y_0) * self.height

    def show(self, inside: list[str]) -> str:
        place = f'x="{self.left}" y="{self.top}" width="{self.width}" height="{self.height}"'
        return f'<svg {place} overflow="hidden">{"".join(inside)}</svg>'

    def line(self, x: Sequence[float], y: Sequence[float], style: str, width: float = 0, opacity: float = 1) -> str:
        x, y = np.asarray(x), np.asarray(y)
        known = np.isfinite(x) & np.isfinite(y)
        begins = known & ~np.append(False, known[:-1])  # the pen is lifted where a number is missing
        # far outside is as good as outside, and shorter
        x, y = self.x(x[known]).clip(-99, 999), self.y(y[known]).clip(-99, 999)
        moves = zip(np.where(begins[known], "M", "L").tolist(), x.tolist(), y.tolist(), strict=True)
        points = "".join(f"{move}{a:.1f} {b:.1f}" for move, a, b in moves)
        return f'<path d="{points}" {_stroke(style, width, opacity)}/>'

    def x_axis(self, label: str = "") -> str:
        floor = self.top + self.height
        count = max(3, self.width // 70)
        ticks = [t for t in MaxNLocator(count).tick_values(self.x_0, self.x_1) if self.x_0 <= t <= self.x_1]
        texts = [_text(self.left + self.x(t), floor + 14, f"{t:g}", anchor="middle") for t in ticks]
        texts.append(_text(self.left + self.width / 2, floor + 28, label, anchor="middle"))
        return f'<path d="M{self.left} {floor}h{self.width}" stroke="#222"/>{"".join(texts)}'

    def y_axis(self, label: str = "") -> str:
        ticks = [t for t in MaxNLocator(4).tick_values(self.y_0, self.y_1) if self.y_0 <= t <= self.y_1]
        texts = [_text(self.left - 5, self.top + self.y(t) + 4, f"{t:g}", anchor="end") for t in ticks]
        texts.append(_text(self.left - 20, self.top - 12, label))
        return f'<path d="M{self.left} {self.top}v{self.height}" stroke="#222"/>{"".join(texts)}'


def _stroke(style: str, width: float = 0, opacity: float = 1) -> str:
    look = STYLE[style]
    dashes = DASHES[look["linestyle"]] if style != "guide" else "1 3"
    stroke = f'stroke="{look["color"]}" stroke-width="{width or look["linewidth"]:g}" stroke-dasharray="{dashes}"'
    return f'fill="none" {stroke} opacity="{opacity:g}"'


def _dot(x: float, y: float, fill: str) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{fill}" stroke="{STYLE["fakes"]["color"]}"/>'


def _text(x: float, y: float, text: str, color: str = "#222", anchor: str = "start", size: int = 12) -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" fill="{color}" text-anchor="{anchor}" font-size="{size}">{text}</text>'


def _legend(names: dict[str, str], x: float = 10, y: float = 12) -> str:
    parts = []
    for style, name in names.items():
        parts.append(f'<path d="M{x:.0f} {y}h26" {_stroke(style)}/>{_text(x + 31, y + 4, name)}')
        x += 50 + 7 * len(name)
    return "".join(parts)


def _svg(parts: str, label: str, height: int) -> str:
    head = f'<path d="M0 0L6 3L0 6z" fill="{STYLE["fakes"]["color"]}"/>'
    marker = f'<marker id="gl-head" refX="5" refY="3" markerWidth="6" markerHeight="6" orient="auto">{head}</marker>'
    background = '<rect width="100%" height="100%" fill="white"/>'  # the colours are made for it, in dark themes too
    size = f'viewBox="0 0 770 {height}" width="770" font-family="sans-serif" role="img" aria-label="{label}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{background}{marker}{parts}</svg>'
