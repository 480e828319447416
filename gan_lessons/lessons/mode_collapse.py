"""Behind lesson 07, in which all fakes look alike and the losses do not tell: its pictures and its checks."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets
import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from torch import Tensor
from torch.distributions import Normal

from gan_lessons import data, hill, live, losses, models, plots, recipes, seen, theory, tiles, views
from gan_lessons.devices import seeded
from gan_lessons.lessons.checking import Mistake, call, check, close, named, number, show, tensor
from gan_lessons.live import controls
from gan_lessons.optimizers import adam
from gan_lessons.style import STYLE
from gan_lessons.training import Record, Trainer, stack

BUMPS, MIDDLE, X = data.bumps(), Normal(500.0, 2.0), torch.linspace(470, 530, 1201, dtype=torch.double)
SHARES = torch.tensor([0.2, 0.6, 0.2])  # of the three bumps
GREEN, BLUE, ORANGE, INK, GREY = *(STYLE[key]["color"] for key in ("fakes", "D", "D*")), "#333333", "#777777"
GAMES = {"A": "#7a5195", "B": "#b5651d", "C": "#0f8b8d"}  # one colour a game
KINDS = {"long fair hair": "#e8c547", "short dark hair, glasses": "#7a5195", "long dark hair": "#5b3a29"}
KINDS["none of them"] = "#dddddd"  # of faces
GAMMA = {"three_bumps": 200.0, "ring": 0.5}  # of the penalties: x squared is 400 times as large on the line
ROWS = {  # of the table, in words, in the order of the lesson
    "as it is": "",
    "log(1 - D)": "loss=losses.minimax",
    "least squares": "loss=losses.least_squares",
    "label 0.9 for real": "loss=losses.smoothed(0.9)",
    "relativistic loss": "loss=losses.relativistic",
    "faster D": "lr_d=0.005",
    "packs of two": "pack=2",
    "packs, faster D": "pack=2, lr_d=0.005",
    "R1": "r1={}",
    "R1 and R2": "r1={0}, r2={0}",
    "relativistic, R1 and R2": "loss=losses.relativistic, r1={0}, r2={0}",
}
CURES = {
    "as it is": {},
    "faster D": {"lr_d": 0.005},
    "packs of two": {"pack": 2},
    "packs, faster D": {"pack": 2, "lr_d": 0.005},
    "R1": {"r1": 200.0},
    "R1 and R2": {"r1": 200.0, "r2": 200.0},
}
Games = dict[str, tuple[Trainer, Record]]
BASE = {"k": 1, "lr_d": 0.001, "lr_g": 0.001, "loss": "non_saturating", "r1": 0.0, "r2": 0.0, "pack": 1, "seed": 2}


def nearest(gan: Trainer, n: int = 500) -> tuple[Tensor, float]:
    """The share of n fakes that are nearest to each bump, and the share of good ones, within 3 sd of their bump."""
    bumps = gan.data.component_distribution
    x = seen.made(gan, seen.noise(gan, n)).reshape(n, -1)
    distance, which = torch.cdist(x, bumps.mean.reshape(len(bumps.mean), -1)).min(dim=1)
    good = distance <= 3 * bumps.stddev.max()
    return which.bincount(minlength=len(bumps.mean)) / n, good.double().mean().item()


# -- the clump on the ring ---------------------------------------------------------------------------------------------


def ring() -> live.Panel:
    """The first panel: the ring of eight, with a G that is three times faster than in the recipe."""
    return live.Panel(recipes.ring, views.Plane(4.5), controls.pack(), lr_g=0.003, seed=0)


def tour(at: Sequence[int] = (440, 460, 480, 500), rounds: int = 600) -> None:
    """Four moments of the first panel's game from above, and in every tenth round how many fakes are at which bump."""
    gan, shares = recipes.ring(0, lr_g=0.003), []
    figure, axes = plt.subplot_mosaic([["1", "2", "3", "4"], ["all"] * 4], figsize=(12, 5.6), height_ratios=(3, 2))
    for i in range(10, rounds + 1, 10):
        stack(gan.run(10))
        shares.append(nearest(gan)[0])
        if i in at:
            ax = axes[str(1 + at.index(i))]
            scene = seen.scene(gan, half_width=4.5, arrows=12)
            plots.plane(*scene, ax=ax, legend=False)
            ax.images[0].set_clim(scene.D.min(), scene.D.max())  # or all would be of one blue
            for n, (across, up) in enumerate((gan.data.component_distribution.mean * 1.6).tolist(), start=1):
                ax.text(across, up, str(n), ha="center", va="center", fontsize=9)
            ax.set_title(f"round {i}: {shares[-1].max():.0%} nearest to {shares[-1].argmax() + 1}", fontsize=10)
            ax.set(xlabel="weight", ylabel="size" if i == at[0] else "")
    ax = axes["all"]
    image = ax.imshow(torch.stack(shares, dim=1), cmap="Greens", vmin=0, vmax=1, aspect="auto", origin="lower")
    image.set_extent((5, rounds + 5, 0.5, 8.5))
    ax.set(xlabel="round", ylabel="bump", yticks=range(1, 9), title="share of the fakes that are nearest to each bump")
    for place in at:
        ax.axvline(place, **STYLE["guide"])
    figure.colorbar(image, ax=ax, ticks=[0, 0.5, 1], pad=0.01)
    alt = "Four moments: nearly all fakes in one clump, which goes round from bump to bump; below, bumps by round:"
    show(figure, f"{alt} one dark cell in most columns, and it wanders.")


# -- three bumps -------------------------------------------------------------------------------------------------------


def collapsed(gan: Trainer) -> None:
    """A game on three bumps as it stands: its hill with nine fakes, and the share of coins at each bump."""
    shares, good = nearest(gan, 2000)
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.3), width_ratios=(3, 2))
    hill.draw(seen.curves(gan, X.float()), seen.fakes(gan, 9), left)
    left.set(title=f"round {gan.steps_done}", xlabel="weight of a coin, x")
    _say(left, (474, 0.19, "real", INK), (503, 1.02, "fakes", GREEN), (523, 0.55, "D", BLUE))
    for side, row, name, color in ((-0.19, SHARES, "real", INK), (0.19, shares, "fakes", GREEN)):
        right.bar(torch.arange(3) + side, row, 0.36, color=color, label=name)
        for i, height in enumerate(row.tolist()):
            right.text(i + side, height + 0.02, f"{height:.0%}", ha="center", fontsize=9, color=color)
    right.set(ylim=(0, 1.15), ylabel="share of the coins nearest to it", title=f"good fakes: {good:.0%}")
    right.set_xticks(range(3), ["bump at 485", "at 500", "at 515"])
    right.legend(loc="upper left")
    show(figure, "Left: all fakes stand as one spike on the middle bump. Right: its share is 100%, not 60%.")


def side_share(share: float) -> float:
    """C(G) if a share of the fakes is on each side bump, exactly as its real coins are, and the rest on the middle."""
    q = torch.tensor([share, 1 - 2 * share, share], dtype=torch.double)
    return best_value(SHARES.double(), q).item()


def best_value(p: Tensor, q: Tensor) -> Tensor:
    """V of the best D where coins are of a few kinds: p of the real ones, q of the fakes."""
    return (torch.xlogy(p, p) + torch.xlogy(q, q) - torch.xlogy(p + q, p + q)).sum()


def plateau() -> None:
    """The best hill over fakes that make the middle bump exactly, with their pushes; and how C falls beside it."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.3), width_ratios=(3, 2))
    z = seen.quantiles(Normal(0.0, 1.0), 9).double()
    x = (500 + 2 * z).requires_grad_()
    D = theory.optimal_discriminator(BUMPS, MIDDLE)
    (push,) = torch.autograd.grad(D(x).log().sum(), x)
    hill.draw_best(BUMPS, MIDDLE, X, left)
    left.plot(x.detach(), D(x).detach(), "o", color=GREEN, markersize=6)
    left.set(title=f"fakes exactly on the middle bump: largest push {push.abs().max():.0e}", ylabel="D*(x): how real?")
    left.set_xlabel("weight of a coin, x")
    _say(left, (471, 0.92, "D* = 1", ORANGE), (507.5, 0.33, "D* = 0.375", ORANGE), (481, 0.2, "real", INK))
    share = torch.linspace(0, 0.4, 81).tolist()
    right.plot(share, [side_share(s) for s in share], color="#44546a", linewidth=2)
    right.axhline(-math.log(4), **STYLE["guide"])
    for at, words, x, up in ((0.0, "all on the middle bump", 0.02, 0.0), (0.2, "as the real coins", 0.12, 0.13)):
        right.plot(at, side_share(at), "o", color="#44546a")
        right.text(x, side_share(at) + up, f"{side_share(at):.3f} {words}", fontsize=9)
    right.set(xlabel="share of the fakes on each side bump", ylabel="C(G): V of the best D", ylim=(-1.42, -0.98))
    show(figure, "Left: the best hill is flat under all fakes. Right: C would fall if some fakes were on the sides.")


# -- cures -------------------------------------------------------------------------------------------------------------


def bumps() -> widgets.VBox:
    """A button for each cure, over the panel that plays three bumps with it."""
    panel = live.Panel(recipes.three_bumps, views.Figure1(D_star=True), controls.pack(), name="cures", seed=2)
    row = [controls.Choice(name, f"{changed or 'nothing'} changed", BASE | changed) for name, changed in CURES.items()]
    return widgets.VBox([controls.buttons(panel.begin, [row], "150px"), panel])


def packs(n: int = 400) -> None:
    """What D sees in packs of two: real coins, and fakes that are all on the middle bump."""
    figure, axes = plt.subplots(1, 2, figsize=(9.5, 4.2), sharex=True, sharey=True)
    with seeded(0):
        draws = ((BUMPS.sample((2, n)), "real", INK), (MIDDLE.sample((2, n)), "fakes", GREEN))
    for ax, (x, name, color) in zip(axes, draws, strict=True):
        ax.plot(*x, ".", color=color, markersize=3)
        ax.set(xlabel="first coin of the pack", aspect="equal", xlim=(475, 525), ylim=(475, 525))
        ax.set_title(f"{name}: {0.6**2 if name == 'real' else 1:.0%} of the packs are two middle coins")
    axes[0].set_ylabel("second coin")
    show(figure, "Packs of two real coins lie in nine clumps, packs of fakes in the middle one only.")


def cures(*names: str) -> None:
    """One game on three bumps with some cures, from a record: its last hill, and how many fakes were where all along.

    names: of CURES. The curves on the right are the shares of good fakes at each of the three bumps.
    """
    record = data.saved_record("cure_hills")
    x, every, shades = torch.tensor(record["x"]), record["every"], ("#74c27f", GREEN, "#0c4716")
    look = {"figsize": (11.5, 0.5 + 2.1 * len(names)), "width_ratios": (2, 3), "sharex": "col", "squeeze": False}
    said, (figure, axes) = [], plt.subplots(len(names), 2, layout="constrained", **look)
    for (hills, along), name in zip(axes, names, strict=True):
        one = {key: torch.tensor(value) for key, value in record["games"][name].items() if key != "fakes"}
        D, fakes = one.get("D", x * math.nan), record["games"][name].get("fakes")
        curves = seen.Curves(x, BUMPS.log_prob(x).exp(), one["p_g"], D, D * math.nan)
        hill.draw(curves, fakes and seen.Fakes(*(torch.tensor(fakes[key]) for key in seen.Fakes._fields)), hills)
        rounds = every * torch.arange(1, len(one["course"]) + 1)
        hills.set(title=f"{name}, round {rounds[-1]:,}", ylabel="D(x)", xlabel="", xlim=(475, 525))
        for bump, (course, color) in enumerate(zip(one["course"].T, shades, strict=True)):
            along.plot(rounds, course, color=color, linewidth=1.6)
            along.text(rounds[-1] + 30, (0.3, 0.6, 0.08)[bump], f"at {485 + 15 * bump}", color=color, va="center")
        middle = [some[:, 1] for some in (one["course"][: 1000 // every], one["course"][-(1000 // every) :])]
        said.append(" and ".join(f"{100 * some.min():.0f} to {some.max():.0%}" for some in middle) + f" ({name})")
        for level in (0.2, 0.6):
            along.axhline(level, **STYLE["guide"])
        along.set(ylim=(-0.02, 1.02), xlim=(0, rounds[-1]), yticks=[0, 0.2, 0.6, 1], ylabel="share of fakes")
        if "D" not in one:
            hills.text(476, 0.9, "D sees two at once:\nno hill", fontsize=9, va="center")
            hills.set_ylabel("")
    axes[0, 1].set_title("good fakes at each bump; dotted: right")
    axes[-1, 0].set_xlabel("weight of a coin, x")
    axes[-1, 1].set_xlabel("round")
    alt = "Share of good fakes at each bump, by round. That at 500, in the first and the last 1,000 rounds:"
    show(figure, f"{alt} {'; '.join(said)}.")


def table() -> None:
    """Twenty seeds of each game and setting, from a record: a square a seed, the darker the more bumps were found."""
    record = data.saved_record("collapse_20_seeds")
    at = [i + 0.5 * ((i > 0) + (i > 4) + (i > 7)) for i in range(len(ROWS))]  # a gap between groups
    figure, axes = plt.subplots(1, 2, figsize=(12, 0.6 + 0.35 * len(ROWS)), sharey=True)
    for ax, (recipe, gamma) in zip(axes, GAMMA.items(), strict=True):
        most = record["modes"][recipe]
        for y, code in zip(at, ROWS.values(), strict=True):
            _, found, good = zip(*record["rows"][f"{recipe}({code.format(gamma)})"], strict=True)
            look = {"cmap": "Purples", "vmin": 0, "vmax": most, "marker": "s", "s": 46, "edgecolors": GREY}
            ax.scatter(range(20), [y] * 20, c=sorted(found, reverse=True), **look)
            ax.text(20.2, y, f"{found.count(most)} of 20, good {sum(good) / 20:.0%}", va="center", fontsize=9)
        title = f"{recipe.replace('_', ' ')}: all {most} found (dark) in"
        ax.set(xlim=(-0.8, 29), ylim=(at[-1] + 0.6, -0.8), xticks=[], title=title)
        ax.spines[["left", "bottom"]].set_visible(False)
        ax.tick_params(length=0)
    axes[0].set_yticks(at, ROWS)
    alt = "Rows of twenty squares, a game each, dark if all bumps were found. As it is some are pale; with packs and"
    show(figure, f"{alt} a faster D, and with R1 and R2, none.")


def three_kinds(people: data.Images) -> None:
    """Real faces of three kinds, and below what G makes of them in three games, on several seeds, from a record."""
    rows, real, right = data.saved_record("faces_kinds")["rows"], people.images[:16] / 127.5 - 1, [0.2, 0.6, 0.2, 0.0]
    games = {"real faces": ({"": real[:8], " ": real[8:]}, [{50: right, 600: right}])}
    for name in dict.fromkeys(row["game"] for row in rows):
        mine = [row for row in rows if row["game"] == name]
        faces = {f"round {at}": tiles.unpacked(kept, side=32) for at, kept in mine[0]["faces"].items()}
        games[name] = (faces, [{int(at): shares for at, shares in row["shares"].items() if at != "10"} for row in mine])
    alt = "All three kinds of faces in two games; in the third, without batch norm, first one face for all fakes."
    show(plots.kinds(games, KINDS), alt)


# -- curves ------------------------------------------------------------------------------------------------------------


def three_games(collapsed: tuple[Trainer, Record]) -> Games:
    """The collapsed game, one that is won, and one whose D sees raw weights and is blind: as A, B and C."""
    gans = (recipes.gaussian(0, lr_g=0.1, steps=800, standardise=standardise) for standardise in (False, True))
    rest = [(gan, stack(gan.run())) for gan in gans]
    return dict(zip(GAMES, (rest[0], collapsed, rest[1]), strict=True))


def three_losses(games: Games, last: int = 500) -> None:
    """Both losses of the games A, B, C in their last rounds, on one scale."""
    figure, axes = plt.subplots(1, 3, figsize=(12, 3.2), sharey=True)
    for ax, (name, (gan, history)) in zip(axes, games.items(), strict=True):
        plots.losses(Record(*(column[-last:] for column in history)), gan.loss.at_equilibrium, ax)
        ax.get_legend().remove()
        ax.set(title=f"game {name}", xlabel=f"its last {last} rounds", ylabel="", ylim=(0, 2.2))
    axes[0].set_ylabel("loss")
    _say(axes[0], (0.4 * last, 1.5, "D's loss", BLUE), (0.4 * last, 0.45, "G's loss", GREEN))
    show(figure, "In all three games D's loss ends near 1.39 and G's near 0.69.")


def fresh_d(games: Games, turns: int = 400) -> None:
    """Each game's G is frozen, and a fresh D that can see is trained alone: its loss, turn by turn."""
    said, (figure, axes) = [], plt.subplots(1, 2, figsize=(12, 3.4), width_ratios=(3, 2))
    for name, color in GAMES.items():
        gan, _ = games[name]
        loss = torch.tensor(alone(gan, turns))
        axes[0].plot(range(20, turns + 1), loss.unfold(0, 20, 1).mean(dim=1), color=color, linewidth=2)
        last = loss[-50:].mean().item()
        axes[0].text(turns - 60, last + 0.06, f"{name}: {last:.2f}", color=color)
        x = seen.made(gan, seen.noise(gan, 2000)).clamp(470, 530)
        axes[1].hist(x, bins=torch.linspace(470, 530, 121), density=True, histtype="step", color=color, linewidth=1.6)
        axes[1].text(x.median() + 3, 0.25 if x.std() < 4 else 0.09, name, color=color, fontsize=12)
        said.append(f"{last:.2f} ({name}, fakes of mean {x.mean():.0f} and spread {x.std():.1f})")
    axes[0].axhline(math.log(4), **STYLE["guide"])
    axes[0].text(5, 1.42, "log 4", fontsize=9)
    axes[0].set(xlabel="turn of the fresh D", ylabel="its loss (mean of 20 turns)", xlim=(0, turns + 5), ylim=(0, 1.6))
    axes[1].set(xlabel="weight of a fake, x", ylabel="density", ylim=(0, 0.35), title="the fakes of A, B and C")
    show(figure, f"A fresh D's loss, by turn, and the fakes by weight. The loss ends at {', '.join(said)}.")


def alone(gan: Trainer, turns: int) -> list[float]:
    """D's loss in each turn of a fresh D against this G, which stands still."""
    with seeded(0):
        coins = gan.data.sample((1000,))
        D = models.MLPDiscriminator(1, 16, 16, 1, inputs=models.Standardise(coins.mean(), coins.std()))
        optimizer, found = adam(D.parameters(), lr=0.01), []
        for _ in range(turns):
            with torch.no_grad():
                x_fake = gan.generator(gan.latent.sample((128,)))
            loss = losses.discriminator_loss(D(gan.data.sample((128,))), D(x_fake))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            found.append(loss.item())
    return found


def _say(ax: Axes, *words: tuple[float, float, str, str]) -> None:
    for x, y, text, color in words:
        ax.text(x, y, text, color=color)


# -- the checks of the exercises ---------------------------------------------------------------------------------------


def _found(x: Tensor, centres: Tensor, far: float = 3.0, least: float = 0.01, sd: float = 2.0, of: str = "all") -> int:
    distance, which = (x[:, None] - centres).abs().min(dim=1)
    good = distance <= far * sd
    counts = which[good].bincount(minlength=len(centres))
    return (counts >= least * (len(x) if of == "all" else good.sum())).sum().item()


@check
def check_modes_found(modes_found: Any) -> str | None:
    """modes_found(x, centres, sd): how many bumps have at least 1% of all x within 3 sd of them, nearest to them."""
    centres, sd = torch.arange(440.0, 546.0, 15), 2.0
    near, far = torch.linspace(-1, 1, 600), torch.linspace(6.8, 7.2, 180)  # far: more than 3 sd from the nearest
    few = [440 + near[:3], 455 + near[:3], 470 + near[:8], 485 + near[:12]]  # too few, and enough
    x = torch.cat([*few, 500 + near, 515 + 5.9 * near[:14], 530 + far, 545 + far])  # 1,000 fakes
    answer, right = call(modes_found, x, centres, sd), _found(x, centres)
    if isinstance(answer, tuple) and len(answer) == 2 and close(answer[0], right):
        return "return the number of bumps alone."
    got = number(answer)
    wrong = {
        _found(x, centres, far=100): "a bump counts here with fakes that are far from it; they must be within 3 sd.",
        _found(x, centres, least=1e-9): "one fake is not enough: found is a bump with at least 1% of all fakes.",
        _found(x, centres, of="good"): "1% of all fakes is asked for, not 1% of the good ones.",
    }
    if got == right:
        x = torch.cat([500 + near, 515 + near[:200], 485 + 5.5 * near[:200] / 0.9])
        return None if number(call(modes_found, x, centres, sd)) == _found(x, centres) else "wrong for other fakes."
    if not math.isfinite(got) or got != round(got) or not 0 <= got <= len(centres):
        return f"a number of bumps, from 0 to {len(centres)}, is wanted; got {got:g}."
    return wrong.get(round(got), f"of these 1,000 fakes you find {got:g} bumps, but it should be {right}.")


@check
def check_best_v(best_v: Any) -> str | None:
    """best_v(p, q): V of the best D for coins of a few kinds, where some shares may be 0."""
    p, q = torch.tensor([0.2, 0.5, 0.3, 0.0, 0.0]).double(), torch.tensor([0.0, 0.7, 0.1, 0.2, 0.0]).double()
    answer, right = tensor(call(best_v, p, q)), best_value(p, q)
    real = torch.xlogy(p, p / (p + q).clamp(min=1e-9)).sum()
    if answer.isnan().any() or (answer.isinf().any()):
        one = tensor(call(best_v, p[:4], q[:4]))  # without the kind that nobody makes
        if one.isfinite().all():
            return "a kind that nobody makes gives 0 / 0; it should add nothing."
        return "0 * log(0) came out as nan; it should count as 0."
    if answer.numel() != 1:
        return f"one number is wanted, the sum over all kinds; got {named(answer)}."
    answer = answer.reshape(())
    if close(answer, right):
        again = torch.tensor([0.1, 0.2, 0.3, 0.4]).double(), torch.tensor([0.4, 0.0, 0.35, 0.25]).double()
        right_again = close(number(call(best_v, *again)), best_value(*again))
        return None if right_again else "right here, but wrong for other shares."
    typical = {
        "the sign: V is a sum of logs, so it is at most 0; D's loss is minus V.": -right,
        "this is in bits; V is in nats, with the natural log.": right / math.log(2),
        "this is the JSD; V is -log 4 + 2 JSD.": (right + math.log(4)) / 2,
        "the part of the fakes is missing.": real,
        "the part of the real coins is missing.": right - real,
        "this is a lazy D's V, who says one half to everything.": torch.tensor(-math.log(4)).double(),
        "it looks like a mean over the kinds; their shares are weights already, so add up.": right / 5,
    }
    for words, wrong in typical.items():
        if close(answer, wrong):
            return words
    return f"for p = {p.tolist()} and q = {q.tolist()} it should be {right:.3f}; yours is {answer.item():.3f}."


@check
def check_fresh_loss(fresh_loss: Callable[..., Any]) -> str | None:
    """fresh_loss(G, D): D's mean loss in the last 50 of 300 turns of D alone, against lesson 02's coins."""
    told = []
    for sigma, best in ((5.0, 1.386), (1.0, 0.78)):
        with seeded(1):
            G = models.AffineGenerator(500.0, sigma)
            D = models.MLPDiscriminator(1, 16, 16, 1, inputs=models.Standardise(500.0, 5.0))
        before = [weight.detach().clone() for weight in D.parameters()]
        with seeded(1):
            got = number(call(fresh_loss, G, D))
        if (G.mu.item(), G.sigma.item()) != (500.0, sigma):
            raise Mistake("G has moved, but it should stand still; only D's weights belong to the optimiser.")
        if all(torch.equal(a, b) for a, b in zip(before, D.parameters(), strict=True)):
            raise Mistake("D has not moved: let it take 300 training steps.")
        told.append((sigma, got, best))
    for sigma, got, best in told:
        if abs(got - best / 2) < 0.04 and not abs(got - best) < 0.1:
            return f"for sigma = {sigma:g} it is {got:.2f}, half of the right one: add both means, do not halve them."
        if got < 0:
            return f"for sigma = {sigma:g} it is {got:.2f}; a loss is minus V, so it is above 0."
    (_, good, _), (_, narrow, _) = told
    if abs(good - 1.386) > 0.06:
        return f"where G is right, no D can do better than 1.386; you got {good:.2f}."
    if narrow > 1.0:
        return f"where all fakes are near 500, D's loss should fall to about 0.8; you got {narrow:.2f} after 300 turns."
    if narrow < 0.65:
        return f"where all fakes are near 500, no D gets below 0.78; you got {narrow:.2f}."
    return f"Right. If G is right the loss stays at {good:.2f}, if all fakes are near 500 it falls to {narrow:.2f}."
