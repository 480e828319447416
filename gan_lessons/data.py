"""Where real x comes from. A source is anything with `.sample((n,))`, the protocol of torch.distributions."""

import gzip
import hashlib
import json
import math
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from torch import Tensor
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

_HERE = Path(__file__).parent
_MNIST_MD5 = {  # of the uncompressed files, as their authors published them
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}


def gaussian() -> Normal:
    """N(500, 5^2): mean 500, standard deviation 5, so variance 25: the data of lesson 02. `.sample((n,))` is (n,).

    >>> data = gaussian()
    >>> data.mean.item(), data.variance.item()
    (500.0, 25.0)
    """
    return Normal(500.0, 5.0)


def bumps(
    means: Sequence[float] = (485.0, 500.0, 515.0),
    sds: Sequence[float] = (2.0, 2.0, 2.0),
    weights: Sequence[float] = (0.2, 0.6, 0.2),
) -> MixtureSameFamily:
    """A mixture of Gaussian bumps on the line, three unless told otherwise; `.sample((n,))` has shape (n,).

        p(x) = sum_i w_i N(x; mean_i, sd_i^2) / sum_i w_i

    >>> round(bumps().mean.item(), 3), bumps(means=(0, 1), sds=(1, 1), weights=(1, 3)).mean.item()
    (500.0, 0.75)

    Raises ValueError if the three do not have one length, an sd is not positive, or the weights are negative or all 0.
    """
    if not len(means) == len(sds) == len(weights):
        lengths = f"{len(means)}, {len(sds)} and {len(weights)}"
        raise ValueError(f"means, sds, weights: got lengths {lengths}; each bump needs one of each")
    if not all(sd > 0 for sd in sds):
        raise ValueError(f"sds: got {tuple(sds)}; a standard deviation must be > 0")
    if not all(w >= 0 for w in weights) or not sum(weights) > 0:
        raise ValueError(f"weights: got {tuple(weights)}; they must be >= 0 and not all 0")
    places, widths, shares = (torch.tensor(v, dtype=torch.get_default_dtype()) for v in (means, sds, weights))
    return MixtureSameFamily(Categorical(shares), Normal(places, widths))


def ring(modes: int = 8, radius: float = 2.0, sd: float = 0.1) -> MixtureSameFamily:
    """Gaussians at equal distances on a circle in the plane, all of one weight; `.sample((n,))` has shape (n, 2).

    >>> ring().sample((5,)).shape
    torch.Size([5, 2])
    """
    if modes < 1 or not radius > 0 or not sd > 0:
        raise ValueError(f"modes, radius, sd: got {modes}, {radius}, {sd}; modes must be >= 1, radius and sd > 0")
    angle = torch.arange(modes) * (2 * math.pi / modes)
    centres = radius * torch.stack([angle.cos(), angle.sin()], dim=1)  # (modes, 2)
    return MixtureSameFamily(Categorical(torch.ones(modes)), Independent(Normal(centres, sd), 1))


@dataclass(frozen=True)
class Sample:
    """All the data one owns, as a source: minibatches are drawn from it, i.i.d. with replacement. x: shape (n, ...).

    >>> coins = Sample(gaussian().sample((100,)))
    >>> coins.sample((128,)).shape, coins.x.shape
    (torch.Size([128]), torch.Size([100]))
    """

    x: Tensor

    def sample(self, shape: tuple[int, ...]) -> Tensor:
        return self.x[torch.randint(len(self.x), tuple(shape))]


@dataclass(frozen=True)
class Images:
    """A set of grey images to draw minibatches from.

    images: uint8, shape (n, 28, 28), 0 = background; labels: int64, shape (n,).
    Slices, masks and index tensors select: `train[:50_000]`, `train[train.labels == 3]`.
    """

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: slice | Tensor) -> "Images":
        chosen = Images(self.images[index], self.labels[index])
        if chosen.images.dim() != 3 or len(chosen) == 0:
            raise IndexError(f"index: got {index!r}; use a slice, a mask or a row of indices that selects images")
        return chosen

    def to(self, device: torch.device | str) -> "Images":
        return Images(self.images.to(device), self.labels.to(device))

    def sample(self, shape: tuple[int, ...]) -> Tensor:
        """Images drawn i.i.d. with replacement, as Algorithm 1 says; float32 in [-1, 1], (n,) -> (n, 784).

        Draws from torch's global generator, as torch.distributions do.
        """
        index = torch.randint(len(self), tuple(shape), device=self.images.device)
        return self.images[index].flatten(-2) / 127.5 - 1


@cache
def mnist(split: str = "train") -> Images:
    """MNIST, from files that ship in this package: split "train" (60,000 images) or "test" (10,000). Never downloads.

    LeCun, Cortes and Burges; licence CC BY-SA 3.0. Raises ValueError for another split, RuntimeError for damaged files.

    >>> test = mnist("test")
    >>> test.images.shape, test.labels[:3].tolist(), test.sample((16,)).shape
    (torch.Size([10000, 28, 28]), [7, 2, 1], torch.Size([16, 784]))
    """
    prefixes = {"train": "train", "test": "t10k"}
    if split not in prefixes:
        raise ValueError(f"split: got {split!r}; allowed are 'train' and 'test'")
    prefix = prefixes[split]
    return Images(_read_idx(f"{prefix}-images-idx3-ubyte"), _read_idx(f"{prefix}-labels-idx1-ubyte").long())


def _read_idx(name: str) -> Tensor:
    path = _HERE / "mnist" / f"{name}.gz"
    try:
        raw = gzip.decompress(path.read_bytes())
        damage = "" if hashlib.md5(raw, usedforsecurity=False).hexdigest() == _MNIST_MD5[name] else "its MD5 is wrong"
    except (OSError, EOFError, zlib.error) as error:
        damage = str(error)
    if damage:
        raise RuntimeError(
            f"{path} is missing or damaged ({damage}). Bring it back with `git checkout -- gan_lessons/mnist` "
            "in a clone, or else with `pip install --force-reinstall --no-deps gan_lessons`."
        )
    dims = raw[3]  # IDX: two zero bytes, the type, the number of dimensions, then each size as a big-endian uint32
    shape = struct.unpack_from(f">{dims}I", raw, 4)
    return torch.frombuffer(bytearray(raw), dtype=torch.uint8, offset=4 + 4 * dims).reshape(shape)


def saved_record(name: str) -> dict:
    """What a longer run measured, as shipped in gan_lessons/records/NAME.json; each says which script made it."""
    folder = _HERE / "records"
    known = sorted(path.stem for path in folder.glob("*.json"))
    if name not in known:
        raise ValueError(f"name: got {name!r}; allowed are {known}")
    return json.loads((folder / f"{name}.json").read_text())
