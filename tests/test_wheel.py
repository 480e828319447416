"""The wheel, installed outside the clone: all that a lesson needs is inside, and nothing comes from the clone."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import elsewhere
import nbformat
import pytest

pytestmark = pytest.mark.slow  # the wheel is built, and installed twice
ROOT = Path(__file__).parents[1]
HOME = ROOT / "gan_lessons"
ROOMS = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in HOME.rglob("*.py")
)
LOOK = """
import importlib, json, sys
rooms = [importlib.import_module(name) for name in json.loads(sys.argv[1])]
from gan_lessons import data, pretrained
generators = [pretrained.load(name) for name in pretrained.names()]
shapes = [list(G(G.latent.sample((3,))).shape) for G in generators]
digits = pretrained.classifier()(data.mnist("test").images[:5] / 127.5 - 1)
records = [data.saved_record(name) for name in json.loads(sys.argv[2])]
print(json.dumps([[room.__file__ for room in rooms], shapes, list(digits.shape), len(records)]))
"""


@pytest.fixture(scope="module", params=["python", "colab"])
def installed(request, tmp_path_factory, wheel):
    """A folder with a Python that has the wheel, once with this environment's packages and once with Colab's."""
    if request.param == "colab" and not elsewhere.COLAB.exists():
        pytest.skip("no .venv-colab: .ci/run says how to make it")
    folder = tmp_path_factory.mktemp("elsewhere")
    like = elsewhere.COLAB if request.param == "colab" else Path(sys.executable)
    elsewhere.install(elsewhere.python_without_us(folder, like), wheel)
    return folder


def test_the_wheel_is_small(wheel):
    assert wheel.stat().st_size < 45_000_000


def test_every_room_and_all_data_are_in_it(installed):
    records = sorted(path.stem for path in (HOME / "records").glob("*.json"))
    look = subprocess.run(
        [installed / "venv" / "bin" / "python", "-c", LOOK, json.dumps(ROOMS), json.dumps(records)],
        cwd=installed,
        env=elsewhere.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    files, shapes, digits, read = json.loads(look.stdout)
    assert len(files) == len(ROOMS) > 30
    assert all(Path(file).is_relative_to(elsewhere.site_packages(installed)) for file in files)
    assert len(shapes) >= 9 and all(shape in ([3, 784], [3, 3, 32, 32]) for shape in shapes)
    assert digits == [5, 10] and read == len(records)


def test_a_lesson_runs_with_it(installed):
    """About 15 s: one lesson from top to bottom, in a folder where nothing else lies."""
    shutil.copy(ROOT / "notebooks" / "01_generative_models.ipynb", installed)
    lesson = nbformat.read(installed / "01_generative_models.ipynb", as_version=4)
    lesson.cells.append(nbformat.v4.new_code_cell("import gan_lessons; print(gan_lessons.__file__)"))
    ran = elsewhere.executed(installed / "venv" / "bin" / "python", lesson, installed)
    outputs = [output for cell in ran.cells for output in cell.get("outputs", [])]
    assert [output.evalue for output in outputs if output.output_type == "error"] == []
    assert Path(outputs[-1].text.strip()).is_relative_to(elsewhere.site_packages(installed))
