"""Makes a small still of each lesson of what its notebook shows: `python tests/make/gallery.py`, when outputs are new.

It writes notebooks/images/gallery/NN.png, at most 25 kB each, for the README's table. Which output, and which part of
it, stands in STILLS; of a lesson that is not there, its first picture is taken whole. Of a film it is the last frame.
"""

import base64
import io
import json
from pathlib import Path
from typing import NamedTuple

import PIL.Image
import PIL.ImageOps

from gan_lessons.checkpoints import put

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
GALLERY = NOTEBOOKS / "images" / "gallery"
SIZE, MOST = (360, 240), 25_000  # pixels: all alike, so that a table shows them in even columns; bytes


class Still(NamedTuple):
    """The first output whose alt text has these words, and its part: left, top, right, bottom, of 1."""

    words: str = ""
    part: tuple[float, float, float, float] = (0, 0, 1, 1)


STILLS = {
    "00": Still("Four moments of one game", (0.5, 0, 1, 1)),
    "01": Still("A curve G; to its right many x lie where it is flat"),
    "02": Still("nine fakes stand on its slope, each with an arrow"),
    "03": Still("Over the logit", (0.52, 0, 1, 1)),
    "04": Still("Four states", (0, 0, 0.5, 0.5)),
    "05": Still("1: fakes far off, D* a cliff", (0.725, 0, 1, 1)),
    "06": Still("Left: a spiral outwards", (0, 0, 0.5, 1)),
    "07": Still("nearly all fakes in one clump, which goes round", (0.256, 0, 0.724, 0.55)),
    "08": Still("A film: forty patches of grey become strokes"),
    "09": Still("Rows of 14 images each: real: 244 nats", (0, 0, 0.35, 1)),
    "10": Still("A page of digits that change little by little", (0, 0, 0.56, 0.62)),
    "11": Still("Ten faces lose and get glasses", (0, 0.09, 0.48, 0.62)),
    "12": Still("Above, D by x: a straight line without a sigmoid"),
    "13": Still("Rows of ten digits, 0 to 9"),
    "14": Still("Four rows: a real face, seven on the way"),
    "15": Still("Three times six fakes, and under each the training face", (0, 0, 0.335, 1)),
}


def pictures(path: Path) -> list[tuple[str, PIL.Image.Image]]:
    """All that a notebook shows: alt text and picture."""
    cells = json.loads(path.read_text())["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", []) if "image/png" in output.get("data", {})]
    pngs = [base64.b64decode("".join(output["data"]["image/png"])) for output in outputs]
    alts = [output["metadata"].get("image/png", {}).get("alt", "") for output in outputs]
    return [(alt, PIL.Image.open(io.BytesIO(png))) for alt, png in zip(alts, pngs, strict=True)]


def still(path: Path) -> PIL.Image.Image:
    """The chosen part of the chosen output, as large as it fits into SIZE, in the middle of a white sheet."""
    words, part = STILLS.get(path.name[:2], Still())
    found = [picture for alt, picture in pictures(path) if words in alt]
    if not found:
        raise SystemExit(f"{path.name}: no output has the alt text {words!r} any more; choose another one in STILLS")
    picture = found[0]
    picture.seek(getattr(picture, "n_frames", 1) - 1)
    whole = PIL.Image.new("RGB", picture.size, "white")
    shown = picture.convert("RGBA")
    whole.paste(shown, mask=shown)
    left, top, right, bottom = (round(x * side) for x, side in zip(part, 2 * whole.size, strict=True))
    cut = whole.crop((left, top, right, bottom))
    return PIL.ImageOps.pad(cut, SIZE, PIL.Image.Resampling.LANCZOS, color="white")


def small(picture: PIL.Image.Image) -> bytes:
    """A PNG with as many colours as fit."""
    for colours in (256, 128, 64, 32, 16):
        file = io.BytesIO()
        picture.quantize(colours, PIL.Image.Quantize.MAXCOVERAGE).save(file, "PNG", optimize=True)
        if len(file.getvalue()) <= MOST:
            return file.getvalue()
    raise ValueError(f"a still of {picture.size} takes {len(file.getvalue())} bytes in 16 colours, over {MOST}")


if __name__ == "__main__":
    GALLERY.mkdir(parents=True, exist_ok=True)
    for path in sorted(NOTEBOOKS.glob("[0-9]*.ipynb")):
        png = small(still(path))
        put(GALLERY / f"{path.name[:2]}.png", png)
        print(f"{path.name[:2]}.png: {len(png) / 1e3:.1f} kB")
