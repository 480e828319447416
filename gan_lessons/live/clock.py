"""When a panel works: on credit from the browser's ticks, on the kernel's main loop.

A visible `Play` is the browser's clock. Each tick gives credit for some frames, and one task trains and draws while it
has credit: a closed tab or a slow client stops it, and no more than these queue. Callbacks come on any thread
(JupyterLab has one for them), so they only note what was asked and wake the task. Where tasks are not run, the tick's
own handler does the work: Colab drops what is sent outside a handler (googlecolab/colabtools#3373).
"""

import asyncio
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any
from weakref import WeakSet

import ipywidgets as widgets

PLAYING = "playing" if hasattr(widgets.Play, "playing") else "_playing"  # in ipywidgets 8, in 7
CREDIT = 3  # frames that a tick allows for each TICK, and twice as many one that is on time: a slow client's come late
# ms from tick to tick: at each JupyterLab says busy and idle, and lays out its toolbar anew, which on two busy cores
# takes up to a fifth of a game's rounds. So they come seldom from a client of which the last STEADY were on time. But
# where a tick's own handler does the work, a tick is a frame.
TICK, CALM, FRAME = 200, 500, 40
STEADY = 10
GONE = 2.0  # seconds of waiting without a tick after which the browser is thought gone
_clocks: WeakSet["Clock"] = WeakSet()


class Button(widgets.Play):
    """Play, whose button and kernel agree when a page comes back.

    Whoever asks for the whole state is a page that comes new, where no timer runs and nothing is shown yet. So it is
    told just that, and from this moment nothing plays; what happened to the last page no longer matters.
    """

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
        if key is None:
            setattr(self, PLAYING, False)
            self._view_count = 0  # to which the page adds its own
        return super().get_state(key, drop_defaults)


class Clock:
    """The `play` button, and the one caller of a panel's work.

    work(frame): called on one thread at a time, with frame = True when there is credit for a frame and it is due,
    that is, `apart` seconds after the last; before that it should `obey()`. The square of Play asks for `rewind`.
    """

    def __init__(self, work: Callable[[bool], None], rewind: Callable[[], None]):
        self._work, self._rewind = work, rewind
        self.apart, self._due, self._credit, self._quiet, self._ticked = 0.04, 0.0, 0, 0.0, 0.0
        self._asked: deque[Callable[[], None]] = deque()
        self.working = threading.Lock()
        self._running = False  # the task
        self._waits = False  # the task was woken, and has not come round since
        self._starved = False
        self._steady = 0  # how many of the last ticks were on time
        try:
            self._loop = asyncio.get_running_loop()  # the kernel's main loop
        except RuntimeError:
            self._loop = None  # no kernel
        self._buttons: list[Button] = []  # one for each place in which the panel is shown
        self.play = self.button()
        _clocks.add(self)

    def button(self) -> Button:
        """A play button of this clock; all of them play and pause together."""
        options = {"show_repeat": False, "_view_count": 0}  # views are counted: see _played
        play = Button(min=0, max=10**9, interval=self._interval(), **options)
        play.observe(self._tick, "value")
        play.observe(self._played, PLAYING)
        self._buttons.append(play)
        return play.add_class("gl-play")

    @property
    def playing(self) -> bool:
        return any(getattr(play, PLAYING) for play in self._buttons)

    def pause(self) -> None:
        for play in self._buttons:
            setattr(play, PLAYING, False)

    def ask(self, action: Callable[[], None]) -> None:
        """Have an action done where work is done; called from any thread."""
        self._asked.append(action)
        self._woken()

    def obey(self) -> bool:
        """Do what was asked; say whether anything was."""
        asked = bool(self._asked)
        while self._asked:
            self._asked.popleft()()
        return asked

    # -- callbacks, on any thread --------------------------------------------------------------------------------------

    def _tick(self, change: dict[str, Any]) -> None:
        if change["new"] == 0:
            self._asked.append(self._rewind)
        apart, self._ticked = time.monotonic() - self._ticked, time.monotonic()
        interval = change["owner"].interval  # by which the browser has set its timer for the next one already
        on_time = apart < (interval + TICK / 2) / 1e3
        self._credit = round(2 * CREDIT * max(1, interval / TICK)) if on_time else CREDIT
        self._quiet = 0.0
        # the loop did not come round since the last tick although this, its own thread, is free
        self._starved = self._waits and threading.current_thread() is threading.main_thread()
        self._steady = self._steady + 1 if on_time and not self._in_handlers() else 0
        change["owner"].interval = self._interval()
        self._woken()

    def _played(self, change: dict[str, Any]) -> None:
        self._quiet = 0.0
        # In ipywidgets 8 the first view of a Play starts its timer, and the second takes what it then sees for a pause:
        # `BackbonePatch.set` ends a change when one inside it ends, so that `previous("playing")` is true already.
        if change["new"] and PLAYING == "playing" and (change["owner"]._view_count or 0) > 1:
            self._asked.append(_shown_twice)
        else:
            self._steady = 0
            for play in self._buttons:
                play.interval = self._interval()
                setattr(play, PLAYING, change["new"])
        self._woken()

    def _in_handlers(self) -> bool:
        return self._starved or "google.colab" in sys.modules

    def _interval(self) -> int:
        return FRAME if self._in_handlers() else CALM if self._steady >= STEADY else TICK

    def _woken(self) -> None:
        if self._loop is None or self._in_handlers():
            self._advance()
        else:
            self._waits = True
            self._loop.call_soon_threadsafe(self._ensure_task)

    # -- the kernel's main loop ----------------------------------------------------------------------------------------

    def _ensure_task(self) -> None:
        if not self._running:  # all calls come from the loop's thread, one by one
            self._running = True
            self._task = self._loop.create_task(self._run())  # a loop holds its tasks only weakly

    async def _run(self) -> None:
        try:
            while self._asked or self.playing:
                _hear_interrupts(instead_of=signal.SIG_IGN, by=_interrupted)  # ipykernel ignores them between cells
                self._waits = self._starved = False
                self._advance()
                nap = min(max(self._due - time.monotonic(), 0.001), 0.05)
                self._quiet += nap  # not the time that passed: ticks may lie in a queue behind a long cell
                if self._quiet > GONE:
                    self.pause()
                await asyncio.sleep(nap)
            self._advance()  # what a pause leaves to be done
        finally:
            self._waits = self._starved = self._running = False
            if not any(clock._running for clock in _clocks):
                _hear_interrupts(instead_of=_interrupted, by=signal.SIG_IGN)
            if self._asked:
                self._woken()

    def _advance(self) -> None:
        if not self.working.acquire(blocking=False):
            return  # whoever is at work will see what was asked
        try:
            now = time.monotonic()
            frame = self.playing and self._credit > 0 and now >= self._due
            if frame:
                self._credit, self._due = self._credit - 1, now + self.apart
            self._work(frame)
        finally:
            self.working.release()


def _shown_twice() -> None:
    raise ValueError(
        "This panel stands on the page more than once, and there the play button of ipywidgets stops itself at once. "
        "Close the other place, or clear its cell's output, and press play again."
    )


def _hear_interrupts(instead_of: Any, by: Any) -> None:
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is instead_of:
        signal.signal(signal.SIGINT, by)  # only the main thread may


def _interrupted(*_: Any) -> None:
    for clock in _clocks:
        if clock.playing:
            clock._asked.append(clock.pause)
