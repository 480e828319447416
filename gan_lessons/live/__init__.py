"""What one drags: `Panel`, a training to steer while it runs; `Playground`, one for every kind of data; and `Drag`, a
picture that follows sliders."""

from gan_lessons.live.drag import Drag
from gan_lessons.live.panel import Panel
from gan_lessons.live.playground import Playground

__all__ = ["Drag", "Panel", "Playground"]
