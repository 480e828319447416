"""Every game of a sweep against its twin, a Trainer of its own."""

import math
import signal
import threading

import numpy as np
import pytest
import torch
from torch.nn.utils import parameters_to_vector
from torch.testing import assert_close

from gan_lessons import data, losses, recipes, sweep

LOSSES = {name: loss for name, loss in losses.NAMED.items() if not loss.needs_real}
LOSSES["smoothed"] = losses.smoothed(0.9)


def path_of(trainer, rounds):
    """mu, sigma and D's loss of a Trainer after each of so many rounds played, (3, len(rounds))."""
    path = []
    for _ in trainer.run(rounds[-1]):
        if trainer.steps_done in rounds:
            path.append([trainer.generator.mu.item(), trainer.generator.sigma.item(), trainer.record.loss_d.item()])
    return torch.tensor(path).T


def game(result, *at):
    return torch.stack([result.mu[at], result.sigma[at], result.loss_d[at]])


def assert_same_sweep(a, b):
    for x, y in zip(a, b, strict=True):
        assert torch.equal(x, y) if isinstance(x, torch.Tensor) else x == y


# -- the same rounds as Trainer ----------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(("k", "lr_g", "seed"), [(0, 0.1, 7), (1, 0.05, 0), (3, 0.25, 4)])
def test_path_is_the_trainers(k, lr_g, seed):
    result = sweep.run([3, 0, 1], [0.25, 0.05, 0.1], [7, 4, 0], lr_d=0.01, steps=300)
    at = result.k.index(k), result.lr_g.index(lr_g), result.seeds.index(seed)
    twin = path_of(recipes.gaussian(seed, k=k, lr_g=lr_g, decay=None), result.rounds.tolist())
    assert_close(game(result, *at)[:, :5], twin[:, :5], rtol=1e-5, atol=1e-5)
    assert_close(game(result, *at), twin, rtol=1e-5, atol=1e-3)  # the game enlarges what float32 rounds


@pytest.mark.parametrize("name", LOSSES)
def test_weights_and_moments_are_the_trainers(name):
    """Of the second rate and seed of 2 x 2."""
    games = sweep._Games(2, 0.005, (0.3, 0.1), (3, 5), LOSSES[name])
    games.play(40)
    twin = recipes.gaussian(5, k=2, lr_d=0.005, lr_g=0.1, decay=None, loss=LOSSES[name])
    path_of(twin, [40])
    for mine, theirs, net in (
        (games.D, twin.optimizer_d, twin.discriminator),
        (games.G, twin.optimizer_g, twin.generator),
    ):
        state = [theirs.state[w] for w in net.parameters()]
        assert mine.t == state[0]["step"] == (80 if net is twin.discriminator else 40)
        assert_close(mine.weights[3], parameters_to_vector(net.parameters()).detach(), rtol=1e-4, atol=1e-5)
        for moment, key in ((mine.m, "exp_avg"), (mine.v, "exp_avg_sq")):
            vector = parameters_to_vector([s[key] for s in state])
            assert_close(moment[3], vector, rtol=1e-3, atol=1e-5 * vector.abs().max().item())


def test_last_notes_need_not_be_ten_rounds_apart():
    result = sweep.run([1], [0.1], [2], steps=13)
    assert result.rounds.tolist() == [10, 13]
    twin = path_of(recipes.gaussian(2, lr_d=0.001, lr_g=0.1, decay=None), [10, 13])
    assert_close(game(result, 0, 0, 0), twin, rtol=1e-5, atol=1e-5)


def test_frozen_discriminator_stays_and_is_watched():
    games = sweep._Games(0, 0.01, (0.1,), (0, 1), losses.non_saturating)
    before = games.D.weights.clone()
    loss_d = games.play(20)[2]
    assert torch.equal(games.D.weights, before) and games.D.t == 0
    assert (loss_d > 0).all() and not torch.equal(games.G.weights[:, 0], torch.full((2,), 480.0))


# -- around the games --------------------------------------------------------------------------------------------------


def test_same_seed_same_sweep_whatever_else_draws_and_with_any_threads():
    def play():
        return sweep.run([1, 4, 2], [0.1, 0.3], [0, 1], steps=30)

    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = play()
    assert torch.equal(torch.get_rng_state(), before)
    torch.randn(5)
    try:
        torch.set_num_threads(2)
        assert_same_sweep(play(), first)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)


def test_a_game_does_not_depend_on_its_neighbours():
    many, one = sweep.run([4, 2], [0.3, 0.1], [1, 9], steps=50), sweep.run([2], [0.1], [9], steps=50)
    assert_close(game(many, 1, 1, 1), game(one, 0, 0, 0), rtol=1e-5, atol=1e-5)


def test_an_interrupt_stops_it_and_leaves_nothing_behind():
    before, threads = torch.get_rng_state(), threading.active_count()
    timer = threading.Timer(0.5, signal.raise_signal, [signal.SIGINT])
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            sweep.run([5], [0.1], [0], steps=20_000)
    finally:
        timer.join()
    assert torch.get_num_threads() == 1 and torch.equal(torch.get_rng_state(), before)
    assert threading.active_count() == threads


def test_a_game_that_breaks_leaves_the_others_alone():
    with_it, without = (sweep.run([1], rates, [0], steps=50) for rates in ([1e38, 0.1], [0.1]))
    assert (sweep.classify(with_it)[0, 0] == "diverged").all()
    assert_close(game(with_it, 0, 1), game(without, 0, 0), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        *(("k", bad) for bad in (3, [], [-1], [1.5])),
        *(("lr_g", bad) for bad in (0.1, [], [-0.1], [math.nan], [math.inf])),
        *(("seeds", bad) for bad in (5, [], [-1])),
        *(("lr_d", bad) for bad in (-1, math.inf, [0.1])),
        *(("steps", bad) for bad in (0, 1.5)),
        ("loss", losses.discriminator_loss),
    ],
)
def test_bad_arguments_are_named(name, bad):
    with pytest.raises(ValueError, match=f"^{name}: got"):
        sweep.run(**({"k": [1], "lr_g": [0.1]} | {name: bad}))


# -- what became of them -----------------------------------------------------------------------------------------------

T = torch.arange(60)
SAY = {
    "found": (500 + 0.5 * torch.sin(T), 5 + 0.5 * torch.cos(T), 1.386),
    "found, mirrored": (500 + 0 * T, -5 + 0 * T, 1.386),
    "found late": (480 + 20 * (T / 39).clamp(max=1), 1 + 4 * (T / 39).clamp(max=1), 1.386),
    "found, but for 2 notes of 20": (500 + 3.0 * (T >= 58), 5 + 0 * T, 1.386),
    "oscillating: 3 notes of 20 are too many": (500 + 3.0 * (T >= 57), 5 + 0 * T, 1.386),
    "oscillating": (500 + 3 * torch.sin(T), 5 + 3 * torch.cos(T), 1.386),
    "oscillating in width alone": (500 + 0.1 * torch.sin(T), 5 + 3 * torch.cos(T / 5), 1.386),
    "collapsed": (500 + 3 * torch.sin(T), 0.1 * torch.cos(T), 1.386),
    "collapsed, on one side": (490 + 0 * T, 0.1 + 0 * T, 0.3),
    "not there yet": (480 + 0.01 * T, 2 + 0 * T, 0.1),
    "not there yet, from above": (520 - 0.01 * T, 2 + 0 * T, 0.1),
    "oscillating where D cannot tell": (490 + 0 * T, 5 + 0 * T, 1.4),
    "diverged": (500 + 10 * T * torch.sin(T), 5 + 0 * T, 0.5),
    "diverged in width alone": (500 + torch.sin(T), 1.0 + T, 0.5),
    "diverged to nan": (torch.where(T > 50, math.nan, 500.0), 5 + 0 * T, 1.386),
    "diverged to nan in width": (500 + 0 * T, torch.where(T > 50, math.nan, 5.0), 1.386),
    "diverged to infinity": (torch.where(T > 50, math.inf, 500.0), 5 + 0 * T, 1.386),
}


def made_up(*paths):
    mu, sigma, loss_d = (torch.stack(part)[None, :, None].float() for part in zip(*paths, strict=True))
    return sweep.Result((1,), (0.1,) * len(paths), 0.001, (0,), math.log(4), T, mu, sigma, loss_d)


def test_rules():
    result = made_up(*((mu.float(), sigma.float(), torch.full((60,), loss)) for mu, sigma, loss in SAY.values()))
    said = dict(zip(SAY, sweep.classify(result)[0, :, 0].tolist(), strict=True))
    assert said == {name: next(label for label in sweep.LABELS if name.startswith(label)) for name in SAY}


def test_the_first_two_thirds_do_not_count():
    wild = torch.where(T < 40, 600.0, 500.0)
    assert sweep.classify(made_up((wild, 5.0 + 0 * T, 1.386 + 0 * T))).item() == "found"
    wild[40] = 600
    assert sweep.classify(made_up((wild, 5.0 + 0 * T, 1.386 + 0 * T))).item() == "diverged"


def test_commonest():
    f, o, c, w, d = sweep.LABELS
    labels = np.array([[[f, f, d], [o, c, c], [w, d, f]], [[f, f, f], [d, w, w], [c, o, f]]])
    assert sweep.commonest(labels).tolist() == [[f, c, d], [f, w, c]]


@pytest.mark.slow
def test_regimes_are_there():
    """Corners of the map with lr_d = 0.001, each far from its neighbours' borders, 3 seeds."""
    result = sweep.run([0, 1, 8], [0.02, 0.2, 1.0, 100.0], steps=500)
    labels = sweep.commonest(sweep.classify(result))
    assert (labels[:, 3] == "diverged").all()
    assert labels[1:, 0].tolist() == ["not there yet"] * 2
    assert labels[2, 1] == "found" and labels[1, 2] == "collapsed"
    end = result.mu[2, 1, :, -1], result.sigma[2, 1, :, -1]
    assert_close(end[0], torch.full((3,), data.gaussian().mean.item()), rtol=0, atol=1.0)
    assert_close(end[1].abs(), torch.full((3,), 5.0), rtol=0, atol=1.0)


def test_a_loss_that_compares_is_refused():
    with pytest.raises(ValueError, match=r"loss: got relativistic; .* fakes alone"):
        sweep.run([1], [0.1], loss=losses.relativistic, steps=1)
