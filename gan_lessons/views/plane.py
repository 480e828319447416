"""A game over points of the plane, live."""

from collections.abc import Sequence

import numpy as np
import PIL.Image
import torch
from contourpy import contour_generator
from torch.nn import functional

from gan_lessons import laws, seen
from gan_lessons.style import D_COLORS, STYLE
from gan_lessons.svg import Box, legend, picture, png, round_limits, stroke, text
from gan_lessons.training import Trainer


class Plane:
    """A game over points of the plane: `scene`, and beside it by step how much of the data the fakes have found.

    The bluer, the surer D is of real; dashed: D(x) = 1/2, or, where a loss has no D(x), as real as the mean fake. The
    longest arrow is of one length, and its push is written. For any data of two numbers, in a square around them
    (`laws.square`), or half_width to each side of (0, 0). The grid is of z that are two numbers; modes are counted
    where the data are a mixture of bumps of one sd, as `data.ring()`; of other data the share that fakes reach.
    """

    seconds = 0.02

    def __init__(self, half_width: float | None = None):
        if half_width is not None and not half_width > 0:
            raise ValueError(f"half_width: got {half_width}; it must be > 0, or None")
        self.half_width = half_width
        self.pushes = True  # whether they are drawn

    def measure(self, trainer: Trainer) -> dict[str, float]:
        seen.needs(trainer, "views.Plane", (2,))
        return (seen.modes(trainer) or seen.reach(trainer)) | seen.record(trainer)

    def draw(self, trainer: Trainer, track: Sequence[dict[str, float]]) -> str:
        now = seen.scene(trainer, self.half_width)
        middle, half = self._square(trainer)
        box = self.box(trainer)
        net = functional.pad(now.lines, (0, 0, 0, 1), value=torch.nan).flatten(0, 1)  # one curve, with gaps
        inside = [*self._map(now, box), box.line(*net.T.numpy(), "fakes", width=0.6, opacity=0.7)]
        for points, style, opacity in ((now.x_real, "data", 0.55), (now.x_fake, "fakes", 1.0)):
            inside.append(_dots(box, points.numpy(), STYLE[style]["color"], opacity))  # fakes are to be seen on data
        pushes, longest = self._pushes(now, box, half)
        outside = ((now.x_fake - torch.tensor(middle)).abs() > half).any(dim=1).sum().item()
        words = [f"longest push: {longest:.2g}", *([f"{outside} of 200 fakes are outside"] if outside else [])]
        border = "D(x) = 1/2" if trainer.loss.probability else "as real as the mean fake"
        names = {"data": "data", "fakes": "fakes, G of a grid of z", "D": border}
        parts = [
            legend(names.items()),
            box.show(inside + (pushes if self.pushes else [])),
            box.x_axis(),
            box.y_axis(),
            *(text(335, 45 + 18 * i, line) for i, line in enumerate(words)),
            *self._counts(trainer, track),
        ]
        label = "Points of data and fakes over D's map, the push on single fakes; how much is found by step"
        return picture("".join(parts), label, 770, 345)

    def box(self, trainer: Trainer) -> Box:
        """Where the plane is drawn."""
        middle, half = self._square(trainer)
        return Box(30, 28, 290, 290, *((m - half, m + half) for m in middle))

    def _square(self, trainer: Trainer) -> tuple[tuple[float, float], float]:
        return laws.square(trainer.data) if self.half_width is None else ((0.0, 0.0), self.half_width)

    def _map(self, now: seen.Scene, box: Box) -> list[str]:
        if now.D is None:
            return [text(8, 16, "D sees several x at once: no map of single x")]
        D = now.D.nan_to_num().clamp(0, 1).numpy()
        image = PIL.Image.fromarray((D[::-1] * 255).round().astype(np.uint8))
        image.putpalette(D_COLORS)
        size = f'width="{box.width}" height="{box.height}" preserveAspectRatio="none"'
        half = contour_generator(*now.axis.numpy(), D).lines(0.5)
        return [f'<image {size} href="{png(image)}"/>', *(box.line(*part.T, "D") for part in half)]

    def _pushes(self, now: seen.Scene, box: Box, half: float) -> tuple[list[str], float]:
        longest = now.push.norm(dim=1).max().item()
        feet = now.x_fake[: len(now.push)].numpy()
        heads = feet + (now.push * (0.2 * half / max(longest, 1e-30))).nan_to_num().numpy()
        ends = zip(box.x(feet[:, 0]), box.y(feet[:, 1]), box.x(heads[:, 0]), box.y(heads[:, 1]), strict=True)
        head = '<marker id="gl-push" refX="4" refY="2.5" markerWidth="5" markerHeight="5" orient="auto">'
        head += f'<path d="M0 0L5 2.5L0 5z" fill="{STYLE["push"]["color"]}"/></marker>'
        style = f'class="gl-pushes" {stroke("push", width=1.4)} marker-end="url(#gl-push)"'
        arrows = "".join(f'<path d="M{a:.1f} {b:.1f}L{c:.1f} {d:.1f}"/>' for a, b, c, d in ends)
        return [head, f"<g {style}>{arrows}</g>"], longest

    def _counts(self, trainer: Trainer, track: Sequence[dict[str, float]]) -> list[str]:
        few = [*track[:: 1 + len(track) // 200], track[-1]]
        steps = [note["step"] for note in few]
        ends, bumps = round_limits([0, 100, steps[-1]]), getattr(trainer.data, "component_distribution", None)
        if bumps is None:
            rows = [
                ("fakes on the data", 1, "share of fakes on the data"),
                ("data reached", 1, "share of data reached"),
            ]
        else:
            modes = len(bumps.mean)
            rows = [("modes found", modes, f"modes found, of {modes}"), ("good", 1, "share of good samples")]
        parts = []
        for top, (name, most, title) in zip((40, 206), rows, strict=True):
            box = Box(545, top, 205, 105, ends, (0, most))
            inside = [box.line(ends, (most, most), "guide"), box.line(steps, [note[name] for note in few], "fakes")]
            parts += [box.show(inside), box.x_axis("round" if top > 40 else ""), box.y_axis(title)]
        return parts


def _dots(box: Box, points: np.ndarray, color: str, opacity: float) -> str:
    """Points (m, 2) as one path: strokes without length, with round ends."""
    across, up = box.x(points[:, 0]), box.y(points[:, 1])
    near = (abs(across - box.width / 2) < box.width) & (abs(up - box.height / 2) < box.height)
    moves = "".join(f"M{a:.1f} {b:.1f}h0" for a, b in zip(across[near].tolist(), up[near].tolist(), strict=True))
    return (
        f'<path d="{moves}" stroke="{color}" stroke-width="3.4" stroke-linecap="round" stroke-opacity="{opacity:g}"/>'
    )
