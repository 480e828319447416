"""What a panel says: the state of the game in a sentence, and the line of code that makes the very run it shows."""

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.distributions import Categorical, MixtureSameFamily, Normal, Uniform

from gan_lessons import data, losses
from gan_lessons.training import Trainer

LOSSES = {"loss_d": "D's loss is", "loss_g": "G's loss is"}
RECIPES = [f"gan_lessons.{room}" for room in ("recipes", "digits", "portraits")]  # `recipes` has them all


def state(trainer: Trainer, view: Any, measured: dict[str, float], turn: int) -> str:
    """Where the game is, in one line. measured: what the view measured; turn: how many D has had in this round.

    A view may have words of its own for what it measures, a method `words(measured)`.

    >>> from gan_lessons import recipes
    >>> state(recipes.gaussian(), None, {"mean": 497.31, "sd": 6.08, "D(x)": 0.61, "D(G(z))": 0.38}, turn=0)
    "Round 0: fakes have mean 497.3 and spread 6.1. D gives data .61 and fakes .38. Next: D's turn 1 of 1."
    """
    begin, end = f"Round {trainer.steps_done}:", f"Next: {_next(trainer, turn)}."
    if hasattr(view, "words"):
        return f"{begin} {view.words(measured)} {end}"
    rest = {name: value for name, value in measured.items() if name not in ("step", *LOSSES)}
    said = []
    if {"mean", "sd"} <= rest.keys():
        mean, sd = rest.pop("mean"), rest.pop("sd")
        digits = 1 - math.floor(math.log10(sd)) if 0 < sd < 1 else 1  # two that count of a small spread
        said.append(f"fakes have mean {mean:.{min(digits, 5)}f} and spread {sd:.{min(digits, 5)}f}")
    opinion = [rest.pop(name) for name in ("D(x)", "D(G(z))") if name in rest]
    said += [f"{name} {_short(value)}" for name, value in rest.items()]
    if len(opinion) == 2:
        said.append("D gives data {} and fakes {}".format(*map(_short, opinion)))
    if not said:  # pictures before the first round, and under a loss without D(x)
        said = [f"{words} {_short(measured[name])}" for name, words in LOSSES.items() if name in measured]
    said = said or ["nothing is learned yet"]
    return " ".join([begin, *(f"{one}." for one in said), end])


def numbers(trainer: Trainer, measured: dict[str, float]) -> str:
    """The settings that are played with, and both losses."""
    rates = f"k = {trainer.k}, lr_d = {trainer.lr_d:g}, lr_g = {trainer.lr_g:g}"
    return ", ".join([rates, *(f"{name} = {measured[name]:.3f}" for name in LOSSES if name in measured)])


def _next(trainer: Trainer, turn: int) -> str:
    if trainer.order == "simultaneous":
        return "both players at once"
    if turn < trainer.k:
        return f"D's turn {turn + 1} of {trainer.k}"
    return "G's turn" if trainer.k else "G's turn, D is frozen"


def _short(value: float) -> str:
    """.61 for 0.61, a whole number as it is."""
    return str(value) if isinstance(value, int) else re.sub(r"^(-?)0\.", r"\1.", f"{value:.2f}")


def line(recipe: Callable[..., Trainer], arguments: dict[str, str | None], afterwards: list[str]) -> str:
    """The call of a recipe, and in a comment what it leaves out.

    arguments: the code of each; None where there is no code that makes it again. afterwards: what was done to the
    trainer since, in words.
    """
    name = getattr(recipe, "__name__", "")
    known = name.isidentifier()  # a lambda's name is not
    name = f"recipes.{name}" if recipe.__module__ in RECIPES else name if known else "recipe"
    words = [] if known else ["with the recipe you gave"]
    words += [f"with the {argument} you gave" for argument, text in arguments.items() if text is None]
    call = ", ".join(f"{argument}={text}" for argument, text in arguments.items() if text is not None)
    words += [f"but {', '.join(afterwards)}"] if afterwards else []
    return f"{name}({call})" + (f"  # {', '.join(words)}" if words else "")


def code(value: Any) -> str | None:
    """The code that makes a value again, in a lesson's names; None where we know none.

    >>> code(Normal(500.0, 5.0)), code(data.bumps((0, 9), (1, 1), (1, 3))), code(object())
    ('Normal(500.0, 5.0)', 'data.bumps(means=(0.0, 9.0), sds=(1.0, 1.0), weights=(0.25, 0.75))', None)
    """
    if value is None or type(value) in (bool, int, float, str):
        return repr(value)
    if isinstance(value, np.generic):
        return code(value.item())
    if type(value) in (tuple, list):
        parts = [code(part) for part in value]
        inside = ", ".join(parts) if None not in parts else None
        brackets = "[{}]" if isinstance(value, list) else "({},)" if len(parts) == 1 else "({})"
        return None if inside is None else brackets.format(inside)
    if type(value) in (Normal, Uniform) and not value.batch_shape:
        names = ("loc", "scale") if isinstance(value, Normal) else ("low", "high")
        return f"{type(value).__name__}({', '.join(str(number(getattr(value, name))) for name in names)})"
    if isinstance(value, data.Blurred):
        return f"data.{value.name}"
    if isinstance(value, MixtureSameFamily):
        return _bumps(value) or _points(value)
    if isinstance(value, losses.Loss):
        made_there = "(" in value.name and value.discriminator.__module__ == losses.__name__  # such as smoothed(0.9)
        return f"losses.{value.name}" if made_there or losses.NAMED.get(value.name) is value else None
    return _imported(value)


def _imported(value: Any) -> str | None:
    """A function or class that a lesson's imports reach."""
    name, module = getattr(value, "__qualname__", "."), getattr(value, "__module__", None) or ""
    if not name.isidentifier():
        return None
    if module.startswith("torch.optim"):
        return f"torch.optim.{name}" if getattr(torch.optim, name, None) is value else None
    room = module.removeprefix("gan_lessons.")
    return f"{room}.{name}" if room in ("data", "losses", "optimizers", "recipes") else None


def _bumps(mixture: MixtureSameFamily) -> str | None:
    """`data.bumps(...)`, if that gives the same mixture to the last bit; else None."""
    bumps, shares = mixture.component_distribution, mixture.mixture_distribution
    if type(bumps) is not Normal or type(shares) is not Categorical or bumps.loc.dim() != 1:
        return None
    exact = [tensor.tolist() for tensor in (bumps.loc, bumps.scale, shares.probs)]
    for digits in (4, 6, None):  # weights as a person writes them, if those will do
        means, sds, weights = (tuple(one if digits is None else round(one, digits) for one in part) for part in exact)
        again = data.bumps(means, sds, weights)
        pairs = zip(
            (again.component_distribution.loc, again.component_distribution.scale, again.mixture_distribution.probs),
            (bumps.loc, bumps.scale, shares.probs),
            strict=True,
        )
        if all(torch.equal(a, b) for a, b in pairs):
            return f"data.bumps(means={means}, sds={sds}, weights={weights})"
    return None


def _points(mixture: MixtureSameFamily) -> str | None:
    """`data.ring()` or `data.grid()`, if it is one of them."""
    for name, usual in (("ring", data.ring()), ("grid", data.grid())):
        ours, theirs = mixture.component_distribution, usual.component_distribution
        if type(ours) is type(theirs) and all(map(torch.equal, (ours.mean, ours.stddev), (theirs.mean, theirs.stddev))):
            return f"data.{name}()"
    return None


def number(value: torch.Tensor) -> float:
    """The shortest number that is this one in 32 bits: 0.1 for the float32 nearest to it."""
    return float(str(value.detach().cpu().numpy()[()]))
