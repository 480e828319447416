"""Behind lesson 08, a GAN draws digits."""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

from gan_lessons.lessons.checking import UNANSWERED, check


@check
def check_weights(count: int) -> str | None:
    """how many numbers G of 100-256-512-1024-784 learns."""
    if count is None or count is ...:
        return UNANSWERED
    widths = (100, 256, 512, 1024, 784)
    right = sum((n_in + 1) * n_out for n_in, n_out in pairwise(widths))
    typical = {
        "the biases are missing: each output has one.": right - sum(widths[1:]),
        "that is the net as printed, with two hidden layers, 256 and 512; the code has a third.": 101 * 256
        + 257 * 512
        + 513 * 784,
        "that is the number of units, not of weights between them.": sum(widths),
    }
    if count == right:
        return None
    return next((text for text, wrong in typical.items() if count == wrong), f"got {count}, which is not it.")


@check
def check_to_pixels(to_pixels: Callable[[Tensor], Tensor]) -> str | None:
    """to_pixels(x), from [-1, 1] to whole numbers 0 to 255, dtype uint8, same shape."""
    x = torch.tensor([[-1.0, -0.5, 0.0], [0.25, 0.999, 1.0]])
    right, answer = torch.tensor([[0, 64, 128], [159, 255, 255]], dtype=torch.uint8), to_pixels(x)
    if answer is None or answer is ...:
        return UNANSWERED
    if not torch.is_tensor(answer) or answer.dtype != torch.uint8:
        return f"pixels are uint8; got {answer.dtype if torch.is_tensor(answer) else type(answer).__name__}."
    if torch.equal(answer, right):
        return None
    if torch.equal(answer, ((x + 1) * 127.5).to(torch.uint8)):
        return "nearly: .to(torch.uint8) cuts off what is behind the point, so 254.9 becomes 254. Round first."
    if torch.equal(answer, (x.clamp(min=0) * 255).round().to(torch.uint8)):
        return "this takes [0, 1] for the range of x; it is [-1, 1], and all below 0 became black."
    return f"expected {right.tolist()}, got {answer.tolist()}."
