"""The hill as a still picture: its curves are those of the trainer, its arrows lead where G does."""

import matplotlib.pyplot as plt
import pytest
import torch
from matplotlib.colors import to_hex

from gan_lessons import hill, recipes, seen, style


@pytest.fixture
def ax():
    figure, ax = plt.subplots()
    yield ax
    plt.close(figure)


def test_each_arrow_leads_from_its_z_to_its_x(ax):
    ax.set_xlim(470, 530)
    z = torch.linspace(-2, 2, 9)
    x = 500 - 3 * z
    hill.arrows(z, x, ax, ticks=4)
    arrows = [text for text in ax.texts if getattr(text, "arrowprops", None)]
    heads, feet = (torch.tensor(ends) for ends in zip(*((it.xy, it.xyann) for it in arrows), strict=True))
    assert torch.allclose(heads[:, 0], x, atol=1e-3) and (heads[:, 1] == 1).all() and (feet[:, 1] == 0).all()
    places = (feet[:, 0] - feet[0, 0]) / (feet[-1, 0] - feet[0, 0])
    assert torch.allclose(places, (z + 2) / 4, atol=1e-4)  # z's own axis
    assert {to_hex(it.arrowprops["color"]) for it in arrows} == {style.STYLE["fakes"]["color"]}
    assert {text.get_text() for text in ax.texts} >= {"-2.0", "0.0", "2.0"}


def test_an_arrow_that_leaves_the_picture_is_not_drawn(ax):
    ax.set_xlim(470, 530)
    hill.arrows(torch.tensor([-1.0, 0.0, 1.0]), torch.tensor([460.0, 500.0, torch.nan]), ax)
    assert [it.xy for it in ax.texts if getattr(it, "arrowprops", None)] == [(500, 1)]


def test_the_curves_are_those_of_the_trainer(ax):
    gan, x = recipes.gaussian(start=(490.0, 3.0)), torch.linspace(470, 530, 61)
    now = seen.curves(gan, x)
    hill.draw(now, seen.fakes(gan, 5), ax)
    blue = [line for line in ax.lines if line.get_color() == style.STYLE["D"]["color"]]
    assert torch.allclose(torch.as_tensor(blue[0].get_ydata()), now.D)
    assert sum(line.get_marker() == "o" for line in ax.lines) == 5


@pytest.mark.parametrize(
    ("low", "starts", "words"),
    [
        (0.0, [0.2, 0.8], {"0.05 / 0.45 = 0.111", "0.05 / 1.65 = 0.030"}),
        (-1.0, [-0.325, 0.275], {"(0.025 + 0.025) / 0.60 = 0.083"}),
    ],
)
def test_each_strip_is_its_share_over_its_width(low, starts, words):
    figure = hill.strips(lambda z: 490 + 20 * z**2, low, 1.0, starts)
    right = figure.axes[1]
    assert {text.get_text().strip() for text in right.texts} == words
    (curve,) = right.lines
    p_g, x = (torch.as_tensor(values).double() for values in curve.get_data())
    middle = 20 * (starts[-1] + 0.025) ** 2 + 490
    assert p_g[(x - middle).abs().argmin()].item() == pytest.approx(float(max(words)[-5:]), abs=0.002)
    plt.close(figure)
