"""Plays `recipes.faces_little` with 100 to 5,000 faces, with and without augmentation: what lesson 15 counts.

`python tests/make/little_record.py` writes gan_lessons/records/little_data.json. On one core that takes about three
hours, on a GPU with `--device cuda --processes 14` four minutes; it goes on where it stopped. Frechet, density and
coverage in the features of `pretrained.reader()`, of 2,000 averaged fakes beside 2,000 new faces. For each game:

- "looks": every 50 rounds what D, in eval mode, says of up to 500 training faces, 500 new faces and 500 fakes, raw: the
  mean of D(x), the mean sign of its raw output; p, and r_t as `Augment` has it.
- "scores": every 250 rounds what is counted of the fakes; "report": at the end, `metrics.report_faces`.
- "copies": the share of 500 fakes that lie nearer to one of the n training faces than to any of n new ones, in pixels,
  and the mean distance to either; "nearest": of the fakes kept as a picture, the training face that is nearest.
- "uprights": of `rotate` games, the share of fakes that look most like the mean face turned by 0 to 3 quarters.
- "grey", "bright": the share of pixels without colour and of middling brightness, the sd of a fake's mean brightness.

- "alone": D has all the turns, against a G that stands still, the shipped `faces_dcgan`; "right": the share of pairs of
  a training (or new) face and a fake in which D gives the face more.

"r1" games have another R1. "floor": the same of real faces, and of n training faces drawn again and again, which is
what perfect copies would be (of three sets, those of the three seeds); "speckled": these copies moved by at most a
pixel, with noise of sd 0.15. "swings": of games with 100 faces, after each turn the mean sign of D's raw output.
"""

import argparse
import json
import time
from functools import cache, partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.multiprocessing import get_context

from gan_lessons import Trainer, checkpoints, data, metrics, pretrained, recipes
from gan_lessons.augment import Augment, AugmentedTrainer
from gan_lessons.convolutional import DCGANDiscriminator
from gan_lessons.devices import seeded
from gan_lessons.guards import evaluating
from gan_lessons.optimizers import adam
from gan_lessons.portraits import LITTLE
from gan_lessons.tiles import packed

RECORD = Path(__file__).parents[2] / "gan_lessons" / "records" / "little_data.json"
SIZES, SEEDS = (100, 250, 500, 1000, 5000), (0, 1, 2)
LOOK, SCORE = 50, 250
OTHER_R1 = 0.5
ALONE = {"sizes": (100, 500, 5000), "turns": 500, "r1": 0.1, "pace": 200}
SHOWN = 16  # fakes that are kept as a picture, of games of the first seed without augmentation, or with `rotate`


def games(rounds: int) -> dict[str, dict[str, Any]]:
    """Name -> settings of `play`, in the order in which they are played."""
    found = {}
    for seed in SEEDS:
        for n in SIZES:
            for way in ("plain", "adaptive"):
                found[f"{n} {way} {seed}"] = {"n": n, "seed": seed, "rounds": rounds, "augment": way}
    for way in ("plain", "adaptive"):
        found[f"50 {way} 0"] = {"n": 50, "seed": 0, "rounds": rounds, "augment": way}
    for seed in SEEDS[:2]:
        for p in (0.5, 0.8, 0.9, 1.0):
            found[f"rotate {p} {seed}"] = {"n": 5000, "seed": seed, "rounds": 2 * rounds // 5, "augment": ["rotate", p]}
    for n in (100, 500):
        for way in ("plain", "adaptive"):
            found[f"r1 {n} {way} 0"] = {"n": n, "seed": 0, "rounds": rounds, "augment": way, "r1": OTHER_R1}
    for seed in SEEDS[:2]:
        for p in (0.5, 1.0):
            found[f"fixed {p} {seed}"] = {"n": 500, "seed": seed, "rounds": 2 * rounds // 3, "augment": ["usual", p]}
    for seed in SEEDS:
        for p in (0.2, 0.5):
            found[f"fixed 100 {p} {seed}"] = {"n": 100, "seed": seed, "rounds": rounds, "augment": ["usual", p]}
    return found


def alones() -> dict[str, dict[str, Any]]:
    ways = {"plain": None, "adaptive": 0.6}
    return {
        f"alone {n} {way} {seed}": {"n": n, "seed": seed, "turns": ALONE["turns"], "target": target}
        for seed in SEEDS
        for n in ALONE["sizes"]
        for way, target in ways.items()
    }


def augmentation(kind: Any) -> bool | Augment:
    if isinstance(kind, str):
        return kind == "adaptive"
    ways, p = kind
    return Augment(p, ("rotate",)) if ways == "rotate" else Augment(p)


def play(
    n: int, seed: int, rounds: int, augment: Any, device: str = "cpu", until: float = 0.0, **settings: float
) -> dict[str, Any]:
    """One game, and what is counted of it. It ends early when the clock says until."""
    torch.set_num_threads(1)
    began = time.time()
    trainer = recipes.faces_little(seed, device, n, augmentation(augment), steps=rounds, **settings)
    train, new = (one.images[:500] / 127.5 - 1 for one in (trainer.data, data.faces(2000, seed=metrics.NEW_FACES)))
    looks, scores = [], []
    while trainer.steps_done < rounds:
        trainer.step()
        last = trainer.steps_done == rounds or (until and time.time() > until)
        if trainer.steps_done % LOOK == 0 or last:
            looks.append(look(trainer, train, new))
        if trainer.steps_done % SCORE == 0 or last:
            scores.append({"round": trainer.steps_done} | score(fakes(trainer, 2000)))
        if last:
            break
    x = fakes(trainer, 500)
    row = {"rounds": trainer.steps_done, "seconds": round(time.time() - began, 1)}
    row |= {"looks": columns(looks), "scores": columns(scores), "report": metrics.report_faces(fakes(trainer, 2000))}
    if seed == SEEDS[0] and (augment == "plain" or augment[0] == "rotate") and not settings:
        row["faces"] = packed(x[: SHOWN if isinstance(augment, str) else SHOWN // 2], 8)
    row |= copies(x, trainer.data, n)
    row |= {"uprights": uprights(x)} if augment[0] == "rotate" else leaks(x)
    return row


def columns(rows: list[dict[str, float]]) -> dict[str, list[float]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


@cache
def real() -> Tensor:
    """Features of the faces that fakes are compared with."""
    x = data.faces(2000, seed=metrics.NEW_FACES).images / 127.5 - 1
    return torch.cat([pretrained.reader().features(part) for part in x.split(500)])


@torch.no_grad()
def score(x: Tensor) -> dict[str, float]:
    reader = pretrained.reader()
    features = torch.cat([reader.features(part) for part in x.split(500)])
    kinds = (metrics.kinds((reader.head(features) > 0).long()) >= 0.01).sum().item()
    _, coverage = metrics.density_and_coverage(real(), features)
    return {"frechet": metrics.frechet_distance(features, real()), "coverage": coverage, "kinds": kinds}


class Counterfeiter(nn.Module):
    """A G that stands still: it draws from 4,000 fakes of `faces_dcgan`, averaged."""

    def __init__(self) -> None:
        super().__init__()
        G = pretrained.load("faces_dcgan", average=True)
        with seeded(5), torch.no_grad():
            self.register_buffer("fakes", torch.cat([G(G.latent.sample((500,))) for _ in range(8)]))
        self.nothing = nn.Parameter(torch.zeros(()))  # a trainer wants something to train

    def forward(self, z: Tensor) -> Tensor:
        return self.fakes[torch.randint(len(self.fakes), (len(z),))] + 0 * self.nothing


def alone(n: int, seed: int, turns: int, target: float | None, device: str = "cpu") -> dict[str, Any]:
    """D has all the turns, against a good G: what it says of training faces, new ones and fakes."""
    torch.set_num_threads(1)
    with seeded(seed):
        D = DCGANDiscriminator(3, 32, 64, 128)
    D = nn.Sequential(Augment(target=target, pace=ALONE["pace"]), D)
    train, settings = (
        data.faces(n, seed=LITTLE + seed),
        {"lr_d": 1e-3, "lr_g": 0.0, "batch_size": 32, "r1": ALONE["r1"]},
    )
    settings |= {"penalty_every": 4, "optimizer": partial(adam, betas=(0.0, 0.99)), "seed": seed, "device": device}
    trainer = AugmentedTrainer(Counterfeiter(), D, train, latent=data.standard_normal(2), **settings)
    x = [one.images[:500] / 127.5 - 1 for one in (train, data.faces(500, seed=metrics.NEW_FACES))]
    x.append(trainer.generator.fakes[:500].cpu())
    rows = []
    for turn in range(1, turns + 1):
        trainer.discriminator_step()
        trainer.steps_done += 1  # R1 comes in every fourth
        if turn % (LOOK // 2) == 0:
            with torch.no_grad(), evaluating(D):
                outs = [D(part.to(trainer.device)).cpu() for part in x]
            row = {"turn": turn, "p": trainer.augment.p.item(), "r": trainer.augment.r.item()}
            for name, out in zip(("train", "new", "fake"), outs, strict=True):
                row |= {f"D {name}": out.sigmoid().mean().item(), f"sign {name}": out.sign().mean().item()}
            for name, out in zip(("train", "new"), outs[:2], strict=True):  # how often it finds the real one of two
                row[f"right {name}"] = (out[:, None] > outs[2]).double().mean().item()
            rows.append(row)
    return columns(rows)


def fakes(trainer: Trainer, n: int) -> Tensor:
    with seeded(0, trainer.device):
        return trainer.sample(n, average=True).cpu()


@torch.no_grad()
def look(trainer: Trainer, train: Tensor, new: Tensor) -> dict[str, float]:
    with seeded(1, trainer.device):
        fake = trainer.sample(500)
    D, found = trainer.discriminator, {"round": trainer.steps_done}
    with evaluating(D):
        for name, x in (("train", train), ("new", new[:500]), ("fake", fake)):
            out = D(x.to(trainer.device)).cpu()
            found |= {f"D {name}": out.sigmoid().mean().item(), f"sign {name}": out.sign().mean().item()}
    if isinstance(D, nn.Sequential):
        found |= {"p": D[0].p.item(), "r": D[0].r.item()}
    return found


def copies(x: Tensor, train: data.Images, n: int) -> dict[str, Any]:
    new = data.faces(n, seed=LITTLE - 1)
    (to_train, index), (to_new, _) = (
        metrics.nearest(x.flatten(1), one.images.cpu().flatten(1) / 127.5 - 1) for one in (train, new)
    )
    found = {"nearer to a training face": (to_train < to_new).double().mean().item()}
    found |= {"to training": to_train.mean().item(), "to new": to_new.mean().item()}
    return {"copies": found, "nearest": index[:SHOWN].tolist()}


def uprights(x: Tensor) -> list[float]:
    """The share of faces that go best with the mean real face turned by 0, 1, 2 and 3 quarters."""
    mean = data.faces(2000, seed=metrics.NEW_FACES).images.float().mean(dim=0)
    looks = torch.stack([mean.rot90(k, (1, 2)).flatten() for k in range(4)])
    looks = nn.functional.normalize(looks - looks.mean(dim=1, keepdim=True), dim=1)
    best = (x.flatten(1) @ looks.T).argmax(dim=1)
    return (best.bincount(minlength=4) / len(x)).tolist()


def leaks(x: Tensor) -> dict[str, float]:
    grey = (x.abs() < 0.08).all(dim=1).double().mean().item()
    return {"grey": grey, "bright": x.mean(dim=(1, 2, 3)).std().item()}


def floor() -> dict[str, Any]:
    """Of real faces: those that nobody has seen, and, as perfect copies would be, n training faces again and again."""
    real = data.faces(2000, seed=LITTLE - 2).images / 127.5 - 1
    found = {"real": metrics.report_faces(real) | leaks(real), "uprights": uprights(real)}
    for n in (50, *SIZES):
        draws = []
        for seed in SEEDS:
            with seeded(seed):
                x = data.faces(n, seed=LITTLE + seed).sample((2000,))
                draws.append(score(x) | {"speckled": score(speckled(x))["coverage"]})
        found[str(n)] = {key: [draw[key] for draw in draws] for key in ("frechet", "coverage", "speckled")}
    return found


def speckled(x: Tensor) -> Tensor:
    moved = nn.functional.pad(x, (1, 1, 1, 1), mode="replicate")
    corners = torch.randint(3, (len(x), 2)).tolist()
    moved = torch.stack([one[:, a : a + 32, b : b + 32] for one, (a, b) in zip(moved, corners, strict=True)])
    return moved + 0.15 * torch.randn_like(moved)


def swings(seed: int) -> dict[str, list[float]]:
    trainer, found = recipes.faces_little(seed, "cpu", 100), {"D": [], "G": []}
    x, D = trainer.data.images / 127.5 - 1, trainer.discriminator

    def note(turn: str) -> None:
        with torch.no_grad(), evaluating(D):
            found[turn].append(D(x).sign().mean().item())

    for _ in range(110):
        for _ in trainer.turns():
            note("D")
        note("G")
    return found


def rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.3g}")
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    return [rounded(one) for one in value] if isinstance(value, list) else value


def _named(job: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any] | None]:
    name, settings = job
    late = settings["until"] and time.time() > settings["until"] - 20  # nothing worth keeping would come of it
    if name.startswith("alone"):
        settings.pop("until")
        return name, None if late else alone(**settings)
    return name, None if late else play(**settings)


def main(record: Path, rounds: int, device: str, processes: int, seconds: float, only: str) -> None:
    kept = json.loads(record.read_text()) if record.exists() else {}
    kept |= {"made by": "python tests/make/little_record.py", "device": device, "rounds": rounds}
    rows = kept.setdefault("games", {})
    until = time.time() + seconds if seconds else 0.0

    def keep() -> None:
        checkpoints.put(record, json.dumps(rounded(kept)).encode() + b"\n")

    every = games(rounds) | alones()
    wanted = {name: one for name, one in every.items() if only in name}
    jobs = [(name, one | {"device": device, "until": until}) for name, one in wanted.items() if name not in rows]
    began = time.time()
    with get_context("spawn").Pool(processes) as pool:
        done = pool.imap_unordered(_named, jobs)
        if "floor" not in kept:
            kept |= {"floor": floor(), "swings": [swings(seed) for seed in SEEDS]}
        for name, row in done:
            if row is None:
                continue
            rows[name] = row
            keep()
            found = f"{row['report']['frechet']:.1f}" if "report" in row else ""
            print(f"{time.time() - began:6.1f} s  {name:20}", found, flush=True)
    kept["games"] = {name: rows[name] for name in every if name in rows}
    keep()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", type=Path, default=RECORD)
    parser.add_argument("--rounds", type=int, default=900)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=0.0, help="games that are not over by then end early")
    parser.add_argument("--only", default="", help="games with this in their names")
    main(**vars(parser.parse_args()))
