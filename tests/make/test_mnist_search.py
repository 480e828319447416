"""The record of the search for `recipes.mnist_best`, and the figure it led to, computed once more."""

import json

import mnist_search
import pytest
import torch

from gan_lessons import data, metrics, pretrained
from gan_lessons.devices import seeded

TEST = "the 10,000 test images"
ROWS = data.saved_record("mnist_search")["rows"]


def test_a_row_takes_the_place_of_its_own_kind_only(tmp_path, monkeypatch):
    monkeypatch.setattr(mnist_search, "RECORD", tmp_path / "record.json")
    mnist_search.RECORD.write_text('{"made by": "x", "rows": []}')
    row = {"variant": "k = 2", "seed": 0, "epochs": 5, "weights": "raw", "images": TEST}
    for change in ({"parzen": 1}, {"parzen": 2}, {"seed": 1, "parzen": 3}, {"epochs": 10, "parzen": 4}):
        mnist_search.note(row | change)
    record = json.loads(mnist_search.RECORD.read_text())
    assert record["made by"] == "x" and [kept["parzen"] for kept in record["rows"]] == [2, 4, 3]
    assert [path.name for path in tmp_path.iterdir()] == ["record.json"]


def test_the_best_was_scored_on_test_with_three_seeds():
    scored = {(row["seed"], row["weights"]): row for row in ROWS if row["images"] == TEST}
    assert sorted(scored) == [(seed, weights) for seed in range(3) for weights in ("averaged", "raw")]
    for seed in range(3):
        raw, averaged = scored[seed, "raw"], scored[seed, "averaged"]
        assert raw["variant"] == averaged["variant"] == "mnist_best" and raw["n"] == averaged["n"] == 10_000
        assert averaged["parzen"] > 225 and averaged["coverage"] > raw["coverage"]


@pytest.mark.slow
@torch.no_grad()
def test_the_shipped_best_scores_what_its_card_says():
    card = pretrained.card("mnist_best")["metrics"]["averaged"]
    G = pretrained.load("mnist_best")
    with seeded(0):
        x = G(G.latent.sample((10_000,)))
    figures = metrics.report(x, sigma=card["sigma"])
    for name, value in card.items():
        assert figures[name] == pytest.approx(value, rel=0.01), name
    (seed_0,) = (r for r in ROWS if (r["images"], r["seed"], r["weights"]) == (TEST, 0, "averaged"))
    assert seed_0["parzen"] == pytest.approx(figures["parzen"], abs=2)  # its own draws and batch-norm statistics
