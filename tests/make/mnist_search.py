"""Tries variants of `recipes.mnist_best` on the last 10,000 training images.

`python tests/make/mnist_search.py "r1 = 0.1"`. Stop it whenever you like, the same command goes on. After every 5
epochs a row goes into gan_lessons/records/mnist_search.json: the figures of 10,000 draws against those 10,000 images,
of which the recipe sees none, sigma chosen on them too. `--test` scores on the test images instead, with that sigma:
once, when all is chosen.
"""

import argparse
import json
from pathlib import Path

import torch
from train_pretrained import train

from gan_lessons import checkpoints, data, metrics, recipes
from gan_lessons.devices import seeded

ROOT = Path(__file__).parents[2]
RECORD = ROOT / "gan_lessons" / "records" / "mnist_search.json"
EVERY = 5  # epochs
VARIANTS = {
    "mnist_best": {},
    "r1 = 0": {"r1": 0.0},
    "r1 = 0.1": {"r1": 0.1},
    "r1 = 2": {"r1": 2.0},
    "average = 0.9997": {"average": 0.9997},
    "rates 0.0005": {"lr_d": 5e-4, "lr_g": 5e-4},
    "k = 2": {"k": 2},
}


def note(row: dict) -> None:
    """Put a row into the record, in place of one of the same variant, seed, epochs and images."""
    key = ("variant", "seed", "epochs", "images", "weights")
    record = json.loads(RECORD.read_text())
    others = [old for old in record["rows"] if [old[k] for k in key] != [row[k] for k in key]]
    record["rows"] = sorted([*others, row], key=lambda r: [str(r[k]).zfill(3) for k in key])
    checkpoints.put(RECORD, json.dumps(record, indent=1).encode() + b"\n")


def score(trainer: recipes.Trainer, average: bool, on_test: bool) -> dict:
    validation = data.mnist("train")[50_000:]
    with seeded(0):
        x = trainer.sample(10_000, average=average)
    sigma = metrics.select_sigma((x + 1) / 2, validation.images.flatten(1) / 255, metrics.SIGMAS)
    figures = metrics.report(x, sigma=sigma, real=data.mnist("test") if on_test else validation)
    return {name: round(value, 3) for name, value in figures.items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("variant", choices=VARIANTS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--test", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(1)
    (ROOT / "runs").mkdir(exist_ok=True)
    trainer = recipes.mnist_best(args.seed, device="cpu", **VARIANTS[args.variant])
    checkpoint = ROOT / "runs" / f"{args.variant.replace(' ', '')}-seed{args.seed}.pt"
    for epochs in [args.epochs] if args.test else range(EVERY, args.epochs + 1, EVERY):
        if trainer.steps_done <= epochs * 500:
            train(trainer, checkpoint, epochs)
            for weights in ("raw", "averaged"):
                row = {"variant": args.variant, "seed": args.seed, "epochs": epochs, "weights": weights}
                images = "the 10,000 test images" if args.test else "the last 10,000 training images"
                note(row | {"images": images} | score(trainer, weights == "averaged", args.test))
