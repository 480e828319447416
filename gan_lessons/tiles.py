"""Pictures side by side."""

import math

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
