"""Behind lesson 08, in which GANs draw digits: its pictures, and the checks of its exercises."""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits as bce
from torch.nn.functional import softplus
from tqdm.auto import tqdm

from gan_lessons import data, metrics, models, plots, pretrained, seen
from gan_lessons.devices import seeded
from gan_lessons.lessons.checking import UNANSWERED, call, check, close, number, show, tensor, verdict
from gan_lessons.optimizers import adam
from gan_lessons.style import STYLE
from gan_lessons.tiles import unpacked
from gan_lessons.training import Trainer

GREEN, BLUE = (STYLE[key]["color"] for key in ("fakes", "D"))
OTHER = "#7a5195"  # of what is neither data nor fakes nor D
SHIPPED = ("mnist", "mnist_paper", "mnist_best")


# -- the pictures, in the order of the notebook ------------------------------------------------------------------------


def film() -> None:
    """The panel's game, recorded: forty fakes of the same forty z after each of sixteen moments."""
    game = _kept("game")
    frames = unpacked(game["film"]).reshape(len(game["rounds"]), 40, -1)

    def drawing():
        figure, ax = plt.subplots(figsize=(4.6, 3.2))
        for until, images in [(game["rounds"][-1], frames[-1]), *zip(game["rounds"], frames, strict=True)]:
            ax.clear()
            plots.image_grid(images, ax=ax).set_title(f"round {until}: the same 40 z, raw")
            yield figure
        plt.close(figure)

    alt = "A film: forty patches of grey become strokes by round 200 and digits by round 1,000; it begins with its end."
    show(plots.film(drawing(), length=len(frames) + 1, seconds=0.35), alt)


def pushes(gan: Trainer, push: Callable[[Tensor], Tensor], steps: int = 15, size: float = 0.6) -> None:
    """Six fakes, the push on each of their 784 pixels, and the fakes after some steps along their pushes."""
    x = seen.made(gan, seen.noise(gan, 6))  # (6, 784)
    moved, first = x, push(x).cpu()
    for _ in range(steps):
        way = push(moved).cpu()
        moved = (moved + size * way / way.norm(dim=1, keepdim=True)).clamp(-1, 1)
    rows = [(x, "six fakes, raw"), (first, "the push\non each pixel"), (moved, "each moved\nalong its pushes")]
    figure, axes = plt.subplots(3, 6, figsize=(8.6, 4.9))
    for row, (images, name) in zip(axes, rows, strict=True):
        for ax, image, answer in zip(row, images.reshape(6, 28, 28), seen.heights(gan, images), strict=True):
            most = image.abs().max() if images is first else 1
            ax.imshow(image, cmap="PiYG_r" if images is first else "gray", vmin=-most, vmax=most)
            ax.set(title="" if images is first else f"D says {answer:.2f}", xticks=[], yticks=[])
        row[0].set_ylabel(name)
    show(figure, "Six broken digits; a map of pushes for each; the same digits moved: strokes closed, D says more.")


def recipes_side_by_side() -> None:
    """Sixteen raw fakes of each recipe, the first sixteen z of one seed."""
    figure, axes = plt.subplots(1, 4, figsize=(11, 3.3))
    grids = [("mnist_quick", unpacked(_kept("game")["film"])[-40:-24])] + [(name, _drawn(name, 16)) for name in SHIPPED]
    for ax, (name, images) in zip(axes, grids, strict=True):
        plots.image_grid(images, columns=4, ax=ax).set_title(f"{name}, raw")
    show(figure, "Four grids of sixteen raw fakes: the paper's are the cleanest; those of mnist_best have many specks.")


def units() -> None:
    """What a unit does with its input: ReLU, LeakyReLU, and maxout, the largest of several straight lines."""
    x = torch.linspace(-3, 3, 301)
    figure, axes = plt.subplots(1, 3, figsize=(10, 2.8), sharey=True)
    lines = torch.stack([-0.6 * x - 0.9, 0.1 * x + 0.1, 0.9 * x - 0.5])  # (3, n)
    curves = (x.relu(), nn.functional.leaky_relu(x, 0.2), lines.amax(0))
    for ax, y, title in zip(axes, curves, ("ReLU", "LeakyReLU", "maxout, of three lines"), strict=True):
        ax.axhline(0, **STYLE["guide"])
        ax.plot(x, y, color=OTHER, linewidth=2.5)
        ax.set(title=title, xlabel="what goes into the unit", ylim=(-1.2, 3.1))
    for line in lines:
        axes[2].plot(x, line, color=OTHER, linewidth=0.8, linestyle=":")
    axes[0].set_ylabel("what comes out")
    axes[0].text(-2.9, 0.25, "slope 0: no push\ncomes through")
    axes[1].text(-2.9, 0.25, "slope 0.2: a fifth\nof it comes through")
    axes[2].text(-2.2, 1.6, "a slope everywhere,\nand learned")
    show(figure, "ReLU is flat on the left; LeakyReLU slopes there a little; maxout is a bowl of three lines.")


def batch_norm() -> None:
    """What goes into three units of the second layer of an untrained G, without and with batch norm."""
    figure, axes = plt.subplots(1, 2, figsize=(9.5, 2.8), sharex=True)
    chosen = layer_2(False).mean(0).argsort()[[5, 256, 506]]  # far left, in the middle, far right
    for ax, normed in zip(axes, (False, True), strict=True):
        into = layer_2(normed)  # (n, 512)
        for unit, color in zip(chosen, (OTHER, "#c2541b", "#3d7f86"), strict=True):
            ax.hist(into[:, unit], bins=120, range=(-3, 3), color=color, alpha=0.6)
        ax.axvline(0, color="black", linewidth=1)
        ax.set(title=f"with{'' if normed else 'out'} batch norm", xlabel="what goes into the unit", yticks=[])
    axes[0].set_ylabel("how many of 2,000 z")
    alt = "What goes into three units. Left, without batch norm: three narrow humps at different places. Right, with"
    show(figure, f"{alt} it: three wide ones on top of each other, at 0.")


def layer_2(normed: bool, n: int = 2000) -> Tensor:
    """What goes into the units of the second hidden layer of an untrained G, (n, 512), for n normal z."""
    with seeded(0), torch.no_grad():
        G = models.MLPGenerator(64, 512, 512, 784, activation=models.leaky_relu, batch_norm=normed, output=nn.Tanh())
        return G.net[: 5 if normed else 3](torch.randn(n, 64))


def doubts() -> None:
    """What keeps D from being too sure: pixels that are missing, and a label of .9."""
    figure, axes = plt.subplots(1, 3, figsize=(11, 2.9), width_ratios=(1.2, 1.1, 1.3))
    with seeded(3):
        digit = (data.mnist("test")[:1].images.float() / 255).expand(3, 28, 28)  # as the paper's D sees it
        seen_by_d = torch.cat([digit[:1], nn.functional.dropout(digit, 0.2) * 0.8])
    plots.image_grid(seen_by_d.flatten(1) * 2 - 1, columns=2, ax=axes[0])
    axes[0].set_title("dropout: a digit, and three times\nwhat is left for D", fontsize=10)
    logit = torch.linspace(-2, 8, 300)
    for label, style in ((1.0, "-"), (0.9, "--")):
        axes[1].plot(logit, label * softplus(-logit) + (1 - label) * softplus(logit), color=BLUE, linestyle=style)
    axes[1].plot(math.log(9), 0.325, "o", color=BLUE)
    axes[1].text(1.4, 0.5, "D = 0.9", color=BLUE)
    axes[1].text(4.6, 0.72, "label 0.9", color=BLUE)
    axes[1].text(4.2, 0.06, "label 1", color=BLUE)
    axes[1].set(title="D's loss on a real picture", xlabel="D's logit", ylabel="loss", ylim=(0, 1.6))
    card = pretrained.card("mnist_small_z64")["curves"]
    epochs = range(1, len(card["d_real"]) + 1)
    for key, style, words in (("d_real", "data", "D on real digits"), ("d_fake", "fakes", "D on fakes")):
        axes[2].plot(epochs, card[key], **STYLE[style], label=words)
    axes[2].axhline(0.45, **STYLE["guide"])
    axes[2].text(20.4, 0.45, "0.45", va="center")
    axes[2].set(title="a game with the label 0.9", xlabel="epoch", ylabel="mean of D", ylim=(0.38, 0.56))
    axes[2].legend(loc="upper right")
    alt = "A digit with missing pixels. D's loss over its logit: with label 1 it falls for ever, with 0.9 it has a"
    show(figure, f"{alt} lowest point. By epoch, D's answers in a game with 0.9, to real digits a little higher.")


def average() -> None:
    """One weight of G on its way and its moving average, and what both generators draw of the same z."""
    kept = _kept("game")["weight"]
    rounds = np.arange(1, len(kept["raw"]) + 1) * kept["every"]
    figure, axes = plt.subplots(1, 3, figsize=(12, 3.2), width_ratios=(1, 1.15, 1.15))
    axes[0].plot(rounds, kept["raw"], color="#888888", linewidth=0.8, label="the weight")
    axes[0].plot(rounds, kept["averaged"], color=OTHER, linewidth=2, label="its average")
    axes[0].set(title="one weight of mnist_quick's G", xlabel="round", ylabel="its value")
    axes[0].legend()
    for ax, averaged, name in ((axes[1], False, "raw"), (axes[2], True, "averaged")):
        plots.image_grid(_drawn("mnist_best", 40, averaged), ax=ax).set_title(f"mnist_best, {name}: the same 40 z")
    show(figure, "A weight zigzags about its smooth average. Raw fakes have specks, averaged ones next to none.")


def kinds() -> None:
    """Each column one of the 30 kinds of z, each row the same 16 numbers."""
    figure, ax = plt.subplots(figsize=(11, 1.6))
    plots.image_grid(unpacked(_kept("averaged")["kinds"]), columns=30, ax=ax)
    ax.set_title("mnist_quick, averaged: a column for each of the 30 kinds, a row for each choice of the 16 numbers")
    show(figure, "Thirty columns of three digits: in most columns one digit, written in three ways.")


CHANGED = ["mnist_quick", "G begins anywhere", "z without kinds", "G learns from all fakes", "no R1"]
CHANGED += ["no R1, D with dropout 0.3", "R1 in every round", "average 0.999", "simultaneous, no R1"]


def one_thing_changed() -> None:
    """`mnist_quick` with one thing changed at a time, two seeds each: how many of its averaged fakes are legible."""
    rows = data.saved_record("quick_search")["rows"]
    figure, axes = plt.subplots(1, 3, figsize=(11, 3.9), sharey=True)
    columns = ("1000", 0, "legible"), ("2400", 0, "legible"), ("2400", 1, "coverage")
    for ax, (rounds, which, what) in zip(axes, columns, strict=True):
        for place, variant in enumerate(CHANGED):
            values = [row["sure, coverage"][rounds][which] for row in rows if row["variant"] == variant]
            ax.plot(values, [place] * len(values), "o", color=OTHER if place else "black")
            if not place:
                ax.axvline(np.mean(values), **STYLE["guide"])
        ax.set(title=f"{what}, round {int(rounds):,}", xlim=(0.3, 1), xlabel="share, averaged fakes")
    axes[0].set_yticks(range(len(CHANGED)), CHANGED)
    axes[0].invert_yaxis()
    alt = "Nine recipes, two dots each: most have fewer legible fakes than mnist_quick; coverage is higher without"
    show(figure, f"{alt} kinds and with average 0.999, lower with dropout, else much alike.")


def curves() -> None:
    """What the losses did, and how many digits could be read meanwhile."""
    game = _kept("game")
    rounds = (np.arange(len(game["curves"]["loss_d"])) + 0.5) * game["block"]
    figure, axes = plt.subplots(1, 2, figsize=(10.5, 3.0))
    for key, style, words in (("loss_d", "D", "loss of D"), ("loss_g", "fakes", "loss of G")):
        axes[0].plot(rounds, game["curves"][key], **STYLE[style], label=words)
    for value, words in ((math.log(4), "log 4"), (math.log(2), "log 2")):
        axes[0].axhline(value, **STYLE["guide"])
        axes[0].text(2400, value + 0.03, words, ha="right", fontsize=9)
    axes[0].set(title="both losses (means of 20 rounds)", xlabel="round", ylabel="loss", ylim=(0, 2))
    axes[0].legend(loc="lower left")
    axes[1].plot(game["rounds"], game["legible"], "o-", color=OTHER)
    axes[1].set(title="how many raw fakes are legible", xlabel="round", ylabel="share of 1,000", ylim=(0, 1))
    alt = "Left, both losses hardly move after the first rounds. Right, the share of legible fakes grows to about"
    show(figure, f"{alt} three quarters by round 1,300 and stays there.")


def frozen() -> None:
    """One game stopped at two moments and played on with k = 0: what D says, what the eye sees; then D learns again."""
    figure, axes = plt.subplots(2, 6, figsize=(10.5, 3.2))
    for row, told in zip(axes, _kept("frozen"), strict=True):
        frames = unpacked(told["film"]).reshape(len(told["rounds"]), 8, -1)
        keys = zip(row, frames, told["rounds"], told["k"], told["D(G(z))"], told["legible"], strict=True)
        for ax, images, n, k, answer, share in keys:
            plots.image_grid(images, columns=4, ax=ax)
            when = f"k = {k}: {n - 300 * k} rounds on" if n else f"round {told['begin']}, raw"
            ax.set_title(f"{when}\nD says {answer:.2f}, legible {share:.2f}", fontsize=9)
    alt = "With k = 0 D's answer grows, and eight digits drown in white specks if it is from round 800 on, hardly if"
    show(figure, f"{alt} from round 2,400 on; it drops when D learns again.")


def histograms() -> None:
    """How often each digit is drawn by three generators, raw, as the classifier reads it."""
    figure, axes = plt.subplots(1, 3, figsize=(11, 2.8), sharey=True)
    for ax, name in zip(axes, SHIPPED, strict=True):
        ax.bar(range(10), shares := digit_shares(name), color=GREEN)
        ax.axhline(0.1, **STYLE["guide"])
        ax.set(title=f"{name}, raw: {shares[1]:.0%} ones", xlabel="digit", xticks=range(10))
    axes[0].set_ylabel("share of 2,000 fakes")
    alt = "Shares of the ten digits: a third of mnist's fakes are ones, and 2, 5 and 8 are rare; with mnist_paper and"
    show(figure, f"{alt} mnist_best each digit has about a tenth.")


def digit_shares(name: str, n: int = 2000) -> Tensor:
    """Share of each digit among n raw fakes of a shipped generator, as the classifier reads them: (10,)."""
    with torch.no_grad():
        labels = pretrained.classifier()(_drawn(name, n)).argmax(1)
    return metrics.digit_histogram(labels)[0]


def your_digits(train: Callable[..., Any], rounds: int = 500) -> None:
    """The learner's loop trains nets like those of the quick recipe, once it is written; what its G draws then."""
    with seeded(0):
        G = models.MLPGenerator(64, 256, 512, 784, activation=models.leaky_relu, batch_norm=True, output=nn.Tanh())
        D = models.MLPDiscriminator(784, 512, 256, 1, activation=models.leaky_relu)
        adam_d, adam_g, before = adam(D.parameters(), lr=1e-3), adam(G.parameters(), lr=1e-3), _weights(G, D)
        for _ in tqdm(range(10), desc="your game", leave=False):
            try:
                train(G, D, adam_d, adam_g, data.mnist("train"), data.standard_normal(64), rounds // 10)
            except Exception as error:  # whatever a learner's code does, the notebook goes on
                print(f"Your loop raised {type(error).__name__}: let the check above say more.")
                return
            if torch.equal(_weights(G, D), before):
                print("Your game waits for the loop.")
                return
        with torch.no_grad():
            fakes = G.eval()(torch.randn(40, 64))
    figure, ax = plt.subplots(figsize=(4.6, 3.2))
    plots.image_grid(fakes, ax=ax).set_title(f"your own GAN after {rounds} rounds, raw")
    show(figure, f"Forty raw fakes of your own loop, after {rounds} rounds.")


def _kept(part: str) -> dict[str, Any]:
    """What tests/make/mnist_film.py kept of one game of `recipes.mnist_quick`."""
    return data.saved_record("mnist_quick_game")[part]


def _drawn(name: str, n: int, average: bool = False) -> Tensor:
    G = pretrained.load(name, average)
    with seeded(0):
        return G(G.latent.sample((n,)))


# -- the checks of the exercises ---------------------------------------------------------------------------------------


@check
def check_best_answer(best: Any) -> str | None:
    """best(share, label): D's best answer where this share is real and real pictures have this label."""
    share, label = torch.tensor([0.5, 0.8, 0.25, 1.0]), torch.tensor([0.9, 0.9, 0.6, 1.0])
    answers = tensor([number(call(best, s, t)) for s, t in zip(share.tolist(), label.tolist(), strict=True)])
    typical = {
        "this forgets the label: with label 1 it would be right.": share,
        "this is right for the label 0.9, but the label may be another.": 0.9 * share,
        "the label alone would be right if all pictures were real.": label,
        "a lower label makes D less sure, not surer: do not divide by it.": share / label,
        "what is missing to 1 counts for a fake, so ten count as ten.": share * label / (share * label + 1 - share),
    }
    other = f"where half are real and the label is 0.9 you say {answers[0]:.3g}; count ten pictures, five of them real."
    return verdict(answers, share * label, typical, other)


@check
def check_update_average(update: Any) -> str | None:
    """update(average, G, decay): each weight of average moves a little towards that of G, in place."""
    with seeded(0):
        average, G = (nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)) for _ in range(2))
    a, g, asked = _weights(average), _weights(G), []
    average.named_parameters = lambda *given, **more: asked.append(1) or nn.Module.named_parameters(average, *given)
    returned, touched = call(update, average, G, 0.8), bool(asked)
    now, first = _weights(average), average[0].weight.numel()
    if not torch.equal(_weights(G), g):
        return "G has changed; only the average may move."
    if torch.equal(now, a):
        if not touched and (returned is None or returned is ...):
            return UNANSWERED
        return "the average has not moved: change its weights in place, as p.copy_(...) does; p = ... does not."
    right = 0.8 * a + 0.2 * g
    typical = {
        "the wrong way round: the average keeps the share decay of itself.": 0.2 * a + 0.8 * g,
        "this copies G; the average keeps the share decay of what it was.": g,
        "this adds G to the average; it should come nearer to G: the two shares add up to 1.": a + 0.2 * g,
        "decay is a setting, not always 0.9 (or 0.999, or 0.995).": 0.9 * a + 0.1 * g,
        "only the first tensor has moved: go through all of G's weights.": torch.cat([right[:first], a[first:]]),
    }
    return verdict(now, right, typical, "its weights are not at decay * average + (1 - decay) * G.")


def _weights(*nets: nn.Module) -> Tensor:
    return torch.cat([weight.detach().flatten() for net in nets for weight in net.parameters()])


class _Draws:
    """A source whose n-th minibatch is the same for everybody, and which counts them."""

    def __init__(self, width: int):
        self.width, self.drawn, self.rng = width, 0, torch.Generator().manual_seed(width)

    def sample(self, shape: Sequence[int]) -> Tensor:
        self.drawn += 1
        return torch.randn(*shape, self.width, generator=self.rng).clamp(-1, 1)


class _Loop:
    """Two small players, plain optimisers and sources for a loop of two rounds."""

    def __init__(self):
        with seeded(0):
            self.G = models.MLPGenerator(64, 8, 784, activation=models.leaky_relu, output=nn.Tanh())
            self.D = models.MLPDiscriminator(784, 8, 1, activation=models.leaky_relu)
        self.steps = {name: torch.optim.SGD(getattr(self, name).parameters(), lr=0.3) for name in "DG"}
        self.images, self.latent = _Draws(784), _Draws(64)

    def loss(self, x: Tensor, label: float | None, sigmoid: bool) -> Tensor | float:
        out = self.D(x).sigmoid() if sigmoid else self.D(x)
        sign, label = (1, label) if label is None or label >= 0 else (-1, 0)  # -1: log(1 - D), the loss of lesson 03
        return 0.0 if label is None else sign * bce(out, torch.full((len(x),), float(label)))

    def play(
        self, order: str, fresh: bool, factor: float, labels: Any = (1, 0, 1), sigmoid=False, clear=True, once=False
    ) -> Tensor:
        """Where such a loop ends. labels: of real pictures and of fakes in D's turn, of fakes in G's; fresh: z."""
        x_real = z = None
        for _ in range(2):
            x_real = x_real if once and x_real is not None else self.images.sample((100,))
            for player in order:
                z = self.latent.sample((100,)) if fresh or player == order[0] else z
                total = self.loss(self.G(z), labels[2], sigmoid)
                if player == "D":
                    on_fakes = self.loss(self.G(z).detach(), labels[1], sigmoid)
                    total = factor * (self.loss(x_real, labels[0], sigmoid) + on_fakes)
                for optimizer in self.steps.values() if clear else ():
                    optimizer.zero_grad()
                total.backward()
                self.steps[player].step()
        return _weights(self.D, self.G)


@check
def check_train(train: Any) -> str | None:
    """train(G, D, adam_d, adam_g, images, latent, rounds): rounds of D's turn and G's turn on minibatches of 100."""
    game, start = _Loop(), _Loop()
    returned = call(train, game.G, game.D, game.steps["D"], game.steps["G"], game.images, game.latent, 2)
    still = [name for name in "DG" if torch.equal(_weights(getattr(game, name)), _weights(getattr(start, name)))]
    if len(still) == 2:
        graded = any(weight.grad is not None for net in (game.G, game.D) for weight in net.parameters())
        if not graded and (returned is None or returned is ...):
            return UNANSWERED
        return "nobody has moved: each turn ends with its player's optimiser taking a step."
    if still:
        hint = "is adam_d.step() missing?" if still == ["D"] else "is adam_g.step() missing, or its fake detached?"
        return f"{still[0]} has not moved: {hint}"
    typical: dict[str | None, dict[str, Any]] = {
        None: {},
        "the same pictures in every round: draw a minibatch inside the loop.": {"once": True},
        "gradients of earlier turns are still there: zero_grad() comes before each backward().": {"clear": False},
        "in D's turn the labels have changed places: 1 is for real pictures, 0 for fakes.": {"labels": (0, 1, 1)},
        "in D's turn fakes carry the label 0; 1 is what G wants D to say.": {"labels": (1, 1, 1)},
        "in D's turn only the real pictures count: add the loss on the fakes.": {"labels": (1, None, 1)},
        "in D's turn only the fakes count: add the loss on the real pictures.": {"labels": (None, 0, 1)},
        "in G's turn label 0 is what D wants: like this, G helps D to catch it.": {"labels": (1, 0, 0)},
        "in G's turn this is log(1 - D(G(z))); -log D(G(z)) is asked for.": {"labels": (1, 0, -1)},
        "a sigmoid too many: bce takes D's raw output, and has the sigmoid inside.": {"sigmoid": True},
    }
    ways = list(itertools.product(("DG", "GD"), (True, False), (1, 0.5)))
    for words, changed in typical.items():
        if any(close(_weights(game.D, game.G), _Loop().play(*way, **changed)) for way in ways):
            return words
    if game.images.drawn != 2:
        return f"in 2 rounds you drew {game.images.drawn} minibatches of pictures; draw one a round."
    return "both players moved, but not as these turns say: D on 100 pictures and 100 fakes, then G on 100 fakes."
