"""What a panel can set: each setting of a recipe with the inputs that hold it, and the code that makes the same."""

import inspect
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import ipywidgets as widgets
import torch
from matplotlib.colors import to_rgb
from torch.distributions import Normal, Uniform

from gan_lessons import data, losses
from gan_lessons.live import words
from gan_lessons.optimizers import adam
from gan_lessons.training import Trainer

RATES = [float(f"{digit}e{power}") for power in range(-5, 1) for digit in (1, 2, 5)]
STARTS = [(480.0, 1.0), (520.0, 1.0), (495.0, 3.0), (500.0, 20.0), (480.0, -1.0), (0.0, 1.0)]

STYLE_SHEET = """<style>
.gl-panel button:focus-visible, .gl-buttons button:focus-visible,
.gl-panel .noUi-handle:focus-visible, .gl-panel .ui-slider-handle:focus {
  outline: 3px solid #1a73e8; outline-offset: 2px }
.gl-play button:has(.fa-stop) { display: none }
.gl-play { width: auto }
.gl-panel .widget-readout { min-width: 52px; text-align: left }
.gl-speed .widget-readout { min-width: 200px }
.gl-view svg { max-width: 100%; height: auto; vertical-align: top }
.gl-status, .gl-code { max-width: 770px }
.gl-status div { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-variant-numeric: tabular-nums }
.gl-code code { user-select: all; white-space: pre-wrap; color: inherit; background: none }
.gl-err pre { background: #fdecea; color: #7a0012; white-space: pre-wrap; padding: 4px 8px; margin: 0 }
.gl-buttons .gl-dark { color: #000 }
.gl-buttons .gl-light { color: #fff }
</style>"""

# ipywidgets gives no names to a slider's handle and to the icons of Play. A page runs no <script> that comes in an HTML
# widget, but an image that fails: it names them after the labels beside them, now and soon after a change, not
# at each frame, which a slow browser would feel.
NAMES = """<img alt="" src="data:," onerror="
const name = box => {
  for (const slider of box.querySelectorAll('.widget-slider')) {
    const handle = slider.querySelector('.noUi-handle, .ui-slider-handle')
    const readout = slider.querySelector('.widget-readout')
    const label = slider.querySelector('label').textContent
    if (!handle || !readout) continue
    if (!handle.classList.contains('noUi-handle')) {
      handle.setAttribute('role', 'slider')
      handle.setAttribute('aria-valuenow', parseFloat(readout.textContent) || 0)
    }
    handle.setAttribute('aria-label', label)
    handle.setAttribute('aria-valuetext', readout.textContent)
    readout.setAttribute('aria-label', label)
  }
  for (const icon of box.querySelectorAll('.gl-play i')) {
    const names = { 'fa-play': 'play', 'fa-pause': 'pause', 'fa-stop': 'stop: begin anew' }
    const key = Object.keys(names).find(one => icon.classList.contains(one))
    if (!key) continue
    icon.parentNode.title = names[key]
    icon.parentNode.setAttribute('aria-label', names[key])
  }
}
const wait = setInterval(() => {
  const box = this.closest('.gl-panel')
  if (!box) return
  clearInterval(wait)
  name(box)
  let soon = 0
  const later = () => { soon ||= setTimeout(() => { soon = 0; name(box) }, 400) }
  new MutationObserver(later).observe(box, { childList: true, subtree: true })
}, 100)">"""


def style_sheet() -> widgets.HTML:
    """What a panel needs on its page: how it looks, and names for those who cannot see it."""
    return widgets.HTML(STYLE_SHEET + NAMES, layout=widgets.Layout(display="none"))


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


def more(trainer: Trainer, recipe: Callable[..., Trainer], settings: dict[str, Any]) -> list[Control]:
    """Loss, batch size and, where the recipe has it, the start of G."""
    known = losses.NAMED | {trainer.loss.name: trainer.loss}  # the recipe's own may have another name
    loss = widgets.Dropdown(options=[(name, name) for name in known], value=trainer.loss.name)
    sizes = _choice(widgets.SelectionSlider, [8, 16, 32, 64, 128, 256, 512], trainer.batch_size)
    made = [
        Control("loss", (labelled(loss, "loss"),), known.get, lambda name: words.code(known[name])),
        Control("batch_size", (labelled(sizes, "batch size"),)),
    ]
    if "start" in inspect.signature(recipe).parameters:
        default = inspect.signature(recipe).parameters["start"].default
        starts = _choice(widgets.Dropdown, STARTS, tuple(settings.get("start", default)))
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
