import math
from itertools import product

import numpy as np
import pytest
import torch
from answers import boom, says, told
from torch.distributions import Normal, Uniform

from gan_lessons import data, pretrained, seen, theory
from gan_lessons.lessons import generative_models as lesson

# -- what the lesson states of chance, played on eight seeds by tests/make/observations.py -----------------------------


def search(seed):
    rng = torch.Generator().manual_seed(seed)
    noise = torch.randint(256, (100_000, 28, 28), dtype=torch.uint8, generator=rng)
    best = max(seen.likeness(some).max().item() for some in noise.split(5000))
    return best < 0.2, {"highest r": best}


def best_widths(seed):
    few, many = (lesson.best_width(*lesson._few(n, seed)) for n in (50, 1000))
    return many < few, {"50 samples": few, "1000 samples": many}


OBSERVATIONS = {
    "In {} of 8 such searches no r came above 0.2": search,
    "in {} of 8 draws of digits the best h was smaller for 1,000 samples than for 50": best_widths,
}


# -- the pictures and the numbers in the text --------------------------------------------------------------------------


def test_the_density_of_what_g_makes_is_one_over_its_slope():
    """Against the exact density by change of variables, and against counting."""
    x = torch.tensor([5.2, 10.0, 17.0, 24.0], dtype=torch.double)
    p_g = theory.pushforward(lambda z: 5 + 20 * z**2, Uniform(0.0, 1.0))(x)
    z = ((x - 5) / 20).sqrt()
    assert torch.allclose(p_g, 1 / (40 * z), rtol=1e-3)
    made = 5 + 20 * ((torch.arange(1_000_000) + 0.5) / 1_000_000) ** 2
    assert [((made > low) & (made < low + 2)).double().mean().item() for low in (5, 23)] == [
        pytest.approx(0.316, abs=1e-3),
        pytest.approx(0.051, abs=1e-3),
    ]


@pytest.mark.parametrize(("bend", "places"), [(0.8, (0.25, 0.75)), (-0.8, (0.0, 0.5, 1.0))])
def test_the_curve_is_flat_where_the_text_says(bend, places):
    z = torch.linspace(0, 1, 1001, dtype=torch.double).requires_grad_()
    x = lesson.curve(bend, 1.0)(z)
    (slope,) = torch.autograd.grad(x.sum(), z)
    for place in places:
        assert slope[round(1000 * place)].item() == pytest.approx(20 * 0.2, rel=1e-3)
        assert x[round(1000 * place)].item() == pytest.approx(5 + 20 * place)
    assert slope.min() > 3.99 and slope.max() < 36.01


def test_what_the_sliders_reach():
    settings = [(b / 20, l / 10) for b in range(-19, 20) for l in range(5, 31)]  # noqa: E741
    reached = {setting: lesson.covered(lesson.curve(*setting)) for setting in settings}
    assert f"{max(reached.values()):.0%}" == "88%" == f"{reached[0.3, 1.6]:.0%}"
    assert sum(share > 0.85 for share in reached.values()) > 20
    assert (f"{reached[0.0, 1.0]:.0%}", f"{reached[0.8, 1.0]:.0%}") == ("75%", "64%")
    z = (torch.arange(100_000) + 0.5) / 100_000
    near = [((lesson.curve(0.95, 1.0)(z) - x).abs() < 1).double().mean().item() for x in (10, 20)]
    assert near == [pytest.approx(0.25, abs=0.005)] * 2
    x = lesson.curve(0.0, 3.0)(torch.linspace(0, 1, 10_001))
    assert (x < 9).double().mean().item() == pytest.approx(0.58, abs=0.006)


def test_the_line_of_digits_covers_them():
    line = lesson.zeros_and_ones().sort().values
    assert lesson.covered(lambda z: line[(z * len(line)).long()]) > 0.97
    assert len(line) == 12_665
    inside = ((line > 4) & (line < 27)).double().mean()
    assert inside.item() == pytest.approx(0.98, abs=0.005)
    assert ((line > 6) & (line < 8)).double().mean() > 0.15  # very many have about 7 percent


def test_ink_slant_and_likeness_of_digits_and_noise():
    images = data.mnist("train").images
    ink = images.float().mean(dim=(1, 2)) / 2.55
    assert ink.max() < 40
    some = ink[:10_000]
    share = ((some > 10) & (some < 15)).double().mean().item()
    assert share == pytest.approx(0.43, abs=0.005)
    assert seen.likeness(images[:10_000]).mean().item() == pytest.approx(0.79, abs=0.005)
    assert (images == 0).sum(dim=(1, 2)).median() == 634
    one = images[0].double().numpy()
    assert seen.likeness(images[:1]).item() == pytest.approx(
        np.corrcoef(one[:, :-1].ravel(), one[:, 1:].ravel())[0, 1], abs=1e-5
    )
    noise = torch.randint(256, (1000, 28, 28), generator=torch.Generator().manual_seed(0))
    assert lesson._ink(noise).min() > 45 and seen.slant(noise).abs().max() < 0.2


def test_a_third_of_the_digits_made_of_two_numbers_are_ones_and_one_in_nine_real_ones():
    G = pretrained.load("mnist_small_z2")
    torch.manual_seed(0)
    ones = (pretrained.classifier()(G(G.latent.sample((4000,)))).argmax(dim=1) == 1).double().mean().item()
    assert ones == pytest.approx(1 / 3, abs=0.05)
    assert (data.mnist().labels == 1).double().mean().item() == pytest.approx(1 / 9, abs=0.002)


def test_the_sixteen_kinds_of_faces(monkeypatch):
    """The picture's shares against those the faces were drawn with: within 4 standard errors, and in its rows."""
    drawn = []
    monkeypatch.setattr(lesson, "show", lambda figure, alt: drawn.append(figure))
    people = data.faces(10_000)
    lesson.sixteen_kinds(people)
    rows = [[float(ax.get_title()[:-1]) for ax in drawn[0].axes[8 * row : 8 * row + 8]] for row in (0, 1)]
    assert [ax.get_ylabel() for ax in drawn[0].axes[::8]] == ["no glasses", "glasses"]
    for row, share in zip(rows, (0.5 * 0.7 * 0.5 * 0.5, 0.5 * 0.3 * 0.5 * 0.5), strict=True):
        assert row == [pytest.approx(100 * share, abs=100 * 4 * math.sqrt(share / 10_000))] * 8
        assert f"{share:.2%}" in ("8.75%", "3.75%")
    for ax, (glasses, *others) in zip(drawn[0].axes, product((0, 1), repeat=4), strict=True):
        picture = torch.from_numpy(ax.images[0].get_array().data).movedim(-1, 0)[None]
        read = (pretrained.reader()(picture / 127.5 - 1) > 0).long()[0].tolist()
        assert read == [others[0], glasses, *others[1:]]
    everything = people.labels.all(dim=1).double().mean().item()
    shares = people.labels.double().mean(dim=0).tolist()
    assert (f"{shares[1]:.0%}", f"{shares[3]:.0%}", f"{everything:.1%}") == ("30%", "49%", "3.6%")


def test_a_slope_of_the_slant():
    images = torch.zeros(1, 28, 28)
    for up in range(10):
        images[0, 20 - up, 8 + up // 2] = 1
    up, right = torch.arange(10.0), torch.arange(10.0).div(2, rounding_mode="floor")
    assert seen.slant(images).item() == pytest.approx(np.polyfit(up, right, 1)[0], abs=1e-5)


def test_all_pictures_of_four_pixels():
    """Counted by hand: 2 pictures in which 4 pairs agree, 12 with 2, 2 with none."""
    pictures = torch.cartesian_prod(*[torch.tensor([0, 1])] * 4).view(16, 2, 2)
    score = (pictures[:, :, 1:] == pictures[:, :, :-1]).sum(dim=(1, 2))
    score = score + (pictures[:, 1:] == pictures[:, :-1]).sum(dim=(1, 2))
    Z = score.exp().sum().item()
    assert pytest.approx(2 * math.e**4 + 12 * math.e**2 + 2, rel=1e-5) == Z
    assert f"{math.e**4 / Z:.1%} {1 / Z:.1%} {math.e**4:.0f}" == "27.3% 0.5% 55"


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 5])
def test_what_a_classifier_says_of_digits_from_two_and_from_64_numbers(seed):
    net, sure = pretrained.classifier(), {}
    for n in (2, 64):
        G = pretrained.load(f"mnist_small_z{n}")
        torch.manual_seed(seed)
        p = net(G(G.latent.sample((4000,)))).softmax(dim=1)
        sure[n] = (p.max(dim=1).values > 0.9).double().mean().item()
        shares = p.argmax(dim=1).bincount(minlength=10) / 4000
        assert shares[1].item() == pytest.approx(1 / 3, abs=0.03) if n == 2 else shares.max() < 0.15
    assert sure[64] == pytest.approx(0.805, abs=0.015) and sure[2] > 0.75
    torch.manual_seed(seed)
    real = net(data.mnist("test").sample((4000,))).softmax(dim=1)
    assert (real.max(dim=1).values > 0.9).double().mean().item() == pytest.approx(0.983, abs=0.006)
    assert sum(weight.numel() for weight in G.parameters()) == 551_952


def test_luck_on_784_axes():
    assert 784 * math.log10(0.9) == pytest.approx(-36, abs=0.2)
    assert 1000 * math.log10(0.05) == pytest.approx(-1301, abs=0.1)
    assert 40_000 * math.log10(256) == pytest.approx(96_329.6, abs=0.05)
    assert 784 * math.log10(256) == pytest.approx(1888, abs=0.1)
    assert math.exp(-3) == pytest.approx(0.05, abs=0.001)


def test_a_window_is_the_mean_of_its_bumps():
    points, h, x = torch.tensor([1.0, 4.0, 4.5]), 0.7, torch.linspace(-4, 10, 1401)
    window = lesson._window(points, h).log_prob(x).exp()
    by_hand = sum(torch.exp(-((x - point) ** 2) / (2 * h**2)) for point in points) / (3 * h * math.sqrt(2 * math.pi))
    assert torch.allclose(window, by_hand, atol=1e-6)
    assert torch.trapezoid(window, x).item() == pytest.approx(1, abs=1e-4)
    assert lesson.fit(x, points, h) == pytest.approx(window.double().log().mean().item(), abs=1e-3)
    assert 1000 * math.log10(0.05) == pytest.approx(-1301, abs=0.1)


def test_the_samples_themselves_want_spikes():
    points, _ = lesson._few()
    own = [lesson.fit(points, points, h) for h in (0.1, 0.2, 0.5, 1.0, 3.0, 6.0)]
    assert own == sorted(own, reverse=True)


def test_the_live_pictures_say_what_is_in_them():
    assert "green covers 75% of the dotted area" in lesson.bent()
    assert "own 50" in lesson.window() and "own 1000" in lesson.window(points=1000)
    assert lesson.walk().startswith("<img")


# -- the checks of the exercises ---------------------------------------------------------------------------------------


def two_humps(z):
    return torch.where(z < 0.5, 4 + 14 * z, 13 + 20 * (z - 0.5))


TWO_HUMPS = [
    (two_humps, "Right"),
    (lambda z: two_humps(z.double()), "Right"),
    (lambda z: two_humps(z).numpy(), "Right"),
    (lambda z: two_humps(z).tolist(), "Right"),
    (lambda z: tuple(two_humps(z)), "Right"),
    (lambda z: two_humps(1 - z), "Right"),
    (lambda z: two_humps(2 * z % 1), "Right"),
    (lambda z: [4 + 14 * one if one < 0.5 else 3 + 20 * one for one in z], "Right"),
    (lambda z: np.where(z.numpy() < 0.5, 4 + 14 * z.numpy(), 3 + 20 * z.numpy()), "Right"),
    (lambda z: 4 + 14 * z if z < 0.5 else 3 + 20 * z, "use torch.where"),
    (lambda z: 4 + 19 * z, "lie between the humps"),
    (lambda z: torch.where(z < 0.5, 4 + 7 * z, 13 + 20 * (z - 0.5)), "the left hump reaches from 4 to 7.5"),
    (lambda z: torch.where(z < 0.5, 4 + 14 * z, 13 + 10 * (z - 0.5)), "the right hump reaches from 13 to 18"),
    (lambda z: torch.where(z < 0.5, 4 + 14 * z, 13 + 20 * z), "outside both humps"),
    (lambda z: torch.where(z < 0.5, 4.0, 13.0), "only 2 different x"),
    (lambda z: torch.where(z < 0.7, 4 + 10 * z, 13 + 33.3 * (z - 0.7)), "70% of the x"),
    (lambda z: torch.where(z < 0.5, 4 + 28 * z**2, 13 + 20 * (z - 0.5)), "lie evenly"),
    (lambda z: two_humps(torch.rand(len(z))), "the same z gave another x"),
    (lambda z: two_humps(torch.linspace(0, 0.9999, len(z))), "other z stood beside"),
    (lambda z: torch.full((len(z),), math.nan), "Not yet"),
    (lambda z: 7.0, "shape ()"),
    (lambda z: None, "not answered yet"),
    (lambda z: ..., "not answered yet"),
    (boom, "RuntimeError: boom"),
    (3, "hand over the function itself"),
]


def parzen(x, points, h, power=2.0, factor=None, mean=lambda table: table.mean(dim=1)):
    bumps = torch.exp(-((x[:, None] - points) ** 2) / (power * h**2))
    return mean(bumps / (factor or h * math.sqrt(2 * math.pi)))


def box(x, points, h):
    """Uniform bumps of standard deviation h."""
    return ((x[:, None] - points).abs() < math.sqrt(3) * h).float().mean(dim=1) / (2 * math.sqrt(3) * h)


def triangle(x, points, h):
    return (1 - (x[:, None] - points).abs() / (math.sqrt(6) * h)).clamp(min=0).mean(dim=1) / (math.sqrt(6) * h)


ROOT = math.sqrt(2 * math.pi)
PARZEN = [
    (parzen, "Right"),
    (lambda x, points, h: parzen(x.double(), points, h).numpy(), "Right"),
    (lambda x, points, h: parzen(x, points, h).tolist(), "Right"),
    (lambda x, points, h: [parzen(one[None], points, h)[0] for one in x], "Right"),
    (lambda x, points, h: sum(Normal(p, h).log_prob(x).exp() for p in points) / len(points), "Right"),
    (lambda x, points, h: data.bumps(points.tolist(), [h] * len(points), [1] * len(points)).log_prob(x).exp(), "Right"),
    (lambda x, points, h: parzen(x, points, h, mean=lambda t: t.sum(dim=1)), "the area under it is 3"),
    (lambda x, points, h: parzen(x, points, h, mean=lambda t: t.mean(dim=0)), "39 densities"),
    (lambda x, points, h: parzen(x, points, h, mean=lambda t: t), "39 densities"),
    (lambda x, points, h: parzen(x, points, h).log(), "take exp"),
    (lambda x, points, h: parzen(x, points, h, factor=1), "divide by it"),
    (lambda x, points, h: parzen(x, points, h, factor=ROOT), "Not yet"),
    (lambda x, points, h: parzen(x, points, h, factor=h), "Not yet"),
    (lambda x, points, h: parzen(x, points, math.sqrt(h)), "here it is the variance"),
    (lambda x, points, h: parzen(x, points, h**2), "do not square it"),
    (lambda x, points, h: parzen(x, points, h, power=1.0), "the 2 is missing"),
    (lambda x, points, h: Normal(points.mean(), h).log_prob(x).exp(), "one bump on the mean"),
    (lambda x, points, h: Normal(points, h).log_prob(x[:, None]).mean(dim=1).exp(), "averages the logs"),
    (box, "Not yet"),
    (triangle, "Not yet"),
    (lambda x, points, h: (parzen(x, points - h, 1e-3) + parzen(x, points + h, 1e-3)) / 2, "Not yet"),
    (lambda x, points, h: parzen(x, points, 0.5), "and h = 1.4"),
    (lambda x, points, h: parzen(x, points, h, mean=lambda t: t.sum(dim=1) / 3), "Not yet"),
    (lambda x, points, h: torch.full_like(x, math.nan), "Not yet"),
    (lambda x, points, h: ..., "not answered yet"),
    (lambda x, points, h: None, "not answered yet"),
    (lambda x, points, h: torch.exp(-((x - points) ** 2)), "x[:, None] - points"),
    (boom, "RuntimeError: boom"),
]


LOG_P = [
    (lambda s: s - torch.logsumexp(s, dim=0), "Right"),
    (lambda s: s.log_softmax(dim=0).double().numpy(), "Right"),
    (lambda s: (s - s.max()) - (s - s.max()).exp().sum().log(), "Right"),
    (lambda s: [one - torch.logsumexp(s, dim=0) for one in s], "Right"),
    (lambda s: (s.exp() / s.exp().sum()).log(), "e^1000 is too large"),
    (lambda s: s - s.exp().sum().log(), "e^1000 is too large"),
    (lambda s: s.softmax(dim=0).log(), "its log to -inf"),
    (lambda s: s.softmax(dim=0), "their logs are asked for"),
    (lambda s: torch.logsumexp(s, dim=0) - s, "the sign"),
    (lambda s: torch.logsumexp(s, dim=0), "log p of its own"),
    (lambda s: s - s.max(), "the highest score off"),
    (lambda s: s - s.exp().mean().log(), "not their mean"),
    (lambda s: (s / s.sum()).log(), "go through exp"),
    (lambda s: s - s.exp().sum(), "Z itself"),
    (lambda s: s / torch.logsumexp(s, dim=0), "the log of a quotient"),
    (lambda s: (s - torch.logsumexp(s, dim=0)) / math.log(10), "first log p is -3.3"),
    (lambda s: s - 1, "first log p is -3.3"),
    (lambda s: s - torch.logsumexp(s.clamp(-80, 2000), dim=0), "e^-1000 rounds to 0"),
    (lambda s: ..., "not answered yet"),
    (lambda s: None, "not answered yet"),
    (boom, "RuntimeError: boom"),
]
ANSWERS = told(lesson, {"check_two_humps": TWO_HUMPS, "check_parzen": PARZEN, "check_log_probabilities": LOG_P})


@pytest.mark.parametrize(("check", "answer", "text"), ANSWERS)
def test_each_answer_is_told_what_it_is(check, answer, text, capsys):
    says(check, answer, text, capsys)


def test_checking_leaves_the_random_numbers_alone():
    torch.manual_seed(3)
    free = torch.rand(2)
    torch.manual_seed(3)
    lesson.check_two_humps(two_humps)
    assert torch.equal(torch.rand(2), free)


def test_the_picture_of_the_learners_g_waits_for_it(monkeypatch, capsys):
    shown = []
    monkeypatch.setattr(lesson, "show", lambda figure, alt: shown.append(alt))
    for unfinished in (lambda z: ..., lambda z: None, boom, lambda z: 3 if z < 0.5 else 4):
        lesson.your_generator(unfinished)
        assert capsys.readouterr().out == "The picture waits for your G.\n"
    assert shown == []
    lesson.your_generator(lambda z: two_humps(z).tolist())
    assert len(shown) == 1
