"""Plays `recipes.mnist_quick` once and keeps what lesson 08 shows of it.

`python tests/make/mnist_film.py` writes gan_lessons/records/mnist_quick_game.json, in about a minute on one idle core:
forty fakes of the same z after each of ROUNDS, the losses, one weight and its average, the fakes of each kind; and what
happens after round 800, and at the end, while D is frozen for 300 rounds and then learns again for 100.
"""

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from gan_lessons import checkpoints, data, pretrained, recipes, seen
from gan_lessons.devices import seeded
from gan_lessons.tiles import packed
from gan_lessons.training import Record, Trainer, stack

RECORD = Path(__file__).parents[2] / "gan_lessons" / "records" / "mnist_quick_game.json"
ROUNDS = (0, 25, 50, 75, 100, 150, 200, 300, 400, 600, 800, 1000, 1300, 1600, 2000, 2400)
FROZEN, FROZEN_K = (0, 20, 100, 300, 310, 400), (0, 0, 0, 0, 1, 1)  # rounds from then on, and k meanwhile
BLOCK = 20  # rounds whose mean is kept
WEIGHT = (0, 0)  # of G's second layer


@torch.no_grad()
def legible(images: Tensor) -> float:
    """Share of images that the classifier takes for some digit with more than 90%."""
    return round((pretrained.classifier()(images).softmax(1).amax(1) > 0.9).double().mean().item(), 3)


def drawn(trainer: Trainer, n: int = 1000, average: bool = False) -> Tensor:
    with seeded(1):
        return trainer.sample(n, average=average)


def play(trainer: Trainer, rounds: int) -> list[Record]:
    return list(tqdm(trainer.run(rounds), total=rounds, leave=False))


def means(records: list[Record], block: int) -> dict[str, list[float]]:
    """Of each so many rounds the mean of what was measured."""
    table = stack(records)._asdict()
    return {
        name: [round(one, 4) for one in column.reshape(-1, block).mean(1).tolist()]
        for name, column in table.items()
        if not column.isnan().any()
    }


def film(trainer: Trainer) -> dict[str, Any]:
    """The whole game: frames, curves, and one weight beside its average."""
    frames, shares, records, raw, averaged = [], [], [], [], []
    weights = [G.net[3].weight for G in (trainer.generator, trainer.averaged.module)]
    for until in ROUNDS:
        for record in tqdm(trainer.run(until - trainer.steps_done), total=until - trainer.steps_done, leave=False):
            records.append(record)
            if trainer.steps_done % 5 == 0:
                for kept, weight in zip((raw, averaged), weights, strict=True):
                    kept.append(round(weight[WEIGHT].item(), 5))
        frames.append(seen.images(trainer))
        shares.append(legible(drawn(trainer)))
    return {
        "rounds": ROUNDS,
        "film": packed(torch.cat(frames)),
        "legible": shares,
        "block": BLOCK,
        "curves": means(records, BLOCK),
        "weight": {"every": 5, "raw": raw, "averaged": averaged},
    }


@torch.no_grad()
def averaged(trainer: Trainer) -> dict[str, Any]:
    """Of what the average of G draws at the end: how much is legible, and three fakes of each kind."""
    share = legible(drawn(trainer, average=True))  # which gives the average batch-norm statistics of its own
    with seeded(2):
        numbers = torch.randn(3, 1, 16).expand(3, 30, 16)
    z = torch.cat([data.KindsAndNumbers(30, 16).codes.expand(3, 30, 30), numbers], dim=-1)  # (3, 30, 46)
    G = trainer.averaged.module.eval()
    return {
        "legible": share,
        "kinds": packed(G(z.reshape(90, 46)), 30),
    }


def frozen(trainer: Trainer) -> dict[str, Any]:
    """A game played on: D frozen for 300 rounds, then D learns again for 100."""
    z, begin = seen.noise(trainer, 1000), trainer.steps_done
    out: dict[str, Any] = {"begin": begin, "rounds": FROZEN, "k": FROZEN_K, "legible": [], "D(G(z))": []}
    frames = []
    for after, k in zip(FROZEN, FROZEN_K, strict=True):
        trainer.k = k
        play(trainer, begin + after - trainer.steps_done)
        x = seen.made(trainer, z)
        frames.append(x[:8])
        out["legible"].append(legible(x))
        out["D(G(z))"].append(round(seen.heights(trainer, x).mean().item(), 3))
    return out | {"film": packed(torch.cat(frames))}


if __name__ == "__main__":
    torch.set_num_threads(1)
    early, trainer = (recipes.mnist_quick(seed=0, device="cpu") for _ in range(2))
    play(early, 800)
    record = {"made by": "python tests/make/mnist_film.py", "seed": 0, "game": film(trainer)}
    record |= {"averaged": averaged(trainer), "frozen": [frozen(early), frozen(trainer)]}
    checkpoints.put(RECORD, json.dumps(record, indent=1).encode() + b"\n")
    print(f"{RECORD.name}: {RECORD.stat().st_size / 1e3:.0f} kB")
