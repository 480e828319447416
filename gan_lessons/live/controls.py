"""What a panel can set: each setting of a recipe with the inputs that hold it, and the code that makes the same."""

import inspect
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import ipywidgets as widgets
import numpy as np
import torch
from matplotlib.colors import to_rgb
from torch.distributions import Normal, Uniform

from gan_lessons import arguments, data, guards, laws, losses
from gan_lessons.live import words
from gan_lessons.optimizers import adam
from gan_lessons.training import Trainer

RATES = [float(f"{digit}e{power}") for power in range(-5, 1) for digit in (1, 2, 5)]
PENALTIES = [0.0, *(float(f"{digit}e{power}") for power in range(-2, 3) for digit in (1, 2, 5))]

SPEEDS = {  # rounds a frame
    "slow motion, a turn at a time": 0,
    "1 round a frame": 1,
    "2 rounds a frame": 2,
    "5 rounds a frame": 5,
    "as fast as it goes": 10**9,
}


class Control(NamedTuple):
    """A setting, its inputs, and what their values make: as an object, and as code (None where there is none).

    A setting that a Trainer has can be changed at any moment; another one, such as start, begins a new game.
    """

    setting: str
    inputs: tuple[widgets.Widget, ...]
    make: Callable[..., Any] = lambda value: value
    code: Callable[..., str | None] = repr

    def values(self) -> tuple[Any, ...]:
        return tuple(one.value for one in self.inputs)


class Choice(NamedTuple):
    """A button: its words, what it says when pointed at, the settings it begins with, and a colour."""

    text: str
    tooltip: str
    settings: dict[str, Any]
    color: str | None = None


def players(trainer: Trainer) -> list[Control]:
    """k and both learning rates, from what the trainer has now."""
    k = widgets.IntSlider(trainer.k, min=0, max=max(20, trainer.k))
    rates = {"lr_d": "lr_d: learning rate of D", "lr_g": "lr_g: learning rate of G"}
    sliders = {name: _choice(widgets.SelectionSlider, RATES, getattr(trainer, name)) for name in rates}
    return [
        Control("k", (labelled(k, "k: D steps per G step"),)),
        *(Control(name, (labelled(slider, rates[name]),)) for name, slider in sliders.items()),
    ]


def more(
    trainer: Trainer, recipe: Callable[..., Trainer], settings: dict[str, Any], also: Sequence[losses.Loss] = ()
) -> list[Control]:
    """Loss (also: more of them), batch size, both penalties and, where the recipe has it, the start of G."""
    known = losses.NAMED | {one.name: one for one in (*also, trainer.loss)}  # the recipe's own may have another name
    loss = widgets.Dropdown(options=[(name, name) for name in known], value=trainer.loss.name)
    sizes = _choice(widgets.SelectionSlider, [8, 16, 32, 64, 128, 256, 512], trainer.batch_size)
    made = [
        Control("loss", (labelled(loss, "loss"),), known.get, lambda name: words.code(known[name])),
        Control("batch_size", (labelled(sizes, "batch size"),)),
    ]
    for name, where in (("r1", "data"), ("r2", "fakes")):
        weights = _choice(widgets.SelectionSlider, PENALTIES, getattr(trainer, name))
        made.append(Control(name, (labelled(weights, f"{name}: D flat at {where}"),)))
    start = _start(trainer, recipe, settings)
    if start is not None:
        near = [one for one in _starts(trainer) if not np.allclose(one, start, rtol=1e-5, atol=1e-9)]
        starts = _choice(widgets.Dropdown, near, start)
        made.append(Control("start", (labelled(starts, "start of (mu, sigma)"),)))
    return made


def _start(trainer: Trainer, recipe: Callable[..., Trainer], settings: dict[str, Any]) -> tuple[float, float] | None:
    """Where G begins: as given, or as a recipe that has a start has made it by itself; None if there is none."""
    known = inspect.signature(recipe).parameters.get("start")
    given = None if known is None else settings.get("start", known.default)
    if known is None or isinstance(given, Sequence):
        return given and tuple(given)
    weights = getattr(trainer.generator, "mu", None), getattr(trainer.generator, "sigma", None)
    return None if None in weights else tuple(words.number(weight) for weight in weights)


def _starts(trainer: Trainer) -> list[tuple[float, float]]:
    """Far and near, wide and upside down, by the scale of the data; and (0, 1)."""
    if laws.shape(trainer.data):
        return []
    m, s = laws.centre(trainer.data)
    places = [(m - 4 * s, 0.2 * s), (m + 4 * s, 0.2 * s), (m - s, 0.6 * s), (m, 4 * s), (m - 4 * s, -0.2 * s)]
    return [*(tuple(float(f"{one:.6g}") for one in place) for place in places), (0.0, 1.0)]


def bumps(
    means: Sequence[float] = (485.0, 500.0, 515.0),
    sds: Sequence[float] = (3.0, 3.0, 3.0),
    weights: Sequence[float] = (0.25, 0.5, 0.25),
) -> Control:
    """Place, width and weight of each bump of `data.bumps`: a p_data of one's own, to be moved while G learns it."""
    inputs = []
    for i, bump in enumerate(zip(means, sds, weights, strict=True), start=1):
        ranges = {"place": (475, 525, 1), "width": (1, 8, 0.5), "weight": (0, 1, 0.05)}
        for (name, (low, high, step)), value in zip(ranges.items(), bump, strict=True):
            low, high = min(low, value), max(high, value)
            slider = widgets.FloatSlider(value, min=low, max=high, step=step)
            slider.readout_format = digits(low, step, value)
            inputs.append(labelled(slider, f"{name} {i}", "60px", "220px"))

    def arguments(*values: float) -> dict[str, tuple[float, ...]]:
        return {"means": values[::3], "sds": values[1::3], "weights": values[2::3]}

    def code(*values: float) -> str:
        return f"data.bumps({', '.join(f'{name}={numbers}' for name, numbers in arguments(*values).items())})"

    return Control("data", tuple(inputs), lambda *values: data.bumps(**arguments(*values)), code)


def noise() -> Control:
    """z normal or uniform, of mean 0 and sd 1."""
    codes = {"normal": "Normal(0.0, 1.0)", "uniform": "Uniform(-(3**0.5), 3**0.5)"}
    made = {"normal": Normal(0.0, 1.0), "uniform": Uniform(-(3**0.5), 3**0.5)}
    choice = widgets.Dropdown(options=[(name, name) for name in codes], value="normal")
    return Control("latent", (labelled(choice, "z"),), made.get, codes.get)


def optimizer(name: str = "Adam") -> Control:
    """Adam, or plain gradient descent, which does not hide how small a gradient is; another one begins a new game."""
    codes = {"Adam": "optimizers.adam", "SGD": "torch.optim.SGD"}
    choice = widgets.Dropdown(options=[(one, one) for one in codes], value=name)
    made = {"Adam": adam, "SGD": torch.optim.SGD}
    return Control("optimizer", (labelled(choice, "optimizer"),), made.get, codes.get)


def width(units: int) -> Control:
    """How many units each layer of G has, and D half as many (`recipes.plane`); another number begins a new game."""
    choice = _choice(widgets.SelectionSlider, [4, 8, 16, 32, 64, 128, 256], units)
    return Control("width", (labelled(choice, "units a layer of G"),))


def pack() -> Control:
    """How many x D sees at once (`models.Pack`); another number begins a new game."""
    return Control("pack", (labelled(widgets.IntSlider(1, min=1, max=4), "pack: x seen at once"),))


def labelled(widget: widgets.Widget, label: str, label_width: str = "150px", width: str = "335px") -> widgets.Widget:
    widget.description, widget.style.description_width, widget.layout.width = label, label_width, width
    widget.tooltip = label  # else ipywidgets 8 shows "null"
    return widget


def digits(*numbers: float) -> str:
    """The format that shows every one of these numbers whole, and so each step between them.

    >>> digits(1.0, 0.25), digits(0, 1e-3), digits(0.0, 12.0)
    ('.2f', '.3f', '.0f')
    """
    exponents = [Decimal(repr(float(number))).normalize().as_tuple().exponent for number in numbers]
    return f".{min(max(0, *(-exponent for exponent in exponents)), 8)}f"


def grid(inputs: Sequence[widgets.Widget], across: int = 2) -> widgets.VBox:
    rows = [inputs[i : i + across] for i in range(0, len(inputs), across)]
    return widgets.VBox([widgets.HBox(row) for row in rows])


def takes(recipe: Callable[..., Trainer], name: str) -> bool:
    """Has a recipe such an argument?"""
    known = inspect.signature(recipe).parameters.values()
    return any(one.name == name or one.kind is one.VAR_KEYWORD for one in known)


def fitting(control: Control, value: Any) -> tuple[Any, ...]:
    """What each input of a control is to hold for a value. Raises ValueError by the setting's name if it may not."""
    name, (first, *others) = control.setting, control.inputs
    if others:
        row = zip(control.inputs, arguments.numbers(name, value, length=len(control.inputs)), strict=True)
        return tuple(arguments.number(name, wanted, one.min, one.max) for one, wanted in row)
    if isinstance(first.value, str):
        return (arguments.one_of(name, value, [one for _, one in first.options]),)
    if isinstance(first.value, tuple):
        return (arguments.numbers(name, value, length=len(first.value)),)
    if name in guards.SETTINGS:
        return (guards.setting(name, value),)
    least, most = (first.min, first.max) if hasattr(first, "min") else (1, arguments.LARGEST)
    return (arguments.count(name, value, least, most),)


def put(control: Control, values: tuple[Any, ...]) -> None:
    """Set its inputs; a choice takes a value that it does not have yet among its own, and a slider becomes longer."""
    for one, value in zip(control.inputs, values, strict=True):
        if hasattr(one, "options") and value not in dict(one.options).values():
            one.options = _options([*dict(one.options).values(), value])
        elif hasattr(one, "max") and value > one.max:
            one.max = value
        one.value = value


def buttons(begin: Callable[..., None], rows: Sequence[Sequence[Choice]], width: str = "auto") -> widgets.VBox:
    """A grid of buttons, each of which begins a panel anew: `buttons(panel.begin, rows)`."""
    made = []
    for row in rows:
        made.append([])
        for choice in row:
            button = widgets.Button(description=choice.text, tooltip=choice.tooltip, layout=widgets.Layout(width=width))
            button.style.button_color = choice.color
            if choice.color:  # its words are readable on it, whatever the page's theme
                button.add_class("gl-dark" if _brightness(choice.color) > 0.18 else "gl-light")
            button.on_click(lambda _, settings=choice.settings: begin(**settings))
            made[-1].append(button)
    return widgets.VBox([widgets.HBox(row) for row in made]).add_class("gl-buttons")


def _brightness(color: str) -> float:
    """Relative luminance (WCAG 2): 0 black, 1 white; at .18 black and white are equally readable on it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _choice(kind: type, values: list[Any], value: Any) -> widgets.Widget:
    """Exact values to choose from, one's own among them; a slider of logarithms would round them."""
    return kind(options=_options([*values, value]), value=value)


def _options(values: list[Any]) -> list[tuple[str, Any]]:
    return [(f"{one:.10g}" if isinstance(one, float) else str(one), one) for one in sorted(set(values))]
