"""Pictures changed by chance on their way to D, so that it cannot learn a few of them by heart (Karras et al. 2020)."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gan_lessons.arguments import count, number, one_of, shown
from gan_lessons.training import Trainer

# each takes pictures, (n, colours, height, width), and on which of them it is used, (n,) of True and False


def flip(x: Tensor, on: Tensor) -> Tensor:
    """Left and right exchanged, for half of the chosen pictures."""
    mirrored = on & (torch.rand(len(x), device=x.device) < 0.5)
    return torch.where(mirrored[:, None, None, None], x.flip(-1), x)


def shift(x: Tensor, on: Tensor) -> Tensor:
    """Moved by whole pixels, up to an eighth of the side down or up and right or left; the edge's pixels fill up."""
    n, _, *sides = x.shape
    for axis, side in enumerate(sides, start=2):
        most = side // 8
        by = torch.randint(-most, most + 1, (n, 1), device=x.device) * on[:, None]
        source = (torch.arange(side, device=x.device) - by).clamp(0, side - 1)  # (n, side): where each pixel is from
        x = x.take_along_dim(source[:, None, :, None] if axis == 2 else source[:, None, None, :], axis)
    return x


def colour(x: Tensor, on: Tensor) -> Tensor:
    """Brighter or darker by up to 1/2, of pixels in [-1, 1], and 0 to 2 times as colourful."""
    chance = (2 * torch.rand(2, len(x), 1, 1, 1, device=x.device) - 1) * on[:, None, None, None]
    grey = x.mean(dim=1, keepdim=True)
    return x + (x - grey) * chance[0] + chance[1] / 2


def cut(x: Tensor, on: Tensor) -> Tensor:
    """A square made grey, half as wide as the picture, its middle anywhere: what lies outside is cut off."""
    n, _, *sides = x.shape
    far = []
    for side in sides:
        middle = side * torch.rand(n, 1, device=x.device)
        far.append((torch.arange(side, device=x.device) + 0.5 - middle).abs() / side)  # (n, side), in sides
    hidden = torch.maximum(far[0][:, :, None], far[1][:, None, :]) < 0.25
    return x.masked_fill((hidden & on[:, None, None])[:, None], 0.0)


def rotate(x: Tensor, on: Tensor) -> Tensor:
    """Upright, or by a quarter, a half or three quarters of a circle, each as often: square pictures only."""
    quarters = (torch.randint(4, (len(x),), device=x.device) * on)[:, None, None, None]
    out = x
    for k in (1, 2, 3):
        out = torch.where(quarters == k, x.rot90(k, (2, 3)), out)
    return out


WAYS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {way.__name__: way for way in (flip, shift, colour, cut, rotate)}
USUAL = ("flip", "shift", "colour", "cut")


class Augment(nn.Module):
    """Changes each picture by chance before D sees it, in training; in eval mode it does nothing.

    D = nn.Sequential(Augment(...), net). D then sees real pictures and fakes through it, in both players' turns, and
    what G learns is the slope of D *through* it: each of the ways can be differentiated with respect to the pixels.
    So can R1, which is the slope at the pixels before they are changed. (Karras et al. 2020, figure 2b.)

    p: the chance of each way, for each picture by itself. ways: of `WAYS`. With a target p is no setting but moves by
    itself, whenever `follow` is told what D said of real pictures:

        r_t = mean of sign(D(x)), D: the raw output, over the last minibatches          (eq. 1)
        p <- p + 1 / pace where r_t > target, else p - 1 / pace, within 0 and 1

    A D that calls all of its training pictures real has r_t = 1, one that tosses a coin 0. p and r are buffers: they
    are saved with D. Raises ValueError for what does not fit.

    >>> augment = Augment(target=0.6, pace=10)
    >>> for _ in range(20):  # D is sure of every picture
    ...     augment.follow(torch.ones(64))
    >>> augment(torch.zeros(5, 3, 32, 32)).shape, round(augment.p.item(), 2), augment.r.item() > 0.99
    (torch.Size([5, 3, 32, 32]), 1.0, True)
    """

    def __init__(self, p: float = 0.0, ways: Sequence[str] = USUAL, *, target: float | None = None, pace: int = 500):
        super().__init__()
        if isinstance(ways, str):
            raise ValueError(f"ways: got {shown(ways)}; it must be a row of words from {', '.join(map(repr, WAYS))}")
        self.ways = tuple(one_of("ways", way, WAYS) for way in ways)
        self.target = target if target is None else number("target", target, least=-1, most=1)
        self.pace = count("pace", pace, least=1)
        self.register_buffer("p", torch.tensor(number("p", p, least=0, most=1)))
        self.register_buffer("r", torch.tensor(0.0))

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        if x.dim() != 4:
            raise ValueError(f"x: got shape {tuple(x.shape)}; pictures are (n, colours, height, width)")
        for way in self.ways:
            x = WAYS[way](x, torch.rand(len(x), device=x.device) < self.p)
        return x

    @torch.no_grad()
    def follow(self, out_real: Tensor) -> None:
        """Take note of D's raw outputs on a minibatch of real pictures, and move p, if there is a target."""
        self.r += (out_real.sign().mean() - self.r) / 4  # the last minibatches count most
        if self.target is not None:
            self.p.add_(torch.where(self.r > self.target, 1.0, -1.0) / self.pace).clamp_(0, 1)


class AugmentedTrainer(Trainer):
    """A `Trainer` whose discriminator is nn.Sequential(Augment(...), net), and tells its `Augment` what D said of data.

    `.augment` is that module. Raises ValueError for another discriminator, and order="simultaneous".
    """

    def __init__(self, generator: nn.Module, discriminator: nn.Module, data: Any, **settings: Any):
        if not isinstance(discriminator, nn.Sequential) or not hasattr(discriminator[0], "follow"):
            raise ValueError(
                f"discriminator: got {type(discriminator).__name__}; it must be nn.Sequential(Augment(...), net)"
            )
        if settings.get("order", "alternating") != "alternating":
            raise ValueError("order: an augmented D takes order='alternating'")
        super().__init__(generator, discriminator, data, **settings)

    @property
    def augment(self) -> Augment:
        return self.discriminator[0]

    def _judge(self, x_real: Tensor, x_fake: Tensor) -> tuple[Tensor, Tensor, Tensor | float]:
        out_real, out_fake, penalty = super()._judge(x_real, x_fake)
        self.augment.follow(out_real.detach())
        return out_real, out_fake, penalty
