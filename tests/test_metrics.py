import math

import numpy as np
import pytest
import torch
from scipy import linalg, stats
from scipy.spatial.distance import cdist
from sklearn.neighbors import KernelDensity, NearestNeighbors
from torch.distributions import Normal, Uniform

from gan_lessons import data, metrics, pretrained
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


# -- images ------------------------------------------------------------------------------------------------------------


def rows(n, d, seed=0, **kind):
    return torch.rand(n, d, generator=torch.Generator().manual_seed(seed), **kind)


def digits(split, n=None):
    return data.mnist(split).images[:n].flatten(1) / 255


@pytest.mark.parametrize(("sigma", "tolerance"), [(0.18, 2e-3), (0.5, 1e-3)])
def test_parzen_against_scikit_learn(sigma, tolerance):
    samples, test = digits("train", 700), digits("test", 600)  # more rows than one matrix product takes
    # one leaf holds all: with its tree scikit-learn 1.9.1 errs by 100 nats and more in 784 dimensions
    theirs = KernelDensity(bandwidth=sigma, leaf_size=1000).fit(samples.double()).score_samples(test.double())
    expected = pytest.approx(theirs.mean(), abs=tolerance), pytest.approx(stats.sem(theirs), abs=tolerance)
    assert metrics.parzen_log_likelihood(samples, test, sigma) == expected
    exact = pytest.approx(theirs.mean(), rel=1e-11), pytest.approx(stats.sem(theirs), rel=1e-9)
    assert metrics.parzen_log_likelihood(samples.double(), test.double(), sigma) == exact


@pytest.mark.parametrize("n", [1, 2, 30])
@pytest.mark.parametrize("d", [1, 2, 5])
def test_parzen_is_the_mean_of_gaussian_densities(n, d):
    samples, test = rows(n, d, dtype=torch.double), rows(7, d, seed=1, dtype=torch.double)
    p = [np.mean([stats.multivariate_normal.pdf(x, s, 0.3**2) for s in samples]) for x in test]
    mean, error = metrics.parzen_log_likelihood(samples, test, 0.3)
    assert mean == pytest.approx(np.log(p).mean()) and error == pytest.approx(stats.sem(np.log(p)))


def test_parzen_in_single_precision_over_ten_thousand_samples():
    samples, test = digits("train", 10_000), digits("test", 100)
    exact = metrics.parzen_log_likelihood(samples.double(), test.double(), 0.1)
    assert metrics.parzen_log_likelihood(samples, test, 0.1) == pytest.approx(exact, abs=5e-3)
    halves = samples.half(), test.half()  # 16 bits are enough for pixels, not for sums
    assert metrics.parzen_log_likelihood(*halves, 0.1) == metrics.parzen_log_likelihood(
        *(x.float() for x in halves), 0.1
    )


def test_parzen_of_real_images():
    mean, error = metrics.parzen_log_likelihood(digits("train", 10_000), digits("test"), 0.18)
    assert 240 < mean < 248 and 1.7 < error < 1.9


def test_select_sigma():
    one, validation = torch.full((1, 3), 0.5), rows(50, 3)
    best = (validation - 0.5).square().mean().sqrt().item()  # the maximum-likelihood sd of one Gaussian
    assert metrics.select_sigma(one, validation, [0.5 * best, best, 2 * best]) == best
    samples, test, sigmas = digits("train", 300), digits("test", 600), [0.4, 0.3, 0.2, 0.25]
    means = [metrics.parzen_log_likelihood(samples, test, sigma)[0] for sigma in sigmas]
    assert metrics.select_sigma(samples, test, sigmas) == sigmas[np.argmax(means)] == 0.25


@pytest.mark.parametrize("sigmas", [[0.1, 0.15], [0.5, 0.8], [0.25]])
def test_select_sigma_warns_at_the_end(sigmas):
    with pytest.warns(UserWarning, match="is at the end of those tried"):
        assert metrics.select_sigma(digits("train", 300), digits("test", 100), sigmas) in sigmas


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (torch.full((4, 2), 1.001), r"got pixels from 1 to 1; they must lie in \[0, 1\]"),
        (torch.tensor([[-1.0, 1.0]]), r"got pixels from -1 to 1; .* use \(x \+ 1\) / 2 for x in \[-1, 1\]"),
        (torch.tensor([[0.0, math.nan]]), r"got shape \(1, 2\); .* of finite numbers"),
        (torch.zeros(0, 2), r"got shape \(0, 2\)"),
        (torch.zeros(4), r"got shape \(4,\)"),
        (torch.zeros(4, 1, 2), r"got shape \(4, 1, 2\)"),
    ],
)
def test_parzen_bad_pixels(bad, message):
    good = torch.zeros(3, 2)
    with pytest.raises(ValueError, match=f"^samples: {message}"):
        metrics.parzen_log_likelihood(bad, good, 0.2)
    with pytest.raises(ValueError, match=f"^test: {message}"):
        metrics.parzen_log_likelihood(good, bad, 0.2)
    with pytest.raises(ValueError, match=f"^validation: {message}"):
        metrics.select_sigma(good, bad, [0.2])
    with pytest.raises(ValueError, match=r"^test: got shape \(3, 5\); it must be \(n, 2\)"):
        metrics.parzen_log_likelihood(good, torch.zeros(3, 5), 0.2)


def test_parzen_bad_sigma():
    good = torch.zeros(3, 2)
    for sigma in (0, -0.1, math.nan):
        with pytest.raises(ValueError, match=r"^sigma: got"):
            metrics.parzen_log_likelihood(good, good, sigma)
    with pytest.raises(ValueError, match=r"^sigma: got \[\]"):
        metrics.select_sigma(good, good, [])


@pytest.mark.parametrize("seed", [0, 1])
def test_nearest_against_scikit_learn(seed):
    samples, images = rows(1300, 20, seed), rows(900, 20, seed + 10)
    theirs, index = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(images).kneighbors(samples)
    ours, ours_index = metrics.nearest(samples, images)
    assert ours_index.tolist() == index[:, 0].tolist()
    assert np.allclose(ours, theirs[:, 0], atol=1e-5)


def test_nearest_knows_what_is_learnt_by_heart():
    images = data.mnist("train").sample((700,))
    order = torch.randperm(700)
    distance, index = metrics.nearest(images[order], images)
    assert torch.equal(images[index], images[order]) and distance.eq(0).all()
    with pytest.raises(ValueError, match=r"^images: got shape \(9, 3\); it must be \(n, 784\)"):
        metrics.nearest(images, torch.zeros(9, 3))


@pytest.mark.parametrize(("n", "d"), [(200, 1), (500, 64), (30, 64)])  # the last with covariances of rank 29
def test_frechet_distance_against_scipy(n, d):
    mixing = torch.randn(d, d, dtype=torch.double, generator=torch.Generator().manual_seed(0))
    a, b = rows(n, d, dtype=torch.double), rows(n, d, seed=1, dtype=torch.double) @ mixing + 0.3
    C_a, C_b = (np.atleast_2d(np.cov(x.numpy(), rowvar=False)) for x in (a, b))
    offset = 1e-12 * np.eye(d)  # sqrtm wants full rank
    cross = linalg.sqrtm((C_a + offset) @ (C_b + offset)).real
    expected = (a.mean(0) - b.mean(0)).square().sum().item() + np.trace(C_a + C_b - 2 * cross)
    assert metrics.frechet_distance(a, b) == pytest.approx(expected, rel=1e-5)
    assert metrics.frechet_distance(b, a) == pytest.approx(expected, rel=1e-5)


def test_frechet_distance_by_hand():
    a, scale = torch.randn(400, 8, dtype=torch.double), torch.arange(8.0) + 1
    assert metrics.frechet_distance(a, a) == pytest.approx(0, abs=1e-9)
    assert metrics.frechet_distance(a, a + 3) == pytest.approx(8 * 9)
    axes, _ = torch.linalg.qr(a - a.mean(0))  # mean 0, diagonal covariance: each axis has W2 = difference of the sds
    expected = (axes.std(0) * (scale - 1)).square().sum().item()
    assert metrics.frechet_distance(axes, axes * scale) == pytest.approx(expected)


@pytest.mark.parametrize(("n", "m", "d", "k"), [(40, 40, 3, 5), (520, 60, 2, 1), (60, 530, 4, 3), (10, 7, 64, 9)])
def test_density_and_coverage_against_a_loop(n, m, d, k):
    real, fake = rows(n, d), 0.9 * rows(m, d, seed=1)
    between = cdist(real.double(), fake.double())
    reach = np.sort(cdist(real.double(), real.double()), axis=1)[:, k]  # column 0 is the distance to itself
    inside = [[between[i, j] < reach[i] for j in range(m)] for i in range(n)]
    density = sum(sum(row) for row in inside) / (k * m)
    coverage = sum(any(row) for row in inside) / n
    assert metrics.density_and_coverage(real, fake, k) == (pytest.approx(density), pytest.approx(coverage))
    assert density > 0


def test_a_ball_is_open():
    real = torch.tensor([[0.0], [1.0], [3.0], [4.0]])  # each ball ends at the next row, or 1 before the middle
    assert metrics.density_and_coverage(real, torch.tensor([[2.0]]), k=1) == (0, 0)
    assert metrics.density_and_coverage(real, torch.tensor([[1.99]]), k=1) == (1, 0.25)


def test_density_alone_passes_one_good_image():
    real = torch.randn(2000, 8, generator=torch.Generator().manual_seed(0))
    like, one = torch.randn(2000, 8, generator=torch.Generator().manual_seed(1)), 0.1 * real[:1].expand(2000, 8)
    density, coverage = metrics.density_and_coverage(real, like)
    assert density == pytest.approx(1, abs=0.1) and coverage == pytest.approx(1 - 2**-5, abs=0.01)
    density, coverage = metrics.density_and_coverage(real, one)
    assert density >= 1 and coverage < 0.05


@pytest.mark.parametrize("bad", [torch.zeros(4), torch.zeros(0, 3), torch.tensor([[0.0, 1.0, math.inf]])])
def test_features_bad_input(bad):
    good = torch.zeros(5, 3)
    with pytest.raises(ValueError, match=r"^features_b: got shape"):
        metrics.frechet_distance(good, bad)
    with pytest.raises(ValueError, match=r"^features_a: got shape"):
        metrics.frechet_distance(bad, good)
    with pytest.raises(ValueError, match=r"^fake: got shape"):
        metrics.density_and_coverage(good, bad)
    with pytest.raises(ValueError, match=r"^features: got 5 and 1 rows"):
        metrics.frechet_distance(good, good[:1])
    for k in (0, 5):
        with pytest.raises(ValueError, match=f"^k: got {k}; with 5 real rows 1 to 4"):
            metrics.density_and_coverage(good, good, k)


@pytest.mark.parametrize("labels", [[0] * 7, [3, 3, 9], list(range(10)), [0, 1, 1, 2, 2, 2, 2, 5, 9, 9]])
def test_digit_histogram_against_scipy(labels):
    shares, kl = metrics.digit_histogram(torch.tensor(labels))
    expected = np.histogram(labels, bins=10, range=(-0.5, 9.5))[0] / len(labels)
    assert shares.tolist() == pytest.approx(expected.tolist())
    assert kl == pytest.approx(stats.entropy(expected, np.full(10, 0.1)), abs=1e-12)


@pytest.mark.parametrize("labels", [[], [10], [0, -1]])
def test_digit_histogram_bad_input(labels):
    with pytest.raises(ValueError, match=r"^labels: got"):
        metrics.digit_histogram(torch.tensor(labels))


@pytest.fixture(scope="module")
def real():
    return data.mnist("train").images[:2000].flatten(1) / 127.5 - 1


def against(samples, sigma=0.2):
    return metrics.report(samples, sigma, real=data.mnist("test")[:2000])


def test_report_of_real_images(real):
    figures = against(real)
    assert list(figures) == ["n", "sigma", "parzen", "standard error", *"frechet density coverage kl sure".split()]
    pixels = (real + 1) / 2
    assert (figures["n"], figures["sigma"]) == (2000, 0.2)
    assert (figures["parzen"], figures["standard error"]) == metrics.parzen_log_likelihood(
        pixels, digits("test", 2000), 0.2
    )
    assert figures["frechet"] < 25 and figures["kl"] < 0.01 and figures["sure"] > 0.97
    assert figures["density"] == pytest.approx(0.93, abs=0.1) and figures["coverage"] == pytest.approx(0.93, abs=0.04)


def test_report_of_what_is_not_all_digits(real):
    low = data.mnist("train").labels[:2000] <= 4
    floor, few, one = against(real), against(real[low]), against(real[:1].repeat(2000, 1))
    noisy = against((real + 0.4 * torch.randn(real.shape)).clamp(-1, 1))
    assert few["coverage"] < 0.6 and few["kl"] == pytest.approx(math.log(2), abs=0.05) and few["frechet"] > 100
    assert one["coverage"] < 0.01 and one["kl"] == pytest.approx(math.log(10)) and one["frechet"] > few["frechet"]
    assert noisy["coverage"] < 0.8 * floor["coverage"] and noisy["frechet"] > 5 * floor["frechet"]


def test_report_chooses_sigma_on_the_last_training_images(real, monkeypatch):
    monkeypatch.setattr(metrics, "SIGMAS", (0.1, 0.2, 0.3, 0.4))
    chosen = metrics.select_sigma((real[:100] + 1) / 2, digits("train")[50_000:], metrics.SIGMAS)
    assert metrics.report(real[:100], real=data.mnist("test")[:10])["sigma"] == chosen == 0.3


def test_report_looks_at_all_images_with_the_classifier(real):
    blurry = real[:600].reshape(-1, 28, 28)
    blurry = ((blurry + blurry.roll(5, 2)) / 2).flatten(1)  # each digit beside itself: many puzzle the classifier
    p = torch.stack([pretrained.classifier()(x[None])[0].softmax(0) for x in blurry])
    figures = against(blurry)
    assert figures["sure"] == pytest.approx((p.amax(1) > 0.9).double().mean().item()) and figures["sure"] < 0.9
    assert figures["kl"] == metrics.digit_histogram(p.argmax(1))[1]


def test_report_draws_nothing_and_takes_what_g_makes(real):
    before = torch.get_rng_state()
    x = real[:50].clone().requires_grad_()
    assert all(isinstance(value, int | float) for value in metrics.report(x, 0.2, data.mnist("test")[:50]).values())
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("change", [lambda x: (x + 1) / 2, lambda x: (x + 1) * 127.5, lambda x: 1.01 * x, torch.log])
def test_report_bad_input(real, change):
    with pytest.raises(ValueError, match=r"samples: got x from .* report takes x in \[-1, 1\]"):
        metrics.report(change(real[:10]))
