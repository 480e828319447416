"""How play moves, without any network: games of two numbers, and the game against a perfect D.

A field is a callable (x, y) -> (dx, dy): the direction in which each of two players steps from where both are.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from gan_lessons import devices, laws, losses, theory
from gan_lessons.arguments import count, number, one_of
from gan_lessons.losses import Loss

Field = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def xy(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """The field of the simplest game that never settles: x minimises V(x, y) = x y, y maximises it.

        dx = -dV/dx = -y,   dy = dV/dy = x

    With steps of size eta, `play` multiplies x^2 + y^2 by 1 + eta^2 at each simultaneous one; alternating ones, x
    first, keep x^2 + y^2 - eta x y, an ellipse around the equilibrium (0, 0) while eta < 2.
    """
    return -y, x


def dirac(non_saturating: bool = False, gamma: float = 0.0) -> Field:
    """The field of the Dirac-GAN: all data at 0, all fakes at theta, D(x) = psi x     (Mescheder et al. 2018)

        V(theta, psi) = f(psi theta) + f(0),   f(t) = -log(1 + exp(-t)),   f'(t) = 1 / (1 + exp(t))
        d theta = -psi f'(psi theta),   or -psi f'(-psi theta) if non_saturating: theta then maximises f(-psi theta)
        d psi = theta f'(psi theta) - gamma psi,   gamma: of the R1 penalty (gamma / 2) (dD/dx)^2 at the data

    The signs are that paper's: D is the log-odds of *fake*, so psi is minus the slope of D in `losses`. The only
    equilibrium is (0, 0). The Jacobian's eigenvalues there are -gamma / 2 +- sqrt(gamma^2 - 1) / 2: +-i / 2
    without a penalty, so nothing leads inwards; with gamma in (0, 1], simultaneous steps near it converge if
    eta < 4 gamma.

    >>> d_theta, d_psi = dirac(gamma=0.5)(torch.tensor(1.0), torch.tensor(0.0))  # D is flat: only psi moves
    >>> d_theta.item(), d_psi.item()
    (-0.0, 0.5)
    """

    def field(theta: Tensor, psi: Tensor) -> tuple[Tensor, Tensor]:
        t = psi * theta
        d_theta = -psi * torch.sigmoid(t if non_saturating else -t)  # f'(t) = sigmoid(-t)
        return d_theta, theta * torch.sigmoid(-t) - gamma * psi

    return field


def play(field: Field, start: Tensor | Sequence[float], eta: float, steps: int, order: str = "simultaneous") -> Tensor:
    """The path of two players who step along their field.

        x <- x + eta dx(x, y),   y <- y + eta dy(x, y)

    order: "simultaneous", both from the same (x, y), or "alternating", x first and then y, which sees the new x.
    start: (x, y), or shape (..., 2) for many games at once. Returns shape (steps + 1, ..., 2), in double, start first.
    Raises ValueError if order, steps or the shape of start do not fit.

    >>> play(xy, (1.0, 0.0), eta=0.5, steps=2).tolist()
    [[1.0, 0.0], [1.0, 0.5], [0.75, 1.0]]
    """
    one_of("order", order, ("alternating", "simultaneous"))
    steps, eta = count("steps", steps), number("eta", eta)
    state = torch.as_tensor(start, dtype=torch.double)
    if state.dim() == 0 or state.shape[-1] != 2:
        raise ValueError(f"start: got shape {tuple(state.shape)}; it must be (2,) or (..., 2)")
    x, y = state.unbind(-1)
    path = [state]
    for _ in range(steps):
        dx, dy = field(x, y)
        x = x + eta * dx
        if order == "alternating":
            _, dy = field(x, y)
        y = y + eta * dy
        path.append(torch.stack([x, y], dim=-1))
    return torch.stack(path)


def ideal_loss(
    G: nn.Module, p_data: theory.Density, latent: Distribution, loss: Loss = losses.non_saturating, n: int = 256
) -> Tensor:
    """G's loss against the best possible discriminator D*, which stands still while G looks down its slope.

        losses.minimax: the slope is that of C(G) = -log 4 + 2 JSD(p_data || p_g)          (the envelope theorem)
        losses.non_saturating: of KL(p_g || p_data) - 2 JSD(p_data || p_g)     (Arjovsky and Bottou 2017, theorem 2.5)

    G: a generator of one number, elementwise (`theory.pushforward` is its p_g); z: the n midpoint quantiles of latent,
    no chance in it. p_data: without edges, since at an edge D* jumps and no slope tells. Returns a scalar in nats, on
    the CPU, for `.backward()`; one step of the ideal game is `optimizer.zero_grad()`, this, `.backward()`,
    `optimizer.step()`. Raises ValueError for a loss that compares fakes with data.

    >>> from torch.distributions import Normal
    >>> z = Normal(0.0, 1.0)
    >>> round(ideal_loss(nn.Identity(), z, z).item(), 3)  # p_g = p_data: log 2
    0.693
    """
    if loss.needs_real:
        raise ValueError(f"loss: got {loss.name}; it must be one that looks at fakes alone")
    x = G(laws.quantiles(latent, n).to(devices.of(G)))  # (n,)
    D = theory.log_odds(p_data, theory.pushforward(G, latent))
    return loss.generator(None, D(x))


def free_heights(p_data: Tensor, p_g: Tensor, dx: float, steps: int, eta: float = 0.2) -> list[Tensor]:
    """p_g goes down C(G) with every one of its heights free, as in the convergence proof: D is the best at every step.

        p_g(x) <- p_g(x) (1 - D*(x))^-eta, then all heights are scaled to an area of 1

    A fake at x adds log(1 - D*(x)) to V, so fakes move to where this number is lowest. p_data, p_g: heights (n,) at
    points dx apart. Returns p_g before the first step and after each, steps + 1 of them.

    >>> p_data, p_g = torch.tensor([0.5, 0.5]), torch.tensor([0.9, 0.1])
    >>> free_heights(p_data, p_g, dx=1.0, steps=200)[-1]
    tensor([0.5000, 0.5000])
    """
    path = [p_g]
    for _ in range(steps):
        p_g = p_g * (p_g / (p_data + p_g)) ** -eta  # 1 - D* = p_g / (p_data + p_g)
        p_g = p_g / (p_g.sum() * dx)
        path.append(p_g)
    return path
