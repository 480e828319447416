import re

import pytest
import torch

from gan_lessons import data, live, pretrained, recipes, seen
from gan_lessons.conditional import Pairs, draw
from gan_lessons.views import ByLabel
from gan_lessons.views import conditional as views


@pytest.fixture
def game():
    return recipes.mnist_conditional(0, "cpu", batch_size=8)


@pytest.fixture(scope="module")
def people():
    return data.faces(300, seed=1)


def test_it_counts_what_it_shows(game):
    share = ByLabel().measure(game)["read as asked"]
    assert share * 100 == pytest.approx(round(share * 100), abs=1e-9)
    G = pretrained.load("mnist_conditional")
    game.generator.net.load_state_dict(G.state_dict())
    assert ByLabel().measure(game)["read as asked"] > 0.85
    y = torch.eye(10)[1:]
    game.generator.net.net[0].weight.data[:, -10:] = G.net[0].weight[:, -10:].roll(1, dims=1)
    assert ByLabel().measure(game)["read as asked"] < 0.1 and len(y) == 9  # each label draws its neighbour's digit


def test_a_row_for_each_label_and_a_column_for_each_z(game):
    picture = ByLabel().draw(game, [ByLabel().measure(game) | {"step": 0}])
    assert all(f">{digit}</text>" in picture for digit in range(10)) and "chance 0.10" in picture
    x = ByLabel()._drawn(game).view(10, 10, 784)
    with torch.no_grad():
        torch.manual_seed(0)
        z = game.latent.numbers.sample((10,))
    assert torch.allclose(x[3], draw(game.generator, z, torch.eye(10)[3]), atol=1e-5)


def test_faces_have_a_row_for_each_kind(people):
    trainer = recipes.faces_conditional(0, "cpu", data=Pairs(people), batch_size=8)
    measured = ByLabel().measure(trainer)
    assert 0 <= measured["read as asked"] <= 1
    picture = ByLabel().draw(trainer, [measured | {"step": 0}])
    assert ">0110</text>" in picture and "chance 0.06" in picture


def test_a_game_without_labels_is_refused():
    with pytest.raises(ValueError, match="latent: has no labels to ask for"):
        ByLabel().measure(recipes.mnist_quick(device="cpu"))


def test_a_panel_plays_it():
    panel = live.Panel(recipes.mnist_conditional, ByLabel(), device="cpu", batch_size=8)
    panel.run(2)
    assert "Round 2: read as asked" in panel._picture.value and not panel._error.value
    panel.close()


def test_sliders_of_digits_lean_them_and_give_them_ink():
    z = views.z_of(views.DIGITS, 50, 3)
    G = views.generator(views.DIGITS)

    def looks(step: torch.Tensor) -> tuple[float, float]:
        white = (torch.cat([draw(G, z + step, y) for y in torch.eye(10)]).view(-1, 28, 28) + 1) / 2
        return seen.slant(white).mean().item(), white.mean().item()

    slant, ink = views.directions()
    assert slant.norm().item() == pytest.approx(1, abs=1e-5) and ink.norm().item() == pytest.approx(1, abs=1e-5)
    assert looks(2 * slant)[0] > looks(-2 * slant)[0] + 0.1
    assert looks(2 * ink)[1] > looks(-2 * ink)[1] + 0.02


def test_what_the_sliders_say_is_in_the_picture():
    assert re.search("read as a 4", views.digits(4)) and views.digits(4) != views.digits(5)
    assert "y = (0, 0.3, 0, 0)" in views.faces(glasses=0.3)
    few, many = (int(re.search(r"glasses (\d+)", views.faces(glasses=value))[1]) for value in (0.0, 1.0))
    assert few <= 1 and many >= 9
