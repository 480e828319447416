"""Behind lesson 04, in which Figure 1 of the paper moves: its panel, its pictures, and the checks of its exercises."""

import copy
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import ipywidgets as widgets
import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.distributions import Normal, Uniform
from tqdm.auto import tqdm

from gan_lessons import data, hill, losses, models, recipes, seen, theory, views
from gan_lessons.devices import seeded
from gan_lessons.lessons.checking import call, check, show, tensor, verdict
from gan_lessons.live import Panel, controls
from gan_lessons.live.clock import PLAYING
from gan_lessons.style import STYLE
from gan_lessons.training import Trainer

X = torch.linspace(470, 520, 501)  # where the pictures look
GREEN, ORANGE = STYLE["fakes"]["color"], STYLE["D*"]["color"]
LOSSES = {  # name, colour and dashes of G's two losses
    "-log D": (losses.non_saturating, "#6a3d9a", "-"),
    "log(1 - D)": (losses.minimax, "#7f4f24", "--"),
}
BOX = Uniform(-(3**0.5), 3**0.5)  # uniform, with mean 0 and sd 1


# -- the four states ---------------------------------------------------------------------------------------------------

STATES = {  # the button's words, what is to be seen, and the settings with which play leads on to the next state
    "a": ("(a) D has begun", "D has had 8 turns; play: only D moves", {"k": 1, "lr_d": 0.01, "lr_g": 1e-5}),
    "b": ("(b) D is done", "D has had 800 more; play: only G moves", {"k": 0, "lr_d": 0.01, "lr_g": 0.005}),
    "c": ("(c) G has moved", "G has had 30 turns; play: both move", {"k": 1, "lr_d": 0.01, "lr_g": 0.05}),
    "d": ("(d) the end", "both have had 600; play: nothing is left to move", {"k": 1, "lr_d": 0.01, "lr_g": 0.05}),
}


def figure_1(seed: int = 0, state: str = "a", **settings: Any) -> Trainer:
    """The game of lesson 02 from (493, 4), in one of the four states of the paper's Figure 1: "a", "b", "c" or "d".

    Raises ValueError for another state.
    """
    if state not in STATES:
        raise ValueError(f"state: got {state!r}; allowed are {list(STATES)}")
    gan = _begun(seed, **settings)
    gan.load_state_dict(_reached(state, seed) | {"settings": gan.state_dict()["settings"], "steps_done": 0})
    return gan


def _begun(seed: int, **settings: Any) -> Trainer:
    return recipes.gaussian(seed, start=(493.0, 4.0), **{"decay": None} | settings)


@cache
def _reached(state: str, seed: int) -> dict[str, Any]:
    gan = _begun(seed)
    if state != "a":
        gan.load_state_dict(_reached(chr(ord(state) - 1), seed))
    for turns, gan.lr_d in {"a": [(8, 0.01)], "b": [(400, 0.01), (400, 0.001)]}.get(state, []):  # at last small steps
        for _ in range(turns):
            gan.discriminator_step()
    if state == "c":
        for _ in range(30):
            gan.generator_step()
    if state == "d":
        for i in range(600):
            gan.lr_d, gan.lr_g = 0.01 * recipes.cosine(i / 600), 0.05 * recipes.cosine(i / 600)
            gan.step()
    return copy.deepcopy(gan.state_dict())


def alive() -> widgets.VBox:
    """Figure 1 as a panel, and a button for each of its states: it stops there, and play leads on to the next one."""
    state = widgets.Dropdown(options=[(name, name) for name in STATES], layout=widgets.Layout(display="none"))
    view = views.Figure1(470.0, 520.0, D_star=True)
    panel = Panel(figure_1, view, controls.Control("state", (state,)), name="figure 1", **STATES["a"][2])

    def begin(**settings: Any) -> None:
        setattr(panel.play, PLAYING, False)
        panel.begin(**settings)

    common = {"loss": "non_saturating", "seed": 0}
    row = [controls.Choice(text, tip, common | now | {"state": name}) for name, (text, tip, now) in STATES.items()]
    return widgets.VBox([controls.buttons(begin, [row], "160px"), panel])


def stills() -> None:
    """The four states as they stand: both densities, D, the best D, and G's arrows below."""
    figure = plt.figure(figsize=(10.6, 7.4))
    for part, (state, (text, *_)) in zip(figure.subfigures(2, 2).flat, STATES.items(), strict=True):
        gan = figure_1(state=state)
        upper = draw(gan, part, D_star=True)
        G = gan.generator
        upper.set_title(f"{text}: fakes with mean {G.mu.item():.1f}, spread {abs(G.sigma.item()):.1f}")
    _name(figure.axes[0], data=(503.5, 0.42), fakes=(479, 0.4), D=(508, 0.68), best=(488, 0.93))
    show(figure, "Four states: D near D* only in (b) and (d); fakes left of the data in (a), on top of them in (d).")


def draw(gan: Trainer, part: Figure, m: int = 9, D: bool = True, D_star: bool = False, on_hill: bool = False) -> Axes:
    """The hill, and below it an arrow from each of m equal shares of z to its x = G(z)."""
    upper, lower = part.subplots(2, 1, height_ratios=(3, 1), sharex=True)
    now, fakes = seen.curves(gan, X), seen.fakes(gan, m)
    nothing = torch.full_like(X, torch.nan)
    hill.draw(now if D else now._replace(D=nothing), fakes if on_hill else None, upper)
    if D_star:
        upper.plot(now.x, now.D_star.where(_likely(now.p_data, now.p_g), torch.nan), **STYLE["D*"])
    upper.set(xlabel="", ylim=(-0.12 if on_hill else 0, 1.1))
    hill.arrows(fakes.z, fakes.x, lower)
    lower.set_xlabel("weight of a coin, x")
    return upper


def _name(ax: Axes, **places: tuple[float, float]) -> None:
    """Curves are named where they run."""
    words = {"data": "data", "fakes": "fakes", "D": "D", "best": "D*, the best D"}
    for key, place in places.items():
        ax.text(*place, words[key], color=STYLE["D*" if key == "best" else key]["color"])


def _likely(p_data: Tensor, p_g: Tensor) -> Tensor:
    """Where coins ever come: elsewhere no D is better than another."""
    return p_data + p_g > 1e-4 * (p_data + p_g).max()


# -- how G makes p_g ---------------------------------------------------------------------------------------------------


def crowds() -> None:
    """One bell, with arrows from equal shares of z, from an even grid of z, and from random draws of z."""
    figure, z = plt.figure(figsize=(11, 3.6)), Normal(0.0, 1.0)
    with seeded(0):
        kinds = {
            "equal shares of z: 5% of the fakes each": seen.quantiles(z, 20),
            "an even grid of z: unequal shares": torch.linspace(-2, 2, 20),
            "20 random draws of z": z.sample((20,)).sort().values,
        }
    for part, (title, feet) in zip(figure.subfigures(1, 3), kinds.items(), strict=True):
        upper, lower = part.subplots(2, 1, height_ratios=(2, 1), sharex=True)
        upper.plot(X, Normal(495.0, 5.0).log_prob(X).exp(), **STYLE["fakes"])
        upper.set(title=title, xlim=(480, 510), ylim=(0, 0.09), yticks=[], ylabel="density of fakes")
        hill.arrows(feet, 495 + 5 * feet, lower, ticks=19)
        lower.set_xlabel("weight of a coin, x")
    show(figure, "From equal shares of z arrows crowd under the top of the bell; from a grid not; random ones clump.")


def strips(G: Callable[[Tensor], Tensor], low: float, high: float, starts: Sequence[float]) -> None:
    """z uniform from low to high, and G as a curve: where it carries strips of z, and how high p_g is there."""
    figure = hill.strips(G, low, high, starts)
    said = [words.get_text().strip() for words in figure.axes[1].texts]  # one for each weight to which a strip goes
    alt = "Strips of z go up to G's curve and to the right: where G is steep they get wide, the density low"
    if len(said) < len(starts):
        alt = "G's curve goes down and up again, and strips of z go to the same x, where their shares add up"
    show(figure, f"{alt}: {', '.join(said)}.")


# -- what D and G do ---------------------------------------------------------------------------------------------------


def valley(x: Tensor, p_data: Tensor, p_g: Tensor, best: Tensor) -> None:
    """The best D in state (b), drawn also where no coin ever comes, and the best D against a narrower pile."""
    narrow = Normal(493.0, 2.5).log_prob(x).exp()
    figure, axes = plt.subplots(1, 2, figsize=(10.6, 3.3), sharey=True)
    pairs = ((p_g, best, "state (b): fakes N(493, 4²)"), (narrow, p_data / (p_data + narrow), "fakes N(493, 2.5²)"))
    for ax, (q, D_star, title) in zip(axes, pairs, strict=True):
        top = 2.2 * p_data.max()
        ax.plot(x, 1.1 * p_data / top, **STYLE["data"])
        ax.plot(x, 1.1 * q / top, **STYLE["fakes"])
        ax.plot(x, D_star, **STYLE["D*"] | {"alpha": 0.35})
        ax.plot(x, D_star.where(_likely(p_data, q), torch.nan), **STYLE["D*"])
        ax.axhline(0.5, **STYLE["guide"])
        ax.set(title=title, xlim=(x[0], x[-1]), ylim=(0, 1.1), yticks=[0, 0.5, 1], xlabel="weight of a coin, x")
    axes[0].set_ylabel("D*(x): share of real coins")
    axes[0].text(456, 0.15, "pale: next to no\ncoin ever comes", color=ORANGE, fontsize=9)
    _name(axes[0], data=(502, 0.42), fakes=(482.5, 0.42), best=(503, 0.78))
    show(figure, "D* is a valley: low where fakes are more frequent than real coins, and high again on both sides.")


def bends() -> None:
    """The logit of the best D against three piles, narrower than the data, as wide and wider, with the fakes on it."""
    figure, axes = plt.subplots(1, 3, figsize=(11, 3.1), sharex=True, sharey=True)
    kinds = {3: "narrower than the data", 5: "as wide", 8: "wider"}
    for ax, (spread, words) in zip(axes, kinds.items(), strict=True):
        G = models.AffineGenerator(490.0, float(spread))
        logit, x = best_logit(G), G(seen.quantiles(Normal(0.0, 1.0), 9)).detach()
        ax.plot(X, logit(X), **STYLE["D*"])
        ax.plot(x, logit(x), "o", color=GREEN)
        alone = round(on_sigma(logit, G)[0], 2) + 0.0
        ax.set(title=f"spread {spread}, {words}:\nmean of z times slope {alone:+.2f}", xlabel="weight of a coin, x")
        ax.axhline(0, **STYLE["guide"])
    axes[0].set(ylabel="logit of the best D", ylim=(-9, 9), xlim=(474, 506))
    show(figure, "Left: the logit is a valley, steepest in front; middle: a straight line; right: steep at the rear.")


def on_sigma(logit: Callable[[Tensor], Tensor], G: nn.Module) -> list[float]:
    """The push on sigma, the mean of z times the push: of the slope alone, with -log D, and with log(1 - D)."""
    z = seen.quantiles(Normal(0.0, 1.0), 2001)
    slope, weights = factors(logit, G(z))
    return [(z * weight * slope).mean().item() for weight in (torch.ones_like(z), *weights)]


def apart(*ends: nn.Module) -> None:
    """Fakes as wide as the data on the hill of the best D, their pushes under both losses, and where G then went."""
    figure, axes = plt.subplots(2, 2, figsize=(10.6, 5.6), sharex=True, sharey=True)
    z, begin = seen.quantiles(Normal(0.0, 1.0), 9), models.AffineGenerator(490.0, 5.0)
    logit, p_data = best_logit(begin), data.gaussian().log_prob(X).exp()
    for i, (column, end, name) in enumerate(zip(axes.T, ends, LOSSES, strict=True)):
        for ax, G in zip(column, (begin, end), strict=True):
            mu, sigma, x = G.mu.item(), G.sigma.item(), G(z).detach()
            slope, weights = factors(logit, x)
            p_g, D = Normal(mu, sigma).log_prob(X).exp(), logit(X).sigmoid()
            fakes = seen.Fakes(z, x, logit(x).sigmoid(), weights[i] * slope)
            hill.draw(seen.Curves(X, p_data, p_g, D, D), fakes, ax)
            ax.set_title(f"{name if G is begin else 'after 15 turns of G'}: mean {mu:.1f}, spread {sigma:.1f}")
            ax.label_outer()
    hill.scale(axes[0, 0], 472, 0.85)
    alt = "With -log D arrows are longest at the rear, and the pile narrows; with log(1 - D) they are longest in"
    show(figure, f"{alt} front, and it widens.")


def slopes() -> None:
    """Lesson 02's game after 50 rounds: the slope of the logit from rear to front, of its own D and of the best D."""
    gan = recipes.gaussian(seed=0, decay=None)
    list(gan.run(50))
    figure, ax = plt.subplots(figsize=(7.6, 3.2))
    G, z = gan.generator, seen.quantiles(Normal(0.0, 1.0), 401)
    for style, logit, name, y in (("D", gan.discriminator, "this D", 0.2), ("D*", best_logit(G), "the best D", 0.7)):
        alone, braked, _ = (round(push, 2) + 0.0 for push in on_sigma(logit, G))
        ax.plot(z, factors(logit, G(z))[0], **STYLE[style])
        words = f"{name}: mean of z times slope {alone:+.2f},\nof z times push, with -log D, {braked:+.2f}"
        ax.text(-2.9, y, words, color=STYLE[style]["color"], fontsize=9)
    ax.set(xlabel="z, from the rear to the front of the pile", ylabel="slope of the logit", ylim=(0, 1.1))
    ax.axvline(0, **STYLE["guide"])
    show(figure, "The best D's slope is the same everywhere; that of D is near 0 at the rear, and largest in front.")


def best_logit(G: nn.Module) -> Callable[[Tensor], Tensor]:
    """The logit of D* against an affine G as it is now: log p_data - log p_g."""
    return theory.log_odds(data.gaussian(), Normal(G.mu.detach().double(), G.sigma.detach().double().abs()))


def factors(logit: Callable[[Tensor], Tensor], x: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """What a push on each x is made of: the slope of D's logit, and the factors 1 - D of -log D and D of log(1-D)."""
    x = x.detach().clone().requires_grad_()
    out = logit(x)
    (slope,) = torch.autograd.grad(out.sum(), x)
    D = out.detach().sigmoid().to(x.dtype)
    return slope, (1 - D, D)


def journeys(paths: Sequence[Sequence[tuple[float, float]]]) -> None:
    """The spread on the way to the data. paths: (mu, sigma) of the ideal game with -log D, and with log(1 - D)."""
    learned = []
    for loss, *_ in LOSSES.values():
        gan = recipes.gaussian(decay=None, loss=loss)
        learned.append([(gan.generator.mu.item(), gan.generator.sigma.item()) for _ in gan.run(700)])
    said, (figure, axes) = [], plt.subplots(1, 2, figsize=(10.6, 3.4), sharex=True, sharey=True)
    for ax, games, title in zip(axes, (learned, paths), ("D is still learning", "D is the best D"), strict=True):
        for points, (name, (_, color, dashes)) in zip(games, LOSSES.items(), strict=True):
            mu, sigma = torch.tensor(points).T
            ax.plot(mu, sigma, color=color, linestyle=dashes)
            place = (mu[sigma.argmax()], sigma.max() + 0.3) if name == "log(1 - D)" else (490, 2.6)
            ax.text(*place, f"{name}, widest {sigma.max():.1f}", color=color, ha="center")
            said.append(f"{sigma.max():.1f}")
        ax.plot(500, 5, "*", color="black", markersize=13)
        ax.set(title=title, xlabel="mean of the fakes", xlim=(479, 502), ylim=(0, 12))
        ax.axhline(5, **STYLE["guide"])
    axes[0].set_ylabel("their spread")
    axes[0].text(500, 3.6, "data", ha="center")
    alt = "Spread over mean of the fakes, from (480, 1) to near the data at (500, 5): with -log D and log(1 - D) it"
    show(figure, "{} gets up to {} and {} while D is learning, to {} and {} if D is the best D.".format(alt, *said))


def shapes() -> None:
    """Uniform z through an affine G, and through a small net, after their games."""
    games = {
        "G(z) = mu + sigma z": recipes.gaussian(latent=BOX, steps=800),
        "G is a small net": recipes.gaussian_mlp(latent=BOX, k=3, lr_g=0.003, steps=900),
    }
    figure = plt.figure(figsize=(10.6, 4.2))
    for part, (title, gan) in zip(figure.subfigures(1, 2), games.items(), strict=True):
        list(tqdm(gan.run(), total=gan.steps, desc=title, leave=False))
        upper = draw(gan, part, m=15, D=False)
        upper.set(title=f"uniform z, {title}", ylabel="density, no scale", yticks=[], ylim=(0, 0.75))
    _name(figure.axes[0], data=(508, 0.42), fakes=(498, 0.1))
    alt = "Left: the fakes are a flat box over the bell of the data. Right: a hump like a bell, but more pointed,"
    show(figure, f"{alt} and cut off with an edge on either side.")


def moved() -> None:
    """Three bumps of data; the left one goes, and comes back: where the fakes are before, without it, and with it."""
    with_it, without = (data.bumps((485, 500, 515), (3, 3, 3), (left, 0.5, 0.25)) for left in (0.25, 0.0))
    gan = recipes.gaussian_mlp(seed=1, data=with_it, k=3, lr_g=0.003, decay=None)
    figure, axes = plt.subplots(1, 3, figsize=(10.6, 2.9), sharey=True)
    steps = ((450, with_it, "three bumps"), (200, without, "the left one has gone"), (250, with_it, "it has come back"))
    for ax, (rounds, source, words) in zip(axes, steps, strict=True):
        gan.data = source
        list(tqdm(gan.run(rounds), total=rounds, desc=words, leave=False))
        hill.draw(seen.curves(gan, torch.linspace(470, 530, 601)), None, ax)
        ax.set(title=f"round {gan.steps_done}: {words}", ylim=(0, 1.1))
        ax.label_outer()
    _name(axes[1], data=(519, 0.22), fakes=(503, 0.55), D=(474, 0.2))
    alt = "Fakes have three humps like the data; when the data's left hump goes, theirs goes, and when it comes back,"
    show(figure, f"{alt} so does theirs.")


# -- the exercises -----------------------------------------------------------------------------------------------------


@check
def check_affine_density(density: Any) -> str | None:
    """density(x, mu, sigma): p_g of G(z) = mu + sigma z, z ~ N(0, 1), x: (n,) -> (n,), sigma > 0 or < 0."""
    x = torch.linspace(488, 512, 25)
    for mu, sigma in ((497.0, 4.0), (502.0, -3.0)):
        at_x, p_z = (Normal(0.0, 1.0).log_prob(z).exp() for z in (x, (x - mu) / sigma))
        typical = {
            "this is the density of z; G spreads a strip over |sigma| times its width: divide.": p_z,
            "you multiply by sigma; where G stretches, the fakes get thin: divide.": p_z * abs(sigma),
            "the density of z is wanted at the z for which G(z) = x: (x - mu) / sigma.": at_x / abs(sigma),
            "this is the log of the density; take exp.": p_z.log() - torch.tensor(abs(sigma)).log(),
        }
        if sigma < 0:
            typical["right for sigma > 0; for sigma = -3 it is below 0: divide by the width, |sigma|."] = p_z / sigma
        otherwise = f"at x = 500, mu = {mu:g}, sigma = {sigma:g} it should be {(p_z / abs(sigma))[12]:.4f}."
        if mistake := verdict(tensor(call(density, x, mu, sigma), len(x)), p_z / abs(sigma), typical, otherwise):
            return mistake
    return None


@check
def check_folded_density(density: Any) -> str | None:
    """density(x): p_g of G(z) = 500 + 10 z^2, z ~ N(0, 1), for x > 500; (n,) -> (n,)."""
    x = torch.linspace(501, 530, 30)
    z = ((x - 500) / 10).sqrt()
    p_z, slope = Normal(0.0, 1.0).log_prob(z).exp(), 20 * z
    typical = {
        "this is half of it: -z is carried to the same x as z.": p_z / slope,
        "G's slope is missing: divide the density of z by it.": 2 * p_z,
        "G's slope is missing, and half of the fakes: -z is carried to the same x as z.": p_z,
        "you multiply by the slope; where G is steep, the fakes get thin: divide.": 2 * p_z * slope,
        "the density of z is missing: it is that of N(0, 1) at z.": 2 / slope,
        "the slope is taken at z = x; it is wanted at the z for which G(z) = x.": 2 * p_z / (20 * x),
    }
    right = 2 * p_z / slope
    return verdict(tensor(call(density, x), len(x)), right, typical, f"at x = 510 it should be {right[9]:.4f}.")


@check
def check_optimal_discriminator(D_star: Any) -> str | None:
    """D_star(x, mu, sigma): the best D for coins from N(500, 5^2) and fakes from N(mu, sigma^2); (n,) -> (n,)."""
    x, mu, sigma = torch.linspace(484, 512, 29), 493.0, 4.0
    p, q = data.gaussian().log_prob(x).exp(), Normal(mu, sigma).log_prob(x).exp()
    typical = {
        "this is the share of fakes; D says how likely x is real.": q / (p + q),
        "this is a ratio, which can exceed 1: divide by the sum of both.": p / q,
        "this is D*'s logit, log p_data - log p_g; put it through a sigmoid.": p.log() - q.log(),
        "these are log densities, not densities: take exp before you add.": p.log() / (p.log() + q.log()),
    }
    otherwise = f"at x = 500 it should be {(p / (p + q))[16]:.3f} against N(493, 4^2)."
    return verdict(tensor(call(D_star, x, mu, sigma), len(x)), p / (p + q), typical, otherwise)


@check
def check_push(push: Any) -> str | None:
    """push(x, mu, sigma): of the loss -log D at x, for the best D against fakes from N(mu, sigma^2); (n,) -> (n,)."""
    x, mu, sigma = torch.linspace(484, 512, 29), 493.0, 4.0
    slope, (brake, drive) = factors(best_logit(models.AffineGenerator(mu, sigma)), x)
    typical = {
        "this is the slope of the logit; the factor of -log D is missing.": slope,
        "this is the push of log(1 - D): its factor is D.": drive * slope,
        "this is the slope of the hill, D(1 - D) times that of the logit; divide it by the height, D.": brake
        * drive
        * slope,
        "the sign: the push is the way in which D grows.": -brake * slope,
        "this is the factor; multiply it by the slope of the logit.": brake,
    }
    return verdict(
        tensor(call(push, x, mu, sigma), len(x)),
        brake * slope,
        typical,
        f"at x = 500 it should be {(brake * slope)[16]:.4f}.",
    )
