import math

import pytest
import torch
from scipy.integrate import solve_ivp
from torch import nn
from torch.distributions import Laplace, Normal, Uniform
from torch.nn.functional import logsigmoid
from torch.testing import assert_close

from gan_lessons import data, losses, theory
from gan_lessons.dynamics import dirac, ideal_loss, play, xy
from gan_lessons.models import AffineGenerator
from gan_lessons.optimizers import adam

P, Z = data.gaussian(), Normal(0.0, 1.0)
STARTS = torch.tensor([[1.0, 0.0], [0.3, -2.0], [-1.5, 0.7]], dtype=torch.double)


def radius(path):
    return path.norm(dim=-1)


def jacobian(field):
    """Of a field at (0, 0)."""
    origin = torch.zeros(2, dtype=torch.double)
    return torch.autograd.functional.jacobian(lambda v: torch.stack(field(v[0], v[1])), origin)


def test_xy_is_the_gradient_of_v():
    x, y = STARTS.clone().requires_grad_().unbind(-1)
    slope_x, slope_y = torch.autograd.grad((x * y).sum(), (x, y))
    dx, dy = xy(x, y)
    assert torch.equal(dx, -slope_x) and torch.equal(dy, slope_y)


@pytest.mark.parametrize("eta", [0.01, 0.3, 1.0])
def test_simultaneous_steps_of_xy_spiral_out(eta):
    r = radius(play(xy, STARTS, eta, 50))
    assert_close(r[1:] / r[:-1], torch.full((50, 3), math.sqrt(1 + eta**2), dtype=torch.double))


@pytest.mark.parametrize("eta", [0.01, 0.3, 1.9])
def test_alternating_steps_of_xy_stay_on_an_ellipse(eta):
    x, y = play(xy, STARTS, eta, 200, "alternating").unbind(-1)
    kept = x**2 + y**2 - eta * x * y
    assert_close(kept, kept[0].expand(201, 3), rtol=1e-9, atol=0)
    x, y = x[1:], y[:-1]  # between the two moves of a round: what play with y first would show
    kept = x**2 + y**2 + eta * x * y
    assert_close(kept, kept[0].expand(200, 3), rtol=1e-9, atol=0)


def test_alternating_steps_of_xy_that_are_too_large_leave():
    assert radius(play(xy, (1.0, 0.0), 2.1, 50, "alternating"))[-1] > 1e6


@pytest.mark.parametrize(
    ("order", "one"),
    [("simultaneous", lambda e: [[1, -e], [e, 1]]), ("alternating", lambda e: [[1, -e], [e, 1 - e**2]])],
)
def test_steps_of_xy_are_a_matrix_power(order, one):
    power = torch.linalg.matrix_power(torch.tensor(one(0.2), dtype=torch.double), 30)
    assert_close(play(xy, STARTS, 0.2, 30, order)[-1], STARTS @ power.T)


@pytest.mark.parametrize("order", ["simultaneous", "alternating"])
def test_small_steps_of_xy_circle(order):
    t = 1e-3 * torch.arange(6284, dtype=torch.double)  # once around
    path = play(xy, (1.0, 0.0), 1e-3, 6283, order)
    assert_close(path, torch.stack([t.cos(), t.sin()], dim=-1), rtol=0, atol=4e-3)


@pytest.mark.parametrize("non_saturating", [False, True])
@pytest.mark.parametrize("gamma", [0.0, 0.3])
def test_dirac_is_the_gradient_of_each_players_objective(non_saturating, gamma):
    theta, psi = STARTS.clone().requires_grad_().unbind(-1)
    v = logsigmoid(psi * theta) + logsigmoid(psi * 0)
    x = torch.zeros(3, dtype=torch.double, requires_grad=True)  # the data
    (slope_of_d,) = torch.autograd.grad((psi * x).sum(), x, create_graph=True)
    (d_psi,) = torch.autograd.grad((v - gamma / 2 * slope_of_d**2).sum(), psi, retain_graph=True)
    (d_theta,) = torch.autograd.grad((logsigmoid(-psi * theta) if non_saturating else -v).sum(), theta)
    assert_close(dirac(non_saturating, gamma)(theta, psi), (d_theta, d_psi))


@pytest.mark.parametrize("loss", [losses.minimax, losses.non_saturating])
@pytest.mark.parametrize("order", ["simultaneous", "alternating"])
def test_play_of_dirac_is_sgd_on_the_losses(loss, order):
    theta, slope = (nn.Parameter(torch.tensor([v], dtype=torch.double)) for v in (1.0, -0.5))  # D's logit is slope x
    sgd = {player: torch.optim.SGD([player], lr=0.3) for player in (theta, slope)}
    costs = {
        theta: lambda: loss.generator(None, slope * theta),
        slope: lambda: loss.discriminator(slope * 0, slope * theta),
    }
    path = play(dirac(loss is losses.non_saturating), (1.0, 0.5), 0.3, 20, order)
    for state in path[1:]:
        for player, cost in costs.items():
            (player.grad,) = torch.autograd.grad(cost(), player)
            if order == "alternating":
                sgd[player].step()
        if order == "simultaneous":
            [optimizer.step() for optimizer in sgd.values()]
        assert_close(state, torch.cat([theta, -slope]).detach())


@pytest.mark.parametrize("non_saturating", [False, True])
@pytest.mark.parametrize("gamma", [0.0, 0.3, 1.0, 2.0])
def test_eigenvalues_of_dirac(non_saturating, gamma):
    found = torch.linalg.eigvals(jacobian(dirac(non_saturating, gamma)))
    root = torch.tensor(gamma**2 - 1, dtype=torch.cdouble).sqrt() / 2
    expected = torch.stack([-gamma / 2 - root, -gamma / 2 + root])
    order = found.imag.argsort() if gamma < 1 else found.real.argsort()
    assert_close(found[order], expected, rtol=0, atol=1e-7)
    assert (found.real < 0).all() == (gamma > 0)


def test_dirac_minimax_circles_in_continuous_time():
    theta, psi = torch.randn(2, 1000, generator=torch.Generator().manual_seed(0), dtype=torch.double)
    d_theta, d_psi = dirac()(theta, psi)
    assert_close(theta * d_theta + psi * d_psi, torch.zeros(1000, dtype=torch.double))


@pytest.mark.parametrize("field", [dirac(), dirac(True), dirac(gamma=0.3), dirac(True, gamma=2.0)])
@pytest.mark.parametrize("order", ["simultaneous", "alternating"])
def test_small_steps_follow_the_flow(field, order):
    def flow(t, state):
        return [v.item() for v in field(*torch.from_numpy(state))]

    expected = solve_ivp(flow, (0, 10), [1.0, -0.5], rtol=1e-9, atol=1e-9).y[:, -1]
    assert play(field, (1.0, -0.5), 1e-3, 10_000, order)[-1].tolist() == pytest.approx(expected, abs=3e-3)


def test_simultaneous_steps_of_dirac_minimax_spiral_out():
    r = radius(play(dirac(), STARTS, 0.1, 5000))
    assert (r.diff(dim=0) > 0).all()
    r = radius(play(dirac(), 1e-3 * STARTS, 0.1, 100))
    assert_close(r[1:] / r[:-1], torch.full((100, 3), math.sqrt(1 + 0.1**2 / 4), dtype=torch.double), rtol=1e-6, atol=0)


def test_alternating_steps_of_dirac_minimax_go_round_and_round():
    r = radius(play(dirac(), STARTS, 0.1, 20_000, "alternating"))
    assert (r > 0.9 * r[0]).all() and (r < 1.1 * r[0]).all()


def test_non_saturating_dirac_comes_in_ever_more_slowly():
    r = radius(play(dirac(True), (0.3, 0.0), 0.02, 15_000, "alternating"))
    t = torch.tensor([0, 75, 150, 300]).double()  # d(r^2)/dt = -r^4 / 8, averaged over a turn
    assert_close(r[(t * 50).long()], (1 / 0.3**2 + t / 8).rsqrt(), rtol=0.02, atol=0)


def test_simultaneous_steps_of_non_saturating_dirac_end_on_a_circle():
    r = radius(play(dirac(True), torch.tensor([[0.1, 0.0], [1.0, 0.0]]), 0.05, 10_000))[-500:]
    assert_close(r, torch.full_like(r, math.sqrt(2 * 0.05)), rtol=0.05, atol=0)  # eta^2 r^2 / 4 out, eta r^4 / 8 in


@pytest.mark.parametrize("non_saturating", [False, True])
@pytest.mark.parametrize("gamma", [0.1, 0.5, 0.9])
def test_r1_makes_dirac_converge(non_saturating, gamma):
    field, eta = dirac(non_saturating, gamma), 0.2
    r = radius(play(field, 1e-3 * STARTS, eta, 400))
    rate = (1 + eta * torch.linalg.eigvals(jacobian(field))).abs()
    assert rate.tolist() == [pytest.approx(math.sqrt(1 - eta * gamma + eta**2 / 4))] * 2
    assert ((r[-1] / r[0]) ** (1 / 400)).tolist() == [pytest.approx(rate[0].item(), abs=5e-3)] * 3
    assert (radius(play(field, STARTS, eta, 2000)) < 1e-3)[-1].all()  # from afar too
    assert (radius(play(field, STARTS, eta, 2000, "alternating")) < 1e-3)[-1].all()


def test_r1_with_steps_that_are_too_large_does_not_converge():
    for eta, comes_in in ((0.38, True), (0.42, False)):  # 4 gamma = 0.4
        r = radius(play(dirac(gamma=0.1), 1e-3 * STARTS, eta, 3000))
        assert (r[-1] < r[0] / 5).all() if comes_in else (r[-1] > 5 * r[0]).all()


@pytest.mark.parametrize("order", ["simultaneous", "alternating"])
def test_many_games_are_played_as_one(order):
    starts = torch.randn(4, 5, 2, generator=torch.Generator().manual_seed(0))
    together = play(dirac(True, 0.1), starts, 0.2, 30, order)
    assert together.shape == (31, 4, 5, 2) and torch.equal(together[0], starts.double())
    assert_close(together[:, 3, 1], play(dirac(True, 0.1), starts[3, 1].tolist(), 0.2, 30, order))
    assert play(xy, (1, 2), 0.1, 0, order).tolist() == [[1.0, 2.0]]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"order": "both"}, "^order: got 'both'"),
        ({"steps": -1}, "^steps: got -1"),
        ({"steps": 1.5}, "^steps: got 1.5"),
        ({"start": 1.0}, r"^start: got shape \(\)"),
        ({"start": (1.0, 2.0, 3.0)}, r"^start: got shape \(3,\)"),
    ],
)
def test_play_bad_input(changed, message):
    with pytest.raises(ValueError, match=message):
        play(**{"field": xy, "start": (1.0, 0.0), "eta": 0.1, "steps": 3} | changed)


class Cubic(nn.Module):
    """An elementwise generator that bends: x = a + b z + c z^3."""

    def __init__(self, *weights):
        super().__init__()
        self.weights = nn.Parameter(torch.tensor(weights))

    def forward(self, z):
        a, b, c = self.weights
        return a + b * z + c * z**3


def slope_by_differences(objective, make, weights):
    """Of objective(p_g), p_g of make(*weights), in each weight."""
    slopes = []
    for i in range(len(weights)):
        ends = []
        for h in (0.01, -0.01):
            moved = [w + h * (i == j) for j, w in enumerate(weights)]
            ends.append(objective(theory.pushforward(make(*moved), Z, n=20_001)))
        slopes.append((ends[0] - ends[1]) / 0.02)
    return slopes


GENERATORS = [
    (AffineGenerator, (495.0, 3.0)),
    (AffineGenerator, (491.0, 7.0)),
    (AffineGenerator, (504.0, -2.0)),
    (Cubic, (493.0, 3.0, 0.2)),
]


@pytest.mark.parametrize(("make", "weights"), GENERATORS)
@pytest.mark.parametrize("name", ["minimax", "non_saturating"])
def test_ideal_loss_descends_what_theory_says(make, weights, name):
    x = torch.linspace(400, 600, 20_001, dtype=torch.double)
    objective = {
        "minimax": lambda q: theory.criterion(P, q, x),
        "non_saturating": lambda q: theory.kl(q, P, x) - 2 * theory.jsd(P, q, x),
    }[name]
    G = make(*weights)
    ideal_loss(G, P, Z, getattr(losses, name), n=4096).backward()
    found = torch.cat([w.grad.reshape(-1) for w in G.parameters()])
    expected = torch.tensor(slope_by_differences(objective, make, weights))
    assert_close(found, expected, rtol=0.02, atol=0.02 * expected.abs().max().item())


@pytest.mark.parametrize("weights", [(495.0, 3.0), (480.0, 1.0)])
def test_ideal_loss_is_gs_share_of_the_value(weights):
    D = theory.optimal_discriminator(P, Normal(*weights))
    x = P.icdf((torch.arange(100_000).double() + 0.5) / 100_000)
    ds_share = D(x).log().mean().item()
    loss = ideal_loss(AffineGenerator(*weights), P, Z, losses.minimax, n=4096).item()
    assert loss + ds_share == pytest.approx(theory.criterion(P, Normal(*weights)), abs=2e-3)


def by_hand(G, z, loss):
    """Two normals, so that the log-odds can be written down: the ideal game of lesson 04."""
    x = G(z)
    return loss.generator(None, P.log_prob(x) - Normal(G.mu.item(), abs(G.sigma.item())).log_prob(x))


@pytest.mark.parametrize(("loss", "ends"), [(losses.non_saturating, True), (losses.minimax, False)])
def test_the_ideal_game_of_lesson_04(loss, ends):
    paths = []
    z = Z.icdf((torch.arange(256) + 0.5) / 256)
    for cost in (lambda G: ideal_loss(G, P, Z, loss), lambda G: by_hand(G, z, loss)):
        G, path = AffineGenerator(480.0, 1.0), []
        optimizer = adam(G.parameters(), lr=0.05)
        for _ in range(1200 if ends else 100):
            optimizer.zero_grad()
            cost(G).backward()
            optimizer.step()
            path.append([G.mu.item(), G.sigma.item()])
        paths.append(torch.tensor(path))
    assert_close(paths[0], paths[1], rtol=0, atol=0.02)
    if ends:
        assert paths[0][-1].tolist() == [pytest.approx(500, abs=0.45), pytest.approx(5, abs=0.1)]


@pytest.mark.parametrize("loss", [losses.minimax, losses.non_saturating, losses.least_squares])
@pytest.mark.parametrize("sigma", [5.0, -5.0])
def test_nothing_moves_at_the_fixed_point(loss, sigma):
    G = AffineGenerator(500.0, sigma)
    ideal_loss(G, P, Z, loss).backward()
    assert G.mu.grad.abs() < 1e-3 and G.sigma.grad.abs() < 1e-3


def test_ideal_loss_with_other_densities():
    G = AffineGenerator(1.0, 2.0)
    as_callable = ideal_loss(G, lambda x: Normal(0.0, 2.0).log_prob(x).exp(), Z).item()
    assert as_callable == pytest.approx(ideal_loss(G, Normal(0.0, 2.0), Z).item(), rel=1e-5)
    loss = ideal_loss(G, Laplace(0.0, 1.0), Uniform(-1.0, 1.0))
    loss.backward()
    assert loss.isfinite() and G.mu.grad > 0  # the data lie to the left


def test_ideal_loss_draws_nothing():
    before = torch.get_rng_state()
    ideal_loss(AffineGenerator(480.0, 1.0), P, Z)
    assert torch.equal(torch.get_rng_state(), before)


def test_fields_are_what_a_quiver_takes():
    x, y = torch.meshgrid(torch.linspace(-1, 1, 5), torch.linspace(-1, 1, 7), indexing="xy")
    for field in (xy, dirac(), dirac(True, 0.5)):
        assert [d.shape for d in field(x, y)] == [(7, 5)] * 2
