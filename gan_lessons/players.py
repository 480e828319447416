"""What two players must be, tried on a few samples before anything is trained."""

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from gan_lessons.arguments import shown
from gan_lessons.devices import seeded
from gan_lessons.guards import evaluating
from gan_lessons.losses import Loss


def check_player(name: str, net: Any) -> nn.Module:
    if not isinstance(net, nn.Module):
        raise ValueError(f"{name}: got {shown(net)}; it must be a torch.nn.Module")
    if not any(weight.requires_grad for weight in net.parameters()):
        raise ValueError(
            f"{name}: got a {type(net).__name__} without any weight that requires a gradient; nothing could learn"
        )
    return net


def check_players(G: nn.Module, D: nn.Module, two: dict[str, Callable[[], Tensor]], loss: Loss, order: str) -> bool:
    """Let the players try a few samples, before anything is trained. Returns whether D judges each x by itself.

    two: of "data" and of "latent", each draws two samples where the players are.
    """
    with seeded(0, next(D.parameters()).device):
        z, x = (_drawn(name, two[name]) for name in ("latent", "data"))
        fake = _try("generator", G, z)
        if fake.shape != x.shape:
            raise ValueError(f"generator: makes {_shape(fake)} from 2 z; data.sample((2,)) has {_shape(x)}")
        out = _try("discriminator", D, x)
        if out.shape not in ((2,), (2, 1)):
            raise ValueError(f"discriminator: returns {_shape(out)} for 2 x; allowed are shape (2,) and shape (2, 1)")
        _check_loss(loss, out)
        if _is_probability(D, torch.cat([x, fake])) and not _is_probability_wanted(loss):
            raise ValueError(
                f"discriminator: its outputs stay between 0 and 1, as after a sigmoid; losses.{loss.name} takes a "
                "logit and has the sigmoid inside: leave out D's last one"
            )
        compares = _compares(D, torch.cat([x, fake]))
        if order == "simultaneous" and compares:
            raise ValueError(
                "discriminator: its output on one x depends on the other x of the minibatch, as with batch norm or "
                "packs; order='simultaneous' needs a D that judges each x by itself, or take order='alternating'"
            )
        return not compares


def _drawn(name: str, draw: Callable[[], Tensor]) -> Tensor:
    try:
        sample = draw()
    except Exception as error:  # a source of one's own may fail in any way
        raise ValueError(f"{name}: .sample((2,)) raised {type(error).__name__}: {error}") from error
    if not isinstance(sample, Tensor) or sample.dim() == 0 or len(sample) != 2:
        raise ValueError(f"{name}: .sample((2,)) gave {shown(sample)}; it must be a Tensor of shape (2, ...)")
    if not sample.isfinite().all():
        raise ValueError(f"{name}: .sample((2,)) gave nan or infinity")
    return sample


def _check_loss(loss: Loss, out: Tensor) -> None:
    for player in ("discriminator", "generator"):
        try:
            value = getattr(loss, player)(out, out)
        except Exception as error:
            raise ValueError(f"loss: {loss.name}'s {player} raised {type(error).__name__}: {error}") from error
        if not isinstance(value, Tensor) or value.dim() != 0:
            raise ValueError(f"loss: {loss.name}'s {player} gave {shown(value)}; it must return a scalar")


def _is_probability(D: nn.Module, x: Tensor) -> bool:
    """Whether D ends in a sigmoid: with weights 1,000 times as large raw outputs would leave [0, 1]."""
    D = copy.deepcopy(D)
    with torch.no_grad():
        if not ((out := D.eval()(x)).gt(0) & out.lt(1)).all():
            return False
        for weight in D.parameters():
            weight.mul_(1000)
        return bool(((out := D(x)).ge(0) & out.le(1)).all())


def _is_probability_wanted(loss: Loss) -> bool:
    """Whether D's raw output is itself a probability or a score, as for least squares, and no logit."""
    return loss.probability is None or bool(loss.probability(torch.tensor([-9.0, 9.0])).abs().max() > 1)


def _compares(discriminator: nn.Module, x: Tensor) -> bool:
    """Whether, in training, D's output on the first x moves with any other."""
    D = copy.deepcopy(discriminator).train()  # a batch norm would keep what it sees
    with torch.enable_grad():
        x.requires_grad_()
        (slope,) = torch.autograd.grad(D(x)[0].sum(), x, allow_unused=True)
    return slope is not None and bool(slope[1:].any())


def _try(name: str, net: nn.Module, x: Tensor) -> Tensor:
    try:
        with torch.no_grad(), evaluating(net):
            out = net(x)
    except Exception as error:
        raise ValueError(f"{name}: does not take input of {_shape(x)} ({type(error).__name__}: {error})") from error
    if not isinstance(out, Tensor):
        raise ValueError(f"{name}: returns {shown(out)}; it must return a Tensor")
    return out


def _shape(x: Tensor) -> str:
    return f"shape {tuple(x.shape)}"
