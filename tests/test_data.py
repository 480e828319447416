import gzip
import math
import shutil
import subprocess
import sys

import pytest
import torch

from gan_lessons import data
from gan_lessons.devices import seeded

TRAIN = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
TEST = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@pytest.mark.parametrize(("split", "counts"), [("train", TRAIN), ("test", TEST)])
def test_mnist_has_the_published_classes(split, counts):
    images = data.mnist(split)
    assert len(images) == sum(counts)
    assert images.images.shape == (sum(counts), 28, 28) and images.images.dtype == torch.uint8
    assert images.labels.shape == (sum(counts),) and images.labels.dtype == torch.int64
    assert images.labels.bincount().tolist() == counts


def test_mnist_has_the_well_known_mean_and_sd():
    pixels = data.mnist("train").images.double() / 255
    assert pixels.mean().item() == pytest.approx(0.1307, abs=5e-5)
    assert pixels.std().item() == pytest.approx(0.3081, abs=5e-5)


def test_mnist_pictures_are_upright():
    ones, zeros = (data.mnist("test")[data.mnist("test").labels == digit].images.double() for digit in (1, 0))
    assert ones.mean(0)[14, 14] > 100 > zeros.mean(0)[14, 14]  # the centre: ink in a one, a hole in a zero
    rows, columns = ones.mean(0).sum(1), ones.mean(0).sum(0)
    assert (rows > 100).sum() > 1.5 * (columns > 700).sum()  # a one is taller than wide


def test_mnist_unknown_split():
    with pytest.raises(ValueError, match="split: got 'valid'"):
        data.mnist("valid")


def test_sample_is_direct_indexing():
    images = data.mnist("test")
    torch.manual_seed(3)
    x = images.sample((500,))
    torch.manual_seed(3)
    index = torch.randint(10_000, (500,))
    assert x.shape == (500, 784) and x.dtype == torch.float32
    assert x.min() == -1 and x.max() == 1
    assert torch.allclose(x, (images.images[index].double().reshape(500, 784) / 255 * 2 - 1).float(), atol=1e-6)
    assert index.unique().numel() < 500  # with replacement
    assert not torch.equal(x, images.sample((500,)))


def test_slices_and_masks_keep_labels_beside_images():
    images = data.mnist("test")
    threes = images[images.labels == 3]
    assert len(threes) == TEST[3] and threes.labels.eq(3).all()
    assert torch.equal(threes[:2].images, images.images[(images.labels == 3).nonzero().flatten()[:2]])
    assert images[torch.tensor([7, 0])].labels.tolist() == images.labels[[7, 0]].tolist()
    assert torch.equal(images[:1].sample((9,)), images[:1].sample((1,)).expand(9, 784))


@pytest.mark.alone
def test_mnist_loads_fast_and_without_a_network():
    code = """
import socket, time
class Offline(socket.socket):
    def __init__(self, *args, **kwargs):
        raise OSError("something opened a socket")
socket.socket = Offline
from gan_lessons import data
seconds = []
for _ in range(3):
    start = time.perf_counter()
    images = data.mnist.__wrapped__("train")
    seconds.append(time.perf_counter() - start)
print(len(images), min(seconds))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    n, seconds = done.stdout.split()
    assert int(n) == 60_000 and float(seconds) < 1


def flip(raw: bytes, at: int) -> bytes:
    return raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]


def other_content(raw: bytes) -> bytes:
    """Valid gzip, one pixel or label changed: only the MD5 can tell."""
    content = gzip.decompress(raw)
    return gzip.compress(flip(content, len(content) - 1), 1)


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw[:-1000],
        lambda raw: b"",
        lambda raw: flip(raw, 0),
        lambda raw: flip(raw, len(raw) // 2),
        lambda raw: flip(raw, len(raw) - 6),  # gzip's own checksum
        other_content,
        None,
    ],
    ids=["truncated", "empty", "magic", "middle", "checksum", "other content", "missing"],
)
@pytest.mark.parametrize("name", ["t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"])
def test_damaged_file_is_named(tmp_path, monkeypatch, name, damage):
    shutil.copytree(data._HERE / "mnist", tmp_path / "mnist")
    monkeypatch.setattr(data, "_HERE", tmp_path)
    path = tmp_path / "mnist" / name
    if damage:
        path.write_bytes(damage(path.read_bytes()))
    else:
        path.unlink()
    with pytest.raises(RuntimeError) as error:
        data.mnist.__wrapped__("test")
    assert str(path) in str(error.value)
    assert "git checkout" in str(error.value) and "pip install" in str(error.value)


def test_gaussian():
    p = data.gaussian()
    assert (p.mean.item(), p.stddev.item()) == (500, 5)  # 25 is the variance
    torch.manual_seed(0)
    x = p.sample((100_000,))
    assert x.shape == (100_000,) and abs(x.mean() - 500) < 0.1 and abs(x.std() - 5) < 0.1


def test_bumps_moments_and_area():
    means, sds, weights = (485.0, 490.0, 520.0), (1.0, 2.0, 3.0), (1.0, 2.0, 5.0)
    p = data.bumps(means, sds, weights)
    mean = sum(w * m for w, m in zip(weights, means, strict=True)) / 8
    second = sum(w * (s**2 + m**2) for w, m, s in zip(weights, means, sds, strict=True)) / 8
    torch.manual_seed(0)
    x = p.sample((200_000,)).double()
    assert x.shape == (200_000,)
    assert x.mean().item() == pytest.approx(mean, abs=0.2)
    assert x.var().item() == pytest.approx(second - mean**2, rel=0.02)
    grid = torch.linspace(450, 560, 20_001)
    density = p.log_prob(grid).double().exp()
    assert torch.trapezoid(density, grid.double()).item() == pytest.approx(1, abs=1e-4)
    assert torch.trapezoid(density * grid, grid.double()).item() == pytest.approx(mean, rel=1e-4)


def test_ring_moments_and_area():
    p = data.ring(modes=5, radius=3.0, sd=0.2)
    torch.manual_seed(0)
    x = p.sample((200_000,)).double()
    assert x.shape == (200_000, 2)
    assert x.mean(0).abs().max() < 0.03
    assert torch.allclose(x.T.cov(), torch.eye(2, dtype=torch.double) * (9 / 2 + 0.04), atol=0.05)
    modes = ((torch.atan2(x[:, 1], x[:, 0]) / (2 * math.pi) * 5).round() % 5).long().bincount()
    assert len(modes) == 5 and (modes - 40_000).abs().max() < 1000
    side = torch.linspace(-4, 4, 401)
    density = p.log_prob(torch.cartesian_prod(side, side)).exp().double()
    assert density.sum().item() * 0.02**2 == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"means": (1.0, 2.0)}, "means, sds, weights: got lengths 2, 3 and 3"),
        ({"weights": (1.0,)}, "means, sds, weights: got lengths 3, 3 and 1"),
        ({"sds": (1.0, 0.0, 1.0)}, "sds"),
        ({"sds": (1.0, -1.0, 1.0)}, "sds"),
        ({"sds": (1.0, math.nan, 1.0)}, "sds"),
        ({"weights": (1.0, -1.0, 1.0)}, "weights: got"),
        ({"weights": (0.0, 0.0, 0.0)}, "weights: got"),
        ({"weights": (1.0, math.nan, 1.0)}, "weights: got"),
    ],
)
def test_bumps_bad_input(arguments, name):
    with pytest.raises(ValueError, match=name):
        data.bumps(**arguments)


@pytest.mark.parametrize("arguments", [{"modes": 0}, {"radius": 0.0}, {"sd": 0.0}, {"sd": math.nan}, {"radius": -1.0}])
def test_ring_bad_input(arguments):
    with pytest.raises(ValueError, match=rf"{next(iter(arguments))}.*{next(iter(arguments.values()))}"):
        data.ring(**arguments)


def test_saved_record_unknown_name():
    with pytest.raises(ValueError, match=r"name: got 'none'.*gaussian_20_seeds"):
        data.saved_record("none")


@pytest.mark.parametrize("index", [0, slice(0, 0), torch.zeros(10_000, dtype=torch.bool)])
def test_index_that_selects_no_images(index):
    with pytest.raises(IndexError, match="index: got"):
        data.mnist("test")[index]


def test_kinds_and_numbers():
    """Shares of kinds and moments of numbers, of many draws; the same draws wherever they are made."""
    latent = data.KindsAndNumbers(5, 3)
    with seeded(0):
        z = latent.sample((20_000,))
    assert z.shape == (20_000, 8)
    codes, numbers = z.split([5, 3], dim=1)
    assert codes.unique().tolist() == [0, 3] and (codes.sum(dim=1) == 3).all()
    assert (codes.mean(dim=0) / 3 - 0.2).abs().max() < 0.012  # 4 standard errors
    assert numbers.mean(dim=0).abs().max() < 0.03 and (numbers.std(dim=0) - 1).abs().max() < 0.02
    assert (torch.corrcoef(z.T)[:5, 5:]).abs().max() < 0.03
    assert latent.sample().shape == (8,) and latent.sample((2, 3)).shape == (2, 3, 8)


@pytest.mark.parametrize(("kinds", "dims", "message"), [(0, 3, "kinds: got 0"), (2, 1.5, "dims: got 1.5")])
def test_kinds_and_numbers_bad_input(kinds, dims, message):
    with pytest.raises(ValueError, match=message):
        data.KindsAndNumbers(kinds, dims)
