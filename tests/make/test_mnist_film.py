import pytest
import torch
from mnist_film import BLOCK, FROZEN, FROZEN_K, ROUNDS, means, play

from gan_lessons import data, recipes, seen
from gan_lessons.tiles import packed, unpacked


def test_the_film_is_that_game():
    """Its first frames and losses, played again."""
    kept = data.saved_record("mnist_quick_game")["game"]
    frames = unpacked(kept["film"]).reshape(len(ROUNDS), 40, 784)
    trainer = recipes.mnist_quick(seed=0, device="cpu")
    assert (frames[0] - seen.images(trainer)).abs().max() < 0.07  # half a grey of sixteen
    records = play(trainer, 25)
    assert (frames[1] - seen.images(trainer)).abs().mean() < 0.1  # sums may be taken in another order
    ours = means(records[:BLOCK], BLOCK)
    assert all(ours[name] == pytest.approx([kept["curves"][name][0]], abs=0.02) for name in ours)


def test_the_parts_of_the_record():
    record = data.saved_record("mnist_quick_game")
    assert record["game"]["rounds"] == list(ROUNDS) and len(record["game"]["legible"]) == len(ROUNDS)
    assert len(record["game"]["curves"]["loss_d"]) == ROUNDS[-1] // BLOCK
    for part, begin in zip(record["frozen"], (800, 2400), strict=True):
        assert part["begin"] == begin and part["rounds"] == list(FROZEN) and part["k"] == list(FROZEN_K)
        assert unpacked(part["film"]).shape == (8 * len(FROZEN), 784)
    assert unpacked(record["averaged"]["kinds"]).shape == (90, 784)


def test_images_come_back_as_they_were_but_for_their_greys():
    images = torch.rand(16, 784) * 2 - 1
    assert (unpacked(packed(images)) - images).abs().max() < 0.07
    assert torch.equal(unpacked(packed(images, 4)).reshape(4, 4, 784)[1, 2], unpacked(packed(images))[6])
