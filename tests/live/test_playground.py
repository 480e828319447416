"""The playground without a browser: inputs are set in Python, and the trainer is looked at."""

import copy
import html
import re

import ipywidgets as widgets
import pytest
import torch
from torch.distributions import Independent, Normal, Uniform
from torch.testing import assert_close

from gan_lessons import data, losses, optimizers, recipes
from gan_lessons.live import Panel, Playground
from gan_lessons.live.kinds import EVERYWHERE, KINDS, known
from gan_lessons.live.page import inside
from gan_lessons.live.panel import _panels
from gan_lessons.views import Figure1, Images, Plane, parts

QUICK = [kind for kind, one in KINDS.items() if one.family != "pictures"]


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    for view in (Figure1, Plane, Images):
        monkeypatch.setattr(view, "seconds", 60)


@pytest.fixture
def panel():
    made = Playground()
    yield made
    made.close()


def choose(panel, kind):
    panel._choice.value = kind


def put(panel, name, value):
    panel._controls[name].inputs[0].value = value


def press(panel, name):
    panel._buttons[name].click()


def text(widget):
    return html.unescape(re.sub("<[^>]*>", "", widget.value))


def status(panel):
    return html.unescape(re.search('<div class="gl-status">(.*?)</div>', panel._picture.value)[1])


def line(panel):
    scope = {"data": data, "losses": losses, "optimizers": optimizers, "recipes": recipes, "torch": torch}
    scope |= {"Normal": Normal, "Uniform": Uniform}
    return eval(text(panel._code), scope)


def play(trainer, rounds):
    for _ in trainer.run(rounds):
        pass
    return trainer


def assert_same(a, b):
    assert_close(a.state_dict(), b.state_dict(), rtol=0, atol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_plays_the_game_of_its_line(kind, panel):
    choose(panel, kind)
    if KINDS[kind].family == "pictures":
        put(panel, "batch_size", 8)
        press(panel, "reset")
    before = panel._picture.value
    panel.run(3)
    assert panel._error.value == "" and panel._picture.value != before and panel._picture.value.startswith("<svg")
    assert "#" not in text(panel._code) and "decay=None" in text(panel._code)
    assert_same(panel.trainer, play(line(panel), 3))
    assert panel.kind == kind and panel._choice.value == kind


def test_the_panels_own_recipes_are_those_of_the_lessons(panel):
    for kind, recipe in {"gaussian": recipes.gaussian, "bumps": recipes.three_bumps, "ring": recipes.ring}.items():
        panel.begin(kind, seed=2)
        panel.run(2)
        assert_same(panel.trainer, play(recipe(seed=2, decay=None), 2))
    for kind, recipe in {"digits": recipes.mnist_quick, "faces": recipes.faces_quick}.items():
        panel.begin(kind, seed=2)
        ours, theirs = panel.trainer, recipe(seed=2, decay=None)
        assert_same(ours, theirs)
        for name in (*EVERYWHERE, "penalty_every"):
            assert getattr(ours, name) == getattr(theirs, name) or name == "loss"
        assert ours.loss.name == theirs.loss.name


def test_what_was_moved_stays_where_it_makes_sense(panel):
    choose(panel, "ring")
    put(panel, "k", 4)
    put(panel, "r1", 0.5)
    put(panel, "lr_d", 0.005)
    choose(panel, "spiral")  # of the plane too: all stays
    assert (panel.trainer.k, panel.trainer.r1, panel.trainer.lr_d) == (4, 0.5, 0.005)
    assert panel.trainer.lr_g == 0.001  # not moved: the recipe's
    choose(panel, "gaussian")  # other units: k alone stays
    assert (panel.trainer.k, panel.trainer.r1, panel.trainer.lr_d, panel.trainer.lr_g) == (4, 0.0, 0.01, 0.05)
    put(panel, "loss", "least_squares")
    put(panel, "lr_g", 0.1)
    choose(panel, "digits")
    assert (panel.trainer.k, panel.trainer.loss.name, panel.trainer.r1) == (4, "least_squares", 0.5)
    choose(panel, "moons")
    assert (panel.trainer.k, panel.trainer.loss.name, panel.trainer.lr_d) == (4, "least_squares", 0.002)


def test_nothing_moved_is_the_recipes_own_everywhere(panel):
    choose(panel, "digits")
    assert panel.trainer.loss.name == "top_k(0.3)" and panel.trainer.batch_size == 100
    choose(panel, "moons")
    assert panel.trainer.loss.name == "non_saturating" and (panel.trainer.k, panel.trainer.lr_d) == (2, 0.002)
    choose(panel, "gaussian")
    assert_same(panel.trainer, recipes.gaussian(decay=None))


def test_the_seed_and_a_chosen_speed_stay(panel):
    press(panel, "seed")
    choose(panel, "moons")
    assert "seed=1" in text(panel._code) and panel._speed.value == 10**9  # as fast as it goes, for shapes
    panel._speed.value = 1
    choose(panel, "ring")
    assert panel._speed.value == 1 and "seed=1" in text(panel._code)


def test_only_what_makes_sense_is_shown(panel):
    for kind in KINDS:
        panel.begin(kind)
        for name, control in panel._all.items():
            displays = {one.layout.display for one in control.inputs}
            assert displays == ({""} if name in known(kind) else {"none"}), (kind, name)
        assert (panel._word.layout.display == "") == (kind == "word")
        assert (panel._best.layout.display == "") == (KINDS[kind].family == "one number")


def test_a_word_is_learned_as_soon_as_it_is_typed(panel):
    choose(panel, "word")
    assert panel.trainer.data.name == "word('Hi')"
    panel.run(2)
    panel._word.value = "Yo"
    assert panel.trainer.data.name == "word('Yo')" and panel.trainer.steps_done == 0 and panel.text == "Yo"
    trainer = panel.trainer
    panel._word.value = "far too long a word"
    assert "text: got 'far too long a word'; it must be a word of 1 to 12 letters" in text(panel._error)
    assert panel.trainer is trainer and panel.text == "Yo"
    panel.run(1)
    assert panel._error.value == "" and panel.trainer.steps_done == 1


def test_noise_is_of_one_number_or_of_two(panel):
    put(panel, "latent", "uniform")
    assert isinstance(panel.trainer.latent, Uniform)
    choose(panel, "ring")
    assert isinstance(panel.trainer.latent, Independent) and isinstance(panel.trainer.latent.base_dist, Normal)
    put(panel, "latent", "uniform")
    z = panel.trainer.latent.sample((5000,))
    assert z.shape == (5000, 2) and z.abs().max() <= 3**0.5 and z.std().item() == pytest.approx(1, abs=0.03)
    panel.run(2)


def test_optimizer_and_units_begin_a_new_game(panel):
    choose(panel, "ring")
    panel.run(2)
    put(panel, "optimizer", "SGD")
    assert isinstance(panel.trainer.optimizer_d, torch.optim.SGD) and panel.trainer.steps_done == 0
    put(panel, "width", 64)
    assert panel.trainer.generator.net[0].out_features == 64
    panel.run(2)
    assert_same(panel.trainer, play(line(panel), 2))


def test_the_best_d_is_drawn_when_asked_for(panel):
    assert "gl-D-star" not in panel._picture.value
    panel._best.value = True
    assert "gl-D-star" in panel._picture.value
    choose(panel, "bumps")
    assert "gl-D-star" in panel._picture.value
    choose(panel, "ring")
    panel._best.value = False


# -- slow motion -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "k"), [("gaussian", 1), ("ring", 2), ("bumps", 0)])
def test_a_round_has_five_parts_and_is_the_same_round(panel, kind, k):
    panel.begin(kind, k=k)
    wanted = ["draw", "look", "learn"] * k + ["push", "move"]
    for turn in range(2):
        shown = []
        for _ in wanted:
            press(panel, "part")
            shown.append(panel._parts.part(panel._game).name)
            assert parts.WORDS[shown[-1]] in status(panel) and status(panel).startswith("Round ")
            pushes = "<title>the push" in panel._picture.value or "gl-pushes" in panel._picture.value
            assert pushes == (shown[-1] == "push")
        assert shown == wanted and panel.trainer.steps_done == turn + 1
    assert_same(panel.trainer, play(line(panel), 2))


def test_slow_motion_plays_part_by_part(panel):
    panel._speed.value = 0
    assert panel._clock.apart == Playground.slow > 1
    for name in ("draw", "look", "learn", "push", "move", "draw"):
        panel._train()
        assert panel._parts.part(panel._game).name == name


def test_whoever_plays_on_ends_the_slow_motion(panel):
    press(panel, "part")
    press(panel, "part")
    assert "part 2 of 5" in status(panel)
    press(panel, "step")
    assert "part" not in status(panel) and "gl-minibatch" not in panel._picture.value
    press(panel, "part")
    assert "part 1 of 5" in status(panel)
    put(panel, "k", 0)
    press(panel, "part")
    assert "part 4 of 5" in status(panel)  # D is frozen
    press(panel, "reset")
    assert "part" not in status(panel)


def test_pictures_too(panel):
    panel.begin("digits", batch_size=8)
    for i in range(1, 6):
        press(panel, "part")
        assert f"part {i} of 5" in status(panel)
    assert panel.trainer.steps_done == 1 and panel._error.value == ""


# -- rewind, and from Python -------------------------------------------------------------------------------------------


def test_the_moment_before_a_move_is_kept(panel):
    panel.run(25)
    before = copy.deepcopy(panel.trainer.state_dict())
    panel._game.past._taken -= 1  # the last snapshot is a second old
    panel.move(lr_g=5.0)
    panel.run(20)
    assert [note["step"] for note in panel.notes] == [0, 10, 20, 25, 35, 45]
    panel.back(25)
    assert_close(panel.trainer.state_dict()["generator"], before["generator"], rtol=0, atol=0)
    assert panel.trainer.steps_done == 25 and panel.track[-1]["step"] == 25 == panel.now["step"]
    assert panel.notes[-1]["step"] == 45 and panel.trainer.lr_g == 5.0 and "lr_g" in panel.changes
    panel.move(lr_g=0.05)
    panel.run(5)
    assert_same(panel.trainer, play(recipes.gaussian(decay=None), 30))
    assert panel.notes[-1]["step"] == 30


def test_begin_takes_a_kind_afresh_or_keeps_what_is_there(panel):
    panel.begin("ring", k=3, seed=5)
    assert (panel.trainer.k, panel.trainer.seed) == (3, 5)
    panel.begin(lr_g=0.002)
    assert (panel.trainer.k, panel.trainer.lr_g, panel.trainer.seed) == (3, 0.002, 5)
    panel.begin("ring")
    assert (panel.trainer.k, panel.trainer.lr_g) == (1, 0.001)
    panel.begin("word", text="Yo", width=32)
    assert panel.trainer.data.name == "word('Yo')" and panel.settings()["width"] == 32
    assert panel.settings()["loss"] == "non_saturating"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "cats"}, "kind: got 'cats'; allowed are 'gaussian'"),
        ({"kind": "ring", "start": (1, 1)}, "settings: got 'start'; for 'ring' they are 'seed' and"),
        ({"kind": "digits", "latent": "uniform"}, "settings: got 'latent'; for 'digits'"),
        ({"kind": "ring", "k": -1}, "k: got -1"),
        ({"loss": "best"}, "loss: got 'best'"),
        ({"kind": "word", "text": ""}, "text: got ''"),
        ({"seed": -1}, "seed: got -1"),
    ],
)
def test_what_there_is_not_is_refused_with_nothing_changed(panel, settings, message):
    trainer = panel.trainer
    with pytest.raises(ValueError) as refused:
        panel.begin(**settings)
    assert message in str(refused.value) and panel.trainer is trainer and panel.kind == "gaussian"


def test_defaults_brings_the_recipe_back(panel):
    put(panel, "loss", "minimax")
    put(panel, "k", 5)
    put(panel, "optimizer", "SGD")
    press(panel, "seed")
    press(panel, "defaults")
    assert_same(panel.trainer, recipes.gaussian(seed=1, decay=None))
    assert panel.settings()["loss"] == "non_saturating" and panel.settings()["optimizer"] == "Adam"


def test_seconds_are_those_of_this_games_play(panel):
    assert panel.seconds == 0
    panel.run(5)
    first = panel.seconds
    panel.run(5)
    assert 0 < first < panel.seconds
    press(panel, "reset")
    assert panel.seconds == 0


def test_it_is_a_panel_with_everything_in_reach(panel):
    assert isinstance(panel, Panel) and panel in _panels
    classes = {name for one in inside(panel) for name in one._dom_classes}
    wanted = "play step reset k lr-d lr-g speed history view code err more step-d step-g kind text part loss"
    wanted += " seed defaults"
    assert {f"gl-{name}" for name in wanted.split()} <= classes
    for name in ("part", "step-d", "history", "speed", "kind", "loss", "seed"):  # at first sight
        assert not any(f"gl-{name}" in one._dom_classes for one in inside(panel._drawer)), name
    for one in inside(panel):
        if isinstance(one, widgets.Button):
            assert len(one.tooltip) > 10


def test_only_the_newest_playground_lives(panel):
    other = Playground()
    assert panel.comm is None and other.comm is not None
    other.close()


def test_the_moment_before_a_move_is_kept_however_fast_the_rounds_are(panel):
    panel.begin("gaussian")
    for rounds in (7, 5):
        panel.run(rounds)
    panel._moved = 0.0  # the last move was long ago
    panel.move(lr_g=0.5)
    panel.run(30)
    panel.back(15)
    assert panel.trainer.steps_done == 12
