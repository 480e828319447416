"""The line of code that a panel shows, executed: it makes that very run, or says in a comment what it leaves out."""

import html
import math
import re

import numpy as np
import pytest
import torch
from torch.distributions import Exponential, Normal, Uniform
from torch.testing import assert_close

from gan_lessons import data, laws, losses, recipes
from gan_lessons.live import Panel, controls
from gan_lessons.views import Figure1, Images, Plane

IMPORTS = """
import torch
from torch.distributions import Normal, Uniform
from gan_lessons import data, losses, optimizers, recipes
"""


def shown(panel):
    return html.unescape(re.sub("<[^>]*>", "", panel._code.value))


def made(panel):
    """The trainer that the line makes."""
    scope = {}
    exec(IMPORTS, scope)
    exec(f"trainer = {shown(panel)}", scope)
    return scope["trainer"]


def assert_same_run(panel, rounds=12):
    panel.run(rounds)
    trainer = made(panel)
    for _ in trainer.run(rounds):
        pass
    assert_close(panel.trainer.state_dict(), trainer.state_dict(), rtol=0, atol=0)
    x, y = panel.trainer.loss.at_equilibrium, trainer.loss.at_equilibrium
    assert x == y and panel.trainer.loss.name == trainer.loss.name


def near(data, sd=1.25):
    return {"data": data, "start": (data.mean.item() - 4 * sd, 0.2 * sd), "lr_g": 0.01 * sd}


@pytest.fixture(autouse=True)
def no_memory():
    yield
    for panel in list(Panel.__init__.__globals__["_panels"]):
        panel.close()


GAMES = {
    "smoothed": lambda: Panel(recipes.gaussian, Figure1(), loss=losses.smoothed(0.9)),
    "least squares": lambda: Panel(recipes.gaussian, Figure1(), loss=losses.least_squares, seed=3),
    "a coding": lambda: Panel(recipes.gaussian, Figure1(), loss=losses.coded(-1, 1, 0.5)),
    "own data": lambda: Panel(recipes.gaussian, Figure1(), **near(Normal(4.0, 1.25))),
    "own data, mlp": lambda: Panel(recipes.gaussian_mlp, Figure1(), data=Uniform(490.0, 510.0)),
    "own bumps": lambda: Panel(recipes.three_bumps, Figure1(), data=data.bumps((0, 9.5), (1, 2), (1, 3)), pack=2),
    "numpy": lambda: Panel(
        recipes.gaussian,
        Figure1(),
        seed=np.int64(4),
        k=np.int32(2),
        lr_d=np.float64(0.02),
        lr_g=np.float32(0.25),
        batch_size=np.int64(100),
    ),
    "start": lambda: Panel(recipes.gaussian, Figure1(), start=[495, 3.5]),
    "tiny rates": lambda: Panel(recipes.gaussian, Figure1(), lr_d=1 / 3, lr_g=1e-7 / 3),
    "latent": lambda: Panel(recipes.gaussian, Figure1(), controls.noise(), latent=Uniform(-1.0, 1.5)),
    "optimizer": lambda: Panel(recipes.gaussian, Figure1(), controls.optimizer("SGD"), lr_g=0.5),
    "given optimizer": lambda: Panel(recipes.gaussian, Figure1(), optimizer=torch.optim.RMSprop),
    "simultaneous": lambda: Panel(recipes.gaussian, Figure1(), order="simultaneous", average=0.9, standardise=False),
    "penalty": lambda: Panel(recipes.gaussian, Figure1(), r1=0.3, decay=recipes.cosine, steps=50),
    "ring": lambda: Panel(recipes.ring, Plane(), controls.pack(), batch_size=np.int64(16)),
    "plane": lambda: Panel(recipes.plane, Plane(), data=data.ring(5, 1.0, 0.2), width=8),
    "grid": lambda: Panel(recipes.plane, Plane(), data=data.grid(), width=8),
    "moons": lambda: Panel(recipes.plane, Plane(), data=data.moons(), width=8),
    "a word": lambda: Panel(recipes.plane, Plane(), controls.width(8), data=data.word("Hi"), width=8),
    "digits": lambda: Panel(recipes.mnist_small, Images(), batch_size=8, device="cpu", latent_dim=3),
    "faces": lambda: Panel(recipes.faces_quick, Images(), batch_size=8, device="cpu", r1=0.5, penalty_every=2),
}


@pytest.mark.parametrize("name", GAMES)
def test_the_line_is_executed_and_makes_this_run(name):
    panel = GAMES[name]()
    if name == "plane":  # points of the plane have no code, and the recipe no default: it says so, and cannot run
        assert shown(panel).endswith("# with the data you gave")
        return
    assert "#" not in shown(panel)
    assert_same_run(panel, 3 if name in ("digits", "faces") else 12)


MOVES = {
    "k": [5],
    "lr-d": [0.2],
    "lr-g": [0.5],
    "loss": ["minimax", "least_squares", "relativistic"],
    "batch-size": [32],
    "r1": [0.5, 0.0],
    "r2": [20.0],
    "start": [(0.0, 1.0), (500.0, 20.0)],
    "optimizer": ["SGD"],
    "latent": ["uniform"],
    "data": [480],
}


@pytest.mark.parametrize("name", MOVES)
def test_after_a_move_and_a_reset_the_line_makes_the_new_run(name):
    extra = controls.noise(), controls.bumps(), controls.optimizer()
    panel = Panel(recipes.gaussian, Figure1(), *extra)
    inputs = [one for control in panel._controls.values() for one in control.inputs]
    for value in MOVES[name]:
        next(one for one in inputs if f"gl-{name}" in one._dom_classes).value = value
        panel._clock.ask(panel._begin)
        panel.run(0)
        assert "#" not in shown(panel)
        assert_same_run(panel)


class Dice:
    """Data of one's own."""

    def sample(self, shape):
        return torch.randint(1, 7, tuple(shape)).float()


@pytest.mark.parametrize(
    "source", [Dice(), data.Sample(torch.linspace(0, 9, 40)), Exponential(1.0)], ids=lambda one: type(one).__name__
)
def test_what_it_cannot_say_stands_in_a_comment(source):
    panel = Panel(recipes.gaussian_mlp, Figure1(D_star=True), data=source)
    panel.run(5)
    assert shown(panel).endswith("decay=None)  # with the data you gave")
    assert made(panel).data is not source  # it runs


def test_a_recipe_of_ones_own_and_a_loss_of_ones_own():
    def mine(seed=0, k=1):
        return recipes.gaussian(seed=seed, k=k, decay=None)

    panel = Panel(mine, Figure1(), k=2)
    panel.run(1)
    assert shown(panel) == "mine(seed=0, k=2)"
    panel = Panel(lambda **settings: mine(), Figure1())
    assert shown(panel).startswith("recipe(") and shown(panel).endswith("# with the recipe you gave")
    own = losses.Loss(*losses.minimax.__dict__.values())
    object.__setattr__(own, "name", "mine")
    panel = Panel(recipes.gaussian, Figure1(), loss=own)
    assert shown(panel).endswith("# with the loss you gave") and "mine" not in shown(panel)


# -- the start of G ----------------------------------------------------------------------------------------------------


def starts(**settings):
    panel = Panel(recipes.gaussian, Figure1(), **settings)
    (control,) = panel._controls["start"].inputs
    return control.value, [value for _, value in control.options]


def test_starts_of_the_default_data():
    value, choices = starts()
    assert value == (480.0, 1.0)
    wanted = [(480, 1), (520, 1), (495, 3), (500, 20), (480, -1), (0, 1)]
    assert sorted(choices) == sorted(tuple(map(float, one)) for one in wanted)


@pytest.mark.parametrize(
    "source",
    [Normal(4.0, 1.25), Normal(-30_000.0, 900.0), Normal(500.3, 1.1), Dice()],
    ids=lambda law: type(law).__name__,
)
def test_starts_follow_the_scale_of_the_data(source):
    m, s = laws.centre(source)
    value, choices = starts(data=source, start=(m - 4 * s, 0.2 * s))
    assert value == (m - 4 * s, 0.2 * s)
    places = [(m - 4 * s, 0.2 * s), (m + 4 * s, 0.2 * s), (m - s, 0.6 * s), (m, 4 * s), (m - 4 * s, -0.2 * s), (0, 1)]
    assert len(choices) == len(places)
    for one in places:
        assert any(choice == pytest.approx(one, rel=1e-4, abs=1e-4 * s) for choice in choices)


def test_a_recipe_may_choose_its_start_by_its_data():
    def by_data(seed=0, start=None, data=Normal(500.3, 1.1), **settings):  # noqa: B008
        m, s = data.mean.item(), data.stddev.item()
        return recipes.gaussian(seed, start or (m - 4 * s, 0.2 * s), data=data, **settings)

    panel = Panel(by_data, Figure1())
    (control,) = panel._controls["start"].inputs
    assert control.value == (495.9, 0.22) and len(control.options) == 6
    assert shown(panel) == "by_data(seed=0, k=1, lr_d=0.01, lr_g=0.011, decay=None)"
    before = by_data(decay=None).generator.state_dict()
    assert_close(panel.trainer.generator.state_dict(), before, rtol=0, atol=0)
    panel = Panel(by_data, Figure1(), controls.bumps())  # whose data can be moved: then the line says the start
    assert "start=(" in shown(panel) and math.isclose(panel.trainer.generator.mu.item(), 495.9, rel_tol=1e-6)


def test_no_start_where_none_can_be_told():
    def other(start=None, **settings):
        return recipes.gaussian_mlp(**settings)

    assert "start" not in Panel(other, Figure1())._controls
