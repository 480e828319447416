"""Counts where the attributes of faces are in z of `faces_dcgan`: what lesson 11 says of directions, sums and channels.

`python tests/make/attributes_record.py [FILE ...]` writes gan_lessons/records/attributes.json, about two minutes for
each generator: of the one that ships, and of others, from files that torch.save wrote of {"averaged": the state dict of
G}, in the order of their seeds 1, 2. All of averaged weights; A and B stand for two attributes. For each generator:

- "shares": of 4,000 draws. "accuracy": of reading each attribute from 2,000 new z.
- "along": of 1,000 z moved by so much along the direction of each attribute, the share that has it, and the share of
  the three others that stayed.
- "sums": for each A, with each B as carrier, by how many z a mean is made of: the share of 200 sums that have A and not
  B, and its chance, as `attributes.sums` says. "plain": the share of draws that have A and not B.
- "switched off": of 500 faces with the attribute, by how many of the 32 maps before the last convolution are 0: the
  share that lost it, the share of other attributes that stayed, the share that lost it and kept all others. The maps
  are those on which the reader's answer rests most, those that go most with the attribute, or random ones (a mean of
  five choices). "maps": the ten on which it rests most.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from gan_lessons import attributes, checkpoints, data, pretrained, recipes
from gan_lessons.devices import seeded

RECORD = Path(__file__).parents[2] / "gan_lessons" / "records" / "attributes.json"
STEPS, OFF = (-3, -2, -1, 0, 1, 2, 3), (1, 3, 5, 10)
NAMES = data.ATTRIBUTES


def generator(path: Path | None) -> nn.Module:
    if path is None:
        return pretrained.load("faces_dcgan", average=True)
    G, G_latent = recipes.faces_dcgan_generator()
    G.load_state_dict(torch.load(path, map_location="cpu", weights_only=True)["averaged"])
    G.latent = G_latent
    return G.eval().requires_grad_(False)


def others(a: int) -> list[int]:
    return [b for b in range(len(NAMES)) if b != a]


def counted(G: nn.Module, n: int = 4000) -> dict[str, Any]:
    read = attributes.reading(G)
    with seeded(0):
        z, new = G.latent.sample((n,)), G.latent.sample((n // 2,))
    yes, new_yes = read(z), read(new)
    found = {"shares": yes.double().mean(dim=0).tolist()}
    found["accuracy"] = {
        name: one.tolist() for name, one in attributes.accuracies(z, yes, new, new_yes)._asdict().items()
    }
    rule = attributes.linear_rule(z, yes)
    found["along"] = {
        NAMES[a]: moved(read, new[: n // 4], rule.directions[a], a) for a in tqdm(range(4), "along", leave=False)
    }
    found["sums"] = {NAMES[a]: summed(read, z, yes, a, n // 20) for a in tqdm(range(4), "sums", leave=False)}
    found["switched off"] = {
        NAMES[a]: off(G, read, z, yes, a, n // 8) for a in tqdm(range(4), "switched off", leave=False)
    }
    return found


def moved(read: attributes.Read, z: Tensor, direction: Tensor, a: int) -> dict[str, list[float]]:
    shares, kept = attributes.along(read, z, direction, STEPS)
    return {"share": shares[:, a].tolist(), "others kept": kept[:, others(a)].mean(dim=1).tolist()}


def summed(read: attributes.Read, z: Tensor, yes: Tensor, a: int, n: int) -> dict[str, dict[str, list]]:
    found = {}
    for b in others(a):
        with seeded(0):
            hits = [attributes.sums(read, z, yes, a, b, count, n) for count in attributes.COUNTS]
        row = {name: [getattr(one, name) for one in hits] for name in attributes.Hits._fields}
        row["plain"] = (yes[:, a] & ~yes[:, b]).double().mean().item()
        found[NAMES[b]] = row | {"gap": attributes.gap(z, yes, a, b)}
    return found


def off(G: nn.Module, read: attributes.Read, z: Tensor, yes: Tensor, a: int, n: int) -> dict[str, Any]:
    maps = attributes.maps(G, z[:1000])
    wearers = z[yes[:, a]][-n:]  # others than those by whom the maps are chosen, where there are so many
    before = read(wearers)
    orders = {
        "rests on": attributes.rests_on(G, maps[yes[:1000, a]], a).argsort(descending=True),
        "goes with": attributes.goes_with(maps, yes[:1000, a]).argsort(descending=True),
    }
    with seeded(a):
        random = [torch.randperm(maps.shape[1]) for _ in range(5)]

    def result(order: Tensor, k: int) -> Tensor:
        after = attributes.reading(attributes.switched_off(G, order[:k]))(wearers)
        return torch.tensor(attributes.outcome(before, after, a), dtype=torch.double)

    found: dict[str, Any] = {name: [result(order, k).tolist() for k in OFF] for name, order in orders.items()}
    found["random"] = [torch.stack([result(order, k) for order in random]).mean(dim=0).tolist() for k in OFF]
    return found | {"maps": orders["rests on"][: max(OFF)].tolist()}


def rounded(it: Any) -> Any:
    if isinstance(it, dict):
        return {key: rounded(value) for key, value in it.items()}
    if isinstance(it, (list, tuple)):
        return [rounded(value) for value in it]
    return round(it, 4) if isinstance(it, float) else it


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    torch.set_num_threads(1)
    record = {"made by": "python tests/make/attributes_record.py", "steps": STEPS, "means of": attributes.COUNTS}
    record |= {"maps off": OFF, "generators": []}
    for path in (None, *parser.parse_args().files):
        record["generators"].append(rounded(counted(generator(path))))
        checkpoints.put(RECORD, json.dumps(record, indent=1).encode() + b"\n")
        print(json.dumps(record["generators"][-1], indent=1))
