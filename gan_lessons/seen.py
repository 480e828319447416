"""What pictures show of a trainer, as tensors on the CPU: `plots`, `views` and lessons paint it.

The nets are looked at in eval mode, on their device, with random numbers that are drawn on the CPU and nobody else's:
nothing of the trainer changes, and the same z are seen on every device.
"""

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gan_lessons import devices, laws, metrics, neighbours, theory
from gan_lessons.devices import seeded
from gan_lessons.guards import evaluating
from gan_lessons.laws import quantiles as quantiles
from gan_lessons.models import Pack
from gan_lessons.pictures import likeness as likeness
from gan_lessons.pictures import slant as slant
from gan_lessons.training import Trainer


class Curves(NamedTuple):
    """What Figure 1 of the paper draws over x, all of shape (n,)."""

    x: Tensor
    p_data: Tensor
    p_g: Tensor
    D: Tensor
    D_star: Tensor  # nan under a loss whose D has no absolute level, and where p_data is an estimate


def curves(trainer: Trainer, x: Tensor) -> Curves:
    """The state of a game over one number: both densities, D(x) as learned so far, and the best D*(x).

    trainer: a `Trainer` whose x and z are one number each; x: shape (n,). Of data that do not say their density it is
    estimated from a sample (`laws.kernels`); all else is exact. Draw it with `hill.draw`.
    """
    needs(trainer, "seen.curves")
    x = x.cpu()
    p_g = theory.pushforward(trainer.generator, trainer.latent)
    log_p, log_q = (theory.log_density(p, x) for p in (laws.density(trainer.data), p_g))  # once: this is slow
    D_star = (log_p - log_q).sigmoid()
    if trainer.loss.probability is None or not laws.exact(trainer.data):
        D_star = torch.full_like(x, torch.nan)
    p_data, p_g, D_star = (column.to(x.dtype) for column in (log_p.exp(), log_q.exp(), D_star))
    return Curves(x, p_data, p_g, heights(trainer, x), D_star)


def needs(trainer: Trainer, who: str, shape: tuple[int, ...] = ()) -> None:
    """Raise ValueError unless each x of the data is of this shape: one number, or a point of the plane."""
    if (got := tuple(laws.shape(trainer.data))) != shape:
        kind = "points of the plane, x of shape (2,)" if shape else "numbers, x of shape ()"
        raise ValueError(f"data: got x of shape {got}; {who} needs {kind}")


def picture_shape(trainer: Trainer, who: str) -> tuple[int, int]:
    """Height and width of the data, which are pictures; grey ones that do not say it are square.

    Raises ValueError for what is no picture.
    """
    shape = tuple(laws.shape(trainer.data))
    known = tuple(getattr(getattr(trainer.data, "images", None), "shape", ()))[-2:]
    side = math.isqrt(math.prod(shape))
    if len(shape) == 3 and shape[0] in (1, 3):
        return shape[1:]
    if len(shape) == 1 and (math.prod(known) == shape[0] or side**2 == shape[0] > 1):
        return known if math.prod(known) == shape[0] else (side, side)
    raise ValueError(
        f"data: got x of shape {shape}; {who} needs pictures: (3, height, width), (1, height, width), or grey ones "
        "as one row of pixels, from data.Images or square"
    )


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
    x = made(trainer, z)  # (m,)
    out, pushed = _judged(trainer, x)
    return Fakes(z, x, _heights(trainer, out), pushed)


@torch.no_grad()
def made(trainer: Trainer, z: Tensor) -> Tensor:
    """G(z), as G is now."""
    with evaluating(trainer.generator):
        return trainer.generator(z.to(devices.of(trainer.generator))).cpu()


def noise(trainer: Trainer, n: int) -> Tensor:
    """n draws of z, the same at every look."""
    return _drawn(trainer.latent, n)


@laws.once
def _drawn(source: Any, n: int) -> Tensor:
    with seeded(0):
        return devices.moved(source, "cpu").sample((n,)).cpu()


@torch.no_grad()
def heights(trainer: Trainer, x: Tensor) -> Tensor:
    """D(x), shape (n,): how real D takes x for.

    Under a loss without probability only differences in D's raw output count: then it is the sigmoid of how far x is
    above the mean fake.
    """
    D = trainer.discriminator
    with evaluating(D):
        return _heights(trainer, D(x.to(devices.of(D))))


@torch.no_grad()
def _heights(trainer: Trainer, out: Tensor) -> Tensor:
    out, D = out.reshape(len(out)).cpu(), trainer.discriminator  # (n,)
    if trainer.loss.probability is not None:
        return trainer.loss.probability(out)
    x_fake = made(trainer, noise(trainer, 256)).to(devices.of(D))
    with evaluating(D):
        return (out - D(x_fake).mean().cpu()).sigmoid()


def push(trainer: Trainer, x_fake: Tensor, x_real: Tensor | None = None) -> Tensor:
    """Minus the gradient of G's loss at each fake, as if it were alone in its minibatch; of x_fake's shape (n, ...).

    For log D it is (1 - D) dl/dx and for log(1 - D) it is D dl/dx, l: D's logit. x_real: the data beside them, for a
    loss that compares; drawn unless given. In a pack a fake also counts for D's output on its neighbour. Nothing of the
    trainer changes.
    """
    return _judged(trainer, x_fake, x_real)[1]


def _judged(trainer: Trainer, x_fake: Tensor, x_real: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """D's raw output on each fake, and its push."""
    D = trainer.discriminator
    on = devices.of(D)
    leaf = x_fake.detach().clone().to(on).requires_grad_()
    out_real = None
    with evaluating(D), torch.enable_grad():
        if trainer.loss.needs_real:
            x_real = _drawn(trainer.data, len(x_fake)) if x_real is None else x_real
            out_real = D(x_real.to(on)).detach()
        out = D(leaf)
        loss = trainer.loss.generator(out_real, out)  # a mean over fakes
        (gradient,) = torch.autograd.grad(len(leaf) * loss, leaf)
    return out.detach(), -gradient.cpu()


class Scene(NamedTuple):
    """A game over points of the plane as `plots.plane` draws it: `plots.plane(*seen.scene(trainer))`."""

    axis: Tensor  # (2, n): the middles of n equal parts of each axis
    D: Tensor | None  # (n, n): D(x), rows along the second axis; None where D sees several x at once
    x_real: Tensor  # (m, 2)
    x_fake: Tensor  # (m, 2)
    lines: Tensor  # (rows, points, 2): G of an even grid of z, if z is two numbers
    push: Tensor  # (a, 2): minus the gradient of G's loss at each of the first a fakes


def scene(trainer: Trainer, half_width: float | None = None, n: int = 50, points: int = 200, arrows: int = 30) -> Scene:
    """What there is to see of a game over the plane: in a square around the data, or half_width to each side of (0, 0).

    The points are of one draw. Raises ValueError for other data.
    """
    needs(trainer, "seen.scene", (2,))
    axis, x, x_real, z = _places(trainer.data, trainer.latent, half_width, n, points)
    x_fake = made(trainer, z)
    x_fake, lines = x_fake[:points], x_fake[points:].reshape(-1, 17, 2)  # (m, 2), (18, 17, 2)
    D = None if packed(trainer) else heights(trainer, x).reshape(n, n)
    return Scene(axis, D, x_real, x_fake, lines, push(trainer, x_fake, x_real)[:arrows])


@laws.once  # a panel asks at every frame
def _places(
    data: Any, latent: Any, half_width: float | None, n: int, points: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Where a scene is looked at: its axis (2, n), the points x of it (n n, 2), data (m, 2), and z.

    After m z, of one draw with the data, come those of an even grid of 18 lines of 17, if z is two numbers.
    """
    middle, half = laws.square(data) if half_width is None else ((0.0, 0.0), half_width)
    axis = torch.tensor(middle)[:, None] + ((torch.arange(n) + 0.5) / n * 2 - 1) * half
    x = torch.stack(torch.meshgrid(*axis, indexing="xy"), dim=-1).reshape(-1, 2)
    with seeded(0):
        x_real, z = (devices.moved(source, "cpu").sample((points,)).cpu() for source in (data, latent))
    if z.shape[1:] == (2,):
        even, fine = torch.linspace(-2, 2, 9), torch.linspace(-2, 2, 17)
        across = torch.stack(torch.meshgrid(even, fine, indexing="ij"), dim=-1)  # (9, 17, 2)
        z = torch.cat([z, across.reshape(-1, 2), across.flip(-1).reshape(-1, 2)])
    return axis, x, x_real, z


def packed(trainer: Trainer) -> bool:
    """Does D see several x at once? Then there is no D(x) of a single one."""
    return any(isinstance(part, Pack) and part.size > 1 for part in trainer.discriminator.modules())


def modes(trainer: Trainer) -> dict[str, float]:
    """Modes found and share of good samples among 2,000 fakes; empty for data that are no mixture of bumps."""
    bumps = getattr(trainer.data, "component_distribution", None)
    if bumps is None:
        return {}
    samples = made(trainer, noise(trainer, 2000)).nan_to_num(nan=1e9).clamp(-1e9, 1e9)  # not finite: far from all
    found, good = metrics.modes(samples, bumps.mean, bumps.stddev.max().item())
    return {"modes found": found, "good": good}


def reach(trainer: Trainer, n: int = 500) -> dict[str, float]:
    """Of points of the plane: the share of fakes that lie on the data, and the share of the data that a fake reaches.

    That is, within a thirtieth of half the width of the square around the data (`neighbours.reach`).
    """
    fakes = made(trainer, noise(trainer, n)).nan_to_num(nan=1e9).clamp(-1e9, 1e9)  # not finite: far from all
    real = _drawn(trainer.data, n)
    on, reached = neighbours.reach(fakes, real, laws.square(trainer.data)[1] / 30)
    return {"fakes on the data": on, "data reached": reached}


def record(trainer: Trainer) -> dict[str, float]:
    """The last round's losses and mean probabilities, by the names they have in pictures."""
    last = trainer.record
    measured = {"loss_d": last.loss_d, "loss_g": last.loss_g, "D(x)": last.d_real, "D(G(z))": last.d_fake}
    return {name: value.item() for name, value in measured.items() if value is not None}


def images(trainer: Trainer, n: int = 40) -> Tensor:
    """Fakes of the same n z at every call, from G as it is now."""
    return made(trainer, noise(trainer, n))
