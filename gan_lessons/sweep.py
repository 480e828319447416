"""Hundreds of 1-D GANs at once, over k x lr_g x seed, and what became of each: `classify(run(range(16), rates))`.

Every game plays the rounds of `recipes.gaussian(seed, k=k, lr_d=lr_d, lr_g=lr_g, decay=None)` on the same minibatches.
Games of one k take their turns together, their weights stacked along a first dimension E.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise, repeat
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils import parameters_to_vector
from tqdm.auto import tqdm

from gan_lessons import data, devices, guards, losses
from gan_lessons.arguments import count
from gan_lessons.losses import Loss
from gan_lessons.models import MLPDiscriminator

BATCH, WIDTH = 128, 16
D_SHAPES = ((WIDTH, 1), (WIDTH, 1), (WIDTH, WIDTH), (WIDTH, 1), (1, WIDTH), (1, 1))  # W1, b1, W2, b2, W3, b3
NOTE_EVERY = 10  # rounds
LABELS = ("found", "oscillating", "collapsed", "not there yet", "diverged")

tanh_backward = torch.ops.aten.tanh_backward.grad_input


class Result(NamedTuple):
    """What every game did. mu, sigma, loss_d: shape (len(k), len(lr_g), len(seeds), len(rounds)).

    rounds: how many had been played at each note; loss_d: on the last minibatch before it; equilibrium_d: loss_d at
    equilibrium.
    """

    k: tuple[int, ...]
    lr_g: tuple[float, ...]
    lr_d: float
    seeds: tuple[int, ...]
    equilibrium_d: float
    rounds: Tensor
    mu: Tensor
    sigma: Tensor
    loss_d: Tensor


def run(
    k: Iterable[int],
    lr_g: Iterable[float],
    seeds: Iterable[int] = range(3),
    *,
    lr_d: float = 0.001,
    steps: int = 500,
    loss: Loss = losses.non_saturating,
) -> Result:
    """Play a game of Algorithm 1 for each k, lr_g and seed, and note its path every 10 rounds.

    G(z) = mu + sigma z from (480, 1) is to learn N(500, 5^2); D = MLP 1-16-16-1, tanh, on x standardised by a first
    minibatch; Adam, rates constant, minibatches of 128. k: D steps per G step, 0 = D frozen. lr_d is one for all, since
    Adam moves weights by about their rate: how far D gets between two moves of G depends on k lr_d against lr_g.
    As many k as torch.get_num_threads() are played at a time; the result does not depend on it. An interrupt stops all.

    >>> result = run(k=[1, 2], lr_g=[0.05, 0.1, 0.2], seeds=[0], steps=20)
    >>> result.mu.shape, result.rounds.tolist()
    (torch.Size([2, 3, 1, 2]), [10, 20])

    Raises ValueError if one of the arguments is not of its kind, or a list of them is empty.
    """
    axes = {"k": k, "lr_g": lr_g, "seeds": seeds}
    for name, values in axes.items():
        if not isinstance(values, Iterable) or not (values := tuple(values)):
            raise ValueError(f"{name}: got {values!r}; it must be a list of at least one")
        axes[name] = values
    k = tuple(guards.setting("k", each) for each in axes["k"])
    lr_g = tuple(guards.setting("lr_g", each) for each in axes["lr_g"])
    seeds = tuple(count("seeds", each) for each in axes["seeds"])
    lr_d, steps = guards.setting("lr_d", lr_d), count("steps", steps, least=1)
    if guards.setting("loss", loss).needs_real:
        raise ValueError(f"loss: got {loss.name}; it must be one that looks at fakes alone")
    groups = [_Games(each, lr_d, lr_g, seeds, loss) for each in k]
    longest_first = sorted(groups, key=lambda games: -games.k)
    rounds, notes = [*range(0, steps, NOTE_EVERY), steps], []
    threads = torch.get_num_threads()
    pool = ThreadPoolExecutor(threads)
    try:
        torch.set_num_threads(1)  # a thread for each group, none for single operations: those are too small
        with tqdm(total=steps, desc=f"{len(k) * len(lr_g) * len(seeds)} games", unit="round", leave=False) as bar:
            for start, stop in pairwise(rounds):
                played = pool.map(_Games.play, longest_first, repeat(stop - start))
                note = dict(zip(longest_first, played, strict=True))
                notes.append(torch.stack([note[games] for games in groups]))  # (k, 3, E)
                bar.update(stop - start)
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)
    mu, sigma, loss_d = torch.stack(notes, -1).unflatten(2, (len(lr_g), len(seeds))).unbind(1)
    return Result(k, lr_g, lr_d, seeds, loss.at_equilibrium[0], torch.tensor(rounds[1:]), mu, sigma, loss_d)


def classify(result: Result) -> np.ndarray:
    """What became of each game: an array of LABELS, shape (len(k), len(lr_g), len(seeds)).

    Looks at the last third of the noted path; the first rule that fits gives the label:

        diverged       mu or sigma is not finite, or |mu - 500| > 40, twice as far as at the start, or |sigma| > 40
        found          |mu - 500| < 1 and ||sigma| - 5| < 1 at 9 of 10 notes or more
        collapsed      |sigma| < 1 at half of the notes or more: nearly all fakes are one number
        not there yet  mu stays on one side of 500, and D's mean loss is under its value at equilibrium
        oscillating    all others: p_g passes over the data and does not stay

    Chosen by looking at such maps with lr_d = 0.001. "not there yet" may be on its way or stand still: play on to see.
    """
    p = data.gaussian()
    last = slice(2 * len(result.rounds) // 3, None)
    off, width, loss_d = (result.mu - p.mean)[..., last], result.sigma.abs()[..., last], result.loss_d[..., last]
    near = (off.abs() < 1) & ((width - p.stddev).abs() < 1)
    rules = {  # nan compares as False
        "diverged": ~((off.abs() <= 40) & (width <= 40)).all(-1),
        "found": near.float().mean(-1) >= 0.9,
        "collapsed": (width < 1).float().mean(-1) >= 0.5,
        "not there yet": (off.sign() == off[..., :1].sign()).all(-1) & (loss_d.mean(-1) < result.equilibrium_d),
    }
    return np.select([rule.numpy() for rule in rules.values()], list(rules), "oscillating")


def commonest(labels: np.ndarray) -> np.ndarray:
    """The label that most seeds got, (k, lr_g, seeds) -> (k, lr_g); of two as common, the later one of LABELS.

    >>> commonest(np.array([[["found", "found", "diverged"], ["found", "collapsed", "oscillating"]]])).tolist()
    [['found', 'collapsed']]
    """
    votes = np.stack([(labels == label).sum(-1) for label in reversed(LABELS)])
    return np.array(LABELS)[::-1][votes.argmax(0)]


class _Games:
    """All games of one k, E = learning rates x seeds of them; games of one seed see the same minibatches."""

    def __init__(self, k: int, lr_d: float, lr_g: tuple[float, ...], seeds: tuple[int, ...], loss: Loss):
        self.k, self.loss, self.rates = k, loss, len(lr_g)
        self.streams = [torch.Generator().manual_seed(seed) for seed in seeds]
        self.p_data = data.gaussian()
        first, D = [], []
        for seed in seeds:
            with devices.seeded(seed):
                first.append(self.p_data.sample((BATCH,)))
                D.append(parameters_to_vector(MLPDiscriminator(1, WIDTH, WIDTH, 1).parameters()).detach())
        first = torch.stack(first).repeat(self.rates, 1)
        self.mean, self.sd = first.mean(1, keepdim=True), first.std(1, keepdim=True)
        E = len(first)
        self.D = _Adam(torch.stack(D).repeat(self.rates, 1), torch.full((E, 1), lr_d))  # (E, 321)
        self.G = _Adam(
            torch.tensor([[480.0, 1.0]]).repeat(E, 1), torch.tensor(lr_g).repeat_interleave(len(seeds))[:, None]
        )  # (E, 2)
        self.buffers = {n: torch.empty(4, E, WIDTH, n) for n in (BATCH, 2 * BATCH)}  # allocating takes longer than tanh

    @property
    def layers(self) -> list[Tensor]:
        """W1, b1, W2, b2, w3, b3 of every D, each (E, out, in) or (E, out, 1)."""
        parts = self.D.weights.split([rows * columns for rows, columns in D_SHAPES], 1)
        return [part.unflatten(1, shape) for part, shape in zip(parts, D_SHAPES, strict=True)]

    def play(self, rounds: int) -> Tensor:
        """So many rounds of Algorithm 1; returns mu, sigma and D's last loss, (3, E)."""
        turns = max(self.k, 1)  # with k = 0, D is frozen, and only watches
        for _ in range(rounds):
            normal = torch.stack([torch.randn(2 * turns + 1, BATCH, generator=own) for own in self.streams], 1)
            *minibatches, z = normal.repeat(1, self.rates, 1)  # each (E, 128)
            for x, z_d in zip(minibatches[::2], minibatches[1::2], strict=True):
                outs = self.discriminator_turn(self.p_data.mean + self.p_data.stddev * x, z_d)
            self.generator_turn(z)
        return torch.stack([*self.G.weights.T, torch.vmap(self.loss.discriminator)(*outs)])

    def discriminator_turn(self, x_real: Tensor, z: Tensor) -> tuple[Tensor, ...]:
        inputs, out = self.discriminator(torch.cat([x_real, self.generator(z)], 1))
        outs = out.split(BATCH, 1)
        if self.k:
            slopes = self.backward(inputs, torch.cat(_slopes(self.loss.discriminator, *outs), 1))
            pairs = zip(inputs, slopes, strict=True)
            self.D.step(torch.cat([part.flatten(1) for h, d in pairs for part in (d @ h.mT, d.sum(2))], 1))
        return outs

    def generator_turn(self, z: Tensor) -> None:
        inputs, out = self.discriminator(self.generator(z))
        slopes = self.backward(inputs, *_slopes(partial(self.loss.generator, None), out))
        dx = (self.layers[0].mT @ slopes[0]).squeeze(1) / self.sd
        self.G.step(torch.stack([dx.sum(1), (dx * z).sum(1)], 1))  # x = mu + sigma z

    def generator(self, z: Tensor) -> Tensor:
        mu, sigma = self.G.weights.split(1, 1)
        return mu + sigma * z

    def discriminator(self, x: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        """x: (E, n) -> what goes into each of the three layers, (E, width, n), and D's raw output (E, n)."""
        W1, b1, W2, b2, w3, b3 = self.layers
        h1, h2, *_ = self.buffers[x.shape[1]]
        x = ((x - self.mean) / self.sd)[:, None]
        # tanh(a) = 2 sigmoid(2 a) - 1, which torch computes several times as fast
        torch.baddbmm(b1, W1, x, beta=2, alpha=2, out=h1).sigmoid_().mul_(2).sub_(1)
        torch.baddbmm(b2, W2, h1, beta=2, alpha=2, out=h2).sigmoid_().mul_(2).sub_(1)
        return (x, h1, h2), torch.baddbmm(b3, w3, h2).squeeze(1)

    def backward(self, inputs: tuple[Tensor, ...], slope: Tensor) -> tuple[Tensor, ...]:
        """From the loss's slope in the raw output, (E, n), to its slopes in what each layer adds up, (E, width, n)."""
        _, _, W2, _, w3, _ = self.layers
        _, h1, h2 = inputs
        *_, d1, d2 = self.buffers[slope.shape[1]]
        d3 = slope[:, None]
        tanh_backward(torch.mul(w3.mT, d3, out=d2), h2, grad_input=d2)  # d (1 - h^2)
        tanh_backward(torch.bmm(W2.mT, d2, out=d1), h1, grad_input=d1)
        return d1, d2, d3


def _slopes(loss: Callable[..., Tensor], *outs: Tensor) -> tuple[Tensor, ...]:
    """Of each game's loss in its raw outputs, (E, m). A loss is a mean over the minibatch: over all E, E times less."""
    outs = [out.detach().requires_grad_() for out in outs]
    return torch.autograd.grad(len(outs[0]) * loss(*outs), outs)


class _Adam:
    """`optimizers.adam` with a learning rate for each row: weights (E, n), lr (E, 1)     (Kingma & Ba 2015, alg. 1)."""

    def __init__(self, weights: Tensor, lr: Tensor):
        self.weights, self.lr, self.t = weights, lr, 0
        self.m, self.v = torch.zeros_like(weights), torch.zeros_like(weights)

    def step(self, grad: Tensor) -> None:
        self.t += 1
        self.m.lerp_(grad, 1 - 0.5)
        self.v.lerp_(grad.square(), 1 - 0.999)
        m_hat, v_hat = self.m / (1 - 0.5**self.t), self.v / (1 - 0.999**self.t)
        self.weights -= self.lr * m_hat / (v_hat.sqrt() + 1e-8)
