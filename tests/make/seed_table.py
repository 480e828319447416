"""Does the game find (500, 5)? Twenty seeds of the 1-D recipes of lesson 02, and of the naive failure.

`python tests/make/seed_table.py` writes the table that the lesson quotes; test_recipes.py runs it again and compares.
"""

import json
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import torch

from gan_lessons import metrics, recipes

RECORD = Path(__file__).parents[2] / "gan_lessons" / "records" / "gaussian_20_seeds.json"
SEEDS = range(20)
ROWS = {
    "gaussian": lambda seed: recipes.gaussian(seed),
    "gaussian_mlp": lambda seed: recipes.gaussian_mlp(seed),
    "gaussian, D sees raw x": lambda seed: recipes.gaussian(seed, standardise=False),
}


def end_of(row_and_seed: tuple[str, int]) -> tuple[float, float]:
    """Mean and sd of G at the end of the recipe's schedule."""
    torch.set_num_threads(1)  # nets this small gain nothing from a second
    row, seed = row_and_seed
    trainer = ROWS[row](seed)
    for _ in trainer.run():
        pass
    return metrics.moments(trainer.generator, trainer.latent)


def found(mean: float, sd: float) -> bool:
    return abs(mean - 500) < 0.3 and abs(sd - 5) < 0.3


def table() -> dict[str, list[tuple[float, float]]]:
    jobs = [(row, seed) for row in ROWS for seed in SEEDS]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        ends = list(pool.map(end_of, jobs))
    return {row: ends[i * len(SEEDS) : (i + 1) * len(SEEDS)] for i, row in enumerate(ROWS)}


if __name__ == "__main__":
    rows = table()
    record = {
        "made by": "python tests/make/seed_table.py",
        "columns": "seed, mean of p_g, sd of p_g, found: |mean - 500| < 0.3 and |sd - 5| < 0.3",
        "rows": {
            row: [[s, round(m, 4), round(d, 4), found(m, d)] for s, (m, d) in zip(SEEDS, ends, strict=True)]
            for row, ends in rows.items()
        },
    }
    RECORD.write_text(json.dumps(record, indent=1) + "\n")
    for row, ends in rows.items():
        print(f"{row}: found {sum(found(*end) for end in ends)} of {len(ends)}")
