"""Behind lesson 14, in which a VAE of the same nets stands beside the GAN: its pictures, and its checks."""

from collections.abc import Sequence
from functools import cache, partial
from typing import Any

import matplotlib.pyplot as plt
import torch
from torch import Tensor, nn
from torch.distributions import Normal

from gan_lessons import data, hill, plots, pretrained, svg, vae
from gan_lessons.devices import seeded
from gan_lessons.lessons.checking import call, check, number, show, tensor, verdict
from gan_lessons.metrics import NEW_FACES
from gan_lessons.style import STYLE
from gan_lessons.tiles import tile, unpacked

VAE, GAN, GREY = "#7a5195", STYLE["fakes"]["color"], "#777777"
NAMES = data.ATTRIBUTES
HUMPS, WIDTH = (490.0, 510.0), 2.0
FINES = {2: "#c8553d", 1: "#00798c"}  # colours, by the power of the error
CENTRES = data.bumps().component_distribution.mean

_record = partial(data.saved_record, "vae")


@cache
def _faces(n: int = 4000) -> Tensor:
    """Faces that no net has seen, the very ones of the record."""
    return data.faces(n, seed=NEW_FACES).images / 127.5 - 1


@cache
def _places() -> tuple[Tensor, Tensor]:
    """Of twenty of them: the z found in the GAN by descent, and the encoder's mean z, (20, 32) each."""
    return torch.tensor(_record()["inversion"]["z"]), vae.shipped().encode(_faces()[:20])[0]


@cache
def _gan() -> nn.Module:
    return pretrained.load("faces_dcgan", average=True)


def _nets() -> dict[str, tuple[nn.Module, Tensor]]:
    found, means = _places()
    return {"GAN": (_gan(), found), "VAE": (vae.shipped().decoder, means)}


# -- one face in two spaces --------------------------------------------------------------------------------------------


def walk(t: float = 0.0, pair: int = 1, noise: float = 0.0) -> str:
    """What the sliders draw: on the way from one face to another, in the spaces of both, and with noise added to z."""
    a, b = 2 * pair - 2, 2 * pair - 1
    with seeded(pair):
        eps = torch.randn(32)
    parts = svg.text(10, 16, f"t = {t:.2f}: z = {1 - t:.2f} z(left) + {t:.2f} z(right)" + (noise > 0) * " + noise")
    shown = {"real face": _faces()[a]}
    for name, (net, z) in _nets().items():
        shown[name] = net(((1 - t) * z[a] + t * z[b] + noise * eps)[None])[0]
    shown["another real face"] = _faces()[b]
    for i, (name, x) in enumerate(shown.items()):
        size, left = (176, 134 + 192 * (i - 1)) if 0 < i < 3 else (112, 10 if i == 0 else 518)
        source = svg.png(svg.grey(tile(x[None], 1)))
        look = 'preserveAspectRatio="none" style="image-rendering:pixelated"'
        place = f'x="{left}" y="{48 if size > 150 else 80}" width="{size}" height="{size}"'
        parts += f'<image {place} {look} href="{source}"/>'
        parts += svg.text(left + size / 2, 40 if size > 150 else 72, name, anchor="middle", size=14)
        words = [word for word, yes in zip(NAMES, (pretrained.reader()(x[None])[0] > 0).tolist(), strict=True) if yes]
        for row, some in enumerate((words[:2], words[2:]) if size < 150 else (words,)):
            parts += svg.text(left + size / 2, 242 + 16 * row, ", ".join(some), anchor="middle")
    return svg.picture(parts, "a real face, what both nets draw on the way, another real face", 640, 272)


def walks(pairs: Sequence[int] = (1, 2)) -> None:
    """The same without sliders."""
    rows, t = {}, torch.linspace(0, 1, 7)[:, None]
    for pair in pairs:
        a, b = 2 * pair - 2, 2 * pair - 1
        for name, (net, z) in _nets().items():
            way = net((1 - t) * z[a] + t * z[b])
            rows[f"{name}, pair {pair}"] = torch.cat([_faces()[a : a + 1], way, _faces()[b : b + 1]])
    heads = ["real", *(f"t = {one:.2g}" for one in t[:, 0].tolist()), "real"]
    alt = "Four rows: a real face, seven on the way, another real face. The GAN's are sharp, and hair changes at one"
    _rows(rows, "", f"{alt} step; the VAE's are soft and fade into each other.", heads)


def _rows(rows: dict[str, Tensor], title: str, alt: str, heads: Sequence[str] = ()) -> None:
    columns = len(next(iter(rows.values())))
    figure, ax = plt.subplots(figsize=(0.64 * columns + 2.2, 0.64 * len(rows) + 0.5))
    plots.image_rows(rows, columns, ax=ax)
    side = ax.images[0].get_array().shape[1] / columns
    for i, head in enumerate(heads):
        ax.text(side * (i + 0.5), -4, head, ha="center", fontsize=9)
    ax.set_title(title, fontsize=10, pad=18 if heads else 6)
    show(figure, alt)


# -- one answer to two humps -------------------------------------------------------------------------------------------


def humps(left: float = 0.5) -> Any:
    """Coins of two kinds, the left hump with this share."""
    return data.bumps(HUMPS, (WIDTH, WIDTH), (left, 1 - left))


def best_answers(left: float) -> tuple[float, float]:
    """The mean and the median of these coins; with equal humps every place in the gap is a median, and this is 500."""
    x, law = torch.linspace(480, 520, 40_001).double(), humps(left)
    weights = Normal(torch.tensor(HUMPS).double(), WIDTH).cdf(x[:, None])  # (places, 2)
    below = weights @ torch.tensor([left, 1 - left]).double()
    return law.mean.item(), x[(below - 0.5).abs().argmin()].item()


def answers(left: float = 0.5) -> str:
    """What the slider draws: both humps, and the one answer that costs least by either fine."""
    x = torch.linspace(480, 520, 401)
    box = svg.Box(20, 44, 560, 190, (480, 520), (0, 0.2))
    parts = box.show([box.line(x, humps(left).log_prob(x).exp(), "data", title="real coins")])
    parts += box.x_axis("weight of a coin (dotted: real coins)")
    for i, (place, words) in enumerate(zip(best_answers(left), ("the mean", "the median"), strict=True)):
        parts += f'<path d="M{20 + box.x(place):.1f} 60v174" stroke="{FINES[2 - i]}" stroke-width="{(7, 2.5)[i]}"/>'
        parts += svg.text(20 + 300 * i, 20, f"{('squared', 'absolute')[i]} fine: {words}, {place:.1f}", FINES[2 - i])
    return svg.picture(parts, "two humps, and the one answer that costs least by either fine", 600, 270)


def one_answer(left: float = 0.5) -> None:
    """The two fines for every answer; and the hill of the best D when all fakes are at the mean."""
    figure, (fines, ax) = plt.subplots(1, 2, figsize=(10.4, 3.1))
    x, law = torch.linspace(480, 520, 401), humps(left)
    with seeded(0):
        coins = law.sample((20_000,))
    fines.fill_between(x, 40 * law.log_prob(x).exp(), color="black", alpha=0.08, linewidth=0)
    for power, words in ((2, "root of the mean squared fine"), (1, "mean absolute fine")):
        cost = (coins[:, None] - x).abs().pow(power).mean(dim=0).pow(1 / power)
        fines.plot(x, cost, color=FINES[power], linewidth=2)
        look = {"color": FINES[power], "rotation": -28, "rotation_mode": "anchor", "fontsize": 9}
        fines.text(480.5, cost[0] + (1.2 if power == 2 else -4.6), words, **look)
    fines.set(xlabel="answer (grey: where real coins are)", ylabel="fine, in coin units", ylim=(0, 30))
    hill.draw_best(law, Normal(middle := law.mean.item(), 1.5), x, ax)
    ax.set(xlabel="weight of a coin", title="fakes between the humps, and the best D", ylim=(0, 1.08))
    ax.text(486.8, 1.02, "D*", color=STYLE["D*"]["color"])
    ax.text(512.5, 0.42, "real coins")
    ax.text(middle + 3.2, 0.6, "fakes", color=GAN)
    show(figure, "Left, two curves whose bottoms lie between the humps; right, a hill with a deep valley there.")


def mean_face(n: int = 2000) -> None:
    """Real faces, and the one picture that costs least by either fine."""
    x = _faces()[:n]
    rows = torch.cat([x[:6], x.mean(dim=0, keepdim=True), x.median(dim=0, keepdim=True).values])
    heads = [*["real"] * 6, "mean", "median"]
    alt = "Six faces, then two blurred ones: the mean has brown hair, the median hair in two colours."
    _rows({"": rows}, "", alt, heads)


# -- three bumps -------------------------------------------------------------------------------------------------------


def bumps(encoder: nn.Module, decoder: nn.Module) -> None:
    """Where the encoder puts the three bumps on the axis of z, and what the decoder makes of new z."""
    with seeded(0), torch.no_grad():
        x, z = data.bumps().sample((3000,)), torch.randn(10_000, 1)
        mu, log_sd = encoder(x).chunk(2, dim=1)
        fakes = decoder(z)
    figure, (left, right) = plt.subplots(1, 2, figsize=(10.4, 3.2))
    at, near = torch.linspace(-3.5, 3.5, 281), (x[:, None] - CENTRES).abs().argmin(dim=1)
    each = Normal(mu, log_sd.exp()).log_prob(at).exp()  # (3000, places)
    for bump, color in enumerate(("#c8553d", "#8d6a00", "#00798c")):
        share = each[near == bump].sum(dim=0) / len(x)
        left.fill_between(at, share, color=color, alpha=0.35, linewidth=0)
        left.text(at[share.argmax()], share.max() + 0.01, f"{CENTRES[bump]:g}", color=color, ha="center")
    left.plot(at, each.mean(dim=0), color=VAE, label="all clouds together")
    left.plot(at, Normal(0, 1).log_prob(at).exp(), **STYLE["guide"] | {"color": "black"}, label="N(0, 1)")
    left.set(
        xlabel="z",
        ylabel="density",
        ylim=(0, 1.15 * each.mean(dim=0).max().item()),
        title="clouds of z, by the bump their coin is from",
    )
    left.legend(loc="upper right")
    bins = torch.linspace(475, 525, 101)
    heights = torch.histogram(fakes, bins, density=True).hist
    right.stairs(heights, bins, color=VAE, linewidth=1.8, label="the decoder's coins")
    right.plot(bins, data.bumps().log_prob(bins).exp(), **STYLE["data"], label="data")
    right.set(xlabel="weight of a coin", ylabel="density", title="10,000 new z through the decoder")
    right.legend(loc="upper right")
    alt = "Left, three heaps of z with gaps between them where the bell N(0, 1) has none; right, the decoder's coins:"
    show(figure, f"{alt} three peaks lower than the data's, and many coins between.")


def seeds() -> None:
    """Twenty seeds of both: the share of good coins, and how many bumps have any."""
    rows = _record()["bumps"]
    figure, axes = plt.subplots(1, 2, figsize=(10.4, 2.9), sharey=True)
    for ax, name, color in zip(axes, ("gan", "vae"), (GAN, VAE), strict=True):
        for row in rows:
            modes, good, *_ = row[name]
            ax.plot(row["seed"], good, "o", color=color, mfc=color if modes == 3 else "white", markersize=9)
            ax.text(
                row["seed"],
                good - 0.003,
                f"{modes:g}",
                color="white" if modes == 3 else color,
                ha="center",
                va="center",
                fontsize=7,
            )
        ax.axhline(0.997, **STYLE["guide"])
        ax.set(
            xlabel="seed", title=f"{name.upper()}: the number in a dot says how many bumps it found", ylim=(0.55, 1.04)
        )
    axes[0].set_ylabel("share of coins within\n3 sd of a bump")
    axes[1].text(0, 0.975, "the data themselves: .997", color=GREY, fontsize=9, va="top")
    alt = f"Share of good coins for {len(rows)} seeds. GAN: from .59 to 1, the highest with only one bump found."
    show(figure, f"{alt} VAE: all near .89, with three bumps found.")


# -- s, and the figures ------------------------------------------------------------------------------------------------


def by_s() -> None:
    """Four VAEs that differ in s: new faces as they come back, draws, and what is measured of both."""
    ones = {float(s): rows[0] for s, rows in _record()["faces"]["vae"].items()}  # in the order of s
    figure, (faces, far) = plt.subplots(1, 2, figsize=(11.4, 5.4), width_ratios=(1.9, 1))
    pictures = {"real": _faces()[:10]}
    pictures |= {f"back, s = {s:g}": unpacked(row["back"]["faces"], 32) for s, row in ones.items()}
    pictures |= {f"draws, s = {s:g}": unpacked(row["pictures"], 32)[:10] for s, row in ones.items()}
    plots.image_rows(pictures, 10, ax=faces)
    come_back, drawn = (
        [row["frechet"] for row in rows] for rows in ([r["back"] for r in ones.values()], ones.values())
    )
    far.plot(list(ones), come_back, "o--", color=VAE, mfc="white", label="faces that come back")
    far.plot(list(ones), drawn, "o-", color=VAE, label="draws")
    far.set(xscale="log", yscale="log", xlabel="s", title="Frechet distance")
    far.set_xticks(list(ones), [f"{s:g}" for s in ones])
    far.minorticks_off()
    far.legend(fontsize=8)
    alt = "Faces for four s: those that come back are good; draws are bad and get better as s grows. Right, their"
    show(figure, f"{alt} Fréchet distances: below 1, and from {drawn[0]:.0f} down to {drawn[-1]:.0f}.")


def rows_of(kind: str) -> dict[str, list[dict[str, Any]]]:
    """What was measured of faces or of digits, a list of seeds for each: real ones, the GAN, VAEs by s, and chance."""
    record = _record()[kind]
    vaes = {f"VAE, s = {s:g}": record["vae"][str(s)] for s in sorted(map(float, record["vae"]))}
    chance = {name: [record[name]] for name in ("mean image", "noise")}
    return {"real": [record["real"]], "GAN": record["gan"]} | vaes | chance


def measured(kind: str) -> None:
    """Pictures of each, and all figures, a dot for each seed; the floor is in black, and chance in grey."""
    rows, faces = rows_of(kind), kind == "faces"
    figure = plt.figure(figsize=(11, 0.5 + 0.85 * len(rows)))
    above, below = figure.subfigures(2, 1, height_ratios=(len(rows) - 1.5, len(rows)))
    real = _faces()[:20] if faces else data.mnist("test")[:20].images.flatten(1) / 127.5 - 1
    pictures = {"real": real, "GAN": real}
    if faces:
        with seeded(0):
            pictures["GAN"] = _gan()(_gan().latent.sample((20,)))
    kept = {
        name: unpacked(games[0]["pictures"], 32 if faces else 28)
        for name, games in rows.items()
        if "pictures" in games[0]
    }
    plots.image_rows(pictures | kept, 20, ax=above.subplots())
    last = ("kinds", "kinds found, of 16") if faces else ("sure", "share with a sure reading")
    columns = {"grain": "grain (real = 1)", "frechet": "Frechet distance", "coverage": "coverage", last[0]: last[1]}
    for ax, (key, words) in zip(below.subplots(1, 4, sharey=True), columns.items(), strict=True):
        for place, (name, games) in enumerate(rows.items()):
            color = {"real": "black", "GAN": GAN, "VAE": VAE}.get(name[:4].strip(","), GREY)
            inside = "white" if color == GREY else color
            values = [game[key] for game in games]
            ax.plot(values, [place] * len(values), "o", color=color, mfc=inside, alpha=0.8)
        ax.set_xlabel(words)
        ax.set_xscale("log" if key in ("frechet", "grain") else "linear")
        ax.grid(axis="y", color="#eeeeee")
        ax.set_yticks(range(len(rows)), list(rows))
        ax.set_ylim(len(rows) - 0.5, -0.5)
    alt = f"Rows of {kind}: real ones, a GAN's, and VAEs' by s; under them dots for each, with floor and chance: in"
    show(figure, f"{alt} Fréchet distance and coverage the GAN is nearest to real ones, VAEs get nearer as s grows.")


# -- what comes back ---------------------------------------------------------------------------------------------------


def back() -> None:
    """New faces through the VAE, and as the GAN draws them at the z found; and how many keep an attribute."""
    ours, found = _record()["faces"]["vae"][str(vae.shipped().s)], _record()["inversion"]
    figure, (faces, ax) = plt.subplots(1, 2, figsize=(11.5, 2.6), width_ratios=(1.5, 1))
    rows = {"real": _faces()[:10], "VAE": unpacked(ours[0]["back"]["faces"], 32), "GAN": unpacked(found["faces"], 32)}
    plots.image_rows(rows, 10, ax=faces)
    said = []
    for i, (name, color, games) in enumerate((("VAE", VAE, [one["back"] for one in ours]), ("GAN", GAN, [found]))):
        values = torch.tensor([game["kept"] for game in games]).mean(dim=0)
        bars = ax.bar(torch.arange(4) + 0.36 * (i - 0.5), values, 0.34, color=color, label=name)
        ax.bar_label(bars, labels := [f"{100 * value:.0f}" for value in values.tolist()], fontsize=8)
        said.append(f"{name} {', '.join(labels)}")
    ax.set_xticks(range(4), NAMES)
    ax.set(ylim=(0, 1.1), title="of those who had it, the share that still has it")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=2)
    alt = f"Ten faces, and what comes back from a VAE and from a GAN; beside them bars: of 100 with {', '.join(NAMES)}"
    show(figure, f"{alt} so many still have it: {'; '.join(said)}.")


# -- the checks of the exercises ---------------------------------------------------------------------------------------


@check
def check_draw(draw: Any) -> str | None:
    """draw(mu, sd), (n, d) each -> z, (n, d), from N(mu, sd^2), with slopes in mu and sd."""
    mu = torch.tensor([[3.0, -1.0, 0.5]]).repeat(20_000, 1).requires_grad_()
    sd = torch.tensor([[0.5, 2.0, 1.0]]).repeat(20_000, 1).requires_grad_()
    if not callable(draw):
        return str(call(draw))
    z = draw(mu, sd)
    found = tensor(z, 20_000, 3)
    error = (found - mu.detach()) / sd.detach()
    mean, spread = error.mean(dim=0), error.std(dim=0)
    centred = found - mu.detach()
    wide, right = centred.std(dim=0), sd[0].detach().double()
    if wide.max() < 1e-6 or found.std(dim=0).max() < 1e-6:
        fixed = (
            "nothing is random here: add sd times eps"
            if mean.abs().max() < 0.05
            else "all rows are alike: draw new eps"
        )
        return f"{fixed}, with eps = torch.randn_like(mu)."
    spreads = {"1 everywhere": torch.ones(3).double(), "sd^2": right**2, "the root of sd": right**0.5}
    for words, other in (spreads | {"exp(sd)": right.exp()}).items():
        if wide.allclose(other, rtol=0.05) and mean.abs().max() < 0.05:
            return f"the spread is {words}: multiply eps by sd itself."
    if found.mean(dim=0).abs().max() < 0.1:
        return "the mean is 0: add mu."
    if mean.abs().max() > 0.05 or (spread - 1).abs().max() > 0.05:
        return "z should have mean mu and standard deviation sd in each column: mu + sd * eps, eps from N(0, 1)."
    if torch.corrcoef(error.T).fill_diagonal_(0).abs().max() > 0.05:
        return "the columns go together: draw an eps for each number of z, torch.randn_like(mu)."
    if not torch.is_tensor(z) or not z.requires_grad:
        return "no slope runs back to mu and sd: torch.normal and .sample() cut it; write mu + sd * eps."
    slopes = torch.autograd.grad(z.sum(), (mu, sd), allow_unused=True)
    if any(slope is None or not slope.any() for slope in slopes):  # torch.normal has slopes, and all of them are 0
        return "no slope runs back to one of mu and sd: torch.normal, detach() and .data cut it; write mu + sd * eps."
    return None


def _example() -> tuple[Tensor, ...]:
    with seeded(5):
        return torch.rand(6, 4), torch.rand(6, 4), torch.randn(6, 3), 0.4 + torch.rand(6, 3)


@check
def check_reconstruction(reconstruction: Any) -> str | None:
    """reconstruction(x, back, s), (n, pixels) each -> the mean over x of the sum of (x - back)^2 / (2 s^2)."""
    x, back, *_ = _example()
    answer, squares, s = number(call(reconstruction, x, back, 0.2)), (x - back).square(), 0.2
    typical = {
        "this is a mean over pixels, too: sum over the pixels of each x, then the mean over x.": squares.mean()
        / (2 * s**2),
        "this is the sum over all x: take the mean over them.": squares.sum() / (2 * s**2),
        "the factor is missing: divide by 2 s^2.": squares.sum(1).mean(),
        "divide by 2 s^2, not by s^2.": squares.sum(1).mean() / s**2,
        "divide by 2 s^2; s is not squared yet.": squares.sum(1).mean() / (2 * s),
        "(2 s)^2 is 4 s^2: divide by 2 s^2.": squares.sum(1).mean() / (2 * s) ** 2,
        "the differences are not squared.": (x - back).sum(1).mean() / (2 * s**2),
        "these are absolute differences: square them.": (x - back).abs().sum(1).mean() / (2 * s**2),
        "the sign: a loss is to be small where back is near x.": -squares.sum(1).mean() / (2 * s**2),
        "this is (a / 2) s^2: put 2 s^2 in brackets.": squares.sum(1).mean() / 2 * s**2,
    }
    other = f"for this example {(squares.sum(1).mean() / (2 * s**2)).item():.4f} is right; yours is {answer:.4f}."
    return verdict(answer, squares.sum(1).mean() / (2 * s**2), typical, other)


@check
def check_kl(kl: Any) -> str | None:
    """kl(mu, sd), (n, d) each -> the mean over x of the sum over z's numbers of (mu^2 + sd^2 - 1) / 2 - log sd."""
    *_, mu, sd = _example()
    answer, each = number(call(kl, mu, sd)), (mu**2 + sd**2 - 1) / 2 - sd.log()
    right = each.sum(dim=1).mean()
    typical = {
        "this is a mean over the numbers of z, too: sum over them, dim=1, then the mean over x.": each.mean(),
        "this is the sum over all x: take the mean over them.": each.sum(),
        "the sign of log sd: it is minus log sd, so that narrow clouds cost much.": ((mu**2 + sd**2 - 1) / 2 + sd.log())
        .sum(1)
        .mean(),
        "the -1 is missing: with mu = 0 and sd = 1 the result should be 0.": right + mu.shape[1] / 2,
        "the 1/2 is missing before mu^2 + sd^2 - 1.": (mu**2 + sd**2 - 1 - sd.log()).sum(1).mean(),
        "log sd is halved, too: only mu^2 + sd^2 - 1 is.": ((mu**2 + sd**2 - 1 - sd.log()) / 2).sum(1).mean(),
        "sd is not squared.": ((mu**2 + sd - 1) / 2 - sd.log()).sum(1).mean(),
        "mu is not squared.": ((mu + sd**2 - 1) / 2 - sd.log()).sum(1).mean(),
        "the sign of the whole is the other way round: KL is never negative.": -right,
        "log sd is missing: without it a cloud of no width costs nothing.": ((mu**2 + sd**2 - 1) / 2).sum(1).mean(),
    }
    other = f"for this example {right.item():.4f} is right; yours is {answer:.4f}."
    return verdict(answer, right, typical, other)
