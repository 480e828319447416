"""What makes faces good so soon? Plays `recipes.faces_quick` with one thing changed at a time; the recipe on 3 seeds.

`python tests/make/faces_search.py` writes gan_lessons/records/faces_search.json, a row for each variant and seed: after
so many rounds the figures of 4,000 draws, raw and of the average, against as many new faces. Stop it whenever you like,
it goes on. The record also keeps the first tries, by which the recipe was found, on one seed or two each, on a GPU.
`python tests/make/faces_search.py --table` prints it.
"""

import argparse
import json
from functools import partial
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from gan_lessons import Trainer, checkpoints, data, losses, metrics, recipes
from gan_lessons.devices import seeded
from gan_lessons.models import DCGANDiscriminator, DCGANGenerator
from gan_lessons.optimizers import adam

ROOT = Path(__file__).parents[2]
RECORD = ROOT / "gan_lessons" / "records" / "faces_search.json"
LOOKS, N = (500, 750, 1000), 4000
VARIANTS: dict[str, dict[str, Any]] = {
    "faces_quick": {},
    "Adam (0.5, 0.999), as in the paper": {"betas": (0.5, 0.999)},
    "D with batch norm, no R1": {"batch_norm": True, "r1": 0.0},
    "R1 0.5": {"r1": 0.5},
    "rates 0.001": {"lr_d": 1e-3, "lr_g": 1e-3},
    "relativistic, R1 and R2": {"loss": losses.relativistic, "r2": 5.0},
    "G learns from the best half": {"loss": losses.top_k(0.5)},
    "both half as wide": {"G": (64, 32, 16), "D": (16, 32, 64)},
    "decay to 0": {"decay": recipes.cosine},
}
SEEDS = {"faces_quick": (0, 1, 2)}  # of the others 0


def game(
    seed: int,
    *,
    G: tuple[int, ...] = (128, 64, 32),
    D: tuple[int, ...] = (32, 64, 128),
    batch_norm: bool = False,
    betas: tuple[float, float] = (0.0, 0.99),
    **settings: Any,
) -> Trainer:
    """`recipes.faces_quick`, built here once more so that anything in it can be changed."""
    quick = recipes.faces_quick(seed, device="cpu")
    with seeded(seed):
        generator = DCGANGenerator(32, *G, 3)
        discriminator = DCGANDiscriminator(3, *D, batch_norm=batch_norm)
    same = {name: getattr(quick, name) for name in ("lr_d", "lr_g", "batch_size", "loss", "r1", "penalty_every")}
    same |= {"steps": quick.steps, "latent": quick.latent, "optimizer": partial(adam, betas=betas)}
    same |= {"average": 0.995, "seed": seed, "device": "cpu"}
    return Trainer(generator, discriminator, quick.data, **same | settings)
