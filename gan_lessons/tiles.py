"""Pictures side by side."""

import base64
import io
import math

import numpy as np
import PIL.Image
import torch
from torch import Tensor


def tile(images: Tensor, columns: int = 8, shape: tuple[int, int] | None = None) -> Tensor:
    """Images side by side as one, on the CPU: (n / columns height, columns width), and a last axis of 3 for colours.

    images: (n, height width) or (n, 1, height, width), or (n, 3, height, width) in colour. shape: height and width of
    the first kind, which are square unless told. Raises ValueError for others, and if the last row would not be full.
    """
    n, *size = images.shape
    if len(size) == 1 and size[0] > 0:
        side = math.isqrt(size[0])
        size = [1, *(shape or (side, side))]
    if len(size) != 3 or size[0] not in (1, 3) or math.prod(size) * n != images.numel() or n % columns:
        raise ValueError(
            f"images: got shape {tuple(images.shape)}, shape={shape}; allowed are (n, 1, h, w), (n, 3, h, w) and (n, "
            f"h w), square or with shape=(h, w), and n a multiple of {columns} columns"
        )
    channels, height, width = size
    rows = images.detach().cpu().reshape(-1, columns, channels, height, width).permute(0, 3, 1, 4, 2)
    return rows.reshape(-1, columns * width, channels).squeeze(-1)


def packed(images: Tensor, columns: int = 8, levels: int = 16) -> str:
    """Grey images in [-1, 1], (n, height width), side by side as a PNG of so many greys, in base64: for a record.

    >>> unpacked(packed(torch.linspace(-1, 1, 16).reshape(1, 16), 1), side=4).shape
    torch.Size([1, 16])
    """
    grey = (tile(images, columns).clamp(-1, 1) + 1) / 2 * (levels - 1)
    file = io.BytesIO()
    PIL.Image.fromarray((grey.round() * (255 / (levels - 1))).round().byte().numpy()).save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


def unpacked(kept: str, side: int = 28) -> Tensor:
    """The images that `packed` kept, square ones of this side: (n, side side) in [-1, 1], up to rounding."""
    pixels = torch.from_numpy(np.array(PIL.Image.open(io.BytesIO(base64.b64decode(kept))), dtype=np.float32))
    height, width = pixels.shape
    rows = pixels.reshape(height // side, side, width // side, side).permute(0, 2, 1, 3)
    return rows.reshape(-1, side * side) / 127.5 - 1
