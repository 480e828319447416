"""Variational autoencoders from the players of a GAN: G decodes, and D with more outputs encodes."""

import math
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.distributions import Distribution
from tqdm.auto import tqdm

from gan_lessons import data, devices, pretrained
from gan_lessons.arguments import count, number
from gan_lessons.devices import seeded
from gan_lessons.models import (
    DCGANDiscriminator,
    MLPDiscriminator,
    MLPGenerator,
    Standardise,
    Unstandardise,
    leaky_relu,
)
from gan_lessons.optimizers import adam, cosine
from gan_lessons.recipes import faces_dcgan_generator, mnist_small_generator


class VAE(nn.Module):
    """A decoder, z (n, d) -> x, and an encoder, x -> (n, 2 d): for each x a mean and a log sd of the z it may be from.

        p(x | z) = N(decoder(z), s^2 I),   q(z | x) = N(mu(x), diag sd(x)^2)     (Kingma and Welling 2014)

    s: in the unit of x, how far a number of a reconstruction is expected to be off. latent: N(0, I) of d numbers.
    Raises ValueError unless s > 0.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, latent: Distribution, s: float):
        super().__init__()
        self.encoder, self.decoder, self.latent = encoder, decoder, latent
        self.s = number("s", s, above=0)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """mu and log sd of q(z | x), (n, d) each."""
        return self.encoder(x).chunk(2, dim=1)

    def forward(self, x: Tensor) -> Tensor:  # as x comes back from its mean z
        return self.decoder(self.encode(x)[0])

    def losses(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Reconstruction loss of one z drawn from q(z | x), and KL(q || N(0, I)): means over x, in nats."""
        mu, log_sd = self.encode(x)
        return reconstruction_loss(x, self.decoder(reparameterised(mu, log_sd)), self.s), kl_to_normal(mu, log_sd)


def reparameterised(mu: Tensor, log_sd: Tensor) -> Tensor:
    """A draw from N(mu, sd^2) through which gradients flow to mu and sd:   z = mu + sd eps,   eps from N(0, I).

    >>> reparameterised(torch.tensor([[3.0, -1.0]]), torch.tensor([[-99.0, -99.0]]))
    tensor([[ 3., -1.]])
    """
    return mu + log_sd.exp() * torch.randn_like(mu)


def reconstruction_loss(x: Tensor, back: Tensor, s: float) -> Tensor:
    """Minus log p(x | z) up to a number that no net can change, a mean over x, in nats.

        sum over the numbers of x of (x - back)^2 / (2 s^2)     (left out: the number of them times log(s sqrt(2 pi)))

    >>> reconstruction_loss(torch.zeros(5, 2), torch.ones(5, 2), s=0.5)  # 2 times 1 / 0.5
    tensor(4.)
    """
    return (x - back).square().reshape(len(x), -1).sum(dim=1).mean() / (2 * s**2)


def kl_to_normal(mu: Tensor, log_sd: Tensor) -> Tensor:
    """KL(N(mu, sd^2) || N(0, I)), summed over the numbers of z, a mean over rows, in nats     (the same, appendix B).

        sum_j (mu_j^2 + sd_j^2 - 1) / 2 - log sd_j,   0 only for mu = 0, sd = 1

    >>> kl_to_normal(torch.tensor([[2.0]]), torch.tensor([[0.0]]))  # 2^2 / 2
    tensor(2.)
    """
    return ((mu.square() + (2 * log_sd).exp() - 1) / 2 - log_sd).sum(dim=1).mean()


def elbo(vae: VAE, x: Tensor) -> Tensor:
    """A lower bound of the mean log p(x), in nats: the evidence lower bound, from one z for each x."""
    reconstruction, kl = vae.losses(x)
    return -reconstruction - kl - math.prod(x.shape[1:]) * math.log(vae.s * math.sqrt(2 * math.pi))


class Losses(NamedTuple):
    """What each step measured, (steps,) each, in nats per x."""

    reconstruction: Tensor
    kl: Tensor


def fit(
    vae: VAE,
    source: Any,
    steps: int,
    *,
    lr: float = 1e-3,
    batch_size: int = 64,
    decay: Callable[[float], float] = cosine,
    seed: int = 0,
    device: str = "auto",
) -> Losses:
    """Train both nets to minimise the sum of both losses, with Adam, and leave them in eval mode on the device.

    source: where x comes from, as for a `Trainer`. decay: of the rate, along the steps. The same seed draws the same
    minibatches and eps. Raises FloatingPointError if a loss is not finite at the end.
    """
    on, steps, lr = devices.choose(device), count("steps", steps, least=1), number("lr", lr, above=0)
    batch_size, source = count("batch_size", batch_size, least=1), devices.moved(data.source("source", source), on)
    optimizer = adam(vae.to(on).train().parameters(), lr, betas=(0.9, 0.999))
    noted = []
    with seeded(seed, on):
        for step in tqdm(range(steps), leave=False, delay=1):
            optimizer.param_groups[0]["lr"] = lr * decay(step / steps)
            losses = vae.losses(source.sample((batch_size,)).to(on))
            optimizer.zero_grad()
            sum(losses).backward()
            optimizer.step()
            noted.append(torch.stack(losses).detach())
    vae.eval()
    rows = torch.stack(noted).cpu()
    if not rows[-1].isfinite().all():
        raise FloatingPointError(f"after {steps} steps the losses are {rows[-1].tolist()}: lower lr")
    return Losses(*rows.T)


# -- on the nets of three recipes --------------------------------------------------------------------------------------

RATE = {"faces": 2e-3, "digits": 1e-3, "bumps": 5e-3}  # of `fit`


def faces(seed: int = 0, s: float = 0.1) -> VAE:
    """G of `recipes.faces_dcgan` decodes, D's layers with 64 outputs encode. s: pixels are in [-1, 1]."""
    with seeded(seed):
        decoder, latent = faces_dcgan_generator()
        encoder = DCGANDiscriminator(3, 32, 64, 128)
        encoder.head = nn.Linear(encoder.head.in_features, 64)
    return VAE(encoder, decoder, latent, s)


def digits(seed: int = 0, s: float = 0.2) -> VAE:
    """G of `recipes.mnist_small` decodes, D's layers with 128 outputs encode, without its dropout."""
    with seeded(seed):
        decoder, latent = mnist_small_generator(64)
        encoder = MLPDiscriminator(784, 512, 256, 128, activation=leaky_relu)
    return VAE(encoder, decoder, latent, s)


def bumps(seed: int = 0, s: float = 1.0) -> VAE:
    """The players of `recipes.three_bumps`, D with 2 outputs; as there, a first minibatch gives mean and sd."""
    with seeded(seed):
        first = data.bumps().sample((128,))
        m, sd = first.mean(), first.std()
        encoder = MLPDiscriminator(1, 8, 8, 2, inputs=Standardise(m, sd))
        decoder = MLPGenerator(1, 16, 16, 1, output=Unstandardise(m, sd))
    return VAE(encoder, decoder, data.standard_normal(1), s)


@cache
def shipped() -> VAE:
    """The trained VAE of faces that ships, on the CPU, in eval mode, its weights fixed (tests/make/vae_record.py).

    >>> shipped().decoder(torch.zeros(1, 32)).shape
    torch.Size([1, 3, 32, 32])
    """
    states, card = pretrained.kept("faces_vae")
    one = faces(s=card["s"])
    for net, state in states.items():
        getattr(one, net).load_state_dict(state)
    return one.eval().requires_grad_(False)
