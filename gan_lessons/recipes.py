"""The settings the lessons use, by name. Each returns a ready `Trainer`; any of the trainer's settings can be changed:
`recipes.gaussian(seed=3, k=5)`. RECIPE_generator makes the untrained G and the latent alone, for `pretrained`."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, Normal, Uniform

from gan_lessons import data, losses
from gan_lessons.guards import count, seeded
from gan_lessons.models import (
    AffineGenerator,
    MaxoutDiscriminator,
    MLPDiscriminator,
    MLPGenerator,
    Pack,
    Standardise,
    Unstandardise,
)
from gan_lessons.optimizers import RisingMomentum, adam
from gan_lessons.training import Trainer

PIXELS = 28 * 28
EPOCH = 600  # steps of 100 images


def cosine(fraction: float) -> float:
    """Learning-rate factor: 1 at the start of the schedule, 0 at its end, half a cosine between.

    >>> cosine(0.0), round(cosine(0.5), 3), cosine(1.0)
    (1.0, 0.5, 0.0)
    """
    return (1 + math.cos(math.pi * fraction)) / 2


def gaussian(
    seed: int = 0, start: tuple[float, float] = (480.0, 1.0), standardise: bool = True, **settings: Any
) -> Trainer:
    """Lesson 02: G(z) = mu + sigma z, from start = (mu, sigma), learns N(500, 5^2) in 1,500 steps.

    D = MLP 1-16-16-1, tanh, on x standardised by the mean and sd of a first minibatch of data; standardise=False lets
    it see the raw x near 500, and nothing is learned.

    >>> trainer = gaussian(seed=3, k=5)
    >>> trainer.k, trainer.lr_d, trainer.lr_g, trainer.generator.mu.item()
    (5, 0.01, 0.05, 480.0)
    """
    settings = {"lr_g": 0.05, "steps": 1500} | settings
    make_discriminator = partial(_one_number_D, standardise=standardise)
    return _one_number(make_discriminator, lambda m, s: AffineGenerator(*start), seed, settings)


def gaussian_mlp(seed: int = 0, **settings: Any) -> Trainer:
    """Lesson 02: a generator that was never told the family, MLP 1-16-16-1, learns N(500, 5^2) in 2,000 steps.

    x = m + s net(z), with m, s the mean and sd of a first minibatch of data; D as in `gaussian`.
    """
    return _one_number(_one_number_D, _one_number_G, seed, {"lr_g": 0.001, "steps": 2000} | settings)


def three_bumps(seed: int = 0, pack: int = 1, **settings: Any) -> Trainer:
    """Lesson 06: three modes on the line, weights .2, .6, .2, of which a plain GAN often misses some; 3,000 steps.

    G as in `gaussian_mlp`; D 1-8-8-1, half as wide as G; both rates 0.001 to the end. pack: how many x D sees at once
    (`models.Pack`). What became of 20 seeds, with and without cures: `data.saved_record("collapse_20_seeds")`.
    """

    def make_discriminator(m: Tensor, s: Tensor) -> MLPDiscriminator:
        return MLPDiscriminator(pack, 8, 8, 1, inputs=nn.Sequential(Standardise(m, s), Pack(pack)))

    recipe = {"data": data.bumps(), "lr_d": 0.001, "lr_g": 0.001, "decay": None, "steps": 3000}
    return _one_number(make_discriminator, _one_number_G, seed, recipe | settings)


def ring(seed: int = 0, pack: int = 1, **settings: Any) -> Trainer:
    """Lesson 06: 8 Gaussians on a ring in the plane, of which a plain GAN often misses most; 3,000 steps.

    `plane` with a G of width 32 and a D half as wide. pack and the 20 seeds: as in `three_bumps`.
    """
    return plane(seed, width=32, pack=pack, **{"data": data.ring(), "steps": 3000} | settings)


def plane(seed: int = 0, width: int = 128, pack: int = 1, *, data: Any, **settings: Any) -> Trainer:
    """Any data of two numbers, anything with `.sample((n,))` of shape (n, 2); 5,000 steps.

    G 2-width-width-2, ReLU, from normal z; D 2-width/2-width/2-1, LeakyReLU(0.2); both rates 0.001 to the end.
    Raises ValueError unless width is a whole number >= 2.
    """
    half = count("width", width, least=2) // 2
    with seeded(seed):
        G = MLPGenerator(2, width, width, 2, activation=nn.ReLU, output=nn.Identity())
        D = MLPDiscriminator(2 * pack, half, half, 1, activation=leaky_relu, inputs=Pack(pack))
    recipe = {"latent": _normal(2), "lr_d": 0.001, "lr_g": 0.001, "steps": 5000}
    return Trainer(G, D, data, **(recipe | {"batch_size": 128, "seed": seed, "device": "cpu"} | settings))


def mnist(seed: int = 0, device: str = "auto", **settings: Any) -> Trainer:
    """The nets and settings of the code that the source text cites: three hidden layers each, 200 epochs.

    G 100-256-512-1024-784, ReLU, tanh; D 784-1024-512-256-1, LeakyReLU(0.2); Adam 2e-4 with torch's own betas. That
    code moves G first and halves D's loss, which Adam does not notice; here D moves first, as in Algorithm 1.
    """
    with seeded(seed):
        G, latent = mnist_generator()
        D = MLPDiscriminator(PIXELS, 1024, 512, 256, 1, activation=leaky_relu)
    adam_as_torch = partial(adam, betas=(0.9, 0.999))
    recipe = {"lr_d": 2e-4, "lr_g": 2e-4, "optimizer": adam_as_torch, "steps": 200 * EPOCH, "latent": latent}
    return _digits(G, D, recipe, seed, device, settings)


def mnist_generator() -> tuple[MLPGenerator, Distribution]:
    G = MLPGenerator(100, 256, 512, 1024, PIXELS, activation=nn.ReLU, output=nn.Tanh())
    return G, _normal(100)


def mnist_paper(seed: int = 0, device: str = "auto", **settings: Any) -> Trainer:
    """The paper's own MNIST model, as its authors' published code sets it: 250 epochs over the first 50,000 images.

    G 100-1200-1200-784 from uniform z, ReLU, sigmoid; D two maxout layers of 240 units with 5 pieces, dropout 0.2 on
    pixels and 0.5 on units; SGD 0.1, momentum 0.5 rising to 0.7, rates / 1.000004 a step, both players at once.
    Their code halves D's loss: here lr_d is half of lr_g instead.
    """
    images = data.mnist("train")[:50_000]
    epochs_250 = 250 * len(images) // 100
    steps = settings.get("steps", epochs_250)
    with seeded(seed):
        G, latent = mnist_paper_generator()
        # pixels are in [-1, 1] here and in [0, 1] there: (x + 1) / 2 before D, and 2 sigmoid(a) - 1 at the end of G
        D = MaxoutDiscriminator(PIXELS, 240, 240, 1, pieces=5, dropout=(0.2, 0.5, 0.5), inputs=Standardise(-1, 2))
        _uniform_weights(G, 0.05)
        _uniform_weights(D, 0.005)
    brightness = (images.images.float().mean(0).flatten() / 255).clamp(1e-7, 1 - 1e-7)
    G.net[-1].bias.data.copy_(brightness.logit())  # so that before training G draws each pixel as bright as on average
    recipe = {
        "lr_d": 0.05,
        "lr_g": 0.1,
        "optimizer": partial(RisingMomentum, over=epochs_250),
        "steps": steps,
        "decay": lambda fraction: 1.000004 ** (-fraction * steps),
        "order": "simultaneous",
        "data": images,
        "latent": latent,
    }
    return _digits(G, D, recipe, seed, device, settings)


def mnist_paper_generator() -> tuple[MLPGenerator, Distribution]:
    output = nn.Sequential(nn.Sigmoid(), Unstandardise(-1, 2))
    G = MLPGenerator(100, 1200, 1200, PIXELS, activation=nn.ReLU, output=output)
    return G, Independent(Uniform(-math.sqrt(3) * torch.ones(100), math.sqrt(3)), 1)


def mnist_quick(seed: int = 0, device: str = "auto", latent_dim: int = 64, **settings: Any) -> Trainer:
    """Legible digits in about a minute on two CPU cores: 6 epochs, with a moving average of G.

    G 64-256-512-784 with batch norm, LeakyReLU(0.2), tanh; D 784-512-256-1, LeakyReLU(0.2), dropout 0.3; Adam 1e-3;
    real label 0.9. latent_dim: how many numbers z is. Raises ValueError unless it is a whole number >= 1.
    """
    with seeded(seed):
        G, latent = mnist_quick_generator(latent_dim)
        D = MLPDiscriminator(PIXELS, 512, 256, 1, activation=leaky_relu, dropout=0.3)
    recipe = {"lr_d": 1e-3, "lr_g": 1e-3, "loss": losses.smoothed(0.9), "steps": 6 * EPOCH, "average": 0.999}
    return _digits(G, D, recipe | {"latent": latent}, seed, device, settings)


def mnist_quick_generator(latent_dim: int) -> tuple[MLPGenerator, Distribution]:
    widths = count("latent_dim", latent_dim, least=1), 256, 512, PIXELS
    G = MLPGenerator(*widths, activation=leaky_relu, batch_norm=True, output=nn.Tanh())
    return G, _normal(widths[0])


def mnist_best(seed: int = 0, device: str = "auto", **settings: Any) -> Trainer:
    """The best of all we tried, on the first 50,000 images: 20 epochs, R1 on D, and a moving average of G.

    G 64-512-512-784 with batch norm, LeakyReLU(0.2), tanh; D 784-1024-512-1, LeakyReLU(0.2); Adam 1e-3; R1 0.5. Chosen
    on the last 10,000 training images; everything tried: `data.saved_record("mnist_search")`.
    """
    images = data.mnist("train")[:50_000]
    with seeded(seed):
        G, latent = mnist_best_generator()
        D = MLPDiscriminator(PIXELS, 1024, 512, 1, activation=leaky_relu)
    recipe = {"lr_d": 1e-3, "lr_g": 1e-3, "r1": 0.5, "average": 0.999, "steps": 20 * len(images) // 100}
    return _digits(G, D, recipe | {"data": images, "latent": latent}, seed, device, settings)


def mnist_best_generator() -> tuple[MLPGenerator, Distribution]:
    G = MLPGenerator(64, 512, 512, PIXELS, activation=leaky_relu, batch_norm=True, output=nn.Tanh())
    return G, _normal(64)


leaky_relu = partial(nn.LeakyReLU, 0.2)


# players of one number are made from the mean and sd of a first minibatch of data
Maker = Callable[[Tensor, Tensor], nn.Module]


def _one_number_D(m: Tensor, s: Tensor, standardise: bool = True) -> MLPDiscriminator:
    return MLPDiscriminator(1, 16, 16, 1, inputs=Standardise(m, s) if standardise else None)


def _one_number_G(m: Tensor, s: Tensor) -> MLPGenerator:
    return MLPGenerator(1, 16, 16, 1, output=Unstandardise(m, s))


def _one_number(make_discriminator: Maker, make_generator: Maker, seed: int, settings: dict[str, Any]) -> Trainer:
    source = settings.pop("data", data.gaussian())
    with seeded(seed):
        first = source.sample((128,))
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


def _digits(
    G: nn.Module, D: nn.Module, recipe: dict[str, Any], seed: int, device: str, settings: dict[str, Any]
) -> Trainer:
    recipe = {"data": data.mnist("train"), "batch_size": 100, "seed": seed, "device": device} | recipe
    return Trainer(G, D, **(recipe | settings))


def _normal(dims: int) -> Distribution:
    return Independent(Normal(torch.zeros(dims), 1.0), 1)


def _uniform_weights(net: nn.Module, bound: float) -> None:
    for layer in net.modules():
        if isinstance(layer, nn.Linear):
            nn.init.uniform_(layer.weight, -bound, bound)
            nn.init.zeros_(layer.bias)
