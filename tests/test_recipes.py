import math

import pytest
import torch
from seed_table import found, table
from torch import nn
from torch.distributions import Normal

from gan_lessons import data, losses, recipes
from gan_lessons.models import AffineGenerator, Maxout
from gan_lessons.optimizers import RisingMomentum

RECIPES = [
    *(recipes.gaussian, recipes.gaussian_mlp, recipes.three_bumps, recipes.ring),
    *(recipes.mnist, recipes.mnist_paper, recipes.mnist_quick, recipes.mnist_small, recipes.mnist_best),
    *(recipes.faces_dcgan, recipes.faces_quick, recipes.faces_little, recipes.faces_lsgan),
    *(recipes.faces_conditional, recipes.mnist_conditional),
]


def linear(net):
    """Widths of all affine layers, first to last."""
    layers = [layer for layer in net.modules() if isinstance(layer, nn.Linear)]
    return [layers[0].in_features, *(layer.out_features for layer in layers)]


def activations(net):
    kinds = nn.ReLU | nn.LeakyReLU | nn.Tanh | nn.Sigmoid | nn.BatchNorm1d | nn.Dropout | Maxout
    return [layer for layer in net.modules() if isinstance(layer, kinds)]


def kinds(net):
    return [type(layer) for layer in activations(net)]


def rates(trainer):
    return trainer.lr_d, trainer.lr_g


def adam_settings(optimizer):
    assert isinstance(optimizer, torch.optim.Adam)
    (group,) = optimizer.param_groups
    return group["betas"], group["weight_decay"]


def fakes_have_the_shape_of_data(trainer):
    assert trainer.sample(3).shape == trainer.data.sample((3,)).shape


def test_gaussian():
    trainer = recipes.gaussian()
    G, D = trainer.generator, trainer.discriminator
    assert type(G) is AffineGenerator and (G.mu.item(), G.sigma.item()) == (480, 1)
    assert linear(D) == [1, 16, 16, 1] and kinds(D) == [nn.Tanh] * 2
    assert rates(trainer) == (0.01, 0.05) and (trainer.steps, trainer.batch_size, trainer.k) == (1500, 128, 1)
    assert trainer.decay is recipes.cosine and trainer.loss is losses.non_saturating
    assert adam_settings(trainer.optimizer_d) == adam_settings(trainer.optimizer_g) == ((0.5, 0.999), 0)
    assert (trainer.data.mean, trainer.data.stddev) == (500, 5)
    assert (trainer.latent.mean, trainer.latent.stddev) == (0, 1)
    assert trainer.device.type == "cpu"
    assert recipes.gaussian(start=(450, -2)).sample(50_000).std() == pytest.approx(2, rel=0.02)


def test_gaussian_mlp():
    trainer = recipes.gaussian_mlp()
    G, D = trainer.generator, trainer.discriminator
    assert linear(G) == linear(D) == [1, 16, 16, 1] and kinds(G) == kinds(D) == [nn.Tanh] * 2
    assert rates(trainer) == (0.01, 0.001) and (trainer.steps, trainer.batch_size) == (2000, 128)
    assert torch.equal(G.output.mean, D.inputs.mean) and torch.equal(G.output.sd, D.inputs.sd)


@pytest.mark.parametrize("recipe", [recipes.gaussian, recipes.gaussian_mlp])
@pytest.mark.parametrize("seed", [0, 5])
def test_standardised_by_a_first_minibatch(recipe, seed):
    inputs = recipe(seed).discriminator.inputs
    torch.manual_seed(seed)
    first = Normal(500.0, 5.0).sample((128,))  # never 500 and 5 themselves, which nobody told
    assert (inputs.mean, inputs.sd) == (first.mean(), first.std())


def test_raw_x():
    D = recipes.gaussian(standardise=False).discriminator
    assert isinstance(D.inputs, nn.Identity)


def test_three_bumps():
    trainer = recipes.three_bumps(seed=5)
    G, D = trainer.generator, trainer.discriminator
    assert linear(G) == [1, 16, 16, 1] and linear(D) == [1, 8, 8, 1] and kinds(G) == kinds(D) == [nn.Tanh] * 2
    assert rates(trainer) == (0.001, 0.001) and (trainer.steps, trainer.batch_size, trainer.k) == (3000, 128, 1)
    assert trainer.decay is None and trainer.loss is losses.non_saturating and trainer.device.type == "cpu"
    assert trainer.data.mean == 500 and trainer.data.mixture_distribution.probs.tolist() == pytest.approx(
        [0.2, 0.6, 0.2]
    )
    torch.manual_seed(5)
    first = data.bumps().sample((128,))
    assert (D.inputs[0].mean, D.inputs[0].sd) == (G.output.mean, G.output.sd) == (first.mean(), first.std())
    fakes_have_the_shape_of_data(trainer)


def test_ring():
    trainer = recipes.ring()
    G, D = trainer.generator, trainer.discriminator
    assert linear(G) == [2, 32, 32, 2] and kinds(G) == [nn.ReLU] * 2
    assert linear(D) == [2, 16, 16, 1] and kinds(D) == [nn.LeakyReLU] * 2
    assert {layer.negative_slope for layer in activations(D)} == {0.2}
    assert rates(trainer) == (0.001, 0.001) and (trainer.steps, trainer.batch_size, trainer.k) == (3000, 128, 1)
    assert trainer.decay is None and trainer.loss is losses.non_saturating and trainer.device.type == "cpu"
    assert torch.equal(trainer.data.component_distribution.mean, data.ring().component_distribution.mean)
    assert trainer.latent.sample((5,)).shape == (5, 2)
    fakes_have_the_shape_of_data(trainer)


@pytest.mark.parametrize("recipe", [recipes.three_bumps, recipes.ring])
def test_pack(recipe):
    one, three = (recipe(seed=1, pack=pack).discriminator for pack in (1, 3))
    assert linear(three)[0] == 3 * linear(one)[0] and linear(three)[1:] == linear(one)[1:]
    x = recipe().data.sample((6,))
    moved = x.clone()
    moved[2] += 1
    assert (one(x) != one(moved)).nonzero().flatten().tolist() == [2]
    assert (three(x) != three(moved)).nonzero().flatten().tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="pack: got 0"):
        recipe(pack=0)


def test_cosine():
    for fraction in (0.0, 0.1, 0.5, 0.9, 1.0):
        assert recipes.cosine(fraction) == pytest.approx(math.cos(math.pi * fraction / 2) ** 2)


def test_mnist():
    trainer = recipes.mnist(device="cpu")
    G, D = trainer.generator, trainer.discriminator
    assert linear(G) == [100, 256, 512, 1024, 784] and kinds(G) == [nn.ReLU] * 3 + [nn.Tanh]
    assert linear(D) == [784, 1024, 512, 256, 1] and kinds(D) == [nn.LeakyReLU] * 3
    assert {layer.negative_slope for layer in activations(D)} == {0.2}
    assert adam_settings(trainer.optimizer_d) == adam_settings(trainer.optimizer_g) == ((0.9, 0.999), 0)
    assert rates(trainer) == (2e-4, 2e-4) and (trainer.batch_size, trainer.steps) == (100, 200 * 600)
    assert trainer.decay is None and trainer.averaged is None and trainer.loss is losses.non_saturating
    assert len(trainer.data) == 60_000 and trainer.order == "alternating"
    fakes_have_the_shape_of_data(trainer)


def average_follows(trainer, decay):
    """After the second round the average is the first one's weights, moved a little towards the second one's."""
    trainer.batch_size = 4
    seen = [torch.cat([w.flatten() for w in trainer.generator.parameters()]).clone() for _ in trainer.run(2)]
    average = torch.cat([w.flatten() for w in trainer.averaged.parameters()])
    assert torch.allclose(average, seen[0] * decay + seen[1] * (1 - decay), atol=1e-7)


def test_mnist_small():
    trainer = recipes.mnist_small(device="cpu")
    G, D = trainer.generator, trainer.discriminator
    assert linear(G) == [64, 256, 512, 784] and kinds(G) == [nn.BatchNorm1d, nn.LeakyReLU] * 2 + [nn.Tanh]
    assert linear(D) == [784, 512, 256, 1] and kinds(D) == [nn.LeakyReLU, nn.Dropout] * 2
    slopes = {layer.negative_slope for layer in activations(G) + activations(D) if isinstance(layer, nn.LeakyReLU)}
    assert slopes == {0.2} and {layer.p for layer in activations(D) if isinstance(layer, nn.Dropout)} == {0.3}
    assert adam_settings(trainer.optimizer_d) == adam_settings(trainer.optimizer_g) == ((0.5, 0.999), 0)
    assert rates(trainer) == (1e-3, 1e-3) and (trainer.batch_size, trainer.steps) == (100, 6 * 600)
    assert trainer.loss.at_equilibrium == losses.smoothed(0.9).at_equilibrium and len(trainer.data) == 60_000
    average_follows(trainer, 0.999)
    fakes_have_the_shape_of_data(trainer)


def test_mnist_quick():
    trainer = recipes.mnist_quick(device="cpu")
    G, D = trainer.generator, trainer.discriminator
    assert linear(G) == [46, 256, 512, 784] and kinds(G) == [nn.BatchNorm1d, nn.LeakyReLU] * 2 + [nn.Tanh]
    assert linear(D) == [784, 512, 256, 1] and kinds(D) == [nn.LeakyReLU] * 2
    assert {one.negative_slope for one in activations(G) + activations(D) if isinstance(one, nn.LeakyReLU)} == {0.2}
    assert adam_settings(trainer.optimizer_d) == adam_settings(trainer.optimizer_g) == ((0.5, 0.999), 0)
    assert rates(trainer) == (1e-3, 1e-3) and (trainer.batch_size, trainer.steps) == (100, 4 * 600)
    assert (trainer.r1, trainer.r2, trainer.penalty_every, trainer.loss.name) == (0.5, 0.0, 4, "top_k(0.3)")
    start, mean = G.output(G.net[-1].bias).detach(), (trainer.data.images / 127.5 - 1).flatten(1).mean(0)
    assert (start - mean).abs().max() < 0.031  # as bright as on average, but no pixel quite black
    average_follows(trainer, 0.995)
    fakes_have_the_shape_of_data(trainer)


def test_mnist_best():
    trainer = recipes.mnist_best(device="cpu")
    G, D = trainer.generator, trainer.discriminator
    assert linear(G) == [64, 512, 512, 784] and linear(D) == [784, 1024, 512, 1]
    assert kinds(G) == [nn.BatchNorm1d, nn.LeakyReLU] * 2 + [nn.Tanh] and kinds(D) == [nn.LeakyReLU] * 2
    assert rates(trainer) == (1e-3, 1e-3) and (trainer.batch_size, trainer.steps) == (100, 20 * 500)
    assert trainer.r1 == 0.5 and trainer.loss is losses.non_saturating and trainer.averaged
    assert torch.equal(trainer.data.labels, data.mnist("train").labels[:50_000])  # the others choose, the test judges
    fakes_have_the_shape_of_data(trainer)


@pytest.mark.parametrize(
    ("recipe", "steps", "average", "decay"),
    [
        (recipes.faces_dcgan, 26 * 312, 0.999, recipes.cosine),
        (recipes.faces_quick, 1000, 0.995, None),
        (recipes.faces_lsgan, 8 * 312, 0.999, recipes.cosine),
    ],
)
def test_faces(recipe, steps, average, decay):
    trainer = recipe(device="cpu")
    G, D = trainer.generator, trainer.discriminator
    maps = {net: [m.out_channels for m in net.modules() if hasattr(m, "out_channels")] for net in (G, D)}
    assert maps == {G: [64, 32, 3], D: [32, 64, 128]} and linear(G) == [32, 128 * 4 * 4] and linear(D) == [2048, 1]
    assert sum(isinstance(m, nn.BatchNorm2d) for m in G.modules()) == 3
    assert not any(isinstance(m, nn.BatchNorm2d) for m in D.modules())
    assert adam_settings(trainer.optimizer_d) == adam_settings(trainer.optimizer_g) == ((0.0, 0.99), 0)
    assert rates(trainer) == (2e-3, 2e-3) and (trainer.batch_size, trainer.steps) == (64, steps)
    loss, r1 = (losses.least_squares, 20.0) if recipe is recipes.faces_lsgan else (losses.non_saturating, 5.0)
    assert (trainer.r1, trainer.r2, trainer.penalty_every, trainer.k) == (r1, 0.0, 4, 1)
    assert trainer.loss is loss and trainer.decay is decay
    assert torch.equal(trainer.data.images, data.faces().images) and trainer.latent.sample((5,)).shape == (5, 32)
    average_follows(trainer, average)
    fakes_have_the_shape_of_data(trainer)
    assert len(recipe(device="cpu", data=data.faces(50)).data) == 50


def test_mnist_paper():
    trainer = recipes.mnist_paper(device="cpu")
    G, D = trainer.generator, trainer.discriminator
    assert linear(G) == [100, 1200, 1200, 784] and kinds(G) == [nn.ReLU] * 2 + [nn.Sigmoid]
    assert linear(D) == [784, 240 * 5, 240 * 5, 1] and kinds(D) == [nn.Dropout, Maxout] * 2 + [nn.Dropout]
    assert [layer.shape for layer in D.net if isinstance(layer, Maxout)] == [(240, 5)] * 2
    assert [layer.p for layer in D.net if isinstance(layer, nn.Dropout)] == [0.2, 0.5, 0.5]
    for net, bound in ((G, 0.05), (D, 0.005)):
        for layer in net.modules():
            if isinstance(layer, nn.Linear):
                assert 0.98 * bound < layer.weight.abs().max() <= bound
    seen = []
    D.net.register_forward_pre_hook(lambda net, x: seen.append(x[0]))
    D(torch.tensor([[-1.0], [1.0]]).expand(2, 784))
    assert torch.equal(seen[0][:, 0], torch.tensor([0.0, 1.0]))  # D sees pixels in [0, 1]
    assert trainer.order == "simultaneous" and (trainer.batch_size, trainer.steps) == (100, 250 * 500)
    assert len(trainer.data) == 50_000 and torch.equal(trainer.data.labels, data.mnist("train").labels[:50_000])
    z = trainer.latent.sample((2000,))
    assert z.shape == (2000, 100) and z.abs().max() <= math.sqrt(3) and z.std() == pytest.approx(1, abs=0.01)
    fakes_have_the_shape_of_data(trainer)


def test_mnist_paper_starts_at_the_mean_image():
    trainer = recipes.mnist_paper(device="cpu")
    mean_image = data.mnist("train").images[:50_000].double().mean(0).flatten() / 127.5 - 1
    torch.manual_seed(0)
    assert (trainer.sample(500).mean(0) - mean_image).abs().mean() < 0.02
    trainer.generator.net[-1].weight.data.zero_()
    assert torch.allclose(trainer.sample(1)[0].double(), mean_image, atol=1e-5)


def test_mnist_paper_schedule():
    trainer = recipes.mnist_paper(device="cpu", batch_size=2)
    assert rates(trainer) == (0.05, 0.1) and isinstance(trainer.optimizer_d, torch.optim.SGD)
    for done in (0, 50_000, 125_000):
        trainer.steps_done = done
        for optimizer in (trainer.optimizer_d, trainer.optimizer_g):
            optimizer.param_groups[0]["steps"] = done
        trainer.step()
        for optimizer, lr in ((trainer.optimizer_d, 0.05), (trainer.optimizer_g, 0.1)):
            group = optimizer.param_groups[0]
            assert group["lr"] == pytest.approx(lr / 1.000004**done)
            assert group["momentum"] == pytest.approx(0.5 + 0.2 * done / 125_000)


def test_rising_momentum_by_hand():
    weight = nn.Parameter(torch.tensor(1.0))
    optimizer = RisingMomentum([weight], lr=0.1, over=4)
    w, velocity = 1.0, 0.0
    for t in range(7):
        optimizer.zero_grad()
        (weight**2 / 2).backward()
        optimizer.step()
        velocity = (0.5 + 0.05 * min(t, 4)) * velocity + w
        w -= 0.1 * velocity
        assert weight.item() == pytest.approx(w, abs=1e-6)


@pytest.mark.parametrize("recipe", RECIPES)
def test_recipes_leave_the_learners_randomness_alone(recipe):
    torch.manual_seed(8)
    before = torch.get_rng_state()
    a = recipe(seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(1)
    b, c = recipe(seed=1), recipe(seed=2)
    x, y, other = (torch.cat([w.flatten() for w in t.discriminator.parameters()]) for t in (a, b, c))
    assert torch.equal(x, y) and not torch.equal(x, other)
    assert a.seed == 1


@pytest.mark.parametrize("recipe", RECIPES)
def test_settings_can_be_changed(recipe):
    changed = {"lr_d": 0.125, "batch_size": 7, "loss": losses.least_squares, "steps": 9, "average": 0.5}
    trainer = recipe(**changed, device="cpu")
    assert (trainer.lr_d, trainer.batch_size, trainer.steps) == (0.125, 7, 9)
    assert trainer.loss is losses.least_squares and trainer.averaged is not None


def test_data_can_be_changed():
    source = Normal(-3.0, 0.5)
    D = recipes.gaussian(data=source).discriminator
    assert D.inputs.mean == pytest.approx(-3, abs=0.3) and D.inputs.sd == pytest.approx(0.5, abs=0.2)
    images = data.mnist("test")[:50]
    assert recipes.mnist_quick(data=images, device="cpu").data.images.data_ptr() == images.images.data_ptr()


@pytest.mark.parametrize("recipe", RECIPES)
def test_unknown_settings_are_named(recipe):
    with pytest.raises(TypeError, match="learning_rate"):
        recipe(learning_rate=0.1)


@pytest.mark.slow
def test_twenty_seeds_as_recorded():
    record = data.saved_record("gaussian_20_seeds")["rows"]
    for (row, ends), successes in zip(table().items(), (20, 20, 0), strict=True):
        assert sum(found(*end) for end in ends) == sum(line[3] for line in record[row]) == successes
        for (mean, sd), (_, recorded_mean, recorded_sd, _) in zip(ends, record[row], strict=True):
            assert (mean, sd) == (pytest.approx(recorded_mean, abs=0.05), pytest.approx(recorded_sd, abs=0.05))


def test_mnist_paper_cut_short_is_the_start_of_the_whole():
    trainer = recipes.mnist_paper(steps=10, device="cpu")
    for _ in trainer.run():
        pass
    group = trainer.optimizer_g.param_groups[0]
    assert group["lr"] == pytest.approx(0.1 * 1.000004**-9) and group["momentum"] == pytest.approx(
        0.5 + 0.2 * 9 / 125_000
    )


def test_plane_takes_any_data_of_two_numbers():
    grid = data.ring(modes=25, radius=1.0)
    trainer = recipes.plane(seed=3, data=grid, width=64, k=2)
    list(trainer.run(2))
    assert trainer.sample(5).shape == (5, 2) and trainer.k == 2 and trainer.data is grid
    assert [layer.out_features for layer in trainer.generator.net if hasattr(layer, "out_features")] == [64, 64, 2]
    with pytest.raises(ValueError, match=r"width: got 1;.*>= 2"):
        recipes.plane(data=grid, width=1)


def test_the_ring_is_a_plane_of_width_32():
    ours, theirs = recipes.ring(seed=1), recipes.plane(seed=1, data=data.ring(), width=32)
    for trainer in (ours, theirs):
        list(trainer.run(3))
    for a, b in zip(ours.generator.parameters(), theirs.generator.parameters(), strict=True):
        assert torch.equal(a, b)
