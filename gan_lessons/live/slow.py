"""Slow motion: a round taken apart into its parts, of which some only look, and two let a player take its turn."""

from typing import Any

from gan_lessons.live.game import Game
from gan_lessons.views import parts
from gan_lessons.views.parts import Part


class Slow:
    """Where a slow motion is in its round. D's turn: draw, look, learn; G's: push, move (`parts.WORDS`)."""

    def __init__(self) -> None:
        self._part: Part | None = None
        self._where: Any = None  # in the game: if it is elsewhere, somebody else has played on

    def part(self, game: Game) -> Part | None:
        """The part that is shown now; None where the game has gone on otherwise."""
        return self._part if self._where == _where(game) else None

    def next(self, game: Game, view: Any) -> Part:
        """Go on to the next part; a player takes its turn where it is its part."""
        now, trainer = self.part(game), game.trainer
        if now is not None and now.name in ("look", "push"):
            D, x = parts.standing(view, trainer)
            name, real, fakes = ("learn", now.real, now.fakes) if now.name == "look" else ("move", None, None)
            self._part = Part(name, real, fakes, D, x)
            game.play_turn()
        elif now is not None and now.name == "draw":
            self._part = Part("look", now.real, now.fakes)
        elif game.turn < trainer.k and trainer.order == "alternating":
            self._part = Part("draw", *parts.minibatch(trainer))
        else:
            self._part = Part("push")
        self._where = _where(game)
        return self._part


def _where(game: Game) -> tuple[Any, ...]:
    return id(game), game.trainer.steps_done, game.turn, game.trainer.k, dict(game.changes)
