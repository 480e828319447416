"""The kinds of data that the playground has, and what can be set for each."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch.distributions import Distribution, Independent, Normal, Uniform

from gan_lessons import data, recipes
from gan_lessons.training import Trainer
from gan_lessons.views import Figure1, Images, Plane

NUMBER, PLANE, PICTURES = "one number", "points of the plane", "pictures"
VIEWS = {NUMBER: Figure1, PLANE: Plane, PICTURES: Images}
SPEED = {NUMBER: 5, PLANE: 10**9, PICTURES: 10**9}  # rounds a frame: walks are watched, shapes are waited for
EVERYWHERE = ("k", "lr_d", "lr_g", "loss", "batch_size", "r1", "r2")
SETTINGS = {  # that make sense for each
    NUMBER: (*EVERYWHERE, "optimizer", "latent"),
    PLANE: (*EVERYWHERE, "optimizer", "latent", "width"),
    PICTURES: EVERYWHERE,
}
TRAVELS = ("k", "loss")  # to data of another sort, if the learner has moved it; rates and penalties are in other units


class Kind(NamedTuple):
    """A kind of data: its words, what it is of, and the recipe that learns it, with the settings for a typed text."""

    words: str
    family: str
    recipe: Callable[..., Trainer]
    settings: Callable[[str], dict[str, Any]] = lambda text: {}


SHAPE = {"k": 2, "lr_d": 0.002}  # with the recipe's k = 1 and 0.001 D is too slow to hold the fakes to a thin line
# thin strokes: without waves and friction a name stays a smear (of five words none was read after 3,000 rounds)
WORD = {"waves": True, "lr_d": 0.002, "r1": 0.05, "penalty_every": 2}
KINDS = {
    "gaussian": Kind("one number: N(500, 5²)", NUMBER, recipes.gaussian),
    "bumps": Kind("one number: three bumps", NUMBER, recipes.three_bumps),
    "ring": Kind("plane: a ring of 8", PLANE, recipes.plane, lambda text: {"data": data.ring(), "width": 32}),
    "grid": Kind("plane: a grid of 25", PLANE, recipes.plane, lambda text: {"data": data.grid(), **SHAPE}),
    "moons": Kind("plane: two moons", PLANE, recipes.plane, lambda text: {"data": data.moons(), **SHAPE}),
    "spiral": Kind("plane: a spiral", PLANE, recipes.plane, lambda text: {"data": data.spiral(), **SHAPE}),
    "word": Kind("plane: a word you type", PLANE, recipes.plane, lambda text: {"data": data.word(text), **WORD}),
    "digits": Kind("pictures: digits", PICTURES, recipes.mnist_quick),
    "faces": Kind("pictures: faces", PICTURES, recipes.faces_quick),
}


def known(kind: str) -> tuple[str, ...]:
    """The settings that make sense for a kind of data."""
    return (*SETTINGS[KINDS[kind].family], *(["start"] if kind == "gaussian" else []))


def own(kind: str, text: str, trainer: Trainer) -> dict[str, tuple[Any, ...]]:
    """What inputs hold where nothing was moved: what a fresh trainer of this kind has."""
    held = {name: (getattr(trainer, name),) for name in EVERYWHERE} | {"loss": (trainer.loss.name,)}
    held |= {"latent": ("normal",), "optimizer": ("Adam",), "width": (KINDS[kind].settings(text).get("width", 128),)}
    return held | {"start": ((480.0, 1.0),)}


def latent(kind: str, name: str) -> tuple[Distribution, str | None]:
    """z of one number or of two, and the code that makes it."""
    low, code = -(3**0.5), {"normal": "Normal(0.0, 1.0)", "uniform": "Uniform(-(3**0.5), 3**0.5)"}
    if KINDS[kind].family == NUMBER:
        return {"normal": Normal(0.0, 1.0), "uniform": Uniform(low, -low)}[name], code[name]
    ends = low * torch.ones(2)
    both = {"normal": data.standard_normal(2), "uniform": Independent(Uniform(ends, -ends), 1)}
    return both[name], {"normal": "data.standard_normal(2)"}.get(name)
