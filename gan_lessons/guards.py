"""What keeps a trainer whole: interrupts that wait, random numbers of its own, and a look at every setting."""

import functools
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn
from torch.optim import Optimizer

from gan_lessons import data
from gan_lessons.arguments import count, function, number, one_of, plain, shown
from gan_lessons.devices import drawing
from gan_lessons.losses import Loss


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold Ctrl-C (a kernel's interrupt) back until the block is done, so that no player is left half updated."""
    if threading.current_thread() is not threading.main_thread():  # only the main thread is ever interrupted
        yield
        return
    held: list[tuple[Any, ...]] = []
    handler = signal.signal(signal.SIGINT, lambda *signal_and_frame: held.append(signal_and_frame))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if held and callable(handler):
            handler(*held[0])


@contextmanager
def evaluating(net: Any) -> Iterator[None]:
    """A net in eval mode for the block, and then each of its modules in its own mode again, also if interrupted.

    An interrupt is held back until then, so keep the block short: a G left in eval mode would train batch norm wrongly.
    """
    learning, parts = [], [net] if isinstance(net, nn.Module) else []
    while parts:  # as net.modules(), which is ten times as slow, and panels look many times a second
        part = vars(parts.pop())
        learning += [part] if part["training"] else []
        parts += [child for child in part["_modules"].values() if child is not None]
    with uninterrupted():
        try:
            for part in learning:
                part["training"] = False  # past nn.Module's own slow __setattr__
            yield
        finally:
            for part in learning:
                part["training"] = True


def own_randomness(turn: Callable[..., Any]) -> Callable[..., Any]:
    """Let a turn draw from the trainer's own random numbers, whatever else draws in this kernel; disturb nothing."""

    @functools.wraps(turn)
    def wrapped(self: Any, **options: Any) -> Any:
        def played() -> Any:
            with drawing(self._random_states, self.device):
                return turn(self, **options)

        with uninterrupted():
            return self._captured.play(self, turn, options, played) if self._captured else played()

    return wrapped


# -- settings ----------------------------------------------------------------------------------------------------------


def _loss(name: str, value: Any) -> Loss:
    players = (getattr(value, player, None) for player in ("discriminator", "generator"))
    if all(map(callable, players)) and {"probability", "at_equilibrium", "name", "needs_real"} <= set(dir(value)):
        return value  # not isinstance: a room that was reloaded makes another class
    raise ValueError(f"{name}: got {shown(value)}; it must be one of gan_lessons.losses, such as losses.non_saturating")


def _average(name: str, value: Any) -> float | None:
    if value is None or 0 < number(name, value) < 1:
        return None if value is None else float(value)
    raise ValueError(f"{name}: got {shown(value)}; a decay must be between 0 and 1, or None")


def _decay(name: str, value: Any) -> Callable[[float], float] | None:
    if value is not None:
        function(name, value, "from the fraction of the schedule to a factor on the rates, or None")
        for fraction in (0.0, 1.0):
            try:
                factor = value(fraction)
            except Exception as error:
                raise ValueError(f"{name}: {name}({fraction:g}) raised {type(error).__name__}: {error}") from error
            number(f"{name}({fraction:g})", factor, least=0)
    return value


def _source(name: str, value: Any) -> Any:
    if callable(getattr(value, "sample", None)) and not isinstance(value, type):
        return value
    raise ValueError(f"{name}: got {shown(value)}; it must have .sample((n,)), as torch.distributions do")


SETTINGS: dict[str, Callable[[str, Any], Any]] = {  # of a Trainer, each with its check
    "k": count,
    "batch_size": functools.partial(count, least=1, most=1_000_000),
    "lr_d": functools.partial(number, least=0),
    "lr_g": functools.partial(number, least=0),
    "r1": functools.partial(number, least=0),
    "r2": functools.partial(number, least=0),
    "penalty_every": functools.partial(count, least=1),
    "steps": lambda name, value: value if value is None else count(name, value, least=1),
    "decay": _decay,
    "loss": _loss,
    "data": data.source,
    "latent": _source,
    "steps_done": count,
    "order": functools.partial(one_of, allowed=("alternating", "simultaneous")),
    "average": _average,
    "seed": count,
}


def setting(name: str, value: Any) -> Any:
    """A value for one of a trainer's settings, as a plain one. Raises ValueError by name if it is not allowed."""
    return SETTINGS[name](name, value)


# when a trainer is made
FIXED = ("order", "seed", "device", "generator", "discriminator", "average", "averaged", "optimizer")


def is_made(trainer: Any) -> bool:
    return "_last_good" in vars(trainer)


def assignable(trainer: Any, name: str, value: Any) -> Any:
    """A value that a trainer's attribute may have now, as a plain one.

    Raises ValueError by name if it may not, and AttributeError if no trainer has such an attribute.
    """
    if is_made(trainer) and name in FIXED:
        raise ValueError(f"{name}: got {shown(value)}; it is fixed when a trainer is made: make another one")
    if name in ("optimizer_d", "optimizer_g"):
        player = trainer.discriminator if name == "optimizer_d" else trainer.generator
        return _optimizer(name, value, player)
    if name in SETTINGS:
        value = setting(name, value)
        if is_made(trainer):
            if name == "data":
                _check_size(trainer.data, value)
            check_together(**{one: getattr(trainer, one) for one in TOGETHER} | {name: value})
    elif name not in FIXED:
        allowed = [one for one in (*SETTINGS, "optimizer_d", "optimizer_g") if one not in FIXED]
        raise AttributeError(f"{name}: a Trainer has no such setting; it has {', '.join(allowed)}")
    return value


def _check_size(old: Any, new: Any) -> None:
    """Grey pictures come as rows of pixels: a net cannot see that these are rows of another size."""
    sizes = [" x ".join(map(str, one.images.shape[1:])) for one in (old, new) if isinstance(one, data.Images)]
    if len(set(sizes)) > 1:
        raise ValueError(f"data: got pictures of {sizes[1]}; this trainer's are of {sizes[0]}")


TOGETHER = ("order", "k", "r1", "r2", "steps", "decay")


def check_together(order: str, k: int, r1: float, r2: float, steps: int | None, decay: Any, **_: Any) -> None:
    """Raise ValueError if settings that are allowed each do not go together."""
    if decay is not None and steps is None:
        raise ValueError("steps: got None; a decay needs the length of its schedule")
    for name, gamma in (("r1", r1), ("r2", r2)):
        if order == "simultaneous" and gamma:
            raise ValueError(f"{name}: got {gamma}; order='simultaneous' takes no penalty, order='alternating' does")
    if order == "simultaneous" and k != 1:
        raise ValueError(f"k: got {k}; with order='simultaneous' both players move once a round: k must be 1")


def _optimizer(name: str, value: Any, player: nn.Module) -> Optimizer:
    """One of this player's weights; numpy's numbers in its settings become plain ones."""
    if not isinstance(value, Optimizer):
        raise ValueError(f"{name}: got {shown(value)}; it must be a torch.optim.Optimizer")
    own = {id(weight) for weight in player.parameters()}
    if any(id(weight) not in own for group in value.param_groups for weight in group["params"]):
        raise ValueError(f"{name}: got one of other weights; it must move weights of this trainer's player")
    for group in value.param_groups:
        group.update({key: plain(setting) for key, setting in group.items()})
    return value
