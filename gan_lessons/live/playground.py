"""The playground: one panel with every kind of data."""

import time
from typing import Any

import ipywidgets as widgets

from gan_lessons import losses, recipes
from gan_lessons.arguments import count, one_of
from gan_lessons.live import controls, kinds
from gan_lessons.live.controls import SPEEDS, Control, labelled
from gan_lessons.live.game import Start
from gan_lessons.live.kinds import KINDS, NUMBER, PICTURES, TRAVELS, VIEWS
from gan_lessons.live.panel import Panel
from gan_lessons.live.slow import Slow
from gan_lessons.views import Figure1, parts

SLOW = "slow motion, part by part"


class Playground(Panel):
    """Every kind of data in one panel, with every control: show it as the last line of a cell, and press play.

    kind: one of KINDS, to begin with; text: the word that is learned where the data are a word. Other data begin a new
    game. What you have moved stays where it makes sense: k and the loss always, all else among data of one sort
    (numbers, points, pictures), where rates and penalties are in the same unit; the rest is as the recipe has it.

    `.kind`, `.text`, `.seconds` (of play since the game began) and `.notes` (all that was measured, also what lies
    ahead of where one went back to) are there to be read.

    >>> panel = Playground("moons")
    >>> panel.run(20)
    >>> panel.trainer.steps_done, panel.kind, sorted(panel.now)[:2]
    (20, 'moons', ['D(G(z))', 'D(x)'])
    """

    slow = 1.3
    _losses = (losses.top_k(0.3),)  # that of digits

    def __init__(self, kind: str = "gaussian", text: str = "Hi", seed: int = 0):
        self.kind, self.text, self.seconds, self._own = "gaussian", text, 0.0, {}
        self._parts, self._usual = Slow(), 5  # rounds a frame, until the learner chooses
        self._moved = 0.0  # when a knob was moved last
        self._choice = labelled(
            widgets.Dropdown(options=[(one.words, name) for name, one in KINDS.items()], value=self.kind),
            *("data", "40px", "255px"),
        )
        self._word = labelled(widgets.Text(text, continuous_update=False), "", "0px", "120px")
        self._word.tooltip = "the word: its letters become the data"
        self._best = widgets.Checkbox(False, description="D*, the best D there is", indent=False)
        latent = labelled(widgets.Dropdown(options=[("normal", "normal"), ("uniform", "uniform")]), "z")
        made = [lambda name, i=i: kinds.latent(self.kind, name)[i] for i in (0, 1)]  # z, and its code
        noise = Control("latent", (latent,), *made)
        super().__init__(
            *(recipes.gaussian, Figure1(), noise, controls.optimizer(), controls.width(128)),
            **{"name": "playground", "seed": seed},
        )
        self._switch(one_of("kind", kind, KINDS), text, seed, False, {})

    # -- the page ------------------------------------------------------------------------------------------------------

    @property
    def _controls(self) -> dict[str, Control]:
        """Those that make sense for the data of now."""
        return {name: control for name, control in self._all.items() if name in kinds.known(self.kind)}

    @_controls.setter
    def _controls(self, value: dict[str, Control]) -> None:
        self._all = value

    def _page(self, *groups: list[Control]) -> list[widgets.Widget]:
        style, *_, opener, drawer = super()._page(*groups)
        first, extra, more = ([one for control in group for one in control.inputs] for group in groups)
        for name, one in {"kind": self._choice, "text": self._word, "best": self._best}.items():
            one.add_class(f"gl-{name}")
        self._choice.observe(lambda move: self._chosen(), "value")
        self._word.observe(lambda move: self._chosen(), "value")
        self._best.observe(lambda move: self._clock.ask(lambda: setattr(self._view, "D_star", move["new"])), "value")
        part = self._button("One part", "slow motion by hand: the next part of the round", "part", self._one_part)
        self._speed.options, self._speed.value = [(SLOW, 0), *list(SPEEDS.items())[1:]], self._usual
        labelled(self._speed, "speed", "45px", "365px")
        labelled(self._back, "back to round", "90px", "335px")
        self._button(
            "Defaults", "all knobs as the recipe has them, and a new game", "defaults", lambda: self.begin(self.kind)
        )
        (k, *rates), b = first, self._buttons
        rows = [
            widgets.HBox([self._choice, self._word, b["defaults"], b["seed"]]),
            widgets.HBox([self.play, b["step"], b["reset"], k]),
            controls.grid(rates),
            widgets.HBox([part, b["step-d"], b["step-g"], self._speed]),
            widgets.HBox([self._back, more[0]]),
        ]
        self._drawer.children = [controls.grid([*extra, *more[1:]]), self._best, self._numbers, self._code]
        opener.tooltip = "optimiser, z, penalties, batch size, the code"
        return [style, *rows, self._picture, self._error, opener, drawer]

    # -- the data, called by the clock ---------------------------------------------------------------------------------

    def _chosen(self) -> None:
        if not self._putting:
            self._clock.ask(lambda: self._switch(self._choice.value, self._word.value, self._game.seed, True, {}))

    def _switch(self, kind: str, text: str, seed: int, keep: bool, held: dict[str, tuple[Any, ...]]) -> None:
        """A new game with other data. keep: what was moved, where it makes sense; held: what inputs are to hold."""
        told, before = KINDS[kind], KINDS[self.kind].family
        if told.family == PICTURES:
            self._picture.value = f"Fetching {kind} ..."  # the first time they take a second or two
        start = Start(told.recipe, told.settings(text))
        own = kinds.own(kind, text, start.trainer(seed))  # refuses before anything is changed
        moved = {name: values for name, values in self._read().items() if keep and values != self._own.get(name)}
        kept = {name: v for name, v in moved.items() if name in TRAVELS or told.family == before}
        self.kind, self.text, self._start, self._view = kind, text, start, VIEWS[told.family]()
        if told.family == NUMBER:
            self._view.D_star = self._best.value
        self._put(own)
        self._own = self._read()
        now, first = self._controls, [self._all[name] for name in ("k", "lr_d", "lr_g")]
        self._start.choices(first, [control for control in now.values() if control not in first])
        self._put({name: values for name, values in (kept | held).items() if name in now})
        self._begin(seed)

    def _read(self) -> dict[str, tuple[Any, ...]]:
        return {name: control.values() for name, control in self._controls.items()}

    def _put(self, held: dict[str, tuple[Any, ...]]) -> None:
        """Set inputs, and show those that make sense."""
        self._putting = True
        try:
            for name, values in held.items():
                controls.put(self._all[name], values)
            self._choice.value, self._word.value = self.kind, self.text
            if self._speed.value == self._usual:
                self._usual = self._speed.value = kinds.SPEED[KINDS[self.kind].family]
        finally:
            self._putting = False
        for name, control in self._all.items():
            for one in control.inputs:
                one.layout.display = "" if name in self._controls else "none"
        self._word.layout.display = "" if self.kind == "word" else "none"
        self._best.layout.display = "" if KINDS[self.kind].family == NUMBER else "none"

    # -- the work, called by the clock ---------------------------------------------------------------------------------

    def _train(self) -> None:
        began = time.monotonic()
        if self._speed.value:
            super()._train()
        else:
            self._one_part()
        self.seconds += time.monotonic() - began

    def _one_part(self) -> None:
        self._error.value = ""
        self._parts.next(self._game, self._view)

    def _set(self, control: Control) -> None:
        now = time.monotonic()
        if not self._game.turn and now - self._moved > 0.3:  # not at each step of a slider that is dragged
            self._game.past.keep()  # the moment before, to come back to
        self._moved = now
        super()._set(control)

    def _begin(self, seed: int | None = None) -> None:
        super()._begin(seed)
        self.seconds, self._parts = 0.0, Slow()

    def _show(self) -> None:
        super()._show()
        if self._drawer.layout.display != "none":
            self._numbers.value += f", {self.seconds:.0f} s of play"

    def _seen(self, measured: dict[str, float]) -> tuple[str, str]:
        part = self._parts.part(self._game)
        self._view.pushes = part is None or part.name == "push"
        drawing, said = super()._seen(measured)
        if part is None:
            return drawing, said
        over, words = parts.over(self._view, self.trainer, part)
        return f"{drawing.removesuffix('</svg>')}{over}</svg>", f"Round {self.trainer.steps_done}, {words}."

    # -- from Python ---------------------------------------------------------------------------------------------------

    @property
    def notes(self) -> list[dict[str, float]]:
        """What was measured at each frame, also at those that lie ahead of where one went back to."""
        return self._game.past.notes

    @property
    def track(self) -> list[dict[str, float]]:
        """What was measured up to now."""
        return self._game.past.track

    @property
    def now(self) -> dict[str, float]:
        """What was measured last."""
        return self.track[-1]

    @property
    def changes(self) -> dict[str, str]:
        """What was done to this game since it began, in words, by setting."""
        return dict(self._game.changes)

    def back(self, step: int) -> None:
        """To the last round at or before this one of which the state was kept, as the slider does."""
        with self._clock.working:
            self._clock.obey()
            self._go_back(count("step", step))
            self._show()

    def move(self, **settings: Any) -> None:
        """Move sliders and choices while the game goes on. Raises ValueError for what there is not."""
        for name, values in self._fitting(self.kind, settings).items():
            controls.put(self._all[name], values)

    def settings(self) -> dict[str, Any]:
        """What the inputs hold, by the names of settings."""
        return {name: values[0] for name, values in self._read().items()}

    def run(self, rounds: int) -> None:
        """Train for so many rounds at once, without a browser, noting every tenth, and draw; it counts as play."""
        began = time.monotonic()
        with self._clock.working:
            self._clock.obey()
            for done in range(1, count("rounds", rounds) + 1):
                self._one_round()
                if done % 10 == 0:
                    self._game.note()
            self._show()
        self.seconds += time.monotonic() - began

    def begin(self, kind: str | None = None, text: str | None = None, **settings: Any) -> None:
        """Begin a new game. With a kind, all is as its recipe has it but for the settings given; else the rest stays.

        panel.begin("ring", k=3, seed=1); panel.begin("word", text="Hi"). Raises ValueError for what there is not.
        """
        chosen = self.kind if kind is None else one_of("kind", kind, KINDS)
        text = self.text if text is None else text
        seed = count("seed", settings.pop("seed", self._game.seed))
        held = self._fitting(chosen, settings)
        KINDS[chosen].settings(text)  # refuses a word that cannot be drawn
        self._clock.ask(lambda: self._switch(chosen, text, seed, kind is None, held))

    def _fitting(self, kind: str, settings: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
        """What inputs are to hold for these settings."""
        known = kinds.known(kind)
        for name in settings.keys() - set(known):
            raise ValueError(f"settings: got {name!r}; for {kind!r} they are 'seed' and {list(known)}")
        return {name: controls.fitting(self._all[name], value) for name, value in settings.items()}
