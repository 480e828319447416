import math

import pytest
import torch
from scipy import integrate, stats
from scipy.optimize import minimize, minimize_scalar
from torch.distributions import Laplace, Normal, Uniform, kl_divergence
from torch.nn.functional import softplus
from torch.testing import assert_close

from gan_lessons import data, recipes, seen, theory
from gan_lessons.models import AffineGenerator, MLPGenerator, Unstandardise

P, Z = Normal(500.0, 5.0), Normal(0.0, 1.0)
PAIRS = {
    "two Gaussians": (P, Normal(490.0, 3.0)),
    "the start of lesson 02": (P, Normal(480.0, 1.0)),
    "equal": (P, P),
    "bumps": (data.bumps(), P),
    "bounded": (Uniform(0.0, 1.0), Normal(0.5, 0.3)),
    "two boxes": (Uniform(0.0, 2.0), Uniform(1.0, 4.0)),
    "heavy tails": (Laplace(-3.0, 0.5), Normal(-3.0, 1.0)),
    "callables": (lambda x: P.log_prob(x).exp(), lambda x: Normal(505.0, 4.0).log_prob(x).exp()),
}


def by_scipy(pdf_p, pdf_q, low, high, points=()):
    """JSD by adaptive quadrature."""

    def f(x):
        p, q = pdf_p(x), pdf_q(x)
        m = (p + q) / 2
        return sum(a / 2 * math.log(a / m) for a in (p, q) if a > 0)

    return integrate.quad(f, low, high, limit=500, points=points or None)[0]


def test_optimal_discriminator_of_two_gaussians_is_a_quadratic_logit():
    x = torch.linspace(470, 530, 61, dtype=torch.double)
    logit = -((x - 500) ** 2) / (2 * 25) + (x - 490) ** 2 / (2 * 9) - math.log(5 / 3)
    D = theory.optimal_discriminator(P, Normal(490.0, 3.0))
    assert torch.allclose(D(x), 1 / (1 + (-logit).exp()))
    assert D(x.float()).dtype == torch.float32 and D(x.float().reshape(1, 61)).shape == (1, 61)


def test_optimal_discriminator_of_callables():
    x = torch.linspace(0, 1, 11)
    D = theory.optimal_discriminator(lambda x: 2 * x, lambda x: torch.ones_like(x))
    assert torch.allclose(D(x), 2 * x / (2 * x + 1))


def test_optimal_discriminator_is_nan_only_where_neither_has_mass():
    D = theory.optimal_discriminator(Uniform(0.0, 2.0), Uniform(1.0, 4.0))
    right = torch.tensor([math.nan, 1.0, (1 / 2) / (1 / 2 + 1 / 3), 0.0, math.nan])
    assert torch.allclose(D(torch.tensor([-1.0, 0.5, 1.5, 3.0, 5.0])), right, equal_nan=True)


@pytest.mark.parametrize(("a", "b"), [(0.3, 0.2), (1e-3, 2.0), (5.0, 5.0)])
def test_optimal_discriminator_is_the_argmax_of_a_log_y_plus_b_log_1_minus_y(a, b):
    best = minimize_scalar(lambda y: -a * math.log(y) - b * math.log(1 - y), bounds=(1e-9, 1 - 1e-9), method="bounded")
    D = theory.optimal_discriminator(lambda x: x * 0 + a, lambda x: x * 0 + b)
    assert D(torch.zeros(3)).tolist() == [pytest.approx(best.x, abs=1e-5)] * 3


def test_log_odds_are_the_logit_and_do_not_round():
    x = torch.linspace(480, 505, 26, dtype=torch.double)
    p, q = PAIRS["two Gaussians"]
    assert_close(theory.log_odds(p, q)(x), theory.optimal_discriminator(p, q)(x).logit(), rtol=1e-5, atol=1e-6)
    assert theory.log_odds(P, Normal(0.0, 5.0))(torch.tensor(0.0)).item() == pytest.approx(-(500**2) / 50)


@pytest.mark.parametrize("q", [Normal(490.0, 3.0), lambda x: Normal(490.0, 3.0).log_prob(x).exp()])
def test_log_odds_can_be_differentiated(q):
    x = torch.linspace(475, 505, 31, dtype=torch.double, requires_grad=True)
    (slope,) = torch.autograd.grad(theory.log_odds(P, q)(x).sum(), x)
    assert_close(slope, -(x.detach() - 500) / 25 + (x.detach() - 490) / 9)


@pytest.mark.parametrize("pair", PAIRS)
def test_value_at_the_optimum_is_the_jsd(pair):
    p, q = PAIRS[pair]
    D = theory.optimal_discriminator(p, q)
    assert theory.value(D, p, q) == pytest.approx(-math.log(4) + 2 * theory.jsd(p, q), abs=2e-4)


@pytest.mark.parametrize("pair", ["two Gaussians", "bumps", "bounded", "heavy tails"])
def test_no_discriminator_beats_the_optimal_one(pair):
    p, q = PAIRS[pair]
    D = theory.optimal_discriminator(p, q)
    best = theory.value(D, p, q)
    for shift in (-1.0, -0.1, 0.1, 1.0):
        assert theory.value(lambda x, s=shift: (D(x).logit() + s).sigmoid(), p, q) < best
    assert theory.value(lambda x: D(x) + 0.01 * (D(x) * (1 - D(x))) * torch.sin(7 * x), p, q) < best


@pytest.mark.parametrize(("mu", "sigma", "printed"), [(495.0, 3.0, "-1.009"), (480.0, 1.0, "-0.003")])
def test_the_cost_of_a_generator_in_numbers(mu, sigma, printed):
    q = Normal(mu, sigma)
    assert f"{theory.value(theory.optimal_discriminator(P, q), P, q):.3f}" == printed
    exact = by_scipy(stats.norm(500, 5).pdf, stats.norm(mu, sigma).pdf, 430, 550, points=[mu, 500])
    assert f"{-math.log(4) + 2 * exact:.3f}" == printed


@pytest.mark.parametrize(
    ("D", "value"),
    [
        (lambda x: (x < 1.5).float(), 0.0),  # perfect
        (lambda x: torch.full_like(x, 0.5), -math.log(4)),  # a coin
        (lambda x: (x > 1.5).float(), -math.inf),  # certain, and wrong
        (lambda x: torch.full_like(x, 0.01), -4.615),  # everyone is a criminal
    ],
    ids=["perfect", "coin", "inverted", "suspicious"],
)
def test_four_policemen(D, value):
    assert theory.value(D, Uniform(0.0, 1.0), Uniform(2.0, 3.0)) == pytest.approx(value, abs=1.5e-3)


def test_value_is_minus_infinity_if_certain_and_wrong_about_few():
    p = Uniform(0.0, 1.0)
    assert theory.value(lambda x: torch.where(x < 0.01, 0.0, 0.5), p, p) == -math.inf


def test_value_of_a_trained_net_against_monte_carlo():
    trainer = recipes.gaussian()
    for _ in trainer.run(300):
        pass
    G, D = trainer.generator, trainer.discriminator
    q = Normal(G.mu.item(), abs(G.sigma.item()))
    torch.manual_seed(0)
    with torch.no_grad():
        real, fake = D(P.sample((400_000,))).double(), D(q.sample((400_000,))).double()
        terms = -torch.nn.functional.softplus(-real), -torch.nn.functional.softplus(fake)
        value = theory.value(lambda x: D(x).sigmoid(), P, q)
    error = math.sqrt(sum(t.var().item() for t in terms) / 400_000)
    assert value == pytest.approx(sum(t.mean().item() for t in terms), abs=5 * error)


@pytest.mark.parametrize(
    ("p", "q", "pdf_p", "pdf_q", "low", "high", "points"),
    [
        (P, Normal(490.0, 3.0), stats.norm(500, 5).pdf, stats.norm(490, 3).pdf, 440, 560, [490, 500]),
        (P, Normal(500.0, 0.5), stats.norm(500, 5).pdf, stats.norm(500, 0.5).pdf, 450, 550, [497, 500, 503]),
        (Uniform(0.0, 1.0), Normal(0.5, 0.2), stats.uniform.pdf, stats.norm(0.5, 0.2).pdf, -2, 3, [0, 1]),
        (Laplace(0.0, 2.0), Normal(1.0, 1.0), stats.laplace(0, 2).pdf, stats.norm(1, 1).pdf, -60, 60, [0, 1]),
    ],
)
def test_jsd_against_quadrature(p, q, pdf_p, pdf_q, low, high, points):
    expected = by_scipy(pdf_p, pdf_q, low, high, points)
    assert theory.jsd(p, q) == pytest.approx(expected, abs=3e-4)
    assert theory.jsd(q, p) == pytest.approx(theory.jsd(p, q), abs=1e-12)


def test_jsd_at_its_two_ends():
    assert theory.jsd(P, P) == 0
    assert theory.jsd(Uniform(0.0, 1.0), Uniform(2.0, 3.0)) == pytest.approx(math.log(2), abs=5e-4)
    assert theory.jsd(P, Normal(-500.0, 5.0)) == pytest.approx(math.log(2), abs=1e-5)


def test_the_best_gaussian_for_a_box():
    best = minimize_scalar(
        lambda sd: theory.jsd(Uniform(0.0, 1.0), Normal(0.5, sd)), bounds=(0.1, 0.6), method="bounded"
    )
    assert best.x == pytest.approx(0.265, abs=0.005)
    assert best.fun == pytest.approx(0.0478, abs=2e-4)


def test_no_other_gaussian_comes_closer_to_a_box():
    x = torch.linspace(-2.0, 3.0, 5001, dtype=torch.double)
    best = minimize(
        lambda v: theory.jsd(Uniform(0.0, 1.0), Normal(v[0], v[1]), x),
        (0.3, 0.4),
        method="Nelder-Mead",
        bounds=[(0, 1), (0.1, 0.6)],
        options={"xatol": 1e-4, "fatol": 1e-7},
    )
    assert best.x == pytest.approx([0.5, 0.265], abs=2e-3)
    assert best.fun == pytest.approx(0.0478, abs=2e-4)


@pytest.mark.parametrize(
    ("p", "q"),
    [
        (P, Normal(490.0, 3.0)),
        (Normal(490.0, 3.0), P),
        (P, Normal(480.0, 1.0)),  # 210 nats
        (P, P),
        (Uniform(0.0, 1.0), Normal(0.5, 0.3)),
        (Uniform(1.0, 2.0), Uniform(0.0, 4.0)),
        (Laplace(-3.0, 0.5), Laplace(-2.0, 1.0)),
        (Laplace(-3.0, 0.5), Normal(-3.0, 1.0)),
    ],
)
def test_kl_against_closed_forms(p, q):
    assert theory.kl(p, q) == pytest.approx(kl_divergence(p, q).item(), rel=1e-3, abs=1e-9)


@pytest.mark.parametrize("order", [1, -1])
def test_kl_and_jsd_of_mixtures_against_scipy_on_a_grid(order):
    x = torch.linspace(440, 560, 12_001, dtype=torch.double)
    p, q = (data.bumps(), Normal(505.0, 9.0))[::order]
    a, b = (d.log_prob(x).exp().numpy() for d in (p, q))
    assert theory.kl(p, q, x) == pytest.approx(stats.entropy(a, b), rel=1e-6)
    assert theory.kl(p, q) == pytest.approx(stats.entropy(a, b), rel=1e-4)  # and on the default grid
    m = (a + b) / 2
    assert theory.jsd(p, q, x) == pytest.approx((stats.entropy(a, m) + stats.entropy(b, m)) / 2, rel=1e-6)


def test_kl_is_infinite_where_q_has_no_mass():
    assert theory.kl(Normal(0.5, 0.3), Uniform(0.0, 1.0)) == math.inf
    assert theory.kl(Uniform(0.0, 1.0), Uniform(2.0, 3.0)) == math.inf
    assert theory.kl(Uniform(0.0, 1.0), lambda x: ((x > 0.01) & (x < 1)) / 0.99) == math.inf


def test_kl_of_callables_that_float32_rounds_to_zero():
    p, q = P, Normal(505.0, 4.0)
    assert (q.log_prob(torch.tensor(445.0)).exp(), p.log_prob(torch.tensor(445.0)).exp() > 0) == (0, True)
    kl = theory.kl(lambda x: p.log_prob(x).exp(), lambda x: q.log_prob(x).exp())
    assert kl == pytest.approx(kl_divergence(p, q).item(), rel=1e-4)
    x, q = torch.linspace(-9, 9, 40_001), Normal(0.0, 0.35)  # half a millionth of N(0, 1) lies where q rounds to 0
    kl = theory.kl(lambda x: Z.log_prob(x).exp(), lambda x: q.log_prob(x).exp(), x)
    assert kl == pytest.approx(kl_divergence(Z, q).item(), abs=1e-5)


@pytest.mark.parametrize(("mu", "sigma", "printed"), [(495.0, 3.0, "-1.009"), (480.0, 1.0, "-0.003")])
def test_criterion_in_numbers(mu, sigma, printed):
    x = torch.linspace(440, 560, 2401)
    assert f"{theory.criterion(P, Normal(mu, sigma)):.3f}" == printed
    assert f"{theory.criterion(P, Normal(mu, sigma), x):.3f}" == printed
    p_g = theory.pushforward(AffineGenerator(mu, -sigma), Normal(0.0, 1.0))
    assert f"{theory.criterion(lambda x: P.log_prob(x).exp(), p_g, x):.3f}" == printed


@pytest.mark.parametrize("pair", ["two Gaussians", "bumps"])
def test_criterion_is_the_maximum_over_d_at_every_x(pair):
    p, q = PAIRS[pair]
    x = torch.linspace(p.mean - 60, p.mean + 60, 1201, dtype=torch.double)

    def best(a, b):
        loss = minimize_scalar(lambda y: -a * math.log(y) - b * math.log1p(-y), bounds=(0, 1), method="bounded")
        return -loss.fun

    densities = zip(p.log_prob(x).exp().tolist(), q.log_prob(x).exp().tolist(), strict=True)
    by_search = sum(best(a, b) for a, b in densities) * 0.1
    assert theory.criterion(p, q, x) == pytest.approx(by_search, abs=2e-3)


def test_criterion_is_what_a_trained_discriminator_reaches():
    q = Normal(495.0, 3.0)
    x = torch.linspace(470, 530, 1201, dtype=torch.double)
    u, p_x, q_x = (x - 500) / 5, P.log_prob(x).exp(), q.log_prob(x).exp()
    w = torch.zeros(3, dtype=torch.double, requires_grad=True)  # a logit quadratic in x can be D* itself
    optimizer = torch.optim.LBFGS([w], max_iter=200, line_search_fn="strong_wolfe")

    def minus_value():
        optimizer.zero_grad()
        logit = w[0] + w[1] * u + w[2] * u**2
        loss = 0.05 * (p_x * softplus(-logit) + q_x * softplus(logit)).sum()
        loss.backward()
        return loss

    reached = -optimizer.step(minus_value).item()  # at the start: -log 4
    assert reached == pytest.approx(-math.log(4), abs=1e-6)
    assert theory.criterion(P, q) == pytest.approx(-minus_value().item(), abs=1e-4)


def mixture(t):
    """(1 - t) p_1 + t p_2"""
    p_1, p_2 = Normal(485.0, 4.0), Normal(510.0, 6.0)
    return lambda x: (1 - t) * p_1.log_prob(x).exp() + t * p_2.log_prob(x).exp()


X = torch.linspace(420, 580, 8001, dtype=torch.double)


@pytest.mark.parametrize("at", [0.1, 0.5, 0.9])
def test_value_is_affine_in_p_g_and_its_maximum_lies_above(at):
    D = theory.optimal_discriminator(P, mixture(at))
    ends = [theory.value(D, P, mixture(t), X) for t in (0.0, 1.0)]
    for t in (0.0, 0.1, 0.25, 0.5, 0.9, 1.0):
        U = theory.value(D, P, mixture(t), X)
        assert U == pytest.approx((1 - t) * ends[0] + t * ends[1], abs=1e-7)
        gap = theory.criterion(P, mixture(t), X) - U
        assert abs(gap) < 1e-7 if t == at else gap > 1e-5  # a tangent: it touches at t = at only


def test_criterion_is_convex_in_p_g_but_not_in_theta():
    C = torch.tensor([theory.criterion(P, mixture(t), X) for t in torch.linspace(0, 1, 41).tolist()])
    assert (C.double().diff(n=2) > 0).all()
    theta = [theory.criterion(P, Normal(mu, 5.0), X) for mu in (470.0, 485.0, 500.0)]
    assert theta[1] > (theta[0] + theta[2]) / 2 + 0.2


@pytest.mark.parametrize("w", [0.2, 0.6, 0.9])
def test_a_missed_mode_shows_in_the_criterion(w):
    p = data.bumps(means=(400.0, 500.0, 600.0), weights=((1 - w) / 2, w, (1 - w) / 2))
    expected = w * math.log(w) - (1 + w) * math.log(1 + w)
    assert theory.criterion(p, Normal(500.0, 2.0)) == pytest.approx(expected, abs=1e-4)
    if w == 0.6:
        assert f"{expected:.3f}" == "-1.059"


def test_the_map_of_the_criterion_has_one_minimum():
    x = torch.linspace(440, 560, 601)
    mus, sigmas = torch.linspace(485, 515, 13), torch.linspace(2, 11, 10)
    C = torch.tensor([[theory.criterion(P, Normal(mu, sigma), x) for mu in mus] for sigma in sigmas])
    row, column = divmod(C.argmin().item(), 13)
    assert (mus[column], sigmas[row]) == (500, 5) and C.min().item() == pytest.approx(-math.log(4), abs=1e-6)


def test_own_grid_agrees_with_the_default_one():
    p, q = PAIRS["two Gaussians"]
    x = torch.linspace(440, 560, 20_001, dtype=torch.double)
    assert theory.jsd(p, q, x) == pytest.approx(theory.jsd(p, q), abs=1e-5)
    D = theory.optimal_discriminator(p, q)
    assert theory.value(D, p, q, x) == pytest.approx(theory.value(D, p, q), abs=1e-5)


@pytest.mark.parametrize(
    ("p", "q", "x", "message"),
    [
        (lambda x: 2 * P.log_prob(x).exp(), P, None, "^p: integrates to 2 "),
        (P, lambda x: 2 * P.log_prob(x).exp(), None, "^q: integrates to 2 "),
        (P, lambda x: -P.log_prob(x).exp(), None, "^q: "),
        (P, lambda x: x * math.nan, None, "^q: "),
        (P, Normal(490.0, 5.0), torch.linspace(490, 530, 1001), "^p: .*1001 points from 490 to 530"),
        (P, Normal(460.0, 5.0), torch.linspace(480, 530, 1001), "^q: "),
        (P, Normal(500.0, 0.01), torch.linspace(480, 520, 41), "^q: "),  # too coarse
        (P, P, torch.tensor([500.0]), "^x: "),
        (P, P, torch.zeros(0), "^x: "),
        (P, P, torch.linspace(450, 550, 10).reshape(2, 5), "^x: "),
        (P, P, torch.linspace(550, 450, 1001), "^x: "),
        (P, P, torch.full((1001,), 500.0), "^x: "),
        (P, P, torch.tensor([450.0, math.nan, 550.0]), "^x: "),
    ],
)
@pytest.mark.parametrize(
    "call", [theory.jsd, theory.kl, theory.criterion, lambda p, q, x: theory.value(lambda x: x * 0 + 0.5, p, q, x)]
)
def test_densities_and_grids_that_do_not_fit(p, q, x, message, call):
    with pytest.raises(ValueError, match=message):
        call(p, q, x)


@pytest.mark.parametrize("sigma", [5.0, -5.0, 0.3])
def test_pushforward_of_an_affine_generator_is_gaussian(sigma):
    x = torch.linspace(500 - 4 * abs(sigma), 500 + 4 * abs(sigma), 101, dtype=torch.double)
    for G in (AffineGenerator(500.0, sigma), lambda z: 500 + sigma * z):
        p_g = theory.pushforward(G, Normal(0.0, 1.0))
        assert torch.allclose(p_g(x), Normal(500.0, abs(sigma)).log_prob(x).exp(), rtol=2e-3)
        assert theory.jsd(p_g, Normal(500.0, abs(sigma))) < 1e-5  # and so integrates to 1


def test_pushforward_has_a_slope_in_x():
    x = torch.linspace(490, 510, 401, dtype=torch.double, requires_grad=True)
    p_g = theory.pushforward(AffineGenerator(500.0, -5.0), Normal(0.0, 1.0))
    (score,) = torch.autograd.grad(p_g(x).log().sum(), x)
    assert_close(score, -(x.detach() - 500) / 25, rtol=0, atol=4e-3)


def test_pushforward_of_a_sliver():
    p_g = theory.pushforward(AffineGenerator(480.0, 0.001), Normal(0.0, 1.0))
    x = torch.linspace(479.992, 480.008, 8001, dtype=torch.double)
    assert torch.trapezoid(p_g(x), x).item() == pytest.approx(1, abs=1e-4)
    expected = torch.from_numpy(stats.norm(480, 0.001).pdf(x.numpy()))
    assert torch.allclose(p_g(x), expected, rtol=1e-3, atol=0.5)  # 0.5 of a peak of 399


@pytest.mark.parametrize(
    ("G", "latent", "pdf", "low", "high"),
    [
        (torch.exp, Normal(0.0, 1.0), stats.lognorm(1).pdf, 0.02, 50),
        (lambda z: z**2, Normal(0.0, 1.0), stats.chi2(1).pdf, 0.01, 30),  # two z for each x
        (lambda z: z**3, Uniform(-1.0, 1.0), lambda x: abs(x) ** (-2 / 3) / 6, 0.01, 0.99),
        (torch.tanh, Uniform(-2.0, 2.0), lambda x: 1 / 4 / (1 - x**2), -0.96, 0.96),
        (lambda z: 3 - z, Uniform(0.0, 1.0), stats.uniform(2, 1).pdf, 2.01, 2.99),
        (lambda z: 3 - z, Uniform(0.1, 1.3), stats.uniform(1.7, 1.2).pdf, 1.71, 2.89),
    ],
)
def test_pushforward_against_change_of_variables_by_hand(G, latent, pdf, low, high):
    x = torch.linspace(low, high, 2001, dtype=torch.double)
    p_g = theory.pushforward(G, latent)
    assert torch.allclose(p_g(x), torch.from_numpy(pdf(x.numpy())).double(), rtol=1e-2, atol=1e-5)
    assert p_g(x.float().reshape(3, 667)).shape == (3, 667) and p_g(x.float()).dtype == torch.float32


def test_pushforward_is_zero_outside_the_range():
    p_g = theory.pushforward(lambda z: z**2, Uniform(-1.0, 1.0))
    assert p_g(torch.tensor([-0.1, 1.1, 1e6])).tolist() == [0, 0, 0]


U = torch.linspace(-12, 12, 1_000_000, dtype=torch.double)


@pytest.mark.parametrize(
    ("G", "latent", "x"),
    [
        (torch.exp, Normal(0.0, 1.0), U.exp()),
        (torch.tanh, Uniform(-2.0, 2.0), U / 12),
        (torch.tanh, Normal(0.0, 1.0), (U / 1.5).tanh()),
        (lambda z: z**2, Normal(0.0, 1.0), U.exp()),  # at 0 a spike, of finite area
        (lambda z: 500 + z + 2 * torch.sin(z), Normal(0.0, 2.0), 500 + 2 * U),  # turns many times
    ],
    ids=["exp", "tanh of uniform", "tanh", "square", "turns"],
)
def test_pushforward_integrates_to_one(G, latent, x):
    assert torch.trapezoid(theory.pushforward(G, latent)(x), x).item() == pytest.approx(1, abs=1e-2)


def test_value_of_a_pushforward_with_a_spike():
    p_g = theory.pushforward(lambda z: z**2, Normal(0.0, 1.0))
    assert abs(theory.jsd(p_g, p_g)) < 1e-12  # and no ValueError: it does integrate to 1


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.1, 1.3), (-1.246827483177185, 2.118617534637451)])
def test_pushforward_follows_a_bounded_latent_to_its_ends(low, high):
    for G in (AffineGenerator(0.0, 2.0), lambda z: 2 * z):
        p_g = theory.pushforward(G, Uniform(low, high))
        assert theory.jsd(p_g, Uniform(2 * low, 2 * high)) < 1e-3


@pytest.mark.parametrize("seed", range(3))
def test_pushforward_of_a_random_net_against_a_histogram(seed):
    torch.manual_seed(seed)
    G, latent = MLPGenerator(1, 16, 16, 1, output=Unstandardise(500.0, 5.0)), Normal(0.0, 1.0)
    for weight in G.net.parameters():
        weight.data.mul_(2.5)  # so that it turns
    p_g = theory.pushforward(G, latent, n=20_001)
    with torch.no_grad():
        draws = G(latent.sample((1_000_000,))).double()
    edges = torch.linspace(draws.min() - 0.01, draws.max() + 0.01, 41, dtype=torch.double)
    shares = torch.histogram(draws, edges).hist / 1_000_000
    fine = torch.cat([torch.linspace(a, b, 4001, dtype=torch.double)[:-1] for a, b in edges.unfold(0, 2, 1)])
    expected = p_g(fine + (fine[1] - fine[0]) / 2).reshape(40, 4000).mean(1) * edges.diff()
    assert expected.sum().item() == pytest.approx(1, abs=5e-3)
    assert torch.allclose(shares, expected, atol=5e-3)


def test_pushforward_leaves_the_generator_as_it_was():
    G = AffineGenerator(480.0, 1.0)
    with torch.no_grad():
        theory.pushforward(G, Normal(0.0, 1.0))
    assert G.mu.dtype == torch.float32 and G.mu.grad is None and G.mu.requires_grad


def test_a_constant_generator_has_no_density():
    p_g = theory.pushforward(AffineGenerator(500.0, 0.0), Normal(0.0, 1.0))
    assert p_g(torch.tensor([499.0, 500.0, 501.0])).tolist() == [0, 0, 0]


def test_curves_are_those_of_figure_1():
    trainer = recipes.gaussian(start=(490, 3))
    trainer.step()
    x = torch.linspace(480, 520, 41)
    p, q = P.log_prob(x).exp(), Normal(*(w.detach() for w in trainer.generator.parameters())).log_prob(x).exp()
    curves = seen.curves(trainer, x)
    assert all(curve.shape == (41,) and not curve.requires_grad for curve in curves)
    assert torch.equal(curves.x, x) and torch.allclose(curves.p_data, p)
    assert torch.allclose(curves.p_g, q, rtol=2e-3, atol=1e-6)
    assert torch.allclose(curves.D, trainer.discriminator(x).sigmoid())
    assert torch.allclose(curves.D_star, p / (p + q), rtol=5e-3)


def test_curves_are_what_the_players_are():
    trainer = recipes.gaussian(start=(490.0, -3.0))
    x = torch.linspace(480, 510, 61)
    curves = seen.curves(trainer, x)
    p_data, p_g = Normal(500.0, 5.0).log_prob(x).exp(), Normal(490.0, 3.0).log_prob(x).exp()
    assert_close(curves.p_data, p_data)
    assert_close(curves.p_g, p_g, rtol=1e-3, atol=1e-6)
    assert_close(curves.D_star, p_data / (p_data + p_g), rtol=1e-3, atol=1e-5)
    assert_close(curves.D, torch.stack([trainer.discriminator(x_i[None]) for x_i in x]).sigmoid()[:, 0].detach())


def test_pushforward_keeps_the_area_next_to_a_turn():
    p_g = theory.pushforward(lambda z: z**2, Normal(0.0, 1.0))
    x = torch.linspace(0, 1e-3, 100_001)
    assert torch.trapezoid(p_g(x), x).item() == pytest.approx(stats.chi2(1).cdf(1e-3), rel=0.02)
