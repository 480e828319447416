"""The panel without a browser: its widgets' values are set in Python, and the trainer is looked at."""

import asyncio
import copy
import dataclasses
import functools
import html
import math
import re
import types

import ipywidgets as widgets
import pytest
import torch
from torch.distributions import Normal, Uniform
from torch.testing import assert_close

from gan_lessons import data, losses, optimizers, recipes
from gan_lessons.live import Panel, controls, history
from gan_lessons.live import panel as room
from gan_lessons.live.clock import PLAYING
from gan_lessons.views import Figure1, Images

CLASSES = "panel play step step-d step-g reset k lr-d lr-g speed history view code err".split()


def inside(widget):
    yield widget
    for child in getattr(widget, "children", ()):
        yield from inside(child)


class Hands:
    """What a learner can reach of a panel, by CSS class."""

    def __init__(self, panel):
        self.panel = panel

    @property
    def trainer(self):
        return self.panel.trainer

    def all(self, name):
        return [one for one in inside(self.panel) if f"gl-{name}" in one._dom_classes]

    def __getitem__(self, name):
        (one,) = self.all(name)
        return one

    def set(self, name, value):
        self[name].value = value

    def press(self, name):
        self[name].click()

    def text(self, name):
        if name == "status":  # it comes with the picture
            return html.unescape(re.search('<div class="gl-status">(.*?)</div>', self.panel._picture.value)[1])
        return html.unescape(re.sub("<[^>]*>", "", self[name].value))

    def numbers(self):
        self["more"].value = True  # they are written where they are seen
        return self.panel._numbers.value

    def play(self, frames=1):
        setattr(self.panel.play, PLAYING, True)
        for _ in range(frames):
            self.panel._clock._due = 0.0  # as if the last frame were long ago
            self.panel.play.value += 1

    def line(self):
        """The trainer that the line of code makes."""
        scope = {
            "recipes": recipes,
            "data": data,
            "losses": losses,
            "optimizers": optimizers,
            "torch": torch,
            "Normal": Normal,
            "Uniform": Uniform,
        }
        return eval(self.text("code"), {"__builtins__": {}}, scope)


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """A frame ends with its rounds, however slow this machine is now."""
    monkeypatch.setattr(Figure1, "seconds", 60)


@pytest.fixture
def show():
    shown = []

    def make(recipe=recipes.gaussian, view=None, *extra, **settings):
        shown.append(Panel(recipe, view or Figure1(), *extra, **settings))
        return Hands(shown[-1])

    yield make
    for panel in shown:
        panel.close()


@pytest.fixture
def hands(show):
    return show()


def play(trainer, rounds):
    for _ in trainer.run(rounds):
        pass
    return trainer


def assert_same(a, b):
    assert_close(a.state_dict(), b.state_dict(), rtol=0, atol=0)


# -- settings ----------------------------------------------------------------------------------------------------------


def test_settings_reach_the_trainer_at_any_moment(hands):
    trainer = hands.trainer
    values = {"k": 4, "lr_d": 2e-4, "lr_g": 0.5, "batch_size": 32, "r1": 10.0, "r2": 0.5}
    for rounds in (0, 3):
        hands.panel.run(rounds)
        for name, value in values.items():
            hands.set(name.replace("_", "-"), value)
            assert getattr(trainer, name) == value
            assert f"{name} = {value:g}" in hands.numbers() or name in ("batch_size", "r1", "r2")
        for loss in ("minimax", "relativistic"):
            hands.set("loss", loss)
            assert trainer.loss is losses.NAMED[loss]
        values = {"k": 0, "lr_d": 1e-5, "lr_g": 5.0, "batch_size": 512, "r1": 0.0, "r2": 500.0}
    assert hands.trainer is trainer and trainer.steps_done == 3


def test_start_begins_a_new_game(hands):
    hands.set("k", 3)
    hands.panel.run(5)
    hands.set("start", (500.0, 20.0))
    trainer = hands.trainer
    assert (trainer.generator.mu.item(), trainer.generator.sigma.item()) == (500, 20)
    assert (trainer.steps_done, trainer.k) == (0, 3)
    assert hands.text("status").startswith("Round 0: ") and "but" not in hands.text("code")


def test_data_and_noise_move_while_g_learns_them(show):
    hands = show(recipes.gaussian_mlp, None, controls.noise(), controls.bumps())
    hands.panel.run(2)
    trainer = hands.trainer
    for one, value in zip(hands.all("data"), (480, 2, 0.1, 505, 4, 0.2, 520, 5, 0.3), strict=True):
        one.value = value
    x = torch.linspace(470, 530, 100)
    wanted = data.bumps(means=(480, 505, 520), sds=(2, 4, 5), weights=(0.1, 0.2, 0.3))
    assert torch.equal(trainer.data.log_prob(x), wanted.log_prob(x))
    hands.set("latent", "uniform")
    assert isinstance(trainer.latent, Uniform)
    hands.panel.run(2)
    assert hands.trainer is trainer and trainer.steps_done == 4
    assert "data moved at round 2" in hands.text("code") and "latent moved at round 2" in hands.text("code")


@pytest.mark.parametrize(("speed", "steps"), [("1 round", [1, 2, 3]), ("5 rounds", [5, 10, 15]), ("slow", [0, 1, 1])])
def test_speed_is_rounds_a_frame(hands, speed, steps):
    hands.set("speed", next(value for text, value in hands["speed"].options if text.startswith(speed)))
    for step in steps:
        hands.play()
        assert hands.trainer.steps_done == step


def test_as_fast_as_it_goes_is_as_long_as_the_view_says(hands, monkeypatch):
    now = iter(range(10**9))
    monkeypatch.setattr(room, "time", types.SimpleNamespace(monotonic=lambda: next(now)))
    hands.set("speed", 10**9)
    for seconds, turns in ((60.5, 61), (0.0, 1), (6.5, 7)):
        monkeypatch.setattr(Figure1, "seconds", seconds)
        before = hands.trainer.steps_done + hands.text("status").endswith("Next: G's turn.") / 2
        hands.play()
        after = hands.trainer.steps_done + hands.text("status").endswith("Next: G's turn.") / 2
        assert after - before == turns / 2


@pytest.mark.parametrize(("drawing", "training"), [(10, 0.0376), (30, 0.0176), (45, 0.01), (5000, 0.01)])
def test_what_drawing_leaves_of_a_frame_is_for_training(hands, monkeypatch, drawing, training):
    now = types.SimpleNamespace(at=100.0)
    monkeypatch.setattr(room, "time", types.SimpleNamespace(monotonic=lambda: now.at))
    monkeypatch.setattr(Figure1, "seconds", 0.01)
    monkeypatch.setattr(hands.panel._game, "play_turn", lambda: setattr(now, "at", now.at + 1e-4))
    hands.set("speed", 10**9)
    hands.play()
    began = now.at = now.at + drawing / 1000
    hands.play()
    assert now.at - began == pytest.approx(training, abs=3e-4)


def test_slow_motion_says_whose_turn_it_is(hands):
    hands.set("k", 2)
    hands.set("speed", 0)
    assert hands.panel._clock.apart == 0.4
    for said in ("D's turn 1 of 2", "D's turn 2 of 2", "G's turn", "D's turn 1 of 2"):
        assert hands.text("status").endswith(f"Next: {said}.")
        hands.play()
    assert hands.trainer.steps_done == 1
    hands.set("k", 1)  # in the middle of a round
    assert hands.text("status").endswith("Next: G's turn.")
    hands.set("k", 0)
    hands.play()
    assert hands.text("status").endswith("Next: G's turn, D is frozen.")
    hands.set("speed", 5)
    assert hands.panel._clock.apart == 0.04


def test_k_in_the_middle_of_a_frame_counts_at_once(hands):
    """The slider moves while the frame trains, as it does from the browser's thread."""
    trainer, turn, seen = hands.trainer, hands.trainer.discriminator_step, []

    def moved(**options):
        seen.append(trainer.steps_done)
        if len(seen) == 3:
            hands.set("k", 1)
        return turn(**options)

    hands.set("k", 20)
    vars(trainer)["discriminator_step"] = moved
    hands.set("speed", 1)
    hands.play()
    assert seen == [0, 0, 0] and (trainer.k, trainer.steps_done) == (1, 1)


# -- buttons -----------------------------------------------------------------------------------------------------------


def test_one_round(hands):
    hands.set("k", 3)
    for _ in range(2):
        hands.press("step")
    assert_same(hands.trainer, play(recipes.gaussian(k=3, decay=None), 2))
    assert hands.text("status").startswith("Round 2:")


def test_one_round_ends_the_round_begun(hands):
    hands.set("k", 3)
    hands.set("speed", 0)
    hands.play()
    hands.press("step")
    assert_same(hands.trainer, play(recipes.gaussian(k=3, decay=None), 1))


def test_each_player_alone(hands):
    alone = recipes.gaussian(decay=None)
    for name, turn in (("step-d", alone.discriminator_step), ("step-g", alone.generator_step)):
        for _ in range(3):
            hands.press(name)
            turn()
            assert_same(hands.trainer, alone)
    hands.panel.run(2)
    hands.press("step-g")
    assert hands.text("status").startswith("Round 2:")
    code = hands.text("code")
    assert "but turns of D alone, the last at round 0, turns of G alone, the last at round 2" in code
    hands.press("reset")
    assert "but" not in hands.text("code")


def test_reset_replays_the_seed_and_keeps_the_sliders(show):
    hands = show(seed=3)
    hands.panel.run(5)
    hands.set("k", 2)
    hands.set("lr-g", 0.5)
    hands.set("loss", "least_squares")
    hands.panel.run(5)
    hands.press("reset")
    assert (hands["k"].value, hands["lr-g"].value, hands["loss"].value) == (2, 0.5, "least_squares")
    fresh = recipes.gaussian(seed=3, k=2, lr_g=0.5, loss=losses.least_squares, decay=None)
    assert_same(hands.trainer, fresh)
    hands.panel.run(5)
    assert_same(hands.trainer, play(fresh, 5))


def test_the_square_of_play_is_reset(hands):
    hands.play(3)
    assert hands.trainer.steps_done > 0
    setattr(hands.panel.play, PLAYING, False)
    hands.panel.play.value = 0
    assert_same(hands.trainer, recipes.gaussian(decay=None))


def test_new_seed(show):
    hands = show(seed=3)
    hands.panel.run(2)
    hands.press("seed")
    assert_same(hands.trainer, recipes.gaussian(seed=4, decay=None))
    assert "seed=4" in hands.text("code")


# -- history -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def always(monkeypatch):
    """A snapshot at every frame."""
    now = iter(range(1, 10**9))
    monkeypatch.setattr(history, "time", types.SimpleNamespace(monotonic=lambda: next(now)))


def test_back_and_on_again(always, hands):
    states = {0: copy.deepcopy(hands.trainer.state_dict())}
    for _ in range(10):
        hands.press("step")
        states[hands.trainer.steps_done] = copy.deepcopy(hands.trainer.state_dict())
    hands.play()
    newest = hands.trainer.steps_done
    hands.panel._clock._due = 0.0  # the next frame is due
    hands.set("history", 4)
    assert not getattr(hands.panel.play, PLAYING)
    assert_close(hands.trainer.state_dict(), states[4], rtol=0, atol=0)
    assert hands.text("status").startswith("Round 4:") and hands["history"].value == 4
    assert hands["history"].max == newest  # the way forward is open
    hands.set("history", newest)
    assert hands.trainer.steps_done == newest
    hands.set("history", 4)
    hands.panel.run(3)
    assert_close(hands.trainer.state_dict(), states[7], rtol=0, atol=0)
    assert hands["history"].max == 7  # what came later is forgotten
    assert_same(hands.trainer, play(hands.line(), 7))


def test_on_from_there_with_other_settings(always, hands):
    for _ in range(4):
        hands.press("step")
    hands.set("lr-g", 0.5)
    hands.set("history", 2)
    assert hands.trainer.lr_g == 0.5
    hands.panel.run(3)
    alone = play(recipes.gaussian(decay=None), 2)
    alone.lr_g = 0.5
    assert_same(hands.trainer, play(alone, 3))
    assert "# but lr_g moved at round" in hands.text("code")


@pytest.mark.parametrize("turns", [5, 6, 1])
def test_going_back_is_to_whole_rounds(always, show, monkeypatch, turns):
    """Frames of so many turns, where a round has 4: many of them end in the middle of one."""
    now = iter(range(10**9))
    monkeypatch.setattr(room, "time", types.SimpleNamespace(monotonic=lambda: next(now)))
    monkeypatch.setattr(Figure1, "seconds", turns - 0.5)
    hands = show(k=3)
    hands.set("speed", 10**9)
    hands.play(11)
    assert hands.trainer.steps_done == 11 * turns // 4 and not hands.text("status").endswith("turn 1 of 3.")
    setattr(hands.panel.play, PLAYING, False)
    newest = hands.trainer.steps_done + 1  # the round begun is ended, for the way forward
    for step in (newest // 2, 0, newest):
        hands.set("history", step)
        assert hands.trainer.steps_done <= step
        assert_same(hands.trainer, play(recipes.gaussian(k=3, decay=None), hands.trainer.steps_done))
    assert hands.trainer.steps_done == newest
    hands.set("history", 1)
    hands.panel.run(4)
    assert_same(hands.trainer, play(hands.line(), hands.trainer.steps_done))


# -- the line of code --------------------------------------------------------------------------------------------------

LESSONS = {
    "02": lambda show: show(recipes.gaussian, Figure1(), lr_d=0.001, lr_g=0.1),
    "04": lambda show: show(
        recipes.gaussian_mlp, Figure1(), controls.noise(), controls.bumps(), seed=1, k=3, lr_g=0.003
    ),
    "07": lambda show: show(recipes.mnist_quick, Images(), batch_size=8, device="cpu"),
    "11": lambda show: show(recipes.faces_quick, Images(), batch_size=8, device="cpu"),
}


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_line_makes_this_very_run(lesson, show):
    hands = LESSONS[lesson](show)
    hands.panel.run(3)
    assert_same(hands.trainer, play(hands.line(), 3))
    assert "but" not in hands.text("code")
    hands.set("k", 2)
    hands.set("lr-d", 0.02)
    hands.set("loss", "least_squares")
    if lesson == "04":
        hands.set("latent", "uniform")
        hands.all("data")[3].value = 505.0
    if lesson == "02":
        hands.set("start", (520.0, 1.0))
    code = hands.text("code")
    assert ("#" in code) == (lesson != "02") and code.startswith("recipes.")
    for name in ("k", "lr_d", "loss"):
        assert lesson == "02" or f"{name} moved at round 3" in code
    hands.press("seed")
    hands.panel.run(2)
    assert "#" not in hands.text("code")
    assert_same(hands.trainer, play(hands.line(), 2))


N, B = Normal, data.bumps
SETTINGS = [
    {"loss": losses.smoothed(0.7)},
    {"loss": losses.smoothed(), "k": 2},
    {"loss": losses.minimax, "batch_size": 100},
    {"data": N(490.0, 4.0)},
    {"data": N(490.1, 0.3), "latent": N(0.1, 1.7)},
    {"data": B()},
    {"data": B((480, 505.5), (2, 3.25), (3, 1))},
    {"data": N(500.0, 2.0), "optimizer": torch.optim.SGD, "lr_g": 0.1},
    {"latent": Uniform(-1.7, 1.7), "optimizer": optimizers.adam, "r1": 0.1},
    {"start": [495.0, 3.0], "standardise": False, "order": "simultaneous"},
    {"lr_d": 0.0012345678, "decay": None, "device": "cpu", "average": 0.99},
    {"decay": recipes.cosine, "steps": 30},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=" ".join)
def test_the_line_makes_this_very_run_with_any_settings(show, settings):
    hands = show(seed=2, **settings)
    hands.panel.run(20)
    assert "#" not in hands.text("code")
    assert_same(hands.trainer, play(hands.line(), 20))


def test_what_has_no_code_is_said(show):
    own = dataclasses.replace(losses.minimax, name="mine")
    weird = torch.distributions.Gamma(4.0, 0.1)
    hands = show(loss=own, data=weird)
    hands.panel.run(2)
    assert hands.text("code").endswith("decay=None)  # with the data you gave, with the loss you gave")
    hands.line()  # runs
    hands.set("loss", "minimax")
    assert hands.trainer.loss is losses.minimax
    hands.press("reset")
    assert hands.text("code").endswith("loss=losses.minimax, decay=None)  # with the data you gave")


def plain(seed=0):
    """A recipe of a learner's own, without any choice."""
    return recipes.gaussian(seed=seed, k=2, decay=None)


def test_a_recipe_of_ones_own_may_leave_no_choice(show, monkeypatch):
    hands = show(plain)
    hands.panel.run(3)
    assert hands.text("code") == "plain(seed=0)"
    assert_same(hands.trainer, play(plain(), 3))
    hands.set("k", 4)
    hands.press("reset")
    hands.panel.run(3)
    assert hands.text("code") == "plain(seed=0)  # but k set to 4"
    assert_same(hands.trainer, play(recipes.gaussian(k=4, decay=None), 3))
    assert show(lambda: plain()).text("code") == "recipe()  # with the recipe you gave"
    assert show(functools.partial(recipes.gaussian, k=5)).text("code").endswith("# with the recipe you gave")


def test_the_line_is_exact_for_any_rate(show):
    hands = show(lr_d=0.0012345678, start=(490.0, 2.25), standardise=False, order="simultaneous")
    hands.panel.run(2)
    assert_same(hands.trainer, play(hands.line(), 2))


def test_a_move_before_the_first_turn_is_no_change_but_one_after_is(hands):
    hands.set("k", 2)
    assert "but" not in hands.text("code")
    hands.press("step-d")
    hands.set("lr-d", 0.1)
    assert "turns of D alone" in hands.text("code") and "lr_d moved at round 0" in hands.text("code")


def test_the_status_is_true_and_in_words(hands):
    hands.set("lr-g", 2e-5)
    hands.panel.run(7)
    trainer = hands.trainer
    fakes, opinion = r"fakes have mean (\S+) and spread (\S+)\.", r"D gives data (\S+) and fakes (\S+)\."
    pattern = rf"Round 7: {fakes} {opinion} Next: D's turn 1 of 1\."
    mean, sd, d_real, d_fake = map(float, re.fullmatch(pattern, hands.text("status")).groups())
    assert mean == pytest.approx(trainer.generator.mu.item(), abs=0.1)
    assert sd == pytest.approx(abs(trainer.generator.sigma.item()), abs=0.1)
    assert d_real == pytest.approx(trainer.record.d_real.item(), abs=0.006)
    assert d_fake == pytest.approx(trainer.record.d_fake.item(), abs=0.006)
    said = dict(part.split(" = ") for part in hands.numbers().split(", "))
    assert list(said) == ["k", "lr_d", "lr_g", "loss_d", "loss_g"]
    assert (int(said["k"]), float(said["lr_d"]), float(said["lr_g"])) == (trainer.k, trainer.lr_d, trainer.lr_g)
    for name in ("loss_d", "loss_g"):
        assert float(said[name]) == pytest.approx(getattr(trainer.record, name).item(), abs=1e-3)


def test_a_view_may_have_words_of_its_own(show, monkeypatch):
    monkeypatch.setattr(Figure1, "words", lambda self, measured: f"Mean {measured['mean']:.0f}.", raising=False)
    assert show().text("status") == "Round 0: Mean 480. Next: D's turn 1 of 1."


@pytest.mark.parametrize(
    ("measured", "words"),
    [
        ({"mean": 4.0, "sd": 0.0312}, "fakes have mean 4.000 and spread 0.031."),
        ({"mean": math.nan, "sd": math.nan}, "fakes have mean nan and spread nan."),
        ({"modes found": 5, "good": 0.84, "loss_d": 1.3}, "modes found 5. good .84."),
        ({"D(x)": -0.07, "D(G(z))": 1.0}, "D gives data -.07 and fakes 1.00."),
        ({"loss_d": 0.61, "loss_g": 2.5}, "D's loss is .61. G's loss is 2.50."),
        ({"loss_d": 0.61}, "D's loss is .61."),
        ({}, "nothing is learned yet."),
    ],
)
def test_other_measurements_in_words(hands, measured, words):
    said = room.words.state(hands.trainer, None, {"step": 0, **measured}, 0)
    assert said == f"Round 0: {words} Next: D's turn 1 of 1."


# -- faces -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def faces(show):
    return show(recipes.faces_quick, Images(), batch_size=8, device="cpu")


def test_faces_go_back_and_on_to_the_same_end(always, faces):
    """Batch norm's statistics, the moments, the average and the memory format come back too."""
    assert faces.text("status") == "Round 0: nothing is learned yet. Next: D's turn 1 of 1."
    for _ in range(6):
        faces.press("step")
    end, picture = copy.deepcopy(faces.trainer.state_dict()), faces["view"].value
    faces.set("history", 3)
    assert faces.trainer.steps_done == 3 and faces["view"].value != picture
    faces.panel.run(3)
    assert_close(faces.trainer.state_dict(), end, rtol=0, atol=0)
    assert_same(faces.trainer, play(faces.line(), 6))


def test_a_frame_of_faces_is_one_turn_where_turns_are_slow(faces, monkeypatch):
    now = iter(range(10**9))  # a second from one look at the clock to the next, far more than a frame has
    monkeypatch.setattr(room, "time", types.SimpleNamespace(monotonic=lambda: next(now)))
    for done, following in ((0, "G's turn"), (1, "D's turn 1 of 1"), (1, "G's turn"), (2, "D's turn 1 of 1")):
        faces.play()
        assert faces.trainer.steps_done == done and faces.text("status").endswith(f"Next: {following}.")


def test_everything_of_faces_moves_while_they_are_learned(faces):
    for name, value in {"k": 0, "lr-d": 2e-3, "r1": 0.0, "r2": 1.0, "batch-size": 16}.items():
        faces.set(name, value)
        faces.play()
    for loss in losses.NAMED:
        faces.set("loss", loss)
        faces.play()
        said = r"D's loss is \S+\. G's loss is \S+\." if loss == "relativistic" else r"D gives data \S+ and fakes \S+\."
        assert re.search(said, faces.text("status")) and faces["err"].value == ""
    trainer = faces.trainer
    assert (trainer.k, trainer.lr_d, trainer.r1, trainer.r2, trainer.batch_size) == (0, 2e-3, 0.0, 1.0, 16)


# -- errors ------------------------------------------------------------------------------------------------------------


def test_weights_that_are_all_0_are_shown_and_mended(show):
    hands = show(recipes.gaussian_mlp, None, controls.bumps())
    hands.play()
    for one in hands.all("data")[2::3]:
        one.value = 0.0
    assert re.match(r"Training stopped\. weights: got \(0\.0, 0\.0, 0\.0\)", hands.text("err"))
    assert not getattr(hands.panel.play, PLAYING) and 'role="alert"' in hands["err"].value
    steps = hands.trainer.steps_done
    hands.all("data")[2].value = 1.0
    hands.play()
    assert hands.trainer.steps_done > steps and hands["err"].value == ""
    assert hands.trainer.data.mean.item() == pytest.approx(485)


def test_what_is_refused_is_not_in_the_line(show):
    hands = show(recipes.gaussian_mlp, None, controls.bumps())
    first, *others = hands.all("data")[2::3]
    for one in others:
        one.value = 0.0
    before = hands.trainer
    first.value = 0.0
    hands.press("seed")  # refused, too
    assert hands.trainer is before and "weights" in hands.text("err")
    hands.panel.run(2)
    assert_same(hands.trainer, play(hands.line(), 2))
    assert hands.trainer.data.mean.item() == pytest.approx(485)


def test_a_refused_setting_leaves_the_round_as_it_is(show):
    hands = show(recipes.gaussian_mlp, None, controls.bumps(), k=3)
    hands.set("speed", 0)
    first, *others = hands.all("data")[2::3]
    for one in others:
        one.value = 0.0  # before the first turn: a new game
    hands.play(2)
    first.value = 0.0
    assert hands.text("err") and hands.text("status").endswith("Next: D's turn 3 of 3.")
    hands.press("step")
    assert_same(hands.trainer, play(hands.line(), 1))


def test_a_k_that_does_not_go_with_simultaneous_moves(show):
    hands = show(order="simultaneous")
    assert hands.text("status").endswith("Next: both players at once.")
    hands.set("k", 3)
    assert "k: got 3; with order='simultaneous'" in hands.text("err")
    assert hands.trainer.k == 1
    hands.press("step")
    assert hands["err"].value == "" and "k=1" in hands.text("code") and "k = 1" in hands.numbers()
    hands.press("reset")
    assert "k: got 3" in hands.text("err")
    hands.set("k", 1)
    hands.press("reset")
    hands.panel.run(2)
    assert_same(hands.trainer, play(hands.line(), 2))


def test_divergence_is_shown_and_mended(hands):
    hands.press("step")
    hands.trainer.generator.mu.data.fill_(math.inf)
    hands.set("speed", 0)
    hands.play()
    assert hands.text("err").startswith("Training stopped. generator.mu became nan or infinite between step 0 and")
    assert not getattr(hands.panel.play, PLAYING)
    assert_same(hands.trainer, recipes.gaussian(decay=None))
    hands.press("step")
    assert_same(hands.trainer, play(recipes.gaussian(decay=None), 1))  # a whole round of its own
    assert hands.text("status").startswith("Round 1:") and hands["history"].max == 1
    hands.press("reset")
    assert hands["err"].value == ""


def test_divergence_in_the_middle_of_a_frame(show):
    hands = show(lr_g=1e38)
    hands.set("speed", 10**9)
    hands.play()
    assert "between step 0 and step 100" in hands.text("err") and hands.trainer.steps_done == 0
    hands.set("lr-g", 0.05)
    hands.press("step")
    assert_same(hands.trainer, play(recipes.gaussian(decay=None), 1))


@pytest.mark.skipif(PLAYING != "playing", reason="ipywidgets 7 plays in two places")
def test_a_panel_on_the_page_twice_says_why_it_rests(hands):
    hands.panel.play._view_count = 2
    hands.play()
    assert "on the page more than once" in hands.text("err") and not hands.panel.play.playing
    hands.panel.play._view_count = 1
    hands.play()
    assert hands.trainer.steps_done > 0 and hands["err"].value == ""


def test_other_errors_come_with_the_end_of_their_traceback(hands):
    def broken(shape):
        raise ZeroDivisionError("<here>")

    hands.trainer.data.sample = broken
    hands.play()
    error = hands.text("err")
    assert "Training stopped. " in error and "ZeroDivisionError: <here>" in error and "line" in error
    assert "&lt;here&gt;" in hands["err"].value
    assert not getattr(hands.panel.play, PLAYING)
    before = hands.trainer.steps_done
    hands.press("reset")
    hands.play()
    assert hands["err"].value == "" and hands.trainer.steps_done > before


# -- its life ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def cell(monkeypatch):
    """A kernel that runs one cell after the other: `cell()` begins the next."""
    runs = iter(range(100))
    now = types.SimpleNamespace(id=None)
    kernel = types.SimpleNamespace(get_parent=lambda: {"header": {"msg_id": now.id}})
    monkeypatch.setattr(room, "get_ipython", lambda: types.SimpleNamespace(kernel=kernel))
    return lambda: setattr(now, "id", f"run {next(runs)}")


def lives(hands):
    return hands.panel.comm is not None


def test_a_given_name_is_replaced(show):
    first, other = show(name="one"), show(name="other")
    first.play()
    second = show(name="one")
    assert not getattr(first.panel.play, PLAYING)
    assert not lives(first) and lives(other) and lives(second)


def test_a_cell_run_again_replaces_its_panels(show, cell):
    cell()
    both = [show(seed=seed) for seed in (0, 1)]
    other = show(recipes.gaussian_mlp)
    assert all(map(lives, both)) and lives(other)
    both[0].play()
    both[1].play()
    assert [hands.trainer.steps_done for hands in both] == [5, 5]
    cell()
    again = [show(seed=seed) for seed in (0, 1)]
    assert all(map(lives, again)) and not any(map(lives, both)) and lives(other)


def test_two_panels_of_one_cell_stand_in_one_box(show, cell):
    cell()
    box = widgets.HBox([show(seed=seed).panel for seed in (0, 1)])
    assert [child.comm is not None for child in box.children] == [True, True]


def test_a_panel_that_cannot_be_made_leaves_the_old_one(show):
    old = show()
    with pytest.raises(ValueError, match="lr_d: got -1"):
        show(lr_d=-1)
    assert old.panel.comm is not None
    old.panel.run(1)


@pytest.mark.alone
def test_close_stops_for_good_and_closes_every_widget(show):
    async def cell():
        hands = show()
        setattr(hands.panel.play, PLAYING, True)
        await asyncio.sleep(0.05)
        hands.panel.play.value += 1
        await asyncio.sleep(0.05)
        hands.panel.close()
        steps = hands.trainer.steps_done
        await asyncio.sleep(0.2)
        assert steps > 0 and hands.trainer.steps_done == steps
        assert not getattr(hands.panel.play, PLAYING)
        assert all(one.comm is None for one in inside(hands.panel))
        assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []
        hands.panel.close()

    asyncio.run(cell())


@pytest.mark.alone
def test_in_a_kernel_it_plays_and_shows_errors(show):
    async def cell():
        hands = show()
        hands.set("k", 2)
        hands.panel.run(1)  # in the cell itself, before the loop comes round
        assert_same(hands.trainer, play(recipes.gaussian(k=2, decay=None), 1))
        setattr(hands.panel.play, PLAYING, True)
        for _ in range(4):
            await asyncio.sleep(0.06)
            hands.panel.play.value += 1
        assert hands.trainer.steps_done > 3
        hands.trainer.discriminator.net[0].bias.data[0] = math.nan
        await asyncio.sleep(0.1)
        assert "became nan or infinite" in hands.text("err") and not getattr(hands.panel.play, PLAYING)
        hands.press("step-d")
        await asyncio.sleep(0.05)
        assert "turns of D alone" in hands.text("code")

    asyncio.run(cell())


def test_without_a_browser_it_rests(hands):
    before, picture = copy.deepcopy(hands.trainer.state_dict()), hands["view"].value
    assert_close(hands.trainer.state_dict(), before, rtol=0, atol=0)
    assert hands.trainer.steps_done == 0 and picture.startswith("<svg")
    hands.panel.run(3)
    assert hands.trainer.steps_done == 3 and hands["view"].value != picture
    hands.panel.run(0)
    assert hands.trainer.steps_done == 3


@pytest.mark.parametrize("rounds", [-1, 1.5, "3", None])
def test_run_with_a_bad_argument(hands, rounds):
    with pytest.raises(ValueError, match=f"rounds: got {rounds!r}"):
        hands.panel.run(rounds)
    hands.panel.run(1)
    assert hands.trainer.steps_done == 1


# -- what is on the page -----------------------------------------------------------------------------------------------


def test_classes_words_and_tooltips(hands):
    for name in CLASSES:
        assert len(hands.all(name)) == 1, name
    assert hands["panel"] is hands.panel and hands["play"] is hands.panel.play
    buttons = [one for one in inside(hands.panel) if isinstance(one, widgets.Button)]
    assert [button.description for button in buttons] == [
        *("One round", "Reset", "D alone", "G alone", "New seed"),
    ]
    assert all(len(button.tooltip) > 10 for button in buttons)
    for one in inside(hands.panel):
        if isinstance(one, (widgets.Dropdown, widgets.IntSlider, widgets.SelectionSlider)):
            assert one.description
    assert hands["play"].show_repeat is False


def test_more_is_closed_at_first(hands):
    (opener,) = (one for one in inside(hands.panel) if "gl-more" in one._dom_classes)
    _, drawer = (one for one in inside(hands.panel) if one.layout.display == "none")  # the first: style and names
    hidden = {name for name in CLASSES if any(f"gl-{name}" in one._dom_classes for one in inside(drawer))}
    assert opener.description == "More" and hidden == {"step-d", "step-g", "speed", "history", "code"}
    for is_open in (True, False):
        opener.value = is_open
        assert (drawer.layout.display == "none") == (not is_open)


def test_nothing_of_the_learners_is_disturbed(show):
    torch.manual_seed(3)
    wanted = torch.randn(3)
    torch.manual_seed(3)
    hands = show()
    hands.play(2)
    hands.press("step-d")
    assert torch.equal(torch.randn(3), wanted)
    assert hands.panel in room._panels
