"""Moving z while G stands still, as small SVG pictures: a page of all digits, a nudge, a walk."""

from functools import cache, lru_cache

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from gan_lessons import svg
from gan_lessons.latent import NORMAL, directions, draws, generator, on_the_sphere, places, read, straight
from gan_lessons.tiles import tile

LINE, ARC, PIXELS = "straight", "on the sphere", "in pixels"
NAME, ORANGE = "mnist_small_z64, averaged", "#ff9d2e"  # orange is seen on black and on white
STOPS, LEG = 9, 80  # of the tour: draws of z, and frames from one to the next


@cache
def atlas(tiles: int = 20) -> Tensor:
    """G of a grid of equally likely places, (28 tiles, 28 tiles): z_1 to the right, z_2 upwards."""
    return tile(generator(2)(places(tiles)), tiles)


@cache
def _atlas_png() -> str:
    return svg.png(svg.grey(avg_pool2d(atlas()[None], 2)[0]).quantize(16))


def page(z_1: float = -1.0, z_2: float = 1.0) -> str:
    """What the sliders draw: all that one G can make, the place where one is, and the digit there."""
    z = torch.tensor([[z_1, z_2]])
    x = generator(2)(z)
    label, sure = read(x)
    across, up = (NORMAL.cdf(z)[0] * 400).tolist()
    parts = f'<image x="40" y="30" width="400" height="400" href="{_atlas_png()}"/>'
    parts += svg.text(240, 20, "mnist_small_z2, averaged: every z draws one digit", anchor="middle")
    for value in (-2, -1, 0, 1, 2):
        place = 400 * NORMAL.cdf(torch.tensor(float(value))).item()
        parts += svg.text(40 + place, 446, str(value), anchor="middle")
        parts += svg.text(34, 434 - place, str(value), anchor="end")
    parts += svg.text(240, 464, "z_1", anchor="middle") + svg.text(6, 22, "z_2")
    parts += (
        f'<circle cx="{40 + across:.1f}" cy="{430 - up:.1f}" r="8" fill="none" stroke="{ORANGE}" stroke-width="4"/>'
    )
    parts += _picture(x, 470, 90, 196) + svg.text(568, 80, f"G({z_1:.2f}, {z_2:.2f})", anchor="middle", size=15)
    parts += svg.text(568, 310, f"read as a {label.item()}, {sure.item():.0%} sure", anchor="middle", size=15)
    return svg.picture(parts, f"a page of digits, and the one at ({z_1:.2f}, {z_2:.2f})", 690, 472)


def _picture(x: Tensor, left: float, top: float, size: int) -> str:
    source = svg.png(svg.grey(x.view(28, 28)))
    return f'<image x="{left:g}" y="{top:g}" width="{size}" height="{size}" href="{source}"/>'


@lru_cache(64)
def ways_at(seed: int) -> tuple[Tensor, Tensor]:
    z = draws(1, seed)[0]
    return z, directions(generator(64), z)[0]


def nudge(direction: int = 1, step: float = 0.0, seed: int = 0) -> str:
    """What the sliders draw: G(z), and G(z + step d) for one of 64 directions."""
    z, ways = ways_at(seed)
    before, after = generator(64)(torch.stack([z, z + step * ways[direction - 1]]))
    label, sure = read(after[None])
    parts = _picture(before, 10, 30, 196) + _picture(after, 226, 30, 196) + _picture((after - before) / 2, 442, 30, 196)
    for left, words in (
        (108, "G(z)"),
        (324, f"G(z {'-' if step < 0 else '+'} {abs(step):.1f} d)"),
        (540, "difference"),
    ):
        parts += svg.text(left, 20, words, anchor="middle", size=14)
    words = f"direction {direction} of 64 at this z: read as a {label.item()}, {sure.item():.0%} sure. {NAME}"
    return svg.picture(parts + svg.text(10, 246, words), "a digit before and after a step of z", 650, 256)


def tour(frame: int = 40, seed: int = 7) -> str:
    """What the walk draws: three ways from one draw to the next, at the same share of the way."""
    G, z = generator(64), draws(STOPS, seed)
    leg, t = min(frame // LEG, STOPS - 2), frame / LEG - min(frame // LEG, STOPS - 2)
    a, b = z[leg : leg + 2]
    line, arc = straight(a, b, t), on_the_sphere(a, b, t)
    x = torch.cat([straight(G(a[None]), G(b[None]), t), G(torch.stack([line, arc]))])
    parts = svg.text(10, 14, f"from draw {leg + 1} to draw {leg + 2}, t = {t:.2f}. {NAME}")
    words = "", f", |z| = {line.norm():.1f}", f", |z| = {arc.norm():.1f}"
    for i, name in enumerate((PIXELS, LINE, ARC)):
        parts += _picture(x[i], 10 + 216 * i, 48, 196)
        parts += svg.text(108 + 216 * i, 40, name + words[i], anchor="middle", size=14)
    return svg.picture(parts, "one digit on its way to another, in three ways", 660, 250)
