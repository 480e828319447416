"""The recipes for faces, which `recipes` has by the same names."""

from functools import partial
from typing import Any

from torch.distributions import Distribution

from gan_lessons import data
from gan_lessons.devices import seeded
from gan_lessons.models import DCGANDiscriminator, DCGANGenerator
from gan_lessons.optimizers import adam
from gan_lessons.training import Trainer


def faces_dcgan(seed: int = 0, device: str = "auto", **settings: Any) -> Trainer:
    """Convolutional players after DCGAN learn drawn faces: 14,000 rounds, a quarter of an hour on two CPU cores.

    G 32-128-64-32-3 with batch norm; D 3-32-64-128-1 without; Adam with betas (0, 0.99); R1 in every fourth round.
    """
    return _faces({"average": 0.999, "steps": 14_000}, seed, device, settings)


def faces_quick(seed: int = 0, device: str = "auto", **settings: Any) -> Trainer:
    """The same players for the first minute: 1,000 rounds, with an average that forgets sooner."""
    return _faces({"average": 0.995, "steps": 1000}, seed, device, settings)


def faces_dcgan_generator() -> tuple[DCGANGenerator, Distribution]:
    return DCGANGenerator(32, 128, 64, 32, 3), data.standard_normal(32)


def _faces(recipe: dict[str, Any], seed: int, device: str, settings: dict[str, Any]) -> Trainer:
    with seeded(seed):
        G, latent = faces_dcgan_generator()
        D = DCGANDiscriminator(3, 32, 64, 128)
    recipe = {"lr_d": 2e-3, "lr_g": 2e-3, "r1": 5.0, "penalty_every": 4, "latent": latent} | recipe
    recipe |= {"optimizer": partial(adam, betas=(0.0, 0.99)), "batch_size": 64, "seed": seed, "device": device}
    if "data" not in settings:
        recipe["data"] = data.faces()
    return Trainer(G, D, **(recipe | settings))
