"""Plays the games of lesson 13: digits and faces by choice, with several seeds; and the two generators that ship.

`python tests/make/conditional_record.py` writes gan_lessons/records/conditional.json and both generators, faces and
digits, with their cards; on one core that is about three hours. Stop it whenever you like: each game is kept in
runs/conditional when it is over, and the same command goes on with the next. `--play NAME ...` plays some of them and
stops, so that several machines, or several processes of one, can share them; `--join` makes the record of what is
there. `--device`: where they are played.

- "digits": `recipes.mnist_conditional`, told both players, only G or only D, three seeds each. "read": for each digit
  asked for, how often `pretrained.classifier` reads each digit in 500 pictures, (10, 10). "sure": the share of pictures
  in which it is more than 90% sure.
- "faces": `recipes.faces_conditional`: told both, three seeds; the same without anyone who has long hair and glasses,
  three seeds; without anyone who has long hair and dark hair, one; told only one player, one seed each. "read": for
  each of the 16 kinds asked for, in the order of "kinds", how often `pretrained.reader` finds each attribute in 250
  faces, (16, 4); "right": how often all four are as asked; "pairs": of long hair and glasses, or of the two that were
  left out, how often it finds neither, the second alone, long hair alone, both, (16, 4).
- "pictures": some, by the same z, as `tiles.packed` keeps them: of faces four z in four rows, asked for neither,
  glasses, long hair, both; of digits four z in four rows. One seed of each.

All are of averaged weights, and each z is asked for everything.

- "learning", made by `--learning` alone: the raw G's accuracy on 300 digits after every 100 rounds of
  `recipes.mnist_conditional`, with k = 1 (two seeds) and with a D that never moves (k = 0).
"""

import argparse
import json
import math
import time
from pathlib import Path
from typing import Any

import torch
from attributes_record import rounded
from torch import Tensor, nn
from tqdm import tqdm
from train_pretrained import figures

from gan_lessons import Trainer, checkpoints, data, pretrained, recipes
from gan_lessons.conditional import ConditionalGenerator, Pairs, draw, hits
from gan_lessons.devices import seeded
from gan_lessons.tiles import packed

ROOT = Path(__file__).parents[2]
RECORD = ROOT / "gan_lessons" / "records" / "conditional.json"
COMMAND = "python tests/make/conditional_record.py"
KINDS = torch.cartesian_prod(*[torch.arange(2)] * 4)  # of faces, columns as in data.ATTRIBUTES
UNSEEN = KINDS[:, :2].all(dim=1)  # long hair and glasses
LONG = {"steps": 4500, "average": 0.999, "decay": recipes.cosine}  # of the digits that ship
FACES = {"steps": 2000}  # of the games that are counted
GAMES: dict[str, dict[str, Any]] = {  # name: of what, its settings, its seed
    "ship faces": {"of": "faces", "seed": 0},
    "ship digits": {"of": "digits", "seed": 0} | LONG,
    **{f"faces both {seed}": {"of": "faces", "seed": seed} | FACES for seed in (1, 2, 3)},
    **{f"faces unseen {seed}": {"of": "faces", "seed": seed, "data": (0, 1)} | FACES for seed in (1, 2, 3)},
    "faces unseen dark 1": {"of": "faces", "seed": 1, "data": (0, 3), "steps": 600, "average": 0.99},
    **{
        f"faces {told} 1": {"of": "faces", "seed": 1, "told": told, "steps": 1000}
        for told in ("generator", "discriminator")
    },
    **{
        f"digits {told} {seed}": {"of": "digits", "seed": seed, "told": told}
        for seed in (0, 1, 2)
        for told in ("both", "generator", "discriminator")
    },
}
SHIPPED = {"ship faces": "faces_conditional", "ship digits": "mnist_conditional"}


def unseen(a: int, b: int) -> Pairs:
    """Drawn faces without anyone who has both attributes."""
    people = data.faces()
    return Pairs(people[~people.labels[:, [a, b]].all(dim=1)])


def game(name: str, device: str = "cpu", **changed: Any) -> Trainer:
    settings = GAMES[name] | changed
    recipe = {"faces": recipes.faces_conditional, "digits": recipes.mnist_conditional}[settings.pop("of")]
    if "data" in settings:
        settings["data"] = unseen(*settings["data"])
    return recipe(device=device, **settings)


def averaged(trainer: Trainer) -> ConditionalGenerator:
    """The moving average of G, with batch-norm statistics of its own, on the CPU."""
    with seeded(0):
        trainer.sample(1, average=True)
    return trainer.averaged.module.cpu().eval().requires_grad_(False)


def asked(G: nn.Module, labels: Tensor, n: int, dims: int, seed: int = 0) -> Tensor:
    """The pictures of n z, each asked for every label: (labels, n, ...)."""
    with seeded(seed):
        z = torch.randn(n, dims)
    return torch.stack([draw(G, z, y) for y in labels])


def counted_digits(G: nn.Module, n: int = 500) -> dict[str, Any]:
    x = asked(G, torch.eye(10), n, 16)
    says = pretrained.classifier()(x.flatten(0, 1)).view(10, n, 10)
    read = torch.stack([one.argmax(dim=1).bincount(minlength=10) for one in says]).double() / n
    return {
        "read": read.tolist(),
        "accuracy": read.diagonal().mean().item(),
        "sure": (says.softmax(dim=2).amax(dim=2) > 0.9).double().mean().item(),
        "pictures": packed(x[:, :4].transpose(0, 1).flatten(0, 1), 10),
    }


def counted_faces(G: nn.Module, b: int = 1, n: int = 250) -> dict[str, Any]:
    x = asked(G, KINDS, n, 32)
    says = torch.stack([pretrained.reader()(one) for one in x])  # (16, n, 4)
    right = torch.stack([hits(one, y.expand(n, -1)) for one, y in zip(says, KINDS, strict=True)])
    pairs = 2 * (says[..., 0] > 0).long() + (says[..., b] > 0).long()
    shown = x[[0, 2 ** (3 - b), 8, 8 + 2 ** (3 - b)], :4].transpose(0, 1).flatten(0, 1)  # the places in KINDS
    return {
        "read": (says > 0).double().mean(dim=1).tolist(),
        "accuracy": right.double().mean(dim=(0, 1)).tolist(),
        "right": right.all(dim=2).double().mean(dim=1).tolist(),
        "pairs": torch.stack([one.bincount(minlength=4) for one in pairs]).div(n).tolist(),
        "pictures": packed(shown, 4),
    }


def play(name: str, folder: Path, device: str, rounds: int | None = None, until: float = math.inf) -> None:
    """Play one game to its end, or until that time of time.monotonic(); keep what was counted, and its averaged net."""
    short = {} if rounds is None else {"steps": rounds}
    trainer, began = game(name, device, **short), time.perf_counter()
    for _ in tqdm(trainer.run(), total=trainer.steps, desc=name, mininterval=10):
        if trainer.steps_done % 20 == 0 and time.monotonic() > until:
            break
    seconds = time.perf_counter() - began
    trainer.check_finite()
    G = averaged(trainer)
    _, b = GAMES[name].get("data", (0, 1))
    row = counted_digits(G) if GAMES[name]["of"] == "digits" else counted_faces(G, b)
    row |= {"rounds": trainer.steps_done, "seconds": seconds, "device": device, "torch": str(torch.__version__)}
    row |= {"d_real": trainer.record.d_real.item(), "d_fake": trainer.record.d_fake.item()}
    state = {key: value.half() if value.dim() > 1 else value for key, value in G.net.state_dict().items()}
    folder.mkdir(parents=True, exist_ok=True)
    torch.save({"row": rounded(row), "averaged": state}, folder / f"{name}.part")
    (folder / f"{name}.part").replace(folder / f"{name}.pt")


def learning(record: Path, rounds: int = 1500) -> None:
    """How the accuracy rises, with a D that learns and with one that does not, added to a record that is there."""
    y, curves = torch.eye(10).repeat(30, 1), {}
    with seeded(0):
        z = torch.randn(len(y), 16)
    for k, seed in ((1, 0), (1, 1), (0, 0)):
        trainer = recipes.mnist_conditional(seed, device="cpu", decay=None, k=k)
        curve = curves.setdefault(f"k = {k}, seed {seed}", [])
        for _ in tqdm(trainer.run(rounds), total=rounds, desc=f"k = {k}, seed {seed}"):
            if trainer.steps_done % 100 == 0:
                said = pretrained.classifier()(draw(trainer.generator, z, y).flatten(1))
                curve.append(round(hits(said, y).double().mean().item(), 2))
    content = json.loads(record.read_text()) | {"learning": curves}
    checkpoints.put(record, json.dumps(content, indent=None).encode() + b"\n")


def join(folder: Path, record: Path, shipped: Path | None = None) -> None:
    """The record of the games that are there; and the generators that ship, into one file if its name is given."""
    kept = {
        name: torch.load(folder / f"{name}.pt", weights_only=True) for name in GAMES if (folder / f"{name}.pt").exists()
    }
    rows = {name: one["row"] for name, one in kept.items()}
    for name, row in rows.items():
        if name in SHIPPED or not name.endswith("0" if name.startswith("digits") else "1"):
            row.pop("pictures", None)
    content = {"made by": COMMAND, "kinds": KINDS.tolist(), "games": rows}
    if record.exists():
        content = json.loads(record.read_text()) | content
    record.parent.mkdir(parents=True, exist_ok=True)
    checkpoints.put(record, json.dumps(content, indent=None).encode() + b"\n")
    states = {SHIPPED[name]: one["averaged"] for name, one in kept.items() if name in SHIPPED}
    if shipped is not None:
        torch.save(states, shipped)
        return
    for name, state in states.items():
        ship(name, state, next(rows[one] for one, to in SHIPPED.items() if to == name))


def ship(name: str, state: dict[str, Tensor], row: dict[str, Any]) -> None:
    """Write a net that draws x from (z, y), and its card."""
    game = next(settings for one, settings in GAMES.items() if SHIPPED.get(one) == name)
    settings = {key: value for key, value in game.items() if key not in ("of", "seed", "decay")}
    settings |= {"decay": "cosine"} if "decay" in game else {}
    card = {"made by": COMMAND, "recipe": pretrained.GENERATORS[name][0], "settings": settings, "seed": game["seed"]}
    card |= {key: row[key] for key in ("rounds", "device", "torch")} | {"accuracy": row["accuracy"], "metrics": {}}
    pretrained.write(name, {"averaged": state}, card)
    card["metrics"] = {"averaged": rounded(figures(pretrained.load(name)))}
    pretrained.write(name, {"averaged": state}, card)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--play", nargs="+", metavar="NAME", choices=GAMES, help="only these games, and no record")
    parser.add_argument("--join", action="store_true", help="only the record, of the games that are there")
    parser.add_argument("--learning", action="store_true", help="only how the accuracy rises")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, help="of each game, to try this script")
    parser.add_argument("--seconds", type=float, default=math.inf, help="after so many, the game that is played ends")
    parser.add_argument("--folder", type=Path, default=ROOT / "runs" / "conditional")
    parser.add_argument("--record", type=Path, default=RECORD)
    parser.add_argument("--shipped", type=Path, help="one file for both generators, in place of gan_lessons/weights")
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.learning:
        learning(args.record)
        raise SystemExit
    until = time.monotonic() + args.seconds
    for name in [] if args.join else args.play or GAMES:
        if not (args.folder / f"{name}.pt").exists():
            play(name, args.folder, args.device, args.rounds, until)
    if not args.play:
        join(args.folder, args.record, args.shipped)
