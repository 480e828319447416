import math
import random

import numpy as np
import pytest
import torch
from answers import boom, in_all_forms, says, spoiling, told
from torch.distributions import Normal

from gan_lessons import data
from gan_lessons.lessons import generative_models as lesson


def parzen_draws(points, h, n):
    return points[torch.randint(len(points), (n,))] + h * torch.randn(n)


def by_dice(points, h, n):
    return [random.gauss(random.choice(points.tolist()), h) for _ in range(n)]


def with_noise(noise):
    return lambda points, h, n: parzen_draws(points, 0.0, n) + h * noise(n)


def seeded(points, h, n):
    torch.manual_seed(1)
    return parzen_draws(points, h, n)


DRAWS = [
    *in_all_forms(parzen_draws),
    (by_dice, "Right"),
    (lambda points, h, n: np.random.default_rng().normal(np.random.choice(points.numpy(), n), h), "Right"),
    (lambda points, h, n: torch.normal(points[torch.ones(3).multinomial(n, replacement=True)], h), "Right"),
    (lambda points, h, n: torch.stack([points[torch.randint(3, ())] + h * torch.randn(()) for _ in range(n)]), "Right"),
    (spoiling(parzen_draws), "near 100%, 0%, 0%"),
    (with_noise(lambda n: 12**0.5 * (torch.rand(n) - 0.5)), "hard ends, as a uniform one"),
    (with_noise(lambda n: torch.randint(2, (n,)) * 2.0 - 1), "+h or -h"),
    (with_noise(lambda n: torch.randn(n).sign()), "+h or -h"),
    (with_noise(lambda n: (torch.rand(n) + torch.rand(n) - 1) * 6**0.5), "hard ends"),
    (with_noise(lambda n: torch.distributions.Laplace(0.0, 0.5**0.5).sample((n,))), "should be normal"),
    (with_noise(lambda n: 1.2 * torch.randn(n)), "yours has sd 0.048"),
    (lambda points, h, n: (points + h * torch.tensor([1.0, -1.3, 0.6]))[torch.randint(3, (n,))], "share one noise"),
    (lambda points, h, n: points[torch.arange(n) % 3] + h * torch.randn(n), "in turn or in blocks"),
    (lambda points, h, n: points[torch.arange(n) * 3 // n] + h * torch.randn(n), "in turn or in blocks"),
    (lambda points, h, n: parzen_draws(torch.tensor([0.0, 0, 1, 4]), h, n), "chosen equally often"),
    (seeded, "the very same numbers"),
    (parzen_draws, "Right"),
    (lambda points, h, n: Normal(points[torch.randint(3, (n,))], h).sample(), "Right"),
    (lambda points, h, n: data.bumps(points.tolist(), [h] * 3, [1] * 3).sample((n,)), "Right"),
    (lambda points, h, n: parzen_draws(points, 0.0, n), "nothing new"),
    (lambda points, h, n: parzen_draws(points, 0.0, n) + h * torch.randn(1), "share one noise"),
    (lambda points, h, n: parzen_draws(points, h**0.5, n), "its root is too wide"),
    (lambda points, h, n: parzen_draws(points, h**2, n), "do not square it"),
    (lambda points, h, n: parzen_draws(points, 0.0, n) + h * torch.rand(n), "leans to one side"),
    (lambda points, h, n: parzen_draws(points, 0.0, n) + 12**0.5 * h * torch.rand(n), "leans to one side"),
    (lambda points, h, n: parzen_draws(points, 2 * h, n), "yours has sd 0.08"),
    (lambda points, h, n: points[0] + h * torch.randn(n), "near 100%, 0%, 0%"),
    (lambda points, h, n: points.mean() + h * torch.randn(n), "near 0%, 100%, 0%"),
    (lambda points, h, n: points.mean() + points.std() * torch.randn(n), "one bump for all"),
    (lambda points, h, n: points + h * torch.randn(3), "shape (10000,) is wanted; got Tensor of shape (3,)"),
    (lambda points, h, n: [0.0] * n, "near 100%, 0%, 0%"),
    (lambda points, h, n: [0.0] * 9, "got list of 9"),
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
    *in_all_forms(lambda score, n: scores(score, n).double().logsumexp(0)),
    (log_z, "Right"),
    (lambda score, n: 1000 + (scores(score, n) - 1000).double().exp().sum().log(), "got -inf"),
    (lambda score, n: (scores(score, n) - scores(score, n).max()).exp().sum().log() + scores(score, n).max(), "Right"),
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


def test_right_draws_are_hardly_ever_refused(capsys):
    """200 samples here, 20,000 once: none. The bound is 1 in 100,000."""
    for seed in range(200):
        rng = torch.Generator().manual_seed(seed)

        def draw(points, h, n, rng=rng):
            return points[torch.randint(3, (n,), generator=rng)] + h * torch.randn(n, generator=rng)

        lesson.check_parzen_draws(draw)
    assert capsys.readouterr().out == "Right.\n" * 200
