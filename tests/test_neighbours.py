"""What rests on distances, by the names that `metrics` has for it."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.spatial.distance import cdist
from sklearn.neighbors import KernelDensity, NearestNeighbors

from gan_lessons import data, metrics, neighbours


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


@pytest.mark.slow
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


def test_reach_is_counted_pair_by_pair():
    rng = torch.Generator().manual_seed(0)
    samples, real = torch.rand(40, 2, generator=rng), torch.rand(30, 2, generator=rng)
    near = [[math.dist(a, b) <= 0.1 for b in real.tolist()] for a in samples.tolist()]
    on, reached = neighbours.reach(samples, real, 0.1)
    assert on == sum(map(any, near)) / 40 and reached == sum(map(any, zip(*near, strict=True))) / 30
    assert neighbours.reach(samples, samples, 1e-9) == (1, 1)
    one_place = samples[:1].expand(40, 2)
    assert neighbours.reach(one_place, samples, 1e-6) == (1, 1 / 40)  # good and not complete
    with pytest.raises(ValueError, match="radius: got 0"):
        neighbours.reach(samples, real, 0)
    with pytest.raises(ValueError, match="real: got shape"):
        neighbours.reach(samples, torch.zeros(3, 3), 0.1)
