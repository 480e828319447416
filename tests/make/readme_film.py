"""Makes the README's picture, Figure 1 moving, as lesson 04 draws it: `python tests/make/readme_film.py`."""

from collections.abc import Iterator
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from gan_lessons import plots, recipes
from gan_lessons.lessons import figure_1 as lesson

PICTURE = Path(__file__).parents[2] / "notebooks" / "images" / "figure_1.png"


def frames(number: int = 24, rounds: int = 30) -> Iterator[Figure]:
    """The game of lesson 02, a frame each so many rounds."""
    gan = recipes.gaussian(seed=0, decay=None)
    figure = plt.figure(figsize=(6.4, 4.2))
    for _ in range(number):
        figure.clear()
        upper = lesson.draw(gan, figure, on_hill=True)
        upper.set_title(f"round {gan.steps_done}", loc="left")
        upper.text(507.5, 0.22, "data")
        mean, spread = gan.generator.mu.item(), abs(gan.generator.sigma.item())
        upper.text(mean - 1.5 * spread - 0.5, min(0.8 / spread, 0.6), "fakes", color=lesson.GREEN, ha="right")
        yield figure
        for _ in gan.run(rounds):
            pass
    plt.close(figure)


if __name__ == "__main__":
    PICTURE.write_bytes(plots.film(frames(), length=24).data)
