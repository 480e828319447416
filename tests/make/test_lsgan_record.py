"""The games that lesson 12 counts: which are played, and what is kept of them."""

import lsgan_record
import pytest
import torch

from gan_lessons import data, losses, recipes
from gan_lessons.lessons import lsgan as lesson
from gan_lessons.tiles import unpacked


def test_what_is_other_than_in_the_recipe():
    variants = lsgan_record.variants(5.0)
    assert set(variants) == set(lesson.NAMES)
    assert {name: one["r1"] for name, one in variants.items() if "R1" in name} == {
        "minimax, R1": 5,
        "non_saturating, R1": 5,
        "least_squares, R1": 20,
        "coded(-1, 1, 0), R1": 20,
        "relativistic, R1, R2": 5,
    }
    assert all(one["r1"] == 0 for name, one in variants.items() if "R1" not in name)
    trainer = lsgan_record.game("digits", "coded(-1, 1, 0), R1", 3, "cpu")
    same = recipes.mnist_quick(3, "cpu", loss=losses.coded(-1, 1, 0), r1=2.0)
    assert (trainer.loss.name, trainer.r1, trainer.penalty_every) == (same.loss.name, same.r1, same.penalty_every)
    x = torch.ones(2, 784)
    assert torch.equal(trainer.discriminator(x), same.discriminator(x))


def test_near_rest_a_penalty_four_times_as_large_is_as_strong():
    """Around l = 0, D = 1/2: both losses and penalties of an output l = 4 D - 2, up to a common factor."""
    logits = torch.linspace(-0.01, 0.01, 5, dtype=torch.double)
    cross = torch.stack([losses.non_saturating.discriminator(one[None], -one[None]) for one in logits])
    square = torch.stack(
        [losses.least_squares.discriminator((one[None] + 2) / 4, (2 - one[None]) / 4) for one in logits]
    )
    bend = [one.diff().diff()[1] for one in (cross, square)]  # of equal steps
    steepness = 1, 1 / 16  # |dD/dx|^2 for |dl/dx| = 1
    assert lsgan_record.SQUARES * steepness[1] / bend[1] == pytest.approx((steepness[0] / bend[0]).item(), rel=1e-3)


@pytest.mark.parametrize("on", ["ring", "digits"])
def test_a_rehearsal(on):
    found = lsgan_record.row((on, "least_squares", 0), "cpu", share=0.002)
    assert found["seconds"] >= 0 and ("modes" if on == "ring" else "frechet") in found
    if on == "digits":
        assert unpacked(found["fakes"], 28).shape == (8, 784)
    else:
        assert torch.tensor(found["fakes"]).shape == (200, 2)


def test_the_record_has_what_the_lesson_shows():
    record = data.saved_record("lsgan")
    assert record["made by"] == "python tests/make/lsgan_record.py" and record["rounds"] == lsgan_record.ROUNDS
    for on, variant, seed in lsgan_record.jobs():
        if on != "ship":
            assert str(seed) in record["rows"][on][variant]
