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
    """Images in [-1, 1], as `tile` takes them, side by side as a PNG in base64: for a record.

    levels: how many brightnesses a colour keeps, or grey.

    >>> unpacked(packed(torch.linspace(-1, 1, 16).reshape(1, 16), 1), side=4).shape
    torch.Size([1, 16])
    """
    bright = (tile(images, columns).clamp(-1, 1) + 1) / 2 * (levels - 1)
    file = io.BytesIO()
    pixels = (bright.round() * (255 / (levels - 1))).round().byte().numpy()
    PIL.Image.fromarray(pixels).save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


def unpacked(kept: str, side: int = 28) -> Tensor:
    """What `packed` kept of square images, up to rounding: (n, side side) or (n, 3, side, side), in [-1, 1]."""
    pixels = torch.from_numpy(np.array(PIL.Image.open(io.BytesIO(base64.b64decode(kept))), dtype=np.float32))
    height, width, *colours = pixels.shape
    rows = pixels.reshape(height // side, side, width // side, side, *colours).transpose(1, 2) / 127.5 - 1
    return rows.flatten(0, 1).movedim(-1, 1) if colours else rows.reshape(-1, side * side)
