"""Trains a long MNIST recipe and writes what lesson 07 shows of it: `python tests/mnist_record.py mnist`.

Stop it whenever you like: after every epoch it writes gan_lessons/records/RECIPE.json and runs/RECIPE-record.pt, and
the same command goes on from there. The record says how far it got.
"""

import base64
import json
import os
import sys
from pathlib import Path

import torch
from tqdm import tqdm

from gan_lessons import recipes
from gan_lessons.training import Record, Trainer, stack

ROOT = Path(__file__).parents[1]


def record(name: str, trainer: Trainer, records: Path, runs: Path) -> None:
    """Train to the end of the schedule, keeping records/NAME.json: the mean of each epoch, and 32 draws of G."""
    epoch = len(trainer.data) // trainer.batch_size
    checkpoint, path = runs / f"{name}-record.pt", records / f"{name}.json"
    kept = {"made by": f"python tests/mnist_record.py {name}", "seed": 0, "epochs planned": trainer.steps // epoch}
    kept |= {field: [] for field in Record._fields}
    if checkpoint.exists():
        done = trainer.load(checkpoint).steps_done // epoch
        kept |= {field: json.loads(path.read_text())[field][:done] for field in Record._fields}
    with tqdm(total=trainer.steps // epoch, initial=trainer.steps_done // epoch, unit="epoch") as bar:
        while trainer.steps_done < trainer.steps:
            history = stack(trainer.run(epoch))
            for field in Record._fields:
                kept[field].append(round(getattr(history, field).mean().item(), 4))
            torch.manual_seed(0)  # the same 32 z each time, not picked
            pixels = ((trainer.sample(32).cpu() + 1) * 127.5).round().to(torch.uint8)
            kept["epochs"] = trainer.steps_done // epoch
            kept["samples"] = base64.b64encode(pixels.numpy().tobytes()).decode()
            path.with_suffix(".part").write_text(json.dumps(kept, indent=1) + "\n")
            os.replace(path.with_suffix(".part"), path)
            trainer.save(checkpoint)  # after the record: what a stop in between leaves over is cut off above
            bar.update()


if __name__ == "__main__":
    (name,) = sys.argv[1:]
    (ROOT / "runs").mkdir(exist_ok=True)
    trainer = {"mnist": recipes.mnist, "mnist_paper": recipes.mnist_paper}[name](seed=0)
    record(name, trainer, ROOT / "gan_lessons" / "records", ROOT / "runs")
