"""Data of the plane: a grid of Gaussians, two moons, a spiral, and a word that is typed."""

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from gan_lessons.arguments import count, number, shown
from gan_lessons.pictures import Sample

HALF = 2.0  # a word's longer side reaches from -HALF to HALF
PIXELS = 80  # of a letter's height, when a word is drawn
LONGEST = 12  # letters
NOWHERE = "\U0010fffd"  # no font has it: it looks as what a font lacks


@dataclass(frozen=True)
class Blurred(Sample):
    """Points on a shape, each draw blurred by N(0, sd^2) in every coordinate; name: what stands after `data.` in code.

    >>> Blurred(torch.zeros(1, 2), sd=0.5, name="a_dot").sample((3,)).shape
    torch.Size([3, 2])
    """

    sd: float
    name: str

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "sd", number("sd", self.sd, least=0))

    def sample(self, shape: tuple[int, ...]) -> Tensor:
        x = super().sample(shape)
        return x + self.sd * torch.randn_like(x)


def grid(side: int = 5, apart: float = 1.0, sd: float = 0.1) -> MixtureSameFamily:
    """side x side Gaussians of one weight, `apart` from one another around (0, 0); `.sample((n,))` has shape (n, 2).

    >>> grid().component_distribution.mean[[0, -1]].tolist()
    [[-2.0, -2.0], [2.0, 2.0]]
    """
    side = count("side", side, least=1, most=100)
    apart, sd = number("apart", apart, above=0), number("sd", sd, above=0)
    along = (torch.arange(side) - (side - 1) / 2) * apart
    centres = torch.cartesian_prod(along, along).reshape(-1, 2)  # (side^2, 2)
    return MixtureSameFamily(Categorical(torch.ones(len(centres))), Independent(Normal(centres, sd), 1))


def moons(sd: float = 0.08) -> Blurred:
    """Two half circles of radius 4/3 that reach into each other; `.sample((n,))` has shape (n, 2).

    >>> moons(sd=0).sample((1000,)).abs().amax() <= 2
    tensor(True)
    """
    angle = (torch.arange(500) + 0.5) / 500 * math.pi
    upper = torch.stack([angle.cos() - 0.5, angle.sin() - 0.25], dim=1)  # (500, 2)
    both = torch.cat([upper, -upper]) * 4 / 3
    return Blurred(both, sd, "moons()" if sd == 0.08 else f"moons(sd={sd!r})")


def spiral(turns: float = 1.5, sd: float = 0.05) -> Blurred:
    """A spiral from near (0, 0) outwards to radius 2, evenly along its arm; `.sample((n,))` has shape (n, 2).

        (x, y) = r (cos t, sin t),   r = 2 t / t_max,   t from t_max / 12 to t_max = 2 pi turns

    >>> spiral(sd=0).x.norm(dim=1).max() <= 2
    tensor(True)
    """
    turns = number("turns", turns, above=0, most=20)
    share = torch.linspace(1 / 144, 1, 1000).sqrt()  # an arm's length grows with the square of its angle
    angle = share * turns * 2 * math.pi
    points = HALF * share[:, None] * torch.stack([angle.cos(), angle.sin()], dim=1)
    given = {"turns": (turns, 1.5), "sd": (sd, 0.05)}
    said = ", ".join(f"{name}={value!r}" for name, (value, usual) in given.items() if value != usual)
    return Blurred(points, sd, f"spiral({said})")


def word(text: str, sd: float = 0.02, font: str | Path | None = None) -> Blurred:
    """The letters of a word as data of the plane: x is a point of their ink; `.sample((n,))` has shape (n, 2).

    Drawn in Pillow's own font, or, where that lacks a letter, in one of this machine that has all of them; font: a file
    of yours, .ttf or .otf. The longer side reaches from -2 to 2. Raises ValueError for what cannot be drawn.

    >>> word("GAN").sample((5,)).shape
    torch.Size([5, 2])
    """
    if not isinstance(text, str) or not 1 <= len(text.strip()) <= LONGEST or not text.isprintable():
        raise ValueError(f"text: got {shown(text)}; it must be a word of 1 to {LONGEST} letters in one line")
    ink = np.argwhere(_mask(text.strip(), _font(text.strip(), font)) > 127)[:, ::-1].astype(float)  # (n, 2)
    if len(ink) == 0:
        raise ValueError(f"text: got {shown(text)}, which leaves no ink; {_allowed()}")
    middle, half = (ink.max(0) + ink.min(0)) / 2, (ink.max(0) - ink.min(0) + 1).max() / 2
    points = (ink - middle) / half * HALF * (1, -1)  # rows of a picture go down
    return Blurred(torch.tensor(points, dtype=torch.get_default_dtype()), sd, f"word({text.strip()!r})")


def _allowed() -> str:
    return 'Latin letters, digits and signs can always be drawn, others with font="path/to/a/font.ttf"'


def _mask(text: str, font: Any) -> np.ndarray:
    """How much ink each pixel has, 0 to 255, (rows, columns)."""
    left, top, right, bottom = map(int, font.getbbox(text))
    image = Image.new("L", (max(right - left, 1), max(bottom - top, 1)))
    ImageDraw.Draw(image).text((-left, -top), text, fill=255, font=font)
    return np.asarray(image)


def _font(text: str, own: str | Path | None) -> Any:
    """The first font that has every letter of a text."""
    if own is not None:
        try:
            fonts = [ImageFont.truetype(str(own), PIXELS)]
        except OSError as error:
            raise ValueError(f"font: got {shown(own)}; it must be a file .ttf or .otf ({error})") from error
    else:
        fonts = [ImageFont.load_default(PIXELS)]
        fonts += [] if not _lacks(fonts[0], text) else filter(None, map(_opened, _files()))
    lacking = ""
    for font in fonts:
        missing = _lacks(font, text)
        if not missing:
            return font
        lacking = lacking or missing
    raise ValueError(f"text: got {shown(text)}; no font was found that has {lacking!r}. {_allowed()}")


def _lacks(font: Any, text: str) -> str:
    """The letters that a font draws as it draws what it does not have."""
    if not hasattr(font, "font"):  # Pillow built without FreeType has Latin letters of one size alone
        return "".join(letter for letter in text if not letter.isascii())
    nothing = _mask(NOWHERE, font)
    masks = {letter: _mask(letter, font) for letter in set(text) if not letter.isspace()}
    return "".join(letter for letter in text if letter in masks and np.array_equal(masks[letter], nothing))


@lru_cache(1)
def _files() -> tuple[str, ...]:
    """The fonts of this machine, first the one that comes with matplotlib."""
    from matplotlib import font_manager  # takes half a second where nothing was drawn yet

    own = Path(font_manager.__file__).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
    return (str(own), *sorted(font_manager.findSystemFonts()))


def _opened(path: str) -> Any:
    try:
        return ImageFont.truetype(path, PIXELS)
    except OSError:
        return None
