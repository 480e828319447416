"""Behind lesson 01, in which noise becomes data: its pictures, and the checks of its exercises."""

import math
from collections.abc import Callable
from functools import cache
from itertools import product
from timeit import repeat
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.gridspec import SubplotSpec
from torch import Tensor
from torch.distributions import Distribution, Normal

from gan_lessons import data, plots, pretrained, recipes, seen, svg
from gan_lessons.devices import seeded
from gan_lessons.lessons.checking import call, check, close, show, tensor
from gan_lessons.style import STYLE
from gan_lessons.views import through
from gan_lessons.views.through import GREEN, GREY, STRIPS, outline, shares

INK = torch.linspace(0, 35, 351)  # where the pictures look, in percent
Generator = Callable[[Tensor], Tensor]


@cache
def zeros_and_ones() -> Tensor:
    """The ink of the 12,665 zeros and ones of MNIST: the mean brightness of each, in percent of white."""
    return _ink(data.mnist("train").images[data.mnist("train").labels < 2])


def _ink(images: Tensor) -> Tensor:
    return images.float().mean(dim=(1, 2)) / 2.55


@cache
def _noise() -> Tensor:
    with seeded(0):
        return torch.rand(10_000)


def covered(G: Generator) -> float:
    """How much of the data's histogram, in bins of 1 percent of ink, that of G(z) covers: 1 if they are the same."""
    return torch.minimum(shares(G(_noise()), 35.0, 35), shares(zeros_and_ones(), 35.0, 35)).sum().item()


# -- the pictures, in the order of the notebook ------------------------------------------------------------------------


def curve(bend: float, lean: float) -> Generator:
    """A G with two numbers to turn: G(z) = 5 + 20 (z + bend sin(4 pi z) / (4 pi))^lean, for z from 0 to 1."""
    return lambda z: 5 + 20 * (z + bend * torch.sin(4 * math.pi * z) / (4 * math.pi)).clamp(0, 1) ** lean


def bent(bend: float = 0.0, lean: float = 1.0) -> str:
    """Noise goes in below, and at the curve G it turns to the right, where the fakes pile up over real digits."""
    words = f"green covers {covered(curve(bend, lean)):.0%} of the dotted area"
    return through.picture(curve(bend, lean), _noise(), zeros_and_ones(), 35.0, "percent of ink", words)


def three_bends() -> None:
    """Three positions of the sliders, as still pictures."""
    alt = "A straight G makes a level heap; a wavy one makes two heaps; the third curve covers 88% of the data."
    _generators({f"bend {b:g}, lean {c:g}": curve(b, c) for b, c in ((0, 1), (0.8, 1), (0.3, 1.6))}, alt)


def in_and_out(G: Generator, name: str = "G") -> None:
    """What one G makes of noise: under its curve z, beside it the histogram of G(z), dotted that of the data."""
    alt = "A curve G; to its right many x lie where it is flat, and few where it is steep; they cover"
    _generators({name: G}, f"{alt} {covered(G):.0%} of the data.")


def _generators(generators: dict[str, Generator], alt: str, high: float = 35.0) -> None:
    figure = plt.figure(figsize=(6.4 if len(generators) == 1 else 3.7 * len(generators), 3.2), layout="constrained")
    for place, (name, G) in zip(figure.add_gridspec(1, len(generators)), generators.items(), strict=True):
        _generator(G, name, place, high)
    show(figure, alt)


def _generator(G: Generator, name: str, place: SubplotSpec, high: float) -> None:
    inner = place.subgridspec(2, 2, width_ratios=(3, 2), height_ratios=(5, 1))
    middle, below, beside = (place.get_gridspec().figure.add_subplot(inner[at]) for at in ((0, 0), (1, 0), (0, 1)))
    fine, bins = torch.linspace(0, 0.99999, 1001), int(high)
    middle.plot(fine, G(fine), **STYLE["fakes"])
    lines = torch.stack([STRIPS, STRIPS, 0 * STRIPS + 1]), torch.stack([0 * STRIPS, G(STRIPS), G(STRIPS)])
    middle.plot(*lines, color=GREEN, linewidth=0.6, alpha=0.7)
    middle.set(title=name, ylabel="x = G(z), percent of ink", xlim=(0, 1), ylim=(0, high), xticks=[])
    below.hist(_noise().numpy(), 20, range=(0, 1), color=GREY, alpha=0.5)
    below.set(xlabel="z, noise", xlim=(0, 1), ylim=(0, 1000), yticks=[])
    beside.barh(np.arange(bins) + 0.5, shares(G(_noise()), high, bins).numpy(), 1.0, color=GREEN, alpha=0.4)
    beside.plot(*outline(shares(zeros_and_ones(), high, bins))[::-1], **STYLE["data"])
    beside.text(0.25, 0.92 * high, f"covers {covered(G):.0%}", ha="right", va="center")
    beside.set(title="share in each percent", ylim=(0, high), yticks=[], xlim=(0, 0.25), xticks=[0, 0.1, 0.2])
    beside.xaxis.tick_top()


def search(noise: Tensor, r: Tensor) -> None:
    """The eight pictures of noise that are most like a picture, above eight digits; and r of all."""
    digits = data.mnist("train").images[:10_000]
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 2.7), width_ratios=(3, 4))
    best = torch.cat([noise[r.topk(8).indices], digits[:8]])
    plots.image_grid(best.flatten(1) / 127.5 - 1, 8, ax=left)
    left.set_title(f"above: the best 8 of {len(noise):,}\nbelow: the first 8 digits of MNIST")
    right.hist(r.numpy(), 60, range=(-0.3, 1), density=True, color=GREY, alpha=0.5)
    right.hist(seen.likeness(digits).numpy(), 60, range=(-0.3, 1), density=True, histtype="step", **STYLE["data"])
    right.text(0.09, 9, "noise", color=GREY)
    right.text(0.62, 5.5, "digits")
    right.set(xlabel="r: how well a pixel foretells its right neighbour", ylabel="how many", yticks=[])
    show(figure, "Eight pictures of noise that look alike, above eight digits; r is near 0 for noise, .8 for digits.")


def walk(seed: int = 0, t: float = 0.0) -> str:
    """32 pictures, each mixed: a share t of a digit, the rest noise."""
    return svg.digits(_mixed(seed, t), columns=16, scale=1.6)


def _mixed(seed: int, t: float, n: int = 32) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    noise = torch.randint(256, (n, 784), generator=rng)
    digits = data.mnist("train").images[torch.randint(60_000, (n,), generator=rng)].flatten(1)
    return ((1 - t) * noise + t * digits) / 127.5 - 1


def five_mixtures() -> None:
    """The walk as a still picture: a row each for t = 0, 1/4, 1/2, 3/4, 1."""
    alt = "Five rows: pure noise on top, digits as in a fog in the second row, clear ones in the last."
    _rows({f"t = {t:g}": _mixed(0, t, 16) for t in (0, 0.25, 0.5, 0.75, 1)}, alt)


def _rows(rows: dict[str, Tensor], alt: str) -> None:
    """Sixteen pictures in each row, with its name."""
    figure, ax = plt.subplots(figsize=(10, 0.65 * len(rows)))
    plots.image_grid(torch.cat(list(rows.values())), 16, ax=ax)
    for i, name in enumerate(rows):
        ax.text(-8, 28 * i + 14, name, ha="right", va="center", fontsize=9)
    show(figure, alt)


def sixteen_kinds(people: data.Images) -> None:
    """One face of each kind, and above it the share of its kind: in the upper row without glasses, below with."""
    figure, axes = plt.subplots(2, 8, figsize=(11, 3.3))
    for ax, (glasses, *others) in zip(axes.flat, product((0, 1), repeat=4), strict=True):
        mine = (people.labels == torch.tensor([others[0], glasses, *others[1:]])).all(dim=1)
        ax.imshow(people.images[mine][0].movedim(0, -1).numpy())
        ax.set(title=f"{mine.float().mean():.1%}", xticks=[], yticks=[])
    axes[0, 0].set_ylabel("no glasses")
    axes[1, 0].set_ylabel("glasses")
    show(figure, "Sixteen kinds of drawn faces. Without glasses each is 8 to 9% of all; below, with glasses, about 4%.")


def shadows(images: Tensor, noise: Tensor) -> None:
    """Two properties of a picture, ink and slant: how digits are spread over them, and where noise lies."""
    figure, axes = plt.subplots(1, 2, figsize=(11, 3.4))
    properties = {"ink, percent of white": (0, 60, _ink(images), _ink(noise))}
    properties["slant, pixels to the right for each pixel up"] = (-0.8, 1.2, seen.slant(images), seen.slant(noise))
    for ax, (name, (low, high, digits, other)) in zip(axes, properties.items(), strict=True):
        look = {"bins": torch.linspace(low, high, 81).tolist(), "density": True}
        top = 2 * ax.hist(digits.numpy(), histtype="step", **look, **STYLE["data"])[0].max()
        peak = ax.hist(other.numpy(), color=GREY, alpha=0.5, **look)[0].max()
        ax.set(xlim=(low, high), ylim=(-0.4 * top, top), xlabel=name, ylabel="density")
        ax.set_yticks([tick for tick in ax.get_yticks() if 0 <= tick <= top])
        for value in digits.quantile(torch.tensor([0.01, 0.5, 0.99])).tolist():
            place = value - (high - low) / 20, value + (high - low) / 20, -0.38 * top, -0.03 * top
            ax.imshow(images[(digits - value).abs().argmin()], cmap="gray", extent=place, aspect="auto")
        ax.text(digits.median() + 0.1 * (high - low), 0.4 * top, "digits")
        words = f"noise: goes up\nto {peak:.2g}"
        ax.text(other.mean() - 0.04 * (high - low), 0.95 * top, words, color=GREY, ha="right", va="top")
    show(figure, "In ink, noise lies far to the right of all digits; in slant, noise is a thin peak among the digits.")


def why_not_784(line_up: Generator) -> None:
    """Noise taken as it is, spread over the whole axis, against noise that a G has put where the data are."""
    alt = "Left: noise as it is, spread over 0 to 100, the data in a small part. Right: a G that stays in that part."
    _generators({"no G: x = 100 z": lambda z: 100 * z, "the G of the line": line_up}, alt, high=100.0)


def who_draws() -> None:
    """Pictures from 784 and from 64 random numbers: without a G, with an untrained one, and with trained ones."""
    with seeded(0):
        untrained, latent = recipes.mnist_small_generator(latent_dim=64)
        rows = {"784 numbers, as pixels": torch.rand(16, 784) * 2 - 1}
        rows["64 numbers, untrained G"] = untrained(latent.sample((16,))).detach()
        for n in (64, 2):
            G = pretrained.load(f"mnist_small_z{n}")
            rows[f"{n} numbers, trained G"] = G(G.latent.sample((16,)))
        rows["people (MNIST)"] = data.mnist("train").sample((16,))
    _rows(rows, "Noise in the first two rows; digits from both trained generators, and digits that people wrote.")


def all_16(images: Tensor, p: Tensor) -> None:
    """All pictures of 2 x 2 black or white pixels, (16, 2, 2), each with its probability."""
    figure, axes = plt.subplots(2, 8, figsize=(9, 2.6))
    for ax, x, share in zip(axes.flat, images, p, strict=True):
        ax.imshow(x, cmap="gray", vmin=0, vmax=1)
        ax.spines[:].set_visible(True)
        ax.set(title=f"{share:.1%}", xticks=[], yticks=[])
    show(figure, "Sixteen small pictures: 27.3% for all black and for all white, 0.5% for the two checkerboards.")


def time_z(score: Callable[[Tensor], Tensor]) -> None:
    """How long the sum over all pictures takes, measured, and drawn on by doubling to the 784 pixels of MNIST."""

    def Z(n: int) -> Tensor:  # the binary digits of all numbers are all pictures, a few thousand at a time
        parts = (part[:, None] >> torch.arange(n) & 1 for part in torch.arange(2**n).split(2**14))
        return sum(score(part.view(-1, 2, n // 2)).double().exp().sum() for part in parts)

    sizes = range(16, 23, 2)
    seconds = [min(repeat(lambda n=n: Z(n), number=1, repeat=3)) for n in sizes]
    last = math.log10(seconds[-1]) - 22 * math.log10(2)
    figure, ax = plt.subplots(figsize=(6, 2.8))
    ax.semilogy(range(14, 61), [10**last * 2**n for n in range(14, 61)], color=GREY)
    ax.semilogy(sizes, seconds, "o", color="black")
    for value, words in ((1, "a second"), (3600, "an hour"), (3.15e7, "a year")):
        ax.axhline(value, **STYLE["guide"])
        ax.text(60, value * 1.5, words, fontsize=9, ha="right")
    ax.text(26, seconds[-1] / 50, "dots: measured; line: doubled with each pixel", fontsize=9)
    ax.set(xlabel="pixels, each black or white", ylabel="seconds for Z")
    alt = "Seconds for Z over the number of pixels, on a logarithmic scale: four measured dots near a straight line"
    show(figure, f"{alt} that passes a second, an hour and a year before it ends at 60 pixels.")
    years = last + 784 * math.log10(2) - math.log10(3.15e7)
    print(f"22 pixels: {seconds[-1]:.2f} seconds. 784 pixels: about 10^{years:.0f} years")


@cache
def _few(n: int = 50, seed: int = 0) -> tuple[Tensor, Tensor]:
    """The ink of n zeros and ones, and of 1,000 others, held out."""
    order = torch.randperm(len(zeros_and_ones()), generator=torch.Generator().manual_seed(seed))
    return zeros_and_ones()[order[:n]], zeros_and_ones()[order[-1000:]]


def _window(points: Tensor, h: float) -> Distribution:
    return data.bumps(points.tolist(), [h] * len(points), [1.0] * len(points))


def fit(x: Tensor, points: Tensor, h: float) -> float:
    """The mean of log p_h(x), for the Parzen window of width h on points."""
    return _window(points, h).log_prob(x).mean().item()


def best_width(points: Tensor, held_out: Tensor) -> float:
    """The width, of 0.1, 0.2, ... 6.0, that makes the held-out x most likely."""
    return max((i / 10 for i in range(1, 61)), key=lambda h: fit(held_out, points, h))


def bumps() -> None:
    """A Parzen window on five points: five bumps, and their sum."""
    points = torch.tensor([5.5, 7.0, 9.0, 16.0, 20.0])
    figure, ax = plt.subplots(figsize=(7.2, 2.6))
    ax.plot(INK, Normal(points, 1.5).log_prob(INK[:, None]).exp() / 5, color=GREY, linewidth=1)
    ax.plot(INK, _window(points, 1.5).log_prob(INK).exp(), **STYLE["fakes"])
    ax.plot(points, torch.zeros(5), "|", color="black", markersize=14)
    ax.text(10.3, 0.09, "all together: p_h(x)", color=GREEN)
    ax.text(23, 0.03, "one bump a point,\neach of area 1/5", color="#555555")
    ax.set(xlabel="x, percent of ink", ylabel="density", xlim=(0, 35))
    show(figure, "Five ticks on an axis, a small bell on each, and the sum of the bells: high where ticks are close.")


def window(h: float = 0.2, points: int = 50) -> str:
    """The Parzen window on some zeros and ones, and how likely it makes held-out ones, and its own."""
    some, held_out = _few(points)
    chart = svg.Chart((0, 35), (0, 0.2), "x, percent of ink", "density", width=480, height=230)
    chart.line(*outline(shares(zeros_and_ones(), 35.0, 35)), "data", "all 12,665")
    chart.line(INK, _window(some, h).log_prob(INK).exp(), "fakes", f"Parzen window on {points}")
    words = f"{fit(some, some, h):.2f} for its own {points}, {fit(held_out, some, h):.2f} for 1,000 held-out digits"
    return f"{chart}<div>mean of log p: {words}</div>"


def three_widths() -> None:
    """Too narrow, best, too wide, and how likely each width makes the points and held-out ones."""
    points, held_out = _few()
    best = best_width(points, held_out)
    figure, (*axes, last) = plt.subplots(1, 4, figsize=(12, 2.9))
    for ax, h, word in zip(axes, (0.2, best, 6.0), ("too narrow", "best", "too wide"), strict=True):
        ax.plot(*outline(shares(zeros_and_ones(), 35.0, 35)), **STYLE["data"])
        ax.plot(INK, _window(points, h).log_prob(INK).exp(), **STYLE["fakes"])
        ax.set(title=f"h = {h:.1f}: {word}", xlabel="x, percent of ink", ylim=(0, 0.2), xlim=(0, 35))
        ax.set_ylabel("density" if word == "too narrow" else "")
    widths = [i / 10 for i in range(2, 61)]
    for x, words, color, at in ((held_out, "1,000 held out", "#7a5195", -3.8), (points, "the 50", "#c8553d", -2.5)):
        last.plot(widths, [fit(x, points, h) for h in widths], color=color, linewidth=2)
        last.text(1.4, at, words, color=color)
    last.plot(best, fit(held_out, points, best), "o", color="#7a5195")
    last.set(title="mean of log p", xlabel="h", ylim=(-4, -2))
    show(figure, "Spikes, then two humps near the data's, then one broad hill; held-out points prefer the middle one.")


def your_generator(G: Generator) -> None:
    """What the learner's G makes of noise, once it is written."""
    try:
        _generators({"your G": lambda z: tensor(G(z)).float()}, "Your own G, and the x it makes beside the data.")
    except Exception:  # whatever a learner's code does, the notebook goes on
        plt.close()
        print("The picture waits for your G.")


# -- the checks of the exercises ---------------------------------------------------------------------------------------


ADVICE = {
    "ambiguous": "z holds many numbers, and `if` can ask about one only: use torch.where(z < 0.5, ..., ...).",
    "size of tensor": "x and points differ in length: x[:, None] - points is the table of all their distances.",
}


def _asked(answer: Callable[..., Any], *arguments: Any) -> Any:
    """What a learner's function returns; where torch's own words do not help, ours."""
    try:
        return call(answer, *arguments)
    except RuntimeError as error:
        raise RuntimeError(next((words for part, words in ADVICE.items() if part in str(error)), error)) from error


@check
def check_two_humps(G: Generator) -> str | None:
    """G(z): half of all z from 0 to 1 become x spread evenly from 4 to 11, the others x spread evenly from 13 to 23."""
    with seeded(0):
        z = ((torch.arange(2000) + 0.5) / 2000)[torch.randperm(2000)]
    answers = [_asked(G, z), call(G, z), call(G, z.flip(0)[:1000])]
    x, again, some = map(tensor, answers)
    if x.shape != z.shape:
        return f"for {len(z)} numbers z G must return {len(z)} numbers x; got shape {tuple(x.shape)}."
    if not torch.equal(x, again):
        return "the same z gave another x: G must draw no numbers of its own, all chance comes in through z."
    if some.shape != (1000,) or not torch.equal(x.flip(0)[:1000], some):
        return "an x changed when other z stood beside its own: each x must be made of its own z alone."
    x, even = x.sort().values, (torch.arange(1000, dtype=torch.double) + 0.5) / 1000
    if (x - torch.cat([4 + 7 * even, 13 + 10 * even])).abs().max() < 0.05:
        return None
    if len(x.unique()) < 100:
        return f"only {len(x.unique())} different x come out: within a hump, too, x must depend on z."
    off = x[(x < 3.9) | (x > 23.1) | x.isnan()]
    if (between := ((x > 11.1) & (x < 12.9)).double().mean()) > 0.005:
        return f"{between:.0%} of the x lie between the humps, from 11 to 13: G has to jump over that place."
    if len(off):
        return f"some x lie outside both humps, one at {off[-1]:.3g}."
    if not 0.49 < (x < 12).double().mean() < 0.51:
        return f"{(x < 12).double().mean():.0%} of the x lie in the left hump; half of them should."
    for name, hump, low, high in (("left", x[:1000], 4, 11), ("right", x[1000:], 13, 23)):
        if hump[0] > low + 0.1 or hump[-1] < high - 0.1:
            reach = f"reaches from {hump[0]:.3g} to {hump[-1]:.3g}, not from {low} to {high}"
            return f"the {name} hump {reach}: half of z, a piece of length 1/2, has to be stretched to all of it."
    return "within a hump the x should lie evenly: let G be a straight line there."


@check
def check_parzen(parzen: Callable[[Tensor, Tensor, float], Tensor]) -> str | None:
    """parzen(x, points, h): the density at each x of the mean of normal bumps of sd h, one on each point."""
    for points, h in ((torch.tensor([1.0, 2.0, 6.0]), 0.5), (torch.tensor([-3.0, 0.0, 0.5, 11.0, 4.0]), 1.4)):
        n, x = len(points), torch.linspace(-5, 14, 39)
        off, right = x[:, None] - points, _bump(x[:, None] - points, h)
        answer = tensor(_asked(parzen, x, points, h))
        if answer.shape != x.shape:
            return f"for 39 x there should be 39 densities, each a mean over the points; got {tuple(answer.shape)}."
        typical = {
            f"the area under it is {n}, not 1: take the mean of the bumps, not their sum.": right * n,
            "this is the log of the density; take exp.": right.log(),
            "a bump of height 1 has the area h * sqrt(2 pi): divide by it.": right * h * math.sqrt(2 * math.pi),
            "h is a bump's standard deviation, and here it is the variance.": _bump(off, math.sqrt(h)),
            "h is a bump's standard deviation: do not square it.": _bump(off, h**2),
            "in the exponent stands (x - x_i)^2 / (2 h^2): the 2 is missing.": _bump(off, h / math.sqrt(2)) / 2**0.5,
            "this is one bump on the mean of the points; each point has its own.": _bump(off.mean(1, True), h),
            "this averages the logs; average the bumps themselves.": Normal(0, h).log_prob(off).mean(1).exp(),
        }
        if not close(answer, right):
            i = (answer - right).abs().nan_to_num(math.inf).argmax()
            other = f"for points {points.tolist()} and h = {h} p({x[i]:.3g}) is {right[i]:.4f}; got {answer[i]:.4f}."
            return next((text for text, wrong in typical.items() if close(answer, wrong)), other)


def _bump(off: Tensor, h: float) -> Tensor:
    return Normal(0.0, h).log_prob(off).exp().mean(dim=1)


@check
def check_log_probabilities(log_p: Callable[[Tensor], Tensor]) -> str | None:
    """log_p(scores), the log of the softmax: each score minus the log of the sum of e^score, whatever their size."""
    scores = torch.tensor([1.0, 2.5, 4.0, 2.0])
    right, answer, log_z = scores.log_softmax(0).double(), tensor(call(log_p, scores)), scores.logsumexp(0).item()
    if answer.shape != scores.shape:
        return f"each of the 4 pictures has a log p of its own; got shape {tuple(answer.shape)}."
    typical = {
        "these are the probabilities; their logs are asked for.": right.exp(),
        "the sign: a log p is at most 0, since a p is at most 1.": -right,
        "this takes the highest score off; log Z is the log of the sum of all e^score.": scores - scores.max(),
        "Z is a sum over all pictures, not their mean.": right + math.log(4),
        "the scores must go through exp before they are added.": (scores / scores.sum()).log(),
        "you take Z itself off: take off its log.": scores - math.exp(log_z),
        "you divide by log Z; the log of a quotient is a difference.": scores / log_z,
    }
    if not close(answer, right):
        other = f"for the scores {scores.tolist()} the first log p is {right[0]:.4f}; got {answer[0]:.4f}."
        return next((text for text, wrong in typical.items() if close(answer, wrong)), other)
    apart = torch.tensor([1000.0, -1000.0, 0.0, 0.0])
    extremes = [(scores + 1000, "e^1000 is too large for a float"), (scores - 1000, "e^-1000 rounds to 0")]
    for extreme, reason in [*extremes, (apart, "a p beside e^2000 times as much rounds to 0, and its log to -inf")]:
        if not close(tensor(call(log_p, extreme)), extreme.double().log_softmax(0)):
            return f"right for small scores, but {reason}: torch.logsumexp gets round it."
