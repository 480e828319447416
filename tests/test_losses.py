import math

import pytest
import torch
from scipy.optimize import minimize, minimize_scalar
from torch.nn.functional import binary_cross_entropy_with_logits as bce
from torch.nn.functional import mse_loss as mse

from gan_lessons import losses

CODED = losses.coded(-1, 1, 0), losses.coded(0.5, -2, -0.5)
OTHERS = [*map(losses.smoothed, (0.9, 0.7)), *map(losses.top_k, (0.5, 0.3)), *CODED]
LOSSES = losses.NAMED | {loss.name: loss for loss in OTHERS}


@pytest.fixture
def logits():
    generator = torch.Generator().manual_seed(0)
    return 3 * torch.randn(2, 64, generator=generator, dtype=torch.double)


@pytest.mark.parametrize("shape", [(64,), (64, 1)])
def test_discriminator_loss_is_cross_entropy(logits, shape):
    real, fake = (row.reshape(shape) for row in logits)
    expected = bce(real, torch.ones(shape).double()) + bce(fake, torch.zeros(shape).double())
    assert torch.isclose(losses.discriminator_loss(real, fake), expected)
    assert losses.discriminator_loss(real, fake).shape == ()


def test_generator_losses_are_cross_entropy(logits):
    fake = logits[0]
    assert torch.isclose(losses.non_saturating_generator_loss(fake), bce(fake, torch.ones(64).double()))
    assert torch.isclose(losses.saturating_generator_loss(fake), -bce(fake, torch.zeros(64).double()))


@pytest.mark.parametrize("real", [1.0, 0.9, 0.3])
def test_smoothed_is_cross_entropy_with_a_soft_label(logits, real):
    expected = bce(logits[0], torch.full((64,), real).double()) + bce(logits[1], torch.zeros(64).double())
    assert torch.isclose(losses.smoothed(real).discriminator(*logits), expected)
    assert torch.equal(
        losses.smoothed(real).generator(None, logits[1]), losses.non_saturating.generator(None, logits[1])
    )


def test_least_squares_formulas(logits):
    real, fake = logits
    expected = sum((r - 1) ** 2 + f**2 for r, f in zip(real.tolist(), fake.tolist(), strict=True)) / (2 * 64)
    assert losses.least_squares.discriminator(real, fake).item() == pytest.approx(expected)
    expected = sum((f - 1) ** 2 for f in fake.tolist()) / (2 * 64)
    assert losses.least_squares.generator(None, fake).item() == pytest.approx(expected)


@pytest.mark.parametrize(("a", "b", "c"), [(-1, 1, 0), (0, 1, 1), (0.5, -2, -0.5)])
def test_any_coding_is_a_squared_error(logits, a, b, c):
    (real, fake), ones, loss = logits, torch.ones(64).double(), losses.coded(a, b, c)
    expected = (mse(real, b * ones) + mse(fake, a * ones)) / 2
    assert torch.isclose(loss.discriminator(real, fake), expected)
    assert torch.isclose(loss.generator(None, fake), mse(fake, c * ones) / 2)


def test_the_best_d_under_any_coding_is_a_weighted_mean():
    """Over coins of three weights, found by a general optimiser; `probability` brings it back to the share of data."""
    p, q = torch.tensor([0.5, 0.3, 0.2]).double(), torch.tensor([0.1, 0.2, 0.7]).double()
    for loss, a, b in zip(CODED, (-1, 0.5), (1, -2), strict=True):

        def cost(out, loss=loss, a=a, b=b):
            out = torch.from_numpy(out)  # expectations: each weight of coin alone, as often as it comes
            zero = loss.discriminator(torch.tensor([b]).double(), torch.tensor([a]).double())
            assert zero == 0
            return sum(
                (p[i] * loss.discriminator(out[i : i + 1], torch.tensor([a]).double())).item()
                + (q[i] * loss.discriminator(torch.tensor([b]).double(), out[i : i + 1])).item()
                for i in range(3)
            )

        best = torch.from_numpy(minimize(cost, torch.zeros(3).numpy().astype(float), tol=1e-12).x)
        assert torch.allclose(best, (b * p + a * q) / (p + q), atol=1e-5)
        assert torch.allclose(loss.probability(best), p / (p + q), atol=1e-5)


def test_with_the_best_d_the_criterion_is_pearsons():
    """coding -1, 1, 0: D's loss is 1 - chi^2(p + q || 2 q) / 2, and G's with the term of data beside it chi^2 / 2."""
    p, q = torch.tensor([0.5, 0.3, 0.2]).double(), torch.tensor([0.1, 0.2, 0.7]).double()
    out = (p - q) / (p + q)
    loss_d = sum((p[i] * (out[i] - 1) ** 2 + q[i] * (out[i] + 1) ** 2).item() for i in range(3)) / 2
    loss_g = sum(((p[i] + q[i]) * CODED[0].generator(None, out[i : i + 1])).item() for i in range(3))
    pearson = ((2 * q - (p + q)) ** 2 / (p + q)).sum().item()
    assert loss_d == pytest.approx(1 - pearson / 2) and loss_g == pytest.approx(pearson / 2)


def test_codings_have_names_that_make_them_again():
    names = [one.name for one in (*CODED, losses.coded())]
    assert names == ["coded(-1, 1, 0)", "coded(0.5, -2, -0.5)", "coded(0, 1, 1)"]
    assert losses.least_squares.name == "least_squares"
    with pytest.raises(ValueError, match="b: got 1, which is a"):
        losses.coded(1, 1, 0)
    for at, name in enumerate("abc"):
        with pytest.raises(ValueError, match=f"{name}: got nan"):
            losses.coded(*(math.nan if i == at else i for i in range(3)))


def test_relativistic_is_cross_entropy_of_differences(logits):
    real, fake = logits
    ones = torch.ones(64).double()
    assert torch.isclose(losses.relativistic.discriminator(real, fake), bce(real - fake, ones))
    assert torch.isclose(losses.relativistic.generator(real, fake), bce(fake - real, ones))


def test_the_best_d_of_pairs_is_the_log_of_the_ratio():
    """Over coins of three weights every pair is counted with its probability, and a general optimiser finds D."""
    p, q = torch.tensor([0.5, 0.3, 0.2]).double(), torch.tensor([0.1, 0.2, 0.7]).double()

    def cost(out):
        out = torch.from_numpy(out)
        pairs = [
            (p[i] * q[j] * losses.relativistic.discriminator(out[i : i + 1], out[j : j + 1])).item()
            for i in range(3)
            for j in range(3)
        ]
        return sum(pairs)

    best = torch.from_numpy(minimize(cost, torch.zeros(3).numpy().astype(float), tol=1e-12).x)
    assert torch.allclose(best - best[0], (p / q).log() - (p / q).log()[0], atol=1e-4)


@pytest.mark.parametrize(("name", "slope"), [("minimax", lambda D: -D), ("non_saturating", lambda D: D - 1)])
def test_slope_in_the_logit(logits, name, slope):
    fake = logits[0].requires_grad_()
    (gradient,) = torch.autograd.grad(LOSSES[name].generator(None, fake), fake)
    assert torch.allclose(64 * gradient, slope(1 / (1 + (-fake).exp())))


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("sign", [1, -1])
def test_extreme_logits_stay_finite(name, sign):
    real, fake = torch.full((4,), 1000.0 * sign, requires_grad=True), torch.full((4,), -1000.0 * sign)
    loss = LOSSES[name].discriminator(real, fake) + LOSSES[name].generator(fake, real)
    loss.backward()
    assert loss.isfinite() and real.grad.isfinite().all()


def test_a_sure_and_wrong_discriminator_pays_the_logit():
    out = torch.full((3,), 1000.0)
    assert losses.discriminator_loss(-out, out).item() == 2000
    assert losses.non_saturating_generator_loss(-out).item() == 1000
    assert losses.saturating_generator_loss(out).item() == -1000


@pytest.mark.parametrize("name", LOSSES)
def test_rest_is_where_the_best_constant_discriminator_is(name):
    loss = LOSSES[name]

    def cost(c):  # p_g = p_data, so the best D cannot tell: one output c for both
        return loss.discriminator(torch.tensor([c]).double(), torch.tensor([c]).double()).item()

    best = minimize_scalar(cost, bracket=(-2, 2), tol=1e-10)
    assert best.fun == pytest.approx(loss.at_equilibrium[0], abs=1e-9)
    out = torch.tensor([float(best.x)])
    assert loss.generator(out, out).item() == pytest.approx(loss.at_equilibrium[1], abs=1e-6)


def test_rest_in_numbers():
    assert losses.minimax.at_equilibrium == (pytest.approx(1.386294), pytest.approx(-0.693147))
    assert losses.non_saturating.at_equilibrium == (pytest.approx(1.386294), pytest.approx(0.693147))


def test_probability():
    out = torch.tensor([-1.0, 0.0, 2.0])
    sigmoid = torch.tensor([1 / (1 + math.e), 0.5, 1 / (1 + math.exp(-2))])
    for name in ("minimax", "non_saturating", "smoothed(0.7)"):
        assert torch.allclose(LOSSES[name].probability(out), sigmoid)
    assert torch.equal(losses.least_squares.probability(out), out)


@pytest.mark.parametrize("share", [1.0, 0.5, 0.3, 0.001])
@pytest.mark.parametrize("shape", [(64,), (64, 1)])
def test_top_k_is_the_cross_entropy_of_the_fakes_most_taken_for_real(logits, share, shape):
    fake = logits[1].reshape(shape)
    best = sorted(fake.flatten().tolist())[-max(1, round(64 * share)) :]
    expected = sum(math.log(1 + math.exp(-logit)) for logit in best) / len(best)
    assert losses.top_k(share).generator(None, fake).item() == pytest.approx(expected)
    assert torch.equal(losses.top_k(share).discriminator(*logits), losses.non_saturating.discriminator(*logits))


@pytest.mark.parametrize("value", [0, 1.1, -0.5, math.nan])
def test_bad_input(value):
    with pytest.raises(ValueError, match=f"real: got {value}"):
        losses.smoothed(value)
    with pytest.raises(ValueError, match=f"share: got {value}"):
        losses.top_k(value)
