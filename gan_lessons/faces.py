"""Faces of 32 x 32 pixels in colour, drawn from signed distances: four attributes of each are set, the rest varies."""

import torch
from torch import Tensor

ATTRIBUTES = ("long hair", "glasses", "smile", "dark hair")
SIDE = 32
RANGES = {  # of everything that varies smoothly; lengths in halves of the picture's width, colours from 0 to 1
    "x": (-0.08, 0.08),  # the middle of the face; y grows downwards
    "y": (-0.02, 0.08),
    "width": (0.45, 0.54),  # half of the face's
    "height": (0.56, 0.66),
    "skin": (0, 1),
    "hair": (0, 1),
    "fringe": (0.36, 0.52),  # how far above the middle it ends, in heights of the face
    "eyes": (0.19, 0.23),  # from the middle of the face to the middle of an eye
    "brows": (0.15, 0.19),
    "mouth": (0, 1),
    "red": (0.75, 0.95),  # the background
    "green": (0.82, 0.97),
    "blue": (0.88, 1.0),
    "shirt red": (0.2, 0.8),
    "shirt green": (0.2, 0.8),
    "shirt blue": (0.2, 0.8),
}


def draw(attributes: Tensor, rng: torch.Generator) -> Tensor:
    """Faces with these attributes, drawn back to front. (n, 4) of 0 and 1, columns as in ATTRIBUTES -> (n, 3, 32, 32).

    All that is in RANGES is drawn from rng, each number uniformly. Pixels are in [0, 1].

    >>> draw(torch.eye(4), torch.Generator().manual_seed(0)).shape
    torch.Size([4, 3, 32, 32])
    """
    n = len(attributes)
    low, high = torch.tensor(list(RANGES.values())).T  # (numbers,) each
    drawn = low + (high - low) * torch.rand(n, len(RANGES), generator=rng)
    return _paint(attributes.float().T[..., None, None], dict(zip(RANGES, drawn.T[..., None, None], strict=True)))


def _paint(attributes: Tensor, p: dict[str, Tensor]) -> Tensor:
    """The picture. attributes: (4, n, 1, 1); p: name -> (n, 1, 1)."""
    long, glasses, smile, dark = attributes
    at = (torch.arange(SIDE) + 0.5) * (2 / SIDE) - 1
    x, y = at - p["x"], at[:, None] - p["y"]  # (n, 1, 32), (n, 32, 1): seen from the middle of the face
    width, height, fair = p["width"], p["height"], 1 - dark
    skin = _colour(0.99 - 0.44 * p["skin"], 0.85 - 0.47 * p["skin"], 0.74 - 0.48 * p["skin"])
    hair = _colour(
        fair * (0.95 - 0.14 * p["hair"]) + dark * (0.12 + 0.16 * p["hair"]),
        fair * (0.80 - 0.16 * p["hair"]) + dark * (0.09 + 0.10 * p["hair"]),
        fair * (0.40 - 0.10 * p["hair"]) + dark * (0.10 + 0.05 * p["hair"]),
    )
    black, white, lips = _colour(0.09, 0.09, 0.13), _colour(1.0, 1.0, 1.0), _colour(0.74, 0.17, 0.22)

    image = _colour(p["red"], p["green"], p["blue"]).expand(len(x), 3, SIDE, SIDE).clone()
    cap = _ellipse(x, y + 0.12, width + 0.11, height * 0.92)
    fall = torch.maximum(_ellipse(x, y + 0.02, width + 0.2, height + 0.16), y - 0.72)
    curtain = torch.maximum(x.abs() - width - 0.19, torch.maximum(-y, y - 0.72))
    _over(
        image, hair, long * _inside(torch.minimum(fall, curtain)) + (1 - long) * _inside(torch.maximum(cap, y - 0.05))
    )
    _over(image, _colour(p["shirt red"], p["shirt green"], p["shirt blue"]), _inside(_ellipse(x, y - 1.1, 0.82, 0.38)))
    _over(image, 0.86 * skin, _inside(_box(x, y - height, 0.17, 0.2)))  # the neck
    _over(image, 0.92 * skin, (1 - long) * _inside(_ellipse(x.abs() - width, y - 0.04, 0.09, 0.13)))  # the ears
    _over(image, skin, _inside(_ellipse(x, y, width, height)))
    head = _ellipse(x, y, width + 0.03, height + 0.03)
    _over(image, hair, _inside(torch.maximum(head, y + p["fringe"] * height - 0.3 * x.square())))

    eye = x.abs() - p["eyes"]  # both at once
    _over(image, 0.8 * hair, _inside(_box(eye, y + p["brows"], 0.1, 0.02)))
    _over(image, white, _inside(_ellipse(eye, y, 0.11, 0.085)))
    _over(image, black, _inside(_ellipse(eye, y, 0.055, 0.07)))
    _over(image, 0.8 * skin, _inside(_box(x, y - 0.17, 0.035, 0.06)))  # the nose
    _over(image, (0.9 * skin + 0.1 * lips), _inside(_ellipse(x.abs() - 0.3, y - 0.24, 0.1, 0.07)))

    middle = y - 0.52 * height
    wide = 0.25 + 0.06 * p["mouth"]
    bend = 1 - (x / wide).square()  # 1 in the middle, 0 at the corners of the mouth
    upper, lower = 0.05 * bend - 0.06, 0.22 * bend - 0.06
    _over(image, lips, smile * _inside(torch.maximum(upper - 0.02 - middle, middle - lower)))
    _over(image, white, smile * _inside(torch.maximum(upper - middle, middle - upper - 0.07 * bend)))
    straight = _box(x, middle - 0.6 * (0.5 - p["mouth"]) * x.square(), 0.13 + 0.05 * p["mouth"], 0.025)
    _over(image, lips, (1 - smile) * _inside(straight))

    rims = _ellipse(eye, y, 0.17, 0.155).abs() - 0.025
    bridge = _box(x, y, p["eyes"] - 0.16, 0.02)
    arms = torch.maximum(x.abs() - width, torch.maximum(p["eyes"] + 0.16 - x.abs(), y.abs() - 0.02))
    _over(image, black, glasses * _inside(torch.minimum(rims, torch.minimum(bridge, arms))))
    return image.clamp_(0, 1)


def _colour(red: Tensor | float, green: Tensor | float, blue: Tensor | float) -> Tensor:
    """(n, 1, 1) or one number each -> (n, 3, 1, 1), or (1, 3, 1, 1)."""
    return torch.stack([torch.as_tensor(value).reshape(-1, 1, 1) for value in (red, green, blue)], dim=1)


def _ellipse(x: Tensor, y: Tensor, a: Tensor | float, b: Tensor | float) -> Tensor:
    """About how far from the ellipse of half axes a and b: negative inside."""
    shorter = torch.minimum(torch.as_tensor(a), torch.as_tensor(b))
    return (((x / a).square() + (y / b).square()).sqrt() - 1) * shorter


def _box(x: Tensor, y: Tensor, a: Tensor | float, b: float) -> Tensor:
    """The same for a box of half widths a and b."""
    return torch.maximum(x.abs() - a, y.abs() - b)


def _inside(distance: Tensor) -> Tensor:
    """How much of a pixel lies inside, from its distance: 1/2 on the edge, which is about a pixel wide."""
    return (0.5 - distance * (SIDE / 2)).clamp(0, 1)


def _over(image: Tensor, colour: Tensor, share: Tensor) -> None:
    """Paint a colour (n, 3, 1, 1) over this share (n, 32, 32) of each pixel."""
    image.lerp_(colour.expand_as(image), share[:, None].expand_as(image))
