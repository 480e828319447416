"""A conditional GAN is a GAN on pairs (x, y): a picture, and a label that says what it shows     (Mirza and Osindero
2014). The game does not change, and so `Trainer` does not either; here is what makes pairs, and what takes them apart.

A pair is one row: the numbers of x, and behind them those of y. What G gets is a row too: z, and behind it y.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.distributions import Distribution
from torch.nn.functional import one_hot

from gan_lessons.arguments import count, numbers, shown, truth
from gan_lessons.data import standard_normal
from gan_lessons.guards import evaluating
from gan_lessons.pictures import Images

# who sees the label: G, D
TOLD = {"both": (True, True), "generator": (True, False), "discriminator": (False, True), "neither": (False, False)}


class Asked(Distribution):
    """What G is given: z of so many numbers from N(0, 1), and behind it the label y of what it shall draw.

    labels: (kinds, length), each row a y. shares: how often each is asked for. `.sample((n,))` is (n, dims + length).
    Raises ValueError for labels that are no such rows, and for shares that do not fit.

    >>> Asked(torch.eye(10), [1] * 10, dims=16).sample((5,)).shape
    torch.Size([5, 26])
    """

    arg_constraints: ClassVar[dict[str, Any]] = {}

    def __init__(self, labels: Tensor, shares: Sequence[float] | Tensor, dims: int):
        if not isinstance(labels, Tensor) or labels.dim() != 2 or not labels.numel():
            raise ValueError(f"labels: got {shown(labels)}; it must be a tensor with one row for each kind")
        self.labels = labels.to(torch.get_default_dtype())
        self.shares = torch.tensor(numbers("shares", shares, length=len(labels), least=0))
        if not self.shares.sum() > 0:
            raise ValueError(f"shares: got {shown(shares)}; they must not all be 0")
        self.numbers = standard_normal(dims)
        super().__init__(event_shape=torch.Size((count("dims", dims, least=1) + labels.shape[1],)), validate_args=False)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        n = torch.Size(sample_shape).numel()
        y = self.labels[self.shares.multinomial(n, replacement=True)]
        return torch.cat([self.numbers.sample(tuple(sample_shape)), y.view(*sample_shape, -1)], dim=-1)


@dataclass(frozen=True)
class Pairs:
    """Pictures with their labels, as a source of pairs: `.sample((n,))` has a row (x, y) for each, drawn as `Images`
    draws.

    pictures: `data.Images` with labels. Labels that are numbers, (n,), become rows with a 1 in the place of the number
    and 0 elsewhere (one-hot); labels that are rows, (n, length), stay. kinds: how many numbers there are; unless told,
    up to the largest. To leave a kind out, select: `Pairs(people[~both])`. Raises ValueError for what has no labels, or
    other ones.

    >>> from gan_lessons import data
    >>> digits = Pairs(data.mnist("test"))
    >>> digits.sample((5,)).shape, digits.y.shape  # 784 pixels and 10 numbers
    (torch.Size([5, 794]), torch.Size([10000, 10]))
    """

    pictures: Images
    kinds: int | None = None
    y: Tensor = field(init=False, repr=False)

    def __post_init__(self) -> None:
        labels = getattr(self.pictures, "labels", None)
        if not isinstance(labels, Tensor) or labels.dim() > 2:
            what = shown(self.pictures) if labels is None else f"labels {shown(labels)}"
            raise ValueError(f"pictures: got {what}; they must be data.Images with labels, (n,) or (n, length)")
        if labels.dim() == 1:
            least = int(labels.max()) + 1
            if labels.is_floating_point() or labels.min() < 0:
                raise ValueError("pictures: got labels that are no numbers 0, 1, 2, ...; one-hot rows need them")
            labels = one_hot(labels, least if self.kinds is None else count("kinds", self.kinds, least=least))
        elif self.kinds is not None:
            raise ValueError(f"kinds: got {self.kinds}; these labels are rows of {labels.shape[1]}, leave it out")
        object.__setattr__(self, "y", labels.to(torch.get_default_dtype()))

    def __len__(self) -> int:
        return len(self.pictures)

    def to(self, device: torch.device | str) -> "Pairs":
        twin = copy.copy(self)
        object.__setattr__(twin, "pictures", self.pictures.to(device))
        object.__setattr__(twin, "y", self.y.to(device))
        return twin

    def sample(self, shape: tuple[int, ...]) -> Tensor:
        index = torch.randint(len(self), tuple(shape), device=self.y.device)
        x = self.pictures.images[index] / 127.5 - 1
        return torch.cat([x.flatten(len(shape)), self.y[index]], dim=-1)

    def asked(self, dims: int) -> Asked:
        """What G is given: labels as often as these data have them, so that what is asked for gives no fake away."""
        labels, counts = self.y.cpu().unique(dim=0, return_counts=True)
        return Asked(labels, counts / len(self), dims)


def apart(pair: Tensor, length: int) -> tuple[Tensor, Tensor]:
    """The two parts of a row: what stands before the label, (n, ...), and the label, (n, length)."""
    return pair[..., :-length], pair[..., -length:]


class ConditionalGenerator(nn.Module):
    """A G of pairs. net draws x from (z, y); y goes on beside it: (n, dims + length) -> (n, pixels + length).

        (z, y) -> (x, y),   x = net(z, y)     (Mirza and Osindero 2014, section 3.2)

    length: of y. told=False: net finds zeros in the place of y, and the pair still has what was asked for.
    """

    def __init__(self, net: nn.Module, length: int, told: bool = True):
        super().__init__()
        self.net, self.length, self.told = net, count("length", length, least=1), truth("told", told)

    def picture(self, asked: Tensor) -> Tensor:
        """What net draws, in the shape that net gives it."""
        z, y = apart(asked, self.length)
        return self.net(asked if self.told else torch.cat([z, torch.zeros_like(y)], dim=1))

    def forward(self, asked: Tensor) -> Tensor:
        _, y = apart(asked, self.length)
        return torch.cat([self.picture(asked).reshape(len(asked), -1), y], dim=1)


class ConditionalDiscriminator(nn.Module):
    """A D of pairs: (n, pixels + length) -> one raw output each, (n,). It judges whether x and y go together.

    shape: None, and net gets the row as it is, y beside the pixels; or of a picture, as (3, 32, 32): then each number
    of y becomes a plane of that side, the same number everywhere, and net gets the planes behind the colours. told:
    as in `ConditionalGenerator`.
    """

    def __init__(self, net: nn.Module, length: int, shape: Sequence[int] | None = None, told: bool = True):
        super().__init__()
        self.net, self.length, self.told = net, count("length", length, least=1), truth("told", told)
        self.shape = None if shape is None else tuple(count("shape", side, least=1) for side in shape)

    def forward(self, pair: Tensor) -> Tensor:
        x, y = apart(pair, self.length)
        # R1 asks how steep D is in x, where data lie close together: between two labels there are none, and D should
        # be free to change its mind. Detached, y is a mere number to the gradient.
        y = y.detach() if self.told else torch.zeros_like(y)
        if self.shape is None:
            return self.net(torch.cat([x, y], dim=1))
        colours = x.reshape(len(x), *self.shape)
        planes = y[:, :, None, None].expand(-1, -1, *self.shape[-2:])
        return self.net(torch.cat([colours, planes], dim=1))


@torch.no_grad()
def draw(G: nn.Module, z: Tensor, y: Tensor) -> Tensor:
    """The pictures that G draws from z, (n, dims) or (dims,), when asked for y, (n, length) or (length,).

    One z goes with many y, and one y with many z. G: a `ConditionalGenerator`, or a net of (z, y) such as
    `pretrained.load("faces_conditional")`. Raises ValueError where the numbers of z and y differ and none is 1.
    """
    z, y = torch.atleast_2d(z), torch.atleast_2d(y).to(z)
    n = max(len(z), len(y))
    if not {len(z), len(y)} <= {1, n}:
        raise ValueError(f"y: got {len(y)} labels for {len(z)} z; there must be as many, or one of one of them")
    asked = torch.cat([z.expand(n, -1), y.expand(n, -1)], dim=1)
    with evaluating(G):
        return (G.picture if isinstance(G, ConditionalGenerator) else G)(asked)


def hits(said: Tensor, asked: Tensor) -> Tensor:
    """Whether pictures show what was asked for: (n,) of True and False for digits, (n, 4) for the attributes of faces.

    said: the logits of `pretrained.classifier()`, (n, 10), or of `pretrained.reader()`, (n, 4). asked: the labels y.
    """
    if asked.shape[-1] == 10:
        return said.argmax(dim=-1) == asked.argmax(dim=-1)
    return (said > 0) == (asked > 0.5)
