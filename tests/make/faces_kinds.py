"""Which kinds of faces does G keep? Three kinds with shares .2, .6 and .2, as in lesson 07's three bumps.

`python tests/make/faces_kinds.py` writes gan_lessons/records/faces_kinds.json, a row for each game and seed: after so
many rounds the share of 1,000 fakes that `pretrained.reader` reads as each kind, and as none of them; and of one seed a
few of the fakes. Stop it whenever you like, it goes on with the row it was at. test_faces_kinds.py plays some of it
again.
"""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gan_lessons import Trainer, checkpoints, data, pretrained, recipes
from gan_lessons.devices import seeded
from gan_lessons.models import DCGANDiscriminator, DCGANGenerator
from gan_lessons.optimizers import adam
from gan_lessons.tiles import packed

RECORD = Path(__file__).parents[2] / "gan_lessons" / "records" / "faces_kinds.json"
KINDS = {  # name: attributes as in data.ATTRIBUTES, share
    "long fair hair": ((1, 0, 0, 0), 0.2),
    "short dark hair, glasses": ((0, 1, 0, 1), 0.6),
    "long dark hair": ((1, 0, 0, 1), 0.2),
}
FAST = {"r1": 0.0, "lr_g": 6e-3}  # no R1, and G three times as fast as D
GAMES: dict[str, dict[str, Any]] = {
    "faces_quick": {},
    "no R1, G three times as fast": FAST,
    "no R1, G three times as fast, no batch norm": FAST | {"batch_norm": False},
}
SEEDS = dict(zip(GAMES, (range(5), range(3), range(3)), strict=True))
N = 1000
LOOKS = (10, *range(50, 301, 50))  # rounds
LONG = (*LOOKS, *range(350, 601, 50))  # of the seed that is shown
SHOWN, SHOWN_AT, SHOWN_SEED = 24, (200, 600), 0


def game(seed: int, batch_norm: bool = True, **settings: Any) -> Trainer:
    """`recipes.faces_quick` with these three kinds of faces; batch_norm: of G."""
    people = data.faces(shares={kind: share for kind, share in KINDS.values()})
    quick = recipes.faces_quick(seed, device="cpu", data=people, **settings)
    if batch_norm:
        return quick
    with seeded(seed):
        G, D = DCGANGenerator(32, 128, 64, 32, 3, batch_norm=False), DCGANDiscriminator(3, 32, 64, 128)
    same = {name: getattr(quick, name) for name in ("lr_d", "lr_g", "batch_size", "r1", "penalty_every", "latent")}
    return Trainer(G, D, people, optimizer=partial(adam, betas=(0.0, 0.99)), seed=seed, device="cpu", **same)


def counted(faces: Tensor) -> list[float]:
    """The share of each kind, in the order of KINDS, and of faces that are of none of them."""
    read = (pretrained.reader()(faces) > 0).long()  # (n, 4)
    shares = [(read == torch.tensor(kind)).all(dim=1).double().mean().item() for kind, _ in KINDS.values()]
    return [round(share, 3) for share in (*shares, 1 - sum(shares))]


def played(trainer: Trainer, looks: Sequence[int]) -> dict[str, Any]:
    """The shares after each of so many rounds, of the same z; and some of those fakes, as `tiles.packed` keeps them."""
    shares, faces = {}, {}
    for rounds in looks:
        for _ in trainer.run(rounds - trainer.steps_done):
            pass
        with seeded(0):
            x = trainer.sample(N)
        shares[str(rounds)] = counted(x)
        if rounds in SHOWN_AT and trainer.seed == SHOWN_SEED:
            faces[str(rounds)] = packed(x[:SHOWN])
    return {"shares": shares} | ({"faces": faces} if faces else {})


if __name__ == "__main__":
    torch.set_num_threads(1)
    record = {
        "made by": "python tests/make/faces_kinds.py",
        "kinds": {name: share for name, (_, share) in KINDS.items()},
        "columns": "shares of the kinds, in this order, and of none of them, by pretrained.reader of 1,000 fakes",
        "rows": [],
    }
    if RECORD.exists():
        record["rows"] = json.loads(RECORD.read_text())["rows"]
    for seed in range(5):
        for name in GAMES:
            if seed in SEEDS[name] and not any((row["game"], row["seed"]) == (name, seed) for row in record["rows"]):
                looks = LONG if seed == SHOWN_SEED else LOOKS
                record["rows"].append({"game": name, "seed": seed} | played(game(seed, **GAMES[name]), looks))
                checkpoints.put(RECORD, json.dumps(record, indent=1).encode() + b"\n")
                print(name, seed, record["rows"][-1]["shares"], flush=True)
