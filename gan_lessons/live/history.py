"""What happened so far in a training that is watched: snapshots to go back to, and the numbers measured."""

import copy
import time
from bisect import bisect_left, bisect_right
from typing import Any

from gan_lessons.training import Trainer

BYTES = 250e6  # for the snapshots of one history, about
LONGEST = 1000  # notes on a track; beyond, half of them are dropped


class History:
    """Snapshots over a whole run, two a second at first and farther apart the longer it is, and a track of numbers.

    After `back(step)` one can still go forward again; what came later is forgotten when something new is noted.
    """

    def __init__(self, trainer: Trainer):
        weights = [*trainer.generator.parameters(), *trainer.discriminator.parameters()]
        self._most = max(10, min(100, int(BYTES / sum(4 * w.nbytes for w in weights))))  # two moments and an average
        self._trainer, self._at = trainer, trainer.steps_done  # the step last noted or gone back to
        self._apart, self._taken = 0.5, 0.0  # seconds
        self._states: list[dict[str, Any]] = []
        self._notes: list[dict[str, float]] = []

    @property
    def steps(self) -> list[int]:
        """The steps one can go back to."""
        return [state["steps_done"] for state in self._states]

    @property
    def track(self) -> list[dict[str, float]]:
        """What was noted up to the step at which the trainer is now; each note has its "step"."""
        return self._notes[: bisect_right(self._notes, self._trainer.steps_done, key=lambda note: note["step"])]

    @property
    def notes(self) -> list[dict[str, float]]:
        """All that was noted, also what lies ahead of where the trainer was taken back to."""
        return self._notes[:]

    def note(self, measured: dict[str, float], whole: bool = True) -> None:
        """Add what is measured now to the track, and take a snapshot if it is time for one and the round is whole."""
        now = self._trainer.steps_done
        del self._notes[bisect_left(self._notes, min(now, self._at + 1), key=lambda note: note["step"]) :]
        del self._states[bisect_right(self.steps, min(now, self._at)) :]
        self._notes.append({"step": now, **measured})
        self._at = now
        if len(self._notes) > LONGEST:  # evenly over the run: dropping every other one would forget its beginning
            steps = [note["step"] for note in self._notes]
            first, run, half = steps[0], steps[-1] - steps[0], LONGEST // 2
            kept = {bisect_left(steps, first + run * i // half) for i in range(half + 1)}
            self._notes = [self._notes[i] for i in sorted(kept)]
        if whole and time.monotonic() - self._taken > self._apart:
            self._keep()

    def keep(self) -> None:
        """Take a snapshot of this very moment, between two rounds.

        Not where later ones are kept to go forward to.
        """
        if self._trainer.steps_done > self.steps[-1]:
            self._keep()

    def back(self, step: int) -> None:
        """Take the trainer to the last snapshot at or before a step; its settings stay as they are now."""
        self.keep()  # so that one can go forward again
        state = self._states[max(0, bisect_right(self.steps, step) - 1)]
        self._trainer.load_state_dict(state | {"settings": self._trainer.state_dict()["settings"]})
        self._at = self._trainer.steps_done

    def _keep(self) -> None:
        if self._trainer.steps_done in self.steps[-1:]:
            return
        self._states.append(copy.deepcopy(self._trainer.state_dict()))
        self._taken = time.monotonic()
        if len(self._states) > self._most:
            del self._states[1:-1:2]
            self._apart *= 2
