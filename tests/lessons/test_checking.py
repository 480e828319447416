import base64
import inspect
import io

import matplotlib.pyplot as plt
import nbformat
import PIL.Image
import pytest
from browser import contrast
from nbconvert import HTMLExporter
from pygments.styles import get_style_by_name

from gan_lessons import losses, plots
from gan_lessons.lessons import checking
from gan_lessons.training import Trainer


@pytest.mark.parametrize("encoding", ["ascii", "cp949", "latin-1", "utf-8"])
def test_a_check_prints_on_any_console(encoding, monkeypatch):
    screen = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr("sys.stdout", screen)

    @checking.check
    def check(answer):
        raise ValueError("\N{BLACK SQUARE}\N{HANGUL SYLLABLE GA}\N{SUPERSCRIPT TWO}\nsecond line")

    check(0)
    screen.flush()
    said = screen.buffer.getvalue().decode(encoding)
    assert said.startswith("Not yet: your answer raised ValueError: ") and said.endswith("second line\n")
    assert said.count("\n") == 1


def test_show_source_shows_the_code_that_runs(monkeypatch):
    shown = []
    monkeypatch.setattr(checking, "display", lambda bundle, raw: shown.append(bundle))
    for obj in (losses.discriminator_loss, Trainer.step, Trainer.discriminator_step, Trainer):
        checking.show_source(obj)
    assert all("monospace" in bundle["text/html"] for bundle in shown)
    texts = [bundle["text/plain"] for bundle in shown]
    assert "return softplus(-logits_real).mean() + softplus(logits_fake).mean()" in texts[0]
    assert texts[0] == inspect.getsource(losses.discriminator_loss).strip()
    assert "def step(self)" in texts[1] and "for _ in self.turns()" in texts[1]  # not the wrapper around it
    assert "def discriminator_step(" in texts[2] and ".detach()" in texts[2]
    assert texts[3].startswith("class Trainer(")
    assert not any(line.startswith(" ") for line in (text.splitlines()[0] for text in texts))


@pytest.mark.parametrize("kind", ["figure", "film"])
def test_a_picture_is_shown_with_a_description(kind, monkeypatch):
    shown = []
    monkeypatch.setattr(checking, "display", lambda data, metadata, raw: shown.append((data, metadata)))
    figure, ax = plt.subplots(figsize=(3, 2))
    ax.plot([0, 1])
    checking.show(figure if kind == "figure" else plots.film([figure], 1), "A line that rises & ends")
    assert plt.fignum_exists(figure.number) == (kind == "film")
    plt.close("all")
    ((data, metadata),) = shown
    picture = PIL.Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
    assert picture.format == "PNG" and 150 < picture.width < 350
    output = nbformat.v4.new_output("display_data", data, metadata=metadata)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("show()", outputs=[output])])
    page, _ = HTMLExporter(template_name="classic").from_notebook_node(notebook)  # JupyterLab's own knows no alt
    assert '<img alt="A line that rises &amp; ends" src=' in page


def test_shown_code_is_readable():
    """Every colour that a token can have, against the paper: WCAG's 4.5 at least."""
    inks = [f"#{token['color']}" for _, token in get_style_by_name(checking.STYLE) if token["color"]]
    assert len(inks) > 20
    assert min(contrast(ink, checking.PAPER) for ink in [*inks, checking.INK]) >= 4.5
    assert not any(token["bgcolor"] for _, token in get_style_by_name(checking.STYLE))
