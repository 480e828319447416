"""Images while a GAN learns to make them."""

from collections.abc import Sequence

import numpy as np
import PIL.Image
from torch.nn.functional import pad

from gan_lessons import seen
from gan_lessons.svg import Box, grey, legend, picture, png, round_limits, text
from gan_lessons.tiles import tile
from gan_lessons.training import Trainer

PROBABILITIES = {"D(x)": "data", "D(G(z))": "fakes"}  # what is measured, and the style it is drawn in
LOSSES = {"loss_d": "D", "loss_g": "fakes"}


class Images:
    """Forty fakes, of the same forty z all along; beside them what D says on average, and both losses.

    For pictures of any size, grey or in colour, as `data.Images` gives them; colours are shown by 256 of them, chosen
    for each frame: a third of the bytes, in less time. Guide lines: 1/2, and the losses at equilibrium.
    """

    seconds = 0.06

    def measure(self, trainer: Trainer) -> dict[str, float]:
        seen.picture_shape(trainer, "views.Images")
        return seen.record(trainer)

    def draw(self, trainer: Trainer, track: Sequence[dict[str, float]]) -> str:
        fakes = f'<image x="10" y="28" width="448" height="280" href="{self._fakes(trainer)}"/>'
        steps = np.array([note["step"] for note in track])
        ends = round_limits([0, 100, steps[-1]])
        curves = {name: np.array([note.get(name, np.nan) for note in track]) for name in (*PROBABILITIES, *LOSSES)}
        shown = np.array([*curves["loss_d"], *curves["loss_g"], *trainer.loss.at_equilibrium])
        worst = np.quantile(shown[np.isfinite(shown)], 0.98)
        upper = Box(530, 28, 220, 110, ends, (0, 1))
        lower = Box(530, 196, 220, 110, ends, round_limits([0, 1.1 * worst, min(trainer.loss.at_equilibrium)]))
        said = "" if trainer.loss.probability else "this loss has no D(x)"
        parts = [text(10, 16, "the same 40 z in every frame, raw"), fakes]
        for box, guides, names in ((upper, [0.5], PROBABILITIES), (lower, trainer.loss.at_equilibrium, LOSSES)):
            inside = [box.line(ends, (guide, guide), "guide") for guide in guides]
            few = slice(None, None, 1 + len(track) // 150)
            inside += [box.line(steps[few], curves[name][few], style, width=1.6) for name, style in names.items()]
            parts += [box.show(inside), box.x_axis("round" if box is lower else said), box.y_axis()]
            parts.append(legend([(style, name) for name, style in names.items()], 530, box.top - 12))
        return picture("".join(parts), "forty fakes; mean D(x) and D(G(z)) and both losses by step", 770, 345)

    def _fakes(self, trainer: Trainer) -> str:
        images = seen.images(trainer)
        colour = images.dim() == 4 and images.shape[1] == 3
        if colour:
            images = pad(images, (0, 1, 0, 1), value=1.0)  # white lines, since two backgrounds may be alike
        image = grey(tile(images, shape=seen.picture_shape(trainer, "views.Images")))
        return png(image.quantize(method=PIL.Image.Quantize.FASTOCTREE) if colour else image)
