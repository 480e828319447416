import pytest
import torch
from faces_kinds import GAMES, KINDS, LONG, LOOKS, SEEDS, SHOWN, SHOWN_AT, SHOWN_SEED, counted, game, played
from torch.testing import assert_close

from gan_lessons import data, tiles


@pytest.fixture(scope="module")
def record():
    return data.saved_record("faces_kinds")


def test_the_record_is_whole(record):
    assert sorted((row["game"], row["seed"]) for row in record["rows"]) == sorted(
        (name, seed) for name, seeds in SEEDS.items() for seed in seeds
    )
    assert record["kinds"] == {name: share for name, (_, share) in KINDS.items()}
    for row in record["rows"]:
        shown = row["seed"] == SHOWN_SEED
        assert [int(rounds) for rounds in row["shares"]] == list(LONG if shown else LOOKS)
        for shares in row["shares"].values():
            assert len(shares) == len(KINDS) + 1 and min(shares) >= 0 and sum(shares) == pytest.approx(1, abs=0.002)
        assert list(row.get("faces", {})) == [str(rounds) for rounds in SHOWN_AT if shown]
        for kept in row.get("faces", {}).values():
            assert tiles.unpacked(kept, side=32).shape == (SHOWN, 3, 32, 32)


def test_kinds_are_counted_as_the_labels_say():
    """Of all sixteen kinds, each one face in so many: read from pixels, counted against the labels."""
    people = data.faces(2000, seed=5)
    kinds = [(people.labels == torch.tensor(kind)).all(dim=1).double().mean().item() for kind, _ in KINDS.values()]
    assert counted(people.images / 127.5 - 1) == pytest.approx([*kinds, 1 - sum(kinds)], abs=0.0025)


def test_without_batch_norm_all_else_is_as_it_was():
    """The same weights to begin with, the same data, and the same settings."""
    fast, without = (game(3, **GAMES[name]) for name in list(GAMES)[1:])
    assert torch.equal(fast.data.images, without.data.images)
    assert (fast.lr_d, fast.lr_g, fast.r1) == (without.lr_d, without.lr_g, 0.0)
    assert (fast.k, fast.batch_size, fast.penalty_every) == (without.k, without.batch_size, without.penalty_every)
    assert fast.lr_g == pytest.approx(3 * fast.lr_d) and fast.loss.name == without.loss.name
    assert [group["betas"] for group in without.optimizer_g.param_groups] == [(0.0, 0.99)]
    assert_close(without.discriminator.state_dict(), fast.discriminator.state_dict(), rtol=0, atol=0)
    norms = {f"net.{i}." for i, layer in enumerate(fast.generator.net) if isinstance(layer, torch.nn.BatchNorm2d)}
    rest = [one for name, one in fast.generator.state_dict().items() if not name.startswith(tuple(norms))]
    assert len(norms) == 3
    assert_close([*without.generator.state_dict().values()], rest, rtol=0, atol=0)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["faces_quick", list(GAMES)[-1]])
def test_some_rounds_as_recorded(name, record):
    """Fifty rounds, some 8 s each. Rounding grows, so on another machine the shares may be others by a little."""
    row = next(row for row in record["rows"] if (row["game"], row["seed"]) == (name, 0))
    again = played(game(0, **GAMES[name]), LOOKS[:2])["shares"]
    for rounds, shares in again.items():
        assert shares == pytest.approx(row["shares"][rounds], abs=0.1)
