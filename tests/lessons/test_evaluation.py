import math

import pytest
import torch
from answers import boom, says, told
from torch.distributions import Categorical

from gan_lessons import metrics
from gan_lessons.lessons import evaluation as lesson


def spread(x, s):
    return (x - s).square().mean().sqrt()


def by_search(x, s):
    sigmas = [i / 10_000 for i in range(10_000, 30_000)]
    return max(sigmas, key=lambda sigma: -len(s) * math.log(sigma) - (x - s).square().sum(1).mean() / (2 * sigma**2))


BEST_SIGMA = [
    (spread, "Right"),
    (lambda x, s: spread(x, s).item(), "Right"),
    (lambda x, s: torch.cdist(x, s[None]).square().mean().div(x.shape[1]).sqrt(), "Right"),
    (by_search, "Right"),
    (lambda x, s: spread(x, s) ** 2, "take the root"),
    (lambda x, s: (x - s).square().sum(dim=1).mean().sqrt(), "you add up the pixels"),
    (lambda x, s: (x - s).norm(dim=1).mean(), "sigma is per pixel"),
    (lambda x, s: (x - s).norm(dim=1).mean() / len(s) ** 0.5, "square first"),
    (lambda x, s: x.std(correction=0), "measure it from s"),
    (lambda x, s: (x - s).std(), "the bump is at s"),
    (lambda x, s: (x - s).abs().mean(), "the normal density squares them"),
    (lambda x, s: 0.3, "yours is 0.3"),
    (lambda x, s: math.nan, "yours is nan"),
    (lambda x, s: (x - s).square().mean(dim=0).sqrt(), "your answer raised"),
    (lambda x, s: None, "not answered yet"),
    (lambda x, s: ..., "not answered yet"),
    (boom, "RuntimeError: boom"),
]


def kl_from_even(counts):
    return metrics.digit_histogram(torch.arange(10).repeat_interleave(counts.long()))[1]


def shares(counts):
    return counts / counts.sum()


KL = [
    (kl_from_even, "Right"),
    (lambda c: math.log(10) - Categorical(shares(c)).entropy(), "Right"),
    (lambda c: (shares(c) * (10 * shares(c)).log()).nansum(), "Right"),
    (lambda c: (shares(c) * (10 * shares(c)).log()).sum(), "0 log 0 counts as 0"),
    (lambda c: torch.xlogy(c, 10 * c).sum(), "divide them by their sum"),
    (lambda c: torch.xlogy(shares(c), shares(c)).sum(), "even shares are 1/10"),
    (lambda c: Categorical(shares(c)).entropy(), "the entropy"),
    (lambda c: -kl_from_even(c), "the sign"),
    (lambda c: -(10 * shares(c)).log().mean(), "the other way round"),
    (lambda c: kl_from_even(c) / 10, "it is a sum"),
    (lambda c: kl_from_even(c) / math.log(2), "in nats"),
    (lambda c: 3.0, "yours is 3"),
    (lambda c: c / 10, "your answer raised"),
    (lambda c: None, "not answered yet"),
    (lambda c: ..., "not answered yet"),
    (boom, "RuntimeError: boom"),
]


ANSWERS = told(lesson, {"check_best_sigma": BEST_SIGMA, "check_kl_from_even": KL})


@pytest.mark.parametrize(("check", "answer", "text"), ANSWERS)
def test_each_answer_is_told_what_it_is(check, answer, text, capsys):
    says(check, answer, text, capsys)
