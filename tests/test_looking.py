"""Nets on a device, looked at from the CPU.

The `meta` device has shapes, but no values to look at: what runs there up to its first look would run on a GPU, and a
CPU tensor that meets a net there raises something else.
"""

import copy
import os
import signal
import types
from functools import partial

import pytest
import torch
from torch import nn
from torch.distributions import (
    Bernoulli,
    Beta,
    Categorical,
    Cauchy,
    Dirichlet,
    Exponential,
    FisherSnedecor,
    Gamma,
    Gumbel,
    HalfCauchy,
    Independent,
    LogNormal,
    LowRankMultivariateNormal,
    MixtureSameFamily,
    MultivariateNormal,
    Normal,
    Pareto,
    Poisson,
    StudentT,
    TransformedDistribution,
    Uniform,
    VonMises,
    Weibull,
)
from torch.distributions.transforms import AffineTransform, ComposeTransform, SigmoidTransform

from gan_lessons import data, devices, dynamics, guards, laws, losses, metrics, pretrained, recipes, seen, theory, views
from gan_lessons.models import MLPGenerator

NO_VALUE = "(?i)meta tensor"  # as each look at a value there says
X = torch.linspace(470, 530, 11)


def elsewhere(trainer):
    trainer.step()
    trainer.generator.to("meta")
    trainer.discriminator.to("meta")
    return trainer


def line(loss=losses.non_saturating):
    return elsewhere(recipes.gaussian_mlp(loss=loss))


LOOKS = {
    "seen.curves": lambda: seen.curves(line(), X),
    "seen.fakes": lambda: seen.fakes(line()),
    "seen.made": lambda: seen.made(line(), X),
    "seen.heights": lambda: seen.heights(line(), X),
    "seen.push": lambda: seen.push(line(), X),
    "seen.scene": lambda: seen.scene(elsewhere(recipes.ring())),
    "seen.modes": lambda: seen.modes(elsewhere(recipes.ring())),
    "seen.images": lambda: seen.images(elsewhere(recipes.mnist_quick(device="cpu", batch_size=4))),
    "theory.pushforward": lambda: theory.pushforward(line().generator, Normal(0.0, 1.0)),
    "theory.value": lambda: theory.value(line().discriminator, Normal(500.0, 5.0), Normal(490.0, 5.0)),
    "metrics.moments": lambda: metrics.moments(line().generator, Normal(0.0, 1.0)),
    "dynamics.ideal_loss": lambda: dynamics.ideal_loss(line().generator, Normal(500.0, 5.0), Normal(0.0, 1.0)),
    "Figure1.measure": lambda: views.Figure1().measure(line()),
    "Figure1.draw": lambda: views.Figure1().draw(line(), [{"step": 0, "mean": 1.0, "sd": 1.0}]),
    "Plane.measure": lambda: views.Plane().measure(elsewhere(recipes.ring())),
    "Plane.draw": lambda: views.Plane().draw(elsewhere(recipes.ring()), [{"step": 0}]),
    "Images.draw": lambda: views.Images().draw(
        elsewhere(recipes.mnist_quick(device="cpu", batch_size=4)), [{"step": 0, "loss_d": 1.0, "loss_g": 1.0}]
    ),
}


@pytest.mark.parametrize("name", LOOKS)
def test_a_look_moves_to_the_net_and_back(name):
    with pytest.raises((NotImplementedError, RuntimeError), match=NO_VALUE):
        LOOKS[name]()


def test_a_loss_that_compares_moves_the_data_too():
    for look in (seen.heights, seen.push):
        with pytest.raises((NotImplementedError, RuntimeError), match=NO_VALUE):
            look(line(losses.relativistic), X)


@pytest.mark.parametrize("player", ["generator", "discriminator"])
def test_one_player_elsewhere(player):
    """As long as a look does not reach that player's values, the other's are on the CPU."""
    trainer = recipes.gaussian_mlp()
    getattr(trainer, player).to("meta")
    assert devices.of(getattr(trainer, player)).type == "meta"
    with pytest.raises((NotImplementedError, RuntimeError), match=NO_VALUE):
        seen.fakes(trainer)


MEASURES = [
    lambda x: metrics.wasserstein1(x[:, 0], x[:, 0]),
    lambda x: metrics.modes(x, x, 1.0),
    lambda x: metrics.parzen_log_likelihood(x, x, 0.2),
    lambda x: metrics.nearest(x, x),
    lambda x: metrics.frechet_distance(x, x),
    lambda x: metrics.density_and_coverage(x, x),
    lambda x: metrics.report(x),
    lambda x: metrics.report(torch.zeros(9, 3, 32, 32, device="meta")),
    lambda x: metrics.grain(torch.zeros(9, 3, 32, 32, device="meta")),
    lambda x: theory.log_density(Normal(0.0, 1.0), x),
]


@pytest.mark.parametrize("i", range(len(MEASURES)))
def test_samples_elsewhere_are_measured_on_the_cpu(i):
    with pytest.raises((NotImplementedError, RuntimeError), match=NO_VALUE):
        MEASURES[i](torch.rand(9, 3, device="meta"))


@pytest.mark.parametrize("look", [laws.quantiles, lambda law, n: theory.log_density(law, X)])
def test_a_law_elsewhere_is_brought_to_the_cpu(look):
    with pytest.raises((NotImplementedError, RuntimeError), match=NO_VALUE):
        look(devices.moved(Normal(0.0, 1.0), "meta"), 5)


def test_results_are_on_the_cpu_where_x_is():
    x = torch.linspace(480, 510, 5, dtype=torch.float32)
    p_g = theory.pushforward(recipes.gaussian_mlp().generator, Normal(0.0, 1.0))
    assert p_g(x).dtype == torch.float32 and p_g(x).device == x.device
    assert theory.log_odds(p_g, Normal(500.0, 5.0))(x).dtype == torch.double


# -- laws --------------------------------------------------------------------------------------------------------------

E2 = torch.eye(2)
LAWS = [
    Normal(1.0, 2.0),
    Normal(torch.zeros(3, dtype=torch.double), 1.0),
    Uniform(-1.0, 1.0),
    Exponential(2.0),
    Beta(2.0, 3.0),
    Gamma(2.0, 3.0),
    StudentT(3.0),
    Cauchy(0.0, 1.0),
    HalfCauchy(1.0),
    LogNormal(0.0, 1.0),
    Gumbel(0.0, 1.0),
    Pareto(1.0, 2.0),
    Weibull(1.0, 2.0),
    FisherSnedecor(3.0, 4.0),
    VonMises(0.0, 1.0),
    Poisson(3.0),
    Bernoulli(0.3),
    Dirichlet(torch.ones(3)),
    Independent(Uniform(-torch.ones(5), 1.0), 1),
    MultivariateNormal(torch.zeros(2), E2),
    LowRankMultivariateNormal(torch.zeros(2), torch.ones(2, 1), torch.ones(2)),
    data.bumps(),
    data.ring(),
    MixtureSameFamily(Categorical(torch.ones(2)), Gamma(torch.ones(2), 1.0)),
    TransformedDistribution(Uniform(0.0, 1.0), [SigmoidTransform().inv, AffineTransform(torch.tensor(3.0), 2.0)]),
    TransformedDistribution(Normal(0.0, 1.0), ComposeTransform([AffineTransform(0.0, torch.tensor(2.0))])),
]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: type(law).__name__)
def test_a_law_moves_with_all_its_tensors(law):
    torch.manual_seed(0)
    x = law.sample((4,))  # fills what is computed when first needed
    before = law.log_prob(x)
    there = devices.moved(law, "meta")
    assert type(there) is type(law) and there is not law
    if not isinstance(law, (VonMises, Beta, Dirichlet)):  # their samplers have no meta kernel
        z = there.sample((4,))
        assert z.device.type == "meta" and z.shape == x.shape
    assert all(one.device.type == "meta" for one in devices._tensors(there, set()))
    assert torch.equal(law.log_prob(x), before)  # the law itself is as it was
    assert devices.moved(law, "cpu") is law
    torch.manual_seed(0)
    copied = devices._copied(law, partial(devices._at, torch.device("cpu"), None), {})
    assert torch.equal(copied.sample((4,)), x) and torch.equal(copied.log_prob(x), before)


def test_numbers_of_64_bits_are_32_on_mps(monkeypatch):
    law = TransformedDistribution(
        MixtureSameFamily(Categorical(torch.ones(2).double()), Normal(torch.zeros(2).double(), 1.0)),
        [AffineTransform(torch.tensor(1.0).double(), 2.0)],
    )
    real, moves = torch.Tensor.to, []

    def to(x, where):
        if not isinstance(where, torch.device):
            return real(x, where)
        moves.append(x.dtype)
        return x

    monkeypatch.setattr(torch.Tensor, "to", to)
    devices.moved(law, "mps")
    assert set(moves) == {torch.float32}
    moves.clear()
    devices.moved(law, "cpu")
    assert set(moves) == {torch.double}


def test_other_sources_move_themselves():
    assert devices.moved(data.mnist("test")[:5], "meta").images.device.type == "meta"
    plain = types.SimpleNamespace(sample=torch.zeros)
    assert devices.moved(plain, "meta") is plain


def test_a_trained_generator_on_a_device(monkeypatch):
    monkeypatch.setattr(devices, "choose", torch.device)
    G = pretrained.load("mnist_small_z2", device="meta")
    x = G(G.latent.sample((5,)))
    assert x.device.type == "meta" and x.shape == (5, 784)
    assert not G.training and not any(weight.requires_grad for weight in G.parameters())


def test_a_device_that_is_not_there():
    with pytest.raises(ValueError, match="device: got 'cuda'"):
        pretrained.load("mnist_small_z2", device="cuda")


# -- eval mode ---------------------------------------------------------------------------------------------------------


class Interrupting(nn.Module):
    """A net during whose first forward pass somebody presses Ctrl-C."""

    def __init__(self):
        super().__init__()
        self.frozen, self.norm, self.interrupt = nn.BatchNorm1d(3), nn.BatchNorm1d(3), False
        self.frozen.eval()

    def forward(self, z):
        if self.interrupt:
            os.kill(os.getpid(), signal.SIGINT)
        assert not any(part.training for part in self.modules())
        return self.norm(self.frozen(z))


def test_looking_gives_each_module_its_own_mode_back_whatever_stops_it():
    G = Interrupting()
    modes = {name: part.training for name, part in G.named_modules()}
    trainer = types.SimpleNamespace(generator=G, latent=Independent(Normal(torch.zeros(3), 1.0), 1))
    before = copy.deepcopy(G.state_dict())
    for interrupt, error in ((False, None), (True, KeyboardInterrupt)):
        G.interrupt = interrupt
        if error:
            with pytest.raises(error):
                seen.images(trainer)
        else:
            assert seen.images(trainer).shape == (40, 3)
        assert {name: part.training for name, part in G.named_modules()} == modes
    with pytest.raises(ZeroDivisionError), guards.evaluating(G):
        assert not G.norm.training
        raise ZeroDivisionError
    assert {name: part.training for name, part in G.named_modules()} == modes
    assert all(torch.equal(a, b) for a, b in zip(before.values(), G.state_dict().values(), strict=True))


def test_looking_at_nets_with_batch_norm_and_dropout_changes_nothing():
    class Flat(nn.Sequential):
        def forward(self, x):
            return super().forward(x.reshape(len(x), -1)).squeeze(-1)

    trainer = recipes.gaussian_mlp()
    G = MLPGenerator(1, 8, 1, batch_norm=True, output=nn.Identity())
    D = Flat(nn.Linear(1, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 1))
    vars(trainer).update(generator=G, discriminator=D)
    before = copy.deepcopy([trainer.generator.state_dict(), trainer.discriminator.state_dict()])
    torch.manual_seed(0)
    state = torch.get_rng_state()
    for loss in (losses.non_saturating, losses.least_squares):
        trainer.loss = loss
        first, second = (views.Figure1().draw(trainer, [{"step": 0, "mean": 1.0, "sd": 1.0}]) for _ in range(2))
        assert first == second
    after = [trainer.generator.state_dict(), trainer.discriminator.state_dict()]
    for a, b in zip(before, after, strict=True):
        assert all(torch.equal(a[name], b[name]) for name in a)
    assert torch.equal(torch.get_rng_state(), state)
    assert trainer.generator.training and trainer.discriminator.training
