"""Faces that follow sliders: each z moved along the directions of four attributes, as a small SVG picture."""

from functools import cache

import torch
from torch import Tensor, nn

from gan_lessons import attributes, data, pretrained, svg
from gan_lessons.devices import seeded
from gan_lessons.tiles import tile

NAME = "faces_dcgan, averaged"
NAMES = data.ATTRIBUTES


@cache
def generator() -> nn.Module:
    return pretrained.load("faces_dcgan", average=True)


@cache
def draws(n: int = 2000, seed: int = 0) -> tuple[Tensor, Tensor]:
    """z, (n, 32), and what the reader says of their faces, (n, 4) of True and False."""
    with seeded(seed):
        z = generator().latent.sample((n,))
    return z, attributes.reading(generator())(z)


@cache
def directions() -> Tensor:
    """For each attribute its direction in z, (4, 32)."""
    return attributes.linear_rule(*draws()).directions


def maps_of(attribute: str, k: int) -> list[int]:
    """The k maps on which the reader's answer rests most, over 300 faces with the attribute."""
    a = NAMES.index(attribute)
    z, yes = draws()
    share = attributes.rests_on(generator(), attributes.maps(generator(), z[yes[:, a]][:300]), a)
    return share.topk(k).indices.tolist()


def row(seed: int, n: int = 10) -> Tensor:
    """z of a row of faces, (n, 32)."""
    with seeded(seed + 100):
        return generator().latent.sample((n,))


def moved(
    glasses: float = 0.0, smile: float = 0.0, long_hair: float = 0.0, dark_hair: float = 0.0, seed: int = 0
) -> str:
    """What the sliders draw: ten faces, each z moved by so much along the direction of each attribute."""
    steps = torch.tensor([long_hair, glasses, smile, dark_hair])
    z = row(seed)
    x = generator()(torch.cat([z, z + steps @ directions()]))
    has = (pretrained.reader()(x[10:]) > 0).sum(dim=0).tolist()
    source = svg.png(svg.grey(tile(x, 10)))
    parts = svg.text(10, 14, f"{NAME}. Above: G(z) for ten z. Below: the same z, moved")
    parts += f'<image x="10" y="24" width="720" height="144" preserveAspectRatio="none" href="{source}"/>'
    words = ", ".join(f"{name} {count}" for name, count in zip(NAMES, has, strict=True))
    parts += svg.text(10, 186, f"of the ten below a reader says: {words}")
    return svg.picture(parts, "ten faces, and the same ten after their z were moved", 740, 196)
