"""The recipes for faces, which `recipes` has by the same names."""

from functools import partial
from typing import Any

from torch import nn
from torch.distributions import Distribution

from gan_lessons import data, losses
from gan_lessons.arguments import shown
from gan_lessons.augment import Augment, AugmentedTrainer
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
    recipe = {"lr_d": 2e-3, "lr_g": 2e-3, "r1": 5.0, "penalty_every": 4, "latent": latent} | recipe
    recipe |= {"optimizer": partial(adam, betas=(0.0, 0.99)), "batch_size": 64, "seed": seed, "device": device}
    if "data" not in settings:
        recipe["data"] = data.faces()
    if augment is not None:
        return AugmentedTrainer(G, nn.Sequential(augment, D), **(recipe | settings))
    return Trainer(G, D, **(recipe | settings))


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
