"""Behind lesson 10, in which z is moved and G stands still: its pictures, and the checks of its exercises."""

from collections.abc import Callable, Sequence
from typing import Any

import matplotlib.pyplot as plt
import torch
from ipywidgets import HBox
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn.functional import normalize, pad

from gan_lessons import data, latent, metrics, plots
from gan_lessons.lessons.checking import call, check, close, show, tensor, verdict
from gan_lessons.live import Drag
from gan_lessons.live.clock import Clock
from gan_lessons.views.latent import ARC, LEG, LINE, NAME, ORANGE, PIXELS, STOPS, atlas, tour, ways_at

COLORS = {1: "#8d6a00", 2: "#c8553d", 8: "#00798c", 64: "#7a5195"}  # of generators, by how many numbers their z has
WAYS = {LINE: "#00798c", ARC: "#7a5195", PIXELS: "#8d6a00"}


# -- all digits on one page --------------------------------------------------------------------------------------------


def four_places(at: Sequence[tuple[float, float]] = ((-1, 1), (-0.5, 1), (0, 1), (0, 0))) -> None:
    """The page with four places on it, and the digits there."""
    z = torch.tensor(at, dtype=torch.float)
    figure = plt.figure(figsize=(8.6, 4.5))
    left, right = figure.subfigures(1, 2, width_ratios=(5, 4))
    ax = left.subplots()
    _page(ax, "mnist_small_z2, averaged: G(z) for all z")
    for i, (one, (across, up)) in enumerate(zip(z.tolist(), latent.NORMAL.cdf(z).tolist(), strict=True)):
        ax.plot(across, up, "o", mfc="none", mec=ORANGE, markersize=13, markeredgewidth=2.5)
        inner = right.add_subplot(2, 2, i + 1)
        x = latent.generator(2)(z[i : i + 1])
        plots.image_grid(x, 1, ax=inner)
        (label,), (sure,) = latent.read(x)
        inner.set_title(f"G({one[0]:g}, {one[1]:g})\nread as a {label}, {sure:.0%} sure")
    show(figure, "A page of digits that change little by little; the four marked places draw the digits beside it.")


def _page(ax: Axes, title: str, pixels: Tensor | None = None) -> None:
    ax.imshow(atlas() if pixels is None else pixels, cmap="gray", extent=(0, 1, 0, 1))
    ticks = torch.tensor([-2.0, -1.0, 0.0, 1.0, 2.0])
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_ticks(latent.NORMAL.cdf(ticks).tolist(), [f"{tick:g}" for tick in ticks])
    ax.set(title=title, xlabel="$z_1$", ylabel="$z_2$")


def borders() -> None:
    """Where the classifier changes its mind, and how fast the picture changes."""
    land, ring, fast = latent.lands()
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.6, 4.3))
    _page(left, "mnist_small_z2, averaged, and the borders\nbetween what is read as different digits")
    for digit in range(10):
        left.contour((land == digit).float(), [0.5], colors=ORANGE, extent=(0, 1, 0, 1), origin="upper")
    _page(right, "mnist_small_z2, averaged: the speed\n(bright: the picture changes fast)", fast)
    alt = "The page of digits, with borders between what is read as different digits; beside it how fast G(z)"
    show(figure, f"{alt} changes: bright along the border of the ones.")
    inside, outside = (fast[where & ~ring].mean() for where in (land == 1, land != 1))
    print(f"speed at the border of the ones {fast[ring].mean():.0f}, inside {inside:.0f}, outside {outside:.0f}")
    ones = (data.mnist("train").labels == 1).float().mean()
    print(f"share of ones: {(land == 1).float().mean():.0%} of the page, {ones:.0%} of MNIST")


# -- how many numbers --------------------------------------------------------------------------------------------------


def four_sizes() -> None:
    """36 draws of each generator, and of the data, with the coverage of 2,000."""
    figure, axes = plt.subplots(1, 5, figsize=(11, 2.7))
    fakes = {f"mnist_small_z{n}, averaged": latent.generator(n)(latent.draws(2000, 0, n)) for n in COLORS}
    fakes["real digits"] = data.mnist("train")[:2000].images.flatten(1) / 127.5 - 1
    for ax, (name, x) in zip(axes, fakes.items(), strict=True):
        plots.image_grid(x[:36], 6, ax=ax).set_title(f"{name}\ncoverage {latent.coverage(x):.2f}")
    show(figure, "Few shapes from one number, mostly ones and nines from two, all digits from eight and from 64.")


def nudges(which: Sequence[int] = (1, 2, 3, 10, 30, 64), seed: int = 0) -> None:
    """One z, moved along some of its 64 directions, from the strongest to the weakest."""
    z, ways = ways_at(seed)
    steps = torch.linspace(-4, 4, 9)
    rows = {f"direction {i}": latent.generator(64)(z + steps[:, None] * ways[i - 1]) for i in which}
    alt = "A 7 in the middle of six rows, each moved along a direction of z: in the first three it becomes other"
    _rows(rows, f"{alt} digits, in the last two it stays.", [f"step {step:g}" for step in steps.tolist()])


def _rows(rows: dict[str, Tensor], alt: str, heads: Sequence[str] = (), title: str = NAME) -> None:
    figure, _ = _grid(rows, title, heads)
    show(figure, alt)


def _grid(rows: dict[str, Tensor], title: str, heads: Sequence[str] = ()) -> tuple[Figure, Axes]:
    """Pictures in rows, each with its name; a title that says of which generator they are."""
    columns = len(next(iter(rows.values())))
    figure, ax = plt.subplots(figsize=(0.72 * columns + 2, 0.72 * len(rows) + 0.6))
    plots.image_rows(rows, columns, ax=ax)
    for i, head in enumerate(heads):
        ax.text(28 * i + 14, -4, head, ha="center", fontsize=9)
    ax.set_title(title, fontsize=10, pad=18 if heads else 6)
    return figure, ax


def strengths() -> None:
    """The curve of strengths for each generator."""
    figure, ax = plt.subplots(figsize=(7.6, 3.4))
    for n in COLORS:
        values = latent.movements(n)
        ax.plot(range(1, n + 1), values.mean(dim=0), ".-", color=COLORS[n])
        mean = latent.needed(values).float().mean()
        words = f"{n} number{'s' * (n > 1)}: 90% of the squares in {mean:.1f} direction{'s' * (n > 1)}"
        ax.text(*{1: (3, 31), 2: (3, 45), 8: (6.5, 11), 64: (22, 2.5)}[n], words, color=COLORS[n])
    ax.set(xlabel="direction, from the strongest to the weakest", ylabel="movement of the picture\nper unit of z")
    ax.set(xlim=(0, 65), ylim=(0, None), title="four generators, all averaged; means over 32 z")
    alt = "How far the picture moves along each direction of z, strongest first; a curve for each generator: for 64"
    show(figure, f"{alt} numbers it falls steeply and is 0 at the end.")


# -- between two digits ------------------------------------------------------------------------------------------------


def lengths(z: Tensor, middle: Tensor, at: Sequence[float] = (0, 1.5, 3, 4.5, 6, 8, 10)) -> None:
    """Lengths of draws, and of points half way on straight lines; and what G draws on the line from 0 to a draw."""
    figure, (above, ax) = plt.subplots(2, 1, figsize=(7.6, 3.7), height_ratios=(1, 3), sharex=True)
    for length, x in zip(at, latent.generator(64)(torch.tensor(at)[:, None] * normalize(z[:1])), strict=True):
        above.imshow(x.view(28, 28), cmap="gray", vmin=-1, vmax=1, extent=(length - 0.6, length + 0.6, 0, 1))
    above.set(xlim=(-0.6, 12), ylim=(0, 1), aspect="auto", title=f"{NAME}: G(z) of that length, in one direction")
    above.set_axis_off()
    for some, color, words, place in ((z, "black", "draws", 8.9), (middle, WAYS[LINE], "half way, straight", 4.9)):
        ax.hist(some.norm(dim=1).numpy(), 120, range=(0, 12), histtype="step", color=color, linewidth=1.6)
        ax.text(place, 420, words, color=color, ha="left" if words == "draws" else "right")
    ax.set(xlabel="|z|, the length of z", ylabel=f"how many of {len(z):,}", xlim=(-0.6, 12))
    show(figure, "Above, a smear at length 0 becomes a white digit at 8. Two heaps: draws around 8, half way 5.7.")


def three_ways(seed: int = 7) -> None:
    """From one draw to another: in pixels, and in z on both ways."""
    (a, b), G = latent.draws(2, seed), latent.generator(64)
    t = torch.linspace(0, 1, 11)[:, None]
    rows = {PIXELS: latent.straight(G(a[None]), G(b[None]), t)}
    rows |= {name: G(way(a, b, t)) for name, way in ((LINE, latent.straight), (ARC, latent.on_the_sphere))}
    alt = "From a 2 to a 1, in three rows: in pixels one fades into the other; in z strokes bend, on the straight way"
    heads, title = [f"t = {share:.1f}" for share in t[:, 0].tolist()], f"{NAME}: a pair picked to show the paler middle"
    _rows(rows, f"{alt} paler in the middle than on the sphere.", heads, title)


class Walk(Drag):
    """The tour, by its slider or by itself while its button plays; at the end it begins anew."""

    def __init__(self) -> None:
        super().__init__(tour, frame=(0, (STOPS - 1) * LEG), seed=(0, 20))
        self.clock = Clock(self._work, lambda: None)
        self.clock.apart = 0.05
        self.children = (self.children[0], HBox([self.clock.play]), *self.children[1:])  # a box: else it fills the row

    def _work(self, due: bool) -> None:
        self.clock.obey()
        if due:
            slider = self.inputs["frame"]
            slider.value = (slider.value + 1) % (slider.max + 1)


def half_way(sevens: Tensor, ones: Tensor, others: Tensor) -> None:
    """Which digits are half way between a 7 and a 1, on both ways, and half way between any two that are no 9."""
    figure, axes = plt.subplots(1, 2, figsize=(9.6, 2.9), sharey=True)
    a, b = others[: len(others) // 2], others[len(others) // 2 :][: len(others) // 2]
    for ax, (name, way) in zip(axes, ((LINE, latent.straight), (ARC, latent.on_the_sphere)), strict=True):
        shares = [latent.shares(way(*ends, 0.5)) for ends in ((sevens, ones), (a, b))]
        for shift, share, color in ((-0.2, shares[0], WAYS[name]), (0.2, shares[1], "#bbbbbb")):
            ax.bar(torch.arange(10) + shift, share, 0.4, color=color)
        ax.text(9.5, shares[1][9], f"{shares[1][9]:.0%}", color="#666666", fontsize=8, va="center")
        ax.bar_label(ax.containers[0], [f"{s:.0%}" if s > 0.05 else "" for s in shares[0]], fontsize=8)
        ax.set(title=f"{NAME}:\nhalf way, {name}", xlabel="what the classifier reads", xticks=range(10))
        ax.text(1.7, 0.36, "from a 7 to a 1", color=WAYS[name])
        ax.text(1.7, 0.26, "grey: between any\ntwo that are no 9", color="#666666")
    axes[0].set_ylabel("share of the pairs")
    show(figure, "Most points half way from a 7 to a 1 are read as 1 or 7; nines are a minority.")


# -- backwards ---------------------------------------------------------------------------------------------------------


def valleys(index: int = 2) -> None:
    """The error of every place of the page for one digit, and where four descents from four starts end."""
    x = data.mnist("test")[: index + 1].images.flatten(1)[index:] / 127.5 - 1
    G, starts = latent.generator(2), torch.tensor([[-1.5, 1.2], [1.2, 1.2], [-1.2, -1.2], [1.2, -1.2]])[:, None]
    path, error = latent.descend(G, x, starts, steps=150, lr=0.05)
    height = ((G(latent.places(100)) - x).square().mean(dim=1).sqrt() / 2).view(100, 100)
    figure = plt.figure(figsize=(9.6, 4.6))
    left, right = figure.subfigures(1, 2, width_ratios=(1, 1))
    ax = left.subplots()
    _page(ax, "the error of G(z), for every z of the page\n(dark: close to the digit)", height)
    for i in range(4):
        ax.plot(*latent.NORMAL.cdf(path[:, i, 0]).T, color=ORANGE, linewidth=2)
        ax.plot(*latent.NORMAL.cdf(path[0, i, 0]), "o", color=ORANGE)
        across, up = latent.NORMAL.cdf(path[0, i, 0]).tolist()
        ax.text(across - 0.05, up, str(i + 1), color=ORANGE, va="center")
    axes = right.subplots(2, 3).flat
    shown = {"the digit, x": x, **{f"end {i + 1}\nerror {error[i, 0]:.2f}": G(path[-1, i]) for i in range(4)}}
    for inner, (name, one) in zip(axes, shown.items(), strict=False):
        plots.image_grid(one, 1, ax=inner).set_title(name)
    axes[5].set_axis_off()
    right.suptitle("mnist_small_z2, averaged", fontsize=10)
    alt = "A landscape of the error over z with one deep dark valley; two of four paths end in it, at the digit,"
    show(figure, f"{alt} the others near their start, at other digits.")


def four_starts(n: int = 10) -> None:
    """Some test digits, and where four descents end."""
    z, error = latent.inversions()
    rows = {"test digits": latent.held_out(n)} | {f"start {i + 1}": latent.generator(64)(z[i, :n]) for i in range(4)}
    best, title = error[:, :n].argmin(dim=0), f"{NAME}: the first {n} test digits, and G(z) where each descent ended"
    figure, ax = _grid(rows, title)
    for i in range(n):
        for k in range(4):
            ax.text(28 * i + 2, 28 * k + 33, f"{error[k, i]:.2f}"[1:], color=ORANGE, fontsize=7)
        ax.add_patch(plt.Rectangle((28 * i - 0.5, 28 * (best[i] + 1) - 0.5), 28, 28, fill=False, ec=ORANGE, lw=2))
    show(figure, "Under each test digit the four that a search found, much like it; the best of each is framed.")
    distance, _ = metrics.nearest(latent.held_out(64), latent.generator(64)(latent.draws(10_000, 0)))
    near = distance.mean() / 28 / 2  # 28: the root of 784 pixels, 2: from black to white
    print(f"mean error: nearest of 10,000 draws {near:.3f}, 1 start {error[0].mean():.3f}, ", end="")
    print(f"best of 4 {error.min(dim=0).values.mean():.3f}")
    print(f"mean |z| of all ends: {z.norm(dim=2).mean():.1f}")


def your_inversion(invert: Callable[..., Any]) -> None:
    """What the learner's inversion finds, once it is written."""
    x, z = latent.held_out(8), latent.draws(8, 0)
    try:
        found = tensor(invert(latent.generator(64), x, z), 8, 64).float()
    except Exception:  # whatever a learner's code does, the notebook goes on
        print("The picture waits for your inversion.")
        return
    rows = {"test digits": x, "yours": latent.generator(64)(found)}
    _rows(rows, "Eight test digits, and under each what your own search found for it.")


def your_digit(text: str, starts: int = 16) -> None:
    """A drawing, the best that the search found for it, and the nearest of 10,000 draws."""
    x, G, some = latent.drawn(text), latent.generator(64), latent.generator(64)(latent.draws(10_000, 0))
    path, error = latent.descend(G, x, latent.draws(starts, 0).view(starts, 1, 64))
    z = path[-1, error[:, 0].argmin()]
    shown = {"yours": x, f"G(z), the best of {starts}": G(z)}
    shown["nearest of 10,000 draws"] = some[metrics.nearest(x, some)[1]]
    figure, axes = plt.subplots(1, 3, figsize=(7.6, 2.9))
    for ax, (name, one) in zip(axes, shown.items(), strict=True):
        off = (one - x).square().mean().sqrt() / 2
        words = f"{name}\nread as a {latent.read(one)[0].item()}, error {off:.2f}"
        plots.image_grid(one, 1, ax=ax).set_title(words, fontsize=10)
    figure.suptitle(NAME, fontsize=10)
    show(figure, "A drawn digit, beside it the one that the search found, and the nearest of many draws.")


# -- sums --------------------------------------------------------------------------------------------------------------


def sums(digit: int, before: Tensor, after: Tensor) -> None:
    """Thin digits before and after a step was added to their z, hits and misses marked."""
    hit, G = latent.hits(digit, after).tolist(), latent.generator(64)
    heads = ["hit" if one else "miss" for one in hit]
    rows = {f"thin {digit}": G(before), "plus the step": G(after)}
    title = f"{NAME}: {sum(hit)} of {len(hit)} became a thick {digit}"
    _rows(rows, "Thin digits, and under them what they became, each marked as a hit or a miss.", heads, title)


def count_sums() -> None:
    """How often a thick B comes out, by how many z each mean is made of, beside its chance."""
    ours, chance, lengths = latent.sum_shares()
    figure, ax = plt.subplots(figsize=(7.6, 3))
    lines = (ours, WAYS[ARC], "thick A - thin A"), (chance, "#777777", "chance: random A - random A")
    for values, color, words in lines:
        ax.plot(latent.MEANS, values, "o-", color=color)
        ax.text(115, values[-1] - 0.01, words, color=color, va="center")
        for k, value in zip(latent.MEANS, values, strict=True):
            ax.text(k, value + 0.02, f"{value:.0%}", color=color, ha="center")
    names = [f"{k}\n|step| {long:.1f}" for k, long in zip(latent.MEANS, lengths, strict=True)]
    ax.set(xscale="log", xlim=(0.8, 300), ylim=(0, 0.6), ylabel="share that became a thick B")
    ax.set(xlabel="of how many z each mean is made", title=f"{NAME}: 720 sums at each dot, over all pairs of digits")
    ax.set_xticks(latent.MEANS, names)
    ax.minorticks_off()
    show(figure, "The share of hits grows with the number of z in each mean, and its chance falls.")


# -- what the classifier is sure of ------------------------------------------------------------------------------------


def nonsense(n: int = 12) -> None:
    """The first pictures of each kind, what the classifier is sure of, and the share of which it is."""
    looks = {name: (x, *latent.read(x)) for name, x in latent.oddities().items()}
    rows = {}
    for name, (x, _, sure) in looks.items():
        inner = x[:n].view(-1, 28, 28)[:, 1:-1, 1:-1]  # the edge becomes black: one sees where each picture ends
        rows[f"{name}: sure of {(sure > 0.9).float().mean():.0%}"] = pad(inner, [1] * 4, value=-1.0).flatten(1)
    figure, ax = _grid(rows, f"draws and long z: {NAME}; a number where the classifier is sure")
    for row, (_, label, sure) in enumerate(looks.values()):
        for i in (sure[:n] > 0.9).nonzero()[:, 0].tolist():
            box = {"facecolor": "black", "pad": 1}  # on white blocks it could not be read
            ax.text(28 * i + 2, 28 * row + 8, f"{label[i]}", color=ORANGE, fontsize=9, weight="bold", bbox=box)
    show(figure, "Rows of digits and of nonsense; a number stands on each picture of which the classifier is sure.")


# -- the checks of the exercises ---------------------------------------------------------------------------------------


@check
def check_walk(walk: Any) -> str | None:
    """walk(z_a, z_b, steps), (d,), (d,) -> (steps, d): cos(90 t) z_a + sin(90 t) z_b in degrees, t from 0 to 1."""
    a, b = torch.tensor([8.0, 16.0, 16.0]) / 3, torch.tensor([16.0, 8.0, -16.0]) / 3  # at a right angle
    t = torch.linspace(0, 1, 5)[:, None]
    answer, right, line = tensor(call(walk, a, b, 5), 5, 3), latent.on_the_sphere(a, b, t), latent.straight(a, b, t)
    typical = {
        "this is the straight line: half way |z| is 5.7 in place of 8.": line,
        "this goes from z_b to z_a: the first row must be z_a.": right.flip(0),
        "cos and sin take radians, and a quarter of a circle is pi / 2.": t.cos() * a + t.sin() * b,
        "torch.cos takes radians, not degrees.": (90 * t).cos() * a + (90 * t).sin() * b,
        "this is half a circle: it ends at -z_a.": (t * torch.pi).cos() * a + (t * torch.pi).sin() * b,
        "right length, uneven pace: this is the straight line pushed out to the sphere.": 8 * normalize(line, dim=1),
        "right length, uneven pace: roots are not cos and sin.": (1 - t).sqrt() * a + t.sqrt() * b,
        "the last row must be z_b: t has to get to 1.": latent.on_the_sphere(a, b, t * 0.8),
        "the pictures between are wanted, without both ends left out: t = 0 is z_a, t = 1 is z_b.": (
            latent.on_the_sphere(a, b, torch.linspace(0, 1, 7)[1:-1, None])
        ),
    }
    if mistake := verdict(answer, right, typical, f"half way |z| is {answer[2].norm():.2f} in place of 8.00."):
        return mistake
    a, b = 8 * normalize(latent.draws(2, 0), dim=1)
    angle = (a @ b / 64).acos()
    t = torch.linspace(0, 1, 9)[:, None]
    great = (((1 - t) * angle).sin() * a + (t * angle).sin() * b) / angle.sin()  # the shortest way on the sphere
    answer = tensor(call(walk, a, b, 9), 9, 64)
    if not (close(answer, latent.on_the_sphere(a, b, t)) or close(answer, great)):
        return "right for 5 steps between two z of 3 numbers, but not for 9 steps between two of 64."


class _Toy(nn.Module):
    """A G with 2 numbers as z and 6 pixels, each its own bent mixture of both: every picture has one z."""

    def __init__(self) -> None:
        super().__init__()
        mix = torch.tensor([[1.0, 0.3, -0.5, 0.8, 0.0, 0.6], [0.2, -0.9, 0.7, 0.4, 1.0, -0.6]])
        self.mix = nn.Parameter(mix)

    def forward(self, z: Tensor) -> Tensor:
        return torch.tanh(0.5 * z @ self.mix)


@check
def check_invert(invert: Any) -> str | None:
    """invert(G, x, z): from the start z, (n, d), by gradient descent to z with a small |G(z) - x|^2, (n, d)."""
    G, found = _Toy(), torch.tensor([[1.2, -0.4], [-0.8, 0.9], [0.5, 1.5]])
    x, start, weights = G(found).detach(), torch.zeros(3, 2) + 0.1, G.mix.detach().clone()
    z = tensor(call(invert, G, x, start))
    if not torch.equal(G.mix.detach(), weights):
        return "G's weights have changed: give the optimizer [z] alone; G stands still."
    if z.shape == x.shape:
        return "these are as many numbers as a picture has: return z, not G(z)."
    z = tensor(z, 3, 2).float()
    if not z.isfinite().all():
        return "z is no finite number any more: take smaller steps."
    before, after = ((G(one) - x).square().sum(dim=1).detach() for one in (start, z))
    if close(z, start):
        return "z has not moved: it needs requires_grad_(), and the optimizer has to hold it and to step."
    if (after > before).all():
        return "the error has grown: go down |G(z) - x|^2, against its gradient."
    if (after < before / 10).sum() == 1 and (after > before / 10).any():
        return "one picture is found and the others are not: sum the errors over all pictures, each has its own z."
    if not (after < before / 100).all():
        return f"the error fell from {before.mean():.3f} to {after.mean():.3f}, not yet to the bottom: more steps."


@check
def check_best_end(best_end: Any) -> str | None:
    """best_end(G, x, ends): for each picture the one of several z with the smallest error, (m, n, d) -> (n, d)."""
    G = _Toy().requires_grad_(False)
    true = torch.tensor([[1.2, -0.4], [-0.8, 0.9], [0.5, 1.5], [0.0, 0.0], [-1.0, -1.0]])
    off = [[0.9, 0.1, 0.5, 0.7, 0.6], [0.3, 0.3, 0.3, 0.3, 0.4], [0.2, 0.8, 0.9, 0.05, 0.7], [0.5, 0.6, 0.1, 0.9, 0.3]]
    ends = true + torch.tensor(off)[:, :, None] * torch.tensor([1.0, -1.0])
    x = G(true)
    error = (G(ends.flatten(0, 1)).view(4, 5, 6) - x).square().sum(dim=2)
    each = torch.arange(5)
    right, answer = ends[error.argmin(dim=0), each], tensor(call(best_end, G, x, ends))
    if answer.shape == (4, 2):
        return "one z for each start came back: for each *picture* choose among the starts, along the first axis."
    if answer.shape == (2,):
        return "one z came back: each of the 5 pictures has its own best start."
    if answer.shape == (5,):
        return "these are 5 numbers, the errors or the places of the best: return the z themselves, (5, 2)."
    whole = error.sum(dim=1).argmin()
    typical = {
        "these are the worst ends: argmin, not argmax.": ends[error.argmax(dim=0), each],
        "this is the start that is best for all pictures together: each picture may have its own.": ends[whole],
        "this is the mean of the ends: between two valleys there is a ridge.": ends.mean(dim=0),
        "this takes the first start for every picture: compare the errors.": ends[0],
        "this takes the last start for every picture: compare the errors.": ends[-1],
        "this takes the shortest z: compare the errors of G(z).": ends[ends.norm(dim=2).argmin(dim=0), each],
    }
    return verdict(tensor(answer, 5, 2), right, typical, "for some pictures another end has a smaller |G(z) - x|^2.")
