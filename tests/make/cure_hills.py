"""What becomes of one game of lesson 07 as it is and with each cure, all along its 3,000 rounds.

`python tests/make/cure_hills.py` writes the record that the lesson draws; stop it whenever you like, it goes on with
the game it was at. A test plays the beginning of some again.
"""

import json
from pathlib import Path
from typing import Any

import torch

from gan_lessons import checkpoints, recipes, seen, theory
from gan_lessons.lessons.mode_collapse import CURES
from gan_lessons.training import Trainer

RECORD = Path(__file__).parents[2] / "gan_lessons" / "records" / "cure_hills.json"
SEED, ROUNDS, EVERY = 2, 3000, 50
X = torch.linspace(470, 530, 241)


def made(name: str) -> Trainer:
    return recipes.three_bumps(SEED, **CURES[name])


def good_shares(trainer: Trainer, n: int = 1000) -> list[float]:
    """The share of all fakes that are good and nearest to each bump."""
    bumps = trainer.data.component_distribution
    x, centres = seen.made(trainer, seen.noise(trainer, n)).reshape(n, -1), bumps.mean
    distance, which = torch.cdist(x, centres.reshape(len(centres), -1)).min(dim=1)
    good = which[distance <= 3 * bumps.stddev.max()]
    return numbers(good.bincount(minlength=len(centres)) / n)


def course(trainer: Trainer, rounds: int = ROUNDS) -> list[list[float]]:
    """These shares after every 50 rounds."""
    return [good_shares(trainer) for i, _ in enumerate(trainer.run(rounds), start=1) if i % EVERY == 0]


def hill(trainer: Trainer) -> dict[str, Any]:
    """The curves of a game on the line, and the fakes on its hill; of packs D has no curve."""
    if seen.packed(trainer):
        return {"p_g": numbers(theory.pushforward(trainer.generator, trainer.latent)(X))}
    curves, fakes = seen.curves(trainer, X), seen.fakes(trainer, 9)
    shown: dict[str, Any] = {"p_g": numbers(curves.p_g), "D": numbers(curves.D)}
    return shown | {"fakes": {key: numbers(value) for key, value in fakes._asdict().items()}}


def numbers(column: torch.Tensor) -> list[float]:
    return [float(f"{value:.4g}") for value in column.detach().tolist()]


if __name__ == "__main__":
    torch.set_num_threads(1)  # nets this small gain nothing from a second
    record = {"made by": "python tests/make/cure_hills.py", "seed": SEED, "every": EVERY, "x": numbers(X), "games": {}}
    if RECORD.exists():
        record["games"] = json.loads(RECORD.read_text())["games"]
    for name in [name for name in CURES if name not in record["games"]]:
        trainer = made(name)
        record["games"][name] = {"course": course(trainer)} | hill(trainer)
        print(name, record["games"][name]["course"][-1], flush=True)
        checkpoints.put(RECORD, json.dumps(record).encode() + b"\n")
