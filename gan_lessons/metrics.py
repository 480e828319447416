"""How far are the fakes from the data? Numbers that do not ask D."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.distributions import Distribution


def wasserstein1(a: Tensor, b: Tensor) -> float:
    """Wasserstein-1 (earth mover's) distance between two samples of numbers, in their unit.

        W1 = integral of |F_a(x) - F_b(x)| dx,   F = share of the sample at or below x

    a: shape (n,), b: shape (m,). A shift by c costs |c|.

    >>> wasserstein1(torch.tensor([0.0, 1.0, 3.0]), torch.tensor([5.0, 6.0, 8.0]))
    5.0
    """
    for name, sample in (("a", a), ("b", b)):
        if sample.dim() != 1 or len(sample) == 0 or not sample.isfinite().all():
            raise ValueError(f"{name}: got shape {tuple(sample.shape)}; it must be one row of at least 1 finite number")
    a, b = a.detach().double().sort().values, b.detach().double().sort().values
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
    x = G(latent.icdf((torch.arange(n) + 0.5) / n)).double()
    return x.mean().item(), x.std(correction=0).item()


def modes(samples: Tensor, centres: Tensor, sd: float, least: float = 0.01) -> tuple[int, float]:
    """Modes found and share of good samples, where the data are bumps of one sd around centres.

    A sample is good within 3 sd of its nearest centre (Srivastava et al. 2017, VEEGAN; Lin et al. 2018, PacGAN); a mode
    is found if at least `least` of all samples are good and nearest to it. Those papers ask for one sample of 2,500,
    and a G that sweeps across a mode on its way between two others leaves more than that.

    samples: shape (n,) or (n, d); centres: (modes,) or (modes, d). Of the data themselves 99.7% are good on the line,
    98.9% in the plane. Raises ValueError if the shapes do not fit, a number is not finite or sd is not positive.

    >>> modes(torch.tensor([0.1, -0.2, 9.0, 5.0]), centres=torch.tensor([0.0, 10.0, 20.0]), sd=0.5)
    (2, 0.75)
    """
    for name, points in (("samples", samples), ("centres", centres)):
        if points.dim() not in (1, 2) or len(points) == 0 or not points.isfinite().all():
            raise ValueError(
                f"{name}: got shape {tuple(points.shape)}; allowed are (n,) and (n, d), n >= 1, of finite numbers"
            )
    if samples.shape[1:] != centres.shape[1:]:
        raise ValueError(f"samples: got shape {tuple(samples.shape)}, and centres of {tuple(centres.shape)}")
    if not sd > 0:
        raise ValueError(f"sd: got {sd}; a standard deviation must be > 0")
    samples, centres = (points.detach().double().reshape(len(points), -1) for points in (samples, centres))
    distance, nearest = torch.cdist(samples, centres).min(dim=1)
    good = distance <= 3 * sd
    share = nearest[good].bincount(minlength=len(centres)).double() / len(samples)
    return (share >= least).sum().item(), good.double().mean().item()
