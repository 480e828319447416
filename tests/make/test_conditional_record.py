import pytest
import torch
from conditional_record import GAMES, KINDS, UNSEEN, averaged, counted_digits, counted_faces, game, unseen

from gan_lessons import data
from gan_lessons.conditional import apart
from gan_lessons.tiles import unpacked


def test_nobody_has_long_hair_and_glasses():
    pairs = unseen(0, 1)
    assert not pairs.y[:, :2].all(dim=1).any() and len(pairs.asked(32).labels) == 12
    assert len(pairs) == (~data.faces().labels[:, :2].all(dim=1)).sum()
    assert KINDS[UNSEEN][:, :2].all() and UNSEEN.sum() == 4


@pytest.mark.parametrize("name", ["faces unseen 1", "faces discriminator 1", "digits generator 0"])
def test_a_game_is_played_and_counted(name):
    trainer = game(name, steps=3, batch_size=8)
    if "unseen" in name:
        assert not apart(trainer.sample(200), 4)[1][:, :2].all(dim=1).any()
    for _ in trainer.run():
        pass
    G, told = averaged(trainer), GAMES[name].get("told", "both")
    assert (trainer.generator.told, trainer.discriminator.told) == (told != "discriminator", told != "generator")
    if GAMES[name]["of"] == "digits":
        row = counted_digits(G, 8)
        read = torch.tensor(row["read"])
        assert read.shape == (10, 10) and read.sum(dim=1).tolist() == pytest.approx([1] * 10)
        assert unpacked(row["pictures"]).shape == (40, 784)
    else:
        row = counted_faces(G, n=8)
        pairs, read = torch.tensor(row["pairs"]), torch.tensor(row["read"])
        assert pairs.sum(dim=1).tolist() == pytest.approx([1] * 16)
        assert torch.allclose(pairs[:, 2] + pairs[:, 3], read[:, 0]) and torch.allclose(
            pairs[:, 1::2].sum(1), read[:, 1]
        )
        assert unpacked(row["pictures"], 32).shape == (16, 3, 32, 32)
        says = torch.where(KINDS == 1, read, 1 - read).mean(dim=0)
        assert row["accuracy"] == pytest.approx(says.tolist())
