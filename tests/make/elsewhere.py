"""The package as others get it: its wheel, and a Python outside the clone that has everything but the package."""

import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import nbformat

ROOT = Path(__file__).parents[2]
COLAB = ROOT / ".venv-colab" / "bin" / "python"  # Colab's versions of what a panel needs
CLIENT = """
import sys, nbformat, nbclient
notebook = nbformat.read(sys.argv[1], as_version=4)
nbclient.NotebookClient(notebook, kernel_name="python3", timeout=300, allow_errors=True).execute()
nbformat.write(notebook, sys.argv[1])
"""


def build_wheel(folder: Path) -> Path:
    """Built from a copy: a clone's own build folder keeps rooms that are long gone."""
    source = folder / "source"
    shutil.copytree(ROOT / "gan_lessons", source / "gan_lessons", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    alone = [] if int(version("setuptools").split(".")[0]) < 77 else ["--no-build-isolation"]  # needs no network
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", *alone]
    subprocess.run([*pip, "--wheel-dir", folder, source], check=True)
    (wheel,) = folder.glob("gan_lessons-*.whl")
    return wheel


def python_without_us(folder: Path, like: Path = Path(sys.executable)) -> Path:
    """A virtual environment in folder that sees all packages of another Python, this one left out."""
    subprocess.run([like, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    ask = [like, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    theirs = Path(subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip())
    (folder / "packages").mkdir()
    for entry in theirs.iterdir():
        if "gan_lessons" not in entry.name:
            (folder / "packages" / entry.name).symlink_to(entry)
    site_packages(folder).joinpath("theirs.pth").write_text(str(folder / "packages"))
    return folder / "venv" / "bin" / "python"


def site_packages(folder: Path) -> Path:
    """Where that Python's pip installs."""
    return next((folder / "venv" / "lib").glob("python3.*")) / "site-packages"


def install(python: Path, wheel: Path) -> None:
    """Fails if anything but the wheel would have to be installed."""
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-index", wheel], env=environment(), check=True)


def environment(**more: str) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return ours | {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "OMP_NUM_THREADS": "1"} | more


def executed(python: Path, notebook: nbformat.NotebookNode, folder: Path, **more: str) -> nbformat.NotebookNode:
    """The notebook, run in that Python's kernel in that folder, errors kept in its outputs."""
    path = folder / "executed.ipynb"
    nbformat.write(notebook, path)
    subprocess.run([python, "-c", CLIENT, path.name], cwd=folder, env=environment(**more), check=True)
    return nbformat.read(path, as_version=4)
