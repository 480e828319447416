import math

import numpy as np
import pytest
import torch
from answers import boom, in_all_forms, says, spoiling, told
from torch.distributions import Categorical

from gan_lessons import metrics
from gan_lessons.lessons import evaluation as lesson


def spread(x, s):
    return (x - s).square().mean().sqrt()


def by_search(x, s):
    sigmas = [i / 10_000 for i in range(10_000, 30_000)]
    return max(sigmas, key=lambda sigma: -len(s) * math.log(sigma) - (x - s).square().sum(1).mean() / (2 * sigma**2))


def by_descent(x, s):
    log_sigma = torch.zeros((), requires_grad=True)
    optimizer = torch.optim.Adam([log_sigma], lr=0.05)
    for _ in range(300):
        optimizer.zero_grad()
        (-torch.distributions.Normal(s, log_sigma.exp()).log_prob(x).mean()).backward()
        optimizer.step()
    return log_sigma.exp()


BEST_SIGMA = [
    *in_all_forms(spread),
    (by_descent, "Right"),
    (lambda x, s: float(np.sqrt(((x.numpy() - s.numpy()) ** 2).mean())), "Right"),
    (lambda x, s: x.sub_(s).pow_(2).mean().sqrt(), "Right"),
    (spoiling(spread), "yours is 0."),
    (lambda x, s: (x - s).square().sum(dim=0).mean().sqrt(), "you add up the images"),
    (lambda x, s: -spread(x, s), "yours is -"),
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
    (lambda x, s: (x - s).square().mean(dim=0).sqrt(), "one number is wanted; got Tensor of shape (4,)"),
    (lambda x, s: None, "not answered yet"),
    (lambda x, s: ..., "not answered yet"),
    (boom, "RuntimeError: boom"),
]


def kl_from_even(counts):
    return metrics.digit_histogram(torch.arange(10).repeat_interleave(counts.long()))[1]


def shares(counts):
    return counts / counts.sum()


def relative(counts):
    p = shares(counts)
    return torch.xlogy(p, 10 * p).sum()


KL = [
    (kl_from_even, "Right"),
    *in_all_forms(relative),
    (lambda c: sum(p * math.log(10 * p) for p in shares(c).tolist() if p), "Right"),
    (lambda c: torch.nn.functional.kl_div(torch.full((10,), 0.1).log(), shares(c), reduction="sum"), "Right"),
    (lambda c: (shares(c) * (10 * shares(c) + 1e-12).log()).sum(), "Right"),
    (lambda c: shares(c)[c > 0] @ (10 * shares(c)[c > 0]).log(), "Right"),
    (spoiling(relative), "yours is nan"),
    (lambda c: sum(p * math.log(10 * p) for p in shares(c).tolist()), "your answer raised ValueError"),
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
    (lambda c: c / 10, "one number is wanted; got Tensor of shape (10,)"),
    (lambda c: None, "not answered yet"),
    (lambda c: ..., "not answered yet"),
    (boom, "RuntimeError: boom"),
]


ANSWERS = told(lesson, {"check_best_sigma": BEST_SIGMA, "check_kl_from_even": KL})


@pytest.mark.parametrize(("check", "answer", "text"), ANSWERS)
def test_each_answer_is_told_what_it_is(check, answer, text, capsys):
    says(check, answer, text, capsys)
