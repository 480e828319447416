"""How players step; how rates fall is tested with the recipes that have it."""

import copy
import subprocess
import sys

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from gan_lessons import optimizers


def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1))


def walked(net, optimizer, steps=20):
    torch.manual_seed(1)
    for _ in range(steps):
        optimizer.zero_grad()
        net(torch.randn(8, 3)).square().mean().backward()
        optimizer.step()
    return net.state_dict()


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("Adam", {"fused": True}),
        ("Adam", {"betas": (0.0, 0.99), "weight_decay": 0.1}),
        ("SGD", {}),
        ("SGD", {"momentum": 0.5, "fused": True}),
    ],
)
def test_they_are_those_of_torch_to_the_last_bit(kind, settings):
    ours, theirs = net(), net()
    a = getattr(optimizers, kind)(ours.parameters(), lr=0.01, **settings)
    b = getattr(torch.optim, kind)(theirs.parameters(), lr=0.01, **settings)
    assert_close(walked(ours, a), walked(theirs, b), rtol=0, atol=0)
    from_b, from_a = copy.deepcopy(b.state_dict()), copy.deepcopy(a.state_dict())
    a.load_state_dict(from_b)  # each reads what the other one saves
    b.load_state_dict(from_a)
    assert_close(walked(ours, a), walked(theirs, b), rtol=0, atol=0)
    a.add_param_group({"params": [torch.zeros(2, requires_grad=True)]})
    assert len(a.param_groups) == 2


def test_a_step_may_work_out_the_loss_itself():
    one = net()
    optimizer = optimizers.RisingMomentum(one.parameters(), lr=0.1, over=4)

    def loss():
        optimizer.zero_grad()
        mean = one(torch.ones(2, 3)).mean()
        mean.backward()
        return mean

    before = loss().item()
    optimizer.step(loss)
    assert loss().item() < before and all(weight.grad_fn is None for weight in one.parameters())


PLAY = """
import sys
from gan_lessons import live, optimizers, recipes, views
panel = live.Panel(recipes.gaussian, views.Figure1())
panel.run(3)
recipes.gaussian(optimizer=lambda params, lr: optimizers.RisingMomentum(params, lr, over=9)).step()
print(panel.trainer.steps_done, "torch._dynamo" in sys.modules)
"""


def test_no_compiler_is_imported_where_nothing_is_compiled():
    """A panel's first frame would come over a second later, and each learner's kernel take 70 MB more."""
    assert subprocess.check_output([sys.executable, "-c", PLAY], text=True).split() == ["3", "False"]
