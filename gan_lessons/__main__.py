"""Train an MNIST GAN from a terminal. The same command again goes on from where it was."""

import argparse
import os
import sys
from pathlib import Path

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from gan_lessons import plots, recipes
from gan_lessons.training import Trainer

RECIPES = {
    "mnist_quick": recipes.mnist_quick,
    "mnist_best": recipes.mnist_best,
    "mnist": recipes.mnist,
    "mnist_paper": recipes.mnist_paper,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m gan_lessons", description=__doc__)
    parser.add_argument("recipe", choices=RECIPES)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto", help="auto, cuda, mps or cpu")
    parser.add_argument("--out", type=Path, help="folder for checkpoint.pt and samples.png (runs/RECIPE-seedSEED)")
    args = parser.parse_args()
    out = args.out or Path("runs", f"{args.recipe}-seed{args.seed}")
    checkpoint = out / "checkpoint.pt"
    try:
        trainer = RECIPES[args.recipe](seed=args.seed, device=args.device)
        out.mkdir(parents=True, exist_ok=True)
        if checkpoint.exists():
            trainer.load(checkpoint)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    if trainer.seed != args.seed:
        parser.error(
            f"--seed: got {args.seed}, but {checkpoint} was begun with {trainer.seed}; give that, or another --out"
        )
    print(f"{args.recipe}, seed {args.seed}, {trainer.device}: from step {trainer.steps_done} of {trainer.steps}")
    try:
        train(trainer, checkpoint)
    except KeyboardInterrupt:
        trainer.save(checkpoint)
        sys.exit(f"Stopped at step {trainer.steps_done}; the same command goes on from there.")
    except FloatingPointError as error:
        sys.exit(str(error))
    save_samples(trainer, out / "samples.png", f"{args.recipe}, seed {args.seed}, step {trainer.steps_done}")
    print(f"{out / 'samples.png'} and {checkpoint} are written.")


def train(trainer: Trainer, checkpoint: Path) -> None:
    """Run to the end of the schedule, with time left, saving after every epoch."""
    with tqdm(total=trainer.steps, initial=trainer.steps_done, unit="step", dynamic_ncols=True) as bar:
        for record in trainer.run():
            bar.update()
            if trainer.steps_done % recipes.EPOCH == 0 or trainer.steps_done == trainer.steps:
                trainer.save(checkpoint)
                bar.set_postfix_str(f"D(x) {record.d_real:.2f}, D(G(z)) {record.d_fake:.2f}")


def save_samples(trainer: Trainer, path: Path, title: str) -> None:
    """64 draws from G as they come, and from its moving average where there is one."""
    looks = {"raw draws of G": False} | ({"raw draws of G's moving average": True} if trainer.averaged else {})
    figure = Figure(figsize=(4 * len(looks), 4.4), layout="constrained")
    figure.suptitle(title)
    for ax, (name, average) in zip(figure.subplots(1, len(looks), squeeze=False)[0], looks.items(), strict=True):
        torch.manual_seed(trainer.seed)  # so that both show the same z
        plots.image_grid(trainer.sample(64, average=average), ax=ax).set_title(name)
    part = path.with_suffix(".part")
    figure.savefig(part, format="png", dpi=110)
    os.replace(part, path)


if __name__ == "__main__":
    main()
