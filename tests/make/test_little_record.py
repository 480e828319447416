import json

import pytest
import torch
from little_record import copies, games, leaks, main, rounded, uprights

from gan_lessons import data
from gan_lessons.portraits import LITTLE
from gan_lessons.tiles import unpacked


def test_the_games_are_all_there():
    played = games(1500)
    assert {name.split()[1] for name in played if name[0].isdigit()} == {"plain", "adaptive"}
    for n in (100, 250, 500, 1000, 5000):
        assert all(f"{n} {way} {seed}" in played for way in ("plain", "adaptive") for seed in (0, 1, 2))
    assert all(name.split()[-1] == str(one["seed"]) for name, one in played.items())


def test_turned_faces_are_told():
    x = data.faces(60, seed=8).images / 127.5 - 1
    turned = torch.cat([x[:30], x[30:50].rot90(1, (2, 3)), x[50:].rot90(2, (2, 3))])
    assert uprights(turned) == pytest.approx([30 / 60, 20 / 60, 10 / 60, 0])


def test_copies_are_told():
    train = data.faces(50, seed=LITTLE)
    copied = copies(train.images[[3, 7, 9]] / 127.5 - 1, train, 50)
    assert copied["copies"]["nearer to a training face"] == 1 and copied["copies"]["to training"] < 1e-3
    assert copied["nearest"] == [3, 7, 9]
    fresh = copies(data.faces(400, seed=6).images / 127.5 - 1, train, 50)
    assert fresh["copies"]["nearer to a training face"] == pytest.approx(0.5, abs=0.12)


def test_grey_is_counted():
    x = torch.ones(2, 3, 4, 4)
    x[0, :, :2] = 0
    assert leaks(x)["grey"] == 0.25 and leaks(x)["bright"] == pytest.approx(0.5 / 2**0.5)
    assert rounded({"a": [0.12345, 3]}) == {"a": [0.123, 3]}


@pytest.mark.slow
def test_a_short_game_and_where_it_stopped(tmp_path, monkeypatch, capsys):
    record = tmp_path / "record.json"
    monkeypatch.setattr("little_record.floor", dict)
    main(record, 3, "cpu", 1, 0.0, "500 plain 0")
    row = json.loads(record.read_text())["games"]["500 plain 0"]
    assert row["rounds"] == 3 and row["looks"]["round"] == [3] and row["report"]["n"] == 2000
    assert unpacked(row["faces"], 32).shape == (16, 3, 32, 32)
    assert {"D train", "D new", "D fake"} < row["looks"].keys() and "p" not in row["looks"]
    for name in ("frechet", "coverage", "kinds"):
        assert row["scores"][name] == [pytest.approx(row["report"][name], rel=0.01)]
    before = record.read_bytes()
    capsys.readouterr()
    main(record, 3, "cpu", 1, 0.0, "500 plain 0")
    assert record.read_bytes() == before and capsys.readouterr().out == ""
