import math
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from answers import boom, says, told
from torch.distributions import Normal, Uniform, kl_divergence

from gan_lessons import data, dynamics, hill, losses, models, recipes, seen, theory
from gan_lessons.lessons import theory as lesson
from gan_lessons.optimizers import adam

P_DATA = data.gaussian()
LOG_4 = math.log(4)

# -- what the lesson states of its games, played on eight seeds by tests/make/observations.py --------------------------


def climb(gan, rounds=1000):
    """By how much C rises above the lowest it has been, at most."""
    lowest, most = math.inf, 0.0
    for i, _ in enumerate(gan.run(rounds)):
        if i % 5 == 0:
            C = lesson.height(gan.generator.mu.item(), gan.generator.sigma.item())
            lowest = min(lowest, C)
            most = max(most, C - lowest)
    return most


def falls(seed):
    most = climb(recipes.gaussian(seed, decay=None))
    return most < 0.01, {"climbs by": most}


def climbs(seed):
    most = climb(recipes.gaussian(seed, decay=None, lr_d=0.001))
    return most > 0.2, {"climbs by": most}


OBSERVATIONS = {
    "it climbed by less than 0.01 in the first 1,000 rounds, in {} of 8 seeds": falls,
    "C climbed by more than 0.2, in {} of 8 seeds": climbs,
}


# -- the formulas, each computed another way ---------------------------------------------------------------------------


def test_a_mean_over_z_is_a_sum_over_strips():
    def D(x):
        return torch.sigmoid((x - 494) / 2)

    z = seen.quantiles(Normal(0.0, 1.0), 200_000).double()
    means = D(500 + 5 * z).log().mean() + (1 - D(490 + 4 * z)).log().mean()
    x = torch.arange(465, 530, 0.1, dtype=torch.double)
    p, q = (it.log_prob(x).exp() for it in (P_DATA, Normal(490.0, 4.0)))
    strips = ((p * D(x).log() + q * (1 - D(x)).log()).sum() * 0.1).item()
    assert strips == pytest.approx(means.item(), abs=1e-3)
    assert strips == pytest.approx(theory.value(D, P_DATA, Normal(490.0, 4.0), x), abs=1e-4)


def test_the_best_answer_in_a_strip_is_the_share_of_real_coins():
    y = torch.linspace(0.001, 0.999, 999, dtype=torch.double)
    for a, b in ((0.06, 0.02), (0.0108, 0.0997), (0.3, 0.3)):
        assert y[(a * y.log() + b * (1 - y).log()).argmax()].item() == pytest.approx(a / (a + b), abs=1e-3)


def test_four_lines_on_three_kinds():
    p, q = torch.tensor([0.6, 0.3, 0.1]).double(), torch.tensor([0.2, 0.2, 0.6]).double()
    m, D = (p + q) / 2, p / (p + q)
    C = (p * D.log() + q * (1 - D).log()).sum().item()
    kl_p, kl_q = (torch.nn.functional.kl_div(m.log(), it, reduction="sum").item() for it in (p, q))
    assert C == pytest.approx(-LOG_4 + kl_p + kl_q)
    assert (C, kl_p, kl_q) == tuple(pytest.approx(number, abs=5e-4) for number in (-1.073, 0.173, 0.140))
    tried = torch.rand(2000, 3, generator=torch.Generator().manual_seed(0)).double()
    assert C >= (p * tried.log() + q * (1 - tried).log()).sum(1).max().item()


@pytest.mark.parametrize("theta", [(490.0, 4.0), (480.0, 1.0), (495.0, 3.0), (500.0, 5.0)])
def test_c_is_v_of_the_best_d_and_no_d_is_better(theta):
    p_g, x = Normal(*theta), lesson.X
    C = theory.value(theory.optimal_discriminator(P_DATA, p_g), P_DATA, p_g, x)
    assert lesson.height(*theta) == pytest.approx(C, abs=1e-3) and C >= -LOG_4 - 1e-6
    assert theory.value(lambda x: torch.full_like(x, 0.5), P_DATA, p_g, x) == pytest.approx(-LOG_4)
    for shift in (-2, 0.5, 3):
        other = theory.value(lambda x, s=shift: theory.log_odds(P_DATA, p_g)(x).add(s).sigmoid(), P_DATA, p_g, x)
        assert other < C


def test_what_jsd_is_on_the_hill():
    jsd, C = theory.jsd(P_DATA, Normal(490.0, 4.0)), theory.criterion(P_DATA, Normal(490.0, 4.0))
    assert jsd == pytest.approx((C + LOG_4) / 2) and jsd == pytest.approx(0.386, abs=5e-4)
    assert jsd - math.log(2) == pytest.approx(-0.307, abs=5e-4)
    assert math.exp(jsd - math.log(2)) == pytest.approx(0.74, abs=5e-3)
    assert math.exp(0.2 - math.log(2)) == pytest.approx(0.61, abs=5e-3)
    x = torch.linspace(470, 520, 501, dtype=torch.double)
    p, q = (it.log_prob(x).exp() for it in (P_DATA, Normal(490.0, 4.0)))
    assert (torch.xlogy(p, 2 * p / (p + q)) + torch.xlogy(q, 2 * q / (p + q)) >= 0).all()


def test_kl_is_never_negative():
    rng = torch.Generator().manual_seed(0)
    p, m = torch.rand(2, 500, 3, generator=rng).double()
    p, m = p / p.sum(1, keepdim=True), m / m.sum(1, keepdim=True)
    terms = p * (p / m).log()
    assert (terms.sum(1) > 0).all() and (terms < 0).any(1).all()
    u = torch.linspace(0.01, 9, 900, dtype=torch.double)
    assert (u.log() <= u - 1).all()
    u = torch.tensor([0.35 / 0.1, 0.4 / 0.6, 0.25 / 0.3])  # gold, copper, silver
    assert (u - 1 - u.log()).tolist() == [pytest.approx(gap, abs=5e-3) for gap in (1.25, 0.07, 0.02)]


@pytest.mark.parametrize(("best_at", "ends"), [(0.1, (-0.102, -1.295, -2.488)), (0.3, (-0.268, -0.998, -1.728))])
def test_a_held_d_is_a_straight_line_under_c(best_at, ends):
    t = [i / 20 for i in range(21)]
    V, C = torch.tensor([lesson.mixed(best_at, s) for s in t]), torch.tensor([lesson.mixed(s, s) for s in t])
    assert torch.allclose(V, torch.lerp(V[0], V[-1], torch.tensor(t)), atol=1e-5)
    assert (V < C + 1e-5).all() and (C.diff(n=2) > 0).all()
    best = theory.optimal_discriminator(P_DATA, lesson.mix(best_at))(lesson.X)
    assert best.max().item() == pytest.approx({0.1: 0.91, 0.3: 0.77}[best_at], abs=5e-3)
    assert [V[i].item() for i in (0, 10, 20)] == [pytest.approx(end, abs=5e-4) for end in ends]


def test_sliding_is_no_bowl():
    slide = torch.tensor([lesson.height(470 + 30 * i / 20, 5.0) for i in range(21)])
    assert not (slide.diff(n=2) > 0).all() and slide[10] > (slide[0] + slide[-1]) / 2 + 0.3
    fine = torch.linspace(470, 530, 12_001, dtype=torch.double)
    assert theory.criterion(P_DATA, Normal(500.0, 0.05), fine) > -0.11  # half way between (500, 5) and (500, -5)


def test_free_heights_become_a_box_and_no_normal_does():
    x = torch.arange(-0.995, 2, 0.01, dtype=torch.double)
    box, start = ((x > 0) & (x < 1)).double(), Normal(0.2, 0.3).log_prob(x).exp()
    heights = dynamics.free_heights(box, start, 0.01, 100)
    D = [box / (box + p) for p in heights]
    C = [((torch.xlogy(box, d) + torch.xlogy(p, 1 - d)).sum() * 0.01).item() for p, d in zip(heights, D, strict=True)]
    assert all(b < a + 1e-9 for a, b in pairwise(C)) and C[-1] == pytest.approx(-LOG_4, abs=1e-3)
    fine = torch.linspace(-1.9995, 2.9995, 5000)
    jsd = {
        (mu, sd): theory.jsd(Uniform(0.0, 1.0), Normal(mu, sd), fine)
        for mu in (0.48, 0.5)
        for sd in (0.26, 0.267, 0.274)
    }
    assert min(jsd, key=jsd.get) == (0.5, 0.267) and min(jsd.values()) == pytest.approx(0.0478, abs=5e-5)
    assert Uniform(0.0, 1.0).stddev.item() == pytest.approx(0.289, abs=5e-4)


def test_the_slope_of_c_in_a_height():
    p, q = torch.tensor([0.6, 0.3, 0.1]).double(), torch.tensor([0.2, 0.2, 0.6]).double().requires_grad_()
    C = (p * (p / (p + q)).log()).sum() + (q * (q / (p + q)).log()).sum()
    (slope,) = torch.autograd.grad(C, q)
    assert torch.allclose(slope, (1 - p / (p + q)).log())


def test_a_held_d_touches_c_on_the_slide_too():
    D = theory.optimal_discriminator(P_DATA, Normal(488.0, 5.0))
    for mu in (480.0, 484.0, 487.9, 488.1, 492.0, 500.0):
        below = lesson.height(mu, 5.0) - theory.value(D, P_DATA, Normal(mu, 5.0), lesson.X)
        assert (0 <= below + 1e-6 < 1e-3) if abs(mu - 488) < 0.2 else below > 0.01


def other_height(mu, sigma):
    p_g = Normal(mu, sigma)
    return kl_divergence(p_g, P_DATA).item() - 2 * theory.jsd(P_DATA, p_g, lesson.X)


@pytest.mark.parametrize("theta", [(490.0, 3.0), (485.0, 6.0), (496.0, 8.0)])
def test_which_landscape_each_loss_goes_down(theta):
    """Autograd with D* held, against central differences of the height."""
    for loss, height in ((losses.minimax, lesson.height), (losses.non_saturating, other_height)):
        G = models.AffineGenerator(*theta)
        dynamics.ideal_loss(G, P_DATA, Normal(0.0, 1.0), loss, n=4000).backward()
        for i, parameter in enumerate((G.mu, G.sigma)):
            up, down = ([v + (sign * 0.02 if j == i else 0) for j, v in enumerate(theta)] for sign in (1, -1))
            assert parameter.grad.item() == pytest.approx((height(*up) - height(*down)) / 0.04, rel=0.02, abs=1e-3)


@pytest.mark.parametrize("theta", [(490.0, 4.0), (503.0, 6.0), (500.0, 5.0)])
def test_the_other_landscape_is_a_divergence_too(theta):
    q = Normal(*theta)

    def m(x):
        return (P_DATA.log_prob(x).exp() + q.log_prob(x).exp()) / 2

    assert other_height(*theta) == pytest.approx(2 * theory.kl(m, P_DATA, lesson.X), abs=1e-4)


def walk(loss, optimizer=adam, lr=0.05, rounds=1000):
    """The walk of the lesson's cell: the step at which it is within 1 of (500, 5), and its widest spread."""
    mu, sigma = torch.tensor(480.0, requires_grad=True), torch.tensor(1.0, requires_grad=True)
    steps, z, widest = optimizer([mu, sigma], lr=lr), seen.quantiles(Normal(0.0, 1.0), 200), 0.0
    for i in range(rounds):
        widest = max(widest, sigma.item())
        if abs(mu.item() - 500) < 1 and abs(sigma.item() - 5) < 1:
            return i, widest
        D = theory.optimal_discriminator(P_DATA, Normal(mu.item(), sigma.item()))
        steps.zero_grad()
        loss(D(mu + sigma * z)).backward()
        steps.step()
    return None, widest


def saturating(D):
    return (1 - D).log().mean()


def non_saturating(D):
    return -D.log().mean()


@pytest.mark.slow
def test_ideal_walks():
    arrived, widest = walk(saturating)
    assert arrived == pytest.approx(360, abs=10) and widest == pytest.approx(9.3, abs=0.1)
    arrived, widest = walk(non_saturating)
    assert arrived == pytest.approx(970, abs=15) and widest < 5
    assert walk(saturating, torch.optim.SGD, 1.0)[0] == pytest.approx(726, abs=3)
    assert walk(non_saturating, torch.optim.SGD, 1.0)[0] == pytest.approx(126, abs=2)


def test_on_the_plain_plain_steps_get_nowhere():
    mu, sigma = torch.tensor(480.0, requires_grad=True), torch.tensor(1.0, requires_grad=True)
    steps, z = torch.optim.SGD([mu, sigma], lr=0.05), seen.quantiles(Normal(0.0, 1.0), 200)
    for _ in range(1000):
        D = theory.optimal_discriminator(P_DATA, Normal(mu.item(), sigma.item()))
        steps.zero_grad()
        saturating(D(mu + sigma * z)).backward()
        steps.step()
    assert (mu.item(), sigma.item()) == (pytest.approx(480.1, abs=0.05), pytest.approx(1.1, abs=0.05))


def test_with_a_short_memory_adam_is_as_quick_with_either_loss():
    def short(weights, lr):
        return torch.optim.Adam(weights, lr=lr, betas=(0.5, 0.9))

    assert walk(saturating, short)[0] < 450 and walk(non_saturating, short)[0] < 450


NUMBERS = {
    (500, 5): -1.386,
    (500, 2): -1.10,
    (500, 12): -1.12,
    (470, 5): -0.008,
    (470, 12): -0.206,
    (490, 5): -0.71,
    (490, 10.75): -0.94,
}


def test_the_heights_in_the_text():
    for theta, C in NUMBERS.items():
        assert lesson.height(*theta) == pytest.approx(C, abs=5.1e-3)
    spreads = [i / 4 for i in range(4, 49)]
    assert min(spreads, key=lambda sd: lesson.height(490.0, sd)) == 10.75
    for mu, said in ((475.0, (0.99, 0.01)), (490.0, (0.78, 0.22)), (500.0, (0.50, 0.50))):
        assert lesson.mean_answers(mu, 5.0) == [pytest.approx(number, abs=5.1e-3) for number in said]
    assert lesson.landscape().argmin().item() == 8 * len(lesson.MUS) + 34  # (500, 5) on the map


@pytest.mark.parametrize("values", [(466.0, 1.0), (500.0, 5.0), (534.0, 12.0)])
def test_the_pictures_that_follow_sliders(values):
    picture = lesson.best_d(*values)
    assert f"{lesson.height(*values):.3f}" in picture and "nan" not in picture
    for best_at in (0.06, 0.5, 1.0):  # the slider's ends, and its middle
        for now in (0.0, 1.0):
            words = lesson.held_d(best_at, now)
            assert f"V = {lesson.mixed(best_at, now):.2f}" in words and "nan" not in words and "inf" not in words
            assert lesson.mixed(best_at, now) > -3.1  # within the picture


# -- the checks of the exercises ---------------------------------------------------------------------------------------


def divergence(p, q, dx, first=1.0, second=1.0, half=2, middle=2):
    m = (p + q) / middle
    return (first * (p * (p / m).log()).sum() + second * (q * (q / m).log()).sum()) * dx / half


def kl(p, q, dx):
    return (p * (p / q).log()).sum() * dx


JSD = [
    (divergence, "Right"),
    (lambda *a: divergence(*a).item(), "Right"),
    (lambda *a: np.float32(divergence(*a).item()), "Right"),
    (lambda *a: np.array(divergence(*a).item()), "Right"),
    (lambda *a: divergence(*a)[None], "Right"),
    (lambda p, q, dx: divergence(p, q, 1.0), "multiply by it"),
    (lambda *a: divergence(*a, half=1), "2 JSD"),
    (lambda *a: divergence(*a, half=1, second=0), "KL(p || m) alone"),
    (lambda *a: divergence(*a, half=1, first=0), "KL(q || m) alone"),
    (kl, "compare each of the two with the middle"),
    (lambda p, q, dx: (kl(p, q, dx) + kl(q, p, dx)) / 2, "compare each with m"),
    (lambda *a: divergence(*a, middle=1), "without the 2"),
    (lambda *a: -divergence(*a), "the sign"),
    (lambda *a: divergence(*a) / math.log(2), "in bits"),
    (lambda *a: -LOG_4 + 2 * divergence(*a), "the next exercise"),
    (lambda p, q, dx: (q * (2 * p / (p + q)).log() + p * (2 * q / (p + q)).log()).sum() * dx / 2, "changed places"),
    (lambda p, q, dx: p, "one number is asked for"),
    (lambda *a: 3.0, "yours is 3"),
    (lambda *a: math.nan, "log of 0"),
    (lambda *a: None, "not answered yet"),
    (lambda *a: ..., "not answered yet"),
    (boom, "RuntimeError: boom"),
    (3, "TypeError"),
]


def best_value(p, q, dx):
    return (torch.xlogy(p, p / (p + q)) + torch.xlogy(q, q / (p + q))).sum() * dx


CRITERION = [
    (best_value, "Right"),
    (lambda *a: best_value(*a).item(), "Right"),
    (lambda *a: -LOG_4 + 2 * divergence(*a), "Right"),
    (lambda p, q, dx: best_value(p, q, 1.0), "multiply by it"),
    (lambda p, q, dx: (p * (p / (p + q)).log()).sum() * dx, "on real coins; add"),
    (lambda p, q, dx: (q * (q / (p + q)).log()).sum() * dx, "on fakes; add"),
    (lambda p, q, dx: (p * (q / (p + q)).log() + q * (p / (p + q)).log()).sum() * dx, "changed places"),
    (divergence, "-log 4 + 2 JSD"),
    (lambda *a: 2 * divergence(*a), "-log 4 is missing"),
    (lambda *a: best_value(*a) / 2, "adds the two means"),
    (lambda *a: -best_value(*a), "at most 0"),
    (lambda *a: -LOG_4 + divergence(*a), "one JSD too few"),
    (lambda *a: best_value(*a) / math.log(2), "natural log"),
    (lambda *a: -LOG_4, "a D that says 1/2"),
    (lambda *a: 3.0, "it should be -1.107, and yours is 3"),
    (lambda *a: None, "not answered yet"),
    (lambda p, q, dx: p, "one number is asked for"),
    (boom, "RuntimeError: boom"),
]
HILL = [
    (((466, 2), (500, 4)), "Right"),
    (((500, 7), (470, 3)), "Right"),
    ([[500.0, 4.0], [534.0, 2.0]], "Right"),
    (torch.tensor([[466.0, 2.0], [500.0, 4.0]]), "Right"),
    (np.array([[466.0, 2.0], [500.0, 4.0]]), "Right"),
    (((470, 5), (500, 5)), "this is the slide above"),
    (((500, 5), (470, 5)), "this is the slide above"),
    (((530, 5), (500, 5)), "this is the slide above"),
    (((466, 6), (500, 6)), "Right"),
    (((466, 4), (500, 5)), "Right"),
    (((470, 4.5), (500, 5.5)), "Right"),
    (((466, 5), (500, 8)), "Right"),
    (((500, 5), (466, 5)), "this is the slide above"),
    (((471, 5), (500, 5)), "this is the slide above"),
    (((480, 5), (520, 5)), "a hole between your two"),
    (((470, 5), (475, 5)), "level ground"),
    (((500, 5), (500, 5)), "level ground"),
    (((480, 5), (500, 5)), "only 0.04 above"),
    (((500, -5), (500, 5)), "stay on the map"),
    (((470, 5), ...), "not answered yet"),
    (((..., ...), (..., ...)), "not answered yet"),
    (None, "not answered yet"),
    (..., "not answered yet"),
    (((470, 5),), "two counterfeiters"),
    (((470, 5, 1), (500, 5)), "two counterfeiters"),
    (3, "two counterfeiters"),
]
ANSWERS = told(lesson, {"check_jsd": JSD, "check_criterion": CRITERION, "check_hill": HILL})


@pytest.mark.parametrize(("check", "answer", "text"), ANSWERS)
def test_each_answer_is_told_what_it_is(check, answer, text, capsys):
    says(check, answer, text, capsys)


def test_the_best_hill_is_drawn():
    p_g = Normal(490.0, 4.0)
    ax = hill.draw_best(P_DATA, p_g, lesson.X)
    drawn = torch.as_tensor(ax.lines[-1].get_ydata())
    assert torch.allclose(drawn, theory.optimal_discriminator(P_DATA, p_g)(lesson.X))
    plt.close(ax.figure)
