import importlib.util
import math
from pathlib import Path

import pytest
import torch
from answers import boom, in_all_forms, says, spoiling, told
from torch.distributions import Normal
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from gan_lessons import data, losses, metrics, models, recipes, seen, theory, training
from gan_lessons.lessons import mode_collapse as lesson
from gan_lessons.optimizers import adam

LOG_4 = math.log(4)

# -- what the lesson states of its games, played on eight seeds by tests/make/observations.py --------------------------


def nearest(gan, n=500):
    """The share of the fakes that are nearest to each bump, (bumps,), and the share of good ones."""
    bumps = gan.data.component_distribution
    x = seen.made(gan, seen.noise(gan, n)).reshape(n, -1)
    distance, which = torch.cdist(x, bumps.mean.reshape(len(bumps.mean), -1)).min(dim=1)
    good = distance <= 3 * bumps.stddev.max()
    return which.bincount(minlength=len(bumps.mean)) / n, good.double().mean().item()


def goes_round(seed):
    """Looks at every tenth round from 100 to 600: are at least 90% of the fakes nearest to one bump, and which?"""
    gan, places, alike = recipes.ring(seed, lr_g=0.003), set(), []
    for i, _ in enumerate(gan.run(600), start=1):
        if i >= 100 and i % 10 == 0:
            shares, _ = nearest(gan)
            alike.append(shares.max().item() >= 0.9)
            places |= {shares.argmax().item()} if alike[-1] else set()
    share = sum(alike) / len(alike)
    return share > 1 / 2 and len(places) >= 5, {"share of moments": share, "bumps visited": len(places)}


def pushed_alike(seed):
    """Looks at the collapsed moments among these: how many of the pushes are within 45 degrees of their mean?"""
    gan, alike = recipes.ring(seed, lr_g=0.003), []
    for i, _ in enumerate(gan.run(600), start=1):
        if i >= 100 and i % 10 == 0 and nearest(gan)[0].max() >= 0.9:
            way = torch.nn.functional.normalize(seen.push(gan, seen.made(gan, seen.noise(gan, 200))), dim=1)
            same = way @ torch.nn.functional.normalize(way.mean(dim=0), dim=0) > math.sqrt(0.5)
            alike.append(same.double().mean().item() >= 0.9)
    return sum(alike) / len(alike) >= 2 / 3, {"share of collapsed moments": sum(alike) / len(alike)}


def calm_losses(seed):
    """Looks at every 25th round up to 1,500."""
    gan, recent, collapsed, calm = recipes.three_bumps(seed), [], 0, 0
    for i, record in enumerate(gan.run(1500), start=1):
        recent.append(record.loss_d.item())
        if i >= 100 and i % 25 == 0:
            shares, good = nearest(gan)
            if shares.max() >= 0.9 and good >= 0.95:
                collapsed += 1
                calm += abs(sum(recent[-100:]) / 100 - LOG_4) < 0.1
    return calm > 0, {"collapsed moments": collapsed, "with calm losses": calm}


def opens(seed):
    gan = recipes.ring(seed, lr_g=0.003)
    for _ in gan.run(500):
        pass
    gan.lr_d, found = 0.01, []
    for i, _ in enumerate(gan.run(700), start=1):
        if i > 500 and i % 20 == 0:
            found.append(seen.modes(gan)["modes found"])
    return sum(found) / len(found) >= 4, {"modes found, mean of the last 200 rounds": sum(found) / len(found)}


def stays(seed):
    gan = recipes.ring(seed, lr_g=0.003)
    for _ in gan.run(500):
        pass
    gan.r1, gan.r2, found = 0.5, 0.5, []
    for i, _ in enumerate(gan.run(700), start=1):
        if i > 500 and i % 20 == 0:
            found.append(seen.modes(gan)["modes found"])
    return sum(found) / len(found) < 2, {"modes found, mean of the last 200 rounds": sum(found) / len(found)}


OBSERVATIONS = {
    "in {} of 8 seeds more than half of the moments we looked at in the first 600 rounds were a collapse, and at least "
    "five of the eight bumps had their turn": goes_round,
    "in {} of 8 seeds, at two or all of three moments of collapse, 90% of the arrows pointed within 45 degrees of "
    "their mean": pushed_alike,
    "{} of 8 seeds had such moments": calm_losses,
    "in {} of 8 seeds more than half of the bumps were found": opens,
    "in {} of 8 seeds fewer than two bumps were found": stays,
}


# -- the formulas, each computed another way ---------------------------------------------------------------------------


@pytest.mark.parametrize("w", [0.6, 0.36, 0.2, 0.9])
def test_c_of_a_missed_mode(w):
    C = w * math.log(w) - (1 + w) * math.log(1 + w)
    assert lesson.best_value(torch.tensor([1 - w, w]), torch.tensor([0.0, 1.0])).item() == pytest.approx(C, abs=1e-6)
    humps = data.bumps(means=(460.0, 500.0), sds=(2.0, 2.0), weights=(1 - w, w))
    x = torch.linspace(440, 520, 8001, dtype=torch.double)
    assert theory.criterion(humps, Normal(500.0, 2.0), x) == pytest.approx(C, abs=1e-3)  # as an integral


def test_the_numbers_of_the_missed_modes():
    x = torch.linspace(460, 540, 8001, dtype=torch.double)
    assert theory.criterion(lesson.BUMPS, lesson.MIDDLE, x) == pytest.approx(-1.059, abs=1e-3)
    assert lesson.side_share(0.0) == pytest.approx(-1.059, abs=5e-4)
    shares = [i / 100 for i in range(41)]
    assert min(shares, key=lesson.side_share) == 0.2 and lesson.side_share(0.2) == pytest.approx(-LOG_4)
    best = theory.optimal_discriminator(lesson.BUMPS, lesson.MIDDLE)
    at = best(torch.tensor([485.0, 496.0, 500.0, 504.0])).tolist()
    assert at == [pytest.approx(1, abs=1e-6), *[pytest.approx(3 / 8, abs=1e-3)] * 3]


def test_the_spike_stands_in_a_valley():
    best = theory.optimal_discriminator(lesson.BUMPS, Normal(500.0, 0.7))
    at = best(torch.tensor([498.0, 499.0, 500.0, 501.0, 502.0])).tolist()
    assert at == [pytest.approx(height, abs=0.005) for height in (0.88, 0.34, 0.17, 0.34, 0.88)]
    made = -lesson.best_value(lesson.SHARES, torch.tensor([0.0, 1.0, 0.0])).item()
    packed = -lesson.best_value(torch.tensor([0.64, 0.36]), torch.tensor([0.0, 1.0])).item()
    assert (LOG_4 - made, LOG_4 - packed) == (pytest.approx(0.327, abs=1e-3), pytest.approx(0.600, abs=1e-3))
    one_in_ten = lesson.best_value(torch.tensor([0.1, 0.9]), torch.tensor([1.0, 0.0])).item()
    assert one_in_ten == pytest.approx(-0.335, abs=5e-4)


def test_the_plateau_has_no_push():
    x = (500 + 2 * seen.quantiles(Normal(0.0, 1.0), 9).double()).requires_grad_()
    odds = theory.log_odds(lesson.BUMPS, lesson.MIDDLE)(x)
    (slope,) = torch.autograd.grad(odds.sum(), x)
    assert ((1 - odds.sigmoid()) * slope).abs().max() < 1e-6


def test_the_numbers_of_packs():
    real, fake = 0.6 * 0.6, 1.0
    assert real / (real + fake) == pytest.approx(0.265, abs=5e-4)
    assert sum(w * w for w in (0.2, 0.6, 0.2)) == pytest.approx(0.44)
    assert real * math.log(real) - (1 + real) * math.log(1 + real) == pytest.approx(-0.786, abs=5e-4)


def test_nearest_agrees_with_metrics_modes():
    gan = recipes.three_bumps(1, lr_d=0.005)
    training.stack(gan.run(200))
    x, centres = seen.made(gan, seen.noise(gan, 2000)), gan.data.component_distribution.mean
    shares, good = lesson.nearest(gan, 2000)
    assert shares.sum().item() == pytest.approx(1) and good == pytest.approx(metrics.modes(x, centres, 2.0)[1])


def test_where_losses_rest():
    half, pair = losses.non_saturating.at_equilibrium, losses.relativistic.at_equilibrium
    assert half == (pytest.approx(1.386, abs=5e-4), pytest.approx(0.693, abs=5e-4))
    assert pair == (pytest.approx(0.693, abs=5e-4),) * 2


# -- the lesson's own games --------------------------------------------------------------------------------------------


COUNTS = {  # moments, of 40 from round 1,050 on, at which all three bumps were found
    "as it is": 18,
    "faster D": 40,
    "packs of two": 40,
    "packs, faster D": 40,
    "R1": 36,
    "R1 and R2": 40,
}


def cure_hills():
    path = Path(__file__).parents[1] / "make" / "cure_hills.py"
    spec = importlib.util.spec_from_file_location("cure_hills", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_record_of_cures():
    made, games = cure_hills(), data.saved_record("cure_hills")["games"]
    assert list(games) == list(lesson.CURES)
    assert all(len(one["course"]) == made.ROUNDS // made.EVERY for one in games.values())
    late = {name: one["course"][20:] for name, one in games.items()}
    assert {name: sum(min(row) >= 0.01 for row in rows) for name, rows in late.items()} == COUNTS
    ends = {name: [sum(bump) / 20 for bump in zip(*one["course"][40:], strict=True)] for name, one in games.items()}
    assert ends["faster D"][2] == pytest.approx(0.06, abs=0.005)
    for name, calm in (("R1", 2200), ("R1 and R2", 1300)):  # from here on the middle bump has 50 to 60% of the fakes
        middle = [row[1] for row in games[name]["course"]]
        assert all(0.5 < share < 0.65 for share in middle[calm // made.EVERY :])
        assert ends[name] == [pytest.approx(share, abs=0.06) for share in (0.2, 0.6, 0.2)]
    again = made.course(made.made("faster D"), 100)
    assert torch.allclose(torch.tensor(again), torch.tensor(games["faster D"]["course"][:2]), atol=0.02)


def test_found_is_not_won():
    even = torch.linspace(479, 521, 4201)
    near = (even[:, None] - lesson.BUMPS.component_distribution.mean).abs().min(dim=1).values <= 6
    assert near.double().mean().item() == pytest.approx(0.86, abs=0.005)
    record = data.saved_record("cure_hills")
    x, one = torch.tensor(record["x"]).double(), record["games"]["R1"]
    assert sum(one["course"][-1]) == pytest.approx(0.95, abs=0.005) and abs(torch.tensor(one["D"]) - 0.5).max() < 0.02
    p, q = lesson.BUMPS.log_prob(x).exp(), torch.tensor(one["p_g"]).double()
    assert torch.trapezoid(q, x).item() == pytest.approx(1, abs=0.01)  # the curve that is drawn has all of the spike
    C = torch.trapezoid(torch.xlogy(p, p) + torch.xlogy(q, q) - torch.xlogy(p + q, p + q), x)
    assert -C.item() == pytest.approx(1.2, abs=0.05)


@pytest.mark.slow
def test_a_d_that_is_nearly_the_best_keeps_the_fakes_on_the_plateau():
    """Some 15 s, twenty turns of D a round: what the theory says of the best D, seen in a game."""
    gan = recipes.three_bumps(2, lr_d=0.005, k=20)
    for i, _ in enumerate(gan.run(500), start=1):
        if i % 100 == 0:
            shares, good = nearest(gan, 1000)
            assert shares.tolist() == [0, 1, 0] and good > 0.98
    assert sum(lesson.alone(gan, 400)[-50:]) / 50 == pytest.approx(1.059, abs=0.03)


def test_the_twenty_seeds_in_the_text():
    record = data.saved_record("collapse_20_seeds")

    def found(recipe, *names):
        rows = [record["rows"][f"{recipe}({lesson.ROWS[name].format(lesson.GAMMA[recipe])})"] for name in names]
        return [sum(line[1] == record["modes"][recipe] for line in row) for row in rows]

    plain, losses_alone, changed = list(lesson.ROWS)[:1], list(lesson.ROWS)[1:5], list(lesson.ROWS)[5:]
    assert found("three_bumps", *plain) == [13] and found("ring", *plain) == [7]
    assert found("three_bumps", *losses_alone) == [9, 10, 12, 8] and found("ring", *losses_alone) == [17, 19, 11, 9]
    assert found("three_bumps", *changed) == [18, 20, 20, 19, 20, 20]
    assert found("ring", *changed) == [18, 18, 20, 17, 20, 20]
    assert record["rows"]["three_bumps()"][2][:2] == [2, 1]  # seed 2 found one
    assert 0.45 < sum(line[2] for line in record["rows"]["ring(pack=2)"]) / 20 < 0.55


def test_the_kinds_of_faces_in_the_text():
    """What is said of the record of three games, each share of which is counted of 1,000 fakes."""
    rows = data.saved_record("faces_kinds")["rows"]
    recipe, fast, without = dict.fromkeys(row["game"] for row in rows)
    games = {
        name: {row["seed"]: row["shares"] for row in rows if row["game"] == name} for name in (recipe, fast, without)
    }
    assert [len(seeds) for seeds in games.values()] == [5, 3, 3]

    def missed(name, seed):
        return [int(at) for at, shares in games[name][seed].items() if int(at) >= 100 and min(shares[:3]) < 0.01]

    assert [missed(name, seed) for name in (recipe, fast) for seed in games[name]] == [[]] * 8
    assert [missed(without, seed) for seed in (0, 1, 2)] == [[100, 150, 200, 250, 300, 350, 450], [100, 200], []]
    moments = [
        shares for name in (recipe, fast) for one in games[name].values() for at, shares in one.items() if at != "10"
    ]
    assert max(map(max, moments)) < 0.9
    assert all(games[without][0][at][0] > 0.99 for at in ("50", "100")) and min(games[without][0]["400"][:3]) > 0.01
    assert [f"{share:.0%}" for share in games[recipe][0]["600"]] == ["17%", "56%", "16%", "12%"]


def test_where_faces_begin():
    """How much a pixel differs from fake to fake before the first round, with and without batch norm; and real ones."""
    spread = {True: [], False: []}
    for seed in range(4):
        for batch_norm, found in spread.items():
            torch.manual_seed(seed)
            G = models.DCGANGenerator(32, 128, 64, 32, 3, batch_norm=batch_norm)
            found.append(G(torch.randn(64, 32)).std(dim=0).mean().item())
    assert spread[True] == [pytest.approx(0.32, abs=0.02)] * 4
    assert spread[False] == [pytest.approx(0.017, abs=0.002)] * 4
    real = data.faces(500, shares={(1, 0, 0, 0): 0.2, (0, 1, 0, 1): 0.6, (1, 0, 0, 1): 0.2}).images / 127.5 - 1
    assert real.std(dim=0).mean().item() == pytest.approx(0.29, abs=0.01)


def test_a_fresh_d_tells_a_good_game_from_a_bad_one():
    """The first two games of the lesson, with G put where they end."""
    for place, low, high in (((500.0, 5.0), 1.35, 1.42), ((480.0, 1.0), 0.0, 0.05)):
        gan = recipes.gaussian(0, start=place)
        last = lesson.alone(gan, 300)[-50:]
        assert low < sum(last) / 50 < high


# -- the checks of the exercises ---------------------------------------------------------------------------------------


def modes_found(x, centres, sd, far=3.0, least=0.01, of_all=True):
    distance, which = (x[:, None] - centres).abs().min(dim=1)
    good = distance <= far * sd
    whole = len(x) if of_all else good.sum()
    return sum((((which == i) & good).sum() / whole >= least).item() for i in range(len(centres)))


MODES = [
    (modes_found, "Right"),
    (lambda *a: float(modes_found(*a)), "Right"),
    (lambda *a: torch.tensor(modes_found(*a)), "Right"),
    (lambda x, c, sd: metrics.modes(x, c, sd)[0], "Right"),
    (lambda x, c, sd: metrics.modes(x, c, sd), "the number of bumps alone"),
    (lambda *a: modes_found(*a, far=1000.0), "far from it"),
    (lambda *a: modes_found(*a, least=1e-9), "one fake is not enough"),
    (lambda *a: modes_found(*a, of_all=False), "not 1% of the good ones"),
    (lambda *a: modes_found(*a) / 5, "a number of bumps"),
    (lambda *a: modes_found(*a) + 4, "it should be"),
    (boom, "raised RuntimeError"),
    (3, "hand over the function"),
]


def value(p, q):
    return (torch.xlogy(p, p) + torch.xlogy(q, q) - torch.xlogy(p + q, p + q)).sum()


def of_the_cell(p, q):
    D_star = p / (p + q)
    return torch.xlogy(p, D_star).sum() + torch.xlogy(q, 1 - D_star).sum()


def where_made(p, q):
    made = p + q > 0
    return of_the_cell(p[made], q[made])


def real_part(p, q):
    return torch.xlogy(p, p / (p + q).clamp(min=1e-9)).sum()


VALUE = [
    *in_all_forms(value),
    (spoiling(value), "it should be"),
    (lambda p, q: (p * (p / (p + q)).log()).sum() + (q * (q / (p + q)).log()).sum(), "0 * log(0)"),
    (lambda p, q: -value(p, q), "the sign"),
    (lambda p, q: value(p, q) / math.log(2), "in bits"),
    (lambda p, q: (value(p, q) + LOG_4) / 2, "this is the JSD"),
    (where_made, "Right"),
    (of_the_cell, "a kind that nobody makes"),
    (real_part, "part of the fakes is missing"),
    (lambda p, q: real_part(q, p), "part of the real coins is missing"),
    (lambda p, q: -LOG_4, "lazy D"),
    (lambda p, q: value(p, q) / 5, "add up"),
    (lambda p, q: torch.xlogy(p, p), "the sum over all kinds"),
    (lambda p, q: value(p, q) + 1, "it should be"),
    (boom, "raised RuntimeError"),
]


def fresh_loss(G, D, turns=300, moves=None, factor=1.0, detach=True):
    weights = [*D.parameters(), *(G.parameters() if moves else [])]
    adam_d, found = adam(weights, lr=0.01), []
    for _ in range(turns):
        x_real, x_fake = data.gaussian().sample((128,)), G(torch.randn(128))
        x_fake = x_fake if moves else x_fake.detach()
        loss = bce(D(x_real), torch.ones(128)) + bce(D(x_fake), torch.zeros(128))
        adam_d.zero_grad()
        loss.backward()
        adam_d.step()
        found.append(factor * loss.item())
    return sum(found[-50:]) / 50


def untrained(G, D):
    return bce(D(data.gaussian().sample((128,))), torch.ones(128)).item() * 2


FRESH = [
    (fresh_loss, "Right. If G is right"),
    (lambda G, D: torch.tensor(fresh_loss(G, D)), "Right. If G is right"),
    (lambda G, D: fresh_loss(G, D, factor=0.5), "do not halve"),
    (lambda G, D: fresh_loss(G, D, factor=-1.0), "above 0"),
    (lambda G, D: fresh_loss(G, D, moves=True), "G has moved"),
    (untrained, "D has not moved"),
    (lambda G, D: fresh_loss(G, D, turns=50), "Not yet"),
    (boom, "raised RuntimeError"),
    (1.386, "hand over the function"),
]

ALL = {"check_modes_found": MODES, "check_best_v": VALUE, "check_fresh_loss": FRESH}


@pytest.mark.parametrize(("check", "answer", "text"), told(lesson, ALL))
def test_checks(check, answer, text, capsys):
    says(check, answer, text, capsys)


def test_why_it_breathes():
    """While the fakes spread the hill is lowest in the middle, and highest there while they run together."""
    gan, x = recipes.three_bumps(2), torch.tensor([475.0, 485.0, 500.0, 515.0, 525.0])
    for i, _ in enumerate(gan.run(280), start=1):
        if i in (160, 280):
            D = seen.curves(gan, x).D.tolist()
            assert D[2] == (min(D) if i == 160 else max(D))


@pytest.mark.slow
def test_the_game_of_the_buttons_breathes():
    """Some 7 s: the spread of the fakes in the game that the lesson shows, round by round."""
    gan, spreads = recipes.three_bumps(2), []
    for i, _ in enumerate(gan.run(1500), start=1):
        if i > 1000 and i % 10 == 0:
            spreads.append(seen.made(gan, seen.noise(gan, 500)).std().item())
    assert min(spreads) < 1 and max(spreads) > 10
