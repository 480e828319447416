"""What a control makes, and what its code makes, must be one thing."""

import pytest
import torch
from browser import contrast
from torch.distributions import Distribution, Normal, Uniform

from gan_lessons import data, live, losses, recipes
from gan_lessons.live import controls, page


def all_controls(recipe=recipes.gaussian, **settings):
    trainer = recipe(**settings)
    made = [*controls.players(trainer), *controls.more(trainer, recipe, settings), controls.bumps(), controls.noise()]
    return {control.setting: control for control in made}


def evaluated(control):
    scope = {"data": data, "losses": losses, "Normal": Normal, "Uniform": Uniform}
    return eval(control.code(*control.values()), {"__builtins__": {}}, scope)


def others(widget):
    """Some other values that this input can have."""
    if hasattr(widget, "options"):
        return [option[1] if isinstance(option, tuple) else option for option in widget.options]
    return [widget.min, widget.max, widget.min + widget.step]


def assert_same(a, b):
    if isinstance(a, Distribution):
        assert type(a) is type(b)
        x = torch.linspace(-1.7, 1.7, 50) if isinstance(a, (Normal, Uniform)) else torch.linspace(470, 530, 50)
        assert torch.equal(a.log_prob(x), b.log_prob(x))
    else:
        assert a == b and type(a) is type(b)


@pytest.mark.parametrize("setting", ["k", "lr_d", "lr_g", "loss", "batch_size", "r1", "r2", "start", "data", "latent"])
def test_the_code_makes_what_the_control_makes(setting):
    control = all_controls()[setting]
    made = {control.code(*control.values())}
    for one in control.inputs:
        before = one.value
        for value in others(one):
            one.value = value
            try:
                assert_same(control.make(*control.values()), evaluated(control))
            except ValueError as error:
                assert setting == "data" and "weights" in str(error)
            made.add(control.code(*control.values()))
        one.value = before
    assert len(made) > 1


@pytest.mark.parametrize("setting", ["k", "lr_d", "lr_g", "loss", "batch_size", "r1", "r2", "start", "latent"])
def test_a_control_starts_at_what_the_trainer_has(setting):
    settings = {
        "k": 3,
        "lr_d": 0.003,
        "lr_g": 0.07,
        "loss": losses.least_squares,
        "batch_size": 100,
        "r1": 0.3,
        "r2": 7.0,
    }
    control = all_controls(**settings, start=(490.0, 2.5))[setting]
    if setting == "latent":
        assert (control.make(*control.values()).mean, control.make(*control.values()).stddev) == (0, 1)
    else:
        assert control.make(*control.values()) == (settings | {"start": (490.0, 2.5)})[setting]


def test_rates_are_exact():
    written = "1e-5 2e-5 5e-5 1e-4 2e-4 5e-4 1e-3 2e-3 5e-3 .01 .02 .05 .1 .2 .5 1 2 5"
    assert [float(text) for text in written.split()] == controls.RATES
    slider = all_controls()["lr_g"].inputs[0]
    assert [value for _, value in slider.options] == controls.RATES
    assert all(float(text) == value for text, value in slider.options)


@pytest.mark.parametrize(
    ("rate", "between"), [(0.003, (0.002, 0.005)), (3e-7, (None, 1e-5)), (7.0, (5.0, None)), (0.0, (None, 1e-5))]
)
def test_a_rate_of_ones_own_is_added_in_its_place(rate, between):
    slider = all_controls(lr_d=rate)["lr_d"].inputs[0]
    values = [None, *(value for _, value in slider.options), None]
    i = values.index(rate)
    assert slider.value == rate and (values[i - 1], values[i + 1]) == between and len(values) == len(controls.RATES) + 3


def test_other_values_of_ones_own():
    made = all_controls(k=50, batch_size=100, start=(510.0, 2.0))
    assert made["k"].inputs[0].value == made["k"].inputs[0].max == 50
    assert made["batch_size"].values() == (100,)
    assert made["start"].values() == ((510.0, 2.0),)
    assert len(made["batch_size"].inputs[0].options) == 8


def test_a_loss_of_the_recipes_own():
    own = losses.smoothed(0.9)
    control = all_controls(loss=own)["loss"]
    assert control.make(*control.values()) is own
    control.inputs[0].value = "minimax"
    assert control.make(*control.values()) is losses.minimax
    assert control.code("smoothed(0.9)") == "losses.smoothed(0.9)"
    assert [name for name, _ in all_controls()["loss"].inputs[0].options] == list(losses.NAMED)


def test_start_only_where_the_recipe_has_one():
    assert "start" not in all_controls(recipes.gaussian_mlp)
    assert all_controls()["start"].values() == ((480.0, 1.0),)


def test_bumps_of_ones_own_are_not_changed():
    means, sds, weights = (400.0, 500.0), (0.5, 20.0), (3.0, 1.0)
    control = controls.bumps(means, sds, weights)
    assert control.values() == (400.0, 0.5, 3.0, 500.0, 20.0, 1.0)
    assert_same(control.make(*control.values()), data.bumps(means, sds, weights))


def test_bumps_default_and_each_slider_its_own_number():
    control = controls.bumps()
    x = torch.linspace(470, 530, 200)
    wanted = sum(w * Normal(m, 3.0).log_prob(x).exp() for w, m in ((0.25, 485.0), (0.5, 500.0), (0.25, 515.0)))
    assert torch.allclose(control.make(*control.values()).log_prob(x).exp(), wanted)
    for one, value in zip(control.inputs, (480, 2, 0.1, 505, 4, 0.2, 520, 5, 0.3), strict=True):
        one.value = value
    wanted = data.bumps(means=(480, 505, 520), sds=(2, 4, 5), weights=(0.1, 0.2, 0.3))
    assert_same(control.make(*control.values()), wanted)


def test_noise_has_mean_0_and_sd_1():
    control = controls.noise()
    for kind in ("normal", "uniform"):
        control.inputs[0].value = kind
        z = control.make(*control.values())
        assert (float(z.mean), float(z.stddev)) == pytest.approx((0, 1))
        assert type(z).__name__.lower() == kind


def test_labels_and_rows():
    made = all_controls()
    for control in made.values():
        assert all(len(one.description) >= 1 for one in control.inputs)
    rows = controls.grid(made["data"].inputs, 3).children
    assert [one for row in rows for one in row.children] == list(made["data"].inputs)
    assert [len(row.children) for row in rows] == [3, 3, 3]
    k = made["k"].inputs[0]
    assert k.description == "k: D steps per G step"
    assert (k.min, k.max, k.step) == (0, 20, 1)


@pytest.mark.parametrize(("low", "step", "shown"), [(1.0, 0.25, "1.25"), (0, 0.125, "0.125"), (0, 1e-3, "0.001")])
def test_a_readout_shows_the_value_for_any_step(low, step, shown):
    slider = live.Drag(lambda t=low: "", t=(low, low + 10 * step, step)).inputs["t"]
    assert format(low + step, slider.readout_format) == shown
    for i in range(11):
        assert float(format(low + i * step, slider.readout_format)) == pytest.approx(low + i * step, abs=1e-12)


def test_readouts_of_whole_numbers_and_of_odd_starts():
    drag = live.Drag(lambda n=3, t=0.55: "", n=(0, 10), t=(0.0, 2.0, 0.5))
    assert drag.inputs["n"].readout_format == "d"
    assert format(0.55, drag.inputs["t"].readout_format) == "0.55"
    assert format(485.5, controls.bumps(means=(485.5, 500, 515)).inputs[0].readout_format) == "485.5"


@pytest.mark.parametrize("color", ["white", "black", "#1a8a2e", "tomato", "#777777", "#1f4fd8", "gold", "#cc3311"])
def test_words_on_a_coloured_button_are_readable(color):
    (row,) = controls.buttons(lambda: None, [[controls.Choice("a", "b", {}, color)]]).children
    words = {"gl-dark": "#000", "gl-light": "#fff"}
    (name,) = words.keys() & set(row.children[0]._dom_classes)
    assert f".gl-buttons .{name} {{ color: {words[name]} }}" in page.STYLE_SHEET
    assert contrast("#000000" if name == "gl-dark" else "#ffffff", color) >= 4.5
