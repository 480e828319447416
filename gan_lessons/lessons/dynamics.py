"""Behind lesson 06, in which games circle, overshoot and stall: its pictures, and the checks of its exercises."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Ellipse
from torch import Tensor

from gan_lessons import data, dynamics, live, losses, models, recipes, seen, svg, sweep, views
from gan_lessons.lessons.checking import call, check, close, named, show, tensor, verdict
from gan_lessons.live import controls
from gan_lessons.optimizers import adam
from gan_lessons.style import STYLE, push_length
from gan_lessons.training import Trainer

K, LR_G, LR_D, ROUNDS = (20, 5, 2, 1), (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0), 0.01, 1500
SIGNS = dict(zip(sweep.LABELS, ("★", "~", "|", "…", "×"), strict=True))
COLORS = dict(zip(sweep.LABELS, ("#f4d35e", "#9fd3e6", "#c5b0e6", "#d5d5d5", "#f0a08c"), strict=True))
MEANS = {
    "found": "stays within 1 of (500, 5)",
    "oscillating": "passes over the data and does not stay",
    "collapsed": "nearly all fakes are one coin",
    "not there yet": "still on one side of 500",
    "diverged": "more than 40 away",
}

# games by name, each with the settings in which it differs from lesson 02's game; those with plain steps are shorter
PLAIN = {"optimizer": "SGD", "start": (470.0, 1.0), "lr_d": 0.1, "lr_g": 10.0}
GAMES = {
    "lesson 02's game": {},
    "large steps": {"lr_g": 0.5},
    "slow D": {"lr_d": 0.001},
    "plain steps, log(1 - D)": PLAIN | {"loss": "minimax"},
    "strong D": PLAIN | {"loss": "minimax", "k": 20},
    "strong D, -log D": PLAIN | {"k": 20},
    "plain steps, -log D": PLAIN,
    "with friction": PLAIN | {"r1": 20.0},
}
PLAYED = {name: 1000 if "optimizer" in settings else ROUNDS for name, settings in GAMES.items()}  # rounds
BASE = {"k": 1, "lr_d": 0.01, "lr_g": 0.05, "loss": "non_saturating", "start": (480.0, 1.0), "r1": 0.0, "r2": 0.0}
BASE |= {"batch_size": 128, "seed": 0}
SLOW = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # the rates of a row with lr_d = 0.001 and k = 10
GREEN, ENDS = STYLE["fakes"]["color"], (-2.5, 2.5)  # ENDS: of the plane of V = g d
AT_ONCE, IN_TURNS, BRAKED, GREY = "#b5651d", "#6a3d9a", "#0f8b8d", "#777777"  # two orders; short and long steps


def made(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings of a game as a recipe takes them, with objects in place of names."""
    known = {"optimizer": {"SGD": torch.optim.SGD, "Adam": adam}, "loss": losses.NAMED}
    return {name: known.get(name, {}).get(value, value) for name, value in settings.items()}


def counted(ends: Sequence[str]) -> str:
    """How eight games ended, in words: "found in 8 of 8 seeds", or "6 oscillating, 2 collapsed"."""
    (first, n), *others = sorted(Counter(ends).items(), key=lambda item: -item[1])
    return ", ".join(f"{n} {name}" for name, n in ((first, n), *others)) if others else f"{first} in {n} of {n} seeds"


# -- the live pictures -------------------------------------------------------------------------------------------------


def endings() -> widgets.VBox:
    """The map, a button for each k and lr_g, over the panel that plays the game of the button."""
    panel, told = live.Panel(recipes.gaussian, views.Figure1(), name="endings"), widgets.HTML()
    begin = _beginning(panel, told, _field(1, LR_G.index(0.05)).tooltip)
    size = widgets.Layout(width="58px", margin="0 2px")
    box = '<span style="background:{};color:#000;padding:0 5px;margin-left:8px">{}</span> {}'
    rows = [widgets.HTML("".join(box.format(COLORS[name], SIGNS[name], name) for name in sweep.LABELS))]
    for k in K:
        choices = [_field(k, i) for i in range(len(LR_G))]
        rows.append(widgets.HBox([widgets.HTML(f"k = {k}", layout=size), controls.buttons(begin, [choices], "58px")]))
    feet = [widgets.HTML(f'<div style="text-align:center">{rate:g}</div>', layout=size) for rate in LR_G]
    rows.append(widgets.HBox([widgets.HTML("lr_g", layout=size), *feet]))
    return widgets.VBox([*rows, told, panel])


def causes() -> widgets.VBox:
    """A button for each named game, over the panel that plays it."""
    panel = live.Panel(recipes.gaussian, views.Figure1(460, 525), controls.optimizer(), name="causes")
    told, rows = widgets.HTML(), ([], [], [])
    for (name, settings), row in zip(GAMES.items(), (0, 0, 0, 1, 1, 1, 2, 2), strict=True):
        words = f"{name}: {_ended(name)}"
        rows[row].append(controls.Choice(name, words, {"optimizer": "Adam", "words": words} | BASE | settings))
    return widgets.VBox([controls.buttons(_beginning(panel, told, rows[0][0].tooltip), rows, "190px"), told, panel])


def _beginning(panel: live.Panel, told: widgets.HTML, first: str) -> Callable[..., None]:
    def begin(words: str, **settings: Any) -> None:
        told.value = f"{words}. This is seed {settings['seed']}."
        panel.begin(**settings)

    told.value = f"{first}. This is seed 0."
    return begin


def _field(k: int, i: int) -> controls.Choice:
    ends = data.saved_record("endings_8_seeds")["map"][str(k)][i]
    common = sweep.commonest(np.array([[ends]])).item()
    words = f"k = {k}, lr_g = {LR_G[i]:g}: {counted(ends)}"
    settings = BASE | {"k": k, "lr_g": LR_G[i], "lr_d": LR_D, "seed": ends.index(common), "words": words}
    return controls.Choice(f"{SIGNS[common]} {ends.count(common)}", words, settings, COLORS[common])


def turning(round: int = 0, eta: float = 0.4, order: str = "in turns") -> str:
    """To drag: the game V = g d after so many rounds: the straight hill with the fake on it, and the path of (g, d)."""
    path = _corners(eta, round, order)
    g, d = path[-1].tolist()
    hill, plane = svg.Box(40, 44, 400, 260, ENDS, ENDS), svg.Box(520, 44, 260, 260, ENDS, ENDS)
    inside = [hill.line(ENDS, (0, 0), "guide"), hill.line(ENDS, (d * ENDS[0], d * ENDS[1]), "D", title="D's hill")]
    inside += [svg.dot(hill.x(0), hill.y(0), "black"), svg.dot(hill.x(-g), hill.y(-g * d), GREEN)]
    inside.append(f"<g {svg.stroke('push')}>{svg.arrow(hill.x(-g), hill.y(-g * d) + 16, 60 * push_length(d))}</g>")
    right, before, after = (1, "end", "start") if d >= 0 else (-1, "start", "end")  # labels beside a hill that slopes
    inside += [svg.text(hill.x(0) + 8 * right, hill.y(0) + 36, "real coin", anchor=after)]
    inside += [svg.text(hill.x(-g) - 8 * right, hill.y(-g * d) - 8, "fake", GREEN, before)]
    parts = hill.show(inside) + hill.x_axis("weight, counted from the real coin") + hill.y_axis("D's logit")
    color = IN_TURNS if order == "in turns" else AT_ONCE
    points = " ".join(f"{plane.x(a):.1f},{plane.y(b):.1f}" for a, b in path.tolist())
    lines = [plane.line(ENDS, (0, 0), "guide"), plane.line((0, 0), ENDS, "guide")]
    lines.append(f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="1.6"/>')
    lines += [svg.dot(plane.x(1), plane.y(0), "white"), svg.dot(plane.x(g), plane.y(d), color)]
    parts += plane.show(lines) + plane.x_axis("gap g: how far the fake is short") + plane.y_axis("slope d of the hill")
    outside = "" if max(abs(g), abs(d)) < ENDS[1] else " It has left the picture."
    words = f"g = {g:.2f}, d = {d:.2f}, V = g d = {g * d:.2f}; distance from rest {math.hypot(g, d):.2f}.{outside}"
    return svg.picture(parts + svg.text(40, 350, words, size=13), words, 800, 360)


def _corners(eta: float, rounds: int, order: str) -> Tensor:
    """The path of (g, d) in V = g d from (1, 0); in turns with the corner between D's move and G's."""
    twice = played(eta, rounds, order).repeat_interleave(2, 0)
    return torch.stack([twice[:-1, 0], twice[1:, 1]], 1) if order == "in turns" else twice


def played(eta: float, rounds: int, order: str, gamma: float = 0.0) -> Tensor:
    """(g, d) of V = g d - gamma d^2 / 2 from (1, 0) after each round, D first if in turns; (rounds + 1, 2)."""
    orders = {"in turns": "alternating", "both at once": "simultaneous"}
    path = dynamics.play(lambda d, g: (g - gamma * d, -d), (0.0, 1.0), eta, rounds, orders[order])
    return path.flip(1)  # `play` lets its first number move first, and that is D's


# -- the still pictures, in the order of the notebook ------------------------------------------------------------------


def the_map() -> None:
    """The map as a still: for each k and lr_g the commonest ending of eight seeds, and how many had it."""
    figure, ax = plt.subplots(figsize=(9.4, 3.3))
    for i, k in enumerate(reversed(K)):
        for j in range(len(LR_G)):
            _cell(ax, j, i, _field(k, j).text, _field(k, j).color)
    ax.set_yticks(range(len(K)), [f"k = {k}" for k in reversed(K)])
    _map_axes(ax, LR_G)
    alt = "A map: found from lr_g .05 on, farther to the right for larger k; left of it not there yet,"
    show(figure, f"{alt} right of it oscillating, and at the far right collapsed or diverged.")


def _cell(ax: Axes, x: float, y: float, words: str, color: str | None) -> None:
    ax.bar(x, 0.94, 0.96, y - 0.47, color=color)
    ax.text(x, y, words, ha="center", va="center")


def _map_axes(ax: Axes, rates: Sequence[float]) -> None:
    ax.set_xticks(range(len(rates)), [f"{rate:g}" for rate in rates])
    ax.set(xlabel="lr_g: learning rate of G", xlim=(-0.6, len(rates) - 0.4))
    for name in sweep.LABELS:
        ax.plot([], [], "s", color=COLORS[name], markersize=10, label=f"{SIGNS[name]} {name}: {MEANS[name]}")
    ax.figure.legend(loc="outside lower center", ncols=2)
    ax.spines[["left", "bottom"]].set_visible(False)
    ax.tick_params(length=0)


def compare(*names: str) -> None:
    """Named games on eight seeds: the mean of the fakes, and of seed 0 one spread to each side."""
    figure, axes = plt.subplots(1, len(names), figsize=(12, 3.1), sharey=True)
    for ax, name in zip(axes, names, strict=True):
        _eight(ax, name, PLAYED[name])
        ax.set(xlabel="round", title=f"{name}\n{_ended(name)}")
    axes[0].set_ylabel("weight of a coin")
    ended = "; ".join(f"{name}: {_ended(name)}" for name in names)
    show(figure, f"The mean of the fakes, round by round, on eight seeds. {ended}.")


def _eight(ax: Axes, name: str, rounds: int) -> None:
    games, at = data.saved_record("endings_8_seeds")["games"][name], np.arange(0, rounds + 1, sweep.NOTE_EVERY)
    mu_0, sd_0 = GAMES[name].get("start", BASE["start"])
    for i, game in enumerate(games):
        mu, sd = np.array([[mu_0, *game["mu"]], [sd_0, *game["sigma"]]])[:, : len(at)]
        ax.plot(at, mu, color=GREEN, linewidth=1.4 if i == 0 else 0.6)
        if i == 0:
            ax.fill_between(at, mu - sd, mu + sd, color=GREEN, alpha=0.2, linewidth=0)
    for place in (495, 500, 505):
        ax.axhline(place, color="black", linestyle=":", linewidth=2.0 if place == 500 else 0.9)
    ax.set(ylim=(462, 524), xlim=(0, rounds))


def _ended(name: str) -> str:
    return counted([game["ending"] for game in data.saved_record("endings_8_seeds")["games"][name]])


def orders(eta: float = 0.4) -> None:
    """V = g d from (1, 0): both at once, with the triangle of the first step; in turns, on an ellipse."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10.4, 4.4))
    path = played(eta, 15, "both at once")
    left.plot(*path.T, ".-", color=AT_ONCE, linewidth=1)
    left.fill([0, 1, 1], [0, 0, eta], color=AT_ONCE, alpha=0.25)
    left.text(0.45, -0.32, "r", ha="center")
    left.text(1.08, 0.1, "η r")
    left.text(0.3, 0.34, "r √(1 + η²)", ha="right")
    left.set_title("both at once: each step leaves at a right angle")
    axes = 2 / math.sqrt(1 + eta / 2), 2 / math.sqrt(1 - eta / 2)
    right.add_patch(Ellipse((0, 0), *axes, angle=45, fill=False, color="#bbbbbb", linewidth=5))
    right.plot(*_corners(eta, 16, "in turns").T, color=IN_TURNS, linewidth=0.8)
    right.plot(*played(eta, 16, "in turns").T, ".", color=IN_TURNS, markersize=9)
    right.text(1.15, -0.42, "grey: g² + d² + η g d = 1", color=GREY)
    right.set_title("in turns: up or down by D, left or right by G")
    for ax in (left, right):
        _plane(ax, 3)
        ax.plot(1, 0, "o", mfc="white", mec="black", zorder=5)
    show(figure, "Left: a spiral outwards, each step at a right angle. Right: a staircase that closes on an ellipse.")


def _plane(ax: Axes, limit: float, high: float | None = None) -> None:
    ax.axhline(0, **STYLE["guide"])
    ax.axvline(0, **STYLE["guide"])
    ax.set(xlim=(-limit, limit), ylim=(-(high or limit), high or limit))
    ax.set(xlabel="gap g: how far the fakes are short", ylabel="slope d of the hill, at the fakes")
    ax.set_aspect("auto" if high else "equal")


def gap_and_slope(gan: Trainer, of: str = "mean") -> tuple[float, float]:
    """How far the fakes' mean is short of 500, and D's mean slope under them; or their spread of 5, and z times it."""
    z = seen.quantiles(gan.latent, 200)
    x = seen.made(gan, z).requires_grad_()
    (slope,) = torch.autograd.grad(gan.discriminator(x).sum(), x)
    mu, sigma = gan.generator.mu.item(), gan.generator.sigma.item()
    of_spread = 5 - abs(sigma), math.copysign(1, sigma) * (z * slope).mean().item()
    return of_spread if of == "spread" else (500 - mu, slope.mean().item())


def followed(name: str, of: str, last: int) -> list[tuple[float, float]]:
    """`gap_and_slope` of a named game, seed 0, after each of its last so many rounds."""
    gan = recipes.gaussian(0, decay=None, **made(GAMES[name]))
    list(gan.run(PLAYED[name] - last))
    return [gap_and_slope(gan, of) for _ in gan.run(last)]


def planes(one_coin: Sequence, spread_out: Sequence, large: Sequence, slow: Sequence) -> None:
    """The smallest GAN, its coins all alike and with a spread, and two games of nets: the path of gap and slope."""
    figure, axes = plt.subplots(1, 4, figsize=(14, 3.7))
    told = {
        "smallest GAN:\nall coins alike": (one_coin, 1.5),
        "smallest GAN:\ncoins of spread 1": (spread_out, 1.5),
        "nets, large steps: the mean,\nrounds 1,350 to 1,500": (large, 4.5, 0.045),
        "nets, slow D: the spread,\nfrom round 300 on": (slow, 4.5, 0.045),
    }
    for ax, (title, (path, *limits)) in zip(axes, told.items(), strict=True):
        ax.plot(*torch.tensor(path).T, "o-", color=IN_TURNS, linewidth=1, markevery=[-1])
        ax.set_title(title)
        _plane(ax, *limits)
    axes[3].set(xlabel="how far the spread is short of 5", ylabel="mean of z times the slope")
    alt = "Coins alike: a closed loop; with a spread a spiral. Nets: large steps circle, slow D spirals inwards."
    show(figure, alt)


def friction(plain: Sequence, short: Sequence, long: Sequence, gamma: float = 0.5) -> None:
    """V = g d with R1: both orders; in turns with averaged slopes, short steps and long. Nets with and without R1."""
    figure, axes = plt.subplots(1, 4, figsize=(14, 3.7), width_ratios=(1.1, 1.1, 1, 1))
    once = played(0.3, 60, "both at once", gamma)
    lines = (0, once, AT_ONCE, "both at once"), (0, plain, IN_TURNS, "in turns"), (1, long, GREY, "η = 0.4")
    for i, path, color, words in (*lines, (1, short, BRAKED, "η = 0.2")):
        axes[i].plot(*torch.as_tensor(path).T, ".-", color=color, linewidth=1, markersize=4, label=words)
    for ax, title in zip(axes, ("plain steps, η = 0.3", "in turns, averaged slopes"), strict=False):
        ax.legend(loc="lower left", frameon=True, framealpha=1, edgecolor="white")
        ax.set_title(f"V = g d, γ = {gamma:g}:\n{title}")
        _plane(ax, 1.8)
    for ax, name in zip(axes[2:], ("plain steps, -log D", "with friction"), strict=True):
        _eight(ax, name, 400)
        ax.set(title=f"nets, mean of the fakes:\n{name}", xlabel="round", ylim=(485, 512))
    alt = "With friction both orders spiral in; with averaged slopes only short steps do. Nets without friction"
    show(figure, f"{alt} overshoot 500 and swing; with friction they hardly do.")


def row(result: sweep.Result) -> None:
    """The games of a sweep of k = 1 as a row of the map: over it the map's own, under it the same with k = 10."""
    record, ends = data.saved_record("endings_8_seeds"), sweep.classify(result)[0].tolist()
    tens = dict(zip(SLOW, record["slow"], strict=True))
    figure, ax = plt.subplots(figsize=(8.4, 2.7))
    for j, rate in enumerate(result.lr_g):
        above = record["map"]["1"][LR_G.index(rate)] if rate in LR_G else []
        for i, seeds in enumerate((tens.get(rate, []), ends[j], above)):
            if seeds:  # the others have not been played
                here = sweep.commonest(np.array([[seeds]])).item()
                _cell(ax, j, i, f"{SIGNS[here]} {seeds.count(here)}", COLORS[here])
    ax.set_yticks([0, 1, 2], [f"k = {k}, lr_d = {lr_d:g}" for k, lr_d in ((10, 0.001), (1, result.lr_d), (1, LR_D))])
    _map_axes(ax, result.lr_g)
    show(figure, "Three rows of the map: a slower D moves the band of found to the left, and ten turns bring it back.")


# -- the checks of the exercises ---------------------------------------------------------------------------------------


def _judge(step: Any, in_turns: bool) -> str | None:
    def play(g: float, d: float, eta: float, G: int = -1, D: int = 1, late: bool = in_turns) -> tuple[float, float]:
        new_d = d + D * eta * g
        return g + G * eta * (new_d if late else d), new_d

    at = 2.0, 3.0, 0.1
    answer, right = tuple(tensor(call(step, *at), 2).tolist()), play(*at)
    early, late = "both have moved at once: G has to use the new d.", "this is in turns: G has used the new d."
    typical = {
        early if in_turns else late: play(*at, late=not in_turns),
        "D has used the new g here, as if G came first.": (1.7, 3.17),
        "both descend: D wants V large, so it steps up its slope, d + eta g.": play(*at, D=-1),
        "both climb: G wants V small, so it steps down its slope, g - eta d.": play(*at, G=1),
        "the signs have changed places: here G climbs and D descends.": play(*at, G=1, D=-1),
        "each steps along the other's slope: the slope of V = g d in g is d, and in d it is g.": (1.8, 3.3),
        "these are the steps alone; add them to g and d.": (right[0] - 2, right[1] - 3),
        "the new d comes first here; return g, then d.": right[::-1],
    }
    words = "from (2, 3) with eta = 0.1 it goes to ({:.4g}, {:.4g}); yours to ({:.4g}, {:.4g})."
    if mistake := verdict(answer, right, typical, words.format(*right, *answer)):
        return mistake
    if not close(call(step, -1.0, 4.0, 0.25), play(-1.0, 4.0, 0.25)):
        return "right from (2, 3) with eta = 0.1, but not from (-1, 4) with eta = 0.25: use the g, d and eta given."
    return None


@check
def check_at_once(step: Any) -> str | None:
    """step(g, d, eta) of V = g d: D climbs, G descends, both from the old position; -> (g, d)."""
    return _judge(step, in_turns=False)


@check
def check_in_turns(step: Any) -> str | None:
    """step(g, d, eta) of V = g d: D climbs first, then G descends and sees the new d; -> (g, d)."""
    return _judge(step, in_turns=True)


@check
def check_r1(penalty: Any) -> str | None:
    """penalty(D, x_real), x_real: (n,): half the mean square of the slope of D's logit at the real coins; a scalar."""
    D = models.MLPDiscriminator(1, 4, 1, inputs=models.Standardise(500.0, 5.0))
    with torch.no_grad():
        for weight in D.parameters():
            weight.mul_(3)
    x = data.gaussian().sample((32,))
    try:
        found = tensor(answer := call(penalty, D, x))
    except RuntimeError as error:
        if "does not require grad" in str(error):
            return "PyTorch follows only what requires a gradient: begin with x_real.requires_grad_()."
        raise
    if found.numel() != 1:
        return f"one number is wanted; got {named(answer)}: take the mean."
    half = losses.r1_penalty(D(x.requires_grad_()), x)
    (slope,) = torch.autograd.grad(D(x).sum(), x)
    (of_p,) = torch.autograd.grad(D(x).sigmoid().sum(), x)
    typical = {
        "the half is missing: gamma / 2 times the square is what the formula says.": slope.square().mean(),
        "this is the sum over the coins; take the mean.": slope.square().sum() / 2,
        "square each slope first, and then take the mean; slopes of both signs would cancel.": slope.mean() ** 2 / 2,
        "this is the mean of the slopes; their squares are asked for.": slope.mean(),
        "take the square of the slope, not its size.": slope.abs().mean() / 2,
        "this is the slope of the probability; take D's raw output, the logit.": of_p.square().mean() / 2,
        "of sum() the slope at each coin is its own; of mean() it is n times too small.": slope.square().mean() / 2048,
        "the sign: it is added to D's loss.": -half,
    }
    other = f"for our D it should be {half.item():.4g}; yours is {found.item():.4g}."
    if mistake := verdict(found.reshape(()), half.detach(), {t: v.detach() for t, v in typical.items()}, other):
        return mistake
    weight = next(D.parameters())
    (wanted,) = torch.autograd.grad(half, weight)
    flows = torch.is_tensor(answer) and answer.requires_grad
    got = torch.autograd.grad(answer.sum(), weight, allow_unused=True)[0] if flows else None
    if got is None or not torch.allclose(got, wanted, rtol=1e-3, atol=1e-6):
        return "the number is right, but D could not learn from it: autograd.grad needs create_graph=True."
    return None


@check
def check_cure(settings: Any) -> str | None:
    """(k, lr_d, lr_g), one of them not that of (1, 0.01, 0.5), whose game is found in eight of eight seeds."""
    k, lr_d, lr_g = (float(f"{one:.6g}") for one in tensor(settings, 3).tolist())  # 0.01 in 32 bits is 0.01, too
    given, ill = {"k": k, "lr_d": lr_d, "lr_g": lr_g}, {"k": 1, "lr_d": 0.01, "lr_g": 0.5}
    changed = [name for name in given if given[name] != ill[name]]
    if len(changed) != 1:
        return f"change one of the three and leave the others; you changed {' and '.join(changed) or 'none'}."
    if not (0 <= k <= 20 and k == int(k) and 0 < lr_d <= 100 and 0 < lr_g <= 100):
        return "k is a whole number from 0 to 20, and both rates are above 0 and at most 100."
    ends = sweep.classify(sweep.run([int(k)], [lr_g], range(8), lr_d=lr_d, steps=ROUNDS)).ravel().tolist()
    words = f"{changed[0]} = {given[changed[0]]:g}: {counted(ends)}."
    if set(ends) == {"found"}:
        return f"Right. {words}"
    return words + (" More turns help D to keep up; long steps also shake its hill." if changed == ["lr_d"] else "")
