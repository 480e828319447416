import pytest
from attributes_record import NAMES, OFF, RECORD, STEPS, counted, generator

from gan_lessons import attributes, data


@pytest.mark.slow
def test_the_record_again_with_fewer_faces():
    record = data.saved_record(RECORD.stem)
    assert record["steps"] == list(STEPS) and record["maps off"] == list(OFF)
    assert record["means of"] == list(attributes.COUNTS)
    old, new = record["generators"][0], counted(generator(None), n=400)
    assert new.keys() == old.keys()
    assert new["shares"] == pytest.approx(old["shares"], abs=0.12)
    assert new["accuracy"]["linear"] == pytest.approx(old["accuracy"]["linear"], abs=0.12)
    for name in NAMES:
        assert new["along"][name]["share"][-1] > 0.9 and new["sums"][name].keys() == old["sums"][name].keys()
        for carrier, row in new["sums"][name].items():
            assert row.keys() == old["sums"][name][carrier].keys()
            assert row["gap"] > old["sums"][name][carrier]["gap"] - 0.15  # few faces widen it
        assert {len(row) for key, row in new["switched off"][name].items() if key != "maps"} == {len(OFF)}
