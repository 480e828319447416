"""How fast is the training step? `python tests/bench/training.py` prints the tables of the README; `--check` measures
only what is judged, the example's nets on the CPU. Exit code 1 if they are below LEAST.

All in one run, in blocks that take turns; medians of the blocks. Close other programs before.
"""

import argparse
import os
import platform
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.distributions import Independent, Normal
from torch.nn.modules.module import register_module_forward_hook
from torch.utils.data import DataLoader, Dataset

from gan_lessons import Trainer, data, recipes
from gan_lessons.devices import seeded

BATCH, ROUNDS, BLOCK = 100, 15, 0.3  # images a step, blocks each, seconds a block
PLAIN, MEMORY, ALTERNATING, SIMULTANEOUS = "plain loop", "same, data in memory", "alternating", "simultaneous"
PRODUCTS = "products alone"
LEAST = {(PLAIN, ALTERNATING): 1.8, (PLAIN, SIMULTANEOUS): 2.5, (PRODUCTS, SIMULTANEOUS): 0.7}  # time of a / of b
Call = Callable[..., Any]
Times = dict[str, list[float]]  # seconds a step, one for each block


@dataclass
class Pictures(Dataset):
    """MNIST as torchvision 0.28 serves it: one image at a time, uint8 -> PIL -> `to_tensor` -> `Normalise`.

    The same tensor operations, and fewer checks of types: about 9 % quicker than torchvision's own.
    """

    source: data.Images

    def __post_init__(self) -> None:
        self.transforms = [to_tensor, Normalise()]

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        picture, label = Image.fromarray(self.source.images[index].numpy()), int(self.source.labels[index])
        for transform in self.transforms:
            picture = transform(picture)
        return picture, label


def to_tensor(picture: Image.Image) -> Tensor:
    pixels = torch.from_numpy(np.array(picture, np.uint8, copy=True)).view(*picture.size[::-1], 1)
    pixels = pixels.permute(2, 0, 1).contiguous()
    return pixels.to(torch.get_default_dtype()).div(255) if isinstance(pixels, torch.ByteTensor) else pixels


class Normalise(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        x = x.clone()
        mean, sd = (torch.as_tensor([value], dtype=x.dtype, device=x.device) for value in (0.5, 0.5))
        if (sd == 0).any():
            raise ValueError("sd: got 0")
        return x.sub_(mean.view(-1, 1, 1)).div_(sd.view(-1, 1, 1))


def loaded(source: data.Images, batch_size: int) -> Iterator[Tensor]:
    while True:
        for x, _ in DataLoader(Pictures(source), batch_size, shuffle=True):
            yield x.reshape(len(x), -1)


def plain(game: Trainer, optimizer: Call, batches: Iterator[Tensor] | None = None) -> Iterator[tuple[Tensor, Tensor]]:
    """The loop that the source cites, with the nets of `game`, and its data unless there are batches.

    G first, D's loss halved. Its waste: D's weight gradients in G's step, a second G forward, nothing detached, so that
    D's loss runs back through G, two more D forwards for the means that it prints once an epoch, labels made anew.
    """
    G, D, criterion = game.generator, game.discriminator, nn.BCELoss()
    optimizer_g, optimizer_d = optimizer(G.parameters(), game.lr_g), optimizer(D.parameters(), game.lr_d)
    for images in batches or (game.data.sample((game.batch_size,)) for _ in count()):
        x_real = images.to(game.device)
        real_label, fake_label = (torch.full((len(x_real),), value).to(game.device) for value in (1.0, 0.0))
        optimizer_g.zero_grad()
        optimizer_d.zero_grad()
        x_fake = G(game.latent.sample((len(x_real),)).to(game.device))
        criterion(D(x_fake).sigmoid(), real_label).backward()
        optimizer_g.step()
        optimizer_d.zero_grad()
        optimizer_g.zero_grad()
        x_fake = G(game.latent.sample((len(x_real),)).to(game.device))
        fake_loss, real_loss = criterion(D(x_fake).sigmoid(), fake_label), criterion(D(x_real).sigmoid(), real_label)
        ((fake_loss + real_loss) / 2).backward()
        optimizer_d.step()
        yield D(x_real).sigmoid().mean(), D(x_fake).sigmoid().mean()


def products(game: Trainer) -> list[Call]:
    """The matrix products of one simultaneous round, each a call with its tensors made before.

    For every layer its output, its weights' gradient and its input's; this last not for z, and in D's first layer
    only for the fakes. D sees data and fakes in one minibatch.
    """
    m, calls = game.batch_size, []
    z, x = (source.sample((m,)).to(game.device) for source in (game.latent, game.data))
    for net, inputs, rows in ((game.generator, z, 0), (game.discriminator, torch.cat([x, x]), m)):
        for i, (layer, x_in, grad) in enumerate(layers(net, inputs)):
            pieces = linear if isinstance(layer, nn.Linear) else convolution
            calls += pieces(layer, x_in, grad, rows if i == 0 else len(x_in))
    return calls


def layers(net: nn.Module, inputs: Tensor) -> list[tuple[nn.Module, Tensor, Tensor]]:
    """Each layer with weights to multiply, what it is given, and a tensor as its output's gradient."""
    seen = []

    def look(layer: nn.Module, x: tuple[Tensor], y: Tensor) -> None:
        if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            seen.append((layer, *x, torch.randn_like(y)))

    with torch.no_grad(), register_module_forward_hook(look):
        net(inputs)
    return seen


def linear(layer: nn.Linear, x: Tensor, grad: Tensor, rows: int) -> Iterator[Call]:
    W = layer.weight.detach()
    yield partial(torch.mm, x, W.T, out=torch.empty_like(grad))
    yield partial(torch.mm, grad.T, x, out=torch.empty_like(W))
    if rows:
        yield partial(torch.mm, grad[:rows], W, out=torch.empty_like(x[:rows]))


def convolution(layer: Any, x: Tensor, grad: Tensor, rows: int) -> Iterator[Call]:
    W, turned = layer.weight.detach(), isinstance(layer, nn.ConvTranspose2d)
    how = (layer.stride, layer.padding, layer.dilation, turned, layer.output_padding, layer.groups)
    backward = torch.ops.aten.convolution_backward
    yield partial(torch.ops.aten.convolution, x, W, None, *how)
    yield partial(backward, grad, x, W, None, *how, (False, True, False))
    if rows:
        yield partial(backward, grad[:rows], x[:rows], W, None, *how, (True, False, False))


def convolutional(**settings: Any) -> Trainer:
    """A small pair after Radford et al. (2016): G 64 - 128x7x7 - 64x14x14 - 28x28, 534k weights; D mirrored, 139k."""
    half, leaky = {"kernel_size": 4, "stride": 2, "padding": 1}, recipes.leaky_relu
    up = partial(nn.ConvTranspose2d, bias=False, **half)
    with seeded(0):
        first = [nn.Linear(64, 128 * 49, bias=False), nn.Unflatten(1, (128, 7, 7)), nn.BatchNorm2d(128), nn.ReLU()]
        G = nn.Sequential(*first, up(128, 64), nn.BatchNorm2d(64), nn.ReLU(), up(64, 1), nn.Tanh(), nn.Flatten())
        first = [nn.Unflatten(1, (1, 28, 28)), nn.Conv2d(1, 64, **half), leaky(), nn.Conv2d(64, 128, **half), leaky()]
        D = nn.Sequential(*first, nn.Flatten(), nn.Linear(128 * 49, 1), nn.Flatten(0))
    latent = Independent(Normal(torch.zeros(64), 1.0), 1)
    return Trainer(G, D, data.mnist("train"), latent=latent, lr_d=2e-4, lr_g=2e-4, batch_size=BATCH, **settings)


SOURCE = "the example's"
PAIRS = {  # and the plain loop's optimiser
    SOURCE: (recipes.mnist, torch.optim.Adam),
    "the paper's": (recipes.mnist_paper, partial(torch.optim.SGD, momentum=0.5)),
    "convolutional": (convolutional, torch.optim.Adam),
}


def race(contestants: dict[str, Call], device: str = "cpu") -> Times:
    # on one thread CPU time: neighbours on the machine count less
    clock = time.process_time if device == "cpu" and torch.get_num_threads() == 1 else time.perf_counter

    def block(step: Call, steps: int) -> float:
        start = clock()
        for _ in range(steps):
            step()
        if device == "cuda":
            torch.cuda.synchronize()
        return (clock() - start) / steps

    if device == "cuda":  # ours become graphs in their first rounds
        for step in contestants.values():
            block(step, 20)
    # the first block is the warm-up
    steps = {name: max(1, round(BLOCK / min(block(step, 3), block(step, 2)))) for name, step in contestants.items()}
    times: Times = {name: [] for name in contestants}
    for _ in range(ROUNDS):
        for name, step in contestants.items():
            times[name].append(block(step, steps[name]))
    return times


def contestants(make: Call, optimizer: Call, pictures: bool) -> dict[str, Call]:
    ours = {order: make(order=order).step for order in (ALTERNATING, SIMULTANEOUS)}
    memory = partial(next, plain(make(), optimizer))
    if not pictures:
        return {PLAIN: memory, **ours}
    served, calls = partial(next, plain(make(), optimizer, loaded(data.mnist("train"), BATCH))), products(make())
    return {PLAIN: served, MEMORY: memory, **ours, PRODUCTS: lambda: [call() for call in calls]}


def ratio(times: Times, a: str, b: str) -> float:
    """Time of a / time of b, block by block, the median: neighbours on the machine slow down both."""
    return statistics.median(x / y for x, y in zip(times[a], times[b], strict=True))


def shortfalls(times: Times) -> list[str]:
    found = [(f"time of {a} / time of {b}", ratio(times, a, b), least) for (a, b), least in LEAST.items()]
    return [f"{what} is {value:.2f}, below {least}" for what, value, least in found if value < least]


def line(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


def row(title: str, each: int, times: Times) -> None:
    """`each` per step and second, times the plain loop, share of the products alone."""
    cells = [f"{each / statistics.median(seconds):,.0f}" for seconds in times.values()]
    for i, name in enumerate(times):
        notes = [f"×{ratio(times, PLAIN, name):.2f}"] if name != PLAIN else []
        notes += [f"{ratio(times, PRODUCTS, name):.0%}"] if PRODUCTS in times and name != PRODUCTS else []
        cells[i] += f" ({', '.join(notes)})" if notes else ""
    line(title, *cells)


def machine() -> str:
    info = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    cpu = [*re.findall(r"model name\s*: (.*)", info), platform.processor() or platform.machine()][0]
    gpu = [torch.cuda.get_device_name()] if torch.cuda.is_available() else []
    return ", ".join([cpu, *gpu, f"threads: {torch.get_num_threads()}", f"torch {torch.__version__}"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    load, cores = os.getloadavg()[0], os.cpu_count()
    busy = "; THE MACHINE IS BUSY, expect noise" if load + options.threads > cores + 0.5 else ""
    print(f"load average {load:.1f} on {cores} cores{busy}", file=sys.stderr, flush=True)
    print(f"{machine()}\n")
    line("images per second", PLAIN, MEMORY, ALTERNATING, SIMULTANEOUS, PRODUCTS)
    line(*["---"] * 6)
    for device in ["cpu", "cuda"] if torch.cuda.is_available() and not options.check else ["cpu"]:
        for pair in [SOURCE] if options.check else PAIRS:
            make, optimizer = PAIRS[pair]
            times = race(contestants(partial(make, device=device), optimizer, pictures=True), device)
            row(f"{pair}, {device.upper()}", BATCH, times)
            if (pair, device) == (SOURCE, "cpu"):
                slow = shortfalls(times)
    if not options.check:
        print()
        line("steps per second", PLAIN, ALTERNATING, SIMULTANEOUS)
        line(*["---"] * 4)
        for make in (recipes.gaussian, recipes.gaussian_mlp):
            row(f"`{make.__name__}`", 1, race(contestants(make, torch.optim.Adam, pictures=False)))
    if slow:
        sys.exit(f"too slow, {SOURCE} nets on the CPU: {'; '.join(slow)}")
