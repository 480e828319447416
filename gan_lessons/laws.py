"""What is asked of a source of numbers: its density, its quantiles, and where it lies.

A source is a distribution, or anything with `.sample((n,))`. What is not known of it exactly is estimated from one
sample, which is drawn on the CPU with random numbers of its own, once: it is the same at every look.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Categorical, Distribution, MixtureSameFamily, Normal

from gan_lessons import devices
from gan_lessons.devices import seeded

Density = Distribution | Callable[[Tensor], Tensor]
DRAWN = 2**16  # numbers, of which quantiles are read
KERNELS = 1000  # of a density that is estimated
KEPT = 16  # looks of each kind, the last ones


def once(look: Callable[..., Any]) -> Callable[..., Any]:
    """A look at sources, and at what numbers, is done once: what was seen at the last KEPT is kept."""
    kept: dict[tuple[Any, ...], tuple[Any, Any]] = {}

    @functools.wraps(look)
    def looked(*asked: Any) -> Any:
        key = tuple(one if one is None or isinstance(one, int | float) else id(one) for one in asked)
        if (found := kept.get(key)) is None:
            while len(kept) >= KEPT:
                kept.pop(next(iter(kept)), None)
            found = kept[key] = asked, look(*asked)  # no other source gets the id of one that is kept
        return found[1]

    return looked


@once
def shape(source: Any) -> torch.Size:
    """Of one x: () for numbers, (2,) for points of the plane, (784,) for digits."""
    with seeded(0):
        return source.sample((2,)).shape[1:]


@once
def drawn(source: Any) -> Tensor:
    """A large sample, sorted, in double, shape (n,); of points each coordinate by itself, (n, d)."""
    with seeded(0):
        x = devices.moved(source, "cpu").sample((DRAWN,)).cpu().double()
    return x.sort(dim=0).values


def named(law: Any) -> str:
    """A law in an error message, in one short line."""
    words = " ".join(str(law).split()) if isinstance(law, Distribution) else type(law).__name__
    return words if len(words) <= 100 else f"{words[:100]}..."


def continuous(law: Any, name: str) -> None:
    """Raise ValueError unless a law is one of a single number that has a density."""
    if not isinstance(law, Distribution) or law.batch_shape or law.event_shape or law.support.is_discrete:
        allowed = "a continuous distribution of one number, such as Normal(0.0, 1.0) or Uniform(-1.0, 1.0)"
        raise ValueError(f"{name}: got {named(law)}; it must be {allowed}")


def quantiles(law: Distribution, m: int, name: str = "latent") -> Tensor:
    """The medians of m equally probable parts of a law of one number: F^-1((i + 1/2) / m), shape (m,).

    F: its cumulative distribution; where torch has no inverse of it, they are read off a large sample. Raises
    ValueError for a discrete law, or one of several numbers.

    >>> from torch.distributions import Uniform
    >>> quantiles(Uniform(0.0, 1.0), 2)
    tensor([0.2500, 0.7500])
    """
    continuous(law, name)
    part = (torch.arange(m) + 0.5) / m
    try:
        return devices.moved(law, "cpu").icdf(part)
    except NotImplementedError:
        x = drawn(law)
        return x[(part.double() * len(x)).long()].to(part.dtype)


def log_density(p: Density, x: Tensor) -> Tensor:
    """log p(x), of x's shape, in double on the CPU; -inf outside the support. p: a distribution, or x -> density.

    >>> from torch.distributions import Exponential
    >>> log_density(Exponential(1.0), torch.tensor([-1.0, 2.0])).tolist()
    [-inf, -2.0]
    """
    if not isinstance(p, Distribution):
        return p(x).cpu().double().log()
    continuous(p, "p")
    return _log_density(devices.moved(p, "cpu"), x.cpu().double())


def _log_density(p: Distribution, x: Tensor) -> Tensor:
    if isinstance(p, MixtureSameFamily):  # each part has a support of its own
        weights = p.mixture_distribution.logits.double().log_softmax(-1)
        return (_log_density(p.component_distribution, x.unsqueeze(-1)) + weights).logsumexp(-1)
    inside = p.support.check(x)
    if inside.all():
        return p.log_prob(x).double()
    return torch.where(inside, p.log_prob(torch.where(inside, x, _somewhere(p))).double(), -math.inf)


def _somewhere(p: Distribution) -> Tensor:
    """A number of the support: outside it, log_prob would raise."""
    try:
        return p.mean.nan_to_num()
    except NotImplementedError:
        with seeded(0):
            return p.sample()


def exact(source: Any) -> bool:
    """Does a source of numbers say its density itself?"""
    return isinstance(source, Distribution) and not source.support.is_discrete and _has_log_prob(source)


@once
def _has_log_prob(law: Distribution) -> bool:
    try:
        log_density(law, drawn(law)[:1])
    except NotImplementedError:
        return False
    return True


def density(source: Any) -> Density:
    """The density of a source of numbers: the source itself if it says it, else an estimate."""
    return source if exact(source) else kernels(source)


@once
def kernels(source: Any) -> Callable[[Tensor], Tensor]:
    """A kernel density estimate of a source, x -> density: a normal bump over each of 1,000 numbers drawn from it.

        p(x) = mean_i N(x; x_i, h^2),   h = .9 min(sd, IQR / 1.34) n^(-1/5)     (Silverman 1986, eq. 3.31)

    n: how many of them differ, so that a small sample, or a count, is smoothed as what it is.
    """
    x = drawn(source)
    different = min(KERNELS, len(x.unique_consecutive()))
    x = x[len(x) // KERNELS // 2 :: len(x) // KERNELS]  # evenly, of what is sorted: less chance in it
    widths = [width for width in (x.std().item(), (_share(x, 0.75) - _share(x, 0.25)) / 1.34) if width > 0]
    h = 0.9 * min(widths, default=0.001 * abs(x[0].item()) or 0.001) * different**-0.2
    law = MixtureSameFamily(Categorical(torch.ones(len(x))), Normal(x, h))

    @functools.lru_cache(4)
    def at(places: tuple[float, ...]) -> Tensor:
        return law.log_prob(torch.tensor(places, dtype=torch.double)).exp()

    return lambda x: at(tuple(x.flatten().tolist())).reshape(x.shape)  # a panel asks for the same x at every frame


@once
def centre(source: Any) -> tuple[float, float]:
    """Mean and standard deviation of a source of numbers, estimated where it does not say.

    Of a law that has none, such as Cauchy, its median, and half of what lies between its 16% and its 84% quantile.
    """
    if (told := _moments(source)) is not None:
        return told[0].item(), told[1].item()
    x = drawn(source)
    if endless(source):
        return _share(x, 0.5), (_share(x, 0.84) - _share(x, 0.16)) / 2
    return x.mean().item(), x.std().item()


def endless(source: Any) -> bool:
    """Does a law say that it has no mean, or no standard deviation?"""
    try:
        return isinstance(source, Distribution) and not (source.mean + source.stddev).isfinite().all()
    except NotImplementedError:
        return False


@once
def span(source: Any) -> tuple[float, float]:
    """From where to where to look at a source of numbers: 6 standard deviations to each side of its mean.

    Of a mixture, of the means of all its parts. Without a mean and an sd, around the middle of the 5% and the 95%
    quantile, and 3.65 times as far: for a normal law that is the same.

    >>> span(Normal(500.0, 5.0))
    (470.0, 530.0)
    """
    told = _moments(source.component_distribution if isinstance(source, MixtureSameFamily) else source)
    if told is not None:
        low, high = (told[0] - 6 * told[1]).min().item(), (told[0] + 6 * told[1]).max().item()
    else:
        x = drawn(source)
        middle, half = (_share(x, 0.95) + _share(x, 0.05)) / 2, (_share(x, 0.95) - _share(x, 0.05)) / 2
        low, high = middle - 6 / 1.645 * half, middle + 6 / 1.645 * half
    if low == high:  # all x are one
        low, high = low - (abs(low) / 100 or 1.0), high + (abs(high) / 100 or 1.0)
    return low, high


@once
def square(source: Any) -> tuple[tuple[float, float], float]:
    """Where to look at points of the plane: a middle, and half a width, both round numbers.

    It reaches a quarter beyond the middle 99% of each coordinate, or more.

    >>> from gan_lessons import data
    >>> square(data.ring())
    ((0.0, 0.0), 3.0)
    """
    x = drawn(source)  # (n, 2)
    low, high = x[len(x) // 200], x[-len(x) // 200]
    half = 1.25 * (high - low).max().item() / 2 or 1.0
    unit = 10 ** math.floor(math.log10(half)) / 2
    half = float(math.ceil(half / unit) * unit)
    across, up = (((low + high) / half * 5).round() * half / 10 + 0.0).tolist()  # to a tenth of it; 0.0 + -0.0 = 0.0
    return (across, up), half


def _share(x: Tensor, share: float) -> float:
    """Below which lies this share of what is sorted."""
    return x[int(share * len(x))].item()


def _moments(source: Any) -> tuple[Tensor, Tensor] | None:
    """Mean and sd as a distribution says them, if it does and they are finite."""
    try:
        told = isinstance(source, Distribution) and not endless(source)
        return (source.mean.cpu(), source.stddev.cpu()) if told else None
    except NotImplementedError:
        return None
