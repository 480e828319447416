"""Does the faster step learn as well? `python tests/bench/orders.py` prints three seeds of each way to play.

The plain loop of training.py, and the Trainer in both orders: nets and rates of `recipes.mnist_small`, no label
smoothing, as the plain loop has none; 3 epochs of 600 steps each; 10,000 draws of G, without average.
"""

import statistics
from itertools import islice

import torch
from tqdm import tqdm
from training import ALTERNATING, PLAIN, SIMULTANEOUS, line, plain

from gan_lessons import losses, metrics, recipes
from gan_lessons.devices import seeded
from gan_lessons.optimizers import adam

SEEDS, STEPS = range(3), 3 * 600


def figures(way: str, seed: int, steps: int = STEPS) -> dict[str, float]:
    order = ALTERNATING if way == PLAIN else way
    game = recipes.mnist_small(seed, device="cpu", loss=losses.non_saturating, average=None, order=order)
    with seeded(seed):
        rounds = islice(plain(game, adam), steps) if way == PLAIN else game.run(steps)
        for _ in tqdm(rounds, total=steps, desc=f"{way}, seed {seed}", leave=False):
            pass
    with seeded(0):
        return metrics.report(game.sample(10_000))


if __name__ == "__main__":
    torch.set_num_threads(1)
    line("after 1,800 steps, 3 seeds", "Parzen, nats", "Frechet", "coverage")
    line(*["---"] * 4)
    for way in (PLAIN, ALTERNATING, SIMULTANEOUS):
        found = [figures(way, seed) for seed in SEEDS]
        columns = {name: [one[name] for one in found] for name in ("parzen", "frechet", "coverage")}
        line(way, *(f"{statistics.mean(v):.3g} ± {statistics.stdev(v):.2g}" for v in columns.values()))
