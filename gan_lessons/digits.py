"""The recipes for digits, which `recipes` has by the same names."""

import math
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, Uniform

from gan_lessons import data, losses
from gan_lessons.arguments import count, one_of
from gan_lessons.conditional import TOLD, Asked, ConditionalDiscriminator, ConditionalGenerator, Pairs
from gan_lessons.devices import seeded
from gan_lessons.models import (
    MaxoutDiscriminator,
    MLPDiscriminator,
    MLPGenerator,
    Standardise,
    Unstandardise,
    leaky_relu,
)
from gan_lessons.optimizers import RisingMomentum, adam
from gan_lessons.training import Trainer

PIXELS = 28 * 28
EPOCH = 600  # steps of 100 images


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
    return G, data.standard_normal(100)


def mnist_paper(seed: int = 0, device: str = "auto", **settings: Any) -> Trainer:
    """The paper's own MNIST model, as its authors' published code sets it: 250 epochs over the first 50,000 images.

    G 100-1200-1200-784 from uniform z, ReLU, sigmoid; D two maxout layers of 240 units with 5 pieces, dropout 0.2 on
    pixels and 0.5 on units; SGD 0.1, momentum 0.5 rising to 0.7, rates / 1.000004 a step, both players at once.
    Their code halves D's loss: here lr_d is half of lr_g instead.
    """
    images = data.mnist("train")[:50_000]
    epochs_250 = 250 * len(images) // 100
    steps = count("steps", settings.get("steps", epochs_250), least=1)
    with seeded(seed):
        G, latent = mnist_paper_generator()
        # pixels are in [-1, 1] here and in [0, 1] there: (x + 1) / 2 before D, and 2 sigmoid(a) - 1 at the end of G
        D = MaxoutDiscriminator(PIXELS, 240, 240, 1, pieces=5, dropout=(0.2, 0.5, 0.5), inputs=Standardise(-1, 2))
        _uniform_weights(G, 0.05)
        _uniform_weights(D, 0.005)
    G.net[-1].bias.data.copy_(_mean_image(images, darkest=1e-7))
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


def mnist_quick(seed: int = 0, device: str = "auto", **settings: Any) -> Trainer:
    """Legible digits in half a minute on two CPU cores: 4 epochs, with a moving average of G.

    z is one of 30 kinds and 16 numbers (`data.KindsAndNumbers`); G 46-256-512-784 with batch norm, LeakyReLU(0.2),
    tanh, begins at the mean image; D 784-512-256-1, LeakyReLU(0.2); Adam 1e-3. G learns from the best 3 of 10 fakes
    (`losses.top_k`); R1 0.5 in every fourth round. How it was found: `data.saved_record("quick_search")`.
    """
    with seeded(seed):
        G = MLPGenerator(46, 256, 512, PIXELS, activation=leaky_relu, batch_norm=True, output=nn.Tanh())
        D = MLPDiscriminator(PIXELS, 512, 256, 1, activation=leaky_relu)
    G.net[-1].bias.data.copy_(_mean_image(data.mnist("train"), darkest=0.015) / 2)  # tanh(a / 2) = 2 sigmoid(a) - 1
    recipe = {"lr_d": 1e-3, "lr_g": 1e-3, "loss": losses.top_k(0.3), "r1": 0.5, "penalty_every": 4, "average": 0.995}
    return _digits(G, D, recipe | {"latent": data.KindsAndNumbers(30, 16), "steps": 4 * EPOCH}, seed, device, settings)


def mnist_conditional(seed: int = 0, device: str = "auto", told: str = "both", **settings: Any) -> Trainer:
    """Digits by choice: a game on pairs of a digit and its label, 4 epochs, half a minute on two CPU cores.

    z is 16 numbers, y ten with a single 1 (`conditional.Pairs`), beside z for G and beside the pixels for D. G
    26-128-192-784 with batch norm, LeakyReLU(0.2), tanh, begins at the mean image; D 794-512-256-1, LeakyReLU(0.2);
    Adam 1e-3; R1 0.5 in every fourth round. told: who sees y, as in `portraits.faces_conditional`.
    """
    tells_g, tells_d = TOLD[one_of("told", told, TOLD)]
    pairs = settings.pop("data") if "data" in settings else Pairs(data.mnist("train"))
    with seeded(seed):
        net, latent = mnist_conditional_generator()
        D = MLPDiscriminator(PIXELS + 10, 512, 256, 1, activation=leaky_relu)
    net.net[-1].bias.data.copy_(_mean_image(data.mnist("train"), darkest=0.015) / 2)
    G, D = ConditionalGenerator(net, 10, tells_g), ConditionalDiscriminator(D, 10, told=tells_d)
    latent = pairs.asked(16) if isinstance(pairs, Pairs) else latent
    recipe = {"lr_d": 1e-3, "lr_g": 1e-3, "r1": 0.5, "penalty_every": 4, "average": 0.995, "steps": 4 * EPOCH}
    return _digits(G, D, recipe | {"latent": latent, "data": pairs}, seed, device, settings)


def mnist_conditional_generator() -> tuple[MLPGenerator, Distribution]:
    """The net inside G, which draws x from a row (z, y), and what it is given."""
    G = MLPGenerator(16 + 10, 128, 192, PIXELS, activation=leaky_relu, batch_norm=True, output=nn.Tanh())
    return G, Asked(torch.eye(10), [1.0] * 10, dims=16)


def mnist_small(seed: int = 0, device: str = "auto", latent_dim: int = 64, **settings: Any) -> Trainer:
    """The quick recipe of the first edition, of which four ship: 6 epochs, dropout and a smoothed label.

    G 64-256-512-784 with batch norm, LeakyReLU(0.2), tanh; D 784-512-256-1, LeakyReLU(0.2), dropout 0.3; Adam 1e-3;
    real label 0.9. latent_dim: how many numbers z is. Raises ValueError unless it is a whole number >= 1.
    """
    with seeded(seed):
        G, latent = mnist_small_generator(latent_dim)
        D = MLPDiscriminator(PIXELS, 512, 256, 1, activation=leaky_relu, dropout=0.3)
    recipe = {"lr_d": 1e-3, "lr_g": 1e-3, "loss": losses.smoothed(0.9), "steps": 6 * EPOCH, "average": 0.999}
    return _digits(G, D, recipe | {"latent": latent}, seed, device, settings)


def mnist_small_generator(latent_dim: int) -> tuple[MLPGenerator, Distribution]:
    widths = count("latent_dim", latent_dim, least=1), 256, 512, PIXELS
    G = MLPGenerator(*widths, activation=leaky_relu, batch_norm=True, output=nn.Tanh())
    return G, data.standard_normal(widths[0])


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
    return G, data.standard_normal(64)


def _digits(
    G: nn.Module, D: nn.Module, recipe: dict[str, Any], seed: int, device: str, settings: dict[str, Any]
) -> Trainer:
    recipe = {"data": data.mnist("train"), "batch_size": 100, "seed": seed, "device": device} | recipe | settings
    size = getattr(getattr(recipe["data"], "images", None), "shape", (0, 28, 28))[1:]
    if tuple(size) != (28, 28):
        raise ValueError(f"data: got images of {' x '.join(map(str, size))}; this recipe draws 28 x 28 in grey")
    return Trainer(G, D, **recipe)


def _mean_image(images: data.Images, darkest: float) -> Tensor:
    """What G's last sigmoid is to be given, so that before training it draws each pixel as bright as on average."""
    return (images.images.float().mean(0).flatten() / 255).clamp(darkest, 1 - darkest).logit()


def _uniform_weights(net: nn.Module, bound: float) -> None:
    for layer in net.modules():
        if isinstance(layer, nn.Linear):
            nn.init.uniform_(layer.weight, -bound, bound)
            nn.init.zeros_(layer.bias)
