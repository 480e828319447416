"""Prints all metrics of real, doctored and generated digits, and how fast Parzen windows are; then those of faces.

`python tests/make/metrics_table.py`: each row is 10,000 images against the 10,000 test images, sigma chosen on the last
10,000 training images. The real and doctored ones are of the first 50,000. Of faces, 10,000 against 10,000 new ones.
"""

import itertools
import math
import time
from collections.abc import Callable, Iterator
from functools import partial

import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor
from tqdm import tqdm

from gan_lessons import data, metrics, pretrained
from gan_lessons.devices import seeded

N = 10_000


def centroids(pixels: Tensor, start: Tensor, steps: int = 3) -> Tensor:
    """k-means: each of start, (k, d), becomes the mean of the images nearest to it, `steps` times (Lloyd)."""
    means = start.clone()
    for _ in range(steps):
        _, index = metrics.nearest(pixels, means)
        counts = index.bincount(minlength=len(means))[:, None]
        sums = torch.zeros_like(means).index_add_(0, index, pixels)
        means = torch.where(counts > 0, sums / counts, means)
    return means


def blurred(pixels: Tensor, sd: float) -> Tensor:
    images = gaussian_filter(pixels.reshape(-1, 28, 28).numpy(), (0, sd, sd))
    return torch.from_numpy(images).flatten(1).clamp(0, 1)


def doctored() -> Iterator[tuple[str, Callable[[], Tensor]]]:
    """Names and makers of (10,000, 784) pixels in [0, 1] that no generator made."""
    train = data.mnist("train")[:50_000]
    with seeded(0):
        order, noise = torch.randperm(len(train)), 0.1 * torch.randn(N, 784)
    pixels = train.images.flatten(1) / 255
    real = pixels[order[:N]]
    few = pixels[order[train.labels[order] <= 4][:N]]
    yield "real training images", lambda: real
    yield "k-means centroids of 50,000", lambda: centroids(pixels, real)
    yield "real, blurred by 0.5 pixels", lambda: blurred(real, 0.5)
    yield "real, blurred by 0.8 pixels", lambda: blurred(real, 0.8)
    yield "real, digits 0 to 4 only", lambda: few
    yield "one image + noise 0.1", lambda: (real[0] + noise).clamp(0, 1)
    yield "mean image + noise 0.1", lambda: (pixels.mean(0) + noise).clamp(0, 1)


def doctored_faces() -> Iterator[tuple[str, Callable[[], Tensor]]]:
    """Names and makers of (10,000, 3, 32, 32) in [-1, 1] that no generator made."""

    def real(shares=data.SHARES) -> Tensor:
        return data.faces(N, seed=5, shares=shares).images / 127.5 - 1

    def noise(amount: float) -> Tensor:
        with seeded(0):
            return amount * torch.randn(N, 3, 32, 32)

    odd = (kind for kind in itertools.product((0, 1), repeat=4) if sum(kind) % 2)
    half = {kind: data.SHARES[1] if kind[1] else 1 - data.SHARES[1] for kind in odd}
    yield "real faces", real
    yield "real, blurred by 0.4 pixels", lambda: torch.from_numpy(gaussian_filter(real().numpy(), (0, 0, 0.4, 0.4)))
    yield "real + noise 0.1", lambda: (real() + noise(0.1)).clamp(-1, 1)
    yield "half as many with glasses", lambda: real((0.5, 0.15, 0.5, 0.5))
    yield "half of the kinds, shares as they are", lambda: real(half)
    yield "one face + noise 0.1", lambda: (real()[:1] + noise(0.1)).clamp(-1, 1)


@torch.no_grad()
def fakes(name: str, average: bool) -> Tensor:
    """The draws whose figures are on the generator's card."""
    G = pretrained.load(name, average=average)
    with seeded(0):
        z = G.latent.sample((N,))
    return G(z)


def row(name: str, samples: Tensor) -> str:
    it = metrics.report(samples)
    parzen = f"{it['parzen']:.1f} ± {it['standard error']:.1f}"
    shares = " | ".join(f"{it[key]:.3f}" for key in ("density", "coverage", "kl", "sure"))
    return f"| {name} | {it['sigma']:.2f} | {parzen} | {it['frechet']:.1f} | {shares} |"


def face_row(name: str, samples: Tensor) -> str:
    it = metrics.report_faces(samples)
    shares = " | ".join(f"{100 * it[attribute]:.1f}" for attribute in data.ATTRIBUTES)
    last = f"{it['density']:.3f} | {it['coverage']:.3f} | {'yes' if it['good'] else 'no'}"
    return f"| {name} | {shares} | {it['kinds']} | {it['grain']:.2f} | {it['frechet']:.1f} | {last} |"


def loop(samples: Tensor, test: Tensor, sigma: float) -> float:
    """The baseline: one test point after the other, as the formula reads and as scripts for it do."""
    log_p = []
    for x in test:
        exponents = -((samples - x) ** 2).sum(dim=1) / (2 * sigma**2)
        log_p.append(exponents.logsumexp(dim=0) - math.log(len(samples)) - 784 / 2 * math.log(2 * math.pi * sigma**2))
    return torch.stack(log_p).mean().item()


def product(samples: Tensor, test: Tensor, sigma: float) -> None:
    """What nothing that measures all distances can do without."""
    for part in test.split(500):
        part @ samples.T


def speed(samples: Tensor, test: Tensor, points: int = 100, sigma: float = 0.18) -> str:
    """Each function's best CPU time of 3, taken in turn, the loop's only on so many points.

    On one thread CPU time is what a clock shows where nothing else runs.
    """
    jobs = {loop: test[:points], product: test, metrics.parzen_log_likelihood: test}
    seconds = dict.fromkeys(jobs, math.inf)
    for _ in range(3):
        for job, part in jobs.items():
            begin = time.process_time()
            job(samples, part, sigma)
            seconds[job] = min(seconds[job], (time.process_time() - begin) / len(part))
    slow, bare, ours = seconds.values()
    return (
        f"Parzen, {len(samples):,} samples, {len(test):,} test points, one sigma: {ours * len(test):.1f} s CPU time, "
        f"{slow / ours:.0f} times as fast as a loop over points (timed on {points} of them), "
        f"{ours / bare:.2f} times as long as its matrix product alone."
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    print("| images | sigma | Parzen, nats | Frechet | density | coverage | KL | sure |\n|" + "---|" * 8)
    rows = [(name, lambda make=make: 2 * make() - 1) for name, make in doctored()]
    faces = list(doctored_faces())
    for name in pretrained.names():
        for net in pretrained.card(name)["metrics"]:
            make = partial(fakes, name, net == "averaged")
            (faces if name.startswith("faces") else rows).append((f"{name}, {net}", make))
    for name, make in tqdm(rows):
        tqdm.write(row(name, make()))
    real, test = (data.mnist(split).images[:N].flatten(1) / 255 for split in ("train", "test"))
    print("\n" + speed(real, test))
    head = " | ".join(f"{name}, %" for name in data.ATTRIBUTES)
    print(f"\n| faces | {head} | kinds | grain | Frechet | density | coverage | good |\n|" + "---|" * 11)
    for name, make in tqdm(faces):
        tqdm.write(face_row(name, make()))
