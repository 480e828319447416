"""Behind lesson 02, in which a game finds N(500, 5^2): its pictures, and the checks of its exercises."""

import copy
import math
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from torch import Tensor, nn
from torch.distributions import Normal
from torch.nn.functional import binary_cross_entropy_with_logits as bce
from tqdm.auto import tqdm

from gan_lessons import data, hill, losses, models, recipes, seen, theory
from gan_lessons.devices import seeded
from gan_lessons.lessons.checking import UNANSWERED, call, check, close, named, show, tensor
from gan_lessons.optimizers import adam
from gan_lessons.style import STYLE
from gan_lessons.training import Trainer

X = torch.linspace(470, 530, 301)  # where the pictures look
GREEN, BLUE, PUSH = (STYLE[key]["color"] for key in ("fakes", "D", "push"))


# -- the pictures, in the order of the notebook ------------------------------------------------------------------------


def story(rounds: Sequence[int] = (0, 50, 150, 1000)) -> None:
    """The panel's first game as four still pictures: p_g walks to p_data, spreads too far, draws back and stays."""
    gan = recipes.gaussian(seed=0, decay=None)
    figure, axes = plt.subplots(1, len(rounds), figsize=(11, 2.9), sharey=True)
    for ax, until in zip(axes, rounds, strict=True):
        _play(gan, until - gan.steps_done)
        hill.draw(seen.curves(gan, X), None, ax)
        ax.set_title(f"round {until}:\nmean {gan.generator.mu.item():.0f}, spread {gan.generator.sigma.item():.1f}")
        ax.set(xlabel="weight of a coin, x", ylabel="" if until else "D(x): how real?")
    axes[0].text(504, 0.42, "data")
    axes[0].text(484, 0.85, "fakes", color=GREEN)
    axes[1].text(501, 0.86, "D", color=BLUE)
    show(figure, "Four moments of one game: the fakes' hump walks from 480 to 500, is too wide half way, then fits.")


def a_hill() -> Trainer:
    """A game to stop and look at: it began at (488, 3), and twelve rounds have been played."""
    gan = recipes.gaussian(seed=0, start=(488.0, 3.0), decay=None)
    _play(gan, 12)
    return gan


def look(gan: Trainer, push: bool = True) -> None:
    """D's curve, and nine fakes on it; with push, an arrow under each: where D would take it for real more readily."""
    figure, ax = plt.subplots(figsize=(8.4, 3.9))
    fakes = seen.fakes(gan)
    if push:
        hill.draw(seen.curves(gan, X), fakes, ax)
        hill.scale(ax, 502, 0.68)
    else:
        hill.draw(seen.curves(gan, X), None, ax)
        ax.plot(fakes.x, fakes.height, "o", color=GREEN, markersize=6)
    ax.text(503, 0.87, "D(x), the hill", color=BLUE)
    ax.text(506, 0.37, "real coins")
    ax.text(476, 0.42, "fakes", color=GREEN)
    ax.set_xlabel("weight of a coin, x")
    arrows = ", each with an arrow to the right, the longest in the middle of the slope" if push else ""
    show(figure, f"D's curve rises from left to right like a hill; nine fakes stand on its slope{arrows}.")


def two_means(z: Tensor, push: Tensor) -> None:
    """What moves mu is the mean push; what moves sigma is the mean of z times the push."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.6, 3.0))
    order = z.argsort()[:: max(1, len(z) // 300)]
    titles = ("push on each fake: its mean moves mu", "z times the push: its mean moves sigma")
    for ax, values, title in zip((left, right), (push, z * push), titles, strict=True):
        ax.plot(z[order], values[order], ".", color=PUSH, markersize=4)
        ax.axhline(0, **STYLE["guide"])
        ax.axhline(values.mean().item(), color=PUSH)
        ax.text(-2.9, values.mean().item() + 0.012, f"mean {values.mean():.3f}", color=PUSH)
        ax.set(xlabel="z", title=title, xlim=(-3, 3))
    left.set_ylabel("push")
    right.set_ylabel("z times push")
    show(figure, "Left: the push over z, all positive. Right: z times the push, negative for z < 0, its mean positive.")


def inspector(G: nn.Module, D: nn.Module) -> None:
    """D before and after its training on a G that stands still, as a curve across real coins and fakes."""
    with seeded(0):
        untrained = models.MLPDiscriminator(1, 16, 16, 1, inputs=models.Standardise(500.0, 5.0))
        real, fake = data.gaussian().sample((60,)), G(torch.randn(60)).detach()
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.0), sharey=True)
    for ax, net, title in zip(axes, (untrained, D), ("an untrained D", "our D after 300 turns"), strict=True):
        ax.plot(real, torch.ones(60), "k|", markersize=12)
        ax.plot(fake, torch.zeros(60), "|", color=GREEN, markersize=12)
        ax.plot(X, net(X).sigmoid().detach(), **STYLE["D"])
        ax.axhline(0.5, **STYLE["guide"])
        ax.set(title=title, xlim=(475, 520), ylim=(-0.1, 1.1), yticks=[0, 0.5, 1], xlabel="weight of a coin, x")
    axes[0].set_ylabel("D(x): how real?")
    axes[0].text(476, 0.82, "real coins, label 1")
    axes[0].text(503, 0.03, "fakes, label 0", color=GREEN)
    axes[1].text(501, 0.78, "D", color=BLUE)
    show(figure, "Before its training D is nearly flat; after it, D rises from 0 among fakes to 1 among real coins.")


def finish(G: nn.Module, D: nn.Module, history: Sequence[tuple[float, float]]) -> None:
    """Where the loop ended, and both losses on the way there."""
    losses_d, losses_g = (torch.tensor(column) for column in zip(*history, strict=True))
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.3))
    _draw(G, D, left)
    left.set_title(f"after {len(history)} rounds: mean {G.mu.item():.1f}, spread {abs(G.sigma.item()):.1f}")
    left.text(473, 0.55, "D", color=BLUE)
    left.text(506, 0.33, "data and fakes")
    for values, color, name in ((losses_d, BLUE, "D's loss"), (losses_g, GREEN, "G's loss")):
        right.plot(values, color=color, linewidth=1, label=name)
    for value, words in ((math.log(4), "1.386 = log 4"), (math.log(2), "0.693 = log 2")):
        right.axhline(value, **STYLE["guide"])
        right.text(len(history) * 1.02, value, words, va="center", fontsize=9)
    right.set(xlabel="round", ylabel="loss", title="both losses, round by round")
    right.legend(loc="upper right")
    alt = "Left: fakes lie on the data, D is flat at one half. Right, by round: D's loss falls, then rises to"
    show(figure, f"{alt} {losses_d[-1]:.2f}; G's rises to {losses_g.max():.0f}, then falls to {losses_g[-1]:.2f}.")


def stretch() -> None:
    """The same game at rounds 50 and 220: first the fakes in front are pushed hardest, then those behind."""
    gan = recipes.gaussian(seed=0, decay=None)
    figure, axes = plt.subplots(1, 2, figsize=(11, 4.0), sharey=True)
    for ax, until in zip(axes, (50, 220), strict=True):
        _play(gan, until - gan.steps_done)
        hill.draw(seen.curves(gan, X), seen.fakes(gan, 7), ax)
        ax.set_title(f"round {until}: spread {gan.generator.sigma.item():.1f}")
        ax.set_xlabel("weight of a coin, x")
    axes[1].set_ylabel("")
    hill.scale(axes[0], 500, 0.7)
    alt = "Round 50: the longest arrows are in front, where the hill is steep. Round 220: the longest are behind."
    show(figure, alt)


def blind(turns: int = 400) -> None:
    """Three inspectors with the same training see raw x, x / 500, or x from the mean in units of the spread."""
    views = {"raw x": None, "x / 500": models.Standardise(0.0, 500.0), "(x - 500) / 5": models.Standardise(500.0, 5.0)}
    figure, axes = plt.subplots(2, 3, figsize=(11, 5.2), sharex=True, sharey=True)
    for row, (mu, sigma) in zip(axes, ((490.0, 5.0), (500.0, 2.0)), strict=True):
        best = theory.optimal_discriminator(data.gaussian(), Normal(mu, sigma))(X)
        for ax, (name, view) in zip(row, views.items(), strict=True):
            with seeded(0):
                D = models.MLPDiscriminator(1, 16, 16, 1, inputs=view)
                optimizer = adam(D.parameters(), lr=0.01)
                for _ in tqdm(range(turns), desc=f"D sees {name}", leave=False):
                    optimizer.zero_grad()
                    out_real, out_fake = D(data.gaussian().sample((128,))), D(mu + sigma * torch.randn(128))
                    losses.discriminator_loss(out_real, out_fake).backward()
                    optimizer.step()
            ax.plot(X, best, color="#888888", linewidth=1)
            ax.plot(X, D(X).sigmoid().detach(), **STYLE["D"])
            ax.set(title=f"D sees {name}" if mu < 500 else "", xlim=(475, 525), ylim=(0, 1.05), yticks=[0, 0.5, 1])
        row[0].set_ylabel("fakes too light: D(x)" if mu < 500 else "fakes too much alike: D(x)")
    axes[1, 1].set_xlabel("weight of a coin, x")
    axes[0, 2].text(504, 0.75, "grey: the best\nthere is", color="#666666", fontsize=9)
    alt = "With raw x D is flat at one half; with x/500 it sees where but not how wide; standardised it sees both."
    show(figure, alt)


def two_humps(seed: int = 0, rounds: int = 900) -> None:
    """A generator that is a small net, and data with two humps: where it began, and where it ended."""
    humps = data.bumps(means=(490.0, 510.0), sds=(4.0, 4.0), weights=(0.5, 0.5))
    gan = recipes.gaussian_mlp(seed, data=humps, k=3, lr_g=0.003, decay=recipes.cosine, steps=rounds)
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.0), sharey=True)
    hill.draw(seen.curves(gan, X), None, left)
    for _ in tqdm(gan.run(), total=rounds, desc="two humps", leave=False):
        pass
    hill.draw(seen.curves(gan, X), None, right)
    left.set(title="round 0", xlabel="weight of a coin, x")
    right.set(title=f"round {rounds}", xlabel="weight of a coin, x", ylabel="")
    show(figure, "Left: one hump of fakes over two humps of data. Right: the fakes have split into two humps as well.")


def pairs(z: Tensor, x: Tensor) -> None:
    """Pairs (z, x) that were drawn side by side, the line that fits them best, and the line that the game finds."""
    (slope, at_0), ends = np.polyfit(z, x, 1), np.array([-3.0, 3.0])
    figure, ax = plt.subplots(figsize=(7, 3.2))
    ax.plot(z[:400], x[:400], "k.", markersize=3)
    ax.plot(ends, at_0 + slope * ends, color="#7a5195", linewidth=2)
    ax.plot(ends, 500 + 5 * ends, **STYLE["fakes"])
    ax.text(2.95, 501.6, f"fits best: {at_0:.0f} + {abs(slope):.1f} z", color="#7a5195", ha="right")
    ax.text(1.5, 512, "what the game finds: 500 + 5 z", color=GREEN, ha="right")
    ax.set(xlabel="z", ylabel="a real coin x drawn beside it", xlim=(-3, 3), ylim=(484, 516))
    show(figure, "A cloud of random pairs without any slope; the best line through it is level, the game's line rises.")


HUNDRED = "In {} of 8 samples the fakes' mean ended within 0.4 of the mean of its own coins."


def hundred() -> None:
    """Eight games against samples of 100 coins: where the fakes ended, beside the mean of these very coins."""
    games = data.saved_record("observations")["gaussian_gan"][HUNDRED]["seeds"].values()
    figure, ax = plt.subplots(figsize=(7.2, 3.0))
    ax.axhline(500, color="black", linewidth=0.8)
    for i, game in enumerate(games, start=1):
        ax.plot(i, game["mean of the coins"], "_", color="black", markersize=22, markeredgewidth=2)
        ax.plot(i, game["mean of the fakes"], "o", color=GREEN)
    ax.text(8.6, 500.03, "the truth, 500", ha="right")
    ax.set(xlim=(0.4, 8.7), xticks=range(1, 9), xlabel="sample of 100 coins", ylabel="weight")
    ax.set_title("bars: mean of these 100 coins; dots: mean of the fakes at the end")
    alt = "For eight samples of 100 coins a bar, their mean, between 499 and 500.4; near most of the bars a dot,"
    show(figure, f"{alt} the mean of the fakes that learned from these coins.")


def twenty_seeds() -> None:
    """Where twenty games ended, each a dot: the lesson's, the small net's, and those whose D saw raw x."""
    rows = data.saved_record("gaussian_20_seeds")["rows"]
    titles = ("the same game, fading rates", "G is a small net", "D sees raw x")
    figure, axes = plt.subplots(1, 3, figsize=(11, 3.0))
    for ax, ends, title in zip(axes, rows.values(), titles, strict=True):
        _, means, sds, found = zip(*ends, strict=True)
        ax.plot(means, [abs(sd) for sd in sds], "o", color=GREEN)
        ax.plot(500, 5, "*", color="black", markersize=13, zorder=1)
        ax.set(title=f"{title}: {sum(found)} of {len(found)} found it", xlabel="mean of the fakes")
    for ax in axes[:2]:
        ax.set(xlim=(499.5, 500.5), ylim=(4.5, 5.5))
    axes[0].set_ylabel("spread of the fakes")
    alt = "Mean and spread of the fakes at the end of 20 games: within .3 of (500, 5) in the first two pictures;"
    show(figure, f"{alt} in the third, where D sees raw x, all are still near (480, 1).")


def your_gan(discriminator_turn: Callable[..., Any], generator_turn: Callable[..., Any], rounds: int = 600) -> None:
    """The learner's two turns play a game of their own, once both are written; where it ended."""
    with seeded(0):
        G = models.AffineGenerator(480.0, 1.0)
        D = models.MLPDiscriminator(1, 16, 16, 1, inputs=models.Standardise(500.0, 5.0))
        adam_d, adam_g = adam(D.parameters(), lr=0.01), adam(G.parameters(), lr=0.05)
        before = copy.deepcopy((G.state_dict(), D.state_dict()))
        for i in tqdm(range(rounds), desc="your game", leave=False):
            try:
                discriminator_turn(D, G, adam_d, data.gaussian().sample((128,)), torch.randn(128))
                generator_turn(D, G, adam_g, torch.randn(128))
            except Exception as error:  # whatever a learner's code does, the notebook goes on
                print(f"Your turns raised {type(error).__name__}: let the two checks above say more.")
                return
            if i == 0 and (_same(G.state_dict(), before[0]) or _same(D.state_dict(), before[1])):
                print("Your game waits for both turns.")
                return
    figure, ax = plt.subplots(figsize=(6, 3))
    _draw(G, D, ax)
    words = f"your GAN after {rounds} rounds: mean {G.mu.item():.1f}, spread {abs(G.sigma.item()):.1f}"
    ax.set_title(words)
    show(figure, f"D's hill, the data, with mean 500 and spread 5, and the fakes of {words}.")


def _draw(G: nn.Module, D: nn.Module, ax: Axes) -> None:
    p_data, p_g = data.gaussian().log_prob(X).exp(), theory.pushforward(G, Normal(0.0, 1.0))(X)
    hill.draw(seen.Curves(X, p_data, p_g, D(X).sigmoid().detach(), X), None, ax)
    ax.set_xlabel("weight of a coin, x")


def _play(gan: Trainer, rounds: int) -> None:
    for _ in tqdm(gan.run(rounds), total=rounds, leave=False):
        pass


def _same(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> bool:
    return all(torch.equal(ours[name], theirs[name]) for name in ours)


# -- the checks of the exercises ---------------------------------------------------------------------------------------


@check
def check_density(density: Any) -> str | None:
    """density(x) of N(500, 5^2), x: (n,) -> (n,)."""
    x = torch.linspace(488, 518, 61)  # neither their mean nor their distance helps
    p, answer = data.gaussian().log_prob(x).exp(), tensor(call(density, x), 61)
    if close(answer, p):
        return None
    area = answer.max() / p.max()
    if close(answer, p * 5 * math.sqrt(2 * math.pi) / math.sqrt(5 * 2 * math.pi)):
        return f"1/sqrt(5 * 2 pi) takes 5 for the variance; the area is {area:.2f}, not 1. The variance is 25."
    if close(answer, p.log()):
        return "this is the log of the density; take exp."
    if close(answer / answer.max(), p / p.max()):
        return f"the shape is right, but the area under it is {area:.3g}, not 1: look at the factor in front."
    ratio = (answer[34] / answer[24]).item()
    return f"the bump is off: from x = 500 to 505 it falls by a factor of {ratio:.3g}; it should be exp(-1/2) = 0.607."


class _Turn:
    """Two small players before a turn, and an optimiser of plain steps whose gradients are those of an earlier turn."""

    LEFT = 0.3  # each of these gradients

    def __init__(self, player: str):
        with seeded(0):
            self.D = models.MLPDiscriminator(1, 4, 1, inputs=models.Standardise(500.0, 5.0))
            self.G = models.AffineGenerator(492.0, 3.0)
            self.x_real, self.z = data.gaussian().sample((32,)), torch.randn(32)
        self.player, self.other = (self.D, self.G) if player == "D" else (self.G, self.D)
        self.optimizer = torch.optim.SGD(self.player.parameters(), lr=1.0)
        for weight in self.player.parameters():
            weight.grad = torch.full_like(weight, self.LEFT)
        self.before = copy.deepcopy((self.player, self.other))

    def moved(self, i: int) -> bool:
        """Whether the player (i = 0) or the other one (i = 1) is no longer what it was."""
        return not _same((self.player, self.other)[i].state_dict(), self.before[i].state_dict())

    def stands(self, returned: Any, graded: str) -> str:
        """What to say of a player that has not moved: whether it has new gradients, or nothing was done."""
        grads = [weight.grad for weight in self.player.parameters()]
        if any(grad is None or not torch.equal(grad, torch.full_like(grad, self.LEFT)) for grad in grads):
            return graded
        if returned is None or returned is ...:
            return UNANSWERED
        return f"nothing has moved: a turn takes the training step itself, and yours returns {named(returned)}."

    def is_step(self, factor: float = 1, left: float = 0, **loss: Any) -> bool:
        """Whether the player is now where one step on this loss would have brought it; left: of the old gradients."""
        player, other = copy.deepcopy(self.before)
        D, G = (player, other) if self.player is self.D else (other, player)
        loss = factor * _loss(D, self.x_real, G(self.z), **loss)
        gradients = torch.autograd.grad(loss, list(player.parameters()))
        wanted = [w - (g + left) for w, g in zip(player.parameters(), gradients, strict=True)]
        pairs = zip(self.player.parameters(), wanted, strict=True)
        return all(torch.allclose(w.double(), v.double(), rtol=0, atol=2e-4) for w, v in pairs)

    def verdict(
        self, right: dict[str, Any], factors: Sequence[float], typical: dict[str, dict[str, Any]]
    ) -> str | None:
        if any(self.is_step(factor, **right) for factor in factors):
            return None
        if self.is_step(32, **right):
            return "you sum over the minibatch; take the mean."
        if any(self.is_step(factor, self.LEFT, **right) for factor in factors):
            return "the gradient of an earlier turn is still there: optimizer.zero_grad() comes before loss.backward()."
        for text, wrong in typical.items():
            if any(self.is_step(factor, left, **wrong) for factor in (1, 0.5) for left in (0, self.LEFT)):
                return text
        return "the player moved, but not as this loss says: look at your line of the loss again."


def _loss(
    D: nn.Module,
    x_real: Tensor,
    x_fake: Tensor,
    real: float | None = None,
    fake: float | None = None,
    sigmoid: bool = False,
    sign: int = 1,
) -> Tensor:
    """Binary cross-entropy with these labels of real coins and fakes; None: they do not count."""
    total = torch.zeros(())
    for x, label in ((x_real, real), (x_fake, fake)):
        if label is not None:
            out = D(x).sigmoid() if sigmoid else D(x)
            total = total + bce(out, torch.full((len(x),), float(label)))
    return sign * total


SIGMOID = "a sigmoid too many: bce takes D's raw output, and has the sigmoid inside."


@check
def check_discriminator_turn(turn: Any) -> str | None:
    """turn(D, G, optimizer, x_real, z): one training step of D on real coins and on fakes G(z); G stays as it is."""
    game = _Turn("D")
    returned = call(turn, game.D, game.G, game.optimizer, game.x_real, game.z)
    if game.moved(1):
        return "G has moved, and it is D's turn."
    if not game.moved(0):
        return game.stands(returned, "D has a new gradient, and has not moved: optimizer.step() is missing.")
    if any(weight.grad is not None for weight in game.G.parameters()):
        return "G's weights got a gradient. It is D's turn: cut the fakes off with G(z).detach()."
    typical = {
        "the labels have changed places: 1 is for real coins, 0 for fakes.": {"real": 0, "fake": 1},
        "the fakes carry the label 1; that is what G wants D to say.": {"real": 1, "fake": 1},
        "only the real coins count: add the loss on the fakes, with label 0.": {"real": 1},
        "only the fakes count: add the loss on the real coins, with label 1.": {"fake": 0},
        "this is minus the loss: D's answers get worse.": {"real": 1, "fake": 0, "sign": -1},
        SIGMOID: {"real": 1, "fake": 0, "sigmoid": True},
    }
    return game.verdict({"real": 1, "fake": 0}, (1, 0.5), typical)  # in one batch it is half the loss, and as good


@check
def check_generator_turn(turn: Any) -> str | None:
    """turn(D, G, optimizer, z): one training step of G, so that D takes G(z) for real more readily."""
    game = _Turn("G")
    returned = call(turn, game.D, game.G, game.optimizer, game.z)
    if game.moved(1):
        return "D has moved, and it is G's turn."
    if not game.moved(0):
        return game.stands(returned, "G has not moved: is optimizer.step() missing, or the fake detached?")
    typical = {
        "label 0 is what D wants: like this, G helps D to catch it.": {"fake": 0},
        "this is log(1 - D(G(z))), the loss of lesson 03; -log D(G(z)) is asked for.": {"fake": 0, "sign": -1},
        "the sign: like this, D gets surer that G's coins are false.": {"fake": 1, "sign": -1},
        SIGMOID: {"fake": 1, "sigmoid": True},
    }
    return game.verdict({"fake": 1}, (1,), typical)
