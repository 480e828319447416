"""A round taken apart: what slow motion draws over a view, part by part."""

import textwrap
from dataclasses import dataclass
from typing import Any

import torch
from contourpy import contour_generator
from torch import Tensor

from gan_lessons import devices, seen
from gan_lessons.style import STYLE
from gan_lessons.svg import Box, stroke, text
from gan_lessons.training import Trainer
from gan_lessons.views.figure1 import Figure1
from gan_lessons.views.plane import Plane

TIMES = (500, 200, 100, 50, 20, 10, 5, 2, 1)  # as far as it went is a step drawn: one step moves next to nothing
WORDS = {
    "draw": "G draws fakes: random z go in, x = G(z) come out",
    "look": "D looks at real x (black) and at fakes (green)",
    "learn": "D takes a step: up at real x, down at fakes",
    "push": "G asks D which way each fake would look more real: the pushes",
    "move": "G takes a step: the fakes move",
}


@dataclass
class Part:
    """One part of a round: its name in WORDS, the minibatch that D sees, and how D and fakes stood before a step."""

    name: str
    real: Tensor | None = None  # (m, ...)
    fakes: Tensor | None = None  # (m, ...)
    D: Tensor | None = None
    x: Tensor | None = None


def minibatch(trainer: Trainer) -> tuple[Tensor, Tensor]:
    """The very data and fakes that D will see in its next turn, (m, ...) each; nothing of the trainer changes."""
    states = {kind: state.clone() for kind, state in trainer._random_states.items()}
    with devices.drawing(states, trainer.device):  # as Trainer.discriminator_step draws
        x_real, z = trainer._minibatch("data"), trainer._minibatch("latent")
    return x_real.cpu(), seen.made(trainer, z)


def standing(view: Any, trainer: Trainer) -> tuple[Tensor | None, Tensor | None]:
    """How D and some fakes stand now, in the places that a view draws."""
    if isinstance(view, Figure1):
        return seen.heights(trainer, _along(view, trainer)), seen.fakes(trainer).x
    if isinstance(view, Plane):
        now = seen.scene(trainer, view.half_width)
        return now.D, now.x_fake[:30]
    return None, None


def over(view: Any, trainer: Trainer, part: Part) -> tuple[str, str]:
    """What is drawn over a view's picture, as SVG text, and what it is in words."""
    number = f"part {1 + list(WORDS).index(part.name)} of {len(WORDS)}"
    if not isinstance(view, Figure1 | Plane):
        words = f"{number}: {WORDS[part.name]}"
        return _told(words, 10, 330), words
    times, far = 1, None
    if part.name in ("learn", "move") and (part.D is not None or part.name == "move"):
        index = 0 if part.name == "learn" else 1
        before, now = (part.D, part.x)[index], standing(view, trainer)[index]
        box = view.box(trainer)
        most = 0.3 if part.name == "learn" else 0.12 * (box.x_1 - box.x_0)
        longest = (now - before).abs().max().item()
        times = next((t for t in TIMES if t * longest <= most), 1)
        far = before + times * (now - before)
    words = f"{number}: {WORDS[part.name]}" + (f" (drawn {times} times as far)" if times > 1 else "")
    draw, place = (_on_the_hill, (20, 36)) if isinstance(view, Figure1) else (_on_the_map, (335, 120, 26))
    return _told(words, *place) + view.box(trainer).show(draw(view, trainer, part, far)), words


def _told(words: str, x: int, y: int, most: int = 200) -> str:
    lines = textwrap.wrap(words, most)
    return "".join(text(x, y + 17 * i, line, STYLE["push"]["color"], size=13) for i, line in enumerate(lines))


def _along(view: Figure1, trainer: Trainer) -> Tensor:
    box = view.box(trainer)
    return torch.linspace(box.x_0, box.x_1, 101)


def _on_the_hill(view: Figure1, trainer: Trainer, part: Part, far: Tensor | None) -> list[str]:
    box, shown = view.box(trainer), []
    if part.name in ("draw", "look"):
        shown.append(_ticks(box, part.fakes, 0.0, "fakes"))
    if part.name == "look":
        shown.append(_ticks(box, part.real, 1.0, "data"))
        shown.append(text(box.width - 8, box.y(1.0) + 20, "D should say 1", anchor="end"))
        shown.append(text(box.width - 8, box.y(0.0) - 12, "D should say 0", anchor="end"))
    if part.name == "learn" and not seen.packed(trainer):
        x, few = _along(view, trainer), slice(3, None, 6)
        shown.append(box.line(x, part.D, "D", opacity=0.35))
        shown.append(_ways(box, x[few], part.D[few], x[few], far[few], "D"))
    if part.name == "move":
        height = seen.fakes(trainer).height
        shown.append(_ways(box, part.x, height, far, height, "fakes"))
    return shown


def _on_the_map(view: Plane, trainer: Trainer, part: Part, far: Tensor | None) -> list[str]:
    box, shown = view.box(trainer), []
    if part.name in ("draw", "look"):
        shown.append(_rings(box, part.fakes, "fakes"))
    if part.name == "look":
        shown.append(_rings(box, part.real, "data"))
    if part.name == "learn" and far is not None:
        axis = seen.scene(trainer, view.half_width).axis
        lines = contour_generator(*axis.numpy(), far.nan_to_num().numpy()).lines(0.5)
        shown += [box.line(*line.T, "D", width=3.5, opacity=0.5) for line in lines]
    if part.name == "move":
        shown.append(_ways(box, *part.x.T, *far.T, "fakes"))
    return shown


def _ticks(box: Box, x: Tensor, height: float, style: str) -> str:
    places, y = box.x(x.numpy()), box.y(height)
    moves = "".join(f"M{place:.1f} {y - 5:.1f}v10" for place in places.tolist())
    return f'<path class="gl-minibatch" d="{moves}" stroke="{STYLE[style]["color"]}" stroke-width="1.2"/>'


def _rings(box: Box, points: Tensor, style: str) -> str:
    places = zip(box.x(points[:, 0].numpy()).tolist(), box.y(points[:, 1].numpy()).tolist(), strict=True)
    circles = "".join(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="5"/>' for a, b in places)
    return f'<g class="gl-minibatch" fill="none" stroke="{STYLE[style]["color"]}" stroke-width="1.4">{circles}</g>'


def _ways(box: Box, x: Tensor, y: Tensor, to_x: Tensor, to_y: Tensor, style: str) -> str:
    """From where something was to where it went, each with a dot at its end."""
    (a, c), (b, d) = ((box.x(v.numpy()) for v in (x, to_x)), (box.y(v.numpy()) for v in (y, to_y)))
    ends = list(zip(a.tolist(), b.tolist(), c.tolist(), d.tolist(), strict=True))
    moves = "".join(f"M{p:.1f} {q:.1f}L{r:.1f} {s:.1f}" for p, q, r, s in ends)
    color = STYLE[style]["color"]
    dots = "".join(f'<circle cx="{r:.1f}" cy="{s:.1f}" r="2.6" fill="{color}"/>' for _, _, r, s in ends)
    return (
        f'<path class="gl-way" d="{moves}" {stroke("fakes", width=1.6).replace(STYLE["fakes"]["color"], color)}/>{dots}'
    )
