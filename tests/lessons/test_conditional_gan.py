"""Lesson 13: what its text says, counted again; and every answer to its exercises is told what it is."""

from pathlib import Path

import nbformat
import pytest
import torch
from answers import boom, in_all_forms, says, told
from torch import nn

from gan_lessons import data, losses, seen
from gan_lessons.conditional import ConditionalDiscriminator
from gan_lessons.lessons import conditional_gan as lesson

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


OBSERVATIONS = {
    "in {} of 8 seeds a fake of 500 is pushed to the left with the slip of a five and to the right with a ten's": (
        apart_by_their_slips
    ),
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
    for value in (f"{100 * shares[1]:.1f}", f"{100 * shares[5]:.1f}", f"{best[5]:.3f}"[1:], f"{best[1]:.3f}"[1:]):
        assert value in TEXT


def test_penalties_look_at_the_picture_alone():
    D = ConditionalDiscriminator(nn.Sequential(nn.Linear(3, 1), nn.Flatten(0)), 2)
    pair = torch.randn(4, 3, requires_grad=True)
    slope = D.net[0].weight[0, 0].item()
    assert losses.r1_penalty(D(pair), pair).item() == pytest.approx(slope**2 / 2)


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
