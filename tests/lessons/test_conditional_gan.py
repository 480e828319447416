"""Lesson 13: what its text says, counted again; and every answer to its exercises is told what it is."""

from pathlib import Path

import nbformat
import pytest
import torch
from answers import boom, in_all_forms, says, told
from torch import nn

from gan_lessons import data, losses, pretrained, seen
from gan_lessons.conditional import ConditionalDiscriminator, draw
from gan_lessons.lessons import conditional_gan as lesson
from gan_lessons.tiles import unpacked
from gan_lessons.views import conditional as views

ROOT = Path(__file__).parents[2]
TEXT = "\n".join(cell.source for cell in nbformat.read(ROOT / "notebooks" / "13_conditional_gan.ipynb", 4).cells)
FIVE, TEN = torch.eye(2)


# -- what the lesson states of its games, played on eight seeds by tests/make/observations.py --------------------


def pushed(trainer, y):
    """The push on a fake of 500 with this slip."""
    return seen.push(trainer, torch.cat([torch.tensor([500.0]), y])[None])[0, 0].item()


def apart_by_their_slips(seed):
    trainer = lesson.coins(seed)
    for _ in range(60):
        trainer.discriminator_step()
    five, ten = pushed(trainer, FIVE), pushed(trainer, TEN)
    return five < 0 < ten, {"five": five, "ten": ten}


def both_means(seed):
    trainer = lesson.coins(seed)
    for _ in trainer.run():
        pass
    sigma, five, ten = trainer.generator.net.weight[0].tolist()
    return abs(five - 490) < 1 and abs(ten - 510) < 1, {"sigma": sigma, "five": five, "ten": ten}


def half_a_pair(seed):
    """The share of 300 z with glasses when y says 0.5, and 0.8."""
    G = views.generator(views.FACES)
    z = views.z_of(views.FACES, 300, seed)
    half, most = (read(G, z, torch.tensor([0, value, 0, 0]))[:, 1].double().mean().item() for value in (0.5, 0.8))
    return half < 0.3 and most > 0.75, {"half": half, "most": most}


def read(G, z, y):
    return pretrained.reader()(draw(G, z, y)) > 0


def much_ink(seed):
    """The share of 300 z whose 4 is read as a 4, as it is and with ink at 3."""
    G, z, ink = views.generator(views.DIGITS), views.z_of(views.DIGITS, 300, seed), views.directions()[1]
    labels = [pretrained.classifier()(draw(G, z + step * ink, torch.eye(10)[4])).argmax(dim=1) for step in (0, 3)]
    before, after, nines = ((labels[i] == j).double().mean().item() for i, j in ((0, 4), (1, 4), (1, 9)))
    return after < before - 0.15, {"before": before, "after": after, "nines": nines}


OBSERVATIONS = {
    "In {} of 8 seeds a fake of 500 is pushed to the left with the slip of a five and to the right with a ten's": (
        apart_by_their_slips
    ),
    "In {} of 8 sets of 300 z at least 15 in 100 fewer were read as a 4 at 3 than at 0": much_ink,
    "In {} of 8 sets of 300 z fewer than 30 in 100 wore glasses at 0.5, and more than 75 at 0.8": half_a_pair,
    "in {} of 8 seeds both means end within 1 of the true ones": both_means,
}


# -- one hill for each label -------------------------------------------------------------------------------------------


def test_the_push_is_the_slope_of_log_d_with_the_label_held_fixed():
    trainer = lesson.coins(3)
    trainer.discriminator_step()
    for y in (FIVE, TEN):
        x, h = 497.0, 1e-2
        at = torch.tensor([[x - h], [x], [x + h]]).double()
        D = trainer.discriminator.double()
        logit = D(torch.cat([at, y.double().expand(3, -1)], dim=1))
        slope = (logit[2] - logit[0]) / (2 * h)
        expected = (1 - logit[1].sigmoid()) * slope
        trainer.discriminator.float()
        found = seen.push(trainer, torch.tensor([[x, *y.tolist()]]))[0, 0]
        assert found.item() == pytest.approx(expected.item(), rel=1e-2)


def test_pushes_on_fives_reach_the_mean_of_fives_alone():
    net = lesson.coins().generator
    net(torch.tensor([[0.3, 1.0, 0.0], [-1.0, 1.0, 0.0]]))[:, 0].sum().backward()
    assert net.net.weight.grad[0].tolist() == pytest.approx([-0.7, 2.0, 0.0])


def test_what_is_said_of_asking_too_often():
    """The best D of pairs whose pictures are perfect: the share of data among all pairs of a label."""
    shares = data.mnist().labels.bincount(minlength=10) / 60_000
    best = shares / (shares + 0.1)
    assert best[5] == best.min() and best[1] == best.max()
    for value in (f"{100 * shares[1]:.1f}", f"{100 * shares[5]:.1f}"):
        assert f"{value} in 100" in TEXT or f"{value} are fives" in TEXT
    assert f"9.0 / (9.0 + 10) = {best[5]:.2f}, for a one {best[1]:.2f}".replace(" 0.", " .") in TEXT


def test_penalties_look_at_the_picture_alone():
    D = ConditionalDiscriminator(nn.Sequential(nn.Linear(3, 1), nn.Flatten(0)), 2)
    pair = torch.randn(4, 3, requires_grad=True)
    slope = D.net[0].weight[0, 0].item()
    assert losses.r1_penalty(D(pair), pair).item() == pytest.approx(slope**2 / 2)


# -- numbers in the text ---------------------------------------------------------------------------------------------


def games(begins):
    return lesson.seeds(begins)


def said(*numbers):
    """A row of numbers as the text has it: 1, 2 and 3."""
    *first, last = map(str, numbers)
    assert f"{', '.join(first)} and {last}" in TEXT, (numbers, "is not said")


def test_the_record_is_of_the_generators_that_ship():
    z = views.z_of(views.FACES, 60, 7)
    right = torch.stack([(read(views.generator(views.FACES), z, y) == (y == 1)).all(dim=1) for y in lesson.KINDS])
    assert right.double().mean().item() == pytest.approx(
        torch.tensor(lesson.games()["ship faces"]["right"]).mean().item(), abs=0.02
    )
    z = views.z_of(views.DIGITS, 100, 7)
    labels = [pretrained.classifier()(draw(views.generator(views.DIGITS), z, y)).argmax(dim=1) for y in torch.eye(10)]
    accuracy = torch.stack([(label == i).double().mean() for i, label in enumerate(labels)]).mean().item()
    assert accuracy == pytest.approx(lesson.games()["ship digits"]["accuracy"], abs=0.03)
    assert f"the accuracy of our G is {100 * lesson.games()['ship digits']['accuracy']:.0f} in 100" in TEXT


def test_what_is_said_of_who_is_told():
    both, only_g, only_d = (games(f"digits {who}") for who in lesson.TOLD)
    said(*(f"{100 * row['accuracy']:.0f}" for row in both))
    said(*(f"{100 * row['accuracy']:.1f}" for row in only_g))
    assert all(row["accuracy"] == pytest.approx(0.1) for row in only_d)
    least, most = (
        [round(100 * end(row["sure"] for row in rows)) for rows in (both, only_g, only_d)] for end in (min, max)
    )
    assert (least, most) == ([89, 69, 40], [90, 71, 47])
    assert "of 40 to 47 in 100" in TEXT and "of 89 or 90 in 100" in TEXT and "69 to 71" in TEXT
    assert f"real pairs {only_d[0]['d_real']:.2f} and fakes {only_d[0]['d_fake']:.2f}".replace(" 0.", " .") in TEXT
    assert {row["rounds"] for row in (*both, *only_g, *only_d)} == {2400}
    assert all({*torch.tensor(row["read"]).diagonal().argsort()[:2].tolist()} == {8, 9} for row in both)
    wrong = [torch.tensor(row["read"]).double().fill_diagonal_(0).sum(dim=1) for row in both]  # by what was asked for
    assert all(0.45 < (one[8:].sum() / one.sum()).item() < 0.55 for one in wrong)
    assert "half of the mistakes are in the rows of eight and nine" in TEXT


def test_what_is_said_of_a_kind_that_was_never_seen():
    shares = {name: [lesson.pairs_shares(row) for row in games(name)] for name in ("faces unseen", "faces both")}
    for rows in shares.values():
        said(*(f"{round(1000 * row[3, 3].item()):,}" for row in rows))
    most = max(row[:3, 3].max().item() for row in shares["faces unseen"])
    assert f"at most {round(1000 * most)} of 1,000 have both" in TEXT
    assert all(row["rounds"] == 2000 for name in shares for row in games(name))
    assert 0.14 < data.SHARES[0] * data.SHARES[1] < 0.16  # about 15 in 100


def test_what_is_said_of_long_dark_hair():
    (row,) = games("faces unseen dark")
    kinds = lesson.KINDS[:, [0, 3]].all(dim=1)
    both = torch.tensor(row["pairs"])[kinds, 3].mean().item()
    (longer,) = {one["rounds"] for one in games("faces unseen") if one["rounds"] != row["rounds"]}
    told = f"One seed, and {row['rounds']} rounds only, where the games with glasses had {longer:,}"
    assert f"{round(1000 * both)} in 1,000 such faces" in TEXT and told in TEXT


def test_long_dark_hair_that_was_never_seen_has_two_colours():
    """What hangs beside the neck is redder than the cap, and redder than blue, so yellow: for each of the four z."""
    faces = unpacked(games("faces unseen dark")[0]["pictures"], 32).view(4, 4, 3, 32, 32)[:, 3]  # asked for both
    cap, curtain = faces[:, :, 5:9, 13:19].mean(dim=(2, 3)), faces[:, :, 20:24, 5:8].mean(dim=(2, 3))
    assert (curtain[:, 0] > cap[:, 0] + 0.3).all() and (curtain[:, 0] > curtain[:, 2] + 0.2).all()


def test_about_forty_in_a_hundred_are_read_as_nines():
    assert 0.33 < much_ink(0)[1]["nines"] < 0.47 and "about 40 in 100 are read as nines" in TEXT


def test_what_is_said_of_sums_of_changes():
    for pair, off in ((("long hair", "glasses"), "2 in 100 off"), (("long hair", "dark hair"), "39 in 100 off")):
        assert f"{100 * lesson.together(*pair)[1]:.0f} in 100 off" == off and off in TEXT


def test_what_is_said_of_all_kinds():
    right = [share for row in games("faces both") for share in row["right"]]
    assert f"it was {100 * min(right):.0f} to {100 * max(right):.0f}" in TEXT
    assert lesson.games()["ship faces"]["rounds"] == 3000


def test_only_d_told_the_best_pictures_are_like_real_ones():
    """Of all p_g(x) whose labels go with nothing, p_data(x) has the smallest Jensen-Shannon divergence of pairs."""

    def divergence(q):  # 10 pictures, each of its own label: pairs (x, y), real ones on the diagonal
        real, fake = torch.eye(10).double() / 10, q[:, None].expand(-1, 10) / 10
        middle = (real + fake) / 2
        return sum(torch.xlogy(p, p / middle).sum() / 2 for p in (real, fake))

    torch.manual_seed(0)
    least = divergence(torch.full((10,), 0.1).double())
    others = [divergence(torch.distributions.Dirichlet(torch.ones(10).double()).sample()) for _ in range(200)]
    assert min(others) > least


def test_likeness():
    z = torch.randn(3000)
    assert lesson.likeness(torch.stack([z, 2 * z + 5, z.exp() * 0 + z])) == pytest.approx(1)
    assert lesson.likeness(torch.randn(4, 3000)) == pytest.approx(0, abs=0.05)
    mixed = z + torch.randn(5, 3000)  # half of the variance is that of z
    assert lesson.likeness(mixed) == pytest.approx(0.5, abs=0.05)


def test_what_z_keeps_is_said():
    for value in lesson.kept().values():
        assert f"{value:.2f}"[1:] in TEXT


# -- the checks of the exercises ---------------------------------------------------------------------------------------


def join(z, y):
    return torch.cat([z, y], dim=1)


JOIN = [
    *in_all_forms(join),
    (lambda z, y: torch.hstack([z, y]), "Right"),
    (lambda z, y: torch.cat([y, z], dim=1), "y stands before z"),
    (lambda z, y: z, "got shape (5, 16)"),
    (lambda z, y: torch.cat([z, y.argmax(dim=1)[:, None]], dim=1), "got shape (5, 17)"),
    (lambda z, y: torch.cat([z, y.flip(0)], dim=1), "its own y"),
    (lambda z, y: torch.cat([z, y]), "RuntimeError"),
    (lambda z, y: ..., "not answered yet"),
    (boom, "RuntimeError: boom"),
    (3, "hand over the function itself"),
]


def planes(x, y):
    return torch.cat([x, y[:, :, None, None].expand(-1, -1, 32, 32)], dim=1)


PLANES = [
    *in_all_forms(planes),
    (lambda x, y: torch.cat([x, y.view(-1, 4, 1, 1) * torch.ones(1, 1, 32, 32)], dim=1), "Right"),
    (lambda x, y: planes(x, y).roll(4, dims=1), "before the colours"),
    (lambda x, y: planes(x, y[:1].expand(3, -1)), "the label of the first"),
    (lambda x, y: planes(x, 0 * y), "the planes are empty"),
    (lambda x, y: planes(x, y.flip(1)), "plane j of face i"),
    (lambda x, y: torch.cat([x.flatten(1), y], dim=1), "got shape (3, 3076)"),
    (lambda x, y: x, "got shape (3, 3, 32, 32)"),
    (lambda x, y: ..., "not answered yet"),
    (boom, "RuntimeError: boom"),
]


def accuracy(logits, y):
    return (logits.argmax(dim=1) == y.argmax(dim=1)).double().mean()


ACCURACY = [
    *in_all_forms(accuracy),
    (lambda logits, y: accuracy(logits, y).item(), "Right"),
    (lambda logits, y: accuracy(logits, y).reshape(1), "Right"),
    (lambda logits, y: 40 * accuracy(logits, y), "this is the count"),
    (lambda logits, y: 100 * accuracy(logits, y), "in percent"),
    (lambda logits, y: 1 - accuracy(logits, y), "the share of wrong ones"),
    (lambda logits, y: ((logits > 0) == (y > 0)).double().mean(), "compares all ten numbers"),
    (lambda logits, y: (logits.softmax(dim=1) * y).sum(dim=1).mean(), "the mean probability"),
    (lambda logits, y: logits.argmax(dim=1) == y.argmax(dim=1), "one number is wanted"),
    (lambda logits, y: 0.1, "of the pictures are read as asked; got 0.100"),
    (lambda logits, y: ..., "not answered yet"),
    (boom, "RuntimeError: boom"),
]


def ask(labels, n):
    return labels[torch.randint(len(labels), (n,))]


def each_kind_as_often(labels, n):
    return ask(labels.unique(dim=0), n)


ASK = [
    *in_all_forms(ask),
    (lambda labels, n: labels[torch.multinomial(torch.ones(len(labels)), n, replacement=True)], "Right"),
    (each_kind_as_often, "each kind comes equally often"),
    (lambda labels, n: ask(torch.eye(10), n), "all ten digits come equally often"),
    (lambda labels, n: labels.repeat(40, 1)[:n], "the same labels come every time"),
    (lambda labels, n: ask(labels, 1).expand(n, -1), "the same labels come every time"),
    (lambda labels, n: ask(labels, n).roll(1, dims=1), "0, 1 and 7 should come in"),
    (lambda labels, n: ask(labels, n // 4).repeat_interleave(4, dim=0), "neighbours are too often the same"),
    (lambda labels, n: labels.mean(dim=0).expand(n, -1), "a single 1 and nine 0"),
    (lambda labels, n: ask(labels, n).argmax(dim=1), "a tensor of shape (4000, 10) is wanted"),
    (lambda labels, n: ..., "not answered yet"),
    (boom, "RuntimeError: boom"),
]
CHECKS = {"check_generator_input": JOIN, "check_discriminator_input": PLANES}
CHECKS |= {"check_accuracy": ACCURACY, "check_ask": ASK}
ANSWERS = told(lesson, CHECKS)


@pytest.mark.parametrize(("check", "answer", "text"), ANSWERS)
def test_each_answer_is_told_what_it_is(check, answer, text, capsys):
    says(check, answer, text, capsys)


def test_what_is_said_of_how_it_learns():
    learning = data.saved_record("conditional")["learning"]
    at = {
        rounds: [learning[f"k = 1, seed {seed}"][rounds // 100 - 1] for seed in (0, 1)] for rounds in (300, 500, 1000)
    }
    assert at == {300: [0.14, 0.15], 500: [0.44, 0.53], 1000: [0.76, 0.78]}
    assert set(learning["k = 0, seed 0"][:10]) == {0.1}
