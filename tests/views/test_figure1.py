"""The pictures, read back from their SVG, against closed forms and against the trainer they show."""

import base64
import copy
import io
import math
import re
from xml.etree import ElementTree

import matplotlib.pyplot as plt
import numpy as np
import PIL.Image
import pytest
import torch
from scipy.stats import norm
from torch import nn
from torch.distributions import Beta, Independent, Normal, Uniform
from torch.testing import assert_close

from gan_lessons import Trainer, data, devices, hill, losses, plots, recipes, seen, svg
from gan_lessons.models import MLPDiscriminator, MLPGenerator
from gan_lessons.style import STYLE
from gan_lessons.views import Figure1, Images, Plane, figure1

SVG = "{http://www.w3.org/2000/svg}"


def one_number(mu=495.0, sigma=3.0, rounds=0, **settings):
    trainer = recipes.gaussian(start=(mu, sigma), decay=None, **settings)
    for _ in trainer.run(rounds):
        pass
    return trainer


class Noise:
    def sample(self, shape):
        return torch.rand(*shape, 784) * 2 - 1


def digits(latent=None, **settings):
    with devices.seeded(0):
        G = MLPGenerator(4, 16, 784, batch_norm=True, output=nn.Tanh())
        D = MLPDiscriminator(784, 8, 1, dropout=0.3)
    latent = latent or Independent(Normal(torch.zeros(4), 1.0), 1)
    rest = {"latent": latent, "lr_d": 0.01, "lr_g": 0.01, "batch_size": 8, "device": "cpu"}
    return Trainer(G, D, Noise(), **(rest | settings))


def picture(view, trainer, track=None):
    """The whole picture, and each rectangle with axes of its own."""
    root = ElementTree.fromstring(view.draw(trainer, track or [{"step": 0, **view.measure(trainer)}]))
    return root, root.findall(f"{SVG}svg")


def read(root, mode):
    """The pixels of its first image: "L" grey or "RGB"."""
    uri = root.find(f"{SVG}image").get("href")
    return np.asarray(PIL.Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).convert(mode))


def numbers(element, *names):
    return [float(element.get(name)) for name in names]


def lines(box, style):
    """Each line of this style: its strokes, as arrays (n, 2) of pixels from the box's corner."""
    found = []
    for path in box.findall(f"{SVG}path"):
        if path.get("class") == f"gl-{style.replace('*', '-star')}":
            strokes = path.get("d").split("M")[1:]
            found.append([np.array(re.findall(r"(-?[\d.]+) (-?[\d.]+)", stroke), float) for stroke in strokes])
    return found


def units(root, box, axis):
    """From pixels of the box to the units of its axis, by the numbers written there."""
    left, top, width, height = numbers(box, "x", "y", "width", "height")
    at, read = [], []
    for text in root.findall(f"{SVG}text"):
        x, y = numbers(text, "x", "y")
        below = axis == "x" and y == top + height + 14 and left - 1 <= x <= left + width + 1
        beside = axis == "y" and x == left - 5 and top <= y - 4 <= top + height
        if (below or beside) and re.fullmatch(r"-?[\d.e-]+", text.text or ""):
            at.append(x - left if axis == "x" else y - 4 - top)
            read.append(float(text.text))
    assert len(at) >= 3
    return np.polynomial.Polynomial.fit(at, read, 1)


def texts(root):
    return [text.text for text in root.iter(f"{SVG}text")]


# -- Figure 1 ----------------------------------------------------------------------------------------------------------


def value(pixels, top):
    """From pixels of the hill's box to what is drawn: 0 is 0, and `top` stands where D would be at the ceiling."""
    from_floor = (figure1.HEIGHT - pixels) / figure1.HEIGHT * (figure1.CEILING - figure1.FLOOR)
    return (from_floor + figure1.FLOOR) / figure1.CEILING * top


@pytest.mark.parametrize("latent", ["normal", "uniform"])
def test_the_four_curves(latent):
    settings = {} if latent == "normal" else {"latent": Uniform(-(3**0.5), 3**0.5)}
    trainer = one_number(495, 3, **settings)
    root, (box, *_) = picture(Figure1(D_star=True), trainer)
    to_x = units(root, box, "x")
    (data,) = lines(box, "data")[0]
    x = to_x(data[:, 0])
    assert_close(x, np.linspace(470, 530, 101), rtol=0, atol=0.1)
    top = 2.2 * norm.pdf(500, 500, 5)
    p_data, p_g = norm.pdf(x, 500, 5), norm.pdf(x, 495, 3)
    if latent == "uniform":
        edge = 3 * 3**0.5
        p_g = np.where(abs(x - 495) < edge, 1 / (2 * edge), 0)
    assert_close(value(data[:, 1], top), p_data, rtol=0, atol=1e-3)
    (fakes,) = lines(box, "fakes")[0]
    assert_close(value(fakes[:, 1], top), p_g, rtol=0, atol=2e-3)

    faint, strong = lines(box, "D")
    assert value(lines(box, "guide")[0][0][0, 1], figure1.CEILING) == pytest.approx(0.5, abs=1e-3)
    D = trainer.discriminator(torch.linspace(470, 530, 101)).sigmoid().detach().numpy()
    for stroke in faint:  # on both sides of the strong one, up to its ends
        i = np.searchsorted(x, to_x(stroke[0, 0]) - 0.25)
        assert_close(value(stroke[:, 1], figure1.CEILING), D[i : i + len(stroke)].astype(float), rtol=0, atol=2e-3)
    assert sum(map(len, faint)) + len(strong[0]) in (101, 103) and faint[0][-1, 0] == strong[0][0, 0]
    for (best,), wanted in ((lines(box, "D*")[0], p_data / (p_data + p_g)), (strong, D)):
        i = np.searchsorted(x, to_x(best[0, 0]) - 0.25)
        drawn = value(best[:, 1], figure1.CEILING)
        assert_close(drawn, wanted[i : i + len(best)].astype(float), rtol=0, atol=5e-3)
        seen = (p_data + p_g) > 1e-4 * (p_data + p_g).max()
        assert len(best) == seen.sum() and i == seen.argmax()
    assert lines(picture(Figure1(), trainer)[1][0], "D*") == []


def both(a, b):
    return zip(a.split(1), b.split(1), strict=True)


@pytest.mark.parametrize("loss", losses.NAMED)
def test_fakes_stand_on_the_hill_and_under_each_is_its_push(loss):
    loss = losses.NAMED[loss]
    trainer = one_number(488, 4, rounds=40, loss=loss)
    root, (box, *_) = picture(Figure1(D_star=True), trainer)
    to_x = units(root, box, "x")
    z = norm.ppf((np.arange(9) + 0.5) / 9)
    x = trainer.generator.mu.item() + trainer.generator.sigma.item() * z
    leaf = torch.tensor(x, dtype=torch.float32, requires_grad=True)
    with devices.seeded(0):
        x_real = trainer.data.sample((9,))
    D = seen.heights(trainer, leaf.detach())
    if loss.probability is not None:
        assert_close(D, loss.probability(trainer.discriminator(leaf)))
    alone = [loss.generator(trainer.discriminator(x), trainer.discriminator(y)) for x, y in both(x_real, leaf)]
    (slope,) = torch.autograd.grad(sum(alone), leaf)
    dots = [numbers(dot, "cx", "cy") for dot in box.iter(f"{SVG}circle")]
    assert_close(to_x(np.array(dots)[:, 0]), x, rtol=0, atol=0.1)
    heights = value(np.array(dots)[:, 1], figure1.CEILING)
    assert_close(heights, D.detach().numpy().astype(float), rtol=0, atol=0.01)
    arrows = [path.get("d") for path in box.iter(f"{SVG}path") if path.get("class") == "gl-push"]
    ends = np.array([re.match(r"M([-.\d]+) ([-.\d]+)H([-.\d]+)", d).groups() for d in arrows], float)
    assert_close(ends[:, 0], np.array(dots)[:, 0], rtol=0, atol=0.11)
    assert ((ends[:, 1] - np.array(dots)[:, 1]) > 5).all()  # under its fake
    push = -slope.numpy().astype(float)
    length = figure1.LONGEST * np.sign(push) * np.sqrt(np.minimum(abs(push), 1))
    assert_close(ends[:, 2] - ends[:, 0], length, rtol=0, atol=0.2)


def test_without_probabilities_there_is_no_half_and_no_best_d():
    _, (box, *_) = picture(Figure1(D_star=True), one_number(488, 4, rounds=40, loss=losses.relativistic))
    assert lines(box, "guide") == [] and all(len(line) == 0 or line == [] for line in lines(box, "D*"))
    assert len(lines(box, "D")) == 2


def test_a_push_beyond_the_scale_is_cut_and_has_two_heads():
    trainer = one_number(495, 3)
    vars(trainer)["discriminator"] = nn.Linear(1, 1).double().requires_grad_(False)
    trainer.discriminator.forward = lambda x: -3 * (x - 495)
    _, (box, *_) = picture(Figure1(D_star=True), trainer)
    arrows = [path.get("d") for path in box.iter(f"{SVG}path") if path.get("class") == "gl-push"]
    cut = [re.match(r"M([-.\d]+) [-.\d]+H([-.\d]+)", d).groups() for d in arrows if d.count("M") == 3]
    assert cut and all(float(end) - float(start) == pytest.approx(-figure1.LONGEST, abs=0.11) for start, end in cut)
    pushes = seen.push(trainer, seen.fakes(trainer).x)
    assert len(cut) == (pushes.abs() > 1).sum() < len(arrows) == 9


def test_the_best_d_is_not_drawn_where_no_x_comes_from():
    root, (box, *_) = picture(Figure1(D_star=True), one_number(475, 0.6))
    to_x = units(root, box, "x")
    left, right = lines(box, "D*")[0]  # two strokes: the pen is lifted between the two densities
    assert to_x(left[-1, 0]) < 478.5 < 479.5 < to_x(right[0, 0]) and to_x(right[-1, 0]) < 521
    assert len(lines(box, "D")[1]) == 2 and len(lines(box, "D")[0]) == 3


@pytest.mark.parametrize(
    ("sigma", "said"), [(0.0, "a spike"), (0.3, "a spike"), (-0.3, "a spike"), (1.0, "up to 0.4"), (3.0, None)]
)
def test_a_narrow_p_g(sigma, said):
    root, (box, *_) = picture(Figure1(D_star=True), one_number(490.5, sigma))
    ((line,),) = lines(box, "fakes")
    assert [text for text in texts(root) if text and text.startswith("fakes:")] == ([f"fakes: {said}"] if said else [])
    to_x = units(root, box, "x")
    if said == "a spike":
        assert_close(to_x(line[:, 0]), np.array([490.5, 490.5]), rtol=0, atol=0.1)
        assert value(line[:, 1], 1).tolist() == pytest.approx([0, 1], abs=1e-3)
    else:
        assert to_x(line[line[:, 1] == line[:, 1].min(), 0].mean()) == pytest.approx(490.5, abs=0.3)
        assert (line[:, 1].min() < 0) == (said is not None)  # goes through the top, where it is cut
    assert box.get("overflow") == "hidden"


@pytest.mark.parametrize("mu", [0.0, -1e30, 1e6])
def test_a_p_g_outside_leaves_the_picture_whole(mu):
    _, boxes = picture(Figure1(D_star=True), one_number(mu, 1.0))
    pixels = np.concatenate([stroke for box in boxes for line in lines(box, "fakes") for stroke in line])
    assert abs(pixels).max() < 1000
    (best,) = lines(boxes[0], "D*")[0]
    assert best[:, 1].max() == best[:, 1].min()  # all x are data: D* = 1


@pytest.mark.parametrize("latent", [Normal(0.0, 1.0), Normal(1.0, 2.0), Uniform(-1.0, 3.0)])
def test_arrows_go_from_equally_probable_z_to_g_of_z(latent):
    root, (game, box, _) = picture(Figure1(D_star=True), one_number(495, 4, latent=latent))
    (group,) = box.findall(f"{SVG}g[@class='gl-arrows']")
    ends = [re.fullmatch(r"M(.*) [\d.]+L(.*) 4", path.get("d")).groups() for path in group.iter(f"{SVG}path")]
    feet, heads = np.array(ends, float).T
    z = latent.icdf((torch.arange(9) + 0.5) / 9).numpy().astype(float)
    assert_close(units(root, game, "x")(heads), 495 + 4 * z, rtol=0, atol=0.2)
    line = np.polynomial.Polynomial.fit(z, feet, 1)
    assert_close(line(z), feet, rtol=0, atol=0.2)  # z has an even axis of its own
    written = [text for text in root.findall(f"{SVG}text") if text.get("y") == str(figure1.FOOT + 14)]
    for text in written:
        assert line(float(text.text)) == pytest.approx(float(text.get("x")) - figure1.LEFT, abs=2.5)
    assert len(written) == 5


@pytest.mark.parametrize("length", [1, 2, 1000])
def test_the_path_of_mean_and_sd(length):
    trainer = one_number(495, 3)
    rng = np.random.default_rng(0)
    mean, sd = 480 + np.cumsum(rng.normal(size=length)), 1 + rng.random(length)
    sd[length // 2] = 9  # for one moment
    track = [{"step": i, "mean": mean[i], "sd": sd[i]} for i in range(length)]
    root, (_, _, box) = picture(Figure1(), trainer, track)
    to_mean, to_sd = units(root, box, "x"), units(root, box, "y")

    def close(pixel, m, s):
        assert to_mean(pixel[0]) == pytest.approx(m, abs=0.02 * abs(to_mean(180) - to_mean(0)))
        assert to_sd(pixel[1]) == pytest.approx(s, abs=0.02 * abs(to_sd(float(box.get("height"))) - to_sd(0)))

    (star,) = box.findall(f"{SVG}text")
    start, now = box.findall(f"{SVG}circle")
    assert star.text == "★"
    close((float(star.get("x")), float(star.get("y")) - 7), 500, 5)
    close(numbers(start, "cx", "cy"), mean[0], sd[0])
    close(numbers(now, "cx", "cy"), mean[-1], sd[-1])
    assert (start.get("fill"), now.get("fill")) == ("white", STYLE["fakes"]["color"])
    (path,) = lines(box, "fakes")[0]
    close((0, path[:, 1].min()), to_mean(0), 9)  # no turn is left out
    close(path[0], mean[0], sd[0])
    close(path[-1], mean[-1], sd[-1])
    for point in (start, now, star):
        x, y = numbers(point, "cx", "cy") if point is not star else (float(star.get("x")), float(star.get("y")) - 7)
        assert 0 <= x <= 180 and 0 <= y <= float(box.get("height"))


def test_a_long_smooth_path_is_short_to_write():
    t = np.arange(1000)
    around = 500 + 20 * np.exp(-t / 300) * np.cos(t / 50), 8 + 6 * np.exp(-t / 300) * np.sin(t / 50)
    track = [{"step": i, "mean": m, "sd": s} for i, m, s in zip(t, *around, strict=True)]
    _, (_, _, box) = picture(Figure1(), one_number(495, 3), track)
    (path,) = lines(box, "fakes")[0]
    assert len(path) <= 300


def test_what_figure_1_measures():
    trainer = one_number(495, -3)
    assert Figure1().measure(trainer) == {"mean": pytest.approx(495), "sd": pytest.approx(3, rel=0.01)}
    record = trainer.step()
    measured = Figure1().measure(trainer)
    assert measured["mean"] == pytest.approx(trainer.generator.mu.item())
    assert (measured["loss_d"], measured["D(x)"]) == (record.loss_d.item(), record.d_real.item())
    assert (measured["loss_g"], measured["D(G(z))"]) == (record.loss_g.item(), record.d_fake.item())


@pytest.mark.parametrize(
    ("source", "low", "high"),
    [
        (Normal(500.0, 5.0), 470, 530),
        (Normal(4.0, 1.25), -3.5, 11.5),
        (Normal(-30_000.0, 900.0), -35_400, -24_600),
        (Uniform(0.0, 1.0), 0.5 - 6 / 12**0.5, 0.5 + 6 / 12**0.5),
        (data.bumps(), 473, 527),
        (data.Sample(torch.tensor([1.0, 2.0, 3.0])), 2 - 6 / 1.645, 2 + 6 / 1.645),
    ],
    ids=lambda one: type(one).__name__,
)
def test_it_looks_where_the_data_are(source, low, high):
    trainer = recipes.gaussian_mlp(data=source)
    trainer.step()
    root, (box, *_) = picture(Figure1(D_star=True), trainer)
    to_x = units(root, box, "x")
    assert_close(to_x(np.array([0.0, 460.0])), np.array([low, high], float), rtol=0, atol=0.02 * (high - low))
    (line,) = lines(box, "data")[0]
    assert line[:, 1].max() > line[:, 1].min() + 50  # p_data is there to see
    root, (box, *_) = picture(Figure1(high=high + 10), trainer)
    wide = high + 10 - low
    assert_close(units(root, box, "x")(np.array([0.0, 460.0])), np.array([low, high + 10.0]), rtol=0, atol=0.02 * wide)


@pytest.mark.filterwarnings("error")
def test_an_infinite_density_is_still_a_picture():
    trainer = recipes.gaussian_mlp(data=Beta(0.5, 0.5))
    root, (box, *_) = picture(Figure1(0.0, 1.0, D_star=True), trainer)
    places = " ".join(element.get("d", "") for element in root.iter())
    assert "nan" not in places and "inf" not in places and len(lines(box, "data")[0][0]) > 90
    curves = seen.curves(trainer, torch.linspace(0, 1, 101))
    assert curves.p_data[0] == math.inf
    figure, ax = plt.subplots()
    hill.draw(curves, None, ax)
    assert np.isfinite(ax.get_ylim()).all()
    plt.close(figure)


# -- digits ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("kind", ["normal", "uniform"])
def test_the_images_are_gs(training, kind):
    latent = Independent(Uniform(-torch.ones(4), 1.0), 1) if kind == "uniform" else None
    trainer = digits(latent)
    list(trainer.run(3))
    trainer.generator.train(training)
    torch.manual_seed(5)
    root, _ = picture(Images(), trainer)
    drawn = torch.randn(3)
    assert trainer.generator.training is training
    torch.manual_seed(5)
    assert torch.equal(torch.randn(3), drawn)  # looking drew nothing of the learner's
    with devices.seeded(0):
        z = trainer.latent.sample((40,))
    wanted = trainer.generator.eval()(z).detach().numpy()
    href = root.find(f"{SVG}image").get("href")
    assert href.startswith("data:image/png;base64,")
    image = read(root, "L")
    assert image.shape == (5 * 28, 8 * 28)
    for i in range(40):
        row, column = divmod(i, 8)
        shown = image[28 * row : 28 * row + 28, 28 * column : 28 * column + 28]
        assert np.array_equal(shown, np.round((wanted[i].reshape(28, 28) + 1) * 127.5).astype(np.uint8))


@pytest.mark.parametrize("loss", ["non_saturating", "minimax", "least_squares"])
@pytest.mark.parametrize("length", [1, 2, 1000])
def test_the_curves_of_digits(loss, length):
    trainer = digits(loss=getattr(losses, loss))
    rng = np.random.default_rng(1)
    track = [{"step": 0}]  # nothing is measured before the first round
    for step in range(1, length):
        said = dict(zip(("D(x)", "D(G(z))"), rng.random(2), strict=True))
        track.append({"step": 3 * step, **said, "loss_d": 1 + rng.random(), "loss_g": 0.5 + rng.random()})
    root, boxes = picture(Images(), trainer, track)
    equilibrium_d, equilibrium_g = trainer.loss.at_equilibrium
    for box, names, guides in zip(
        boxes,
        ({"D(x)": "data", "D(G(z))": "fakes"}, {"loss_d": "D", "loss_g": "fakes"}),
        ([0.5], [equilibrium_d, equilibrium_g]),
        strict=True,
    ):
        to_step, to_value = units(root, box, "x"), units(root, box, "y")
        span = abs(to_value(0) - to_value(110))
        drawn = [to_value(line[0][0, 1]) for line in lines(box, "guide")]
        assert drawn == pytest.approx(guides, abs=0.02 * span)
        for name, style in names.items():
            strokes = lines(box, style)[0]
            if length == 1:
                assert strokes == []
                continue
            (line,) = strokes
            at = np.round(to_step(line[:, 0]) / 3).astype(int)
            assert at[0] >= 1 and at[-1] >= length - 10 and len(line) <= 150
            steps, values = (np.array([seen[key] for seen in track[1:]]) for key in ("step", name))
            assert np.isin(at * 3, steps).all()
            if length == 2:
                assert to_value(line[0, 1]) == pytest.approx(values[0], abs=0.02 * span)
            else:  # 1,000 steps lie nearer to one another than a pixel
                near = [
                    abs(values[max(0, i - 6) : i + 5] - to_value(y)).min() for i, y in zip(at, line[:, 1], strict=True)
                ]
                assert max(near) < 0.02 * span


class Pictures:
    """As `data.Images`: uint8 of (n, h, w) or (n, 3, h, w); grey ones are drawn as rows of pixels."""

    def __init__(self, *shape):
        self.images = torch.randint(0, 256, (20, *shape), generator=torch.Generator().manual_seed(0)).byte()

    def sample(self, shape):
        x = self.images[torch.randint(20, tuple(shape))].float() / 127.5 - 1
        return x if self.images.dim() == 4 else x.flatten(1)


class Pixels(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.net, self.shape = nn.Linear(2, math.prod(shape)), shape

    def forward(self, z):
        return self.net(z).tanh().reshape(-1, *self.shape)


class Judge(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.net = nn.Linear(math.prod(shape), 1)

    def forward(self, x):
        return self.net(x.flatten(1)).squeeze(-1)


def pictures(source):
    with devices.seeded(0):
        shape = source.sample((1,)).shape[1:]
        latent = Independent(Normal(torch.zeros(2), 1.0), 1)
        return Trainer(
            Pixels(shape), Judge(shape), source, latent=latent, lr_d=0.01, lr_g=0.01, batch_size=4, device="cpu"
        )


@pytest.mark.parametrize(("shape", "size"), [((14, 56), (14, 56)), ((9, 9), (9, 9)), ((3, 8, 6), (8, 6))], ids=str)
def test_images_of_any_size_grey_or_in_colour(shape, size):
    trainer = pictures(Pictures(*shape))
    trainer.step()
    root, _ = picture(Images(), trainer)
    in_colour = len(shape) == 3
    image = read(root, "RGB" if in_colour else "L")
    height, width = size
    high, wide = height + in_colour, width + in_colour  # a white line after each
    assert image.shape == (5 * high, 8 * wide) + (3,) * in_colour
    fakes = seen.images(trainer)
    for i in (0, 13, 39):
        shown = image[high * (i // 8) :, wide * (i % 8) :][:height, :width]
        wanted = fakes[i].permute(1, 2, 0) if in_colour else fakes[i].reshape(height, width)
        off = shown - ((wanted + 1) * 127.5).round().numpy()
        assert np.abs(off).max() < (48 if in_colour else 1)  # 256 colours have to do for all


def test_faces_keep_their_colours_in_few_bytes(monkeypatch):
    faces, trainer = data.faces(40).images, pictures(Pictures(3, 32, 32))  # (40, 3, 32, 32)
    monkeypatch.setattr(seen, "images", lambda trainer: faces / 127.5 - 1)
    drawn = Images().draw(trainer, [{"step": 0}])
    assert len(drawn) < 30_000  # with all colours 55,000
    image = read(ElementTree.fromstring(drawn), "RGB").astype(float)
    tiles = image.reshape(5, 33, 8, 33, 3).transpose(0, 2, 4, 1, 3)  # (5, 8, 3, 33, 33)
    off = tiles[..., :32, :32] - faces.reshape(5, 8, 3, 32, 32).numpy()
    assert tiles[..., 32].min() > 240 and tiles[..., 32, :].min() > 240  # they stand apart
    assert np.sqrt((off**2).mean()) < 6  # of 255
    assert np.abs(off.mean(axis=(3, 4))).max() < 6  # no face is redder or paler


@pytest.mark.parametrize("loss", losses.NAMED.values(), ids=losses.NAMED)
def test_a_loss_without_probability_is_said_beside_the_curves(loss):
    """Under the axis, where the curves of another loss before may not run into it."""
    root, (upper, _) = picture(Images(), digits(loss=loss))
    said = [one for one in root.iter(f"{SVG}text") if one.text == "this loss has no D(x)"]
    assert len(said) == (loss.probability is None)
    below = sum(numbers(upper, "y", "height"))
    assert all(float(one.get("y")) > below + 20 for one in said)


def test_pictures_of_no_known_shape_are_refused():
    class Rows:
        def sample(self, shape):
            return torch.zeros(*shape, 10)

    with pytest.raises(ValueError, match=r"data: got x of shape \(10,\); views.Images needs pictures"):
        Images().measure(pictures(Rows()))


# -- both --------------------------------------------------------------------------------------------------------------

VIEWS = {"Figure1": (Figure1, lambda: one_number(rounds=2), 20_000), "Images": (Images, digits, 60_000)}


@pytest.mark.parametrize("name", VIEWS)
def test_a_small_picture_that_says_what_it_is(name):
    view, make, limit = VIEWS[name][0](), VIEWS[name][1](), VIEWS[name][2]
    list(make.run(2))
    track = [view.measure(make) | {"step": i} for i in range(1000)]
    svg = view.draw(make, track)
    assert 3_000 < len(svg.encode()) < limit
    root = ElementTree.fromstring(svg)
    assert root.tag == f"{SVG}svg" and root.get("role") == "img" and len(root.get("aria-label")) > 30
    assert not [element for element in root.iter() if element.tag in (f"{SVG}script", f"{SVG}style")]
    assert root.find(f"{SVG}rect").get("fill") == "white"  # under everything, for dark themes


@pytest.mark.parametrize("name", VIEWS)
def test_looking_changes_nothing(name):
    view, watched, alone = VIEWS[name][0](), VIEWS[name][1](), VIEWS[name][1]()
    torch.manual_seed(4)
    before = torch.get_rng_state()
    for _ in range(3):
        watched.step()
        state = copy.deepcopy(watched.state_dict())
        view.draw(watched, [{"step": 0, **view.measure(watched)}])
        assert_close(watched.state_dict(), state, rtol=0, atol=0)
        assert watched.generator.training and watched.discriminator.training
    assert torch.equal(torch.get_rng_state(), before)
    list(alone.run(3))
    assert_close(watched.state_dict(), alone.state_dict(), rtol=0, atol=0)


GAMES = {name: (view, make) for name, (view, make, _) in VIEWS.items()} | {"Plane": (Plane, recipes.ring)}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e38])
@pytest.mark.parametrize("player", ["generator", "discriminator"])
@pytest.mark.parametrize("name", GAMES)
def test_a_game_that_has_just_broken_is_still_a_picture(name, player, value):
    """The trainer notices within 100 steps; until then a browser must be able to read what is drawn."""
    view, trainer = GAMES[name][0](), GAMES[name][1]()
    trainer.step()
    track = [{"step": 0, **view.measure(trainer)}]
    for weight in getattr(trainer, player).parameters():
        weight.data.fill_(value)
    trainer.step()
    root, _ = picture(view, trainer, [*track, {"step": 1, **view.measure(trainer)}])
    for element in root.iter():
        places = [element.get(place, "") for place in ("x", "y", "cx", "cy", "d", "width", "height")]
        assert not re.search("nan|inf", " ".join(places))


def test_colours_and_dashes_are_those_of_plots():
    root, (box, *_) = picture(Figure1(D_star=True), one_number())
    dashes = {}
    for style in ("data", "fakes", "D", "D*"):
        legend = [path for path in root.findall(f"{SVG}path") if path.get("stroke") == STYLE[style]["color"]]
        inside = [path for path in box.findall(f"{SVG}path") if path.get("stroke") == STYLE[style]["color"]]
        (dashes[STYLE[style]["linestyle"]],) = {path.get("stroke-dasharray") for path in (*legend[:1], *inside)}
    assert dashes["-"] is None and len(set(dashes.values())) == 4


def test_images_in_a_chart_and_beside_it_are_the_pixels():
    pixels = torch.linspace(-1, 1, 2 * 784).reshape(2, 784)
    chart = svg.Chart(x=(-2, 2), y=(-2, 2))
    chart.image(plots.tile(pixels, columns=2))
    for text in (str(chart), svg.digits(pixels, columns=2)):
        uri = re.search(r'data:image/png;base64,([^"]+)', text)[1]
        image = np.asarray(PIL.Image.open(io.BytesIO(base64.b64decode(uri))))
        assert image.shape == (28, 56)
        left, right = pixels.reshape(2, 28, 28)
        assert np.allclose(image / 127.5 - 1, torch.cat([left, right], dim=1), atol=0.51 / 127.5)


def test_the_axis_stays_while_data_move_inside_it():
    trainer, view = recipes.gaussian_mlp(data=data.bumps()), Figure1()

    def limits(source):
        trainer.data = source
        return view._limits(trainer)

    first = limits(data.bumps())
    assert limits(data.bumps(means=(480, 500, 520))) == first  # a slider is dragged
    assert limits(data.bumps(sds=(2, 3, 1))) == first
    assert limits(Normal(600.0, 5.0)) == (570.0, 630.0)  # gone from the picture
    assert limits(Normal(600.0, 0.5)) == (597.0, 603.0)  # too small to be seen
    assert limits(Normal(600.0, 40.0)) == (360.0, 840.0)  # larger than the picture
