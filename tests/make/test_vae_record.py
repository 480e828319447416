"""The script that makes the record of lesson 14, on few pictures and after few steps."""

import pytest
import torch
import vae_record as script
from vae_record import back_figures, bump_figures, joined, kept

from gan_lessons import data, metrics


@pytest.fixture
def small(monkeypatch, tmp_path):
    """Few pictures, and a folder of its own."""
    faces, mnist = data.faces, data.mnist
    monkeypatch.setattr(script, "NEW", 100)
    monkeypatch.setattr(script, "FOLDER", tmp_path)
    monkeypatch.setattr(data, "faces", lambda n=100, seed=0: faces(min(n, 100), seed))
    monkeypatch.setattr(data, "mnist", lambda split: mnist(split)[:200])
    return tmp_path


@pytest.mark.parametrize("job", ["faces 0.2 seed 0", "digits 0.2 seed 1", "bumps seed 0", "digit gan seed 1"])
def test_a_job_leaves_a_file_and_is_not_done_again(small, job):
    script.do(job, steps=2)
    (path,) = small.iterdir()
    found, written = torch.load(path), path.stat().st_mtime_ns
    assert found["row"]["seed"] == int(job[-1])
    script.do(job, steps=2)
    assert path.stat().st_mtime_ns == written


def test_what_is_there_is_joined(small, monkeypatch):
    script.do("faces 0.1 seed 0", steps=26)  # as many as its curves have points
    script.do("bumps seed 0", steps=2)
    record = joined([], {})
    assert joined([], record) == record
    assert [row["seed"] for row in record["faces"]["vae"]["0.1"]] == [0] and not record["digits"]["vae"]
    assert len(record["bumps"]) == len(record["faces"]["gan"]) == 1 and record["inversion"] is None


def test_inversion(small):
    script.do("inversion", steps=2)
    row = torch.load(script.file("inversion"))["row"]
    assert len(row["z"]) == 20 and row["error"] <= row["errors"]["one start"]


def test_what_a_reader_says_before_and_after():
    before = torch.tensor([[1, 1, 0, 1], [1, 0, 0, 0], [0, 0, 1, 0]]).bool()
    after = torch.tensor([[1, 0, 0, 1], [0, 0, 0, 0], [0, 1, 1, 0]]).bool()
    assert kept(before, after) == {"kept": [0.5, 0.0, 1.0, 1.0], "gained": [0.0, 0.5, 0.0, 0.0]}


def test_faces_that_come_back_as_they_were_have_lost_nothing():
    x = data.faces(200, seed=3).images / 127.5 - 1
    found = back_figures(x, x)
    assert found["error"] == 0 and found["grain"] == pytest.approx(1) and found["kept"] == [1, 1, 1, 1]
    assert found["gained"] == [0, 0, 0, 0]
    half = back_figures(x, x / 2)
    assert half["error"] == pytest.approx(x.square().mean().sqrt().item() / 4) and half["grain"] == pytest.approx(1 / 4)


def test_bumps_are_counted():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        x = data.bumps().sample((10_000,))
    modes, good, *near = bump_figures(x)
    assert (modes, round(good, 2)) == (3, 1.0) and near == pytest.approx([0.2, 0.6, 0.2], abs=0.02)


def test_the_figures_of_digits_are_those_of_the_report_and_their_grain(small):
    x = data.mnist("train").images.flatten(1) / 127.5 - 1
    found = script.digit_figures(x)
    assert found["coverage"] == metrics.report(x, sigma=0.2)["coverage"] and 0.7 < found["grain"] < 1.3
