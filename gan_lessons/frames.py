"""A trainer's state as a small SVG string, in the colours of `plots`: what the panel shows many times a second.

matplotlib takes 80 ms and 70 kB for such a picture; these take a few ms and 6 to 20 kB. A view has `measure(trainer)`,
the numbers of now by name, and `draw(trainer, track)`, the picture of now and of the track so far, a list of what was
measured at each frame; its `seconds` is how long the panel trains between two frames.
"""

import base64
import io
from collections.abc import Sequence

import numpy as np
import PIL.Image
import torch
from torch import Tensor
from torch.distributions import Distribution, constraints

from gan_lessons import metrics, theory
from gan_lessons.guards import seeded
from gan_lessons.plots import STYLE
from gan_lessons.svg import Box, dot, legend, picture, round_limits, text
from gan_lessons.training import Trainer

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
        parts = [
            legend(names.items()),
            self._game(trainer, track[-1]),
            self._arrows(trainer),
            self._way(trainer, track),
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
        inside.append(probability.line(x, D, "D", opacity=0.3))
        inside += [probability.line(x, np.where(seen, y, np.nan), key) for key, y in (("D", D), ("D*", D_star))]
        ticks = "".join(text(488, 28 + probability.y(p) + 4, f"{p:g}", STYLE["D"]["color"]) for p in (0, 0.5, 1))
        return density.show(inside) + density.x_axis() + text(500, 236, "x") + ticks

    def _arrows(self, trainer: Trainer) -> str:
        z = _even(trainer.latent)
        with torch.no_grad():
            g = trainer.generator(z).tolist()
        box = Box(20, 238, 460, 72, (self.x[0].item(), self.x[-1].item()), (0, 1))
        feet = torch.linspace(30, 430, len(z)).tolist()  # z has an axis of its own
        style = f'stroke="{STYLE["fakes"]["color"]}" marker-end="url(#gl-head)"'
        arrows = [f'<path d="M{a:.1f} 72L{box.x(b):.1f} 4" {style}/>' for a, b in zip(feet, g, strict=True)]
        ticks = [text(20 + feet[i], 324, f"{z[i]:.1f}", anchor="middle") for i in range(0, len(z), 5)]
        return box.show(arrows) + '<path d="M20 310h460" stroke="#222"/>' + "".join(ticks) + text(488, 314, "z")

    def _way(self, trainer: Trainer, track: Track) -> str:
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
        few = slice(None, None, 1 + len(track) // 200)
        inside = [
            box.line(np.append(mean[few], mean[-1]), np.append(sd[few], sd[-1]), "fakes", width=1.2),
            text(box.x(goal[0]), box.y(goal[1]) + 7, "★", anchor="middle", size=20),
            dot(box.x(mean[0]), box.y(sd[0]), "white"),
            dot(box.x(mean[-1]), box.y(sd[-1]), STYLE["fakes"]["color"]),
        ]
        return box.show(inside) + box.x_axis("mean of p_g") + box.y_axis("sd of p_g") + text(690, 16, "★ data")


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
        ends = round_limits([0, 100, steps[-1]])
        curves = {name: np.array([seen.get(name, np.nan) for seen in track]) for name in (*_SAID, *_LOSSES)}
        worst = np.nanquantile([*curves["loss_d"], *curves["loss_g"], *trainer.loss.rest], 0.98)
        upper = Box(530, 28, 220, 110, ends, (0, 1))
        lower = Box(530, 196, 220, 110, ends, round_limits([0, 1.1 * worst, min(trainer.loss.rest)]))
        parts = [text(10, 16, "the same 40 z in every frame"), fakes]
        for box, guides, names in ((upper, [0.5], _SAID), (lower, trainer.loss.rest, _LOSSES)):
            inside = [box.line(ends, (guide, guide), "guide") for guide in guides]
            few = slice(None, None, 1 + len(track) // 150)
            inside += [box.line(steps[few], curves[name][few], style, width=1.6) for name, style in names.items()]
            parts += [box.show(inside), box.x_axis("step" if box is lower else ""), box.y_axis()]
            parts.append(legend([(style, name) for name, style in names.items()], 530, box.top - 12))
        return picture("".join(parts), "forty fakes; mean D(x) and D(G(z)) and both losses by step", 770, 345)

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
