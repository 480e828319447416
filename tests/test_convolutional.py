"""Players after DCGAN: shapes, what each layer does to a picture's side, what D sees, and the game between them."""

import pytest
import torch
from torch import nn
from torch.nn.functional import conv2d, conv_transpose2d
from torch.testing import assert_close

from gan_lessons import Trainer, data, models
from gan_lessons.models import DCGANDiscriminator, DCGANGenerator

FACES = (3, 32, 32)


def faces(n=40):
    return data.faces(n, seed=3)


def make(seed=0, batch_norm=False, **settings):
    torch.manual_seed(seed)
    G, D = DCGANGenerator(8, 16, 8, 3), DCGANDiscriminator(3, 8, 16, batch_norm=batch_norm)
    recipe = {"latent": data.standard_normal(8), "lr_d": 1e-3, "lr_g": 1e-3, "batch_size": 8, "device": "cpu"}
    return Trainer(G, D, faces(), seed=seed, **(recipe | settings))


def play(trainer, rounds):
    for _ in trainer.run(rounds):
        pass
    return trainer


def sides(net, x):
    """The side of what each convolution returns."""
    found = []
    for layer in net:
        x = layer(x)
        found += [x.shape[-1]] if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d) else []
    return found


@pytest.mark.parametrize(
    ("widths", "side", "x"),
    [
        ((32, 128, 64, 32, 3), 32, (3, 32, 32)),
        ((8, 16, 3), 32, (3, 32, 32)),
        ((8, 16, 8, 4, 2, 3), 64, (3, 64, 64)),
        ((16, 32, 16, 1), 28, (784,)),
        ((16, 8, 1), 6, (36,)),
    ],
)
def test_shapes(widths, side, x):
    G = DCGANGenerator(*widths, side=side)
    D = DCGANDiscriminator(*reversed(widths[1:]), side=side)
    fakes = G(torch.randn(5, widths[0]))
    assert fakes.shape == (5, *x) and fakes.abs().max() <= 1
    end = side // 2 ** (len(widths) - 2)
    assert D(fakes).shape == (5,) and D.features(fakes).shape == (5, widths[1], end, end)
    assert D(fakes.reshape(5, -1)).shape == (5,)  # also flat


def test_each_layer_doubles_or_halves_the_side():
    G, D = DCGANGenerator(32, 128, 64, 32, 3), DCGANDiscriminator(3, 32, 64, 128)
    assert sides(G.net, torch.zeros(2, 32)) == [8, 16, 32]
    assert sides(D.body, torch.zeros(2, *FACES)) == [16, 8, 4]
    grey = DCGANGenerator(16, 32, 16, 1, side=28)
    assert sides(grey.net, torch.zeros(2, 16)) == [14, 28]


def test_the_order_of_layers():
    G, D = DCGANGenerator(8, 16, 8, 3), DCGANDiscriminator(3, 8, 16, batch_norm=True)
    maps = [nn.BatchNorm2d, nn.ReLU, nn.ConvTranspose2d]
    assert [type(layer) for layer in G.net] == [nn.Linear, nn.Unflatten, *maps, *maps, nn.Tanh]
    first, later = [nn.Conv2d, nn.LeakyReLU], [nn.Conv2d, nn.BatchNorm2d, nn.LeakyReLU]
    assert [type(layer) for layer in D.body] == first + later  # none in the first
    bare = DCGANGenerator(8, 16, 8, 3, batch_norm=False, activation=models.leaky_relu)
    assert [type(layer) for layer in bare.net][2:] == [nn.LeakyReLU, nn.ConvTranspose2d] * 2 + [nn.Tanh]
    assert {layer.negative_slope for net in (D.body, bare.net) for layer in net if isinstance(layer, nn.LeakyReLU)} == {
        0.2
    }


def test_against_their_formulas():
    G, D = DCGANGenerator(4, 6, 5, 3, side=8, batch_norm=False), DCGANDiscriminator(3, 5, 6, side=8)
    W0, b0, W1, b1, W2, b2 = G.parameters()
    z = torch.randn(7, 4)
    maps = (z @ W0.T + b0).reshape(7, 6, 2, 2)
    maps = conv_transpose2d(maps.clamp(min=0), W1, b1, stride=2, padding=1)
    x = torch.tanh(conv_transpose2d(maps.clamp(min=0), W2, b2, stride=2, padding=1))
    assert_close(G(z), x, atol=1e-6, rtol=1e-5)
    W1, b1, W2, b2, w, b = D.parameters()
    for weight, bias in ((W1, b1), (W2, b2)):
        x = conv2d(x, weight, bias, stride=2, padding=1)
        x = torch.maximum(x, 0.2 * x)
    assert_close(D(G(z)), x.reshape(7, -1) @ w[0] + b, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(
    ("net", "count"),
    [
        (DCGANGenerator(4, 6, 5, 3, side=8, batch_norm=False), 5 * 24 + (6 * 16 + 1) * 5 + (5 * 16 + 1) * 3),
        (DCGANGenerator(4, 6, 5, 3, side=8), 5 * 24 + 2 * 6 + (6 * 16 + 1) * 5 + 2 * 5 + (5 * 16 + 1) * 3),
        (DCGANDiscriminator(3, 5, 6, side=8), (3 * 16 + 1) * 5 + (5 * 16 + 1) * 6 + 6 * 4 + 1),
    ],
)
def test_parameter_counts(net, count):
    assert sum(weight.numel() for weight in net.parameters()) == count


def test_d_judges_each_alone_unless_it_has_batch_norm():
    x = faces().sample((6,))
    changed = torch.cat([x[:3], -x[3:]])
    alone, together = DCGANDiscriminator(3, 8, 16), DCGANDiscriminator(3, 8, 16, batch_norm=True)
    assert_close(alone(x)[:3], alone(changed)[:3])
    assert not torch.allclose(together(x)[:3], together(changed)[:3], atol=1e-3)
    assert_close(together.eval()(x)[:3], together(changed)[:3])
    assert make()._judges_each_alone and not make(batch_norm=True)._judges_each_alone
    with pytest.raises(ValueError, match="order='simultaneous' needs a D that judges each x by itself"):
        make(batch_norm=True, order="simultaneous")


def test_r1_is_the_slope_at_each_face_alone():
    D, x = DCGANDiscriminator(3, 8, 16), faces().sample((4,)).requires_grad_()
    (gradient,) = torch.autograd.grad(D(x)[1], x)
    assert gradient[1].abs().max() > 0 and gradient[[0, 2, 3]].eq(0).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DCGANGenerator(32, 64, 32, 3, side=30), r"side: got 30; it must be a multiple of 4, since 2 layers"),
        (lambda: DCGANDiscriminator(3, 8, 8, 8, side=28), r"side: got 28; it must be a multiple of 8, since 3 layers"),
        (lambda: DCGANGenerator(32, 64, 3, side=0), r"side: got 0; it must be a whole number >= 1"),
        (lambda: DCGANGenerator(32, 64, 3, side=3.5), r"side: got 3\.5; it must be a whole number"),
        (lambda: DCGANGenerator(32, 3), r"widths: got \(32, 3\); a net needs at least 3"),
        (lambda: DCGANDiscriminator(3), r"widths: got \(3,\); a net needs at least 2"),
        (lambda: DCGANGenerator(32, 0, 3), r"widths: got 0; it must be a whole number from 1"),
        (lambda: DCGANDiscriminator(3, "8"), r"widths: got '8'"),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        make()


def test_pictures_of_another_side_are_refused():
    with pytest.raises(RuntimeError, match="invalid for input"):
        DCGANDiscriminator(3, 8)(torch.zeros(8, 3, 16, 16))  # and not taken for two of 32 x 32


# -- the game ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [
        {"average": 0.9, "r1": 1.0, "penalty_every": 2},
        {"batch_norm": True, "k": 2},
        {"order": "simultaneous"},
    ],
    ids=str,
)
def test_resume_is_bit_exact(tmp_path, settings):
    trainer = play(make(seed=4, **settings), 4)
    trainer.save(tmp_path / "a.pt")
    fresh = make(seed=5, **settings).load(tmp_path / "a.pt")
    assert_close(fresh.state_dict(), trainer.state_dict(), rtol=0, atol=0)
    assert_close(play(fresh, 5).state_dict(), play(trainer, 5).state_dict(), rtol=0, atol=0)
    assert fresh.steps_done == 9


def test_same_seed_same_run():
    one, again = (play(make(seed=2, average=0.9), 4) for _ in range(2))
    assert_close(again.state_dict(), one.state_dict(), rtol=0, atol=0)


def test_both_move_and_the_average_follows():
    trainer = make(average=0.5)
    before = [[w.detach().clone() for w in net.parameters()] for net in (trainer.generator, trainer.discriminator)]
    play(trainer, 3)
    for old, net in zip(before, (trainer.generator, trainer.discriminator), strict=True):
        assert all(not torch.equal(a, b) for a, b in zip(old, net.parameters(), strict=True))
    torch.manual_seed(1)
    raw = trainer.sample(6)
    torch.manual_seed(1)
    averaged = trainer.sample(6, average=True)
    assert raw.shape == averaged.shape == (6, *FACES) and not torch.equal(raw, averaged)
    assert raw.abs().max() <= 1 and averaged.abs().max() <= 1


def test_channels_last_changes_no_number():
    """The layout in memory is for speed alone."""
    G = DCGANGenerator(8, 16, 8, 3).eval()
    assert all(w.is_contiguous(memory_format=torch.channels_last) for w in G.net.parameters() if w.dim() == 4)
    twin = DCGANGenerator(8, 16, 8, 3).eval().to(memory_format=torch.contiguous_format)
    twin.load_state_dict(G.state_dict())
    z = torch.randn(9, 8)
    assert_close(twin(z), G(z), atol=1e-6, rtol=1e-5)


def test_digits_are_played_with():
    G, D = DCGANGenerator(8, 16, 8, 1, side=28), DCGANDiscriminator(1, 8, 16, side=28)
    latent, digits = data.standard_normal(8), data.mnist("test")[:50]
    trainer = play(Trainer(G, D, digits, latent=latent, lr_d=1e-3, lr_g=1e-3, batch_size=8, device="cpu"), 2)
    assert trainer.sample(4).shape == (4, 784)
