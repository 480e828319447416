"""Behind lesson 00, the playground: its still twin, and the checks of its ten challenges, which read the panel."""

import math
from itertools import pairwise
from typing import Any

import matplotlib.pyplot as plt
import torch
from tqdm.auto import tqdm

from gan_lessons import pretrained, recipes, seen
from gan_lessons.lessons.checking import UNANSWERED, Mistake, check, named, show
from gan_lessons.live import Playground
from gan_lessons.live.kinds import KINDS
from gan_lessons.style import STYLE

LIMIT, RECORD = 2000, 100  # rounds of the first challenge, and of the last
SECONDS = 90  # of play, for digits
LEGIBLE = 0.7  # of fakes of which the classifier is more than 90% sure
WRITTEN = 0.75  # of fakes on the word, and of the word that fakes reach


# -- the picture -------------------------------------------------------------------------------------------------------


def story(text: str = "Hi", rounds: tuple[int, ...] = (0, 100, 400, 1200)) -> None:
    """The panel's game for a word as four still pictures: a cloud of fakes becomes the letters."""
    gan = recipes.plane(**KINDS["word"].settings(text))
    figure, axes = plt.subplots(1, len(rounds), figsize=(12, 3.3), sharex=True, sharey=True)
    bar = tqdm(total=rounds[-1], desc="a word", leave=False)
    for ax, until in zip(axes, rounds, strict=True):
        for _ in gan.run(until - gan.steps_done):
            bar.update()
        now = seen.scene(gan, points=600)
        ax.plot(*now.x_real.T, ".", color=STYLE["data"]["color"], markersize=3)
        ax.plot(*now.x_fake.T, ".", color=STYLE["fakes"]["color"], markersize=3)
        ax.set(title=f"round {until}", xticks=[], yticks=[], xlim=(-2.6, 2.6), ylim=(-2.6, 2.6), aspect="equal")
    bar.close()
    show(figure, f"Four moments of one game: a small green cloud of fakes grows into the black letters {text}.")


# -- the challenges ----------------------------------------------------------------------------------------------------


def _played(answer: Any, *kinds: str) -> Playground:
    """The panel, once something was played on it with one of these kinds of data."""
    if not isinstance(answer, Playground):
        raise Mistake(f"hand over the panel itself, as in check_find(panel); got {named(answer)}.")
    if len(answer.notes) < 2 and not answer.trainer.steps_done and not answer.changes:
        raise Mistake(UNANSWERED)
    if kinds and answer.kind not in kinds:
        wanted, shown = " or ".join(map(_words, kinds)), _words(answer.kind)
        raise Mistake(f"choose the data {wanted}; the panel shows {shown}.")
    return answer


def _words(kind: str) -> str:
    """The words of a kind of data, for any console."""
    return f"'{KINDS[kind].words}'".replace("\N{SUPERSCRIPT TWO}", "^2")


def _rounds(panel: Playground) -> int:
    return panel.trainer.steps_done


def _near(note: dict[str, float], much: float = 1) -> bool:
    return abs(note["mean"] - 500) < much and abs(note["sd"] - 5) < much


def _where(note: dict[str, float]) -> str:
    return f"the fakes have mean {note['mean']:.1f} and spread {note['sd']:.1f}"


def _from_far(panel: Playground) -> None:
    """A game that began at the answer is none."""
    start = panel.notes[0]
    if abs(start["mean"] - 500) < 3 and abs(start["sd"] - 5) < 3:
        raise Mistake(f"this game began at its end: {_where(start)}. Press Reset after choosing another start.")


@check
def check_find(panel: Any) -> str | None:
    """N(500, 5^2) is found, within 1 of both, and not too late."""
    panel = _played(panel, "gaussian")
    _from_far(panel)
    now, rounds = panel.now, _rounds(panel)
    if rounds > LIMIT:
        return f"round {rounds} is after round {LIMIT}. Reset, or go back to an earlier round."
    if not _near(now):
        return f"at round {rounds} {_where(now)}; within 1 of 500 and within 1 of 5 is wanted."
    return f"Right. At round {rounds} {_where(now)}."


@check
def check_same(panel: Any) -> str | None:
    """All fakes are next to one another."""
    panel = _played(panel, *(kind for kind, one in KINDS.items() if one.family != "pictures"))
    fakes, real = seen.made(panel.trainer, seen.noise(panel.trainer, 500)), panel.trainer.data.sample((500,))
    share = (fakes.var(dim=0).sum() / real.var(dim=0).sum()).sqrt().item()
    if _rounds(panel) < 50:
        return f"only {_rounds(panel)} rounds were played; 50 are wanted, so that it is the game that does it."
    if panel.trainer.k == 0 and "k" not in panel.changes:
        return "D never had a turn, and its first hill knows nothing of the data. Let it learn first, then stop it."
    if not share < 0.03:
        return f"the fakes spread {share:.1%} as far as the data; less than 3% is wanted."
    return f"Right. After {_rounds(panel)} rounds the fakes spread {share:.1%} as far as the data."


@check
def check_win(panel: Any) -> str | None:
    """D is sure of everything, and G stands still, far away."""
    panel = _played(panel, "gaussian")
    now, trainer = panel.now, panel.trainer
    lately = [note["mean"] for note in panel.track if note["step"] >= _rounds(panel) - 100]
    if trainer.loss.probability is None:
        return f"under the loss {trainer.loss.name} D gives no probability, so it cannot be sure; take another."
    if "D(x)" not in now or not (now["D(x)"] > 0.95 and now["D(G(z))"] < 0.05):
        told = f"data {now['D(x)']:.2f} and fakes {now['D(G(z))']:.2f}" if "D(x)" in now else "nothing yet"
        return f"D gives {told}; more than 0.95 and less than 0.05 is wanted."
    if trainer.lr_g < 0.01:
        return f"lr_g is {trainer.lr_g:g}, so G can hardly walk; D is to win against 0.01 or more."
    if abs(now["mean"] - 500) < 5:
        return f"{_where(now)}: G is there already; D is to win while G is 5 or more away."
    if _rounds(panel) < 150:
        return "D is sure; see at round 150 whether G stands still."
    if not (moved := max(lately) - min(lately)) < 0.3:
        return f"D is sure, but in the last 100 rounds the fakes' mean moved by {moved:.2f}; less than 0.3 is wanted."
    push = seen.fakes(trainer).push.abs().mean().item()
    return f"Right. In 100 rounds the mean moved by {moved:.2f}, with D so sure that the mean push is {push:.4f}."


@check
def check_circle(panel: Any) -> str | None:
    """The mean of the fakes passes 500 again and again, by 2 at least on each side."""
    panel = _played(panel, "gaussian")
    places = [note["mean"] - 500 for note in panel.track if note["step"] >= _rounds(panel) - 500]
    sides = [math.copysign(1, place) for place in places if abs(place) > 2]
    turns = sum(a != b for a, b in pairwise(sides))
    if _rounds(panel) < 200:
        return f"only {_rounds(panel)} rounds were played; play 200 or more."
    if turns < 4:
        return (
            f"in the last 500 rounds the mean went from 2 below 500 to 2 above, or back, {turns} times; 4 are wanted."
        )
    return f"Right. In the last 500 rounds the mean passed the data {turns} times."


def _all_eight(panel: Playground, by: int) -> str:
    found = panel.now["modes found"]
    if _rounds(panel) > by:  # the recipe itself finds them all, thousands of rounds later
        late = f"round {_rounds(panel)} is after round {by}, with {found:.0f} of 8 modes."
        raise Mistake(f"{late} Reset, or go back to an earlier round.")
    if found < 8:
        raise Mistake(f"{found:.0f} of 8 modes have 1% of the fakes or more now, at round {_rounds(panel)}.")
    since = max((note["step"] for note in panel.track if note["modes found"] < 8), default=0)
    if _rounds(panel) < since + 100:
        raise Mistake(f"all 8 modes at round {_rounds(panel)}, but not so at {since}; 100 rounds are wanted: play on.")
    return f"Right. All 8 modes at round {_rounds(panel)}, with k = {panel.trainer.k}"


@check
def check_all_eight(panel: Any) -> str | None:
    """All 8 modes of the ring, soon."""
    return f"{_all_eight(_played(panel, 'ring'), 1500)}."


@check
def check_all_eight_with_one_turn(panel: Any) -> str | None:
    """All 8 modes, while k has been 1 all along."""
    panel = _played(panel, "ring")
    if panel.trainer.k != 1 or "k" in panel.changes:
        return f"k is {panel.trainer.k}" + (
            ", and was moved in this game." if "k" in panel.changes else "; 1 is wanted."
        )
    return f"{_all_eight(panel, 2500)} all along."


@check
def check_rewind(panel: Any) -> str | None:
    """A game that was good, was broken later, and was taken back."""
    panel = _played(panel, "gaussian", "ring")
    now, ahead = panel.now, [note for note in panel.notes if note["step"] > _rounds(panel)]

    def good(note: dict[str, float]) -> bool:
        return _near(note, 2) if "mean" in note else note["modes found"] == 8

    def broken(note: dict[str, float]) -> bool:
        if "mean" in note:
            return not (abs(note["mean"] - 500) < 5 and 2 < note["sd"] < 10)
        return note["modes found"] <= 4

    what = _where(now) if "mean" in now else f"{now['modes found']:.0f} of 8 modes are found"
    if not ahead and not broken(now):
        return f"at round {_rounds(panel)} {what}: not broken. Break a good game, then drag 'back to round'."
    if not any(map(good, panel.notes)):
        return f"up to round {_rounds(panel)} this game has not been good yet: first make a good one, then break it."
    if not ahead:
        return f"it is broken, at round {_rounds(panel)}. Now drag 'back to round' to where it was good."
    if not any(map(broken, ahead)):
        broke = "mean 5 away, spread below 2 or above 10, or half the modes lost"
        return f"you went back, but what lies ahead is not broken: {broke}."
    if not good(now):
        return f"you went back to round {_rounds(panel)}, but there {what}: that is not yet, or no more, good."
    return f"Right. Back at round {_rounds(panel)}, before it broke. Press play, and it goes on from here."


@check
def check_initials(panel: Any) -> str | None:
    """G writes two or three letters that the learner has typed."""
    panel = _played(panel, "word")
    text = panel.text.strip()
    if not 2 <= len(text) <= 3 or text == "Hi":
        return f"the word is '{text}'; type your initials, 2 or 3 letters."
    on, reached = panel.now["fakes on the data"], panel.now["data reached"]
    if min(on, reached) < WRITTEN:
        told = f"{on:.1%} of the fakes lie on the letters, and {reached:.1%} of the letters are reached"
        return f"{told}, at round {_rounds(panel)}; {WRITTEN:.0%} of both is wanted."
    return f"Right. {text}, with {on:.0%} of the fakes on the letters, and {reached:.0%} of the letters reached."


@check
def check_digits(panel: Any) -> str | None:
    """Digits that a classifier reads, of every kind, after so many seconds of play."""
    panel = _played(panel, "digits")
    fakes = panel.trainer.sample(1000, average=True).cpu()
    with torch.no_grad():
        sure, digit = pretrained.classifier()(fakes).softmax(dim=1).max(dim=1)
    share, rarest = (sure > 0.9).double().mean().item(), digit.bincount(minlength=10).min().item() / len(digit)
    told = f"after {panel.seconds:.0f} s of play the classifier is sure of {share:.1%} of the averaged G's digits"
    if panel.seconds > SECONDS:
        return f"{told}; {panel.seconds:.0f} s are more than {SECONDS}. Press Reset: the seconds begin anew."
    if share < LEGIBLE:
        return f"{told}; {LEGIBLE:.0%} is wanted."
    if rarest < 0.02:
        return f"{told}, but a digit is missing: the rarest makes {rarest:.1%} of all, and 2% is wanted."
    return f"Right. {told[0].upper()}{told[1:]}, and it draws all ten."


@check
def check_fewest(panel: Any) -> str | None:
    """N(500, 5^2) found early, and kept for a hundred rounds."""
    panel = _played(panel, "gaussian")
    _from_far(panel)
    far = [note["step"] for note in panel.track if not _near(note)]
    found = next((note["step"] for note in panel.track if note["step"] > far[-1]), None)
    if found is None:
        return f"at round {_rounds(panel)} {_where(panel.now)}; within 1 of 500 and within 1 of 5 is wanted."
    if found > RECORD:
        return f"found at round {found} for good; round {RECORD} or earlier is wanted. Move a knob and press Reset."
    if _rounds(panel) < found + 100:
        return f"found at round {found}, and kept for {_rounds(panel) - found} rounds; 100 are wanted: play on."
    return f"Right. Found at round {found}, and kept since. Can you do with fewer?"
