"""When work is done, and on which thread: on asyncio's own loop, with callbacks as a browser would send them."""

import asyncio
import functools
import os
import signal
import sys
import threading
import time
import types
from itertools import pairwise

import pytest

from gan_lessons.live import clock
from gan_lessons.live.clock import CALM, CREDIT, FRAME, PLAYING, STEADY, TICK, Clock

pytestmark = pytest.mark.alone  # each takes a moment, and counts it


class Work:
    """A panel without a training: what it was called with, on which thread, and when."""

    def __init__(self):
        self.frames, self.threads, self.rewound, self.seconds = [], set(), 0, 0.0
        self.clock = Clock(self.work, rewind=self.rewind)
        self.clock.apart = 0.0

    def work(self, frame):
        self.threads.add(threading.current_thread())
        self.clock.obey()
        if frame:
            self.frames.append(time.monotonic())
            time.sleep(self.seconds)

    def rewind(self):
        self.rewound += 1

    def press(self, playing=True):
        setattr(self.clock.play, PLAYING, playing)

    def tick(self, times=1):
        for _ in range(times):
            self.clock.play.value += 1


def elsewhere(callback):
    """On another thread, as JupyterLab calls back."""
    thread = threading.Thread(target=callback)
    thread.start()
    thread.join()


async def come_round(seconds=0.03):
    await asyncio.sleep(seconds)


def in_a_kernel(test):
    """Run a coroutine on a loop of the main thread, which is where a kernel's cells run."""

    @functools.wraps(test)
    def wrapped(**fixtures):
        asyncio.run(asyncio.wait_for(test(**fixtures), 20))

    return wrapped


# -- without a kernel --------------------------------------------------------------------------------------------------


def test_without_a_kernel_a_tick_works_at_once():
    work = Work()
    work.press()
    assert work.frames == []  # not paid
    work.tick(4)
    assert len(work.frames) == 4
    work.press(False)
    work.tick(4)
    assert len(work.frames) == 4


def test_frames_are_apart(monkeypatch):
    now = types.SimpleNamespace(at=50.0)
    monkeypatch.setattr(clock, "time", types.SimpleNamespace(monotonic=lambda: now.at))
    work = Work()
    work.clock.apart = 0.4
    work.press()
    shown = []
    for i in range(100):  # 16 ticks a second
        now.at = 50 + i / 16
        before = len(work.frames)
        work.tick()
        if len(work.frames) > before:
            shown.append(now.at)
    assert all(0.4 <= b - a <= 0.4 + 1 / 16 for a, b in pairwise(shown)) and len(shown) == 15


# -- paid by ticks -----------------------------------------------------------------------------------------------------


@in_a_kernel
async def test_a_tick_pays_for_three_frames_one_on_time_for_six_and_nothing_queues(monkeypatch):
    work = Work()
    work.press()
    await come_round()
    assert work.frames == []
    monkeypatch.setattr(clock, "CALM", TICK)
    late = 2e-3 * TICK
    for ticks, before, paid in ((1, 0.0, 3), (1, late, 3), (20, late, 6), (1, 0.0, 6), (1, late, 3)):
        await come_round(before)
        work.frames.clear()
        elsewhere(lambda ticks=ticks: work.tick(ticks))
        assert work.frames == []  # a callback only notes
        await come_round(0.1)
        assert len(work.frames) == paid
    assert 1000 * 2 * CREDIT / work.clock.play.interval >= 25  # the browser's ticks hold no frame back
    work.press(False)


@in_a_kernel
async def test_ticks_that_are_on_time_come_seldom_and_one_that_is_late_brings_them_back():
    work = Work()
    work.press()
    for _ in range(1 + STEADY):  # from a pause the first is late
        assert work.clock.play.interval == TICK
        await come_round()
        elsewhere(work.tick)
    assert work.clock.play.interval == CALM
    for before, paid, then in ((0.1, 2 * CREDIT * CALM / TICK, CALM), (1e-3 * (CALM + TICK), CREDIT, TICK)):
        await come_round(before)
        work.frames.clear()
        elsewhere(work.tick)
        await come_round(0.2)
        assert len(work.frames) == paid and work.clock.play.interval == then
    for _ in range(STEADY):
        elsewhere(work.tick)
    assert work.clock.play.interval == CALM
    work.press(False)
    assert work.clock.play.interval == TICK  # it goes on as it began


@in_a_kernel
async def test_slow_motion_keeps_its_pace():
    work = Work()
    work.clock.apart = 0.15
    work.press()
    for _ in range(25):
        work.tick()
        await come_round(0.02)
    work.press(False)
    gaps = [b - a for a, b in pairwise(work.frames)]
    assert 3 <= len(work.frames) <= 5 and min(gaps) >= 0.14


@in_a_kernel
async def test_pause_stops_at_once():
    work = Work()
    work.press()
    await come_round()
    work.tick()
    work.press(False)
    await come_round(0.1)
    assert work.frames == [] and not work.clock.playing
    work.press()
    await come_round(0.1)
    assert len(work.frames) == 3
    work.press(False)


@in_a_kernel
async def test_no_ticks_and_it_pauses(monkeypatch):
    monkeypatch.setattr(clock, "GONE", 0.2)
    work = Work()
    work.press()
    await come_round()
    for _ in range(4):
        work.tick()
        await come_round(0.1)
    assert work.clock.playing and len(work.frames) == 3 + 6 + 6 + 6  # from the second on they are on time
    await come_round(0.6)
    assert not work.clock.playing and len(work.frames) == 21
    work.press()  # the page is back
    await come_round()
    work.tick()
    await come_round(0.1)
    assert work.clock.playing and len(work.frames) == 24
    work.press(False)


@in_a_kernel
async def test_ticks_behind_a_long_cell_keep_it_playing(monkeypatch):
    monkeypatch.setattr(clock, "GONE", 0.2)
    work, done = Work(), []
    work.press()
    await come_round()
    work.tick()
    await come_round()
    time.sleep(0.4)  # the cell
    await come_round()
    work.tick()
    work.clock.ask(lambda: done.append(1))
    await come_round(0.1)  # and at once
    assert work.clock.playing and len(work.frames) == 6 and done == [1]
    work.press(False)


# -- threads -----------------------------------------------------------------------------------------------------------


@in_a_kernel
async def test_callbacks_on_another_thread_do_no_work_there():
    work, done = Work(), []
    for call in (work.press, work.tick, work.tick, work.tick, lambda: work.clock.ask(lambda: done.append(1))):
        elsewhere(call)
        assert work.frames == done == []
    await come_round(0.2)
    assert len(work.frames) == 6 and done == [1]
    assert work.threads == {threading.main_thread()}
    elsewhere(lambda: work.press(False))


@in_a_kernel
async def test_all_that_is_asked_is_done_in_order_and_once():
    work, done = Work(), []

    def ask():
        for i in range(300):
            work.clock.ask(lambda i=i: done.append(i))
            time.sleep(0.0003 * (i % 7))

    thread = threading.Thread(target=ask)
    thread.start()
    while thread.is_alive():
        await asyncio.sleep(0)
    await come_round(0.1)
    assert done == list(range(300)) and work.threads == {threading.main_thread()}


def test_never_two_at_work():
    inside, most, go = [], [], threading.Event()

    def work(frame):
        inside.append(1)
        most.append(len(inside))
        go.wait(0.05)
        inside.pop()

    one = Clock(work, rewind=lambda: None)
    threads = [threading.Thread(target=one.ask, args=(lambda: None,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 1
    with one.working:  # such as a run from Python
        before = len(most)
        one.ask(lambda: None)
        assert len(most) == before
    one.ask(lambda: None)
    assert len(most) == before + 1


@in_a_kernel
async def test_where_tasks_are_not_run_the_tick_works():
    work = Work()
    work.press()
    work.tick(5)  # the loop did not come round
    assert len(work.frames) == 5 and work.threads == {threading.main_thread()}
    assert work.clock.play.interval == FRAME  # for a tick is a frame here
    await come_round()
    now = len(work.frames)
    work.tick()
    assert len(work.frames) == now and work.clock.play.interval == TICK  # it came round: the task works again
    work.press(False)


@in_a_kernel
async def test_ticks_of_another_thread_prove_nothing_about_the_loop():
    work = Work()
    work.press()
    elsewhere(lambda: work.tick(5))
    assert work.frames == []
    work.press(False)


@in_a_kernel
async def test_a_starved_tick_leaves_no_work_to_other_threads():
    work = Work()
    work.press()
    work.tick(3)
    work.press(False)
    assert len(work.frames) == 3
    await come_round()
    work.threads.clear()
    elsewhere(lambda: work.clock.ask(lambda: None))
    assert work.threads == set()
    await come_round()
    assert work.threads == {threading.main_thread()}


@in_a_kernel
async def test_in_colab_handlers_work(monkeypatch):
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("colab"))
    work, done = Work(), []
    work.clock.ask(lambda: done.append(1))
    assert done == [1]
    work.press()
    work.tick(8)
    assert len(work.frames) == 8  # one a tick, all of them sent inside a handler
    assert 1000 / work.clock.play.interval >= 25
    await come_round()
    assert len(work.frames) == 8
    work.press(False)


# -- what stops it -----------------------------------------------------------------------------------------------------


def test_a_page_that_comes_new_finds_nothing_playing():
    work = Work()
    work.press()
    work.clock.play._view_count = 1
    assert work.clock.play.get_state("value") == {"value": 0} and work.clock.playing  # a part, as for every change
    state = work.clock.play.get_state()
    assert (state[PLAYING], state["_view_count"], work.clock.playing) == (False, 0, False)


def test_the_square_begins_anew():
    work = Work()
    work.press()
    work.tick(3)
    work.clock.play.value = 0
    assert work.rewound == 1


@pytest.fixture
def ignored():
    """Between two cells ipykernel ignores interrupts."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(os.name == "nt", reason="no SIGINT to oneself")
@in_a_kernel
async def test_an_interrupt_pauses_and_the_handler_is_given_back(ignored):
    work = Work()
    work.press()
    work.tick()
    await come_round()
    os.kill(os.getpid(), signal.SIGINT)
    await come_round(0.1)
    assert not work.clock.playing
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    work.press()
    work.tick()
    await come_round(0.1)
    assert work.clock.playing and len(work.frames) >= 4
    work.press(False)
    await come_round()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


@pytest.mark.skipif(os.name == "nt", reason="no SIGINT to oneself")
@pytest.mark.parametrize("how", ["pause", "interrupt"])
@in_a_kernel
async def test_two_panels_give_the_handler_back(ignored, how):
    first, second = Work(), Work()
    for work in (first, second):
        work.press()
        await come_round()
    if how == "interrupt":
        os.kill(os.getpid(), signal.SIGINT)
        await come_round(0.1)
        assert not first.clock.playing and not second.clock.playing
    for work in (first, second):  # the first to come is the first to go
        work.press(False)
        await come_round(0.1)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


@in_a_kernel
async def test_an_action_that_fails_stops_nothing_else():
    work, done = Work(), []
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    work.clock.ask(lambda: 1 / 0)
    work.clock.ask(lambda: done.append(1))
    await come_round(0.1)
    assert done == [1]
    work.press()
    work.tick()
    await come_round(0.1)
    assert len(work.frames) == 3
    work.press(False)
    assert not work.clock.working.locked()


def test_on_a_thread_with_a_loop_of_its_own_it_plays_too():
    """Where interrupts are ignored, as ipykernel does between two cells, and only the main thread could change that."""
    work, steps = [], []

    async def cell():
        work.append(Work())
        work[0].press()
        for _ in range(4):
            work[0].tick()
            await come_round()
        steps.append(len(work[0].frames))
        work[0].press(False)
        await come_round()

    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        elsewhere(lambda: asyncio.run(cell()))
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
    assert steps[0] >= 4 and work[0].threads != {threading.main_thread()}
