"""Plays what the lessons say of their tries on eight seeds, and records how often each came true.

A lesson's tests, tests/lessons/test_NAME.py, may define OBSERVATIONS. Its keys are sentences of the lesson, with {}
where the count of seeds stands; its values play one seed and return whether it came true, and what was measured:

    def ends_near_500(seed: int) -> tuple[bool, dict[str, float]]: ...

    OBSERVATIONS = {"In {} of 8 seeds μ ends within 1 of 500": ends_near_500}

`python tests/make/observations.py` plays those that are new or whose function has changed, `--anew` all. Stop it
whenever you like: what is played is kept. test_observations.py plays two seeds of each again.
"""

import argparse
import hashlib
import importlib.util
import inspect
import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

import torch
from tqdm import tqdm

from gan_lessons.checkpoints import put

ROOT = Path(__file__).parents[2]
RECORD = ROOT / "gan_lessons" / "records" / "observations.json"
SEEDS = range(8)


def collected(folder: Path, lesson: str = "*") -> dict[str, dict[str, Callable]]:
    """The observations of all lessons, or of one: lesson -> sentence -> play."""
    found = {}
    if str(folder) not in sys.path:
        sys.path.append(str(folder))  # where the tests find what they share
    for path in sorted(folder.glob(f"test_{lesson}.py")):
        if "OBSERVATIONS" in path.read_text():
            spec = importlib.util.spec_from_file_location(path.stem, path)
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            found[path.stem.removeprefix("test_")] = module.OBSERVATIONS
    return found


def code_of(play: Callable) -> str:
    return hashlib.sha256(inspect.getsource(play).encode()).hexdigest()[:16]


def played(folder: Path, lesson: str, sentence: str, seed: int) -> dict:
    """One seed of one observation: whether it holds, what was measured, and the seconds it took."""
    torch.set_num_threads(1)  # nets this small gain nothing from a second
    began = time.perf_counter()
    result = collected(folder, lesson)[lesson][sentence](seed)
    holds, measured = result if isinstance(result, tuple) else (result, {})
    seconds = round(time.perf_counter() - began, 1)
    return {"holds": bool(holds), **{name: round(float(x), 4) for name, x in measured.items()}, "seconds": seconds}


def read(record: Path) -> dict:
    return json.loads(record.read_text()) if record.exists() else {}


def play_all(folder: Path, record: Path, anew: bool = False) -> dict:
    """Play what the record lacks, two seeds at a time, and write it after each; returns the record."""
    known, rows, jobs = {} if anew else read(record), {}, []
    for lesson, observations in collected(folder).items():
        for sentence, play in observations.items():
            old = known.get(lesson, {}).get(sentence, {})
            seeds = old["seeds"] if old.get("code") == code_of(play) else {}
            rows.setdefault(lesson, {})[sentence] = {"code": code_of(play), "seeds": seeds}
            jobs += [(folder, lesson, sentence, seed) for seed in SEEDS if str(seed) not in seeds]
    pool = ProcessPoolExecutor(2, mp_context=get_context("spawn"))
    running = {pool.submit(played, *job): job for job in jobs}
    try:
        for done in tqdm(as_completed(running), total=len(jobs), unit="seed"):
            _, lesson, sentence, seed = running[done]
            rows[lesson][sentence]["seeds"][str(seed)] = done.result()
            write(record, rows)
    finally:  # whoever stops it waits for two seeds at most
        pool.shutdown(cancel_futures=True)
    write(record, rows)
    return rows


def write(record: Path, rows: dict) -> None:
    put(record, json.dumps(rows, indent=1, ensure_ascii=False, sort_keys=True).encode() + b"\n")


def told(sentence: str, row: dict) -> str:
    """The sentence with the count of seeds of which it is true."""
    return sentence.replace("{}", str(sum(seed["holds"] for seed in row["seeds"].values())))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--anew", action="store_true")
    for lesson, rows in play_all(ROOT / "tests" / "lessons", RECORD, parser.parse_args().anew).items():
        for sentence, row in rows.items():
            print(f"{lesson}: {told(sentence, row)}")
