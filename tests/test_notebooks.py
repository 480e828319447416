"""The notebooks as files: one template, one clean run, nothing of this machine. What they compute, nbval tests."""

import dis
import json
import re
from pathlib import Path
from types import CodeType

import nbformat
import publish
import pytest
from readme_film import first_film

ROOT = Path(__file__).parents[1]
LESSONS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
SOLUTIONS = sorted((ROOT / "notebooks" / "solutions").glob("[0-9]*.ipynb"))


def read(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook


def sources(notebook, kind):
    return [cell.source for cell in notebook.cells if cell.cell_type == kind]


def outputs(notebook):
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def printed(notebook):
    return "".join(output.text for output in outputs(notebook) if output.get("name") == "stdout")


@pytest.mark.parametrize("path", LESSONS + SOLUTIONS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_one_clean_run_in_a_small_file(path):
    notebook = read(path)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert "widgets" not in notebook.metadata
    assert path.stat().st_size < 1_500_000
    for output in outputs(notebook):
        assert output.output_type != "error" and output.get("name") != "stderr"
        assert not any("widget" in mime for mime in output.get("data", {}))
    assert not re.search(r"/(tmp|root|home|work|Users)/\w", json.dumps(outputs(notebook)))


@pytest.mark.parametrize("path", LESSONS + SOLUTIONS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_code_and_texts_keep_to_the_template(path):
    notebook = read(path)
    setup, *rest = sources(notebook, "code")
    assert setup == publish.setup_cell(publish.address(ROOT))
    for source in rest:
        assert len(source.splitlines()) <= 15, source
        assert not source.rstrip().endswith(";") and "import *" not in source
    for text in sources(notebook, "markdown"):
        for link in re.findall(r"\]\(([^)#]+)", text):
            assert link.startswith("https://") or (path.parent / link).exists(), link
        for detail in re.findall(r"<details>.*?</details>", text, re.DOTALL):  # else their Markdown is not rendered
            assert "</summary>\n\n" in detail and "\n\n</details>" in detail and "$" not in detail


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_from_its_question_to_its_summary(path):
    notebook, number = read(path), path.stem[:2]
    texts = sources(notebook, "markdown")
    assert notebook.cells[0].source.startswith(f"**Lesson {number}**")
    near = [LESSONS[i] for i in (LESSONS.index(path) - 1, LESSONS.index(path) + 1) if 0 <= i < len(LESSONS)]
    assert all(neighbour.name in texts[0] for neighbour in near)
    assert texts[1].startswith("# ") and all(f"**You will {what}:**" in texts[1] for what in ("do", "see"))
    assert "**You need:**" in texts[1] and "minutes" in texts[1]
    assert any("image/png" in o.get("data", {}) for cell in notebook.cells[:5] for o in cell.get("outputs", []))
    assert 3 <= sum("**Predict.**" in text for text in texts) <= 8
    headings = re.findall(r"^## (.+)$", "\n".join(texts), re.MULTILINE)
    assert headings[-3:] == ["Your turn", "What you saw", "In practice"]
    assert "### Quiz" in "\n".join(texts)


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_every_exercise_is_open_in_the_lesson_and_solved_beside_it(path):
    lesson, solution = read(path), read(path.parent / "solutions" / path.name)
    exercises = [re.findall(r"exercises\.(check_\w+)", "\n".join(sources(nb, "code"))) for nb in (lesson, solution)]
    assert len(exercises[0]) >= 2 and exercises[0] == exercises[1]
    assert printed(lesson).count("not answered yet") == len(exercises[0])
    assert printed(solution).count("Right.") == len(exercises[0])


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_no_later_cell_changes_what_a_live_cell_looks_up(path):
    cells = [compile(cell.source, "cell", "exec") for cell in read(path).cells if cell.cell_type == "code"]
    live = ["live" in cell.metadata.get("tags", []) for cell in read(path).cells if cell.cell_type == "code"]
    for i in [i for i, it_is in enumerate(live) if it_is]:
        inner = [code for code in cells[i].co_consts if isinstance(code, CodeType)]
        called_by_sliders = [code for code in inner if code.co_name.isidentifier()]  # comprehensions are over
        loads = [it for code in called_by_sliders for it in dis.get_instructions(code) if it.opname == "LOAD_GLOBAL"]
        looked_up = {it.argval for it in loads}
        for later in cells[i + 1 :]:
            stored = {it.argval for it in dis.get_instructions(later) if it.opname == "STORE_NAME"}
            assert not looked_up & stored


def test_the_readme_says_what_is_so():
    readme = (ROOT / "README.md").read_text()
    for path in LESSONS:
        title = re.search(r"^# (.+)$", sources(read(path), "markdown")[1], re.MULTILINE)[1]
        assert f"[{title}](notebooks/{path.name})" in readme
    assert (ROOT / "notebooks" / "images" / "figure_1.png").read_bytes() == first_film()
    for link in re.findall(r"\]\(([^)]+)\)", readme):
        assert link.startswith("https://") or (ROOT / link).exists(), link
    commands = re.findall(r"^python3 -m venv .+$", readme, re.MULTILINE)
    assert len(commands) == 2 and commands[1] in (ROOT / ".ci" / "run").read_text().splitlines()
    for python in re.findall(r"```python\n(.+?)```", readme, re.DOTALL):
        names = {}
        exec(python, names)
    assert abs(names["gan"].generator.mu.item() - 500) < 0.3 and abs(names["gan"].generator.sigma.item() - 5) < 0.3
