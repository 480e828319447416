"""What keeps a trainer whole: randomness of its own, interrupts that wait, arguments looked at before they are used.
And what keeps it fast: no more threads than there are idle cores."""

import copy
import functools
import math
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from numbers import Integral, Real
from typing import Any

import psutil
import torch
from torch import Tensor, nn

THREADS = torch.get_num_threads()  # what torch takes by itself


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


def rng_state(seed: int) -> Tensor:
    """The state of torch's CPU generator after torch.manual_seed(seed)."""
    return torch.Generator().manual_seed(count("seed", seed, least=0)).get_state()


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw as after torch.manual_seed(seed), on the CPU, and leave the learner's random numbers alone."""
    with torch.random.fork_rng(devices=[]):
        torch.set_rng_state(rng_state(seed))
        yield


def own_randomness(turn: Callable[..., Any]) -> Callable[..., Any]:
    """Let a turn draw from the trainer's own random numbers, whatever else draws in this kernel, and disturb nothing.

    torch.distributions draw from torch's global generator, which is the learner's too: the trainer keeps a state of its
    own and swaps it in.
    """

    @functools.wraps(turn)
    def wrapped(self: Any, **options: Any) -> Any:
        with uninterrupted(), torch.random.fork_rng(devices=[]):
            torch.set_rng_state(self._rng_state)
            seen = turn(self, **options)
            self._rng_state = torch.get_rng_state()
            return seen

    return wrapped


def check_players(
    generator: nn.Module, discriminator: nn.Module, data: Any, latent: Any, on: torch.device, order: str
) -> bool:
    """Let the players try a few samples, before anything is trained. Returns whether D judges each x by itself."""
    for name, source in (("data", data), ("latent", latent)):
        if not callable(getattr(source, "sample", None)):
            raise ValueError(f"{name}: got {type(source).__name__}; it must have .sample((n,)), as torch.distributions")
    with torch.random.fork_rng(devices=[]):
        z, x = latent.sample((2,)).to(on), data.sample((2,)).to(on)
        fake = _try("generator", generator, z)
        if fake.shape != x.shape:
            raise ValueError(f"generator: makes {_shape(fake)} from 2 z; data.sample((2,)) has {_shape(x)}")
        out = _try("discriminator", discriminator, x)
        if out.shape not in ((2,), (2, 1)):
            raise ValueError(f"discriminator: returns {_shape(out)} for 2 x; allowed are shape (2,) and shape (2, 1)")
        compares = _compares(discriminator, torch.cat([x, fake]))
        if order == "simultaneous" and compares:
            raise ValueError(
                "discriminator: its output on one x depends on the other x of the minibatch, as with batch norm or "
                "packs; order='simultaneous' needs a D that judges each x by itself, or take order='alternating'"
            )
        return not compares


def _compares(discriminator: nn.Module, x: Tensor) -> bool:
    """Whether, in training, D's output on the first x moves with any other."""
    D = copy.deepcopy(discriminator).train()  # a batch norm would keep what it sees
    with torch.enable_grad():
        x.requires_grad_()
        (slope,) = torch.autograd.grad(D(x)[0].sum(), x, allow_unused=True)
    return slope is not None and bool(slope[1:].any())


def _try(name: str, net: nn.Module, x: Tensor) -> Tensor:
    training = net.training
    try:
        with torch.no_grad():
            return net.eval()(x)
    except RuntimeError as error:
        raise ValueError(f"{name}: does not take input of {_shape(x)} ({error})") from error
    finally:
        net.train(training)


def _shape(x: Tensor) -> str:
    return f"shape {tuple(x.shape)}"


def count(name: str, value: int, least: int) -> int:
    if not isinstance(value, Integral) or value < least:
        raise ValueError(f"{name}: got {value!r}; it must be a whole number >= {least}")
    return int(value)  # numpy's numbers would make a checkpoint unreadable


def _weight(name: str, value: Any, kind: str) -> float:
    if not isinstance(value, Real) or not 0 <= value < math.inf:
        raise ValueError(f"{name}: got {value!r}; a {kind} must be a finite number >= 0")
    return float(value)


SETTINGS: dict[str, Callable[[str, Any], Any]] = {
    "k": functools.partial(count, least=0),
    "batch_size": functools.partial(count, least=1),
    "lr_d": functools.partial(_weight, kind="learning rate"),
    "lr_g": functools.partial(_weight, kind="learning rate"),
    "r1": functools.partial(_weight, kind="weight"),
}


def setting(name: str, value: Any, order: str | None) -> Any:
    """A value that may be assigned to a trainer's attribute: the settings are looked at, other attributes pass."""
    if name in SETTINGS:
        value = SETTINGS[name](name, value)
    if name == "r1" and order == "simultaneous" and value:
        raise ValueError(f"r1: got {value}; order='simultaneous' takes no penalty, order='alternating' does")
    if name == "k" and order == "simultaneous" and value != 1:
        raise ValueError(f"k: got {value}; with order='simultaneous' both players move once a round: k must be 1")
    return value


def idle_cores() -> int:
    """CPU cores that nobody uses, over a fifth of a second: at least 1, at most the threads that torch began with.

    Two threads on two busy cores train several times slower than one, for each waits for the other at every layer. So
    before a long run on the CPU: torch.set_num_threads(idle_cores()).
    """
    idle = psutil.cpu_count() * (1 - psutil.cpu_percent(interval=0.2) / 100)
    return max(1, min(THREADS, round(idle)))


def device(name: str) -> torch.device:
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    allowed = [kind for kind, here in present.items() if here]
    kind = allowed[0] if name == "auto" else str(name).partition(":")[0]
    if kind not in allowed:
        raise ValueError(f"device: got {name!r}; on this machine 'auto' and {allowed} are allowed")
    return torch.device(kind if name == "auto" else name)


@contextmanager
def evaluating(net: Any) -> Iterator[None]:
    """A net in eval mode for the block, and then each of its modules in its own mode again, also if interrupted.

    An interrupt is held back until then, so keep the block short.
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
