import pytest
import torch
from train_reader import accuracy, train_reader

from gan_lessons import data, pretrained
from gan_lessons.models import FaceReader


@pytest.mark.parametrize(
    "shares", [data.SHARES, (0.5,) * 4, (0.05, 0.05, 0.95, 0.1), {(1, 1, 0, 1): 1, (0, 1, 1, 0): 1}]
)
def test_the_shipped_reader_reads_999_in_1000_new_faces(shares):
    right = accuracy(pretrained.reader(), data.faces(4000, seed=17, shares=shares))
    assert right.shape == (4,) and right.min() >= 0.999


def test_the_reader_is_fixed():
    net = pretrained.reader()
    assert not net.training and not any(weight.requires_grad for weight in net.parameters())
    assert pretrained.reader() is net


def test_the_card_says_what_it_reads():
    card = pretrained._read("reader")[1]
    right = accuracy(pretrained.reader(), data.faces(10_000, seed=3)).tolist()
    assert card["accuracy on data.faces(10_000, seed=3)"] == pytest.approx(
        dict(zip(data.ATTRIBUTES, right, strict=True)), abs=2e-4
    )
    assert card["made by"] == "python tests/make/train_reader.py"


def test_the_net():
    net, x = FaceReader().eval(), 2 * torch.rand(6, 3, 32, 32) - 1
    features = net.features(x)
    assert features.shape == (6, 64) and features.min() == 0
    assert torch.allclose(net(x), features @ net.head.weight.T + net.head.bias, atol=1e-6)


def test_training_learns_and_repeats():
    faces = data.faces(1000, seed=1)
    net, again = train_reader(faces, epochs=3), train_reader(faces, epochs=3)
    right = accuracy(net, data.faces(1000, seed=2))
    assert right[3] > 0.95 and right.mean() > 0.75  # dark hair is soon read, the others are on their way
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), again.parameters(), strict=True))
