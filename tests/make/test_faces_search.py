import pytest
from faces_search import LOOKS, SEEDS, VARIANTS, game, table
from torch.testing import assert_close

from gan_lessons import data, recipes

FEW = data.faces(64)


def test_unchanged_it_is_the_recipe():
    ours, quick = game(3, data=FEW), recipes.faces_quick(3, device="cpu", data=FEW)
    for trainer in (ours, quick):
        for _ in trainer.run(5):  # one of them with a penalty
            pass
    assert_close(ours.state_dict(), quick.state_dict(), rtol=0, atol=0)


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_variant_changes_the_game(variant):
    """Two rounds, of few images, end elsewhere."""
    ends = []
    for changed in ({}, VARIANTS[variant]):
        trainer = game(0, **{"batch_size": 8, "data": FEW, "steps": 4} | changed)
        for _ in trainer.run(2):
            pass
        ends.append(str(trainer.state_dict()))
    assert (ends[0] == ends[1]) == (variant == "faces_quick")


def test_the_rows_of_the_record():
    record = data.saved_record("faces_search")
    wanted = [(variant, seed) for variant in VARIANTS for seed in SEEDS.get(variant, (0,))]
    played = [(row["variant"], row["seed"]) for row in record["rows"]]
    assert played == wanted[: len(played)]  # in this order; what is not played yet the script goes on with
    for row in record["rows"]:
        assert [int(rounds) for rounds in row["rounds"]] == list(LOOKS)
    for row in record["rows"] + record["first tries"]:
        for marks in (marks for both in row["rounds"].values() for marks in both.values()):
            if (
                abs(marks["share off by"] - 0.05) < 0.012
            ):  # good is measured against real faces, with shares of their own
                continue
            alike = marks["share off by"] <= 0.05 and marks["kinds"] == 16 and abs(marks["grain"] - 1) <= 0.15
            assert marks["good"] == alike, (row["variant"], marks)


def test_the_table_has_a_line_for_each_row():
    rows = data.saved_record("faces_search")["first tries"][:5]
    lines = table(rows).splitlines()
    assert len(lines) == 6 and all(row["variant"] in line for row, line in zip(rows, lines[1:], strict=True))
