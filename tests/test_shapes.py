"""Data of the plane, against their own geometry."""

import math

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFont

from gan_lessons import data, laws, metrics, recipes, shapes
from gan_lessons.devices import seeded


def sample(source, n=4000):
    with seeded(0):
        return source.sample((n,))


def test_the_grid_has_25_even_heaps():
    centres = data.grid().component_distribution.mean
    wanted = {(float(x), float(y)) for x in range(-2, 3) for y in range(-2, 3)}
    assert {tuple(centre) for centre in centres.tolist()} == wanted
    x = sample(data.grid(), 25_000)
    counts = (torch.cdist(x, centres).argmin(dim=1)).bincount(minlength=25)
    assert counts.min() > 880 and counts.max() < 1120  # 1,000 each, 4 standard deviations
    assert (x - centres[torch.cdist(x, centres).argmin(dim=1)]).std().item() == pytest.approx(0.1, rel=0.02)
    assert metrics.modes(x, centres, 0.1)[0] == 25
    small = data.grid(2, apart=3.0, sd=0.2)
    assert (
        small.component_distribution.mean.abs().unique().item() == 1.5
        and small.component_distribution.stddev[0, 0] == 0.2
    )


def test_moons_are_two_half_circles():
    x = data.moons(sd=0).x
    upper, lower = x[:500], x[500:]
    for half, centre in ((upper, (-2 / 3, -1 / 3)), (lower, (2 / 3, 1 / 3))):
        radius = (half - torch.tensor(centre)).norm(dim=1)
        assert torch.allclose(radius, torch.full_like(radius, 4 / 3), atol=1e-5)
    assert (upper[:, 1] >= -1 / 3).all() and (lower[:, 1] <= 1 / 3).all()
    assert torch.equal(upper, -lower)
    near = torch.cdist(sample(data.moons()), x).min(dim=1).values
    assert 0.04 < near.mean() < 0.08  # from a line the mean distance of a normal blur is .8 sd
    # each reaches into the other: no straight line parts them
    assert upper[:, 1].min() < lower[:, 1].max() and upper[:, 0].max() > lower[:, 0].min()


def test_the_spiral_is_even_along_its_arm():
    x = data.spiral(sd=0).x
    angle = np.unwrap(np.arctan2(*x.T.flip(0).numpy()))
    radius = x.norm(dim=1).numpy()
    assert np.polyfit(angle, radius, 1)[0] == pytest.approx(2 / (1.5 * 2 * math.pi), rel=1e-3)  # r grows with the angle
    assert angle[-1] - angle[0] == pytest.approx(1.5 * 2 * math.pi * 11 / 12, rel=1e-3)
    steps = x.diff(dim=0).norm(dim=1)[100:]
    assert steps.max() / steps.min() < 1.35
    assert len(data.spiral(turns=3).x) == 1000 and data.spiral(turns=3).x.norm(dim=1).max() <= 2.0001


def test_a_word_is_where_pillow_puts_ink():
    x = data.word("L", sd=0).x
    assert x.abs().max() <= 2 and x[:, 1].max() > 1.9 and x[:, 1].min() < -1.9
    left, right = x[:, 0].min(), x[:, 0].max()
    high, low = x[x[:, 1] > 1], x[x[:, 1] < -1.7]
    assert high[:, 0].max() < left + 0.35 * (right - left)  # above: the stem alone
    assert low[:, 0].max() > left + 0.95 * (right - left)  # below: the foot
    font = ImageFont.load_default(shapes.PIXELS)
    image = Image.new("L", (400, 200))
    ImageDraw.Draw(image).text((10, 10), "GAN", fill=255, font=font)
    assert len(data.word("GAN").x) == (np.asarray(image) > 127).sum()
    assert torch.equal(data.word(" GAN ").x, data.word("GAN").x)


def test_each_draw_is_blurred_anew():
    dot = data.Blurred(torch.tensor([[1.0, 2.0]]), sd=0.5, name="dot")
    x = sample(dot, 20_000)
    assert x.mean(dim=0).tolist() == pytest.approx([1, 2], abs=0.02) and x.std(dim=0).tolist() == pytest.approx(
        [0.5, 0.5], rel=0.03
    )
    assert isinstance(dot.to("cpu"), data.Blurred) and dot.to("cpu").sd == 0.5


@pytest.mark.parametrize("source", [data.grid(), data.moons(), data.spiral(), data.word("Hi")], ids=str)
def test_any_recipe_for_the_plane_learns_them(source):
    trainer = recipes.plane(data=source)
    trainer.step()
    assert trainer.sample(3).shape == (3, 2) and laws.square(source)[1] <= 3


@pytest.mark.parametrize("text", ["\N{GREEK CAPITAL LETTER OMEGA}", "\N{CYRILLIC CAPITAL LETTER ZHE}"])
def test_other_letters_come_from_a_font_that_has_them(text):
    x = data.word(text).x  # matplotlib brings DejaVu Sans
    assert len(x) > 200
    assert not torch.equal(x, data.word(text, font=None).x[:-1]) and data.word(text).name == f"word({text!r})"


def test_a_font_of_ones_own():
    font = shapes._files()[0]
    assert len(data.word("A", font=font).x) != len(data.word("A").x)


BAD = {
    "": "text: got ''; it must be a word of 1 to 12 letters in one line",
    "   ": "a word of 1 to 12",
    "thirteen chars": "a word of 1 to 12",
    "a\nb": "in one line",
    7: "text: got 7",
    None: "text: got None",
    "A\ue123": "a word of 1 to 12",  # of nobody's alphabet: it cannot be printed
}


@pytest.mark.parametrize("text", BAD)
def test_what_cannot_be_drawn_is_named(text):
    with pytest.raises(ValueError) as refused:
        data.word(text)
    assert BAD[text] in str(refused.value)


def test_a_script_that_no_font_has_is_named(monkeypatch):
    monkeypatch.setattr(shapes, "_files", lambda: ())
    with pytest.raises(
        ValueError, match=r"text: got .*; no font was found that has .*\. Latin letters, digits and signs"
    ):
        data.word("\N{HANGUL SYLLABLE GA}")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: data.word("A", font="/nowhere.ttf"), "font: got '/nowhere.ttf'; it must be a file .ttf or .otf"),
        (lambda: data.word("A", sd=-1), "sd: got -1"),
        (lambda: data.grid(0), "side: got 0"),
        (lambda: data.grid(apart=0), "apart: got 0"),
        (lambda: data.grid(sd="x"), "sd: got 'x'"),
        (lambda: data.moons(sd=-0.1), "sd: got -0.1"),
        (lambda: data.spiral(turns=0), "turns: got 0"),
        (lambda: data.spiral(turns=99), "turns: got 99"),
    ],
)
def test_what_does_not_fit_is_named(make, message):
    with pytest.raises(ValueError) as refused:
        make()
    assert message in str(refused.value)


@pytest.mark.parametrize(
    "made", ["data.moons()", "data.moons(sd=0.2)", "data.spiral()", "data.spiral(turns=2, sd=0.1)", "data.word('Hi')"]
)
def test_its_name_is_the_code_that_makes_it(made):
    source = eval(made)
    again = eval(f"data.{source.name}")
    assert torch.equal(source.x, again.x) and source.sd == again.sd
