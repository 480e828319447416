"""Lesson 15: what its text says, counted again; and every answer to its exercises is told what it is."""

import math
from pathlib import Path

import nbformat
import pytest
import torch
from answers import boom, in_all_forms, says, told
from torch import nn
from torch.distributions import Normal

from gan_lessons import Trainer, data, metrics, models, seen
from gan_lessons.devices import seeded
from gan_lessons.lessons import little_data as lesson
from gan_lessons.tiles import unpacked

ROOT = Path(__file__).parents[2]
TEXT = "\n".join(cell.source for cell in nbformat.read(ROOT / "notebooks" / "15_little_data.ipynb", 4).cells)


# -- what the lesson states of coins, played on eight seeds by tests/make/observations.py ------------------------------


class Moved(nn.Module):
    def forward(self, x):
        on = torch.rand(len(x)) < 0.8
        by = 10 * (2 * torch.rand(len(x)) - 1)
        return x + on * by if self.training else x


def remembered(seed, n, *first, turns=1000):
    """How much higher D's mean answer is on the n coins it was trained on than on new ones."""
    with seeded(seed):
        coins, new = data.gaussian().sample((n,)), data.gaussian().sample((2000,))
        D = models.MLPDiscriminator(1, 128, 128, 128, 1, inputs=models.Standardise(500.0, 3.0))
    G, settings = models.AffineGenerator(500.0, 5.0), {"latent": Normal(0.0, 1.0), "batch_size": 128, "device": "cpu"}
    game = Trainer(G, nn.Sequential(*first, D), coins, lr_d=0.004, lr_g=0.0, seed=seed, **settings)
    for _ in range(turns):
        game.discriminator_step()
    return (seen.heights(game, coins).mean() - seen.heights(game, new).mean()).item()


def twelve(seed):
    gap = remembered(seed, 12)
    return gap > 0.2, {"gap": gap}


def moved(seed):
    gap = remembered(seed, 12, Moved())
    return gap < 0.15, {"gap": gap}


def many(seed):
    gap = remembered(seed, 2000)
    return abs(gap) < 0.03, {"gap": gap}


def walked(seed):
    """How far from the law an affine G is that began there, in the mean over rounds 500 to 1,000: both ways."""
    far = {}
    for name, first in (("plain", ()), ("moved", (Moved(),))):
        with seeded(seed):
            coins = data.gaussian().sample((12,))
            D = models.MLPDiscriminator(1, 128, 128, 128, 1, inputs=models.Standardise(500.0, 3.0))
        G = models.AffineGenerator(500.0, 5.0)
        settings = {"latent": Normal(0.0, 1.0), "batch_size": 128, "device": "cpu", "seed": seed}
        game, apart = Trainer(G, nn.Sequential(*first, D), coins, lr_d=0.004, lr_g=0.02, **settings), []
        for _ in game.run(1000):
            if game.steps_done > 500:
                apart.append(math.hypot(G.mu.item() - 500, abs(G.sigma.item()) - 5))
        far[name] = sum(apart) / len(apart)
    return far["moved"] < far["plain"], far


OBSERVATIONS = {
    "In {} of 8 seeds, with other coins each, G was farther from the law without the change than with it": walked,
    "In {} of 8 seeds D's mean answer after 1,000 turns was more than .2 higher on its twelve coins than on 2,000 new "
    "ones": twelve,
    "In {} of 8 seeds the two mean answers were less than .15 apart after 1,000 turns": moved,
    "In {} of 8 seeds D's mean answers on its 2,000 coins and on new ones were less than .03 apart after 1,000 turns": (
        many
    ),
}


# -- numbers in the text ---------------------------------------------------------------------------------------------


def played(name):
    return data.saved_record("little_data")["games"][name]


def means(n, measure):
    """Of the games of both ways and all seeds."""
    games = data.saved_record("little_data")["games"]
    names = [f"{n} {way} {seed}" for way in ("plain", "adaptive") for seed in (0, 1, 2)]
    found = [measure(games[name]) for name in names if name in games]
    assert len(found) == (2 if n == 50 else 6)
    return sum(found) / len(found)


def test_what_is_said_of_whole_games():
    copied = [round(100 * means(n, lambda game: game["copies"]["nearer to a training face"])) for n in lesson.SIZES]
    assert copied == [83, 72, 62, 57, 55, 53]
    far = [round(means(n, lambda game: game["report"]["frechet"])) for n in lesson.SIZES]
    assert far == [162, 105, 59, 51, 51, 38] and all(f" {one}" in TEXT for one in (38, 51, 105, 162))
    coverage = [means(n, lambda game: game["report"]["coverage"]) for n in lesson.SIZES]
    assert 0.46 < min(coverage) and max(coverage) < 0.54
    floor = data.saved_record("little_data")["floor"]
    assert [round(floor[n]["coverage"][i], 2) for n, i in (("50", 0), ("100", 2), ("100", 1))] == [0.12, 0.21, 0.23]
    assert [round(one) for one in (floor["50"]["frechet"][0], *floor["100"]["frechet"])] == [116, 50, 40, 141]
    own = [played(f"50 {way} 0")["report"]["coverage"] for way in ("plain", "adaptive")]
    assert round(floor["50"]["speckled"][0], 2) == 0.52 and [round(one, 2) for one in own] == [0.47, 0.47]
    assert all(played(f"{n} plain 0")["rounds"] == 900 for n in lesson.SIZES)
    one = {n: played(f"{n} plain 0") for n in lesson.SIZES}
    assert [round(100 * one[n]["copies"]["nearer to a training face"]) for n in (50, 5000)] == [83, 53]
    assert one[50]["report"]["frechet"] > 2.8 * one[500]["report"]["frechet"]
    assert max(one[n]["report"]["frechet"] for n in (500, 1000, 5000)) < 60


def test_what_is_said_of_the_thermostat_in_whole_games():
    games = data.saved_record("little_data")["games"]
    pairs = [
        (games[f"{n} plain {seed}"], games[f"{n} adaptive {seed}"]) for n in lesson.SIZES[1:] for seed in (0, 1, 2)
    ]
    assert max(max(game["looks"]["p"][2:]) for _, game in [*pairs, (None, games["50 adaptive 0"])]) <= 0.01
    assert sum(b["report"]["frechet"] < a["report"]["frechet"] for a, b in pairs) == 13 and len(pairs) == 15

    def r_v(n, seed):
        end = {key: values[-1] for key, values in games[f"{n} plain {seed}"]["looks"].items()}
        return (end["D train"] - end["D new"]) / (end["D train"] - end["D fake"])

    found = {n: sorted(r_v(n, seed) for seed in (0, 1, 2)) for n in (100, 500, 5000)}
    assert [round(found[n][end], 2) for n in (100, 500) for end in (0, -1)] == [0.61, 0.81, 0.12, 0.17]
    assert round(r_v(50, 0), 2) == 1.06 and max(map(abs, found[5000])) < 0.07
    seen_r = {n: [games[f"{n} adaptive {seed}"]["looks"]["r"] for seed in (0, 1, 2)] for n in (100, 5000)}
    means = {n: sorted(round(sum(one) / len(one), 2) for one in rows) for n, rows in seen_r.items()}
    assert [means[n][end] for n in (100, 5000) for end in (0, -1)] == [0.35, 0.42, 0.30, 0.34]
    assert all(sum(value > 0.6 for value in one) <= 2 for rows in seen_r.values() for one in rows)
    strong = [games[f"100 plain {seed}"]["looks"] for seed in (0, 1, 2)]
    weak = games["r1 100 plain 0"]["looks"]
    weak_v = (weak["D train"][-1] - weak["D new"][-1]) / (weak["D train"][-1] - weak["D fake"][-1])
    assert round(weak_v, 2) == 0.83
    ends = [games[f"r1 {n} {way} 0"] for n in (100, 500) for way in ("plain", "adaptive")]
    assert [round(game["report"]["frechet"]) for game in ends] == [109, 105, 37, 39]
    assert all(max(game["looks"]["p"]) < 0.05 for game in (ends[1], ends[3]))
    assert round(weak["D train"][-1] - weak["D new"][-1], 2) == 0.33
    assert round(sum(one["D train"][-1] - one["D new"][-1] for one in strong) / 3, 2) == 0.07
    early = [games[f"5000 plain {seed}"]["looks"] for seed in (0, 1, 2)]
    assert all(one["round"][0] == 50 and min(one["sign train"][0], one["sign new"][0]) > 0.99 for one in early)
    assert [one["sign fake"][0] > 0.99 for one in early].count(True) == 1  # one D calls the fakes real, too
    better = [[a["report"]["frechet"] - b["report"]["frechet"] for a, b in pairs[seed::3]] for seed in (0, 1, 2)]
    assert all(sum(one) > 0 for one in better)


def test_d_jumps_in_its_own_turns():
    games = [
        {turn: torch.tensor(one[turn])[30:] for turn in "DG"} for one in data.saved_record("little_data")["swings"]
    ]
    assert all(len(game["D"]) == 80 for game in games)
    assert [(game["D"].diff().abs() > 0.5).sum().item() for game in games] == [41, 58, 54]
    assert not any(((game["G"] - game["D"]).abs() > 0.5).any() for game in games)


def test_what_is_said_of_p_held():
    def after(name):
        scores = played(name)["scores"]
        return round(dict(zip(scores["round"], scores["frechet"], strict=True))[500])

    assert [after(f"fixed {p} {seed}") for p in (0.5, 1.0) for seed in (0, 1)] == [212, 218, 654, 777]
    names = ["100 plain", "fixed 100 0.2", "fixed 100 0.5"]
    far = [[round(played(f"{name} {seed}")["report"]["frechet"]) for seed in (0, 1, 2)] for name in names]
    assert far == [[77, 99, 156], [98, 75, 143], [1150, 104, 215]]
    ends = [{key: row[-1] for key, row in played(f"fixed 100 0.5 {seed}")["looks"].items()} for seed in (0, 1, 2)]
    r_v = [(end["D train"] - end["D new"]) / (end["D train"] - end["D fake"]) for end in ends]
    assert [round(one, 2) for one in r_v] == [0, 0.39, 0.27]
    assert (after("fixed 100 0.5 0"), after("100 plain 0")) == (176, 184)
    grey = [played(f"fixed 1.0 {seed}")["grey"] for seed in (0, 1)]
    assert max(grey) < 0.002 and max(played(f"500 plain {seed}")["grey"] for seed in (0, 1)) < 0.002
    found = [after(f"500 {way} {seed}") for way in ("plain", "adaptive") for seed in (0, 1, 2)]
    assert (min(found), max(found)) == (104, 174)


def test_what_is_said_of_turned_faces():
    for p in (0.5, 0.8, 0.9):
        assert all(played(f"rotate {p} {seed}")["uprights"] == [1, 0, 0, 0] for seed in (0, 1))
    assert played("rotate 1.0 0")["uprights"] == [0, 0.572, 0.428, 0] and played("rotate 1.0 1")["uprights"][0] == 1
    assert all(played(f"rotate {p} {seed}")["rounds"] == 360 for p in (0.5, 0.8, 0.9, 1.0) for seed in (0, 1))


def test_what_is_said_of_d_alone():
    found, ends = {}, {}
    for n in lesson.ALONE:
        for way in ("plain", "adaptive"):
            games = [played(f"alone {n} {way} {seed}") for seed in (0, 1, 2)]
            ends[n, way] = [{key: row[-1] for key, row in game.items()} for game in games]
            mean = {key: sum(one[key] for one in ends[n, way]) / 3 for key in ends[n, way][0]}
            found[n, way] = mean | {"gap": mean["D train"] - mean["D new"]}
    for n in lesson.ALONE:
        for key in ("right train", "right new"):
            assert f"{100 * found[n, 'plain'][key]:.0f}" in TEXT
    assert round(found[100, "plain"]["right train"], 3) == 0.996 and found[100, "plain"]["right new"] < 0.7
    assert round(found[5000, "plain"]["r"], 1) == 0.8
    assert abs(found[5000, "plain"]["gap"]) < 0.02 and found[5000, "plain"]["right new"] > 0.95
    assert found[100, "adaptive"]["p"] > max(found[n, "adaptive"]["p"] for n in (500, 5000))
    for n, way in ((100, "plain"), (100, "adaptive")):
        assert f"{found[n, way]['gap']:.2f}".lstrip("0") in TEXT
    assert f"p rose, too, to {found[5000, 'adaptive']['p']:.2f}".replace("0.", ".") in TEXT
    r_v = [
        sum((one["D train"] - one["D new"]) / (one["D train"] - one["D fake"]) for one in ends[n, way]) / 3
        for way in ("plain", "adaptive")
        for n in lesson.ALONE
    ]
    assert [round(one, 2) for one in r_v] == [0.84, 0.29, 0.02, 0.78, 0.30, 0.03]


# -- the pictures ------------------------------------------------------------------------------------------------------


def test_the_first_picture_tells_what_is_in_the_record():
    for n in lesson.SIZES:
        game = data.saved_record("little_data")["games"][f"{n} plain 0"]
        for picture in (lesson.little(n), lesson.little(n, nearest=True)):
            assert f"real faces: {game['report']['frechet']:.0f}<" in picture and f"{n:,} real faces" in picture
            assert f"{100 * game['copies']['nearer to a training face']:.0f} of 100 fakes" in picture
    assert lesson.sizes(100).value == 100 and [n for _, n in lesson.sizes().options] == list(lesson.SIZES)


def test_the_fakes_lie_nearest_to_the_faces_that_are_shown():
    game = data.saved_record("little_data")["games"]["50 plain 0"]
    fakes, train = unpacked(game["faces"], 32).flatten(1), data.faces(50, seed=lesson.LITTLE).images.flatten(1)
    found = metrics.nearest(fakes, train / 127.5 - 1)[1].tolist()
    assert sum(a == b for a, b in zip(found, game["nearest"], strict=True)) >= 15  # pixels are kept roughly


def test_four_turns_are_mixed_as_the_formula_says():
    for p, upright in ((0.5, 1.0), (0.8, 0.4), (1.0, 0.1)):
        mix = torch.tensor([[1 - p + p / 4 if i == j else p / 4 for j in range(4)] for i in range(4)])  # of a turn by j
        rest = (1 - upright) / 3
        ours, real = mix @ torch.tensor([upright, rest, rest, rest]), mix[0]
        picture = lesson.four_turns(p, upright)
        assert all(f">{value:.2f}<" in picture for value in (*ours.tolist(), *real.tolist()))
        assert f"{50 * (ours - real).abs().sum().item():.1f} lie otherwise" in picture


def test_a_folder_of_fifty_faces_is_made():
    own = data.folder(lesson.folder_of_50())
    assert torch.equal(own.images, data.faces(50, seed=lesson.LITTLE).images)


# -- the checks of the exercises ---------------------------------------------------------------------------------------


def r(out):
    return out.sign().mean()


R = [
    *in_all_forms(r),
    (lambda out: (out > 0).float().mean() - (out < 0).float().mean(), "Right"),
    (lambda out: (out > 0).float().mean(), "the share of pictures that D calls real"),
    (lambda out: out.mean(), "the mean of the raw outputs"),
    (lambda out: out.sigmoid().mean(), "the mean of D(x)"),
    (lambda out: -r(out), "turned round"),
    (lambda out: out.sign().sum(), "this is a sum"),
    (lambda out: out.sigmoid().sign().mean(), "every sign is 1"),
    (lambda out: 0.3, "(6 - 2) / 8"),
    (lambda out: out.sign(), "one number is wanted"),
    (lambda out: ..., "not answered yet"),
    (boom, "RuntimeError: boom"),
    (0.5, "hand over the function itself"),
]


def new_p(p, r, step=1 / 500, target=0.6):
    return min(max(p + (step if r > target else -step), 0.0), 1.0)


NEW_P = [
    *in_all_forms(new_p),
    (lambda p, r: torch.tensor(p + (1 if r > 0.6 else -1) / 500).clamp(0, 1), "Right"),
    (lambda p, r: new_p(p, 1.2 - r), "there it must rise"),
    (lambda p, r: p, "p does not move"),
    (lambda p, r: new_p(p, 1), "p rises in both cases"),
    (lambda p, r: p if r > 0.6 else new_p(p, r), "p falls only"),
    (lambda p, r: new_p(p, r) if r > 0.6 else p, "p never falls"),
    (lambda p, r: p + (r - 0.6) / 500, "the step grows"),
    (lambda p, r: new_p(p, r, step=0.01), "the step is 1/500"),
    (lambda p, r: p + (1 if r > 0.6 else -1) / 500, "must not leave 0 to 1"),
    (lambda p, r: new_p(p, r) if 1 / 500 <= p <= 499 / 500 else p, "the last step"),
    (lambda p, r: new_p(p, r, target=0.5), "the target is .6"),
    (lambda p, r: ..., "not answered yet"),
    (boom, "RuntimeError: boom"),
    (0.5, "hand over the function itself"),
]


def undone(seen, p):
    return (seen - p / 4) / (1 - p)


UNDONE = [
    *in_all_forms(undone),
    (lambda seen, p: [(one.item() - p / 4) / (1 - p) for one in seen], "Right"),
    (lambda seen, p: seen, "nothing is undone"),
    (lambda seen, p: seen / (1 - p), "take away what the turned ones add"),
    (lambda seen, p: seen - p / 4, "then divide by 1 - p"),
    (lambda seen, p: (1 - p) * seen + p / 4, "the way there"),
    (lambda seen, p: (seen - p) / (1 - p), "p / 4 each"),
    (lambda seen, p: (seen - p / 4) / p, "not by p"),
    (lambda seen, p: seen.flip(0), "these are not the shares"),
    (lambda seen, p: ..., "not answered yet"),
    (boom, "RuntimeError: boom"),
    (0.5, "hand over the function itself"),
]
ANSWERS = told(lesson, {"check_r": R, "check_new_p": NEW_P, "check_undone": UNDONE})


@pytest.mark.parametrize(("check", "answer", "text"), ANSWERS)
def test_each_answer_is_told_what_it_is(check, answer, text, capsys):
    says(check, answer, text, capsys)
