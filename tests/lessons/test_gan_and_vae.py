"""Lesson 14: what its text says, counted again; and every answer to its exercises is told what it is."""

import re
from pathlib import Path

import nbformat
import pytest
import torch
from answers import boom, in_all_forms, says, told

from gan_lessons import data, losses, pretrained, vae
from gan_lessons.devices import seeded
from gan_lessons.lessons import gan_and_vae as lesson

ROOT = Path(__file__).parents[2]
CELLS = nbformat.read(ROOT / "notebooks" / "14_gan_and_vae.ipynb", 4).cells
TEXT = "\n".join(cell.source for cell in CELLS)


# -- what the lesson states of tries, played on eight seeds by tests/make/observations.py ------------------------------


def trained(seed, s=1.0, with_kl=True):
    """The lesson's loop: the error of coins that come back, the share of draws near a bump, their share near each."""
    nets = vae.bumps(seed, s)
    adam, centres = torch.optim.Adam(nets.parameters(), lr=0.005), data.bumps().component_distribution.mean
    with seeded(seed):
        for _ in range(1000):
            reconstruction, kl = nets.losses(data.bumps().sample((128,)))
            adam.zero_grad()
            (reconstruction + kl if with_kl else reconstruction).backward()
            adam.step()
        x, z = data.bumps().sample((5000,)), torch.randn(10_000, 1)
    with torch.no_grad():
        far, near = (nets.decoder(z)[:, None] - centres).abs().min(dim=1)
        error = (nets(x) - x).square().mean().sqrt().item()
    return error, (far <= 6).double().mean().item(), near.bincount(minlength=3).double() / len(near)


def larger_s(seed):
    (_, good, _), (_, better, shares) = trained(seed), trained(seed, s=5.0)
    off = (shares - torch.tensor([0.2, 0.6, 0.2])).abs().max().item()
    return better > good and off < 0.05, {"s = 1": good, "s = 5": better, "off": off}


def no_kl(seed):
    (error, good, _), (less, worse, _) = trained(seed), trained(seed, with_kl=False)
    return less < error and worse < good, {"error": error, "without": less, "good": good, "good without": worse}


OBSERVATIONS = {
    "In {} of 8 seeds fewer coins lay between the bumps than with s = 1, and the share near each bump was within 5 "
    "points of the truth": larger_s,
    "In {} of 8 seeds coins came back nearer than with the KL, and more of the draws lay between the bumps or beyond "
    "them": no_kl,
}


# -- numbers in the text -----------------------------------------------------------------------------------------------


def record():
    return data.saved_record("vae")


def said(*words):
    return [word for word in words if word not in TEXT] == []


def spread(rows, key, digits=2):
    """The least and the greatest, as the text writes them: .53."""
    values = [row[key] for row in rows]
    return [f"{value:.{digits}f}".lstrip("0") for value in (min(values), max(values))]


def test_what_is_said_of_three_bumps():
    rows = record()["bumps"]
    found = {name: [row[name][0] for row in rows] for name in ("gan", "vae")}
    assert set(found["vae"]) == {3} and said(f"The VAE found three bumps on {len(rows)} of {len(rows)}")
    three, two, one = (found["gan"].count(n) for n in (3, 2, 1))
    assert said(f"The GAN found three on {three}, two on {two} and a single one on {one}.")
    assert said(f"The GAN missed some on {len(rows) - three} of {len(rows)} seeds")
    between = [100 * (1 - row["vae"][1]) for row in rows]
    both = [100 * (1 - row["gan"][1]) for row in rows if row["gan"][0] == 3]
    assert said(f"drew {min(between):.0f} to {max(between):.0f} of 100", f"{min(both):.0f} to {max(both):.0f} of 100")
    assert min(both) > min(between) and sum(both) / len(both) > sum(between) / len(between)
    alone = [row["gan"][1] for row in rows if row["gan"][0] == 1]
    assert sorted(alone)[len(alone) // 2] > 0.9  # hardly any between


def test_the_games_of_the_bumps_are_those_of_lesson_07():
    known = {row[0]: row[1:] for row in data.saved_record("collapse_20_seeds")["rows"]["three_bumps()"]}
    for row in record()["bumps"]:
        assert row["gan"][:2] == pytest.approx(known[row["seed"]], abs=0.02)


def test_what_is_said_of_s():
    ones = {float(s): rows[0] for s, rows in record()["faces"]["vae"].items()}
    small, large = ones[0.05], ones[0.4]
    assert all(0.024 <= row["back"]["error"] < 0.0265 for s, row in ones.items() if s <= 0.4)
    assert said(f"from {small['frechet']:.0f} to {large['frechet']:.0f}")
    assert said(f"by {small['kl']:.0f} nats", f"these are {large['kl']:.0f} nats")
    assert said(f"{small['elbo']:,.0f} nats for s = 0.05", f"for s = 0.4 it is {large['elbo']:.0f}")
    ordered = [ones[s] for s in sorted(ones)]
    for key, up in (("elbo", False), ("kl", False)):
        values = [row[key] for row in ordered]
        assert values == sorted(values, reverse=not up)


def test_what_is_said_of_known_faces():
    back = {s: [row["back"] for row in rows] for s, rows in record()["faces"]["vae"].items()}
    errors = {s: round(100 * rows[0]["error"], 1) for s, rows in back.items()}
    assert errors == {"0.05": 2.4, "0.1": 2.4, "0.2": 2.4, "0.4": 2.6} and said("2.4% of the way", "2.6% for s = 0.4")
    assert all(row["frechet"] < 1 for rows in back.values() for row in rows)


def test_noise_of_one_half_leaves_the_cloud_and_keeps_most_of_the_face():
    x = data.faces(500, seed=4).images / 127.5 - 1
    read = lambda faces: pretrained.reader()(faces) > 0  # noqa: E731
    with torch.no_grad(), seeded(0):
        mu, log_sd = vae.shipped().encoder(x).chunk(2, dim=1)
        near, far = (vae.shipped().decoder(mu + noise * torch.randn_like(mu)) for noise in (0.0, 0.5))
    assert log_sd.exp().median().item() == pytest.approx(0.1, abs=0.02)
    errors = [(one - x).square().mean().sqrt().item() / 2 for one in (near, far)]
    assert errors == pytest.approx([0.024, 0.06], abs=0.003)
    assert ((read(far) == read(x)).double().mean(dim=0) > 0.9).all()


def test_most_grain_comes_from_outlines():
    x = data.faces(500, seed=4).images / 127.5 - 1
    laplacian = x[..., 2:, 1:-1] + x[..., :-2, 1:-1] + x[..., 1:-1, 2:] + x[..., 1:-1, :-2] - 4 * x[..., 1:-1, 1:-1]
    squares = laplacian.square().sum(dim=1).flatten().sort(descending=True).values
    assert squares[: len(squares) // 5].sum() > 0.8 * squares.sum()  # a fifth of the pixels


def test_what_is_said_of_faces():
    faces = record()["faces"]
    vaes = [row for rows in faces["vae"].values() for row in rows]
    assert said(" to ".join(spread(faces["gan"], "grain")), " to ".join(spread(vaes, "grain")))
    assert said(
        f"{faces['real']['frechet']:.1f} for other real faces",
        f"{min(row['frechet'] for row in vaes):.0f} for the best VAE",
    )
    assert [round(row["frechet"]) for row in sorted(faces["gan"], key=lambda row: row["frechet"])][::2] == [3, 5]
    assert said(
        "covers " + " to ".join(spread(faces["gan"], "coverage")), "the VAEs " + " to ".join(spread(vaes, "coverage"))
    )
    assert sum(row["kinds"] < 16 for row in [*faces["gan"], *vaes]) == 1
    assert all(row["coverage"] < 0.01 for row in (faces["mean image"], faces["noise"]))


def test_what_is_said_of_digits():
    digits = record()["digits"]
    vaes = [row for rows in digits["vae"].values() for row in rows]
    far = sorted(round(row["frechet"]) for row in digits["gan"])
    assert said(f"Fréchet {far[0]} and {far[-1]} for the GAN", " to ".join(spread(vaes, "frechet", 0)))
    assert said(" and ".join(spread(digits["gan"], "coverage")), " to ".join(spread(vaes, "coverage")))
    assert min(row["grain"] for row in digits["gan"]) > max(row["grain"] for row in vaes)


def test_what_is_said_of_faces_that_come_back():
    rows, found = record()["faces"]["vae"]["0.2"], record()["inversion"]
    assert all(share > 0.998 for row in rows for share in row["back"]["kept"])
    assert [round(100 * share) for share in found["kept"]] == [100, 98, 94, 94]
    errors = [round(100 * each, 1) for each in (rows[0]["back"]["error"], found["error"], found["errors"]["one start"])]
    assert errors == [2.4, 5.0, 10.7] and said("2.4%", "5.0%", "10.7%")


def test_what_ships_is_what_was_measured():
    row = next(row for row in record()["faces"]["vae"]["0.2"] if row["seed"] == 0)
    x = data.faces(4000, seed=4).images[:500] / 127.5 - 1
    back = vae.shipped()(x)
    assert (back - x).square().mean().sqrt().item() / 2 == pytest.approx(row["back"]["error"], rel=0.05)
    G = pretrained.load("faces_dcgan", average=True)
    z = torch.tensor(record()["inversion"]["z"])
    assert (G(z) - x[:20]).square().mean().sqrt().item() / 2 < 0.08


def test_the_best_answers_are_mean_and_median():
    mean, median = lesson.best_answers(0.7)
    assert mean == pytest.approx(496, abs=1e-3)
    with seeded(0):
        coins = lesson.humps(0.7).sample((200_000,))
    assert median == pytest.approx(coins.median().item(), abs=0.05) and 490 < median < 492
    assert lesson.best_answers(0.5) == pytest.approx((500, 500), abs=0.01)
    costs = [(coins - a).square().mean() for a in (mean - 0.5, mean, mean + 0.5)]
    assert costs[1] < min(costs[0], costs[2])
    costs = [(coins - a).abs().mean() for a in (median - 0.5, median, median + 0.5)]
    assert costs[1] < min(costs[0], costs[2])


def test_what_is_said_of_the_mean_face_and_the_median_face():
    people = data.faces(2000, seed=4)
    x = people.images / 127.5 - 1

    def share(one, attribute, n):
        """At the n numbers where the attribute shows most: how far one is from those without to those with it."""
        yes, no = (x[people.labels[:, attribute] == has].mean(dim=0).flatten() for has in (1, 0))
        most = (yes - no).abs().topk(n).indices
        return ((one.flatten() - no) / (yes - no))[most]

    mean, median = x.mean(dim=0), x.median(dim=0).values
    assert share(mean, 1, 60).mean().item() == pytest.approx(0.3, abs=0.02)
    assert share(mean, 3, 300).sub(0.5).abs().max() < 0.05
    hair = share(median, 3, 300)
    assert (hair < 0.25).double().mean() > 0.1 and (hair > 0.75).double().mean() > 0.1


def test_the_policy_becomes_the_experts():
    source = next(cell.source for cell in CELLS if "expert = " in cell.source)
    for seed in range(2):
        names = {"torch": torch, "losses": losses, "print": lambda *_: None}
        with seeded(seed):
            exec(source, names)
        assert torch.allclose(names["policy"].softmax(dim=1), names["expert"], atol=0.05)


def test_the_sliders_say_what_is_drawn():
    assert "glasses" in lesson.walk(t=1.0) and lesson.walk() != lesson.walk(t=0.5) != lesson.walk(t=0.5, noise=1.0)
    assert "the mean" in lesson.answers() and lesson.answers(0.3) != lesson.answers(0.7)


def test_links_to_places_are_there():
    fold = re.search(r"<summary>Common mistakes</summary>(.*?)</details>", TEXT, re.DOTALL)[1]
    for place in re.findall(r': "([^"]+)"\.', fold):
        assert f"## {place}" in TEXT, place


# -- the checks of the exercises ---------------------------------------------------------------------------------------


def draw(mu, sd):
    return mu + sd * torch.randn_like(mu)


DRAW = [
    (draw, "Right"),
    (lambda mu, sd: torch.distributions.Normal(mu, sd).rsample(), "Right"),
    (lambda mu, sd: mu + sd * torch.randn(mu.shape), "Right"),
    (lambda mu, sd: torch.distributions.Normal(mu, sd).sample(), "no slope"),
    (lambda mu, sd: torch.normal(mu.detach(), sd.detach()), "no slope"),
    (lambda mu, sd: torch.normal(mu, sd), "back to one of mu and sd"),
    (lambda mu, sd: draw(mu.detach(), sd), "back to one of mu and sd"),
    (lambda mu, sd: mu + 0 * sd, "nothing is random"),
    (lambda mu, sd: mu + sd * torch.randn(3), "all rows are alike"),
    (lambda mu, sd: mu + torch.randn_like(mu), "the spread is 1"),
    (lambda mu, sd: mu + sd**2 * torch.randn_like(mu), "the spread is sd^2"),
    (lambda mu, sd: mu + sd.sqrt() * torch.randn_like(mu), "the root of sd"),
    (lambda mu, sd: mu + sd.exp() * torch.randn_like(mu), "exp(sd)"),
    (lambda mu, sd: sd * torch.randn_like(mu), "add mu"),
    (lambda mu, sd: mu + sd * torch.randn(len(mu), 1), "the columns go together"),
    (lambda mu, sd: mu + sd * torch.rand_like(mu), "mean mu and standard deviation sd"),
    (lambda mu, sd: draw(mu, sd)[0], "a tensor of shape (20000, 3)"),
    (lambda mu, sd: ..., "not answered yet"),
    (boom, "RuntimeError: boom"),
    (3, "hand over the function itself"),
]


def reconstruction(x, back, s):
    return (x - back).square().sum(dim=1).mean() / (2 * s**2)


RECONSTRUCTION = [
    *in_all_forms(reconstruction),
    (lambda x, back, s: vae.reconstruction_loss(x, back, s), "Right"),
    (lambda x, back, s: (x - back).square().mean() / (2 * s**2), "a mean over pixels"),
    (lambda x, back, s: (x - back).square().sum() / (2 * s**2), "the sum over all x"),
    (lambda x, back, s: (x - back).square().sum(1).mean(), "the factor is missing"),
    (lambda x, back, s: (x - back).square().sum(1).mean() / s**2, "not by s^2"),
    (lambda x, back, s: (x - back).square().sum(1).mean() / (2 * s), "s is not squared"),
    (lambda x, back, s: (x - back).square().sum(1).mean() / (2 * s) ** 2, "4 s^2"),
    (lambda x, back, s: (x - back).square().sum(1).mean() / 2 * s**2, "brackets"),
    (lambda x, back, s: (x - back).sum(1).mean() / (2 * s**2), "not squared"),
    (lambda x, back, s: (x - back).abs().sum(1).mean() / (2 * s**2), "absolute differences"),
    (lambda x, back, s: -reconstruction(x, back, s), "the sign"),
    (lambda x, back, s: 1.0, "is right; yours is 1.0"),
    (lambda x, back, s: (x - back).square().sum(1), "one number is wanted"),
    (lambda x, back, s: ..., "not answered yet"),
    (boom, "RuntimeError: boom"),
    (3, "hand over the function itself"),
]


def kl(mu, sd):
    return ((mu**2 + sd**2 - 1) / 2 - sd.log()).sum(dim=1).mean()


KL = [
    *in_all_forms(kl),
    (lambda mu, sd: vae.kl_to_normal(mu, sd.log()), "Right"),
    (lambda mu, sd: ((mu**2 + sd**2 - 1) / 2 - sd.log()).mean(), "a mean over the numbers of z"),
    (lambda mu, sd: ((mu**2 + sd**2 - 1) / 2 - sd.log()).sum(), "the sum over all x"),
    (lambda mu, sd: ((mu**2 + sd**2 - 1) / 2 + sd.log()).sum(1).mean(), "the sign of log sd"),
    (lambda mu, sd: ((mu**2 + sd**2) / 2 - sd.log()).sum(1).mean(), "the -1 is missing"),
    (lambda mu, sd: (mu**2 + sd**2 - 1 - sd.log()).sum(1).mean(), "the 1/2 is missing"),
    (lambda mu, sd: ((mu**2 + sd**2 - 1 - sd.log()) / 2).sum(1).mean(), "log sd is halved"),
    (lambda mu, sd: ((mu**2 + sd - 1) / 2 - sd.log()).sum(1).mean(), "sd is not squared"),
    (lambda mu, sd: ((mu + sd**2 - 1) / 2 - sd.log()).sum(1).mean(), "mu is not squared"),
    (lambda mu, sd: -kl(mu, sd), "the other way round"),
    (lambda mu, sd: ((mu**2 + sd**2 - 1) / 2).sum(1).mean(), "log sd is missing"),
    (lambda mu, sd: 1.0, "is right; yours is 1.0"),
    (lambda mu, sd: ..., "not answered yet"),
    (boom, "RuntimeError: boom"),
    (3, "hand over the function itself"),
]
ANSWERS = told(lesson, {"check_draw": DRAW, "check_reconstruction": RECONSTRUCTION, "check_kl": KL})


@pytest.mark.parametrize(("check", "answer", "text"), ANSWERS)
def test_each_answer_is_told_what_it_is(check, answer, text, capsys):
    says(check, answer, text, capsys)
