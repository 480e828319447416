import pytest
import torch
from torch import nn

from gan_lessons import data, losses, pretrained, recipes
from gan_lessons.conditional import (
    TOLD,
    Asked,
    ConditionalDiscriminator,
    ConditionalGenerator,
    Pairs,
    apart,
    draw,
    hits,
)
from gan_lessons.devices import seeded


@pytest.fixture(scope="module")
def people():
    """Faces that are drawn at once."""
    return data.faces(400, seed=1)


def the_label(length):
    """A net that gives back the last numbers of its row, so that what it is told can be seen."""
    return nn.Sequential(nn.Identity(), Last(length))


class Last(nn.Module):
    def __init__(self, length):
        super().__init__()
        self.length, self.weight = length, nn.Parameter(torch.ones(1))

    def forward(self, row):
        return self.weight * row[:, -self.length :]


# -- pairs -------------------------------------------------------------------------------------------------------------


def test_a_pair_is_a_picture_and_its_own_label():
    digits = data.mnist("test")
    pairs = Pairs(digits)
    with seeded(3):
        x, y = apart(pairs.sample((50,)), 10)
    with seeded(3):
        assert torch.equal(x, digits.sample((50,)))  # drawn as Images draws
    with seeded(3):
        index = torch.randint(len(digits), (50,))
    assert torch.equal(y.argmax(dim=1), digits.labels[index]) and torch.equal(y.sum(dim=1), torch.ones(50))


def test_pairs_of_faces_can_be_read(people):
    x, y = apart(Pairs(people).sample((100,)), 4)
    assert hits(pretrained.reader()(x.view(-1, 3, 32, 32)), y).double().mean() > 0.99


def test_pairs_go_to_a_device_and_have_a_length(people):
    pairs = Pairs(people)
    assert len(pairs) == 400 and pairs.to("cpu").y.shape == (400, 4)
    assert pairs.to("meta").pictures.images.device.type == pairs.to("meta").y.device.type == "meta"
    assert pairs.y.device.type == "cpu"


def test_labels_are_asked_for_as_often_as_the_data_have_them(people):
    some = people[~people.labels[:, :2].all(dim=1)]
    asked = Pairs(some).asked(32)
    with seeded(0):
        z, y = apart(asked.sample((40_000,)), 4)
    for kind in asked.labels:
        share = (some.labels == kind).all(dim=1).double().mean()
        assert (y == kind).all(dim=1).double().mean().item() == pytest.approx(share.item(), abs=0.01)
    assert not y[:, :2].all(dim=1).any() and len(asked.labels) == 12  # nobody has long hair and glasses
    assert z.mean().item() == pytest.approx(0, abs=0.01) and z.std().item() == pytest.approx(1, abs=0.01)


def test_a_digit_that_is_left_out_keeps_its_place():
    digits = data.mnist("test")
    assert Pairs(digits[digits.labels < 9], kinds=10).y.shape[1] == 10
    assert Pairs(digits[digits.labels < 9]).y.shape[1] == 9


def test_what_is_no_source_of_pairs_is_refused(people):
    for pictures, words in (
        (data.Images(people.images), "pictures: got"),
        (people.images, "pictures: got a Tensor"),
        (data.Images(people.images, people.labels[:, 0] - 1), "pictures: got labels that are no numbers"),
    ):
        with pytest.raises(ValueError, match=words):
            Pairs(pictures)
    with pytest.raises(ValueError, match="kinds: got 16; these labels are rows of 4"):
        Pairs(people, kinds=16)
    with pytest.raises(ValueError, match="kinds: got 9; it must be a whole number >= 10"):
        Pairs(data.mnist("test"), kinds=9)


def test_what_cannot_be_asked_for_is_refused():
    eye = torch.eye(3)
    for given, words in (
        ((eye[0], [1], 2), "labels: got a Tensor of shape"),
        ((eye, [1, 2], 2), "shares: got"),
        ((eye, [0, 0, 0], 2), "shares: got .* not all be 0"),
        ((eye, [1, -1, 1], 2), "shares: got"),
        ((eye, [1, 1, 1], 0), "dims: got 0"),
    ):
        with pytest.raises(ValueError, match=words):
            Asked(*given)


# -- the players -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("told", [True, False])
def test_g_hands_on_what_was_asked_for(told):
    G, asked = ConditionalGenerator(the_label(3), 3, told), torch.randn(5, 7)
    x, y = apart(G(asked), 3)
    assert torch.equal(y, asked[:, -3:])
    assert torch.equal(x, y if told else torch.zeros(5, 3))


@pytest.mark.parametrize("told", [True, False])
def test_d_sees_planes_behind_the_colours(told):
    seen = []

    class Looks(nn.Module):
        def forward(self, x):
            seen.append(x)
            return x.flatten(1).sum(dim=1)

    pair = torch.randn(2, 3 * 16 + 2)
    ConditionalDiscriminator(Looks(), 2, (3, 4, 4), told)(pair)
    (x,) = seen
    assert torch.equal(x[:, :3].flatten(1), pair[:, :-2])
    planes = pair[:, -2:, None, None].expand(-1, -1, 4, 4)
    assert torch.equal(x[:, 3:], planes if told else torch.zeros_like(planes))


def test_r1_looks_at_the_picture_alone():
    weights = torch.tensor([3.0, 4.0, 100.0])
    row = nn.Linear(3, 1, bias=False)
    row.weight.data[:] = weights
    D, pair = ConditionalDiscriminator(nn.Sequential(row, nn.Flatten(0)), 1), torch.randn(6, 3, requires_grad=True)
    assert losses.r1_penalty(D(pair), pair).item() == pytest.approx(12.5)  # (9 + 16) / 2
    assert D(pair).tolist() == pytest.approx((pair @ weights).tolist())


def test_draw_goes_with_one_z_or_one_y(people):
    G, latent = recipes.faces_conditional_generator()
    z, y = apart(latent.sample((6,)), 4)
    whole = draw(G, z, y)
    assert whole.shape == (6, 3, 32, 32) and not whole.requires_grad and G.training
    assert torch.equal(draw(ConditionalGenerator(G, 4), z, y), whole)
    assert draw(G, z[0], y).shape == draw(G, z, y[0]).shape == whole.shape
    assert torch.allclose(draw(G, z[0], y)[3], draw(G, z[0], y[3])[0], atol=1e-5)
    with pytest.raises(ValueError, match="y: got 5 labels for 6 z"):
        draw(G, z, y[:5])


def test_hits():
    digits = torch.tensor([[0.0] * 9 + [5.0], [3.0] + [0.0] * 9])
    assert hits(digits, torch.eye(10)[[9, 1]]).tolist() == [True, False]
    faces = torch.tensor([[2.0, -1.0, 0.5, -3.0]])
    assert hits(faces, torch.tensor([[1, 0, 0, 1]])).tolist() == [[True, True, False, False]]


# -- the games ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("told", TOLD)
def test_each_game_plays(told, people):
    for trainer in (
        recipes.faces_conditional(0, "cpu", told, data=Pairs(people), batch_size=8),
        recipes.mnist_conditional(0, "cpu", told, batch_size=8),
    ):
        before = [weight.clone() for weight in trainer.generator.parameters()]
        trainer.step()
        pair = trainer.sample(3)
        assert pair.shape == trainer.data.sample((3,)).shape
        assert trainer.generator.told == TOLD[told][0] and trainer.discriminator.told == TOLD[told][1]
        assert any(not torch.equal(a, b) for a, b in zip(before, trainer.generator.parameters(), strict=True))


def test_who_is_told_is_all_that_differs(people):
    weights = []
    for told in TOLD:
        trainer = recipes.faces_conditional(2, "cpu", told, data=Pairs(people))
        weights.append([*trainer.generator.parameters(), *trainer.discriminator.parameters()])
    for others in weights[1:]:
        assert all(torch.equal(a, b) for a, b in zip(weights[0], others, strict=True))
    with pytest.raises(ValueError, match="told: got 'G'; allowed are 'both'"):
        recipes.mnist_conditional(told="G")


def test_only_a_d_that_is_told_minds_the_label(people):
    pair = Pairs(people).sample((4,))
    wrong = pair.clone()
    wrong[:, -4:] = 1 - wrong[:, -4:]
    for told, (_, sees) in TOLD.items():
        D = recipes.faces_conditional(0, "cpu", told, data=Pairs(people)).discriminator
        assert torch.equal(D(pair), D(wrong)) != sees


def test_g_is_asked_as_often_as_the_data_say(people):
    asked = recipes.faces_conditional(0, "cpu", data=Pairs(people)).latent
    assert asked.shares.sum().item() == pytest.approx(1)
    assert torch.equal(asked.shares.sort().values, Pairs(people).asked(32).shares.sort().values)
    shares = recipes.faces_conditional_generator()[1]
    marginal = (shares.labels * shares.shares[:, None]).sum(dim=0)
    assert marginal.tolist() == pytest.approx(data.SHARES)


def test_generators_are_small():
    for make in (recipes.faces_conditional_generator, recipes.mnist_conditional_generator):
        G, latent = make()
        assert sum(weight.numel() for weight in G.parameters()) < 250_000
        assert G(latent.sample((2,))).shape[0] == 2
