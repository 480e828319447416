"""A trainer's state as a small SVG string, in the colours of `style`: what a panel shows many times a second.

matplotlib takes 80 ms and 70 kB for such a picture; these take a few ms and 6 to 20 kB. A view has `measure(trainer)`,
the numbers of now by name, and `draw(trainer, track)`, the picture of now and of the track so far, a list of what was
measured at each frame; its `seconds` is how long a panel trains between two frames, or longer if they come too fast.
"""

from gan_lessons.views.conditional import ByLabel
from gan_lessons.views.figure1 import Figure1
from gan_lessons.views.images import Images
from gan_lessons.views.plane import Plane

__all__ = ["ByLabel", "Figure1", "Images", "Plane"]
