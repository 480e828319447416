from functools import partial

import pytest
import torch
from torch import nn
from torch.nn.functional import pad

from gan_lessons import data, losses, recipes
from gan_lessons.augment import USUAL, WAYS, Augment, AugmentedTrainer, colour, cut, flip, rotate, shift
from gan_lessons.devices import seeded
from gan_lessons.models import DCGANDiscriminator, DCGANGenerator

N = 400


@pytest.fixture(scope="module")
def x():
    return data.faces(N, seed=5).images / 127.5 - 1


def used(way, x):
    with seeded(0):
        return way(x, torch.ones(len(x), dtype=torch.bool))


def share(matches):
    return matches.double().mean(dim=0).tolist()


def same(a, b):
    return (a == b).flatten(1).all(dim=1)


@pytest.mark.parametrize("way", WAYS)
def test_what_is_not_chosen_stays(x, way):
    chosen = torch.arange(N) % 2 == 0
    with seeded(0):
        y = WAYS[way](x, chosen)
    assert torch.equal(y[~chosen], x[~chosen])
    assert same(y, x)[chosen].double().mean() < {"flip": 0.6, "rotate": 0.35}.get(way, 0.1)


def test_flip_is_a_mirror_for_half(x):
    y, mirrored = used(flip, x), x[..., torch.arange(31, -1, -1)]
    found = torch.stack([same(y, x), same(y, mirrored)], dim=1)
    assert found.any(dim=1).all() and share(found)[1] == pytest.approx(0.5, abs=0.08)


def test_shift_takes_whole_pixels_and_repeats_the_edge(x):
    y, wide = used(shift, x), pad(x, [4] * 4, mode="replicate")
    found = torch.stack([same(y, wide[:, :, a : a + 32, b : b + 32]) for a in range(9) for b in range(9)], dim=1)
    assert found.any(dim=1).all()
    assert found.sum(dim=1).eq(1).all() and share(found.view(N, 9, 9).any(dim=2)) == pytest.approx(
        [1 / 9] * 9, abs=0.06
    )


def test_colour_moves_all_pixels_alike(x):
    y = used(colour, x)
    brighter = (y - x).mean(dim=1)  # the mean of the three colours does not know how colourful they are
    assert (brighter.amax(dim=(1, 2)) - brighter.amin(dim=(1, 2))).max() < 1e-5
    brighter = brighter.mean(dim=(1, 2))
    assert 0.45 < brighter.max() <= 0.5 and -0.5 <= brighter.min() < -0.45
    hues = [(one - one.mean(dim=1, keepdim=True)).flatten(1) for one in (x, y)]
    factor = (hues[0] * hues[1]).sum(dim=1) / hues[0].square().sum(dim=1)  # least squares
    assert torch.allclose(hues[1], factor[:, None] * hues[0], atol=1e-5)
    assert 0 <= factor.min() < 0.1 and 1.9 < factor.max() <= 2


def test_cut_hides_a_square(x):
    hidden = used(cut, torch.ones(N, 3, 32, 32)) == 0
    assert torch.equal(hidden[:, 0], hidden[:, 1]) and torch.equal(hidden[:, 0], hidden[:, 2])
    rows, columns = hidden[:, 0].any(dim=2), hidden[:, 0].any(dim=1)
    assert torch.equal(hidden[:, 0], rows[:, :, None] & columns[:, None, :])  # a box
    for inside in (rows, columns):
        edges = (inside[:, 1:] != inside[:, :-1]).sum(dim=1)
        assert edges.max() <= 2 and inside.sum(dim=1).max() == 16 and inside.sum(dim=1).min() >= 7
        assert inside[edges == 2].sum(dim=1).eq(16).all()
    assert torch.equal(used(cut, x)[~hidden], x[~hidden])


def test_rotate_turns_by_quarters_each_as_often(x):
    y = used(rotate, x)
    turned = [x, x.transpose(2, 3).flip(2), x.flip(2).flip(3), x.transpose(2, 3).flip(3)]
    found = torch.stack([same(y, one) for one in turned], dim=1)
    assert found.any(dim=1).all() and share(found) == pytest.approx([0.25] * 4, abs=0.07)


@pytest.mark.parametrize("way", WAYS)
def test_every_way_can_be_differentiated_twice(way):
    x = torch.randn(2, 3, 8, 8, dtype=torch.double, requires_grad=True)

    def fixed(x):
        with seeded(3):
            return WAYS[way](x, torch.tensor([True, True])).pow(3)

    assert torch.autograd.gradcheck(fixed, x) and torch.autograd.gradgradcheck(fixed, x)


def test_each_way_is_used_with_chance_p(x):
    for p in (0.0, 0.3, 1.0):
        with seeded(1):
            y = Augment(p, ("shift", "colour"))(x)
        assert 1 - same(y, x).double().mean() == pytest.approx(1 - (1 - p) ** 2, abs=0.07)
    assert torch.equal(Augment(1.0).eval()(x), x)
    assert Augment().ways == USUAL == ("flip", "shift", "colour", "cut")


def test_p_follows_r(x):
    augment, p, r = Augment(0.1, target=0.6, pace=50), 0.1, 0.0
    with seeded(2):
        answers = [torch.randn(64) + shift for shift in 40 * [2.0] + 40 * [0.0]]
    for out in answers:
        augment.follow(out)
        r = 0.75 * r + 0.25 * (out > 0).double().mean().mul(2).sub(1).item()
        p = min(max(p + (1 if r > 0.6 else -1) / 50, 0), 1)
        assert (augment.p.item(), augment.r.item()) == pytest.approx((p, r), abs=1e-5)
    for _ in range(200):
        augment.follow(torch.ones(4))
    assert augment.p == 1
    fixed = Augment(0.3)
    fixed.follow(torch.ones(64))
    assert fixed.p.item() == pytest.approx(0.3) and fixed.r == 0.25


def game(seed=0, **settings):
    return recipes.faces_little(seed, "cpu", n=30, batch_size=8, **settings)


def test_the_recipe_augments_unless_told_otherwise():
    trainer = game()
    assert type(trainer) is AugmentedTrainer and trainer.augment.target == 0.6 and trainer._judges_each_alone
    assert type(trainer.discriminator[1]) is DCGANDiscriminator
    assert "augment" not in dir(game(augment=False)) and len(trainer.data) == 30
    assert (trainer.r1, trainer.penalty_every, trainer.steps, trainer.lr_d, trainer.lr_g) == (5.0, 4, 1000, 2e-3, 2e-3)
    own = Augment(1.0, ("rotate",))
    assert game(augment=own).augment is own
    assert not torch.equal(game(1).data.images, trainer.data.images)
    with pytest.raises(ValueError, match=r"augment: got 0.5; it must be True, False or an augment.Augment"):
        game(augment=0.5)


def test_only_d_sees_changed_pictures():
    trainer = game(augment=Augment(1.0, ("cut",)))
    seen = []
    trainer.discriminator[1].register_forward_pre_hook(lambda net, given: seen.append(given[0].detach()))
    trainer.step()
    greys = [(x == 0).all(dim=1).flatten(1).sum(dim=1) for x in seen]
    assert len(seen) == 3 and all(one.min() >= 49 for one in greys)  # real and fake in D's turn, which has R1, and G's
    assert (trainer.sample(8) == 0).all(dim=1).sum() == 0


def test_r1_is_the_slope_at_the_pixels_before(x):
    trainer = game(augment=Augment(1.0, ("colour",)), r1=5.0, penalty_every=1)
    D, real, fake = trainer.discriminator, x[:4], x[4:8]
    with seeded(0):
        out, _, penalty = trainer._judge(real, fake)
    with seeded(0):
        chance = 2 * torch.rand(2, 4, 1, 1, 1) - 1 if torch.rand(4) is not None else None
    grey = real.mean(dim=1, keepdim=True)
    seen = (grey + (real - grey) * (1 + chance[0]) + chance[1] / 2).requires_grad_()
    (slope,) = torch.autograd.grad(D[1](seen).sum(), seen)
    mean = slope.mean(dim=1, keepdim=True)
    before = mean + (slope - mean) * (1 + chance[0])  # the transpose of a symmetric matrix
    assert torch.allclose(out, D[1](seen)) and penalty.item() == pytest.approx(
        5 * before.square().sum().item() / 8, rel=1e-4
    )


def test_p_is_saved_and_goes_on_alike(tmp_path):
    one, other = (game(seed, augment=Augment(target=-1.0), data=data.faces(30)) for seed in (0, 5))
    for _ in one.run(12):
        pass
    assert one.augment.p > 0
    one.save(tmp_path / "a.pt")
    other.load(tmp_path / "a.pt")
    assert torch.equal(one.augment.p, other.augment.p) and torch.equal(one.augment.r, other.augment.r)
    for trainer in (one, other):
        trainer.step()
    weights = (list(trainer.discriminator.parameters()) for trainer in (one, other))
    assert all(map(torch.equal, *weights))


def test_what_does_not_fit_is_refused():
    for settings, words in (
        ({"p": 1.5}, r"p: got 1.5; it must be a finite number >= 0 and <= 1"),
        ({"ways": "flip"}, r"ways: got 'flip'; it must be a row of words from 'flip', 'shift'"),
        ({"ways": ["twist"]}, r"ways: got 'twist'; allowed are 'flip', 'shift', 'colour', 'cut', 'rotate'"),
        ({"target": 2}, r"target: got 2; it must be a finite number >= -1 and <= 1"),
        ({"pace": 0}, r"pace: got 0; it must be a whole number >= 1"),
    ):
        with pytest.raises(ValueError, match=words):
            Augment(**settings)
    with pytest.raises(ValueError, match=r"x: got shape \(5, 784\); pictures are \(n, colours, height, width\)"):
        Augment()(torch.zeros(5, 784))
    make = partial(
        AugmentedTrainer, DCGANGenerator(4, 8, 3), latent=data.standard_normal(4), lr_d=0.1, lr_g=0.1, batch_size=2
    )
    with pytest.raises(ValueError, match=r"discriminator: got DCGANDiscriminator; it must be nn.Sequential\(Augment"):
        make(DCGANDiscriminator(3, 8), data.faces(5), device="cpu")
    D = nn.Sequential(Augment(), DCGANDiscriminator(3, 8))
    with pytest.raises(ValueError, match=r"order: an augmented D takes order='alternating'"):
        make(D, data.faces(5), device="cpu", order="simultaneous")
    assert make(D, data.faces(5), device="cpu", loss=losses.minimax).augment is D[0]
