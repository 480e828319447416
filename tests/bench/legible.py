"""How long until digits can be read? `python tests/bench/legible.py mnist_quick --seeds 5` prints it, seed by seed.

Seconds of training alone, on two threads, until 2,000 draws of G's moving average are legible: the classifier is more
than 90% sure of 80% of them, and they cover 80% of the first 2,000 test images (pixels, k = 5). Beside it the seconds
until they score as `before` did at its end: the quick recipe of the first edition, which can be named like any other.

Machines differ, and one machine by the hour: the speed of a 1024^3 float32 product is measured before every seed, and
each time is given again as on a machine of 190 GFLOP/s. `--pictures FOLDER` keeps 100 draws after 5, 10, 20 and 40 of
those seconds. Close other programs before.
"""

import argparse
import io
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from matplotlib.figure import Figure
from torch import Tensor
from tqdm import tqdm
from training import line

from gan_lessons import checkpoints, data, losses, metrics, plots, pretrained, recipes
from gan_lessons.devices import seeded
from gan_lessons.models import MLPDiscriminator, MLPGenerator, leaky_relu
from gan_lessons.training import Trainer

REFERENCE = 190.0  # GFLOP/s
LEGIBLE = (0.8, 0.8)  # share read surely, coverage
AS_BEFORE = (0.69, 0.9)  # what `before` has after its 6 epochs
LOOK_EVERY, LONGEST = 1.0, 150.0  # seconds at the reference speed
PICTURES_AT = (5, 10, 20, 40)
N = 2000


def before(seed: int = 0, device: str = "auto") -> Trainer:
    """`mnist_quick` as it was in the first edition: dropout and a smoothed label instead of a penalty."""
    with seeded(seed):
        G = MLPGenerator(64, 256, 512, 784, activation=leaky_relu, batch_norm=True, output=torch.nn.Tanh())
        D = MLPDiscriminator(784, 512, 256, 1, activation=leaky_relu, dropout=0.3)
    rates = {"lr_d": 1e-3, "lr_g": 1e-3, "batch_size": 100, "average": 0.999, "loss": losses.smoothed(0.9)}
    return Trainer(
        G, D, data.mnist("train"), latent=data.standard_normal(64), steps=3600, seed=seed, device=device, **rates
    )


RECIPES = {name: getattr(recipes, name) for name in ("mnist_quick", "mnist_best", "mnist", "mnist_paper")}
RECIPES["before"] = before


def speed(rounds: int = 30) -> float:
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


def look(trainer: Trainer, n: int = N) -> Tensor:
    with seeded(0):
        return trainer.sample(n, average=trainer.averaged is not None)


def run(make: Callable[..., Trainer], seed: int, unit: float, keep: Callable[[int, Tensor], None]) -> dict[str, float]:
    """Seconds and steps until each mark is reached, and the scores when the last one was. unit: a reference second."""
    trainer, seconds, found = make(seed, device="cpu"), 0.0, {}
    pictures = list(PICTURES_AT)
    with tqdm(total=LONGEST, unit="s", leave=False, desc=f"seed {seed}") as bar:
        while seconds < LONGEST * unit and (len(found) < 4 or pictures):
            begin = time.perf_counter()
            while (spent := time.perf_counter() - begin) < LOOK_EVERY * unit:
                trainer.step()
            seconds += spent
            bar.update(LOOK_EVERY)
            while pictures and seconds >= pictures[0] * unit:
                keep(pictures.pop(0), look(trainer, 100))
            scores = score(look(trainer))
            for name, mark in (("as before", AS_BEFORE), ("legible", LEGIBLE)):
                if name not in found and all(one >= least for one, least in zip(scores, mark, strict=True)):
                    found |= {name: seconds, f"{name}, steps": trainer.steps_done}
    return found | {"sure": scores[0], "coverage": scores[1], "steps": trainer.steps_done}


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
    torch.set_num_threads(args.threads)
    columns = ("recipe", "seed", "GFLOP/s", "legible after", f"at {REFERENCE:g} GFLOP/s", "steps", "as before after")
    line(*columns, f"at {REFERENCE:g} GFLOP/s", "at the end: sure, coverage, steps")
    line(*["---"] * 9)
    for seed in range(args.seeds):  # recipes take turns: the machine's moods fall on all
        for name in args.recipe:

            def keep(second: int, samples: Tensor, name: str = name, seed: int = seed) -> None:
                if args.pictures:
                    args.pictures.mkdir(parents=True, exist_ok=True)
                    title = f"{name}, seed {seed}, after {second} s: G's moving average"
                    picture(samples, args.pictures / f"{name}-seed{seed}-{second:02d}s.png", title)

            fast = speed()
            it = run(RECIPES[name], seed, REFERENCE / fast, keep)
            cells = []
            for mark in ("legible", "as before"):
                cells += [f"{it[mark] * x:.1f} s" if mark in it else "never" for x in (1, fast / REFERENCE)]
                cells += [str(it.get(f"{mark}, steps", ""))] if mark == "legible" else []
            line(name, str(seed), f"{fast:.0f}", *cells, f"{it['sure']:.2f}, {it['coverage']:.2f}, {it['steps']}")
