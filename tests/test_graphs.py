"""Turns as CUDA graphs: on a GPU against the same turns without; elsewhere, when a turn is noted, and when anew.

On a machine with a GPU: CUDA_VISIBLE_DEVICES=0 pytest tests/test_graphs.py
"""

import copy
import warnings
from contextlib import contextmanager
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn.utils import parameters_to_vector
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.testing import assert_close

from gan_lessons import Trainer, data, devices, graphs, losses, recipes
from gan_lessons.models import MLPDiscriminator, MLPGenerator
from gan_lessons.optimizers import MovingAverage, RisingMomentum, adam

on_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def game(dropout=0.2, **settings):
    """A small game with all that a turn can have: batch norm, dropout, an average, both penalties."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        G = MLPGenerator(4, 16, 16, 16, output=nn.Tanh(), batch_norm=True)
        D = MLPDiscriminator(16, 16, 16, 1, dropout=dropout)
        pictures = data.Images(torch.randint(256, (100, 4, 4), dtype=torch.uint8))
    recipe = {"lr_d": 0.01, "lr_g": 0.01, "batch_size": 8, "average": 0.9, "latent": data.standard_normal(4)}
    return Trainer(G, D, pictures, **(recipe | {"device": DEVICE} | settings))


def play(trainer, rounds):
    return list(trainer.run(rounds))


def weights(trainer):
    nets = (trainer.generator, trainer.discriminator, trainer.averaged)
    return [parameters_to_vector(net.parameters()).detach().clone() for net in nets]


@pytest.fixture
def without(monkeypatch):
    """Make a trainer that never plays a graph."""

    def make(**settings):
        trainer = game(**settings)
        trainer._captured.trouble = "none are wanted"
        return trainer

    return make


# -- on a GPU ----------------------------------------------------------------------------------------------------------

WAYS = {
    "alternating": {},
    "k = 2, penalties": {"k": 2, "r1": 0.5, "r2": 0.2, "penalty_every": 2},
    "a schedule": {"steps": 40, "decay": recipes.cosine},
    "D frozen": {"k": 0},
    "relativistic": {"loss": losses.relativistic},
    "simultaneous": {"order": "simultaneous"},
    "another optimiser": {"optimizer": partial(RisingMomentum, over=20)},
    "rising momentum, simultaneous": {"order": "simultaneous", "optimizer": partial(RisingMomentum, over=20)},
    "kinds and numbers": {"latent": data.KindsAndNumbers(2, 2)},
}


@on_gpu
@pytest.mark.parametrize("way", WAYS)
def test_graphs_play_the_same_game(way, without):
    """The same random numbers, the same kernels: after 20 rounds weights and records are equal within rounding."""
    with_graphs, plain = game(**WAYS[way]), without(**WAYS[way])
    ours, theirs = play(with_graphs, 20), play(plain, 20)
    assert any(kind.graph for kind in with_graphs._captured._kinds.values())
    assert_close(weights(with_graphs), weights(plain), rtol=1e-3, atol=1e-4)
    assert_close(with_graphs.averaged.state_dict(), plain.averaged.state_dict(), rtol=1e-3, atol=1e-3)
    for a, b in zip(ours, theirs, strict=True):
        assert_close([v for v in a if v is not None], [v for v in b if v is not None], rtol=1e-3, atol=1e-3)
    assert_close(with_graphs._random_states, plain._random_states)
    assert_close(with_graphs.sample(4, average=True).shape, plain.sample(4, average=True).shape)


@on_gpu
def test_what_is_set_while_it_plays_counts(without):
    both = game(), without()
    for trainer in both:
        play(trainer, 6)
        trainer.lr_d, trainer.lr_g, trainer.k = 0.001, 0.002, 2
        play(trainer, 2)
        trainer.loss, trainer.batch_size, trainer.r1 = losses.least_squares, 5, 0.3
        play(trainer, 8)
        trainer.data = data.Images(torch.full((10, 4, 4), 128, dtype=torch.uint8))
        play(trainer, 8)
        trainer.optimizer_d = torch.optim.SGD(trainer.discriminator.parameters(), lr=1.0)
        play(trainer, 8)
    assert_close(weights(both[0]), weights(both[1]), rtol=1e-3, atol=1e-4)


@on_gpu
def test_graphs_interleave_and_resume(tmp_path):
    alone, a, b = game(seed=1), game(seed=1), game(seed=2)
    play(alone, 30)
    for i in range(30):
        a.step()
        b.step()
        torch.rand(3, device="cuda")
        if i == 14:
            a.save(tmp_path / "a.pt")
    assert_close(weights(a), weights(alone), rtol=1e-4, atol=1e-5)
    again = game(seed=3).load(tmp_path / "a.pt")
    play(again, 15)
    assert_close(weights(again), weights(alone), rtol=1e-4, atol=1e-5)


@on_gpu
def test_a_loss_that_looks_plays_without_graphs():
    def looks(out_real, out_fake):
        return out_real.mean() * (2.0 if out_fake.mean().item() > 0 else 1.0) - out_fake.mean()

    loss = losses.Loss(looks, losses.minimax.generator, probability=None, at_equilibrium=(0, 0), name="looks")
    trainer = game(loss=loss)
    with pytest.warns(UserWarning, match="no CUDA graphs.*discriminator_step the host waits"):
        play(trainer, 5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        play(trainer, 5)
    assert trainer._captured.trouble and not trainer._captured._kinds


@on_gpu
def test_random_numbers_live_on_after_a_capture_that_broke(monkeypatch, without):
    monkeypatch.setattr(graphs, "_watched", lambda: waiting([]))
    trainer, plain = game(loss=UNLUCKY), without(loss=UNLUCKY)
    with pytest.warns(UserWarning, match="no CUDA graphs"):
        play(trainer, 8)
    play(plain, 8)
    assert_close(weights(trainer), weights(plain), rtol=1e-3, atol=1e-4)
    assert torch.rand(3, device="cuda").std() > 0 and play(game(), 8)


def unlucky(out_real, out_fake):
    assert out_fake.mean().item() < 1e9
    return losses.discriminator_loss(out_real, out_fake)


UNLUCKY = losses.Loss(unlucky, losses.minimax.generator, probability=None, at_equilibrium=(0, 0), name="unlucky")

# -- anywhere ----------------------------------------------------------------------------------------------------------


@contextmanager
def waiting(waits):
    yield waits


class Played:
    """In a graph's place: plays the turn itself."""

    def __init__(self, trainer, turn, options):
        self.name, self.options = turn.__name__, options

    def replay(self, trainer):
        captured, vars(trainer)["_captured"] = trainer._captured, None
        try:
            return getattr(trainer, self.name)(**self.options)
        finally:
            vars(trainer)["_captured"] = captured


def believing(monkeypatch, waits=(), graph=Played, **settings):
    """A trainer on the CPU that takes it for a GPU."""
    monkeypatch.setattr(graphs, "Graph", graph)
    monkeypatch.setattr(graphs, "PRODUCTS", "highest")  # what they are on a CPU
    monkeypatch.setattr(graphs, "_mend", lambda device: None)
    monkeypatch.setattr(graphs, "_watched", lambda: waiting(list(waits)))
    trainer = game(device="cpu", **settings)
    vars(trainer)["_captured"] = graphs.Captured()
    return trainer


def same(a, b):
    assert_close(a.state_dict(), b.state_dict(), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("settings", "kinds"),
    [
        ({}, {("discriminator_step", False): 4, ("generator_step", False): 4}),
        (
            {"r1": 0.5, "penalty_every": 4, "k": 2},
            {("discriminator_step", True): 4, ("discriminator_step", False): 4, ("generator_step", False): 4},
        ),
        ({"k": 0}, {("discriminator_step", ("learn", False), False): 4, ("generator_step", False): 4}),
        ({"order": "simultaneous"}, {("_simultaneous_step", False): 4}),
    ],
)
def test_each_kind_of_turn_is_noted_after_three(monkeypatch, settings, kinds):
    trainer, plain = believing(monkeypatch, **settings), game(device="cpu", **settings)
    assert_close(play(trainer, 14), play(plain, 14), rtol=0, atol=0)
    assert {name: kind.turns for name, kind in trainer._captured._kinds.items()} == kinds
    assert all(isinstance(kind.graph, Played) for kind in trainer._captured._kinds.values())
    same(trainer, plain)
    assert not copy.deepcopy(trainer)._captured._kinds


def _train_mode(trainer):
    trainer.discriminator.net[2].eval()


def _another_layer(trainer):
    trainer.discriminator.net[1] = nn.ReLU()


def _another_tensor(trainer):
    trainer.generator.net[0].weight.data = trainer.generator.net[0].weight.data.clone()


def _frozen(trainer):
    trainer.generator.net[0].weight.requires_grad_(False)


def _loaded(trainer):
    trainer.load_state_dict(copy.deepcopy(trainer.state_dict()))


def _betas(trainer):
    trainer.optimizer_g.param_groups[0]["betas"] = (0.0, 0.9)


def _setting(name, value):
    return lambda trainer: setattr(trainer, name, value() if callable(value) else value)


NEW = {
    "batch_size": _setting("batch_size", 9),
    "r1": _setting("r1", 0.1),
    "r2": _setting("r2", 0.1),
    "penalty_every": _setting("penalty_every", 3),
    "loss": _setting("loss", losses.relativistic),
    "data": _setting("data", lambda: data.Images(torch.ones(9, 4, 4, dtype=torch.uint8))),
    "latent": _setting("latent", lambda: data.standard_normal(4)),
    "optimizer": lambda trainer: setattr(trainer, "optimizer_d", adam(trainer.discriminator.parameters(), 0.1)),
    "betas": _betas,
    "mode": _train_mode,
    "layer": _another_layer,
    "tensor": _another_tensor,
    "frozen": _frozen,
    "loaded": _loaded,
}


@pytest.mark.parametrize("what", NEW)
def test_what_a_graph_has_fixed_is_noted_anew(what):
    trainer = game(device="cpu")
    play(trainer, 1)
    before, _kept = graphs._fixed(trainer)
    NEW[what](trainer)
    assert before and graphs._fixed(trainer)[0] != before


def test_rates_k_and_the_schedule_are_free():
    trainer = game(device="cpu", steps=30, decay=recipes.cosine)
    play(trainer, 1)
    before, _kept = graphs._fixed(trainer)
    trainer.lr_d, trainer.lr_g, trainer.k, trainer.steps, trainer.decay = 0.1, 0.2, 3, 40, None
    play(trainer, 2)
    assert graphs._fixed(trainer)[0] == before


def test_who_hooks_in_or_draws_by_himself_plays_without(monkeypatch):
    hooked, own = believing(monkeypatch), believing(monkeypatch)
    seen = []
    hooked.discriminator.net[0].register_forward_hook(lambda *call: seen.append(call))

    class Own:
        def sample(self, shape):
            return torch.rand(*shape, 16)

    own.data = Own()
    for trainer in (hooked, own):
        play(trainer, 6)
        assert not trainer._captured._kinds
    assert len(seen) == 6 * 2


class Broken:
    def __init__(self, *what):
        raise RuntimeError("no such graph")


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"waits": ["a wait"]}, "in discriminator_step the host waits for the GPU"),
        ({"graph": Broken}, "in discriminator_step RuntimeError: no such graph"),
    ],
)
def test_where_it_fails_there_is_one_warning_and_the_game_goes_on(monkeypatch, how, message):
    trainer, plain = believing(monkeypatch, **how), game(device="cpu")
    with pytest.warns(UserWarning, match=f"no CUDA graphs, .*: {message}") as warned:
        play(trainer, 12)
    assert len(warned) == 1
    play(plain, 12)
    same(trainer, plain)


def test_the_average_is_torchs():
    with torch.random.fork_rng():
        net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
        ours, theirs = MovingAverage(net, 0.8), AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(0.8))
        for turn in range(6):
            net(torch.randn(5, 3))
            net[0].weight.data.normal_()
            for one in (ours, theirs):
                one.update_parameters(net)
                if turn == 2:
                    one.load_state_dict(copy.deepcopy(one.state_dict()) | {"n_averaged": torch.tensor(0)})
            assert_close(ours.state_dict(), theirs.state_dict(), rtol=0, atol=0)


@pytest.mark.parametrize("law", [data.standard_normal(5), torch.distributions.Normal(3.0, 2.0)], ids=str)
def test_a_law_draws_the_same_without_a_look(law):
    draws = []
    for device in ("cpu", "cuda"):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            draws.append(devices.drawn(law, (20,), torch.device(device)))
    assert_close(*draws)
