"""Measures what lesson 11 shows of games that take longer than a lesson may: faces, on one core, one thread.

`python tests/make/dcgan_record.py` writes gan_lessons/records/dcgan.json, about an hour. Stop it whenever you like:
what is measured is kept, and `--anew` begins anew.

- "quick": `recipes.faces_quick`, seed 0, its 1,000 rounds: the same ten z at some rounds; what D's first layer weighs;
  the seconds of the core.
- "rules": 300 rounds of the same game with one thing changed, three seeds; "push": how far the slope of log D would
  move a fake at their end, over all of its pixels, a mean of 64 fakes. Rows with a "device" were played there, with
  `--rules cuda`, which plays these rows alone, without their seconds.
- "mlp": players of fully connected layers with as many weights, the same settings, and as many seconds of the core as
  those 300 rounds.
- "labels": how well a linear rule reads the attributes from what D's last layer sees, from pixels, and from the last
  layer of a D that has not learned, by how many faces have labels; five draws of faces.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from attributes_record import rounded
from torch import Tensor, nn
from tqdm import tqdm

from gan_lessons import Trainer, attributes, checkpoints, data, metrics, portraits, recipes, seen
from gan_lessons.convolutional import DCGANDiscriminator, DCGANGenerator, leaky_relu
from gan_lessons.devices import seeded
from gan_lessons.models import MLPDiscriminator, MLPGenerator
from gan_lessons.tiles import packed

RECORD = Path(__file__).parents[2] / "gan_lessons" / "records" / "dcgan.json"
ROUNDS = {"whole": 1000, "rules": 300}
FILM = (1, 50, 100, 200, 400, 700, 1000)
LABELS, RIDGES = (20, 50, 100, 200, 500, 1000), (1e-4, 1e-3, 1e-2, 1e-1)
SEEDS = (0, 1, 2)


class Shaped(nn.Module):
    """A fully connected G whose numbers are the pixels of a face."""

    def __init__(self):
        super().__init__()
        self.net = MLPGenerator(32, 128, 64, 3072, activation=nn.ReLU, batch_norm=True, output=nn.Tanh())

    def forward(self, z: Tensor) -> Tensor:
        return self.net(z).view(-1, 3, 32, 32)


class Flat(nn.Module):
    """A fully connected D that is given the pixels of a face as one row."""

    def __init__(self):
        super().__init__()
        self.net = MLPDiscriminator(3072, 52, 128, 1, activation=leaky_relu)

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x.flatten(1))


class Repeating(DCGANGenerator):
    """Enlarges its maps by repeating each number, with a convolution after it, in place of transposed convolutions."""

    def __init__(self, *widths: int):
        super().__init__(*widths)
        parts = []
        for part in self.net:
            if isinstance(part, nn.ConvTranspose2d):
                parts += [nn.Upsample(scale_factor=2), nn.Conv2d(part.in_channels, part.out_channels, 3, padding=1)]
            else:
                parts.append(part)
        self.net = nn.Sequential(*parts).to(memory_format=torch.channels_last)


class Pooling(DCGANDiscriminator):
    """Halves its maps by keeping the largest of four numbers, in place of strides."""

    def __init__(self, *widths: int):
        super().__init__(*widths)
        parts = []
        for part in self.body:
            if isinstance(part, nn.Conv2d):
                parts += [nn.Conv2d(part.in_channels, part.out_channels, 3, padding=1), nn.MaxPool2d(2)]
            else:
                parts.append(part)
        self.body = nn.Sequential(*parts).to(memory_format=torch.channels_last)


class HiddenG(DCGANGenerator):
    """With a fully connected hidden layer."""

    def __init__(self, latent: int, *widths: int):
        super().__init__(256, *widths)
        self.net = nn.Sequential(nn.Linear(latent, 256), nn.BatchNorm1d(256), nn.ReLU(), *self.net)


class HiddenD(DCGANDiscriminator):
    def __init__(self, *widths: int):
        super().__init__(*widths)
        self.head = nn.Sequential(nn.Linear(self.head.in_features, 256), leaky_relu(), nn.Linear(256, 1))


class ReluD(DCGANDiscriminator):
    def __init__(self, *widths: int):
        super().__init__(*widths)
        self.body = nn.Sequential(*(nn.ReLU() if isinstance(part, nn.LeakyReLU) else part for part in self.body))


def normed(*widths: int) -> DCGANDiscriminator:
    return DCGANDiscriminator(*widths, batch_norm=True)


def bare(*widths: int) -> DCGANGenerator:
    return DCGANGenerator(*widths, batch_norm=False)


def leaky(*widths: int) -> DCGANGenerator:
    return DCGANGenerator(*widths, activation=leaky_relu)


VARIANTS: dict[str, dict[str, Any]] = {  # what is other than in `recipes.faces_quick`
    "as it is": {},
    "G without batch norm": {"G": bare},
    "D pools, no strides": {"D": Pooling},
    "no R1": {"r1": 0.0},
    "ReLU in D": {"D": ReluD},
    "hidden fully connected layers": {"G": HiddenG, "D": HiddenD},
    "D with batch norm": {"D": normed},
    "Adam with momentum 0.9": {"optimizer": lambda params, lr: torch.optim.Adam(params, lr=lr, betas=(0.9, 0.99))},
    "G repeats pixels, no transposed convolutions": {"G": Repeating},
    "LeakyReLU in G": {"G": leaky},
}


def game(seed: int, G: Any = None, D: Any = None, device: str = "cpu", **settings: Any) -> Trainer:
    """`recipes.faces_quick` with another kind of player in the place of its own."""
    with (
        mock.patch.object(portraits, "DCGANGenerator", G or DCGANGenerator),
        mock.patch.object(portraits, "DCGANDiscriminator", D or DCGANDiscriminator),
    ):
        return recipes.faces_quick(seed, device=device, **settings)


def played(trainer: Trainer, rounds: int) -> float:
    """Play so many rounds; the seconds of the core that they took."""
    began = time.process_time()
    for _ in tqdm(trainer.run(rounds), total=rounds, leave=False):
        pass
    return time.process_time() - began


def fakes(trainer: Trainer, n: int, seed: int = 0) -> Tensor:
    with seeded(seed):
        return trainer.sample(n, average=True).cpu()


def weights(net: nn.Module) -> int:
    return sum(weight.numel() for weight in net.parameters())


def quick() -> tuple[dict[str, Any], DCGANDiscriminator]:
    trainer, film, seconds = game(0), [], 0.0
    for until in FILM:
        seconds += played(trainer, until - trainer.steps_done)
        with seeded(0):
            film.append(trainer.sample(10))
    D = trainer.discriminator.eval().requires_grad_(False)
    first = D.body[0].weight
    found = {
        "rounds": FILM,
        "film": packed(torch.cat(film), 10),
        "first layer": packed(first / first.abs().amax(dim=(1, 2, 3), keepdim=True), 8, levels=32),
        "faces": packed(fakes(trainer, 16), 8),
        "seconds": seconds,
        "weights": [weights(trainer.generator), weights(trainer.discriminator)],
    } | metrics.report_faces(fakes(trainer, 2000))
    return found, D


def mlp(seconds: float) -> dict[str, Any]:
    """As many seconds of the core as the game "as it is" took."""
    trainer, spent = game(0, G=lambda *widths: Shaped(), D=lambda *widths: Flat(), steps=10**6), 0.0
    while spent < seconds:
        spent += played(trainer, 50)
    found = {"rounds": trainer.steps_done, "faces": packed(fakes(trainer, 10), 10), "seconds": spent}
    found["weights"] = [weights(trainer.generator), weights(trainer.discriminator)]
    return found | metrics.report_faces(fakes(trainer, 2000))


def rule(variant: str, seed: int, device: str) -> dict[str, Any]:
    trainer = game(seed, device=device, **VARIANTS[variant])
    try:
        seconds = played(trainer, ROUNDS["rules"])
    except FloatingPointError as error:
        return {"failed": str(error)}
    push = seen.push(trainer, seen.made(trainer, seen.noise(trainer, 64))).flatten(1).norm(dim=1).mean().item()
    row = {"seconds": seconds} if device == "cpu" else {"device": device}
    row |= {"faces": packed(fakes(trainer, 10), 10)} if seed == SEEDS[0] else {}
    return row | {"push": push} | metrics.report_faces(fakes(trainer, 2000))


def labels(D: DCGANDiscriminator) -> dict[str, list]:
    """The share of right answers, a mean over attributes, for each number of labels and each draw of faces."""
    with seeded(5):
        fresh = DCGANDiscriminator(3, 32, 64, 128).requires_grad_(False)
    people, new = data.faces(6000, seed=200), data.faces(2500, seed=201)
    sees = {"D's last layer": D.features, "a D that has not learned": fresh.features, "pixels": lambda x: x}
    found = {}
    for name, see in sees.items():
        x, x_new = (
            torch.cat([see(part / 127.5 - 1).flatten(1) for part in one.images.split(500)]) for one in (people, new)
        )
        mean, sd = x.mean(dim=0), x.std(dim=0) + 1e-3 * x.std()
        x, x_new = (x - mean) / sd / x.shape[1] ** 0.5, (x_new - mean) / sd / x.shape[1] ** 0.5
        found[name] = []
        for n in LABELS:
            rows = []
            for draw in range(5):
                with seeded(draw):
                    some = torch.randperm(len(x))[:n]
                right = []
                for ridge in RIDGES:
                    says = attributes.linear_rule(x[some], people.labels[some], ridge)(x_new)
                    right.append((says == new.labels).double().mean(dim=1))
                best = max(right, key=lambda one: one[:500].mean())  # the ridge is chosen on 500 others
                rows.append(best[500:].mean().item())
            found[name].append(rows)
    return {"labels": LABELS, "right": found}


def main(anew: bool, device: str | None) -> None:
    torch.set_num_threads(1)
    record = json.loads(RECORD.read_text()) if RECORD.exists() and not anew else {}
    record |= {"made by": "python tests/make/dcgan_record.py"}

    def keep() -> None:
        checkpoints.put(RECORD, json.dumps(rounded(record), indent=1).encode() + b"\n")

    if device is None and "labels" not in record:
        record["quick"], D = quick()
        keep()
        record["labels"] = labels(D)
        keep()
    rows = record.setdefault("rules", {})
    for seed in SEEDS:
        for variant in VARIANTS:
            if str(seed) not in rows.setdefault(variant, {}):
                rows[variant][str(seed)] = rule(variant, seed, device or "cpu")
                keep()
                print(variant, seed, {key: value for key, value in rows[variant][str(seed)].items() if key != "faces"})
    if device is None and "mlp" not in record:
        record["mlp"] = mlp(rows["as it is"]["0"]["seconds"])
        keep()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--anew", action="store_true")
    parser.add_argument("--rules", metavar="DEVICE", help="play what is missing of the rules there, and nothing else")
    given = parser.parse_args()
    main(given.anew, given.rules)
