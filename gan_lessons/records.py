"""What the rounds of a game measured."""

import weakref
from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor

SETTLED_AT = 400  # tensors: about 100 rounds


class Record(NamedTuple):
    """What one round measured, before the updates: detached 0-d tensors, so that nothing has to wait for a GPU.

    They are on the trainer's device at first, and after about 100 rounds on the CPU.
    """

    loss_d: Tensor | None = None
    loss_g: Tensor | None = None
    d_real: Tensor | None = None  # mean D(x)
    d_fake: Tensor | None = None  # mean D(G(z))


def stack(history: Iterable[Record]) -> Record:
    """A history of rounds as one Record of tensors of shape (steps,), on the CPU: what `plots` draws.

    What a round did not measure, such as D(x) under a loss without probability, stays None.
    """
    columns = zip(*history, strict=True)
    return Record(*(None if None in column else torch.stack([v.cpu() for v in column]) for column in columns))


def mean(value: Tensor | None) -> Tensor | None:
    """Of what was measured on a minibatch; a loss is one already. Without gradient."""
    return None if value is None else value.detach().mean() if value.dim() else value.detach()


class Recorder:
    """Keeps the last Record, and takes what was measured from the device to the CPU, many at once."""

    def __init__(self) -> None:
        self.last = Record()
        self._on_device: list[weakref.ref[Tensor]] = []

    def note(self, **measured: Tensor | None) -> Record:
        return self.keep({name: mean(value) for name, value in measured.items()})

    def keep(self, means: dict[str, Tensor | None]) -> Record:
        self.last = self.last._replace(**means)
        self._on_device += [weakref.ref(value) for value in means.values() if value is not None]
        if len(self._on_device) >= SETTLED_AT:
            self._settle()
        return self.last

    def _settle(self) -> None:
        """120,000 Records of a learner's history would keep a GPU's memory; who keeps none need not wait for it."""
        kept = [value for one in self._on_device if (value := one()) is not None]
        if 2 * len(kept) >= SETTLED_AT:
            for value, settled in zip(kept, torch.stack(kept).cpu(), strict=True):
                value.data = settled
            kept = []
        self._on_device = [weakref.ref(value) for value in kept]
