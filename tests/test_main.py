"""`python -m gan_lessons`, in this process, with a recipe of 40 small steps."""

import os
import signal
import sys
from functools import partial

import matplotlib.pyplot as plt
import pytest
import torch
from torch.testing import assert_close

from gan_lessons import __main__ as cli
from gan_lessons import data, recipes


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the command in an empty folder, over data of choice."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(recipes, "EPOCH", 15)

    def command(*words, source=None):
        tiny = partial(recipes.mnist_quick, data=source or data.mnist("train")[:2000], batch_size=20, steps=40)
        monkeypatch.setattr(cli, "RECIPES", {"mnist_quick": tiny, "mnist": recipes.mnist})
        monkeypatch.setattr(sys, "argv", ["gan_lessons", *words])
        cli.main()

    return command


class Source:
    """Digits; at the n-th minibatch of training something happens."""

    def __init__(self, at, happens):
        self.left, self.happens = at, happens

    def sample(self, shape):
        x = data.mnist("train")[:2000].sample(shape)
        self.left -= shape != (2,)
        return self.happens(x) if self.left == 0 else x


def ctrl_c(x):
    os.kill(os.getpid(), signal.SIGINT)
    return x


def load(path):
    return torch.load(path, weights_only=True)


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_trains_saves_and_draws(run, tmp_path, capsys):
    run("mnist_quick", "--out", "a/b", "--seed", "3")
    out = tmp_path / "a" / "b"
    assert sorted(os.listdir(out)) == ["checkpoint.pt", "samples.png"]
    picture = plt.imread(out / "samples.png")
    assert picture.ndim == 3 and min(picture.shape[:2]) > 300 and picture.std() > 0.1
    state = load(out / "checkpoint.pt")
    assert state["steps_done"] == 40 and state["settings"]["seed"] == 3
    printed = capsys.readouterr().out
    assert "step 0 of 40" in printed and "seed 3" in printed and "cpu" in printed
    assert "samples.png" in printed and "checkpoint.pt" in printed


def test_the_same_command_again_trains_no_more(run, tmp_path, capsys):
    run("mnist_quick")
    out = tmp_path / "runs" / "mnist_quick-seed0"
    before = contents(out)
    capsys.readouterr()
    run("mnist_quick")
    assert contents(out) == before
    assert "step 40 of 40" in capsys.readouterr().out


def test_an_interrupted_run_goes_on_bit_by_bit(run, tmp_path, capsys):
    run("mnist_quick", "--out", "whole")
    with pytest.raises(SystemExit, match=r"Stopped at step 22; the same command goes on") as stop:
        run("mnist_quick", "--out", "stopped", source=Source(22, ctrl_c))
    assert stop.value.code not in (0, None)
    assert load("stopped/checkpoint.pt")["steps_done"] == 22
    capsys.readouterr()
    run("mnist_quick", "--out", "stopped")
    assert "step 22 of 40" in capsys.readouterr().out
    assert_close(load("stopped/checkpoint.pt"), load("whole/checkpoint.pt"), rtol=0, atol=0)
    a, b = (plt.imread(tmp_path / folder / "samples.png") for folder in ("whole", "stopped"))
    assert (a == b).all()


def test_a_killed_run_has_saved_every_epoch(run):
    def die(x):
        raise MemoryError

    with pytest.raises(MemoryError):
        run("mnist_quick", "--out", "killed", source=Source(37, die))
    assert load("killed/checkpoint.pt")["steps_done"] == 30  # two epochs of 15


def test_divergence_ends_with_the_message(run):
    with pytest.raises(SystemExit, match=r"nan or infinite between step 0 and step 15") as stop:
        run("mnist_quick", "--out", "diverged", source=Source(5, lambda x: x * torch.nan))
    assert stop.value.code not in (0, None)
    assert not os.path.exists("diverged/checkpoint.pt")


def refused(run, capsys, *words):
    """What the command says when it exits with 2."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as stop:
        run(*words)
    assert stop.value.code == 2
    return capsys.readouterr().err


def test_refuses_another_seed_for_the_folder(run, capsys, tmp_path):
    run("mnist_quick", "--out", "a")
    before = contents(tmp_path)
    message = refused(run, capsys, "mnist_quick", "--out", "a", "--seed", "1")
    assert "--seed: got 1" in message and "begun with 0" in message and "checkpoint.pt" in message
    assert contents(tmp_path) == before


def test_refuses_a_checkpoint_of_another_recipe(run, capsys, tmp_path):
    run("mnist_quick", "--out", "a")
    before = contents(tmp_path)
    message = refused(run, capsys, "mnist", "--out", "a")
    assert "generator.net.0.weight" in " ".join(message.split())
    assert contents(tmp_path) == before


def test_refuses_a_damaged_checkpoint(run, capsys, tmp_path):
    run("mnist_quick", "--out", "a")
    path = tmp_path / "a" / "checkpoint.pt"
    path.write_bytes(path.read_bytes()[:10_000])
    before = contents(tmp_path)
    message = refused(run, capsys, "mnist_quick", "--out", "a")
    assert "checkpoint.pt" in message and "damaged" in message
    assert contents(tmp_path) == before


def test_refuses_an_out_that_is_a_file(run, capsys, tmp_path):
    (tmp_path / "a").write_text("mine")
    assert "a" in refused(run, capsys, "mnist_quick", "--out", "a").rpartition("error:")[2]
    assert (tmp_path / "a").read_text() == "mine"


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["dcgan"], "dcgan"),
        ([], "recipe"),
        (["mnist_quick", "--device", "tpu"], "tpu"),
        (["mnist_quick", "--device", "cuda"], "cuda"),
        (["mnist_quick", "--seed", "x"], "--seed"),
    ],
)
def test_refuses_what_it_does_not_know(run, capsys, tmp_path, words, named):
    assert named in refused(run, capsys, *words)
    assert not list(tmp_path.iterdir())
