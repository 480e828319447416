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
