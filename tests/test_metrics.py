import math

import pytest
import torch
from scipy import stats
from torch.distributions import Normal, Uniform

from gan_lessons import metrics
from gan_lessons.models import AffineGenerator


@pytest.mark.parametrize(("n", "m"), [(1, 1), (50, 50), (1000, 37), (3, 500)])
@pytest.mark.parametrize("ties", [False, True])
def test_wasserstein1_against_scipy(n, m, ties):
    torch.manual_seed(n + m)
    a, b = 3 * torch.randn(n), 1 + torch.randn(m)
    if ties:
        a, b = a.round(), b.round()
    expected = stats.wasserstein_distance(a.numpy(), b.numpy())
    assert metrics.wasserstein1(a, b) == pytest.approx(expected, rel=1e-6, abs=1e-9)
    assert metrics.wasserstein1(b, a) == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_wasserstein1_of_a_shift_is_the_shift():
    a = torch.randn(100, dtype=torch.double)
    assert metrics.wasserstein1(a, a[torch.randperm(100)] - 20) == pytest.approx(20)
    assert metrics.wasserstein1(a, a) == 0
    assert metrics.wasserstein1(a, a.repeat(3)) == pytest.approx(0, abs=1e-12)


def test_wasserstein1_takes_what_g_returns():
    G = AffineGenerator(500.0, 5.0)
    assert metrics.wasserstein1(G(torch.zeros(3)), torch.full((2,), 490)) == 10


@pytest.mark.parametrize("bad", [torch.zeros(0), torch.zeros(2, 2), torch.tensor(1.0), torch.tensor([1.0, math.nan])])
def test_wasserstein1_bad_input(bad):
    with pytest.raises(ValueError, match=r"^a: "):
        metrics.wasserstein1(bad, torch.zeros(3))
    with pytest.raises(ValueError, match=r"^b: "):
        metrics.wasserstein1(torch.zeros(3), bad)


@pytest.mark.parametrize(
    ("G", "latent", "mean", "sd"),
    [
        (AffineGenerator(480.0, 5.0), Normal(0.0, 1.0), 480, 5),
        (AffineGenerator(480.0, -5.0), Normal(0.0, 1.0), 480, 5),
        (AffineGenerator(500.0, 0.0), Normal(0.0, 1.0), 500, 0),
        (lambda z: 500 + 2 * z, Uniform(-1.0, 1.0), 500, 2 / math.sqrt(3)),
        (lambda z: z**2, Uniform(0.0, 1.0), 1 / 3, math.sqrt(1 / 5 - 1 / 9)),
        (torch.exp, Normal(0.0, 0.25), math.exp(1 / 32), math.exp(1 / 32) * math.sqrt(math.exp(1 / 16) - 1)),
    ],
)
def test_moments_against_closed_forms(G, latent, mean, sd):
    assert metrics.moments(G, latent) == (pytest.approx(mean, rel=1e-4), pytest.approx(sd, rel=2e-3))


def test_moments_draw_nothing():
    before = torch.get_rng_state()
    metrics.moments(torch.exp, Normal(0.0, 1.0))
    assert torch.equal(torch.get_rng_state(), before)
