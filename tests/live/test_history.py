"""Going back and forward, against the states themselves and against a run that never went back."""

import copy
import types

import pytest
import torch
from torch.testing import assert_close

from gan_lessons import recipes
from gan_lessons.live import history
from gan_lessons.live.history import History


@pytest.fixture
def seconds(monkeypatch):
    """A clock that stands still until told."""
    now = types.SimpleNamespace(at=100.0)
    monkeypatch.setattr(history, "time", types.SimpleNamespace(monotonic=lambda: now.at))
    return now


def rest(state):
    return {name: part for name, part in state.items() if name != "settings"}


@pytest.fixture
def watched(seconds):
    """A trainer, its history, and a function that plays and notes round by round, a second each."""
    trainer = recipes.gaussian(decay=None, average=0.9)
    past, states = History(trainer), {}

    def play(rounds):
        for _ in range(rounds):
            trainer.step()
            note()

    def note():
        seconds.at += 1
        past.note({"mu": trainer.generator.mu.item()})
        states[trainer.steps_done] = copy.deepcopy(trainer.state_dict())

    note()
    return trainer, past, states, play


def test_back_and_forward_bit_by_bit(watched):
    trainer, past, states, play = watched
    play(12)
    assert past.steps == list(range(13))
    for step in (5, 0, 12, 7):
        past.back(step)
        assert_close(rest(trainer.state_dict()), rest(states[step]), rtol=0, atol=0)
        assert past.steps == list(range(13))  # the way forward is open
        assert [note["step"] for note in past.track] == list(range(step + 1))
    before = copy.deepcopy(states)
    play(5)  # once more what happened
    assert_close(rest(trainer.state_dict()), rest(before[12]), rtol=0, atol=0)


def test_numbers_of_a_track_are_those_noted(watched):
    trainer, past, states, play = watched
    play(6)
    assert past.track == [{"step": i, "mu": states[i]["generator"]["mu"].item()} for i in range(7)]
    past.back(3)
    assert past.track[-1] == {"step": 3, "mu": trainer.generator.mu.item()}


def test_back_is_to_the_last_snapshot_before(watched, seconds):
    trainer, past, _, play = watched
    play(3)
    for _ in range(5):  # within half a second: noted, no snapshot
        trainer.step()
        past.note({})
    assert past.steps == [0, 1, 2, 3] and past.track[-1]["step"] == 8
    past.back(2.5)
    assert trainer.steps_done == 2
    assert past.steps == [0, 1, 2, 3, 8]  # the newest, for the way forward
    past.back(-3)
    assert trainer.steps_done == 0
    past.back(100)
    assert trainer.steps_done == 8


def test_settings_stay(watched):
    trainer, past, _, play = watched
    play(4)
    trainer.k, trainer.lr_d, trainer.lr_g, trainer.batch_size = 3, 0.02, 0.5, 8
    past.back(2)
    assert (trainer.k, trainer.lr_d, trainer.lr_g, trainer.batch_size) == (3, 0.02, 0.5, 8)
    assert trainer.steps_done == 2


def test_a_new_branch_forgets_the_old_one(watched):
    trainer, past, states, play = watched
    play(10)
    old = states[5]["generator"]["mu"].item()
    past.back(4)
    trainer.lr_g = 0.5
    play(2)
    assert past.steps == [0, 1, 2, 3, 4, 5, 6]
    assert [note["step"] for note in past.track] == past.steps
    assert past.track[5]["mu"] == states[5]["generator"]["mu"].item() != old
    past.back(10)
    assert trainer.steps_done == 6
    assert_close(rest(trainer.state_dict()), rest(states[6]), rtol=0, atol=0)


def test_a_new_branch_with_longer_strides(watched):
    trainer, past, _, play = watched
    play(10)
    past.back(4)
    for _ in range(3):
        trainer.step()
    past.note({"mu": 0.0})
    assert [note["step"] for note in past.track] == [0, 1, 2, 3, 4, 7]  # 5 and 6 were of the old one


def test_a_turn_without_a_round_replaces_the_note_and_forgets_what_came_later(watched):
    trainer, past, _, play = watched
    play(6)
    past.back(4)
    trainer.generator_step()
    past.note({"mu": -1.0})
    assert past.steps == [0, 1, 2, 3, 4]
    assert [note["step"] for note in past.track] == [0, 1, 2, 3, 4] and past.track[-1]["mu"] == -1


def test_a_trainer_that_went_back_by_itself(watched):
    trainer, past, states, play = watched
    play(10)
    trainer.load_state_dict(states[4])  # as check_finite does
    play(1)
    assert past.steps == [0, 1, 2, 3, 4, 5]
    assert [note["step"] for note in past.track] == past.steps
    past.back(4)
    assert_close(rest(trainer.state_dict()), rest(states[4]), rtol=0, atol=0)


def test_long_runs_are_thinned(watched, seconds, monkeypatch):
    trainer, past, *_ = watched
    monkeypatch.setattr(history, "LONGEST", 60)
    seen = []
    for step in range(1, 700):
        trainer.steps_done = step  # as if it had been played
        trainer.generator.mu.data.fill_(step)
        seconds.at += 0.6
        past.note({"mu": step})
        seen.append(len(past.steps))
        assert past.steps[0] == past.track[0]["step"] == 0 and past.track[-1]["step"] == step
        assert len(past.track) <= 60
    assert max(seen) <= 100 and seen[-1] >= 40
    gaps = torch.tensor(past.steps).diff()
    assert (gaps > 0).all() and gaps.max() <= 40  # over the whole run, not its end alone
    notes = torch.tensor([note["step"] for note in past.track]).diff()
    assert (notes > 0).all() and notes.max() <= 50
    for step in past.steps[1::10]:
        past.back(step)
        assert trainer.generator.mu.item() == step


def test_memory_is_bounded(monkeypatch, seconds):
    trainer = recipes.gaussian_mlp(decay=None, average=0.9)
    trainer.step()
    state = trainer.state_dict()
    tensors = [*state["generator"].values(), *state["discriminator"].values(), *state["averaged"].values()]
    for name in ("optimizer_d", "optimizer_g"):
        tensors += [value for moments in state[name]["state"].values() for value in moments.values()]
    size = sum(tensor.nbytes for tensor in tensors)
    monkeypatch.setattr(history, "BYTES", 30 * size)
    past = History(trainer)
    for _ in range(80):
        seconds.at += 100
        trainer.steps_done += 1
        past.note({})
        assert len(past.steps) * size <= 1.1 * 30 * size
    assert len(past.steps) >= 10
