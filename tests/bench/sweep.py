"""How fast is the sweep? `python tests/bench/sweep.py` prints rounds a second of one Trainer and of a sweep with the
same k, both on one thread, in alternating blocks; then the time of the 16 x 16 map with 3 seeds, on all threads.

The ratio is of CPU times, so that neighbours on the machine count less.
"""

import statistics
import time

import numpy as np
import torch

from gan_lessons import recipes, sweep

RATES, SEEDS, ROUNDS, BLOCKS = np.geomspace(0.02, 20, 16).tolist(), range(3), 20, 7


def seconds(work) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def compare(k: int) -> None:
    games = len(RATES) * len(SEEDS)
    trainer = recipes.gaussian(0, k=k, lr_d=0.001, lr_g=0.2, decay=None)
    one, many = [], []
    for _ in range(BLOCKS):
        one.append(ROUNDS / seconds(lambda: [trainer.step() for _ in range(ROUNDS)]))
        many.append(games * ROUNDS / seconds(lambda: sweep.run([k], RATES, SEEDS, steps=ROUNDS)))
    ratios = [m / o for m, o in zip(many, one, strict=True)]
    slow, fast, ratio = (statistics.median(column) for column in (one, many, ratios))
    print(f"k = {k:2d}: Trainer {slow:.0f} rounds/s, sweep of {games} games {fast:.0f}, ", end="")
    print(f"x {ratio:.0f} (blocks {min(ratios):.0f} to {max(ratios):.0f})")


if __name__ == "__main__":
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    for k in (1, 5, 15):
        compare(k)
    torch.set_num_threads(threads)
    wall, cpu = time.perf_counter(), time.process_time()
    result = sweep.run(range(16), RATES, SEEDS)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"16 x 16 map, 3 seeds, {result.rounds[-1]} rounds: {wall:.0f} s on {threads} threads, {cpu:.0f} CPU-seconds")
    for k, row in list(zip(result.k, sweep.commonest(sweep.classify(result)), strict=True))[::-1]:
        print(f"{k:2d}", *(label[0] for label in row))
