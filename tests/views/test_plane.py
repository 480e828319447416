"""The plane seen from above, live, against gradients by differences and against what was measured."""

import base64
import copy
import io
import re
import time
from xml.etree import ElementTree

import matplotlib.pyplot as plt
import numpy as np
import PIL.Image
import pytest
import torch
from torch import nn
from torch.optim import SGD
from torch.testing import assert_close

from gan_lessons import data, live, losses, metrics, plots, recipes, seen, style, views
from gan_lessons.live import controls
from gan_lessons.optimizers import adam

SVG = "{http://www.w3.org/2000/svg}"
LOSSES = list(losses.NAMED.values())


@pytest.fixture(scope="module")
def gan():
    trainer = recipes.ring(seed=1)
    for _ in trainer.run(60):
        pass
    return trainer


def with_a_known_d(**settings):
    """D = 1/2 on the line x_1 = 0.3, and the logit there rises by 2 for each unit to the right."""

    class Slope(nn.Linear):
        def forward(self, x):
            return super().forward(x).squeeze(-1)

    trainer = recipes.ring(seed=0, **settings)
    vars(trainer)["discriminator"] = Slope(2, 1)
    trainer.discriminator.weight.data[:] = torch.tensor([[2.0, 0.0]])
    trainer.discriminator.bias.data[:] = -0.6
    return trainer


def picture(trainer, track=None):
    view = views.Plane()
    root = ElementTree.fromstring(view.draw(trainer, track or [{"step": 0, **view.measure(trainer)}]))
    return root, root.findall(f"{SVG}svg")


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("pack", [1, 2])
def test_the_push_is_where_g_s_loss_falls(loss, pack):
    trainer = recipes.ring(seed=2, loss=loss, pack=pack)
    now, h = seen.scene(trainer, arrows=5), 1e-4
    assert now.push.shape == (5, 2)
    D = copy.deepcopy(trainer.discriminator).double()

    def total(x):  # of 200 losses, one per fake
        return 200 * loss.generator(D(now.x_real.double()), D(x))

    for i in range(5):
        for axis in range(2):
            move = torch.zeros(200, 2, dtype=torch.double)
            move[i, axis] = h
            x = now.x_fake.double()
            slope = (total(x + move) - total(x - move)).item() / (2 * h)
            assert now.push[i, axis].item() == pytest.approx(-slope, rel=1e-3, abs=1e-5)


def test_the_map_is_d_at_the_middle_of_each_field(gan):
    now = seen.scene(gan, half_width=2.0, n=8)
    assert_close(now.axis, torch.tensor([-1.75, -1.25, -0.75, -0.25, 0.25, 0.75, 1.25, 1.75]).expand(2, 8))
    with torch.no_grad():
        for row, column in ((0, 0), (1, 6), (7, 2)):
            x = torch.tensor([[now.axis[0, column], now.axis[1, row]]])
            assert_close(now.D[row, column], gan.discriminator(x).sigmoid()[0])


def test_the_lines_are_g_of_an_even_grid(gan):
    now = seen.scene(gan)
    with torch.no_grad():
        corner, side = gan.generator(torch.tensor([[-2.0, -2.0], [1.5, -2.0]]))
    assert now.lines.shape == (18, 17, 2)
    assert_close(now.lines[0, 0], corner)
    assert_close(now.lines[9, 0], corner)
    assert_close(now.lines[7, 0], side)  # z_1 = 1.5 all along the eighth row
    assert_close(now.lines[9, 14], side)  # z_2 = -2 all along the tenth


def test_looking_disturbs_nothing(gan):
    before = copy.deepcopy(gan.state_dict())
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    one, other = picture(gan)[0], picture(gan)[0]
    assert torch.rand(1) == expected
    assert ElementTree.tostring(one) == ElementTree.tostring(other)
    after = gan.state_dict()
    for player in ("generator", "discriminator"):
        assert all(torch.equal(before[player][name], after[player][name]) for name in before[player])
    assert torch.equal(before["random_states"]["cpu"], after["random_states"]["cpu"])
    assert all(weight.grad is None or weight.grad.isfinite().all() for weight in gan.generator.parameters())


def test_modes_are_counted_as_metrics_counts_them(gan):
    trainer = copy.deepcopy(gan)
    last = trainer.generator.net[-1]
    last.weight.data *= 0.01
    last.bias.data = torch.tensor([2.0, 0.0])  # all fakes near one mode
    measured = views.Plane().measure(trainer)
    assert measured["modes found"] == 1 and isinstance(measured["modes found"], int)
    torch.manual_seed(0)
    x = trainer.sample(50_000)
    _, good = metrics.modes(x, trainer.data.component_distribution.mean, 0.1)
    assert measured["good"] == pytest.approx(good, abs=0.04)


def test_svg_shows_the_map_the_right_way_up():
    _, (plane, *_) = picture(with_a_known_d())
    (image,) = plane.findall(f"{SVG}image")
    data = base64.b64decode(next(v for k, v in image.attrib.items() if k.endswith("href")).split(",")[1])
    pixels = np.asarray(PIL.Image.open(io.BytesIO(data)).convert("RGB")).astype(float)
    assert pixels.shape == (50, 50, 3)
    assert (pixels[:, -1] < pixels[:, 0]).any(axis=1).all()  # bluer to the right, in every row
    blue = re.escape(style.STYLE["D"]["color"])
    (half,) = [path for path in plane.iter(f"{SVG}path") if re.fullmatch(blue, path.get("stroke", ""))]
    places = np.array([[float(n) for n in pair] for pair in re.findall(r"[ML]([-\d.]+) ([-\d.]+)", half.get("d"))])
    width, height = float(plane.get("width")), float(plane.get("height"))
    assert places[:, 0] / width * 6 - 3 == pytest.approx(0.3, abs=0.02)
    assert places[:, 1].min() < 0.05 * height and places[:, 1].max() > 0.95 * height
    trainer = with_a_known_d()
    trainer.discriminator.weight.data[:] = torch.tensor([[0.0, 2.0]])
    _, (plane, *_) = picture(trainer)
    data = base64.b64decode(plane.find(f"{SVG}image").attrib["href"].split(",")[1])
    pixels = np.asarray(PIL.Image.open(io.BytesIO(data)).convert("RGB")).astype(float)
    assert (pixels[0] < pixels[-1]).any(axis=1).all()  # bluer upwards


def test_svg_arrows_go_up_d_s_slope():
    root, (plane, *_) = picture(with_a_known_d())
    (group,) = plane.findall(f"{SVG}g[@class='gl-pushes']")
    assert group.get("stroke") == style.STYLE["push"]["color"] != style.STYLE["data"]["color"]
    arrows = [path.get("d") for path in group.iter(f"{SVG}path")]
    ends = np.array([[float(n) for n in re.findall(r"-?[\d.]+", d)] for d in arrows])
    feet, heads = ends[:, :2], ends[:, 2:]
    assert len(arrows) == 30
    assert (heads[:, 0] > feet[:, 0]).all() and heads[:, 1] == pytest.approx(feet[:, 1], abs=0.1)
    now = seen.scene(with_a_known_d())
    lengths = heads[:, 0] - feet[:, 0]
    pushes = now.push.norm(dim=1).numpy()
    assert lengths / lengths.max() == pytest.approx(pushes / pushes.max(), abs=0.02)
    longest = 2 * (1 - torch.sigmoid(2 * now.x_fake[:30, 0] - 0.6).min())  # of -log D: slope (1 - D) in the logit
    words = [element.text for element in root.iter(f"{SVG}text")]
    assert f"longest push: {longest:.2g}" in words


def test_svg_says_what_it_leaves_out():
    packed = recipes.ring(seed=0, pack=2)
    root, (plane, *_) = picture(packed)
    assert not plane.findall(f"{SVG}image")
    assert any("no map" in element.text for element in root.iter(f"{SVG}text"))
    trainer = recipes.ring(seed=0)
    trainer.generator.net[-1].bias.data = torch.tensor([9.0, 0.0])
    root, _ = picture(trainer)
    assert any(element.text == "200 of 200 fakes are outside" for element in root.iter(f"{SVG}text"))
    one_number = recipes.three_bumps(seed=0, pack=2)
    view = views.Figure1()
    drawn = view.draw(one_number, [{"step": 0, **view.measure(one_number)}])
    assert "no D(x) to draw" in drawn
    trainer = recipes.three_bumps(seed=0)
    assert "no D(x) to draw" not in view.draw(trainer, [{"step": 0, **view.measure(trainer)}])


def test_svg_is_small_and_much_quicker_than_matplotlib(gan):
    view = views.Plane()
    track = [{"step": 10 * i, **view.measure(gan)} for i in range(400)]

    def seconds(draw):
        began = time.process_time()
        draw()
        return time.process_time() - began

    def matplotlib():
        figure, ax = plt.subplots()
        plots.plane(*seen.scene(gan), ax=ax)
        figure.savefig(io.BytesIO())
        plt.close(figure)

    assert len(view.draw(gan, track)) < 40_000
    took = [(seconds(lambda: view.draw(gan, track)), seconds(matplotlib)) for _ in range(8)]
    quick, slow = (min(column) for column in zip(*took, strict=True))
    assert quick < slow / 5, (quick, slow)


def test_counts_are_drawn_by_step(gan):
    track = [{"step": 100 * i, "modes found": i, "good": i / 8} for i in range(9)]
    _, boxes = picture(gan, track)
    for box in boxes[1:]:
        green = [p for p in box.iter(f"{SVG}path") if p.get("stroke") == style.STYLE["fakes"]["color"]]
        y = [float(pair[1]) for pair in re.findall(r"[ML]([-\d.]+) ([-\d.]+)", green[0].get("d"))]
        assert y[0] == pytest.approx(float(box.get("height"))) and y[-1] == pytest.approx(0)


def test_the_controls_of_lesson_06_begin_a_new_game():
    panel = live.Panel(recipes.ring, views.Plane(), controls.pack(), controls.optimizer(), name="a test")
    panel.run(3)
    assert panel.trainer.steps_done == 3 and not seen.packed(panel.trainer)
    panel.begin(pack=2, optimizer="SGD", lr_d=0.1)
    panel.run(1)
    assert panel.trainer.steps_done == 1 and seen.packed(panel.trainer)
    assert type(panel.trainer.optimizer_d) is SGD
    assert "pack=2" in panel._code.value and "optimizer=torch.optim.SGD" in panel._code.value
    status = panel._picture.value.partition("gl-status")[2]
    assert "modes found" in status and "good" in status
    panel.close()


def test_the_optimizers_are_what_their_code_says():
    control = controls.optimizer()
    assert control.make(*control.values()) is adam and control.code(*control.values()) == "optimizers.adam"
    control.inputs[0].value = "SGD"
    assert control.make(*control.values()) is SGD and control.code(*control.values()) == "torch.optim.SGD"


# -- other data --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("centre", "sd", "half"), [((0.0, 0.0), 1.0, 4.0), ((1000.0, -4.0), 20.0, 70.0), ((0.01, 0.02), 0.001, 0.004)]
)
def test_it_looks_where_the_points_are(centre, sd, half):
    source = torch.distributions.Independent(torch.distributions.Normal(torch.tensor(centre), sd), 1)
    trainer = recipes.plane(data=source, width=8)
    trainer.step()
    now = seen.scene(trainer)
    step = (now.axis[:, 1] - now.axis[:, 0]).tolist()
    assert step == pytest.approx([half / 25] * 2, rel=0.2)
    middle = ((now.axis[:, 0] + now.axis[:, -1]) / 2).tolist()
    assert middle == pytest.approx(centre, abs=0.1 * half)
    _, (box, *_) = picture(trainer)
    (points,) = [path for path in box.findall(f"{SVG}path") if path.get("stroke") == style.STYLE["data"]["color"]]
    at = np.array(re.findall(r"M(-?[\d.]+) (-?[\d.]+)h0", points.get("d")), float)
    assert len(at) == 200 and ((at > 0) & (at < 290)).mean() > 0.99
    assert_close(
        torch.from_numpy(at[:, 0]),
        (now.x_real[:, 0] - middle[0]).double() / (step[0] * 50) * 290 + 145,
        rtol=0,
        atol=0.2,
    )
    figure, ax = plt.subplots()
    plots.plane(*now, ax=ax)
    half_width = 25 * step[0]
    assert ax.get_xlim() == pytest.approx((middle[0] - half_width, middle[0] + half_width), rel=1e-3)
    assert ax.get_ylim() == pytest.approx((middle[1] - half_width, middle[1] + half_width), rel=1e-3)
    plt.close(figure)


def test_the_ring_is_seen_as_ever():
    now = seen.scene(recipes.ring())
    assert_close(now.axis, ((torch.arange(50) + 0.5) / 50 * 6 - 3).expand(2, 50), rtol=0, atol=1e-6)


def test_a_z_of_other_than_two_numbers_has_no_grid():
    latent = torch.distributions.Independent(torch.distributions.Normal(torch.zeros(5), 1.0), 1)
    trainer = recipes.ring()
    vars(trainer).update(generator=nn.Linear(5, 2), latent=latent)
    assert seen.scene(trainer).lines.shape == (0, 17, 2)
    picture(trainer)


@pytest.mark.parametrize(
    ("view", "recipe", "message"),
    [
        (views.Plane, recipes.gaussian, r"data: got x of shape \(\); views.Plane needs points of the plane"),
        (views.Figure1, recipes.ring, r"data: got x of shape \(2,\); views.Figure1 needs numbers"),
        (views.Images, recipes.gaussian, r"data: got x of shape \(\); views.Images needs pictures"),
        (views.Images, recipes.ring, r"data: got x of shape \(2,\); views.Images needs pictures"),
        (views.Figure1, lambda: recipes.mnist_quick(device="cpu"), r"data: got x of shape \(784,\); views.Figure1"),
        (views.Plane, lambda: recipes.mnist_quick(device="cpu"), r"data: got x of shape \(784,\); views.Plane"),
    ],
)
def test_a_view_of_other_data_is_refused_by_name_when_a_panel_is_made(view, recipe, message):
    with pytest.raises(ValueError, match=message):
        live.Panel(recipe, view())


def test_a_latent_that_figure_1_cannot_follow_is_refused_when_a_panel_is_made():
    with pytest.raises(ValueError, match="latent: got Poisson"):
        live.Panel(recipes.gaussian, views.Figure1(), latent=torch.distributions.Poisson(3.0))


@pytest.mark.parametrize(("low", "high"), [(3.0, 3.0), (4.0, 3.0)])
def test_limits_that_are_none(low, high):
    with pytest.raises(ValueError, match=f"low, high: got {low} and {high}"):
        views.Figure1(low, high)
    with pytest.raises(ValueError, match="half_width: got 0"):
        views.Plane(0)


def test_of_other_shapes_it_counts_how_much_is_reached():
    trainer = recipes.plane(data=data.moons(), width=8)
    view = views.Plane()
    now = view.measure(trainer)
    assert {"fakes on the data", "data reached"} <= now.keys() and "modes found" not in now
    picture = view.draw(trainer, [{"step": 0, **now}])
    assert "share of fakes on the data" in picture and "share of data reached" in picture
    vars(trainer)["latent"] = data.moons()  # and G hands it on
    vars(trainer)["generator"] = nn.Identity()
    assert min(seen.reach(trainer).values()) > 0.98


def test_pushes_can_be_left_out():
    trainer = recipes.plane(data=data.spiral(), width=8)
    view = views.Plane()
    track = [{"step": 0, **view.measure(trainer)}]
    assert "gl-pushes" in view.draw(trainer, track)
    view.pushes = False
    assert "gl-pushes" not in view.draw(trainer, track)
