"""What each player minimises, next to its formula.

D returns its raw output: a logit l for cross-entropy, so that D(x) = sigmoid(l). Losses take raw outputs, because
log sigmoid(l) = -softplus(-l) is exact where log(D(x)) would round to log(0).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from torch import Tensor
from torch.autograd import grad
from torch.nn.functional import softplus

from gan_lessons.arguments import number


@dataclass(frozen=True)
class Loss:
    """What both players minimise.

    discriminator(out_real, out_fake) and generator(out_real, out_fake) take raw outputs of D, each of shape (m,) or
    (m, 1), and return a scalar. Without needs_real, generator does not look at out_real, and it may be None.
    probability(out) is D(x); None where only differences between outputs mean something.
    at_equilibrium: both losses, (discriminator, generator), where p_g = p_data and D is the best there is.
    name: what stands after `losses.` in code, such as "minimax" or "smoothed(0.9)".
    """

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor | None, Tensor], Tensor]
    probability: Callable[[Tensor], Tensor] | None
    at_equilibrium: tuple[float, float]
    name: str
    needs_real: bool = False


def discriminator_loss(logits_real: Tensor, logits_fake: Tensor) -> Tensor:
    """Minus the value function, averaged over the minibatch: what Algorithm 1's discriminator descends.

        L_D = -mean(log D(x)) - mean(log(1 - D(G(z)))),   D = sigmoid(logit)     (Goodfellow et al. 2014, eq. 1)

    logits_real, logits_fake: shape (m,) or (m, 1). Returns a scalar in nats; 2 log 2 = 1.386 when D cannot tell.

    >>> from torch import zeros
    >>> round(discriminator_loss(zeros(4), zeros(4)).item(), 3)
    1.386
    """
    return softplus(-logits_real).mean() + softplus(logits_fake).mean()  # -log(1 - sigmoid(l)) = softplus(l)


def saturating_generator_loss(logits_fake: Tensor) -> Tensor:
    """The generator's part of the value function, which Algorithm 1 descends; flat where D is sure of the fake.

        L_G = mean(log(1 - D(G(z)))),   slope in the logit: -D     (Goodfellow et al. 2014, eq. 1)

    Returns a scalar in nats; -log 2 = -0.693 when D cannot tell.
    """
    return -softplus(logits_fake).mean()


def non_saturating_generator_loss(logits_fake: Tensor) -> Tensor:
    """The generator maximises log D(G(z)) instead: the same fixed point, a strong slope where D is sure of the fake.

        L_G = -mean(log D(G(z))),   slope in the logit: D - 1     (Goodfellow et al. 2014, section 3)

    Returns a scalar in nats; log 2 = 0.693 when D cannot tell.
    """
    return softplus(-logits_fake).mean()


def relativistic_discriminator_loss(out_real: Tensor, out_fake: Tensor) -> Tensor:
    """Of each pair of a datum and a fake: minus the log probability that D tells which of the two is real.

        L_D = mean(softplus(-(l(x) - l(G(z)))))     (Jolicoeur-Martineau 2018, section 4; Huang et al. 2024, eq. 2)

    Only differences in D's raw output l count: the best D's is log p_data(x) / p_g(x), plus any number. out_real,
    out_fake: shape (m,) or (m, 1), the i-th of one against the i-th of the other. Returns a scalar in nats; log 2 =
    0.693 when D cannot tell.

    >>> from torch import tensor
    >>> round(relativistic_discriminator_loss(tensor([7.0, 8.0]), tensor([7.0, 8.0])).item(), 3)
    0.693
    """
    return softplus(out_fake - out_real).mean()


def relativistic_generator_loss(out_real: Tensor, out_fake: Tensor) -> Tensor:
    """The same with the parts exchanged: G wants the fake of each pair to be taken for the real one.

        L_G = mean(softplus(-(l(G(z)) - l(x)))),   slope in l(G(z)): the probability that D tells, with a minus

    Returns a scalar in nats; log 2 = 0.693 when D cannot tell.
    """
    return softplus(out_real - out_fake).mean()


def r1_penalty(out_real: Tensor, x_real: Tensor) -> Tensor:
    """How steep D is at the data: added to D's loss, times a weight gamma, it lets the game settle.

        R1 = mean |dD(x)/dx|^2 / 2,   D: the raw output     (Mescheder et al. 2018, eq. 9)

    out_real: what a D that judges each x by itself said of x_real, shape (m, ...), which requires a gradient.
    Returns a scalar that can be differentiated again; 0 when D is flat.

    >>> import torch
    >>> x = torch.ones(5, 2, requires_grad=True)
    >>> r1_penalty(3 * x[:, 0] + 4 * x[:, 1], x).item()
    12.5
    """
    (slope,) = grad(out_real.sum(), x_real, create_graph=True)
    return slope.square().sum() / (2 * len(slope))


def r2_penalty(out_fake: Tensor, x_fake: Tensor) -> Tensor:
    """How steep D is at the fakes: the same for what D said of them.

    R2 = mean |dD(G(z))/dG(z)|^2 / 2     (Mescheder et al. 2018, eq. 10)
    """
    return r1_penalty(out_fake, x_fake)


def penalised(
    D: Callable[[Tensor], Tensor], x_real: Tensor, x_fake: Tensor, r1: float, r2: float
) -> tuple[Tensor, Tensor, Tensor]:
    """What D says of both, and its penalty: r1 times `r1_penalty` of the data, r2 times `r2_penalty` of the fakes."""
    x_real, x_fake = (x.detach().requires_grad_() for x in (x_real, x_fake))
    out_real, out_fake = D(x_real), D(x_fake)
    penalty = r1 * r1_penalty(out_real, x_real) if r1 else 0.0
    penalty += r2 * r2_penalty(out_fake, x_fake) if r2 else 0.0
    return out_real, out_fake, penalty


def _of_fakes(loss: Callable[[Tensor], Tensor]) -> Callable[[Tensor | None, Tensor], Tensor]:
    return lambda out_real, out_fake: loss(out_fake)


minimax = Loss(
    discriminator_loss,
    _of_fakes(saturating_generator_loss),
    probability=Tensor.sigmoid,
    at_equilibrium=(math.log(4), -math.log(2)),
    name="minimax",
)
non_saturating = Loss(
    discriminator_loss,
    _of_fakes(non_saturating_generator_loss),
    probability=Tensor.sigmoid,
    at_equilibrium=(math.log(4), math.log(2)),
    name="non_saturating",
)


def coded(a: float = 0, b: float = 1, c: float = 1) -> Loss:
    """Least squares: D's raw output should be a on fakes and b on data, and G wants c of it.

        L_D = mean((D(x) - b)^2) / 2 + mean((D(G(z)) - a)^2) / 2,   L_G = mean((D(G(z)) - c)^2) / 2
                                                                            (Mao et al. 2017, eq. 2)

    The best D is (b p_data + a p_g) / (p_data + p_g), so (D - a) / (b - a) is the share of data. coded(0, 1, 1) is
    `least_squares`. With coded(-1, 1, 0) the best D has made L_D a constant less half of Pearson's chi^2 between
    p_data + p_g and 2 p_g. Raises ValueError unless a, b and c are finite numbers, and b is not a.

    >>> from torch import tensor
    >>> coded(-1, 1, 0).discriminator(tensor([1.0, 0.0]), tensor([-1.0, 1.0])).item()  # (0 + 1) / 4 + (0 + 4) / 4
    1.25
    """
    a, b, c = number("a", a), number("b", b), number("c", c)
    if a == b:
        raise ValueError(f"b: got {b:g}, which is a; D can tell data from fakes only if they have different numbers")

    def discriminator(out_real: Tensor, out_fake: Tensor) -> Tensor:
        return ((out_real - b) ** 2).mean() / 2 + ((out_fake - a) ** 2).mean() / 2

    return Loss(
        discriminator,
        _of_fakes(lambda out_fake: ((out_fake - c) ** 2).mean() / 2),
        probability=lambda out: (out - a) / (b - a),
        at_equilibrium=((b - a) ** 2 / 4, ((a + b) / 2 - c) ** 2 / 2),
        name=f"coded({', '.join(repr(int(one) if one.is_integer() else one) for one in (a, b, c))})",
    )


least_squares = replace(coded(0, 1, 1), name="least_squares")
relativistic = Loss(
    relativistic_discriminator_loss,
    relativistic_generator_loss,
    probability=None,
    at_equilibrium=(math.log(2), math.log(2)),
    name="relativistic",
    needs_real=True,
)
NAMED = {loss.name: loss for loss in (non_saturating, minimax, least_squares, relativistic)}


def top_k(share: float = 0.5) -> Loss:
    """Non-saturating, but G learns from its best fakes alone: of each minibatch from those that D takes for real most.

        L_G = -mean(log D(G(z)) over the share of the minibatch with the highest D)     (Sinha et al. 2020, section 3)

    There the share falls from 1 to a half in the course of training; here it stays. Raises ValueError unless
    0 < share <= 1.

    >>> from torch import tensor
    >>> logits = tensor([-9.0, 0.0, 5.0, -2.0])
    >>> top_k(0.5).generator(None, logits) == non_saturating.generator(None, logits[1:3])
    tensor(True)
    """
    share = number("share", share, above=0, most=1)

    def generator(logits_fake: Tensor) -> Tensor:
        best = logits_fake.flatten().topk(max(1, round(share * len(logits_fake)))).values
        return non_saturating_generator_loss(best)

    return Loss(
        discriminator_loss,
        _of_fakes(generator),
        probability=Tensor.sigmoid,
        at_equilibrium=non_saturating.at_equilibrium,
        name=f"top_k({share!r})",
    )


def smoothed(real: float = 0.9) -> Loss:
    """Non-saturating, with the label of data lowered from 1 to `real`: it keeps D from growing ever surer.

        L_D = -mean(real log D(x) + (1 - real) log(1 - D(x))) - mean(log(1 - D(G(z))))     (Salimans et al. 2016, 3.4)

    At equilibrium D = real / 2. Raises ValueError unless 0 < real <= 1.

    >>> smoothed(1.0).at_equilibrium == non_saturating.at_equilibrium
    True
    """
    real = number("real", real, above=0, most=1)

    def discriminator(logits_real: Tensor, logits_fake: Tensor) -> Tensor:
        # real softplus(-l) + (1 - real) softplus(l) = softplus(-l) + (1 - real) l
        return discriminator_loss(logits_real, logits_fake) + (1 - real) * logits_real.mean()

    d = real / 2
    return Loss(
        discriminator,
        non_saturating.generator,
        probability=Tensor.sigmoid,
        at_equilibrium=(-real * math.log(d) - (2 - real) * math.log(1 - d), -math.log(d)),
        name=f"smoothed({real!r})",
    )
