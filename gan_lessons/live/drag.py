"""A picture that follows sliders, where nothing is trained."""

import html
import inspect
import threading
import traceback
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from gan_lessons.live.controls import digits, labelled, style_sheet

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
        starts = {name: known.default for name, known in inspect.signature(draw).parameters.items()}
        widget = widgets.interactive.widget_from_abbrev
        self.inputs = {name: labelled(widget(limits, starts[name]), name, *WIDTHS) for name, limits in ranges.items()}
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
