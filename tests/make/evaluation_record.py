"""Measures what lesson 09 shows, where it takes longer than a lesson may.

`python tests/make/evaluation_record.py` writes gan_lessons/records/evaluation.json, some four minutes on one core:

- "sets": all figures of 10,000 real digits and of what was made of them, sigma chosen on the first 1,000 of the last
  10,000 training images; and of real digits against the 10,000 test images.
- "nearest": for each of them and for each shipped generator the mean distance of 200 images to the nearest of all
  60,000 training images.
- "by n": what n images of one source score against n test images (nats: against every fifth test image).
- "checks": the nats of bumps on 50,000 real digits; `mnist_best`, averaged, with 8% of its blur mixed in.
- "paper": the nats of `mnist_paper`, raw, when one thing is otherwise. Those after 135 epochs are of an earlier
  training with the same seed: the card that commit 2d427e0 brought has them.
"""

import json
from pathlib import Path

import torch
from metrics_table import blurred, centroids, fakes
from torch import Tensor
from torch.nn.functional import avg_pool2d
from tqdm import tqdm

from gan_lessons import checkpoints, data, metrics, pretrained
from gan_lessons.devices import seeded

RECORD = Path(__file__).parents[2] / "gan_lessons" / "records" / "evaluation.json"
N, SIZES = 10_000, (500, 1000, 2000, 5000, 10_000)
AUTHORS = tuple(10 ** (-1 + i / 9) for i in range(10))  # numpy.logspace(-1, 0, 10), as in their parzen_ll.py


def pixels(split: str) -> Tensor:
    return data.mnist(split).images.flatten(1) / 255


def real_digits(n: int = N) -> Tensor:
    with seeded(0):
        return pixels("train")[torch.randperm(50_000)[:n]]


def doctored() -> dict[str, Tensor]:
    """Real digits, and what was made of them: (10,000, 784) pixels from 0 to 1."""
    real = real_digits()
    with seeded(0):
        noise = 0.1 * torch.randn(N, 784)
    return {
        "real digits": real,
        "blurred": avg_pool2d(real.view(-1, 28, 28), 3, 1, 1).flatten(1),
        "centres": centroids(pixels("train")[:50_000], real, steps=1),
        "one digit + noise": (real[:1] + noise).clamp(0, 1),
    }


def drawn(name: str, average: bool, n: int = N, seed: int = 0) -> Tensor:
    """Fakes as pixels from 0 to 1; with seed 0 those of the card."""
    if (n, seed) == (N, 0):
        return (fakes(name, average) + 1) / 2
    G = pretrained.load(name, average)
    with seeded(seed), torch.no_grad():
        return (torch.cat([G(G.latent.sample((min(n, N),))) for _ in range(max(1, n // N))]) + 1) / 2


def nats(samples: Tensor, test: Tensor, sigmas=metrics.SIGMAS) -> dict[str, float]:
    sigma = metrics.select_sigma(samples, pixels("train")[50_000:51_000], sigmas)
    mean, error = metrics.parzen_log_likelihood(samples, test, sigma)
    return {"n": len(samples), "sigma": round(sigma, 4), "parzen": mean, "standard error": error}


def features(x: Tensor) -> Tensor:
    return torch.cat([pretrained.classifier().features(2 * part - 1) for part in x.split(500)])


def by_n(samples: Tensor, test: Tensor) -> list[dict[str, float]]:
    ours, theirs, rows = features(samples), features(test), []
    with seeded(1):
        mixed = torch.randperm(len(test))
    for n in SIZES:
        density, coverage = metrics.density_and_coverage(theirs[mixed[:n]], ours[:n])
        frechet = metrics.frechet_distance(ours[:n], theirs[mixed[:n]])
        rows.append(nats(samples[:n], test[::5]) | {"frechet": frechet, "density": density, "coverage": coverage})
    return rows


def otherwise(test: Tensor) -> dict[str, dict[str, float]]:
    """The nats of `mnist_paper`, raw, measured as on its card, and otherwise."""
    now = drawn("mnist_paper", False)
    return {
        "as on the card": nats(now, test),
        "other fakes": nats(drawn("mnist_paper", False, seed=1), test),
        "the authors' ten sigmas": nats(now, test, AUTHORS),
        "20,000 fakes": nats(drawn("mnist_paper", False, 20_000, seed=1), test),
        "50,000 fakes": nats(drawn("mnist_paper", False, 50_000, seed=1), test, (0.15, 0.16, 0.17, 0.18, 0.19, 0.2)),
        "blurred by half a pixel": nats(blurred(now, 0.5), test),
        "another training, after 135 epochs": {
            "n": N,
            "sigma": 0.19,
            "parzen": 174.2126376183534,
            "standard error": 1.9227813810770953,
        },
    }


def checks(test: Tensor) -> dict[str, dict[str, float]]:
    sharp = drawn("mnist_best", True)
    soft = 0.92 * sharp + 0.08 * avg_pool2d(sharp.view(-1, 28, 28), 3, 1, 1).flatten(1)
    ours, theirs = features(soft), features(test)
    density, coverage = metrics.density_and_coverage(theirs, ours)
    looks = {"density": density, "coverage": coverage, "frechet": metrics.frechet_distance(ours, theirs)}
    grey = ((soft > 0.1) & (soft < 0.9)).double().mean().item()
    return {
        "50,000 real digits": nats(pixels("train")[:50_000], test, (0.15, 0.16, 0.17)),
        "mnist_best, 8% blur": nats(soft, test) | looks | {"grey": grey},
    }


def rounded(it):
    if isinstance(it, dict):
        return {key: rounded(value) for key, value in it.items()}
    if isinstance(it, list):
        return [rounded(value) for value in it]
    return round(it, 4) if isinstance(it, float) else it


def part(name: str) -> dict:
    test = pixels("test")
    if name == "sets":
        found = {}
        for one, x in tqdm(doctored().items()):
            sigma = metrics.select_sigma(x, pixels("train")[50_000:51_000], metrics.SIGMAS)
            found[one] = metrics.report(2 * x - 1, sigma)
        return found
    if name == "nearest":
        some = {"test digits": test[::50]} | {one: x[:200] for one, x in doctored().items()}
        for one in (name for name in pretrained.names() if name.startswith("mnist")):
            for net in pretrained.card(one)["metrics"]:
                some[f"{one}, {net}"] = drawn(one, net == "averaged")[:200]
        distance, _ = metrics.nearest(torch.cat(list(some.values())), pixels("train"))
        return dict(zip(some, distance.view(-1, 200).mean(dim=1).tolist(), strict=True))
    if name == "by n":
        sources = {
            "real digits": real_digits(),
            "mnist_paper, averaged": drawn("mnist_paper", True),
            "mnist_small_z2, averaged": drawn("mnist_small_z2", True),
        }
        return {one: by_n(x, test) for one, x in tqdm(sources.items())}
    return checks(test) if name == "checks" else otherwise(test)


if __name__ == "__main__":
    torch.set_num_threads(1)
    record = {"made by": "python tests/make/evaluation_record.py"}
    for name in ("sets", "nearest", "by n", "paper", "checks"):
        record[name] = rounded(part(name))
        print(name, json.dumps(record[name], indent=1))
    checkpoints.put(RECORD, json.dumps(record, indent=1).encode() + b"\n")
