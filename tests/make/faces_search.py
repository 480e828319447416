"""What makes faces good so soon? Plays `recipes.faces_quick` with one thing changed at a time; the recipe on 3 seeds.

`python tests/make/faces_search.py` writes gan_lessons/records/faces_search.json, a row for each variant and seed: after
so many rounds the figures of 4,000 draws, raw and of the average, against as many new faces. Stop it whenever you like,
it goes on. Rows with a "device" were played there. The record also keeps the first tries, by which the recipe was
found, on one seed or two each, on a GPU.
`python tests/make/faces_search.py --table` prints it.
"""

import argparse
import json
from functools import partial
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from gan_lessons import Trainer, checkpoints, data, losses, metrics, recipes
from gan_lessons.devices import seeded
from gan_lessons.models import DCGANDiscriminator, DCGANGenerator
from gan_lessons.optimizers import adam

ROOT = Path(__file__).parents[2]
RECORD = ROOT / "gan_lessons" / "records" / "faces_search.json"
LOOKS, N = (500, 750, 1000), 4000
VARIANTS: dict[str, dict[str, Any]] = {
    "faces_quick": {},
    "Adam (0.5, 0.999), as in the paper": {"betas": (0.5, 0.999)},
    "D with batch norm, no R1": {"batch_norm": True, "r1": 0.0},
    "R1 0.5": {"r1": 0.5},
    "rates 0.001": {"lr_d": 1e-3, "lr_g": 1e-3},
    "relativistic, R1 and R2": {"loss": losses.relativistic, "r2": 5.0},
    "G learns from the best half": {"loss": losses.top_k(0.5)},
    "both half as wide": {"G": (64, 32, 16), "D": (16, 32, 64)},
    "decay to 0": {"decay": recipes.cosine},
}
SEEDS = {"faces_quick": (0, 1, 2)}  # of the others 0


def game(
    seed: int,
    *,
    G: tuple[int, ...] = (128, 64, 32),
    D: tuple[int, ...] = (32, 64, 128),
    batch_norm: bool = False,
    betas: tuple[float, float] = (0.0, 0.99),
    **settings: Any,
) -> Trainer:
    """`recipes.faces_quick`, built here once more so that anything in it can be changed."""
    given = {name: settings.pop(name) for name in ("data", "steps") if name in settings}
    quick = recipes.faces_quick(seed, device="cpu", **given)
    with seeded(seed):
        generator = DCGANGenerator(32, *G, 3)
        discriminator = DCGANDiscriminator(3, *D, batch_norm=batch_norm)
    same = {name: getattr(quick, name) for name in ("lr_d", "lr_g", "batch_size", "loss", "r1", "penalty_every")}
    same |= {"steps": quick.steps, "latent": quick.latent, "optimizer": partial(adam, betas=betas)}
    same |= {"average": 0.995, "seed": seed, "device": "cpu"}
    return Trainer(generator, discriminator, quick.data, **same | settings)


def figures(trainer: Trainer, average: bool) -> dict[str, float]:
    with seeded(0):
        report = metrics.report_faces(trainer.sample(N, average=average))
    off = max(abs(report[name] - share) for name, share in zip(data.ATTRIBUTES, data.SHARES, strict=True))
    kept = {name: report[name] for name in ("kinds", "grain", "frechet", "coverage", "good")}
    return {name: round(value, 3) for name, value in ({"share off by": off} | kept).items()}


def played(trainer: Trainer, name: str) -> dict[str, dict[str, dict[str, float]]]:
    """The figures of the average and of the raw G after each of LOOKS rounds."""
    marks = {}
    for rounds in LOOKS:
        for _ in tqdm(
            trainer.run(rounds - trainer.steps_done), total=rounds - trainer.steps_done, desc=name, leave=False
        ):
            pass
        marks[str(rounds)] = {"averaged": figures(trainer, True), "raw": figures(trainer, False)}
    return marks


def table(rows: list[dict]) -> str:
    """A line for each variant and seed: Frechet, the share that is farthest off, kinds and grain, of the average."""
    lines = [" " * 73 + "".join(f"{f'after {rounds} rounds':>30}" for rounds in LOOKS)]
    for row in rows:
        line = f"{row['variant']:70} {row['seed']:2}"
        for rounds in LOOKS:
            if marks := row["rounds"].get(str(rounds), {}).get("averaged"):
                told = f"{marks['frechet']:.0f}, {marks['share off by']:.2f}, {marks['kinds']:2}, {marks['grain']:.2f}"
                line += f"{told}{', good' if marks['good'] else '':6}".rjust(30)
            else:
                line += " " * 30
        lines.append(line)
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(1)
    record = json.loads(RECORD.read_text())
    if args.table:
        print(table(record["rows"] + record["first tries"]))
        raise SystemExit
    for variant, changed in VARIANTS.items():
        for seed in SEEDS.get(variant, (0,)):
            if not any((row["variant"], row["seed"]) == (variant, seed) for row in record["rows"]):
                row = {
                    "variant": variant,
                    "seed": seed,
                    "rounds": played(game(seed, **changed), f"{variant}, seed {seed}"),
                }
                record["rows"].append(row)
                checkpoints.put(RECORD, json.dumps(record, indent=1).encode() + b"\n")
                tqdm.write(table([row]))
