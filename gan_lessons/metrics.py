"""How far are the fakes from the data? Numbers that do not ask D."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.distributions import Distribution
from torch.nn.functional import conv2d

from gan_lessons import data, devices, laws, pretrained
from gan_lessons.guards import evaluating
from gan_lessons.neighbours import check_rows, density_and_coverage, parzen_log_likelihood, select_sigma
from gan_lessons.neighbours import nearest as nearest

SIGMAS = tuple(i / 100 for i in range(10, 41))  # among which `report` chooses
NEW_FACES = 4  # the seed of those that nothing which ships was trained on


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


def frechet_distance(features_a: Tensor, features_b: Tensor) -> float:
    """Frechet distance between Gaussians of the same mean and covariance as two sets of features: 0 if those agree.

        |m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^(1/2))     (Heusel et al. 2017, eq. 6)

    features: (n, d) and (m, d). The figure compares only within one net and one n, and falls as n grows.

    >>> a = torch.tensor([[0.0], [2.0]])
    >>> round(frechet_distance(a, 3 * a), 3)  # means 1 and 3, sds sqrt(2) and 3 sqrt(2): (3 - 1)^2 + 2 (3 - 1)^2
    12.0
    """
    check_rows(features_a=features_a, features_b=features_b)
    a, b = features_a.detach().cpu().double(), features_b.detach().cpu().double()
    if min(len(a), len(b)) < 2:
        raise ValueError(f"features: got {len(a)} and {len(b)} rows; a covariance needs 2")
    C_a, C_b = (torch.cov(x.T).reshape(x.shape[1], -1) for x in (a, b))
    scales, axes = torch.linalg.eigh(C_a)
    root = axes * scales.clamp(min=0).sqrt() @ axes.T
    # C_a C_b has the eigenvalues of the symmetric root C_b root, and the trace of its root needs no more
    trace = torch.linalg.eigvalsh(root @ C_b @ root).clamp(min=0).sqrt().sum()
    return ((a.mean(0) - b.mean(0)).square().sum() + C_a.trace() + C_b.trace() - 2 * trace).item()


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


def kinds(attributes: Tensor) -> Tensor:
    """Share of each of the 16 kinds among faces with these attributes: (n, 4) of 0 and 1 -> (2, 2, 2, 2).

    Axes as the columns of `data.ATTRIBUTES`: [0, 1, 0, 1] is the share of faces with glasses and dark hair and neither
    long hair nor a smile, and [1].sum() that of long hair.

    >>> shares = kinds(torch.tensor([[0, 1, 0, 1], [0, 1, 0, 1], [1, 0, 0, 1], [0, 0, 0, 0]]))
    >>> shares[0, 1, 0, 1].item(), shares[1].sum().item(), shares.sum().item()
    (0.5, 0.25, 1.0)
    """
    if attributes.shape[1:] != (4,) or len(attributes) == 0 or not ((attributes == 0) | (attributes == 1)).all():
        raise ValueError(f"attributes: got shape {tuple(attributes.shape)}; they must be (n, 4) of 0 and 1, n >= 1")
    index = attributes.cpu().long() @ torch.tensor([8, 4, 2, 1])  # binary digits
    return index.bincount(minlength=16).double().reshape(2, 2, 2, 2) / len(attributes)


def grain(images: Tensor) -> float:
    """Mean squared Laplacian: how much pixels differ from their neighbours, in the square of their unit.

        mean of (up + down + left + right - 4 x)^2 over images, colours and all pixels x that have four neighbours

    images: (n, 3, height, width), of floats. 0 where brightness rises evenly. It means something beside that of real
    images: what a generator blurs has less, what it speckles more.

    >>> one_pixel = torch.zeros(1, 3, 5, 5)
    >>> one_pixel[:, :, 2, 2] = 1
    >>> round(grain(one_pixel), 3)  # (16 + 4 times 1) / 9 pixels
    2.222
    """
    if images.dim() != 4 or min(images.shape[2:]) < 3 or len(images) == 0 or not images.is_floating_point():
        got = f"{images.dtype} of shape {tuple(images.shape)}"
        raise ValueError(f"images: got {got}; they must be floats, (n, 3, height, width), n >= 1, of 3 x 3 or more")
    around = torch.tensor([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])[None, None]
    parts = images.detach().cpu().float().split(500)
    return sum(conv2d(x.flatten(0, 1)[:, None], around).square().mean().item() * len(x) for x in parts) / len(images)


@torch.no_grad()
def report(samples: Tensor, sigma: float | None = None, real: data.Images | None = None) -> dict[str, float]:
    """All figures of one set of images in [-1, 1], as `Trainer.sample(10_000)` gives: digits (n, 784), or faces
    (n, 3, 32, 32), for which see `report_faces`.

    real: what they are compared with, the 10,000 test images unless told. sigma: of the Parzen window; None chooses
    among `SIGMAS` on the last 10,000 training images. In nats: parzen and its standard error, kl of the digit histogram
    from uniform. In the 64 features of `pretrained.classifier()`, and so on a scale of their own: frechet, density,
    coverage. sure: share of images that the classifier takes for some digit with more than 90%.
    """
    if samples.dim() == 4:
        if sigma is not None:
            raise ValueError(f"sigma: got {sigma}; it is for digits: of faces no Parzen window is taken")
        return report_faces(samples, real)
    samples, real = _as_made_by_g(samples), data.mnist("test") if real is None else real
    pixels = (samples + 1) / 2
    if sigma is None:
        sigma = select_sigma(pixels, data.mnist("train")[50_000:].images.flatten(1) / 255, SIGMAS)
    mean, error = parzen_log_likelihood(pixels, real.images.cpu().flatten(1) / 255, sigma)
    features, _, likeness = _likeness(pretrained.classifier(), samples, real)
    sureness, labels = pretrained.classifier().head(features).softmax(dim=1).max(dim=1)
    return {
        **{"n": len(samples), "sigma": sigma, "parzen": mean, "standard error": error},
        **likeness,
        "kl": digit_histogram(labels)[1],
        "sure": (sureness > 0.9).double().mean().item(),
    }


@torch.no_grad()
def report_faces(samples: Tensor, real: data.Images | None = None) -> dict[str, float]:
    """All figures of one set of faces, (n, 3, 32, 32) in [-1, 1], as `Trainer.sample(4000)` gives.

    real: what they are compared with, as many new faces as there are samples unless told. By `pretrained.reader()`: the
    share of samples with each of `data.ATTRIBUTES`, and kinds, how many of the 16 are found: those that are at least 1%
    of the samples (of the data the rarest are 3.75%). In its 64 features, and so on a scale of their own: frechet,
    density, coverage. grain: over that of the real faces. good: True if the share of each attribute is within 5 points
    of that of the real faces, each kind found among those is found, and grain is from 0.85 to 1.15.

    >>> figures = report_faces(data.faces(1000, seed=7).images / 127.5 - 1)
    >>> figures["kinds"], figures["good"], round(figures["grain"], 1)
    (16, True, 1.0)
    """
    real = data.faces(len(samples), seed=NEW_FACES) if real is None else real
    for name, x in (("samples", samples), ("real", real.images)):
        if x.shape[1:] != (3, 32, 32):
            raise ValueError(f"{name}: got shape {tuple(x.shape)}; faces are (n, 3, 32, 32)")
    samples, net = _as_made_by_g(samples), pretrained.reader()
    *features, likeness = _likeness(net, samples, real)
    attributes, real_attributes = (net.head(each) > 0 for each in features)
    shares, real_shares = (each.double().mean(dim=0) for each in (attributes, real_attributes))
    found, real_found = (kinds(each) >= 0.01 for each in (attributes, real_attributes))
    ratio = grain(samples) / grain(real.images / 127.5 - 1)
    alike = (shares - real_shares).abs().max() <= 0.05 and found[real_found].all() and abs(ratio - 1) <= 0.15
    return {
        **{"n": len(samples)} | dict(zip(data.ATTRIBUTES, shares.tolist(), strict=True)),
        **{"kinds": found.sum().item(), "grain": ratio, **likeness, "good": bool(alike)},
    }


def _likeness(net: nn.Module, samples: Tensor, real: data.Images) -> tuple[Tensor, Tensor, dict[str, float]]:
    """net's features of samples and of real images, and how far apart those are."""
    both = (samples, real.images.cpu() / 127.5 - 1)
    features, real_features = (torch.cat([net.features(part) for part in x.split(500)]) for x in both)
    density, coverage = density_and_coverage(real_features, features)
    frechet = frechet_distance(features, real_features)
    return features, real_features, {"frechet": frechet, "density": density, "coverage": coverage}


def _as_made_by_g(samples: Tensor) -> Tensor:
    """On the CPU, once it is clear that they lie in [-1, 1], and not in [0, 1] or [0, 255]."""
    low, high = samples.aminmax()
    if not (-1 <= low < 0 and high <= 1):
        raise ValueError(f"samples: got x from {low:.3g} to {high:.3g}; report takes x in [-1, 1], as G makes them")
    return samples.cpu()
