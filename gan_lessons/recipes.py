"""The settings the lessons use, by name. Each returns a ready `Trainer`; any of the trainer's settings can be changed:
`recipes.gaussian(seed=3, k=5)`. RECIPE_generator makes the untrained G and the latent alone, for `pretrained`."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Normal

from gan_lessons import data, laws
from gan_lessons.arguments import count, numbers, truth
from gan_lessons.data import standard_normal
from gan_lessons.devices import seeded
from gan_lessons.digits import (
    mnist,
    mnist_best,
    mnist_best_generator,
    mnist_conditional,
    mnist_conditional_generator,
    mnist_generator,
    mnist_paper,
    mnist_paper_generator,
    mnist_quick,
    mnist_small,
    mnist_small_generator,
)
from gan_lessons.models import (
    AffineGenerator,
    MLPDiscriminator,
    MLPGenerator,
    Pack,
    Standardise,
    Unstandardise,
    Waves,
    leaky_relu,
)
from gan_lessons.optimizers import cosine
from gan_lessons.portraits import (
    faces_conditional,
    faces_conditional_generator,
    faces_dcgan,
    faces_dcgan_generator,
    faces_little,
    faces_lsgan,
    faces_lsgan_generator,
    faces_quick,
)
from gan_lessons.training import Trainer

__all__ = [
    "cosine",
    "faces_conditional",
    "faces_conditional_generator",
    "faces_dcgan",
    "faces_dcgan_generator",
    "faces_little",
    "faces_lsgan",
    "faces_lsgan_generator",
    "faces_quick",
    "gaussian",
    "gaussian_mlp",
    "mnist",
    "mnist_best",
    "mnist_best_generator",
    "mnist_conditional",
    "mnist_conditional_generator",
    "mnist_generator",
    "mnist_paper",
    "mnist_paper_generator",
    "mnist_quick",
    "mnist_small",
    "mnist_small_generator",
    "plane",
    "ring",
    "three_bumps",
]

LEAST_SPREAD = 1e-4  # of the data of `gaussian`, beside their mean


def gaussian(
    seed: int = 0, start: tuple[float, float] | None = None, standardise: bool = True, **settings: Any
) -> Trainer:
    """Lesson 02: G(z) = mu + sigma z, from start = (mu, sigma), learns N(500, 5^2) in 1,500 steps.

    D = MLP 1-16-16-1, tanh, on x standardised by the mean and sd of a first minibatch of data; standardise=False lets
    it see the raw x near 500, and nothing is learned. Unless given, start and lr_g are in the unit of the data: four
    standard deviations below their mean with a fifth of their width, and a hundredth of it a step. Raises ValueError
    for data so narrow beside their mean that the steps would round away.

    >>> trainer = gaussian(seed=3, k=5)
    >>> trainer.k, trainer.lr_d, trainer.lr_g, trainer.generator.mu.item()
    (5, 0.01, 0.05, 480.0)
    """
    source = _numbers(settings.pop("data", data.gaussian()))
    mean, sd = laws.centre(source)
    if start is None:
        if not sd > abs(mean) * LEAST_SPREAD:
            raise ValueError(
                f"data: got mean {mean:g} and standard deviation {sd:g}; mu moves in steps of sd / 100, which a 32-bit "
                f"number near the mean does not keep: take the mean away first, or an sd > {LEAST_SPREAD:g} |mean|"
            )
        start = [float(f"{value:.6g}") for value in (mean - 4 * sd, 0.2 * sd)]
    start = numbers("start", start, length=2)
    settings = {"lr_g": float(f"{0.01 * sd:.6g}"), "steps": 1500, "data": source} | settings
    make_discriminator = partial(_one_number_D, standardise=truth("standardise", standardise))
    return _one_number(make_discriminator, lambda m, s: AffineGenerator(*start), seed, settings)


def gaussian_mlp(seed: int = 0, **settings: Any) -> Trainer:
    """Lesson 02: a generator that was never told the family, MLP 1-16-16-1, learns N(500, 5^2) in 2,000 steps.

    x = m + s net(z), with m, s the mean and sd of a first minibatch of data; D as in `gaussian`.
    """
    return _one_number(_one_number_D, _one_number_G, seed, {"lr_g": 0.001, "steps": 2000} | settings)


def three_bumps(seed: int = 0, pack: int = 1, **settings: Any) -> Trainer:
    """Lesson 07: three modes on the line, weights .2, .6, .2, of which a plain GAN often misses some; 3,000 steps.

    G as in `gaussian_mlp`; D 1-8-8-1, half as wide as G; both rates 0.001 to the end. pack: how many x D sees at once
    (`models.Pack`). What became of 20 seeds, with and without cures: `data.saved_record("collapse_20_seeds")`.
    """

    pack = count("pack", pack, least=1)

    def make_discriminator(m: Tensor, s: Tensor) -> MLPDiscriminator:
        return MLPDiscriminator(pack, 8, 8, 1, inputs=nn.Sequential(Standardise(m, s), Pack(pack)))

    recipe = {"data": data.bumps(), "lr_d": 0.001, "lr_g": 0.001, "decay": None, "steps": 3000}
    return _one_number(make_discriminator, _one_number_G, seed, recipe | settings)


def ring(seed: int = 0, pack: int = 1, **settings: Any) -> Trainer:
    """Lesson 07: 8 Gaussians on a ring in the plane, of which a plain GAN often misses most; 3,000 steps.

    `plane` with a G of width 32 and a D half as wide. pack and the 20 seeds: as in `three_bumps`.
    """
    return plane(seed, width=32, pack=pack, **{"data": data.ring(), "steps": 3000} | settings)


def plane(
    seed: int = 0, width: int = 128, pack: int = 1, waves: bool = False, *, data: Any, **settings: Any
) -> Trainer:
    """Any data of two numbers, anything with `.sample((n,))` of shape (n, 2); 5,000 steps.

    G 2-width-width-2, ReLU, from normal z; D 2-width/2-width/2-1, LeakyReLU(0.2); both rates 0.001 to the end.
    waves: both players see sines and cosines of what they get, too (`models.Waves`), as the letters of a word need.
    Raises ValueError unless width is a whole number >= 2.
    """
    half, pack = count("width", width, least=2) // 2, count("pack", pack, least=1)
    # in two units so many turns: the longest wave is of 8 units, so that D does not take what lies outside for letters
    of_z, of_x = ((0.25, 0.5), (0.25, 0.5, 1.0, 2.0)) if truth("waves", waves) else ((), ())
    n_in, n_seen = 2 * (1 + 2 * len(of_z)), 2 * pack * (1 + 2 * len(of_x))
    with seeded(seed):
        G = MLPGenerator(n_in, width, width, 2, activation=nn.ReLU, output=nn.Identity())
        inputs = nn.Sequential(Pack(pack), Waves(*of_x)) if waves else Pack(pack)
        D = MLPDiscriminator(n_seen, half, half, 1, activation=leaky_relu, inputs=inputs)
        G = nn.Sequential(Waves(*of_z), G) if waves else G
    recipe = {"latent": standard_normal(2), "lr_d": 0.001, "lr_g": 0.001, "steps": 5000}
    return Trainer(G, D, data, **(recipe | {"batch_size": 128, "seed": seed, "device": "cpu"} | settings))


# players of one number are made from the mean and sd of a first minibatch of data
Maker = Callable[[Tensor, Tensor], nn.Module]


def _one_number_D(m: Tensor, s: Tensor, standardise: bool = True) -> MLPDiscriminator:
    return MLPDiscriminator(1, 16, 16, 1, inputs=Standardise(m, s) if standardise else None)


def _one_number_G(m: Tensor, s: Tensor) -> MLPGenerator:
    return MLPGenerator(1, 16, 16, 1, output=Unstandardise(m, s))


def _one_number(make_discriminator: Maker, make_generator: Maker, seed: int, settings: dict[str, Any]) -> Trainer:
    source = _numbers(settings.pop("data", data.gaussian()))
    with seeded(seed):
        first = source.sample((128,)).to(torch.get_default_dtype())
        m, s = first.mean(), first.std()
        D, G = make_discriminator(m, s), make_generator(m, s)
    # nets this small are slower on a GPU
    recipe = {
        "latent": Normal(0.0, 1.0),
        "lr_d": 0.01,
        "batch_size": 128,
        "decay": cosine,
        "seed": seed,
        "device": "cpu",
    }
    return Trainer(G, D, source, **(recipe | settings))


def _numbers(own: Any) -> Any:
    """A source of single numbers that are not all the same."""
    source = data.source("data", own)
    shape, sd = laws.shape(source), 0.0 if laws.shape(source) else laws.centre(source)[1]
    if shape or not sd > 0:
        what = f"x of shape {tuple(shape)}" if shape else "one number only"
        raise ValueError(f"data: got {what}; this recipe learns single numbers that are not all the same")
    return source
