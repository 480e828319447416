"""Behind lesson 02, a game finds N(500, 5^2)."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from gan_lessons import data, losses
from gan_lessons.lessons.checking import UNANSWERED, check, close


@check
def check_density(density: Callable[[Tensor], Tensor]) -> str | None:
    """density(x) of N(500, 5^2), x: (n,) -> (n,)."""
    x = torch.linspace(485, 515, 31)
    p, answer = data.gaussian().log_prob(x).exp(), density(x)
    if answer is None or answer is ...:
        return UNANSWERED
    if close(answer, p):
        return None
    if not torch.is_tensor(answer) or answer.shape != x.shape:
        return f"density(x) must return a tensor of x's shape {tuple(x.shape)}; build it from torch.exp."
    area = torch.trapezoid(answer, x).item()
    if close(answer, p * 5 * math.sqrt(2 * math.pi) / math.sqrt(5 * 2 * math.pi)):
        return (
            f"the factor 1/sqrt(5 * 2 pi) takes 5 for the variance; the area is {area:.2f}, not 1. The variance is 25."
        )
    if close(answer, data.gaussian().log_prob(x)):
        return "this is the log of the density; take exp."
    if close(answer / answer.max(), p / p.max()):
        return f"the shape is right, but the area under it is {area:.3g}, not 1: look at the factor in front."
    ratio = (answer[20] / answer[15]).item()
    return f"the bump is off: from x = 500 to 505 it falls by a factor of {ratio:.3g}; it should be exp(-1/2) = 0.607."


@check
def check_discriminator_loss(loss: Callable[[Tensor, Tensor], Tensor]) -> str | None:
    """loss(logits_real, logits_fake) of Algorithm 1, to be minimised; (m,), (m,) -> scalar."""
    real, fake = torch.tensor([-1.0, 0.5, 2.0]), torch.tensor([0.3, -2.0, 1.0])
    right, answer = losses.discriminator_loss(real, fake), loss(real, fake)
    if answer is None or answer is ...:
        return UNANSWERED
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
    if not close(answer, right):
        return next(
            (text for text, wrong in typical.items() if close(answer, wrong)),
            f"got {answer}, expected {right.item():.4f}.",
        )
    if not math.isclose(loss(-200 * torch.ones(2), 200 * torch.ones(2)).item(), 400, rel_tol=1e-4):
        return (
            "right for small logits, but log(sigmoid(-200)) rounds to log(0): torch.nn.functional.logsigmoid does not."
        )
    return None


@check
def check_steady(path: tuple[Tensor, Tensor]) -> str | None:
    """Lesson 02: (mu, sigma) after each of the last 300 steps; at least 9 in 10 must be within 1 of 500 and of 5."""
    if path is None or path is ...:
        return UNANSWERED
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
