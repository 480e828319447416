"""The panel: sliders that steer a training while it runs."""

import html
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any
from weakref import WeakSet

import ipywidgets as widgets
from IPython import get_ipython

from gan_lessons.arguments import count
from gan_lessons.live import controls, page, words
from gan_lessons.live.clock import Clock
from gan_lessons.live.controls import SPEEDS, Control, grid, labelled
from gan_lessons.live.game import Game, Start, looks
from gan_lessons.live.history import History
from gan_lessons.training import Trainer
from gan_lessons.views import Figure1, Images, Plane

PERIOD = 1 / 21  # seconds from frame to frame, as fast as it goes: what drawing leaves of them is for training
_panels: WeakSet["Panel"] = WeakSet()


class Panel(widgets.VBox):
    """A training to watch and to steer: show it as the last line of a cell, and press play.

    recipe: makes the Trainer, one of `recipes` or your own; without a decay, since the sliders hold the rates. view:
    what is drawn, `views.Figure1()`, `views.Plane()` or `views.Images()`. extra: further controls, such as
    `controls.bumps()`. settings: the recipe's own, such as seed=3, k=5. Raises what the recipe raises.
    name: of all panels of one name only the newest lives, so that a cell run again leaves nothing training behind.
    Unless given it is the recipe's, and then panels made by one run of a cell live side by side.

    `.trainer` is the Trainer it plays. Without a browser the panel stands still, and `run(rounds)` trains.
    """

    slow = 0.4  # seconds from one turn to the next in slow motion
    _putting, _told, _trained = False, None, 0.0  # inputs set from here; what the code tells; a frame ended then
    _losses: Sequence[Any] = ()  # to choose from besides those that have names

    def __init__(
        self,
        recipe: Callable[..., Trainer],
        view: Figure1 | Plane | Images,
        *extra: Control,
        name: str | None = None,
        **settings: Any,
    ):
        seed = settings.pop("seed", 0)
        self._view, self._start = looks(view), Start(recipe, settings)
        trainer = self._start.trainer(seed)
        first, more = controls.players(trainer), controls.more(trainer, recipe, settings, self._losses)
        self._controls = {control.setting: control for control in (*first, *extra, *more)}
        self._start.choices(first, more)
        self._clock = Clock(self._work, rewind=self._begin)
        self.play = self._clock.play
        super().__init__(self._page(first, extra, more))
        self.add_class("gl-panel")
        self._begin(seed)
        self._show()
        self._places: list[widgets.VBox] = []
        self._name, self._cell = name or getattr(recipe, "__name__", "recipe"), _running_cell()
        for other in [one for one in _panels if one._name == self._name]:
            if name or other._cell != self._cell:
                other.close()
        _panels.add(self)

    @property
    def trainer(self) -> Trainer:
        return self._game.trainer

    def _page(self, *groups: Sequence[Control]) -> list[widgets.Widget]:
        first, extra, more = groups
        ask, self._buttons = self._clock.ask, {}
        for control in (*first, *extra, *more):
            for one in control.inputs:
                one.add_class(f"gl-{control.setting.replace('_', '-')}")
                one.observe(lambda _, one=control: self._putting or ask(lambda: self._set(one)), "value")
        self._speed = labelled(widgets.SelectionSlider(options=list(SPEEDS.items()), value=5), "speed", width="520px")
        self._speed.add_class("gl-speed")
        self._speed.observe(lambda move: setattr(self._clock, "apart", 0.04 if move["new"] else self.slow), "value")
        self._back = labelled(widgets.IntSlider(0, min=0, max=1), "back to round")
        self._back.add_class("gl-history").observe(lambda move: self._slid(move["new"]), "value")
        shown = (widgets.HTML().add_class(f"gl-{name}") for name in ("view", "numbers", "code", "err"))
        self._picture, self._numbers, self._code, self._error = shown
        self._picture.layout.min_height = "345px"  # the page does not jump when the first one comes
        buttons = [
            self._button("One round", "k turns of D, then one of G", "step", self._one_round),
            self._button("Reset", "the same seed from its start; the sliders stay", "reset", self._begin),
        ]
        single = [
            self._button("D alone", "one turn of D", "step-d", lambda: self._game.alone("D")),
            self._button("G alone", "one turn of G", "step-g", lambda: self._game.alone("G")),
            self._button("New seed", "other nets and other noise, the same settings", "seed", self._new_seed),
        ]
        k, *rates = (one for control in first for one in control.inputs)
        alone = [control.inputs[0] for control in extra if len(control.inputs) == 1]
        several = [grid(control.inputs, 3) for control in extra if len(control.inputs) > 1]
        hidden = [self._back, *(one for control in more for one in control.inputs)]
        drawer = widgets.VBox([widgets.HBox(single), self._speed, grid(hidden), self._numbers, self._code])
        self._drawer, drawer.layout.display = drawer, "none"
        opener = widgets.ToggleButton(description="More", tooltip="speed, loss, history, single turns, the code")
        shown = {True: "", False: "none"}
        opener.observe(lambda move: ask(lambda: setattr(drawer.layout, "display", shown[move["new"]])), "value")
        opener.add_class("gl-more")  # no Accordion: the Tab key passes by its title
        inputs = [widgets.HBox([self.play, *buttons, k]), grid([*rates, *alone]), *several]
        return [page.style_sheet(), *inputs, self._picture, self._error, opener, drawer]

    def _button(self, text: str, tooltip: str, name: str, action: Callable[[], None]) -> widgets.Button:
        button = widgets.Button(description=text, tooltip=tooltip, layout=widgets.Layout(width="100px"))
        button.on_click(lambda _: self._clock.ask(action))
        self._buttons[name] = button
        return button.add_class(f"gl-{name}")

    # -- the work, all called by the clock -----------------------------------------------------------------------------

    def _work(self, frame: bool) -> None:
        try:
            news = self._clock.obey()
            frame = frame and self._clock.playing  # what was asked may have paused it
            if frame:
                self._train()
            if frame or news or (self._game.slider_is_late and not self._clock.playing):
                self._show()
        except Exception as error:  # nobody else would show it: what tasks and callbacks raise is lost
            self._fail(error)

    def _train(self) -> None:
        """One frame's worth: so many rounds, but no longer than there is time; what is asked is done between turns."""
        began, rounds = time.monotonic(), self._speed.value
        end = began + max(self._view.seconds, PERIOD - (began - self._trained))
        self._error.value = ""
        while True:
            rounds -= self._game.play_turn() == 0
            if rounds <= 0 or time.monotonic() > end:
                break
            self._clock.obey()
            if not self._clock.playing:
                break
        self._trained = time.monotonic()

    def _one_round(self) -> None:
        self._error.value = ""
        self._game.one_round()

    def _set(self, control: Control) -> None:
        if not self._game.set(control):
            self._begin()

    def _begin(self, seed: int | None = None) -> None:
        seed = self._game.seed if seed is None else seed
        held = {setting: control.values() for setting, control in self._controls.items()}
        made = {setting: self._controls[setting].make(*values) for setting, values in held.items()}
        trainer = self._start.trainer(seed, **made)
        self._game = Game(trainer, self._view.measure, seed, held)
        self._error.value = ""

    def _new_seed(self) -> None:
        self._begin(self._game.seed + 1)

    def _slid(self, step: int) -> None:
        if step != self._game.slider_at:
            self._game.slider_at = step
            self._clock.ask(lambda: self._go_back(step))

    def _go_back(self, step: int) -> None:
        self._clock.pause()
        self._game.go_back(step)
        self._back.max = max(self._back.max, self._game.past.steps[-1])

    def _show(self) -> None:
        game = self._game
        self.trainer.check_finite()
        if not game.measured:  # else the track would end here, and a slider be moved under the learner's hand
            game.note()
        if game.slider_is_late and (self.trainer.steps_done == game.past.steps[-1] or not self._clock.playing):
            game.slider_is_late = False  # moved at each snapshot; at each frame would burden a slow browser
            game.slider_at = self.trainer.steps_done
            self._back.max = max(game.slider_at, self._back.max)  # room for both
            self._back.value = game.slider_at
            self._back.max = max(1, game.slider_at)
        measured = game.past.track[-1]
        drawing, said = self._seen(measured)  # sent as one message: at each a browser lays out its page anew
        self._picture.value = f'{drawing}<div class="gl-status">{html.escape(said, quote=False)}</div>'
        if self._drawer.layout.display != "none":  # nobody sees them, and a slow browser has enough to do
            self._numbers.value = words.numbers(self.trainer, measured)
        if (told := (self._start, game.seed, game.changes.copy(), game.applied.copy())) != self._told:  # it takes long
            self._told, line = told, html.escape(self._start.line(game, self._controls))
            self._code.value = f"<code>{line}</code>"

    def _seen(self, measured: dict[str, float]) -> tuple[str, str]:
        """The picture of now, as HTML, and what is said under it."""
        game, view = self._game, self._view
        return view.draw(self.trainer, game.past.track), words.state(self.trainer, view, measured, game.turn)

    def _fail(self, error: Exception) -> None:
        self._clock.pause()
        if not isinstance(error, ValueError):  # a refused setting leaves the round as it is
            self._game.break_off()
        expected = isinstance(error, (ValueError, FloatingPointError))  # their messages say what to do
        text = str(error) if expected else "".join(traceback.format_exception(error)[-3:])
        self._error.value = f'<pre role="alert">Training stopped. {html.escape(text)}</pre>'
        with suppress(Exception):  # it may be the picture that failed
            self._show()

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """Shown again, with a play button of its own: one that is shown twice plays in neither place (ipywidgets 8)."""
        place = self
        if self._places:
            style, (_, *row), *others = self.children[0], self.children[1].children, *self.children[2:]
            place = widgets.VBox([style, widgets.HBox([self._clock.button(), *row]), *others]).add_class("gl-panel")
        self._places.append(place)
        return widgets.VBox._repr_mimebundle_(place, **options)

    # -- from Python ---------------------------------------------------------------------------------------------------

    def begin(self, **settings: Any) -> None:
        """Set sliders and choices, and begin anew with them; seed=… too. Raises ValueError for what is no control."""
        for name in settings.keys() - self._controls.keys() - {"seed"}:
            raise ValueError(f"settings: got {name!r}; this panel's are 'seed' and {list(self._controls)}")
        seed = count("seed", settings.pop("seed", self._game.seed))
        for name, values in {one: controls.fitting(self._controls[one], settings[one]) for one in settings}.items():
            controls.put(self._controls[name], values)  # none is set before all are looked at
        self._clock.ask(lambda: self._begin(seed))

    def run(self, rounds: int) -> None:
        """Train for so many rounds at once, without a browser, and draw."""
        with self._clock.working:
            self._clock.obey()  # what the same cell has set
            for _ in range(count("rounds", rounds)):
                self._one_round()
            self._show()

    def close(self) -> None:
        """Stop for good, and leave the page."""
        _panels.discard(self)
        if "play" in self.__dict__:  # ipywidgets closes what failed half made, too
            self._clock.pause()
            for child in {child for place in (self, *self._places) for child in (*page.inside(place), place)} - {self}:
                child.close()
            self._game.past = History(self.trainer)  # a closed panel may live on in Out, its snapshots need not
        super().close()


def _running_cell() -> str | None:
    """Which message the kernel is at, such as a run of a cell; None without a kernel."""
    kernel = getattr(get_ipython(), "kernel", None)
    return kernel and kernel.get_parent().get("header", {}).get("msg_id")
