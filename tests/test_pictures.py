"""One's own data: arrays, pictures of any size in grey and colour, folders with all that folders hold."""

import warnings

import numpy as np
import PIL.Image
import pytest
import torch
from torch import distributions as td
from torch import nn
from torch.testing import assert_close

from gan_lessons import Trainer, data, laws, recipes


def play(trainer, rounds=2):
    for _ in trainer.run(rounds):
        pass
    return trainer


def bytes_of(*shape):
    return torch.arange(np.prod(shape)).remainder(256).to(torch.uint8).reshape(shape)


@pytest.mark.parametrize("numbers", [np.float64, np.float32, np.int64, np.uint8])
def test_an_array_of_numbers_is_data(numbers):
    own = np.array([3, 5, 4, 8], dtype=numbers)
    gan = play(recipes.gaussian(data=own))
    own[:] = 100  # the trainer has a copy
    assert set(gan.data.sample((200,)).tolist()) == {3.0, 5.0, 4.0, 8.0}
    assert laws.centre(gan.data) == pytest.approx((5, np.std([3, 5, 4, 8])), rel=0.01)
    gan.data = torch.tensor([1.0, 2.0])
    play(gan)


LAWS = {
    "Uniform": td.Uniform(490.0, 510.0),
    "Exponential": td.Exponential(0.25),
    "Beta": td.Beta(2.0, 3.0),
    "Cauchy": td.Cauchy(0.0, 1.0),
    "StudentT": td.StudentT(1.5),
    "Poisson": td.Poisson(7.0),
    "Bernoulli": td.Bernoulli(0.3),
    "Categorical": td.Categorical(torch.ones(6)),
    "LogNormal": td.LogNormal(0.0, 1.0),
    "mixture": data.bumps((0, 9), (1, 1), (1, 3)),
    "in double": td.Normal(torch.tensor(4.0, dtype=torch.double), 1.25),
}


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
@pytest.mark.parametrize("recipe", [recipes.gaussian, recipes.gaussian_mlp])
def test_any_law_is_data(recipe, law):
    assert torch.isfinite(play(recipe(data=law), 5).sample(4)).all()


@pytest.mark.parametrize("law", [td.Normal(4.0, 1.25), td.Normal(-30000.0, 900.0), td.Normal(0.0, 1e-12)], ids=str)
def test_any_normal_law_is_found(law):
    """Twelve seconds of training: within .1 sd from the recipe's own start and rate, at any place and scale."""
    gan = recipes.gaussian(data=law)
    assert gan.generator.mu.item() == pytest.approx((law.mean - 4 * law.stddev).item())
    play(gan, None)
    assert abs(gan.generator.mu.item() - law.mean) < 0.1 * law.stddev
    assert abs(abs(gan.generator.sigma.item()) - law.stddev) < 0.1 * law.stddev


def test_the_lessons_own_start_is_what_it_was():
    gan = recipes.gaussian()
    assert (gan.generator.mu.item(), gan.generator.sigma.item(), gan.lr_g) == (480.0, 1.0, 0.05)


@pytest.mark.parametrize(
    ("given", "kept", "drawn"),
    [
        ((9, 14, 56), (9, 14, 56), (4, 784)),
        ((9, 1, 6, 5), (9, 6, 5), (4, 30)),
        ((9, 6, 5, 1), (9, 6, 5), (4, 30)),
        ((9, 3, 6, 5), (9, 3, 6, 5), (4, 3, 6, 5)),
        ((9, 6, 5, 3), (9, 3, 6, 5), (4, 3, 6, 5)),
    ],
)
@pytest.mark.parametrize("kind", [lambda x: x, lambda x: x.numpy()], ids=["tensor", "array"])
def test_pictures_of_any_size(kind, given, kept, drawn):
    images = data.Images(kind(bytes_of(*given)))
    assert tuple(images.images.shape) == kept and images.labels is None and len(images) == 9
    x = images.sample((4,))
    assert tuple(x.shape) == drawn and x.dtype == torch.float32 and -1 <= x.min() and x.max() <= 1
    assert len(images[2:5]) == 3 and len(images[torch.tensor([1, 1])]) == 2


def test_colours_stay_where_they_were():
    last = torch.zeros(1, 2, 2, 3, dtype=torch.uint8)
    last[0, 0, 1] = torch.tensor([255, 51, 0], dtype=torch.uint8)
    x = data.Images(last).sample((1,))
    assert_close(x[0, :, 0, 1], torch.tensor([1.0, -0.6, -1.0]))


def test_labels_are_any_that_belong_to_pictures():
    images = data.Images(bytes_of(6, 4, 4), np.arange(12).reshape(6, 2))
    assert images[images.labels[:, 0] > 4].labels.tolist() == [[6, 7], [8, 9], [10, 11]]


def test_faces_are_chosen_by_their_labels():
    """Labels of several columns in colour: slices, masks, indices, another device."""
    faces = data.faces(60, seed=1)
    glasses = faces[faces.labels[:, 1] == 1]
    rows = faces.labels[:, 1].nonzero().flatten()
    assert 5 < len(glasses) == len(rows) < 40 and glasses.labels[:, 1].eq(1).all()
    assert_close(glasses.images, faces.images[rows])
    dark = glasses[glasses.labels[:, 3] == 1]
    assert dark.labels[:, [1, 3]].eq(1).all() and dark.images.shape[1:] == (3, 32, 32)
    assert_close(faces[10:12].labels, faces.labels[10:12])
    assert_close(faces[torch.tensor([7, 0])].labels, faces.labels[[7, 0]])
    assert dark[:1].sample((3,)).shape == (3, 3, 32, 32)
    with pytest.raises(IndexError, match=r"shape of the mask \[60, 4\]"):
        faces[faces.labels == 1]  # of all columns: no choice of pictures
    there = faces.to("meta")
    assert there.images.device.type == there.labels.device.type == "meta" and there.labels.shape == (60, 4)
    assert faces.images.device.type == "cpu"  # as it was
    with pytest.raises(ValueError, match=r"labels: got a Tensor of shape \(59, 4\) for 60 images"):
        data.Images(faces.images, faces.labels[1:])


def test_colour_pictures_are_played_with():
    """DCGAN's shapes, (n, 3, h, w), small."""
    G = nn.Sequential(nn.Linear(4, 3 * 6 * 5), nn.Tanh(), nn.Unflatten(1, (3, 6, 5)))
    D = nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten(), nn.Linear(24, 1))
    images = data.Images(bytes_of(9, 3, 6, 5))
    settings = {"latent": data.standard_normal(4), "lr_d": 0.01, "lr_g": 0.01, "batch_size": 8, "device": "cpu"}
    gan = play(Trainer(G, D, images, **settings), 3)
    assert gan.sample(2).shape == (2, 3, 6, 5)
    with pytest.raises(ValueError, match=r"^data: got pictures of 3 x 4 x 4; this trainer.s are of 3 x 6 x 5"):
        gan.data = data.Images(bytes_of(9, 3, 4, 4))


def test_pictures_of_another_shape_are_no_digits():
    gan = recipes.mnist_quick(device="cpu")
    with pytest.raises(ValueError, match=r"^data: got pictures of 14 x 56; .* 28 x 28$"):
        gan.data = data.Images(bytes_of(9, 14, 56))
    with pytest.raises(ValueError, match=r"^data: got images of 3 x 32 x 32; this recipe draws 28 x 28 in grey"):
        recipes.mnist_quick(data=data.Images(bytes_of(9, 3, 32, 32)), device="cpu")


# -- a folder ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def album(tmp_path):
    inside = tmp_path / "여름 사진"
    inside.mkdir()
    red = PIL.Image.new("RGB", (40, 20), "red")
    red.paste("blue", (0, 0, 10, 20))  # left of the square around the middle
    red.save(tmp_path / "a wide.png")
    PIL.Image.new("L", (8, 8), 128).save(inside / "b grey.jpg")
    PIL.Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(inside / "c glass.png")
    PIL.Image.new("P", (8, 8)).save(inside / "d.gif")
    turned = PIL.Image.new("RGB", (8, 8), "white")
    turned.paste("black", (0, 0, 8, 4))  # above; the camera was held so that above is left
    exif = PIL.Image.Exif()
    exif[0x0112] = 8
    turned.save(tmp_path / "e.png", exif=exif)
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "torn.png").write_bytes((tmp_path / "a wide.png").read_bytes()[:60])
    (tmp_path / ".DS_Store").write_bytes(b"hidden")
    return tmp_path


def test_a_folder_of_pictures(album):
    with pytest.warns(UserWarning, match=r"^skipped what is no readable picture: notes\.txt, torn\.png$"):
        images = data.folder(album, size=4)
    wide, turned, grey, glass, gif = images.images
    assert images.images.shape == (5, 3, 4, 4)
    assert_close(wide.float().mean((1, 2)), torch.tensor([255.0, 0.0, 0.0]), atol=8, rtol=0)
    assert_close(grey.float().mean((1, 2)), torch.full((3,), 128.0), atol=2, rtol=0)
    assert glass.eq(255).all() and gif.eq(0).all()
    assert turned[:, :, 0].float().mean() < 60 and turned[:, :, 3].float().mean() > 195
    assert images.sample((2,)).shape == (2, 3, 4, 4)


def test_a_folder_of_good_pictures_says_nothing(album):
    (album / "notes.txt").unlink()
    (album / "torn.png").unlink()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert data.folder(str(album)).images.shape == (5, 3, 32, 32)


def test_many_that_cannot_be_read_are_counted(album):
    for i in range(8):
        (album / f"z{i}.txt").touch()
    with pytest.warns(UserWarning, match=r"z2\.txt and 5 more$"):
        data.folder(album)


def test_a_folder_without_pictures(tmp_path):
    with pytest.raises(ValueError, match=r"^path: .*no readable picture"):
        data.folder(tmp_path)
