import numpy as np
import pytest
import torch
from metrics_table import blurred, centroids, doctored, loop, speed
from sklearn.cluster import KMeans

from gan_lessons import data, metrics, pretrained


def digits(n):
    return data.mnist("train").images[:n].flatten(1) / 255


def test_centroids_against_scikit_learn():
    pixels = digits(800)
    theirs = KMeans(20, init=pixels[:20].double().numpy(), n_init=1, max_iter=3, tol=0, algorithm="lloyd")
    theirs.fit(pixels.double().numpy())
    assert np.allclose(centroids(pixels, pixels[:20], steps=3), theirs.cluster_centers_, atol=1e-4)
    alone = torch.full((1, 784), 9.0)  # no image is nearest to it: it stays
    assert torch.equal(centroids(pixels, torch.cat([pixels[:20], alone]), steps=1)[20:], alone)


def test_the_baseline_computes_the_same():
    samples, test = digits(300), data.mnist("test").images[:40].flatten(1) / 255
    assert loop(samples, test, 0.2) == pytest.approx(metrics.parzen_log_likelihood(samples, test, 0.2)[0], abs=1e-3)


@pytest.mark.alone
def test_parzen_is_much_faster_than_a_loop():
    text = speed(digits(2000), digits(1000), points=20)
    assert int(text.split(" times as fast")[0].split()[-1]) > 10, text


def test_rows():
    names = [name for name, _ in doctored()]
    assert len(set(names)) == len(names) == 7
    make = dict(doctored())
    real, few = make["real training images"](), make["real, digits 0 to 4 only"]()
    assert real.shape == few.shape == (10_000, 784) and len(real.unique(dim=0)) == 10_000
    read = pretrained.classifier()(2 * few[:500] - 1).argmax(dim=1)
    assert (read <= 4).double().mean() > 0.97
    for samples in (real, few, make["one image + noise 0.1"](), make["mean image + noise 0.1"](), blurred(real, 0.8)):
        assert samples.min() >= 0 and samples.max() <= 1
    assert blurred(real, 0.8).mean() == pytest.approx(real.mean().item(), rel=0.01)
