"""Lesson 15: what its text says, counted again; and every answer to its exercises is told what it is."""

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
    return gap > 0.1, {"gap": gap}


def moved(seed):
    gap = remembered(seed, 12, Moved())
    return gap < 0.05, {"gap": gap}


def many(seed):
    gap = remembered(seed, 2000)
    return abs(gap) < 0.03, {"gap": gap}


OBSERVATIONS = {
    "In {} of 8 seeds D's mean answer after 1,000 turns was more than .1 higher on its twelve coins than on 2,000 new "
    "ones": twelve,
    "In {} of 8 seeds the two mean answers were less than .05 apart after 1,000 turns": moved,
    "In {} of 8 seeds D's mean answers on its 2,000 coins and on new ones were less than .03 apart after 1,000 turns": (
        many
    ),
}


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
