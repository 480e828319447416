import math

import numpy as np
import pytest
import torch
from answers import boom, in_all_forms, says, spoiling, told
from torch.nn.functional import normalize

from gan_lessons import latent, metrics, pretrained
from gan_lessons.lessons import latent_space as lesson
from gan_lessons.views import latent as views

# -- what the lesson states of chance, played on eight seeds by tests/make/observations.py -----------------------------


def half_way_pictures(seed):
    """What G draws half way between 2,000 pairs, on the straight line and on the sphere."""
    a, b = latent.draws(4000, seed).split(2000)
    return [latent.generator(64)(way(a, b, 0.5)) for way in (latent.straight, latent.on_the_sphere)]


def surer_on_the_sphere(seed):
    line, arc = ((latent.read(x)[1] > 0.9).double().mean().item() for x in half_way_pictures(seed))
    return line < arc - 0.05, {"straight": line, "on the sphere": arc}


def paler_on_the_line(seed):
    line, arc = (latent.ink(x).mean().item() for x in half_way_pictures(seed))
    return line < 0.9 * arc, {"straight": line, "on the sphere": arc}


def nines_half_way(seed):
    G, z = latent.generator(64), latent.draws(10_000, seed)
    label, sure = latent.read(G(z))
    sevens, ones = (z[(label == digit) & (sure > 0.9)][:500] for digit in (7, 1))
    others = z[(label != 9) & (sure > 0.9)]
    half = len(others) // 2
    pairs = (sevens, ones), (others[:half], others[half : 2 * half])
    nines, chance, sphere, sphere_chance = (
        (latent.read(G(way(a, b, 0.5)))[0] == 9).double().mean().item()
        for way in (latent.straight, latent.on_the_sphere)
        for a, b in pairs
    )
    measured = {"nines": nines, "chance": chance, "nines, sphere": sphere, "chance, sphere": sphere_chance}
    return 0.09 < nines < 0.16 and nines > chance, measured


def starts(seed):
    _, error = latent.inversions(seed)
    one, four = error[0].mean().item(), error.min(dim=0).values.mean().item()
    return four < 0.9 * one, {"1 start": one, "best of 4": four}


def sums(seed):
    ours, chance, _ = latent.sum_shares(seed)
    holds = ours[-1] > 0.4 and chance[-1] < 0.05
    return holds, {"ours": ours[-1], "chance": chance[-1], "single": ours[0], "its chance": chance[0]}


def sure_of_nonsense(seed):
    sure = {name: (latent.read(x)[1] > 0.9).double().mean().item() for name, x in latent.oddities(seed=seed).items()}
    return sure["3, 4, 7 upside down"] > 0.5 and sure["blocks"] > 0.25 and sure["noise"] == 0, sure


def nudged(seed):
    G, z = latent.generator(64), latent.draws(100, seed)
    ways = torch.linalg.svd(latent.slopes(G, z), full_matrices=False).Vh  # (100, 64, 64)
    label = latent.read(G(z))[0]
    changed = {}
    for i in (1, 64):
        after = [latent.read(G(z + step * ways[:, i - 1]))[0] for step in (-2, 2)]
        changed[f"direction {i}"] = (torch.stack(after) != label).double().mean().item()
    return changed["direction 1"] > 0.45 and changed["direction 64"] <= 0.03, changed


OBSERVATIONS = {
    "in {} of 8 sets of 2,000 pairs the two differed by more than 5 in 100": (surer_on_the_sphere),
    "in {} of 8 sets of 2,000 pairs it had at least a tenth less than the middle on the sphere": paler_on_the_line,
    "in {} of 8 sets of draws between 9% and 16%, and each time more than in the grey bar": nines_half_way,
    "in {} of 8 sets of starts at least a tenth less": starts,
    "in {} of 8 sets of draws more than 40% with means of 100, and less than 5% by chance": sums,
    "in {} of 8 sets of pictures more than half, and more than a quarter": (sure_of_nonsense),
    "In {} of 8 sets of 100 draws a step of 2 or -2 along direction 1 made another digit more than 45 times in a "
    "hundred, along direction 64 at most 3 times": nudged,
}


# -- the pictures and the numbers in the text --------------------------------------------------------------------------


def test_directions_are_what_a_search_finds():
    """The strongest direction by climbing, the second among those at a right angle to it, against those of the room."""
    G = latent.generator(8)
    z = latent.draws(1, 0, 8)
    ways, strengths = latent.directions(G, z[0])
    assert torch.allclose(ways @ ways.T, torch.eye(8), atol=1e-5)
    assert (strengths.diff() <= 0).all()

    def moved(d):
        return (G(z + 1e-2 * d) - G(z - 1e-2 * d)).norm() / 2e-2

    for i, d in enumerate(ways):
        assert moved(d).item() == pytest.approx(strengths[i].item(), rel=0.02)
    rng = torch.Generator().manual_seed(0)
    some = normalize(torch.randn(500, 8, generator=rng), dim=1)
    assert max(moved(d) for d in some) <= strengths[0] * 1.01
    others = normalize(some - (some @ ways[0])[:, None] * ways[0], dim=1)  # at a right angle to the first
    assert max(moved(d) for d in others) <= strengths[1] * 1.01
    movement = torch.stack([moved(d) ** 2 for d in some]).mean() * 8
    assert movement.item() == pytest.approx((strengths**2).sum().item(), rel=0.1)  # Pythagoras
    assert latent.needed(torch.tensor([[3.0, 1.0, 0.0], [1.0, 1.0, 1.0]])).tolist() == [1, 3]


def test_speed_is_the_root_of_all_squared_slopes():
    G, z = latent.generator(2), latent.draws(20, 0, 2)
    by_slopes = latent.slopes(G, z).square().sum(dim=(1, 2)).sqrt()
    near = (latent.speed(G, z, 1e-3) / by_slopes - 1).abs() < 0.02
    assert near.double().mean() > 0.9  # at a kink of G a nudge sees two slopes


def test_a_quarter_circle_keeps_the_variance_and_a_straight_line_does_not():
    a, b = latent.draws(100_000, 0, 2).split(50_000)
    for t in (0.2, 0.5, 0.9):
        assert latent.on_the_sphere(a, b, t).std().item() == pytest.approx(1, abs=0.01)
        assert latent.straight(a, b, t).std().item() == pytest.approx(math.sqrt(t**2 + (1 - t) ** 2), abs=0.01)
    z = latent.draws(100_000, 0)
    mean = math.sqrt(2) * math.exp(math.lgamma(32.5) - math.lgamma(32))  # of the root of chi squared
    assert z.norm(dim=1).mean().item() == pytest.approx(mean, abs=0.01) == pytest.approx(7.97, abs=0.01)
    assert z.norm(dim=1).std().item() == pytest.approx(math.sqrt(64 - mean**2), abs=0.01)


def test_a_descent_goes_down_to_a_z_that_is_known():
    G = lesson._Toy().requires_grad_(False)
    z = torch.tensor([[1.2, -0.4], [-0.8, 0.9]])
    path, error = latent.descend(G, G(z), torch.zeros(3, 2, 2) + 0.1, steps=300)
    assert path.shape == (301, 3, 2, 2) and error.shape == (3, 2)
    assert torch.allclose(path[-1], z.expand(3, 2, 2), atol=0.02) and (error < 0.01).all()


def test_how_many_directions_the_text_says():
    means = {n: latent.needed(latent.movements(n)).float().mean().item() for n in (1, 2, 8, 64)}
    assert means[1] == 1 and means[2] < 2 and 4 <= means[8] <= 5 and 5 <= means[64] <= 6


@pytest.mark.slow
def test_speeds_and_shares_of_ones_that_the_text_says():
    land, ring, fast = latent.lands()
    assert f"{fast[ring].mean():.0f} {fast[(land == 1) & ~ring].mean():.0f}" == "85 56"
    for n, share in ((2, 0.35), (8, 0.13), (64, 0.11)):
        label, _ = latent.read(latent.generator(n)(latent.draws(4000, 0, n)))
        assert (label == 1).double().mean().item() == pytest.approx(share, abs=0.01)


def test_scores_of_noise_lie_close_together():
    net, kinds = pretrained.classifier(), latent.oddities()
    apart = {name: net(kinds[name]).std(dim=1).mean().item() for name in ("noise", "blocks", "real digits")}
    assert apart == {name: pytest.approx(sd, abs=0.05) for name, sd in zip(apart, (0.6, 3.8, 8.8), strict=True)}


@pytest.mark.slow
def test_a_fake_is_found_closer_than_a_test_digit():
    G = latent.generator(64)
    _, error = latent.descend(G, G(latent.draws(64, 99)), latent.draws(256, 0).view(4, 64, 64))
    assert error.min(dim=0).values.mean().item() == pytest.approx(0.02, abs=0.005)


def test_a_cross_is_found_though_none_is_drawn():
    up, across = ". . . . # # . . . .", "# # # # # # # # # #"
    G, x = latent.generator(64), latent.drawn("\n".join([*4 * [up], *2 * [across], *4 * [up]]))
    _, error = latent.descend(G, x, latent.draws(16, 0).view(16, 1, 64))
    distance, _ = metrics.nearest(x, G(latent.draws(10_000, 0)))
    assert error.min() < 0.12 and distance.item() / 56 > 0.2


def test_every_single_number_does_something_and_two_draws_are_20_apart():
    G, z = latent.generator(64), latent.draws(1, 0)
    moved = latent.slopes(G, z)[0].norm(dim=0)
    assert 1 < moved.min() < 1.5 and 6.5 < moved.max() < 7.5
    one, other = G(latent.draws(2000, 0)).split(1000)
    assert (one - other).norm(dim=1).mean().item() == pytest.approx(20, abs=0.5)


def test_drawings():
    x = latent.drawn("\n".join([". # " * 5] * 10))
    assert x.shape == (1, 784) and x.min() == -1 and x.max() > -0.5
    with pytest.raises(ValueError, match="10 rows of 10 signs"):
        latent.drawn("# #")


def test_the_live_pictures_say_what_is_in_them():
    assert "read as a 7" in views.page() and "direction 64 of 64" in views.nudge(64, 2.0)
    assert "from draw 1 to draw 2, t = 0.50" in views.tour() and "t = 1.00" in views.tour(640)
    walk = lesson.Walk()
    walk._work(True)
    assert walk.inputs["frame"].value == 41 and "t = 0.51" in walk.picture.value
    walk.inputs["frame"].value = 640
    walk._work(True)
    assert walk.inputs["frame"].value == 0
    walk._work(False)
    assert walk.inputs["frame"].value == 0


# -- the checks of the exercises ---------------------------------------------------------------------------------------


def walk(a, b, steps):
    t = torch.linspace(0, 1, steps)[:, None]
    return torch.cos(t * torch.pi / 2) * a + torch.sin(t * torch.pi / 2) * b


def slerp(a, b, steps):
    t, theta = torch.linspace(0, 1, steps)[:, None], torch.acos(torch.cosine_similarity(a, b, dim=0))
    return (torch.sin((1 - t) * theta) * a + torch.sin(t * theta) * b) / torch.sin(theta)


def by(weights):
    def answer(a, b, steps):
        t = torch.linspace(0, 1, steps)[:, None]
        u, v = weights(t)
        return u * a + v * b

    return answer


HALF = math.pi / 2
WALK = [
    *in_all_forms(walk),
    (slerp, "Right"),
    (lambda a, b, n: [walk(a, b, n)[i] for i in range(n)], "Right"),
    (lambda a, b, n: walk(a.double(), b.double(), n).numpy(), "Right"),
    (by(lambda t: (1 - t, t)), "straight line"),
    (lambda a, b, n: walk(b, a, n), "from z_b to z_a"),
    (by(lambda t: (t.cos(), t.sin())), "a quarter of a circle is pi / 2"),
    (by(lambda t: ((90 * t).cos(), (90 * t).sin())), "not degrees"),
    (by(lambda t: ((math.pi * t).cos(), (math.pi * t).sin())), "half a circle"),
    (by(lambda t: ((1 - t).sqrt(), t.sqrt())), "uneven pace: roots"),
    (lambda a, b, n: 8 * normalize(by(lambda t: (1 - t, t))(a, b, n), dim=1), "pushed out to the sphere"),
    (lambda a, b, n: walk(a, b, n + 1)[:-1], "t has to get to 1"),
    (lambda a, b, n: walk(a, b, n + 2)[1:-1], "without both ends"),
    (lambda a, b, n: walk(a, b, 5), "a tensor of shape (9, 64)"),
    (lambda a, b, n: walk(a, b, n)[0], "a tensor of shape (5, 3)"),
    (lambda a, b, n: walk(a, b, n).T, "a tensor of shape (5, 3)"),
    (spoiling(walk), "half way |z| is 0.00"),
    (lambda a, b, n: torch.stack([a] * n), "half way |z| is 8.00"),
    (lambda a, b, n: walk(a, b, n).where(torch.tensor(n == 5), a), "not for 9 steps"),
    (lambda a, b, n: ..., "not answered yet"),
    (boom, "RuntimeError: boom"),
    (3, "hand over the function itself"),
]


def invert(G, x, z, steps=200, lr=0.1, optimizer=torch.optim.Adam, sign=1, reduce=torch.sum):
    z = z.clone().requires_grad_()
    moving = optimizer([z], lr=lr)
    for _ in range(steps):
        loss = sign * reduce((G(z) - x).square())
        moving.zero_grad()
        loss.backward()
        moving.step()
    return z.detach()


def with_weights(G, x, z):
    z = z.clone().requires_grad_()
    moving = torch.optim.Adam([z, *G.parameters()], lr=0.1)
    for _ in range(50):
        loss = (G(z) - x).square().sum()
        moving.zero_grad()
        loss.backward()
        moving.step()
    return z


def plain(G, x, z):
    for _ in range(500):
        z = z.detach().requires_grad_()
        (slope,) = torch.autograd.grad((G(z) - x).square().sum(), z)
        z = z - 0.2 * slope
    return z


INVERT = [
    *in_all_forms(invert),
    (plain, "Right"),
    (lambda G, x, z: torch.cat([invert(G, x[i : i + 1], z[i : i + 1]) for i in range(len(x))]), "Right"),
    (lambda G, x, z: invert(G, x, z, reduce=torch.mean), "Right"),
    (lambda G, x, z: invert(G, x, z, sign=-1), "the error has grown"),
    (lambda G, x, z: invert(G, x, z, steps=3), "not yet to the bottom"),
    (lambda G, x, z: G(invert(G, x, z)), "return z, not G(z)"),
    (lambda G, x, z: z, "z has not moved"),
    (with_weights, "G's weights have changed"),
    (lambda G, x, z: invert(G, x, z)[0], "a tensor of shape (3, 2)"),
    (lambda G, x, z: invert(G, x, z, lr=math.inf), "no finite number"),
    (lambda G, x, z: torch.cat([invert(G, x[:1], z[:1]), z[1:]]), "one picture is found"),
    (lambda G, x, z: ..., "not answered yet"),
    (lambda G, x, z: None, "not answered yet"),
    (boom, "RuntimeError: boom"),
    (3, "hand over the function itself"),
]


def errors(G, x, ends):
    m, n, _ = ends.shape
    return (G(ends.flatten(0, 1)).view(m, n, -1) - x).square().sum(dim=2)


def best_end(G, x, ends):
    return ends[errors(G, x, ends).argmin(dim=0), torch.arange(len(x))]


BEST = [
    *in_all_forms(best_end),
    (
        lambda G, x, ends: [
            min((end[i] for end in ends), key=lambda z: (G(z[None])[0] - one).norm()) for i, one in enumerate(x)
        ],
        "Right",
    ),
    (lambda G, x, ends: np.stack([best_end(G, x[i : i + 1], ends[:, i : i + 1])[0] for i in range(5)]), "Right"),
    (lambda G, x, ends: ends[errors(G, x, ends).argmax(dim=0), torch.arange(5)], "argmin, not argmax"),
    (lambda G, x, ends: ends[errors(G, x, ends).sum(dim=1).argmin()], "best for all pictures together"),
    (lambda G, x, ends: ends.mean(dim=0), "there is a ridge"),
    (lambda G, x, ends: ends[0], "the first start"),
    (lambda G, x, ends: ends[-1], "the last start"),
    (lambda G, x, ends: ends[ends.norm(dim=2).argmin(dim=0), torch.arange(5)], "the shortest z"),
    (lambda G, x, ends: errors(G, x, ends).min(dim=0).values, "these are 5 numbers"),
    (lambda G, x, ends: errors(G, x, ends).argmin(dim=0), "these are 5 numbers"),
    (lambda G, x, ends: ends[torch.arange(4), errors(G, x, ends).argmin(dim=1)], "one z for each start"),
    (lambda G, x, ends: ends.flatten(0, 1)[errors(G, x, ends).argmin()], "one z came back"),
    (lambda G, x, ends: 0 * ends[0], "another end has a smaller"),
    (lambda G, x, ends: ..., "not answered yet"),
    (lambda G, x, ends: None, "not answered yet"),
    (boom, "RuntimeError: boom"),
    (3, "hand over the function itself"),
]
ANSWERS = told(lesson, {"check_walk": WALK, "check_invert": INVERT, "check_best_end": BEST})


@pytest.mark.parametrize(("check", "answer", "text"), ANSWERS)
def test_each_answer_is_told_what_it_is(check, answer, text, capsys):
    says(check, answer, text, capsys)


def test_the_picture_of_the_learners_inversion_waits_for_it(monkeypatch, capsys):
    shown = []
    monkeypatch.setattr(lesson, "show", lambda figure, alt: shown.append(alt))
    for unfinished in (lambda G, x, z: ..., lambda G, x, z: None, boom, lambda G, x, z: x):
        lesson.your_inversion(unfinished)
        assert capsys.readouterr().out == "The picture waits for your inversion.\n"
    assert shown == []
    lesson.your_inversion(lambda G, x, z: invert(G, x, z, steps=3).tolist())
    assert len(shown) == 1
