import pytest
import torch
from train_classifier import accuracy, train

from gan_lessons import data, pretrained
from gan_lessons.models import DigitClassifier


def test_the_shipped_classifier_reads_99_in_100_test_digits():
    net = pretrained.classifier()
    assert accuracy(net, data.mnist("test")) >= 0.99
    assert not net.training and not any(weight.requires_grad for weight in net.parameters())
    assert pretrained.classifier() is net


def test_the_card_says_what_it_reads():
    card = pretrained._read("classifier")[1]
    assert card["accuracy on the 10,000 test images"] == round(accuracy(pretrained.classifier(), data.mnist("test")), 4)
    assert card["made by"] == "python tests/make/train_classifier.py"


def test_the_net():
    net, x = DigitClassifier(), torch.rand(6, 784)
    assert sum(weight.numel() for weight in net.parameters()) == 114_314
    assert not torch.equal(net(x), net(x))  # dropout
    net.eval()
    features, last = net.features(x), net.head[-1]
    assert features.shape == (6, 64) and features.min() == 0
    assert torch.allclose(net(x.reshape(6, 28, 28)), features @ last.weight.T + last.bias, atol=1e-6)


@pytest.mark.slow
def test_training_learns_and_repeats():
    images = data.mnist("train")[:3000]
    before = torch.get_rng_state()
    net, again = train(images, epochs=2), train(images, epochs=2)
    assert torch.equal(torch.get_rng_state(), before)
    assert accuracy(net, data.mnist("test")[:1000]) > 0.8
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), again.parameters(), strict=True))
