"""Checks for the exercises: each compares an answer with an oracle, names the typical mistake, and never raises."""

import functools
import inspect
import math
import textwrap
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import torch
from IPython.display import display
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer
from torch import Tensor

from gan_lessons import data, guards, losses, theory


def show_source(*objects: Any) -> None:
    """Show the code of functions, methods or classes: the very code that runs."""
    sources = [textwrap.dedent(inspect.getsource(inspect.unwrap(obj))).strip() for obj in objects]
    code = "\n\n\n".join(sources)
    formatter = HtmlFormatter(noclasses=True, nobackground=True, prestyles="font-family: monospace")
    display({"text/plain": code, "text/html": highlight(code, PythonLexer(), formatter)}, raw=True)


def _check(judge: Callable[[Any], str | None]) -> Callable[[Any], None]:
    """judge returns None for a right answer, or what is wrong with it."""

    @functools.wraps(judge)
    def check(answer: Any) -> None:
        try:
            mistake = judge(answer)
        except Exception as error:  # whatever a learner's code does, the notebook goes on
            mistake = f"your answer raised {type(error).__name__}: {error}"
        if mistake is _UNANSWERED:
            print("… not answered yet.")
        else:
            print("✓ right." if mistake is None else f"✗ {mistake}")

    return check


_UNANSWERED = "unanswered"


def _close(a: Any, b: Tensor) -> bool:
    return torch.is_tensor(a) and a.shape == b.shape and torch.allclose(a.double(), b.double(), rtol=1e-3, atol=1e-7)


@_check
def check_density(density: Callable[[Tensor], Tensor]) -> str | None:
    """Lesson 02: density(x) of N(500, 5^2), x: (n,) -> (n,)."""
    x = torch.linspace(485, 515, 31)
    p, answer = data.gaussian().log_prob(x).exp(), density(x)
    if answer is None or answer is ...:
        return _UNANSWERED
    if _close(answer, p):
        return None
    if not torch.is_tensor(answer) or answer.shape != x.shape:
        return f"density(x) must return a tensor of x's shape {tuple(x.shape)}; build it from torch.exp."
    area = torch.trapezoid(answer, x).item()
    if _close(answer, p * 5 * math.sqrt(2 * math.pi) / math.sqrt(5 * 2 * math.pi)):
        return (
            f"the factor 1/sqrt(5 * 2 pi) takes 5 for the variance; the area is {area:.2f}, not 1. The variance is 25."
        )
    if _close(answer, data.gaussian().log_prob(x)):
        return "this is the log of the density; take exp."
    if _close(answer / answer.max(), p / p.max()):
        return f"the shape is right, but the area under it is {area:.3g}, not 1: look at the factor in front."
    ratio = (answer[20] / answer[15]).item()
    return f"the bump is off: from x = 500 to 505 it falls by a factor of {ratio:.3g}; it should be exp(-1/2) = 0.607."


@_check
def check_discriminator_loss(loss: Callable[[Tensor, Tensor], Tensor]) -> str | None:
    """Lesson 02: loss(logits_real, logits_fake) of Algorithm 1, to be minimised; (m,), (m,) -> scalar."""
    real, fake = torch.tensor([-1.0, 0.5, 2.0]), torch.tensor([0.3, -2.0, 1.0])
    right, answer = losses.discriminator_loss(real, fake), loss(real, fake)
    if answer is None or answer is ...:
        return _UNANSWERED
    log_sigmoid = torch.nn.functional.logsigmoid
    typical = {
        "the sign: this is the value function, which D climbs; a loss is minimised, so put a minus in front.": -right,
        "one term: fakes count as log(1 - D(G(z))), and you take log D(G(z)).": -(
            log_sigmoid(real) + log_sigmoid(fake)
        ).mean(),
        "you sum over the minibatch; the formula takes the mean.": right * len(real),
        "it is half of the loss: the two terms are added, not averaged.": right / 2,
        "real and fake have changed places.": losses.discriminator_loss(fake, real),
    }
    if not _close(answer, right):
        return next(
            (text for text, wrong in typical.items() if _close(answer, wrong)),
            f"got {answer}, expected {right.item():.4f}.",
        )
    if not math.isclose(loss(-200 * torch.ones(2), 200 * torch.ones(2)).item(), 400, rel_tol=1e-4):
        return (
            "right for small logits, but log(sigmoid(-200)) rounds to log(0): torch.nn.functional.logsigmoid does not."
        )
    return None


@_check
def check_steady(path: tuple[Tensor, Tensor]) -> str | None:
    """Lesson 02: (mu, sigma) after each of the last 300 steps; at least 9 in 10 must be within 1 of 500 and of 5."""
    if path is None or path is ...:
        return _UNANSWERED
    mu, sigma = path
    if mu.shape != sigma.shape or mu.dim() != 1 or len(mu) < 300:
        return f"give two rows of at least 300 numbers, one per step; got {tuple(mu.shape)} and {tuple(sigma.shape)}."
    mu_near, sigma_near = (mu[-300:] - 500).abs() <= 1, (sigma[-300:].abs() - 5).abs() <= 1
    steady = (mu_near & sigma_near).double().mean().item()
    if steady >= 0.9:
        return None
    if not mu_near.any():
        return (
            f"mu is not near 500 in any of the last 300 steps (at the end it is {mu[-1]:.1f}): was it given the time?"
        )
    return f"near (500, 5) in {steady:.0%} of the last 300 steps, and 90% are asked for: D cannot keep up with G."


@_check
def check_optimal_discriminator(D_star: Callable[[Tensor, Tensor], Tensor]) -> str | None:
    """Lesson 04: D_star(p_data, p_g), from the two densities at the same x, each (n,) -> (n,)."""
    p, q = torch.tensor([0.08, 0.05, 0.01, 0.0]), torch.tensor([0.02, 0.05, 0.03, 0.04])
    answer = D_star(p, q)
    if answer is None or answer is ...:
        return _UNANSWERED
    typical = {
        "this is the probability that x is fake: D says how likely x is real.": q / (p + q),
        "this is a ratio, which can exceed 1: divide by the sum of both.": p / q,
        "this is a density: D compares the two, it does not add up to 1 over x.": p / p.sum(),
    }
    if _close(answer, p / (p + q)):
        return None
    return next((text for text, wrong in typical.items() if _close(answer, wrong)), f"got {answer}.")


@_check
def check_density_of_square(density: Callable[[Tensor], Tensor]) -> str | None:
    """Lesson 04: p_g(x) on 500 < x < 510, for G(z) = 500 + 10 z^2 and z uniform on [0, 1]; (n,) -> (n,)."""
    x = torch.linspace(501, 509, 9)
    slope = 2 * torch.sqrt(10 * (x - 500))  # dG/dz = 20 z at z = sqrt((x - 500) / 10)
    answer = density(x)
    if answer is None or answer is ...:
        return _UNANSWERED
    typical = {
        "this is the density of z; where G is steep, the same z are spread over more x: divide by the slope.": x * 0
        + 1,
        "you multiply by the slope; a steep G spreads z thin, so divide by it.": slope,
        "this is z itself, at which G(z) = x; the density is p_z there, divided by the slope.": slope / 20,
        "this slope is at z = x; it is wanted at the z for which G(z) = x.": 1 / (20 * x),
    }
    if _close(answer, 1 / slope):
        return None
    other = f"at x = 505 it should be 0.0707, and yours is {answer[4]:.3g}."
    return next((text for text, wrong in typical.items() if _close(answer, wrong)), other)


@_check
def check_weights(count: int) -> str | None:
    """Lesson 07: how many numbers G of 100-256-512-1024-784 learns."""
    if count is None or count is ...:
        return _UNANSWERED
    widths = (100, 256, 512, 1024, 784)
    right = sum((n_in + 1) * n_out for n_in, n_out in pairwise(widths))
    typical = {
        "the biases are missing: each output has one.": right - sum(widths[1:]),
        "that is the net as printed, with two hidden layers, 256 and 512; the code has a third.": 101 * 256
        + 257 * 512
        + 513 * 784,
        "that is the number of units, not of weights between them.": sum(widths),
    }
    if count == right:
        return None
    return next((text for text, wrong in typical.items() if count == wrong), f"got {count}, which is not it.")


@_check
def check_to_pixels(to_pixels: Callable[[Tensor], Tensor]) -> str | None:
    """Lesson 07: to_pixels(x), from [-1, 1] to whole numbers 0 to 255, dtype uint8, same shape."""
    x = torch.tensor([[-1.0, -0.5, 0.0], [0.25, 0.999, 1.0]])
    right, answer = torch.tensor([[0, 64, 128], [159, 255, 255]], dtype=torch.uint8), to_pixels(x)
    if answer is None or answer is ...:
        return _UNANSWERED
    if not torch.is_tensor(answer) or answer.dtype != torch.uint8:
        return f"pixels are uint8; got {answer.dtype if torch.is_tensor(answer) else type(answer).__name__}."
    if torch.equal(answer, right):
        return None
    if torch.equal(answer, ((x + 1) * 127.5).to(torch.uint8)):
        return "nearly: .to(torch.uint8) cuts off what is behind the point, so 254.9 becomes 254. Round first."
    if torch.equal(answer, (x.clamp(min=0) * 255).round().to(torch.uint8)):
        return "this takes [0, 1] for the range of x; it is [-1, 1], and all below 0 became black."
    return f"expected {right.tolist()}, got {answer.tolist()}."


@_check
def check_criterion(C: Callable[[Tensor, Tensor, float], Any]) -> str | None:
    """Lesson 05: C(p_data, p_g, dx) = max_D V in nats, from two densities (n,) at points that are dx apart."""
    dx = 0.5
    x = torch.arange(470, 530, dx, dtype=torch.double)  # in float32 some 1 - D would round to 0
    p, q = data.gaussian().log_prob(x).exp(), torch.distributions.Normal(495.0, 4.0).log_prob(x).exp()
    answer = C(p, q, dx)
    if answer is None or answer is ...:
        return _UNANSWERED
    answer = float(answer)
    D = p / (p + q)
    terms = p * D.log(), q * (1 - D).log(), p * (1 - D).log() + q * D.log()
    on_data, on_fakes, inverted = (term.sum().item() * dx for term in terms)
    right = on_data + on_fakes
    typical = {
        "the sum is there, but each point stands for a strip of width dx: multiply by it.": right / dx,
        "this is what D wins on the data; add E_g[log(1 - D*)], its half on the fakes.": on_data,
        "this is what D wins on the fakes; add E_data[log D*], its half on the data.": on_fakes,
        "D* and 1 - D* have changed places: this is the inverted policeman.": inverted,
        "this is the JSD; C = -log 4 + 2 JSD.": (right + math.log(4)) / 2,
        "this is twice the JSD; -log 4 is missing.": right + math.log(4),
        "the sign: C is a mean of logs of probabilities, at most 0.": -right,
        "this is in bits; the lesson counts in nats, with the natural log.": right / math.log(2),
        "this is -log 4, V of a D that says 1/2; the best D for these two densities does better.": -math.log(4),
    }
    if math.isclose(answer, right, rel_tol=1e-3):
        return None
    other = f"for N(500, 5^2) and N(495, 4^2) it should be {right:.3f}, and yours is {answer:.3g}."
    return next((text for text, wrong in typical.items() if math.isclose(answer, wrong, rel_tol=1e-3)), other)


@_check
def check_hill(thetas: tuple[tuple[float, float], tuple[float, float]]) -> str | None:
    """Lesson 05: two counterfeiters (mu, sigma), between which C rises at least 0.3 above its chord, half way."""
    if thetas is None or thetas is ... or any(theta is ... or ... in theta for theta in thetas):
        return _UNANSWERED
    (mu_1, sigma_1), (mu_2, sigma_2) = thetas
    if not all(1 <= sigma <= 12 and 466 <= mu <= 534 for mu, sigma in thetas):
        return f"got {thetas}; stay on the map: mu from 466 to 534, sigma from 1 to 12."
    p_data, middle = data.gaussian(), ((mu_1 + mu_2) / 2, (sigma_1 + sigma_2) / 2)
    ends = [theory.criterion(p_data, torch.distributions.Normal(*map(float, theta))) for theta in thetas]
    C, chord = theory.criterion(p_data, torch.distributions.Normal(*middle)), sum(ends) / 2
    if C - chord >= 0.3:
        return None
    if max(ends) - min(ends) < 0.05 and abs(C - chord) < 0.05:
        level = f"C is {C:.2f} half way, and {ends[0]:.2f} and {ends[1]:.2f} at the ends"
        return f"{level}: level ground. Put one near the lowest point and the other far from it."
    if C < chord:
        return f"half way C is {C:.2f}, below the chord's {chord:.2f}: there is a hole between your two, not a hill."
    return f"half way C is {C:.2f}, only {C - chord:.2f} above the chord's {chord:.2f}: let one stand farther out."


@_check
def check_parzen_draws(draw: Callable[[Tensor, float, int], Tensor]) -> str | None:
    """Lesson 01: draw(points, h, n) -> n numbers drawn from the Parzen window of width h on points."""
    points, h, n = torch.tensor([0.0, 1.0, 4.0]), 0.04, 3000
    with guards.seeded(0):
        x = draw(points, h, n)
    if x is None or x is ...:
        return _UNANSWERED
    if not torch.is_tensor(x) or x.shape != (n,):
        return f"for n = {n} draw must return a tensor of shape ({n},); got {getattr(x, 'shape', type(x).__name__)}."
    nearest = (x[:, None] - points).abs().argmin(dim=1)
    shares, off = nearest.bincount(minlength=3) / n, x - points[nearest]
    typical = {
        "the points come out as they are, and nothing new: add h times a standard normal.": off.abs().max() < 1e-6,
        "all draws share one noise; each needs its own: torch.randn(n).": off.std() < 1e-6,
        "h is the standard deviation of a bump, not its variance: its root is too wide.": _near(off.std(), h**0.5),
        "h is the standard deviation of a bump; do not square it.": _near(off.std(), h**2),
        "this is one bump for all; choose a point first, then draw around it.": off.std() > 0.3,
        "the noise leans to one side: torch.rand is uniform on 0 to 1, torch.randn is normal.": off.mean() > h / 4,
    }
    if not (shares - 1 / 3).abs().max() < 0.05:
        seen = ", ".join(f"{share:.0%}" for share in shares)
        return f"each point should be chosen equally often; of three points yours are near {seen}: use torch.randint."
    if _near(off.std(), h) and off.mean().abs() < h / 4:
        return None
    other = f"around its point a draw should have sd h = {h}, and yours has {off.std():.2g}."
    return next((text for text, wrong in typical.items() if wrong), other)


def _near(a: Tensor, b: float) -> bool:
    return abs(a.item() / b - 1) < 0.1


@_check
def check_log_z(log_Z: Callable[[Callable[[Tensor], Tensor], int], Tensor]) -> str | None:
    """Lesson 01: log_Z(score, n), the log of the sum of e^score over all images of n pixels that are 0 or 1."""
    n, w = 5, 0.5
    right = n * math.log1p(math.exp(w))  # where each white pixel scores w, Z is a product over pixels
    answer = log_Z(lambda x: w * x.sum(dim=1), n)
    if answer is None or answer is ...:
        return _UNANSWERED
    typical = {
        "this is Z; take its log.": math.exp(right),
        "this is the log of the mean; Z is a sum over all images.": right - n * math.log(2),
        "this is the highest score; Z adds up e^score of all images.": n * w,
        "this is the log of the sum of the scores; each must go through exp first.": math.log(2**n * n * w / 2),
        "an image is missing: the black one, of zeros only, counts as well.": math.log(math.exp(right) - 1),
        "this is the logarithm to base 10; take the natural one.": right / math.log(10),
        "this is the logarithm to base 2; take the natural one.": right / math.log(2),
    }
    if not math.isclose(answer, right, rel_tol=1e-4):
        got = f"where each white pixel scores 0.5, log Z of 5 pixels is {right:.4f}; got {float(answer):.4f}."
        return next((text for text, wrong in typical.items() if math.isclose(answer, wrong, rel_tol=1e-4)), got)
    if not math.isclose(log_Z(lambda x: x[:, 0] + 1000, n), 1000 + math.log(16 * (1 + math.e)), rel_tol=1e-5):
        return "right for small scores, but e^1000 is too large for a float: torch.logsumexp is not."


@_check
def check_minimax(minimax: Callable[[Tensor], tuple[Any, Any]]) -> str | None:
    """Lesson 03: minimax(V) -> (min max V, max min V) of a table; G picks the row, D the column."""
    V = torch.tensor([[1.0, 5.0, 2.0], [6.0, 0.0, 4.0]])
    answer = minimax(V)
    if answer is None or any(number is None or number is ... for number in answer):
        return _UNANSWERED
    got = tuple(float(number) for number in answer)
    typical = {
        "in min max G moves first, so D's maximum is inside, one for each row; you have exchanged the two numbers.": (
            2.0,
            5.0,
        ),
        "G picks the row here and D the column; you have it the other way round.": (4.0, 1.0),
        "these are the largest and the smallest number of the table: each player answers the other's move.": (6.0, 0.0),
        "these are places in the table; the value V there is wanted: .values, not .indices.": (0.0, 0.0),
    }
    if got == (5.0, 2.0):
        return None
    other = f"for the rows {V.int().tolist()} it is (5, 2), and yours is ({', '.join(f'{n:g}' for n in got)})."
    return next((text for text, wrong in typical.items() if got == wrong), other)


@_check
def check_label_of_fakes(loss: Callable[[Tensor], Tensor]) -> str | None:
    """Lesson 03: loss(logits_fake), G's non-saturating loss, to be minimised; (m,) -> scalar."""
    logits = torch.tensor([0.3, -2.0, 1.0])
    right, answer = losses.non_saturating_generator_loss(logits), loss(logits)
    if answer is None or answer is ...:
        return _UNANSWERED
    p = logits.sigmoid()
    typical = {
        "label 0 is what D wants: descending this, G would help to be caught.": -torch.log(1 - p).mean(),
        "this is log(1 - D(G(z))), the saturating loss: it is asked for -log D(G(z)).": torch.log(1 - p).mean(),
        "the sign: this is log D(G(z)), which G climbs; a loss is minimised.": p.log().mean(),
        "you sum over the minibatch; take the mean.": -p.log().sum(),
        "a sigmoid too many: bce(logits, labels) takes logits, and has the sigmoid inside.": -p.sigmoid().log().mean(),
    }
    if not _close(answer, right):
        return next(
            (text for text, wrong in typical.items() if _close(answer, wrong)),
            f"got {answer}, expected {right.item():.4f}.",
        )
    if not math.isclose(loss(-200 * torch.ones(2)).item(), 200, rel_tol=1e-4):
        return "right for small logits, but log(sigmoid(-200)) rounds to log(0): bce on the logits does not."
    return None


@_check
def check_simultaneous_step(step: Callable[[float, float, float], tuple[float, float]]) -> str | None:
    """Lesson 06: step(x, y, eta) of V(x, y) = x y: x descends, y climbs, both from the old position; -> (x, y)."""
    x, y, eta = 2.0, 3.0, 0.1
    answer = step(x, y, eta)
    if answer is None or answer is ...:
        return _UNANSWERED
    if not isinstance(answer, Sequence) or len(answer) != 2:
        return f"return two numbers, the new x and the new y; got {answer!r}."
    typical = {
        "this alternates: y has used the new x. Simultaneous: both look at the old position.": (1.7, 3.17),
        "this alternates, y first: x has used the new y. Simultaneous: both look at the old position.": (1.68, 3.2),
        "both descend: y wants V large, so it steps up its slope, y + eta x.": (1.7, 2.8),
        "both climb: x wants V small, so it steps down its slope, x - eta y.": (2.3, 3.2),
        "the signs have changed places: here x climbs and y descends.": (2.3, 2.8),
        "each steps along the other's slope: the slope of V = x y in x is y, and in y it is x.": (1.8, 3.3),
    }

    def same(a: Sequence[float]) -> bool:
        return all(math.isclose(one, other, rel_tol=1e-5) for one, other in zip(a, answer, strict=True))

    if same((1.7, 3.2)):
        return None
    other = f"from (2, 3) with eta = 0.1 it goes to (1.7, 3.2); yours to ({answer[0]:.4g}, {answer[1]:.4g})."
    return next((text for text, wrong in typical.items() if same(wrong)), other)


@_check
def check_lying_losses(notes: tuple[Tensor, Tensor]) -> str | None:
    """Lesson 06: (loss of D, sigma) at 60 notes; in the last 20 the loss stays at log 4 and |sigma| < 1."""
    if notes is None or notes is ...:
        return _UNANSWERED
    loss_d, sigma = notes
    if loss_d.shape != sigma.shape or loss_d.dim() != 1 or len(loss_d) < 60:
        return f"give two rows of 60 notes; got {tuple(loss_d.shape)} and {tuple(sigma.shape)}."
    loss, width = loss_d[-20:].mean().item(), sigma[-20:].abs()
    if not abs(loss - math.log(4)) <= 0.1:
        return f"D's loss ends at {loss:.2f}, not within 0.1 of 1.39: this failure shows in the losses."
    if (width < 1).all():
        return None
    if ((width - 5).abs() < 1.5).all():
        return f"the losses stay at equilibrium, and rightly: |sigma| ends at {width[-1]:.1f}, near 5. They do not lie here."
    return f"|sigma| is below 1 in {(width < 1).double().mean():.0%} of the last 20 notes, and all are asked for."


@_check
def check_best_sigma(best_sigma: Callable[[Tensor, Tensor], Any]) -> str | None:
    """Lesson 08: best_sigma(x, s), at which N(x; s, sigma^2 I) of one fake s, (d,), fits test data x, (m, d), best."""
    x, s = torch.tensor([[0.0, 3.0, 1.0, 0.0], [4.0, 1.0, 1.0, 2.0], [1.0, 0.0, 5.0, 0.0]]), torch.ones(4)
    answer = best_sigma(x, s)
    if answer is None or answer is ...:
        return _UNANSWERED
    answer, apart = float(answer), x - s
    right = apart.square().mean().sqrt().item()
    typical = {
        "this is sigma squared; take the root.": right**2,
        "you add up the pixels; each has a sigma of its own to pay for, so take their mean.": right * 2,
        "this is the mean distance of an image; sigma is per pixel.": apart.norm(dim=1).mean(),
        "square first, then take the mean, and the root at the end: the mean distance is too small.": apart.norm(
            dim=1
        ).mean()
        / 2,
        "this is the spread of x around its own mean; measure it from s.": x.std(correction=0),
        "this is the spread around the mean difference; the bump is at s, and stays there.": apart.std(),
        "this takes the differences as they are; the normal density squares them.": apart.abs().mean(),
    }
    if math.isclose(answer, right, rel_tol=1e-3):
        return None
    other = f"for three test points of 4 pixels it should be {right:.4f}, and yours is {answer:.4g}."
    return next((text for text, wrong in typical.items() if math.isclose(answer, wrong, rel_tol=1e-3)), other)


@_check
def check_kl_from_even(kl: Callable[[Tensor], Any]) -> str | None:
    """Lesson 08: kl(counts), (10,), the KL divergence of the digits' shares from even shares, in nats."""
    counts = torch.arange(1.0, 11.0)
    p = counts / counts.sum()
    answer, right = kl(counts), (p * (10 * p).log()).sum().item()
    if answer is None or answer is ...:
        return _UNANSWERED
    typical = {
        "these are counts; divide them by their sum first.": (counts * (10 * counts).log()).sum(),
        "this is sum p log p; even shares are 1/10, so it is log(p / (1/10)).": right - math.log(10),
        "this is the entropy of the shares; KL compares them with 1/10.": math.log(10) - right,
        "the sign: p stands above 1/10 in the log.": -right,
        "the other way round: this weighs the log by even shares, and a missing digit makes it infinite.": -(
            (10 * p).log().mean()
        ),
        "you take the mean over digits; it is a sum, which p weighs already.": right / 10,
        "this is in bits; the lesson counts in nats, with the natural log.": right / math.log(2),
    }
    if not math.isclose(answer, right, rel_tol=1e-3):
        other = f"for 1, 2, ..., 10 images it should be {right:.4f}, and yours is {float(answer):.4g}."
        return next((text for text, wrong in typical.items() if math.isclose(answer, wrong, rel_tol=1e-3)), other)
    if not math.isclose(kl(torch.tensor([5.0] * 5 + [0.0] * 5)), math.log(2), rel_tol=1e-3):
        return "right, unless a digit is missing: 0 log 0 counts as 0, and torch.xlogy(p, p) knows that."


@_check
def check_slerp(slerp: Callable[[Tensor, Tensor, float], Tensor]) -> str | None:
    """Lesson 09: slerp(z_a, z_b, t) on the great circle from z_a to z_b, (d,), (d,), t in [0, 1] -> (d,)."""
    theta, t = math.pi / 3, 0.25

    def on_circle(angle: float) -> Tensor:
        return 8 * torch.tensor([math.cos(angle), math.sin(angle), 0.0])

    z_a, z_b, right = on_circle(0), on_circle(theta), on_circle(t * theta)
    answer = slerp(z_a, z_b, t)
    if answer is None or answer is ...:
        return _UNANSWERED
    if not torch.is_tensor(answer) or answer.shape != z_a.shape:
        return f"slerp must return a tensor of z_a's shape (3,); got {getattr(answer, 'shape', type(answer).__name__)}."
    line = (1 - t) * z_a + t * z_b
    typical = {
        "this is the straight line: on its way |z| falls below 8, the length of both ends.": line,
        "right length, uneven pace: this is the straight line pushed out to the sphere.": 8 * line / line.norm(),
        "this is the quarter circle: right only for a right angle between z_a and z_b, and theirs is 60° here.": (
            math.cos(t * math.pi / 2) * z_a + math.sin(t * math.pi / 2) * z_b
        ),
        "this goes from z_b to z_a: t = 0 is z_a.": on_circle((1 - t) * theta),
        "the division by sin(theta) is missing.": right * math.sin(theta),
        "the weights must not be divided by the lengths; only the angle is one of unit vectors.": right / 8,
    }
    if _close(answer, right):
        at_ends = _close(slerp(z_a, z_b, 0.0), z_a) and _close(slerp(z_a, 2 * z_b, 1.0), 2 * z_b)
        return (
            None if at_ends else "right on the way, but t = 0 must give z_a and t = 1 z_b, of whatever length they are."
        )
    if not answer.isfinite().all():
        return (
            "not a finite number: acos takes the dot product of unit vectors, so divide z_a and z_b by their lengths."
        )
    other = (
        f"from {z_a.tolist()}, 60° on, at t = 0.25 |z| is still 8 and 15° are done; yours has |z| {answer.norm():.2f}."
    )
    return next((text for text, wrong in typical.items() if _close(answer, wrong)), other)


@_check
def check_share_changed(share_changed: Callable[[Tensor], Any]) -> str | None:
    """Lesson 09: share_changed(labels), (n, steps) -> share of rows in which not all labels are the same."""
    labels = torch.tensor([[1, 1, 1, 1], [7, 7, 9, 9], [4, 9, 4, 4], [3, 5, 8, 8]])
    answer = share_changed(labels)
    if answer is None or answer is ...:
        return _UNANSWERED
    answer = float(answer)
    typical = {
        "this compares the two ends only: 4, 9, 4, 4 changed on the way.": 0.5,
        "this is the share of steps at which the digit changed; a walk counts once.": 5 / 12,
        "this is the share of labels that differ from the first of their walk; a walk counts once.": 6 / 16,
        "this is the share of walks that kept their digit.": 0.25,
        "this is a count; divide by the number of walks.": 3,
        "this counts the different digits of a walk; the question is whether there is more than one.": 2,
        "this counts changes; a walk with two of them is still one walk.": 5 / 4,
    }
    if math.isclose(answer, 0.75, rel_tol=1e-6):
        return None
    other = f"of the walks {labels.tolist()} three in four changed, and you get {answer:.3g}."
    return next((text for text, wrong in typical.items() if math.isclose(answer, wrong, rel_tol=1e-6)), other)
