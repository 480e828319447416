"""A published copy: its address in one place, badges that lead there, and nothing of Colab's replaced."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import elsewhere
import nbformat
import publish
import pytest

ROOT = Path(__file__).parents[2]


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
    assert not any(b"somebody/else" in content for content in files(copy).values())
    ruff = subprocess.run([sys.executable, "-m", "ruff", "check", "--ignore=I", copy], capture_output=True, text=True)
    assert ruff.returncode == 0, ruff.stdout


@pytest.mark.parametrize("url", ["", "github.com/you/gan", "https://gitlab.com/you/gan", "https://github.com/you"])
def test_an_address_where_colab_cannot_look_changes_nothing(copy, url):
    before = files(copy)
    with pytest.raises(SystemExit, match=r"address: got .*OWNER/NAME"):
        publish.publish(copy, url)
    assert files(copy) == before


@pytest.mark.slow
@pytest.mark.parametrize("torch", ["2.11.0", "2.13.0"])
def test_colab_keeps_all_its_packages(tmp_path, torch, wheel):
    """pip's own report of what it would do in Colab: install this package, and nothing else."""
    if not elsewhere.COLAB.exists():
        pytest.skip("no .venv-colab: .ci/run says how to make it")
    installed = tmp_path / f"torch-{torch}.dist-info"  # what Colab has and has no small build: pip reads only this
    installed.mkdir()
    (installed / "METADATA").write_text(f"Metadata-Version: 2.1\nName: torch\nVersion: {torch}\n")
    dry = subprocess.run(
        [elsewhere.COLAB, "-m", "pip", "install", "--quiet", "--dry-run", "--report", "-", wheel],
        env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin", "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert [new["metadata"]["name"] for new in json.loads(dry.stdout)["install"]] == ["gan_lessons"]


def set_up(folder, like, address=None, **env):
    """What the set-up cell, and an import after it, put out in a real kernel that lacks the package: about 5 s."""
    if not like.exists():
        pytest.skip("no .venv-colab: .ci/run says how to make it")
    cells = [publish.setup_cell(address), "import gan_lessons; print(gan_lessons.__file__)"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    ran = elsewhere.executed(elsewhere.python_without_us(folder, like), notebook, folder, **env)
    return [cell.outputs for cell in ran.cells]


def colab(folder, wheel=None):
    """A stand-in of google.colab, whose upload button is pressed and the wheel chosen: the path it is imported from."""
    files = folder / "stand_in" / "google" / "colab" / "files.py"
    files.parent.mkdir(parents=True)
    (files.parent / "__init__.py").touch()
    files.write_text(f"""
from pathlib import Path
def upload():  # as Colab does, it also writes the file into the current folder
    wheel = Path({str(wheel)!r})
    Path(wheel.name).write_bytes(wheel.read_bytes())
    return {{wheel.name: wheel.read_bytes()}}
""")
    return str(folder / "stand_in")


def new_in(folder):
    """What pip has put there: names of packages, with that of our environment's own file left out."""
    names = {path.name.split("-")[0] for path in elsewhere.site_packages(folder).iterdir()}
    return names - {"theirs.pth"}


@pytest.mark.slow
def test_installed_it_does_nothing(tmp_path):
    setup, after = set_up(tmp_path, Path(sys.executable), PYTHONPATH=str(ROOT))
    assert setup == [] and new_in(tmp_path) == set()
    assert after[0].text.strip() == str(ROOT / "gan_lessons" / "__init__.py")


@pytest.mark.slow
def test_in_colab_it_asks_for_the_wheel_and_installs_it(tmp_path, wheel):
    """About 10 s: 37 MB are unpacked."""
    setup, after = set_up(tmp_path, elsewhere.COLAB, PYTHONPATH=colab(tmp_path, wheel), PIP_NO_INDEX="1")
    assert setup[0].text.startswith("Choose the wheel of gan_lessons, which README.md says how to build:\n")
    assert new_in(tmp_path) == {"gan_lessons"}
    assert Path(after[0].text.strip()).is_relative_to(elsewhere.site_packages(tmp_path))


@pytest.mark.slow
def test_in_colab_a_published_copy_comes_from_its_address(tmp_path):
    """About 15 s: git takes the last commit of this clone for what lies at the address."""
    address = "https://github.com/you/gan.lessons"
    git = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"url.file://{ROOT}.insteadOf", "GIT_CONFIG_VALUE_0": address}
    pip = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0"}  # 0: none
    _, after = set_up(tmp_path, elsewhere.COLAB, address, PYTHONPATH=colab(tmp_path), **git, **pip)
    assert new_in(tmp_path) == {"gan_lessons"}
    assert Path(after[0].text.strip()).is_relative_to(elsewhere.site_packages(tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("address", [None, "https://github.com/you/gan.lessons"])
def test_elsewhere_one_sentence_says_what_to_run(tmp_path, address):
    (said,), (after,) = set_up(tmp_path, Path(sys.executable), address)
    assert said.name == "stderr" and "run `pip install .` in the folder of README.md" in said.text
    assert said.text.startswith("UsageError: gan_lessons is not installed") and said.text.count("\n") == 1
    assert after.ename == "ModuleNotFoundError" and new_in(tmp_path) == set()
