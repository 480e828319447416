import math

import numpy as np
import pytest
import torch
from answers import boom, in_all_forms, says, spoiling, told

from gan_lessons.lessons import latent_space as lesson


def slerp(z_a, z_b, t):
    theta = torch.acos(torch.cosine_similarity(z_a, z_b, dim=0))
    return (torch.sin((1 - t) * theta) * z_a + torch.sin(t * theta) * z_b) / torch.sin(theta)


def rotated(z_a, z_b, t):  # another way: an equal share of the angle from z_a, then each end's length is let back in
    u, v = z_a / z_a.norm(), z_b / z_b.norm()
    theta = 2 * torch.atan2((u - v).norm(), (u + v).norm())
    weights = torch.linalg.solve(
        torch.stack([torch.stack([torch.ones(()), theta.cos()]), torch.stack([theta.cos(), torch.ones(())])]),
        torch.stack([(t * theta).cos(), ((1 - t) * theta).cos()]),  # what the unit vector there has with u and with v
    )
    return weights[0] * z_a + weights[1] * z_b


def lerp(z_a, z_b, t):
    return (1 - t) * z_a + t * z_b


def careful(z_a, z_b, t):
    cos = torch.cosine_similarity(z_a, z_b, dim=0)
    return lerp(z_a, z_b, t) if cos > 1 - 1e-6 else slerp(z_a, z_b, t)


def limit(z_a, z_b, t):
    theta = torch.acos(torch.cosine_similarity(z_a, z_b, dim=0).clamp(-1 + 1e-7, 1 - 1e-7))
    return (torch.sin((1 - t) * theta) * z_a + torch.sin(t * theta) * z_b) / torch.sin(theta)


def with_lengths(z_a, z_b, t):
    a, b = z_a.norm(), z_b.norm()
    return lerp(a, b, t) * careful(z_a / a, z_b / b, t)


SLERP = [
    *in_all_forms(careful),
    (limit, "Right"),
    (lambda a, b, t: careful(a.double(), b.double(), t), "Right"),
    (lambda a, b, t: slerp(a.numpy(), b.numpy(), t), "your answer raised TypeError"),
    (slerp, "Right. Only for parallel"),
    (rotated, "Right. Only for parallel"),
    (lambda a, b, t: slerp(a, b, t).nan_to_num(), "Right. Only for parallel"),
    (with_lengths, "right for two of one length"),
    (lambda a, b, t: careful(a, b, t) if t in (0, 1) else with_lengths(a, b, t), "right for two of one length"),
    (lambda a, b, t: careful(a, b, 0.25), "of whatever length"),
    (spoiling(slerp), "yours has |z| 0.00"),
    (spoiling(lerp), "yours has |z| 0.00"),
    (lerp, "this is the straight line"),
    (lambda a, b, t: a.norm() * lerp(a, b, t) / lerp(a, b, t).norm(), "uneven pace"),
    (lambda a, b, t: math.cos(t * math.pi / 2) * a + math.sin(t * math.pi / 2) * b, "theirs is 60 degrees"),
    (lambda a, b, t: slerp(b, a, t), "t = 0 is z_a"),
    (
        lambda a, b, t: slerp(a, b, t) * torch.sin(torch.acos(torch.cosine_similarity(a, b, dim=0))),
        "sin(theta) is miss",
    ),
    (lambda a, b, t: slerp(a / a.norm(), b / b.norm(), t), "must not be divided"),
    (lambda a, b, t: slerp(a, b / b.norm() * a.norm(), t), "of whatever length"),
    (lambda a, b, t: slerp(a, b, t) if t else b, "of whatever length"),
    (lambda a, b, t: a * torch.acos(a @ b), "not a finite number"),
    (lambda a, b, t: a, "and 15 degrees are done; yours has |z| 8.00"),
    (lambda a, b, t: 0.5, "got float"),
    (lambda a, b, t: a[:2], "shape (3,) is wanted; got Tensor of shape (2,)"),
    (lambda a, b, t: ..., "not answered yet"),
    (lambda a, b, t: None, "not answered yet"),
    (boom, "RuntimeError: boom"),
    (None, "not answered yet"),
]


def changed(d):
    return (d != d[:, :1]).any(dim=1).double().mean()


CHANGED = [
    *in_all_forms(changed),
    (lambda d: np.ptp(d.numpy(), axis=1).astype(bool).mean(), "Right"),
    (lambda d: (d.diff(dim=1) != 0).any(dim=1).float().mean(), "Right"),
    (lambda d: 1 - sum(row == row[:1] * 5 for row in d.tolist()) / 9, "Right"),
    (lambda d: d.float().std(dim=1).gt(0).float().mean(), "Right"),
    (spoiling(changed), "and you get 0."),
    (lambda d: (d[:, 1] != d[:, 2]).float().mean(), "this compares two steps only"),
    (lambda d: (d[:, 0] != d[:, 1]).float().mean(), "this compares two steps only"),
    (lambda d: (d[:, :3] != d[:, :1]).any(dim=1).float().mean(), "and you get"),
    (lambda d: (d[:, 1:] != d[:, 1:2]).any(dim=1).float().mean(), "and you get"),
    (lambda d: (d.float().mean(dim=1) != d[:, 0]).float().mean(), "and you get"),
    (lambda d: (d != d[:1]).any(dim=0).float().mean(), "and you get 1."),
    (lambda d: (d != d[:, :1]).any(dim=1), "one number is wanted"),
    (lambda d: (d != d[:, :1]).any(dim=1).double().mean(), "Right"),
    (lambda d: sum(len(set(row)) > 1 for row in d.tolist()) / len(d), "Right"),
    (lambda d: (d.max(dim=1).values > d.min(dim=1).values).float().mean().item(), "Right"),
    (lambda d: (d[:, 0] != d[:, -1]).float().mean(), "two ends only"),
    (lambda d: (d.diff(dim=1) != 0).float().mean(), "share of steps"),
    (lambda d: (d != d[:, :1]).float().mean(), "differ from the first"),
    (lambda d: (d == d[:, :1]).all(dim=1).float().mean(), "kept their digit"),
    (lambda d: (d != d[:, :1]).any(dim=1).sum(), "this is a count"),
    (lambda d: sum(len(set(row)) for row in d.tolist()) / len(d), "counts the different digits"),
    (lambda d: (d.diff(dim=1) != 0).sum() / len(d), "counts changes"),
    (lambda d: 0.1, "and you get 0.1"),
    (lambda d: math.nan, "and you get nan"),
    (lambda d: ..., "not answered yet"),
    (lambda d: None, "not answered yet"),
    (boom, "RuntimeError: boom"),
    (3, "hand over the function itself"),
]


ANSWERS = told(lesson, {"check_slerp": SLERP, "check_share_changed": CHANGED})


@pytest.mark.parametrize(("check", "answer", "text"), ANSWERS)
def test_each_answer_is_told_what_it_is(check, answer, text, capsys):
    says(check, answer, text, capsys)
