"""What z does in a generator of digits: where digits lie, strong directions, ways between, the z of a picture, sums."""

from functools import cache

import torch
from torch import Tensor, nn
from torch.distributions import Normal
from torch.func import jacfwd, vmap
from torch.nn.functional import avg_pool2d, max_pool2d, normalize, pad

from gan_lessons import data, metrics, pretrained
from gan_lessons.devices import seeded
from gan_lessons.optimizers import Adam

MEANS = 1, 3, 10, 30, 100  # of how many z `sum_shares` makes its means
NORMAL = Normal(0.0, 1.0)


@cache
def generator(n: int) -> nn.Module:
    """The quick recipe of the first edition, with n numbers as z: the average of its weights."""
    return pretrained.load(f"mnist_small_z{n}", average=True)


@torch.no_grad()
def read(x: Tensor) -> tuple[Tensor, Tensor]:
    """The digits that lesson 09's classifier takes pictures for, (n, 784), and its probabilities of them, (n,) each."""
    net = pretrained.classifier()
    p = torch.cat([net(part) for part in x.split(500)]).softmax(dim=1)
    return p.argmax(dim=1), p.max(dim=1).values


def shares(z: Tensor) -> Tensor:
    """Of what G draws from z, (n, 64), the share that is read as each digit, (10,)."""
    return read(generator(64)(z))[0].bincount(minlength=10) / len(z)


def draws(n: int, seed: int, size: int = 64) -> Tensor:
    """z, (n, size), the same for the same seed."""
    return torch.randn(n, size, generator=torch.Generator().manual_seed(seed))


def places(n: int) -> Tensor:
    """The middles of n x n equally likely cells of the page, row by row from the top, (n n, 2)."""
    z = NORMAL.icdf((torch.arange(n) + 0.5) / n)
    return torch.cartesian_prod(z.flip(0), z).flip(1)


@torch.no_grad()
def speed(G: nn.Module, z: Tensor, step: float = 0.01) -> Tensor:
    """How far the picture moves for each unit of z, (n,): the root of the squares over nudges along each number."""
    moved = [(G(z + step * one) - G(z)).square().sum(dim=1) for one in torch.eye(z.shape[1])]
    return torch.stack(moved).sum(dim=0).sqrt() / step


@cache
def lands(n: int = 100) -> tuple[Tensor, Tensor, Tensor]:
    """Over the page: the digit read, whether the border of the ones runs there, and the speed; each (n, n)."""
    z = places(n)
    land = read(generator(2)(z))[0].view(n, n)
    ones = (land == 1)[None].float()
    ring = (max_pool2d(ones, 3, 1, 1) != -max_pool2d(-ones, 3, 1, 1))[0]
    return land, ring, speed(generator(2), z).view(n, n)


@torch.no_grad()
def coverage(x: Tensor, n: int = 2000) -> float:
    """Lesson 09's coverage of the first n test digits by n pictures."""
    net = pretrained.classifier()
    features = [torch.cat([net.features(part) for part in both.split(500)]) for both in (held_out(n), x[:n])]
    return metrics.density_and_coverage(*features)[1]


def slopes(G: nn.Module, z: Tensor) -> Tensor:
    """How each pixel changes with each number of z, (n, 784, d)."""
    return vmap(jacfwd(lambda z: G(z[None])[0]))(z)


def directions(G: nn.Module, z: Tensor) -> tuple[Tensor, Tensor]:
    """At one z, (d,): directions of length 1, (d, d), from the one along which a small step moves the picture most,
    each at a right angle to those before; and how far the picture moves per unit, (d,)."""
    _, strengths, V = torch.linalg.svd(slopes(G, z[None])[0], full_matrices=False)
    return V, strengths


def needed(strengths: Tensor, share: float = 0.9) -> Tensor:
    """How many directions make this share of the mean squared movement of a small step in any direction, (n,)."""
    squares = strengths**2
    return 1 + (squares.cumsum(dim=1) < share * squares.sum(dim=1, keepdim=True)).sum(dim=1)


@cache
def movements(n: int, seed: int = 0) -> Tensor:
    """How far the picture moves per unit of z along each direction, from the strongest, at 32 z: (32, n)."""
    return torch.linalg.svdvals(slopes(generator(n), draws(32, seed, n)))


def straight(a: Tensor, b: Tensor, t: Tensor | float) -> Tensor:
    """(1 - t) a + t b."""
    return (1 - t) * a + t * b


def on_the_sphere(a: Tensor, b: Tensor, t: Tensor | float) -> Tensor:
    """A quarter of a circle, cos(90 t) a + sin(90 t) b in degrees; of even length between two at a right angle."""
    angle = torch.as_tensor(t) * torch.pi / 2
    return angle.cos() * a + angle.sin() * b


def descend(G: nn.Module, x: Tensor, z: Tensor, steps: int = 200, lr: float = 0.1) -> tuple[Tensor, Tensor]:
    """Gradient descent on |G(z) - x|^2 from each start, z: (..., n, d), x: (n, pixels); all z passed, and the last
    error per pixel, on a scale from 0, black, to 1, white, (..., n)."""
    z, path = z.clone().requires_grad_(), []
    adam = Adam([z], lr=lr)
    for _ in range(steps + 1):
        path.append(z.detach().clone())
        distance = (G(z.flatten(0, -2)).view(*z.shape[:-1], -1) - x).square().sum(dim=-1)
        adam.zero_grad()
        distance.sum().backward()
        adam.step()
    return torch.stack(path), (distance.detach() / x.shape[-1]).sqrt() / 2


def held_out(n: int) -> Tensor:
    """The first n test digits, (n, 784)."""
    return data.mnist("test")[:n].images.flatten(1) / 127.5 - 1


@cache
def inversions(seed: int = 0, starts: int = 4, n: int = 64) -> tuple[Tensor, Tensor]:
    """The first n test digits, from several starts: the z where each descent ends, (starts, n, 64), and its error."""
    path, error = descend(generator(64), held_out(n), draws(starts * n, seed).view(starts, n, 64))
    return path[-1], error


def drawn(text: str) -> Tensor:
    """A drawing of 10 rows of 10 signs, # is ink, as a picture, (1, 784), its edges softened as in MNIST."""
    rows = [[sign == "#" for sign in row.split()] for row in text.strip().splitlines()]
    if {len(row) for row in rows} != {10} or len(rows) != 10:
        raise ValueError("drawing: it must be 10 rows of 10 signs with spaces between them, # for ink and . for none")
    ink = torch.tensor(rows).float().repeat_interleave(2, 0).repeat_interleave(2, 1)  # (20, 20)
    return avg_pool2d(pad(ink, (4, 4, 4, 4))[None], 3, 1, 1).reshape(1, 784) * 2 - 1


@cache
def kinds(seed: int = 0, n: int = 10_000) -> dict[tuple[int, str], Tensor]:
    """Of n draws, the z of digits of which the classifier is sure: all of each digit, the thickest and the thinnest
    fifth of it, and the ink of its middle one."""
    z = draws(n, seed)
    x = generator(64)(z)
    (label, sure), dark = read(x), ink(x)
    found = {}
    for digit in range(10):
        mine = (label == digit) & (sure > 0.9)
        low, middle, high = dark[mine].quantile(torch.tensor([0.2, 0.5, 0.8]))
        found |= {(digit, "thin"): z[mine & (dark < low)], (digit, "thick"): z[mine & (dark > high)]}
        found |= {(digit, "all"): z[mine], (digit, "median"): middle}
    return found


def ink(x: Tensor) -> Tensor:
    """The mean brightness of each picture, from 0 to 1, (n,)."""
    return (x + 1).mean(dim=1) / 2


def hits(digit: int, z: Tensor, seed: int = 0) -> Tensor:
    """Which z draw this digit, thicker than half of its kind, (n,)."""
    x = generator(64)(z)
    return (read(x)[0] == digit) & (ink(x) > kinds(seed)[digit, "median"])


def sum_shares(seed: int = 0, n: int = 8) -> tuple[list[float], list[float], list[float]]:
    """For means of 1, 3, ... z: the share of thick B among n sums thick A - thin A + thin B for each pair of digits;
    the same where both groups of A are random, with a step as long; and the mean length of the step."""
    known, ours, chance, lengths = kinds(seed), [], [], []
    with seeded(seed):
        for k in MEANS:
            hit, by_chance, long = [], [], []
            for B in range(10):
                start = _means(known[B, "thin"], 1, 9 * n)
                others = [A for A in range(10) if A != B]
                step, other = (
                    torch.cat([_means(known[A, one], k, n) - _means(known[A, two], k, n) for A in others])
                    for one, two in (("thick", "thin"), ("all", "all"))
                )
                other = normalize(other, dim=1) * step.norm(dim=1, keepdim=True)
                hit.append(hits(B, start + step, seed))
                by_chance.append(hits(B, start + other, seed))
                long.append(step.norm(dim=1).mean())
            ours.append(torch.cat(hit).float().mean().item())
            chance.append(torch.cat(by_chance).float().mean().item())
            lengths.append(torch.stack(long).mean().item())
    return ours, chance, lengths


def _means(z: Tensor, k: int, n: int) -> Tensor:
    """n means of k of these z."""
    return z[torch.randint(len(z), (n, k))].mean(dim=1)


@cache
def oddities(n: int = 1000, seed: int = 0) -> dict[str, Tensor]:
    """Pictures of six kinds, (n, 784) each, the last three no digits: 3, 4 and 7 look like none when upside down."""
    G, z, test = generator(64), draws(n, seed), data.mnist("test")
    turned = test[torch.isin(test.labels, torch.tensor([3, 4, 7]))]
    with seeded(seed):
        real, other = test.sample((n,)), turned.sample((n,))
        blocks = torch.rand(n, 7, 7).gt(0.5).float().repeat_interleave(4, 1).repeat_interleave(4, 2).flatten(1) * 2 - 1
        noise = torch.rand(n, 784) * 2 - 1
    found = {"real digits": real, "draws": G(z), "z five times as long": G(5 * z)}
    return found | {"3, 4, 7 upside down": other.flip(1), "blocks": blocks, "noise": noise}
