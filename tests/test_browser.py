"""The panels in a real browser, clicked, dragged and typed at, on JupyterLab and on Colab's pins.

What is shown is compared with what the kernel has; what the kernel has, with the line of code that the panel shows.
"""

import io
import os
import re
import time
from contextlib import closing

import numpy as np
import PIL.Image
import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import FLAGS, STACKS, Notebook, Panel, Server, chromium, contrast, lesson, missing, until
from playwright.sync_api import expect, sync_playwright

pytestmark = [pytest.mark.slow, pytest.mark.alone]
SECOND, PRINT, SLEEP, TWICE = 3, 4, 5, 6  # cells of ours, after the lesson's
EXTRA = [
    'live.Panel(recipes.gaussian, views.Figure1(), name="second", seed=4)',
    'print("from another cell")',
    "import time\n\ntime.sleep(3)",
    "next(one for one in live.panel._panels if one._name == 'gaussian')",
]
RATES = [".gl-lr-d", ".gl-lr-g"]


@pytest.fixture(scope="module", params=STACKS)
def server(request, tmp_path_factory):
    stack = STACKS[request.param]
    if problem := missing(stack):
        (pytest.fail if os.environ.get("CI") else pytest.skip)(problem)
    server = Server(stack, tmp_path_factory.mktemp(request.param))
    yield server
    server.close()


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield browser
        browser.close()


def opened(server, browser, cells):
    context = browser.new_context(viewport={"width": 1200, "height": 2000})  # all cells in view: Lab detaches others
    return Notebook(server, context, cells)


@pytest.fixture(scope="module")
def notebook(server, browser):
    notebook = opened(server, browser, lesson("02") + EXTRA)
    notebook.run(0, 1)
    yield notebook
    notebook.close()


@pytest.fixture
def panel(notebook):
    """Lesson 02's, new for each test: its cell is run again."""
    if notebook.page.is_closed():
        notebook.open()
    notebook.noise.clear()
    yield shown(notebook, "gaussian")
    # what comes to a reloaded page before it knows the panel: the classic notebook says so, JupyterLab does not
    assert [words for words in notebook.noise if "Comm promise not found" not in words] == []


def shown(notebook, name, cell=2):
    notebook.run(cell)
    panel = Panel(notebook, name, cell)
    expect(panel.find(".gl-status")).to_contain_text("Round 0:")
    return panel


def plays(panel):
    """It trains and draws."""
    done, step = panel.steps_done, panel.step
    until(lambda: panel.steps_done > done + 3 and panel.step > step + 3)
    assert panel.playing
    return True


def rests(panel):
    """It does not train, nor will it."""
    until(lambda: not panel.playing)
    time.sleep(0.3)  # a drag may not be over
    done = panel.steps_done
    time.sleep(0.6)
    assert panel.steps_done == done and not panel.playing
    until(lambda: panel.step == done)
    return True


def same_as_its_code(panel):
    """Its trainer is, bit by bit, where the shown line of code comes to after as many rounds."""
    panel.do(f"gan = {panel.find('.gl-code').inner_text()}\nfor _ in gan.run(panel.trainer.steps_done):\n    pass")
    nets = ("generator", "discriminator")
    return not any(panel.value(different(f"gan.{net}", f"panel.trainer.{net}")) for net in nets)


def different(net, other):
    """Code: whether any weight differs."""
    return f"any(not a.equal(b) for a, b in zip({net}.parameters(), {other}.parameters(), strict=True))"


def test_play_trains_and_draws(panel):
    before = panel.find(".gl-view").inner_html()
    panel.play()
    assert plays(panel)
    assert panel.find(".gl-view").inner_html() != before


def test_the_keyboard_steers_while_it_trains(panel):
    panel.play()
    panel.press(".gl-k", "ArrowRight", times=4)
    until(lambda: panel.value("panel.trainer.k") == 5)
    panel.press(".gl-lr-d", "ArrowRight")
    panel.press(".gl-lr-g", "ArrowLeft", times=2)
    until(lambda: panel.value("[panel.trainer.lr_d, panel.trainer.lr_g]") == [0.02, 0.01])
    assert plays(panel)


def test_arrow_keys_move_sliders_where_the_page_has_shortcuts_for_them(panel):
    """As in Notebook 7, which takes them first, on their way down, unless they are said to be done with."""
    if panel.notebook.stack is STACKS["colab"]:
        pytest.skip("jQuery's sliders are told of keys first")
    panel.page.evaluate("""() => document.addEventListener('keydown', event => {
        if (!event.defaultPrevented && event.target.matches('.noUi-handle')) event.stopPropagation() }, true)""")
    panel.press(".gl-k", "ArrowRight", times=3)
    until(lambda: panel.value("panel.trainer.k") == 4)
    panel.press(".gl-k", "Home")
    until(lambda: panel.value("panel.trainer.k") == 0)


def test_the_mouse_steers_while_it_trains(panel):
    panel.play()
    panel.drag(".gl-k", to=1.1)
    until(lambda: panel.value("panel.trainer.k") == 20)
    panel.drag(".gl-lr-d", to=-0.1)
    until(lambda: panel.value("panel.trainer.lr_d") == 1e-5)
    assert plays(panel)


def test_pause_stops_it(panel):
    panel.play()
    assert plays(panel)
    panel.pause()
    assert rests(panel)


def test_one_player_alone(panel):
    panel.find(".gl-more").click()
    for button, moved in {".gl-step-d": [False, True], ".gl-step-g": [True, False]}.items():
        panel.do("import copy\nbefore = copy.deepcopy((panel.trainer.generator, panel.trainer.discriminator))")
        panel.find(button).click()
        expect(panel.find(".gl-code")).to_contain_text(f"turns of {button[-1].upper()} alone")
        now = "zip(before, (panel.trainer.generator, panel.trainer.discriminator))"
        assert panel.value(f"[{different('old', 'new')} for old, new in {now}]") == moved
    assert panel.steps_done == 0


def test_one_round_reset_and_the_line_of_code(panel):
    panel.press(".gl-k", "ArrowRight", times=2)
    until(lambda: panel.value("panel.trainer.k") == 3)
    for step in range(1, 6):
        panel.find(".gl-step").click()
        expect(panel.find(".gl-status")).to_contain_text(f"Round {step}:")
    assert panel.steps_done == 5 and same_as_its_code(panel)
    panel.find(".gl-reset").click()
    expect(panel.find(".gl-status")).to_contain_text("Round 0:")
    for step in range(1, 6):
        panel.find(".gl-step").click()
        expect(panel.find(".gl-status")).to_contain_text(f"Round {step}:")
    assert panel.value("panel.trainer.k") == 3 and same_as_its_code(panel)
    panel.find(".gl-more").click()
    panel.find(".gl-seed").click()
    expect(panel.find(".gl-status")).to_contain_text("Round 0:")
    expect(panel.find(".gl-code")).to_contain_text("recipes.gaussian(seed=1, k=3, lr_d=0.01, lr_g=0.05, decay=None)")
    panel.find(".gl-step").click()
    expect(panel.find(".gl-status")).to_contain_text("Round 1:")
    assert same_as_its_code(panel)


def test_history_goes_back_and_play_goes_on_from_there(panel):
    panel.find(".gl-more").click()
    panel.play()
    until(lambda: panel.value("len(panel._game.past.steps)") > 4)
    panel.drag(".gl-history", to=0.5, done=lambda: not panel.playing)  # it pauses by itself
    assert rests(panel)
    back, end = panel.value("[panel.trainer.steps_done, panel._game.past.steps[-1]]")
    assert 0 < back < end and same_as_its_code(panel)
    panel.drag(".gl-history", to=1.1)  # no End key: noUiSlider has it at the end that the slider was made with
    until(lambda: panel.steps_done == end)  # the way forward is still open
    assert rests(panel) and panel.steps_done == end
    assert same_as_its_code(panel)
    panel.press(".gl-history", "Home")
    until(lambda: panel.steps_done == 0)
    panel.drag(".gl-history", to=0.5)
    assert rests(panel)
    back = panel.steps_done
    panel.press(".gl-k", "ArrowRight")
    expect(panel.find(".gl-code")).to_contain_text(f"k moved at round {back}")
    panel.find(".gl-step").click()
    expect(panel.find(".gl-status")).to_contain_text(f"Round {back + 1}:")
    panel.play()
    assert plays(panel)


def test_a_cell_run_again_leaves_one_panel(panel, notebook):
    panel.play()
    assert plays(panel)
    panel.do("old = panel")
    again = shown(notebook, "gaussian")
    assert rests(again) and notebook.value("old.comm is None")
    done = notebook.value("old.trainer.steps_done")
    again.play()
    assert plays(again)
    assert notebook.value("[old.trainer.steps_done, old._clock.playing]") == [done, False]


def test_two_panels_play_at_once(panel, notebook):
    second = shown(notebook, "second", SECOND)
    panel.play()
    second.play()
    second.press(".gl-k", "ArrowRight", times=3)
    until(lambda: second.value("panel.trainer.k") == 4)
    assert plays(panel) and plays(second)
    assert panel.value("panel.trainer.k") == 1
    panel.pause()
    assert plays(second)
    second.pause()


def test_another_cell_runs_meanwhile(panel, notebook):
    panel.play()
    notebook.run(PRINT)
    expect(notebook.output(PRINT)).to_contain_text("from another cell")
    assert plays(panel)
    notebook.run(SLEEP)
    assert plays(panel)


def test_what_training_raises_is_shown(panel):
    panel.play()
    panel.do("panel.trainer.data.sample = lambda shape: 1 / 0")
    expect(panel.find(".gl-err")).to_contain_text("ZeroDivisionError")
    assert rests(panel)
    panel.find(".gl-reset").click()
    expect(panel.find(".gl-err")).to_have_text("")
    panel.play()
    assert plays(panel)
    panel.do("panel.trainer.lr_g = 1e38")
    expect(panel.find(".gl-err")).to_contain_text("lower lr_d or lr_g")
    assert rests(panel)
    panel.find(".gl-reset").click()
    expect(panel.find(".gl-err")).to_have_text("")
    panel.play()
    assert plays(panel)


def test_a_page_reloaded_and_a_page_closed(panel, notebook):
    panel.play()
    assert plays(panel)
    notebook.reload(before=lambda: until(lambda: not panel.value("panel._clock.playing")))
    assert rests(panel)
    expect(panel.find(".gl-view [role=img]")).to_be_visible()
    panel.play()
    assert plays(panel)
    notebook.page.close()
    until(lambda: not panel.value("panel._clock.playing"), seconds=6)
    done = panel.steps_done
    time.sleep(1)
    assert panel.steps_done == done


def test_a_page_that_comes_back_at_any_moment(panel, notebook):
    """Shorter and longer than the kernel takes to notice; `tests/bench/reloads.py` tries more moments."""
    for seconds in (0.0, 1.7, 2.0):
        notebook.run(2)
        panel.play()
        assert plays(panel)
        notebook.reload(before=lambda seconds=seconds: time.sleep(seconds))
        agrees_with_its_kernel(panel)
        panel.play()
        assert plays(panel)


def agrees_with_its_kernel(panel):
    expect(panel.find(".gl-view [role=img]")).to_be_visible()
    assert rests(panel) and not panel.value("panel._clock.playing")


def test_a_panel_shown_in_two_cells_plays_in_both(panel, notebook):
    notebook.run(TWICE)
    first, second = panel, Panel(notebook, "gaussian", TWICE)
    expect(second.find(".gl-view [role=img]")).to_be_visible()
    for one in (second, first):
        one.find(".gl-play .fa-play").click()
        assert plays(first) and plays(second)
        one.pause()
        assert rests(first) and rests(second)
    first.press(".gl-k", "ArrowRight")
    until(lambda: first.value("panel.trainer.k") == 2)
    expect(second.find(".gl-k .widget-readout")).to_have_text("2")


def test_a_second_view_of_one_output_says_why_it_rests(panel, notebook, server):
    """JupyterLab's "Create New View for Cell Output": ipywidgets 8 cannot play in two views of one output."""
    if server.stack is STACKS["colab"]:
        pytest.skip("the classic notebook has no such views")
    notebook.page.evaluate("jupyterapp.commands.execute('notebook:create-output-view')")
    until(lambda: panel.value("panel.play._view_count") == 2)
    panel.find(".gl-play .fa-play").click()
    expect(panel.find(".gl-err")).to_contain_text("on the page more than once")
    assert rests(panel)
    notebook.page.evaluate(  # the other view away, and the notebook in front again, for the tests that follow
        """() => { for (const one of [...jupyterapp.shell.widgets('main')])
            one.sessionContext ? jupyterapp.shell.activateById(one.id) : one.dispose() }"""
    )
    notebook.page.wait_for_function(notebook.stack.ready)


def test_an_interrupt_pauses(panel, notebook):
    panel.play()
    assert plays(panel)
    for _ in range(3):  # one that comes inside a widget's message is lost in ipykernel
        notebook.interrupt()
        notebook.page.wait_for_timeout(1500)
        if not panel.playing:
            break
    assert rests(panel)
    panel.play()
    assert plays(panel)


def test_a_kernel_restarted(panel, notebook):
    panel.play()
    assert plays(panel)
    notebook.restart()
    notebook.run(0, 1)
    panel = shown(notebook, "gaussian")
    panel.play()
    assert plays(panel)


def test_without_a_mouse(panel, notebook):
    def tab(css, key="Tab"):
        focused = f"e => e.contains(document.activeElement) && document.activeElement.closest('{css}') !== null"
        for _ in range(40):
            if panel.box.evaluate(focused):
                return
            notebook.page.keyboard.press(key)
        raise AssertionError(f"Tab does not come to {css}")

    def press(*keys):
        for key in keys:
            notebook.page.keyboard.press(key)

    notebook.editor(2).focus()
    press("Control+Enter")  # the cell run again, and the focus out of its editor
    expect(panel.find(".gl-status")).to_contain_text("Round 0:")
    tab(".gl-play button")
    press("Space")
    assert plays(panel)
    for keys, k in ((["ArrowRight"], 2), (["End"], 20), (["Home", "ArrowUp", "ArrowUp", "ArrowDown"], 1)):
        tab(".gl-k")
        press(*keys)
        until(lambda k=k: panel.value("panel.trainer.k") == k)
    tab(".gl-lr-d")
    press("ArrowLeft")
    tab(".gl-lr-g")
    press("ArrowRight")
    until(lambda: panel.value("[panel.trainer.lr_d, panel.trainer.lr_g]") == [0.005, 0.1])
    tab(".gl-more")
    press("Enter")
    expect(panel.find(".gl-step-d")).to_be_visible()
    tab(".gl-step-d")
    press("Enter")
    tab(".gl-step-g")
    press("Space")
    expect(panel.find(".gl-code")).to_contain_text("turns of G alone")
    expect(panel.find(".gl-code")).to_contain_text("turns of D alone")
    assert plays(panel)
    tab(".gl-play button:has(.fa-pause)", "Shift+Tab")
    press("Enter")
    assert rests(panel)
    done = panel.steps_done
    tab(".gl-step")
    press("Enter")
    until(lambda: panel.steps_done == done + 1)
    tab(".gl-history")
    press("Home")
    until(lambda: panel.steps_done == 0)
    tab(".gl-play button:has(.fa-play)", "Shift+Tab")
    press("Enter")
    assert plays(panel)


def test_lesson_04(server, browser):
    notebook = opened(server, browser, lesson("04"))
    notebook.run(0, 1)
    panel = shown(notebook, "gaussian_mlp")
    panel.play()
    panel.press(".gl-data:has-text('place 2')", "ArrowRight", times=3)
    until(lambda: panel.value("panel.trainer.data.component_distribution.mean.tolist()") == [485, 503, 515])
    panel.drag(".gl-data:has-text('weight 1')", to=0)
    until(lambda: panel.value("panel.trainer.data.mixture_distribution.probs[0].item()") == 0)
    panel.find(".gl-latent select").select_option("uniform")
    until(lambda: panel.value("type(panel.trainer.latent) is Uniform"))
    panel.press(".gl-k", "End")
    until(lambda: panel.value("panel.trainer.k") == 20)
    assert plays(panel)
    panel.pause()
    panel.find(".gl-reset").click()
    expect(panel.find(".gl-status")).to_contain_text("Round 0:")
    panel.find(".gl-step").click()
    expect(panel.find(".gl-status")).to_contain_text("Round 1:")
    assert same_as_its_code(panel)
    assert notebook.noise == []
    notebook.close()


def test_lesson_08(server, browser):
    notebook = opened(server, browser, lesson("08"))
    notebook.run(0, 1)
    panel = shown(notebook, "mnist_quick")
    before = panel.find(".gl-view").inner_html()
    panel.play()
    panel.press(".gl-k", "ArrowRight", times=2)
    until(lambda: panel.value("panel.trainer.k") == 3)
    panel.find(".gl-more").click()
    for player in "DG":
        panel.find(f".gl-step-{player.lower()}").click()
        expect(panel.find(".gl-code")).to_contain_text(f"turns of {player} alone")
    assert plays(panel)
    assert panel.find(".gl-view").inner_html() != before
    panel.pause()
    assert rests(panel)
    assert notebook.noise == []
    notebook.close()


FACES = ["from gan_lessons import live, recipes, views", "live.Panel(recipes.faces_quick, views.Images())"]


def test_faces(server, browser):
    """They come in colour, several times a second, and k and the rates are dragged meanwhile."""
    with closing(opened(server, browser, FACES)) as notebook:
        notebook.run(0)
        panel = shown(notebook, "faces_quick", cell=1)
        grey = colour(panel)
        panel.play()
        assert plays(panel) and lively(panel)
        until(lambda: colour(panel) > grey + 10, seconds=60)
        panel.drag(".gl-k", to=0.15)
        until(lambda: panel.value("1 < panel.trainer.k < 6"))
        for css in RATES:
            panel.drag(css, to=-0.1)
        until(lambda: panel.value("[panel.trainer.lr_d, panel.trainer.lr_g]") == [1e-5, 1e-5])
        assert plays(panel)
        panel.pause()
        assert rests(panel)
        assert notebook.noise == []


def lively(panel):
    """At least 5 pictures a second, or, where the machine is too busy for 7 turns a second, one for most of them."""
    for _ in range(5):
        began, done = time.monotonic(), panel.steps_done
        frames = panel.frames(4)
        turns = 2 * (panel.steps_done - done) / (time.monotonic() - began)
        print(f"{frames} frames and {turns:.1f} turns a second")
        if frames >= min(5, 0.7 * turns):
            return True
    return False


def colour(panel):
    """How much the picture on the page varies between red and blue, of 255."""
    pixels = PIL.Image.open(io.BytesIO(panel.find(".gl-view").screenshot())).convert("RGB")
    red, _, blue = np.asarray(pixels, float).transpose(2, 0, 1)
    return (red - blue).std()


PLAYGROUND = ["from gan_lessons import live", "panel = live.Playground()\npanel"]


def test_playground_plays_every_kind_of_data(server, browser):
    """Chosen while it plays, each goes on playing, and its picture changes."""
    with closing(opened(server, browser, PLAYGROUND)) as notebook:
        notebook.run(0)
        panel = shown(notebook, "playground", cell=1)
        panel.play()
        for kind, words in panel.value("[(name, one.words) for name, one in live.kinds.KINDS.items()]"):
            panel.find(".gl-kind select").select_option(label=words)
            until(lambda kind=kind: panel.value("panel.kind") == kind, seconds=60)
            until(lambda: panel.steps_done > 3, seconds=60)
            before = panel.find(".gl-view").inner_html()
            assert plays(panel)
            assert panel.find(".gl-view").inner_html() != before
            expect(panel.find(".gl-err pre")).to_have_count(0)
            assert panel.find(".gl-width").first.is_visible() is False  # under More, and only for shapes
        panel.pause()
        assert rests(panel)
        assert notebook.noise == []


def test_playground_a_word_that_is_typed_slow_motion_and_the_way_back(server, browser):
    with closing(opened(server, browser, PLAYGROUND)) as notebook:
        notebook.run(0)
        panel = shown(notebook, "playground", cell=1)
        panel.find(".gl-kind select").select_option(label="plane: a word you type")
        field = panel.find(".gl-text input")
        expect(field).to_be_visible()
        field.fill("Yo")
        field.press("Enter")
        until(lambda: panel.value("panel.trainer.data.name") == "word('Yo')")
        panel.play()
        assert plays(panel)
        panel.press(".gl-k", "ArrowRight")
        until(lambda: panel.value("panel.trainer.k") == 2)
        panel.pause()
        assert rests(panel)
        panel.find(".gl-step").click()  # the end of the round that was begun
        expect(panel.find(".gl-status")).to_contain_text("Next: D's turn 1 of 2")
        done = panel.steps_done
        for part in range(1, 4):
            panel.find(".gl-part").click()
            expect(panel.find(".gl-status")).to_contain_text(f"part {part} of 5")
            assert panel.steps_done == done
        panel.find(".gl-step").click()
        until(lambda: panel.steps_done == done + 1)
        panel.handle(".gl-history").focus()
        panel.page.keyboard.press("Home")
        until(lambda: panel.steps_done == 0)
        panel.press(".gl-speed", "Home")
        panel.find(".gl-play .fa-play").click()
        expect(panel.find(".gl-status")).to_contain_text("part 2 of 5")
        panel.press(".gl-speed", "End")
        assert plays(panel)
        assert notebook.noise == []


LOOKS = [
    "import copy\n\nfrom gan_lessons import Trainer, live, recipes, views\nfrom gan_lessons.lessons import checking\n"
    "from gan_lessons.live import controls",
    "live.Panel(\n    recipes.gaussian,\n    views.Figure1())",
    "checking.show_source(Trainer, recipes.cosine)",
    """colors = "white black #1a8a2e tomato #777777 #1f4fd8 gold".split()
choices = [[controls.Choice(color, "a button", {}, color) for color in colors], [controls.Choice("plain", "too", {})]]
controls.buttons(print, choices)""",
]
INK = """e => { let behind = e
    while (getComputedStyle(behind).backgroundColor == 'rgba(0, 0, 0, 0)') behind = behind.parentElement
    return [e.innerText, getComputedStyle(e).color, getComputedStyle(behind).backgroundColor] }"""


@pytest.fixture(scope="module")
def screen(server, browser):
    """A learner's screen, of the usual size."""
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    notebook = Notebook(server, context, LOOKS)
    notebook.run(0, 1, 2, 3)
    yield notebook
    notebook.close()


def test_a_panel_fits_a_screen(screen):
    panel = Panel(screen, "gaussian", 1)
    expect(panel.find(".gl-view [role=img]")).to_be_visible()
    cell = screen.page.locator(".jp-Notebook .jp-Cell, #notebook .cell").nth(1)
    cell.evaluate("e => e.scrollIntoView({ block: 'start' })")
    panel.play()
    assert plays(panel)
    panel.pause()
    box = panel.box.bounding_box()
    more = panel.find(".gl-more").bounding_box()
    print("height", box["height"])
    assert box["height"] <= 560 and more["y"] + more["height"] <= 768
    for css in (".gl-play", ".gl-step", ".gl-reset", ".gl-k", ".gl-lr-d", ".gl-lr-g"):
        control = panel.find(css).bounding_box()
        assert box["y"] <= control["y"] and control["x"] + control["width"] - box["x"] <= 1366 / 2, css
    line = panel.find(".gl-status").first
    assert line.evaluate("e => e.scrollWidth <= e.clientWidth && e.offsetHeight < 40")  # one line, no ellipsis


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_everything_can_be_read(screen, server, theme):
    if server.stack is STACKS["colab"]:
        if "Dark" in theme:
            pytest.skip("the classic notebook has one theme")
    else:
        screen.page.evaluate("theme => jupyterapp.commands.execute('apputils:change-theme', { theme })", theme)
        expect(screen.page.locator(f"body[data-jp-theme-light={str('Light' in theme).lower()}]")).to_have_count(1)
    panel = Panel(screen, "gaussian", 1)
    screen.run(1)
    expect(panel.find(".gl-status")).to_contain_text("Round 0:")
    panel.find(".gl-more").click()
    expect(panel.find(".gl-step-d")).to_be_visible()
    panel.do("panel.trainer.data.sample = lambda shape: 1 / 0")
    panel.find(".gl-step").click()
    expect(panel.find(".gl-err")).to_contain_text("ZeroDivisionError")
    screen.page.mouse.move(0, 0)  # away from what changes under it
    screen.page.wait_for_timeout(500)
    css = ".gl-panel label, .gl-panel button, .gl-panel .widget-readout, .gl-status, .gl-code code, .gl-err pre"
    css = f"{css}, .gl-panel select, .gl-buttons button, .highlight pre, .highlight pre span"
    seen = set()
    for cell in (1, 2, 3):
        screen.output(cell).first.scroll_into_view_if_needed()  # Lab draws only what is near
        screen.page.wait_for_timeout(300)
        seen |= {tuple(one.evaluate(INK)) for one in screen.output(cell).locator(css).all() if one.is_visible()}
    seen = {one for one in seen if one[0].strip()}
    worst = sorted((contrast(rgb(ink), rgb(paper)), words) for words, ink, paper in seen)
    print(theme, worst[:3])
    assert len(worst) > 60 and worst[0][0] >= 4.5, worst[:5]


def rgb(color):
    red, green, blue = (int(float(c)) for c in re.findall(r"[\d.]+", color)[:3])
    return f"#{red:02x}{green:02x}{blue:02x}"


def test_everything_has_a_name(screen):
    screen.run(1)
    panel = Panel(screen, "gaussian", 1)
    panel.find(".gl-more").click()
    expect(panel.find(".gl-step-d")).to_be_visible()
    names = {
        "k": "k: D steps per G step",
        "lr-d": "lr_d: learning rate of D",
        "lr-g": "lr_g: learning rate of G",
        "speed": "speed",
        "history": "back to round",
    }
    for name, label in names.items():
        handle = panel.find(f".gl-{name}").get_by_role("slider", name=label, exact=True)
        expect(handle).to_have_count(1)
    handle = panel.handle(".gl-lr-g")
    expect(handle).to_have_attribute("aria-valuetext", "0.05")
    panel.press(".gl-lr-g", "ArrowRight")
    expect(handle).to_have_attribute("aria-valuetext", "0.1")
    play = panel.find(".gl-play").get_by_role("button", name="play", exact=True)
    play.click()
    expect(panel.find(".gl-play").get_by_role("button", name="pause", exact=True)).to_be_enabled()
    panel.pause()
    expect(panel.find(".gl-play button:has(.fa-stop)")).to_be_hidden()
    panel.box.evaluate("e => e.id = 'panel'")
    found = Axe().run(screen.page, context="#panel").response["violations"]
    serious = {
        one["id"]: [n["html"][:200] for n in one["nodes"]] for one in found if one["impact"] in ("serious", "critical")
    }
    assert serious == {}


NO_LOOP = "import types\n\npanel._clock._loop = types.SimpleNamespace(call_soon_threadsafe=lambda *_: None)"
NO_UPDATES = """
import sys, types
from ipykernel.comm import Comm

inside, handle, publish = [], Comm.handle_msg, Comm._publish_msg

def handle_msg(self, message):
    inside.append(message)
    try:
        handle(self, message)
    finally:
        inside.pop()

def publish_msg(self, kind, **message):
    if inside or kind != "comm_msg":
        publish(self, kind, **message)

Comm.handle_msg, Comm._publish_msg = handle_msg, publish_msg
"""


@pytest.mark.parametrize("server", ["colab"], indirect=True)
def test_colab_where_tasks_are_not_run(panel):
    panel.do(NO_LOOP)
    panel.play()
    assert plays(panel) and fast(panel)


@pytest.mark.parametrize("server", ["colab"], indirect=True)
def test_colab_where_only_handlers_are_heard(panel):
    panel.do(NO_UPDATES)
    try:
        panel.find(".gl-play .fa-play").click()
        until(lambda: panel.steps_done > panel.step + 50)  # next to nothing is heard: else it is three frames behind
        panel.find(".gl-play .fa-pause").click()
        until(lambda: not panel.value("panel._clock._running"))
        panel.do("sys.modules['google.colab'] = types.ModuleType('google.colab')")
        panel.play()
        assert plays(panel) and fast(panel)
        panel.pause()
        assert rests(panel)
    finally:
        panel.do("Comm.handle_msg, Comm._publish_msg = handle, publish\nsys.modules.pop('google.colab', None)")


def fast(panel):
    """At least 10 pictures a second; tried again, since others may be using the machine."""
    seen = []
    while len(seen) < 5 and max(seen, default=0) < 10:
        seen.append(panel.frames(3))
    print("frames a second:", *seen)
    return max(seen) >= 10
