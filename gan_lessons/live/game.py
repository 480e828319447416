"""The game that a panel shows, without its widgets: played turn by turn, with a history to go back in."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from gan_lessons.arguments import function, shown
from gan_lessons.checkpoints import Checkpointed
from gan_lessons.live import words
from gan_lessons.live.controls import Control, takes
from gan_lessons.live.history import History
from gan_lessons.training import Trainer


def looks(view: Any) -> Any:
    """A view, something with measure(trainer) and draw(trainer, track)."""
    if isinstance(view, type) or not all(callable(getattr(view, one, None)) for one in ("measure", "draw")):
        raise ValueError(f"view: got {shown(view)}; it must be one of gan_lessons.views, such as views.Figure1()")
    return view


SETTABLE = ("k", "lr_d", "lr_g", "batch_size", "loss", "r1", "r2", "data", "latent")  # of a Trainer, at any moment


class Start:
    """How each game of a panel begins: a recipe, and the settings that were given with it.

    A recipe of one's own need not take every argument that ours do: what it leaves out is set on its trainer.
    """

    def __init__(self, recipe: Callable[..., Trainer], settings: dict[str, Any]):
        self._recipe = function("recipe", recipe, "that makes a Trainer, such as recipes.gaussian")
        self._settings = ({"decay": None} if takes(recipe, "decay") else {}) | settings
        self._defaults: dict[str, tuple[Any, ...]] = {}

    def choices(self, first: Sequence[Control], more: Sequence[Control]) -> None:
        """Note what the recipe has chosen by itself: the line of code need not say it."""
        chosen = [*more, *(control for control in first if self._is_set_later(control.setting))]
        self._defaults = {one.setting: one.values() for one in chosen if one.setting not in self._settings}

    def trainer(self, seed: int, **made: Any) -> Trainer:
        """A new one, with what the controls make."""
        given = {name: value for name, value in made.items() if not self._is_set_later(name)}
        trainer = self._recipe(**self._seeded(seed) | given)
        if not isinstance(trainer, Checkpointed):
            raise ValueError(f"recipe: returns {shown(trainer)}; it must return a Trainer")
        for name in made.keys() - given.keys():
            setattr(trainer, name, made[name])
        return trainer

    def line(self, game: "Game", controls: dict[str, Control]) -> str:
        """The code that makes this very run."""
        code = {name: words.code(value) for name, value in self._seeded(game.seed).items()}
        decay, changes = code.pop("decay", ""), dict(game.changes)
        for setting, control in controls.items():
            code.pop(setting, None)
            text = control.code(*game.applied[setting])
            if game.applied[setting] == self._defaults.get(setting) and not (setting == "start" and "data" in controls):
                continue  # a recipe may choose its start by its data
            if self._is_set_later(setting):
                changes.setdefault(setting, f"{setting} set to {text or 'what you gave'}")
            else:
                code[setting] = text
        if decay != "":
            code["decay"] = decay  # comes last
        return words.line(self._recipe, code, list(changes.values()))

    def _is_set_later(self, name: str) -> bool:
        return name in SETTABLE and not takes(self._recipe, name)

    def _seeded(self, seed: int) -> dict[str, Any]:
        return ({"seed": seed} if takes(self._recipe, "seed") else {}) | self._settings


@dataclass
class Game:
    """One training from its start on, and what is to be known of it besides the trainer's own state."""

    trainer: Trainer
    measure: Callable[[Trainer], dict[str, float]]  # what the view wants to know at each frame
    seed: int
    applied: dict[str, tuple[Any, ...]]  # each control's values that the trainer has; a slider may show a refused one
    changes: dict[str, str] = field(default_factory=dict)  # what was done since the start, in words, by setting
    round: Iterator[int] | None = None  # the turns of the round that has begun; None between two rounds
    turn: int = 0  # how many turns D has had in this round
    measured: bool = False  # whether the trainer still stands where it was last measured
    slider_is_late: bool = False  # whether the history's slider does not show yet where the trainer is
    slider_at: int = 0  # where we have put that slider; if it is elsewhere, the learner has moved it

    def __post_init__(self) -> None:
        self.past = History(self.trainer)
        self.note()

    def play_turn(self) -> int:
        """The next player's turn; returns how many D has had in this round, 0 at its end."""
        self.round = self.round or self.trainer.turns()
        self.turn = next(self.round, 0)
        if not self.turn:
            self.round = None
        self.measured = False
        return self.turn

    def one_round(self) -> None:
        """What is left of the round that has begun, or a whole one."""
        while self.play_turn():
            pass

    def break_off(self) -> None:
        """After an error: the round is over, or the trainer went back to a whole one."""
        self.round, self.turn = None, 0

    def alone(self, player: str) -> None:
        self.trainer.discriminator_step() if player == "D" else self.trainer.generator_step()
        self.changes[player] = f"turns of {player} alone, the last at round {self.trainer.steps_done}"
        self.measured = False

    def set(self, control: Control) -> bool:
        """Give the trainer what a control holds; False if only a new game can have it."""
        played = self.trainer.steps_done or self.turn or self.changes
        if not hasattr(self.trainer, control.setting) or (control.setting == "data" and not played):
            return False  # recipes look at their data to make the nets
        values = control.values()
        setattr(self.trainer, control.setting, control.make(*values))
        self.applied[control.setting] = values
        if played:
            self.changes[control.setting] = f"{control.setting} moved at round {self.trainer.steps_done}"
        return True

    def go_back(self, step: int) -> None:
        if self.turn:
            self.one_round()  # to its end, since this state is kept, to go forward to again
        if not self.measured:
            self.note()
        self.past.back(step)
        self.slider_is_late = False  # it is where the learner has put it

    def note(self) -> None:
        """Measure the trainer, for the picture and the history."""
        self.past.note(self.measure(self.trainer), whole=not self.turn)
        self.measured = self.slider_is_late = True
