import json
import math
import time
from collections import Counter
from itertools import product

import numpy as np
import pytest
import torch
from scipy import linalg, ndimage, stats
from torch.distributions import Normal, Uniform

from gan_lessons import data, metrics, pretrained
from gan_lessons.faces import draw
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


@pytest.mark.slow
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


# -- faces -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 7, 900])
def test_kinds_by_counting(n):
    attributes = torch.randint(2, (n, 4), generator=torch.Generator().manual_seed(n))
    shares, counts = metrics.kinds(attributes), Counter(map(tuple, attributes.tolist()))
    assert shares.shape == (2, 2, 2, 2)
    for kind in product((0, 1), repeat=4):
        assert shares[kind].item() == pytest.approx(counts[kind] / n)
    for i in range(4):  # what is left when all other axes are summed
        assert shares.movedim(i, 0)[1].sum().item() == pytest.approx(attributes[:, i].double().mean().item())
    assert torch.equal(metrics.kinds(attributes.bool()), shares) and torch.equal(
        metrics.kinds(attributes.float()), shares
    )


@pytest.mark.parametrize(
    "bad", [torch.zeros(0, 4), torch.zeros(5, 3), torch.zeros(4), torch.tensor([[0, 1, 2, 0]]), torch.full((2, 4), 0.5)]
)
def test_kinds_bad_input(bad):
    with pytest.raises(ValueError, match=r"^attributes: got shape .* they must be \(n, 4\) of 0 and 1, n >= 1"):
        metrics.kinds(bad)


@pytest.mark.parametrize("shape", [(1, 3, 3, 3), (7, 3, 12, 9), (1201, 3, 8, 8)])
def test_grain_against_scipy(shape):
    x = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    inner = [ndimage.laplace(each.double().numpy())[1:-1, 1:-1] for each in x.flatten(0, 1)]
    assert metrics.grain(x) == pytest.approx(np.square(inner).mean(), rel=1e-5)
    assert metrics.grain(2 * x) == pytest.approx(4 * metrics.grain(x), rel=1e-5)
    ramp = 0.1 * torch.arange(shape[2])[:, None] - 0.3 * torch.arange(shape[3])
    assert metrics.grain(x + ramp) == pytest.approx(metrics.grain(x), rel=1e-4)  # an even slope adds nothing


@pytest.mark.parametrize(
    "bad", [torch.rand(3, 8, 8), torch.rand(0, 3, 8, 8), torch.rand(1, 3, 2, 8), torch.zeros(1, 3, 8, 8).byte()]
)
def test_grain_bad_input(bad):
    with pytest.raises(ValueError, match=r"^images: got torch\..* they must be floats, \(n, 3, height, width\)"):
        metrics.grain(bad)


def faces(n=1000, seed=6, **shares):
    return data.faces(n, seed, **shares)


def as_made(images):
    return images / 127.5 - 1


HALF = {kind: 0.3 if kind[1] else 0.7 for kind in product((0, 1), repeat=4) if sum(kind) % 2}  # of the kinds


def test_report_of_real_faces():
    samples, real = faces(1200), faces(900, seed=7)
    figures = metrics.report_faces(as_made(samples.images), real)
    assert list(figures) == ["n", *data.ATTRIBUTES, "kinds", "grain", "frechet", "density", "coverage", "good"]
    for i, name in enumerate(data.ATTRIBUTES):
        assert figures[name] == pytest.approx(samples.labels[:, i].double().mean().item(), abs=0.0011)
    assert (figures["n"], figures["kinds"], figures["good"]) == (1200, 16, True)
    ratio = metrics.grain(as_made(samples.images)) / metrics.grain(as_made(real.images))
    assert figures["grain"] == ratio == pytest.approx(1, abs=0.06)
    features, real_features = (pretrained.reader().features(as_made(each.images)) for each in (samples, real))
    assert figures["frechet"] == pytest.approx(metrics.frechet_distance(features, real_features), rel=1e-3)
    assert (figures["density"], figures["coverage"]) == pytest.approx(
        metrics.density_and_coverage(real_features, features), abs=1e-3
    )
    assert metrics.report_faces(as_made(samples.images), data.Images(real.images)) == figures  # no labels are needed


def test_report_takes_faces_and_digits():
    x = as_made(faces(300).images)
    new = metrics.report(x)
    assert new == metrics.report_faces(x) == metrics.report_faces(x, data.faces(300, seed=metrics.NEW_FACES))
    assert metrics.report(x, real=faces(200)) == metrics.report_faces(x, faces(200))
    with pytest.raises(ValueError, match=r"^sigma: got 0\.2; it is for digits"):
        metrics.report(x, 0.2)
    with pytest.raises(ValueError, match=r"^real: got shape \(10000, 28, 28\); faces are \(n, 3, 32, 32\)"):
        metrics.report(x, real=data.mnist("test"))
    for bad in (x[:, :1], x[:, :, :16]):
        with pytest.raises(ValueError, match=r"^samples: got shape \(300, .*; faces are \(n, 3, 32, 32\)"):
            metrics.report(bad)
    for bad in ((x + 1) / 2, 1.01 * x, torch.log(x)):
        with pytest.raises(ValueError, match=r"^samples: got x from .* report takes x in \[-1, 1\]"):
            metrics.report(bad)


def with_glasses(more):
    """1,000 faces of which so many more than they had are drawn with glasses, all else as it was."""
    labels, rng = faces().labels.clone(), torch.Generator().manual_seed(6)
    labels[(labels[:, 1] == 0).nonzero().flatten()[:more], 1] = 1
    torch.rand(1000, 4, generator=rng)
    return 2 * draw(labels, rng) - 1


@pytest.mark.parametrize(("more", "good"), [(0, True), (47, True), (53, False), (200, False)])
def test_a_share_may_be_five_points_off(more, good):
    real = faces()
    figures, before = metrics.report_faces(with_glasses(more), real), real.labels[:, 1].double().mean().item()
    assert figures["glasses"] == pytest.approx(before + more / 1000, abs=0.0011) and figures["good"] is good


def test_every_kind_of_the_data_must_be_found():
    """With half of the kinds all shares are as they should be."""
    half, real = as_made(faces(shares=HALF).images), faces(seed=7)
    figures = metrics.report_faces(half, real)
    assert all(abs(figures[name] - share) < 0.05 for name, share in zip(data.ATTRIBUTES, data.SHARES, strict=True))
    assert (figures["kinds"], figures["good"]) == (8, False)
    assert metrics.report_faces(half, faces(seed=7, shares=HALF))["good"] is True  # the data have no more
    for rare, kinds in ((10, 2), (9, 1)):
        labels = torch.tensor([[0, 1, 0, 1]] * (1000 - rare) + [[1, 0, 1, 0]] * rare)
        assert metrics.report_faces(2 * draw(labels, torch.Generator().manual_seed(1)) - 1, real)["kinds"] == kinds


@pytest.mark.parametrize(("change", "ratio"), [("blur", 0.85), ("noise", 1.15)])
def test_grain_may_be_15_percent_off(change, ratio):
    real = faces()
    x = as_made(real.images)
    blurred = torch.from_numpy(ndimage.gaussian_filter(x.numpy(), (0, 0, 1, 1)))
    noisy = x + 0.2 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    other = {"blur": blurred, "noise": noisy}[change]
    seen = set()
    for part in (0.02, 0.05, 0.1, 0.3):
        figures = metrics.report_faces((x + part * (other - x)).clamp(-1, 1), real)
        assert figures["good"] is (abs(figures["grain"] - 1) <= 0.15)
        assert (figures["grain"] < 1) == (change == "blur")
        seen.add(figures["good"])
    assert seen == {True, False}


def test_report_of_what_are_not_all_faces():
    x, real = as_made(faces().images), faces(seed=7)
    floor, none, one = (
        metrics.report_faces(each, real) for each in (x, with_glasses(700), x[:1].repeat(1000, 1, 1, 1))
    )
    assert floor["frechet"] < 25 and floor["density"] == pytest.approx(1, abs=0.1) and floor["coverage"] > 0.93
    assert none["glasses"] > 0.95 and none["frechet"] > 20 * floor["frechet"]
    assert one["kinds"] == 1 and one["coverage"] < 0.02 and one["frechet"] > none["frechet"] and not one["good"]


def test_report_of_faces_draws_nothing_and_takes_what_g_makes():
    before = torch.get_rng_state()
    x = as_made(faces(100).images).requires_grad_()
    assert all(isinstance(value, int | float) for value in metrics.report(x).values())
    assert json.dumps(metrics.report(x))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.slow
def test_4000_faces_take_a_few_seconds_of_one_core():
    x = as_made(faces(4000).images)
    data.faces(4000, seed=metrics.NEW_FACES)
    start = time.process_time()
    metrics.report(x)
    assert time.process_time() - start < 6  # about 2 where nothing else runs
