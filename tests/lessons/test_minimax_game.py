import dataclasses
import math
import re
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from answers import boom, says, told
from torch.distributions import Normal, Uniform
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from gan_lessons import data, hill, losses, recipes, theory
from gan_lessons.devices import seeded
from gan_lessons.lessons import minimax_game as lesson
from gan_lessons.optimizers import adam

# -- what the lesson states of its games, played on eight seeds by tests/make/observations.py --------------------------


def play(gan, rounds):
    """mu, |sigma| and D's loss after each round, three tensors (rounds,)."""
    path = []
    for record in gan.run(rounds):
        path.append((gan.generator.mu.item(), abs(gan.generator.sigma.item()), record.loss_d.item()))
    return torch.tensor(path).T


def mean_pushes(seed, turns=200, mu=475.0):
    """The mean push of both losses after 0, 1, 2, ... turns of D: two tensors (turns + 1,)."""
    x = mu + lesson.NINE
    rows = [lesson.pushes(D, x) for D in lesson.stages.__wrapped__(mu, turns, seed)]
    return tuple(torch.stack([row[name].mean() for row in rows]) for name in lesson.LOSSES)


def parts_ways(seed):
    awake, asleep = mean_pushes(seed)
    top = asleep.argmax().item()
    holds = 5 <= top <= 40 and asleep[-1] < asleep[top] / 4 and awake[-1] > 100 * asleep[-1]
    return holds and awake[-1] > 0.1, {
        "largest after": top,
        "largest": asleep[top],
        "log(1 - D) at 200": asleep[-1],
        "-log D at 200": awake[-1],
    }


def level_far_away(seed):
    D = lesson.stages.__wrapped__(475.0, 200, seed)[-1]
    known, lighter = (lesson.pushes(D, mu + lesson.NINE)["-log D"].mean() for mu in (475, 455))
    return 0 < lighter < known / 30, {"-log D at 475": known, "at 455": lighter}


def wakes_near_the_data(seed):
    (awake, asleep), (_, far) = mean_pushes(seed, mu=490.0), mean_pushes(seed)
    holds = asleep[-1] > 50 * far[-1] and awake[-1] < 10 * asleep[-1]
    return holds, {"log(1 - D) at 490": asleep[-1], "-log D at 490": awake[-1]}


def one_arrives(seed):
    first, second = (play(lesson.race(seed, loss=loss), 300)[0] for loss in lesson.LOSSES.values())
    holds = first[249] > 490 and first[-1] > 495 and (second - 470).abs().max() < 0.05
    return holds, {"-log D at 250": first[249], "at 300": first[-1], "log(1 - D) at most": second.max()}


def d_is_sure_and_g_moves(seed):
    mu, _, loss_d = play(lesson.race(seed, loss=losses.non_saturating), 20)
    return loss_d.mean() < 0.01 and mu[-1] > 471, {"D's loss": loss_d.mean(), "mu": mu[-1]}


def with_adam_both_arrive(seed):
    games = [play(lesson.race(seed, loss=loss, optimizer=adam), 300) for loss in lesson.LOSSES.values()]
    there = [((mu - 500).abs() < 2).nonzero()[0].item() + 1 for mu, _, _ in games]
    steps = [mu.diff().abs().max() for mu, _, _ in games]
    holds = max(there) < 100 and steps[1] > 0.8 and steps[0] < 0.7
    return holds, {"later one there": max(there), "longest step under -log D": steps[0], "other": steps[1]}


def widest_in_lesson_02(seed):
    wide = [play(recipes.gaussian(seed, decay=None, loss=loss), 400)[1].max() for loss in lesson.LOSSES.values()]
    return wide[0] < 8 and wide[1] > 10, {"-log D": wide[0], "log(1 - D)": wide[1]}


def shares_alone(seed):
    """-log D, but each fake's factor 1 - D is replaced by D, times what keeps the mean of the factors as it was."""

    def generator(_, logits):
        D = logits.detach().sigmoid()
        return -(D * (1 - D).mean() / D.mean() * logits).mean()

    shared = dataclasses.replace(losses.non_saturating, generator=generator, name="shared")
    widest = play(recipes.gaussian(seed, decay=None, loss=shared), 400)[1].max()
    return widest > 9, {"widest": widest}


def switched(seed):
    gan, ends = lesson.race(seed), []
    for name, rounds in (("log(1 - D)", 50), ("-log D", 50), ("log(1 - D)", 100), ("-log D", 100)):
        gan.loss = lesson.LOSSES[name]
        ends.append(play(gan, rounds)[0][-1])
    walked, slept, woken = (b - a for a, b in pairwise(ends))
    return walked > 3 and slept < 1 and woken > 8, {"walked": walked, "slept": slept, "woken": woken}


def doubts_keep_it_awake(seed):
    mu, sigma, _ = play(lesson.race(seed, start=(495.0, 3.0), loss=losses.minimax), 600)
    holds = ((mu[-100:] - 500).abs() < 1).all() and ((sigma[-100:] - 5).abs() < 1).all()
    return holds, {"mu": mu[-1], "sigma": sigma[-1]}


def cost_of_k(seed):
    turns = []
    for k in (1, 5):
        gan = recipes.gaussian(seed, decay=None, k=k)
        while abs(gan.generator.mu.item() - 500) >= 1 and gan.steps_done < 1000:
            gan.step()
        turns.append((k + 1) * gan.steps_done)
    return 3 < turns[1] / turns[0] < 5, {"turns at k = 1": turns[0], "turns at k = 5": turns[1]}


def one_place(seed):
    gan = recipes.gaussian(seed, start=(490.0, 3.0), decay=None)
    for _ in range(200):
        gan.discriminator_step()
    gan.k = 0
    mu, sigma, _ = play(gan, 1000)
    holds = sigma[29] > 3.5 and sigma[299:].max() < 0.05 and 497 < mu[299] < 499.5 and mu[-1] > 500
    return holds, {"spread at 30": sigma[29], "at 300": sigma[299], "mean at 300": mu[299], "at 1000": mu[-1]}


def learns_forty_coins_by_heart(seed):
    gan = recipes.gaussian(seed, start=(500.0, 5.0), decay=None)
    with seeded(seed):
        few, fresh = data.gaussian().sample((2, 20)), data.gaussian().sample((2, 5000))
    D, loss = gan.discriminator, losses.discriminator_loss
    optimizer = adam(D.parameters(), lr=0.01)
    for _ in range(500):
        optimizer.zero_grad()
        loss(*map(D, few)).backward()
        optimizer.step()
    known, unknown = loss(*map(D, few)).item(), loss(*map(D, fresh)).item()
    return known < 1.2 and unknown > math.log(4) + 0.1, {"loss on its coins": known, "on fresh ones": unknown}


OBSERVATIONS = {
    "at 200 turns -log D pushed these nine more than a hundred times as hard ({} of 8 seeds)": parts_ways,
    "under -log D, less than a thirtieth as hard as those around 475 ({} of 8 seeds)": level_far_away,
    "more than fifty times as large at 490 as at 475 ({} of 8 seeds)": wakes_near_the_data,
    "past 490 by round 250, and the second moved by less than 0.05 in all 300 rounds ({} of 8 seeds)": one_arrives,
    "loss was below 0.01 in the mean, and yet the first G moved by more than 1 ({} of 8 seeds)": d_is_sure_and_g_moves,
    "longest step was above 0.8 for the second and below 0.7 for the first ({} of 8 seeds)": (with_adam_both_arrive),
    "by less than 1 in the 100 rounds of the third part, and by more than 8 in the 100 after it ({} of 8 seeds)": (
        switched
    ),
    "After 600 rounds of plain steps G was within 1 of (500, 5) ({} of 8 seeds)": doubts_keep_it_awake,
    "widest spread was below 8 under -log D and above 10 under log(1 - D) ({} of 8 seeds)": (widest_in_lesson_02),
    "as large in all as before, the widest spread was above 9 ({} of 8 seeds)": shares_alone,
    lesson.COST: cost_of_k,
    "crept on along the plateau, and was past 500 after 1,000 ({} of 8 seeds)": one_place,
    "on fresh coins it was above 1.48, worse than a coin toss ({} of 8 seeds)": (learns_forty_coins_by_heart),
}


# -- the formulas and the numbers in the text --------------------------------------------------------------------------


def test_the_four_inspectors():
    real, fake = Uniform(495.0, 505.0), Uniform(475.0, 485.0)
    wanted = {0.5: -math.log(4), 0.01: math.log(0.01) + math.log(0.99)}
    for d, value in wanted.items():
        assert theory.value(lambda x, d=d: torch.full_like(x, d), real, fake) == pytest.approx(value, abs=1e-4)
    assert wanted[0.01] == pytest.approx(-4.615, abs=5e-4) and math.log(0.01) == pytest.approx(-4.605, abs=5e-4)
    assert theory.value(lambda x: (x > 490).float(), real, fake) == 0
    assert theory.value(lambda x: (x < 490).float(), real, fake) == -math.inf


def test_v_is_minus_the_loss_of_lesson_02():
    torch.manual_seed(0)
    real, fake = torch.randn(8), torch.randn(8)
    V = real.sigmoid().log().mean() + (1 - fake.sigmoid()).log().mean()
    assert -V.item() == pytest.approx((bce(real, torch.ones(8)) + bce(fake, torch.zeros(8))).item(), rel=1e-5)


def test_of_the_coins_of_498_5_eight_in_ten_are_real():
    p, q = (one.log_prob(torch.tensor(498.5)).exp().item() for one in (lesson.REAL, lesson.FAKE))
    assert p / (p + q) == pytest.approx(0.8, abs=0.005)
    d = torch.linspace(0.001, 0.999, 999)
    assert d[(0.8 * d.log() + 0.2 * (1 - d).log()).argmax()].item() == pytest.approx(0.8, abs=1e-3)


def test_nobody_has_a_larger_v_than_the_best_d():
    best = theory.optimal_discriminator(lesson.REAL, lesson.FAKE)
    values = [theory.value(D, lesson.REAL, lesson.FAKE) for D in (best, lambda x: 1 - best(x))]
    assert values == [pytest.approx(-0.713, abs=5e-4), pytest.approx(-4.713, abs=5e-4)]
    sure = theory.value(lambda x: (x > 495).float(), lesson.REAL, lesson.FAKE)
    assert sure == -math.inf and Normal(0.0, 1.0).cdf(torch.tensor(1.0)).item() == pytest.approx(0.84, abs=0.005)
    for bend in (lambda d: d**0.9, lambda d: d**1.1, lambda d: 0.98 * d + 0.01):
        assert theory.value(lambda x, bend=bend: bend(best(x)), lesson.REAL, lesson.FAKE) < values[0]


def test_the_table():
    V = lesson.table()
    wanted = [[-0.713, -1.386, -6.372], [-2.713, -1.386, -2.713], [-6.372, -1.386, -0.713]]
    assert torch.allclose(V, torch.tensor(wanted), atol=5e-4)
    x = torch.linspace(430, 570, 20_001, dtype=torch.double)
    D, q = theory.optimal_discriminator(lesson.REAL, lesson.FAKE)(x), Normal(510.0, 5.0).log_prob(x).exp()
    by_sum = torch.trapezoid(lesson.REAL.log_prob(x).exp() * D.log() + q * (-D).log1p(), x)
    assert by_sum.item() == pytest.approx(V[2, 0].item(), abs=2e-3)
    assert V.max(dim=1).values.min() == V.min(dim=0).values.max() == V[1, 1]
    pennies = V[::2, ::2]
    assert pennies.max(dim=1).values.min() > pennies.min(dim=0).values.max() + 5
    row, corners = 0, []  # who leaps to the best answer runs round the corners of the large table, too
    for _ in range(4):
        column = V[row].argmax().item()
        row = V[:, column].argmin().item()
        corners.append((row, column))
    assert corners == [(2, 0), (0, 2), (2, 0), (0, 2)]


def test_pushes_are_weights_times_the_slope_of_the_logit():
    D, x = lesson.stages()[12], torch.linspace(470, 500, 7, dtype=torch.double)
    net = lesson.copy.deepcopy(D).double()
    height, slope = net(x).sigmoid(), (net(x + 0.01) - net(x - 0.01)) / 0.02
    found = lesson.pushes(net, x)
    assert torch.allclose(found["-log D"], (1 - height) * slope, rtol=1e-3)
    assert torch.allclose(found["log(1 - D)"], height * slope, rtol=1e-3)
    hill = (net(x + 0.01).sigmoid() - net(x - 0.01).sigmoid()) / 0.02
    assert torch.allclose(found["-log D"], hill / height, rtol=1e-3)
    assert torch.allclose(found["log(1 - D)"], hill / (1 - height), rtol=1e-3)


def test_slopes_of_the_losses():
    D = torch.tensor([0.01, 0.5, 0.99], dtype=torch.double)
    for loss, slope in ((losses.minimax, -D), (losses.non_saturating, D - 1)):
        logits = D.logit().requires_grad_()
        (found,) = torch.autograd.grad(3 * loss.generator(None, logits), logits)
        assert torch.allclose(found, slope)


# -- the pictures ------------------------------------------------------------------------------------------------------


def test_the_sliders_draw_both_losses_on_one_scale():
    for turns, mu in ((0, 475), (200, 475), (12, 495)):
        drawn = lesson.two_pushes(turns, mu)
        assert drawn.startswith("<svg") and drawn.count('class="gl-push"') == 21 and "nan" not in drawn
        ends = re.findall(r'd="M([\d.]+) [\d.]+H([\d.]+)', drawn)[3:]  # after those of the scale
        found = torch.tensor([float(end) - float(begin) for begin, end in ends])
        wanted = lesson.pushes(lesson.stages(mu)[turns], mu + lesson.NINE)
        pushes = torch.cat([wanted["-log D"], wanted["log(1 - D)"]])
        assert torch.allclose(found, 110 * pushes.sign() * pushes.abs().sqrt(), atol=0.11)


def test_rows_of_arrows_are_as_long_as_the_root_of_the_push():
    _, ax = plt.subplots()
    ax.set_xlim(460, 520)
    hill.rows(ax, [470.0, 480.0], [0.25, -0.01], 5, "black")
    assert [(arrow.xy[0] - arrow.xyann[0], arrow.xy[1]) for arrow in ax.texts] == [(7.5, 5), (-1.5, 4)]
    plt.close()


def test_the_race_changes_one_thing_at_a_time():
    one, other = lesson.race(), lesson.race(loss=losses.minimax)
    for a, b in zip(one.discriminator.parameters(), other.discriminator.parameters(), strict=True):
        assert torch.equal(a, b)
    third = lesson.race(optimizer=adam)
    assert type(one.optimizer_g) is torch.optim.SGD and isinstance(third.optimizer_g, torch.optim.Adam)
    assert type(one.optimizer_d) is type(third.optimizer_d) and one.lr_g == third.lr_g == 0.5


# -- the checks of the exercises ---------------------------------------------------------------------------------------


def v(real=lambda d: d.log().mean(), fake=lambda d: (1 - d).log().mean(), sign=1):
    return lambda D, x_real, x_fake: sign * (real(D(x_real)) + fake(D(x_fake)))


VALUE = [
    (v(), "Right"),
    (lambda *a: v()(*a).item(), "Right"),
    (lambda *a: np.float64(v()(*a).item()), "Right"),
    (lambda *a: v()(*a).reshape(1).double(), "Right"),
    (v(sign=-1), "minus V"),
    (v(fake=lambda d: d.log().mean()), "not log D"),
    (v(fake=lambda d: (1 - d.log()).mean()), "not 1 - log D"),
    (v(lambda d: (1 - d).log().mean(), lambda d: d.log().mean()), "changed places"),
    (v(fake=lambda d: 0), "only the real coins count"),
    (v(real=lambda d: 0), "only the fakes count"),
    (v(lambda d: d.log().sum(), lambda d: (1 - d).log().sum()), "take the mean of each"),
    (v(lambda d: d.mean(), lambda d: (1 - d).mean()), "logarithms are missing"),
    (v(lambda d: d.mean().log(), lambda d: (1 - d).mean().log()), "mean of the logs"),
    (lambda D, a, b: torch.cat([D(a), 1 - D(b)]).log().mean(), "each kind of coin"),
    (v(sign=0.5), "half of V"),
    (v(lambda d: d.sigmoid().log().mean(), lambda d: (1 - d.sigmoid()).log().mean()), "a sigmoid too many"),
    (lambda *a: 3.0, "yours is 3.000"),
    (lambda *a: ..., "not answered yet"),
    (lambda *a: None, "not answered yet"),
    (boom, "RuntimeError: boom"),
    (3, "TypeError"),
]


def best(real=lambda r: r, fake=lambda r: 1 - r, then=lambda a, b: a / (a + b)):
    return lambda p, q, r: then(real(r) * p, fake(r) * q)


BEST = [
    (best(), "Right"),
    (lambda *a: best()(*a).numpy(), "Right"),
    (lambda *a: best()(*a).tolist(), "Right"),
    (lambda p, q, r: (p.log() - q.log() + math.log(r / (1 - r))).sigmoid(), "Right"),
    (lambda p, q, r: p / (p + q), "three of four are real"),
    (best(then=lambda a, b: b / (a + b)), "share of fakes"),
    (best(lambda r: 1 - r, lambda r: r), "the other way round"),
    (best(then=lambda a, b: a / b), "on one fake"),
    (lambda p, q, r: r * p / (p + q), "divide by all coins"),
    (lambda p, q, r: r * p, "the real coins alone"),
    (best(fake=lambda r: 1), "you count all of them"),
    (lambda p, q, r: p, "count again"),
    (lambda p, q, r: 0.5, "count again"),
    (lambda p, q, r: ..., "not answered yet"),
    (lambda p, q, r: None, "not answered yet"),
    (boom, "RuntimeError: boom"),
]


def both(a=1.0, b=1.0, swap=False, take=torch.mean, prepare=torch.sigmoid):
    def losses_of(logits):
        p = prepare(logits)
        pair = a * take((1 - p).log()), -b * take(p.log())
        return pair[::-1] if swap else pair

    return losses_of


LOSSES = [
    (lambda a: (-bce(a, torch.zeros_like(a)), bce(a, torch.ones_like(a))), "Right"),
    (lambda a: (-bce(a, torch.zeros_like(a)).reshape(1), bce(a, torch.ones_like(a)).reshape(1)), "Right"),
    (lambda a: np.array([-bce(a, torch.zeros_like(a)).item(), bce(a, torch.ones_like(a)).item()]), "Right"),
    (lambda a: [-bce(a, torch.zeros_like(a)).item(), bce(a, torch.ones_like(a)).item()], "Right"),
    (lambda a: torch.stack([losses.minimax.generator(None, a), losses.non_saturating.generator(None, a)]), "Right"),
    (both(), "D rounds to 0"),
    (both(swap=True), "changed places"),
    (both(b=-1), "the sign of the second"),
    (both(a=-1), "the sign of the first"),
    (both(a=-1, b=-1), "both signs"),
    (both(take=torch.sum), "you sum"),
    (both(take=lambda x: x), "no mean has been taken"),
    (both(prepare=lambda x: x.sigmoid().sigmoid()), "a sigmoid too many"),
    (lambda a: (0.0, 0.0), "yours: (0.0, 0.0)"),
    (lambda a: (..., ...), "not answered yet"),
    (lambda a: (1.0, None), "not answered yet"),
    (lambda a: None, "not answered yet"),
    (boom, "RuntimeError: boom"),
]
SLOPES = [
    (lambda D: (-D, D - 1), "Right"),
    (lambda D: [(-D).numpy(), (D - 1).numpy()], "Right"),
    (lambda D: torch.stack([-D, D - 1]), "Right"),
    (lambda D: (-1 / (1 - D), -1 / D), "slopes in D"),
    (lambda D: (D - 1, -D), "changed places"),
    (lambda D: (D, 1 - D), "both signs"),
    (lambda D: (-D, 1 - D), "the sign of the second"),
    (lambda D: (D, D - 1), "the sign of the first"),
    (lambda D: (D * (1 - D), D * (1 - D)), "slope of D itself"),
    (lambda D: ((1 - D).log(), -D.log()), "not their slopes"),
    (lambda D: (-1.0, -1.0), "at D = 0.01"),
    (lambda D: (..., ...), "not answered yet"),
    (lambda D: None, "not answered yet"),
    (boom, "RuntimeError: boom"),
]
ANSWERS = told(lesson, {"check_value": VALUE, "check_best": BEST, "check_losses": LOSSES, "check_slopes": SLOPES})


@pytest.mark.parametrize(("check", "answer", "text"), ANSWERS)
def test_each_answer_is_told_what_it_is(check, answer, text, capsys):
    says(check, answer, text, capsys)
