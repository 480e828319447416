"""Algorithm 1 against a loop written by hand, and what must not break it: interrupts, divergence, a killed process."""

import copy
import math
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from torch.distributions import Independent, Normal
from torch.nn.functional import binary_cross_entropy_with_logits, mse_loss
from torch.nn.utils import parameters_to_vector
from torch.testing import assert_close

from gan_lessons import Trainer, data, losses, recipes
from gan_lessons.models import AffineGenerator, MLPDiscriminator, MLPGenerator, Pack, Standardise, Unstandardise
from gan_lessons.optimizers import RisingMomentum
from gan_lessons.training import stack


def make(batch_norm=False, dropout=0.0, width=8, source=None, **settings):
    """A game small enough to play a thousand rounds of."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        G = MLPGenerator(1, width, width, 1, output=Unstandardise(490.0, 2.0), batch_norm=batch_norm)
        D = MLPDiscriminator(1, width, 1, inputs=Standardise(500.0, 5.0), dropout=dropout)
    defaults = {"latent": Normal(0.0, 1.0), "lr_d": 0.01, "lr_g": 0.005, "batch_size": 16, "device": "cpu"}
    return Trainer(G, D, data.gaussian() if source is None else source, **(defaults | settings))


def play(trainer, rounds=None):
    for _ in trainer.run(rounds):
        pass
    return trainer


def weights(net):
    return parameters_to_vector(net.parameters()).detach().clone()


def assert_identical(a, b):
    """Bit by bit: both players, both optimisers, average, settings, randomness."""
    assert_close(a.state_dict(), b.state_dict(), rtol=0, atol=0)


class Source:
    """The data of lesson 02; `at` the n-th minibatch of training something happens to it."""

    def __init__(self, at=None, happens=None):
        self.seen, self.at, self.happens = [], at, happens

    def sample(self, shape):
        x = data.gaussian().sample(shape)
        if shape != (2,):  # what the trainer tries the players with
            self.seen.append(x)
            if len(self.seen) == self.at:
                x = self.happens(x)
        return x


# -- Algorithm 1 -------------------------------------------------------------------------------------------------------


def algorithm_1(trainer, loss, order, k, rounds, decay):
    """The paper's pseudo-code, once more, on copies of trainer's nets; returns them."""

    def cost(out, label):
        target = torch.full_like(out, label)
        return mse_loss(out, target) / 2 if loss == "least_squares" else binary_cross_entropy_with_logits(out, target)

    def cost_d(real, fake):
        if loss == "relativistic":
            return cost(real - fake, 1.0)
        return cost(real, 1.0) + cost(fake, 0.0)

    def cost_g(fake, real=None):
        if loss == "relativistic":
            return cost(fake - real, 1.0)
        return -cost(fake, 0.0) if loss == "minimax" else cost(fake, 1.0)

    def move(adam, grads, lr, factor):
        adam.param_groups[0]["lr"] = lr * factor
        for weight, grad in zip(adam.param_groups[0]["params"], grads, strict=True):
            weight.grad = grad
        adam.step()

    G, D = copy.deepcopy(trainer.generator), copy.deepcopy(trainer.discriminator)
    w_G, w_D = list(G.parameters()), list(D.parameters())
    adam_g, adam_d = (torch.optim.Adam(w, betas=(0.5, 0.999), foreach=False) for w in (w_G, w_D))
    p_data, p_z, m = Normal(500.0, 5.0), Normal(0.0, 1.0), (16,)
    torch.manual_seed(7)
    for t in range(rounds):
        factor = decay(t / rounds)
        if order == "simultaneous":
            x, z = p_data.sample(m), p_z.sample(m)
            grads_d = torch.autograd.grad(cost_d(D(x), D(G(z).detach())), w_D)
            grads_g = torch.autograd.grad(cost_g(D(G(z)), D(x)), w_G)
            move(adam_d, grads_d, 0.01, factor)
            move(adam_g, grads_g, 0.005, factor)
            continue
        for _ in range(k):
            x, z = p_data.sample(m), p_z.sample(m)
            move(adam_d, torch.autograd.grad(cost_d(D(x), D(G(z).detach())), w_D), 0.01, factor)
        out_fake = D(G(p_z.sample(m)))
        out_real = D(p_data.sample(m)) if loss == "relativistic" else None
        move(adam_g, torch.autograd.grad(cost_g(out_fake, out_real), w_G), 0.005, factor)
    return G, D


@pytest.mark.parametrize("loss", ["non_saturating", "minimax", "least_squares", "relativistic"])
@pytest.mark.parametrize(("order", "k"), [("alternating", 1), ("alternating", 3), ("simultaneous", 1)])
def test_rounds_equal_algorithm_1_written_by_hand(loss, order, k):
    def decay(fraction):
        return 1 - fraction / 2

    trainer = make(loss=losses.NAMED[loss], order=order, k=k, seed=7, steps=12, decay=decay)
    start = weights(trainer.generator)
    G, D = algorithm_1(trainer, loss, order, k, 12, decay)
    play(trainer)
    assert_close(weights(trainer.generator), weights(G), rtol=1e-3, atol=1e-5)
    last = -1 if loss == "relativistic" else None  # the last bias cancels in a pair: Adam steps along rounding errors
    assert_close(weights(trainer.discriminator)[:last], weights(D)[:last], rtol=1e-3, atol=1e-5)
    assert (weights(G) - start).abs().max() > 0.02


def test_what_a_loss_does_not_measure_stays_none():
    history = stack(make(loss=losses.relativistic).run(3))
    assert history.d_real is None and history.d_fake is None
    assert history.loss_d.shape == history.loss_g.shape == (3,)
    trainer = make()
    assert trainer.step().d_real is not None
    trainer.loss = losses.relativistic
    assert trainer.step().d_real is None  # and not what another loss had left there


def test_each_step_of_d_sees_a_fresh_minibatch():
    source, noise = Source(), Source()
    trainer = make(source=source, latent=noise, k=3, batch_size=5)
    play(trainer, 2)
    assert len(source.seen) == 2 * 3 and len(noise.seen) == 2 * (3 + 1)
    for draws in (source.seen, noise.seen):
        assert all(x.shape == (5,) for x in draws)
        assert len(torch.cat(draws).unique()) > 5 * (len(draws) - 1)  # no minibatch comes twice


def test_each_turn_moves_its_own_player_only():
    trainer = make()
    play(trainer, 1)
    G, D = trainer.generator, trainer.discriminator
    for turn, mover, other in ((trainer.generator_step, G, D), (trainer.discriminator_step, D, G)):
        before, moving = weights(other), weights(mover)
        grads = [w.grad.clone() for w in other.parameters()]
        turn()
        assert torch.equal(weights(other), before) and not torch.equal(weights(mover), moving)
        assert all(torch.equal(w.grad, grad) for w, grad in zip(other.parameters(), grads, strict=True))


def test_nothing_flows_back_into_g_in_ds_turn():
    trainer, seen = make(), []
    trainer.discriminator.register_forward_pre_hook(lambda net, inputs: seen.append(inputs[0].requires_grad))
    trainer.discriminator_step()
    assert seen and not any(seen)


def test_simultaneous_order_draws_one_minibatch_of_each():
    source, noise = Source(), Source()
    play(make(source=source, latent=noise, order="simultaneous"), 3)
    assert len(source.seen) == len(noise.seen) == 3


@pytest.mark.parametrize("loss", ["non_saturating", "minimax", "least_squares", "smoothed"])
@pytest.mark.parametrize("logit", [30.0, 0.0, -10.0, -40.0, -120.0])  # at -120 sigmoid is 0 in float32
def test_one_pass_finds_the_gradients_of_two(loss, logit):
    source, noise = Source(), Source()
    loss = losses.smoothed(0.9) if loss == "smoothed" else getattr(losses, loss)
    trainer = make(source=source, latent=noise, loss=loss, order="simultaneous", lr_d=0.0, lr_g=0.0)
    G, D = trainer.generator, trainer.discriminator
    D.net[-1].bias.data.fill_(logit)
    trainer.step()
    ones = [w.grad.double() for w in (*D.parameters(), *G.parameters())]
    G, D, x, z = G.double(), D.double(), source.seen[0].double(), noise.seen[0].double()
    twice = (
        *torch.autograd.grad(loss.discriminator(D(x), D(G(z))), D.parameters()),
        *torch.autograd.grad(loss.generator(None, D(G(z))), G.parameters()),
    )
    for one, two in zip(ones, twice, strict=True):
        assert (one - two).norm() <= 1e-4 * two.norm() + 1e-17


def test_one_pass_with_outputs_of_shape_n_1_and_images():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        G = nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 16), nn.Unflatten(1, (1, 4, 4)))
        D = nn.Sequential(nn.Conv2d(1, 4, 3), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(16, 1))
        x = torch.randn(6, 1, 4, 4)
    source, latent = SimpleNamespace(sample=lambda shape: x[: shape[0]]), Independent(Normal(torch.zeros(3), 1.0), 1)
    rates = {"lr_d": 0.0, "lr_g": 0.0, "batch_size": 6, "device": "cpu"}
    trainer = Trainer(G, D, source, latent=latent, order="simultaneous", **rates)
    norms = copy.deepcopy(G)
    trainer.step()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        z = latent.sample((6,))
    loss = losses.non_saturating.generator(None, D(norms(z)))
    for w, two in zip(G.parameters(), torch.autograd.grad(loss, norms.parameters()), strict=True):
        assert_close(w.grad, two, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("inputs", [nn.Identity(), Pack(2), nn.BatchNorm1d(1)])
def test_data_and_fakes_are_not_mixed_where_d_compares(inputs):
    source, noise = Source(), Source()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        G = MLPGenerator(1, 8, 1, output=Unstandardise(490.0, 2.0))
        wide = 2 if isinstance(inputs, Pack) else 1
        D = nn.Sequential(Standardise(500.0, 5.0), nn.Unflatten(0, (-1, 1)), inputs, nn.Linear(wide, 1))
    trainer = Trainer(G, D, source, latent=noise, lr_d=0.01, lr_g=0.01, batch_size=16, device="cpu")
    D_before = copy.deepcopy(D)
    record = trainer.discriminator_step()
    real, fake = D_before(source.seen[0]), D_before(G(noise.seen[0]))
    assert_close(record.d_real, real.sigmoid().mean().detach())
    assert_close(record.d_fake, fake.sigmoid().mean().detach())


@pytest.mark.parametrize(("r1", "r2"), [(70.0, 0.0), (0.0, 40.0), (70.0, 40.0)])
def test_penalties_are_the_weighted_squares_of_ds_slope(r1, r2):
    source, noise = Source(), Source()
    trainer = make(source=source, latent=noise, r1=r1, r2=r2, lr_d=0.0)
    G, D = trainer.generator, trainer.discriminator
    record = trainer.discriminator_step()
    x, fake = source.seen[0], G(noise.seen[0]).detach()
    h = 0.01 * 5  # of D's unit, a standard deviation
    at_data, at_fakes = ((D(at + h) - D(at - h)) / (2 * h) for at in (x, fake))
    loss = losses.discriminator_loss(D(x), D(fake))
    assert_close(record.loss_d, loss.detach())  # what is recorded compares with the resting line
    penalty = (r1 * (at_data**2).mean() + r2 * (at_fakes**2).mean()) / 2
    grads = torch.autograd.grad(loss + penalty, D.parameters())
    for w, grad in zip(D.parameters(), grads, strict=True):
        assert_close(w.grad, grad, rtol=2e-3, atol=1e-5)
    without = torch.autograd.grad(losses.discriminator_loss(D(x), D(fake)), D.net[0].weight)[0]
    assert not torch.allclose(D.net[0].weight.grad, without, rtol=0.02)


def test_a_rarer_penalty_is_as_many_times_heavier():
    """Four rounds that change nothing: D's gradient has 3 times the penalty's in rounds 0 and 3, and none between."""
    for done in range(4):
        grads = {}
        for every in (1, 3):
            trainer = make(r1=70.0, r2=40.0, penalty_every=every, lr_d=0.0, lr_g=0.0)
            trainer.steps_done = done
            trainer.discriminator_step()
            grads[every] = torch.cat([w.grad.flatten() for w in trainer.discriminator.parameters()])
        trainer = make(lr_d=0.0, lr_g=0.0)
        trainer.discriminator_step()
        bare = torch.cat([w.grad.flatten() for w in trainer.discriminator.parameters()])
        penalty = grads[1] - bare
        assert penalty.norm() > 0.01
        assert_close(grads[3] - bare, 3 * penalty if done % 3 == 0 else torch.zeros_like(bare), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("penalty", ["r1", "r2"])
def test_a_penalty_brings_the_smallest_gan_to_rest(penalty):
    """theta' = -psi/2, psi' = theta/2 - gamma psi near rest: eigenvalues with real part -gamma/2 (Mescheder 2018)."""
    zeros = SimpleNamespace(sample=torch.zeros)
    ends = []
    for gamma in (0.0, 0.4):
        D = nn.Sequential(nn.Unflatten(0, (-1, 1)), nn.Linear(1, 1, bias=False))
        nn.init.zeros_(D[1].weight)
        rates = {"lr_d": 0.05, "lr_g": 0.05, "batch_size": 1, "optimizer": torch.optim.SGD, "device": "cpu"}
        rates[penalty] = gamma
        trainer = Trainer(AffineGenerator(0.1, 0.0), D, zeros, latent=zeros, loss=losses.minimax, **rates)
        play(trainer, 400)
        ends.append(math.hypot(trainer.generator.mu.item(), D[1].weight.item()))
    assert ends[0] == pytest.approx(0.1, rel=0.05)
    assert ends[1] == pytest.approx(0.1 * math.exp(-0.4 / 2 * 0.05 * 400), rel=0.5)


@pytest.mark.parametrize("compare", [nn.BatchNorm1d(8), Pack(2), nn.Softmax(dim=0)])
def test_simultaneous_order_refuses_a_d_that_compares(compare):
    G = MLPGenerator(1, 8, 1, output=nn.Identity())
    D = nn.Sequential(nn.Unflatten(0, (-1, 1)), nn.Linear(1, 8), compare, nn.LazyLinear(1))
    D(torch.randn(4))
    before = copy.deepcopy(D.state_dict())
    with pytest.raises(ValueError, match=r"discriminator: .*one x depends on the other.*'alternating'"):
        Trainer(G, D, data.gaussian(), latent=Normal(0.0, 1.0), lr_d=0.1, lr_g=0.1, batch_size=4, order="simultaneous")
    assert_close(D.state_dict(), before, rtol=0, atol=0)
    Trainer(G, D, data.gaussian(), latent=Normal(0.0, 1.0), lr_d=0.1, lr_g=0.1, batch_size=4).step()


def test_record_is_what_d_and_g_said_before_they_moved():
    source, noise = Source(), Source()
    trainer = make(source=source, latent=noise)
    G, D = copy.deepcopy(trainer.generator), copy.deepcopy(trainer.discriminator)
    record = trainer.step()
    x, z = source.seen[0], noise.seen[0]
    p_real, p_fake = D(x).sigmoid(), D(G(z)).sigmoid()
    assert_close(record.d_real, p_real.mean().detach())
    assert_close(record.d_fake, p_fake.mean().detach())
    assert_close(record.loss_d, -(p_real.log().mean() + (1 - p_fake).log().mean()).detach())
    p_fake = trainer.discriminator(G(noise.seen[1])).sigmoid()  # D has moved, G not yet
    assert_close(record.loss_g, -p_fake.log().mean().detach())


def test_records_are_detached_scalars():
    history = list(make().run(5))
    for record in history:
        assert all(value.shape == () and not value.requires_grad for value in record)
    columns = stack(history)
    assert all(column.shape == (5,) for column in columns)
    assert [x.item() for x in columns.loss_g] == [record.loss_g.item() for record in history]


# -- randomness --------------------------------------------------------------------------------------------------------


def test_same_seed_same_run():
    a, b, c = (play(make(dropout=0.3, seed=seed), 20) for seed in (1, 1, 2))
    assert_identical(a, b)
    assert not torch.equal(weights(a.generator), weights(c.generator))


def test_interleaved_trainers_and_learners_draws_disturb_nothing():
    alone = [play(make(dropout=0.3, batch_norm=True, seed=seed), 10) for seed in (1, 2)]
    torch.manual_seed(5)
    expected = torch.randn(10)
    torch.manual_seed(5)
    a, b = (make(dropout=0.3, batch_norm=True, seed=seed) for seed in (1, 2))
    drawn = []
    for _ in range(10):
        a.step()
        drawn.append(torch.randn(()))
        b.step()
    assert_identical(a, alone[0])
    assert_identical(b, alone[1])
    assert torch.equal(torch.stack(drawn), expected)


def test_turns_one_by_one_are_a_round():
    a, b = play(make(k=2), 3), make(k=2)
    for _ in range(3):
        b.discriminator_step()
        b.discriminator_step()
        b.generator_step()
    assert_close(weights(a.generator), weights(b.generator), rtol=0, atol=0)


@pytest.mark.parametrize("way", [{"k": 1}, {"k": 3, "average": 0.9}, {"k": 0}, {"order": "simultaneous"}])
def test_a_round_is_its_turns(way):
    a, b = make(dropout=0.3, **way), make(dropout=0.3, **way)
    for _ in range(4):
        assert list(b.turns()) == list(range(1, way.get("k", 0) + 1))
        assert a.step() == b.record
        assert_identical(a, b)
    assert b.steps_done == 4


@pytest.mark.parametrize(("k", "after", "turns"), [(5, 2, 5), (2, 4, 4), (0, 1, 1), (3, 3, 3), (4, 3, 4)])
def test_k_counts_as_it_is_at_that_moment(k, after, turns):
    trainer, seen = make(k=max(after, 3)), 0
    for turn in trainer.turns():
        seen += 1
        assert turn == seen == int(trainer.optimizer_d.state_dict()["state"][0]["step"])
        if turn == after:
            trainer.k = k
    assert seen == turns and trainer.steps_done == 1
    assert steps_of(trainer.optimizer_g) == {1} and steps_of(trainer.optimizer_d) == {turns}
    assert len(list(trainer.turns())) == k


def test_settings_count_from_the_next_turn():
    source = Source()
    trainer = make(source=source, k=3)
    for _ in trainer.turns():
        trainer.batch_size += 1
        trainer.lr_d /= 2
    assert [len(x) for x in source.seen] == [16, 17, 18]
    assert trainer.optimizer_d.param_groups[0]["lr"] == 0.01 / 4


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_round_left_unfinished_changes_no_later_one(after):
    a, b = make(k=3), make(k=3)
    turns = a.turns()
    for _ in range(after):
        next(turns)
        b.discriminator_step()
    assert_identical(a, b)  # nothing is done beforehand, and the round does not count yet
    play(a, 2)
    play(b, 2)
    assert_identical(a, b)
    assert a.steps_done == 2
    turns.close()
    assert_identical(a, b)


def test_frozen_d_is_seen_in_turns_too():
    trainer = make(k=0)
    before = weights(trainer.discriminator)
    assert list(trainer.turns()) == []
    assert all(value.isfinite() for value in trainer.record) and torch.equal(weights(trainer.discriminator), before)


def test_turns_are_checked_every_100_rounds():
    trainer = make(k=2)
    trainer.generator.net[0].bias.data[0] = math.nan
    with pytest.raises(FloatingPointError, match="between step 0 and step 100"):
        for _ in range(1000):
            list(trainer.turns())
    assert_identical(trainer, make(k=2))


def test_sampling_disturbs_nothing_and_can_be_repeated():
    watched, alone = make(batch_norm=True, average=0.9), play(make(batch_norm=True, average=0.9), 10)
    for _ in watched.run(10):
        torch.manual_seed(3)
        first = watched.sample(4), watched.sample(4, average=True)
        torch.manual_seed(3)
        assert torch.equal(watched.sample(4), first[0]) and torch.equal(watched.sample(4, average=True), first[1])
        assert watched.generator.training and not first[0].requires_grad
    assert torch.equal(weights(watched.generator), weights(alone.generator))
    assert torch.equal(weights(watched.averaged), weights(alone.averaged))
    assert torch.equal(weights(watched.discriminator), weights(alone.discriminator))


def test_sample_is_g_in_eval_mode():
    trainer = play(make(batch_norm=True), 5)
    torch.manual_seed(3)
    x = trainer.sample(6)
    torch.manual_seed(3)
    z = torch.randn(6)
    assert torch.equal(x, trainer.generator.eval()(z))
    trainer.sample(2)
    assert not trainer.generator.training  # left as found


def test_looking_leaves_each_module_in_its_mode():
    """Also a batch norm that the learner keeps in eval mode."""
    trainer = make(batch_norm=True, average=0.9)
    for G in (trainer.generator, trainer.averaged.module):
        G.net[1].eval()
    modes = [[m.training for m in G.modules()] for G in (trainer.generator, trainer.averaged.module)]
    trainer.sample(3)
    trainer.sample(3, average=True)
    assert [[m.training for m in G.modules()] for G in (trainer.generator, trainer.averaged.module)] == modes


@pytest.mark.parametrize("average", [False, True])
def test_an_interrupt_while_looking_leaves_g_in_training_mode(average):
    trainer = make(batch_norm=True, average=0.9)
    G = trainer.averaged.module if average else trainer.generator
    G.output.register_forward_hook(lambda *_: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        trainer.sample(5, average=average)
    assert all(module.training for module in G.modules())


def test_training_off_the_main_thread():
    a, b = play(make(), 5), make()
    thread = threading.Thread(target=play, args=(b, 5))
    thread.start()
    thread.join()
    assert_identical(a, b)


# -- settings that live ------------------------------------------------------------------------------------------------


def steps_of(optimizer):
    return {int(state["step"]) for state in optimizer.state.values()} or {0}


def test_k_can_change_at_any_moment():
    trainer = make(k=2)
    for k, turns in ((2, 2), (5, 7), (0, 7), (1, 8)):
        trainer.k = k
        record = trainer.step()
        assert steps_of(trainer.optimizer_d) == {turns}
        assert all(value.isfinite() for value in record)
    assert steps_of(trainer.optimizer_g) == {4}


def test_k_0_freezes_d_but_not_g():
    trainer = make(k=0)
    D, G = weights(trainer.discriminator), weights(trainer.generator)
    record = play(trainer, 3).record
    assert torch.equal(weights(trainer.discriminator), D)
    assert (weights(trainer.generator) != G).any()
    assert all(value.isfinite() for value in record)


def test_rates_change_and_adams_moments_survive():
    trainer = play(make(), 10)
    adam, weight = trainer.optimizer_d, trainer.discriminator.net[0].weight
    trainer.lr_d, before = 0.5, weight.detach().clone()
    m, v = adam.state[weight]["exp_avg"].clone(), adam.state[weight]["exp_avg_sq"].clone()
    trainer.discriminator_step()
    g = weight.grad  # Adam written out, 11th step
    m, v = 0.5 * m + 0.5 * g, 0.999 * v + 0.001 * g**2
    step = 0.5 * (m / (1 - 0.5**11)) / ((v / (1 - 0.999**11)).sqrt() + 1e-8)
    assert_close(weight.detach(), before - step, rtol=1e-4, atol=1e-5)


def test_rate_0_moves_nothing():
    trainer = make(lr_g=0)
    G = weights(trainer.generator)
    assert torch.equal(weights(play(trainer, 3).generator), G)


def test_rate_used_is_rate_times_decay():
    trainer = make(steps=10, decay=lambda fraction: 1 - 0.9 * fraction)
    for t in range(12):
        trainer.lr_g = 0.001 * (t + 1)  # as a slider would
        trainer.step()
        factor = max(1 - 0.9 * t / 10, 0.1)  # beyond its end the schedule stays at its last value
        assert trainer.optimizer_d.param_groups[0]["lr"] == pytest.approx(0.01 * factor)
        assert trainer.optimizer_g.param_groups[0]["lr"] == pytest.approx(0.001 * (t + 1) * factor)
        assert (trainer.lr_d, trainer.lr_g) == (0.01, 0.001 * (t + 1))


def test_numpys_numbers_are_numbers(tmp_path):
    trainer = make()
    trainer.k, trainer.batch_size, trainer.lr_d = np.int64(2), np.int32(4), np.float32(0.5)
    play(trainer, 1).save(tmp_path / "a.pt")
    assert_identical(make().load(tmp_path / "a.pt"), trainer)
    assert (trainer.k, trainer.batch_size, trainer.lr_d) == (2, 4, 0.5)


def test_batch_size_can_change():
    source = Source()
    trainer = make(source=source)
    for size in (16, 3, 40):
        trainer.batch_size = size
        trainer.step()
    assert [len(x) for x in source.seen] == [16, 3, 40]


def test_run_without_steps_is_the_rest_of_the_schedule():
    trainer = make(steps=8)
    assert len(list(trainer.run(3))) == 3
    assert len(list(trainer.run())) == 5
    assert len(list(trainer.run())) == 0 and trainer.steps_done == 8
    assert len(list(trainer.run(2))) == 2 and trainer.steps_done == 10


def test_a_schedule_that_is_over_says_so():
    """A rate that has decayed to 0 moves nothing: one is told, and what to do helps."""
    trainer = play(make(steps=8, decay=recipes.cosine))
    trainer.data = Normal(520.0, 5.0)
    before = copy.deepcopy(trainer.state_dict())
    with pytest.raises(ValueError, match=r"^steps: the schedule of 8 is over.*\.steps.*\.decay None$"):
        play(trainer, 300)
    assert_close(trainer.state_dict(), before, rtol=0, atol=0)
    trainer.steps = 20
    play(trainer, 2)
    assert trainer.optimizer_g.param_groups[0]["lr"] == pytest.approx(0.005 * recipes.cosine(9 / 20))
    trainer.decay = None
    play(trainer, 30)
    assert trainer.steps_done == 40 and trainer.optimizer_g.param_groups[0]["lr"] == 0.005


def test_a_layer_may_be_frozen():
    trainer = make()
    trainer.discriminator.net[0].weight.requires_grad_(False)
    before = copy.deepcopy(trainer.discriminator.state_dict())
    play(trainer, 3)
    after = trainer.discriminator.state_dict()
    assert torch.equal(after["net.0.weight"], before["net.0.weight"])
    assert not torch.equal(after["net.2.weight"], before["net.2.weight"])


def test_another_optimiser_may_take_over():
    trainer = play(make(), 2)
    trainer.optimizer_g = torch.optim.SGD(trainer.generator.parameters(), lr=1.0)
    before = weights(trainer.generator)
    play(trainer, 1)
    gradient = torch.cat([w.grad.flatten() for w in trainer.generator.parameters()])
    assert_close(weights(trainer.generator), before - trainer.lr_g * gradient)


# -- moving average ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["alternating", "simultaneous"])
def test_moving_average(order):
    trainer, history = make(average=0.8, order=order), []
    for _ in trainer.run(12):
        history.append(weights(trainer.generator))
    closed = 0.8**11 * history[0] + sum(0.2 * 0.8 ** (11 - t) * history[t] for t in range(1, 12))
    assert_close(weights(trainer.averaged), closed, rtol=1e-4, atol=1e-6)
    assert not torch.allclose(closed, history[-1], rtol=1e-3)


def test_averaged_generator_has_batch_norm_statistics_of_its_own():
    trainer = play(make(batch_norm=True, average=0.95, lr_g=0.2), 100)
    trainer.sample(1, average=True)
    G = trainer.averaged.module
    z = Normal(0.0, 1.0).sample((20_000, 1))
    first, norm1, tanh, second, norm2, *_ = G.net
    with torch.no_grad():
        before1 = first(z)
        before2 = second(tanh((before1 - before1.mean(0)) / before1.std(0) * norm1.weight + norm1.bias))
        for before, norm in ((before1, norm1), (before2, norm2)):
            off = (norm.running_mean - before.mean(0)) / before.std(0)
            assert off.abs().max() < 5 / math.sqrt(1000)  # they come from 1,000 draws
            assert_close(norm.running_var, before.var(0), rtol=0.3, atol=0)
        raw = trainer.generator.net[4]  # G's own would not have done
        assert ((raw.running_mean - before2.mean(0)) / before2.std(0)).abs().max() > 5 / math.sqrt(1000)


# -- interrupts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [4, 5, 6])  # the first, second and third step of D in the second round
def test_an_interrupt_arrives_after_the_round(at):
    def ctrl_c(x):
        os.kill(os.getpid(), signal.SIGINT)
        return x

    handler = signal.getsignal(signal.SIGINT)
    trainer = make(source=Source(at, ctrl_c), k=3)
    with pytest.raises(KeyboardInterrupt):
        play(trainer, 10)
    assert signal.getsignal(signal.SIGINT) is handler
    assert trainer.steps_done == 2
    assert steps_of(trainer.optimizer_d) == {6} and steps_of(trainer.optimizer_g) == {2}
    assert_identical(play(trainer, 8), play(make(k=3), 10))


# -- divergence --------------------------------------------------------------------------------------------------------


def test_data_turned_nan_brings_the_last_good_state_back():
    source = Source(150, lambda x: x * math.nan)
    trainer = play(make(source=source, average=0.9), 120)
    trainer.k, trainer.lr_d, trainer.lr_g, trainer.batch_size = 2, 0.02, 0.03, 8
    with pytest.raises(FloatingPointError, match=r"loss_d .*between step 100 and step 200.*lr_d or lr_g"):
        play(trainer, 500)
    assert (trainer.k, trainer.lr_d, trainer.lr_g, trainer.batch_size) == (2, 0.02, 0.03, 8)  # the learner's
    good = play(make(average=0.9), 100)
    good.k, good.lr_d, good.lr_g, good.batch_size = 2, 0.02, 0.03, 8
    assert_identical(trainer, good)
    assert_identical(play(trainer, 20), play(good, 20))


def test_absurd_rate():
    trainer = make()
    for _ in range(2):  # the last good state stays good
        trainer.lr_g = 1e38
        with pytest.raises(FloatingPointError, match=r"between step 0 and step 100"):
            play(trainer, 1000)
        assert trainer.steps_done == 0
        trainer.lr_g = 0.005
        assert_identical(trainer, make())
    assert_identical(play(trainer, 110), play(make(), 110))


def test_broken_weights_are_named():
    trainer = play(make(), 3)
    trainer.discriminator.net[0].bias.data[2] = math.inf
    with pytest.raises(FloatingPointError, match=r"^discriminator\.net\.0\.bias .*between step 0 and step 3"):
        trainer.check_finite()
    assert_identical(trainer, make())


def test_save_refuses_what_is_not_finite(tmp_path):
    trainer, path = play(make(), 3), tmp_path / "checkpoint.pt"
    trainer.save(path)
    old = path.read_bytes()
    trainer.generator.net[0].weight.data[0] = math.nan
    with pytest.raises(FloatingPointError, match="generator"):
        trainer.save(path)
    assert path.read_bytes() == old and os.listdir(tmp_path) == ["checkpoint.pt"]


# -- save, load, damage ------------------------------------------------------------------------------------------------

WAYS = {
    "adam, decay, average": {"steps": 30, "decay": recipes.cosine, "average": 0.9, "dropout": 0.3, "batch_norm": True},
    "rising momentum": {"optimizer": lambda params, lr: RisingMomentum(params, lr, over=20), "lr_g": 1e-4},
    "simultaneous": {"order": "simultaneous", "dropout": 0.3},
}


@pytest.mark.parametrize("way", WAYS)
def test_resume_is_bit_exact(tmp_path, way):
    trainer = make(seed=4, **WAYS[way])
    play(trainer, 10)
    if trainer.order == "alternating":
        trainer.k = 2
    trainer.save(tmp_path / "a.pt")
    fresh = make(seed=5, **WAYS[way])
    torch.randn(3)
    assert fresh.load(tmp_path / "a.pt") is fresh
    assert_identical(fresh, trainer)
    assert_identical(play(fresh, 20), play(trainer, 20))
    assert fresh.steps_done == 30 and fresh.seed == 4


def test_one_state_can_be_gone_back_to_twice():
    trainer = play(make(average=0.9), 5)
    state = copy.deepcopy(trainer.state_dict())
    first = copy.deepcopy(play(trainer, 5).state_dict())
    for _ in range(2):
        trainer.load_state_dict(state)
        assert_close(play(trainer, 5).state_dict(), first, rtol=0, atol=0)


def test_a_failed_write_leaves_the_old_file(tmp_path):
    resource = pytest.importorskip("resource")
    trainer, path = play(make(), 3), tmp_path / "checkpoint.pt"
    trainer.save(path)
    old, limit = path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(old) // 2, limit[1]))  # the disk is full halfway
    try:
        with pytest.raises((OSError, RuntimeError)):
            play(trainer, 3).save(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert path.read_bytes() == old and os.listdir(tmp_path) == ["checkpoint.pt"]
    trainer.save(path)
    assert_identical(make().load(path), trainer)


def flipped(path):
    raw = bytearray(path.read_bytes())
    entry = max(zipfile.ZipFile(path).infolist(), key=lambda entry: entry.file_size * ("/data/" in entry.filename))
    raw[raw.index(b"FB", entry.header_offset) + 80] ^= 1  # after its padding: the tensor's own bytes
    path.write_bytes(raw)


DAMAGES = {
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-500]),
    "half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "empty": lambda path: path.write_bytes(b""),
    "a byte of a tensor": flipped,
    "a text": lambda path: path.write_text("not a checkpoint"),
    "another torch file": lambda path: torch.save({"generator": torch.ones(3)}, path),
    "a tensor": lambda path: torch.save(torch.ones(3), path),
    "another pickle": lambda path: torch.save({"generator": make}, path),
    "missing": lambda path: path.unlink(),
}


def test_what_could_not_be_read_back_is_not_written(tmp_path):
    path, trainer = tmp_path / "checkpoint.pt", play(make(), 2)
    trainer.save(path)
    old = path.read_bytes()
    trainer.optimizer_d.param_groups[0]["eps"] = np.float64(1e-8)  # behind the trainer's back
    with pytest.raises(ValueError, match=r"^checkpoint: holds what could not be read back"):
        trainer.save(path)
    assert path.read_bytes() == old and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_checkpoints_are_named_and_nothing_is_touched(tmp_path, damage):
    path = tmp_path / "checkpoint.pt"
    play(make(), 4).save(path)
    DAMAGES[damage](path)
    trainer = play(make(seed=1), 2)
    before = copy.deepcopy(trainer.state_dict())
    with pytest.raises(FileNotFoundError if damage == "missing" else ValueError, match=str(path)):
        trainer.load(path)
    assert_close(trainer.state_dict(), before, rtol=0, atol=0)


def test_no_flipped_byte_gets_through(tmp_path):
    path = tmp_path / "checkpoint.pt"
    saved = play(make(width=2), 2)
    saved.save(path)
    whole = path.read_bytes()
    trainer = make(width=2)
    for at in range(0, len(whole), 37):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        try:
            trainer.load(path)
        except ValueError as error:
            assert str(path) in str(error)
        else:
            assert_identical(trainer, saved)  # a byte that carries nothing


@pytest.mark.parametrize(
    ("settings", "entry"),
    [
        ({"width": 9}, r"generator\.net\.0\.weight"),
        ({"batch_norm": True}, r"generator\.net\.1\.weight"),
        ({"average": 0.9}, r"averaged\."),
        (
            {"optimizer": partial(RisingMomentum, over=20)},
            "optimizer_d, where it has Adam and this trainer RisingMomentum",
        ),
    ],
)
def test_a_checkpoint_of_another_recipe_names_the_first_entry(tmp_path, settings, entry):
    path = tmp_path / "checkpoint.pt"
    play(make(), 4).save(path)
    trainer = play(make(**settings), 2)
    before = copy.deepcopy(trainer.state_dict())
    with pytest.raises(ValueError, match=f"checkpoint: does not fit at {entry}.*same recipe"):
        trainer.load(path)
    assert_close(trainer.state_dict(), before, rtol=0, atol=0)


def test_a_checkpoint_whose_settings_do_not_fit_touches_nothing(tmp_path):
    path = tmp_path / "checkpoint.pt"
    play(make(k=2), 4).save(path)
    trainer = play(make(order="simultaneous"), 2)
    before = copy.deepcopy(trainer.state_dict())
    with pytest.raises(ValueError, match=r"k: got 2.*simultaneous"):
        trainer.load(path)
    assert_close(trainer.state_dict(), before, rtol=0, atol=0)


@pytest.mark.slow
def test_a_killed_run_goes_on_as_if_it_had_not_been(tmp_path):
    code = """
import pathlib, sys, torch
from gan_lessons import data, recipes
torch.set_num_threads(1)
path = pathlib.Path(sys.argv[1])
trainer = recipes.mnist_quick(data=data.mnist("train")[:2000], batch_size=20, steps=300, device="cpu")
if path.exists():
    print("resumed at", trainer.load(path).steps_done)
for _ in trainer.run():
    if trainer.steps_done % 20 == 0:
        trainer.save(path)
"""
    paths = {name: tmp_path / f"{name}.pt" for name in ("whole", "killed")}
    runs = {name: subprocess.Popen([sys.executable, "-c", code, str(path)]) for name, path in paths.items()}
    deadline = time.monotonic() + 120
    while not paths["killed"].exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    runs["killed"].send_signal(signal.SIGKILL)
    assert runs["killed"].wait() == -signal.SIGKILL
    resumed = subprocess.run([sys.executable, "-c", code, str(paths["killed"])], capture_output=True, text=True)
    assert resumed.returncode == 0, resumed.stderr
    assert 20 <= int(resumed.stdout.split()[-1]) < 300
    assert runs["whole"].wait() == 0
    a, b = (torch.load(path, weights_only=True) for path in paths.values())
    assert a["steps_done"] == 300
    assert_close(a, b, rtol=0, atol=0)


# -- arguments that do not fit -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"order": "random"}, "order: got 'random'"),
        ({"loss": "minimax"}, "loss: got 'minimax'"),
        ({"average": "x"}, "average: got 'x'"),
        ({"seed": 1.5}, r"seed: got 1\.5"),
        ({"average": 1.0}, r"average: got 1\.0"),
        ({"average": -0.1}, r"average: got -0\.1"),
        ({"decay": recipes.cosine}, "steps: got None"),
        ({"steps": 0}, "steps: got 0"),
        ({"steps": 10.5}, r"steps: got 10\.5"),
        ({"k": 2, "order": "simultaneous"}, "k: got 2.*simultaneous"),
        ({"k": 0, "order": "simultaneous"}, "k: got 0.*simultaneous"),
        ({"r1": -1.0}, r"r1: got -1\.0; it must be a finite number >= 0"),
        ({"r1": 1.0, "order": "simultaneous"}, r"r1: got 1\.0; order='simultaneous'"),
        ({"r2": 1.0, "order": "simultaneous"}, r"r2: got 1\.0; order='simultaneous'"),
        ({"r2": math.nan}, r"r2: got nan; it must be a finite number >= 0"),
        ({"device": "cuda"}, r"device: got 'cuda'.*'cpu'"),
        ({"device": "tpu"}, r"device: got 'tpu'.*'cpu'"),
        ({"latent": Independent(Normal(torch.zeros(3), 1.0), 1)}, r"generator: does not take input of shape \(2, 3\)"),
        ({"latent": torch.randn}, r"latent: got <built-in method randn.*\.sample"),
        ({"latent": torch.ones(50)}, r"latent: got a Tensor of shape \(50,\).*\.sample"),
        ({"source": data.ring()}, r"generator: makes shape \(2,\).*shape \(2, 2\)"),
    ],
)
def test_wrong_arguments(settings, message):
    with pytest.raises(ValueError, match=message):
        make(**settings)


@pytest.mark.parametrize(
    ("D", "message"),
    [
        (MLPDiscriminator(1, 8, 2), r"discriminator: returns shape \(2, 2\)"),
        (MLPDiscriminator(3, 8, 1), r"discriminator: does not take input of shape \(2,\)"),
    ],
)
def test_wrong_discriminator(D, message):
    G = MLPGenerator(1, 8, 1, output=nn.Identity())
    with pytest.raises(ValueError, match=message):
        Trainer(G, D, data.gaussian(), latent=Normal(0.0, 1.0), lr_d=0.1, lr_g=0.1, batch_size=4)


def test_wrong_calls():
    trainer = make()
    for call, message in (
        (lambda: trainer.run(), "steps: got None"),
        (lambda: trainer.run(-1), "steps: got -1"),
        (lambda: trainer.run(1.5), r"steps: got 1\.5"),
        (lambda: trainer.sample(0), "n: got 0"),
        (lambda: trainer.sample(2.0), r"n: got 2\.0"),
        (lambda: trainer.sample(3, average=True), "average: got True"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    simultaneous = make(order="simultaneous")
    with pytest.raises(ValueError, match=r"k: got 3.*simultaneous"):
        simultaneous.k = 3


def test_a_refused_player_is_left_as_it_was():
    G, D = MLPGenerator(1, 8, 1, output=nn.Identity()), MLPDiscriminator(1, 8, 2)
    torch.manual_seed(0)
    expected = torch.randn(3)
    torch.manual_seed(0)
    with pytest.raises(ValueError, match="discriminator"):
        Trainer(G, D, data.gaussian(), latent=Normal(0.0, 1.0), lr_d=0.1, lr_g=0.1, batch_size=4)
    assert torch.equal(torch.randn(3), expected)
    assert G.training and D.training
