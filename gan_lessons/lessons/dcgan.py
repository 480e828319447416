"""Behind lesson 11, in which convolutions draw faces whose attributes are known: its pictures, and its checks."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import matplotlib.pyplot as plt
import torch
from torch import Tensor, nn
from torch.nn.functional import conv_transpose2d, pad

from gan_lessons import attributes, data, plots
from gan_lessons.devices import seeded
from gan_lessons.lessons.checking import UNANSWERED, call, check, named, show, tensor, verdict
from gan_lessons.style import STYLE
from gan_lessons.tiles import unpacked
from gan_lessons.views.attributes import NAME, NAMES, directions, draws, generator, row

COLORS = dict(zip(NAMES, ("#7a5195", "#00798c", "#c8553d", "#8d6a00"), strict=True))
GREY = "#777777"
ORDER = [1, 1], [0, 1], [0, 0], [1, 0]  # corners: has A, has B
PARTS = (0.25, 0.5, 0.75, 1.0)  # of the step of a sum
_games = partial(data.saved_record, "dcgan")


def _counts() -> list[dict[str, Any]]:
    """What was counted of three generators, that which ships first."""
    return data.saved_record("attributes")["generators"]


# -- faces, and sliders ------------------------------------------------------------------------------------------------


def sliders(seed: int = 0) -> None:
    """The same ten faces with a slider at both sides."""
    z, rows = row(seed), {}
    for name, step in (("glasses", -2), ("glasses", 0), ("glasses", 2), ("smile", -2), ("smile", 2)):
        rows[f"{name} {step:+g}" if step else "all at 0"] = generator()(z + step * directions()[NAMES.index(name)])
    _rows(rows, f"{NAME}: the same ten z, moved along a direction", "Ten faces lose and get glasses, then smiles.")


def _rows(rows: dict[str, Tensor], title: str, alt: str, heads: Sequence[str] = ()) -> None:
    columns = len(next(iter(rows.values())))
    figure, ax = plt.subplots(figsize=(0.64 * columns + 2.2, 0.64 * len(rows) + 0.5))
    plots.image_rows(rows, columns, ax=ax)
    for i, head in enumerate(heads):
        ax.text(32 * i + 16, -4, head, ha="center", fontsize=9)
    ax.set_title(title, fontsize=10, pad=18 if heads else 6)
    show(figure, alt)


# -- convolutions ------------------------------------------------------------------------------------------------------


def stamp() -> None:
    """One number of one map, and the patch of the picture that it becomes; two neighbours, whose patches overlap."""
    weight = generator().net[-2].weight.detach()  # (32, 3, 4, 4)
    chosen = weight.flatten(1).norm(dim=1).argmax()
    one, two = torch.zeros(2, 1, len(weight), 5, 5)
    one[0, chosen, 2, 2] = two[0, chosen, 2, 2] = two[0, chosen, 2, 3] = 1
    figure, axes = plt.subplots(1, 4, figsize=(9, 2.5))
    for pair, maps, words in ((axes[:2], one, "one number"), (axes[2:], two, "two neighbours")):
        made = conv_transpose2d(maps, weight, stride=2, padding=1)[0] / weight[chosen].abs().max()
        pair[0].imshow(maps[0, chosen], cmap="gray", vmin=0, vmax=1)
        pair[1].imshow((made.movedim(0, -1).clamp(-1, 1) + 1) / 2)
        for ax, title in zip(pair, (f"{words}\nin a map of 5 x 5", "what it adds\nto 10 x 10 pixels"), strict=True):
            ax.set_title(title, fontsize=10)
    for ax in axes:
        side = ax.images[0].get_array().shape[0]
        ax.set(xticks=torch.arange(side + 1) - 0.5, yticks=torch.arange(side + 1) - 0.5, xticklabels=[], yticklabels=[])
        ax.grid(color="#bbbbbb", linewidth=0.5)
        ax.tick_params(length=0)
    show(figure, "A white cell in a grid becomes a coloured patch of four by four pixels; two cells, two that overlap.")


def beside() -> None:
    """Averaged faces of both kinds of players after as many seconds, and real ones."""
    mlp, ours = _games()["mlp"], _games()["rules"]["as it is"]["0"]
    rows = {f"fully connected,\n{mlp['rounds']:,} rounds": unpacked(mlp["faces"], 32)}
    rows["convolutions,\n300 rounds"] = unpacked(ours["faces"], 32)
    rows["the data"] = data.faces(10, seed=9).images / 127.5 - 1
    alt = "Ten faces of fully connected players, smooth but washed out, with halos; ten of convolutions, clear colours"
    _rows(rows, f"after {ours['seconds']:.0f} s of one core, averaged", f"{alt} with much grain; ten of the data.")


def film() -> None:
    """The panel's game, recorded: ten z after some rounds."""
    game = _games()["quick"]
    frames = unpacked(game["film"], 32).view(len(game["rounds"]), 10, 3, 32, 32)
    rows = {f"round {at:,}": x for at, x in zip(game["rounds"], frames, strict=True) if at in (50, 100, 200, 1000)}
    alt = "Ten fakes at rounds 50, 100, 200 and 1,000: first much the same blurred head for all, then hair, then eyes,"
    _rows(rows, "faces_quick, raw: the same ten z all along", f"{alt} at last faces, some with glasses.")


def rules() -> None:
    """The same game with one thing changed at a time: how far its faces are from real ones, and some of them."""
    rows = _games()["rules"]
    figure, (ax, faces) = plt.subplots(1, 2, figsize=(11, 0.46 * len(rows) + 0.9), width_ratios=(1.6, 1))
    for place, games in enumerate(rows.values()):
        values = [game["frechet"] for game in games.values()]
        ax.plot(values, [place] * len(values), "o", color="#7a5195" if place else "black")
        if not place:
            ax.axvspan(min(values), max(values), color="#dddddd")
    ax.set(xscale="log", xlabel="Frechet distance to real faces (smaller is better), three games each")
    ax.set_yticks(range(len(rows)), [name.replace(", ", ",\n") for name in rows])
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_xticks([100, 200, 500, 1000, 2000, 5000], ["100", "200", "500", "1,000", "2,000", "5,000"], minor=False)
    ax.minorticks_off()
    pictures = torch.cat([unpacked(games["0"]["faces"], 32)[:5] for games in rows.values()])
    plots.image_grid(pictures, 5, ax=faces).set_title("five averaged faces of the first game", fontsize=10)
    faces.set_aspect("auto")
    alt = "Fréchet distances of three games for each change, and five faces: worst by far are momentum 0.9 and no batch"
    show(figure, f"{alt} norm in G; as good as before is LeakyReLU in G.")


def filters() -> None:
    """What D's first layer looks for, and what G's last layer stamps, each on a scale of its own."""
    first = unpacked(_games()["quick"]["first layer"], 4)
    last = generator().net[-2].weight.detach()
    last = last / last.abs().amax(dim=(1, 2, 3), keepdim=True)
    figure, axes = plt.subplots(1, 2, figsize=(8.6, 2.6))
    words = "D's first layer (faces_quick):\n32 windows, as it weighs them", f"G's last layer ({NAME}):\n32 stamps"
    for ax, some, title in zip(axes, (first, last), words, strict=True):
        plots.image_grid(pad(some, [1] * 4, value=1.0), 8, ax=ax).set_title(title, fontsize=10)
    show(figure, "Small coloured patches: D's 32 windows, mostly mottled; G's 32 stamps, with soft spots among them.")


def few_labels() -> None:
    """How well four attributes are read, by how many faces have labels."""
    record, (figure, ax) = _games()["labels"], plt.subplots(figsize=(7.2, 3.2))
    looks = {"D's last layer": STYLE["D"]["color"], "a D that has not learned": GREY, "pixels": "black"}
    for name, color in looks.items():
        wrong = 100 * (1 - torch.tensor(record["right"][name]))  # (numbers of labels, draws)
        ax.plot(record["labels"], wrong.mean(dim=1), "o-", color=color, label=name)
        ax.fill_between(record["labels"], wrong.amin(dim=1), wrong.amax(dim=1), color=color, alpha=0.12, linewidth=0)
    ax.set(xscale="log", yscale="log", xlabel="how many faces have labels", ylabel="wrong answers in 100")
    ax.set_xticks(record["labels"], map(str, record["labels"]))
    ax.set_yticks([0.1, 1, 10], ["0.1", "1", "10"])
    ax.minorticks_off()
    ax.legend(loc="lower left")
    ax.set_title("faces_quick, its D after 1,000 rounds; bands: five sets of labels", fontsize=10)
    alt = "Wrong answers in 100 over the number of labels, three falling curves: D's last layer lies lowest, below"
    show(figure, f"{alt} pixels and a D that has not learned.")


def switched(attribute: str, off: Sequence[int], seed: int = 0) -> None:
    """Ten faces with the attribute, the same with some maps switched off, and with as many random ones."""
    (z, yes), a = draws(), NAMES.index(attribute)
    wearers = z[yes[:, a]][300:310]
    with seeded(seed):
        others = [one for one in torch.randperm(32).tolist() if one not in off][: len(off)]
    rows, said = {"G(z)": generator()(wearers)}, []
    for some, words in ((off, f"maps {', '.join(map(str, off))}"), (others, f"{len(off)} random maps")):
        G = attributes.switched_off(generator(), some)
        rows[f"{words}\nswitched off"] = G(wearers)
        said.append(f"with {words} off the reader still finds it in {attributes.reading(G)(wearers)[:, a].sum()}")
    _rows(rows, f"{NAME}: faces with {attribute}", f"Ten faces with {attribute}; below, {'; '.join(said)}.")


def count_switched() -> None:
    """Who lost an attribute, and who kept everything else, by how many maps were switched off."""
    off, counts = data.saved_record("attributes")["maps off"], _counts()[0]["switched off"]
    figure, axes = plt.subplots(1, 4, figsize=(11, 2.9), sharey=True)
    for ax, name in zip(axes, NAMES, strict=True):
        lost, clean = ([row[i] for row in counts[name]["rests on"]] for i in (0, 2))
        ax.plot(off, lost, "o-", color=COLORS[name], label="lost it")
        ax.plot(off, clean, "o--", color=COLORS[name], mfc="white", label="lost it, kept the rest")
        ax.plot(off, [row[0] for row in counts[name]["random"]], ".-", color=GREY, label="random maps: lost it")
        ax.set(title=name, xlabel="maps switched off", ylim=(-0.03, 1.03), xticks=off)
    axes[0].set_ylabel("share of 500 faces that had it,\nsays the reader")
    axes[0].legend(fontsize=8, loc="upper left")
    figure.suptitle(NAME, fontsize=10)
    alt = "Share of faces that lost it, by maps off: hardly any lose long hair; glasses, smile and dark hair go, far"
    show(figure, f"{alt} more than with random maps; those who lost it and kept the rest are fewer.")


# -- attributes in z ---------------------------------------------------------------------------------------------------


def reads() -> None:
    """How well each attribute is read from new z: by the commoner answer, a linear rule, a small net."""
    figure, ax = plt.subplots(figsize=(7.6, 3))
    kinds = {"commoner": ("always the commoner answer", "#bbbbbb"), "linear": ("linear rule", STYLE["D"]["color"])}
    kinds["net"] = ("net with a hidden layer", "#7a5195")
    for i, (key, (words, color)) in enumerate(kinds.items()):
        values = _counts()[0]["accuracy"][key]
        bars = ax.bar(torch.arange(4) + 0.26 * (i - 1), values, 0.24, color=color, label=words)
        ax.bar_label(bars, [f"{value:.2f}"[1:] if value < 0.995 else "1.0" for value in values], fontsize=8)
    ax.set(xticks=range(4), xticklabels=NAMES, ylim=(0.4, 1.05), ylabel="right, of 2,000 new z", title=NAME)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=3)
    show(figure, "Four groups of three bars: for each attribute the linear rule is far above the commoner answer.")


def along(step: float = 3.0, n: int = 500) -> None:
    """The share of faces with each attribute after a step along its direction; and what a step of 3 changes."""
    steps, counts = data.saved_record("attributes")["steps"], _counts()[0]["along"]
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.6, 3.4))
    for name in NAMES:
        left.plot(steps, counts[name]["share"], "o-", color=COLORS[name], label=name)
    left.set(xlabel="step along the attribute's direction", ylabel="share of 1,000 faces that have it", ylim=(0, 1.03))
    left.legend(loc="lower right", fontsize=8)
    z, read = draws()[0][:n], attributes.reading(generator())
    changed = torch.stack([(read(z + step * way) != read(z)).double().mean(dim=0) for way in directions()])
    plots.percentages(changed.fill_diagonal_(float("nan")), [name.replace(" ", "\n") for name in NAMES], right)
    right.set(title=f"share of {n} faces that changed", xlabel="in this", ylabel=f"a step of {step:g} along")
    figure.suptitle(NAME, fontsize=10)
    (most, rest), (at, _) = changed.nan_to_num().flatten().topk(2)
    alt = "Left, four curves that rise from 0 to 1; right, a table of what else changed, and in which share of faces:"
    show(figure, f"{alt} {NAMES[at % 4]} by a step along {NAMES[at // 4]} in {most:.0%}, the rest {rest:.0%} or less.")


def sums(a: str, b: str, count: int, arithmetic: Callable[..., Any] = attributes.arithmetic, n: int = 8) -> None:
    """Some sums: faces of each of the three means, and what comes out; hits marked."""
    (z, yes), i, j = draws(), NAMES.index(a), NAMES.index(b)
    groups = yes[:, i] & yes[:, j], ~yes[:, i] & yes[:, j], ~yes[:, i] & ~yes[:, j]
    with seeded(1):
        parts = [attributes.means(z[group], count, n) for group in groups]
    G, out = generator(), arithmetic(*parts)
    hit = [bool(has[i] & ~has[j]) for has in attributes.reading(G)(out)]
    signed = f"{a}, {b}", f"- no {a}, {b}", f"+ no {a}, no {b}"
    rows = dict(zip(signed, map(G, map(attributes.usual, parts)), strict=True)) | {f"= {a}, no {b}?": G(out)}
    told, heads = f"{sum(hit)} of {n} sums have {a} and no {b}", ["hit" if one else "miss" for one in hit]
    alt = f"Faces with {a} and {b}, minus {b} alone, plus neither; in the last row what their sums draw: {told}."
    _rows(rows, f"{NAME}: {told}; means of {count}", alt, heads)


def count_sums() -> None:
    """How often a sum draws what was asked for, by how many z each mean is made of, beside its chance."""
    counts, sums = data.saved_record("attributes")["means of"], _counts()[0]["sums"]
    figure, axes = plt.subplots(1, 4, figsize=(11, 2.8), sharey=True)
    for ax, name in zip(axes, NAMES, strict=True):
        for key, color, words in (("both", COLORS[name], "sums"), ("chance", GREY, "their chance")):
            values = torch.tensor([row[key] for row in sums[name].values()]).mean(dim=0)
            ax.plot(counts, values, "o-", color=color, label=words)
            for count, value in zip(counts, values.tolist(), strict=True):
                ax.annotate(f"{value:.0%}", (count, value), (0, 6), textcoords="offset points", ha="center", fontsize=8)
        ax.set(title=name, xscale="log", xlabel="z in each mean", ylim=(-0.02, 1.12), xlim=(0.7, 75))
        ax.set_xticks(counts, [str(count) for count in counts])
        ax.minorticks_off()
    axes[0].set_ylabel("share of 600 sums that have A\nand not the carrier")
    axes[0].legend(loc="center right", fontsize=8)
    figure.suptitle(NAME, fontsize=10)
    alt = "Share of hits over the number of z in each mean: it grows for long hair, glasses and smile, for dark hair it"
    show(figure, f"{alt} rises and falls again; chance is small at the end.")


def corners() -> None:
    """The mean z of four kinds of faces, on the plane of the sum's two steps, and where the sum ends."""
    z, yes = draws()
    figure, axes = plt.subplots(1, 3, figsize=(12.6, 3.7))
    pairs = ("glasses", "smile"), ("dark hair", "long hair"), ("long hair", "dark hair")
    for ax, names in zip(axes, pairs, strict=True):
        has = yes[:, [NAMES.index(name) for name in names]]
        kinds = [z[(has == torch.tensor(kind)).all(dim=1)].mean(dim=0) for kind in ORDER]
        spots, middle, sheet = attributes.sheet(torch.stack(kinds), 1.6)
        held = attributes.reading(generator())(sheet.flatten(0, 1))[:, NAMES.index(names[1])]
        ends = [end for centre in middle.tolist() for end in (centre - 1.65, centre + 1.65)]
        ax.imshow(held.view(33, 33).float(), origin="lower", extent=ends, cmap="Greys", vmin=0, vmax=5)
        words = [f"{'' if p else 'no '}{names[0]},\n{'' if q else 'no '}{names[1]}" for p, q in ORDER]
        plots.corners(spots, words, COLORS[names[0]], ax=ax)
        ax.add_patch(plt.Rectangle((ends[0], ends[2]), 3.3, 3.3, fill=False, edgecolor="#bbbbbb"))
        ax.set_title(f"grey: G draws {names[1]}; white: none", fontsize=10)
    figure.suptitle(f"{NAME}: means of z, seen on the plane of both steps", fontsize=10)
    show(figure, "Three sheets with four dots each: on the left the sum ends at the fourth dot, else beside it.")


def steps(count: int = 50, n: int = 200) -> None:
    """How many sums are hits if only a part of the difference is added: two pairs that work, and hair with hair."""
    (z, yes), read = draws(4000), attributes.reading(generator())  # the z of the pictures above and below
    print("hits, if this part of the step is walked" + "".join(f"{part:>7g}" for part in PARTS))
    for a, b in ((1, 2), (2, 1), (3, 0), (0, 3)):
        print(f"{NAMES[a] + ', carried by ' + NAMES[b]:41}", end="")
        for part in PARTS:
            with seeded(0):
                print(f"{attributes.sums(read, z, yes, a, b, count, n, part).both:7.0%}", end="\n" * (part == 1))


def predicted() -> None:
    """For each attribute and carrier of three generators: do the four means make a parallelogram, do sums work?"""
    figure, ax = plt.subplots(figsize=(6.4, 3.2))
    for game, mark in zip(_counts(), "o^s", strict=False):
        for name in NAMES:
            for counted in game["sums"][name].values():
                ax.plot(counted["gap"], counted["both"][-1], mark, color=COLORS[name], markersize=5, alpha=0.8)
    for place, name in enumerate(NAMES):
        ax.text(1.02, 0.9 - 0.12 * place, name, color=COLORS[name], transform=ax.transAxes)
    words = "dots: faces_dcgan\nothers: trained with\nother random numbers"
    ax.text(1.02, 0.2, words, fontsize=9, transform=ax.transAxes)
    ax.set(xlabel="gap between the sum and the fourth mean, in steps", ylabel="hits of sums, means of 50")
    ax.set(ylim=(-0.04, 1.05), xlim=(0, None))
    alt = "Hits over the gap between sum and fourth mean: most dots at 1, gaps below .4; six, of long and of dark hair,"
    show(figure, f"{alt} below .5, with gaps of .47 to .67.")


# -- the checks of the exercises ---------------------------------------------------------------------------------------


@check
def check_layers(layers: Any) -> str | None:
    """layers() -> the layers of a G from z, (n, 32), to faces, (n, 3, 32, 32), by transposed convolutions."""
    made = call(layers)
    if made is None or made is ...:
        return UNANSWERED
    if isinstance(made, (list, tuple)):
        made = nn.Sequential(*made)
    if not isinstance(made, nn.Sequential):
        return f"return nn.Sequential(...); got {named(made)}."
    x, sides = torch.randn(4, 32), []
    for part in made.eval():
        try:
            x = part(x)
        except RuntimeError as error:
            return f"{type(part).__name__} cannot take what comes to it, of shape {tuple(x.shape)}: {str(error)[:90]}"
        sides += [x.shape[-1]] if x.dim() == 4 else []
    if x.shape != (4, 3, 32, 32):
        return f"faces must come out, (4, 3, 32, 32) from four z; yours are {tuple(x.shape)}."
    kinds = [type(part) for part in made]
    if nn.ConvTranspose2d not in kinds:
        return "no layer is a transposed convolution: nn.ConvTranspose2d doubles the side."
    if kinds.count(nn.Linear) > 1:
        return "one linear layer, the first, is enough; the rest is done by transposed convolutions."
    if not {4, 8, 16} <= set(sides):
        return f"begin with maps of 4 x 4, and double three times; the sides of your maps are {sorted(set(sides))}."
    if not {nn.ReLU, nn.LeakyReLU} & set(kinds):
        return "without a bend between them all layers together are one linear map: put nn.ReLU() before each."
    if nn.Tanh not in kinds:
        return "nothing keeps the pixels in [-1, 1]: end with nn.Tanh()."


@check
def check_arithmetic(arithmetic: Any) -> str | None:
    """arithmetic(with_a, without_a, start), groups of z (n, 32) each -> one z, (32,), of the usual length."""
    with seeded(3):
        groups = torch.randn(3, 32) + 1, torch.randn(5, 32), torch.randn(4, 32) - 0.5
    a, b, c = (group.mean(dim=0) for group in groups)
    sums, firsts = [group.sum(dim=0) for group in groups], [group[0] for group in groups]
    answer, total, usual = tensor(call(arithmetic, *groups)), a - b + c, attributes.usual
    if answer.shape not in ((32,), (1, 32)):
        return f"one z of 32 numbers is wanted; got shape {tuple(answer.shape)}: the mean runs over the rows, dim=0."
    answer, length = answer.view(32), 32**0.5
    typical = {
        f"right sum, but its length is {total.norm():.1f}: bring it back to the usual length, sqrt(32).": total,
        "this is with + without - start: take without away, and add start.": usual(a + b - c),
        "this is without - with + start: the other way round.": usual(b - a + c),
        "start is missing.": usual(a - b),
        "the length is 1 now: multiply by sqrt(32).": total / total.norm(),
        "the length is 32 now: multiply by the root of 32.": 32 * total / total.norm(),
        "these are sums of the groups, not means.": usual(sums[0] - sums[1] + sums[2]),
        "this takes the first of each group: the mean is over all of them.": usual(firsts[0] - firsts[1] + firsts[2]),
        "the means were made longer before the sum: only the sum is brought back to the usual length.": (
            usual(usual(a) - usual(b) + usual(c))
        ),
    }
    other = f"the length is {answer.norm():.2f}, and should be {length:.2f}; the direction is wrong, too."
    if abs(answer.norm() - length) < 0.01:
        other = "the length is right, the direction is not: mean of with, minus mean of without, plus mean of start."
    return verdict(answer, usual(total), typical, other)


class _Toy(nn.Module):
    """A small G with 5 maps of 4 x 4 before its last transposed convolution."""

    def __init__(self) -> None:
        super().__init__()
        maps = nn.Linear(6, 5 * 16), nn.Unflatten(1, (5, 4, 4)), nn.ReLU()
        self.net = nn.Sequential(*maps, nn.ConvTranspose2d(5, 3, 4, 2, 1), nn.Tanh()).requires_grad_(False)

    def forward(self, z: Tensor) -> Tensor:
        return self.net(z)


@check
def check_switch(switch: Any) -> str | None:
    """switch(G, z, off): what G draws from z, (n, 32), when these maps before its last convolution are 0."""
    with seeded(4):
        G, z, off, every = _Toy().eval(), torch.randn(7, 6), [1, 3], slice(None)
    before = {key: value.clone() for key, value in G.state_dict().items()}
    answer, maps = tensor(call(switch, G, z, off)), G.net[:-2](z)
    if any(not torch.equal(value, before[key]) for key, value in G.state_dict().items()):
        return "G's own weights have changed, so the maps are off for good: set the maps to 0, not the weights."
    if answer.shape == maps.shape:
        return "these are the maps: send them on through the last two layers, G.net[-2:]."

    def without(*where: Any) -> Tensor:
        some = maps.clone()
        some[where] = 0
        return G.net[-2:](some)

    typical = {
        "nothing is switched off.": G(z),
        "these maps are kept and the others are off: the other way round.": without(every, [0, 2, 4]),
        "faces were switched off, not maps: maps is (n, maps, side, side), so maps[:, off] = 0.": without(off),
        "rows of each map were switched off, not maps: maps[:, off] = 0.": without(every, every, off),
        "only the first of them is off.": without(every, off[:1]),
        "only the last of them is off.": without(every, off[1:]),
        "the tanh is missing: send the maps on through the last two layers.": without(every, off).atanh(),
    }
    other = "these are not the faces that come out without the maps."
    return verdict(tensor(answer, 7, 3, 8, 8), without(every, off), typical, other)
