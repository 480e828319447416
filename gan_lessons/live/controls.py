"""What a panel can set: each setting of a recipe with the inputs that hold it, and the code that makes the same."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import ipywidgets as widgets
import torch
from torch.distributions import Normal, Uniform

from gan_lessons import data, losses
from gan_lessons.optimizers import adam
from gan_lessons.training import Trainer

RATES = [float(f"{digit}e{power}") for power in range(-5, 1) for digit in (1, 2, 5)]
STARTS = [(480.0, 1.0), (520.0, 1.0), (495.0, 3.0), (500.0, 20.0), (480.0, -1.0), (0.0, 1.0)]

STYLE_SHEET = """<style>
.gl-panel button:focus-visible, .gl-buttons button:focus-visible,
.gl-panel .noUi-handle:focus-visible, .gl-panel .ui-slider-handle:focus {
  outline: 3px solid #1a73e8; outline-offset: 2px }
.gl-view svg { max-width: 100%; height: auto; vertical-align: top }
.gl-status, .gl-code { max-width: 770px }
.gl-status { min-height: 4em; font-variant-numeric: tabular-nums }
.gl-code code { user-select: all; white-space: pre-wrap }
.gl-err pre { color: #b00020; white-space: pre-wrap }
</style>"""


class Control(NamedTuple):
    """A setting, its inputs, and what their values make: as an object, and as code.

    A setting that a Trainer has can be changed at any moment; another one, such as start, begins a new game.
    """

    setting: str
    inputs: tuple[widgets.Widget, ...]
    make: Callable[..., Any] = lambda value: value
    code: Callable[..., str] = repr

    def values(self) -> tuple[Any, ...]:
        return tuple(one.value for one in self.inputs)

    def box(self) -> widgets.Widget:
        """The inputs, three to a row."""
        for one in self.inputs:
            one.add_class(f"gl-{self.setting.replace('_', '-')}")
        return widgets.VBox([widgets.HBox(self.inputs[i : i + 3]) for i in range(0, len(self.inputs), 3)])


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


def more(trainer: Trainer, recipe: Callable[..., Trainer], settings: dict[str, Any]) -> list[Control]:
    """Loss, batch size and, where the recipe has it, the start of G."""
    known = {name: getattr(losses, name) for name in ("non_saturating", "minimax", "least_squares")}
    own = next((name for name, loss in known.items() if loss is trainer.loss), "the recipe's own")
    loss = widgets.Dropdown(options=[(name, name) for name in dict.fromkeys([own, *known])], value=own)
    sizes = _choice(widgets.SelectionSlider, [8, 16, 32, 64, 128, 256, 512], trainer.batch_size)
    made = [
        Control("loss", (labelled(loss, "loss"),), (known | {own: trainer.loss}).get, lambda name: f"losses.{name}"),
        Control("batch_size", (labelled(sizes, "batch size"),)),
    ]
    if "start" in inspect.signature(recipe).parameters:
        default = inspect.signature(recipe).parameters["start"].default
        starts = _choice(widgets.Dropdown, STARTS, settings.get("start", default))
        made.append(Control("start", (labelled(starts, "start of (mu, sigma)"),)))
    return made


def bumps(
    means: Sequence[float] = (485.0, 500.0, 515.0),
    sds: Sequence[float] = (3.0, 3.0, 3.0),
    weights: Sequence[float] = (0.25, 0.5, 0.25),
) -> Control:
    """Place, width and weight of each bump of `data.bumps`: a p_data of one's own, to be moved while G learns it."""
    inputs = []
    for i, bump in enumerate(zip(means, sds, weights, strict=True), start=1):
        ranges = {"place": (475, 525, 1, ".0f"), "width": (1, 8, 0.5, ".1f"), "weight": (0, 1, 0.05, ".2f")}
        for (name, (low, high, step, digits)), value in zip(ranges.items(), bump, strict=True):
            low, high = min(low, value), max(high, value)
            slider = widgets.FloatSlider(value, min=low, max=high, step=step, readout_format=digits)
            inputs.append(labelled(slider, f"{name} {i}", "70px", "250px"))

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


def pack() -> Control:
    """How many x D sees at once (`models.Pack`); another number begins a new game."""
    return Control("pack", (labelled(widgets.IntSlider(1, min=1, max=4), "pack: x seen at once"),))


def labelled(widget: widgets.Widget, label: str, label_width: str = "170px", width: str = "470px") -> widgets.Widget:
    widget.description, widget.style.description_width, widget.layout.width = label, label_width, width
    widget.tooltip = label  # else ipywidgets 8 shows "null"
    return widget


def put(widget: widgets.Widget, value: Any) -> None:
    """Set an input; a choice takes a value that it does not have yet among its own."""
    if hasattr(widget, "options") and value not in dict(widget.options).values():
        widget.options = _options([*dict(widget.options).values(), value])
    widget.value = value


def buttons(begin: Callable[..., None], rows: Sequence[Sequence[Choice]], width: str = "auto") -> widgets.VBox:
    """A grid of buttons, each of which begins a panel anew: `buttons(panel.begin, rows)`."""
    made = []
    for row in rows:
        made.append([])
        for choice in row:
            button = widgets.Button(description=choice.text, tooltip=choice.tooltip, layout=widgets.Layout(width=width))
            button.style.button_color = choice.color
            button.on_click(lambda _, settings=choice.settings: begin(**settings))
            made[-1].append(button)
    return widgets.VBox([widgets.HBox(row) for row in made]).add_class("gl-buttons")


def _choice(kind: type, values: list[Any], value: Any) -> widgets.Widget:
    """Exact values to choose from, one's own among them; a slider of logarithms would round them."""
    return kind(options=_options([*values, value]), value=value)


def _options(values: list[Any]) -> list[tuple[str, Any]]:
    return [(f"{one:g}" if isinstance(one, float) else str(one), one) for one in sorted(set(values))]
