import math

import pytest
import torch
from answers import boom, says, told
from torch.distributions import Normal

from gan_lessons import data
from gan_lessons.lessons import generative_models as lesson


def parzen_draws(points, h, n):
    return points[torch.randint(len(points), (n,))] + h * torch.randn(n)


DRAWS = [
    (parzen_draws, "Right"),
    (lambda points, h, n: Normal(points[torch.randint(3, (n,))], h).sample(), "Right"),
    (lambda points, h, n: data.bumps(points.tolist(), [h] * 3, [1] * 3).sample((n,)), "Right"),
    (lambda points, h, n: parzen_draws(points, 0.0, n), "nothing new"),
    (lambda points, h, n: parzen_draws(points, 0.0, n) + h * torch.randn(1), "share one noise"),
    (lambda points, h, n: parzen_draws(points, h**0.5, n), "its root is too wide"),
    (lambda points, h, n: parzen_draws(points, h**2, n), "do not square it"),
    (lambda points, h, n: parzen_draws(points, 0.0, n) + h * torch.rand(n), "leans to one side"),
    (lambda points, h, n: parzen_draws(points, 0.0, n) + 12**0.5 * h * torch.rand(n), "leans to one side"),
    (lambda points, h, n: parzen_draws(points, 2 * h, n), "yours has 0.079"),
    (lambda points, h, n: points[0] + h * torch.randn(n), "near 100%, 0%, 0%"),
    (lambda points, h, n: points.mean() + h * torch.randn(n), "near 0%, 100%, 0%"),
    (lambda points, h, n: points.mean() + points.std() * torch.randn(n), "one bump for all"),
    (lambda points, h, n: points + h * torch.randn(3), "shape (3000,); got torch.Size([3])"),
    (lambda points, h, n: [0.0] * n, "got list"),
    (lambda points, h, n: torch.full((n,), math.nan), "Not yet"),
    (lambda points, h, n: ..., "not answered yet"),
    (boom, "RuntimeError: boom"),
]


def log_z(score, n, first=0):
    images = (torch.arange(first, 2**n)[:, None] >> torch.arange(n)) & 1
    return torch.logsumexp(score(images.float()), dim=0)


def scores(score, n):
    return score(torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * n))


LOG_Z = [
    (log_z, "Right"),
    (lambda score, n: scores(score, n).double().logsumexp(0).item(), "Right"),
    (lambda score, n: math.log(sum(math.exp(s) for s in scores(score, n))), "your answer raised OverflowError"),
    (lambda score, n: scores(score, n).exp().sum().log(), "too large for a float"),
    (lambda score, n: scores(score, n).exp().sum(), "take its log"),
    (lambda score, n: scores(score, n).exp().mean().log(), "a sum over all images"),
    (lambda score, n: scores(score, n).max(), "the highest score"),
    (lambda score, n: scores(score, n).sum().log(), "exp first"),
    (lambda score, n: log_z(score, n, first=1), "the black one"),
    (lambda score, n: scores(score, n).exp().sum().log10(), "base 10"),
    (lambda score, n: scores(score, n).exp().sum().log2(), "base 2"),
    (lambda score, n: log_z(score, n - 1), "is 4.8704; got 3.8963"),
    (lambda score, n: ..., "not answered yet"),
]


ANSWERS = told(lesson, {"check_parzen_draws": DRAWS, "check_log_z": LOG_Z})


@pytest.mark.parametrize(("check", "answer", "text"), ANSWERS)
def test_each_answer_is_told_what_it_is(check, answer, text, capsys):
    says(check, answer, text, capsys)


def test_checking_draws_leaves_the_random_numbers_alone():
    torch.manual_seed(3)
    free = torch.rand(2)
    torch.manual_seed(3)
    lesson.check_parzen_draws(parzen_draws)
    assert torch.equal(torch.rand(2), free)
