import io
import warnings

import matplotlib.pyplot as plt
import numpy as np
import PIL.Image
import pytest
import torch
from matplotlib.colors import to_hex
from matplotlib.quiver import Quiver

from gan_lessons import plots, recipes, seen, style
from gan_lessons.training import Record

HISTORY = Record(*torch.rand(4, 50, generator=torch.Generator().manual_seed(0)))
IMAGES = torch.rand(24, 784, generator=torch.Generator().manual_seed(0)) * 2 - 1
PLANE = seen.scene(recipes.ring(seed=1))
DRAWINGS = {
    "losses": lambda ax: plots.losses(HISTORY, (1.386, 0.693), ax=ax),
    "plane": lambda ax: plots.plane(*PLANE, ax=ax),
    "image_grid": lambda ax: plots.image_grid(IMAGES, ax=ax),
}


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture
def ax():
    return plt.subplots(1, 2)[1][0]  # not the current one


def line(ax, label):
    """The one line so labelled."""
    (found,) = (line for line in ax.lines if line.get_label() == label)
    return found


@pytest.mark.parametrize("name", DRAWINGS)
def test_draws_where_told_without_warnings(name, ax):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert DRAWINGS[name](ax) is ax
        png = io.BytesIO()
        ax.figure.savefig(png, format="png")
    pixels = plt.imread(io.BytesIO(png.getvalue()))
    assert pixels.std() > 0.02
    assert not ax.figure.axes[1].has_data()


@pytest.mark.parametrize("name", DRAWINGS)
def test_draws_on_the_current_axes_unless_told(name):
    assert DRAWINGS[name](None) is plt.gcf().axes[0]


def test_losses_and_where_they_rest(ax):
    plots.losses(HISTORY, (1.386, -0.693), ax=ax)
    assert np.array_equal(line(ax, "loss of D").get_ydata(), HISTORY.loss_d)
    assert np.array_equal(line(ax, "loss of G").get_ydata(), HISTORY.loss_g)
    guides = [list(line.get_ydata()) for line in ax.lines if len(line.get_ydata()) == 2]
    assert guides == [[1.386, 1.386], [-0.693, -0.693]]
    assert [note.get_text() for note in ax.texts] == ["1.39", "-0.693"]


@pytest.mark.parametrize("columns", [8, 6, 24, 1])
def test_image_grid_goes_row_by_row(ax, columns):
    plots.image_grid(IMAGES, columns, ax=ax)
    (grid,) = ax.images
    pixels = grid.get_array()
    assert pixels.shape == (24 // columns * 28, columns * 28)
    for i in range(24):
        top, left = 28 * (i // columns), 28 * (i % columns)
        assert np.array_equal(pixels[top : top + 28, left : left + 28], IMAGES[i].reshape(28, 28))
    assert grid.get_clim() == (-1, 1) and grid.get_cmap().name == "gray"  # white on black


@pytest.mark.parametrize("shape", [(9, 784), (8, 28, 28), (784,), (8, 785), (8, 2, 28, 28), (8, 0)])
def test_image_grid_wrong_shape(shape):
    with pytest.raises(ValueError, match=r"images: got shape \(.*multiple of 8 columns"):
        plots.image_grid(torch.zeros(shape))


@pytest.mark.parametrize(
    ("size", "told", "height", "width"),
    [
        ((196,), None, 14, 14),
        ((784,), (14, 56), 14, 56),
        ((12,), (3, 4), 3, 4),
        ((1, 5, 7), None, 5, 7),
        ((3, 5, 7), None, 5, 7),
    ],
    ids=str,
)
def test_images_of_any_size_grey_or_in_colour(ax, size, told, height, width):
    images = torch.rand(6, *size, generator=torch.Generator().manual_seed(0)) * 2 - 1
    plots.image_grid(images, 3, ax=ax, shape=told)
    pixels = ax.images[0].get_array()
    colour = size[0] == 3 and len(size) == 3
    assert pixels.shape == ((2 * height, 3 * width, 3) if colour else (2 * height, 3 * width))
    for i, image in enumerate(images):
        top, left = height * (i // 3), width * (i % 3)
        shown = pixels[top : top + height, left : left + width]
        wanted = (image.permute(1, 2, 0) + 1) / 2 if colour else image.reshape(height, width)
        assert np.allclose(shown, wanted)


@pytest.mark.parametrize(("size", "told"), [((12,), None), ((12,), (3, 5)), ((784,), (28, 27))])
def test_a_shape_that_does_not_fit_is_named(size, told):
    with pytest.raises(ValueError, match=r"images: got shape \(8, .*shape="):
        plots.tile(torch.zeros(8, *size), shape=told)


@pytest.mark.parametrize("other", ["dark_background", "ggplot", "Solarize_Light2"])
def test_use_style_begins_from_black_on_white(other):
    with plt.rc_context():
        style.use()
        wanted = dict(plt.rcParams)
        plt.style.use(other)
        style.use()
        assert dict(plt.rcParams) == wanted
        ink = {plt.rcParams[name] for name in ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color")}
        assert ink == {"black"} and plt.rcParams["figure.facecolor"] == plt.rcParams["axes.facecolor"] == "white"


def test_use_style_sets_what_figures_need():
    with plt.rc_context():
        style.use()
        assert plt.rcParams["figure.constrained_layout.use"] and not plt.rcParams["axes.spines.top"]


def test_film_is_an_animated_png_that_shows_every_figure():
    figure, ax = plt.subplots(figsize=(2, 2))

    def frames():
        for height in range(5):
            ax.clear()
            ax.bar(["x"], [height])
            ax.set_ylim(0, 5)
            yield figure

    film = PIL.Image.open(io.BytesIO(plots.film(frames(), length=5).data))
    ink = []
    for frame in range(film.n_frames):
        film.seek(frame)
        ink.append(255 - np.asarray(film.convert("L"), dtype=float).mean())
    assert film.format == "PNG" and film.n_frames == 5 and film.info["loop"] == 0
    assert ink == sorted(ink) and len(set(ink)) == 5  # the bar grows
    with pytest.raises(ValueError, match="figures: got none"):
        plots.film([], length=0)


def test_plane_draws_what_it_is_given(ax):
    now = PLANE
    plots.plane(*now, ax=ax)
    labels = {line.get_label(): line for line in ax.lines}
    assert np.allclose(labels["data"].get_xydata(), now.x_real)
    fakes = labels["fakes, G of a grid of z"]
    assert np.allclose(fakes.get_xydata(), now.x_fake)
    assert to_hex(fakes.get_color()) == style.STYLE["fakes"]["color"]
    (image,) = ax.images
    assert np.allclose(image.get_array(), now.D) and image.origin == "lower" and image.get_clim() == (0, 1)
    assert image.get_extent() == pytest.approx([-3, 3, -3, 3])
    (arrows,) = [artist for artist in ax.collections if isinstance(artist, Quiver)]
    drawn = np.stack([arrows.U, arrows.V], axis=1)
    longest = now.push.norm(dim=1).max().item()
    assert np.allclose(drawn * longest / 0.6, now.push, atol=1e-5)
    assert np.allclose(arrows.get_offsets(), now.x_fake[:30]) and ax.get_xlabel() == f"longest push: {longest:.2g}"
    assert ax.get_xlim() == ax.get_ylim() == pytest.approx((-3, 3))


def test_plane_without_a_map(ax):
    plots.plane(*PLANE._replace(D=None), ax=ax)
    assert not ax.images and any("no map" in text.get_text() for text in ax.texts)
    assert "D(x) = 1/2" not in [line.get_label() for line in ax.lines]


def test_rows_of_pictures_have_names(ax):
    plots.image_rows({"above": IMAGES, "below": -IMAGES}, n=6, ax=ax)
    (image,) = ax.images
    assert image.get_array().shape == (56, 168) and [text.get_text() for text in ax.texts] == ["above", "below"]
    assert np.allclose(image.get_array()[:28], -image.get_array()[28:])


def test_a_table_of_bars_marks_the_best():
    rows = {"a": {"good": 1.0, "far": 9.0}, "b": {"good": 1.001, "far": 2.0}, "c": {"good": -1.0, "far": 3.0}}
    columns = {"good": ("Good", "high", 2, 1.0), "far": ("Far", "low", 0, 4.0)}
    figure = plots.bar_table(rows, columns, ["black"] * 3, "#123456")
    marked = [[text.get_text() for text in ax.texts if text.get_color() == "#123456"] for ax in figure.axes]
    assert marked == [["1.00", "1.00"], ["2"]]
    assert [bar.get_width() for bar in figure.axes[1].patches] == [4, 2, 3]  # long ones are cut
    plt.close(figure)


def test_balls_that_are_reached_are_green(ax):
    real, fake = torch.tensor([[0.0, 0.0], [1.0, 0.0], [3.0, 0.0]]), torch.tensor([[0.2, 0.0]])
    plots.balls(real, fake, 1, ax)
    assert [ball.radius for ball in ax.patches] == [1, 1, 2]
    assert [to_hex(ball.get_edgecolor()) for ball in ax.patches] == [style.STYLE["fakes"]["color"]] * 2 + ["#bbbbbb"]


def test_kinds_stack_to_the_whole_and_are_counted():
    """Two games, the first on two seeds; what is none of the kinds is no kind, however much of it there is."""
    seeds = [{1: [0.25, 0.0, 0.75], 2: [0.5, 0.5, 0.0]}, {1: [0.005, 0.005, 0.99], 2: [0.01, 0.98, 0.01]}]
    names, moments = {"one": "#aa0000", "two": "#0000aa", "none": "#dddddd"}, {"then": IMAGES[:8], "now": -IMAGES[:8]}
    moments = {moment: pictures.reshape(-1, 1, 28, 28) for moment, pictures in moments.items()}
    figure = plots.kinds({"a": (moments, seeds), "b": (moments, seeds[:1])}, names)
    left, along, found, _, _, hidden = figure.axes
    pixels = left.images[0].get_array()
    assert left.get_title(loc="left") == "a" and [text.get_text() for text in left.texts] == ["then", "now"]
    assert pixels.shape == (2 * 28, 9 * 28) and np.allclose(pixels[:, :112], -pixels[:, 140:], atol=1e-6)
    tops = [max(path.vertices[:, 1].max() for path in area.get_paths()) for area in along.collections]
    assert tops == pytest.approx([0.5, 1.0, 1.0])
    (squares,) = found.collections
    assert squares.get_offsets().tolist() == [[1, 0], [2, 0], [1, 1], [2, 1]]
    assert squares.get_array().tolist() == [1, 2, 0, 2]
    assert not hidden.get_visible() and [text.get_text() for text in figure.legends[0].get_texts()] == list(names)


def test_four_corners_and_where_their_sum_ends():
    ax = plots.corners(torch.tensor([[3.0, 2.0], [1.0, 2.0], [0.0, 0.0], [1.5, 0.0]]), list("abcd"), "red")
    assert [text.get_text() for text in ax.texts][-5:] == [*"abcd", "the sum"]
    assert ax.lines[-1].get_xydata().tolist() == [[2.0, 0.0]]  # where the sum ends
    plt.close()


def test_a_table_of_percentages():
    ax = plots.percentages(torch.tensor([[float("nan"), 0.444], [0.1, 0.0]]), ["a", "b"])
    assert [text.get_text() for text in ax.texts][-4:] == ["", "44%", "10%", "0%"]
    plt.close()
