"""What rests on distances between all samples and all data: Parzen windows, nearest images, density and coverage."""

import math
import warnings
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy


def parzen_log_likelihood(samples: Tensor, test: Tensor, sigma: float) -> tuple[float, float]:
    """Parzen-window log-likelihood of test images under a generator's samples: its mean, and its standard error.

        log p(x) = log 1/n sum_i N(x; s_i, sigma^2 I), in nats     (Breuleux et al. 2011; Goodfellow et al. 2014)

    samples: (n, d), test: (m, d), pixels in [0, 1]; in float32 unless they are float64. The figure grows with n and is
    best at one sigma (`select_sigma`). Raises ValueError for pixels outside [0, 1].

    >>> mean, error = parzen_log_likelihood(torch.zeros(1, 2), torch.zeros(5, 2), sigma=1.0)
    >>> round(mean, 3), round(error, 3)  # -log(2 pi)
    (-1.838, 0.0)
    """
    check_rows(0, 1, samples=samples, test=test)
    (log_p,) = _parzen(samples, test, [sigma])
    return log_p.mean().item(), log_p.std().item() / math.sqrt(len(log_p))


def select_sigma(samples: Tensor, validation: Tensor, sigmas: Sequence[float]) -> float:
    """The sigma of highest mean Parzen log-likelihood, to be chosen on images that are not the test images.

    All sigmas share one matrix product. Warns if the best is the smallest or the largest, so that a better one may lie
    beyond. samples, validation: as in `parzen_log_likelihood`.

    >>> select_sigma(torch.zeros(1, 2), torch.tensor([[0.3, 0.3]]), sigmas=[0.1, 0.2, 0.3, 0.4])  # sd of 0.3 and 0.3
    0.3
    """
    check_rows(0, 1, samples=samples, validation=validation)
    best = float(sigmas[_parzen(samples, validation, sigmas).mean(dim=1).argmax()])
    if best in (min(sigmas), max(sigmas)):
        warnings.warn(f"sigmas: the best, {best:g}, is at the end of those tried; beyond may be better", stacklevel=2)
    return best


def _parzen(samples: Tensor, test: Tensor, sigmas: Sequence[float]) -> Tensor:
    """log p of each test image under each sigma, (sigmas, m), float64."""
    if len(sigmas) == 0 or not all(sigma > 0 for sigma in sigmas):
        raise ValueError(f"sigma: got {list(sigmas)}; a standard deviation must be > 0")
    rows = []
    for near in _nearness(test, samples):
        target = _greatest(near)
        closest = near.gather(1, target[:, None]).squeeze(1)
        # log sum exp(a) = a_j + cross_entropy(a, j): fused in torch, and so 3 times as fast as torch.logsumexp
        log_sums = [closest / s**2 + cross_entropy(near / s**2, target, reduction="none") for s in sigmas]
        rows.append(torch.stack(log_sums).double())
    n, d = samples.shape
    log_norm = [math.log(n) + d * math.log(s * math.sqrt(2 * math.pi)) for s in sigmas]
    return torch.cat(rows, dim=1) - torch.tensor(log_norm, dtype=torch.double)[:, None]


def nearest(samples: Tensor, images: Tensor) -> tuple[Tensor, Tensor]:
    """Each sample's nearest image: Euclidean distances and indices, (n,) each. Is the sample learnt by heart?

    samples: (n, d), images: (m, d), in the same unit. A distance means something beside that of held-out images.

    >>> nearest(torch.tensor([[1.0, 2.0]]), torch.tensor([[0.0, 0.0], [1.0, 0.0]]))
    (tensor([2.]), tensor([1]))
    """
    check_rows(samples=samples, images=images)
    index = torch.cat([_greatest(near) for near in _nearness(samples, images)])
    return (samples.cpu() - images.cpu()[index]).norm(dim=1), index


def density_and_coverage(real: Tensor, fake: Tensor, k: int = 5) -> tuple[float, float]:
    """Do the fakes lie among the data, and do they reach all of it?     (Naeem et al. 2020, eq. 5 and 6)

    A ball around each real row reaches to its k-th nearest other one. density: how many of them a fake lies in, over k;
    about 1 for the data themselves. Copies of a single good image may have more than they (over 300 test digits:
    quartiles .4, .8 and 1.2, from 0 to 2.8). coverage: share of the balls with a fake in them; for other data, as many,
    about 1 - 2^-k = .97 (k = 5). It falls as n = m grows, if fakes leave gaps: `mnist_small_z2` has .47, .36 and .17 at
    500, 2,000 and 10,000. real: (n, d), fake: (m, d).

    >>> real = torch.tensor([[0.0], [1.0], [2.0], [10.0]])
    >>> density_and_coverage(real, torch.tensor([[0.5], [0.6]]), k=1)
    (2.0, 0.5)
    """
    check_rows(real=real, fake=fake)
    real, fake = real.cpu().double(), fake.cpu().double()
    if not 1 <= k < len(real):
        raise ValueError(f"k: got {k}; with {len(real)} real rows 1 to {len(real) - 1} neighbours can be looked at")
    inside, reached = 0, 0
    for to_real, to_fake in zip(_nearness(real, real), _nearness(real, fake), strict=True):
        hits = to_fake > to_real.topk(k + 1).values[:, -1:]  # k + 1: each is its own nearest
        inside, reached = inside + hits.sum().item(), reached + hits.any(dim=1).sum().item()
    return inside / (k * len(fake)), reached / len(real)


def check_rows(least: float = -math.inf, most: float = math.inf, **rows: Tensor) -> None:
    """Raise ValueError naming the tensor that is not (n, d) of finite numbers, of the first one's d, within bounds."""
    d = next(iter(rows.values())).shape[1:]
    for name, x in rows.items():
        if x.dim() != 2 or len(x) == 0 or x.shape[1:] != d or not x.isfinite().all():
            right = f"it must be (n, {d[0] if d else 'd'}), n >= 1, of finite numbers"
            raise ValueError(f"{name}: got shape {tuple(x.shape)}; {right}")
        if x.min() < least or x.max() > most:
            words = f"{name}: got pixels from {x.min():.3g} to {x.max():.3g}; they must lie in [{least}, {most}]: "
            raise ValueError(words + "use (x + 1) / 2 for x in [-1, 1], x / 255 for x in 0..255")


def _nearness(x: Tensor, points: Tensor, rows: int = 500) -> Iterator[Tensor]:
    """-|x_i - points_j|^2 / 2 for some rows i at a time, (rows, m), by one matrix product."""
    dtype = torch.promote_types(torch.promote_types(x.dtype, points.dtype), torch.float32)
    x, points = (v.detach().cpu().to(dtype) for v in (x, points))
    centre = points.mean(dim=0)  # smaller norms lose less to rounding
    x, points = x - centre, points - centre
    norms = points.square().sum(dim=1) / 2
    for part in x.split(rows):
        yield torch.addmm(-norms, part, points.T).sub_(part.square().sum(dim=1, keepdim=True) / 2)


def _greatest(near: Tensor) -> Tensor:
    """Where each row is greatest: numpy's argmax, many times as fast as torch's."""
    return torch.from_numpy(near.numpy().argmax(axis=1))


def reach(samples: Tensor, real: Tensor, radius: float) -> tuple[float, float]:
    """Share of samples with a real point within a radius, and share of real points with a sample within it.

    The first is low where fakes stand beside the data, the second where part of the data is left out. Of the data
    themselves both are near 1. samples: (n, d); real: (m, d).

    >>> reach(torch.tensor([[0.0], [0.1], [5.0]]), torch.tensor([[0.0], [9.0]]), radius=0.5)
    (0.6666666666666666, 0.5)
    """
    check_rows(samples=samples, real=real)
    if not radius > 0:
        raise ValueError(f"radius: got {radius}; it must be > 0")
    near = torch.cdist(samples.detach().cpu().double(), real.detach().cpu().double()) <= radius  # (n, m)
    return near.any(dim=1).double().mean().item(), near.any(dim=0).double().mean().item()
