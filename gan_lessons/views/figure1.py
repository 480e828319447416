"""Figure 1 of the paper, live."""

from collections.abc import Sequence

import numpy as np
import torch

from gan_lessons import metrics, seen
from gan_lessons.style import STYLE
from gan_lessons.svg import Box, dot, legend, picture, round_limits, text
from gan_lessons.training import Trainer


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
        return {"mean": mean, "sd": sd, **seen.record(trainer)}

    def draw(self, trainer: Trainer, track: Sequence[dict[str, float]]) -> str:
        label = "Figure 1, live: densities of data and fakes, D and the best D over x; the path of p_g's mean and sd"
        names = {"data": "p_data", "fakes": "p_g", "D": "D(x)", "D*": "D*(x), the best D"}
        parts = [
            legend(names.items()),
            self._game(trainer, track[-1]),
            self._arrows(trainer),
            self._path(trainer, track),
        ]
        return picture("".join(parts), label, 770, 345)

    def _game(self, trainer: Trainer, now: dict[str, float]) -> str:
        x, p_data, p_g, D, D_star = (column.detach().numpy() for column in seen.curves(trainer, self.x))
        top, likely = 2.2 * p_data.max(), p_data + p_g > 1e-4 * (p_data + p_g).max()
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
        if seen.packed(trainer):
            inside.append(text(8, 12, "D sees several x at once: no D(x) to draw"))
            D = np.full_like(D, np.nan)
        inside.append(probability.line(x, D, "D", opacity=0.3))
        inside += [probability.line(x, np.where(likely, y, np.nan), key) for key, y in (("D", D), ("D*", D_star))]
        ticks = "".join(text(488, 28 + probability.y(p) + 4, f"{p:g}", STYLE["D"]["color"]) for p in (0, 0.5, 1))
        return density.show(inside) + density.x_axis() + text(500, 236, "x") + ticks

    def _arrows(self, trainer: Trainer) -> str:
        z = seen.quantiles(trainer.latent, 21)
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

    def _path(self, trainer: Trainer, track: Sequence[dict[str, float]]) -> str:
        mean, sd = (np.array([note[name] for note in track]) for name in ("mean", "sd"))
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
