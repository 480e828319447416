"""The panel: sliders that steer a training while it runs."""

import html
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any
from weakref import WeakValueDictionary

import ipywidgets as widgets

from gan_lessons import guards
from gan_lessons.live import controls
from gan_lessons.live.clock import Clock
from gan_lessons.live.controls import Control, labelled
from gan_lessons.live.history import History
from gan_lessons.training import Trainer
from gan_lessons.views import Figure1, Images, Plane

SPEEDS = {"slow motion, a turn at a time": 0, "1 round a frame": 1, "5 rounds a frame": 5, "as fast as it goes": 10**9}
_panels: WeakValueDictionary[str, "Panel"] = WeakValueDictionary()


class Panel(widgets.VBox):
    """A training to watch and to steer: show it as the last line of a cell, and press play.

    recipe: makes the Trainer, one of `recipes`; without a decay, since the sliders hold the rates. view: what is drawn,
    `views.Figure1()`, `views.Plane()` or `views.Images()`. extra: further controls, such as `controls.bumps()`.
    name: of all panels of one name only the newest lives, so that a cell run again leaves nothing training behind; the
    recipe's unless given.
    settings: the recipe's own, such as seed=3, k=5. Raises what the recipe raises.

    `.trainer` is the Trainer it plays. Without a browser the panel stands still, and `run(rounds)` trains.
    """

    def __init__(
        self,
        recipe: Callable[..., Trainer],
        view: Figure1 | Plane | Images,
        *extra: Control,
        name: str | None = None,
        **settings: Any,
    ):
        self._seed = settings.pop("seed", 0)
        self._recipe, self._view, self._settings = recipe, view, settings
        self.trainer = recipe(seed=self._seed, decay=None, **settings)
        first, more = controls.players(self.trainer), controls.more(self.trainer, recipe, settings)
        self._controls = {control.setting: control for control in (*first, *extra, *more)}
        self._defaults = {control.setting: control.values() for control in more if control.setting not in settings}
        self._clock = Clock(self._work, rewind=self._begin)
        self.play = self._clock.play
        super().__init__(self._page([*first, *extra], more))
        self.add_class("gl-panel")
        self._begin()
        self._show()
        name = name or recipe.__name__
        if name in _panels:
            _panels[name].close()
        _panels[name] = self

    def _page(self, first: Sequence[Control], more: Sequence[Control]) -> list[widgets.Widget]:
        ask = self._clock.ask
        self._speed = labelled(widgets.SelectionSlider(options=list(SPEEDS.items()), value=5), "speed")
        self._speed.observe(lambda move: setattr(self._clock, "apart", 0.04 if move["new"] else 0.4), "value")
        self._at = 0  # where it stands
        self._back = labelled(widgets.IntSlider(0, min=0, max=1), "back to step")
        self._back.observe(lambda move: self._slid(move["new"]), "value")
        for control in self._controls.values():
            for one in control.inputs:
                one.observe(lambda _, control=control: ask(lambda: self._set(control)), "value")
        self._picture, self._status, self._code, self._error = (widgets.HTML() for _ in range(4))
        self._picture.layout.min_height = "350px"  # the page does not jump when the first one comes
        named = {"play": self.play, "speed": self._speed, "history": self._back, "view": self._picture}
        for name, widget in (named | {"status": self._status, "code": self._code, "err": self._error}).items():
            widget.add_class(f"gl-{name}")
        top = [
            self.play,
            widgets.HTML("▶ plays and pauses, ■ begins anew &nbsp;"),
            self._button("One round", "k turns of D, then one of G", "step", self._one_round),
            self._button("Reset", "the same seed from its start; the sliders stay", "reset", self._begin),
        ]
        single = [
            self._button("D alone", "one turn of D", "step-d", lambda: self._alone("D")),
            self._button("G alone", "one turn of G", "step-g", lambda: self._alone("G")),
            self._button("New seed", "other nets and other noise, the same settings", "seed", self._new_seed),
        ]
        drawer = widgets.VBox([widgets.HBox(single), self._speed, *(control.box() for control in more), self._back])
        drawer.layout.display = "none"
        opener = widgets.ToggleButton(description="More", tooltip="single turns, speed, loss, history")
        shown = {True: "", False: "none"}
        opener.observe(lambda move: ask(lambda: setattr(drawer.layout, "display", shown[move["new"]])), "value")
        opener.add_class("gl-more")  # no Accordion: the Tab key passes by its title
        sliders = [control.box() for control in first]
        output = [self._error, self._picture, self._status, self._code]
        return [widgets.HTML(controls.STYLE_SHEET), widgets.HBox(top), *sliders, *output, opener, drawer]

    def _button(self, text: str, tooltip: str, name: str, action: Callable[[], None]) -> widgets.Button:
        button = widgets.Button(description=text, tooltip=tooltip, layout=widgets.Layout(width="100px"))
        button.on_click(lambda _: self._clock.ask(action))
        return button.add_class(f"gl-{name}")

    # -- the work, all called by the clock -----------------------------------------------------------------------------

    def _work(self, frame: bool) -> None:
        try:
            news = self._clock.obey()
            frame = frame and self._clock.playing  # what was asked may have paused it
            if frame:
                self._train()
            if frame or news or (self._slider_late and not self._clock.playing):
                self._show()
        except Exception as error:  # nobody else would show it: what tasks and callbacks raise is lost
            self._fail(error)

    def _train(self) -> None:
        """One frame's worth: so many rounds, but no longer than the view says; what is asked is done between turns."""
        end, rounds = time.monotonic() + self._view.seconds, self._speed.value
        while True:
            rounds -= self._play_turn() == 0
            if rounds <= 0 or time.monotonic() > end:
                break
            self._clock.obey()
            if not self._clock.playing:
                break

    def _play_turn(self) -> int:
        """The next player's turn; returns how many D has had in this round, 0 at its end."""
        self._round = self._round or self.trainer.turns()
        self._turn = next(self._round, 0)
        if not self._turn:
            self._round = None
        self._unnoted, self._error.value = True, ""
        return self._turn

    def _one_round(self) -> None:
        while self._play_turn():
            pass

    def _alone(self, player: str) -> None:
        self.trainer.discriminator_step() if player == "D" else self.trainer.generator_step()
        self._changes[player] = f"turns of {player} alone, the last at step {self.trainer.steps_done}"
        self._unnoted = True

    def _set(self, control: Control) -> None:
        played = self.trainer.steps_done or self._turn or self._changes
        if not hasattr(self.trainer, control.setting) or (control.setting == "data" and not played):
            return self._begin()  # recipes look at their data to make the nets
        values = control.values()
        setattr(self.trainer, control.setting, control.make(*values))
        self._applied[control.setting] = values
        if played:
            self._changes[control.setting] = f"{control.setting} moved at step {self.trainer.steps_done}"

    def _begin(self, seed: int | None = None) -> None:
        seed = self._seed if seed is None else seed
        held = {setting: control.values() for setting, control in self._controls.items()}
        made = {setting: self._controls[setting].make(*values) for setting, values in held.items()}
        self.trainer = self._recipe(seed=seed, decay=None, **self._settings | made)
        self._seed, self._applied = seed, held  # what the trainer has; a slider may hold what it refused
        self._past, self._round, self._turn, self._unnoted = History(self.trainer), None, 0, True
        self._changes: dict[str, str] = {}  # what the line of code cannot say
        self._error.value = ""
        self._past.note(self._view.measure(self.trainer))

    def _new_seed(self) -> None:
        self._begin(self._seed + 1)

    def _slid(self, step: int) -> None:
        if step != self._at:  # the learner has moved the slider, not we
            self._at = step
            self._clock.ask(lambda: self._go_back(step))

    def _go_back(self, step: int) -> None:
        self._clock.pause()
        if self._turn:
            self._one_round()  # to its end, since this state is kept, to go forward to again
        if self._unnoted:
            self._note()
        self._past.back(step)
        self._back.max, self._slider_late = max(self._back.max, self._past.steps[-1]), False

    def _note(self) -> None:
        self._past.note(self._view.measure(self.trainer), whole=not self._turn)
        self._unnoted, self._slider_late = False, True

    def _show(self) -> None:
        self.trainer.check_finite()
        if self._unnoted:  # else the track would end here, and a slider be moved under the learner's hand
            self._note()
        if self._slider_late and (self.trainer.steps_done == self._past.steps[-1] or not self._clock.playing):
            self._slider_late = False  # it follows at each snapshot; at each frame would be a burden for a slow browser
            self._at = self.trainer.steps_done
            self._back.max = max(self._at, self._back.max)  # room for both
            self._back.value = self._at
            self._back.max = max(1, self._at)
        track = self._past.track
        self._picture.value = self._view.draw(self.trainer, track)
        self._status.value, self._code.value = self._words(track[-1]), f"<code>{html.escape(self._line())}</code>"

    def _words(self, measured: dict[str, float]) -> str:
        trainer, turn = self.trainer, self._turn
        rates = [f"lr_d = {trainer.lr_d:g}", f"lr_g = {trainer.lr_g:g}"]
        shown = {name: value for name, value in measured.items() if name != "step"}
        numbers = [f"{name} = {v if isinstance(v, int) else format(v, '.3f')}" for name, v in shown.items()]
        turns = f"D, turn {turn + 1} of {trainer.k}" if turn < trainer.k else "G" if trainer.k else "G; D is frozen"
        turns = "both players" if trainer.order == "simultaneous" else turns
        return " | ".join([f"step {trainer.steps_done}", f"k = {trainer.k}", *rates, *numbers, f"next: {turns}"])

    def _line(self) -> str:
        """The code that makes this very run."""
        code = {"seed": repr(self._seed)}
        for setting, control in self._controls.items():
            if self._applied[setting] != self._defaults.get(setting):
                code[setting] = control.code(*self._applied[setting])
        code |= {name: repr(value) for name, value in self._settings.items() if name not in self._controls}
        arguments = ", ".join(f"{name}={value}" for name, value in (code | {"decay": "None"}).items())
        changes = f"  # but {', '.join(self._changes.values())}" if self._changes else ""
        return f"recipes.{self._recipe.__name__}({arguments}){changes}"

    def _fail(self, error: Exception) -> None:
        self._clock.pause()
        if not isinstance(error, ValueError):  # a refused setting leaves the round as it is
            self._round, self._turn = None, 0  # it broke off, or the trainer went back to a whole one
        expected = isinstance(error, (ValueError, FloatingPointError))  # their messages say what to do
        text = str(error) if expected else "".join(traceback.format_exception(error)[-3:])
        self._error.value = f'<pre role="alert">Training stopped. {html.escape(text)}</pre>'
        with suppress(Exception):  # it may be the picture that failed
            self._show()

    # -- from Python ---------------------------------------------------------------------------------------------------

    def begin(self, **settings: Any) -> None:
        """Set sliders and choices, and begin anew with them; seed=… too. Raises ValueError for what is no control."""
        for name in settings.keys() - self._controls.keys() - {"seed"}:
            raise ValueError(f"settings: got {name!r}; this panel's are 'seed' and {list(self._controls)}")
        seed = settings.pop("seed", self._seed)
        for name, value in settings.items():
            controls.put(self._controls[name].inputs[0], value)
        self._clock.ask(lambda: self._begin(seed))

    def run(self, rounds: int) -> None:
        """Train for so many rounds at once, without a browser, and draw."""
        with self._clock.working:
            self._clock.obey()  # what the same cell has set
            for _ in range(guards.count("rounds", rounds, least=0)):
                self._one_round()
            self._show()

    def close(self) -> None:
        """Stop for good, and leave the page."""
        if "play" in self.__dict__:  # ipywidgets closes what failed half made, too
            self._clock.pause()
            for child in _inside(self):
                child.close()
            self._past = History(self.trainer)  # a closed panel may live on in Out, its snapshots need not
        super().close()


def _inside(box: widgets.Box) -> Iterator[widgets.Widget]:
    for child in box.children:
        if isinstance(child, widgets.Box):
            yield from _inside(child)
        yield child
