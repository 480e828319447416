"""Drawn faces: the same from the same seed, each attribute where it belongs, shares as they were asked for."""

import itertools
import math
import time

import pytest
import torch
from scipy import stats

from gan_lessons import data, faces

KINDS = list(itertools.product((0, 1), repeat=4))
AT = (torch.arange(32) + 0.5) / 16 - 1  # where pixels are, in halves of the picture's width
PIXEL = 1 / 16


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def drawn(kinds, seed=0):
    return faces.draw(torch.as_tensor(kinds), rng(seed))


def numbers(n, seed=0):
    """What `draw` draws for n faces, by name: (n, 1, 1) each."""
    share = torch.rand(n, len(faces.RANGES), generator=rng(seed))
    low, high = torch.tensor(list(faces.RANGES.values())).T
    values = low * (1 - share) + high * share
    return {name: values[:, i, None, None] for i, name in enumerate(faces.RANGES)}


def places(p):
    """x and y of each pixel from the middle of each face, (n, 1, 32) and (n, 32, 1)."""
    return AT - p["x"], AT[:, None] - p["y"]


# -- one face ----------------------------------------------------------------------------------------------------------


def test_pictures_in_colour():
    images = drawn(KINDS * 20)
    assert images.shape == (320, 3, 32, 32) and images.dtype == torch.float32
    assert images.min() >= 0 and images.max() <= 1
    assert images.std(dim=0).mean() > 0.1  # no two alike
    assert not torch.equal(images[:16], images[16:32])


def changed(attribute, n=200, seed=3):
    """How much each pixel of n faces moves when one attribute is added, (n, 32, 32), the others being anything."""
    without = torch.randint(2, (n, 4), generator=rng(seed))
    without[:, attribute] = 0
    added = without.clone()
    added[:, attribute] = 1
    return (drawn(added, seed) - drawn(without, seed)).abs().amax(dim=1), without, numbers(n, seed)


def test_glasses_change_what_is_around_the_eyes():
    change, _, p = changed(1)
    x, y = places(p)
    near = (y.abs() < 0.18 + PIXEL) & (x.abs() < p["width"] + PIXEL)
    assert (change[~near] == 0).all()
    rims = ((x.abs() - p["eyes"]) ** 2 / 0.17**2 + y**2 / 0.155**2).sqrt() - 1
    assert change[(rims.abs() < 0.02) & near].quantile(0.05) > 0.25  # a ring around each eye, less seen on dark brows
    assert change[(x.abs() - p["eyes"]).abs().lt(0.05) & (y.abs() < 0.05)].max() == 0  # the eyes stay as they were


def test_a_smile_changes_the_mouth():
    change, _, p = changed(2)
    x, y = places(p)
    mouth = ((y - 0.52 * p["height"]).abs() < 0.2 + PIXEL) & (x.abs() < 0.43)
    assert (change[~mouth] == 0).all()
    assert (change.amax(dim=(1, 2)) > 0.15).all()
    assert ((change > 0.1).sum(dim=(1, 2)) >= 8).all()  # large enough to be seen


def test_dark_hair_changes_hair_and_brows():
    change, without, p = changed(3)
    x, y = places(p)
    inside = (x / p["width"]) ** 2 + (y / p["height"]) ** 2 < 0.8
    brows = (y + p["brows"]).abs() < 0.02 + PIXEL
    fringe = y < -p["fringe"] * p["height"] + 0.3 * p["width"] ** 2 + 2 * PIXEL
    assert (change[inside & ~brows & ~fringe] == 0).all()  # skin, eyes, nose and mouth
    assert (change[((y > 0.75) & (x.abs() < 0.3)).expand_as(change)] == 0).all()  # clothes
    low = (y > 0.2).expand_as(change)[without[:, 0] == 0]
    assert (change[without[:, 0] == 0][low] == 0).all()  # short hair ends above
    top = (y < -0.9 * p["height"]) & (y > -p["height"]) & (x.abs() < 0.1)
    assert change[top.expand_as(change)].min() > 0.4  # yellow against nearly black


def test_long_hair_falls_beside_the_face():
    change, _, p = changed(0)
    x, y = places(p)
    face = ((x / p["width"]) ** 2 + (y / p["height"]) ** 2).sqrt() < 1 - PIXEL / p["width"]
    assert (change[face.expand_as(change)] == 0).all()
    assert (change[(y > 0.72 + PIXEL).expand_as(change)] == 0).all()
    beside = (x.abs() > p["width"] + 0.11) & (x.abs() < p["width"] + 0.17) & (y > 0.2) & (y < 0.6)
    assert change[beside.expand_as(change)].amin() >= 0 and change[beside.expand_as(change)].mean() > 0.3


def test_the_middle_of_a_face_is_drawn_in_the_colours_of_its_skin():
    p = numbers(100)
    x, y = places(p)
    skin = torch.stack([0.99 - 0.44 * p["skin"], 0.85 - 0.47 * p["skin"], 0.74 - 0.48 * p["skin"]], dim=1)
    cheek = (x.abs() < 0.05) & (y > 0.02) & (y < 0.06)  # between the eyes and the nose
    images = drawn([[0, 0, 0, 0]] * 100)
    distance = (images - skin).abs().amax(dim=1)[cheek.expand(100, 32, 32)]
    assert len(distance) > 50 and distance.max() < 1e-5


@pytest.mark.parametrize(("a", "b"), [(0.5, 0.5), (0.4, 0.7), (0.8, 0.3)])
def test_shapes_have_the_area_of_their_formula(a, b):
    x, y = AT[None] - 0.02, AT[:, None] + 0.03
    ellipse, box = faces._inside(faces._ellipse(x, y, a, b)), faces._inside(faces._box(x, y, a, b))
    assert (ellipse.sum() * PIXEL**2).item() == pytest.approx(math.pi * a * b, rel=0.03)
    assert (box.sum() * PIXEL**2).item() == pytest.approx(4 * a * b, rel=0.03)


def test_a_colour_is_laid_over_a_share_of_each_pixel():
    image = torch.rand(5, 3, 32, 32)
    before, share, colour = image.clone(), torch.rand(5, 32, 32), torch.rand(5, 3, 1, 1)
    faces._over(image, colour, share)
    expected = before * (1 - share[:, None]) + colour * share[:, None]
    assert torch.allclose(image, expected, atol=1e-6)


# -- a set of them -----------------------------------------------------------------------------------------------------

HALF = {(0, 1, 0, 1): 1, (1, 0, 1, 0): 3}


@pytest.mark.parametrize("shares", [data.SHARES, HALF])
def test_the_same_seed_draws_the_same_bytes(shares):
    one = data.faces(600, seed=5, shares=shares)
    data._faces.cache_clear()
    before = torch.get_rng_state()
    again, other = data.faces(600, seed=5, shares=shares), data.faces(600, seed=6, shares=shares)
    assert torch.equal(torch.get_rng_state(), before)
    assert again is not one and torch.equal(again.images, one.images) and torch.equal(again.labels, one.labels)
    assert not torch.equal(other.images, one.images)
    assert data.faces(600, seed=5, shares=shares) is again  # kept


def test_two_threads_draw_the_same():
    alone = drawn(KINDS * 6)
    try:
        torch.set_num_threads(2)
        assert torch.equal(drawn(KINDS * 6), alone)
    finally:
        torch.set_num_threads(1)


def test_parts_do_not_matter():
    some = data.faces(1300, seed=8)
    again = rng(8)
    torch.rand(1300, 4, generator=again)  # the attributes
    whole = (255 * faces.draw(some.labels, again)).round()  # at once, where `data.faces` draws 500 at a time
    assert torch.equal(whole.to(torch.uint8), some.images)


def test_what_it_is_made_of():
    some = data.faces(700, seed=1)
    assert isinstance(some, data.Images) and len(some) == 700
    assert some.images.shape == (700, 3, 32, 32) and some.images.dtype == torch.uint8
    assert some.labels.shape == (700, 4) and some.labels.dtype == torch.int64
    assert some.labels.unique().tolist() == [0, 1]
    x = some.sample((9,))
    assert x.shape == (9, 3, 32, 32) and -1 <= x.min() < -0.5 and 0.5 < x.max() <= 1
    assert data.faces.__defaults__ == (20_000, 0, data.SHARES) == (20_000, 0, (0.5, 0.3, 0.5, 0.5))
    assert data.ATTRIBUTES == ("long hair", "glasses", "smile", "dark hair")


@pytest.mark.parametrize("shares", [data.SHARES, (0.05, 0.5, 0.9, 0.2)])
def test_shares_are_met_within_what_chance_allows(shares):
    """Ten sets of 2,000: each share's distance in its standard errors, together against chi-square."""
    p, n = torch.tensor(shares, dtype=torch.double), 2000
    labels = [data.faces(n, seed=seed, shares=shares).labels.double() for seed in range(100, 110)]
    z = torch.stack([(each.mean(dim=0) - p) / (p * (1 - p) / n).sqrt() for each in labels])  # (10, 4)
    assert 0.001 < stats.chi2(40).sf(z.square().sum().item()) < 0.999
    between = torch.corrcoef(torch.cat(labels).T) - torch.eye(4)
    assert between.abs().max() < 4 / math.sqrt(10 * n)  # each independent of the others


def test_shares_of_none_and_all():
    assert data.faces(300, shares=(0, 1, 0, 1)).labels.unique(dim=0).tolist() == [[0, 1, 0, 1]]


def test_whole_kinds():
    labels = data.faces(4000, seed=2, shares=HALF).labels
    kinds, counts = labels.unique(dim=0, return_counts=True)
    assert kinds.tolist() == [[0, 1, 0, 1], [1, 0, 1, 0]]
    assert abs(counts[1] / 4000 - 0.75) < 4 * math.sqrt(0.75 * 0.25 / 4000)
    quarters = {kind: weight / 4 for kind, weight in HALF.items()}  # weights, whatever their sum
    assert torch.equal(data.faces(50, shares=quarters).labels, data.faces(50, shares=HALF).labels)
    all_kinds = data.faces(4000, seed=2, shares=dict.fromkeys(KINDS, 1)).labels
    assert len(all_kinds.unique(dim=0)) == 16


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, r"n: got 0; it must be a whole number from 1 to 1000000"),
        ({"n": 2.5}, r"n: got 2\.5; it must be a whole number"),
        ({"n": 10**7}, r"n: got 10000000; it must be a whole number from 1 to 1000000"),
        ({"seed": -1}, r"seed: got -1; it must be a whole number >= 0"),
        ({"seed": "x"}, r"seed: got 'x'"),
        ({"shares": 0.5}, r"shares: got 0\.5; it must be a row of 4 numbers"),
        ({"shares": (0.5, 0.5)}, r"shares: got \(0\.5, 0\.5\); it must be a row of 4 numbers"),
        ({"shares": (0.5, 0.5, 0.5, 1.1)}, r"shares: got 1\.1; it must be a finite number >= 0 and <= 1"),
        ({"shares": (0.5, math.nan, 0.5, 0.5)}, r"shares: got nan"),
        ({"shares": {}}, r"shares: got no kind; a kind is four of 0 and 1, for long hair, glasses, smile, dark hair"),
        ({"shares": {(0, 1, 2, 0): 1}}, r"shares: got \(0, 1, 2, 0\); a kind is four of 0 and 1"),
        ({"shares": {(0, 1, 1): 1}}, r"shares: got \(0, 1, 1\); a kind is four"),
        ({"shares": {"glasses": 1}}, r"shares: got 'glasses'; a kind is four"),
        ({"shares": {(0, 0, 0, 0): -1}}, r"shares: got -1; it must be a finite number >= 0"),
        ({"shares": {(0, 0, 0, 0): "x"}}, r"shares: got 'x'; it must be a finite number"),
        ({"shares": {(0, 0, 0, 0): 0}}, r"shares: got \{\(0, 0, 0, 0\): 0\}; they must not all be 0"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        data.faces(**arguments)


def test_20000_are_drawn_in_under_10_seconds():
    data._faces.cache_clear()
    start = time.process_time()
    assert len(data.faces()) == 20_000
    assert time.process_time() - start < 10  # of one core; about 3 where nothing else runs
