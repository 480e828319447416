import pytest
import torch
from dcgan_record import RECORD, VARIANTS, Flat, Shaped, game, weights

from gan_lessons import data, recipes


@pytest.fixture(scope="module")
def few():
    """Faces that are drawn at once."""
    return data.faces(64)


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_variant_plays(variant, few):
    trainer = game(0, data=few, batch_size=8, **VARIANTS[variant])
    trainer.step()
    assert trainer.sample(2).shape == (2, 3, 32, 32)
    assert trainer.discriminator(trainer.sample(2)).shape == (2,)


def test_as_it_is_is_the_recipe(few):
    ours, recipe = game(3, data=few), recipes.faces_quick(3, device="cpu", data=few)
    for one in (ours, recipe):
        one.step()
    assert torch.equal(ours.sample(1), ours.sample(1)) is False  # z is drawn anew
    for a, b in zip(ours.generator.parameters(), recipe.generator.parameters(), strict=True):
        assert torch.equal(a, b)


def test_fully_connected_players_have_as_many_weights():
    record = data.saved_record(RECORD.stem)
    assert [weights(Shaped()), weights(Flat())] == record["mlp"]["weights"]
