import pytest
from quick_search import LOOKS, SEEDS, VARIANTS, game
from torch.testing import assert_close

from gan_lessons import data, recipes


def test_unchanged_it_is_the_recipe():
    ours, quick = game(3), recipes.mnist_quick(3, device="cpu")
    assert ours.loss.name == quick.loss.name
    for trainer in (ours, quick):
        for _ in trainer.run(5):  # one of them with a penalty, and the first with the mean image
            pass
    assert_close(ours.state_dict(), quick.state_dict(), rtol=0, atol=0)


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_variant_changes_the_game(variant):
    """Two rounds, of few images, end elsewhere."""
    ends = []
    for trainer in (game(0, batch_size=8), game(0, **{"batch_size": 8} | VARIANTS[variant])):
        for _ in trainer.run(2):
            pass
        ends.append(str(trainer.state_dict()))
    assert (ends[0] == ends[1]) == (variant == "mnist_quick")


def test_the_rows_of_the_record():
    record, wanted = data.saved_record("quick_search"), [(one, seed) for one in VARIANTS for seed in SEEDS]
    assert [(row["variant"], row["seed"]) for row in record["rows"]] == wanted
    for row in record["rows"]:
        assert [int(step) for step in row["sure, coverage"]] == list(LOOKS)
        assert all(0 <= sure <= 1 and 0 <= coverage <= 1 for sure, coverage in row["sure, coverage"].values())
