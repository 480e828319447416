import math

import pytest
import torch
from torch import nn
from torch.nn.functional import normalize

from gan_lessons import attributes, data, recipes
from gan_lessons.devices import seeded

W = normalize(torch.tensor([[1.0, 2.0, 0.0, -1.0, 0.5, 0.0], [0.0, 1.0, -1.0, 1.0, 0.0, 2.0]]), dim=1)
W[1] = normalize(W[1] - (W[1] @ W[0]) * W[0], dim=0)  # at a right angle to the first


def straight(z):
    """Two attributes, each on one side of a plane."""
    return z @ W.T > torch.tensor([0.3, -0.2])


def bent(z):
    """The first attribute where two numbers have one sign, which no plane tells; the second on one side of one."""
    return torch.stack([z[:, 0] * z[:, 1] > 0, z[:, 2] > 0], dim=1)


def draws(n, seed=0):
    return torch.randn(n, 6, generator=torch.Generator().manual_seed(seed))


def test_a_linear_rule_finds_the_plane():
    z = draws(4000)
    rule = attributes.linear_rule(z, straight(z))
    assert (rule.directions @ W.T).diagonal().min() > 0.999
    new = draws(2000, 1)
    assert (rule(new) == straight(new)).double().mean() > 0.995


def test_a_linear_rule_is_at_the_bottom():
    """The gradient of the loss as its docstring writes it is 0, at labels that no plane tells apart."""
    z = draws(500).double()
    yes = bent(z) ^ (torch.rand(500, 2, generator=torch.Generator().manual_seed(2)) < 0.2)
    rule = attributes.linear_rule(z, yes, ridge=0.1)
    w, b = (part.double().requires_grad_() for part in rule)
    signs = 2.0 * yes - 1
    loss = -(signs * (z @ w + b)).sigmoid().log().mean(dim=0).sum() + 0.05 * w.square().sum()
    for slope in torch.autograd.grad(loss, (w, b)):
        assert slope.abs().max() < 1e-4


@pytest.mark.slow
def test_what_is_linear_is_read_by_both_and_what_is_bent_by_the_net_alone():
    z, new = draws(4000), draws(2000, 1)
    found = attributes.accuracies(z, straight(z), new, straight(new))
    assert found.linear.min() > 0.99 and found.net.min() > 0.97
    found = attributes.accuracies(z, bent(z), new, bent(new))
    assert found.linear[0] < 0.58 and found.net[0] > 0.93 and found.linear[1] > 0.99
    rare = draws(1000) > 1.0
    share = rare.double().mean(dim=0)
    assert torch.allclose(attributes.accuracies(draws(1000), rare, draws(1000), rare).commoner, 1 - share)


def test_moving_along_a_direction():
    z, steps = draws(20_000), (-3.0, -0.5, 0.0, 1.0, 6.0)
    shares, kept = attributes.along(straight, z, W[0], steps)
    above = torch.distributions.Normal(0.0, 1.0).cdf(torch.tensor(steps) - 0.3)  # the plane is at 0.3
    assert shares[:, 0].tolist() == pytest.approx(above.tolist(), abs=0.01)
    assert (kept[:, 1] == 1).all() and (kept[2] == 1).all()  # at a right angle; not moved
    assert kept[4, 0].item() == pytest.approx(above[2].item(), abs=0.01)
    tilted = normalize(W[0] + W[1], dim=0)
    _, kept = attributes.along(straight, z, tilted, steps)
    assert kept[4, 1] < 0.8


def test_the_usual_length_is_that_of_draws():
    assert attributes.usual(draws(50)).norm(dim=1).tolist() == pytest.approx([math.sqrt(6)] * 50)
    z = torch.randn(4000, 32, generator=torch.Generator().manual_seed(0))
    assert z.norm(dim=1).mean().item() == pytest.approx(attributes.usual(z[0]).norm().item(), rel=0.02)


def test_arithmetic_is_what_it_says():
    a, b, c = torch.tensor([[3.0, 0.0]]), torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 2.0]])
    assert torch.allclose(attributes.arithmetic(a, b, c), torch.tensor([[1.0, 1.0]]))


def test_sums_work_with_a_plane_and_not_with_a_bend():
    z = draws(4000)
    with seeded(0):
        found = attributes.sums(straight, z, straight(z), 0, 1, count=50)
        assert found.both > 0.98 and found.chance < 0.4 and found.has_a > 0.98 and found.without_b > 0.98
        single = attributes.sums(straight, z, straight(z), 0, 1, count=1)
        assert single.chance + 0.1 < single.both < found.both
        nowhere = attributes.sums(straight, z, straight(z), 0, 1, count=50, part=0.0)
        assert (
            nowhere.both == nowhere.chance == nowhere.has_a == 0 and nowhere.without_b > 0.98
        )  # all stay at the start
        found = attributes.sums(bent, z, bent(z), 0, 1, count=50, n=2000)
        plain = (bent(z)[:, 0] & ~bent(z)[:, 1]).double().mean().item()
        assert found.both == pytest.approx(found.chance, abs=0.06) and found.both < 0.6
        assert plain == pytest.approx(0.25, abs=0.03)


def test_a_sum_fails_where_the_corners_are_of_no_parallelogram():
    """A is on one side of a plane for those with B, and on the other for those without."""

    def turned(z):
        return torch.stack([z[:, 0] * z[:, 1] > 0, z[:, 1] > 0], dim=1)

    z = draws(4000)
    assert attributes.gap(z, straight(z), 0, 1) < 0.2 and attributes.gap(z, turned(z), 0, 1) > 1.8
    with seeded(0):
        found = attributes.sums(turned, z, turned(z), 0, 1, count=50)
    assert found.both < 0.05 < found.chance and found.without_b > 0.95 and found.has_a < 0.05


def test_the_gap_is_that_of_four_means():
    z = torch.tensor([[4.0, 0.0], [1.0, 0.0], [0.0, 2.0], [3.0, 5.0]])
    yes = torch.tensor([[1, 1], [0, 1], [0, 0], [1, 0]]).bool()
    assert attributes.gap(z, yes, 0, 1) == pytest.approx(1.0)  # (3, 2) and (3, 5) are 3 apart, the step is 3 long


def test_the_sheet_goes_through_three_of_four():
    corners = draws(4, 5)
    spots, middle, grid = attributes.sheet(corners, 2.0, 5)
    assert torch.allclose(torch.cdist(spots[:3], spots[:3]), torch.cdist(corners[:3], corners[:3]), atol=1e-5)
    assert torch.allclose(spots[0] - spots[1], torch.tensor([(corners[0] - corners[1]).norm(), 0.0]), atol=1e-5)
    assert torch.allclose(middle, spots.mean(dim=0)) and grid.shape == (5, 5, 6)
    assert torch.allclose(grid.norm(dim=2), torch.tensor(math.sqrt(6)))
    plane = torch.linalg.lstsq(corners[:3].T, grid.flatten(0, 1).T).solution  # each is a mixture of the three
    assert torch.allclose(corners[:3].T @ plane, grid.flatten(0, 1).T, atol=1e-4)


def test_a_sum_needs_all_its_groups():
    z = draws(100)
    with pytest.raises(ValueError, match="got none of a group; with attributes 0 and 1"):
        attributes.sums(straight, z, torch.ones(100, 2, dtype=torch.bool), 0, 1, count=3)


def test_means_are_of_so_many():
    z = draws(5000)
    with seeded(0):
        spread = attributes.means(z, 25, 4000).std(dim=0)
    assert spread.tolist() == pytest.approx([0.2] * 6, abs=0.01)


def generator():
    with seeded(0):
        G, latent = recipes.faces_dcgan_generator()
        return G.eval().requires_grad_(False), latent.sample((8,))


def test_switched_off_maps_are_zero_to_the_last_convolution():
    G, z = generator()
    maps = attributes.maps(G, z)
    assert torch.allclose(G.net[-2:](maps), G(z), atol=1e-6) and maps.min() == 0
    maps[:, [3, 5]] = 0
    twin = attributes.switched_off(G, torch.tensor([3, 5]))
    assert torch.allclose(twin(z), G.net[-2:](maps), atol=1e-6)
    assert not torch.allclose(twin(z), G(z), atol=1e-3)
    assert torch.equal(attributes.switched_off(G, [])(z), G(z))


def test_the_map_that_goes_with_an_attribute():
    maps = torch.rand(400, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    has = torch.arange(400) % 2 == 0
    maps[has, 1] += 0.1
    maps[~has, 2] += 0.1
    found = attributes.goes_with(maps, has)
    assert found[1] > 1 and found[2] < -1 and abs(found[0]) < 0.4


def test_what_rests_on_a_map_is_what_falls_with_it(monkeypatch):
    """With a G and a reader that are linear in the maps the logit falls by just so much."""
    G, z = generator()
    G.net[-1] = nn.Identity()
    weight = torch.randn(3 * 32 * 32, 4, generator=torch.Generator().manual_seed(1))
    monkeypatch.setattr(attributes.pretrained, "reader", lambda: lambda x: x.flatten(1) @ weight)
    maps, logits = attributes.maps(G, z), G(z).flatten(1) @ weight
    share = attributes.rests_on(G, maps, 2)
    for channel in (0, 7):
        off = attributes.switched_off(G, [channel])(z).flatten(1) @ weight
        assert (logits - off)[:, 2].mean().item() == pytest.approx(share[channel].item(), abs=1e-3)


def test_what_is_lost_and_what_stays():
    before = torch.tensor([[1, 1, 0], [1, 0, 0], [1, 1, 1], [1, 0, 1], [0, 1, 1]]).bool()
    after = torch.tensor([[0, 1, 0], [0, 1, 0], [1, 1, 1], [1, 0, 0], [0, 0, 0]]).bool()
    assert attributes.outcome(before, after, 0) == pytest.approx((2 / 4, 6 / 8, 1 / 4))


def test_reading_asks_the_reader():
    class Drawn(nn.Module):
        def forward(self, z):
            return faces[z[:, 0].long()].float() / 127.5 - 1

    people = data.faces(600, seed=3)
    faces = people.images
    read = attributes.reading(Drawn())(torch.arange(600.0)[:, None])
    assert (read == people.labels).double().mean() > 0.998
