"""What the benchmark compares: the plain loop by hand, its pixels, and its count of matrix products."""

import copy
from itertools import islice

import pytest
import torch
from torch.nn.functional import logsigmoid
from torch.testing import assert_close
from torch.utils.flop_counter import FlopCounterMode
from training import (
    ALTERNATING,
    PLAIN,
    PRODUCTS,
    SIMULTANEOUS,
    Pictures,
    convolutional,
    loaded,
    plain,
    products,
    ratio,
    shortfalls,
)

from gan_lessons import data, recipes
from gan_lessons.devices import seeded


def test_pictures_are_the_pixels_of_data():
    few = data.mnist("test")[:6]
    pixels, labels = zip(*(Pictures(few)[i] for i in range(len(few))), strict=True)
    assert_close(torch.cat(pixels), few.images / 127.5 - 1)
    assert list(labels) == few.labels.tolist()


def test_an_epoch_shows_every_picture_once():
    few = data.mnist("test")[:6]
    with seeded(0):
        a, b, again = islice(loaded(few, 3), 3)
    assert a.shape == again.shape == (3, 784)
    shown, all_six = torch.cat([a, b]), few.images.flatten(1) / 127.5 - 1
    assert not torch.allclose(shown, all_six)  # shuffled
    assert (torch.cdist(shown, all_six) < 1e-3).nonzero()[:, 1].sort()[0].tolist() == list(range(6))


def test_the_plain_loop_is_the_algorithm_of_the_source():
    """Two steps by hand: G up mean log D(G(z)), then D up half of mean log D(x) + mean log(1 - D(G(z)))."""
    game = recipes.mnist(lr_d=0.1, lr_g=0.2, device="cpu")
    G, D = copy.deepcopy(game.generator), copy.deepcopy(game.discriminator)
    batches = [data.mnist("test").images[i : i + 4].flatten(1) / 127.5 - 1 for i in (0, 4)]
    with seeded(1):
        printed = list(plain(game, torch.optim.SGD, iter(batches)))
    with seeded(1):
        for x_real, means in zip(batches, printed, strict=True):
            ascend(G, 0.2, logsigmoid(D(G(game.latent.sample((4,))))).mean())
            x_fake = G(game.latent.sample((4,))).detach()
            ascend(D, 0.1, (logsigmoid(D(x_real)).mean() + logsigmoid(-D(x_fake)).mean()) / 2)
            assert_close(means, (D(x_real).sigmoid().mean(), D(x_fake).sigmoid().mean()))
    assert_close(game.generator.state_dict(), G.state_dict())
    assert_close(game.discriminator.state_dict(), D.state_dict())


def ascend(net, lr, value):
    for weight, slope in zip(net.parameters(), torch.autograd.grad(value, list(net.parameters())), strict=True):
        weight.data += lr * slope


@pytest.mark.parametrize("make", [recipes.mnist, recipes.mnist_paper, convolutional])
def test_products_are_those_of_one_simultaneous_round(make):
    game = make(order="simultaneous", device="cpu")
    game.batch_size = m = 4
    calls = products(game)
    with FlopCounterMode(display=False) as alone:
        for call in calls:
            call()
    G, D = game.generator, game.discriminator
    with FlopCounterMode(display=False) as needed:  # data and fakes apart, so that nothing is differentiated in vain
        x_fake = G(game.latent.sample((m,)))
        x = x_fake.detach().requires_grad_()
        (D(game.data.sample((m,))).sum() + D(x).sum()).backward()
        x_fake.backward(x.grad)
    assert alone.get_total_flops() == needed.get_total_flops() > 0
    with FlopCounterMode(display=False) as played:
        game.step()
    assert alone.get_total_flops() <= played.get_total_flops() < 1.1 * alone.get_total_flops()


def test_ratios_pair_the_blocks():
    assert ratio({"a": [2.0, 8.0, 30.0], "b": [1.0, 2.0, 10.0]}, "a", "b") == 3.0


def test_what_is_judged():
    fast = {PLAIN: [26.0], ALTERNATING: [14.0], SIMULTANEOUS: [10.0], PRODUCTS: [7.1]}
    assert not shortfalls(fast)
    assert len(shortfalls(fast | {PLAIN: [24.0]})) == 2
    (short,) = shortfalls(fast | {PRODUCTS: [6.9]})
    assert short == "time of products alone / time of simultaneous is 0.69, below 0.7"
