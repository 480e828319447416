"""Plays every loss of the series on the same players, for lesson 12: on the ring of 8, on digits and on faces.

`python tests/make/lsgan_record.py` writes gan_lessons/records/lsgan.json and, in runs/, the weights that may ship as
`faces_lsgan`; about two hours on two cores, and two minutes on a GPU with `--device cuda --workers 14`. Stop it
whenever you like: games that were played to their end are kept, and the same command goes on; `--seconds` stops it by
itself.

- "rows": for each data, variant and seed what `figures` says of the averaged fakes (of the ring: of G's own) after
  `ROUNDS`; of the first seed some of the fakes. All are the players and settings of `recipes.ring`, `mnist_quick` and
  `faces_quick`, but for the loss and the penalties. In the record that ships the first two seeds of faces and
  the first of digits were played on an H100, all else on CPUs.
- "floor": the same figures of real pictures that took no part. "untrained": of a G before its first turn.
- "ship": figures of faces_lsgan after so many epochs with rates that fall to 0, for each weight of R1 that was tried.
"""

import argparse
import io
import json
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures import TimeoutError as TimeIsUp
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gan_lessons import Trainer, checkpoints, data, losses, metrics, recipes
from gan_lessons.devices import seeded
from gan_lessons.lessons import lsgan as lesson
from gan_lessons.portraits import EPOCH
from gan_lessons.tiles import packed

ROOT = Path(__file__).parents[2]
RECORD, WEIGHTS = ROOT / "gan_lessons" / "records" / "lsgan.json", ROOT / "runs" / "lsgan_weights.pt"
CODED = losses.coded(-1, 1, 0)
BARE = [losses.minimax, losses.non_saturating, losses.top_k(0.5), losses.smoothed(0.9)]
BARE += [losses.least_squares, CODED, losses.relativistic]
GAMMA = {"ring": 0.5, "digits": 0.5, "faces": 5.0}  # lesson 07's, and those of the recipes
SQUARES = 4  # near rest, where l = 4 D - 2, as much R1 weighs in least squares as one in logits; so with l = 2 D, too
RECIPES = {"ring": recipes.ring, "digits": recipes.mnist_quick, "faces": recipes.faces_quick}
ROUNDS = {"ring": 3000, "digits": 1000, "faces": 500}
SEEDS = {"ring": range(4), "digits": range(3), "faces": range(3)}
SHOWN = {"ring": 200, "digits": 8, "faces": 8}
N = 4000  # fakes that are looked at
SHIP, EPOCHS = (20.0, 5.0), 8  # weights of R1


def variants(gamma: float) -> dict[str, dict[str, Any]]:
    """What is other than in the recipe."""
    none = {loss.name: {"loss": loss, "r1": 0.0} for loss in BARE}
    some = {losses.minimax: 1, losses.non_saturating: 1, losses.least_squares: SQUARES, CODED: SQUARES}
    r1 = {f"{loss.name}, R1": {"loss": loss, "r1": times * gamma} for loss, times in some.items()}
    return none | r1 | {"relativistic, R1, R2": {"loss": losses.relativistic, "r1": gamma, "r2": gamma}}


Job = tuple[str, str, int]  # on what, the variant, the seed


def jobs() -> Iterator[Job]:
    """All games, the longest first, then seed by seed, so that what is stopped early is balanced; but of the ring only
    the first seed of those that are in collapse_20_seeds.json."""
    yield from (("ship", str(gamma), 0) for gamma in SHIP)
    yield from ((on, name, 0) for on in RECIPES if on != "ring" for name in ("floor", "untrained"))
    for seed in SEEDS["ring"]:
        for on, seeds in reversed(SEEDS.items()):
            if seed in seeds:
                known = lesson.KNOWN if on == "ring" and seed > 0 else {}
                yield from ((on, variant, seed) for variant in variants(0.0) if variant not in known)


def figures(on: str, fakes: Tensor) -> dict[str, Any]:
    """Of the ring: modes found and the share of good fakes. Of pictures: `metrics.report` beside as many real ones."""
    if on == "ring":
        found, good = metrics.modes(fakes, data.ring().component_distribution.mean, sd=0.1)
        return {"modes": found, "good": good}
    report = metrics.report(fakes, real=data.mnist("test")[:N], sigma=0.2) if on == "digits" else faces(fakes)
    unasked = "sigma", "parzen", "standard error", "density"
    return {name: value for name, value in report.items() if name not in unasked}


@cache
def new_faces() -> data.Images:
    return data.faces(N, seed=metrics.NEW_FACES)


def faces(fakes: Tensor) -> dict[str, Any]:
    return metrics.report_faces(fakes, new_faces())


def kept(on: str, fakes: Tensor) -> Any:
    """Some fakes: points as hundredths, pictures packed."""
    return (100 * fakes).round().int().tolist() if on == "ring" else packed(fakes, SHOWN[on])


def played(trainer: Trainer, rounds: int) -> float:
    began = time.monotonic()
    for _ in trainer.run(rounds):
        pass
    trainer.check_finite()
    return time.monotonic() - began


def drawn(trainer: Trainer, n: int) -> Tensor:
    with seeded(0, trainer.device):
        return trainer.sample(n, average=trainer.averaged is not None).cpu()


def game(on: str, variant: str, seed: int, device: str) -> Trainer:
    settings = {} if on == "ring" else {"device": device}
    return RECIPES[on](seed, **settings, **variants(GAMMA[on]).get(variant, {}))


def row(job: Job, device: str, share: float) -> dict[str, Any]:
    """What became of one game; share: of its rounds, 1 unless this is a rehearsal."""
    torch.set_num_threads(1)
    on, variant, seed = job
    if on == "ship":
        return shipped(float(variant), device, share)
    if variant == "floor":
        real = data.mnist("train")[:N] if on == "digits" else data.faces(N, seed=7)
        fakes = real.images.flatten(1) / 127.5 - 1 if on == "digits" else real.images / 127.5 - 1
        return figures(on, fakes) | {"fakes": kept(on, fakes[: SHOWN[on]])}
    trainer = game(on, variant, seed, device)
    try:
        seconds = played(trainer, 0 if variant == "untrained" else max(1, round(share * ROUNDS[on])))
    except FloatingPointError as error:
        return {"failed": str(error)}
    fakes = drawn(trainer, 10_000 if on == "ring" else N)
    look = {"fakes": kept(on, fakes[: SHOWN[on]])} if seed == 0 and variant != "untrained" else {}
    return figures(on, fakes) | {"seconds": seconds} | look


def shipped(gamma: float, device: str, share: float) -> dict[str, Any]:
    rounds = max(EPOCHS, round(share * EPOCHS * EPOCH))
    trainer, curves = (
        recipes.faces_lsgan(0, device, steps=rounds, r1=gamma),
        {"loss_d": [], "loss_g": [], "d_real": [], "d_fake": []},
    )
    seconds = 0.0
    for epoch in range(1, EPOCHS + 1):
        began = time.monotonic()
        history = [trainer.step() for _ in range(rounds * epoch // EPOCHS - trainer.steps_done)]
        for name, values in curves.items():
            values.append(torch.stack([getattr(one, name).cpu() for one in history]).mean().item())
        seconds += time.monotonic() - began
    fakes = drawn(trainer, N)  # gives the average batch-norm statistics of its own
    state = {key: value.cpu() for key, value in trainer.averaged.module.state_dict().items()}
    file = io.BytesIO()
    torch.save({key: value.half() if value.dim() > 1 else value for key, value in state.items()}, file)
    found = faces(fakes) | {
        "rounds": trainer.steps_done,
        "seconds": seconds,
        "curves": curves,
        "torch": torch.__version__,
    }
    return found | {"fakes": kept("faces", fakes[:8]), "weights": file.getvalue()}


def rounded(value: Any) -> Any:
    """Numbers of four digits or four places, whichever are more."""
    if isinstance(value, float):
        return round(value, 4) if abs(value) < 10 else round(value, 2)
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    return [rounded(one) for one in value] if isinstance(value, (list, tuple)) else value


def main(
    kinds: list[str], device: str, workers: int, seconds: float, share: float, record_file: Path, weights_file: Path
) -> None:
    began = time.monotonic()
    record = json.loads(record_file.read_text()) if record_file.exists() else {}
    record |= {"made by": "python tests/make/lsgan_record.py", "rounds": ROUNDS, "gamma": GAMMA, "n": N}
    rows, ship = record.setdefault("rows", {}), record.setdefault("ship", {})
    weights = torch.load(weights_file, weights_only=True) if weights_file.exists() else {}

    def done(on: str, variant: str, seed: int) -> bool:
        return variant in ship if on == "ship" else str(seed) in rows.get(on, {}).get(variant, {})

    todo = [job for job in jobs() if job[0] in kinds and not done(*job)]
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
    running = {pool.submit(row, job, device, share): job for job in todo}
    try:
        for future in as_completed(running, timeout=seconds):
            on, variant, seed = running[future]
            try:
                found = future.result()
            except Exception as error:  # whatever became of one game, the others go on
                print(on, variant, seed, repr(error), flush=True)
                continue
            if on == "ship":
                weights[variant] = torch.load(io.BytesIO(found.pop("weights")), weights_only=True)
                ship[variant] = rounded(found | {"epochs": EPOCHS})
                file = io.BytesIO()
                torch.save(weights, file)
                checkpoints.put(weights_file, file.getvalue())
            else:
                rows.setdefault(on, {}).setdefault(variant, {})[str(seed)] = rounded(found)
            checkpoints.put(record_file, json.dumps(record, separators=(",", ":")).encode() + b"\n")
            told = {key: value for key, value in rounded(found).items() if key not in ("fakes", "curves")}
            print(f"{time.monotonic() - began:4.0f} s", on, variant, seed, told, flush=True)
    except TimeIsUp:
        print(f"stopped after {seconds:.0f} s", flush=True)
    for process in list((pool._processes or {}).values()):
        process.terminate()
    pool.shutdown(wait=False, cancel_futures=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu", help="of pictures; the ring is played on the CPU")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seconds", type=float, help="stop after so long")
    parser.add_argument("--share", type=float, default=1.0, help="of all rounds: less than 1 is a rehearsal")
    parser.add_argument("--folder", type=Path, help="for the record and the weights, in place of their own")
    parser.add_argument("--on", nargs="*", choices=["ship", *RECIPES], default=["ship", *RECIPES])
    given = parser.parse_args()
    files = (RECORD, WEIGHTS) if given.folder is None else (given.folder / RECORD.name, given.folder / WEIGHTS.name)
    for one in files:
        one.parent.mkdir(parents=True, exist_ok=True)
    main(given.on, given.device, given.workers, given.seconds, given.share, *files)
