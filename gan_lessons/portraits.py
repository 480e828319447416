"""The recipes for faces, which `recipes` has by the same names."""

from functools import partial
from typing import Any

import torch
from torch import nn
from torch.distributions import Distribution

from gan_lessons import data, losses
from gan_lessons.arguments import one_of, shown
from gan_lessons.augment import Augment, AugmentedTrainer
from gan_lessons.conditional import TOLD, Asked, ConditionalDiscriminator, ConditionalGenerator, Pairs
from gan_lessons.devices import seeded
from gan_lessons.models import DCGANDiscriminator, DCGANGenerator
from gan_lessons.optimizers import adam, cosine
from gan_lessons.training import Trainer

EPOCH = 312  # rounds of 64 faces
LITTLE = 1500  # little sets of faces are drawn from this seed on


def faces_dcgan(seed: int = 0, device: str = "auto", **settings: Any) -> Trainer:
    """The best of all we tried, on drawn faces: convolutional players after DCGAN, 26 epochs, ten minutes on a CPU.

    G 32-128-64-32-3 with batch norm; D 3-32-64-128-1 without; R1 5 in every fourth round; Adam 2e-3 with betas (0,
    0.99), the rates fall to 0; a moving average of G. Everything tried: `data.saved_record("faces_search")`.
    """
    return _faces({"average": 0.999, "steps": 26 * EPOCH, "decay": cosine}, seed, device, settings)


def faces_quick(seed: int = 0, device: str = "auto", **settings: Any) -> Trainer:
    """The same for one minute on two CPU cores: 1,000 rounds at full rates, and an average that forgets sooner."""
    return _faces({"average": 0.995, "steps": 1000}, seed, device, settings)


def faces_dcgan_generator() -> tuple[DCGANGenerator, Distribution]:
    return DCGANGenerator(32, 128, 64, 32, 3), data.standard_normal(32)


def faces_lsgan(seed: int = 0, device: str = "auto", **settings: Any) -> Trainer:
    """Least squares on the players of `faces_dcgan`, 8 epochs, three minutes on two CPU cores; rates fall to 0.

    R1 20 in place of 5: near rest, where a logit is 4 D - 2, it weighs as much in least squares as 5 in logits. With 5
    it fails: `data.saved_record("lsgan")`.
    """
    recipe = {"average": 0.999, "steps": 8 * EPOCH, "decay": cosine, "loss": losses.least_squares, "r1": 20.0}
    return _faces(recipe, seed, device, settings)


faces_lsgan_generator = faces_dcgan_generator


def _faces(
    recipe: dict[str, Any], seed: int, device: str, settings: dict[str, Any], augment: Augment | None = None
) -> Trainer:
    with seeded(seed):
        G, latent = faces_dcgan_generator()
        D = DCGANDiscriminator(3, 32, 64, 128)
    if "data" not in settings:
        recipe["data"] = data.faces()
    return _game(G, D, {"latent": latent} | recipe, seed, device, settings, augment)


def _game(
    G: nn.Module,
    D: nn.Module,
    recipe: dict[str, Any],
    seed: int,
    device: str,
    settings: dict[str, Any],
    augment: nn.Module | None = None,
) -> Trainer:
    recipe = {"lr_d": 2e-3, "lr_g": 2e-3, "r1": 5.0, "penalty_every": 4} | recipe
    recipe |= {"optimizer": partial(adam, betas=(0.0, 0.99)), "batch_size": 64, "seed": seed, "device": device}
    if augment is not None:
        return AugmentedTrainer(G, nn.Sequential(augment, D), **(recipe | settings))
    return Trainer(G, D, **(recipe | settings))


def faces_conditional(seed: int = 0, device: str = "auto", told: str = "both", **settings: Any) -> Trainer:
    """Faces by choice: the game of `faces_quick` on pairs of a face and its four attributes, 3,000 rounds.

    G gets them beside z, D as planes beside the colours (`gan_lessons.conditional`). data: `Pairs` of faces, so that a
    kind can be left out; labels are asked for as often as these have them. told: who sees them, "both", "generator",
    "discriminator" or "neither"; the others find zeros.
    """
    tells_g, tells_d = TOLD[one_of("told", told, TOLD)]
    pairs = settings.pop("data") if "data" in settings else Pairs(data.faces())
    with seeded(seed):
        net, latent = faces_conditional_generator()
        G = ConditionalGenerator(net, 4, tells_g)
        D = ConditionalDiscriminator(DCGANDiscriminator(3 + 4, 32, 64, 128), 4, (3, 32, 32), tells_d)
    latent = pairs.asked(32) if isinstance(pairs, Pairs) else latent
    recipe = {"average": 0.998, "steps": 3000, "decay": cosine, "latent": latent, "data": pairs}
    return _game(G, D, recipe, seed, device, settings)


def faces_conditional_generator() -> tuple[DCGANGenerator, Distribution]:
    """The net inside G, which draws x from a row (z, y), and what it is given."""
    labels = torch.cartesian_prod(*[torch.arange(2)] * 4)
    shares = torch.where(labels == 1, torch.tensor(data.SHARES), 1 - torch.tensor(data.SHARES)).prod(dim=1)
    return DCGANGenerator(32 + 4, 128, 64, 32, 3), Asked(labels, shares, dims=32)


def faces_little(
    seed: int = 0, device: str = "auto", n: int = 500, augment: bool | Augment = True, **settings: Any
) -> Trainer:
    """Lesson 15: `faces_quick` with only n faces, others for each seed.

    augment: True changes what D sees with a chance p that follows r_t up to 0.6 (`augment.Augment`), as in Karras et
    al. 2020; False leaves the pictures as they are; or an `Augment` of one's own. `.augment.p` is where p stands. What
    became of 100 to 5,000 faces: `data.saved_record("little_data")`.
    """
    if not isinstance(augment, bool | nn.Module):
        raise ValueError(f"augment: got {shown(augment)}; it must be True, False or an augment.Augment")
    if "data" not in settings:
        settings["data"] = data.faces(n, seed=LITTLE + seed)
    augment = Augment(target=0.6) if augment is True else augment or None
    return _faces({"average": 0.995, "steps": 1000}, seed, device, settings, augment)
