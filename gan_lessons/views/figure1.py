"""Figure 1 of the paper, live: D's curve as a hill, and fakes that stand on it."""

from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.path import Path

from gan_lessons import laws, metrics, seen
from gan_lessons.style import PUSH_SHOWN, STYLE, push_length
from gan_lessons.svg import Box, arrow, dot, legend, picture, round_limits, stroke, text
from gan_lessons.training import Trainer

LEFT, TOP, WIDTH, HEIGHT = 20, 34, 460, 212  # the hill, with its x axis at the bottom
FOOT = 326  # the z axis
LONGEST = 56  # pixels of an arrow for a push of 1
FLOOR, CEILING = -0.12, 1.1  # of D(x), with room for arrows under a fake at D = 0
ROWS = 3  # of arrows, one under the other, so that neighbours do not run into each other


class Figure1:
    """Figure 1 of the paper for a game over one number, and beside it the path of p_g's mean and sd.

    It shows low <= x <= high, or, unless given, 6 standard deviations of the data to each side (`laws.span`). If these
    are moved, the axis stays as long as they are well inside.

    p_data, p_g and the hill D(x). On it stand fakes from equally probable parts of z, and under each the arrow of its
    push, minus the gradient of G's loss there, as long as the root of the push. Below, arrows from each of these z to
    its x = G(z). D_star: whether the best D*(x) is drawn too. Where next to no x ever comes from, D is faint and D* not
    drawn; a p_g too narrow or too high for the picture says so. Of data that do not say their density it is estimated.
    """

    seconds = 0.025

    def __init__(self, low: float | None = None, high: float | None = None, D_star: bool = False):
        if low is not None and high is not None and not low < high:
            raise ValueError(f"low, high: got {low} and {high}; low must be less than high")
        self.low, self.high, self.D_star = low, high, D_star
        self.pushes = True  # whether they are drawn
        self._span: tuple[float, float] | None = None

    def measure(self, trainer: Trainer) -> dict[str, float]:
        seen.needs(trainer, "views.Figure1")
        mean, sd = metrics.moments(trainer.generator, trainer.latent, n=512)
        return {"mean": mean, "sd": sd, **seen.record(trainer)}

    def draw(self, trainer: Trainer, track: Sequence[dict[str, float]]) -> str:
        label = "Figure 1, live: densities of data and fakes, and D, over x; fakes on D's curve; path of mean and sd"
        best = self.D_star and laws.exact(trainer.data) and trainer.loss.probability is not None
        opinion = "D(x)" if trainer.loss.probability else "D, beside the mean fake"
        names = {"data": "data", "fakes": "fakes", "D": opinion} | ({"D*": "D*(x), the best D"} if best else {})
        parts = [
            legend(names.items()),
            self._game(trainer, torch.linspace(*self._limits(trainer), 101), track[-1]),
            self._path(trainer, track),
        ]
        return picture("".join(parts), label, 770, 352)

    def _limits(self, trainer: Trainer) -> tuple[float, float]:
        low, high = laws.span(trainer.data)
        if self._span is None or not _well_inside(low, high, *self._span):
            self._span = low, high
        low, high = self._span
        return low if self.low is None else self.low, high if self.high is None else self.high

    def box(self, trainer: Trainer) -> Box:
        """Where the hill is drawn."""
        return Box(LEFT, TOP, WIDTH, HEIGHT, self._limits(trainer), (FLOOR, CEILING))

    def _game(self, trainer: Trainer, x: torch.Tensor, now: dict[str, float]) -> str:
        x, p_data, p_g, D, D_star = (column.detach().numpy() for column in seen.curves(trainer, x))
        top = 2.2 * p_data[np.isfinite(p_data)].max()  # at an edge it may be infinite
        likely = p_data + p_g > 1e-4 * (p_data + p_g).max()
        density = Box(LEFT, TOP, WIDTH, HEIGHT, x[[0, -1]], (FLOOR * top / CEILING, top))
        hill = self.box(trainer)
        packed = seen.packed(trainer)
        inside = [] if trainer.loss.probability is None else [hill.line(x[[0, -1]], (0.5, 0.5), "guide")]
        inside.append(density.line(x, p_data, "data", title="p_data: how often real x are near this one"))
        if spike := now["sd"] < x[1] - x[0]:  # it would fall between two points of x
            inside.append(density.line((now["mean"], now["mean"]), (0, top), "fakes"))
        else:
            inside.append(density.line(x, p_g, "fakes", title="p_g: how often fakes are near this x", fill=True))
        if spike or p_g.max() > top:
            where, what = (now["mean"], "a spike") if spike else (x[p_g.argmax()], f"up to {p_g.max():.2g}")
            inside.append(text(density.x(where) + 14, 12, f"fakes: {what}", STYLE["fakes"]["color"]))
        if packed:
            inside.append(text(8, 12, "D sees several x at once: no D(x) to draw"))
        else:
            pale = ~(likely & np.roll(likely, 1) & np.roll(likely, -1))  # up to where the strong line begins
            inside.append(hill.line(x, np.where(pale, D, np.nan), "D", opacity=0.3))
            title = "D(x): how likely D takes an x here for real; the hill on which the fakes climb"
            inside.append(hill.line(x, np.where(likely, D, np.nan), "D", title=title))
        if self.D_star and not packed:
            title = "D*(x): the best answer there is, p_data / (p_data + p_g)"
            inside.append(hill.line(x, np.where(likely, D_star, np.nan), "D*", title=title))
        fakes = seen.fakes(trainer)
        if not packed:
            arrows, dots = self._pushes(fakes, hill)
            inside += [arrows, dots] if self.pushes else [dots]
        ticks = "".join(text(LEFT + WIDTH + 8, TOP + hill.y(p) + 4, f"{p:g}", STYLE["D"]["color"]) for p in (0, 0.5, 1))
        scale = "" if packed else self._scale()
        return (
            hill.show(inside)
            + hill.x_axis()
            + text(LEFT + WIDTH + 18, TOP + HEIGHT + 14, "x")
            + ticks
            + scale
            + self._arrows(fakes, x[[0, -1]])
        )

    def _pushes(self, fakes: seen.Fakes, hill: Box) -> list[str]:
        """The fakes on the hill, and under each the arrow of its push."""
        dots, arrows = [], []
        for i, (x, height, push) in enumerate(zip(*(v.tolist() for v in fakes[1:]), strict=True)):
            if not np.isfinite([x, height, push]).all():  # as in a game that has just broken
                continue
            a, b = hill.x(x), hill.y(height)
            length = LONGEST * push_length(push)
            arrows.append(arrow(a, b + 9 + 6 * (i % ROWS), length, double=abs(push) > 1))
            dots.append(f'<circle class="gl-fake" cx="{a:.1f}" cy="{b:.1f}" r="5"/>')
        title = "<title>the push: where this fake would look more real to D</title>"
        green = f'<g fill="{STYLE["fakes"]["color"]}">{"".join(dots)}</g>'
        return [f"<g {stroke('push')}>{title}{''.join(arrows)}</g>", green]

    def _scale(self) -> str:
        """How long the arrow of a push of .01, .1 and 1 is."""
        arrows, parts, x = [], [text(570, 16, "push:", STYLE["push"]["color"])], 606
        for push in PUSH_SHOWN:
            length = LONGEST * push_length(push)
            arrows.append(arrow(x, 12, length))
            parts.append(text(x + length + 4, 16, f"{push:g}", STYLE["push"]["color"]))
            x += length + 34
        return f"<g {stroke('push')}>{''.join(arrows)}</g>{''.join(parts)}"

    def _arrows(self, fakes: seen.Fakes, ends: np.ndarray) -> str:
        """From each z, on an axis of its own, to its x = G(z)."""
        top = TOP + HEIGHT + 20  # below the numbers of the x axis
        box = Box(LEFT, top, WIDTH, FOOT - top, ends, (0, 1))
        z, g = fakes.z.numpy(), fakes.x.numpy()
        feet = WIDTH * (0.14 + 0.72 * (z - z[0]) / (z[-1] - z[0]))
        known = ~np.isnan(g)
        ends = zip(feet[known], box.x(g[known]), strict=True)
        arrows = "".join(f'<path d="M{a:.1f} {FOOT - top}L{b:.1f} 4"/>' for a, b in ends)
        style = f'class="gl-arrows" stroke="{STYLE["fakes"]["color"]}" marker-end="url(#gl-head)"'
        ticks = [text(LEFT + feet[i], FOOT + 14, f"{z[i]:.1f}", anchor="middle") for i in range(0, len(z), 2)]
        axis = (
            f'<path d="M{LEFT} {FOOT}h{WIDTH}" stroke="#222"/>{"".join(ticks)}{text(LEFT + WIDTH + 8, FOOT + 4, "z")}'
        )
        return box.show([f"<g {style}><title>G carries each z to its x</title>{arrows}</g>"]) + axis

    def _path(self, trainer: Trainer, track: Sequence[dict[str, float]]) -> str:
        mean, sd = (np.array([note[name] for note in track]) for name in ("mean", "sd"))
        goal = laws.centre(trainer.data)
        margin = goal[1] / 5
        box = Box(
            570,
            TOP + 18,
            180,
            FOOT - TOP - 34,
            round_limits([*(mean - margin), *(mean + margin), goal[0] - margin, goal[0] + margin]),
            round_limits([0, *(1.1 * sd), goal[1]]),
        )
        way = Path(np.column_stack([box.x(mean), box.y(sd)]))
        way.simplify_threshold = 0.5  # pixels: leaves out what nobody sees, and no turn
        points = way.cleaned(remove_nans=True, simplify=True).iter_segments(curves=False)
        moves = "".join(f"{'M' if code == Path.MOVETO else 'L'}{x:.1f} {y:.1f}" for (x, y), code in points)
        inside = [
            f'<path d="{moves}" class="gl-fakes" {stroke("fakes", 1.2)}/>',
            text(box.x(goal[0]), box.y(goal[1]) + 7, "★", anchor="middle", size=20),
            dot(box.x(mean[0]), box.y(sd[0]), "white"),
            dot(box.x(mean[-1]), box.y(sd[-1]), STYLE["fakes"]["color"]),
        ]
        axes = box.x_axis("mean of the fakes") + box.y_axis("their spread (sd)")
        return box.show(inside) + axes + text(700, TOP + 6, "★ data")


def _well_inside(low: float, high: float, left: float, right: float) -> bool:
    """Whether data for which low to high would be shown can be seen from left to right."""
    margin, width = (high - low) / 4, high - low  # 3 standard deviations of a normal law
    return left <= low + margin and high - margin <= right and width > (right - left) / 3
