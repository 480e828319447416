"""Where things are computed."""

import copy
import weakref
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
    return _moved(law, torch.device(device))


def _moved(part: Any, device: torch.device) -> Any:
    if isinstance(part, Tensor):
        part = part.float() if device.type == "mps" and part.dtype == torch.double else part
        return part.to(device)
    if type(part) in (list, tuple):
        inside = [_moved(one, device) for one in part]
        return part if all(a is b for a, b in zip(inside, part, strict=True)) else type(part)(inside)
    if not isinstance(part, (Distribution, Transform)):
        return part
    changed = {name: new for name, old in vars(part).items() if (new := _moved(old, device)) is not old}
    if not changed:
        return part
    other = copy.copy(part)
    vars(other).update(changed)
    if isinstance(getattr(other, "_inv", None), weakref.ref):
        other._inv = None  # the inverse of the transform that was copied
    return other
