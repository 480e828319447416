"""A player's turn as one CUDA graph: what Python would start kernel by kernel, a GPU plays by itself.

Nets as small as ours take a GPU a few microseconds a layer, and Python takes longer than that to start each of a
turn's hundred kernels. `torch.cuda.CUDAGraph` notes them once and starts them all at once. What it notes is fixed: the
places in memory that are read and written, and every number that Python knew. So the rates lie in tensors, the random
numbers go on from where the trainer's own stand, and when anything else is changed the turn is noted anew.

On a GPU the matrix products of a turn are made of factors rounded to 10 bits (TF32), as convolutions are by torch's own
default. A round of the nets for digits takes a third less time; `mnist_best` ended within what seeds differ by.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Distribution
from torch.optim import Adam, AdamW, Optimizer

from gan_lessons import optimizers
from gan_lessons.data import Images, Sample
from gan_lessons.records import mean

WARM_UP = 3  # turns played without a graph first: what libraries and optimisers make on first use, no graph can make
PRODUCTS = "high"  # "highest" would not round their factors


class Captured:
    """The turns of one trainer: each kind is played as it is three times, and as a graph from then on.

    A kind is D's turn with or without a penalty, or watching only; G's turn; or a simultaneous step. A trainer plays
    without graphs if a player has hooks, if a source is of no kind known here, or if the host waits in a turn.
    """

    def __init__(self) -> None:
        self._kinds: dict[Any, _Kind] = {}
        self.trouble = ""  # why there are no graphs, if there can be none

    def __deepcopy__(self, memo: dict[int, Any]) -> "Captured":
        return type(self)()

    def play(self, trainer: Any, turn: Callable[..., Any], options: dict[str, Any], played: Callable[[], Any]) -> Any:
        """One turn, as a graph if it can be one; played() is the same turn without."""
        fixed, parts = ([], []) if self.trouble else _fixed(trainer)
        if not fixed:
            with _products():
                return played()
        name = (turn.__name__, *options.items(), turn.__name__ == "discriminator_step" and trainer._penalty_is_due())
        kind = self._kinds.get(name)
        if kind is None or kind.fixed != fixed:
            kind = self._kinds[name] = _Kind(fixed, parts)
        if kind.graph:
            return kind.graph.replay(trainer)
        kind.turns += 1
        with _products():
            if kind.turns < WARM_UP:
                return played()
            if kind.turns == WARM_UP:
                with _watched() as waits:
                    record = played()
                if waits:
                    self._give_up(f"in {turn.__name__} the host waits for the GPU")
                return record
            try:
                kind.graph = Graph(trainer, turn, options)
            except Exception as error:  # players and losses of one's own may do anything that no graph can hold
                _mend(trainer.device)
                self._give_up(f"in {turn.__name__} {type(error).__name__}: {error}")
                return played()
        return kind.graph.replay(trainer)

    def _give_up(self, trouble: str) -> None:
        self.trouble = trouble
        self._kinds.clear()
        warnings.warn(f"no CUDA graphs, so a round takes several times as long: {trouble}", stacklevel=5)


class _Kind:
    """One kind of turn: what its graph has fixed, and how often it was played without."""

    def __init__(self, fixed: list[Any], parts: list[Any]):
        self.fixed, self._parts = fixed, parts  # parts are kept, so that nothing else gets their ids
        self.turns, self.graph = 0, None


class Graph:
    """One kind of turn, noted while Python runs through it once, which computes nothing yet."""

    def __init__(self, trainer: Any, turn: Callable[..., Any], options: dict[str, Any]):
        device = trainer.device
        self._graph, self._means = torch.cuda.CUDAGraph(), {}
        hands = {f"optimizer_{one}": _Hand(getattr(trainer, f"optimizer_{one}"), f"lr_{one}", device) for one in "dg"}
        aside = hands | {"_recorder": self}
        if hands["optimizer_g"].is_late:
            aside["averaged"] = None  # it follows G's step
        here = torch.cuda.stream(torch.cuda.current_stream(device))  # where we are again if the capture breaks
        with _standing_in(vars(trainer), aside), here:
            with torch.cuda.graph(self._graph, stream=_stream(device), capture_error_mode="thread_local"):
                turn(trainer, **options)
                self._row = torch.stack([mean for mean in self._means.values() if mean is not None])
        self._hands = [hand for hand in hands.values() if hand.has_moved]
        self._gradients = [(w, w.grad) for hand in self._hands for group in hand.param_groups for w in group["params"]]
        self._averages = trainer.averaged and hands["optimizer_g"].is_late and hands["optimizer_g"].has_moved

    def note(self, **measured: Tensor | None) -> None:
        """What was measured, to the trainer's recorder, in whose place this stands while the turn is noted."""
        for name, value in measured.items():
            self._means[name] = mean(value)

    def replay(self, trainer: Any) -> Any:
        """Play it, with the trainer's rates and random numbers of this moment."""
        for hand in self._hands:
            hand.set_rate(trainer._rate(getattr(trainer, hand.lr)))
        index = torch.cuda.current_device() if trainer.device.index is None else trainer.device.index
        generator, states = torch.cuda.default_generators[index], trainer._random_states
        elsewhere = generator.get_state()
        try:
            generator.set_state(states["cuda"])
            self._graph.replay()
            states["cuda"] = generator.get_state()
        finally:
            generator.set_state(elsewhere)
        for weight, gradient in self._gradients:
            weight.grad = gradient
        for hand in self._hands:
            if hand.is_late:
                hand.optimizer.step()
        if self._averages:
            trainer.averaged.update_parameters(trainer.generator)
        row = iter(self._row.clone().unbind())
        return trainer._recorder.keep({name: None if m is None else next(row) for name, m in self._means.items()})


class _Hand:
    """In the place of an optimiser while a turn is noted. One that no graph can hold is late: it steps after it."""

    def __init__(self, optimizer: Optimizer, lr: str, device: torch.device):
        self.optimizer, self.lr, self.zero_grad = optimizer, lr, optimizer.zero_grad
        self.param_groups = [group.copy() for group in optimizer.param_groups]
        self.is_late, self.has_moved = not _is_capturable(optimizer), False
        self._rate, self._in_it = torch.zeros((), device=device, dtype=torch.float32), 0.0

    def step(self) -> None:
        self.has_moved = True
        if not self.is_late:
            for group in self.optimizer.param_groups:
                group.update(lr=self._rate, capturable=True)
            try:
                self.optimizer.step()
            finally:
                for group, was in zip(self.optimizer.param_groups, self.param_groups, strict=True):
                    group.update(lr=was["lr"], capturable=was["capturable"])

    def set_rate(self, rate: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        if rate != self._in_it:
            self._in_it = rate
            self._rate.fill_(rate)


def _is_capturable(optimizer: Optimizer) -> bool:
    kinds, groups = (Adam, AdamW, optimizers.Adam), optimizer.param_groups
    return type(optimizer) in kinds and all(group["fused"] or group["capturable"] for group in groups)


def _fixed(trainer: Any) -> tuple[list[Any], list[Any]]:
    """What a graph of this trainer's turns has fixed, and the objects whose ids stand in it. Empty: no graph.

    Not in it: what a layer was told when made, such as its rate of dropout; what Python decides in a net or a loss.
    """
    sources, optimizers = list(trainer._sources.values()), [trainer.optimizer_d, trainer.optimizer_g]
    if not all(isinstance(source, (Distribution, Images, Sample)) for source in sources):
        return [], []
    parts = [trainer.loss, *sources, *optimizers, *(one.state for one in optimizers)]  # what is loaded is another state
    fixed = [trainer.batch_size, trainer.r1, trainer.r2, trainer.penalty_every]
    for group in (group for one in optimizers if _is_capturable(one) for group in one.param_groups):
        fixed += [setting for name, setting in group.items() if name not in ("params", "lr")]
    nets = [trainer.generator, trainer.discriminator]
    while nets:  # as net.modules(), which is ten times as slow: this is done at each turn
        net = nets.pop()
        if net is None:
            continue
        at = vars(net)
        if at["_forward_hooks"] or at["_forward_pre_hooks"] or at["_backward_hooks"] or at["_backward_pre_hooks"]:
            return [], []
        parts.append(net)
        fixed.append(at["training"])
        for one in (*at["_parameters"].values(), *at["_buffers"].values()):
            if one is not None:
                fixed += (one.data_ptr(), one.requires_grad)
        nets += at["_modules"].values()
    return fixed + [id(part) for part in parts], parts


@cache
def _stream(device: torch.device) -> Any:
    return torch.cuda.Stream(device)


def _mend(device: torch.device) -> None:
    """After a capture that broke torch draws no random numbers on this device until another one has come to its end."""
    _stream.cache_clear()
    with torch.cuda.graph(torch.cuda.CUDAGraph(), stream=_stream(device)):
        torch.rand((), device=device)


@contextmanager
def _products() -> Iterator[None]:
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(PRODUCTS)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


@contextmanager
def _standing_in(attributes: dict[str, Any], others: dict[str, Any]) -> Iterator[None]:
    before = {name: attributes[name] for name in others}
    attributes.update(others)
    try:
        yield
    finally:
        attributes.update(before)


@contextmanager
def _watched() -> Iterator[list[Any]]:
    """Of the block: each time that the host waited for the GPU."""
    mode, waits = torch.cuda.get_sync_debug_mode(), []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            yield waits
        finally:
            torch.cuda.set_sync_debug_mode(mode)
    for warning in caught:
        if "called a synchronizing" in str(warning.message):
            waits.append(warning)
        elif "ynchronization debug mode" not in str(warning.message):  # what torch says of this watch itself
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
