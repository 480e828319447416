"""What makes digits legible so soon? Plays `recipes.mnist_quick` with one thing changed at a time, on two seeds each.

`python tests/make/quick_search.py` writes gan_lessons/records/quick_search.json, a row for each variant and seed: after
so many steps the share of 2,000 draws of G's average that the classifier is more than 90% sure of, and their coverage
of the first 2,000 test images, as tests/bench/legible.py measures them. Stop it whenever you like, it goes on. The
record also keeps the first tries, by which the recipe was found.
"""

import json
import sys
from pathlib import Path
from typing import Any

import torch
from torch import nn
from tqdm import tqdm

from gan_lessons import Trainer, checkpoints, data, losses, recipes
from gan_lessons.devices import seeded
from gan_lessons.models import MLPDiscriminator, MLPGenerator, leaky_relu

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "bench"))
from legible import look, score  # noqa: E402

RECORD = ROOT / "gan_lessons" / "records" / "quick_search.json"
SEEDS, LOOKS = (0, 1), (500, 1000, 1500, 2000, 2400)
VARIANTS: dict[str, dict[str, Any]] = {
    "mnist_quick": {},
    "z without kinds": {"kinds": 0},
    "z without kinds, of 64 numbers": {"kinds": 0, "dims": 64},
    "10 kinds": {"kinds": 10},
    "100 kinds": {"kinds": 100},
    "G learns from all fakes": {"loss": losses.non_saturating},
    "G learns from the best half": {"loss": losses.top_k(0.5)},
    "G begins anywhere": {"start": False},
    "R1 in every round": {"penalty_every": 1},
    "no R1": {"r1": 0.0},
    "no R1, D with dropout 0.3": {"r1": 0.0, "dropout": 0.3},
    "R1 and R2": {"r2": 0.5},
    "relativistic, R1 and R2": {"loss": losses.relativistic, "r2": 0.5},
    "least squares": {"loss": losses.least_squares},
    "minibatches of 64": {"batch_size": 64},
    "rates 0.002": {"lr_d": 2e-3, "lr_g": 2e-3},
    "average 0.999": {"average": 0.999},
    "D half as wide": {"D": (256, 128)},
    "simultaneous, no R1": {"r1": 0.0, "order": "simultaneous"},
}


def game(
    seed: int,
    *,
    kinds: int = 30,
    dims: int = 16,
    start: bool = True,
    D: tuple[int, ...] = (512, 256),
    dropout: float = 0.0,
    **settings: Any,
) -> Trainer:
    """`recipes.mnist_quick`, built here once more so that anything in it can be changed."""
    quick = recipes.mnist_quick(seed, device="cpu")
    with seeded(seed):
        generator = MLPGenerator(kinds + dims, 256, 512, 784, activation=leaky_relu, batch_norm=True, output=nn.Tanh())
        discriminator = MLPDiscriminator(784, *D, 1, activation=leaky_relu, dropout=dropout)
    if start:
        generator.net[-1].bias.data.copy_(quick.generator.net[-1].bias)
    latent = data.KindsAndNumbers(kinds, dims) if kinds else data.standard_normal(dims)
    same = {
        name: getattr(quick, name) for name in ("lr_d", "lr_g", "batch_size", "loss", "r1", "penalty_every", "steps")
    }
    same |= {"average": 0.995, "seed": seed, "device": "cpu"}
    return Trainer(generator, discriminator, quick.data, latent=latent, **same | settings)


def played(trainer: Trainer) -> dict[str, list[float]]:
    """Share read surely and coverage after each of LOOKS steps."""
    marks = {}
    for steps in LOOKS:
        for _ in tqdm(trainer.run(steps - trainer.steps_done), total=steps - trainer.steps_done, leave=False):
            pass
        marks[str(steps)] = [round(one, 3) for one in score(look(trainer))]
    return marks


if __name__ == "__main__":
    torch.set_num_threads(1)
    record = json.loads(RECORD.read_text())
    for variant, changed in VARIANTS.items():
        for seed in SEEDS:
            if not any((row["variant"], row["seed"]) == (variant, seed) for row in record["rows"]):
                row = {"variant": variant, "seed": seed, "sure, coverage": played(game(seed, **changed))}
                record["rows"].append(row)
                checkpoints.put(RECORD, json.dumps(record, indent=1).encode() + b"\n")
                tqdm.write(f"{variant}, seed {seed}: {row['sure, coverage']}")
