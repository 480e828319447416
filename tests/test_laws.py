"""Densities, quantiles and places of any law and of one's own data, against scipy."""

import math
from types import SimpleNamespace

import pytest
import torch
from scipy import stats
from torch.distributions import (
    Bernoulli,
    Beta,
    Categorical,
    Cauchy,
    Exponential,
    Gamma,
    Geometric,
    HalfCauchy,
    Independent,
    Laplace,
    LogNormal,
    MixtureSameFamily,
    Normal,
    Pareto,
    Poisson,
    StudentT,
    TransformedDistribution,
    Uniform,
    Weibull,
)
from torch.distributions.transforms import AffineTransform, SigmoidTransform
from torch.testing import assert_close

from gan_lessons import data, laws, recipes, seen, theory
from gan_lessons.models import MLPGenerator, Unstandardise


def two(a=(0.0, 1.0), b=(5.0, 6.0), share=0.3):
    low, high = torch.tensor([a, b]).T
    return MixtureSameFamily(Categorical(torch.tensor([share, 1 - share])), Uniform(low, high))


def two_pdf(x):
    return 0.3 * stats.uniform(0, 1).pdf(x) + 0.7 * stats.uniform(5, 1).pdf(x)


LAWS = {  # a law, its density by scipy
    "normal": (Normal(4.0, 1.25), stats.norm(4, 1.25).pdf),
    "uniform": (Uniform(490.0, 510.0), stats.uniform(490, 20).pdf),
    "exponential": (Exponential(0.5), stats.expon(scale=2).pdf),
    "beta": (Beta(2.0, 5.0), stats.beta(2, 5).pdf),
    "boxes": (two(), two_pdf),
    "lognormal": (LogNormal(0.0, 1.0), stats.lognorm(1).pdf),
    "cauchy": (Cauchy(3.0, 2.0), stats.cauchy(3, 2).pdf),
    "half cauchy": (HalfCauchy(2.0), stats.halfcauchy(0, 2).pdf),
    "gamma": (Gamma(2.0, 1.0), stats.gamma(2).pdf),
    "t": (StudentT(3.0), stats.t(3).pdf),
    "pareto": (Pareto(1.0, 3.0), stats.pareto(3).pdf),
    "weibull": (Weibull(1.0, 1.5), stats.weibull_min(1.5).pdf),
    "laplace": (Laplace(0.0, 2.0), stats.laplace(0, 2).pdf),
    "logistic": (
        TransformedDistribution(Uniform(0.0, 1.0), [SigmoidTransform().inv, AffineTransform(3.0, 2.0)]),
        stats.logistic(3, 2).pdf,
    ),
}
NO_MOMENTS = ["cauchy", "half cauchy"]


@pytest.mark.parametrize("name", LAWS)
def test_a_density_is_that_of_the_law_and_0_outside(name):
    law, pdf = LAWS[name]
    x = torch.linspace(*laws.span(law), 1001) + 0.00123  # on both sides of every edge
    wanted = torch.from_numpy(pdf(x.double().numpy()))
    assert_close(theory.log_density(law, x).exp(), wanted, rtol=1e-4, atol=1e-6)
    assert theory.log_density(law, x).dtype == torch.double
    assert theory.log_density(law, x.reshape(7, 143)).shape == (7, 143)


@pytest.mark.parametrize("name", LAWS)
def test_the_curves_of_any_data(name):
    law, pdf = LAWS[name]
    trainer = recipes.gaussian_mlp(data=law)
    trainer.step()
    x = torch.linspace(*laws.span(law), 101)
    curves = seen.curves(trainer, x)
    p = torch.from_numpy(pdf(x.double().numpy())).float()
    assert_close(curves.p_data, p, rtol=1e-3, atol=1e-5)
    known = curves.p_g + p > 1e-12
    assert_close(curves.D_star[known], (p / (p + curves.p_g))[known], rtol=1e-3, atol=1e-4)
    assert all(column.shape == x.shape and not column.requires_grad for column in curves)


@pytest.mark.parametrize("name", LAWS)
def test_any_law_as_latent(name):
    law, pdf = LAWS[name]
    quantiles = laws.quantiles(law, 9)
    draws = torch.from_numpy(pdf.__self__.ppf((torch.arange(9) + 0.5).numpy() / 9)).float() if name != "boxes" else None
    if draws is not None:
        assert_close(quantiles, draws, rtol=0.02, atol=0.02 * (draws[-1] - draws[0]).item())
    else:
        assert_close(quantiles[:2], torch.tensor([1 / 18, 3 / 18]) / 0.3, rtol=0.05, atol=0.02)
    trainer = recipes.gaussian_mlp(latent=law)
    if name in NO_MOMENTS:
        with pytest.raises(ValueError, match=r"latent: got (Half)?Cauchy.*without a standard deviation"):
            seen.curves(trainer, torch.linspace(470, 530, 11))
        return
    trainer.step()
    assert seen.fakes(trainer).x.isfinite().all()
    p_g = theory.pushforward(lambda z: 500 - 2 * z, law)
    ends = [500 - 2 * z for z in laws.span(law)][::-1]
    x = torch.linspace(*ends, 4001, dtype=torch.double)
    inside = torch.from_numpy(pdf(((500 - x) / 2).numpy())) / 2
    jumps = (inside.diff().abs() > 0.05 * inside.max()).sum().item()
    wrong = ((p_g(x) - inside).abs() > 0.02 * inside.max()).sum().item()
    assert wrong <= 40 * jumps  # an edge is a node wide: 8 sd / 1000 at most
    assert torch.trapezoid(p_g(x), x).item() == pytest.approx(torch.trapezoid(inside, x).item(), abs=0.02)


@pytest.mark.parametrize("law", [Gamma(0.5, 1.0), Beta(0.5, 0.5), Beta(0.3, 2.0)], ids=str)
def test_an_infinite_density_at_an_end_keeps_its_area(law):
    x = torch.linspace(-5, 60, 650_001, dtype=torch.double)
    p_g = theory.pushforward(lambda z: 2 * z + 0.3, law)
    assert torch.trapezoid(p_g(x), x).item() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(
    "law",
    [
        Poisson(3.0),
        Bernoulli(0.3),
        Geometric(0.2),
        Independent(Normal(torch.zeros(2), 1.0), 1),
        Normal(torch.zeros(3), 1.0),
        data.Sample(torch.randn(10)),
        SimpleNamespace(sample=torch.zeros),
    ],
    ids=lambda law: type(law).__name__,
)
def test_a_latent_that_has_no_density_of_one_number_is_refused_by_name(law):
    for look in (lambda: laws.quantiles(law, 9), lambda: theory.pushforward(lambda z: z, law)):
        with pytest.raises(ValueError, match=r"^latent: got .*; it must be a continuous distribution of one number"):
            look()


def test_a_discrete_law_has_no_density():
    with pytest.raises(ValueError, match=r"^p: got Poisson\(rate: 3.0\); it must be a continuous"):
        theory.log_density(Poisson(3.0), torch.tensor([1.0]))


def test_quantiles_without_an_inverse_draw_nothing_of_the_learners():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    a, b = laws.quantiles(StudentT(3.0), 99), laws.quantiles(StudentT(3.0), 99)
    assert torch.equal(torch.get_rng_state(), before) and torch.equal(a, b)
    assert_close(a, torch.from_numpy(stats.t(3).ppf((torch.arange(99) + 0.5) / 99)).float(), rtol=0.1, atol=0.05)


def own(name):
    rng = torch.Generator().manual_seed(7)
    x = torch.randn(400, generator=rng) * 3 + 7
    return {
        "sample": (data.Sample(x), stats.norm(7, 3).pdf, 0.012),
        "a callable": (SimpleNamespace(sample=lambda shape: torch.rand(*shape) + torch.rand(*shape)), two_rand, 0.08),
        "counts": (Poisson(30.0), lambda x: stats.norm(30, math.sqrt(30)).pdf(x), 0.012),
    }[name]


def two_rand(x):
    return stats.triang(0.5, 0, 2).pdf(x)


@pytest.mark.parametrize("name", ["sample", "a callable", "counts"])
def test_data_of_ones_own_have_an_estimated_density(name):
    source, pdf, tolerance = own(name)
    trainer = recipes.gaussian_mlp(data=source)
    trainer.step()
    low, high = laws.span(source)
    x = torch.linspace(low, high, 801)
    curves = seen.curves(trainer, x)
    assert torch.trapezoid(curves.p_data, x).item() == pytest.approx(1, abs=1e-3)
    assert (curves.p_data - torch.from_numpy(pdf(x.double().numpy()))).abs().max() < tolerance
    assert curves.D_star.isnan().all()  # D* of an estimate would be one, too


def test_kernels_are_silvermans():
    x = torch.randn(1000, generator=torch.Generator().manual_seed(0)).double()
    source = SimpleNamespace(sample=lambda shape: x.repeat(math.ceil(shape[0] / 1000))[: shape[0]])
    spread = min(x.std().item(), stats.iqr(x.numpy()) / 1.34)
    h = 0.9 * spread * 1000**-0.2
    at = torch.linspace(-4, 4, 50, dtype=torch.double)
    wanted = torch.from_numpy(stats.norm.pdf((at[:, None] - x) / h).mean(1) / h)
    assert_close(laws.kernels(source)(at), wanted, rtol=0.02, atol=1e-3)


@pytest.mark.parametrize(
    ("source", "mean", "sd"),
    [
        (Normal(500.0, 5.0), 500, 5),
        (Exponential(0.5), 2, 2),
        (Cauchy(3.0, 2.0), 3, 2 * math.tan(math.pi * 0.34)),  # its median, and half of 16% to 84%
        (data.Sample(torch.tensor([1.0, 3.0])), 2, 1),
        (Poisson(30.0), 30, math.sqrt(30)),
        (LAWS["logistic"][0], 3, 2 * math.pi / math.sqrt(3)),
    ],
    ids=lambda one: type(one).__name__,
)
def test_the_centre_of_a_source(source, mean, sd):
    assert laws.centre(source) == pytest.approx((mean, sd), rel=0.02, abs=0.02)


def test_spans():
    assert laws.span(Normal(500.0, 5.0)) == (470.0, 530.0)
    assert laws.span(Normal(4.0, 1.25)) == (-3.5, 11.5)
    assert laws.span(data.bumps()) == (473.0, 527.0)
    assert laws.span(data.Sample(torch.randn(5000) * 5 + 500)) == pytest.approx((470, 530), abs=2)
    low, high = laws.span(Cauchy(0.0, 1.0))
    assert -40 < low < -10 and 10 < high < 40
    low, high = laws.span(SimpleNamespace(sample=torch.zeros))
    assert low < 0 < high


def test_squares():
    assert laws.square(data.ring()) == ((0.0, 0.0), 3.0)
    middle, half = laws.square(Independent(Normal(torch.tensor([1000.0, -4.0]), 20.0), 1))
    assert abs(middle[0] - 1000) < 10 and abs(middle[1] + 4) < 10 and half in (55.0, 60.0, 65.0, 70.0)
    assert laws.square(data.Sample(torch.ones(5, 2)))[1] == 1.0


def test_a_source_is_looked_at_once_and_not_taken_for_another():
    calls = []

    def make(at):
        return SimpleNamespace(sample=lambda shape: calls.append(at) or torch.full(shape, float(at)))

    for at in range(40):  # objects that come and go would get each other's ids
        assert laws.centre(make(at))[0] == at
    once = make(99)
    assert laws.drawn(once) is laws.drawn(once) and calls.count(99) == 1


def test_the_ideal_game_with_any_latent():
    from gan_lessons import dynamics

    G = MLPGenerator(1, 8, 1, output=Unstandardise(500.0, 5.0))
    for latent in (StudentT(5.0), two(), Exponential(1.0)):
        loss = dynamics.ideal_loss(G, Normal(500.0, 5.0), latent)
        loss.backward()
        assert loss.isfinite() and all(weight.grad.isfinite().all() for weight in G.parameters())
