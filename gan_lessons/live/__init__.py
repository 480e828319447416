"""What one drags: `Panel`, a training to steer while it runs, and `Drag`, a picture that follows sliders."""

from gan_lessons.live.drag import Drag
from gan_lessons.live.panel import Panel

__all__ = ["Drag", "Panel"]
