"""Behind lesson 15, in which there are few pictures and D learns them by heart: its pictures, and its checks."""

import tempfile
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import matplotlib.pyplot as plt
import PIL.Image
import torch
from torch import Tensor

from gan_lessons import data, hill, plots, seen, svg
from gan_lessons.augment import USUAL, WAYS
from gan_lessons.devices import seeded
from gan_lessons.lessons.checking import call, check, number, show, tensor, verdict
from gan_lessons.portraits import LITTLE
from gan_lessons.style import STYLE
from gan_lessons.svg import Box, text
from gan_lessons.tiles import tile, unpacked
from gan_lessons.training import Trainer

SIZES, SEEDS = (50, 100, 250, 500, 1000, 5000), (0, 1, 2)
ALONE = (100, 500, 5000)  # of D that has all the turns
WORDS = {"plain": "without augmentation", "adaptive": "p follows r_t"}
COLORS = {"plain": "#7a5195", "adaptive": "#00798c"}
NEW, GREY = "#c8553d", "#777777"  # faces that D was never shown

_record = cache(partial(data.saved_record, "little_data"))


def _game(n: int | str, way: str = "plain", seed: int = 0) -> dict[str, Any]:
    return _record()["games"][f"{n} {way} {seed}"]


def _games(n: int, way: str) -> list[dict[str, Any]]:
    """Those of all seeds that were played."""
    return [_record()["games"][name] for name in (f"{n} {way} {seed}" for seed in SEEDS) if name in _record()["games"]]


# -- the first look ----------------------------------------------------------------------------------------------------


def sizes(start: int = 5000) -> widgets.SelectionSlider:
    """A slider of the numbers of faces that were played."""
    return widgets.SelectionSlider(options=[(f"{n:,}", n) for n in SIZES], value=start)


def little(faces: int = 5000, nearest: bool = False) -> str:
    """What the slider draws: fakes of the game with so many faces, the training faces most like them, and numbers."""
    game, x = _game(faces), unpacked(_game(faces)["faces"], 32)
    if nearest:
        train = data.faces(faces, seed=LITTLE).images[game["nearest"][:8]] / 127.5 - 1
        x = torch.cat([x[:8], train])
    source = svg.png(svg.grey(tile(x, 8)))
    parts = text(10, 16, f"{faces:,} real faces, {game['rounds']} rounds: {8 if nearest else 16} fakes, averaged")
    parts += f'<image x="10" y="26" width="480" height="120" preserveAspectRatio="none" href="{source}"/>'
    under = "above: fakes. Below each: the training face that is most like it" if nearest else ""
    copied = 100 * game["copies"]["nearer to a training face"]
    parts += text(10, 164, under) + text(
        10, 188, f"{copied:.0f} of 100 fakes lie nearer to a training face than to any of {faces:,} new faces"
    )
    places, highest = torch.tensor(SIZES).log10(), 200
    box = Box(560, 30, 180, 130, (1.5, 3.9), (0, highest))
    far = torch.tensor([_game(n)["report"]["frechet"] for n in SIZES])
    parts += text(510, 16, f"Fréchet distance to real faces: {game['report']['frechet']:.0f}")
    parts += box.show([box.line(places, far, "fakes")]) + box.y_axis()
    for n, place, value in zip(SIZES, places.tolist(), far.tolist(), strict=True):
        here = n == faces
        parts += svg.dot(560 + box.x(place), 30 + box.y(value), STYLE["fakes"]["color"] if here else "white")
        parts += text(560 + box.x(place), 178, f"{n:,}" if here else "", anchor="middle")
    return svg.picture(
        parts + text(650, 196, "real faces", anchor="middle"), f"fakes of a game with {faces} faces", 760, 204
    )


def rows() -> None:
    """Eight fakes of each game, and under them the training faces that are most like them."""
    figure, axes = plt.subplots(1, 3, figsize=(11, 1.5))
    for ax, n in zip(axes, (50, 500, 5000), strict=True):
        train = data.faces(n, seed=LITTLE).images[_game(n)["nearest"][:6]] / 127.5 - 1
        plots.image_grid(torch.cat([unpacked(_game(n)["faces"], 32)[:6], train]), 6, ax=ax)
        ax.set_title(f"{n:,} faces", fontsize=10)
    axes[0].set_ylabel("data    fakes", fontsize=9)
    show(
        figure, "Three times six fakes, and under each the training face that is most like it: for 50 faces very like."
    )


def inspector(way: str = "plain") -> None:
    """What a D that has all the turns says of its training faces, of new ones and of fakes; one line a seed."""
    figure, axes = plt.subplots(1, len(ALONE), figsize=(11, 3.1), sharey=True)
    looks = {"D train": ("training faces", "black", ":"), "D new": ("new faces", NEW, "-")}
    looks["D fake"] = ("fakes", STYLE["fakes"]["color"], "-")
    for ax, n in zip(axes, ALONE, strict=True):
        for key, (words, color, dashes) in looks.items():
            for seed, kept in enumerate(_alone(n, way)):
                label = words if seed == 0 else None
                ax.plot(kept["turn"], kept[key], color=color, linestyle=dashes, linewidth=1.6, alpha=0.8, label=label)
        ax.axhline(0.5, **STYLE["guide"])
        ax.set(title=f"{n:,} faces", xlabel="turns of D", ylim=(0, 1))
    axes[0].set_ylabel("D's mean answer")
    axes[-1].legend(loc="lower left", fontsize=8)
    figure.suptitle(f"D alone, {WORDS[way]}, three seeds", fontsize=10)
    show(figure, "D's answers by turn: with few faces training faces and new ones part, with many they stay together.")


def _alone(n: int, way: str) -> list[dict[str, list[float]]]:
    return [_game(f"alone {n}", way, seed) for seed in SEEDS]


def _mean(n: int, way: str, key: str) -> tuple[list[float], Tensor]:
    kept = _alone(n, way)
    return kept[0]["turn"], torch.tensor([one[key] for one in kept]).mean(dim=0)


def _shade(n: int) -> Any:
    return plt.cm.viridis(0.85 - 0.4 * ALONE.index(n))


# -- needles -----------------------------------------------------------------------------------------------------------


def needles(game: Trainer, turns: Sequence[int] = (100, 700, 2000)) -> None:
    """D's hill after some turns of D alone, with the coins that it learns from, and fakes pushed on it."""
    figure, axes = plt.subplots(1, len(turns), figsize=(11, 3.2), sharey=True)
    x, done = torch.linspace(485, 515, 1500), 0
    bell = data.gaussian().log_prob(x).exp()
    for ax, until in zip(axes, turns, strict=True):
        for _ in range(done, until):
            game.discriminator_step()
        done = until
        curves = seen.Curves(x, bell, bell, seen.heights(game, x), torch.full_like(x, torch.nan))
        hill.draw(curves, seen.fakes(game, 9), ax)
        ax.plot(game.data.x, torch.full_like(game.data.x, 1.06), "|", color="black", markersize=12)
        ax.set(title=f"after {until:,} turns of D", xlabel="x, the weight of a coin", ylabel="")
    axes[0].set_ylabel("D(x)")
    axes[0].text(486, 0.93, "the real coins", fontsize=9)
    low, high = curves.D.min().item(), curves.D.max().item()
    alt = f"D's curve over the coins after {', '.join(f'{until:,}' for until in turns)} turns: at the end it lies"
    end = "up and down in needles" if high - low > 0.5 else "nearly flat"
    show(figure, f"{alt} between {low:.2f} and {high:.2f}, {end}.")


def walked(plain: Trainer, moved: Trainer, rounds: int = 1000) -> None:
    """Where an affine G goes, from the law of the data on, in two games with the same few coins."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 2.9))
    games = {"D sees the coins": (plain, COLORS["plain"]), "D sees them moved": (moved, COLORS["adaptive"])}
    for words, (game, color) in games.items():
        path = []
        for _ in range(rounds):
            game.step()
            path.append((game.generator.mu.item(), abs(game.generator.sigma.item())))
        for ax, values in zip(axes, zip(*path, strict=True), strict=True):
            ax.plot(range(1, rounds + 1), values, color=color, linewidth=1.6, label=words)
    coins = plain.data.x.flatten()
    told = ("mean", 500, coins.mean().item()), ("spread", 5, coins.std(correction=0).item())
    for ax, (what, law, ours) in zip(axes, told, strict=True):
        ax.axhline(law, **STYLE["data"] | {"linewidth": 1.4}, label="the law")
        ax.axhline(ours, color="black", linewidth=0.8, label="the twelve coins")
        ax.set(title=f"{what} of the fakes", xlabel="round")
    axes[0].legend(fontsize=8)
    alt = "Mean and spread of the fakes by round: where D sees the coins they go astray, where it sees them moved"
    show(figure, f"{alt} they stay near the twelve coins'.")


# -- augmentation ------------------------------------------------------------------------------------------------------


def ways(augmented: Callable[[Tensor, float], Tensor]) -> None:
    """Ten faces as D sees them: each way alone, and all of them by chance, as the lesson's function has it."""
    x = data.faces(10, seed=9).images / 127.5 - 1
    on, shown = torch.ones(10, dtype=torch.bool), {"as they are": x}
    with seeded(1):
        shown |= {name: WAYS[name](x, on) for name in USUAL} | {"all, each with\nchance p = .6": augmented(x, 0.6)}
    figure, ax = plt.subplots(figsize=(8.6, 4.2))
    plots.image_rows({name: one.clamp(-1, 1) for name, one in shown.items()}, 10, ax=ax)
    show(figure, "Ten faces; mirrored, moved, with other colours, with a grey square; and all of these by chance.")


def turned() -> None:
    """Fakes of games in which D sees every picture turned with chance p, and how many of them are upright."""
    chances = (0.5, 0.8, 0.9, 1.0)
    figure, axes = plt.subplots(2, 4, figsize=(11, 3.8), height_ratios=(1.0, 1.0))
    for (above, below), p in zip(axes.T, chances, strict=True):
        games = [_record()["games"][f"rotate {p} {seed}"] for seed in SEEDS[:2]]
        plots.image_grid(unpacked(games[0]["faces"], 32)[:8], 4, ax=above)
        above.set_title(f"p = {p:g}", fontsize=10)
        for i, game in enumerate(games):
            below.bar(
                torch.arange(4) + 0.36 * i - 0.18, game["uprights"], 0.34, color=COLORS["adaptive"], alpha=1 - 0.4 * i
            )
        below.set(ylim=(0, 1.02), xticks=range(4), xticklabels=["0°", "90°", "180°", "270°"])
    axes[1, 0].set_ylabel("share of 500 fakes")
    figure.supxlabel("fakes are turned by (two seeds)", fontsize=10)
    show(figure, "Fakes for four chances p, and the shares of the four turns: all upright, but for one game at p = 1.")


def four_turns(p: float = 0.5, upright: float = 1.0) -> str:
    """What the sliders draw: how G's faces lie, how D sees them, and how D sees real faces."""
    ours = torch.tensor([upright, *[(1 - upright) / 3] * 3])
    shares = {"G's faces as they are": ours, "G's faces as D sees them": (1 - p) * ours + p / 4}
    shares["real faces as D sees them"] = (1 - p) * torch.tensor([1.0, 0, 0, 0]) + p / 4
    parts, colors = "", (STYLE["fakes"]["color"], STYLE["fakes"]["color"], "black")
    for i, ((name, share), color) in enumerate(zip(shares.items(), colors, strict=True)):
        left = 10 + 240 * i
        parts += text(left, 16, name)
        for j, value in enumerate(share.tolist()):
            high = 108 * value
            parts += f'<rect x="{left + 50 * j}" y="{150 - high:.1f}" width="40" height="{high:.1f}" fill="{color}"/>'
            parts += text(left + 50 * j + 20, 144 - high, f"{value:.2f}", anchor="middle", size=11)
            parts += text(left + 50 * j + 20, 166, f"{90 * j}°", anchor="middle", size=11)
    gap = (shares["G's faces as D sees them"] - shares["real faces as D sees them"]).abs().sum().item() / 2
    parts += text(10, 192, f"of 100 faces that D sees, {100 * gap:.1f} lie otherwise than real ones would")
    return svg.picture(parts, "three bar charts of the shares of four turns", 740, 204)


def thermostat() -> None:
    """r_t and p by D's turns, where p follows r_t; and how far training and new faces are apart at the end."""
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(11, 3.1))
    for n in ALONE:
        for ax, key in ((left, "r"), (middle, "p")):
            ax.plot(*_mean(n, "adaptive", key), color=_shade(n), label=f"{n:,} faces", linewidth=1.8)
    left.axhline(0.6, **STYLE["guide"])
    left.set(title="r_t", ylim=(-0.25, 1.05), xlabel="turns of D")
    middle.set(title="p", ylim=(-0.02, 0.62), xlabel="turns of D")
    middle.legend(loc="upper left", fontsize=8)
    for way, side in (("plain", -0.12), ("adaptive", 0.12)):
        for i, n in enumerate(ALONE):
            gaps = [one["D train"][-1] - one["D new"][-1] for one in _alone(n, way)]
            ax = right.plot([i + side] * 3, gaps, "o", color=COLORS[way], label=WORDS[way] if i == 0 else None)
    right.set(title="D(training) - D(new) at the end", xticks=range(3), xlabel="faces", ylim=(-0.05, None))
    right.set_xticklabels([f"{n:,}" for n in ALONE])
    right.legend(fontsize=8)
    alt = "By turn, r_t is brought to .6, and p rises most for 100 faces; the gap between training and new faces"
    show(figure, f"{alt} shrinks for 100 faces, not for 500 or 5,000.")


def watched(faces: int = 100, augmented: bool = False) -> str:
    """What the sliders draw: what D says, turn by turn, of training faces, new ones and fakes; and r_t and p."""
    kept = _game(f"alone {faces}", "adaptive" if augmented else "plain")
    turns, ends = torch.tensor(kept["turn"]), (0, kept["turn"][-1])
    left, right = Box(40, 30, 330, 190, ends, (0, 1)), Box(440, 30, 250, 190, ends, (0, 1))

    def line(box: Box, key: str, style: str, color: str = "") -> str:
        drawn = box.line(turns, torch.tensor(kept[key]).clamp(0, 1), style)
        return drawn.replace(STYLE[style]["color"], color or STYLE[style]["color"])

    new, p = svg.legend([("D", "new faces")], 180, 14), svg.legend([("push", "p")], 520, 14)
    parts = left.show(
        [left.line(ends, (0.5, 0.5), "guide"), line(left, "D train", "data"), line(left, "D new", "D", NEW)]
    )
    parts += left.show([line(left, "D fake", "fakes")]) + left.x_axis("turns of D") + left.y_axis()
    parts += svg.legend([("data", "training faces")], 30, 14) + new.replace(STYLE["D"]["color"], NEW)
    parts += svg.legend([("fakes", "fakes")], 300, 14) + svg.legend([("data", "r_t")], 440, 14)
    parts += right.show([right.line(ends, (0.6, 0.6), "guide"), line(right, "r", "data")])
    parts += right.show([line(right, "p", "push", COLORS["adaptive"])]) + right.x_axis("turns of D") + right.y_axis()
    parts += p.replace(STYLE["push"]["color"], COLORS["adaptive"])
    return svg.picture(parts, f"D's answers with {faces} faces, by its turns, and r_t and p", 720, 256)


# -- does it help? -----------------------------------------------------------------------------------------------------


def whole_games() -> None:
    """Fréchet distance, coverage and copies of every game by the number of faces, beside real faces."""
    floor, (figure, axes) = _record()["floor"], plt.subplots(1, 3, figsize=(11.4, 3.5))
    measures = {
        "Fréchet distance (less is better)": lambda game: game["report"]["frechet"],
        "coverage (more is better)": lambda game: game["report"]["coverage"],
        "share nearer to a training face": lambda game: game["copies"]["nearer to a training face"],
    }
    for ax, (words, measure) in zip(axes, measures.items(), strict=True):
        for way, side in (("plain", 0.94), ("adaptive", 1.06)):
            for n in SIZES:
                values = [measure(game) for game in _games(n, way)]
                label = WORDS[way] if n == SIZES[0] else None
                ax.plot([side * n] * len(values), values, "o", color=COLORS[way], markersize=4.5, label=label)
        ax.set(xscale="log", xlabel="real faces", title=words)
        ax.title.set_fontsize(10)
        ax.set_xticks(SIZES, [f"{n:,}" for n in SIZES], fontsize=8)
        ax.minorticks_off()
    for ax, key in zip(axes, ("frechet", "coverage"), strict=False):
        for n in SIZES:  # of the very faces of the games
            own, label = floor[str(n)][key][: len(_games(n, "plain"))], "the data themselves" if n == SIZES[0] else None
            ax.plot([n] * len(own), own, "_", color=GREY, markersize=14, markeredgewidth=2, label=label)
        ax.axhline(floor["real"][key], **STYLE["guide"])
        place = {"frechet": "bottom", "coverage": "top"}[key]
        ax.text(SIZES[0], floor["real"][key], " other real faces", color=GREY, fontsize=8, va=place)
    axes[0].set_ylim(0, None)
    axes[2].axhline(0.5, **STYLE["guide"])
    axes[0].legend(fontsize=8)
    alt = "By the number of faces: with fewer the Fréchet distance grows and more fakes are nearer to a training face"
    show(figure, f"{alt} than to a new one; coverage stays near one half.")


def fixed() -> None:
    """Fréchet distances without augmentation and with p that is held, for 500 and for 100 faces."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 2.1))
    for ax, n, rounds, held in zip(axes, (500, 100), (500, 900), ((0.5, 1.0), (0.2, 0.5)), strict=True):
        games = {WORDS[way]: [_game(n, way, seed) for seed in SEEDS] for way in WORDS}
        name, seeds = ("fixed", SEEDS[:2]) if n == 500 else (f"fixed {n}", SEEDS)
        games |= {f"p = {p:g} all along": [_game(name, p, seed) for seed in seeds] for p in held}
        for i, some in enumerate(games.values()):
            at = [dict(zip(one["scores"]["round"], one["scores"]["frechet"], strict=True))[rounds] for one in some]
            ax.plot(at, [i] * len(at), "o", color=GREY if i > 1 else [*COLORS.values()][i])
        ax.set(yticks=range(4), yticklabels=list(games), ylim=(3.5, -0.5), xlim=(0, None))
        ax.set_xlabel(f"Fréchet distance after {rounds} rounds, {n} faces")
    show(figure, "Dots for each game: with p held the distances are as large as without augmentation, or much larger.")


def folder_of_50() -> Path:
    """Fifty drawn faces as PNG files in a new temporary folder, for those who have no pictures at hand."""
    folder = Path(tempfile.mkdtemp(prefix="fifty_faces_"))
    for i, face in enumerate(data.faces(50, seed=LITTLE).images):
        PIL.Image.fromarray(face.movedim(0, -1).numpy()).save(folder / f"{i:02d}.png")
    return folder


# -- the checks of the exercises ---------------------------------------------------------------------------------------


@check
def check_r(r: Any) -> str | None:
    """r(out_real): r_t of D's raw outputs on training pictures."""
    out = torch.tensor([3.0, 0.2, -0.1, 5.0, 0.7, 1.0, -2.0, 0.3])
    typical = {
        "this is the share of pictures that D calls real: each of the others counts as -1, not 0.": 0.75,
        "this is the mean of the raw outputs: only their signs count.": out.mean(),
        "this is the mean of D(x): take the sign of the raw output.": out.sigmoid().mean(),
        "the sign is turned round.": -0.5,
        "this is a sum: take the mean.": 4.0,
        "every sign is 1: D(x) is always above 0, it is the raw output that has a sign.": 1.0,
    }
    return verdict(number(call(r, out)), 0.5, typical, "r_t of eight outputs, six of them above 0, is (6 - 2) / 8.")


@check
def check_new_p(new_p: Any) -> str | None:
    """new_p(p, r): p after one round, a step of 1/500 up where r is above .6 and down where it is below, in [0, 1]."""
    step = 1 / 500
    up, down = number(call(new_p, 0.5, 0.9)), number(call(new_p, 0.5, 0.1))
    typical = {
        "p falls where D knows its pictures by heart (r above .6): there it must rise.": (0.5 - step, 0.5 + step),
        "p does not move.": (0.5, 0.5),
        "p rises in both cases.": (0.5 + step, 0.5 + step),
        "p falls only: above the target it must rise by a step.": (0.5, 0.5 - step),
        "p never falls: below the target it must fall by a step.": (0.5 + step, 0.5),
        "the step grows with r - .6; here it is always 1/500.": (0.5 + 0.3 * step, 0.5 - 0.5 * step),
    }
    wrong = verdict(
        tensor([up, down]),
        tensor([0.5 + step, 0.5 - step]),
        typical,
        f"from .5 it goes to {up:.4g} at r = .9, and to {down:.4g} at r = .1; the step is 1/500.",
    )
    if wrong:
        return wrong
    if number(call(new_p, 1.0, 0.9)) > 1 or number(call(new_p, 0.0, 0.1)) < 0:
        return "p is a chance: it must not leave 0 to 1."
    if abs(number(call(new_p, 0.999, 0.9)) - 1) > 1e-6 or abs(number(call(new_p, 0.001, 0.1))) > 1e-6:
        return "the last step, of less than 1/500, should end at 1 (or at 0)."
    near = number(call(new_p, 0.5, 0.55)), number(call(new_p, 0.5, 0.65))
    return None if near[0] < 0.5 < near[1] else "the target is .6: at r = .55 p falls, at r = .65 it rises."


@check
def check_undone(undone: Any) -> str | None:
    """undone(seen, p): how G's faces lie, from how they lie when D sees them, turned with chance p."""
    first, second = tensor([0.7, 0.1, 0.15, 0.05]), tensor([0.1, 0.2, 0.3, 0.4])
    for share, p in ((first, 0.8), (second, 0.5)):
        seen = (1 - p) * share + p / 4
        found = tensor(call(undone, seen.float(), p))
        typical = {
            "these are the shares that D sees: nothing is undone.": seen,
            "take away what the turned ones add, p / 4 for each turn, before you divide.": seen / (1 - p),
            "this takes p / 4 away; then divide by 1 - p, the share of pictures that were left as they were.": seen
            - p / 4,
            "this is the way there; the way back takes p / 4 away and divides by 1 - p.": (1 - p) * seen + p / 4,
            "this takes p away from each; the turned ones are spread over four turns, p / 4 each.": (seen - p)
            / (1 - p),
            "divide by 1 - p, not by p.": (seen - p / 4) / p,
        }
        other = "these are not the shares that, turned with chance p, would be seen as given."
        if wrong := verdict(found, share, typical, other):
            return wrong
    return None
