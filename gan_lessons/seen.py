"""What pictures show of a trainer, as tensors: `plots`, `views` and lessons paint what is computed here."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.distributions import Distribution

from gan_lessons import metrics, theory
from gan_lessons.guards import seeded
from gan_lessons.models import Pack
from gan_lessons.training import Trainer


class Curves(NamedTuple):
    """What Figure 1 of the paper draws over x, all of shape (n,)."""

    x: Tensor
    p_data: Tensor
    p_g: Tensor
    D: Tensor
    D_star: Tensor  # nan under a loss whose D has no absolute level


def curves(trainer: Trainer, x: Tensor) -> Curves:
    """The state of a game over one number, exactly: both densities, D(x) as learned so far, and the best D*(x).

    trainer: a `Trainer` whose data are a distribution; x: shape (n,). Draw it with `plots.game(*curves(trainer, x))`.
    """
    p_g = theory.pushforward(trainer.generator, trainer.latent)
    D_star = theory.optimal_discriminator(trainer.data, p_g)(x)
    if trainer.loss.probability is None:
        D_star = torch.full_like(x, torch.nan)
    return Curves(x, trainer.data.log_prob(x).exp(), p_g(x), heights(trainer, x), D_star)


class Fakes(NamedTuple):
    """Fakes on the hill, the curve of D: all of shape (m,)."""

    z: Tensor
    x: Tensor
    height: Tensor  # D(x)
    push: Tensor  # minus the gradient of G's loss at x


def fakes(trainer: Trainer, m: int = 9) -> Fakes:
    """m fakes of one number, one for each m-th part of all z, at that part's median; so each stands for equally many.

    z_i = F^-1((i + 1/2) / m),   x_i = G(z_i),   F: the cumulative distribution of z
    """
    z = quantiles(trainer.latent, m)  # (m,)
    with torch.no_grad():
        x = trainer.generator(z)  # (m,)
    return Fakes(z, x, heights(trainer, x), push(trainer, x))


def quantiles(latent: Distribution, m: int) -> Tensor:
    """The medians of m equally probable parts of z, shape (m,).

    >>> from torch.distributions import Uniform
    >>> quantiles(Uniform(0.0, 1.0), 2)
    tensor([0.2500, 0.7500])
    """
    return latent.icdf((torch.arange(m) + 0.5) / m)


@torch.no_grad()
def heights(trainer: Trainer, x: Tensor) -> Tensor:
    """D(x), shape (n,): how real D takes x for.

    Under a loss without probability only differences in D's raw output count: then it is the sigmoid of how far x is
    above the mean fake.
    """
    out = trainer.discriminator(x).reshape(len(x))  # (n,)
    if trainer.loss.probability is not None:
        return trainer.loss.probability(out)
    with seeded(0):
        x_fake = trainer.generator(trainer.latent.sample((256,)))
    return (out - trainer.discriminator(x_fake).mean()).sigmoid()


def push(trainer: Trainer, x_fake: Tensor, x_real: Tensor | None = None) -> Tensor:
    """Minus the gradient of G's loss at each fake, as if it were alone in its minibatch; of x_fake's shape (n, ...).

    For log D it is (1 - D) dl/dx and for log(1 - D) it is D dl/dx, l: D's logit. x_real: the data beside them, for a
    loss that compares; drawn unless given. In a pack a fake also counts for D's output on its neighbour. Nothing of the
    trainer changes.
    """
    leaf = x_fake.detach().clone().requires_grad_()
    out_real = None
    if trainer.loss.needs_real:
        with seeded(0):
            x_real = trainer.data.sample((len(x_fake),)) if x_real is None else x_real
        out_real = trainer.discriminator(x_real).detach()
    with torch.enable_grad():
        loss = trainer.loss.generator(out_real, trainer.discriminator(leaf))  # a mean over fakes
        (gradient,) = torch.autograd.grad(len(leaf) * loss, leaf)
    return -gradient


class Scene(NamedTuple):
    """A game over points of the plane as `plots.plane` draws it: `plots.plane(*seen.scene(trainer))`."""

    axis: Tensor  # (n,): the middles of n equal parts of each axis
    D: Tensor | None  # (n, n): D(x), rows along the second axis; None where D sees several x at once
    x_real: Tensor  # (m, 2)
    x_fake: Tensor  # (m, 2)
    lines: Tensor  # (rows, points, 2): G of an even grid of z
    push: Tensor  # (a, 2): minus the gradient of G's loss at each of the first a fakes


def scene(trainer: Trainer, half_width: float = 3.0, n: int = 50, points: int = 200, arrows: int = 30) -> Scene:
    """What there is to see of a game over the plane, z being two normal numbers. The points are of one draw."""
    axis = ((torch.arange(n) + 0.5) / n * 2 - 1) * half_width  # (n,)
    with seeded(0):
        x_real = trainer.data.sample((points,))  # (m, 2)
        z = trainer.latent.sample((points,))  # (m, 2)
    even = torch.linspace(-2, 2, 9)
    fine = torch.linspace(-2, 2, 17)
    across = torch.stack(torch.meshgrid(even, fine, indexing="ij"), dim=-1)  # (9, 17, 2)
    z_lines = torch.cat([across, across.flip(-1)])  # (18, 17, 2)
    with torch.no_grad():
        x_fake = trainer.generator(z)  # (m, 2)
        lines = trainer.generator(z_lines.reshape(-1, 2)).reshape(z_lines.shape)  # (18, 17, 2)
    D = None
    if not packed(trainer):
        x = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), dim=-1).reshape(-1, 2)  # (n n, 2)
        D = heights(trainer, x).reshape(n, n)
    return Scene(axis, D, x_real, x_fake, lines, push(trainer, x_fake, x_real)[:arrows])


def packed(trainer: Trainer) -> bool:
    """Does D see several x at once? Then there is no D(x) of a single one."""
    return any(isinstance(part, Pack) and part.size > 1 for part in trainer.discriminator.modules())


def modes(trainer: Trainer) -> dict[str, float]:
    """Modes found and share of good samples among 2,000 fakes; empty for data that are no mixture of bumps."""
    bumps = getattr(trainer.data, "component_distribution", None)
    if bumps is None:
        return {}
    with seeded(0):
        samples = trainer.sample(2000).nan_to_num(nan=1e9).clamp(-1e9, 1e9)  # not finite: far from every mode
    found, good = metrics.modes(samples, bumps.mean, bumps.stddev.max().item())
    return {"modes found": found, "good": good}


def record(trainer: Trainer) -> dict[str, float]:
    """The last round's losses and mean probabilities, by the names they have in pictures."""
    last = trainer.record
    measured = {"loss_d": last.loss_d, "loss_g": last.loss_g, "D(x)": last.d_real, "D(G(z))": last.d_fake}
    return {name: value.item() for name, value in measured.items() if value is not None}


def images(trainer: Trainer, n: int = 40) -> Tensor:
    """Fakes of the same n z at every call, from G as it is now, in eval mode; on the CPU."""
    G = trainer.generator
    training = G.training
    try:
        with seeded(0), torch.no_grad():
            return G.eval()(trainer.latent.sample((n,)).to(trainer.device)).cpu()
    finally:
        G.train(training)


def likeness(images: Tensor) -> Tensor:
    """How well a pixel foretells its right neighbour: their correlation r in each image, (n, height, width) -> (n,).

    0: not at all, as in noise; 1: exactly, as in a smooth ramp. nan for an image of one colour.

    >>> round(likeness(torch.arange(12.0).reshape(1, 3, 4)).item(), 3)
    1.0
    """
    a, b = images[:, :, :-1].flatten(1).float(), images[:, :, 1:].flatten(1).float()
    a, b = a - a.mean(dim=1, keepdim=True), b - b.mean(dim=1, keepdim=True)
    return (a * b).sum(dim=1) / (a.norm(dim=1) * b.norm(dim=1))


def slant(images: Tensor) -> Tensor:
    """How far what is white in an image leans: pixels to the right for each pixel up, (n, height, width) -> (n,).

    >>> round(slant(torch.eye(3).flip(0)[None]).item(), 3)  # a line that rises to the right at 45 degrees
    1.0
    """
    weight = images / images.sum(dim=(1, 2), keepdim=True)
    up, right = -torch.arange(float(images.shape[1]))[:, None], torch.arange(float(images.shape[2]))
    up = up - (weight * up).sum(dim=(1, 2), keepdim=True)
    right = right - (weight * right).sum(dim=(1, 2), keepdim=True)
    return (weight * up * right).sum(dim=(1, 2)) / (weight * up**2).sum(dim=(1, 2))
