"""Devices: random numbers of the device's own, what lies on it, and checkpoints that cross devices and versions.

No GPU is needed: a stand-in for the module of a device shows what is swapped, saved and brought back.
"""

import copy
import io
import math
import os
import subprocess
import sys
import time
from functools import partial
from types import SimpleNamespace

import pytest
import torch
from torch import distributions as td
from torch.testing import assert_close

from gan_lessons import checkpoints, data, devices, recipes, records
from gan_lessons.optimizers import RisingMomentum
from gan_lessons.records import SETTLED_AT, stack


class StandIn:
    """A device whose generator is one of the CPU's: what `torch.get_device_module` returns has these two functions."""

    def __init__(self):
        self.generator = torch.Generator().manual_seed(99)

    def get_rng_state(self):
        return self.generator.get_state()

    def set_rng_state(self, state):
        self.generator.set_state(state)


class Generator(torch.Generator):
    """One of the CPU's, whatever device is asked for."""

    def __new__(cls, device="cpu"):
        return super().__new__(cls)


class OnDevice:
    """Data that are drawn on the stand-in's generator, as images on a GPU are."""

    def __init__(self, device):
        self.device = device

    def sample(self, shape):
        return 500 + 5 * torch.randn(shape, generator=self.device.generator)


@pytest.fixture
def card(monkeypatch):
    """Trainers on the CPU, which believe that another device draws, too."""
    card = StandIn()
    monkeypatch.setattr(devices, "_modules", lambda device: {"cpu": torch.random, "card": card})
    monkeypatch.setattr(torch, "Generator", Generator)
    return card


def play(trainer, rounds):
    for _ in trainer.run(rounds):
        pass
    return trainer


def same(a, b):
    assert_close(a.state_dict(), b.state_dict(), rtol=0, atol=0)


def test_a_seed_fixes_what_a_device_draws(card):
    a = play(recipes.gaussian(seed=1, data=OnDevice(card)), 20)
    card.generator.manual_seed(5)  # the learner draws there, too
    b = play(recipes.gaussian(seed=1, data=OnDevice(card)), 20)
    same(a, b)
    c = play(recipes.gaussian(seed=2, data=OnDevice(card)), 20)
    assert a.generator.mu != c.generator.mu


def test_each_minibatch_of_a_device_is_a_fresh_one(card):
    seen = []

    class Seen(OnDevice):
        def sample(self, shape):
            seen.append(super().sample(shape))
            return seen[-1]

    play(recipes.gaussian(data=Seen(card), k=2), 3)
    drawn = [x for x in seen if len(x) == 128][-6:]
    assert all(not torch.equal(a, b) for i, a in enumerate(drawn) for b in drawn[:i])


def test_training_leaves_the_devices_random_numbers_alone(card):
    trainer = recipes.gaussian(data=OnDevice(card))
    before = card.get_rng_state()
    play(trainer, 3)
    assert_close(card.get_rng_state(), before)


def test_two_trainers_may_take_turns_on_a_device(card):
    alone = play(recipes.gaussian(seed=1, data=OnDevice(card)), 20)
    a, b = (recipes.gaussian(seed=seed, data=OnDevice(card)) for seed in (1, 2))
    for _ in range(20):
        a.step()
        b.step()
    same(a, alone)


def test_a_checkpoint_has_the_devices_random_numbers(card, tmp_path):
    through = play(recipes.gaussian(data=OnDevice(card)), 30)
    play(recipes.gaussian(data=OnDevice(card)), 10).save(tmp_path / "a.pt")
    card.generator.manual_seed(5)
    same(play(recipes.gaussian(data=OnDevice(card)).load(tmp_path / "a.pt"), 20), through)
    assert set(checkpoints.read(tmp_path / "a.pt")["random_states"]) == {"cpu", "card"}


def test_a_checkpoint_crosses_devices(card, tmp_path):
    play(recipes.gaussian(data=OnDevice(card)), 10).save(tmp_path / "card.pt")
    with pytest.MonkeyPatch.context() as back:
        back.setattr(devices, "_modules", lambda device: {"cpu": torch.random})
        on_cpu = play(recipes.gaussian().load(tmp_path / "card.pt"), 10)  # on a machine without the card
        assert on_cpu.steps_done == 20
        on_cpu.save(tmp_path / "cpu.pt")
    again = [play(recipes.gaussian(data=OnDevice(card)).load(tmp_path / "cpu.pt"), 10) for _ in range(2)]
    same(*again)  # the card's generator begins where the CPU's stands, not where the seed does
    fresh = devices.random_states(0)["cpu"]
    states = [devices.completed({"cpu": state}, devices.CPU) for state in (again[0]._random_states["cpu"], fresh)]
    assert not torch.equal(*(devices.completed(s, devices.CPU)["card"] for s in states))


def test_an_error_leaves_all_generators_as_they_were(card):
    states, before = devices.random_states(3), card.get_rng_state()
    was, kept = torch.get_rng_state(), copy.deepcopy(states)
    with pytest.raises(KeyError), devices.drawing(states):
        torch.rand(3), torch.rand(3, generator=card.generator)
        raise KeyError
    assert_close((torch.get_rng_state(), card.get_rng_state()), (was, before))
    assert_close(states, kept)


def test_cuda_is_asked_for_one_card_and_others_are_not():
    def on_cuda(*arguments):
        return arguments

    on_cuda.__module__ = "torch.cuda.random"
    device = torch.device("cuda:1")
    assert devices._call(on_cuda, device, "state") == ("state", device)
    assert devices._call(on_cuda, devices.CPU, "state") == ("state",)  # this function belongs to the CPU's module


@pytest.mark.parametrize("law", [td.Uniform(0.0, 2.0), data.bumps(), data.ring(), td.LogNormal(0.0, 1.0)], ids=str)
def test_a_law_takes_the_numbers_of_the_players(law):
    double = devices.moved(law, devices.CPU, torch.double)
    assert double.sample((2,)).dtype == torch.double and law.sample((2,)).dtype == torch.float
    assert devices.moved(double, devices.CPU, torch.float).sample((2,)).dtype == torch.float


def test_a_latent_in_double_is_played_with():
    trainer = recipes.gaussian_mlp(latent=td.Normal(torch.tensor(0.0, dtype=torch.double), 1.0))
    assert torch.isfinite(play(trainer, 2).sample(3)).all()


def test_images_are_drawn_where_they_lie():
    images = data.mnist("test")[:10].to("meta")
    assert images.sample((4,)).device.type == images.labels.device.type == "meta"
    assert data.Sample(torch.ones(3)).to("meta").sample((4,)).device.type == "meta"


@pytest.mark.parametrize("name", ["cuda", "cuda:99", "mps", "tpu", "", "cpu:3", "meta", 5, None, torch.device("meta")])
def test_a_device_that_is_not_here(name):
    with pytest.raises(ValueError, match=r"^device: got .*; on this machine 'auto' and \['cpu'\] are allowed"):
        devices.choose(name)


def test_a_device_by_its_name_and_as_an_object():
    assert devices.choose(torch.device("cpu")) == devices.choose("auto") == devices.choose("cpu") == devices.CPU


def test_records_do_not_stay_on_the_device():
    """After about 100 rounds the numbers of a history are one row on the CPU, not hundreds of tensors on a device."""
    trainer = recipes.gaussian()
    rounds = SETTLED_AT // 4
    history = list(trainer.run(rounds))
    values = torch.stack([record.loss_d for record in history])
    rows = {value.untyped_storage().data_ptr() for record in history for value in record}
    assert len(rows) == 1
    again = recipes.gaussian()
    assert_close(values, torch.tensor([record.loss_d.item() for record in again.run(rounds)]))


def test_who_keeps_no_record_waits_for_none(monkeypatch):
    """A look at the device is a wait: of a history of which one record in four is kept there are few."""
    looks = []
    monkeypatch.setattr(
        records, "torch", SimpleNamespace(stack=lambda kept: looks.append(len(kept)) or torch.stack(kept))
    )
    trainer = recipes.gaussian()
    play(trainer, SETTLED_AT)
    assert not looks
    history = [record for i, record in enumerate(trainer.run(SETTLED_AT)) if i % 4 == 0]
    assert looks and all(SETTLED_AT / 2 <= look <= SETTLED_AT for look in looks)
    again = recipes.gaussian()
    play(again, SETTLED_AT)
    other = [record for i, record in enumerate(again.run(SETTLED_AT)) if i % 4 == 0]
    assert_close(stack(history), stack(other), rtol=0, atol=0)


# -- versions of torch -------------------------------------------------------------------------------------------------


def file_of(state):
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def test_a_checkpoint_of_an_older_torch_loads():
    """`decoupled_weight_decay` came after 2.6; a key that this version does not know is left out."""
    trainer, twin = play(recipes.gaussian(), 5), recipes.gaussian()
    state = file_of(trainer.state_dict())
    for part in ("optimizer_d", "optimizer_g"):
        for group in state[part]["param_groups"]:
            group.pop("decoupled_weight_decay", None)
            group["of_a_torch_to_come"] = 1
    twin.load_state_dict(state)
    same(play(twin, 5), play(trainer, 5))


@pytest.mark.parametrize("part", ["generator", "optimizer_d", "optimizers", "settings", "random_states"])
@pytest.mark.parametrize("odd", [None, 5, [], {}, {"cpu": 1, "param_groups": 3}])
def test_a_state_of_another_build_is_refused_and_nothing_touched(part, odd):
    trainer = play(recipes.gaussian(), 3)
    before = copy.deepcopy(trainer.state_dict())
    with pytest.raises(ValueError, match=r"^checkpoint: "):
        trainer.load_state_dict(copy.deepcopy(before) | {part: odd})
    assert_close(trainer.state_dict(), before, rtol=0, atol=0)


def test_an_optimisers_own_setting_may_not_be_missing():
    """The momentum of `mnist_paper` rises with the steps that its optimiser counts."""
    trainer = recipes.gaussian(optimizer=partial(RisingMomentum, over=10))
    state = file_of(trainer.state_dict())
    del state["optimizer_d"]["param_groups"][0]["steps"]
    with pytest.raises(ValueError, match=r"checkpoint: does not fit at optimizer_d\.steps"):
        trainer.load_state_dict(state)


# -- threads -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("busy", "affinity", "quota", "began_with", "idle"),
    [
        ([50] * 6, range(6), math.inf, 6, 3),
        ([0] * 16, range(16), math.inf, 16, 4),  # more would wait for one another
        ([0] * 8, range(8), math.inf, 4, 4),
        ([97, 97], range(2), math.inf, 2, 1),
        ([100, 100, 0, 0], [0, 1], math.inf, 4, 1),  # the idle ones are not ours
        ([100, 100, 0, 0], [2, 3], math.inf, 4, 2),
        ([0] * 8, range(8), 0.5, 8, 1),
        ([0] * 8, range(8), 3.0, 8, 3),
        ([0, 0], [0, 1, 5], math.inf, 8, 2),  # a core that is switched off
    ],
)
def test_as_many_threads_as_idle_cores(monkeypatch, busy, affinity, quota, began_with, idle):
    monkeypatch.setattr(devices.psutil, "cpu_percent", lambda interval, percpu: busy)
    monkeypatch.setattr(devices.psutil.Process, "cpu_affinity", lambda self: affinity, raising=False)
    monkeypatch.setattr(devices, "core_quota", lambda: quota)
    monkeypatch.setattr(devices, "THREADS", began_with)
    assert devices.idle_cores() == idle


def test_without_affinity_all_cores_count(monkeypatch):
    """As on macOS, where psutil has no such method."""
    monkeypatch.setattr(devices.psutil, "Process", object)
    monkeypatch.setattr(devices.psutil, "cpu_percent", lambda interval, percpu: [0, 0, 0])
    monkeypatch.setattr(devices, "core_quota", lambda: math.inf)
    monkeypatch.setattr(devices, "THREADS", 4)
    assert devices.idle_cores() == 3


V1 = "4:memory:/box\n3:cpuset:/\n2:cpu,cpuacct:/box/inner\n0::/\n"


@pytest.mark.parametrize(
    ("groups", "files", "quota"),
    [
        ("0::/\n", {"cpu.max": "50000 100000\n"}, 0.5),
        ("0::/\n", {"cpu.max": "max 100000\n"}, math.inf),
        ("0::/a/b\n", {"a/b/cpu.max": "max 100000\n", "a/cpu.max": "150000 100000\n"}, 1.5),  # a limit above
        ("0::/a\n", {"a/cpu.max": "400000 100000\n", "b/cpu.max": "1000 100000\n"}, 4),  # another's limit
        ("0::/hidden\n", {"cpu.max": "200000 100000\n"}, 2),  # a container sees its own folder as the top
        ("0::/a\n", {}, math.inf),
        (V1, {"cpu/box/cpu.cfs_quota_us": "25000\n", "cpu/box/cpu.cfs_period_us": "50000\n"}, 0.5),
        (V1, {"cpu/box/cpu.cfs_quota_us": "-1\n", "cpu/box/cpu.cfs_period_us": "100000\n"}, math.inf),
        (V1, {"cpu/cpu.cfs_quota_us": "300000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 3),
        (V1, {"cpu/cpu.cfs_quota_us": "300000\n"}, math.inf),
        (None, {}, math.inf),  # no Linux
    ],
)
def test_the_quota_of_control_groups(tmp_path, groups, files, quota):
    written = {f"sys/fs/cgroup/{name}": text for name, text in files.items()}
    for name, text in (written | ({"proc/self/cgroup": groups} if groups else {})).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert devices.core_quota(tmp_path) == quota


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="only Linux can bind a process to cores")
def test_an_affinity_is_seen():
    """In a process of its own, on cores said to be idle: all that it may use, then one."""
    code = """if True:
        import os, math
        from gan_lessons import devices
        devices.THREADS, devices.MOST, devices.core_quota = 1000, 1000, lambda: math.inf
        devices.psutil.cpu_percent = lambda interval, percpu: [0.0] * os.cpu_count()
        mine = os.sched_getaffinity(0)
        first = devices.idle_cores()
        os.sched_setaffinity(0, {min(mine)})
        print(len(mine), first, devices.idle_cores())"""
    mine, first, then = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    assert mine == first and then == "1"


def test_busy_cores_are_seen():
    forever = [sys.executable, "-c", "while True: pass"]
    burning = [subprocess.Popen(forever) for _ in range(os.cpu_count())]
    try:
        time.sleep(0.5)
        assert devices.idle_cores() == 1
    finally:
        for process in burning:
            process.kill()
            process.wait()
