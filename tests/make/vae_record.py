"""Trains the VAEs of lesson 14, and measures them beside GANs of the same nets: bumps, digits, faces.

`python tests/make/vae_record.py` does all its jobs one after the other, hours on a CPU, and then writes
gan_lessons/records/vae.json. Stop it whenever you like: each job leaves a file in runs/vae, and is not done again;
the record has those done so far, most of them on an H100.
`--list` names the jobs, `python tests/make/vae_record.py "faces 0.1 seed 0"` does this one alone, `--device cuda` on a
card; `--join FILE ...` writes the record of what is there, with the face GANs of the seeds 1, 2, ... from files that
torch.save wrote of {"averaged": the state dict of G}; `--ship 0.2` writes the weights of seed 0 with this s.

All draws of a VAE are the decoder's means, without noise. "real" is the floor of each figure, other data of the same
source; "mean image" and "noise" are chance. "back" is of new images that were encoded (mean z) and decoded.
"""

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from attributes_record import generator as face_gan
from attributes_record import rounded
from torch import Tensor, nn

from gan_lessons import checkpoints, data, latent, metrics, pretrained, recipes, vae
from gan_lessons.devices import seeded
from gan_lessons.tiles import packed

ROOT = Path(__file__).parents[2]
RECORD, FOLDER = ROOT / "gan_lessons" / "records" / "vae.json", ROOT / "runs" / "vae"
STEPS = {"faces": 6000, "digits": 6 * 600, "bumps": 3000}  # of the VAEs; the GANs: 8,112 rounds of faces, and the same
BATCH = {"faces": 64, "digits": 100, "bumps": 128}
S = {"faces": (0.05, 0.1, 0.2, 0.4, 0.8, 1.6), "digits": (0.2, 0.4, 0.8, 1.6)}
SHOWN = ("inversion", "digit gan seed 1")  # whose pictures are kept, beside those of the seeds 0
CHANCE = ("real", "mean image", "noise")
NEW = 4000  # faces that are drawn, and that are new to all nets


def net(one: nn.Module, z: Tensor) -> Tensor:
    return torch.cat([one(part) for part in z.split(500)])


def draws(decoder: nn.Module, law: Any, n: int) -> Tensor:
    with seeded(0):
        return net(decoder, law.sample((n,)))


def new_faces(n: int = NEW) -> data.Images:
    return data.faces(NEW, seed=metrics.NEW_FACES)[:n]


def kept(before: Tensor, after: Tensor) -> dict[str, list[float]]:
    """Of faces with an attribute the share that still has it; of those without the share that has got it."""
    yes = [(after[before[:, a], a]).double().mean().item() for a in range(4)]
    no = [(after[~before[:, a], a]).double().mean().item() for a in range(4)]
    return {"kept": yes, "gained": no}


def face_figures(x: Tensor) -> dict[str, Any]:
    return metrics.report_faces(x) | {"shares of kinds": metrics.kinds(pretrained.reader()(x) > 0).flatten().tolist()}


def digit_figures(x: Tensor) -> dict[str, Any]:
    found = metrics.report(x, sigma=0.2)
    test = data.mnist("test").images[:, None] / 127.5 - 1
    return found | {"grain": metrics.grain(x.view(-1, 1, 28, 28)) / metrics.grain(test)}


def back_figures(x: Tensor, back: Tensor) -> dict[str, Any]:
    """How pictures come back: the root of the mean squared error of a pixel on a scale from 0 to 1, and their grain."""
    found = {"error": (back - x).square().mean().sqrt().item() / 2}
    pictures, other = (one if one.dim() == 4 else one.view(-1, 1, 28, 28) for one in (x, back))
    found["grain"] = metrics.grain(other) / metrics.grain(pictures)
    if x.dim() == 4:
        found |= kept(*(pretrained.reader()(one) > 0 for one in (x, back)))
        found["faces"] = packed(back[:10], 10)
        frechet = metrics.report_faces(back)  # beside the very faces that were encoded
        found |= {key: frechet[key] for key in ("frechet", "coverage")}
    else:
        found["digits"] = packed(back[:10], 10)
    return found


@torch.no_grad()
def trained(kind: str, s: float, seed: int, device: str, steps: int | None) -> dict[str, Any]:
    """One VAE of faces or digits."""
    source = data.faces() if kind == "faces" else data.mnist("train")
    one = getattr(vae, kind)(seed, s)
    steps, began = steps or STEPS[kind], time.time()
    with torch.enable_grad():
        losses = vae.fit(one, source, steps, lr=vae.RATE[kind], batch_size=BATCH[kind], seed=seed, device=device)
    one.cpu()
    found = {"s": s, "seed": seed, "steps": steps, "seconds": time.time() - began, "device": device}
    found["curves"] = [[part.mean().item() for part in loss.tensor_split(26)] for loss in losses]
    n = NEW if kind == "faces" else 10_000
    x = draws(one.decoder, one.latent, n)
    found |= (face_figures if kind == "faces" else digit_figures)(x)
    found["pictures"] = packed(x[:20], 10)
    test = new_faces() if kind == "faces" else data.mnist("test")
    test = test.images / 127.5 - 1 if kind == "faces" else test.images.flatten(1) / 127.5 - 1
    mu, log_sd = (torch.cat(part) for part in zip(*(one.encode(part) for part in test.split(500)), strict=True))
    found["back"] = back_figures(test, net(one.decoder, mu))
    each = ((mu.square() + (2 * log_sd).exp() - 1) / 2 - log_sd).mean(dim=0)
    found["kl"], found["kl of each number"] = each.sum().item(), each.sort(descending=True).values.tolist()
    found["sd of mean z"] = mu.std(dim=0).square().mean().sqrt().item()
    with seeded(0):
        found["elbo"] = sum(vae.elbo(one, part).item() * len(part) for part in test.split(500)) / len(test)
    return {"row": found, "states": {"encoder": half(one.encoder), "decoder": half(one.decoder)}}


def half(one: nn.Module) -> dict[str, Tensor]:
    return {key: value.half() if value.dim() > 1 else value for key, value in one.state_dict().items()}


def digit_gan(seed: int, device: str, steps: int | None) -> dict[str, Any]:
    trainer, began = recipes.mnist_small(seed, device=device, **({"steps": steps} if steps else {})), time.time()
    for _ in trainer.run():
        pass
    seconds = time.time() - began
    with seeded(0):
        x = trainer.sample(10_000, average=True).cpu()
    return {"row": {"seed": seed, "seconds": seconds, "pictures": packed(x[:20], 10)} | digit_figures(x)}


def bump_figures(x: Tensor) -> list[float]:
    """Modes found, share of good samples; shares nearest to each bump."""
    law = data.bumps().component_distribution.mean
    near = (x[:, None] - law).abs().argmin(dim=1).bincount(minlength=3) / len(x)
    return [*metrics.modes(x, law, 2.0), *near.tolist()]


@torch.no_grad()
def bumps(seed: int, device: str, steps: int | None) -> dict[str, Any]:
    """A VAE of three bumps, and the GAN of the recipe."""
    one = vae.bumps(seed)
    with torch.enable_grad():
        vae.fit(
            one, data.bumps(), steps or STEPS["bumps"], lr=vae.RATE["bumps"], batch_size=128, seed=seed, device="cpu"
        )
        gan = recipes.three_bumps(seed, **({"steps": steps} if steps else {}))
        for _ in gan.run():
            pass
    x = draws(one.decoder, one.latent, 10_000)
    with seeded(1):
        noisy = x + one.s * torch.randn_like(x)
    with seeded(0):
        fakes = gan.sample(10_000)
    row = {"vae": bump_figures(x), "vae, with noise": bump_figures(noisy), "gan": bump_figures(fakes)}
    return {"row": {"seed": seed} | row}


def inversion(device: str, steps: int | None, n: int = 200, starts: int = 4) -> dict[str, Any]:
    """The z of new faces in the GAN that ships, by descent: of four starts the best."""
    x = new_faces(n).images / 127.5 - 1
    n = len(x)
    G, began = pretrained.load("faces_dcgan", average=True, device=device), time.time()
    start = latent.draws(starts * n, 0, 32).view(starts, n, 32).to(device)
    path, error = latent.descend(lambda z: G(z).flatten(1), x.flatten(1).to(device), start, steps=steps or 300)
    best = error.argmin(dim=0)
    z, seconds = path[-1][best, torch.arange(n, device=best.device)].cpu(), time.time() - began
    with torch.no_grad():
        back = G.cpu()(z)
        found = back_figures(x, back)
    found |= {"n": n, "starts": starts, "steps": steps or 300, "seconds": seconds, "device": device}
    found["errors"] = {"one start": error[0].square().mean().sqrt().item()}
    return {"row": found | {"lengths": z.norm(dim=1).mean().item(), "z": z[:20].tolist()}}


JOBS: dict[str, Callable[[str, int | None], dict[str, Any]]] = {
    **{f"{kind} {s} seed {i}": partial(trained, kind, s, i) for kind in S for s in S[kind] for i in range(3)},
    **{f"digit gan seed {i}": partial(digit_gan, i) for i in (1, 2)},
    **{f"bumps seed {i}": partial(bumps, i) for i in range(20)},
    "inversion": inversion,
}


def file(job: str) -> Path:
    return FOLDER / f"{job.replace(' ', '_')}.pt"


def do(job: str, device: str = "cpu", steps: int | None = None) -> None:
    if not file(job).exists():
        torch.set_num_threads(1)
        FOLDER.mkdir(parents=True, exist_ok=True)
        part = file(job).with_suffix(f".{time.time_ns()}")
        torch.save(JOBS[job](device, steps), part)
        part.replace(file(job))


def chance() -> dict[str, dict[str, dict[str, Any]]]:
    """The floor, other real data, and two that are no faces and no digits."""
    faces, digits = data.faces(NEW, seed=7).images / 127.5 - 1, data.mnist("train").images[-10_000:] / 127.5 - 1
    sets = {"faces": (faces, face_figures), "digits": (digits.flatten(1), digit_figures)}
    found = {}
    for kind, (real, figures) in sets.items():
        with seeded(0):
            noise = torch.rand_like(real) * 2 - 1
        mean = real.mean(dim=0).expand_as(real).contiguous()
        found[kind] = {name: figures(x) for name, x in zip(CHANCE, (real, mean, noise), strict=True)}
    return found


def joined(paths: list[Path], old: dict[str, Any]) -> dict[str, Any]:
    """What the jobs found so far, beside the GANs, the floor and chance, which are taken from an old record."""
    rows = {job: torch.load(file(job))["row"] for job in JOBS if file(job).exists()}
    for job in rows:
        if not job.endswith("seed 0") and job not in SHOWN:  # pictures and long lists of one seed are enough
            for key in ("curves", "kl of each number", "pictures", "faces", "digits"):
                rows[job].pop(key, None)
                rows[job].get("back", {}).pop(key, None)
    record = {"made by": "python tests/make/vae_record.py", "steps": STEPS}
    rest = {kind: {name: old[kind][name] for name in CHANCE} for kind in S} if old else chance()
    for kind in S:
        found = {s: [rows[job] for job in JOBS if job.startswith(f"{kind} {s} ") and job in rows] for s in S[kind]}
        record[kind] = {"vae": {str(s): some for s, some in found.items() if some}} | rest[kind]
    gans = old["faces"]["gan"][: len(paths) + 1] if old else []
    for path in (None, *paths)[len(gans) :]:
        G = face_gan(path)
        gans.append(face_figures(draws(G, G.latent, NEW)))
    record["faces"]["gan"] = gans
    record["digits"]["gan"] = [row for job, row in rows.items() if job.startswith("digit gan")]
    record["bumps"] = [row for job, row in rows.items() if job.startswith("bumps")]
    return record | {"inversion": rows.get("inversion")}


def ship(s: float) -> None:
    """The weights of seed 0 with this s, and their card."""
    job = f"faces {s} seed 0"
    found = torch.load(file(job))
    row = {key: value for key, value in found["row"].items() if key not in ("pictures", "back", "curves")}
    card = {"made by": f'python tests/make/vae_record.py "{job}", then --ship {s}', "net": "vae.faces"}
    pretrained.write("faces_vae", found["states"], card | rounded(row))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("jobs", nargs="*", help="all of them if none is named")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--join", nargs="*", type=Path)
    parser.add_argument("--ship", type=float)
    parser.add_argument("--anew", action="store_true", help="measure GANs, floor and chance once more")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--steps", type=int, help="fewer, to try this script")
    args = parser.parse_args()
    if args.list:
        print("\n".join(JOBS))
    elif args.ship:
        ship(args.ship)
    else:
        for job in args.jobs or (JOBS if args.join is None else ()):
            do(job, args.device, args.steps)
        if not args.jobs:
            old = json.loads(RECORD.read_text()) if RECORD.exists() and not args.anew else {}
            checkpoints.put(RECORD, json.dumps(rounded(joined(args.join or [], old)), indent=1).encode() + b"\n")
