"""Where the attributes of faces are in a generator: linear rules that read them from z, directions, sums, channels."""

import copy
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, normalize

from gan_lessons import pretrained
from gan_lessons.devices import seeded

Read = Callable[[Tensor], Tensor]  # z (n, d) -> which attributes its face has, (n, k) of True and False
COUNTS = 1, 3, 10, 50  # of how many z `sums` makes its means


def reading(G: nn.Module) -> Read:
    """What `pretrained.reader()` says of what G draws: z (n, d) -> (n, 4), columns as in `data.ATTRIBUTES`.

    >>> from gan_lessons import recipes
    >>> G, latent = recipes.faces_dcgan_generator()
    >>> reading(G.eval())(latent.sample((5,))).shape
    torch.Size([5, 4])
    """

    @torch.no_grad()
    def read(z: Tensor) -> Tensor:
        return torch.cat([pretrained.reader()(G(part)) > 0 for part in z.split(500)])

    return read


class Rule(NamedTuple):
    """A linear rule for each of k attributes: yes where z . weights + bias > 0. weights: (d, k), bias: (k,)."""

    weights: Tensor
    bias: Tensor

    def __call__(self, z: Tensor) -> Tensor:
        return z @ self.weights + self.bias > 0

    @property
    def directions(self) -> Tensor:
        """For each attribute the direction in which its score grows fastest, of length 1: (k, d)."""
        return normalize(self.weights.T, dim=1)


def linear_rule(x: Tensor, yes: Tensor, ridge: float = 1e-4) -> Rule:
    """Logistic regression, one for each attribute: the rule of the least mean cross-entropy.

        sum_j mean_i [-log sigmoid(+-(x_i . w_j + b_j))] + ridge / 2 sum_j |w_j|^2,    + where yes, - where no

    x: (n, d), yes: (n, k) of True and False. ridge keeps weights finite where a rule makes no mistake. It is convex,
    and so the start does not matter; L-BFGS goes down to its bottom.
    """
    weights = torch.zeros(x.shape[1], yes.shape[1], dtype=torch.double, requires_grad=True)
    bias = torch.zeros(yes.shape[1], dtype=torch.double, requires_grad=True)
    x, yes = x.double(), yes.double()
    newton = torch.optim.LBFGS([weights, bias], max_iter=200, tolerance_grad=1e-6, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        newton.zero_grad()
        error = binary_cross_entropy_with_logits(x @ weights + bias, yes) * yes.shape[1]
        total = error + ridge / 2 * weights.square().sum()
        total.backward()
        return total

    newton.step(loss)
    return Rule(weights.detach().float(), bias.detach().float())


def small_net(x: Tensor, yes: Tensor, seed: int = 0, width: int = 128, epochs: int = 60) -> Read:
    """A net with one hidden layer that was trained to say the same, and may bend: as `linear_rule`, a function of x."""
    with seeded(seed):
        net = nn.Sequential(nn.Linear(x.shape[1], width), nn.ReLU(), nn.Linear(width, yes.shape[1]))
        adam = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=1e-2)
        for _ in range(epochs):
            for part in torch.randperm(len(x)).split(100):
                adam.zero_grad()
                binary_cross_entropy_with_logits(net(x[part]), yes[part].float()).backward()
                adam.step()
    return lambda x: net.requires_grad_(False)(x) > 0


class Accuracies(NamedTuple):
    """Of each attribute, (k,): how often it is read rightly from new z by always giving the commoner answer, by a
    linear rule, by a small net."""

    commoner: Tensor
    linear: Tensor
    net: Tensor


def accuracies(z: Tensor, yes: Tensor, new_z: Tensor, new_yes: Tensor, seed: int = 0) -> Accuracies:
    """How well attributes can be read from z: (n, d) and (n, k) to learn from, as many others to count on."""
    common = (yes.double().mean(dim=0) > 0.5).expand_as(new_yes)
    says = common, linear_rule(z, yes)(new_z), small_net(z, yes, seed)(new_z)
    return Accuracies(*((one == new_yes).double().mean(dim=0) for one in says))


def along(read: Read, z: Tensor, direction: Tensor, steps: Sequence[float]) -> tuple[Tensor, Tensor]:
    """Move each z by so much along a direction, whose length is 1: the share of faces with each attribute, (steps, k),
    and the share in which each attribute is as it was before. Along a direction z has a standard deviation of 1.
    """
    before = read(z)
    after = torch.stack([read(z + step * direction) for step in steps])  # (steps, n, k)
    return after.double().mean(dim=1), (after == before).double().mean(dim=1)


def usual(z: Tensor) -> Tensor:
    """Brought to the length that z of N(0, 1) has: about the root of how many numbers it has."""
    return math.sqrt(z.shape[-1]) * normalize(z, dim=-1)


def means(z: Tensor, count: int, n: int) -> Tensor:
    """n means of so many of these z, drawn with replacement from torch's generator: (n, d)."""
    return z[torch.randint(len(z), (n, count))].mean(dim=1)


def arithmetic(with_a: Tensor, without_a: Tensor, start: Tensor) -> Tensor:
    """with - without + start, brought back to the usual length. Means of z, (n, d) each."""
    return usual(with_a - without_a + start)


class Hits(NamedTuple):
    """Shares of sums: with A and without B, as was asked for; that chance; with A; without B."""

    both: float
    chance: float
    has_a: float
    without_b: float


def sums(read: Read, z: Tensor, yes: Tensor, a: int, b: int, count: int, n: int = 500, part: float = 1.0) -> Hits:
    """(A, B) - (not A, B) + (not A, not B), each the mean of so many z, n times: what G draws from it.

    Asked for are A and not B. Its chance: the difference is that of two groups of any faces, and as long. z, yes: where
    groups are taken from. part: how much of the difference is added. Draws from torch's generator. Raises
    ValueError where a group is empty.
    """
    has_a, has_b = yes[:, a], yes[:, b]
    groups = [z[group] for group in (has_a & has_b, ~has_a & has_b, ~has_a & ~has_b)]
    if not all(map(len, groups)):
        raise ValueError(f"yes: got none of a group; with attributes {a} and {b} all groups need a face")
    with_a, without_a, start = (means(group, count, n) for group in groups)
    other = means(z, count, n) - means(z, count, n)
    other = normalize(other, dim=1) * (with_a - without_a).norm(dim=1, keepdim=True)
    ours, chance = (read(usual(start + part * step)) for step in (with_a - without_a, other))
    got, kept = ours[:, a], ~ours[:, b]
    found = got & kept, chance[:, a] & ~chance[:, b], got, kept
    return Hits(*(one.double().mean().item() for one in found))


def gap(z: Tensor, yes: Tensor, a: int, b: int) -> float:
    """How far (A, B) - (not A, B) + (not A, not B), of the mean z of all there are, ends from the mean of A and not B,
    in lengths of the step (A, B) - (not A, B): 0 where the four means are the corners of a parallelogram.
    """
    has_a, has_b = yes[:, a], yes[:, b]
    groups = has_a & has_b, ~has_a & has_b, ~has_a & ~has_b, has_a & ~has_b
    one, two, three, four = (z[group].mean(dim=0) for group in groups)
    return ((one - two + three - four).norm() / (one - two).norm()).item()


def sheet(corners: Tensor, side: float, n: int = 33) -> tuple[Tensor, Tensor, Tensor]:
    """A sheet of paper through the first three of four z, (4, d): where the four are on it, (4, 2), their middle, (2,),
    and z of n x n places, up to `side` from the middle, brought to the usual length, (n, n, d).

    Its first axis goes from the second z to the first. The fourth may lie beside the sheet, and is seen from above.
    """
    across, up = normalize(corners[0] - corners[1], dim=0), corners[1] - corners[2]
    up = normalize(up - (up @ across) * across, dim=0)  # at a right angle to it
    axes = torch.stack([across, up])  # (2, d)
    spots = corners @ axes.T
    middle, places = spots.mean(dim=0), torch.linspace(-side, side, n)
    grid = torch.stack(torch.meshgrid(places, places, indexing="xy"), dim=2) + middle  # (n, n, 2)
    return spots, middle, usual(grid @ axes + corners[0] - spots[0] @ axes)


def maps(G: nn.Module, z: Tensor) -> Tensor:
    """What G's last convolution gets: its feature maps after the ReLU, (n, channels, side, side)."""
    with torch.no_grad():
        return torch.cat([G.net[:-2](part) for part in z.split(500)])


def switched_off(G: nn.Module, channels: Sequence[int] | Tensor) -> nn.Module:
    """A copy of G to whose last convolution these feature maps are 0, as if they had been dropped."""
    twin = copy.deepcopy(G)
    with torch.no_grad():
        twin.net[-2].weight[torch.as_tensor(channels, dtype=torch.long)] = (
            0  # of what comes in, as each is multiplied by a weight of its own
        )
    return twin


def goes_with(maps: Tensor, has: Tensor) -> Tensor:
    """How much brighter each map is on faces that have an attribute, in its standard deviations: (channels,).

    maps: (n, channels, side, side), has: (n,) of True and False.
    """
    bright = maps.mean(dim=(2, 3))
    return (bright[has].mean(dim=0) - bright[~has].mean(dim=0)) / bright.std(dim=0).clamp(min=1e-6)


def rests_on(G: nn.Module, maps: Tensor, a: int) -> Tensor:
    """How much of the reader's logit of attribute a rests on each map: (channels,).

        mean over faces of the sum over places of map * (slope of the logit in the map)

    By so much the logit would fall if the map were switched off and slopes stayed as they are (gradient times input).
    """
    maps = maps.clone().requires_grad_()
    logits = torch.cat([pretrained.reader()(G.net[-2:](part)) for part in maps.split(500)])
    (slope,) = torch.autograd.grad(logits[:, a].sum(), maps)
    return (maps * slope).detach().sum(dim=(2, 3)).mean(dim=0)


def outcome(before: Tensor, after: Tensor, a: int) -> tuple[float, float, float]:
    """Of those who had attribute a: the share who lost it; the share of their other attributes that stayed; the share
    who lost it and kept all others. before, after: (n, k) of the same z."""
    wearers, others = before[:, a], torch.arange(before.shape[1]) != a
    lost, kept = ~after[wearers, a], (after == before)[wearers][:, others]
    clean = lost & kept.all(dim=1)
    return tuple(one.double().mean().item() for one in (lost, kept, clean))
