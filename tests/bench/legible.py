"""How long until digits can be read? `python tests/bench/legible.py mnist_quick --seeds 5` prints it, seed by seed.

Seconds of training alone, on two threads, until 2,000 draws of G's moving average are legible: the classifier is more
than 90% sure of 80% of them, and they cover 80% of the first 2,000 test images (pixels, k = 5). Beside it the seconds
until they score as `mnist_small` does at its end, which was the quick recipe of the first edition. Of faces
(`faces_quick`): until they are good, as `metrics.report_faces` says, at three looks in a row.

Machines differ, and one machine by the minute: the speed of a 1024^3 float32 product is measured before each second of
training, and each time is given again as on a machine of 190 GFLOP/s. `--pictures FOLDER` keeps 64 draws after 5, 10,
20 and 40 of those seconds. Close other programs before.
"""

import argparse
import io
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor
from tqdm import tqdm
from training import line

from gan_lessons import checkpoints, data, metrics, plots, pretrained, recipes
from gan_lessons.devices import seeded
from gan_lessons.training import Trainer

REFERENCE = 190.0  # GFLOP/s
DIGITS = {"legible": (0.8, 0.8), "as mnist_small": (0.69, 0.9)}  # share read surely, coverage; what it ends with
FACES = {"good": (3,)}  # looks in a row
LOOK_EVERY, LONGEST = 1.0, 70.0  # seconds at the reference speed
PICTURES_AT = (5, 10, 20, 40)
N = 2000


RECIPES = ("mnist_quick", "mnist_small", "mnist_best", "mnist", "mnist_paper", "faces_quick", "faces_dcgan")


def speed(rounds: int = 9) -> float:
    """GFLOP/s of a product of two 1024 x 1024 matrices in float32: the median of so many."""
    a, b = torch.rand(2, 1024, 1024)
    seconds = []
    for _ in range(rounds):
        begin = time.perf_counter()
        torch.mm(a, b)
        seconds.append(time.perf_counter() - begin)
    return 2 * 1024**3 / statistics.median(seconds) / 1e9


def score(samples: Tensor) -> tuple[float, float]:
    """Share of images (n, 784) that the classifier is more than 90% sure of, and their coverage of the test images."""
    real = data.mnist("test")[:N].images.flatten(1) / 127.5 - 1
    with torch.no_grad():
        sureness = torch.cat([pretrained.classifier()(part).softmax(1).amax(1) for part in samples.split(500)])
    return (sureness > 0.9).double().mean().item(), metrics.density_and_coverage(real, samples)[1]


def marks_of(recipe: str) -> dict[str, tuple[float, ...]]:
    return FACES if recipe.startswith("faces") else DIGITS


def look(trainer: Trainer, n: int = N) -> Tensor:
    with seeded(0):
        return trainer.sample(n, average=trainer.averaged is not None)


def run(make: Callable[..., Trainer], seed: int, keep: Callable[[int, Tensor], None]) -> dict[str, Any]:
    """For each mark that is reached: seconds, the same on the reference machine, steps. And what came last."""
    trainer, seconds, reference, found = make(seed, device="cpu"), 0.0, 0.0, {}
    pictures, marks, good, reports = list(PICTURES_AT), marks_of(make.__name__), 0, {}
    with tqdm(total=LONGEST, unit="s", leave=False, desc=f"seed {seed}") as bar:
        while reference < LONGEST and (len(found) < len(marks) or pictures):
            fast, begin = speed() / REFERENCE, time.perf_counter()
            while (spent := time.perf_counter() - begin) * fast < LOOK_EVERY:
                trainer.step()
            seconds, reference = seconds + spent, reference + spent * fast
            bar.update(spent * fast)
            while pictures and reference >= pictures[0]:
                keep(pictures.pop(0), look(trainer, 64))
            if marks is FACES:
                reports = metrics.report_faces(look(trainer))
                good = good + 1 if reports["good"] else 0
                scores = (good, reports["frechet"], reports["grain"], *(reports[name] for name in data.ATTRIBUTES))
            else:
                scores = score(look(trainer))
            for name, mark in marks.items():
                if name not in found and all(one >= least for one, least in zip(scores, mark, strict=False)):
                    found[name] = seconds, reference, trainer.steps_done
    return found | {"end": (seconds, reference, trainer.steps_done), "scores": scores}


def picture(samples: Tensor, path: Path, title: str) -> None:
    figure = Figure(figsize=(5, 5.3), layout="constrained")
    plots.image_grid(samples, ax=figure.subplots()).set_title(title)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110)
    checkpoints.put(path, file.getvalue())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", nargs="+", choices=RECIPES)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--pictures", type=Path)
    args = parser.parse_args()
    if len({recipe.startswith("faces") for recipe in args.recipe}) == 2:
        parser.error("recipe: digits and faces have marks of their own; ask for one kind at a time")
    torch.set_num_threads(args.threads)
    marks = marks_of(args.recipe[0])
    line("recipe", "seed", *(f"{mark}: seconds, at {REFERENCE:g} GFLOP/s, steps" for mark in (*marks, "end")), "scores")
    line(*["---"] * (len(marks) + 4))
    for seed in range(args.seeds):  # recipes take turns: the machine's moods fall on all
        for name in args.recipe:

            def keep(second: int, samples: Tensor, name: str = name, seed: int = seed) -> None:
                if args.pictures:
                    args.pictures.mkdir(parents=True, exist_ok=True)
                    title = f"{name}, seed {seed}, after {second} s: G's moving average"
                    picture(samples, args.pictures / f"{name}-seed{seed}-{second:02d}s.png", title)

            found = run(getattr(recipes, name), seed, keep)
            cells = [found.get(mark) for mark in (*marks, "end")]
            cells = ["never" if it is None else f"{it[0]:.1f} s, {it[1]:.1f} s, {it[2]}" for it in cells]
            line(name, str(seed), *cells, ", ".join(f"{one:.2f}" for one in found["scores"]))
