"""Closed forms of the game, in nats. p and q are distributions, or callables x -> density.

Integrals are trapezoid sums over a grid x of shape (n,). Without one, a grid is used that is fine near 0 and reaches to
+-1e6, with a spacing of 2e-4 (|x| + 0.01): enough for bumps as narrow as a thousandth of their distance from 0.
"""

import math
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from gan_lessons import devices
from gan_lessons.laws import Density, centre, continuous, endless, log_density, named


def optimal_discriminator(p: Density, q: Density) -> Callable[[Tensor], Tensor]:
    """The best possible discriminator of data with density p from fakes with density q.

        D*(x) = p(x) / (p(x) + q(x))     (Goodfellow et al. 2014, proposition 1)

    Returns a callable x -> probability of x's shape; nan where neither has mass, since there any D is as good.

    >>> from torch.distributions import Normal
    >>> D = optimal_discriminator(Normal(500.0, 5.0), Normal(490.0, 5.0))
    >>> D(torch.tensor([495.0, 500.0]))  # halfway, and where the log-odds are 2
    tensor([0.5000, 0.8808])
    """
    return lambda x: log_odds(p, q)(x).sigmoid().to(x)


def log_odds(p: Density, q: Density) -> Callable[[Tensor], Tensor]:
    """The logit of the best possible discriminator, exact where D* itself would round to 0 or 1.

        log p(x) - log q(x) = log D*(x) - log(1 - D*(x))

    Returns a callable x -> logit of x's shape, in double on the CPU; it can be differentiated where p and q can.

    >>> from torch.distributions import Normal
    >>> round(log_odds(Normal(500.0, 5.0), Normal(490.0, 5.0))(torch.tensor(500.0)).item(), 4)
    2.0
    """
    return lambda x: log_density(p, x) - log_density(q, x)  # -inf - -inf = nan


def value(D: Callable[[Tensor], Tensor], p: Density, q: Density, x: Tensor | None = None) -> float:
    """The value of the game for discriminator D, data density p and generator density q.

        V(D, G) = E_p[log D(x)] + E_q[log(1 - D(x))] <= 0     (Goodfellow et al. 2014, eq. 1)

    Returns nats; -inf if D is certain and wrong on more than a millionth of p or q.
    Raises ValueError if p or q does not integrate to 1 over the grid x.

    >>> from torch.distributions import Normal
    >>> p = Normal(500.0, 5.0)
    >>> round(value(lambda x: torch.full_like(x, 0.5), p, p), 4)  # the coin-flipper: -log 4
    -1.3863
    """
    x, _, _, p_mass, q_mass = _on_grid(p, q, x)
    d = D(x.to(devices.of(D))).detach().cpu().double().reshape(-1)
    return _expected_log(d, p_mass) + _expected_log(1 - d, q_mass)


def jsd(p: Density, q: Density, x: Tensor | None = None) -> float:
    """Jensen-Shannon divergence, in nats: 0 when p = q, log 2 when they never overlap.

        JSD(p || q) = KL(p || m) / 2 + KL(q || m) / 2,   m = (p + q) / 2     (Goodfellow et al. 2014, eq. 6)

    >>> from torch.distributions import Normal
    >>> round(jsd(Normal(0.0, 1.0), Normal(100.0, 1.0)), 4)
    0.6931
    """
    _, log_p, log_q, p_mass, q_mass = _on_grid(p, q, x)
    log_m = torch.logaddexp(log_p, log_q) - math.log(2)
    return (_expected(p_mass, log_p - log_m) + _expected(q_mass, log_q - log_m)) / 2


def kl(p: Density, q: Density, x: Tensor | None = None) -> float:
    """Kullback-Leibler divergence, in nats: 0 when p = q; KL(p || q) and KL(q || p) are two different numbers.

        KL(p || q) = E_p[log p(x) - log q(x)] >= 0

    Returns nats; inf if q has no mass under more than a millionth of p.
    Raises ValueError if p or q does not integrate to 1 over the grid x.

    >>> from torch.distributions import Normal
    >>> round(kl(Normal(500.0, 5.0), Normal(490.0, 5.0)), 4)  # (10 / 5)^2 / 2
    2.0
    """
    _, log_p, log_q, p_mass, _ = _on_grid(p, q, x)
    none = log_q == -math.inf
    if p_mass[none].sum() > 1e-6:
        return math.inf
    return _expected(p_mass, log_p - torch.where(none, -103.0, log_q))  # a density that float32 rounded to 0


def criterion(p: Density, q: Density, x: Tensor | None = None) -> float:
    """C(G), the value of the game against the best possible discriminator: what an ideal generator minimises.

        C(G) = max_D V(D, G) = -log 4 + 2 JSD(p || q)     (Goodfellow et al. 2014, theorem 1)

    p, q: densities of the data and of G's fakes. Returns nats, from -log 4 = -1.386 (p = q) to 0 (they never overlap).

    >>> from torch.distributions import Normal
    >>> round(criterion(Normal(500.0, 5.0), Normal(495.0, 3.0)), 3)
    -1.009
    """
    return -math.log(4) + 2 * jsd(p, q, x)


def pushforward(G: Callable[[Tensor], Tensor], latent: Distribution, n: int = 2001) -> Callable[[Tensor], Tensor]:
    """The exact density p_g of x = G(z), z ~ latent, for a generator of one number, by change of variables.

        p_g(x) = sum over all z with G(z) = x of  p_z(z) / |dG/dz|

    G: (n,) -> (n,), elementwise and differentiable. It is followed on n points of z (8 standard deviations to each
    side, but not beyond what latent can give), with dG/dz from autograd, linear in between. Extrema of G are spikes of
    p_g. Returns a callable x -> density of x's shape, in 1 / unit of x; a constant G has none, and it is 0 everywhere.
    Raises ValueError for a latent that is discrete, of several numbers, or without a standard deviation, as Cauchy.

    >>> from torch.distributions import Normal
    >>> p_g = pushforward(lambda z: 500 - 5 * z, Normal(0.0, 1.0))
    >>> round(p_g(torch.tensor([500.0])).item(), 4)  # 1 / (5 sqrt(2 pi)): the sign of sigma does not matter
    0.0798
    """
    latent = devices.moved(latent, "cpu")
    low, high = _reach(latent)
    if isinstance(G, nn.Module):
        G = deepcopy(G).cpu().double().eval()  # so that neighbouring points of a narrow p_g do not round to one x
    dtype = torch.double if isinstance(G, nn.Module) else torch.get_default_dtype()
    with torch.enable_grad():
        z = (low + (high - low) * torch.linspace(0, 1, n, dtype=torch.double)).clamp(low, high)  # (n,)
        z = z.to(dtype).requires_grad_()
        g = G(z)  # (n,)
        (slope,) = torch.autograd.grad(g.sum(), z)  # (n,)
    z = z.detach()
    g = g.detach().double()
    slope = slope.double().abs()
    p_z = log_density(latent, z).exp()  # (n,)
    p_z[0], p_z[-1] = _end(*p_z[:3]), _end(*p_z[-3:].flip(0))
    dz = (z[-1] - z[0]).double() / (n - 1)
    sign = g.diff().sign()  # (n - 1,)
    moving = sign.nonzero().flatten()  # where G does not stand still
    extrema = moving[1:][sign[moving].diff() != 0].tolist()  # G is monotone between two of them
    branches = []
    for start, end in pairwise([0, *extrema, n - 1]):
        nodes = torch.arange(start, end + 1)
        branches.append(nodes if g[start] < g[end] else nodes.flip(0))

    def p_g(x: Tensor) -> Tensor:
        at = x.cpu().double().flatten()  # (m,)
        total = torch.zeros_like(at)
        for nodes in branches:
            g_i, p_i, slope_i = g[nodes], p_z[nodes], slope[nodes]  # of the branch, G rising
            i = torch.searchsorted(g_i, at).clamp(1, len(nodes) - 1)  # (m,): x lies between nodes i - 1 and i
            t = (at - g_i[i - 1]) / (g_i[i] - g_i[i - 1]).clamp(min=1e-300)
            density = torch.lerp(p_i[i - 1], p_i[i], t) / torch.lerp(slope_i[i - 1], slope_i[i], t)
            mean = (p_i[i - 1] + p_i[i]) / 2 * dz / (g_i[i] - g_i[i - 1])  # at an extremum the slope is 0
            density = torch.where((i == 1) | (i == len(nodes) - 1), mean, density)
            total += torch.where((g_i[0] <= at) & (at <= g_i[-1]) & (g_i[0] < g_i[-1]), density, 0)
        return total.reshape(x.shape).to(x)

    return p_g


def _end(p: Tensor, near: Tensor, far: Tensor) -> Tensor:
    """A density at its end; if it is infinite, as Gamma(1/2, 1) at 0, one that has the right area as far as `near`."""
    return p if p.isfinite() else near * (2 / (1 + torch.log2(far / near)) - 1)  # of a power of the distance


def _reach(latent: Distribution) -> tuple[float, float]:
    """The least and the greatest z that are looked at."""
    continuous(latent, "latent")
    if endless(latent):
        raise ValueError(f"latent: got {named(latent)}, without a standard deviation; p_g is followed to 8 of them")
    mean, sd = centre(latent)
    support = getattr(latent.support, "base_constraint", latent.support)  # of all parts of a mixture
    low, high = (getattr(support, f"{side}_bound", None) for side in ("lower", "upper"))
    low = -math.inf if low is None else torch.as_tensor(low).min().item()
    high = math.inf if high is None else torch.as_tensor(high).max().item()
    both = math.isfinite(high - low)
    return (low, high) if both else (max(low, mean - 8 * sd), min(high, mean + 8 * sd))


@cache
def _default_grid() -> Tensor:
    u = torch.linspace(-1, 1, 200_001, dtype=torch.double) * math.asinh(1e8)
    return (0.01 * u.sinh()).to(torch.get_default_dtype())  # callables see the very x that are summed over


def _grid(x: Tensor | None) -> tuple[Tensor, Tensor]:
    x = _default_grid() if x is None else x
    step = x.double().diff()
    if x.dim() != 1 or len(x) < 2 or not (step > 0).all():
        raise ValueError(f"x: got shape {tuple(x.shape)}; a grid is one row of at least 2 increasing numbers")
    zero = step.new_zeros(1)
    return x, (torch.cat([step, zero]) + torch.cat([zero, step])) / 2


def _on_grid(p: Density, q: Density, x: Tensor | None) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """The grid x; log p and log q at its points; the share of p's and of q's mass at each."""
    x, weight = _grid(x)
    log_p, log_q = log_density(p, x).detach(), log_density(q, x).detach()
    return x, log_p, log_q, _mass("p", log_p, x, weight), _mass("q", log_q, x, weight)


def _mass(name: str, log_density: Tensor, x: Tensor, weight: Tensor) -> Tensor:
    mass = log_density.exp() * weight
    total = mass.sum().item()
    if not abs(total - 1) < 0.02:  # the sum over a spike of a push-forward is off by a percent
        span = f"{len(x)} points from {x[0]:g} to {x[-1]:g}"
        raise ValueError(
            f"{name}: integrates to {total:.3g} over the grid x ({span}), not to 1; give a finer or wider x"
        )
    return mass / total


def _expected_log(d: Tensor, mass: Tensor) -> float:
    """sum of mass log d; where next to no mass is, a d that float32 rounded to 0 counts as 6e-8, its resolution."""
    zero = d <= 0
    if mass[zero].sum() > 1e-6:
        return -math.inf
    return _expected(mass, torch.where(zero, 6e-8, d).log())


def _expected(mass: Tensor, f: Tensor) -> float:
    return torch.where(mass > 0, mass * f, 0).sum().item()  # 0 inf = 0 here
