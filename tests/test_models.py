import math

import pytest
import torch
from torch import nn

from gan_lessons import data, models, recipes, seen
from gan_lessons.models import (
    AffineGenerator,
    Maxout,
    MaxoutDiscriminator,
    MLPDiscriminator,
    MLPGenerator,
    Pack,
    Standardise,
    Unstandardise,
)

MAXOUT = {"pieces": 5, "dropout": (0.2, 0.5, 0.5)}


def parameters(net: nn.Module) -> int:
    return sum(weight.numel() for weight in net.parameters())


@pytest.mark.parametrize(
    ("net", "shape_in", "shape_out"),
    [
        (AffineGenerator(500.0, 5.0), (7,), (7,)),
        (MLPGenerator(1, 16, 16, 1, output=nn.Identity()), (7,), (7,)),
        (MLPGenerator(1, 16, 16, 1, output=nn.Identity()), (7, 1), (7,)),
        (MLPGenerator(64, 32, 784, output=nn.Tanh(), batch_norm=True), (7, 64), (7, 784)),
        (MLPDiscriminator(1, 16, 16, 1), (7,), (7,)),
        (MLPDiscriminator(1, 16, 16, 1), (1,), (1,)),
        (MLPDiscriminator(784, 32, 1, dropout=0.3), (7, 784), (7,)),
        (MLPDiscriminator(784, 32, 1), (7, 28, 28), (7,)),
        (MaxoutDiscriminator(784, 24, 24, 1, **MAXOUT), (7, 784), (7,)),
        (MLPGenerator(2, 16, 2, output=nn.Identity()), (7, 2), (7, 2)),
        (MLPDiscriminator(2, 16, 1), (7, 2), (7,)),
        (MLPDiscriminator(6, 16, 1, inputs=Pack(3)), (7, 2), (7,)),
        (MLPDiscriminator(3, 16, 1, inputs=Pack(3)), (2,), (2,)),
        (Pack(3), (7,), (7, 3)),
        (Pack(3), (1, 2), (1, 6)),
        (Maxout(6, 4, pieces=3), (7, 6), (7, 4)),
    ],
)
def test_shapes(net, shape_in, shape_out):
    assert net(torch.randn(shape_in)).shape == shape_out


def test_affine_generator():
    z = torch.randn(100)
    G = AffineGenerator(480, -2)
    assert torch.equal(G(z), 480 - 2 * z)
    assert [name for name, _ in G.named_parameters()] == ["mu", "sigma"]


def test_unstandardise_undoes_standardise():
    x = 500 + 5 * torch.randn(1000)
    there = Standardise(500.0, 5.0)(x)
    assert torch.allclose(there, (x - 500) / 5)
    assert torch.allclose(Unstandardise(500.0, 5.0)(there), x)
    assert parameters(Standardise(500.0, 5.0)) == 0  # fixed, and saved
    assert Standardise(torch.tensor(500.0), 5).state_dict() == {"mean": torch.tensor(500.0), "sd": torch.tensor(5.0)}


def test_maxout_against_a_loop():
    net, x = Maxout(6, 4, pieces=3), torch.randn(9, 6)
    weight, bias, out = net.linear.weight, net.linear.bias, net(x)
    for row in range(9):
        for unit in range(4):
            pieces = [(weight[3 * unit + i] @ x[row] + bias[3 * unit + i]).item() for i in range(3)]
            assert out[row, unit].item() == pytest.approx(max(pieces), abs=1e-5)


def test_pack_against_a_loop():
    x = torch.randn(7, 2)
    packs = Pack(3)(x)
    for i in range(7):
        assert torch.equal(packs[i], torch.cat([x[i], x[(i + 1) % 7], x[(i + 2) % 7]]))
    assert torch.equal(Pack(1)(x), x) and parameters(Pack(3)) == 0


def test_packs_move_with_the_minibatch_and_depend_on_all_their_samples():
    D = MLPDiscriminator(4, 16, 1, inputs=Pack(2))
    x = torch.randn(6, 2, requires_grad=True)
    assert torch.allclose(D(x.roll(2, 0)), D(x).roll(2, 0), atol=1e-6)
    assert not torch.allclose(D(x.flip(0)), D(x).flip(0))  # other neighbours
    for i in range(6):
        (gradient,) = torch.autograd.grad(D(x)[i], x)
        assert gradient.any(dim=1).nonzero().flatten().tolist() == sorted([i, (i + 1) % 6])


def test_only_packs_see_that_all_fakes_are_alike():
    """Fakes that are all -1 or all 1, by a coin: one x has the distribution of the data, a pair has not."""
    real, fake = torch.tensor([-1.0, 1.0]).repeat(500)[torch.randperm(1000)], torch.ones(1000)
    halves = torch.cat([Pack(2)(fake), Pack(2)(-fake)])
    assert halves[:, 0].mean() == real.mean() == 0
    assert halves.prod(dim=1).mean() == 1 and Pack(2)(real).prod(dim=1).mean().abs() < 0.15


def test_mlp_generator_against_its_formula():
    G = MLPGenerator(3, 5, 2, output=Unstandardise(10.0, 2.0), activation=nn.ReLU)
    (W1, b1, W2, b2), z = G.parameters(), torch.randn(8, 3)
    assert torch.allclose(G(z), 10 + 2 * ((z @ W1.T + b1).clamp(min=0) @ W2.T + b2), atol=1e-5)


def test_mlp_discriminator_against_its_formula():
    D = MLPDiscriminator(1, 16, 1, inputs=Standardise(500.0, 5.0))
    (W1, b1, w2, b2), x = D.parameters(), 500 + 5 * torch.randn(8)
    expected = torch.tanh((x[:, None] - 500) / 5 * W1[:, 0] + b1) @ w2[0] + b2
    assert torch.allclose(D(x), expected, atol=1e-5)  # a raw output: no sigmoid


@pytest.mark.parametrize(
    ("net", "count"),
    [
        (AffineGenerator(0, 1), 2),
        (MLPDiscriminator(1, 16, 16, 1), 2 * 16 + 17 * 16 + 17),
        (MLPGenerator(64, 256, 784, output=nn.Tanh()), 65 * 256 + 257 * 784),
        (MLPGenerator(64, 256, 784, output=nn.Tanh(), batch_norm=True), 65 * 256 + 2 * 256 + 257 * 784),
        (MaxoutDiscriminator(784, 240, 240, 1, **MAXOUT), 785 * 240 * 5 + 241 * 240 * 5 + 241),
    ],
)
def test_parameter_counts(net, count):
    assert parameters(net) == count


@pytest.mark.parametrize("D", [MLPDiscriminator(20, 64, 1, dropout=0.5), MaxoutDiscriminator(20, 8, 8, 1, **MAXOUT)])
def test_dropout_only_in_train_mode(D):
    x = torch.randn(5, 20)
    assert not torch.equal(D.train()(x), D(x))
    assert torch.equal(D.eval()(x), D(x))


def test_maxout_discriminator_drops_at_each_layers_rate():
    D = MaxoutDiscriminator(20, 8, 8, 1, **MAXOUT)
    assert [type(layer) for layer in D.net] == [nn.Dropout, Maxout, nn.Dropout, Maxout, nn.Dropout, nn.Linear]
    assert [layer.p for layer in D.net if isinstance(layer, nn.Dropout)] == [0.2, 0.5, 0.5]


def test_no_batch_norm_at_the_ends():
    G = MLPGenerator(4, 8, 8, 2, output=nn.Tanh(), batch_norm=True)
    kinds = [type(layer) for layer in G.net]
    assert kinds == [nn.Linear, nn.BatchNorm1d, nn.Tanh] * 2 + [nn.Linear]


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: Standardise(0.0, 0.0), "sd: got 0.0"),
        (lambda: Unstandardise(0.0, -1.0), "sd: got -1.0"),
        (lambda: Pack(0), "size: got 0"),
        (lambda: Pack(1.5), "size: got 1.5"),
        (lambda: Standardise(0.0, math.nan), "sd: got nan"),
        (lambda: MLPDiscriminator(1), r"widths: got \(1,\)"),
        (lambda: MLPGenerator(output=nn.Tanh()), r"widths: got \(\)"),
        (lambda: MaxoutDiscriminator(4, 8, 1, pieces=2, dropout=(0.5,)), "dropout: got 1 rates; 2 layers"),
    ],
)
def test_bad_input(make, name):
    with pytest.raises(ValueError, match=name):
        make()


def test_waves_are_sines_and_cosines_of_each_number():
    x, frequencies = torch.linspace(-3, 3, 8).view(4, 2), (0.25, 1.0, 2.0)
    found = models.Waves(*frequencies)(x)
    assert found.shape == (4, 2 + 2 * 2 * 3) and torch.equal(found[:, :2], x)
    angles = [math.pi * f * number for number in x[1].tolist() for f in frequencies]
    expected = [*x[1].tolist(), *map(math.sin, angles), *map(math.cos, angles)]
    assert found[1].tolist() == pytest.approx(expected, abs=1e-5)
    assert torch.allclose(found[:, 2:], models.Waves(*frequencies)(x + 8)[:, 2:], atol=1e-4)  # the longest is 8 wide
    with pytest.raises(ValueError, match="frequencies"):
        models.Waves(1.0, float("nan"))


def test_players_with_waves_see_them_and_learn_letters_sooner():
    word, reached = data.word("LT"), {}
    for waves in (False, True):
        gan = recipes.plane(0, waves=waves, data=word, lr_d=0.002, r1=0.05, penalty_every=2)
        for _ in gan.run(400):
            pass
        reached[waves] = seen.reach(gan)["fakes on the data"]
    assert reached[True] > reached[False] + 0.05
    with pytest.raises(ValueError, match="waves: got 2"):
        recipes.plane(waves=2, data=word)
