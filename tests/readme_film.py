"""Draws the moving picture of the README: `python tests/readme_film.py`."""

from collections.abc import Iterator
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure

from gan_lessons import plots, recipes, theory

FILM = Path(__file__).parents[1] / "notebooks" / "images" / "gaussian_gan.png"
FRAMES, STEPS = 30, 30


def frames() -> Iterator[Figure]:
    gan, path = recipes.gaussian(seed=0), [[480.0, 1.0]]
    x = torch.linspace(470, 530, 601)
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.8, 3.6), width_ratios=(3, 2))
    for _ in range(FRAMES):
        left.clear(), [twin.remove() for twin in figure.axes[2:]], right.clear()
        plots.game(*theory.curves(gan, x), ax=left).set_title(f"step {gan.steps_done}")
        plots.path(*torch.tensor(path).T, target=(500, 5), ax=right)
        right.set(xlim=(478, 503), ylim=(0, 9))
        yield figure
        for _ in gan.run(STEPS):
            path.append([gan.generator.mu.item(), gan.generator.sigma.item()])


if __name__ == "__main__":
    plots.use_style()
    FILM.parent.mkdir(exist_ok=True)
    FILM.write_bytes(plots.film(frames(), FRAMES).data)
    print(f"{FILM.name}: {FILM.stat().st_size / 1e3:.0f} kB")
