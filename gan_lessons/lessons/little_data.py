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

from gan_lessons import Trainer, data, hill, plots, seen, svg
from gan_lessons.augment import USUAL, WAYS
from gan_lessons.devices import seeded
from gan_lessons.lessons.checking import call, check, number, show, tensor, verdict
from gan_lessons.portraits import LITTLE
from gan_lessons.style import STYLE
from gan_lessons.svg import Box, legend, text
from gan_lessons.tiles import tile, unpacked

SIZES, SEEDS = (100, 250, 500, 1000, 5000), (0, 1, 2)
WORDS = {"plain": "without augmentation", "adaptive": "with it"}
COLORS = {"plain": "#7a5195", "adaptive": "#00798c"}
NEW, GREY = "#c8553d", "#777777"  # faces that D was never shown
TURNS = "upright", "on its left ear", "upside down", "on its right ear"  # by 0 to 3 quarters, as torch.rot90 turns

_record = cache(partial(data.saved_record, "little_data"))


def _game(n: int, way: str, seed: int = 0) -> dict[str, Any]:
    return _record()["games"][f"{n} {way} {seed}"]


# -- the first look ----------------------------------------------------------------------------------------------------


def sizes(start: int = 500) -> widgets.SelectionSlider:
    """A slider of the numbers of faces that were played."""
    return widgets.SelectionSlider(options=[(f"{n:,}", n) for n in SIZES], value=start)


def little(faces: int = 500, augmented: bool = False) -> str:
    """What the slider draws: fakes of the game with so many faces, how good they are, and what D said all along."""
    game = _game(faces, "adaptive" if augmented else "plain")
    last, source = game["report"], svg.png(svg.grey(tile(unpacked(game["faces"], 32), 8)))
    parts = text(10, 16, f"fakes after {game['rounds']:,} rounds with {faces:,} faces, averaged")
    parts += f'<image x="10" y="26" width="400" height="100" preserveAspectRatio="none" href="{source}"/>'
    words = f"Fréchet distance {last['frechet']:.0f}", f"coverage {last['coverage']:.2f}"
    copied = f"{100 * game['copies']['nearer to a training face']:.0f} in 100 nearer to a training face"
    for i, line in enumerate((*words, f"kinds found: {last['kinds']} of 16", copied, "than to as many new ones")):
        parts += text(10, 152 + 20 * i, line)
    looks, box = game["looks"], Box(470, 26, 250, 190, (0, game["rounds"]), (0, 1))
    rounds, inside = torch.tensor(looks["round"]), [box.line((0, game["rounds"]), (0.5, 0.5), "guide")]
    inside += [
        box.line(rounds, torch.tensor(looks["D train"]), "data"),
        box.line(rounds, torch.tensor(looks["D fake"]), "fakes"),
    ]
    new = box.line(rounds, torch.tensor(looks["D new"]), "D")
    parts += box.show([*inside, new]) + box.x_axis("round") + box.y_axis()
    parts += legend([("data", "D(training face)"), ("D", "D(new face)"), ("fakes", "D(fake)")], 370, 14)
    return svg.picture(parts, f"fakes of a game with {faces} faces, and D's answers by round", 760, 250)


def rows() -> None:
    """Eight fakes of every game, without and with augmentation."""
    figure, axes = plt.subplots(1, 2, figsize=(11, 4.0))
    for ax, way in zip(axes, WORDS, strict=True):
        fakes = {f"{n:,}": unpacked(_game(n, way)["faces"], 32)[:8] for n in SIZES}
        plots.image_rows(fakes, 8, ax=ax)
        ax.set_title(f"{WORDS[way]}: averaged fakes, by how many faces there were", fontsize=10)
    show(figure, "Five rows of eight fakes, left without and right with augmentation; they get better downwards.")


def answers(way: str = "plain", some: Sequence[int] = (100, 500, 5000)) -> None:
    """What D says of its training faces, of new ones and of fakes, while it learns; one line a seed."""
    figure, axes = plt.subplots(1, len(some), figsize=(11, 3.1), sharey=True)
    looks = {"D train": ("training faces", "black", ":"), "D new": ("new faces", NEW, "-")}
    looks["D fake"] = ("fakes", STYLE["fakes"]["color"], "-")
    for ax, n in zip(axes, some, strict=True):
        for key, (words, color, dashes) in looks.items():
            for seed in SEEDS:
                kept = _game(n, way, seed)["looks"]
                label = words if seed == 0 else None
                ax.plot(kept["round"], kept[key], color=color, linestyle=dashes, linewidth=1.6, alpha=0.8, label=label)
        ax.axhline(0.5, **STYLE["guide"])
        ax.set(title=f"{n:,} faces", xlabel="round", ylim=(0, 1))
    axes[0].set_ylabel("D's mean answer")
    axes[0].legend(loc="lower left", fontsize=8)
    figure.suptitle(f"{WORDS[way]}, three seeds", fontsize=10)
    show(figure, "D's answers by round: with few faces training and new faces part, with many they stay together.")


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
    show(figure, "D's curve: first a gentle hill, later a needle at nearly every coin and almost 0 between them.")


def signs() -> None:
    """r_t by rounds, for each number of faces; the mean of three seeds."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.2), sharey=True)
    for ax, key, words in ((left, "sign train", "training faces: r_t"), (right, "sign new", "new faces")):
        for i, n in enumerate(SIZES):
            kept = [_game(n, "plain", seed)["looks"] for seed in SEEDS]
            mean = torch.tensor([one[key] for one in kept]).mean(dim=0)
            ax.plot(kept[0]["round"], mean, color=plt.cm.viridis(0.85 - 0.2 * i), label=f"{n:,}", linewidth=1.8)
        ax.axhline(0, **STYLE["guide"])
        ax.set(title=f"mean sign of D's raw output on {words}", xlabel="round", ylim=(-1.05, 1.05))
    right.legend(title="faces", loc="lower left", fontsize=8)
    show(figure, "Two pictures of five curves: on training faces those of few faces stay high, on new ones they fall.")


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
    show(figure, "Fakes for four chances p, and under them the shares of the four turns; at p = 1 all four are there.")


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
            high = 120 * value
            parts += f'<rect x="{left + 50 * j}" y="{150 - high:.1f}" width="40" height="{high:.1f}" fill="{color}"/>'
            parts += text(left + 50 * j + 20, 144 - high, f"{value:.2f}", anchor="middle", size=11)
            parts += text(left + 50 * j + 20, 166, f"{90 * j}°", anchor="middle", size=11)
    gap = (shares["G's faces as D sees them"] - shares["real faces as D sees them"]).abs().sum().item() / 2
    parts += text(10, 192, f"of 100 faces that D sees, {100 * gap:.1f} lie otherwise than real ones would")
    return svg.picture(parts, "three bar charts of the shares of four turns", 740, 204)


def adapting() -> None:
    """p and r_t by rounds, for each number of faces; the mean of three seeds."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.2))
    for ax, key in ((left, "r"), (right, "p")):
        for i, n in enumerate(SIZES):
            kept = [_game(n, "adaptive", seed)["looks"] for seed in SEEDS]
            mean = torch.tensor([one[key] for one in kept]).mean(dim=0)
            ax.plot(kept[0]["round"], mean, color=plt.cm.viridis(0.85 - 0.2 * i), label=f"{n:,}", linewidth=1.8)
        ax.set(xlabel="round")
    left.axhline(0.6, **STYLE["guide"])
    left.set(title="r_t, of what D sees", ylim=(-1.05, 1.05))
    right.set(title="p", ylim=(-0.03, 1.03))
    right.legend(title="faces", loc="lower right", fontsize=8)
    show(
        figure, "Left r_t, which is brought to the target .6; right p, which rises higher where there are fewer faces."
    )


# -- does it help? -----------------------------------------------------------------------------------------------------


def with_and_without() -> None:
    """Frechet distance and coverage of every game by the number of faces, beside real faces and perfect copies."""
    floor, figure = _record()["floor"], plt.figure(figsize=(10, 3.8))
    for i, (key, words) in enumerate(
        {"frechet": "Fréchet distance (less is better)", "coverage": "coverage (more is better)"}.items()
    ):
        ax = figure.add_subplot(1, 2, i + 1)
        for way, side in (("plain", 0.96), ("adaptive", 1.04)):
            values = torch.tensor([[_game(n, way, seed)["report"][key] for seed in SEEDS] for n in SIZES])
            at = side * torch.tensor(SIZES, dtype=torch.float)
            ax.plot(at, values.mean(dim=1), color=COLORS[way], linewidth=1.6, label=WORDS[way])
            ax.plot(at, values, "o", color=COLORS[way], markersize=4)
        ax.plot(
            SIZES,
            [floor[str(n)][key] for n in SIZES],
            color=GREY,
            linestyle="--",
            label="the training faces themselves",
        )
        ax.axhline(floor["real"][key], **STYLE["guide"])
        ax.text(SIZES[0], floor["real"][key], "other real faces", color=GREY, fontsize=8, va="bottom")
        ax.set(xscale="log", yscale="log" if i == 0 else "linear", xlabel="training faces", ylabel=words)
        ax.set_xticks(SIZES, [f"{n:,}" for n in SIZES])
        ax.minorticks_off()
        if i:
            ax.legend(loc="lower right", fontsize=8)
    show(figure, "Two pictures by the number of faces; dots are games, with and without augmentation.")


def copies(n: int = 100, count: int = 8) -> None:
    """Fakes of a game without augmentation, and under each the training face that is nearest to it."""
    figure, axes = plt.subplots(1, 2, figsize=(11, 1.9))
    train = data.faces(n, seed=LITTLE).images / 127.5 - 1
    for ax, way in zip(axes, WORDS, strict=True):
        game = _game(n, way)
        fakes = unpacked(game["faces"], 32)[:count]
        plots.image_rows({"fakes": fakes, "nearest of\nthe data": train[game["nearest"][:count]]}, count, ax=ax)
        nearer = game["copies"]["nearer to a training face"]
        ax.set_title(
            f"{n} faces, {WORDS[way]}: {100 * nearer:.0f} in 100 nearer to the data than to new ones", fontsize=9
        )
    show(figure, "Fakes, and under each the training face that is most like it.")


def folder_of_50() -> Path:
    """Fifty drawn faces as PNG files in a new temporary folder, for those who have no pictures at hand."""
    folder = Path(tempfile.mkdtemp(prefix="fifty_faces_"))
    for i, face in enumerate(data.faces(50, seed=LITTLE).images):
        PIL.Image.fromarray(face.movedim(0, -1).numpy()).save(folder / f"{i:02d}.png")
    return folder


def fifty() -> None:
    """Fakes of games with fifty faces, without and with augmentation."""
    fakes = {WORDS[way]: unpacked(_game(50, way)["faces"], 32)[:8] for way in WORDS}
    fakes |= {"the data, 8 of 50": data.faces(50, seed=LITTLE).images[:8] / 127.5 - 1}
    figure, ax = plt.subplots(figsize=(7.4, 2.4))
    plots.image_rows(fakes, 8, ax=ax)
    ax.set_title(f"50 faces, {_game(50, 'plain')['rounds']:,} rounds, averaged", fontsize=10)
    show(figure, "Eight fakes without and eight with augmentation, and eight of the fifty faces.")


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
