"""Where real x comes from. A source is anything with `.sample((n,))`, the protocol of torch.distributions."""

import gzip
import hashlib
import json
import math
import struct
import zlib
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from itertools import product
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.distributions import Categorical, Distribution, Independent, MixtureSameFamily, Normal
from tqdm.auto import tqdm

from gan_lessons.arguments import count, number, numbers, one_of, shown
from gan_lessons.faces import ATTRIBUTES, draw
from gan_lessons.pictures import Images, Sample, folder, rows
from gan_lessons.shapes import Blurred, grid, moons, spiral, word

__all__ = [
    "ATTRIBUTES",
    "SHARES",
    "Blurred",
    "Images",
    "KindsAndNumbers",
    "Sample",
    "bumps",
    "faces",
    "folder",
    "gaussian",
    "grid",
    "mnist",
    "moons",
    "ring",
    "saved_record",
    "source",
    "spiral",
    "standard_normal",
    "word",
]

SHARES = (0.5, 0.3, 0.5, 0.5)  # of faces with each of ATTRIBUTES, unless told otherwise
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
    means, sds, weights = numbers("means", means), numbers("sds", sds, above=0), numbers("weights", weights, least=0)
    if not len(means) == len(sds) == len(weights):
        lengths = f"{len(means)}, {len(sds)} and {len(weights)}"
        raise ValueError(f"means, sds, weights: got lengths {lengths}; each bump needs one of each")
    if not sum(weights) > 0:
        raise ValueError(f"weights: got {weights}; they must not all be 0")
    places, widths, shares = (torch.tensor(v, dtype=torch.get_default_dtype()) for v in (means, sds, weights))
    return MixtureSameFamily(Categorical(shares), Normal(places, widths))


def ring(modes: int = 8, radius: float = 2.0, sd: float = 0.1) -> MixtureSameFamily:
    """Gaussians at equal distances on a circle in the plane, all of one weight; `.sample((n,))` has shape (n, 2).

    >>> ring().sample((5,)).shape
    torch.Size([5, 2])
    """
    modes = count("modes", modes, least=1, most=10_000)
    radius, sd = number("radius", radius, above=0), number("sd", sd, above=0)
    angle = torch.arange(modes) * (2 * math.pi / modes)
    centres = radius * torch.stack([angle.cos(), angle.sin()], dim=1)  # (modes, 2)
    return MixtureSameFamily(Categorical(torch.ones(modes)), Independent(Normal(centres, sd), 1))


def source(name: str, value: Any) -> Any:
    """What x or z can be drawn from: anything with `.sample((n,))`; an array or a tensor of numbers becomes a `Sample`.

    >>> source("data", np.array([1.0, 2.0])).sample((3,)).shape
    torch.Size([3])
    """
    if isinstance(value, Tensor | np.ndarray):
        return Sample(rows(name, value))
    if callable(getattr(value, "sample", None)) and not isinstance(value, type):
        return value
    raise ValueError(
        f"{name}: got {shown(value)}; it must be an array, a tensor, or have .sample((n,)), as torch.distributions do"
    )


def standard_normal(dims: int) -> Independent:
    """z of so many independent numbers from N(0, 1): `.sample((n,))` has shape (n, dims)."""
    return Independent(Normal(torch.zeros(count("dims", dims, least=1)), 1.0), 1)


class KindsAndNumbers(Distribution):
    """z that says of what kind x is to be, and how: `.sample((n,))` has shape (n, kinds + dims).

    One of the first `kinds` numbers is 3 and the others are 0; the last dims are from N(0, 1). A cloud of normal z is
    of one piece, and so is what a smooth G makes of it; digits come in pieces. (A code beside the noise, as in Chen et
    al. 2016, InfoGAN, but here nothing asks G to keep to it.)

    >>> KindsAndNumbers(30, 16).sample((5,)).shape
    torch.Size([5, 46])
    """

    arg_constraints: ClassVar[dict[str, Any]] = {}

    def __init__(self, kinds: int, dims: int):
        self.codes = 3 * torch.eye(count("kinds", kinds, least=1))
        self.numbers = standard_normal(dims)
        super().__init__(event_shape=torch.Size((kinds + dims,)), validate_args=False)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        kind = torch.randint(len(self.codes), tuple(sample_shape), device=self.codes.device)
        return torch.cat([self.codes[kind], self.numbers.rsample(tuple(sample_shape))], dim=-1)


@cache
def mnist(split: str = "train") -> Images:
    """MNIST, from files that ship in this package: split "train" (60,000 images) or "test" (10,000). Never downloads.

    LeCun, Cortes and Burges; licence CC BY-SA 3.0. Raises ValueError for another split, RuntimeError for damaged files.

    >>> test = mnist("test")
    >>> test.images.shape, test.labels[:3].tolist(), test.sample((16,)).shape
    (torch.Size([10000, 28, 28]), [7, 2, 1], torch.Size([16, 784]))
    """
    prefix = {"train": "train", "test": "t10k"}[one_of("split", split, ("train", "test"))]
    return Images(_read_idx(f"{prefix}-images-idx3-ubyte"), _read_idx(f"{prefix}-labels-idx1-ubyte").long())


def faces(n: int = 20_000, seed: int = 0, shares: Sequence[float] | Mapping[tuple[int, ...], float] = SHARES) -> Images:
    """Drawn faces of 32 x 32 in colour, whose truth is known: labels (n, 4) of 0 and 1, columns as in ATTRIBUTES.

    shares: how likely each attribute is, each independent of the others; or the weights of whole kinds, as in
    {(0, 0, 1, 1): 0.6, (1, 0, 1, 0): 0.4}, and there are no others then. All else varies smoothly (`faces.RANGES`). The
    same seed gives the same faces. Raises ValueError naming what does not fit.

    >>> people = faces(500, shares={(0, 1, 0, 1): 1})  # short dark hair, glasses, no smile
    >>> people.images.shape, people.labels.unique(dim=0).tolist()
    (torch.Size([500, 3, 32, 32]), [[0, 1, 0, 1]])
    """
    if isinstance(shares, Mapping):
        known = list(product((0, 1), repeat=len(ATTRIBUTES)))
        strange = [kind for kind in shares if kind not in known]
        if strange or not shares:
            got = shown(strange[0]) if strange else "no kind"
            raise ValueError(f"shares: got {got}; a kind is four of 0 and 1, for {', '.join(ATTRIBUTES)}")
        weights = numbers("shares", [shares.get(kind, 0) for kind in known], least=0)
        if not sum(weights) > 0:
            raise ValueError(f"shares: got {shown(shares)}; they must not all be 0")
    else:
        weights = numbers("shares", shares, length=len(ATTRIBUTES), least=0, most=1)
    return _faces(count("n", n, least=1, most=1_000_000), count("seed", seed), weights)


@lru_cache(maxsize=8)  # 61 MB for 20,000
def _faces(n: int, seed: int, weights: tuple[float, ...]) -> Images:
    rng, chances = torch.Generator().manual_seed(seed), torch.tensor(weights)
    if len(weights) == len(ATTRIBUTES):
        attributes = (torch.rand(n, len(weights), generator=rng) < chances).long()
    else:
        kinds = torch.tensor(list(product((0, 1), repeat=len(ATTRIBUTES))))
        attributes = kinds[torch.multinomial(chances, n, replacement=True, generator=rng)]
    parts = tqdm(attributes.split(500), desc=f"drawing {n:,} faces", leave=False, delay=1)
    images = [(255 * draw(part, rng)).round().to(torch.uint8) for part in parts]
    return Images(torch.cat(images), attributes)


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
    records = _HERE / "records"
    known = sorted(path.stem for path in records.glob("*.json"))
    return json.loads((records / f"{one_of('name', name, known)}.json").read_text())
