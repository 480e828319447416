import math

import pytest
import torch
from scipy import stats
from torch.distributions import Normal, Uniform

from gan_lessons import data, metrics
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


@pytest.mark.parametrize(
    ("source", "sd", "found", "good"),
    [
        (data.bumps(), 2.0, 3, stats.norm.cdf(3) - stats.norm.cdf(-3)),
        (data.ring(), 0.1, 8, stats.chi2(2).cdf(9)),
        (data.ring(modes=5, radius=3, sd=0.2), 0.2, 5, stats.chi2(2).cdf(9)),
    ],
)
def test_modes_of_the_data_themselves(source, sd, found, good):
    torch.manual_seed(0)
    centres = source.component_distribution.mean
    assert metrics.modes(source.sample((100_000,)), centres, sd) == (found, pytest.approx(good, abs=0.002))
    assert metrics.modes(centres[1:], centres, sd) == (found - 1, 1)


@pytest.mark.parametrize("shape", [(500,), (500, 1), (500, 2), (500, 3)])
def test_modes_by_counting(shape):
    torch.manual_seed(1)
    samples, centres = 4 * torch.randn(shape), 4 * torch.randn(6, *shape[1:])
    mine, good = [0] * 6, 0
    for x in samples.reshape(500, -1).tolist():
        distances = [math.dist(x, c) for c in centres.reshape(6, -1).tolist()]
        if min(distances) < 3 * 0.7:
            good += 1
            mine[distances.index(min(distances))] += 1
    for least in (0.0, 0.01, 0.05, 0.2):
        expected = sum(count / 500 >= least for count in mine)
        assert metrics.modes(samples, centres, 0.7, least) == (expected, pytest.approx(good / 500))


def test_a_mode_is_found_at_one_sample_in_a_hundred():
    samples, centres = torch.zeros(100, 2), torch.tensor([[0.0, 0.0], [10.0, 0.0]])
    samples[0, 0] = 10
    assert metrics.modes(samples, centres, sd=1.0) == (2, 1)
    assert metrics.modes(samples.repeat(2, 1)[1:], centres, sd=1.0) == (1, 1)
    samples[0, 0] = 10 + 2.9
    assert metrics.modes(samples, centres, sd=1.0) == (2, 1)
    samples[0, 0] = 10 + 3.1
    assert metrics.modes(samples, centres, sd=1.0) == (1, 0.99)


@pytest.mark.parametrize(
    ("samples", "centres", "sd", "message"),
    [
        (torch.zeros(0), torch.zeros(3), 1, r"samples: got shape \(0,\)"),
        (torch.tensor([1.0, math.nan]), torch.zeros(3), 1, "samples: got shape"),
        (torch.zeros(4, 2, 2), torch.zeros(3, 2), 1, "samples: got shape"),
        (torch.zeros(4), torch.tensor(1.0), 1, "centres: got shape"),
        (torch.zeros(4), torch.tensor([math.inf]), 1, "centres: got shape"),
        (torch.zeros(4, 2), torch.zeros(3), 1, r"samples: got shape \(4, 2\), and centres of \(3,\)"),
        (torch.zeros(4), torch.zeros(3), 0, "sd: got 0"),
    ],
)
def test_modes_bad_input(samples, centres, sd, message):
    with pytest.raises(ValueError, match=message):
        metrics.modes(samples, centres, sd)
