"""Where things are computed."""

import copy
import weakref
from collections.abc import Iterator
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Transform


def of(net: Any) -> torch.device:
    """The device of a net's first parameter or buffer; the CPU for what has none.

    >>> of(nn.Linear(1, 1)), of(lambda z: 2 * z)
    (device(type='cpu'), device(type='cpu'))
    """
    if isinstance(net, nn.Module):
        for weight in chain(net.parameters(), net.buffers()):
            return weight.device
    return torch.device("cpu")


def moved(law: Any, device: torch.device | str) -> Any:
    """A distribution with all its tensors on a device: a copy, or the same one if they are there already.

    Numbers of 64 bits become 32 on "mps", which has no others. Other sources are moved by their own `to`, if any.
    """
    if not isinstance(law, Distribution):
        return law.to(device) if hasattr(law, "to") else law
    device = torch.device(device)
    there = all(_at(device, one) is one for one in _tensors(law, set()))
    return law if there else _copied(law, device, {})


def _at(device: torch.device, x: Tensor) -> Tensor:
    return (x.float() if device.type == "mps" and x.dtype == torch.double else x).to(device)


def _tensors(part: Any, known: set[int]) -> Iterator[Tensor]:
    """Those of a law, of laws and transforms inside it, and so on; a transform and its inverse hold each other."""
    if isinstance(part, Tensor):
        yield part
    elif type(part) in (list, tuple):
        for one in part:
            yield from _tensors(one, known)
    elif isinstance(part, (Distribution, Transform)) and id(part) not in known:
        known.add(id(part))
        for one in vars(part).values():
            yield from _tensors(one, known)


def _copied(part: Any, device: torch.device, known: dict[int, Any]) -> Any:
    if isinstance(part, Tensor):
        return _at(device, part)
    if type(part) in (list, tuple):
        return type(part)(_copied(one, device, known) for one in part)
    if not isinstance(part, (Distribution, Transform)):
        return None if isinstance(part, weakref.ref) else part  # older torch: of a transform to its inverse
    if id(part) not in known:
        known[id(part)] = other = copy.copy(part)
        vars(other).update((name, _copied(one, device, known)) for name, one in vars(part).items())
    return known[id(part)]
