"""`python -m gan_lessons`, in this process, with a recipe of 40 small steps: epochs of 15."""

import io
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
import torch
from torch.testing import assert_close

from gan_lessons import __main__ as cli
from gan_lessons import checkpoints, data, recipes

ROOT = Path(__file__).parents[1]
STREAMS = ("stdout", "stderr")


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the command in an empty folder, over data of choice."""
    monkeypatch.chdir(tmp_path)

    def command(*words, source=None):
        tiny = partial(recipes.mnist_quick, data=source or data.mnist("train")[:300], batch_size=20, steps=40)
        faces = partial(recipes.faces_quick, data=data.faces(60), batch_size=20, steps=6)
        monkeypatch.setattr(cli, "RECIPES", {"mnist_quick": tiny, "mnist": recipes.mnist, "faces_quick": faces})
        monkeypatch.setattr(sys, "argv", ["gan_lessons", *words])
        cli.main()

    return command


class Source:
    """300 digits; at the n-th minibatch of training something happens."""

    def __init__(self, at, happens):
        self.digits, self.left, self.happens = data.mnist("train")[:300], at, happens

    def __len__(self):
        return len(self.digits)

    def sample(self, shape):
        x = self.digits.sample(shape)
        self.left -= shape != (2,)
        return self.happens(x) if self.left == 0 else x


def send(number):
    """What happens: a signal comes, as from Ctrl-C or kill."""

    def happens(x):
        os.kill(os.getpid(), number)
        return x

    return happens


@pytest.fixture
def fill():
    """A function that fills the disk: from then on no file can become longer than so many bytes."""
    resource = pytest.importorskip("resource")
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size=100_000: resource.setrlimit(resource.RLIMIT_FSIZE, (size, limit[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, limit)


def load(path):
    return torch.load(path, weights_only=True)


def ends(run, capsys, code, *words, source=None):
    """What the command says when it exits with this code."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as stop:
        run(*words, source=source)
    if isinstance(stop.value.code, str):  # which Python prints at its very end, and exits with 1
        assert code == 1
        return stop.value.code
    assert stop.value.code == code
    return capsys.readouterr().err


def refused(run, capsys, *words, source=None):
    return " ".join(ends(run, capsys, 2, *words, source=source).split())


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


def test_faces_come_in_colour(run, tmp_path, capsys):
    run("faces_quick", "--epochs", "1")
    out = tmp_path / "runs" / "faces_quick-seed0"
    red, green, _ = plt.imread(out / "samples.png")[150:-20, ..., :3].transpose(2, 0, 1)  # below the titles
    assert (red - green).std() > 0.02
    assert "step 0 of 3 (epoch 0 of 1)" in capsys.readouterr().out
    run("faces_quick")
    assert "step 3 of 6 (epoch 1 of 2)" in capsys.readouterr().out
    assert load(out / "checkpoint.pt")["steps_done"] == 6


def test_the_same_command_again_trains_no_more(run, tmp_path, capsys):
    run("mnist_quick")
    out = tmp_path / "runs" / "mnist_quick-seed0"
    before = contents(out)
    capsys.readouterr()
    run("mnist_quick")
    assert contents(out) == before
    assert "step 40 of 40" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_an_interrupted_run_goes_on_bit_by_bit(run, tmp_path, capsys, name):
    number = getattr(signal, name, None) or pytest.skip("Windows has none")
    before = signal.getsignal(number)
    run("mnist_quick", "--out", "whole")
    message = ends(run, capsys, 1, "mnist_quick", "--out", "stopped", source=Source(22, send(number)))
    assert "Stopped at step 22; the same command goes on from there." in message
    assert signal.getsignal(number) == before
    assert load("stopped/checkpoint.pt")["steps_done"] == 22
    run("mnist_quick", "--out", "stopped")
    assert "step 22 of 40" in capsys.readouterr().out
    assert_close(load("stopped/checkpoint.pt"), load("whole/checkpoint.pt"), rtol=0, atol=0)
    a, b = (plt.imread(tmp_path / folder / "samples.png") for folder in ("whole", "stopped"))
    assert (a == b).all()


def test_an_interrupt_while_saving_waits(run, capsys, monkeypatch):
    def put(path, content, put=checkpoints.put):
        send(signal.SIGINT)(None)
        put(path, content)

    monkeypatch.setattr(checkpoints, "put", put)
    assert "Stopped at step 3;" in ends(run, capsys, 1, "mnist_quick", "--out", "a")  # two steps try the disk
    assert load("a/checkpoint.pt")["steps_done"] == 3 and os.listdir("a") == ["checkpoint.pt"]


def test_what_ignores_a_hangup_goes_on(run):
    """As under nohup."""
    number = getattr(signal, "SIGHUP", None) or pytest.skip("Windows has none")
    before = signal.signal(number, signal.SIG_IGN)
    try:
        run("mnist_quick", "--out", "a", source=Source(22, send(number)))
        assert signal.getsignal(number) == signal.SIG_IGN
    finally:
        signal.signal(number, before)
    assert load("a/checkpoint.pt")["steps_done"] == 40


def test_a_killed_run_has_saved_every_epoch(run):
    def die(x):
        raise MemoryError

    with pytest.raises(MemoryError):
        run("mnist_quick", "--out", "killed", source=Source(37, die))
    assert load("killed/checkpoint.pt")["steps_done"] == 30  # two epochs of 15


def test_divergence_ends_with_the_message(run, capsys):
    source = Source(20, lambda x: x * torch.nan)
    message = ends(run, capsys, 1, "mnist_quick", "--out", "diverged", source=source)
    assert "nan or infinite between step 0 and step 30" in message
    assert f"{Path('diverged', 'checkpoint.pt')} is whole and holds step 15." in message
    assert load("diverged/checkpoint.pt")["steps_done"] == 15


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="copies a process that has loaded torch, safe on Linux only")
def test_killed_at_random_moments():
    """Whole files, and the same end. Three kills of the 50 that `python tests/bench/kills.py` makes; about 12 s."""
    seen = subprocess.check_output([sys.executable, ROOT / "tests" / "bench" / "kills.py", "3"], text=True)
    assert "3 of 3 kills left whole files and went on to the same end" in seen


# -- how long ----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_more_epochs_train_on_as_if_they_had_been_asked_for_at_once(run, capsys):
    run("mnist_quick", "--out", "once", "--epochs", "3")
    run("mnist_quick", "--out", "twice", "--epochs", "1")
    assert "step 0 of 15 (epoch 0 of 1)" in capsys.readouterr().out
    run("mnist_quick", "--out", "twice", "--epochs", "3")
    assert "step 15 of 45 (epoch 1 of 3)" in capsys.readouterr().out
    assert_close(load("twice/checkpoint.pt"), load("once/checkpoint.pt"), rtol=0, atol=0)


def test_fewer_epochs_than_done_only_draw(run, capsys, tmp_path):
    run("mnist_quick", "--out", "a", "--epochs", "2")
    before = contents(tmp_path)
    (tmp_path / "a" / "samples.png").unlink()
    capsys.readouterr()
    run("mnist_quick", "--out", "a", "--epochs", "1")
    printed = capsys.readouterr().out
    assert "step 30 of 15 (epoch 2 of 1)" in printed
    assert "is as long already, nothing is left to train. A larger --epochs trains on." in printed
    assert contents(tmp_path) == before


def test_an_epoch_is_the_recipes_own():
    assert {name: cli.epoch(recipe()) for name, recipe in cli.RECIPES.items()} == {
        "mnist_quick": 600,
        "mnist_small": 600,
        "mnist_best": 500,
        "mnist": 600,
        "mnist_paper": 500,
        "faces_quick": 312,
        "faces_dcgan": 312,
    }


# -- disks -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("room", "left"), [(100_000, []), (10_000_000, ["checkpoint.pt"])])
def test_a_full_disk_is_noticed_before_training(run, capsys, fill, room, left):
    """Also one with room for the first checkpoint only: after a step there are moments, and the file is longer."""
    fill(room)
    message = refused(run, capsys, "mnist_quick", "--out", "a", source=Source(5, pytest.fail))
    assert f"{Path('a', 'checkpoint.pt')}: cannot be written, so nothing is trained (File too large)" in message
    assert os.listdir("a") == left
    assert all(load(f"a/{name}")["steps_done"] == 0 for name in left)


@pytest.mark.parametrize("stop", [False, True], ids=["at the end of an epoch", "at Ctrl-C"])
def test_a_disk_that_fills_up_leaves_the_last_checkpoint(run, capsys, fill, stop):
    def happens(x):
        fill()
        return send(signal.SIGINT)(x) if stop else x

    message = ends(run, capsys, 1, "mnist_quick", "--out", "a", source=Source(22, happens))
    path = Path("a", "checkpoint.pt")
    assert message.endswith(
        f"{path}: cannot be written (File too large). {path} is whole and holds step 15; the same command goes on from "
        "there."
    )
    assert load(path)["steps_done"] == 15 and os.listdir("a") == ["checkpoint.pt"]


def test_a_folder_that_goes_away(run, capsys):
    def happens(x):
        os.rename("a", "b")
        return x

    message = ends(run, capsys, 1, "mnist_quick", "--out", "a", source=Source(22, happens))
    path = Path("a", "checkpoint.pt")
    assert f"{path}: cannot be written (No such file or directory). {path} is lost" in message


def test_a_picture_that_cannot_be_written(run, capsys, tmp_path):
    (tmp_path / "a" / "samples.png").mkdir(parents=True)
    message = ends(run, capsys, 1, "mnist_quick", "--out", "a")
    assert "samples.png: cannot be written (" in message
    assert "checkpoint.pt is whole and holds step 40; the same command goes on from there." in message
    assert sorted(os.listdir("a")) == ["checkpoint.pt", "samples.png"]


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="Windows has no such users")
def test_a_folder_that_cannot_be_written(run, capsys, tmp_path):
    tmp_path.chmod(0o555)
    root = os.geteuid() == 0
    if root:  # may write everywhere
        os.seteuid(65534)
    try:
        message = refused(run, capsys, "mnist_quick", "--out", "a")
        assert "error: a: cannot be made a folder (Permission denied)" in message
        message = refused(run, capsys, "mnist_quick", "--out", ".", source=Source(1, pytest.fail))
        assert "error: checkpoint.pt: cannot be written, so nothing is trained (Permission denied)" in message
    finally:
        if root:
            os.seteuid(0)
        tmp_path.chmod(0o755)
    assert not list(tmp_path.iterdir())


def test_put_removes_what_a_killed_process_left(tmp_path):
    path, stale = tmp_path / "file", tmp_path / "file.part"
    stale.write_bytes(b"half of something long")
    checkpoints.put(path, b"new")
    assert path.read_bytes() == b"new" and os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_put_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, step, error):
    def fail(*_):
        raise error

    path = tmp_path / "file"
    checkpoints.put(path, b"old")
    monkeypatch.setattr(checkpoints.os, step, fail)
    with pytest.raises(error):
        checkpoints.put(path, b"new")
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["file"]


def test_put_has_the_bytes_on_the_disk_before_the_name(tmp_path, monkeypatch):
    order = []

    def fsync(file, fsync=os.fsync):
        fsync(file)
        order.append(("fsync", os.fstat(file).st_size))

    monkeypatch.setattr(checkpoints.os, "fsync", fsync)
    monkeypatch.setattr(checkpoints.os, "replace", lambda part, path: order.append(("replace", os.path.getsize(part))))
    checkpoints.put(tmp_path / "file", b"content")
    assert order == [("fsync", 7), ("replace", 7)]


# -- consoles ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["ascii", "cp949", "utf-8"])
def test_a_console_without_the_letters_of_the_folder(run, monkeypatch, encoding):
    console = {name: io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict") for name in STREAMS}
    for name, stream in console.items():
        monkeypatch.setattr(sys, name, stream)
    run("mnist_quick", "--out", "학습 é")
    out, bar = (console[name].buffer.getvalue().decode(encoding) for name in STREAMS if not console[name].flush())
    assert "samples.png" in out and ("학습" in out) == (encoding != "ascii") and ("é" in out) == (encoding == "utf-8")
    assert "40/40" in bar
    assert sorted(os.listdir("학습 é")) == ["checkpoint.pt", "samples.png"]


@pytest.mark.parametrize("name", STREAMS)
def test_without_a_console(run, monkeypatch, name):
    """As on Windows with pythonw, or where a shell has closed it."""
    monkeypatch.setattr(sys, name, None)
    run("mnist_quick", "--out", "a")
    assert load("a/checkpoint.pt")["steps_done"] == 40


# -- refusals ----------------------------------------------------------------------------------------------------------


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


def test_refuses_mnist_that_is_damaged(run, capsys, monkeypatch, tmp_path):
    def damaged(seed, device):
        raise RuntimeError("train-images-idx3-ubyte.gz is missing or damaged")

    monkeypatch.setattr(cli, "RECIPES", {"mnist_quick": damaged})
    monkeypatch.setattr(sys, "argv", ["gan_lessons", "mnist_quick"])
    assert "ubyte.gz is missing or damaged" in refused(lambda source: cli.main(), capsys)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["dcgan"], "dcgan"),
        ([], "recipe"),
        (["mnist_quick", "--device", "tpu"], "device: got 'tpu'"),
        (["mnist_quick", "--device", ""], "device: got ''"),
        (["mnist_quick", "--device", "cuda"], "device: got 'cuda'"),
        (["mnist_quick", "--device", "cuda:99"], "device: got 'cuda:99'"),
        (["mnist_quick", "--seed", "x"], "--seed: got 'x'; it must be a whole number"),
        (["mnist_quick", "--seed", "1.5"], "--seed: got '1.5'; it must be a whole number"),
        (["mnist_quick", "--seed", "-1"], "seed: got -1; it must be a whole number"),
        (["mnist_quick", "--seed", str(10**30)], "error: "),
        (["mnist_quick", "--epochs", "x"], "--epochs: got 'x'; it must be a whole number"),
        (["mnist_quick", "--epochs", "0"], "--epochs: got 0; it must be a whole number from 1 to 1,000,000"),
        (["mnist_quick", "--epochs", "-3"], "--epochs: got -3; it must be a whole number from 1 to 1,000,000"),
        (["mnist_quick", "--epochs", str(10**400)], "it must be a whole number from 1 to 1,000,000"),
    ],
)
def test_refuses_what_it_does_not_know(run, capsys, tmp_path, words, named):
    assert named in refused(run, capsys, *words)
    assert not list(tmp_path.iterdir())
