"""Train a GAN on digits or faces from a terminal. The same command again goes on from where it was."""

import argparse
import io
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from gan_lessons import checkpoints, plots, recipes
from gan_lessons.training import Trainer

RECIPES = {
    "mnist_quick": recipes.mnist_quick,
    "mnist_small": recipes.mnist_small,
    "mnist_best": recipes.mnist_best,
    "mnist": recipes.mnist,
    "mnist_paper": recipes.mnist_paper,
    "faces_quick": recipes.faces_quick,
    "faces_dcgan": recipes.faces_dcgan,
}
MOST_EPOCHS = 1_000_000  # years


def main() -> None:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # not every console has the letters of every folder
    parser = argparse.ArgumentParser(prog="python -m gan_lessons", description=__doc__)
    parser.add_argument("recipe", choices=RECIPES)
    parser.add_argument("--epochs", type=whole_number, help="how many, the finished ones included (as the recipe says)")
    parser.add_argument("--seed", type=whole_number, default=0)
    parser.add_argument("--device", default="auto", help="auto, cuda, mps or cpu")
    parser.add_argument("--out", type=Path, help="folder for checkpoint.pt and samples.png (runs/RECIPE-seedSEED)")
    args = parser.parse_args()
    out = args.out or Path("runs", f"{args.recipe}-seed{args.seed}")
    checkpoint, samples = out / "checkpoint.pt", out / "samples.png"
    with stops() as asked:
        try:
            trainer = begin(args, checkpoint)
        except (ValueError, OSError, RuntimeError, FloatingPointError) as error:  # MNIST damaged: a RuntimeError
            parser.error(str(error))
        try:
            train(trainer, checkpoint, asked)
            if trainer.steps_done < trainer.steps:
                sys.exit(f"Stopped at step {trainer.steps_done}; the same command goes on from there.")
            save_samples(trainer, samples, f"{args.recipe}, seed {args.seed}, step {trainer.steps_done}")
        except FloatingPointError as error:
            sys.exit(f"{error} {kept(checkpoint)}.")
        except OSError as error:
            sys.exit(f"{error}. {kept(checkpoint)}; the same command goes on from there.")
    print(f"{samples} and {checkpoint} are written.")


def whole_number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"got {text!r}; it must be a whole number") from None


@contextmanager
def stops() -> Iterator[list[int]]:
    """Collect the signals that ask the run to stop: Ctrl-C, a polite kill, a terminal that is closed."""
    asked: list[int] = []
    ignored = (signal.SIG_IGN, None)  # as under nohup
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    heard = [number for number in numbers if signal.getsignal(number) not in ignored]
    before = {number: signal.signal(number, lambda number, frame: asked.append(number)) for number in heard}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def begin(args: argparse.Namespace, checkpoint: Path) -> Trainer:
    """The trainer where its checkpoint says, and a disk with room for more. All that can be refused is refused here."""
    make = partial(RECIPES[args.recipe], seed=args.seed, device=args.device)
    trainer = make()
    if args.epochs is not None:
        if not 1 <= args.epochs <= MOST_EPOCHS:
            raise ValueError(f"--epochs: got {args.epochs}; it must be a whole number from 1 to {MOST_EPOCHS:,}")
        trainer = make(steps=args.epochs * epoch(trainer))
    with named(checkpoint.parent, "cannot be made a folder"):
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
    with named(checkpoint, "cannot be read"):
        if checkpoint.exists():
            trainer.load(checkpoint)
    if trainer.seed != args.seed:
        raise ValueError(
            f"--seed: got {args.seed}, but {checkpoint} was begun with {trainer.seed}; give that, or another --out"
        )
    done, steps = trainer.steps_done, trainer.steps
    in_epochs = f"epoch {done / epoch(trainer):.4g} of {steps / epoch(trainer):.4g}"
    print(f"{args.recipe}, seed {args.seed}, {trainer.device}: from step {done} of {steps} ({in_epochs})")
    if done >= steps:
        print(f"{checkpoint} is as long already, nothing is left to train. A larger --epochs trains on.")
        return trainer
    with named(checkpoint, "cannot be written, so nothing is trained"):
        trainer.save(checkpoint)
        for _ in trainer.run(0 if done else 2):  # from the first step on there are moments: is there room for two such?
            trainer.save(checkpoint)
    return trainer


def epoch(trainer: Trainer) -> int:
    """Steps in which as many images are drawn as there are."""
    return max(1, len(trainer.data) // trainer.batch_size)


@contextmanager
def named(path: Path, what: str) -> Iterator[None]:
    """Let an error of the disk say in a sentence which file it was, and what could not be done."""
    try:
        yield
    except OSError as error:
        raise OSError(f"{path}: {what} ({error.strerror or error})") from error


def train(trainer: Trainer, checkpoint: Path, asked: list[int]) -> None:
    """Run to the end of the schedule or until asked to stop, with time left, saving then and after every epoch."""
    with tqdm(
        total=trainer.steps, initial=trainer.steps_done, unit="step", dynamic_ncols=True, disable=sys.stderr is None
    ) as bar:
        for record in trainer.run():
            stop = bool(asked)
            ends_epoch = trainer.steps_done % epoch(trainer) == 0 or trainer.steps_done == trainer.steps
            if stop or ends_epoch:
                with named(checkpoint, "cannot be written"):
                    trainer.save(checkpoint)
            if stop:
                return
            bar.update()
            if ends_epoch:
                bar.set_postfix_str(f"D(x) {record.d_real:.2f}, D(G(z)) {record.d_fake:.2f}")


def kept(checkpoint: Path) -> str:
    """What a run that ends early leaves."""
    try:
        return f"{checkpoint} is whole and holds step {checkpoints.read(checkpoint)['steps_done']}"
    except (OSError, ValueError):
        return f"{checkpoint} is lost"


def save_samples(trainer: Trainer, path: Path, title: str) -> None:
    """64 draws from G as they come, and from its moving average where there is one."""
    looks = {"raw draws of G": False} | ({"raw draws of G's moving average": True} if trainer.averaged else {})
    figure = Figure(figsize=(4 * len(looks), 4.4), layout="constrained")
    figure.suptitle(title)
    for ax, (name, average) in zip(figure.subplots(1, len(looks), squeeze=False)[0], looks.items(), strict=True):
        torch.manual_seed(trainer.seed)  # so that both show the same z
        plots.image_grid(trainer.sample(64, average=average), ax=ax).set_title(name)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=110)
    with named(path, "cannot be written"):
        checkpoints.put(path, picture.getvalue())


if __name__ == "__main__":
    main()
