"""What is refused: over 300 bad values, by every way in, each with its name, and nothing changed by any of them."""

import copy
import inspect
import math

import numpy as np
import pytest
import torch
from torch.distributions import Normal
from torch.testing import assert_close

from gan_lessons import Trainer, arguments, data, dynamics, losses, metrics, models, pretrained, recipes, sweep
from gan_lessons.guards import SETTINGS
from gan_lessons.live import Drag, Panel, controls
from gan_lessons.views import Figure1

NO_NUMBER = ["1", None, True, [1], (1, 2), {}, torch.ones(2), np.ones(2), object(), print, 1j, math.nan, math.inf]
NO_COUNT = [*NO_NUMBER, 1.5, -1, np.float64(2.0), 2**63]
BAD = {
    "k": NO_COUNT,
    "batch_size": [*NO_COUNT, 0, 10**9],
    "lr_d": [*NO_NUMBER, -0.1, -math.inf, np.float32("nan")],
    "lr_g": [*NO_NUMBER, -0.1, -math.inf, np.float32("nan")],
    "r1": [*NO_NUMBER, -1, -1e-9],
    "r2": [*NO_NUMBER, -1, -1e-9],
    "penalty_every": [*NO_COUNT, 0],
    "steps": [value for value in NO_COUNT if value is not None] + [0],
    "decay": ["cosine", 0.5, [1], lambda: 1, lambda fraction: "x", lambda fraction: -1.0],
    "loss": ["minimax", None, losses, losses.smoothed, 1, print, torch.nn.BCELoss(), losses.minimax.discriminator],
    "data": ["x", None, 500, [1.0, 2.0], print, Normal, np.array([]), np.array(["a"]), torch.tensor(1.0)],
    "latent": ["x", None, 500, [1.0, 2.0], print, Normal, np.ones(5), torch.ones(5), torch.randn],
}
BAD["data"] += [torch.full((5,), math.nan), torch.zeros(5, 5, 5, dtype=torch.uint8), data.ring(), np.ones(3, complex)]
BAD["latent"] += [data.ring(), Normal(torch.zeros(3), 1.0)]
FIXED = {
    "order": ["random", None, 1, ["alternating"]],
    "average": [1.0, -0.1, "x", 0, math.nan, True],
    "seed": NO_COUNT,
    "device": ["tpu", "", "cuda:99", 5, None],
    "optimizer": ["adam", None, torch.optim.Adam, lambda params, lr: None],
}
RECIPES = (recipes.gaussian, recipes.gaussian_mlp)


def same(a, b):
    assert_close(a.state_dict(), b.state_dict(), rtol=0, atol=0)


def cases(bad):
    return [
        pytest.param(name, value, id=f"{name}-{i}") for name, values in bad.items() for i, value in enumerate(values)
    ]


@pytest.fixture(scope="module")
def trainer():
    trainer = recipes.gaussian(steps=50)
    for _ in trainer.run(3):
        pass
    return trainer


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("name", "value"), cases(BAD | {name: FIXED[name] for name in ("order", "average", "seed")}))
@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_refuses(recipe, name, value):
    with pytest.raises(ValueError, match=rf"^{name}\b|^generator: "):
        recipe(**{name: value})


@pytest.mark.parametrize(("name", "value"), cases(FIXED))
def test_a_constructor_refuses(name, value):
    G, D = models.AffineGenerator(480, 1), models.MLPDiscriminator(1, 4, 1)
    before = copy.deepcopy(G.state_dict())
    settings = {"latent": Normal(0.0, 1.0), "lr_d": 0.1, "lr_g": 0.1, "batch_size": 4, "device": "cpu", "seed": 1}
    if name == "optimizer" and value is torch.optim.Adam:
        pytest.skip("torch's own is fine")
    with pytest.raises(ValueError, match=rf"^{name}"):
        Trainer(G, D, data.gaussian(), **settings | {name: value})
    assert_close(G.state_dict(), before)


@pytest.mark.parametrize(("name", "value"), cases(BAD))
def test_an_assignment_refuses_and_changes_nothing(trainer, name, value):
    before, old = copy.deepcopy(trainer.state_dict()), getattr(trainer, name)
    with pytest.raises(ValueError, match=rf"^{name}\b"):
        setattr(trainer, name, value)
    assert getattr(trainer, name) is old
    assert_close(trainer.state_dict(), before, rtol=0, atol=0)
    twin = recipes.gaussian(steps=50)
    twin.load_state_dict(copy.deepcopy(before))
    a, b = copy.deepcopy(trainer), twin
    a.step(), b.step()
    same(a, b)


@pytest.mark.parametrize("name", ["order", "seed", "device", "generator", "discriminator", "averaged", "optimizer"])
def test_what_is_fixed_stays(trainer, name):
    old = dict(vars(trainer))
    with pytest.raises(ValueError, match=f"^{name}: .*it is fixed"):
        setattr(trainer, name, old.get(name))
    assert vars(trainer) == old


@pytest.mark.parametrize("name", ["lr", "learning_rate", "K", "epochs", "record", "batchsize", "model"])
def test_what_no_trainer_has(trainer, name):
    with pytest.raises(AttributeError, match=f"^{name}: a Trainer has no such setting; it has .*lr_d.*optimizer_g"):
        setattr(trainer, name, 0.1)
    assert name not in vars(trainer)


def test_an_optimiser_of_other_weights(trainer):
    old = trainer.optimizer_g
    for wrong in ("adam", torch.optim.SGD(trainer.discriminator.parameters(), lr=1.0), torch.optim.SGD):
        with pytest.raises(ValueError, match=r"^optimizer_g: got"):
            trainer.optimizer_g = wrong
    assert trainer.optimizer_g is old


CALLS = {  # every other way in: a call with one bad argument, which its message must name
    "means": lambda: data.bumps(means="abc"),
    "sds": lambda: data.bumps(sds=(1, 0, 1)),
    "sds ": lambda: data.bumps(sds=(1, math.nan, 1)),
    "weights": lambda: data.bumps(weights=(0, 0, 0)),
    "weights ": lambda: data.bumps(weights=(1, -1, 1)),
    "modes": lambda: data.ring(modes=0),
    "modes ": lambda: data.ring(modes=2.5),
    "radius": lambda: data.ring(radius=-1),
    "sd": lambda: data.ring(sd="x"),
    "split": lambda: data.mnist("valid"),
    "split ": lambda: data.mnist(1),
    "name": lambda: data.saved_record("nothing"),
    "path": lambda: data.folder("/nowhere/at/all"),
    "path ": lambda: data.folder(5),
    "size": lambda: data.folder(".", size=0),
    "images": lambda: data.Images(torch.rand(5, 28, 28)),
    "images ": lambda: data.Images("x"),
    "images  ": lambda: data.Images(torch.zeros(5, 2, 28, 28, dtype=torch.uint8)),
    "labels": lambda: data.Images(torch.zeros(5, 28, 28, dtype=torch.uint8), torch.zeros(4)),
    "labels ": lambda: data.Images(torch.zeros(5, 28, 28, dtype=torch.uint8), "abcde"),
    "x": lambda: data.Sample(torch.zeros(0)),
    "x ": lambda: data.Sample([1, 2]),
    "real": lambda: losses.smoothed(1.5),
    "real ": lambda: losses.smoothed("x"),
    "start": lambda: recipes.gaussian(start=480),
    "start ": lambda: recipes.gaussian(start=(480, math.nan)),
    "start  ": lambda: recipes.gaussian(start="ab"),
    "standardise": lambda: recipes.gaussian(standardise="no"),
    "data": lambda: recipes.gaussian(data=torch.ones(50)),
    "data ": lambda: recipes.gaussian(data=Normal(1e6, 1.0)),
    "data  ": lambda: recipes.gaussian(data=data.ring()),
    "data   ": lambda: recipes.ring(data=data.gaussian()),
    "data    ": lambda: recipes.mnist_quick(data=data.Images(torch.zeros(5, 14, 56, dtype=torch.uint8)), device="cpu"),
    "pack": lambda: recipes.three_bumps(pack=0),
    "width": lambda: recipes.plane(data=data.ring(), width=1),
    "latent_dim": lambda: recipes.mnist_small(latent_dim=0),
    "steps": lambda: recipes.mnist_paper(steps=0),
    "k": lambda: sweep.run(k=[-1], lr_g=[0.1], seeds=[0]),
    "lr_g": lambda: sweep.run(k=[1], lr_g=["x"], seeds=[0]),
    "seeds": lambda: sweep.run(k=[1], lr_g=[0.1], seeds=[-1]),
    "seeds ": lambda: sweep.run(k=[1], lr_g=[0.1], seeds=3),
    "loss": lambda: sweep.run(k=[1], lr_g=[0.1], loss="minimax"),
    "order": lambda: dynamics.play(dynamics.xy, (1, 0), 0.1, 2, order="both"),
    "steps ": lambda: dynamics.play(dynamics.xy, (1, 0), 0.1, 1.5),
    "start   ": lambda: dynamics.play(dynamics.xy, 1.0, 0.1, 2),
    "eta": lambda: dynamics.play(dynamics.xy, (1, 0), "x", 2),
    "mu": lambda: models.AffineGenerator("a", 1),
    "sigma": lambda: models.AffineGenerator(0, math.inf),
    "widths": lambda: models.MLPDiscriminator(1, 0, 1),
    "widths ": lambda: models.MLPDiscriminator(1),
    "dropout": lambda: models.MLPDiscriminator(1, 2, 1, dropout=2),
    "size ": lambda: models.Pack(0),
    "sd ": lambda: models.Standardise(0, 0),
    "name ": lambda: pretrained.load("mnist_gigantic"),
    "device": lambda: pretrained.load("mnist_small_z2", device="tpu"),
    "k ": lambda: metrics.density_and_coverage(torch.rand(5, 2), torch.rand(5, 2), k=5),
    "a": lambda: metrics.wasserstein1(torch.tensor([math.nan]), torch.ones(1)),
    "n": lambda: recipes.gaussian().sample(0),
    "average ": lambda: recipes.gaussian().sample(3, average=True),
    "steps  ": lambda: recipes.gaussian().run(-1),
}


@pytest.mark.parametrize("name", CALLS)
def test_every_other_way_in(name):
    with pytest.raises(ValueError, match=rf"^(generator: .*)?{name.strip()}\b"):
        CALLS[name]()


def test_every_setting_of_a_trainer_is_tried():
    known = set(inspect.signature(Trainer).parameters) - {"generator", "discriminator"}
    assert known == set(BAD) | set(FIXED)
    assert set(SETTINGS) - {"steps_done"} == known - {"device", "optimizer"}
    assert sum(map(len, BAD.values())) * 3 + sum(map(len, FIXED.values())) + len(CALLS) > 300


@pytest.mark.parametrize("net", [None, "G", 5, torch.nn.Identity(), torch.nn.Linear(1, 1).requires_grad_(False), print])
@pytest.mark.parametrize("player", ["generator", "discriminator"])
def test_players_that_are_none(player, net):
    players = {"generator": models.AffineGenerator(480, 1), "discriminator": models.MLPDiscriminator(1, 4, 1)}
    settings = {"data": data.gaussian(), "latent": Normal(0.0, 1.0), "lr_d": 0.1, "lr_g": 0.1, "batch_size": 4}
    with pytest.raises(ValueError, match=f"^{player}: "):
        Trainer(**players | {player: net}, **settings)


class Probability(torch.nn.Module):
    """A D of one's own whose sigmoid no look at its layers would find."""

    def __init__(self):
        super().__init__()
        self.net = models.MLPDiscriminator(1, 8, 1, inputs=models.Standardise(500, 5))

    def forward(self, x):
        return torch.sigmoid(self.net(x))


@pytest.mark.parametrize(
    "D",
    [torch.nn.Sequential(models.MLPDiscriminator(1, 8, 1), torch.nn.Sigmoid()), Probability()],
    ids=["layer", "own"],
)
def test_a_discriminator_that_ends_in_a_sigmoid(D):
    """It trains badly and says nothing (D = .502 everywhere): for a logit's loss it is refused."""
    settings = {"latent": Normal(0.0, 1.0), "lr_d": 0.1, "lr_g": 0.1, "batch_size": 4, "device": "cpu"}
    for loss in (losses.non_saturating, losses.minimax, losses.smoothed(0.9)):
        with pytest.raises(ValueError, match=r"^discriminator: its outputs stay between 0 and 1.* takes a logit"):
            Trainer(models.AffineGenerator(480, 1), D, data.gaussian(), loss=loss, **settings)
    gan = Trainer(models.AffineGenerator(480, 1), D, data.gaussian(), loss=losses.least_squares, **settings)
    with pytest.raises(ValueError, match=r"^loss: does not fit the players: discriminator: its outputs stay"):
        gan.loss = losses.minimax
    assert gan.loss is losses.least_squares


def test_no_logit_is_taken_for_a_probability():
    for seed in range(200):
        for recipe in RECIPES:
            recipe(seed=seed)


def test_numpys_numbers_become_plain(tmp_path):
    """What save writes, load reads: also with numbers of numpy in every setting, and inside of an optimiser."""
    settings = {
        "seed": np.int64(4),
        "k": np.int32(2),
        "lr_d": np.float32(0.5),
        "lr_g": np.float64(0.25),
        "batch_size": np.uint8(8),
        "steps": np.int64(20),
        "decay": lambda fraction: np.float64(1 - 0.5 * fraction),
        "average": np.float64(0.9),
        "r1": np.float32(0.5),
        "optimizer": lambda params, lr: torch.optim.Adam(
            params, lr=lr, betas=(np.float64(0.5), 0.9), eps=np.float64(1e-7)
        ),
        "start": (np.int64(480), np.float32(1)),
    }
    trainer = recipes.gaussian(**settings)
    for _ in trainer.run(2):
        pass
    trainer.save(tmp_path / "a.pt")
    same(recipes.gaussian(**settings).load(tmp_path / "a.pt"), trainer)
    assert {type(getattr(trainer, name)) for name in ("seed", "k", "batch_size", "steps")} == {int}
    assert {type(getattr(trainer, name)) for name in ("lr_d", "lr_g", "r1")} == {float}


def test_a_setting_may_be_what_it_is():
    """None of these is refused: limits are allowed values."""
    gan = recipes.gaussian(k=0, lr_d=0, lr_g=0.0, batch_size=1, r1=0, seed=2**63 - 1, data=np.array([1, 2, 3]))
    gan.k, gan.steps, gan.decay, gan.lr_d = 10**6, None if gan.decay is None else 5, None, 1e30
    assert (gan.k, gan.decay, gan.lr_d) == (10**6, None, 1e30)
    assert arguments.shown("x" * 200).endswith("...") and len(arguments.shown("x" * 200)) == 80


# -- panels ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def panel():
    extra = (controls.bumps(), controls.noise(), controls.optimizer(), controls.pack())
    return Panel(recipes.three_bumps, Figure1(), *extra)


BEGIN = {name: BAD[name] for name in ("k", "lr_d", "lr_g", "batch_size")} | {"loss": BAD["loss"][1:]}
BEGIN |= {"seed": NO_COUNT, "latent": ["gamma", None, 3], "optimizer": ["LBFGS", None], "pack": [0, 5, 1.5, "x"]}
BEGIN |= {"data": ["x", (1, 2), (500, 2, 2) * 3, None, [math.nan] * 9]}


@pytest.mark.parametrize(("name", "value"), cases(BEGIN))
def test_a_panel_refuses_at_once_and_stays_as_it_was(panel, name, value):
    before = {setting: one.values() for setting, one in panel._controls.items()}
    game, line = panel._game, panel._code.value
    with pytest.raises(ValueError, match=rf"^{name}\b"):
        panel.begin(**{"k": 3, name: value})
    assert {setting: one.values() for setting, one in panel._controls.items()} == before
    assert panel._game is game and panel._code.value == line


def test_a_panel_clamps_nothing(panel):
    panel.begin(k=np.int64(50), lr_d=0.123, batch_size=17, loss="minimax", data=(480, 2, 1) * 3, pack=2)
    panel.run(0)
    assert (panel.trainer.k, panel.trainer.lr_d, panel.trainer.batch_size) == (50, 0.123, 17)
    assert panel.trainer.loss is losses.minimax and panel.trainer.data.mean == 480
    panel.begin(k=1, data=(485, 3, 0.25, 500, 3, 0.5, 515, 3, 0.25), pack=1)
    panel.run(0)
    assert panel.trainer.k == 1


@pytest.mark.parametrize(
    ("name", "make"),
    {
        "recipe": lambda: Panel("gaussian", Figure1()),
        "recipe ": lambda: Panel(lambda **settings: 5, Figure1()),
        "view": lambda: Panel(recipes.gaussian, "Figure1"),
        "view ": lambda: Panel(recipes.gaussian, Figure1),
        "k": lambda: Panel(recipes.gaussian, Figure1(), k=-1),
        "seed": lambda: Panel(recipes.gaussian, Figure1(), seed="x"),
        "start": lambda: Panel(recipes.gaussian, Figure1(), start=(1, 2, 3)),
        "loss": lambda: Panel(recipes.gaussian, Figure1(), loss="minimax"),
        "settings": lambda: Panel(recipes.gaussian, Figure1()).begin(learning_rate=3),
        "rounds": lambda: Panel(recipes.gaussian, Figure1()).run(-1),
        "t": lambda: Drag(lambda t: "", t=(0.0, 1.0, 0.1)),
        "t ": lambda: Drag(lambda t=0.5: "", t=object()),
        "t  ": lambda: Drag(lambda t=5.0: "", t=(0.0, 1.0, 0.1)),
        "u": lambda: Drag(lambda t=0.5: "", u=(0.0, 1.0, 0.1)),
        "draw": lambda: Drag("picture"),
    }.items(),
)
def test_what_a_panel_is_made_of(name, make):
    with pytest.raises(ValueError, match=rf"^{name.strip()}\b"):
        make()
