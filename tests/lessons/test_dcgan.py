"""Lesson 11: what its text says, counted again; and every answer to its exercises is told what it is."""

import statistics
from pathlib import Path

import nbformat
import pytest
import torch
from answers import boom, in_all_forms, says, spoiling, told
from torch import nn

from gan_lessons import attributes, data, pretrained
from gan_lessons.devices import seeded
from gan_lessons.lessons import dcgan as lesson
from gan_lessons.views import attributes as views

ROOT = Path(__file__).parents[2]
TEXT = "\n".join(cell.source for cell in nbformat.read(ROOT / "notebooks" / "11_dcgan.ipynb", 4).cells)
LONG, GLASSES, SMILE, DARK = range(4)


# -- what the lesson states of sliders, played on eight sets of draws by tests/make/observations.py --------------------


def moved(seed, steps):
    """Attributes of 500 faces before and after steps along directions."""
    G = pretrained.load("faces_dcgan", average=True)
    read = attributes.reading(G)
    with seeded(seed):
        z = G.latent.sample((500,))
    change = sum(step * views.directions()[a] for a, step in steps.items())
    return read(z), read(z + change)


def smiles(seed):
    before, after = moved(seed, {SMILE: 3})
    got, changed = after[:, SMILE].double().mean().item(), (after != before)[:, GLASSES].double().mean().item()
    return got > 0.95 and changed < 0.1, {"smile": got, "glasses changed": changed}


def two_steps(seed):
    _, after = moved(seed, {GLASSES: 3, LONG: 3})
    both = (after[:, GLASSES] & after[:, LONG]).double().mean().item()
    return both > 0.9, {"both": both}


def dark_and_long(seed):
    before, after = moved(seed, {DARK: 3})
    changed = (after != before).double().mean(dim=0)
    holds = changed[LONG] > 0.1 and changed[SMILE] < changed[LONG]
    return bool(holds), {"long hair changed": changed[LONG].item(), "smile changed": changed[SMILE].item()}


OBSERVATIONS = {
    "In {} of 8 sets of 500 draws a step of 3 along the smile gave it to more than 95 in 100, and of the glasses fewer "
    "than 10 in 100 changed": smiles,
    "In {} of 8 sets of 500 draws more than 90 in 100 had both after two steps of 3": two_steps,
    "in {} of 8 sets of 500 draws a step of 3 along dark hair changed the length of the hair of more than 10 in 100, "
    "and the smile of fewer": dark_and_long,
}


# -- numbers in the text ---------------------------------------------------------------------------------------------


def counts():
    return data.saved_record("attributes")["generators"]


@pytest.mark.slow
def test_the_record_is_of_the_generator_that_ships():
    z, yes = views.draws()
    assert yes.double().mean(dim=0).tolist() == pytest.approx(counts()[0]["shares"], abs=0.04)
    for a, name in enumerate(lesson.NAMES):
        moved = attributes.along(attributes.reading(views.generator()), z[:500], views.directions()[a], [1.0])[0]
        assert moved[0, a].item() == pytest.approx(counts()[0]["along"][name]["share"][4], abs=0.08)


def test_what_is_said_of_rules_and_steps():
    for row in counts():
        accuracy = {name: torch.tensor(values) for name, values in row["accuracy"].items()}
        assert (accuracy["linear"] > accuracy["commoner"] + 0.15).all()
        assert all(along["share"][-1] > 0.97 for along in row["along"].values())
    z, read = views.draws()[0][:500], attributes.reading(views.generator())
    changed = torch.stack([(read(z + 3 * way) != read(z)).double().mean(dim=0) for way in views.directions()])
    assert 0.38 < changed[DARK, LONG] < 0.5 and 0.1 < changed[LONG, DARK] < 0.25
    assert max(changed[a, b] for a in range(4) for b in range(4) if a != b and {a, b} != {DARK, LONG}) < 0.1
    assert (views.directions()[DARK] @ views.directions()[LONG]).item() == pytest.approx(-0.06, abs=0.01)
    before, moved = read(z), z + 3 * views.directions()[DARK]
    after = read(moved)
    lost = [
        ((before[:, LONG] == had) & (after[:, LONG] != had)).sum() / (before[:, LONG] == had).sum() for had in (0, 1)
    ]
    assert lost[0] > 0.75 and lost[1] < 0.08  # short hair becomes long, and hardly ever the other way
    brought = (read(attributes.usual(moved)) != before).double().mean(dim=0)
    assert (brought - changed[DARK]).abs().max() < 0.03
    for a in (GLASSES, SMILE):
        others = [b for b in range(4) if b != a]
        some = (read(z + 3 * views.directions()[a]) != read(z))[:, others].any(dim=1).double().mean()
        assert 0.04 < some < 0.13  # about 1 in 10
    linear, net = (counts()[0]["accuracy"][name] for name in ("linear", "net"))
    assert abs(linear[DARK] - linear[SMILE]) < 0.02 and net[LONG] > linear[LONG] + 0.08
    assert all(net[a] < linear[a] + 0.005 for a in (GLASSES, SMILE))


def test_what_is_said_of_sums():
    hair = {("long hair", "dark hair"), ("dark hair", "long hair")}
    sums = {(a, b): row for a, rows in counts()[0]["sums"].items() for b, row in rows.items()}
    for pair, row in sums.items():
        if pair in hair:
            assert row["both"][-1] < 0.75 and row["has_a"][-1] > 0.9 and row["without_b"][-1] < 0.75
        else:
            assert row["both"][-1] > 0.95 and row["chance"][-1] < 0.06
        assert 0.3 < row["both"][0] < 0.75 and row["both"][0] > row["chance"][0] + 0.15
    assert [round(100 * sums[pair]["both"][-1]) for pair in sorted(hair)] == [8, 46]
    assert "with other means, it is 8 and 46" in TEXT
    assert all(sums[pair]["has_a"][-1] > 0.99 for pair in hair)
    assert min(sums[pair]["gap"] for pair in hair) > max(row["gap"] for pair, row in sums.items() if pair not in hair)
    z, yes = views.draws(16_000)
    gap = {(a, b): attributes.gap(z, yes, lesson.NAMES.index(a), lesson.NAMES.index(b)) for a, b in sums}
    assert max(gap[pair] for pair in sums if pair not in hair) < 0.2
    assert sorted(round(gap[pair], 1) for pair in hair) == [0.5, 0.6]


def test_what_is_said_of_shorter_steps():
    (z, yes), read = views.draws(4000), attributes.reading(views.generator())
    for a, b in ((DARK, LONG), (LONG, DARK)):
        with seeded(1):
            half, whole = (attributes.sums(read, z, yes, a, b, 50, 200, part) for part in (0.5, 1.0))
        assert half.both > 0.95 and whole.both < 0.6 and whole.has_a > 0.99
    kinds = {(p, q): z[(yes[:, LONG] == p) & (yes[:, DARK] == q)].mean(dim=0) for p in (0, 1) for q in (0, 1)}
    towards_dark = [(kinds[1, dark] - kinds[0, dark]) @ views.directions()[DARK] for dark in (0, 1)]
    assert towards_dark[0] < -0.3 and towards_dark[1] > 0.2  # longer hair: slanted one way, and the other
    for a, b in ((GLASSES, SMILE), (SMILE, GLASSES)):
        with seeded(1):
            half, whole = (attributes.sums(read, z, yes, a, b, 50, 200, part) for part in (0.5, 1.0))
        assert half.both < whole.both - 0.05 and whole.both > 0.98


def test_what_is_said_of_maps():
    off = counts()[0]["switched off"]
    for name in ("glasses", "smile"):
        assert off[name]["rests on"][-1][0] > 0.9 and off[name]["random"][-1][0] < 0.5
    share = {name: row["rests on"][-1][2] / row["rests on"][-1][0] for name, row in off.items()}
    assert share["smile"] > 0.9 and 0.68 < share["glasses"] < 0.82 and 0.68 < share["dark hair"] < 0.82
    assert off["long hair"]["rests on"][-1][0] < 0.15
    assert {*off["glasses"]["maps"][:3]} == {*off["dark hair"]["maps"][:3]}


def test_what_is_said_of_labels():
    record = data.saved_record("dcgan")["labels"]
    wrong = {name: 1 - torch.tensor(rows).mean(dim=1) for name, rows in record["right"].items()}
    at = {n: i for i, n in enumerate(record["labels"])}
    D, pixels, fresh = wrong["D's last layer"], wrong["pixels"], wrong["a D that has not learned"]
    assert [round(1000 * wrong.item()) for wrong in (pixels[at[200]], D[at[200]], pixels[at[1000]])] == [8, 3, 4]
    assert D[at[1000]] < 0.001 and (D < pixels).all() and (D[at[200] :] < pixels[at[200] :] / 2).all()
    assert (fresh[at[50] :] > pixels[at[50] :] * 0.95).all()


def test_what_is_said_of_short_games():
    games = data.saved_record("dcgan")
    ours, mlp = games["rules"]["as it is"]["0"], games["mlp"]
    assert (round(100 * mlp["coverage"]), round(100 * ours["coverage"])) == (4, 27) and mlp["rounds"] == 3400
    assert (mlp["kinds"], ours["kinds"]) == (14, 16) and 4.5 < mlp["frechet"] / ours["frechet"] < 5
    assert mlp["seconds"] == pytest.approx(ours["seconds"], rel=0.05)
    distances = {name: sorted(game["frechet"] for game in games.values()) for name, games in games["rules"].items()}
    assert {len(values) for values in distances.values()} == {3}
    usual = distances.pop("as it is")
    for name in ("Adam with momentum 0.9", "G without batch norm"):
        assert 9 < statistics.median(distances[name]) / statistics.median(usual) < 16
        assert distances.pop(name)[0] > 4 * usual[-1]
    _, middle, bad = distances.pop("no R1")
    assert bad > 5 * usual[-1] and middle < 1.25 * usual[-1]
    for name in ("hidden fully connected layers", "D pools, no strides"):
        assert (
            2 < statistics.median(distances[name]) / statistics.median(usual) < 3 and distances.pop(name)[0] > usual[-1]
        )
    for name in ("ReLU in D", "D with batch norm"):
        assert distances[name][0] < usual[-1] < distances.pop(name)[-1]
    assert set(distances) == {"LeakyReLU in G", "G repeats pixels, no transposed convolutions"}
    assert all(values[-1] < usual[-1] and values[0] < usual[0] for values in distances.values())
    without, usual = (
        {seed: game["push"] for seed, game in games["rules"][name].items() if "push" in game}
        for name in ("no R1", "as it is")
    )
    assert len(without) == 2 and all(4 < push / usual[seed] < 8 for seed, push in without.items())


def test_both_kinds_of_short_hair_lie_close_together():
    z, yes = views.draws()
    mean = {
        (a, b): z[(yes[:, LONG] == a) & (yes[:, DARK] == b)].mean(dim=0) for a in (False, True) for b in (False, True)
    }
    short, long = ((mean[a, True] - mean[a, False]).norm() for a in (False, True))
    assert 0.5 < short / long < 0.65


def test_the_sliders_say_what_is_in_the_picture():
    picture = views.moved(glasses=3.0)
    assert "glasses 10" in picture and views.NAME in picture
    assert views.moved() != picture and views.moved(seed=1) != views.moved()


def test_both_kinds_of_players_have_as_many_weights():
    games = data.saved_record("dcgan")
    for ours, theirs in zip(games["quick"]["weights"], games["mlp"]["weights"], strict=True):
        assert theirs == pytest.approx(ours, rel=0.1)


# -- the checks of the exercises ---------------------------------------------------------------------------------------


def layers(*, begin=4, last=nn.Tanh, bend=nn.ReLU, out=3):
    up = [nn.ConvTranspose2d(a, b, kernel_size=4, stride=2, padding=1) for a, b in ((16, 8), (8, 8), (8, out))]
    bends = [bend() for _ in range(3)]
    start = [nn.Linear(32, 16 * begin**2), nn.Unflatten(1, (16, begin, begin))]
    return nn.Sequential(*start, *(part for pair in zip(bends, up, strict=True) for part in pair), last())


def one_step():
    return nn.Sequential(
        *(nn.Linear(32, 16 * 16), nn.Unflatten(1, (16, 4, 4)), nn.ReLU()),
        *(nn.ConvTranspose2d(16, 3, kernel_size=8, stride=8), nn.Tanh()),
    )


def flat():
    return nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 3072), nn.Tanh(), nn.Unflatten(1, (3, 32, 32)))


LAYERS = [
    (layers, "Right"),
    (lambda: list(layers()), "Right"),
    (lambda: layers(bend=lambda: nn.LeakyReLU(0.2)), "Right"),
    (lambda: nn.Sequential(*list(layers())[:2], nn.BatchNorm2d(16), *list(layers())[2:]), "Right"),
    (lambda: layers(begin=2), "yours are (4, 3, 16, 16)"),
    (lambda: layers(out=1), "yours are (4, 1, 32, 32)"),
    (lambda: layers(last=nn.Identity), "end with nn.Tanh()"),
    (lambda: layers(bend=nn.Identity), "one linear map"),
    (flat, "no layer is a transposed convolution"),
    (one_step, "double three times"),
    (lambda: nn.Sequential(nn.Linear(32, 8), nn.ReLU(), nn.Linear(8, 256), *list(layers())[1:]), "one linear layer"),
    (lambda: nn.Sequential(nn.Linear(32, 10), *list(layers())[1:]), "Unflatten cannot take what comes to it"),
    (lambda: nn.Sequential(nn.Linear(100, 10)), "Linear cannot take what comes to it, of shape (4, 32)"),
    (lambda: nn.ReLU(), "return nn.Sequential"),
    (lambda: ..., "not answered yet"),
    (boom, "RuntimeError: boom"),
    (3, "hand over the function itself"),
]


def arithmetic(a, b, c):
    z = a.mean(dim=0) - b.mean(dim=0) + c.mean(dim=0)
    return z / z.norm() * 32**0.5


def usual(z):
    return z / z.norm() * 32**0.5


ARITHMETIC = [
    *in_all_forms(arithmetic),
    (lambda a, b, c: arithmetic(a, b, c)[None], "Right"),
    (lambda a, b, c: a.mean(0) - b.mean(0) + c.mean(0), "bring it back to the usual length"),
    (lambda a, b, c: usual(a.mean(0) + b.mean(0) - c.mean(0)), "take without away"),
    (lambda a, b, c: usual(b.mean(0) - a.mean(0) + c.mean(0)), "the other way round"),
    (lambda a, b, c: usual(a.mean(0) - b.mean(0)), "start is missing"),
    (lambda a, b, c: arithmetic(a, b, c) / 32**0.5, "the length is 1 now"),
    (lambda a, b, c: arithmetic(a, b, c) * 32**0.5, "the length is 32 now"),
    (lambda a, b, c: usual(a.sum(0) - b.sum(0) + c.sum(0)), "not means"),
    (lambda a, b, c: usual(a[0] - b[0] + c[0]), "the first of each group"),
    (lambda a, b, c: usual(usual(a.mean(0)) - usual(b.mean(0)) + usual(c.mean(0))), "made longer before the sum"),
    (lambda a, b, c: a.mean() - b.mean() + c.mean(), "dim=0"),
    (lambda a, b, c: usual(c.mean(0)), "the length is right"),
    (spoiling(lambda a, b, c: a.sum(0)), "the length is 0.00"),
    (lambda a, b, c: ..., "not answered yet"),
    (boom, "RuntimeError: boom"),
    (3, "hand over the function itself"),
]


def switch(G, z, off):
    maps = G.net[:-2](z)
    maps[:, off] = 0
    return G.net[-2:](maps)


def other(where):
    def answer(G, z, off):
        maps = G.net[:-2](z)
        maps[where(off)] = 0
        return G.net[-2:](maps)

    return answer


def for_good(G, z, off):
    G.net[-2].weight.data[off] = 0
    return G(z)


SWITCH = [
    *in_all_forms(switch),
    (lambda G, z, off: attributes.switched_off(G, off)(z), "Right"),
    (lambda G, z, off: torch.cat([switch(G, one[None], off) for one in z]), "Right"),
    (for_good, "weights have changed"),
    (lambda G, z, off: G(z), "nothing is switched off"),
    (lambda G, z, off: G.net[:-2](z), "these are the maps"),
    (other(lambda off: off), "faces were switched off"),
    (other(lambda off: (slice(None), slice(None), off)), "rows of each map"),
    (other(lambda off: (slice(None), [0, 2, 4])), "the other way round"),
    (other(lambda off: (slice(None), off[:1])), "only the first"),
    (other(lambda off: (slice(None), off[-1])), "only the last"),
    (lambda G, z, off: switch(G, z, off).atanh(), "the tanh is missing"),
    (lambda G, z, off: switch(G, z, off) + 1, "these are not the faces"),
    (lambda G, z, off: switch(G, z, off)[0], "a tensor of shape (7, 3, 8, 8)"),
    (lambda G, z, off: ..., "not answered yet"),
    (boom, "RuntimeError: boom"),
    (3, "hand over the function itself"),
]
ANSWERS = told(lesson, {"check_layers": LAYERS, "check_arithmetic": ARITHMETIC, "check_switch": SWITCH})


@pytest.mark.parametrize(("check", "answer", "text"), ANSWERS)
def test_each_answer_is_told_what_it_is(check, answer, text, capsys):
    says(check, answer, text, capsys)


def test_stretching_makes_sums_of_hair_with_hair_fail():
    """Sums of means of 50, left as they are and brought to the usual length: 200 of each."""
    G, long_hair, dark = pretrained.load("faces_dcgan"), 0, 3
    with seeded(0):
        z = G.latent.sample((4000,))
        has = pretrained.reader()(G(z)) > 0  # (4000, 4)

        def means(a: bool, b: bool) -> torch.Tensor:
            of_kind = z[(has[:, dark] == a) & (has[:, long_hair] == b)]
            return of_kind[torch.randint(len(of_kind), (200, 50))].mean(dim=1)  # (200, 32)

        sums = means(True, True) - means(False, True) + means(False, False)
    hits = []
    for x in (sums, sums / sums.norm(dim=1, keepdim=True) * 32**0.5):
        read = pretrained.reader()(G(x)) > 0
        hits.append((read[:, dark] & ~read[:, long_hair]).double().mean().item())
    assert 1.5 < sums.norm(dim=1).mean() < 2.5 and hits[0] > hits[1] + 0.2
