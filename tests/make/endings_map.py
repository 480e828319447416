"""How do the games of lesson 06 end? Eight seeds of each cell of its map, and of each game that it names.

`python tests/make/endings_map.py` writes the record that the lesson draws, in some five minutes on two cores;
lessons/test_dynamics.py plays parts of it again and compares.
"""

import json
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import torch
from tqdm import tqdm

from gan_lessons import checkpoints, recipes, sweep
from gan_lessons.lessons import dynamics as lesson

RECORD = Path(__file__).parents[2] / "gan_lessons" / "records" / "endings_8_seeds.json"
SEEDS = range(8)


def row(k: int, rates: tuple[float, ...] = lesson.LR_G, lr_d: float = lesson.LR_D) -> list[list[str]]:
    """The endings of one k: for each lr_g those of eight seeds."""
    torch.set_num_threads(1)
    result = sweep.run([k], rates, SEEDS, lr_d=lr_d, steps=lesson.ROUNDS)
    return sweep.classify(result)[0].tolist()


def game(name: str, seed: int) -> tuple[str, list[float], list[float]]:
    """One seed of a named game: its ending, and mu and |sigma| after every ten rounds."""
    torch.set_num_threads(1)  # nets this small gain nothing from a second
    rounds = lesson.PLAYED[name]
    gan, notes = recipes.gaussian(seed, decay=None, **lesson.made(lesson.GAMES[name])), []
    for record in gan.run(rounds):
        if gan.steps_done % sweep.NOTE_EVERY == 0:
            notes.append((gan.generator.mu.item(), gan.generator.sigma.item(), record.loss_d.item()))
    at, paths = torch.arange(10, rounds + 1, 10), torch.tensor(notes).T[:, None, None, None]
    result = sweep.Result((gan.k,), (gan.lr_g,), gan.lr_d, (seed,), gan.loss.at_equilibrium[0], at, *paths)
    return sweep.classify(result).item(), *([round(abs(x), 1) for x in path.flatten().tolist()] for path in paths[:2])


def record() -> dict:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        rows = [pool.submit(row, k) for k in sorted(lesson.K, reverse=True)]
        games = {name: [pool.submit(game, name, seed) for seed in SEEDS] for name in lesson.GAMES}
        slow = pool.submit(row, 10, lesson.SLOW, 0.001)
        for job in tqdm([slow, *rows, *(job for jobs in games.values() for job in jobs)]):
            job.result()
    names = "ending", "mu", "sigma"
    return {
        "made by": "python tests/make/endings_map.py",
        "map": {str(k): job.result() for k, job in zip(sorted(lesson.K, reverse=True), rows, strict=True)},
        "slow": slow.result(),
        "games": {name: [dict(zip(names, job.result(), strict=True)) for job in jobs] for name, jobs in games.items()},
    }


if __name__ == "__main__":
    checkpoints.put(RECORD, json.dumps(record()).encode() + b"\n")
