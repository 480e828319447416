"""Nets for pictures: both players after the rules of DCGAN, and the nets that read what a picture shows."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn

from gan_lessons.arguments import count

leaky_relu = partial(nn.LeakyReLU, 0.2)


class DCGANGenerator(nn.Module):
    """From z to a picture by transposed convolutions, each of which doubles the side     (Radford et al. 2016).

    widths: numbers in z, then the feature maps of each layer, at last 3 colours, or 1 for grey. z: (n, widths[0]) ->
    (n, 3, side, side), grey (n, side side), in [-1, 1]. A linear layer makes the first maps; batch norm and ReLU come
    before each convolution, tanh at the end. Raises ValueError unless side can be halved so often.

    >>> G = DCGANGenerator(32, 128, 64, 32, 3)  # maps of 4 x 4, 8 x 8 and 16 x 16, then the picture
    >>> G(torch.zeros(5, 32)).shape
    torch.Size([5, 3, 32, 32])
    """

    def __init__(
        self,
        *widths: int,
        side: int = 32,
        batch_norm: bool = True,
        activation: Callable[[], nn.Module] = nn.ReLU,
    ):
        super().__init__()
        latent, first, *_ = widths = widths_of(widths, least=3)
        begin = _halved(side, len(widths) - 2)
        layers = [nn.Linear(latent, first * begin**2), nn.Unflatten(1, (first, begin, begin))]
        for n_in, n_out in pairwise(widths[1:]):
            layers += [nn.BatchNorm2d(n_in)] if batch_norm else []
            layers += [activation(), nn.ConvTranspose2d(n_in, n_out, kernel_size=4, stride=2, padding=1)]
        self.net = nn.Sequential(*layers, nn.Tanh()).to(memory_format=torch.channels_last)  # a tenth faster on a CPU
        self.grey = widths[-1] == 1

    def forward(self, z: Tensor) -> Tensor:
        x = self.net(z)
        return x.flatten(1) if self.grey else x


class DCGANDiscriminator(nn.Module):
    """From a picture to one raw output by convolutions, each of which halves the side     (Radford et al. 2016).

    widths: 3 colours, or 1 for grey, then the feature maps of each layer. x: (n, 3, side, side) or (n, side side), in
    [-1, 1] -> (n,). LeakyReLU(0.2) after each convolution. The paper has batch norm before it, in all layers but the
    first: batch_norm. Then D's output on one x depends on the others of the minibatch, and R1 means less.

    >>> D = DCGANDiscriminator(3, 32, 64, 128)  # maps of 16 x 16, 8 x 8 and 4 x 4
    >>> D(torch.zeros(5, 3, 32, 32)).shape, D.features(torch.zeros(5, 3, 32, 32)).shape
    (torch.Size([5]), torch.Size([5, 128, 4, 4]))
    """

    def __init__(self, *widths: int, side: int = 32, batch_norm: bool = False):
        super().__init__()
        widths = widths_of(widths)
        end = _halved(side, len(widths) - 1)
        layers = []
        for i, (n_in, n_out) in enumerate(pairwise(widths)):
            layers += [nn.Conv2d(n_in, n_out, kernel_size=4, stride=2, padding=1)]
            layers += [nn.BatchNorm2d(n_out)] if batch_norm and i else []
            layers += [leaky_relu()]
        self.shape = (widths[0], side, side)
        self.body = nn.Sequential(*layers).to(memory_format=torch.channels_last)
        self.head = nn.Linear(widths[-1] * end**2, 1)

    def features(self, x: Tensor) -> Tensor:
        """What the last layer sees: (n, widths[-1], end, end)."""
        x = x.reshape(len(x), *self.shape)
        return self.body(x.contiguous(memory_format=torch.channels_last))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x).flatten(1)).squeeze(-1)


class DigitClassifier(nn.Module):
    """A convolutional net that reads digits, for `metrics`. x: (n, 784) or (n, 28, 28) in [-1, 1] -> logits: (n, 10).

    `.features(x)`, (n, 64), are what its last layer sees, after the ReLU: the space in which `metrics.report` measures.
    """

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            *(nn.Conv2d(1, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),  # (n, 16, 14, 14)
            *(nn.Conv2d(16, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),  # (n, 32, 7, 7)
            *(nn.Flatten(), nn.Linear(32 * 7 * 7, 64), nn.ReLU()),
        )
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(64, 10))

    def features(self, x: Tensor) -> Tensor:
        return self.body(x.reshape(-1, 1, 28, 28))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))


class FaceReader(nn.Module):
    """A convolutional net that reads the attributes of faces. x: (n, 3, 32, 32) in [-1, 1] -> logits: (n, 4).

    Columns as in `data.ATTRIBUTES`; > 0 means yes. `.features(x)`, (n, 64): as in `DigitClassifier`.
    """

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            *(nn.Conv2d(3, 16, 5, stride=2, padding=2), nn.ReLU()),  # (n, 16, 16, 16)
            *(nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU()),  # (n, 32, 8, 8)
            *(nn.Conv2d(32, 64, 3, stride=2, padding=1), nn.ReLU()),  # (n, 64, 4, 4)
            *(nn.Flatten(), nn.Linear(64 * 4 * 4, 64), nn.ReLU()),
        )
        self.head = nn.Linear(64, 4)

    def features(self, x: Tensor) -> Tensor:
        return self.body(x)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))


def widths_of(widths: Sequence[int], least: int = 2) -> tuple[int, ...]:
    """How wide each layer of a net is, as whole numbers."""
    if len(widths) < least:
        words = f"a net needs at least {least}, an input width and an output width among them"
        raise ValueError(f"widths: got {tuple(widths)}; {words}")
    return tuple(count("widths", width, least=1, most=1_000_000) for width in widths)


def _halved(side: int, times: int) -> int:
    """A picture's side after so many halvings."""
    if (side := count("side", side, least=1)) % 2**times:
        raise ValueError(
            f"side: got {side}; it must be a multiple of {2**times}, since {times} layers halve or double it"
        )
    return side // 2**times
