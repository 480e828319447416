"""What ships, and the way there: kept in 16 bits, read back, refused when damaged."""

import copy
import json
import os
import pickle
import shutil

import pytest
import torch
from train_pretrained import AVERAGE_ALONE, build, ship, train

from gan_lessons import data, pretrained, recipes
from gan_lessons.devices import seeded

LATENT_DIMS = {
    "mnist": 100,
    "mnist_paper": 100,
    "mnist_best": 64,
    "mnist_best_10_epochs": 64,
    "mnist_small_z1": 1,
    "mnist_small_z2": 2,
    "mnist_small_z8": 8,
    "mnist_small_z64": 64,
    "faces_dcgan": 32,
    "faces_lsgan": 32,
    "mnist_conditional": 26,
    "faces_conditional": 36,
}
ALONE = AVERAGE_ALONE | pretrained.MADE_BY.keys()


def tiny_trainer():
    """Four epochs of 5 steps."""
    images = data.mnist("train")[:200]
    return recipes.mnist_small(latent_dim=3, data=images, batch_size=40, steps=20, device="cpu", average=0.9)


@pytest.fixture(scope="module", autouse=True)
def tiny_is_a_name():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(pretrained.GENERATORS, "tiny", ("mnist_small", {"latent_dim": 3}))
        patch.setattr("gan_lessons.metrics.report", lambda samples: {"n": len(samples)})  # its nets are elsewhere
        yield


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A tiny trainer at the end of its schedule, and the folder of the weights it left."""
    folder = tmp_path_factory.mktemp("tiny")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pretrained, "_WEIGHTS", folder / "weights")
        return command(folder), folder / "weights"


@pytest.fixture
def tiny(trained, tmp_path, monkeypatch):
    """A copy of those weights, from which pretrained loads; returns the trainer."""
    trainer, weights = trained
    shutil.copytree(weights, tmp_path / "weights")
    monkeypatch.setattr(pretrained, "_WEIGHTS", tmp_path / "weights")
    return trainer


def command(folder, epochs=None):
    """What `python tests/make/train_pretrained.py tiny [--epochs epochs]` does, with its checkpoint in folder."""
    trainer = tiny_trainer()
    ship("tiny", trainer, train(trainer, folder / "tiny.pt", epochs), {"recipe": "mnist_small"})
    return trainer


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def draws(G, n=64):
    with seeded(1):
        return G(G.latent.sample((n,)))


# -- what ships --------------------------------------------------------------------------------------------------------


def test_names():
    assert pretrained.names() == [*LATENT_DIMS, "tiny"]


@pytest.mark.parametrize("name", LATENT_DIMS)
def test_what_ships_draws_pictures(name):
    averaged = pretrained.load(name)
    assert averaged.latent.sample((5,)).shape == (5, LATENT_DIMS[name])
    drawn = [draws(averaged)]
    assert torch.equal(drawn[0], draws(pretrained.load(name, average=True)))
    if name not in ALONE:
        drawn.append(draws(pretrained.load(name, average=False)))
        assert not torch.equal(*drawn)
    real = data.faces(500) if name.startswith("faces") else data.mnist("test")
    ink = (real.images / 127.5 - 1).mean()
    for images in drawn:
        assert (
            images.shape == (64, *real.sample((1,)).shape[1:])
            and images.abs().max() <= 1
            and images.dtype == torch.float32
        )
        assert images.mean() == pytest.approx(ink.item(), abs=0.1)
        assert images.std(0).mean() > 0.1  # not one image only


@pytest.mark.parametrize("name", [name for name in pretrained.MADE_BY if name in pretrained.GENERATORS])
def test_cards_of_other_scripts_say_so(name):
    card = pretrained.card(name)
    assert card["made by"] == f"python tests/make/{pretrained.MADE_BY[name]}" and card["torch"]
    assert set(card["metrics"]) == {"averaged"} and card["recipe"] == pretrained.GENERATORS[name][0]


@pytest.mark.parametrize("name", [name for name in LATENT_DIMS if name not in pretrained.MADE_BY])
def test_cards_say_how_it_was_made(name):
    card = pretrained.card(name)
    _, said = build(name)
    assert card.items() >= said.items()
    assert card["made by"] == f"python tests/make/train_pretrained.py {name} --epochs {card['epochs']}"
    assert card["threads"] == 1 and card["torch"] and card["training images"] in (20_000, 50_000, 60_000)
    least = {"averaged"} if name in AVERAGE_ALONE else {"raw", "averaged"}  # of some, raw was measured and not kept
    assert least <= set(card["metrics"]) <= {"raw", "averaged"}
    assert {len(curve) for curve in card["curves"].values()} == {card["epochs"]}
    assert set(card["curves"]) == {"loss_d", "loss_g", "d_real", "d_fake"}


def test_latent_of_the_paper_is_uniform():
    z = pretrained.load("mnist_paper").latent.sample((1000,))
    assert z.abs().max() <= 3**0.5 and z.std() == pytest.approx(1, abs=0.01)


# -- load --------------------------------------------------------------------------------------------------------------


def test_draws_are_those_of_training(tiny):
    for average in (False, True):
        with seeded(1):
            expected = tiny.sample(64, average=average)
        assert torch.allclose(draws(pretrained.load("tiny", average)), expected, atol=0.01)
    raw, averaged = draws(pretrained.load("tiny", average=False)), draws(pretrained.load("tiny"))
    assert (raw - averaged).abs().max() > 0.1


def test_the_average_has_batch_norm_statistics_of_its_own(tiny):
    with seeded(2):
        z = pretrained.load("tiny").latent.sample((20_000,))
    errors = {}
    for average in (True, False):
        first, norm = pretrained.load("tiny", average).net[:2]
        units = first(z)
        off = (norm.running_mean - units.mean(0)) / units.std(0)
        errors[average] = off.abs().max(), (norm.running_var / units.var(0)).log().abs().max()
    assert errors[True][0] < 4 / 1000**0.5  # 4 standard errors of the 1,000 z of update_bn
    assert errors[True][1] < 4 * (2 / 1000) ** 0.5


def test_loading_draws_nothing_and_shares_nothing(tiny):
    torch.manual_seed(8)
    before = torch.get_rng_state()
    a, b = pretrained.load("tiny"), pretrained.load("tiny")
    assert torch.equal(torch.get_rng_state(), before)
    x = draws(a)
    a.net[0].weight.zero_()
    assert torch.equal(draws(b), x) and not torch.equal(draws(a), x)
    for twin in (copy.deepcopy(b), pickle.loads(pickle.dumps(b))):
        assert torch.equal(draws(twin), x)


def test_ready_to_look_at(tiny):
    G = pretrained.load("tiny")
    assert not G.training and not any(w.requires_grad for w in G.parameters())
    z = G.latent.sample((4,)).requires_grad_()
    G(z).sum().backward()  # z can be moved, as inversion does
    assert z.grad.abs().max() > 0
    assert torch.allclose(G(z)[:1], G(z[:1]), atol=1e-6)  # no image depends on the others


def test_unknown_names():
    for function in (pretrained.load, pretrained.card):
        for name in ("dcgan", "classifier"):
            with pytest.raises(ValueError, match=rf"name: got '{name}'; allowed are \['mnist', .*'mnist_small_z1'"):
                function(name)


def test_without_an_average(tiny):
    states, card = pretrained._read("tiny")
    pretrained.write("tiny", {"raw": states["raw"]}, card)
    raw = pretrained.load("tiny")
    assert torch.equal(draws(raw), draws(pretrained.load("tiny", average=False)))
    with pytest.raises(ValueError, match="average: got True; of 'tiny' no average was kept"):
        pretrained.load("tiny", average=True)
    pretrained.write("tiny", {"averaged": states["averaged"]}, card)
    assert not torch.equal(draws(pretrained.load("tiny")), draws(raw))
    with pytest.raises(ValueError, match="average: got False; of 'tiny' the average alone was kept: allowed are True"):
        pretrained.load("tiny", average=False)


# -- the files ---------------------------------------------------------------------------------------------------------


def test_kept_in_16_bits(tmp_path, monkeypatch):
    monkeypatch.setattr(pretrained, "_WEIGHTS", tmp_path)
    state = recipes.mnist_small(device="cpu").generator.state_dict()
    state["net.1.num_batches_tracked"] += 70_000  # more than 16 bits hold
    pretrained.write("tiny", {"raw": state}, {"made by": "hand"})
    states, card = pretrained._read("tiny")
    assert card["made by"] == "hand" and states["raw"].keys() == state.keys()
    for key, kept in states["raw"].items():
        if kept.dim() == 2:  # 11 significant bits, down to steps of 2^-24
            assert ((kept.double() - state[key]).abs() <= 2.0**-11 * state[key].abs() + 2.0**-25).all()
        else:
            assert kept.dtype == state[key].dtype and torch.equal(kept, state[key])
    assert (tmp_path / "tiny.pt").stat().st_size < 0.55 * sum(w.numel() * 4 for w in state.values())


@pytest.mark.parametrize("where", [0, 40, 0.3, 0.7, -1])
def test_one_flipped_bit(tiny, where):
    path = pretrained._WEIGHTS / "tiny.pt"
    content = bytearray(path.read_bytes())
    content[where if isinstance(where, int) else int(where * len(content))] ^= 1
    path.write_bytes(content)
    for function in (pretrained.load, pretrained.card):
        with pytest.raises(RuntimeError, match=r"tiny.pt.*SHA-256 is not.*git checkout.*train_pretrained.py tiny`"):
            function("tiny")


@pytest.mark.parametrize(
    ("end", "content"),
    [
        *((".pt", None), (".json", None)),
        *((".pt", b""), (".pt", b"12345")),
        *((".json", b""), (".json", b'{"recipe": '), (".json", b"\xff\xfe"), (".json", b"{}"), (".json", b"[]")),
    ],
)
def test_missing_or_damaged_files(tiny, end, content):
    path = pretrained._WEIGHTS / f"tiny{end}"
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(RuntimeError, match=r"tiny.pt or its card is missing or damaged \(.+\).*git checkout -- gan_l"):
        pretrained.load("tiny")


@pytest.mark.parametrize("net", [pretrained.classifier, pretrained.reader])
def test_files_of_other_nets_name_their_own_script(tmp_path, monkeypatch, net):
    monkeypatch.setattr(pretrained, "_WEIGHTS", tmp_path)
    with pytest.raises(RuntimeError, match=rf"`python tests/make/train_{net.__name__}.py`"):
        net.__wrapped__()


@pytest.mark.parametrize("stopped_at", [1, 2])
def test_a_stop_while_writing(tiny, monkeypatch, stopped_at):
    before = draws(pretrained.load("tiny"))
    states, card = pretrained._read("tiny")
    states["averaged"]["net.0.weight"] *= 2
    calls = []

    def replace(*paths):
        calls.append(paths)
        if len(calls) == stopped_at:
            raise KeyboardInterrupt
        return os.rename(*paths)

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(KeyboardInterrupt):
        pretrained.write("tiny", states, card)
    if stopped_at == 1:
        assert torch.equal(draws(pretrained.load("tiny")), before)
    else:
        with pytest.raises(RuntimeError, match="SHA-256 is not"):
            pretrained.load("tiny")


# -- the script --------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_stopped_run_goes_on_bit_by_bit(trained, tmp_path, monkeypatch):
    whole = files(trained[1])
    card = json.loads(whole["tiny.json"])
    assert (card["epochs"], card["epochs of the recipe"], len(card["curves"]["d_real"])) == (4, 4, 4)
    weights = tmp_path / "weights"
    monkeypatch.setattr(pretrained, "_WEIGHTS", weights)
    command(tmp_path, epochs=1)
    assert pretrained.card("tiny")["epochs"] == 1 and files(weights)["tiny.pt"] != whole["tiny.pt"]
    command(tmp_path, epochs=3)
    command(tmp_path)
    assert files(weights) == whole
    command(tmp_path, epochs=2)  # more are done already: those are written
    assert files(weights) == whole
    assert command(tmp_path, epochs=5).steps_done == 25  # beyond the recipe's schedule
    assert pretrained.card("tiny")["made by"].endswith("tiny --epochs 5")


def test_curves_are_the_means_of_epochs(tiny):
    seen = [record.d_real.item() for record in tiny_trainer().run(20)]
    means = [sum(seen[i : i + 5]) / 5 for i in range(0, 20, 5)]
    assert pretrained.card("tiny")["curves"]["d_real"] == pytest.approx(means, abs=1e-4)


def test_faces_are_trained_shipped_and_loaded_as_digits_are(tmp_path, monkeypatch):
    """The average's maps get batch-norm statistics of their own, and 16 bits keep convolutions."""
    monkeypatch.setattr(pretrained, "_WEIGHTS", tmp_path / "weights")
    monkeypatch.setitem(pretrained.GENERATORS, "faces_tiny", ("faces_dcgan", {}))
    monkeypatch.setattr("train_pretrained.figures", lambda G: {"shape": list(draws(G, 8).shape)})
    settings = {"batch_size": 8, "steps": 10, "average": 0.9, "device": "cpu"}
    trainer = recipes.faces_dcgan(data=data.faces(40), **settings)
    ship("faces_tiny", trainer, train(trainer, tmp_path / "faces_tiny.pt"), {})
    card = pretrained.card("faces_tiny")
    assert (card["epochs"], card["training images"]) == (2, 40)
    assert card["metrics"] == {"raw": {"shape": [8, 3, 32, 32]}, "averaged": {"shape": [8, 3, 32, 32]}}
    for average in (False, True):
        with seeded(1):
            expected = trainer.sample(64, average=average)
        G = pretrained.load("faces_tiny", average)
        assert torch.allclose(draws(G), expected, atol=0.02)
    assert (draws(pretrained.load("faces_tiny", average=False)) - draws(G)).abs().max() > 0.1


def test_every_generator_is_built_as_its_recipe_trains_it():
    for name, (recipe, settings) in pretrained.GENERATORS.items():
        trainer, card = build(name)
        G, latent = getattr(recipes, f"{recipe}_generator")(**settings)
        assert str(G) == str(trainer.generator) and str(latent) == str(trainer.latent)
        assert trainer.averaged and card["recipe"] == recipe and trainer.seed == card["seed"] == 0


@pytest.mark.parametrize("latent_dim", [0, -1, 2.5, "2"])
def test_a_z_of_no_dimension(latent_dim):
    with pytest.raises(ValueError, match=rf"latent_dim: got {latent_dim!r}; it must be a whole number >= 1"):
        recipes.mnist_small(latent_dim=latent_dim, device="cpu")
