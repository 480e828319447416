"""Which modes does G find? Twenty seeds of the recipes of lesson 07, as they are, with other losses, with each cure.

`python tests/make/collapse_table.py` writes the table that the lesson quotes; stop it whenever you like, it goes on
with the row it was at. test_collapse_table.py runs some of it again.
"""

import json
import statistics
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from gan_lessons import checkpoints, losses, metrics, recipes
from gan_lessons.devices import seeded
from gan_lessons.lessons.mode_collapse import GAMMA
from gan_lessons.training import Trainer

RECORD = Path(__file__).parents[2] / "gan_lessons" / "records" / "collapse_20_seeds.json"
SEEDS = range(20)
SD = {"three_bumps": 2.0, "ring": 0.1}  # of each mode


def tries(gamma: float) -> list[dict[str, Any]]:
    """The settings of each row. Nothing was tuned: one gamma for all penalties, one other rate, one size of packs."""
    return [
        {},
        {"loss": losses.minimax},
        {"loss": losses.least_squares},
        {"loss": losses.smoothed(0.9)},
        {"loss": losses.relativistic},
        {"lr_d": 0.005},
        {"pack": 2},
        {"pack": 2, "lr_d": 0.005},
        {"r1": gamma},
        {"r1": gamma, "r2": gamma},
        {"loss": losses.relativistic, "r1": gamma, "r2": gamma},
    ]


def code(settings: dict[str, Any]) -> str:
    return ", ".join(f"{name}={f'losses.{it.name}' if name == 'loss' else it}" for name, it in settings.items())


ROWS = {f"{recipe}({code(one)})": (recipe, one) for recipe, gamma in GAMMA.items() for one in tries(gamma)}


def counted(recipe: str, trainer: Trainer) -> tuple[int, float]:
    """Modes found and share of good samples, among 10,000 fakes of a trainer."""
    with seeded(0):
        samples = trainer.sample(10_000)
    return metrics.modes(samples, trainer.data.component_distribution.mean, SD[recipe])


def end_of(row_and_seed: tuple[str, int]) -> tuple[int, float]:
    """What G makes at the end of the recipe's schedule."""
    torch.set_num_threads(1)  # nets this small gain nothing from a second
    row, seed = row_and_seed
    recipe, settings = ROWS[row]
    trainer = getattr(recipes, recipe)(seed, **settings)
    for _ in trainer.run():
        pass
    return counted(recipe, trainer)


def ends(jobs: Iterable[tuple[str, int]]) -> list[tuple[int, float]]:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        return list(pool.map(end_of, jobs))


if __name__ == "__main__":
    record = {
        "made by": "python tests/make/collapse_table.py",
        "columns": "seed, modes found, share of good samples, by metrics.modes of 10,000 fakes",
        "modes": {"three_bumps": 3, "ring": 8},
        "rows": {},
    }
    if RECORD.exists():
        record["rows"] = json.loads(RECORD.read_text())["rows"]
    for row, (recipe, _) in ROWS.items():
        if row not in record["rows"]:
            counts = ends((row, seed) for seed in SEEDS)
            record["rows"][row] = [[s, found, round(good, 4)] for s, (found, good) in zip(SEEDS, counts, strict=True)]
            checkpoints.put(RECORD, json.dumps(record, indent=1).encode() + b"\n")
        found = [line[1] for line in record["rows"][row]]
        good = statistics.mean(line[2] for line in record["rows"][row])
        whole = f"all found in {found.count(record['modes'][recipe])} of {len(SEEDS)}"
        print(f"{row}: {whole}, good share {good:.2f} on average: {found}", flush=True)
