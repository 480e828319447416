"""Pictures by choice, as small SVG pictures: sliders for what G is asked for, and a game in which it learns to obey."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import PIL.Image
import torch
from torch import Tensor, nn
from torch.nn.functional import normalize, pad

from gan_lessons import data, devices, pretrained, seen, svg
from gan_lessons.conditional import draw, hits
from gan_lessons.devices import seeded
from gan_lessons.tiles import tile
from gan_lessons.training import Trainer

DIGITS, FACES = "mnist_conditional", "faces_conditional"
NAMES = data.ATTRIBUTES
TEN = torch.eye(10)
SHOWN = 10  # of z, in a panel's picture


@cache
def generator(name: str) -> nn.Module:
    return pretrained.load(name)


def z_of(name: str, n: int, seed: int) -> Tensor:
    """Some z, without a label: (n, dims)."""
    with seeded(seed + 100):
        return torch.randn(n, len(generator(name).latent.numbers.mean))


@cache
def directions(n: int = 2000) -> Tensor:
    """The two directions in z, of length 1, along which digits lean to the right, and have more ink: (2, 16).

    Fitted by least squares to the slant and the ink of n digits, each measured from the mean of its label.
    """
    z = z_of(DIGITS, n, 0)
    y = torch.arange(n) % 10
    white = (draw(generator(DIGITS), z, TEN[y]).view(n, 28, 28) + 1) / 2
    looks = torch.stack([seen.slant(white), white.mean(dim=(1, 2))], dim=1)
    means = torch.stack([looks[y == digit].mean(dim=0) for digit in range(10)])
    return normalize(torch.linalg.lstsq(z, looks - means[y]).solution.T, dim=1)


def digits(digit: int = 7, slant: float = 0.0, ink: float = 0.0, seed: int = 0) -> str:
    """What the sliders draw: the digit asked for, and beside it all ten, from one z."""
    z = z_of(DIGITS, 1, seed) + torch.tensor([slant, ink]) @ directions()
    x = draw(generator(DIGITS), z, TEN)  # (10, 784)
    sure, label = pretrained.classifier()(x[digit][None]).softmax(dim=1).max(dim=1)
    parts = svg.text(10, 16, f"{DIGITS}, averaged: asked for a {digit}", size=14)
    parts += _image(x[digit][None], 10, 28, 168, 168, 1)
    parts += svg.text(10, 214, f"read as a {label.item()}, {sure.item():.0%} sure", size=13)
    parts += svg.text(200, 76, "the same z, asked for", size=13)
    parts += _image(x, 200, 100, 560, 56, 10)
    parts += "".join(svg.text(228 + 56 * i, 94, str(i), anchor="middle", size=13) for i in range(10))
    parts += (
        f'<rect x="{200 + 56 * digit}" y="100" width="56" height="56" fill="none" stroke="#ff9d2e" stroke-width="3"/>'
    )
    return svg.picture(parts, f"a {digit}, and all ten digits drawn from the same z", 770, 222)


def faces(
    long_hair: float = 0.0, glasses: float = 0.0, smile: float = 0.0, dark_hair: float = 0.0, seed: int = 0
) -> str:
    """What the sliders draw: ten z asked for none of the four attributes, and for what the sliders say."""
    y, z, G = torch.tensor([long_hair, glasses, smile, dark_hair]), z_of(FACES, 10, seed), generator(FACES)
    before, after = draw(G, z, torch.zeros(4)), draw(G, z, y)
    has = (pretrained.reader()(after) > 0).sum(dim=0).tolist()
    parts = svg.text(10, 14, f"{FACES}, averaged. Above: ten z, y = (0, 0, 0, 0). Below: the same z, y = {_row(y)}")
    parts += _image(torch.cat([before, after]), 10, 24, 720, 144, 10)
    words = ", ".join(f"{name} {count}" for name, count in zip(NAMES, has, strict=True))
    parts += svg.text(10, 186, f"of the ten below a reader says: {words}")
    return svg.picture(parts, "ten faces, and the same ten z asked for other attributes", 740, 196)


def _row(y: Tensor) -> str:
    return f"({', '.join(f'{value:g}' for value in y.tolist())})"


def _image(x: Tensor, left: float, top: float, width: float, height: float, columns: int) -> str:
    place = f'x="{left:g}" y="{top:g}" width="{width:g}" height="{height:g}" preserveAspectRatio="none"'
    return f'<image {place} href="{svg.png(svg.grey(tile(x, columns)))}"/>'


class ByLabel:
    """A game on pairs: a row of fakes for each label, by the same ten z; and how many of these are read as asked.

    For digits and faces as `conditional.Pairs` gives them. They are read by `pretrained.classifier()`, or by
    `pretrained.reader()`, all four attributes at once.
    """

    seconds = 0.06

    def measure(self, trainer: Trainer) -> dict[str, float]:
        if not hasattr(trainer.latent, "labels"):
            raise ValueError(
                "latent: has no labels to ask for; views.ByLabel needs a game on pairs, such as "
                "recipes.mnist_conditional"
            )
        with torch.no_grad():
            labels, x = self._labels(trainer), self._drawn(trainer)
            read = pretrained.classifier() if len(labels[0]) == 10 else pretrained.reader()
            right = hits(read(x), labels.repeat_interleave(SHOWN, dim=0)).view(len(x), -1).all(dim=1)
        return seen.record(trainer) | {"read as asked": right.double().mean().item()}

    def draw(self, trainer: Trainer, track: Sequence[dict[str, float]]) -> str:
        labels, x = self._labels(trainer), self._drawn(trainer)
        kinds = len(labels)
        colour = x.dim() == 4
        image = svg.grey(tile(pad(x, (0, 1, 0, 1), value=1.0) if colour else x, SHOWN))
        source = svg.png(image.quantize(method=PIL.Image.Quantize.FASTOCTREE) if colour else image)
        parts = svg.text(40, 16, "each column one z, the same in every frame; raw")
        parts += f'<image x="40" y="24" width="300" height="300" preserveAspectRatio="none" href="{source}"/>'
        for i, y in enumerate(labels.tolist()):
            name = str(y.index(1)) if len(y) == 10 else "".join(f"{value:g}" for value in y)
            parts += svg.text(34, 24 + 300 * (i + 0.5) / kinds + 4, name, anchor="end")
        steps = np.array([note["step"] for note in track])
        ends, few = svg.round_limits([0, 100, steps[-1]]), slice(None, None, 1 + len(track) // 150)
        upper, lower = svg.Box(420, 40, 320, 100, ends, (0, 1)), svg.Box(420, 210, 320, 100, ends, (0, 1))
        chance = 1 / kinds
        for box, guide, names, words in (
            (upper, chance, {"read as asked": "fakes"}, f"share of these that are read as asked (chance {chance:.2f})"),
            (lower, 0.5, {"D(x)": "data", "D(G(z))": "fakes"}, ""),
        ):
            inside = [box.line(ends, (guide, guide), "guide")]
            for name, style in names.items():
                values = np.array([note.get(name, np.nan) for note in track])
                inside.append(box.line(steps[few], values[few], style, width=1.6))
            parts += box.show(inside) + box.x_axis("round" if box is lower else "") + box.y_axis()
            if words:
                parts += svg.text(420, box.top - 10, words)
            else:
                parts += svg.legend([(style, name) for name, style in names.items()], 420, box.top - 12)
        return svg.picture(
            parts, "fakes in a row for each label; how often the label comes out, and D, by step", 770, 345
        )

    def _labels(self, trainer: Trainer) -> Tensor:
        """Digits in their order, and kinds of faces as they are sorted."""
        labels = trainer.latent.labels.cpu()
        return labels[labels.argmax(dim=1).argsort()] if len(labels[0]) == 10 else labels

    def _drawn(self, trainer: Trainer) -> Tensor:
        """The same ten z, asked for each label: (labels 10, ...)."""
        labels, G = self._labels(trainer), trainer.generator
        with seeded(0):
            z = devices.moved(trainer.latent.numbers, "cpu").sample((SHOWN,))
        on = devices.of(G)
        return draw(G, z.repeat(len(labels), 1).to(on), labels.repeat_interleave(SHOWN, dim=0).to(on)).cpu()
