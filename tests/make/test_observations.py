"""What the lessons say of their tries is what was played: two seeds of each are played again."""

import json
import os
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context

import nbformat
import observations
import pytest

LESSONS = observations.ROOT / "tests" / "lessons"
RECORDED = observations.read(observations.RECORD)
STATED = [(name, said, play) for name, plays in observations.collected(LESSONS).items() for said, play in plays.items()]


def test_every_observation_is_recorded_and_no_other():
    stated = {(lesson, sentence) for lesson, sentence, _ in STATED}
    assert stated == {(lesson, sentence) for lesson, rows in RECORDED.items() for sentence in rows}


@pytest.mark.parametrize(("lesson", "sentence", "play"), STATED)
def test_the_lesson_says_what_was_played(lesson, sentence, play):
    row = RECORDED[lesson][sentence]
    assert row["code"] == observations.code_of(play), "python tests/make/observations.py plays it anew"
    assert sorted(row["seeds"]) == [str(seed) for seed in observations.SEEDS]
    (path,) = (observations.ROOT / "notebooks").glob(f"[0-9]*_{lesson}.ipynb")
    texts = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown"]
    assert " ".join(observations.told(sentence, row).split()) in " ".join(" ".join(texts).split())


@pytest.fixture(scope="module")
def on_each_core():
    """Like map, with two seeds at once, unless two workers play observations already."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        yield map
        return
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        yield pool.map


@pytest.mark.slow  # each takes seconds, all of them ten minutes of two cores
@pytest.mark.parametrize(("lesson", "sentence", "play"), STATED)
def test_two_seeds_end_as_recorded(on_each_core, lesson, sentence, play):
    seeds = RECORDED[lesson][sentence]["seeds"]
    quickest = sorted(map(int, seeds), key=lambda seed: seeds[str(seed)]["seconds"])[:2]
    play_again = partial(observations.played, LESSONS, lesson, sentence)
    for seed, again in zip(quickest, on_each_core(play_again, quickest), strict=True):
        assert again["holds"] == seeds[str(seed)]["holds"], (seed, again)


FAKE = """
from gan_lessons import recipes

def mu_moves(seed):
    (OUT / f"{seed}").write_text("played")
    gan = recipes.gaussian(seed)
    before = gan.generator.mu.item()
    for _ in range(10):
        gan.step()
    moved = gan.generator.mu.item() - before
    return moved > 0, {"moved": moved}

def even(seed):
    return seed % 2 == 0

OBSERVATIONS = {"In {} of 8 seeds mu moves right": mu_moves, "{} of 8 seeds are even": even}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "out").mkdir()
    fake = f"from pathlib import Path\nOUT = Path({str(tmp_path / 'out')!r})\n{FAKE}"
    (tmp_path / "test_fake.py").write_text(fake)
    (tmp_path / "test_other.py").write_text("1 / 0")  # tests without observations are not even imported
    return tmp_path


def forget(out):
    """Empty the folder of the seeds that were played; returns them."""
    seeds = sorted(int(path.name) for path in out.iterdir())
    for path in out.iterdir():
        path.unlink()
    return seeds


def test_it_plays_all_seeds_and_then_only_what_has_changed(folder, monkeypatch):
    monkeypatch.setattr(observations, "ProcessPoolExecutor", lambda n, mp_context: ThreadPoolExecutor(1))
    record, out, lesson = folder / "record.json", folder / "out", folder / "test_fake.py"
    rows = observations.play_all(folder, record)["fake"]
    assert rows == json.loads(record.read_text())["fake"] and forget(out) == list(range(8))
    moves, even = rows["In {} of 8 seeds mu moves right"], rows["{} of 8 seeds are even"]
    assert observations.told("In {} of 8 seeds mu moves right", moves) == "In 8 of 8 seeds mu moves right"
    assert [even["seeds"][str(seed)]["holds"] for seed in range(8)] == 4 * [True, False]
    assert all(seed["moved"] > 0 for seed in moves["seeds"].values())
    lesson.write_text(lesson.read_text().replace("seed % 2 == 0", "seed % 2 == 1 and seed > 2"))
    rows = observations.play_all(folder, record)["fake"]
    assert forget(out) == [] and rows["In {} of 8 seeds mu moves right"] == moves
    assert observations.told("{} of 8 seeds are even", rows["{} of 8 seeds are even"]) == "3 of 8 seeds are even"
    observations.play_all(folder, record, anew=True)
    assert forget(out) == list(range(8))


@pytest.mark.slow
def test_stopped_it_goes_on_where_it_was(folder, monkeypatch):
    """About 6 s: the first time in processes of its own, each of which imports torch."""
    record, lesson = folder / "record.json", folder / "test_fake.py"
    whole = lesson.read_text()
    lesson.write_text(whole.replace("    return seed % 2", "    assert seed < 5\n    return seed % 2"))
    with pytest.raises(AssertionError):
        observations.play_all(folder, record)
    kept = json.loads(record.read_text())["fake"]["In {} of 8 seeds mu moves right"]["seeds"]
    assert kept and forget(folder / "out")
    lesson.write_text(whole)
    monkeypatch.setattr(observations, "ProcessPoolExecutor", lambda n, mp_context: ThreadPoolExecutor(1))
    rows = observations.play_all(folder, record)["fake"]
    assert forget(folder / "out") == sorted({*range(8)} - {*map(int, kept)})
    assert all(len(row["seeds"]) == 8 for row in rows.values())
