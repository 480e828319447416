"""A round taken apart: the minibatch that is shown is the one that is played; moves are drawn true to their scale."""

import copy
import re
from xml.etree import ElementTree

import pytest
import torch
from torch.testing import assert_close

from gan_lessons import recipes, seen, views
from gan_lessons.views import parts

GAMES = {"gaussian": (recipes.gaussian, views.Figure1), "ring": (recipes.ring, views.Plane)}


@pytest.fixture(params=GAMES)
def game(request):
    recipe, view = GAMES[request.param]
    trainer = recipe(seed=1, decay=None)
    for _ in trainer.run(20):
        pass
    return trainer, view()


def numbers(text):
    return [float(one) for one in re.findall(r"-?[\d.]+", text)]


def drawn(view, trainer, part):
    svg, words = parts.over(view, trainer, part)
    return ElementTree.fromstring(f"<svg>{svg}</svg>"), words


def test_the_minibatch_shown_is_the_one_that_d_sees_next(game):
    trainer, _ = game
    before = copy.deepcopy(trainer.state_dict())
    real, fakes = parts.minibatch(trainer)
    assert_close(trainer.state_dict(), before, rtol=0, atol=0)
    seen_by_D, judge = [], trainer._judge
    vars(trainer)["_judge"] = lambda x_real, x_fake: seen_by_D.extend((x_real, x_fake)) or judge(x_real, x_fake)
    trainer.discriminator_step()
    assert torch.equal(seen_by_D[0], real) and torch.allclose(seen_by_D[1], fakes)


def test_every_part_has_its_number_and_words(game):
    trainer, view = game
    D, x = parts.standing(view, trainer)
    for i, name in enumerate(parts.WORDS, start=1):
        root, words = drawn(view, trainer, parts.Part(name, *parts.minibatch(trainer), D, x))
        assert words.startswith(f"part {i} of 5: {parts.WORDS[name]}")
        assert words.replace(" ", "") == "".join(t.text for t in root.findall("text")).replace(" ", "")


def test_ticks_stand_under_the_minibatch():
    trainer, view = recipes.gaussian(seed=1), views.Figure1()
    real, fakes = parts.minibatch(trainer)
    root, _ = drawn(view, trainer, parts.Part("look", real, fakes))
    box = view.box(trainer)
    paths = [one.get("d") for one in root.iter("path") if one.get("class") == "gl-minibatch"]
    for path, x in zip(paths, (fakes, real), strict=True):
        places = numbers(path)[::3]
        assert places == pytest.approx(box.x(x.numpy()).tolist(), abs=0.06)


def test_a_step_is_drawn_so_many_times_as_far_as_it_went(game):
    trainer, view = game
    _, x = parts.standing(view, trainer)
    trainer.generator_step()
    now = parts.standing(view, trainer)[1]
    root, words = drawn(view, trainer, parts.Part("move", x=x))
    times = int(re.search(r"drawn (\d+) times as far", words)[1])
    assert times in parts.TIMES
    (path,) = [one.get("d") for one in root.iter("path") if one.get("class") == "gl-way"]
    ends = torch.tensor(numbers(path)).reshape(-1, 2, 2)
    box = view.box(trainer)
    before, after = (v.reshape(len(v), -1)[:, 0] for v in (x, now))
    wide = (ends[:, 1, 0] - ends[:, 0, 0]) / box.width * (box.x_1 - box.x_0)
    assert torch.allclose(wide, times * (after - before), atol=0.03)


def test_d_s_move_is_drawn_as_far_as_it_went():
    trainer, view = recipes.gaussian(seed=2), views.Figure1()
    D, x = parts.standing(view, trainer)
    trainer.discriminator_step()
    now = seen.heights(trainer, torch.linspace(470, 530, 101))
    root, words = drawn(view, trainer, parts.Part("learn", D=D, x=x))
    found = re.search(r"drawn (\d+) times as far", words)
    times = int(found[1]) if found else 1
    (path,) = [one.get("d") for one in root.iter("path") if one.get("class") == "gl-way"]
    ends = torch.tensor(numbers(path)).reshape(-1, 2, 2)
    box = view.box(trainer)
    up = (ends[:, 0, 1] - ends[:, 1, 1]) / box.height * (box.y_1 - box.y_0)
    assert torch.allclose(up, times * (now - D)[3::6], atol=0.01)


def test_pictures_have_words_alone():
    trainer = recipes.mnist_small(device="cpu", batch_size=4)
    view = views.Images()
    assert parts.standing(view, trainer) == (None, None)
    svg, words = parts.over(view, trainer, parts.Part("push"))
    assert words.startswith("part 4 of 5") and svg.startswith("<text")
