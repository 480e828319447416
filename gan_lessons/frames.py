"""A trainer's state as a small SVG string, in the colours of `plots`: what the panel shows many times a second.

matplotlib takes 80 ms and 70 kB for such a picture; these take a few ms and 6 to 20 kB. A view has `measure(trainer)`,
the numbers of now by name, and `draw(trainer, track)`, the picture of now and of the track so far, a list of what was
measured at each frame; its `seconds` is how long the panel trains between two frames.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import PIL.Image
import torch
from contourpy import contour_generator
from torch import Tensor
from torch.distributions import Distribution, constraints

from gan_lessons import metrics, theory
from gan_lessons.guards import seeded
from gan_lessons.models import Pack
from gan_lessons.plots import D_COLORS, STYLE, tile
from gan_lessons.svg import Box, dot, grey, legend, picture, png, round_limits, text
from gan_lessons.training import Trainer

Track = Sequence[dict[str, float]]


class Figure1:
    """Figure 1 of the paper for a game over one number, low <= x <= high, and beside it the path of p_g's mean and sd.

    p_data, p_g, D(x), the best D*(x), and arrows from z to x = G(z). Where next to no x ever comes from, D is faint and
    D* not drawn; a p_g too narrow or too high for the picture says so.
    """

    seconds = 0.025

    def __init__(self, low: float = 470.0, high: float = 530.0):
        self.x = torch.linspace(low, high, 101)

    def measure(self, trainer: Trainer) -> dict[str, float]:
        mean, sd = metrics.moments(trainer.generator, trainer.latent, n=512)
        return {"mean": mean, "sd": sd, **_record(trainer)}

    def draw(self, trainer: Trainer, track: Track) -> str:
        label = "Figure 1, live: densities of data and fakes, D and the best D over x; and the path of p_g's mean and sd"
        names = {"data": "p_data", "fakes": "p_g", "D": "D(x)", "D*": "D*(x), the best D"}
        parts = [
            legend(names.items()),
            self._game(trainer, track[-1]),
            self._arrows(trainer),
            self._path(trainer, track),
        ]
        return picture("".join(parts), label, 770, 345)

    def _game(self, trainer: Trainer, now: dict[str, float]) -> str:
        x, p_data, p_g, D, D_star = (column.detach().numpy() for column in theory.curves(trainer, self.x))
        top, seen = 2.2 * p_data.max(), p_data + p_g > 1e-4 * (p_data + p_g).max()
        density = Box(20, 28, 460, 190, x[[0, -1]], (0, top))
        probability = Box(20, 28, 460, 190, x[[0, -1]], (0, 1.1))
        inside = [probability.line(x[[0, -1]], (0.5, 0.5), "guide"), density.line(x, p_data, "data")]
        if spike := now["sd"] < x[1] - x[0]:  # it would fall between two points of x
            inside.append(density.line((now["mean"], now["mean"]), (0, top), "fakes"))
        else:
            inside.append(density.line(x, p_g, "fakes"))
        if spike or p_g.max() > top:
            where, what = (now["mean"], "a spike") if spike else (x[p_g.argmax()], f"up to {p_g.max():.2g}")
            inside.append(text(density.x(where) + 6, 12, f"p_g: {what}", STYLE["fakes"]["color"]))
        if packed(trainer):
            inside.append(text(8, 12, "D sees several x at once: no D(x) to draw"))
            D = np.full_like(D, np.nan)
        inside.append(probability.line(x, D, "D", opacity=0.3))
        inside += [probability.line(x, np.where(seen, y, np.nan), key) for key, y in (("D", D), ("D*", D_star))]
        ticks = "".join(text(488, 28 + probability.y(p) + 4, f"{p:g}", STYLE["D"]["color"]) for p in (0, 0.5, 1))
        return density.show(inside) + density.x_axis() + text(500, 236, "x") + ticks

    def _arrows(self, trainer: Trainer) -> str:
        z = _even(trainer.latent)
        with torch.no_grad():
            g = trainer.generator(z).numpy()
        box = Box(20, 238, 460, 72, (self.x[0].item(), self.x[-1].item()), (0, 1))
        feet = np.linspace(30, 430, len(z))  # z has an axis of its own
        known = ~np.isnan(g)  # as it is when a game has just broken
        ends = zip(feet[known], box.x(g[known]), strict=True)
        arrows = "".join(f'<path d="M{a:.1f} 72L{b:.1f} 4"/>' for a, b in ends)
        style = f'stroke="{STYLE["fakes"]["color"]}" marker-end="url(#gl-head)"'
        ticks = [text(20 + feet[i], 324, f"{z[i]:.1f}", anchor="middle") for i in range(0, len(z), 5)]
        axis = f'<path d="M20 310h460" stroke="#222"/>{"".join(ticks)}{text(488, 314, "z")}'
        return box.show([f"<g {style}>{arrows}</g>"]) + axis

    def _path(self, trainer: Trainer, track: Track) -> str:
        mean, sd = (np.array([seen[name] for seen in track]) for name in ("mean", "sd"))
        goal = trainer.data.mean.item(), trainer.data.stddev.item()
        box = Box(
            570,
            28,
            180,
            282,
            round_limits([*(mean - 1), *(mean + 1), goal[0] - 1, goal[0] + 1]),
            round_limits([0, *(1.1 * sd), goal[1]]),
        )
        few = slice(None, None, 1 + len(track) // 100)
        inside = [
            box.line(np.append(mean[few], mean[-1]), np.append(sd[few], sd[-1]), "fakes", width=1.2),
            text(box.x(goal[0]), box.y(goal[1]) + 7, "★", anchor="middle", size=20),
            dot(box.x(mean[0]), box.y(sd[0]), "white"),
            dot(box.x(mean[-1]), box.y(sd[-1]), STYLE["fakes"]["color"]),
        ]
        return box.show(inside) + box.x_axis("mean of p_g") + box.y_axis("sd of p_g") + text(690, 16, "★ data")


class Scene(NamedTuple):
    """A game over points of the plane as `plots.plane` draws it: `plots.plane(*frames.scene(trainer))`."""

    axis: Tensor  # (n,): the middles of n equal parts of each axis
    D: Tensor | None  # (n, n): D(x), rows along the second axis; None where D sees several x at once
    x_real: Tensor  # (m, 2)
    x_fake: Tensor  # (m, 2)
    lines: Tensor  # (rows, points, 2): G of an even grid of z
    push: Tensor  # (a, 2): minus the gradient of G's loss at each of the first a fakes


def scene(trainer: Trainer, half_width: float = 3.0, n: int = 50, points: int = 200, arrows: int = 30) -> Scene:
    """What there is to see of a game over the plane, z being two normal numbers. The points are of one draw.

    push is of the loss in use, as if each fake were alone in its minibatch. In a pack a fake also counts for D's output
    on its neighbour. Nothing of the trainer changes.
    """
    axis = ((torch.arange(n) + 0.5) / n * 2 - 1) * half_width
    with seeded(0):
        x_real, z = trainer.data.sample((points,)), trainer.latent.sample((points,))
    even, fine = torch.linspace(-2, 2, 9), torch.linspace(-2, 2, 17)
    across = torch.stack(torch.meshgrid(even, fine, indexing="ij"), dim=-1)  # (9, 17, 2)
    z_lines = torch.cat([across, across.flip(-1)])
    with torch.no_grad():
        x_fake = trainer.generator(z)
        lines = trainer.generator(z_lines.reshape(-1, 2)).reshape(z_lines.shape)
        D = None
        if not packed(trainer):
            x = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), dim=-1).reshape(-1, 2)
            D = trainer.loss.probability(trainer.discriminator(x)).reshape(n, n)
    leaf = x_fake.clone().requires_grad_()
    (slope,) = torch.autograd.grad(points * trainer.loss.generator(trainer.discriminator(leaf)), leaf)
    return Scene(axis, D, x_real, x_fake, lines, -slope[:arrows])


def packed(trainer: Trainer) -> bool:
    """Does D see several x at once? Then there is no D(x) of a single one."""
    return any(isinstance(part, Pack) and part.size > 1 for part in trainer.discriminator.modules())


class Plane:
    """A game over points of the plane: `scene`, and beside it modes found and share of good samples by step.

    The bluer, the surer D is of real; dashed: D(x) = 1/2. The longest arrow is of one length, and its push is written.
    For data that are bumps of one sd, such as `data.ring()`, and a G from two normal numbers.
    """

    seconds = 0.03

    def __init__(self, half_width: float = 3.0):
        self.half_width = half_width

    def measure(self, trainer: Trainer) -> dict[str, float]:
        with seeded(0):
            samples = trainer.sample(2000).nan_to_num(nan=1e9).clamp(-1e9, 1e9)  # not finite: far from every mode
        bumps = trainer.data.component_distribution
        found, good = metrics.modes(samples, bumps.mean, bumps.stddev.max().item())
        return {"modes found": found, "good": good, **_record(trainer)}

    def draw(self, trainer: Trainer, track: Track) -> str:
        now = scene(trainer, self.half_width)
        ends = (-self.half_width, self.half_width)
        box = Box(30, 28, 290, 290, ends, ends)
        inside = [
            *self._map(now, box),
            *(box.line(*row.T, "fakes", width=0.6, opacity=0.7) for row in now.lines.numpy()),
        ]
        for points, style in ((now.x_real, "data"), (now.x_fake, "fakes")):
            inside.append(_dots(box, points.numpy(), STYLE[style]["color"]))
        pushes, longest = self._pushes(now, box)
        outside = (now.x_fake.abs() > self.half_width).any(dim=1).sum().item()
        words = [f"longest push: {longest:.2g}", *([f"{outside} of 200 fakes are outside"] if outside else [])]
        names = {"data": "data", "fakes": "fakes, G of a grid of z", "D": "D(x) = 1/2"}
        parts = [
            legend(names.items()),
            box.show(inside + pushes),
            box.x_axis(),
            box.y_axis(),
            *(text(335, 45 + 18 * i, line) for i, line in enumerate(words)),
            *self._counts(trainer, track),
        ]
        label = "Points of data and fakes over D's map, the push on single fakes; modes found and good samples by step"
        return picture("".join(parts), label, 770, 345)

    def _map(self, now: Scene, box: Box) -> list[str]:
        if now.D is None:
            return [text(8, 16, "D sees several x at once: no map of single x")]
        D = now.D.nan_to_num().clamp(0, 1).numpy()
        image = PIL.Image.fromarray((D[::-1] * 255).round().astype(np.uint8))
        image.putpalette(D_COLORS)
        size = f'width="{box.width}" height="{box.height}" preserveAspectRatio="none"'
        axis = now.axis.numpy()
        half = contour_generator(axis, axis, D).lines(0.5)
        return [f'<image {size} href="{png(image)}"/>', *(box.line(*part.T, "D") for part in half)]

    def _pushes(self, now: Scene, box: Box) -> tuple[list[str], float]:
        longest = now.push.norm(dim=1).max().item()
        feet = now.x_fake[: len(now.push)].numpy()
        heads = feet + (now.push * (0.2 * self.half_width / max(longest, 1e-30))).nan_to_num().numpy()
        ends = zip(box.x(feet[:, 0]), box.y(feet[:, 1]), box.x(heads[:, 0]), box.y(heads[:, 1]), strict=True)
        head = '<marker id="gl-push" refX="4" refY="2.5" markerWidth="5" markerHeight="5" orient="auto">'
        head += '<path d="M0 0L5 2.5L0 5z"/></marker>'
        style = 'stroke="black" stroke-width="1.2" marker-end="url(#gl-push)"'
        return [head] + [f'<path d="M{a:.1f} {b:.1f}L{c:.1f} {d:.1f}" {style}/>' for a, b, c, d in ends], longest

    def _counts(self, trainer: Trainer, track: Track) -> list[str]:
        few = track[:: 1 + len(track) // 200]
        few = [*few, track[-1]]
        steps = [seen["step"] for seen in few]
        ends, modes = round_limits([0, 100, steps[-1]]), len(trainer.data.component_distribution.mean)
        parts = []
        for top, name, most in ((40, "modes found", modes), (206, "good", 1)):
            box = Box(545, top, 205, 105, ends, (0, most))
            inside = [box.line(ends, (most, most), "guide"), box.line(steps, [seen[name] for seen in few], "fakes")]
            title = f"modes found, of {modes}" if name == "modes found" else "share of good samples"
            parts += [box.show(inside), box.x_axis("step" if most == 1 else ""), box.y_axis(title)]
        return parts


class Digits:
    """Forty fakes, of the same forty z all along; beside them what D says on average, and both losses.

    Grey guide lines: 1/2, and the losses at equilibrium.
    """

    seconds = 0.06

    def measure(self, trainer: Trainer) -> dict[str, float]:
        return _record(trainer)

    def draw(self, trainer: Trainer, track: Track) -> str:
        fakes = f'<image x="10" y="28" width="448" height="280" href="{png(grey(tile(self._fakes(trainer))))}"/>'
        steps = np.array([seen["step"] for seen in track])
        ends = round_limits([0, 100, steps[-1]])
        curves = {name: np.array([seen.get(name, np.nan) for seen in track]) for name in (*_SAID, *_LOSSES)}
        seen = np.array([*curves["loss_d"], *curves["loss_g"], *trainer.loss.at_equilibrium])
        worst = np.quantile(seen[np.isfinite(seen)], 0.98)
        upper = Box(530, 28, 220, 110, ends, (0, 1))
        lower = Box(530, 196, 220, 110, ends, round_limits([0, 1.1 * worst, min(trainer.loss.at_equilibrium)]))
        parts = [text(10, 16, "the same 40 z in every frame"), fakes]
        for box, guides, names in ((upper, [0.5], _SAID), (lower, trainer.loss.at_equilibrium, _LOSSES)):
            inside = [box.line(ends, (guide, guide), "guide") for guide in guides]
            few = slice(None, None, 1 + len(track) // 150)
            inside += [box.line(steps[few], curves[name][few], style, width=1.6) for name, style in names.items()]
            parts += [box.show(inside), box.x_axis("step" if box is lower else ""), box.y_axis()]
            parts.append(legend([(style, name) for name, style in names.items()], 530, box.top - 12))
        return picture("".join(parts), "forty fakes; mean D(x) and D(G(z)) and both losses by step", 770, 345)

    def _fakes(self, trainer: Trainer) -> Tensor:
        G = trainer.generator
        training = G.training
        with seeded(0), torch.no_grad():
            z = trainer.latent.sample((40,)).to(trainer.device)
            fakes = G.eval()(z)
        G.train(training)
        return fakes


def _dots(box: Box, points: np.ndarray, color: str) -> str:
    """Points (m, 2) as one path: strokes without length, with round ends."""
    near = points[(np.abs(points) < 2 * max(box.x_1, box.y_1)).all(axis=1)]
    places = zip(box.x(near[:, 0]).tolist(), box.y(near[:, 1]).tolist(), strict=True)
    moves = "".join(f"M{a:.1f} {b:.1f}h0" for a, b in places)
    return f'<path d="{moves}" stroke="{color}" stroke-width="3.4" stroke-linecap="round" opacity="0.8"/>'


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
