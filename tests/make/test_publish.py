"""A published copy: its address in one place, badges that lead there, and nothing of Colab's replaced."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import publish
import pytest

ROOT = Path(__file__).parents[2]
COLAB = ROOT / ".venv-colab" / "bin" / "python"


@pytest.fixture
def copy(tmp_path):
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def files(root):
    return {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_one_command_writes_the_address_into_badges_and_set_up_cells(copy):
    publish.publish(copy, "https://github.com/somebody/else")
    publish.publish(copy, "https://github.com/you/gan.lessons")  # a second address leaves nothing of the first
    assert publish.address(copy) == "https://github.com/you/gan.lessons"
    lessons = sorted((copy / "notebooks").rglob("[0-9]*.ipynb"))
    assert len(lessons) >= 6
    for path in lessons:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        place = path.relative_to(copy).as_posix()
        link = f"(https://colab.research.google.com/github/you/gan.lessons/blob/main/{place})"
        assert notebook.cells[0].source.count(link) == 1 == notebook.cells[0].source.count("Open in Colab")
        setup = next(cell.source for cell in notebook.cells if cell.cell_type == "code")
        assert setup.endswith("\n    %pip install --quiet git+https://github.com/you/gan.lessons")
    assert not any(b"somebody" in content for content in files(copy).values())
    ruff = subprocess.run([sys.executable, "-m", "ruff", "check", "--ignore=I", copy], capture_output=True, text=True)
    assert ruff.returncode == 0, ruff.stdout


@pytest.mark.parametrize("url", ["", "github.com/you/gan", "https://gitlab.com/you/gan", "https://github.com/you"])
def test_an_address_where_colab_cannot_look_changes_nothing(copy, url):
    before = files(copy)
    with pytest.raises(SystemExit, match=r"address: got .*OWNER/NAME"):
        publish.publish(copy, url)
    assert files(copy) == before


@pytest.mark.parametrize("torch", ["2.11.0", "2.13.0"])
def test_colab_keeps_all_its_packages(tmp_path, torch):
    """pip's own report of what it would do in Colab: install this package, and nothing else."""
    if not COLAB.exists():
        pytest.skip("no .venv-colab: .ci/run says how to make it")
    pip = [COLAB, "-m", "pip", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--quiet", "--no-deps", "--wheel-dir", tmp_path, ROOT], check=True)
    installed = tmp_path / f"torch-{torch}.dist-info"  # what Colab has and has no small build: pip reads only this
    installed.mkdir()
    (installed / "METADATA").write_text(f"Metadata-Version: 2.1\nName: torch\nVersion: {torch}\n")
    (wheel,) = tmp_path.glob("gan_lessons-*.whl")
    dry = subprocess.run(
        [*pip, "install", "--quiet", "--dry-run", "--report", "-", wheel],
        env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert [new["metadata"]["name"] for new in json.loads(dry.stdout)["install"]] == ["gan_lessons"]
