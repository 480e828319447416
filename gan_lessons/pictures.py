"""One's own data: numbers in an array, pictures in an array, pictures in a folder."""

import copy
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import PIL.ImageOps
import torch
from torch import Tensor

from gan_lessons.arguments import count, shown


@dataclass(frozen=True)
class Sample:
    """All the data one owns, as a source: minibatches are drawn from it, i.i.d. with replacement. x: shape (n, ...).

    An array is taken as well as a tensor; whole numbers become floating-point ones. Raises ValueError for what has no
    rows or is not finite, and for pictures in bytes, whose place is `Images`.

    >>> coins = Sample(np.array([499.0, 501.5]))
    >>> coins.sample((128,)).shape, coins.x.shape
    (torch.Size([128]), torch.Size([2]))
    """

    x: Tensor

    def __post_init__(self) -> None:
        object.__setattr__(self, "x", rows("x", self.x))

    def __len__(self) -> int:
        return len(self.x)

    def to(self, device: torch.device | str) -> "Sample":
        twin = copy.copy(self)
        object.__setattr__(twin, "x", self.x.to(device))
        return twin

    def sample(self, shape: tuple[int, ...]) -> Tensor:
        return self.x[torch.randint(len(self.x), tuple(shape), device=self.x.device)]


@dataclass(frozen=True)
class Images:
    """A set of pictures to draw minibatches from, all of one size.

    images: uint8, 0 = black, grey of shape (n, height, width) or in colour (n, 3, height, width); (n, 1, height, width)
    and (n, height, width, 1 or 3) are taken as well, and arrays as well as tensors. labels: (n, ...), or None.
    Slices, masks and index tensors select: `train[:50_000]`, `train[train.labels == 3]`.

    Raises ValueError naming what does not fit.
    """

    images: Tensor
    labels: Tensor | None = None

    def __post_init__(self) -> None:
        images = _tensor("images", self.images)
        if images.dtype != torch.uint8:
            raise ValueError(
                f"images: got {images.dtype}; they must be uint8, from 0 to 255; for x in [0, 1] that is "
                "(255 * x).round().to(torch.uint8)"
            )
        if images.dim() == 4 and images.shape[1] not in (1, 3):
            images = images.movedim(-1, 1)
        if images.dim() == 4 and images.shape[1] == 1:
            images = images.squeeze(1)
        right = images.dim() == 3 or (images.dim() == 4 and images.shape[1] == 3)
        if not right or images.numel() == 0:
            raise ValueError(
                f"images: got {shown(self.images)}; allowed are (n, height, width) and (n, 3, height, width), n >= 1"
            )
        object.__setattr__(self, "images", images)
        if self.labels is not None:
            labels = _tensor("labels", self.labels)
            if labels.dim() == 0 or len(labels) != len(images):
                raise ValueError(f"labels: got {shown(self.labels)} for {len(images)} images; each needs one, or None")
            object.__setattr__(self, "labels", labels.to(images.device))

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: slice | Tensor) -> "Images":
        chosen = self.images[index]
        if chosen.dim() != self.images.dim() or len(chosen) == 0:
            raise IndexError(f"index: got {index!r}; use a slice, a mask or a row of indices that selects images")
        return Images(chosen, None if self.labels is None else self.labels[index])

    def to(self, device: torch.device | str) -> "Images":
        return Images(self.images.to(device), self.labels)

    def sample(self, shape: tuple[int, ...]) -> Tensor:
        """Images drawn i.i.d. with replacement, as Algorithm 1 says; float32 in [-1, 1].

        (n,) -> (n, height width) grey, (n, 3, height, width) in colour. Draws from torch's global generator, as
        torch.distributions do.
        """
        index = torch.randint(len(self), tuple(shape), device=self.images.device)
        x = self.images[index] / 127.5 - 1
        return x.flatten(-2) if self.images.dim() == 3 else x


def folder(path: str | Path, size: int = 32) -> Images:
    """The pictures of a folder and of the folders in it, in the order of their names, in colour, without labels.

    Each is turned upright as its camera says, cut to a square around its middle and made size x size; what is
    transparent becomes white. Files that Pillow cannot read are skipped, and named in a warning; hidden ones are not
    looked at. Raises ValueError for a path that is no folder, and for a folder without any picture.
    """
    size = count("size", size, least=1, most=4096)
    if not isinstance(path, str | Path) or not Path(path).is_dir():
        raise ValueError(f"path: got {shown(path)}; it must be a folder of pictures")
    files = sorted(file for file in Path(path).rglob("*") if file.is_file())
    pictures, skipped = [], []
    for file in (file for file in files if not any(part.startswith(".") for part in file.relative_to(path).parts)):
        try:
            with PIL.Image.open(file) as picture:
                upright = PIL.ImageOps.exif_transpose(picture).convert("RGBA")
        except (
            OSError,
            ValueError,
            SyntaxError,
            PIL.Image.DecompressionBombError,
        ):  # what Pillow raises
            skipped.append(str(file.relative_to(path)))
            continue
        paper = PIL.Image.new("RGBA", upright.size, "white")
        square = PIL.ImageOps.fit(PIL.Image.alpha_composite(paper, upright).convert("RGB"), (size, size))
        pictures.append(torch.from_numpy(np.array(square)))
    if skipped:
        rest = f" and {len(skipped) - 5} more" if len(skipped) > 5 else ""
        warnings.warn(f"skipped what is no readable picture: {', '.join(skipped[:5])}{rest}", stacklevel=2)
    if not pictures:
        raise ValueError(f"path: got {shown(str(path))}; there is no readable picture in it")
    return Images(torch.stack(pictures).movedim(-1, 1).contiguous())


def rows(name: str, value: Any) -> Tensor:
    """An array or a tensor of n >= 1 rows of finite numbers, as a tensor of floating-point ones."""
    x = _tensor(name, value)
    if x.dtype == torch.uint8 and x.dim() > 2:
        raise ValueError(f"{name}: got bytes of shape {tuple(x.shape)}; for pictures take data.Images")
    if x.dim() == 0 or x.numel() == 0 or x.is_complex() or not x.isfinite().all():
        raise ValueError(f"{name}: got {shown(value)}; it must be (n, ...) finite numbers, n >= 1")
    return x.detach().to(torch.get_default_dtype())


def _tensor(name: str, value: Any) -> Tensor:
    if isinstance(value, np.ndarray):
        try:
            return torch.from_numpy(np.array(value))  # a copy, since the learner's own may change
        except (TypeError, ValueError) as error:  # of words or objects; of another machine's byte order
            raise ValueError(f"{name}: got an array of {value.dtype}; it must be of numbers of this machine") from error
    if isinstance(value, Tensor):
        return value
    raise ValueError(f"{name}: got {shown(value)}; it must be an array or a tensor")


def likeness(images: Tensor) -> Tensor:
    """How well a pixel foretells its right neighbour: their correlation r in each image, (n, height, width) -> (n,).

    0: not at all, as in noise; 1: exactly, as in a smooth ramp. nan for an image of one colour.

    >>> round(likeness(torch.arange(12.0).reshape(1, 3, 4)).item(), 3)
    1.0
    """
    a, b = images[:, :, :-1].flatten(1).float(), images[:, :, 1:].flatten(1).float()
    a, b = a - a.mean(dim=1, keepdim=True), b - b.mean(dim=1, keepdim=True)
    return (a * b).sum(dim=1) / (a.norm(dim=1) * b.norm(dim=1))


def slant(images: Tensor) -> Tensor:
    """How far what is white in an image leans: pixels to the right for each pixel up, (n, height, width) -> (n,).

    >>> round(slant(torch.eye(3).flip(0)[None]).item(), 3)  # a line that rises to the right at 45 degrees
    1.0
    """
    weight = images / images.sum(dim=(1, 2), keepdim=True)
    up, right = -torch.arange(float(images.shape[1]))[:, None], torch.arange(float(images.shape[2]))
    up = up - (weight * up).sum(dim=(1, 2), keepdim=True)
    right = right - (weight * right).sum(dim=(1, 2), keepdim=True)
    return (weight * up * right).sum(dim=(1, 2)) / (weight * up**2).sum(dim=(1, 2))
