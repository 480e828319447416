"""The small stills are of today's outputs, and small."""

import gallery
import numpy as np
import PIL.Image
import pytest

LESSONS = sorted(gallery.NOTEBOOKS.glob("[0-9]*.ipynb"))


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_still_is_what_the_lesson_shows(path):
    file = gallery.GALLERY / f"{path.name[:2]}.png"
    assert file.exists() and file.stat().st_size <= gallery.MOST, "python tests/make/gallery.py makes it"
    kept, today = PIL.Image.open(file).convert("RGB"), gallery.still(path)
    assert kept.size == today.size
    difference = np.abs(np.asarray(kept, float) - np.asarray(today, float)).mean()
    assert difference < 8, "python tests/make/gallery.py makes it anew"  # few colours alone: at most 7


def test_no_other_file_is_kept():
    assert sorted(path.stem for path in gallery.GALLERY.iterdir()) == [path.name[:2] for path in LESSONS]
    assert set(gallery.STILLS) <= {path.name[:2] for path in LESSONS}


def test_as_many_colours_as_fit():
    noise = PIL.Image.fromarray(np.random.default_rng(0).integers(0, 256, (100, 360, 3), dtype=np.uint8))
    smooth = PIL.Image.linear_gradient("L").convert("RGB")
    assert len(gallery.small(smooth)) < len(gallery.small(noise)) <= gallery.MOST
    with pytest.raises(ValueError, match=r"a still of \(720, 360\) takes"):
        gallery.small(PIL.Image.fromarray(np.tile(np.asarray(noise), (4, 2, 1))[:360]).resize((720, 360)))
