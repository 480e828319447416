import json

from mnist_record import record

from gan_lessons import data, recipes


def train(folder, epochs):
    settings = {"data": data.mnist("train")[:100], "batch_size": 20, "device": "cpu"}
    record("tiny", recipes.mnist_quick(steps=5 * epochs, **settings), folder, folder)
    return json.loads((folder / "tiny.json").read_text())


def test_a_record_goes_on_where_it_was_stopped(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    whole = train(tmp_path / "a", epochs=4)
    assert whole["epochs"] == 4 and len(whole["d_real"]) == 4
    train(tmp_path / "b", epochs=2)
    assert train(tmp_path / "b", epochs=4) == whole


def test_the_shipped_records_are_whole():
    for name in ("mnist", "mnist_paper"):
        kept = data.saved_record(name)
        assert 0 < kept["epochs"] <= kept["epochs planned"]
        assert all(len(kept[field]) == kept["epochs"] for field in ("loss_d", "loss_g", "d_real", "d_fake"))
