"""The players: plain nn.Modules. Models of one number take (n,) and return (n,); D returns one raw output per x."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from gan_lessons.arguments import count, number, numbers
from gan_lessons.convolutional import DCGANDiscriminator as DCGANDiscriminator
from gan_lessons.convolutional import DCGANGenerator as DCGANGenerator
from gan_lessons.convolutional import DigitClassifier as DigitClassifier
from gan_lessons.convolutional import FaceReader as FaceReader
from gan_lessons.convolutional import leaky_relu as leaky_relu
from gan_lessons.convolutional import widths_of


class Standardise(nn.Module):
    """(x - mean) / sd with fixed mean and sd, so that a net sees numbers near 0 and of size 1."""

    def __init__(self, mean: float, sd: float):
        super().__init__()
        self.register_buffer("mean", torch.as_tensor(mean, dtype=torch.get_default_dtype()))
        self.register_buffer("sd", torch.as_tensor(sd, dtype=torch.get_default_dtype()))
        if not self.mean.isfinite().all():
            raise ValueError(f"mean: got {mean}; it must be finite")
        if not (self.sd > 0).all() or not self.sd.isfinite().all():
            raise ValueError(f"sd: got {sd}; a standard deviation must be > 0, and finite")

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.mean) / self.sd


class Unstandardise(Standardise):
    """mean + sd y: the inverse of `Standardise`, for the end of a generator."""

    def forward(self, y: Tensor) -> Tensor:
        return self.mean + self.sd * y


class Waves(nn.Module):
    """Each number beside sines and cosines of it: a small net learns fine shapes from them much sooner.

        x -> (x, sin(pi f x), cos(pi f x)) for each frequency f     (Fourier features: Tancik et al. 2020, section 2)

    x: (n, d) -> (n, d + 2 d len(frequencies)).

    >>> Waves(0.5)(torch.tensor([[0.0, 1.0]])).abs().round().tolist()
    [[0.0, 1.0, 0.0, 1.0, 1.0, 0.0]]
    """

    def __init__(self, *frequencies: float):
        super().__init__()
        self.register_buffer("turns", math.pi * torch.tensor(numbers("frequencies", frequencies, least=0)))

    def forward(self, x: Tensor) -> Tensor:
        angles = x[..., None] * self.turns  # (n, d, frequencies)
        return torch.cat([x, angles.sin().flatten(1), angles.cos().flatten(1)], dim=1)


class Pack(nn.Module):
    """For the inputs of D, so that it sees `size` samples at once: each x beside those that follow it in the minibatch.

        row i = (x_i, x_{i+1}, ..., x_{i+size-1}), counted round: (n,) or (n, d) -> (n, size d)     (Lin et al. 2018)

    A minibatch of D is all data or all fakes, so a pack is too. In the paper packs share no sample; here they overlap,
    so that there is still one output per x. Raises ValueError unless size is a whole number >= 1.

    >>> Pack(2)(torch.tensor([1.0, 2.0, 3.0])).tolist()
    [[1.0, 2.0], [2.0, 3.0], [3.0, 1.0]]
    """

    def __init__(self, size: int):
        super().__init__()
        self.size = count("size", size, least=1)

    def forward(self, x: Tensor) -> Tensor:
        x = x.reshape(len(x), -1)
        return torch.cat([x.roll(-i, 0) for i in range(self.size)], dim=1) if self.size > 1 else x


class Maxout(nn.Module):
    """The largest of `pieces` affine functions, for each unit: (n, n_in) -> (n, n_out)     (Goodfellow et al. 2013).

    >>> relu = Maxout(1, 1, pieces=2)
    >>> _ = relu.linear.weight.data.copy_(torch.tensor([[1.0], [0.0]])), relu.linear.bias.data.zero_()
    >>> relu(torch.tensor([[-3.0], [2.0]])).tolist()
    [[0.0], [2.0]]
    """

    def __init__(self, n_in: int, n_out: int, pieces: int):
        super().__init__()
        n_in, n_out, pieces = widths_of((n_in, n_out, pieces))
        self.linear = nn.Linear(n_in, n_out * pieces)
        self.shape = (n_out, pieces)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x).unflatten(-1, self.shape).max(-1).values


class AffineGenerator(nn.Module):
    """G(z) = mu + sigma z: a generator whose two weights can be read. z: (n,) -> x: (n,).

    >>> G = AffineGenerator(500.0, 5.0)
    >>> G(torch.tensor([-1.0, 0.0, 1.0])).tolist()
    [495.0, 500.0, 505.0]
    """

    def __init__(self, mu: float, sigma: float):
        super().__init__()
        self.mu = nn.Parameter(torch.tensor(number("mu", mu)))
        self.sigma = nn.Parameter(torch.tensor(number("sigma", sigma)))

    def forward(self, z: Tensor) -> Tensor:
        return self.mu + self.sigma * z


class MLPGenerator(nn.Module):
    """A multilayer perceptron from z to x. z: (n, widths[0]) or (n,) -> x: (n, widths[-1]), or (n,) if that is 1.

    output is what the last layer goes through: `Unstandardise(m, s)` for numbers near m, `nn.Tanh()` for pixels.
    """

    def __init__(
        self,
        *widths: int,
        output: nn.Module,
        activation: Callable[[], nn.Module] = nn.Tanh,
        batch_norm: bool = False,
    ):
        super().__init__()
        self.net = _mlp(widths, activation, batch_norm=batch_norm)
        self.output = output

    def forward(self, z: Tensor) -> Tensor:
        return self.output(self.net(z.reshape(len(z), -1))).squeeze(-1)


class MLPDiscriminator(nn.Module):
    """A multilayer perceptron from x to one raw output (a logit, for cross-entropy). x: (n, widths[0]) or (n,) -> (n,).

    widths end in 1: `MLPDiscriminator(1, 16, 16, 1)`.
    inputs is what x goes through first: `Standardise(m, s)`, or nothing.
    """

    def __init__(
        self,
        *widths: int,
        inputs: nn.Module | None = None,
        activation: Callable[[], nn.Module] = nn.Tanh,
        dropout: float = 0.0,
    ):
        super().__init__()
        self.inputs = inputs or nn.Identity()
        self.net = _mlp(widths, activation, dropout=dropout)

    def forward(self, x: Tensor) -> Tensor:
        return self.net(self.inputs(x).reshape(len(x), -1)).squeeze(-1)


class MaxoutDiscriminator(nn.Module):
    """Maxout layers and an affine last one, with dropout before each. x: (n, widths[0]) -> one raw output (n,).

    widths end in 1; dropout has one rate per layer, the last one included     (Goodfellow et al. 2014, section 5).
    """

    def __init__(self, *widths: int, pieces: int, dropout: Sequence[float], inputs: nn.Module | None = None):
        super().__init__()
        widths = widths_of(widths)
        dropout = numbers("dropout", dropout, least=0, most=1)
        if len(dropout) != len(widths) - 1:
            raise ValueError(f"dropout: got {len(dropout)} rates; {len(widths) - 1} layers need one each")
        layers: list[nn.Module] = []
        for rate, (n_in, n_out) in zip(dropout, pairwise(widths), strict=True):
            layers += [nn.Dropout(rate), Maxout(n_in, n_out, pieces)]
        layers[-1] = nn.Linear(widths[-2], widths[-1])
        self.inputs = inputs or nn.Identity()
        self.net = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.net(self.inputs(x)).squeeze(-1)


def _mlp(
    widths: Sequence[int], activation: Callable[[], nn.Module], batch_norm: bool = False, dropout: float = 0.0
) -> nn.Sequential:
    widths, dropout = widths_of(widths), number("dropout", dropout, least=0, most=1)
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(widths[:-1]):
        layers += [nn.Linear(n_in, n_out)]
        layers += [nn.BatchNorm1d(n_out)] if batch_norm else []
        layers += [activation()]
        layers += [nn.Dropout(dropout)] if dropout else []
    return nn.Sequential(*layers, nn.Linear(widths[-2], widths[-1]))
