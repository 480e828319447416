"""Behind lesson 12, in which D has no sigmoid and G a height to reach: its pictures, and checks of its exercises."""

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

import matplotlib.pyplot as plt
import torch
from torch import Tensor
from torch.distributions import Normal

from gan_lessons import data, losses, plots, pretrained, recipes, svg, theory
from gan_lessons.devices import seeded
from gan_lessons.lessons.checking import call, check, number, show, tensor, verdict
from gan_lessons.style import STYLE, push_length
from gan_lessons.tiles import unpacked

ENDS = (450.0, 540.0)  # of the first picture
REAL, FAKES = data.gaussian(), Normal(480.0, 5.0)
GREEN, BLUE, ORANGE = (STYLE[key]["color"] for key in ("fakes", "D", "D*"))
COLORS = {"log(1 - D)": "#8a4b2a", "-log D": STYLE["push"]["color"], "least squares": "#00798c"}
CODINGS = {"0, 1, 1": (0, 1, 1), "-1, 1, 0": (-1, 1, 0)}
LOOKS = {"0, 1, 1": ("#00798c", "-"), "-1, 1, 0": ("#c8553d", "--"), "the criterion": ("#555555", ":")}
NAMES = {  # of the record's variants, from top to bottom
    "minimax": "log(1 - D)",
    "non_saturating": "-log D",
    "top_k(0.5)": "-log D, the best half",
    "smoothed(0.9)": "-log D, smoothed",
    "relativistic": "relativistic",
    "least_squares": "least squares 0, 1, 1",
    "coded(-1, 1, 0)": "least squares -1, 1, 0",
}
WITH_R1 = "minimax", "non_saturating", "least_squares", "coded(-1, 1, 0)"
NAMES |= {f"{one}, R1": f"{NAMES[one]}, R1" for one in WITH_R1}
NAMES["relativistic, R1, R2"] = "relativistic, R1, R2"
KNOWN = {  # rows of the record of lesson 07, twenty seeds on the ring
    "minimax": "ring(loss=losses.minimax)",
    "non_saturating": "ring()",
    "smoothed(0.9)": "ring(loss=losses.smoothed(0.9))",
    "relativistic": "ring(loss=losses.relativistic)",
    "least_squares": "ring(loss=losses.least_squares)",
    "non_saturating, R1": "ring(r1=0.5)",
    "relativistic, R1, R2": "ring(loss=losses.relativistic, r1=0.5, r2=0.5)",
}

_record = partial(data.saved_record, "lsgan")


@cache
def on_ring() -> dict[str, list[tuple[int, float]]]:
    """Modes found and share of good fakes of each seed: twenty of what lesson 07 played, a few of the rest."""
    before, now = data.saved_record("collapse_20_seeds")["rows"], _record()["rows"]["ring"]
    found = {name: [(row[1], row[2]) for row in before[known]] for name, known in KNOWN.items()}
    return {name: found.get(name, [(one["modes"], one["good"]) for one in now[name].values()]) for name in NAMES}


# -- one fake, three losses --------------------------------------------------------------------------------------------


def output(x: Tensor) -> Tensor:
    """D of the first pictures: a straight line, 0 at 480, where fakes crowd, and 1 at 500, where real coins do."""
    return (x - 480) / 20


def pushes(x: Tensor, c: float = 1.0) -> dict[str, Tensor]:
    """Minus the slope of each of G's losses at fakes x, (n,). With a sigmoid the line is 4 D - 2, a logit: it has then
    the same border, 490, and there the same slope."""
    x = x.detach().clone().requires_grad_()
    with torch.enable_grad():
        line = output(x)
        three = {
            "log(1 - D)": losses.minimax.generator(None, 4 * line - 2),
            "-log D": losses.non_saturating.generator(None, 4 * line - 2),
            "least squares": losses.coded(0, 1, c).generator(None, line),
        }
        return {
            name: -len(x) * torch.autograd.grad(one, x, retain_graph=True)[0].detach() for name, one in three.items()
        }


def three_pushes(x: int = 470, c: float = 1.0) -> str:
    """What the sliders draw: one fake on the line and on the S-curve, and under it its push by three losses."""
    at, places = torch.tensor([float(x)]), torch.linspace(*ENDS, 181)
    box = svg.Box(40, 34, 480, 210, ENDS, (-1.7, 3.2))
    line, curve = output(places), (4 * output(places) - 2).sigmoid()
    humps = ((REAL, "data"), (FAKES, "fakes"))
    inside = [box.line(places, 9 * p.log_prob(places).exp(), key, fill=key == "fakes", opacity=0.6) for p, key in humps]
    inside += [box.line(ENDS, (height, height), "guide") for height in (0, 1)]
    inside += [box.line((490, 490), (-1.7, 3.2), "guide"), box.line(places, curve, "D", width=1, opacity=0.7)]
    inside += [f'<path d="M0 {box.y(c):.1f}H480" stroke="{COLORS["least squares"]}"/>', box.line(places, line, "D")]
    heights = output(at).item(), (4 * output(at) - 2).sigmoid().item()
    inside += [svg.dot(box.x(x), box.y(heights[1]), "white"), svg.dot(box.x(x), box.y(heights[0]), GREEN)]
    inside.append(svg.text(box.x(ENDS[0]) + 4, box.y(c) - 5, "c", COLORS["least squares"]))
    inside.append(svg.text(box.x(490) + 5, box.y(3.0), "border"))
    words = [("data", "real coins"), ("fakes", "fakes"), ("D", "D's output; thin: through a sigmoid")]
    parts = [svg.legend(words, 40, 14), box.show(inside), box.x_axis(), box.y_axis()]
    parts.append(svg.text(280, 274, "weight of a coin, x", anchor="middle"))
    for i, (name, push) in enumerate(pushes(at, c).items()):
        y, value = 302 + 24 * i, push.item()
        parts.append(svg.text(8, y + 4, name, COLORS[name]))
        parts.append(svg.text(690, y + 4, f"{round(value, 3) + 0:+.3f}", COLORS[name], "end"))
        drawn = svg.arrow(float(40 + box.x(x)), y, 200 * push_length(value))
        parts.append(f'<g fill="none" stroke="{COLORS[name]}" stroke-width="2">{drawn}</g>')
        parts.append(svg.dot(float(40 + box.x(x)), y, GREEN))
    parts.append(svg.text(150, 380, "an arrow for a push of"))
    for place, push in ((290, 0.01), (350, 0.1)):
        drawn = svg.arrow(place, 376, 200 * push_length(push))
        parts.append(f'<g fill="none" stroke="#222" stroke-width="2">{drawn}</g>')
        parts.append(svg.text(place + 6 + 200 * push_length(push), 380, f"{push:g}"))
    label = f"A fake at {x} on D's line, at height {heights[0]:.2f}, and the arrows of its push by three losses"
    return svg.picture("".join(parts), label, 700, 392)


def every_place() -> None:
    """The same for all places at once: D with and without a sigmoid, and the three pushes over x."""
    x = torch.linspace(*ENDS, 361)
    figure, (top, bottom) = plt.subplots(2, 1, figsize=(8.4, 5.2), sharex=True, height_ratios=(1, 1.15))
    for p, key in ((REAL, "data"), (FAKES, "fakes")):
        top.plot(x, 9 * p.log_prob(x).exp(), **STYLE[key])
    top.plot(x, output(x), **STYLE["D"])
    top.plot(x, (4 * output(x) - 2).sigmoid(), color=BLUE, linewidth=1)
    top.text(519, 2.15, "D without a sigmoid", color=BLUE, ha="right")
    top.text(521, 0.72, "and with one", color=BLUE)
    top.text(473, 0.35, "fakes", color=GREEN, ha="right")
    top.text(507, 0.35, "real coins")
    top.set(ylabel="D(x)", ylim=(-1.6, 3.1), yticks=[0, 1])
    for name, values in pushes(x).items():
        bottom.plot(x, values, color=COLORS[name], linewidth=2)
    for at, height, name in ((517, 0.165, "log(1 - D)"), (472, 0.165, "-log D"), (492, -0.045, "least squares")):
        bottom.text(at, height, name, color=COLORS[name])
    for ax in (top, bottom):
        ax.axvline(490, **STYLE["guide"])
        ax.hlines((0, 1) if ax is top else 0, *ENDS, **STYLE["guide"])
    bottom.set(xlabel="where the fake is, x", ylabel="push (to the right: above 0)", xlim=ENDS)
    alt = "Above, D by x: a straight line without a sigmoid, an S with one. Below, three pushes by x: of the losses"
    show(figure, f"{alt} with a log one falls to 0, one rises from 0; that of least squares crosses 0 at 500.")


# -- the best D --------------------------------------------------------------------------------------------------------


def best_output(x: Tensor, p_g: Normal, a: float = 0, b: float = 1) -> Tensor:
    """What the best D says under a coding: the mean of b and a, weighted by how many coins of each kind lie at x."""
    share = theory.optimal_discriminator(REAL, p_g)(x)
    return b * share + a * (1 - share)


def trained_hill(turns: int = 600, seed: int = 0) -> None:
    """D after many turns of least squares against fakes that stay at N(485, 5^2), beside the best D there is."""
    x, p_g = torch.linspace(*ENDS, 361), Normal(485.0, 5.0)
    gan = recipes.gaussian(seed, loss=losses.least_squares, start=(485.0, 5.0), decay=None)
    for _ in range(turns):
        gan.discriminator_step()
    figure, ax = plt.subplots(figsize=(8.4, 3.2))
    for p, key in ((REAL, "data"), (p_g, "fakes")):
        ax.plot(x, 9 * p.log_prob(x).exp(), **STYLE[key])
    ax.plot(x, best_output(x, p_g), **STYLE["D*"])
    ax.plot(x, gan.discriminator(x).detach(), **STYLE["D"])
    ax.hlines((0, 1), *ENDS, **STYLE["guide"])
    ax.text(468, 0.45, "fakes", color=GREEN)
    ax.text(508, 0.45, "real coins")
    ax.text(538, 0.86, "D*", color=ORANGE, ha="right")
    ax.text(538, 1.06, f"D after {turns} turns", color=BLUE, ha="right")
    ax.set(xlabel="weight of a coin, x", ylabel="D(x), no sigmoid", ylim=(-0.25, 1.35), yticks=[0, 0.5, 1], xlim=ENDS)
    alt = "The trained D and D* rise from 0 to 1 between fakes and real coins; D* is flat on both sides and D nearly,"
    show(figure, f"{alt} but far to the right, at {ENDS[1]:.0f}, it is {gan.discriminator(x[-1:]).item():.1f}.")


# -- which landscape G goes down ---------------------------------------------------------------------------------------


@cache
def _grid() -> tuple[Tensor, Tensor]:
    z = torch.linspace(-7, 7, 2801, dtype=torch.double)
    weight = Normal(torch.zeros((), dtype=torch.double), 1.0).log_prob(z).exp()
    return z, weight / weight.sum()


def criterion(mu: Tensor, sigma: Tensor) -> Tensor:
    """Half of Pearson's chi^2 between p_data + p_g and 2 p_g, for p_g = N(mu, sigma^2): the integral of
    (p_data - p_g)^2 / (p_data + p_g), halved."""
    x = torch.linspace(400, 600, 8001, dtype=torch.double)
    p, q = REAL.log_prob(x).exp(), Normal(mu, sigma).log_prob(x).exp()
    return torch.trapezoid((p - q) ** 2 / (p + q).clamp(min=1e-300), x) / 2


def push_of_criterion(sigma: float, mu: float = 500.0) -> float:
    """Minus the slope of the criterion in sigma."""
    both = torch.tensor([mu, sigma], dtype=torch.double, requires_grad=True)
    with torch.enable_grad():
        return -torch.autograd.grad(criterion(*both), both)[0][1].item()


def push_of_step(sigma: float, coding: tuple[float, float, float], mu: float = 500.0) -> float:
    """Minus the slope in sigma of G's loss, mean((D(mu + sigma z) - c)^2) / 2, with the best D held."""
    (a, b, c), (z, weight) = coding, _grid()
    held = torch.tensor(sigma, dtype=torch.double, requires_grad=True)
    with torch.enable_grad():
        out = best_output(mu + held * z, Normal(torch.tensor(mu, dtype=torch.double), sigma), a, b)
        return -torch.autograd.grad((weight * (out - c) ** 2).sum() / 2, held)[0].item()


def pushes_on_sigma() -> None:
    """The push on sigma at the right mean: of the criterion, and of G's step with the best D held, by two codings."""
    sigmas = torch.linspace(1.2, 9, 79).tolist()
    figure, (left, right) = plt.subplots(1, 2, figsize=(10.4, 3.6))
    height = torch.stack([criterion(torch.tensor(500.0).double(), torch.tensor(s).double()) for s in sigmas])
    left.plot(sigmas, height, color=LOOKS["the criterion"][0], linestyle=":", linewidth=2)
    left.set(ylabel="the criterion, half of chi²", title="its height")
    right.plot(sigmas, [push_of_criterion(s) for s in sigmas], **_look("the criterion"))
    for name, coding in CODINGS.items():
        right.plot(sigmas, [push_of_step(s, coding) for s in sigmas], **_look(name))
    right.axhline(0, **STYLE["guide"])
    right.set(
        ylabel="push on σ (wider: above 0)", title="down the criterion, and G's step by two codings", ylim=(-0.06, 0.14)
    )
    right.text(3.3, 0.1, "criterion", color=LOOKS["the criterion"][0])
    right.text(2.3, 0.044, "0, 1, 1", color=LOOKS["0, 1, 1"][0])
    right.text(2.4, -0.026, "-1, 1, 0", color=LOOKS["-1, 1, 0"][0])
    right.plot(1.7, 0, "o", color=LOOKS["-1, 1, 0"][0])
    right.text(1.65, -0.017, "1.7", color=LOOKS["-1, 1, 0"][0], ha="right")
    left.text(5.15, 0.38, "real coins")
    for ax in (left, right):
        ax.axvline(5, **STYLE["data"])
        ax.set(xlabel="spread σ of the fakes; their mean is right, 500", xlim=(1, 9))
    alt = "The criterion pushes to 5 from both sides; G's step with -1, 1, 0 pushes to 1.7 from everywhere below 5."
    show(figure, alt)


def _look(name: str) -> dict[str, Any]:
    color, line = LOOKS[name]
    return {"color": color, "linestyle": line, "linewidth": 2}


def two_codings(*paths: Sequence[tuple[float, float]]) -> None:
    """Mean and spread of the fakes, round by round, under both codings; dotted, the data and the false rest."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10.4, 3.3))
    for name, path in zip(CODINGS, paths, strict=True):
        left.plot([mu for mu, _ in path], **_look(name))
        right.plot([abs(sigma) for _, sigma in path], **_look(name))
        right.text(900, (3.1, 5.6)[name == "0, 1, 1"], name, color=LOOKS[name][0])
    for ax, value, what in ((left, 500, "mean"), (right, 5, "spread")):
        ax.axhline(value, **STYLE["data"])
        ax.set(xlabel="round", ylabel=f"{what} of the fakes")
    right.axhline(1.7, **STYLE["guide"])
    right.text(1500, 1.0, "1.7", ha="right")
    right.text(1500, 5.5, "real coins", ha="right")
    right.set_ylim(0, 12)
    ends = " and ".join(f"{abs(path[-1][1]):.1f}" for path in paths)
    show(figure, f"Both means come near 500; the spreads end at {ends}, where the real one is 5.")


# -- every loss, on the same players -----------------------------------------------------------------------------------


def ring_of_each() -> None:
    """The fakes of the first seed under each loss, on the ring; in the titles modes found and good share."""
    rows, real = _record()["rows"]["ring"], data.ring()
    figure, axes = plt.subplots(2, 6, figsize=(11, 4.4))
    for ax, (key, name) in zip(axes.flat, NAMES.items(), strict=True):
        one = rows[key]["0"]
        ax.plot(*real.component_distribution.mean.T, "o", color="#cccccc", markersize=9)
        ax.plot(*(torch.tensor(one["fakes"]) / 100).T, ".", color=GREEN, markersize=2.5)
        ax.set(xlim=(-2.8, 2.8), ylim=(-2.8, 2.8), xticks=[], yticks=[], aspect="equal")
        ax.set_title(
            f"{name.replace('least squares', 'squares')}\n{one['modes']} modes, good {one['good']:.0%}", fontsize=8
        )
    show(figure, "Twelve small rings: under some losses fakes lie on few of the eight places, under others on all.")


def every_loss() -> None:
    """How far the fakes of each loss are from the data, a dot a seed: ring, digits, faces; and some fakes of seed 0."""
    rows, rounds = _record()["rows"], _record()["rounds"]
    figure, axes = plt.subplots(1, 5, figsize=(13, 0.62 * len(NAMES) + 0.9), width_ratios=(1.2, 1.1, 1.4, 1.1, 1.4))
    ring, digits, digit_row, faces, face_row = axes
    for place, name in enumerate(NAMES):
        look = {"marker": "o", "color": COLORS["least squares"] if name[:5] in ("least", "coded") else "#555555"}
        for modes, good in on_ring()[name]:
            ring.plot(good, place, mfc=look["color"] if modes == 8 else "white", markersize=5, **look)
        for ax, on in ((digits, "digits"), (faces, "faces")):
            found = [one["frechet"] for one in rows[on][name].values() if "frechet" in one]
            ax.plot(found, [place] * len(found), markersize=5, linestyle="none", **look)
    ring.set(
        xlabel="share of good fakes (filled: 8 modes)", xlim=(-0.03, 1.03), title=f"ring, {rounds['ring']:,} rounds"
    )
    for ax, picture, on, side in ((digits, digit_row, "digits", 28), (faces, face_row, "faces", 32)):
        ax.axvline(rows[on]["floor"]["0"]["frechet"], **STYLE["data"])
        ax.set(xlabel="Fréchet distance", title=f"{on}, {rounds[on]:,} rounds\n(dotted: real ones)")
        plots.image_grid(torch.cat([unpacked(rows[on][name]["0"]["fakes"], side) for name in NAMES]), 8, ax=picture)
        picture.set_aspect("auto")
        picture.hlines(side * torch.arange(1, len(NAMES)) - 0.5, -0.5, 8 * side - 0.5, color="white", linewidth=3)
        picture.set_title("fakes of seed 0", fontsize=11)
    digits.set_xlim(0, 650)
    faces.set(xscale="log", xlim=(1.5, 10_000), xticks=[10, 100, 1000], xticklabels=["10", "100", "1,000"])
    for ax in (ring, digits, faces):
        ax.set(
            yticks=range(len(NAMES)), yticklabels=NAMES.values() if ax is ring else [], ylim=(len(NAMES) - 0.5, -0.5)
        )
        ax.grid(axis="y", color="#eeeeee")
    alt = "Twelve losses: good fakes on the ring, Fréchet distances on digits and faces, and fakes. Least squares"
    show(figure, f"{alt} 0, 1, 1 is good on ring and digits; on faces it fails.")


def shipped(n: int = 12) -> None:
    """Averaged faces of both generators that ship, of the first z, beside real ones."""
    rows = {}
    for name in ("faces_lsgan", "faces_dcgan"):
        G = pretrained.load(name, average=True)
        with seeded(0):
            rows[name] = G(G.latent.sample((n,)))
    rows["real faces"] = data.faces(n, seed=9).images / 127.5 - 1
    figure, ax = plt.subplots(figsize=(0.7 * n + 1.5, 2.4))
    plots.image_rows(rows, n, ax=ax)
    show(figure, "Three rows of faces: of faces_lsgan, of faces_dcgan, and real ones.")


# -- the checks of the exercises ---------------------------------------------------------------------------------------


@check
def check_losses(both: Callable[..., Any]) -> str | None:
    """both(out_real, out_fake, a, b, c) -> D's and G's loss."""
    real, fake, a, b, c = torch.tensor([0.7, 1.6, -0.4]), torch.tensor([0.3, -1.2, 2.0]), -0.5, 1.5, 1.0
    answer = call(both, real, fake, a, b, c)
    if not isinstance(answer, (tuple, list)) or len(answer) != 2:
        tensor(answer)
        return "return two numbers: D's loss and G's."
    mine = [number(one) for one in answer]

    def mse(out: Tensor, label: float) -> Tensor:
        return ((out - label) ** 2).mean()

    d, g = (mse(real, b) + mse(fake, a)) / 2, mse(fake, c) / 2
    one_a = (mse(real, a) + mse(fake, b)) / 2
    typical = {
        "D's label on data is b and on fakes a; you have it the other way round.": (one_a, g),
        "the halves are missing: each mean is divided by 2.": (2 * d, 2 * g),
        "D's loss is right; G's is halved, too.": (d, 2 * g),
        "G's loss is right; D's two means are each halved.": (2 * d, g),
        "you have D's loss second: return D's, then G's.": (g, d),
        "G wants c of its fakes, not b.": (d, mse(fake, b) / 2),
        "G's loss is about its fakes; you have the data in it.": (d, mse(real, c) / 2),
        "D's loss lacks the fakes.": (mse(real, b) / 2, g),
        "D's loss lacks the data.": (mse(fake, a) / 2, g),
        "a sigmoid too many: D's raw output goes straight into the square.": (
            (mse(real.sigmoid(), b) + mse(fake.sigmoid(), a)) / 2,
            mse(fake.sigmoid(), c) / 2,
        ),
        "you sum over the coins; take the mean of each kind.": (3 * d, 3 * g),
    }
    told = " and ".join(f"{one:.3f}" for one in mine)
    return verdict(mine, (d, g), typical, f"here they are {d:.3f} and {g:.3f}; yours: {told}.")


@check
def check_best(best: Callable[..., Any]) -> str | None:
    """best(p_data, p_g, a, b, real) -> the output of the best D at each x, where a share real of the coins is real."""
    p, q, a, b, real = torch.tensor([0.08, 0.02, 0.01]), torch.tensor([0.02, 0.02, 0.05]), -1.0, 2.0, 0.7
    mine, theirs = real * p, (1 - real) * q
    right = (b * mine + a * theirs) / (mine + theirs)
    typical = {
        "a belongs to the fakes, b to real coins; you have it the other way round.": a + b - right,
        "this is for as many fakes as real coins; here a share `real` is real.": (b * p + a * q) / (p + q),
        "the share of fakes is 1 - real, that of real coins real.": (b * (1 - real) * p + a * real * q)
        / ((1 - real) * p + real * q),
        "this is the share of real coins; under a coding it is to be turned into b and a.": mine / (mine + theirs),
        "divide by all coins at this place, those of both kinds.": b * mine + a * theirs,
        "you divide by p_data + p_g; count the coins: real * p_data + (1 - real) * p_g.": (b * mine + a * theirs)
        / (p + q),
        "the fakes are missing in the mean: their label is a.": b * mine / (mine + theirs),
    }
    return verdict(call(best, p, q, a, b, real), right, typical, "of 8 coins with b = 2 and 2 with a = -1 it is 1.4.")


@check
def check_push(push: Callable[..., Any]) -> str | None:
    """push(D, z, mu, sigma, c) -> minus the slope in sigma of G's loss, with D held."""
    z, mu, sigma, c = torch.tensor([-1.5, 0.2, 0.4, 1.7, 2.0]), 499.0, 3.0, 0.25

    def D(x: Tensor) -> Tensor:
        return ((x - 503) / 5).tanh()

    def slopes(c: float) -> Tensor:  # in mu, in sigma
        both = torch.tensor([mu, sigma], requires_grad=True)
        return torch.autograd.grad(((D(both[0] + both[1] * z) - c) ** 2).mean() / 2, both)[0]

    right = -slopes(c)[1]
    typical = {
        "this is the slope; a push is minus the slope.": -right,
        "the half in G's loss is missing.": 2 * right,
        "you sum over the fakes; take the mean.": len(z) * right,
        "this is the push on mu: the slope in sigma is wanted.": -slopes(c)[0],
        "G wants the height c.": -slopes(0.0)[1],
        "G wants the height c, not 1.": -slopes(1.0)[1],
    }
    answer = number(call(push, D, z, mu, sigma, c))
    return verdict(answer, right, typical, f"here it is {right:.4f}; yours: {answer:.4f}.")
