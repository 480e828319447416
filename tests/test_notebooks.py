"""The notebooks as files: one template, one clean run, nothing of this machine. What they compute, nbval tests."""

import copy
import dis
import json
import re
from pathlib import Path
from types import CodeType

import nbformat
import publish
import pytest
from execute_notebooks import mark_slides
from PIL import Image

ROOT = Path(__file__).parents[1]
LESSONS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
GLOSSARY = ROOT / "notebooks" / "glossary.md"
SOLUTIONS = sorted((ROOT / "notebooks" / "solutions").glob("[0-9]*.ipynb"))
TO_LEARN = [path for path in LESSONS if path.name[:2] != "00"]  # the playground is to play: it has checks, no quiz
DRAWING = re.compile(r"\b(plt|ax|axes|fig|svg)\b|subplots|set_title|\.set\(|^\s*assert\b|:[<>^]\d")
ENDING = [
    "^## Your turn$",
    "^#+ Quiz$",
    "^## What you saw$",
    "<details><summary>Common mistakes</summary>",
    "^## In practice$",
]


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


@pytest.mark.parametrize("path", TO_LEARN, ids=lambda path: path.stem)
def test_a_lesson_from_its_question_to_its_summary(path):
    notebook = read(path)
    texts = sources(notebook, "markdown")
    assert re.match("# .", texts[1])
    beginning = "\n".join(texts[:5])
    assert all(f"**You {what}:**" in beginning for what in ("will do", "will see", "need")) and "minutes" in beginning
    first = [cell for cell in notebook.cells if cell.cell_type == "code"][:4]  # a panel, and its still twin
    assert any("image/png" in output.get("data", {}) for cell in first for output in cell.outputs)
    assert 3 <= sum("**Predict.**" in text for text in texts) <= 8
    headings = re.findall(r"^## (.+)$", "\n".join(texts), re.MULTILINE)
    assert [it for it in headings if it != "Quiz"][-3:] == ["Your turn", "What you saw", "In practice"]
    assert re.search(r"^##+ Quiz$", "\n".join(texts), re.MULTILINE)


def faults(notebook):
    """What in a lesson is not yet as a learner needs it."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    text = "\n".join(sources(notebook, "markdown"))
    drawing = [line.strip() for cell in code for line in cell.source.splitlines() if DRAWING.search(line)]
    pngs = [output for output in outputs(notebook) if "image/png" in output.get("data", {})]
    described = [output.metadata.get("image/png", {}).get("alt", "") for output in pngs]
    described += [alt for alt in re.findall(r"!\[(.*?)\]\(", text)]
    described += [re.search(r'alt="(.*?)"', image + 'alt=""')[1] for image in re.findall(r"<img.*?>", text)]
    places = [[found.start() for found in re.finditer(heading, text, re.MULTILINE)] for heading in ENDING]
    last_heading = text.rfind("\n## ") + 1
    found = {
        "nothing live by the third code cell": not any("live" in cell.metadata.get("tags", []) for cell in code[:3]),
        f"{len(drawing)} drawing lines, of at most 5: {drawing}": len(drawing) > 5,
        "a picture without an alt text that says what is to be seen": any(len(alt) < 20 for alt in described),
        "the ending: Your turn, Quiz, What you saw, Common mistakes (a fold), In practice, once each": (
            any(len(place) != 1 for place in places) or places != sorted(places) or places[-1] != [last_heading]
        ),
    }
    return [fault for fault, it_is in found.items() if it_is]


@pytest.mark.parametrize("path", TO_LEARN, ids=lambda path: path.stem)
def test_a_lesson_has_no_faults(path):
    assert not faults(read(path))


def test_the_playground_is_live_at_once_and_has_ten_challenges():
    (path,) = (path for path in LESSONS if path.name[:2] == "00")
    notebook = read(path)
    first, *others = (fault for fault in faults(notebook))
    assert first.startswith("the ending") and not others  # no quiz, and no common mistakes
    texts = sources(notebook, "markdown")
    assert re.match("# .", texts[1])
    assert all(f"**You {what}:**" in texts[1] for what in ("will do", "will see", "need")) and "minutes" in texts[1]
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"][:4]
    assert any("image/png" in output.get("data", {}) for cell in cells for output in cell.outputs)
    headings = re.findall(r"^## (.+)$", "\n".join(texts), re.MULTILINE)
    assert headings == ["What you are looking at", "Your turn", "What you saw", "In practice"]
    challenges = [text for text in texts if re.match(r"### \d+\. ", text)]
    assert len(challenges) == 10 and all("<summary>Hint</summary>" in text for text in challenges)


def lesson_without_faults():
    v4 = nbformat.v4
    picture = v4.new_output("display_data", {"image/png": ""}, metadata={"image/png": {"alt": "Two humps, far apart"}})
    panel = v4.new_code_cell("lesson.panel()", outputs=[picture], metadata={"tags": ["live"]})
    fold = "## What you saw\n\n<details><summary>Common mistakes</summary>\n\nx\n\n</details>\n\n## In practice"
    texts = [v4.new_markdown_cell(text) for text in ("# A lesson", "## Your turn", "### Quiz", fold)]
    return v4.new_notebook(cells=[v4.new_code_cell("import torch"), v4.new_code_cell("x = 1"), panel, *texts])


def late(notebook):
    notebook.cells.insert(0, nbformat.v4.new_code_cell("y = 2"))


def drawn(notebook):
    notebook.cells[0].source = "\n".join(["fig, ax = plt.subplots()"] + 4 * ["ax.plot(x)"] + ["assert x"])


def undescribed(notebook):
    del notebook.cells[2].outputs[0].metadata["image/png"]


def undescribed_in_text(notebook):
    notebook.cells[3].source += '\n<img src="images/figure_1.png">'


def no_fold(notebook):
    notebook.cells[-1].source = "## What you saw\n\n## In practice"


def goes_on(notebook):
    notebook.cells.append(nbformat.v4.new_markdown_cell("## More"))


def quiz_last(notebook):
    notebook.cells.append(notebook.cells.pop(5))


BROKEN = {
    late: "nothing live",
    drawn: "6 drawing lines",
    undescribed: "alt text",
    undescribed_in_text: "alt text",
    no_fold: "the ending",
    goes_on: "the ending",
    quiz_last: "the ending",
}


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.__name__)
def test_each_fault_is_found(broken):
    notebook = lesson_without_faults()
    assert faults(notebook) == []
    broken(notebook)
    (fault,) = faults(notebook)
    assert BROKEN[broken] in fault


@pytest.mark.parametrize("path", LESSONS + SOLUTIONS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_what_all_notebooks_share_is_up_to_date(path):
    """`python tests/make/publish.py` writes it."""
    notebook = read(path)
    assert notebook.cells[0].source == publish.top_cell(ROOT, path)
    marked = copy.deepcopy(notebook)
    mark_slides(marked)
    assert [cell.metadata for cell in notebook.cells] == [cell.metadata for cell in marked.cells]


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_the_code_that_a_lesson_shows_is_the_code_of_today(path):
    package = {line.strip() for room in (ROOT / "gan_lessons").rglob("*.py") for line in room.read_text().splitlines()}
    cells = [cell for cell in read(path).cells if cell.cell_type == "code" and "show_source(" in cell.source]
    shown = [
        output.data["text/plain"] for cell in cells for output in cell.outputs if "text/html" in output.get("data", {})
    ]
    assert len(shown) >= len(cells)
    gone = [line for text in shown for line in text.splitlines() if line.strip() not in package]
    assert not gone, f"python tests/make/execute_notebooks.py {path.name[:2]}: it still shows {gone}"


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_every_exercise_is_open_in_the_lesson_and_solved_beside_it(path):
    lesson, solution = read(path), read(path.parent / "solutions" / path.name)
    exercises = [re.findall(r"lesson\.(check_\w+)\(", "\n".join(sources(nb, "code"))) for nb in (lesson, solution)]
    assert len(exercises[0]) >= 2 and exercises[0] == exercises[1]
    assert printed(lesson).count("Not answered yet.") == len(exercises[0])
    assert printed(solution).count("Right.") == len(exercises[0])


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_no_later_cell_changes_what_a_live_cell_looks_up(path):
    _setup, *code = [cell for cell in read(path).cells if cell.cell_type == "code"]
    cells = [compile(cell.source, "cell", "exec") for cell in code]
    live = ["live" in cell.metadata.get("tags", []) for cell in code]
    for i in [i for i, it_is in enumerate(live) if it_is]:
        inner = [code for code in cells[i].co_consts if isinstance(code, CodeType)]
        called_by_sliders = [code for code in inner if code.co_name.isidentifier()]  # comprehensions are over
        loads = [it for code in called_by_sliders for it in dis.get_instructions(code) if it.opname == "LOAD_GLOBAL"]
        looked_up = {it.argval for it in loads}
        for later in cells[i + 1 :]:
            stored = {it.argval for it in dis.get_instructions(later) if it.opname == "STORE_NAME"}
            assert not looked_up & stored


def terms(notebook):
    """What stands in bold in running text, but for the marks of the template."""
    text = re.sub(r"<details>.*?</details>", "", "\n".join(sources(notebook, "markdown")[2:]), flags=re.DOTALL)
    return {bold for bold in re.findall(r"\*\*(.+?)\*\*", text) if not re.fullmatch(r"Predict\.|\w\.", bold)}


def test_every_term_of_a_lesson_is_in_the_glossary():
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \| \[(\d\d)\]\((.+?)\) \|$", GLOSSARY.read_text(), re.MULTILINE)
    assert [row[0] for row in rows] == sorted((row[0] for row in rows), key=str.lower) and len(rows) >= 5
    for term, line, korean, number, file in rows:
        assert len(line) > 20 and re.search("[가-힣]", korean), term
        assert file.startswith(f"{number}_") and (GLOSSARY.parent / file).exists()
    for path in LESSONS:
        assert terms(read(path)) == {term for term, *_, file in rows if file == path.name}


def test_the_readme_says_what_is_so():
    readme = (ROOT / "README.md").read_text()
    for path in LESSONS:
        title = re.search(r"^# (.+)$", sources(read(path), "markdown")[1], re.MULTILINE)[1]
        assert f"**{path.name[:2]}** [{title}](notebooks/{path.name})<br>" in readme
        assert f'[<img src="notebooks/images/gallery/{path.name[:2]}.png"' in readme
    for script in re.findall(r"tests/[\w/]+\.\w+", readme):
        assert (ROOT / script).exists(), script
    package = ROOT / "gan_lessons"
    rooms = [path.name for path in package.glob("*.py") if not path.name.startswith("__")]
    rooms += [f"{path.parent.relative_to(package)}/" for path in package.glob("*/__init__.py")]
    assert [room for room in rooms if f"`{room}`" not in readme] == []
    assert Image.open(ROOT / "notebooks" / "images" / "figure_1.png").n_frames == 24
    for link in re.findall(r"\]\(([^)]+)\)", readme):
        assert link.startswith(("https://", "#")) or (ROOT / link).exists(), link  # anchors: test_documents.py
    commands = re.findall(r"^python3 -m venv .+$", readme, re.MULTILINE)
    assert len(commands) == 2 and commands[1] in (ROOT / ".ci" / "run").read_text().splitlines()
    for python in re.findall(r"```python\n(.+?)```", readme, re.DOTALL):
        names = {}
        exec(python, names)
    assert abs(names["gan"].generator.mu.item() - 500) < 0.3 and abs(names["gan"].generator.sigma.item() - 5) < 0.3
