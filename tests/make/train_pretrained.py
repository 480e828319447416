"""Trains a generator that ships, from nothing: `python tests/make/train_pretrained.py mnist_small_z2 --epochs 30`.

Stop it whenever you like: runs/NAME.pt is written after every epoch, and the same command goes on from there. After so
many epochs, or those of the recipe, it writes gan_lessons/weights/NAME.pt and its card, NAME.json; if more are done
already it writes those. On one thread, so that the same command makes the same weights again.
"""

import argparse
from pathlib import Path

import torch
from tqdm import tqdm

from gan_lessons import checkpoints, metrics, pretrained, recipes
from gan_lessons.devices import seeded
from gan_lessons.training import Record, Trainer, stack

ROOT = Path(__file__).parents[2]
AVERAGE = {"mnist": 0.999, "mnist_paper": 0.999}  # where the recipe itself keeps none
AVERAGE_ALONE = {
    "mnist_small_z1",
    "mnist_small_z8",
    "mnist_small_z64",
    "faces_lsgan",
}  # whose raw weights no lesson shows


def build(name: str, device: str = "cpu") -> tuple[Trainer, dict]:
    """An untrained trainer, and what its card says of it."""
    recipe, settings = pretrained.GENERATORS[name]
    settings = settings | ({"average": AVERAGE[name]} if name in AVERAGE else {})
    trainer = getattr(recipes, recipe)(seed=0, device=device, **settings)
    return trainer, {"recipe": recipe, "settings": settings, "seed": 0}


def train(trainer: Trainer, checkpoint: Path, epochs: int | None = None) -> dict[str, list[float]]:
    """Train until so many epochs are done; returns the mean of each epoch's records, from the first epoch on."""
    epoch = len(trainer.data) // trainer.batch_size
    epochs = epochs or trainer.steps // epoch
    curves = {field: [] for field in Record._fields}
    if checkpoint.exists():
        state = checkpoints.read(checkpoint)
        trainer.load_state_dict(state)
        curves = state["curves"]
    with tqdm(total=epochs, initial=trainer.steps_done // epoch, unit="epoch") as bar:
        while trainer.steps_done < epochs * epoch:
            history = stack(trainer.run(epoch))
            for field in Record._fields:
                curves[field].append(round(getattr(history, field).mean().item(), 4))
            trainer.check_finite()
            checkpoints.write(checkpoint, trainer.state_dict() | {"curves": curves})
            bar.update()
            bar.set_postfix_str(f"D(x) {curves['d_real'][-1]:.2f}, D(G(z)) {curves['d_fake'][-1]:.2f}")
    return curves


def ship(name: str, trainer: Trainer, curves: dict[str, list[float]], card: dict) -> None:
    """Write the weights and their card, then once more with the figures of what was written."""
    states = {"raw": trainer.generator.state_dict()}
    if trainer.averaged:
        with seeded(0):
            trainer.sample(1, average=True)  # gives the average batch-norm statistics of its own
        states["averaged"] = trainer.averaged.module.state_dict()
    if name in AVERAGE_ALONE:
        del states["raw"]
    epoch = len(trainer.data) // trainer.batch_size
    done = {"epochs": trainer.steps_done // epoch, "epochs of the recipe": trainer.steps // epoch}
    command = f"python tests/make/train_pretrained.py {name} --epochs {done['epochs']}"
    made = {"training images": len(trainer.data), "threads": torch.get_num_threads(), "torch": torch.__version__}
    card = {"made by": command} | card | done | made | {"metrics": {}, "curves": curves}
    pretrained.write(name, states, card)
    card["metrics"] = {net: figures(pretrained.load(name, average=net == "averaged")) for net in states}
    pretrained.write(name, states, card)


@torch.no_grad()
def figures(G: torch.nn.Module) -> dict:
    """The metrics of 10,000 draws: of digits beside the test images, of faces beside as many new ones."""
    with seeded(0):
        return metrics.report(G(G.latent.sample((10_000,))))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=[one for one in pretrained.names() if one not in pretrained.MADE_BY])
    parser.add_argument("--epochs", type=int, help="how many in all, from the first; the recipe's if not given")
    parser.add_argument(
        "--device", default="cpu", help="elsewhere sums are rounded otherwise, and so other weights come"
    )
    args = parser.parse_args()
    torch.set_num_threads(1)
    (ROOT / "runs").mkdir(exist_ok=True)
    trainer, card = build(args.name, args.device)
    ship(args.name, trainer, train(trainer, ROOT / "runs" / f"{args.name}.pt", args.epochs), card)
