"""How a player steps along its gradient, and how its rate falls."""

import math
from collections.abc import Iterable
from inspect import unwrap
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn


def adam(params: Iterable[nn.Parameter], lr: float, betas: tuple[float, float] = (0.5, 0.999)) -> Optimizer:
    """Adam with its first decay at 0.5: a game's gradients change direction too often for 0.9 (Radford et al. 2016)."""
    return Adam(params, lr=lr, betas=betas, fused=True)


class WithoutCompiler(Optimizer):
    """For torch's optimisers, which import its compiler at their first use: that takes over a second, and 70 MB.

    These are torch's own methods, without the decorators that speak to the compiler; nothing here is compiled. Nor does
    its profiler hear of each step, which would take as long as a fused step of a small net.
    """

    def _patch_step_function(self) -> None:
        pass

    def zero_grad(self) -> None:
        for group in self.param_groups:
            for weight in group["params"]:
                weight.grad = None

    add_param_group = unwrap(Optimizer.add_param_group)
    state_dict = unwrap(Optimizer.state_dict)
    load_state_dict = unwrap(Optimizer.load_state_dict)


class Adam(WithoutCompiler, torch.optim.Adam):
    """torch's Adam, to the last bit."""

    step = torch.no_grad()(unwrap(torch.optim.Adam.step))


class SGD(WithoutCompiler, torch.optim.SGD):
    """torch's SGD, to the last bit."""

    step = torch.no_grad()(unwrap(torch.optim.SGD.step))


class RisingMomentum(SGD):
    """SGD with momentum that rises in a straight line from 0.5 to 0.7 over so many steps."""

    def __init__(self, params: Any, lr: float, over: int):
        super().__init__(params, lr, momentum=0.5, fused=True)
        self.over = over
        for group in self.param_groups:
            group["steps"] = 0  # in the group, so that a checkpoint has it

    def step(self, closure: Any = None) -> None:
        for group in self.param_groups:
            group["momentum"] = 0.5 + 0.2 * min(group["steps"] / self.over, 1.0)
            group["steps"] += 1
        super().step(closure)


class MovingAverage(AveragedModel):
    """An exponential moving average of a net's weights; its buffers are the net's own of this moment.

    torch's looks at each update whether it is the first, and for that a GPU would have to be waited for.
    """

    def __init__(self, net: nn.Module, decay: float):
        at = next(net.parameters()).device  # the count of updates lies there, too: a CUDA graph counts on
        super().__init__(net, device=at, multi_avg_fn=get_ema_multi_avg_fn(decay))
        self._has_begun = False

    def update_parameters(self, model: nn.Module) -> None:
        if not self._has_begun:
            super().update_parameters(model)
            self._has_begun = True
            return
        averaged, now = ([w.detach() for w in net.parameters()] for net in (self.module, model))
        self.multi_avg_fn(averaged, now, self.n_averaged)
        for buffer, new in zip(self.module.buffers(), model.buffers(), strict=True):
            buffer.copy_(new)
        self.n_averaged += 1

    def load_state_dict(self, *state: Any, **options: Any) -> Any:
        self._has_begun = False  # the state may be one from before the first update
        return super().load_state_dict(*state, **options)


def cosine(fraction: float) -> float:
    """Learning-rate factor: 1 at the start of the schedule, 0 at its end, half a cosine between.

    >>> cosine(0.0), round(cosine(0.5), 3), cosine(1.0)
    (1.0, 0.5, 0.0)
    """
    return (1 + math.cos(math.pi * fraction)) / 2
