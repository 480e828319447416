"""The texts beside the lessons: links that lead somewhere, tables that say what is so, code that runs."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

ROOT = Path(__file__).parents[1]
NOTEBOOKS = ROOT / "notebooks"
TEACHERS = NOTEBOOKS / "for_teachers.md"
PAGES = [ROOT / "README.md", ROOT / "gan_lessons" / "mnist" / "README.md"]
PAGES += sorted([*(ROOT / ".github").glob("*.md"), *NOTEBOOKS.rglob("*.md")])
LESSONS = sorted(NOTEBOOKS.rglob("[0-9]*.ipynb"))


def text_of(path: Path) -> str:
    if path.suffix != ".ipynb":
        return path.read_text()
    cells = json.loads(path.read_text())["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def without_code(text: str) -> str:
    return re.sub(r"```.*?```|`[^`\n]+`", "", text, flags=re.DOTALL)


def anchors(path: Path) -> set[str]:
    """What may follow # in a link to this file: as GitHub makes them of headings, or JupyterLab, in a notebook."""
    headings = re.findall(r"^#+ (.+?)\s*$", re.sub(r"```.*?```", "", text_of(path), flags=re.DOTALL), re.MULTILINE)
    if path.suffix == ".ipynb":
        return {heading.replace(" ", "-") for heading in headings}
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def dead(path: Path, text: str) -> list[str]:
    """The links of a text at that place which lead nowhere. Addresses elsewhere are only looked at."""
    links = re.findall(r"\]\(([^)\s]+)\)", without_code(text))
    links += re.findall(r'(?:href|src)="([^"]+)"', without_code(text))
    found = []
    for link in links:
        if re.match(r"https://[\w.-]+\.\w+(/|$)", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        there = target.exists() and target.is_relative_to(ROOT)
        if not there or (anchor and anchor not in anchors(target)):
            found.append(link)
    return found


@pytest.mark.parametrize("path", PAGES + LESSONS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(path):
    assert dead(path, text_of(path)) == []


def test_dead_links_are_found():
    good = "[a](README.md) [b](README.md#how-fast) [c](https://arxiv.org/abs/1406.2661) `[d](none.md)` [e](notebooks)"
    assert dead(ROOT / "README.md", good) == []
    bad = ["none.md", "README.md#how-slow", "#none", "http://arxiv.org", "../outside.md", "https://nowhere"]
    assert dead(ROOT / "README.md", " ".join(f"[x]({link})" for link in bad)) == bad
    assert dead(ROOT / "README.md", '<img src="notebooks/images/none.png">') == ["notebooks/images/none.png"]
    assert dead(LESSONS[0], "[x](../README.md#lessons) [y](../README.md#none)") == ["../README.md#none"]


# -- for whoever works on it -------------------------------------------------------------------------------------------


def test_contributing_says_what_is_so():
    text = (ROOT / ".github" / "CONTRIBUTING.md").read_text()
    whole = re.findall(r"^python3 -m venv .+$", (ROOT / "README.md").read_text(), re.MULTILINE)[1]
    assert whole in text and whole in (ROOT / ".ci" / "run").read_text().splitlines()
    assert '-m "not slow"' in text and "- run: .ci/run\n" in (ROOT / ".github" / "workflows" / "tests.yml").read_text()
    named = re.findall(r"(?:notebooks|gan_lessons|tests|\.github)/[\w/.-]*\w\b", text)
    assert len(named) > 15 and [name for name in named if not (ROOT / name).exists()] == []


# -- for teachers ------------------------------------------------------------------------------------------------------


def numbers(words: str) -> set[str]:
    """ "02 to 04, 06" -> 02, 03, 04, 06."""
    found = set(re.findall(r"\b\d\d\b", words))
    for first, last in re.findall(r"\b(\d\d)\b to \b(\d\d)\b", words):
        found |= {f"{number:02}" for number in range(int(first), int(last) + 1)}
    return found


def test_which_lesson_needs_which_is_what_the_lessons_say():
    table = dict(re.findall(r"^\| \[?(\d\d)(?:\]\(.+?\))? \| (.+?) \|", TEACHERS.read_text(), re.MULTILINE))
    for path in LESSONS:
        if path.parent == NOTEBOOKS:
            (line,) = re.findall(r"^\*\*You need:\*\* (.+?)(?: About \d\d minutes.*)?$", text_of(path), re.MULTILINE)
            needed = numbers(re.sub(r"\[(?:lesson )?(\d\d)\]\(.+?\)", r"\1", line))
            assert numbers(table[path.name[:2]]) == needed, f"{path.name}: {line}"


def blocks(path: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.+?)```", path.read_text(), re.DOTALL)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The nets that the lines of the page end with, in one process and in each of two: about 20 s."""
    (code,) = blocks(TEACHERS, "python")
    last = "dist.destroy_process_group()"
    keep = (
        'torch.save([G.module.state_dict(), D.module.state_dict()], f"{dist.get_world_size()}-{dist.get_rank()}.pt")\n'
    )
    assert code.count(last) == 1
    folder = tmp_path_factory.mktemp("torchrun")
    (folder / "train.py").write_text(code.replace(last, keep + last))
    (command,) = (line for block in blocks(TEACHERS, "bash") for line in block.splitlines() if "torchrun" in line)
    for processes in ("1", "2"):
        words = command.replace("--nproc-per-node 2", f"--nproc-per-node {processes}").split()[1:]
        run = [sys.executable, "-m", "torch.distributed.run", *words]
        done = subprocess.run(run, cwd=folder, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
    return {path.stem: torch.load(path) for path in folder.glob("[12]-*.pt")}


@pytest.mark.slow
def test_two_processes_learn_what_one_learns_from_the_whole_minibatch(trained):
    alone, first, second = (trained[name] for name in ("1-0", "2-0", "2-1"))
    assert_close(first, second, rtol=0, atol=0)
    assert_close(first, alone, rtol=1e-4, atol=1e-5)
