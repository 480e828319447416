"""Lesson 12: what its text says, computed again; and every answer to its exercises is told what it is."""

from pathlib import Path

import nbformat
import pytest
import torch
from answers import boom, in_all_forms, says, spoiling, told
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import norm

from gan_lessons import data, losses, metrics, pretrained, recipes
from gan_lessons.devices import seeded
from gan_lessons.lessons import lsgan as lesson

ROOT = Path(__file__).parents[2]
TEXT = "\n".join(cell.source for cell in nbformat.read(ROOT / "notebooks" / "12_lsgan.ipynb", 4).cells)


# -- what the lesson states of games, played on eight seeds by tests/make/observations.py ------------------------------


def ended(seed, coding, rounds=1500, **settings):
    gan = recipes.gaussian(seed, **{"loss": losses.coded(*coding), "decay": None} | settings)
    for _ in gan.run(rounds):
        pass
    return gan.generator.mu.item(), abs(gan.generator.sigma.item())


def two_codings(seed):
    (_, wide), (_, narrow) = ended(seed, (0, 1, 1)), ended(seed, (-1, 1, 0))
    return abs(wide - 5) < 0.5 and 1.3 < narrow < 2.7, {"0, 1, 1": wide, "-1, 1, 0": narrow}


def better_d(seed):
    _, sigma = ended(seed, (-1, 1, 0), 500, k=5, start=(500.0, 3.0), lr_g=0.02)
    return 1.3 < sigma < 2, {"sigma": sigma}


def c_is_b(seed):
    mu, sigma = ended(seed, (-1, 1, 1))
    return abs(mu - 500) < 1 and abs(sigma - 5) < 0.5, {"mu": mu, "sigma": sigma}


def above_one(seed):
    gan, above = recipes.gaussian(seed, loss=losses.least_squares, decay=None), []
    for _ in range(150):
        for _ in gan.run(10):
            pass
        with torch.no_grad():
            above.append((gan.discriminator(gan.sample(500)) > 1.05).double().mean().item())
    share = sum(above) / len(above)
    return share < 0.01, {"share": share}


def plain_steps(seed):
    moved = {}
    for name in ("minimax", "least_squares", "non_saturating"):
        gan = recipes.gaussian(seed, start=(470.0, 1.0), lr_g=0.5, decay=None, loss=losses.NAMED[name])
        gan.optimizer_g = torch.optim.SGD(gan.generator.parameters(), lr=0.5)
        for _ in range(200):
            gan.discriminator_step()
        for _ in gan.run(300):
            pass
        moved[name] = gan.generator.mu.item() - 470
    a, b, c = moved.values()
    return a < 0.1 and 1 < b < 8 and c > 15, moved


def switched(seed):
    gan, counts = recipes.ring(seed, loss=losses.non_saturating), []
    for loss in (losses.non_saturating, losses.least_squares):
        gan.loss = loss
        for _ in gan.run(1000):
            pass
        with seeded(0):
            counts.append(metrics.modes(gan.sample(4000), data.ring().component_distribution.mean, sd=0.1)[0])
    return counts[1] > counts[0], {"before": counts[0], "after": counts[1]}


OBSERVATIONS = {
    "in {} of 8 seeds the spread ended within 0.5 of 5 with 0, 1, 1 and between 1.3 and 2.7 with -1, 1, 0": (
        two_codings
    ),
    "in {} of 8 seeds 500 rounds with k = 5, begun at (500, 3), ended at a spread between 1.3 and 2": better_d,
    "in {} of 8 seeds the mean ended within 1 of 500 and the spread within 0.5 of 5": c_is_b,
    "in {} of 8 seeds fewer than 1 in 100 fakes stood higher than 1.05": above_one,
    "in {} of 8 seeds the mean moved by less than 0.1 under log(1 - D), by 1 to 8 under least squares, and by more "
    "than 15 under -log D": plain_steps,
    "in {} of 8 seeds more modes were found 1,000 rounds after the switch than before it": switched,
}


# -- formulas and numbers of the text --------------------------------------------------------------------------------


def p(x):
    return norm.pdf(x, 500, 5)


def criterion(sigma, mu=500.0):
    def height(x):
        q = norm.pdf(x, mu, sigma)
        return (p(x) - q) ** 2 / (p(x) + q) / 2 if p(x) + q > 0 else 0.0

    return quad(height, 420, 580, points=[480, 490, 500, 510, 520], limit=400)[0]


def height_of_step(sigma, held, coding):
    """G's loss at N(500, sigma^2) under the D that is the best against N(500, held^2)."""
    a, b, c = coding

    def height(x):
        q = norm.pdf(x, 500, held)
        D = (b * p(x) + a * q) / (p(x) + q) if p(x) + q > 0 else b
        return norm.pdf(x, 500, sigma) * (D - c) ** 2 / 2

    return quad(height, 420, 580, points=[480, 490, 500, 510, 520], limit=400)[0]


def slope(f, at, step=1e-3):
    return (f(at + step) - f(at - step)) / (2 * step)


@pytest.mark.parametrize("sigma", [1.3, 3.0, 7.0])
def test_pushes_on_sigma_are_differences_of_integrals(sigma):
    assert lesson.push_of_criterion(sigma) == pytest.approx(-slope(criterion, sigma), abs=2e-5)
    for coding in lesson.CODINGS.values():
        expected = -slope(lambda s, coding=coding: height_of_step(s, sigma, coding), sigma)
        assert lesson.push_of_step(sigma, coding) == pytest.approx(expected, abs=2e-5)


def test_the_numbers_of_pushes():
    found = lesson.push_of_criterion(3.0), lesson.push_of_step(3.0, (0, 1, 1)), lesson.push_of_step(3.0, (-1, 1, 0))
    assert [f"{one:+.3f}" for one in found] == ["+0.106", "+0.020", "-0.012"]
    assert all(f"{number} " in TEXT or number in TEXT for number in ("+0.106", "+0.020", "-0.012"))
    rest = brentq(lambda s: lesson.push_of_step(s, (-1, 1, 0)), 1.2, 3)
    assert f"{rest:.1f}" == "1.7" and "below 0 from σ = 1.7 up to 5" in TEXT
    sigmas = torch.linspace(1.75, 4.95, 40).tolist()
    assert all(lesson.push_of_step(s, (-1, 1, 0)) < 0 < lesson.push_of_criterion(s) for s in sigmas)
    assert all(lesson.push_of_step(s, (0, 1, 1)) > 0 for s in sigmas)


def test_the_landscape_of_0_1_1_is_lowest_at_the_data():
    """The fold: its slope is G's step, and it is at least its value at p_g = p_data."""

    def h(u):
        return (u - 2 * torch.log1p(u) - 1 / (1 + u)) / 2

    def landscape(sigma):
        x = torch.linspace(440, 560, 24_001, dtype=torch.double)
        u = torch.tensor(norm.pdf(x, 500, sigma) / p(x))
        return torch.trapezoid(torch.tensor(p(x)) * h(u), x).item()

    for sigma in (2.0, 3.0, 4.9):
        assert -slope(landscape, sigma) == pytest.approx(lesson.push_of_step(sigma, (0, 1, 1)), abs=2e-5)
        assert landscape(sigma) > landscape(5.0)
    u = torch.linspace(0.01, 20, 2000, dtype=torch.double)
    assert (h(u).diff().diff() > 0).all()
    bent = ((1 - u) / (1 + u)) ** 2 / 2  # with -1, 1, 0: falls up to 1, then grows
    assert (bent[u < 1].diff() < 0).all() and (bent[u > 1].diff() > 0).all()


def test_pushes_are_factors_times_slopes():
    x = torch.tensor([455.0, 480.0, 490.0, 500.0, 530.0])
    D, line = (4 * lesson.output(x) - 2).sigmoid(), lesson.output(x)
    found = lesson.pushes(x, c=0.5)
    assert torch.allclose(found["log(1 - D)"], D * 0.2) and torch.allclose(found["-log D"], (1 - D) * 0.2, atol=1e-6)
    assert torch.allclose(found["least squares"], (0.5 - line) * 0.05, atol=1e-6)
    assert lesson.pushes(x)["least squares"][3].abs() < 1e-6  # at 500 the line has the height 1
    for place in (450, 500, 540):
        picture = lesson.three_pushes(place, 0.5)
        assert (
            picture.startswith("<svg")
            and f"{lesson.pushes(torch.tensor([float(place)]))['-log D'].item():+.3f}" in picture
        )


def test_the_printed_pushes_refute_that_there_is_no_update():
    logits = torch.tensor([-8.0, 0.0, 8.0], requires_grad=True)
    rows = [
        -3 * torch.autograd.grad(one.generator(None, logits), logits)[0]
        for one in (losses.minimax, losses.non_saturating)
    ]
    assert [f"{row[2]:.4f}" for row in rows] == ["0.9997", "0.0003"] and "0.9997 and 0.0003" in TEXT


def test_the_best_output_is_best():
    """Against many other answers, at one place after another, under squared distances in an integral."""
    x, p_g = torch.tensor([480.0, 493.0, 507.0]), torch.distributions.Normal(490.0, 5.0)
    at, q = torch.tensor(p(x.numpy())), p_g.log_prob(x).exp()
    answers = torch.linspace(-1.5, 1.5, 3001)[:, None]
    cost = at * (answers - 1) ** 2 + q * (answers + 1) ** 2
    assert torch.allclose(lesson.best_output(x, p_g, -1, 1), answers[cost.argmin(dim=0)][:, 0], atol=1e-3)


# -- numbers from records ----------------------------------------------------------------------------------------------


def said(on, name):
    """The Fréchet distances of all seeds, as the text lists them."""
    rows = data.saved_record("lsgan")["rows"][on][name]
    values = [f"{round(one['frechet']):,}" for _, one in sorted(rows.items())]
    return " and ".join([*filter(None, [", ".join(values[:-1])]), values[-1]])


def test_what_is_said_of_the_ring():
    all_found = {name: sum(modes == 8 for modes, _ in seeds) for name, seeds in lesson.on_ring().items()}
    assert {len(lesson.on_ring()[name]) for name in lesson.KNOWN} == {20}
    ring = [all_found[name] for name in ("least_squares", "minimax", "non_saturating")]
    assert "{} found all eight, with log(1 - D) {}, and with -log D {}.".format(*ring) in TEXT
    bare = [name for name in lesson.KNOWN if "R1" not in name]
    assert max(bare, key=lambda name: all_found[name]) == "least_squares"
    *modes, last = (str(found) for found, _ in lesson.on_ring()["coded(-1, 1, 0)"])
    assert f"({1 + len(modes)} seeds found {', '.join(modes)} and {last} of the eight bumps)" in TEXT
    played = data.saved_record("observations")["lsgan"]
    (switch,) = (row["seeds"].values() for sentence, row in played.items() if "after the switch" in sentence)
    before, after = ({one[when] for one in switch} for when in ("before", "after"))
    assert before == {0, 1} and (min(after), max(after)) == (1, 6)
    assert "0 or 1 bumps were found" in TEXT and "1 to 6 were found" in TEXT


QUOTED = [
    *("digits least_squares", "digits non_saturating", "digits coded(-1, 1, 0)"),
    *("faces least_squares", "faces minimax", "faces minimax, R1", "faces non_saturating", "faces non_saturating, R1"),
    *("faces least_squares, R1", "faces relativistic, R1, R2", "faces coded(-1, 1, 0), R1"),
]


@pytest.mark.parametrize("quoted", QUOTED)
def test_what_is_said_of_digits_and_faces(quoted):
    assert said(*quoted.split(" ", 1)) in TEXT


def test_who_is_best_and_worst():
    rows = data.saved_record("lsgan")["rows"]
    mean = {
        on: {
            name: sum(one["frechet"] for one in rows[on][name].values()) / len(rows[on][name]) for name in lesson.NAMES
        }
        for on in ("digits", "faces")
    }
    bare = [name for name in lesson.NAMES if "R1" not in name]
    assert min(bare, key=mean["digits"].get) == "least_squares" == max(bare, key=mean["faces"].get)
    assert max(lesson.NAMES, key=mean["digits"].get) == "coded(-1, 1, 0)"
    assert min(bare, key=mean["faces"].get) != "least_squares"
    coded, usual = (
        sorted(round(one["frechet"]) for one in rows["faces"][name].values())
        for name in ("coded(-1, 1, 0)", "non_saturating")
    )
    assert "({:,}, {:,} and {:,}, where -log D has {:,}, {:,} and {:,})".format(*coded, *usual) in TEXT
    worst = {name: max(one["frechet"] for one in rows["faces"][name].values()) for name in lesson.NAMES}
    assert {*sorted(lesson.NAMES, key=worst.get)[:2]} == {"minimax, R1", "non_saturating, R1"}
    least = {name: min(one["frechet"] for one in rows["faces"][name].values()) for name in lesson.NAMES}
    assert min(least, key=least.get) == "least_squares, R1" and max(worst, key=worst.get) == "coded(-1, 1, 0), R1"


def test_what_is_said_of_faces_lsgan():
    ship = data.saved_record("lsgan")["ship"]
    assert f"Fréchet distance of {ship['5.0']['frechet']:.0f}" in TEXT
    loss = ship["5.0"]["curves"]["loss_g"][1]
    assert (
        f"the mean of G's loss in the second epoch was {loss:.1f}" in TEXT
        and f"the root of the mean square is {(2 * loss) ** 0.5:.0f}" in TEXT
    )
    ours, theirs = (pretrained.card(name)["metrics"]["averaged"] for name in ("faces_lsgan", "faces_dcgan"))
    assert f"{ours['frechet']:.0f}, against {theirs['frechet']:.0f}" in TEXT and ours["kinds"] == 16
    assert all(abs(ours[name] - share) < 0.02 for name, share in zip(data.ATTRIBUTES, data.SHARES, strict=True))
    trainer = recipes.faces_lsgan(data=data.faces(64), device="cpu")
    assert (trainer.r1, trainer.steps, trainer.loss) == (20, 8 * 312, losses.least_squares)


# -- the checks of the exercises ---------------------------------------------------------------------------------------


def both(out_real, out_fake, a, b, c):
    return ((out_real - b) ** 2).mean() / 2 + ((out_fake - a) ** 2).mean() / 2, ((out_fake - c) ** 2).mean() / 2


def formed(form):
    return lambda *given: tuple(form(torch.as_tensor(one)) for one in both(*given))


LOSSES = [
    (both, "Right"),
    (lambda *given: list(both(*given)), "Right"),
    (formed(float), "Right"),
    (formed(lambda one: one.reshape(1)), "Right"),
    (formed(lambda one: one.numpy()), "Right"),
    (lambda r, f, a, b, c: both(r, f, b, a, c), "the other way round"),
    (lambda *given: tuple(2 * one for one in both(*given)), "halves are missing"),
    (lambda *given: (both(*given)[0], 2 * both(*given)[1]), "G's is halved, too"),
    (lambda *given: (2 * both(*given)[0], both(*given)[1]), "are each halved"),
    (lambda *given: both(*given)[::-1], "return D's, then G's"),
    (lambda r, f, a, b, c: both(r, f, a, b, b), "G wants c"),
    (lambda r, f, a, b, c: (both(r, f, a, b, c)[0], both(r, r, a, b, c)[1]), "about its fakes"),
    (lambda r, f, a, b, c: (((r - b) ** 2).mean() / 2, both(r, f, a, b, c)[1]), "lacks the fakes"),
    (lambda r, f, a, b, c: (((f - a) ** 2).mean() / 2, both(r, f, a, b, c)[1]), "lacks the data"),
    (lambda r, f, a, b, c: both(r.sigmoid(), f.sigmoid(), a, b, c), "a sigmoid too many"),
    (lambda *given: tuple(3 * one for one in both(*given)), "take the mean of each kind"),
    (lambda *given: tuple(one + 1 for one in both(*given)), "yours:"),
    (lambda *given: both(*given)[0], "return two numbers"),
    (lambda *given: (..., ...), "not answered yet"),
    (boom, "RuntimeError: boom"),
    (3, "hand over the function itself"),
]


def best(p_data, p_g, a, b, real):
    return (b * real * p_data + a * (1 - real) * p_g) / (real * p_data + (1 - real) * p_g)


BEST = [
    *in_all_forms(best),
    (lambda p, q, a, b, r: best(p, q, b, a, r), "the other way round"),
    (lambda p, q, a, b, r: best(p, q, a, b, 0.5), "as many fakes as real coins"),
    (lambda p, q, a, b, r: best(p, q, a, b, 1 - r), "share of fakes is 1 - real"),
    (lambda p, q, a, b, r: best(p, q, 0, 1, r), "this is the share"),
    (lambda p, q, a, b, r: b * r * p + a * (1 - r) * q, "divide by all coins"),
    (lambda p, q, a, b, r: (b * r * p + a * (1 - r) * q) / (p + q), "you divide by p_data + p_g"),
    (lambda p, q, a, b, r: best(p, q, 0, b, r), "fakes are missing"),
    (lambda p, q, a, b, r: p, "1.4"),
    (spoiling(best), "1.4"),
    (lambda p, q, a, b, r: ..., "not answered yet"),
    (boom, "RuntimeError: boom"),
    (3, "hand over the function itself"),
]


def push(D, z, mu, sigma, c):
    at = torch.tensor(sigma, requires_grad=True)
    return -torch.autograd.grad(((D(mu + at * z) - c) ** 2).mean() / 2, at)[0]


def by_pushes(D, z, mu, sigma, c):
    """The mean of z times the pushes."""
    x = (mu + sigma * z).requires_grad_()
    (slope,) = torch.autograd.grad(D(x).sum(), x)
    return (z * (c - D(x)) * slope).mean()


def on_mu(D, z, mu, sigma, c):
    x = (mu + sigma * z).requires_grad_()
    (slope,) = torch.autograd.grad(D(x).sum(), x)
    return ((c - D(x)) * slope).mean()


PUSH = [
    *in_all_forms(push),
    (by_pushes, "Right"),
    (lambda *given: -push(*given), "minus the slope"),
    (lambda *given: 2 * push(*given), "half in G's loss"),
    (lambda *given: 5 * push(*given), "take the mean"),
    (on_mu, "push on mu"),
    (lambda D, z, mu, sigma, c: push(D, z, mu, sigma, 0.0), "G wants the height c."),
    (lambda D, z, mu, sigma, c: push(D, z, mu, sigma, 1.0), "not 1"),
    (lambda *given: 1.0, "yours: 1.0000"),
    (lambda *given: torch.ones(3), "one number is wanted"),
    (lambda *given: ..., "not answered yet"),
    (boom, "RuntimeError: boom"),
    (3, "hand over the function itself"),
]
ANSWERS = told(lesson, {"check_losses": LOSSES, "check_best": BEST, "check_push": PUSH})


@pytest.mark.parametrize(("check", "answer", "text"), ANSWERS)
def test_each_answer_is_told_what_it_is(check, answer, text, capsys):
    says(check, answer, text, capsys)


def test_under_the_best_d_both_saturate_alike():
    """Far left of N(480, 5^2) and N(500, 5^2): D* times the slope of its logit, and (1 - D*) times its own."""
    x = torch.tensor([470.0, 475.0], dtype=torch.double, requires_grad=True)
    logit = torch.distributions.Normal(500.0, 5.0).log_prob(x) - torch.distributions.Normal(480.0, 5.0).log_prob(x)
    D = logit.sigmoid()
    (of_logit,) = torch.autograd.grad(logit.sum(), x, retain_graph=True)
    (of_D,) = torch.autograd.grad(D.sum(), x)
    assert torch.allclose(D * of_logit, (1 - D) * of_D, rtol=1e-3)
