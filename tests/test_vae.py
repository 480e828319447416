"""The VAE: its losses beside torch's own and beside sampling, its bound beside a density that is known exactly."""

import math

import pytest
import torch
from torch import nn
from torch.distributions import Independent, MultivariateNormal, Normal, kl_divergence

from gan_lessons import data, pretrained, recipes, vae
from gan_lessons.devices import seeded
from gan_lessons.vae import VAE, elbo, fit, kl_to_normal, reconstruction_loss, reparameterised


def clouds(n=5, d=3):
    with seeded(1):
        return torch.randn(n, d), 0.5 * torch.randn(n, d)


def test_kl_is_that_of_torch():
    mu, log_sd = clouds()
    other = kl_divergence(Independent(Normal(mu, log_sd.exp()), 1), data.standard_normal(3))
    assert kl_to_normal(mu, log_sd).item() == pytest.approx(other.mean().item(), rel=1e-6)
    assert kl_to_normal(torch.zeros(2, 4), torch.zeros(2, 4)) == 0


def test_kl_is_a_mean_log_ratio():
    mu, log_sd = clouds(1)
    with seeded(0):
        z = reparameterised(mu.expand(400_000, 3), log_sd.expand(400_000, 3))
    ratio = Independent(Normal(mu[0], log_sd[0].exp()), 1).log_prob(z) - data.standard_normal(3).log_prob(z)
    error = ratio.std().item() / math.sqrt(len(z))
    assert kl_to_normal(mu, log_sd).item() == pytest.approx(ratio.mean().item(), abs=4 * error)


def test_reconstruction_is_minus_a_log_density():
    with seeded(2):
        x, back = torch.randn(2, 7, 3, 4, 4)
    p = Independent(Normal(back, 0.3), 3)
    constant = 48 * math.log(0.3 * math.sqrt(2 * math.pi))
    ours = reconstruction_loss(x, back, 0.3).item() + constant
    assert ours == pytest.approx(-p.log_prob(x).mean().item(), rel=1e-5)


def test_a_draw_has_its_mean_and_sd_and_slopes():
    mu, log_sd = (one.requires_grad_() for one in clouds(1, 2))
    with seeded(0):
        z = reparameterised(mu.expand(100_000, 2), log_sd.expand(100_000, 2))
    assert torch.allclose(z.mean(0), mu[0], atol=0.02) and torch.allclose(z.std(0), log_sd[0].exp(), rtol=0.02)
    with seeded(3):
        one = reparameterised(mu, log_sd)
    slope_mu, slope_log_sd = torch.autograd.grad(one.sum(), (mu, log_sd))
    assert torch.equal(slope_mu, torch.ones(1, 2)) and torch.allclose(slope_log_sd, one - mu, atol=1e-6)


class Linear(nn.Module):
    """A linear decoder A z + b, or an encoder with fixed sd."""

    def __init__(self, weight, bias, log_sd=None):
        super().__init__()
        self.weight, self.bias, self.log_sd = nn.Parameter(weight), nn.Parameter(bias), log_sd

    def forward(self, x):
        out = x @ self.weight.T + self.bias
        return out if self.log_sd is None else torch.cat([out, self.log_sd.expand_as(out)], dim=1)


def linear_gaussian(spoil=0.0):
    """x = A z + b + s noise, A's columns at right angles: p(x) and p(z | x) are Gaussians known exactly."""
    A, b, s = torch.tensor([[1.0, 0.5], [-1.0, 0.5], [0.0, 1.0]]), torch.tensor([1.0, -2.0, 0.0]), 0.7
    squares = A.square().sum(dim=0)  # A^T A is diagonal
    weight = A.T / (squares + s**2)[:, None] + spoil
    log_sd = 0.5 * (s**2 / (squares + s**2)).log() + spoil
    one = VAE(Linear(weight, -weight @ b, log_sd), Linear(A, b), data.standard_normal(2), s)
    return one, MultivariateNormal(b, A @ A.T + s**2 * torch.eye(3))


def test_with_the_true_posterior_the_bound_is_log_p():
    one, p = linear_gaussian()
    with seeded(0):
        x = p.sample((200_000,))
        ours = elbo(one, x).item()
    assert ours == pytest.approx(p.log_prob(x).mean().item(), abs=0.02)


def test_with_any_other_encoder_it_lies_below():
    one, p = linear_gaussian(spoil=0.3)
    with seeded(0):
        x = p.sample((200_000,))
        ours = elbo(one, x).item()
    q = Independent(Normal(*(part.exp() if i else part for i, part in enumerate(one.encode(x)))), 1)
    exact, _ = linear_gaussian()
    mu, log_sd = exact.encode(x)
    gap = kl_divergence(q, Independent(Normal(mu, log_sd.exp()), 1)).mean().item()
    assert gap > 0.1 and p.log_prob(x).mean().item() - ours == pytest.approx(gap, abs=0.03)


def test_training_finds_the_linear_model():
    with seeded(0):
        one = VAE(
            Linear(torch.zeros(1, 2), torch.zeros(1), torch.zeros(1)),
            Linear(torch.ones(2, 1), torch.zeros(2)),
            data.standard_normal(1),
            0.5,
        )
        x = torch.randn(4000, 1) @ torch.tensor([[2.0, 1.0]]) + 0.5 * torch.randn(4000, 2)
    one.encoder.log_sd = nn.Parameter(torch.zeros(1))
    p = MultivariateNormal(torch.zeros(2), torch.tensor([[4.25, 2.0], [2.0, 1.25]]))
    losses = fit(one, x, 1500, lr=0.01, device="cpu")
    assert len(losses.kl) == len(losses.reconstruction) == 1500
    with seeded(1):
        assert elbo(one, x).item() == pytest.approx(p.log_prob(x).mean().item(), abs=0.03)


@pytest.mark.parametrize("make", [vae.faces, vae.digits, vae.bumps])
def test_the_nets_are_those_of_the_gans(make):
    one = make(seed=3)
    with seeded(0):
        z = one.latent.sample((4,))
    x = one.decoder(z)
    mu, log_sd = one.encode(x)
    assert mu.shape == log_sd.shape == z.shape and one(x).shape == x.shape
    assert elbo(one, x).isfinite()


def test_players_have_as_many_weights_as_their_recipes():
    def weights(net):
        return sum(w.numel() for w in net.parameters())

    few = data.faces(64)
    for one, trainer in (
        (vae.faces(), recipes.faces_quick(data=few, device="cpu")),
        (vae.digits(), recipes.mnist_small(device="cpu")),
        (vae.bumps(), recipes.three_bumps()),
    ):
        assert weights(one.decoder) == weights(trainer.generator)
        heads = [list(net.parameters())[-2:] for net in (one.encoder, trainer.discriminator)]
        bodies = [
            weights(net) - sum(w.numel() for w in head)
            for net, head in zip((one.encoder, trainer.discriminator), heads, strict=True)
        ]
        assert bodies[0] == bodies[1] and heads[0][1].numel() == 2 * math.prod(one.latent.event_shape)


def test_the_same_seed_trains_alike_and_leaves_the_learners_numbers_alone():
    state = torch.get_rng_state()
    ones = [vae.bumps(seed=seed) for seed in (5, 5, 6)]
    kl = [fit(one, data.bumps(), 5, seed=5, device="cpu").kl for one in ones]
    assert torch.equal(kl[0], kl[1]) and not torch.equal(kl[0], kl[2]) and not ones[0].training
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("s", [0, -1.0, float("nan"), "0.1", True])
def test_s_must_be_positive(s):
    with pytest.raises(ValueError, match=r"s: got .* > 0"):
        vae.bumps(s=s)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"steps": 0}, "steps: got 0"),
        ({"steps": 5, "lr": 0}, "lr: got 0"),
        ({"steps": 5, "batch_size": 0}, "batch_size: got 0"),
        ({"steps": 5, "device": "abacus"}, "device: got 'abacus'"),
        ({"steps": 5, "seed": -1}, "seed: got -1"),
    ],
)
def test_what_does_not_fit_is_named(given, words):
    with pytest.raises(ValueError, match=words):
        fit(vae.bumps(), data.bumps(), **{"device": "cpu"} | given)


def test_a_source_that_is_none_is_named():
    with pytest.raises(ValueError, match="source: got 3"):
        fit(vae.bumps(), 3, 5, device="cpu")


def test_divergence_is_told():
    with pytest.raises(FloatingPointError, match="lower lr"):
        fit(vae.bumps(s=1e-30), data.bumps(), 5, lr=1e30, device="cpu")


def test_what_ships_is_whole_and_fixed():
    one = vae.shipped()
    assert not one.training and not any(weight.requires_grad for weight in one.parameters())
    assert one.decoder(torch.zeros(3, 32)).shape == (3, 3, 32, 32) and vae.shipped() is one


def test_damage_names_the_script(monkeypatch, tmp_path):
    monkeypatch.setattr(pretrained, "_WEIGHTS", tmp_path)
    with pytest.raises(RuntimeError, match=r"faces_vae.*tests/make/vae_record.py"):
        pretrained.kept("faces_vae")
