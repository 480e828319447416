"""How far are the fakes from the data? Numbers that do not ask D."""

import math
import warnings
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor
from torch.distributions import Distribution
from torch.nn.functional import cross_entropy

from gan_lessons import data, devices, laws, pretrained
from gan_lessons.guards import evaluating

SIGMAS = tuple(i / 100 for i in range(10, 41))  # among which `report` chooses


def wasserstein1(a: Tensor, b: Tensor) -> float:
    """Wasserstein-1 (earth mover's) distance between two samples of numbers, in their unit.

        W1 = integral of |F_a(x) - F_b(x)| dx,   F = share of the sample at or below x

    a: shape (n,), b: shape (m,). A shift by c costs |c|.

    >>> wasserstein1(torch.tensor([0.0, 1.0, 3.0]), torch.tensor([5.0, 6.0, 8.0]))
    5.0
    """
    for name, x in (("a", a), ("b", b)):
        if x.dim() != 1 or len(x) == 0 or not x.isfinite().all():
            raise ValueError(f"{name}: got shape {tuple(x.shape)}; it must be one row of at least 1 finite number")
    a, b = (sample.detach().cpu().double().sort().values for sample in (a, b))
    x = torch.cat([a, b]).sort().values
    F_a, F_b = (torch.searchsorted(s, x[:-1].contiguous(), right=True).double() / len(s) for s in (a, b))
    return ((F_a - F_b).abs() * x.diff()).sum().item()


@torch.no_grad()
def moments(G: Callable[[Tensor], Tensor], latent: Distribution, n: int = 4096) -> tuple[float, float]:
    """Mean and standard deviation of x = G(z), by the n midpoint quantiles of latent: no chance in it.

    >>> from torch.distributions import Normal
    >>> mean, sd = moments(lambda z: 500 - 5 * z, Normal(0.0, 1.0))
    >>> round(mean, 2), round(sd, 2)
    (500.0, 5.0)
    """
    with evaluating(G):
        x = G(laws.quantiles(latent, n).to(devices.of(G))).cpu().double()
    return x.mean().item(), x.std(correction=0).item()


def modes(samples: Tensor, centres: Tensor, sd: float, least: float = 0.01) -> tuple[int, float]:
    """Modes found and share of good samples, where the data are bumps of one sd around centres.

    A sample is good within 3 sd of its nearest centre (Srivastava et al. 2017, VEEGAN; Lin et al. 2018, PacGAN); a mode
    is found if at least `least` of all samples are good and nearest to it. Of the data themselves 99.7% are good on the
    line, 98.9% in the plane. samples: shape (n,) or (n, d); centres: (modes,) or (modes, d).

    >>> modes(torch.tensor([0.1, -0.2, 9.0, 5.0]), centres=torch.tensor([0.0, 10.0, 20.0]), sd=0.5)
    (2, 0.75)
    """
    for name, x in (("samples", samples), ("centres", centres)):
        if x.dim() not in (1, 2) or len(x) == 0 or not x.isfinite().all():
            right = "allowed are (n,) and (n, d), n >= 1, of finite numbers"
            raise ValueError(f"{name}: got shape {tuple(x.shape)}; {right}")
    if samples.shape[1:] != centres.shape[1:]:
        raise ValueError(f"samples: got shape {tuple(samples.shape)}, and centres of {tuple(centres.shape)}")
    if not sd > 0:
        raise ValueError(f"sd: got {sd}; a standard deviation must be > 0")
    samples, centres = (x.detach().cpu().double().reshape(len(x), -1) for x in (samples, centres))
    distance, nearest = torch.cdist(samples, centres).min(dim=1)
    good = distance <= 3 * sd
    share = nearest[good].bincount(minlength=len(centres)).double() / len(samples)
    return (share >= least).sum().item(), good.double().mean().item()


def parzen_log_likelihood(samples: Tensor, test: Tensor, sigma: float) -> tuple[float, float]:
    """Parzen-window log-likelihood of test images under a generator's samples: its mean, and its standard error.

        log p(x) = log 1/n sum_i N(x; s_i, sigma^2 I), in nats     (Breuleux et al. 2011; Goodfellow et al. 2014)

    samples: (n, d), test: (m, d), pixels in [0, 1]; in float32 unless they are float64. The figure grows with n and is
    best at one sigma (`select_sigma`). Raises ValueError for pixels outside [0, 1].

    >>> mean, error = parzen_log_likelihood(torch.zeros(1, 2), torch.zeros(5, 2), sigma=1.0)
    >>> round(mean, 3), round(error, 3)  # -log(2 pi)
    (-1.838, 0.0)
    """
    _check_rows(0, 1, samples=samples, test=test)
    (log_p,) = _parzen(samples, test, [sigma])
    return log_p.mean().item(), log_p.std().item() / math.sqrt(len(log_p))


def select_sigma(samples: Tensor, validation: Tensor, sigmas: Sequence[float]) -> float:
    """The sigma of highest mean Parzen log-likelihood, to be chosen on images that are not the test images.

    All sigmas share one matrix product. Warns if the best is the smallest or the largest, so that a better one may lie
    beyond. samples, validation: as in `parzen_log_likelihood`.

    >>> select_sigma(torch.zeros(1, 2), torch.tensor([[0.3, 0.3]]), sigmas=[0.1, 0.2, 0.3, 0.4])  # sd of 0.3 and 0.3
    0.3
    """
    _check_rows(0, 1, samples=samples, validation=validation)
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
        closest, target = near.max(dim=1)
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
    _check_rows(samples=samples, images=images)
    index = torch.cat([near.argmax(dim=1) for near in _nearness(samples, images)])
    return (samples.cpu() - images.cpu()[index]).norm(dim=1), index


def frechet_distance(features_a: Tensor, features_b: Tensor) -> float:
    """Frechet distance between Gaussians of the same mean and covariance as two sets of features: 0 if those agree.

        |m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^(1/2))     (Heusel et al. 2017, eq. 6)

    features: (n, d) and (m, d). The figure compares only within one net and one n, and falls as n grows.

    >>> a = torch.tensor([[0.0], [2.0]])
    >>> round(frechet_distance(a, 3 * a), 3)  # means 1 and 3, sds sqrt(2) and 3 sqrt(2): (3 - 1)^2 + 2 (3 - 1)^2
    12.0
    """
    _check_rows(features_a=features_a, features_b=features_b)
    a, b = features_a.detach().cpu().double(), features_b.detach().cpu().double()
    if min(len(a), len(b)) < 2:
        raise ValueError(f"features: got {len(a)} and {len(b)} rows; a covariance needs 2")
    C_a, C_b = (torch.cov(x.T).reshape(x.shape[1], -1) for x in (a, b))
    scales, axes = torch.linalg.eigh(C_a)
    root = axes * scales.clamp(min=0).sqrt() @ axes.T
    # C_a C_b has the eigenvalues of the symmetric root C_b root, and the trace of its root needs no more
    trace = torch.linalg.eigvalsh(root @ C_b @ root).clamp(min=0).sqrt().sum()
    return ((a.mean(0) - b.mean(0)).square().sum() + C_a.trace() + C_b.trace() - 2 * trace).item()


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
    _check_rows(real=real, fake=fake)
    real, fake = real.cpu().double(), fake.cpu().double()
    if not 1 <= k < len(real):
        raise ValueError(f"k: got {k}; with {len(real)} real rows 1 to {len(real) - 1} neighbours can be looked at")
    inside, reached = 0, 0
    for to_real, to_fake in zip(_nearness(real, real), _nearness(real, fake), strict=True):
        hits = to_fake > to_real.topk(k + 1).values[:, -1:]  # k + 1: each is its own nearest
        inside, reached = inside + hits.sum().item(), reached + hits.any(dim=1).sum().item()
    return inside / (k * len(fake)), reached / len(real)


def digit_histogram(labels: Tensor) -> tuple[Tensor, float]:
    """Share of each digit 0 to 9 among labels (n,), and the KL divergence of these shares from uniform, in nats.

        KL = sum_c p_c log(10 p_c),   0 if all are as frequent, log 10 = 2.303 if there is only one

    >>> shares, kl = digit_histogram(torch.tensor([0, 1, 2, 3, 4]))
    >>> shares.tolist(), round(kl, 3)
    ([0.2, 0.2, 0.2, 0.2, 0.2, 0.0, 0.0, 0.0, 0.0, 0.0], 0.693)
    """
    if len(labels) == 0 or not ((labels >= 0) & (labels <= 9)).all():
        raise ValueError(f"labels: got {len(labels)} of them; they must be digits 0 to 9, at least one")
    shares = labels.cpu().long().bincount(minlength=10).double() / len(labels)
    return shares, torch.xlogy(shares, 10 * shares).sum().item()


@torch.no_grad()
def report(samples: Tensor, sigma: float | None = None, real: data.Images | None = None) -> dict[str, float]:
    """All figures of one set of images, (n, 784) in [-1, 1], as `Trainer.sample(10_000)` gives.

    real: what they are compared with, the 10,000 test images unless told. sigma: of the Parzen window; None chooses
    among `SIGMAS` on the last 10,000 training images. In nats: parzen and its standard error, kl of the digit histogram
    from uniform. In the 64 features of `pretrained.classifier()`, and so on a scale of their own: frechet, density,
    coverage. sure: share of images that the classifier takes for some digit with more than 90%.
    """
    low, high = samples.aminmax()
    if not (-1 <= low < 0 and high <= 1):
        raise ValueError(f"samples: got x from {low:.3g} to {high:.3g}; report takes x in [-1, 1], as G makes them")
    samples = samples.cpu()
    pixels, real = (samples + 1) / 2, data.mnist("test") if real is None else real
    if sigma is None:
        sigma = select_sigma(pixels, data.mnist("train")[50_000:].images.flatten(1) / 255, SIGMAS)
    mean, error = parzen_log_likelihood(pixels, real.images.cpu().flatten(1) / 255, sigma)
    net, both = pretrained.classifier(), (samples, real.images.cpu() / 127.5 - 1)
    features, real_features = (torch.cat([net.features(part) for part in x.split(500)]) for x in both)
    sureness, labels = net.head(features).softmax(dim=1).max(dim=1)
    density, coverage = density_and_coverage(real_features, features)
    return {
        **{"n": len(samples), "sigma": sigma, "parzen": mean, "standard error": error},
        "frechet": frechet_distance(features, real_features),
        "density": density,
        "coverage": coverage,
        "kl": digit_histogram(labels)[1],
        "sure": (sureness > 0.9).double().mean().item(),
    }


def _check_rows(least: float = -math.inf, most: float = math.inf, **rows: Tensor) -> None:
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
