"""A picture that follows sliders, where nothing is trained."""

import html
import inspect
import threading
import traceback
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from gan_lessons.arguments import function, shown
from gan_lessons.live.controls import digits, labelled
from gan_lessons.live.page import style_sheet

WIDTHS = "170px", "470px"  # of a label, and of it and its slider


class Drag(widgets.VBox):
    """Sliders, and the picture that draw(**values) makes of them: an `svg.Chart`, or text of SVG or HTML.

    ranges: a slider or a choice for each argument of draw, as ipywidgets.interact takes them, (low, high, step), a list
    or True; each starts at draw's default. What draw raises is shown in place of nothing.

    >>> drag = Drag(lambda t=0.5: f"<b>{t}</b>", t=(0.0, 1.0, 0.1))
    >>> drag.inputs["t"].value = 0.7
    >>> drag.picture.value
    '<b>0.7</b>'
    """

    def __init__(self, draw: Callable[..., Any], **ranges: Any):
        function("draw", draw, "of its sliders' values that returns a picture")
        starts = {name: known.default for name, known in inspect.signature(draw).parameters.items()}
        self.inputs = {name: labelled(_input(name, limits, starts), name, *WIDTHS) for name, limits in ranges.items()}
        self._draw, self._drawing, self._moved = draw, threading.Lock(), False
        self.picture, self.error = widgets.HTML().add_class("gl-view"), widgets.HTML().add_class("gl-err")
        for name, one in self.inputs.items():
            if isinstance(one, widgets.FloatSlider):  # it would show two digits, whatever its step
                one.readout_format = digits(one.min, one.step, one.value)
            one.observe(lambda _: self._show(), "value")
            one.add_class(f"gl-{name.replace('_', '-')}")
        super().__init__([style_sheet(), *self.inputs.values(), self.picture, self.error])
        self.add_class("gl-panel")
        self._show()

    def _show(self) -> None:
        """Draw until the picture is that of the sliders: they may move on meanwhile, on other threads."""
        self._moved = True
        while self._moved and self._drawing.acquire(blocking=False):
            try:
                self._moved = False
                self.picture.value = str(self._draw(**{name: one.value for name, one in self.inputs.items()}))
                self.error.value = ""
            except Exception:  # what callbacks raise is lost
                self.error.value = f'<pre role="alert">{html.escape(traceback.format_exc(limit=-1))}</pre>'
            finally:
                self._drawing.release()


def _input(name: str, limits: Any, starts: dict[str, Any]) -> widgets.Widget:
    if starts.get(name, inspect.Parameter.empty) is inspect.Parameter.empty:
        raise ValueError(f"{name}: draw has no such argument with a default; it has {', '.join(starts) or 'none'}")
    try:
        made = widgets.interactive.widget_from_abbrev(limits, starts[name])
    except Exception as error:
        raise ValueError(f"{name}: got {shown(limits)}, and {shown(starts[name])} to start at ({error})") from error
    if made is None:
        raise ValueError(f"{name}: got {shown(limits)}; it must be (low, high, step), a list, or True")
    if made.value != starts[name]:  # a slider would keep to its range without a word
        raise ValueError(f"{name}: starts at {shown(starts[name])}, which is not in {shown(limits)}")
    return made
