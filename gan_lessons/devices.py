"""Where a game is played: which device and how many cores, what lies there, and the random numbers drawn there."""

import copy
import math
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import psutil
import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Transform

from gan_lessons.arguments import count, shown

CPU = torch.device("cpu")
THREADS = torch.get_num_threads()  # what torch takes by itself
MOST = 4  # on 16 idle cores games of small nets played 2 to 5 times as many rounds with 4 threads as with 16


def choose(name: Any = "auto") -> torch.device:
    """The device of this name: "auto" is CUDA, MPS or the CPU, the first that is here. ValueError for one that is not.

    >>> choose("cpu")
    device(type='cpu')
    """
    cards = [f"cuda:{i}" for i in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    present = [*(["cuda"] if cards else []), *(["mps"] if torch.backends.mps.is_available() else []), "cpu"]
    if isinstance(name, str | torch.device):
        chosen = present[0] if str(name) == "auto" else str(name)
        if chosen in (*present, *cards):
            return torch.device(chosen)
    raise ValueError(f"device: got {shown(name)}; on this machine 'auto' and {[*present, *cards]} are allowed")


def of(net: Any) -> torch.device:
    """The device of a net's first parameter or buffer; the CPU for what has none.

    >>> of(nn.Linear(1, 1)), of(lambda z: 2 * z)
    (device(type='cpu'), device(type='cpu'))
    """
    if isinstance(net, nn.Module):
        for weight in chain(net.parameters(), net.buffers()):
            return weight.device
    return torch.device("cpu")


def moved(source: Any, device: torch.device | str, dtype: torch.dtype | None = None) -> Any:
    """A source whose samples are drawn on a device: the same one if it is there already, else a copy.

    A distribution is copied with all its tensors. dtype: what its floating-point numbers become; numbers of 64 bits
    become 32 on "mps", which has no others. Other sources are moved by their own `to`, if they have one.
    """
    if not isinstance(source, Distribution):
        return source.to(device) if hasattr(source, "to") else source
    at = partial(_at, torch.device(device), dtype)
    there = all(at(one) is one for one in _tensors(source, set()))
    return source if there else _copied(source, at, {})


def drawn(source: Any, shape: tuple[int, ...], device: torch.device) -> Tensor:
    """A sample of a source. A law that can is asked for `rsample`, which draws the same and does not wait for a GPU."""
    if device.type == "cuda" and getattr(source, "has_rsample", False):
        with torch.no_grad():
            return source.rsample(shape)
    return source.sample(shape)


def _at(device: torch.device, dtype: torch.dtype | None, x: Tensor) -> Tensor:
    if not x.is_floating_point():
        return x.to(device)
    narrow = device.type == "mps" and (dtype or x.dtype) == torch.double
    return x.to(torch.float if narrow else dtype or x.dtype).to(device)


def _tensors(part: Any, known: set[int]) -> Iterator[Tensor]:
    """Those of a law, of laws and transforms inside it, and so on; a transform and its inverse hold each other."""
    if isinstance(part, Tensor):
        yield part
    elif type(part) in (list, tuple):
        for one in part:
            yield from _tensors(one, known)
    elif isinstance(part, (Distribution, Transform)) and id(part) not in known:
        known.add(id(part))
        for one in vars(part).values():
            yield from _tensors(one, known)


def _copied(part: Any, at: Callable[[Tensor], Tensor], known: dict[int, Any]) -> Any:
    if isinstance(part, Tensor):
        return at(part)
    if type(part) in (list, tuple):
        return type(part)(_copied(one, at, known) for one in part)
    if not isinstance(part, (Distribution, Transform)):
        return None if isinstance(part, weakref.ref) else part  # older torch: of a transform to its inverse
    if id(part) not in known:
        known[id(part)] = other = copy.copy(part)
        vars(other).update((name, _copied(one, at, known)) for name, one in vars(part).items())
    return known[id(part)]


# -- random numbers ----------------------------------------------------------------------------------------------------


def random_states(seed: int, device: torch.device = CPU) -> dict[str, Tensor]:
    """The states of torch's generators, the CPU's and the device's, after torch.manual_seed(seed)."""
    seed = count("seed", seed)
    return {kind: torch.Generator(kind).manual_seed(seed).get_state() for kind in _modules(device)}


def completed(states: dict[str, Tensor], device: torch.device) -> dict[str, Tensor]:
    """States that were saved on one device, for another: its generator begins where the CPU's stands."""
    here = torch.Generator()
    here.set_state(states["cpu"])
    seed = torch.randint(2**62, (), generator=here).item()
    return {kind: states.get(kind, new).clone() for kind, new in random_states(seed, device).items()}


@contextmanager
def drawing(states: dict[str, Tensor], device: torch.device = CPU) -> Iterator[None]:
    """Draw from these states on, which move on if nothing is raised; whoever draws elsewhere notices nothing.

    torch.distributions draw from torch's global generators, which are the learner's too: so states are swapped in.
    """
    modules = _modules(device)
    before = {kind: _call(module.get_rng_state, device) for kind, module in modules.items()}
    try:
        for kind, module in modules.items():
            _call(module.set_rng_state, device, states[kind])
        yield
        states.update({kind: _call(module.get_rng_state, device) for kind, module in modules.items()})
    finally:
        for kind, module in modules.items():
            _call(module.set_rng_state, device, before[kind])


@contextmanager
def seeded(seed: int, device: torch.device = CPU) -> Iterator[None]:
    """Draw as after torch.manual_seed(seed), and leave the learner's random numbers alone."""
    with drawing(random_states(seed, device), device):
        yield


def _modules(device: torch.device) -> dict[str, Any]:
    """What holds the global generators that a game on this device draws from, by kind of device."""
    return {"cpu": torch.random} | ({} if device.type == "cpu" else {device.type: torch.get_device_module(device)})


def _call(function: Any, device: torch.device, *state: Tensor) -> Any:
    """CUDA has a generator for each card and asks which; Apple's has one and takes no such argument."""
    cuda = device.type == "cuda" and function.__module__.startswith("torch.cuda")
    return function(*state, device) if cuda else function(*state)


# -- cores -------------------------------------------------------------------------------------------------------------


def idle_cores() -> int:
    """Cores that this process may use and nobody uses, over a fifth of a second: from 1 to 4, at most torch's threads.

    Two threads on two busy cores train several times slower than one, for each waits for the other at every layer, and
    16 on 16 idle ones several times slower than 4. So before a long run on the CPU:
    torch.set_num_threads(idle_cores()).
    """
    busy = psutil.cpu_percent(interval=0.2, percpu=True)
    process = psutil.Process()
    mine = process.cpu_affinity() if hasattr(process, "cpu_affinity") else range(len(busy))  # macOS has no affinity
    idle = sum(1 - busy[core] / 100 for core in mine if core < len(busy))
    return max(1, min(THREADS, MOST, round(min(idle, core_quota()))))


def core_quota(root: Path = Path("/")) -> float:
    """Cores' worth of time that the control groups of this process allow it (a container's limit), or infinity.

    Linux writes it as microseconds in each period, for this group and for every one that it lies in: version 2 into
    cpu.max, version 1 into cpu.cfs_quota_us and cpu.cfs_period_us.
    """
    quotas = [math.inf]
    try:
        groups = [line.split(":", 2) for line in (root / "proc/self/cgroup").read_text().splitlines()]
    except OSError:  # no Linux
        return math.inf
    for _, controllers, group in groups:
        if controllers and "cpu" not in controllers.split(","):
            continue
        top = root / "sys/fs/cgroup" / ("cpu" if controllers else "")
        folder = top / group.lstrip("/")  # a container may not see the folders above its own
        names = ("cpu.cfs_quota_us", "cpu.cfs_period_us") if controllers else ("cpu.max",)
        for place in (folder, *folder.parents):
            if place.is_relative_to(top) and all((place / name).is_file() for name in names):
                quota, period = " ".join((place / name).read_text() for name in names).split()
                quotas += [int(quota) / int(period)] if quota not in ("max", "-1") else []
    return min(quotas)
