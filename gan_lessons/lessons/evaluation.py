"""Behind lesson 09, how good the fakes are: its pictures, and the checks of its exercises."""

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import matplotlib.pyplot as plt
import torch
from torch import Tensor
from torch.distributions import Normal

from gan_lessons import data, metrics, plots, pretrained
from gan_lessons.devices import seeded
from gan_lessons.lessons.checking import Mistake, call, check, named, number, show, tensor, verdict
from gan_lessons.style import STYLE
from gan_lessons.views import bells
from gan_lessons.views.bells import FAKES, LINK, REAL, WIDTHS, X, coin_nats, coins, mean_of_bumps, own_nats

window, two_bells = bells.bumps, bells.two  # the live ones
GREEN, PALE, GREY, MADE = STYLE["fakes"]["color"], "#9fd3a8", "#888888", "#8a5a00"  # MADE: made of real digits
SIZES = {10: ":", 100: "--", 1000: "-"}  # numbers of fake coins, and their lines
OLD = {"DBN": 138, "stacked CAE": 121, "deep GSN": 214, "adversarial nets": 225}  # Table 1 of the paper, MNIST


# -- the pictures, in the order of the notebook ------------------------------------------------------------------------


def three_widths() -> None:
    """The mean of ten bumps for three widths, and the log-likelihood for every width and three numbers of fakes."""
    figure, axes = plt.subplots(1, 4, figsize=(12, 3.1), width_ratios=(1, 1, 1, 1.7))
    ten, tops = coin_nats(10, 5.0), {n: max(coin_nats(n, 5.0)) for n in SIZES}
    for ax, sigma in zip(axes, (0.4, WIDTHS[ten.index(tops[10])], 12), strict=False):
        ax.plot(X, REAL, **STYLE["data"])
        ax.plot(X, mean_of_bumps(sigma, 10, 5.0), **STYLE["fakes"])
        ax.plot(500 + 5 * coins(FAKES, 10), [0.003] * 10, "|", color=GREEN)
        ax.set(title=f"sigma {sigma:g}: {ten[round(5 * sigma) - 1]:.2f} nats", ylim=(0, 0.2), xlabel="weight, x")
        ax.label_outer()
    axes[0].set_ylabel("density")
    for n, line in SIZES.items():
        nats = coin_nats(n, 5.0)
        axes[3].plot(WIDTHS, nats, line, color=GREEN, linewidth=1.8, label=f"{n} fakes")
        axes[3].plot(WIDTHS[nats.index(tops[n])], tops[n], "o", color=GREEN)
    axes[3].axhline(own_nats(), **STYLE["data"])
    axes[3].set(xlabel="sigma, the width of the bumps", ylabel="log-likelihood, nats", ylim=(-4.2, -2.95), xlim=(0, 12))
    axes[3].legend(loc="lower right")
    show(figure, "Ten spikes, then a hump near the data's, then one far too wide; the best sigma shrinks as n grows.")


def less_spread() -> None:
    """The best log-likelihood that fakes of each spread can reach, and the mean of the bumps for two of them."""
    spreads, (figure, (left, right)) = [i / 2 for i in range(15)], plt.subplots(1, 2, figsize=(10.5, 3.1))
    for n, line in SIZES.items():
        left.plot(spreads, [max(coin_nats(n, s)) for s in spreads], line, color=GREEN, label=f"{n} fakes")
    left.axhline(own_nats(), **STYLE["data"])
    left.axvline(5, **STYLE["guide"])
    left.set(xlabel="spread of the fakes (guide: the real one, 5)", ylabel="nats at the best sigma", ylim=(-3.3, -2.98))
    left.legend(loc="lower left")
    right.plot(X, REAL, **STYLE["data"])
    for spread, line, words in ((0.0, "-", "one coin for ever"), (5.0, "--", "ten fakes of spread 5")):
        best = WIDTHS[coin_nats(10, spread).index(max(coin_nats(10, spread)))]
        right.plot(X, mean_of_bumps(best, 10, spread), line, color=GREEN, label=f"{words}, sigma {best:g}")
    right.set(xlabel="weight of a coin, x", ylabel="density", ylim=(0, 0.12))
    right.legend(loc="upper left", fontsize=8)
    show(figure, "With ten fakes the log-likelihood is highest for a spread of 0, and lower at the real spread, 5.")


@cache
def digits() -> tuple[Tensor, Tensor, Tensor]:
    """50,000 training, 1,000 held-out and 10,000 test digits, a row of 784 pixels from 0 to 1 each."""
    train, test = (data.mnist(part).images.flatten(1) / 255 for part in ("train", "test"))
    return train[:50_000], train[50_000:51_000], test


def widths(train: Tensor, held_out: Tensor) -> None:
    """Log-likelihood of held-out digits for every sigma, with bumps on 1,000, 10,000 and 50,000 others; and draws."""
    sigmas = [i / 100 for i in range(12, 34, 2)]
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.2), width_ratios=(3, 2))
    for n, line in ((1000, ":"), (10_000, "--"), (50_000, "-")):
        nats = [metrics.parzen_log_likelihood(train[:n], held_out[:300], sigma)[0] for sigma in sigmas]
        left.plot(sigmas, nats, line, color="black", linewidth=1.8, label=f"bumps on {n:,} digits: {max(nats):.0f}")
        left.plot(sigmas[nats.index(max(nats))], max(nats), "o", color="black")
    left.set(xlabel="sigma, the width of the bumps", ylabel="nats, of 300 held-out digits", ylim=(-350, 380))
    left.legend(loc="lower right")
    with seeded(0):
        drawn = {f"sigma {s:.2f}": 2 * (train[:8] + s * torch.randn(8, 784)).clamp(0, 1) - 1 for s in (0.1, 0.18, 0.3)}
    plots.image_rows(drawn, 8, ax=right).set_title("what the bumps stand for: digits with noise")
    show(figure, "The more digits carry bumps, the smaller the best sigma and the higher the top; draws are noisy.")


def table_1(real: float) -> None:
    """Every shipped generator's log-likelihood, raw and averaged, beside the paper's Table 1 and real digits."""
    rows = [("10,000 real digits", {"real digits": real})]
    rows += [(f"paper: {name}", {"of the paper": nats}) for name, nats in OLD.items()]
    for name, both in CARDS.items():
        rows.append((name, {"ours, averaged": both["averaged"]["parzen"], "ours, raw": both["raw"]["parzen"]}))
    rows.sort(key=lambda row: max(row[1].values()))
    colors = {"of the paper": GREY, "real digits": "black", "ours, averaged": GREEN, "ours, raw": PALE}
    figure, ax = plt.subplots(figsize=(9.5, 4.8))
    for i, (_, bars) in enumerate(rows):
        for j, (kind, nats) in enumerate(bars.items()):
            place = i + (0.2, -0.2)[j] * (len(bars) == 2)
            plots.bar(ax, nats, place, f"{nats:.0f}", 0.76 / len(bars), color=colors[kind])
    ax.set(yticks=range(len(rows)), yticklabels=[name for name, _ in rows], xlim=(-310, 300))
    ax.set_xlabel("log-likelihood of test digits, nats")
    ax.legend([plt.Rectangle((0, 0), 1, 1, color=color) for color in colors.values()], colors, loc="upper left")
    show(figure, "Bars, sorted: real digits 244, mnist_best after 10 epochs 240, after 20 231, the paper's nets 225.")


def suspects() -> None:
    """What the paper's recipe scores here, raw, and what it scores if one thing is otherwise."""
    found = {name: it["parzen"] for name, it in data.saved_record("evaluation")["paper"].items()}
    start, rows = found.pop("as on the card"), {"averaged weights": AVERAGED["mnist_paper"]["parzen"]} | found
    rows, (figure, ax) = dict(sorted(rows.items(), key=lambda row: row[1])), plt.subplots(figsize=(9, 2.9))
    for i, (name, nats) in enumerate(rows.items()):
        ax.plot([start, nats], [i, i], "o-", color=MADE if "blurred" in name else GREEN, linewidth=5, markevery=[1])
    ax.axvline(start, color=GREEN, linewidth=1)
    ax.axvline(225, color=GREY)
    ax.set_yticks(range(len(rows)), [f"{name}: {nats:.0f}" for name, nats in rows.items()])
    ax.set(xlabel=f"log-likelihood, nats (left line: ours, raw, {start:.0f}; right line: the paper's 225)")
    show(figure, "Other fakes change nothing, the authors' sigmas take 10; more fakes, average and blur add to 195.")


def rows_of(sets: dict[str, Tensor], n: int = 14) -> None:
    """The first n images of each set, with its name: pixels from 0 to 1."""
    figure, ax = plt.subplots(figsize=(10, 0.72 * len(sets)))
    plots.image_rows({name: 2 * x[:n] - 1 for name, x in sets.items()}, n, ax=ax)
    show(figure, f"Rows of {n} images each: {'; '.join(sets)}.".replace("\n", " "))


def squares(test: Tensor, sets: dict[str, Tensor], which: int = 28) -> None:
    """One test digit, the nearest image of each set, and in red the squared differences, pixel by pixel."""
    figure, axes = plt.subplots(1, 1 + 2 * len(sets), figsize=(11, 2.0))
    pictures = [(test[which], "a test digit", "gray")]
    for name, s in sets.items():
        distance, index = metrics.nearest(test[which : which + 1], s)
        pictures.append((s[index[0]], f"nearest of\n{name}", "gray"))
        pictures.append(((test[which] - s[index[0]]).square(), f"squares,\nsum {distance.item() ** 2:.1f}", "Reds"))
    for ax, (pixels, title, colors) in zip(axes, pictures, strict=True):
        ax.imshow(pixels.view(28, 28), cmap=colors, vmin=0, vmax=1)
        ax.set_title(title, fontsize=9)
        ax.set_axis_off()
    sums = ", ".join(title.split()[-1] for _, title, _ in pictures[2::2])
    show(figure, f"A test digit; the nearest of {', '.join(sets)}; squared differences beside each, in all {sums}.")


@cache
def dimensions(dims: tuple[int, ...] = (1, 2, 5, 10, 20, 50, 100, 300, 784)) -> dict[int, tuple[float, float]]:
    """For N(0, 1) in each of d coordinates: nats that bumps on 10,000 draws lose, and nearest / typical distance."""
    found, scale = {}, [i / 20 for i in (1, 2, 3, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28)]
    with seeded(0):
        for d in dims:
            s, x = torch.randn(10_000, d), torch.randn(200, d)
            apart = torch.cdist(x, s)
            logs = [(apart.square() / (-2 * w**2)).logsumexp(1).mean().item() - d * math.log(w) for w in scale]
            own = (-x.square().sum(1) / 2).mean().item()  # both without d / 2 log(2 pi)
            found[d] = own - max(logs) + math.log(10_000), closeness(apart)
    return found


def closeness(apart: Tensor) -> float:
    """How far the nearest sample is, compared with a typical one: apart are distances, (test, samples)."""
    return (apart.min(dim=1).values / apart.mean(dim=1)).mean().item()


def empty_space(real: Tensor, test: Tensor) -> None:
    """What bumps lose, and how far the nearest is, from 1 dimension to 784; and where digits lie."""
    found, digit = dimensions(), closeness(torch.cdist(test[::20], real))
    figure, (left, right) = plt.subplots(1, 2, figsize=(10.5, 3.1))
    for ax, column in ((left, 0), (right, 1)):
        ax.plot(list(found), [row[column] for row in found.values()], "o-", color=GREEN)
        ax.text(640, found[784][column], f"{found[784][column]:.{2 * column}f}", ha="right", va="bottom")
    left.set(xscale="log", xlabel="number of coordinates, d", ylabel="nats lost by perfect fakes", ylim=(-8, 240))
    right.axhline(digit, color="black", linewidth=1.2)
    right.text(1.1, digit + 0.02, f"digits (784 pixels): {digit:.2f}")
    right.set(xscale="log", xlabel="number of coordinates, d", ylim=(0, 1.08), ylabel="distance: nearest / typical")
    alt = f"Over the number of coordinates, to 784: the nats that perfect fakes lose rise to {found[784][0]:.0f};"
    show(figure, f"{alt} the nearest is at up to {found[784][1]:.2f} of a typical distance, for digits at {digit:.2f}.")


def three_bells() -> None:
    """Three positions of the sliders, each the same distance from the real coins."""
    figure, axes = plt.subplots(1, 4, figsize=(12, 2.9), width_ratios=(1, 1, 1, 1.3))
    for ax, (mean, spread) in zip(axes, ((505, 5), (497, 9), (500, 10)), strict=False):
        ax.plot(X, REAL, **STYLE["data"])
        ax.plot(X, Normal(mean, spread).log_prob(X).exp(), **STYLE["fakes"])
        ax.set(title=f"mean {mean}, spread {spread}", xlabel="weight, x", yticks=[], ylim=(0, 0.1))
        axes[3].plot([500, mean], [5, spread], color=LINK)
        axes[3].plot(mean, spread, "o", color=GREEN)
    axes[3].plot(500, 5, "*", color="black", markersize=13)
    axes[3].set(xlabel="mean", ylabel="spread", xlim=(490, 510), ylim=(0, 12), title="three lines of length 5")
    show(figure, "Three bells, shifted, wider, or both; as points of mean and spread all are 5 away from the star.")


CARDS = {it: pretrained.card(it)["metrics"] for it in pretrained.names() if it[:5] == "mnist" and "cond" not in it}
AVERAGED = {name: both["averaged"] for name, both in CARDS.items()}


def drawn(name: str, n: int = 10_000) -> Tensor:
    """Fakes of a shipped generator, averaged weights, as pixels from 0 to 1: those whose figures are on its card."""
    G = pretrained.load(name, average=True)
    with seeded(0):
        return (G(G.latent.sample((n,))) + 1) / 2


def four_ages() -> None:
    """Three seeds of mnist_best, averaged, after 5, 10, 15 and 20 epochs: log-likelihood and Fréchet distance."""
    rows = [row for row in data.saved_record("mnist_search")["rows"] if "training" in row["images"]]
    figure, axes = plt.subplots(1, 2, figsize=(9.5, 2.9))
    for ax, key in zip(axes, ("parzen", "frechet"), strict=True):
        for seed, line in enumerate(("-", "--", ":")):
            ours = [row for row in rows if row["seed"] == seed and row["weights"] == "averaged"]
            ax.plot([row["epochs"] for row in ours], [row[key] for row in ours], line, marker="o", color=GREEN)
        word, good, *_ = MEASURES[key]
        ax.set(xlabel="epoch", ylabel=word, xticks=[5, 10, 15, 20], title=f"{word}: good is {good}")
    show(figure, "By epoch: log-likelihood rises to epoch 10, then falls; the Fréchet distance falls all the time.")


@cache
def ring_of_balls() -> tuple[Tensor, dict[str, Tensor]]:
    """32 real points along a ring, and 32 fakes in one place, along the ring, and everywhere."""
    with seeded(3):
        angle, jitter = torch.arange(32) * torch.pi / 16, torch.randn(32, 2).clamp(-2, 2)
        ring = 2 * torch.stack([angle.cos(), angle.sin()], dim=1)
        real = ring + 0.2 * torch.randn(32, 2)
    places = {"in one place": ring[:1] + 0.1 * jitter, "along the ring": ring + 0.2 * jitter}
    return real, places | {"everywhere": ring + 1.5 * jitter}


def balls(solved: bool = True) -> None:
    """Balls around real points, each to its 3rd nearest real neighbour; green: those that a fake has reached."""
    (real, places), (figure, axes) = ring_of_balls(), plt.subplots(1, 3, figsize=(11, 3.9), sharex=True, sharey=True)
    for ax, (name, fake) in zip(axes, places.items(), strict=True):
        plots.balls(real, fake, 3, ax, tell=solved)
        words = "density {:.2f}, coverage {:.2f}".format(*metrics.density_and_coverage(real, fake, k=3))
        ax.set(title=f"{name}\n{words}" if solved else name, xlim=(-4.4, 4.4), ylim=(-3.9, 3.9))
    told = "; ".join(ax.get_title().replace("\n", ", ") for ax in axes)
    show(figure, f"Rings of 32 real points, a ball around each{', green if reached' * solved}; 32 fakes: {told}.")


def histograms(sets: dict[str, Tensor]) -> None:
    """Which share of each set the classifier reads as each digit."""
    net, (figure, axes) = pretrained.classifier(), plt.subplots(1, len(sets), figsize=(11, 2.6), sharey=True)
    for ax, (name, x) in zip(axes, sets.items(), strict=True):
        shares, kl = metrics.digit_histogram(net(2 * x[:2000] - 1).argmax(dim=1))
        ax.bar(range(10), shares, color="black" if "real" in name else GREEN)
        ax.axhline(0.1, **STYLE["guide"])
        ax.set(xticks=range(10), xlabel="read as digit (2,000 images)", ylim=(0, 0.42))
        ax.set_title(f"{name}\nKL {kl:.2f} nats")
    axes[0].set_ylabel("share")
    show(figure, "Real digits are spread evenly, and so are mnist_paper's fakes; a third of those of mnist are ones.")


MEASURES = {  # key: its title, how good is seen, its digits, and where its bars end
    "parzen": ("log-likelihood, nats", "high", 0, 340),
    "frechet": ("Fréchet distance", "low", 0, 330),
    "density": ("density\n(real: about 1)", "", 2, 1.6),
    "coverage": ("coverage", "high", 2, 0.95),
    "kl": ("KL of the digits, nats", "low", 2, 0.4),
    "nearest": ("to the nearest training\ndigit (test digits: 4.2)", "", 1, 5),
}
TOLD = ("mnist_best_10_epochs", "mnist_best", "mnist_paper", "mnist", "mnist_small_z2")


def all_measures() -> None:
    """Every measure as a column, every set of images as a row; each column's best number is violet."""
    record = data.saved_record("evaluation")
    rows = record["sets"] | {f"{name}, averaged": AVERAGED[name] for name in TOLD}
    rows = {name: it | {"nearest": record["nearest"][name]} for name, it in rows.items()}
    figure = plots.bar_table(rows, MEASURES, ["black"] + [MADE] * 3 + [GREEN] * len(TOLD), LINK)
    alt = "Bars of six measures for nine sets of images: the centres have the highest likelihood, real digits the best"
    show(figure, f"{alt} Fréchet distance and coverage; no two orders agree.")


def by_n() -> None:
    """The same images, measured with n of them, for five n: nearly every measure moves."""
    figure, axes = plt.subplots(1, 4, figsize=(12.5, 3.0))
    looks = zip(("black", GREEN, GREEN), ("o-", "s-", "v--"), strict=True)
    for (name, rows), (color, line) in zip(data.saved_record("evaluation")["by n"].items(), looks, strict=True):
        for ax, key in zip(axes, MEASURES, strict=False):
            ax.plot([row["n"] for row in rows], [row[key] for row in rows], line, color=color, markersize=4, label=name)
            ax.set(xscale="log", xlabel="number of images, n", ylabel=MEASURES[key][0].split("\n")[0])
            ax.set_xticks([500, 2000, 10_000], ["500", "2,000", "10,000"])
            ax.minorticks_off()
    axes[1].set_yscale("log")
    plt.setp(axes[2:], ylim=(0, 1.1))
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    show(figure, "By number of images: nats rise, Fréchet distances fall or stay, density and coverage of fakes fall.")


# -- the checks of the exercises ---------------------------------------------------------------------------------------


@check
def check_frechet(frechet: Callable[[Tensor, Tensor], Any]) -> str | None:
    """frechet(a, b) of two samples of one number, (n,) and (m,)."""
    a, b = 3 + 2 * coins(1), 10 + 5 * coins(2, 800)
    answer, m, s, t = number(call(frechet, a, b)), (a.mean() - b.mean()).item(), a.std().item(), b.std().item()
    typical = {
        "this is the root; the distance of the lesson is the square.": math.hypot(m, s - t),
        "the second term compares standard deviations, not variances.": m**2 + (s**2 - t**2) ** 2,
        "square the differences before you add them.": m + s - t,
        "square the differences; you take their absolute values.": abs(m) + abs(s - t),
        "the second term is missing: (s_a - s_b)^2.": m**2,
        "the first term is missing: (m_a - m_b)^2.": (s - t) ** 2,
        "the spreads are to be subtracted, not added.": m**2 + (s + t) ** 2,
        "square each difference, then add; you square their sum.": (m + s - t) ** 2,
    }
    right = m**2 + (s - t) ** 2
    other = f"for N(3, 2^2) and N(10, 5^2) it should be near 49 + 9 = 58 ({right:.1f}); yours is {answer:.4g}."
    return verdict(answer, right, typical, other)


@check
def check_log_parzen(log_parzen: Callable[[Tensor, Tensor, float], Any]) -> str | None:
    """log_parzen(x, s, sigma): x (m, d), s (n, d) -> log p_sigma of each x, (m,)."""
    x, s, sigma = coins(2, 12).view(4, 3), coins(3, 18).view(6, 3), 0.9
    apart, norm = (x[:, None] - s).double().square().sum(2), 3 * math.log(sigma * math.sqrt(2 * math.pi))
    logs, mean = -apart / (2 * sigma**2), -math.log(6) - norm
    right = logs.logsumexp(1) + mean
    typical = {
        "these are densities; their log is wanted.": right.exp(),
        "log n is missing: p_sigma is the mean of the bumps, not their sum.": right + math.log(6),
        "each of the d pixels has a factor of its own: d log(sigma sqrt(2 pi)), not one.": right + norm * 2 / 3,
        "the factor in front of the bumps is missing: - d log(sigma sqrt(2 pi)).": right + norm,
        "the factor in front has the wrong sign: a wide bump is low.": right + 2 * norm,
        "a 2 is missing: the exponent is -|x - s|^2 / (2 sigma^2).": (2 * logs).logsumexp(1) + mean,
        "divide the squared distance by 2 sigma^2, not by 2 sigma.": (logs * sigma).logsumexp(1) + mean,
        "the distance in the exponent is to be squared.": (-apart.sqrt() / (2 * sigma**2)).logsumexp(1) + mean,
        "this is the mean of the logs; wanted is the log of the mean.": logs.mean(1) - norm,
        "the exponent needs its minus: far fakes count less.": (-logs).logsumexp(1) + mean,
        "this is the highest bump alone; the mean of all of them is wanted.": logs.max(1).values - norm,
    }
    answer = _one_each(call(log_parzen, x, s, sigma), 4, 6)
    other = f"for the first of 4 points it should be {right[0]:.3f}, and yours is {answer[0]:.4g}."
    if mistake := verdict(answer, right, typical, other):
        return mistake
    answer = _one_each(call(log_parzen, torch.ones(5, 784), torch.zeros(7, 784), 0.2), 5, 7)
    if answer.isinf().any():
        return "right for few pixels; with 784 the bumps round to 0, and log 0 is -inf. Stay in logs: logsumexp."
    right = torch.full((5,), -784 * (12.5 + math.log(0.2 * math.sqrt(2 * math.pi))))
    return verdict(answer, right, {}, "right for 3 pixels, but not for 784.")


def _one_each(answer: Any, rows: int, others: int) -> Tensor:
    answer = tensor(answer)
    if answer.numel() == 1 or answer.shape == (others,):
        what = "their mean" if answer.numel() == 1 else "one for each fake: add up in the other direction"
        raise Mistake(f"a log density for each x is wanted, not {what}.")
    return tensor(answer, rows)


@check
def check_coverage(coverage: Callable[[Tensor, Tensor, int], Any]) -> str | None:
    """coverage(real, fake, k): real (n, d), fake (m, d) -> the share of balls around real points with a fake inside."""
    real, fake = coins(5, 120).view(60, 2), 0.3 + 0.5 * coins(6, 90).view(45, 2)
    between, apart, own = torch.cdist(real, real), torch.cdist(real, fake), torch.cdist(fake, fake)
    for k in (2, 5):
        answer, right = number(call(coverage, real, fake, k)), metrics.density_and_coverage(real, fake, k)[1]
        inside = apart < between.kthvalue(k + 1, dim=1).values[:, None]
        fewer = apart < between.kthvalue(k, dim=1).values[:, None]
        around_fakes = apart < own.kthvalue(k + 1, dim=1).values
        typical = {
            "each point is its own nearest neighbour, at distance 0: take one more.": fewer.any(1).double().mean(),
            "this is the share of fakes in some ball; count the balls.": inside.any(0).double().mean(),
            "this is density: count each ball once, however many fakes are in it.": inside.sum() / (45 * k),
            "this counts pairs of a ball and a fake; a ball counts once.": inside.double().mean(),
            "these balls stand around fakes; they belong to the real points.": around_fakes.any(1).double().mean(),
            "this is the share that is not reached.": 1 - right,
        }
        other = f"for 60 real points, 45 fakes and k = {k} it should be {right:.4f}, and yours is {answer:.4g}."
        if mistake := verdict(answer, right, typical, other):
            return mistake


@cache
def cheat_nats(images: Tensor | None = None) -> float:
    """Log-likelihood of 500 test digits with bumps on images, or on 1,000 real digits, sigma from 300 held-out ones."""
    train, held_out, test = digits()
    images, sigmas = train[:1000] if images is None else images, [i / 50 for i in range(5, 21)]
    scores = [metrics.parzen_log_likelihood(images, held_out[:300], sigma)[0] for sigma in sigmas]
    return metrics.parzen_log_likelihood(images, test[::20], sigmas[scores.index(max(scores))])[0]


@check
def check_better_than_real(change: Callable[[Tensor], Any]) -> str | None:
    """change(images): 1,000 real digits, (1000, 784) from 0 to 1, changed so that they score more nats than before."""
    real, before = digits()[0][:1000], cheat_nats()
    answer = tensor(call(change, real)).float()
    answer = answer.flatten(1) if answer.shape[-2:] == (28, 28) else answer
    if answer.shape != (1000, 784):
        return f"1,000 images of 784 pixels are wanted back; got {named(answer)}."
    if not (answer.min() > -1e-4 and answer.max() < 1 + 1e-4):
        return f"pixels must stay between 0 and 1; yours run from {answer.min():.3g} to {answer.max():.3g}."
    after = cheat_nats(answer.clamp(0, 1))
    if after < before + 20:
        return f"they had {before:.0f} nats, and have {after:.0f} now; at least 20 more are wanted."
    return f"Right. They had {before:.0f} nats and have {after:.0f} now, and not one digit is better than it was."
