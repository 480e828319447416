"""One colour and one line style for each thing, in every picture: those of the paper's Figure 1."""

import math

import matplotlib.pyplot as plt

STYLE = {
    "data": {"color": "black", "linestyle": ":", "linewidth": 2.2},
    "fakes": {"color": "#1a8a2e", "linestyle": "-", "linewidth": 2.2},
    "D": {"color": "#1f4fd8", "linestyle": "--", "linewidth": 2.0},
    "D*": {"color": "#e07b00", "linestyle": "-.", "linewidth": 1.6},
    "push": {"color": "#b0127b", "linestyle": "-", "linewidth": 1.8},
    "guide": {"color": "#888888", "linestyle": (0, (1, 2)), "linewidth": 1.0},
}
D_COLORS = [round(255 + d / 255 * (c - 255)) for d in range(256) for c in (122, 158, 255)]  # white: fake, blue: real

PUSH_SHOWN = (0.01, 0.1, 1)  # in the legend of arrows


def push_length(push: float) -> float:
    """How long the arrow of a push is drawn, as a share of the longest: its root, for pushes fall from .7 to .005.

    >>> push_length(0.25), push_length(-0.01), push_length(9.0)  # longer ones are cut, and drawn with two heads
    (0.5, -0.1, 1.0)
    """
    return math.copysign(min(1.0, math.sqrt(abs(push))), push)


def use() -> None:
    """Figures as these lessons draw them: sharp, small in the file, without boxes; dark on white, whatever was set."""
    plt.style.use("default")
    plt.rcParams.update(
        {
            "figure.figsize": (7.2, 3.6),
            "figure.dpi": 100,
            "figure.constrained_layout.use": True,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlesize": 11,
            "legend.frameon": False,
            "legend.fontsize": 9,
            "legend.columnspacing": 1.2,
        }
    )
