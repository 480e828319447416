"""Behind lesson 08, a GAN draws digits."""

from itertools import pairwise
from typing import Any

import numpy as np
import torch

from gan_lessons.lessons.checking import call, check, close, named, number, tensor


@check
def check_weights(count: Any) -> str | None:
    """how many numbers G of 100-256-512-1024-784 learns."""
    if isinstance(count, tuple) and len(count) > 1:
        return "a comma makes several numbers of it: write 1000, not 1,000."
    count, widths = number(count), (100, 256, 512, 1024, 784)
    right = sum((n_in + 1) * n_out for n_in, n_out in pairwise(widths))
    printed = 101 * 256 + 257 * 512 + 513 * 784
    typical = {
        "the biases are missing: each output has one.": right - sum(widths[1:]),
        "a bias belongs to each output of a layer, not to each input.": right - 784 + 100,
        "that is the net as printed, with two hidden layers, 256 and 512; the code has a third.": printed,
        "that is the number of units, not of weights between them.": sum(widths),
    }
    if count == right:
        return None
    return next((text for text, wrong in typical.items() if count == wrong), f"got {count:.10g}, which is not it.")


@check
def check_to_pixels(to_pixels: Any) -> str | None:
    """to_pixels(x), from [-1, 1] to whole numbers 0 to 255, dtype uint8, same shape."""
    x = torch.tensor([[-1.0, -0.5, 0.0], [0.25, 0.999, 1.0]])
    answer, exact = call(to_pixels, x), (x.double() + 1) * 127.5
    found = tensor(answer)
    if getattr(answer, "dtype", None) not in (torch.uint8, np.uint8):
        return f"pixels are uint8; got {getattr(answer, 'dtype', named(answer))}."
    if found.shape != x.shape:
        return f"the shape of x is {tuple(x.shape)}, and yours is {tuple(found.shape)}."
    if ((found - exact).abs() < 0.501).all():  # 127.5 may become 127 or 128
        return None
    if close(found, exact.floor()):
        return "nearly: .to(torch.uint8) cuts off what is behind the point, so 254.9 becomes 254. Round first."
    if close(found, (x.clamp(min=0) * 255).round()):
        return "this takes [0, 1] for the range of x; it is [-1, 1], and all below 0 became black."
    return f"expected {exact.round().int().tolist()}, got {found.int().tolist()}."
