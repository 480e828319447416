"""Behind lesson 03, what each player wants: its pictures, and the checks of its exercises."""

import copy
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from torch import Tensor, nn
from torch.distributions import Distribution, Normal, Uniform

from gan_lessons import data, hill, losses, recipes, seen, svg, theory
from gan_lessons.lessons.checking import UNANSWERED, check, show
from gan_lessons.optimizers import adam
from gan_lessons.style import PUSH_SHOWN, STYLE
from gan_lessons.training import Trainer

X = torch.linspace(460, 520, 241)  # where the pictures look
REAL, FAKE = data.gaussian(), Normal(490.0, 5.0)
NINE = 3 * seen.quantiles(Normal(0.0, 1.0), 9)  # where nine fakes of N(0, 3^2) are
GREEN, BLUE, ORANGE = (STYLE[key]["color"] for key in ("fakes", "D", "D*"))
LOSSES = {"-log D": losses.non_saturating, "log(1 - D)": losses.minimax}
COLORS = {"-log D": STYLE["push"]["color"], "log(1 - D)": "#8a4b2a"}
ROWS, COLUMNS = (490.0, 500.0, 510.0), ("trusts heavy coins", "tosses a coin", "trusts light coins")  # of the table
DASHES = {"-log D": "-", "log(1 - D)": "--"}


# -- both losses under one hill ----------------------------------------------------------------------------------------


@cache
def stages(mu: float = 475.0, turns: int = 200, seed: int = 0) -> list[nn.Module]:
    """D after 0, 1, 2, ... turns against fakes of N(mu, 3^2), which stay as they are."""
    gan, kept = recipes.gaussian(seed, start=(float(mu), 3.0), decay=None), []
    for _ in range(turns):
        kept.append(copy.deepcopy(gan.discriminator))
        gan.discriminator_step()
    return [*kept, gan.discriminator]


def pushes(D: nn.Module, x_fake: Tensor) -> dict[str, Tensor]:
    """Minus the gradient of each of G's two losses at each fake, shape (n,)."""
    x = x_fake.detach().clone().requires_grad_()
    sums = {name: len(x) * loss.generator(None, D(x)) for name, loss in LOSSES.items()}
    return {name: -torch.autograd.grad(one, x)[0].detach() for name, one in sums.items()}


def two_pushes(turns: int = 12, mu: int = 475) -> str:
    """What the sliders draw: the hill after so many turns of D, and under it both losses' pushes on the same fakes."""
    D, x, p_g = stages(mu)[turns], mu + NINE, Normal(mu, 3.0).log_prob(X).exp()
    rows = {name: (COLORS[name], values) for name, values in pushes(D, x).items()}
    heights = (D(one).sigmoid().detach() for one in (X, x))
    return svg.hill_and_pushes(X, REAL.log_prob(X).exp(), p_g, next(heights), x, next(heights), rows)


def four_strengths(turns: Sequence[int] = (0, 12, 50, 200), mu: float = 475.0) -> None:
    """The sliders' picture at four strengths of D, as a still figure on one scale."""
    figure, axes = plt.subplots(2, 4, figsize=(12, 4.8), sharex=True, sharey="row", height_ratios=(1, 1.15))
    for (top, bottom), until in zip(axes.T, turns, strict=True):
        D, x = stages(mu)[until], mu + NINE
        _hill(D, Normal(mu, 3.0), top)
        top.plot(x, D(x).sigmoid().detach(), "o", color=GREEN, markersize=4)
        bottom.set(xlabel="weight of a coin, x", xlim=(460, 520), ylim=(-4, 20.5), yticks=[])
        top.set(title=f"after {until} turns of D" if until else "before D's first turn", xlabel="", ylabel="")
        for shift, (name, values) in zip((11, 0), pushes(D, x).items(), strict=True):
            hill.rows(bottom, x.tolist(), values.tolist(), shift + 8, COLORS[name])
            bottom.text(519, shift + 2.5, f"{name}:\nmean {values.mean():.4f}", color=COLORS[name], ha="right")
    axes[0, 0].text(506, 0.3, "data")
    axes[0, 0].text(479, 0.8, "fakes", color=GREEN)
    axes[0, 3].text(489, 0.5, "D", color=BLUE)
    axes[0, 0].set_ylabel("D(x): how real?")
    axes[1, 0].set_ylabel("pushes, and their scale")
    for x, push in zip((463, 473, 486), PUSH_SHOWN, strict=True):
        hill.rows(axes[1, 0], [x], [push], -3, "#222222")
        axes[1, 0].text(x + 1 + 15 * push**0.5, -3, f"{push:g}", va="center", fontsize=8)
    show(figure, "As D gets stronger the arrows of -log D grow, and those of log(1 - D) grow a little, then vanish.")


def _hill(D: Callable[[Tensor], Tensor], p_g: Normal, ax: Axes) -> None:
    curves = seen.Curves(X, REAL.log_prob(X).exp(), p_g.log_prob(X).exp(), D(X).sigmoid().detach(), X)
    hill.draw(curves, None, ax)
    ax.set_xlabel("weight of a coin, x")


# -- the pictures, in the order of the notebook ------------------------------------------------------------------------


def four_inspectors() -> None:
    """Four inspectors of real coins from 495 to 505 and fakes from 475 to 485, and V for each of them."""
    four = {
        "sure and right": lambda x: (x > 490).float(),
        "tosses a coin": lambda x: torch.full_like(x, 0.5),
        "arrests everyone": lambda x: torch.full_like(x, 0.01),
        "always wrong": lambda x: (x < 490).float(),
    }
    axes = _inspectors(four, Uniform(495.0, 505.0), Uniform(475.0, 485.0))
    for ax, D in zip(axes, four.values(), strict=True):
        for coins, color in ((torch.linspace(496, 504, 5), "black"), (torch.linspace(476, 484, 5), GREEN)):
            ax.plot(coins, D(coins), "o", color=color, markersize=6)
    axes[0].text(500, 0.87, "real", ha="center")
    axes[0].text(480, 0.07, "fakes", color=GREEN, ha="center")
    alt = "Four D over the weight and their V: 0 for sure and right, -1.386 for a coin toss, -4.615 for"
    show(axes[0].figure, f"{alt} the one who arrests everyone, minus infinity for always wrong.")


def _inspectors(Ds: dict[str, Callable[[Tensor], Tensor]], real: Distribution, fake: Distribution) -> Sequence[Axes]:
    x = torch.linspace(470, 515, 451)
    _, axes = plt.subplots(1, len(Ds), figsize=(12, 2.8), sharey=True)
    for ax, (name, D) in zip(axes, Ds.items(), strict=True):
        value = theory.value(D, real, fake)
        ax.plot(x, D(x), **STYLE["D*" if name.startswith("D*, ") else "D"])
        ax.set_title(f"{name}\nV = {'-infinity' if value < -99 else f'{value:.3f}' if value else 0}")
        ax.set(xlabel="weight of a coin, x", xlim=(470, 515), ylim=(-0.1, 1.1), yticks=[0, 0.5, 1])
    axes[0].set_ylabel("D(x): how real?")
    return axes


def ten_coins(d: Tensor, mean_log: Tensor) -> None:
    """Of ten coins eight are real: what D gains by saying d about them, in the mean log and in the mean probability."""
    top, (figure, (left, right)) = mean_log.argmax(), plt.subplots(1, 2, figsize=(10, 3.0))
    left.plot(d, mean_log, color="#444444")
    left.plot(d[top], mean_log[top], "o", color=ORANGE)
    left.text(d[top], mean_log[top] + 0.1, f"best: {d[top]:.1f}", color=ORANGE, ha="center")
    left.set(xlabel="d, what D says of these ten coins", ylabel="mean log, as in V", ylim=(-2, 0))
    right.plot(d, 0.8 * d + 0.2 * (1 - d), color="#444444")
    right.text(1, 0.85, "best: 1", ha="right")
    right.set(xlabel="d, what D says of these ten coins", ylabel="mean, without the log", ylim=(0, 1))
    show(figure, "Left, the mean log has its top at 0.8. Right, without the log, a straight line rises up to 1.")


def count_coins(n: int = 20_000) -> None:
    """Real coins and fakes of N(490, 5^2) counted by weight, the share of real ones, and the curve D*."""
    torch.manual_seed(0)
    edges, x = torch.arange(475.0, 516.0), torch.linspace(475, 515, 161)
    real, fake = (torch.histc(p.sample((n,)), 40, 475, 515) for p in (REAL, FAKE))
    often = real + fake > 50
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.2))
    left.stairs(fake, edges, color=GREEN, fill=True, alpha=0.3)
    left.stairs(real, edges, color="black", linestyle=":", linewidth=2)
    left.text(486, 1350, "fakes", color=GREEN, ha="right")
    left.text(504, 1350, "real")
    left.set(ylabel="coins of this weight", title="coins, counted")
    right.plot((edges[1:] - 0.5)[often], (real / (real + fake))[often], "o", color="#444444", markersize=4)
    right.plot(x, theory.optimal_discriminator(REAL, FAKE)(x), **STYLE["D*"])
    right.axhline(0.5, **STYLE["guide"])
    right.text(501, 0.72, "D*", color=ORANGE)
    right.text(476, 0.75, "dots: share of real coins\namong those counted")
    right.set(ylabel="how real?", yticks=[0, 0.5, 0.8, 1], title="the share of real coins")
    for ax in (left, right):
        ax.axvspan(498, 499, color=ORANGE, alpha=0.3)
        ax.set_xlabel("weight of a coin, x")
    show(figure, "Left: two overlapping crowds, counted. Right: the shares of real coins lie on D*, .8 at 498.5.")


def four_opinions() -> None:
    """Real N(500, 5^2), fakes N(490, 5^2): V for D*, for one who is always sure, and for D* turned upside down."""
    best = theory.optimal_discriminator(REAL, FAKE)
    four = {
        "D*, the share of real coins": best,
        "tosses a coin": lambda x: torch.full_like(x, 0.5),
        "D* upside down": lambda x: 1 - best(x),
        "sure: 1 above 495, 0 below": lambda x: (x > 495).float(),
    }
    axes = _inspectors(four, REAL, FAKE)
    for ax in axes:
        ax.plot(X, 6 * REAL.log_prob(X).exp(), **STYLE["data"])
        ax.plot(X, 6 * FAKE.log_prob(X).exp(), **STYLE["fakes"])
    show(axes[0].figure, "V is -0.713 for D*, -1.386 for a coin toss, -4.713 upside down, -infinity for the sure one.")


def table() -> Tensor:
    """V, (3, 3): G makes coins of N(mu, 5^2), mu one of ROWS; D is best against 490, tosses, or best against 510."""
    Ds = [theory.optimal_discriminator(REAL, Normal(mu, 5.0)) for mu in ROWS]
    return torch.tensor([[theory.value(D, REAL, Normal(mu, 5.0)) for D in Ds] for mu in ROWS])


def show_table(V: Tensor) -> None:
    """V as a table: rows G's choices, columns D's; D's best answer in each row is framed, G's best row tinted."""
    every = 1 if len(V) == 3 else 2  # the outer rows and columns alone: arrows lead from answer to answer
    worst, (figure, ax) = V.max(dim=1).values, plt.subplots(figsize=(8.2, 0.6 + 0.55 * len(V)))
    for i, (row, mu) in enumerate(zip(V.tolist(), ROWS[::every], strict=True)):
        ax.text(-0.8, i, f"G makes {mu:g}", ha="right", va="center", color=GREEN)
        for j, v in enumerate(row):
            frame = {"fc": "white", "ec": BLUE, "lw": 2} if v == max(row) else {"fc": "none", "ec": "none"}
            ax.text(j, i, f"{v:.2f}", ha="center", va="center", bbox=frame)
    for j, name in enumerate(COLUMNS[::every]):
        ax.text(j, -0.75, f"D {name}", ha="center", color=BLUE)
    if every == 1:
        ax.axhspan(worst.argmin() - 0.42, worst.argmin() + 0.42, xmin=0.23, color=GREEN, alpha=0.12)
        end = f"D's best answers are framed; G's best row is {ROWS[worst.argmin()]:g}"
    else:
        way = [((0.8, 0), (0.2, 0)), ((0, 0.25), (0, 0.75)), ((0.2, 1), (0.8, 1)), ((1, 0.75), (1, 0.25))]
        for (begin, end), color in zip(way, (BLUE, GREEN, BLUE, GREEN), strict=True):
            ax.annotate("", end, begin, arrowprops={"arrowstyle": "->", "color": color, "lw": 1.5})
        end = "Arrows from answer to answer lead round in a circle: one of the two always wants to move"
    ax.text(-0.8, -0.75, "V", ha="right")
    ax.set(xlim=(-1.6, V.shape[1] - 0.4), ylim=(len(V) - 0.4, -1.1))
    ax.axis("off")
    rows = (f"{mu:g}: {', '.join(f'{v:.2f}' for v in row)}" for mu, row in zip(ROWS[::every], V.tolist(), strict=True))
    show(figure, f"V if D {', '.join(COLUMNS[::every])}. If G makes {'; '.join(rows)}. {end}.")


def saturation(at: Sequence[float] = (0.01, 0.5, 0.99)) -> None:
    """Both losses of G over D and over the logit, with tangents where D = .01, .5 and .99."""
    figure, axes = plt.subplots(1, 2, figsize=(11, 3.6), sharey=True)
    d = torch.linspace(0.003, 0.997, 500)
    for ax, view, reach in zip(axes, (lambda d: d, torch.logit), (0.1, 1.2), strict=True):
        for name, loss in {"-log D": lambda d: -d.log(), "log(1 - D)": lambda d: (1 - d).log()}.items():
            side, end = ((6, 8), "left") if name == "-log D" else ((-6, -14), "right")
            ax.plot(view(d), loss(d), color=COLORS[name], linestyle=DASHES[name], linewidth=1.8)
            for p in at:
                near = torch.tensor([p - 1e-4, p, p + 1e-4], dtype=torch.double)
                x, y = view(near), loss(near)
                slope = ((y[2] - y[0]) / (x[2] - x[0])).item()
                dx = min(reach, 1.5 / abs(slope)) * torch.tensor([-1.0, 1.0])
                ax.plot(x[1] + dx, y[1] + slope * dx, color="black", linewidth=2.5)
                ax.plot(x[1], y[1], "o", color=COLORS[name], markersize=5, zorder=4)
                ax.annotate(f"{slope:.2f}", (x[1], y[1]), side, textcoords="offset points", fontsize=9, ha=end)
    axes[0].set(xlabel="D(x), the height of the fake", ylabel="loss of G", title="over D", xlim=(-0.13, 1.1))
    axes[1].set(xlabel="the logit of D(x)", title="over the logit", xlim=(-6, 6), ylim=(-6, 6))
    for i, (x, y) in enumerate(((0.25, 2.2), (0.6, -2.6), (-2.4, 3.1), (-0.2, -3))):
        axes[i // 2].text(x, y, list(LOSSES)[i % 2], color=list(COLORS.values())[i % 2])
    show(figure, "Over the logit: at D = .01 the slope of log(1 - D) is -.01 and that of -log D is -.99.")


def race(seed: int = 0, start: tuple[float, float] = (470.0, 1.0), **settings: Any) -> Trainer:
    """A G from 470 against a D that has had 200 turns first; optimizer: G's alone, plain gradient steps or Adam."""
    optimizer = settings.pop("optimizer", torch.optim.SGD)
    gan = recipes.gaussian(seed, start=start, **{"lr_g": 0.5, "decay": None} | settings)
    gan.optimizer_g = optimizer(gan.generator.parameters(), lr=gan.lr_g)
    for _ in range(200):
        gan.discriminator_step()
    return gan


def walks(walked: dict[str, Sequence[tuple[float, float]]], title: str) -> None:
    """Mean and spread of the fakes, round by round, under each loss."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.1))
    for name, states in walked.items():
        look = {"color": COLORS[name], "linestyle": DASHES[name], "linewidth": 2, "label": name}
        left.plot([mu for mu, _ in states], **look)
        right.plot([abs(sigma) for _, sigma in states], **look)
    for ax, what, value, limits in ((left, "mean", 500, (467, 507)), (right, "spread", 5, (0, 18))):
        ax.axhline(value, **STYLE["data"], label="real coins")
        ax.set(xlabel="round", ylabel=f"{what} of the fakes", title=f"{title}: {what} of the fakes", ylim=limits)
    right.legend(loc="upper right")
    ends = [f"{states[-1][0]:.0f} under {name}" for name, states in walked.items()]
    wide = " and ".join(f"{max(abs(sigma) for _, sigma in states):.1f}" for states in walked.values())
    alt = f"The mean of the fakes by round, which ends at {', '.join(ends)}; beside it their spread, at its widest"
    show(figure, f"{alt} {wide}.")


def switch() -> None:
    """One game whose loss is switched three times: the mean of the fakes stands still, walks, stands still, walks."""
    gan, (figure, ax) = race(), plt.subplots(figsize=(8, 3.0))
    for name, rounds in (("log(1 - D)", 50), ("-log D", 50), ("log(1 - D)", 100), ("-log D", 100)):
        gan.loss, begin = LOSSES[name], gan.steps_done
        mu = [gan.generator.mu.item() for _ in gan.run(rounds)]
        ax.plot(range(begin, begin + rounds), mu, color=COLORS[name], linestyle=DASHES[name], linewidth=2.5)
        ax.axvline(begin, **STYLE["guide"])
        ax.text(begin + 4, 490, name, color=COLORS[name])
    ax.axhline(500, **STYLE["data"])
    ax.set(xlabel="round", ylabel="mean of the fakes", title="one game: only the loss is switched", ylim=(467, 502))
    show(figure, "Mean of the fakes by round: level under log(1 - D), rising under -log D, level again, rising again.")


COST = "With k = 5 it took three to five times as many turns as with k = 1, in {} of 8 seeds."


def cost_of_k() -> None:
    """Lesson 02's game with k = 1 and k = 5 on eight seeds: the turns of both players until mu was within 1 of 500."""
    games = data.saved_record("observations")["minimax_game"][COST]["seeds"]
    figure, ax = plt.subplots(figsize=(8, 2.0))
    for k in (1, 5):
        turns = [game[f"turns at k = {k}"] for game in games.values()]
        ax.plot(turns, len(turns) * [f"k = {k}"], "o", color="#444444", alpha=0.6)
    ax.set(xlim=(0, 4500), ylim=(-0.6, 1.6), xlabel="turns of both players until the fakes' mean was within 1 of 500")
    show(figure, "Eight dots near 1,000 turns for k = 1, and eight dots near 4,000 turns for k = 5.")


def weak_d(rounds: Sequence[int] = (0, 30, 100, 300)) -> None:
    """D stops learning, and G goes on: the fakes run together at one weight."""
    gan = race(start=(490.0, 3.0), lr_g=0.05, optimizer=adam, k=0)
    figure, axes = plt.subplots(1, len(rounds), figsize=(12, 2.8), sharey=True)
    for ax, until in zip(axes, rounds, strict=True):
        list(gan.run(until - gan.steps_done))
        mu, sigma = gan.generator.mu.item(), abs(gan.generator.sigma.item())
        _hill(gan.discriminator, Normal(mu, max(sigma, 0.1)), ax)
        ax.plot(*seen.fakes(gan)[1:3], "o", color=GREEN, markersize=5)
        ax.set(title=f"G alone, {until} turns: spread {sigma:.2f}", xlim=(475, 515), ylabel="")
    axes[0].set_ylabel("D(x): how real?")
    alt = "On a hill that stands still nine fakes first spread, then close up, until all stand at one weight near 498."
    show(figure, alt)


# -- the checks of the exercises ---------------------------------------------------------------------------------------


def _numbers(answer: Any) -> Tensor | None:
    """An answer in any natural form as one tensor of doubles; None if something is missing."""
    if isinstance(answer, (list, tuple)):
        parts = [_numbers(one) for one in answer]
        return None if not parts or any(one is None for one in parts) else torch.stack(parts)
    return None if answer is None or answer is ... else torch.as_tensor(answer).detach().double()


def _same(a: Any, b: Any) -> bool:
    a, b = _numbers(a).flatten(), _numbers(b).flatten()
    return a.shape == b.shape and torch.allclose(a, b, rtol=1e-3, atol=1e-6)


def _verdict(answer: Any, right: Any, typical: dict[str, Any], other: str) -> str | None:
    if _numbers(answer) is None:
        return UNANSWERED
    return None if _same(answer, right) else next((text for text, it in typical.items() if _same(answer, it)), other)


def _signs(a: Any, b: Any) -> dict[str, Any]:
    """How a pair of losses, or of their slopes, may be turned about."""
    return {
        "the two have changed places: log(1 - D) comes first.": (b, a),
        "the sign of the second: a loss is made small, so -log D, which falls as D rises.": (a, -b),
        "the sign of the first: a loss is made small, so log(1 - D), which falls as D rises.": (-a, b),
        "both signs: a loss is made small, and both fall as D rises.": (-a, -b),
    }


@check
def check_value(value: Callable[..., Any]) -> str | None:
    """value(D, x_real, x_fake) -> V; D(x) are probabilities."""
    x_real, x_fake = torch.tensor([497.0, 503.0, 492.0]), torch.tensor([484.0, 491.0, 496.0, 487.0])
    D = Normal(493.0, 5.0).cdf  # it rises from 0 to 1
    p, q = D(x_real), D(x_fake)
    right = p.log().mean() + (1 - q).log().mean()
    typical = {
        "this is minus V, D's loss: V is what D climbs.": -right,
        "on fakes D should say a small number: log(1 - D), not log D.": p.log().mean() + q.log().mean(),
        "log(1 - D(x_fake)) is wanted, not 1 - log D(x_fake).": p.log().mean() + (1 - q.log()).mean(),
        "real coins and fakes have changed places.": (1 - p).log().mean() + q.log().mean(),
        "only the real coins count: add the mean of log(1 - D) on fakes.": p.log().mean(),
        "only the fakes count: add the mean of log D on real coins.": (1 - q).log().mean(),
        "you sum over the coins; take the mean of each kind.": p.log().sum() + (1 - q).log().sum(),
        "the logarithms are missing.": p.mean() + (1 - q).mean(),
        "this is the log of the mean; V has the mean of the logs.": p.mean().log() + (1 - q).mean().log(),
        "take the mean over each kind of coin, and add the two.": torch.cat([p, 1 - q]).log().mean(),
        "this is half of V: add the two means, and do not divide.": right / 2,
        "a sigmoid too many: D(x) is a probability already.": p.sigmoid().log().mean() + (1 - q.sigmoid()).log().mean(),
    }
    answer = value(D, x_real, x_fake)
    yours = "not a number" if _numbers(answer) is None or _numbers(answer).numel() != 1 else f"{float(answer):.3f}"
    return _verdict(answer, right, typical, f"V of these coins is {right:.3f}, and yours is {yours}.")


@check
def check_best(best: Callable[..., Any]) -> str | None:
    """best(p_data, p_g, real) -> the best D at each x, from both densities there and the share of real coins shown."""
    x, real = torch.tensor([485.0, 493.0, 498.5, 505.0]), 0.75
    p, q = REAL.log_prob(x).exp(), FAKE.log_prob(x).exp()
    right, answer = 3 * p / (3 * p + q), best(p.clone(), q.clone(), real)
    typical = {
        "this is D*, for as many fakes as real coins; here three of four are real.": p / (p + q),
        "this is the share of fakes.": q / (3 * p + q),
        "real belongs to p_data, 1 - real to p_g; you have it the other way round.": p / (p + 3 * q),
        "this is how many real coins come on one fake; their share among all coins is wanted.": 3 * p / q,
        "divide by all coins of this weight: real * p_data + (1 - real) * p_g.": real * p / (p + q),
        "this counts the real coins alone: divide by all coins of this weight.": real * p,
        "of the fakes a share 1 - real is shown; you count all of them.": real * p / (real * p + q),
    }
    return _verdict(answer, right, typical, "of 8 real coins and 2 fakes at one weight the share is 0.8: count again.")


@check
def check_losses(both: Callable[[Tensor], Any]) -> str | None:
    """both(logits) -> (mean of log(1 - D), mean of -log D), D = sigmoid of the logits of fakes."""
    logits = torch.tensor([0.3, -2.0, 1.0])
    p, answer = logits.sigmoid(), both(logits.clone())
    a, b = (1 - p).log().mean(), -p.log().mean()
    typical = _signs(a, b) | {
        "you sum over the fakes; take the mean.": (3 * a, 3 * b),
        "no mean has been taken: one number for each loss.": ((1 - p).log(), -p.log()),
        "a sigmoid too many.": ((1 - p.sigmoid()).log().mean(), -p.sigmoid().log().mean()),
    }
    mistake = _verdict(answer, (a, b), typical, f"for logits .3, -2, 1 they are {a:.3f} and {b:.3f}; yours: {answer}.")
    if mistake is None and not torch.isfinite(_numbers(both(torch.tensor([-200.0])))).all():
        return "right for small logits, but at -200 D rounds to 0 and its log to -infinity; bce on the logits does not."
    return mistake


@check
def check_slopes(slopes: Callable[[Tensor], Any]) -> str | None:
    """slopes(D) -> the slopes of log(1 - D) and of -log D in the logit, at fakes of height D."""
    D = torch.tensor([0.01, 0.3, 0.5, 0.9])
    typical = _signs(-D, D - 1) | {
        "these are slopes in D; multiply by D (1 - D), the slope of D in the logit.": (-1 / (1 - D), -1 / D),
        "that is the slope of D itself; multiply it by the slope of each loss in D.": (D * (1 - D), D * (1 - D)),
        "these are the losses, not their slopes.": ((1 - D).log(), -D.log()),
    }
    return _verdict(slopes(D.clone()), (-D, D - 1), typical, "at D = 0.01 they are -0.01 and -0.99: look again.")
