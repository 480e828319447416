import inspect
import math

import pytest
import torch
from torch.distributions import Categorical, Normal
from torch.nn.functional import binary_cross_entropy_with_logits as bce
from torch.nn.functional import logsigmoid

from gan_lessons import data, exercises, losses, metrics, recipes
from gan_lessons.training import Trainer


def bell(x, factor, sd=5.0):
    return factor * torch.exp(-((x - 500) ** 2) / (2 * sd**2))


def boom(*args):
    raise RuntimeError("boom")


RIGHT = 1 / (5 * math.sqrt(2 * math.pi))
DENSITY = [
    (lambda x: bell(x, RIGHT), "✓ right"),
    (lambda x: bell(x.double(), RIGHT), "✓ right"),
    (lambda x: bell(x, 1 / math.sqrt(5 * 2 * math.pi)), "the variance is 25"),
    (lambda x: bell(x, RIGHT).log(), "take exp"),
    (lambda x: bell(x, 1.0), "area under it is 12.5"),
    (lambda x: bell(x, RIGHT, sd=math.sqrt(5)), "the bump is off"),
    (lambda x: bell(x, RIGHT, sd=10.0), "0.882; it should be"),
    (lambda x: bell(x, RIGHT).sum(), "shape (31,)"),
    (lambda x: 0.1, "shape (31,)"),
    (lambda x: [0.1] * 31, "shape (31,)"),
    (lambda x: torch.zeros(31), "✗"),
    (lambda x: None, "not answered yet"),
    (lambda x: ..., "not answered yet"),
    (boom, "RuntimeError: boom"),
    (3, "TypeError"),
]
LOSS = [
    (losses.discriminator_loss, "✓ right"),
    (lambda r, f: -logsigmoid(r).mean() - logsigmoid(-f).mean(), "✓ right"),
    (lambda r, f: logsigmoid(r).mean() + logsigmoid(-f).mean(), "minus in front"),
    (lambda r, f: -logsigmoid(r).mean() - logsigmoid(f).mean(), "log(1 - D(G(z)))"),
    (lambda r, f: -logsigmoid(r).sum() - logsigmoid(-f).sum(), "takes the mean"),
    (lambda r, f: -(logsigmoid(r).mean() + logsigmoid(-f).mean()) / 2, "added, not averaged"),
    (lambda r, f: losses.discriminator_loss(f, r), "changed places"),
    (lambda r, f: -(r.sigmoid().log() + (1 - f.sigmoid()).log()).mean(), "rounds to log(0)"),
    (lambda r, f: torch.tensor(3.0), "got 3.0, expected"),
    (lambda r, f: 3.0, "got 3.0, expected"),
    (lambda r, f: None, "not answered yet"),
    (lambda r, f: ..., "not answered yet"),
    (lambda r: r, "TypeError"),
    (boom, "RuntimeError: boom"),
    (None, "TypeError"),
]
BEST_D = [
    (lambda p, q: 1 / (1 + q / p), "✓ right"),
    (lambda p, q: q / (p + q), "how likely x is real"),
    (lambda p, q: p / q, "divide by the sum"),
    (lambda p, q: p / p.sum(), "it does not add up to 1"),
    (lambda p, q: p, "✗ got"),
    (lambda p, q: ..., "not answered yet"),
    (boom, "RuntimeError: boom"),
]
SQUARE = [
    (lambda x: 1 / torch.sqrt(40 * (x - 500)), "✓ right"),
    (lambda x: torch.ones_like(x), "divide by the slope"),
    (lambda x: torch.sqrt(40 * (x - 500)), "you multiply by the slope"),
    (lambda x: torch.sqrt((x - 500) / 10), "this is z itself"),
    (lambda x: 1 / (20 * x), "this slope is at z = x"),
    (lambda x: 1 / (x - 490), "it should be 0.0707, and yours is 0.0667"),
    (lambda x: ..., "not answered yet"),
    (boom, "RuntimeError: boom"),
]
WEIGHTS = [
    (sum(w.numel() for w in recipes.mnist(device="cpu").generator.parameters()), "✓ right"),
    (100 * 256 + 256 * 512 + 512 * 1024 + 1024 * 784, "biases are missing"),
    (101 * 256 + 257 * 512 + 513 * 784, "the code has a third"),
    (2676, "number of units"),
    (1, "got 1"),
    (..., "not answered yet"),
    (None, "not answered yet"),
]
PIXELS = [
    (lambda x: ((x + 1) * 127.5).round().to(torch.uint8), "✓ right"),
    (lambda x: ((x + 1) * 127.5).to(torch.uint8), "round first"),
    (lambda x: (x.clamp(min=0) * 255).round().to(torch.uint8), "below 0 became black"),
    (lambda x: ((x + 1) * 127.5).round(), "got torch.float32"),
    (lambda x: 3, "got int"),
    (lambda x: torch.zeros(2, 3, dtype=torch.uint8), "expected [[0, 64"),
    (lambda x: ..., "not answered yet"),
    (boom, "RuntimeError: boom"),
]
NEAR = 500 + 0.9 * torch.sin(torch.arange(400.0)), 5 + 0.9 * torch.cos(torch.arange(400.0))
STEADY = [
    (NEAR, "✓ right"),
    ((NEAR[0], -NEAR[1]), "✓ right"),  # the sign of sigma does not show in p_g
    ((torch.cat([torch.full((100,), 480.0), NEAR[0][:300]]), NEAR[1]), "✓ right"),  # only the last 300 count
    ((NEAR[0] + 2 * (torch.arange(400) % 5 == 0), NEAR[1]), "near (500, 5) in 80%"),
    ((NEAR[0], NEAR[1] + 2 * (torch.arange(400) % 2)), "near (500, 5) in 50%"),
    ((NEAR[0], torch.full((400,), 1.0)), "near (500, 5) in 0%"),
    ((torch.full((400,), 481.0), NEAR[1]), "it is 481.0"),
    ((torch.full((400,), math.nan), NEAR[1]), "it is nan"),
    ((NEAR[0], torch.full((400,), math.nan)), "✗"),
    ((NEAR[0][:100], NEAR[1][:100]), "at least 300 numbers"),
    ((NEAR[0], NEAR[1][:350]), "(400,) and (350,)"),
    (None, "not answered yet"),
    (..., "not answered yet"),
    (3, "TypeError"),
    (([500.0] * 300, [5.0] * 300), "✗"),
]


def best_value(p, q, dx):
    return (torch.xlogy(p, p / (p + q)) + torch.xlogy(q, q / (p + q))).sum() * dx


def divergence(p, q, dx):
    m = (p + q) / 2
    return (torch.xlogy(p, p / m) + torch.xlogy(q, q / m)).sum() * dx / 2


CRITERION = [
    (best_value, "✓ right"),
    (lambda p, q, dx: best_value(p, q, dx).item(), "✓ right"),
    (lambda p, q, dx: -math.log(4) + 2 * divergence(p, q, dx), "✓ right"),
    (lambda p, q, dx: best_value(p, q, 1.0), "multiply by it"),
    (lambda p, q, dx: (p * (p / (p + q)).log()).sum() * dx, "half on the fakes"),
    (lambda p, q, dx: (q * (q / (p + q)).log()).sum() * dx, "half on the data"),
    (lambda p, q, dx: (p * (q / (p + q)).log() + q * (p / (p + q)).log()).sum() * dx, "inverted policeman"),
    (divergence, "-log 4 + 2 JSD"),
    (lambda p, q, dx: 2 * divergence(p, q, dx), "-log 4 is missing"),
    (lambda p, q, dx: -best_value(p, q, dx), "at most 0"),
    (lambda p, q, dx: (p * (p / (p + q)).log2() + q * (q / (p + q)).log2()).sum() * dx, "natural log"),
    (lambda p, q, dx: -math.log(4), "a D that says 1/2"),
    (lambda p, q, dx: 3.0, "it should be -1.107, and yours is 3"),
    (lambda p, q, dx: math.nan, "yours is nan"),
    (lambda p, q, dx: None, "not answered yet"),
    (lambda p, q, dx: ..., "not answered yet"),
    (lambda p, q, dx: p, "✗ your answer raised"),
    (boom, "RuntimeError: boom"),
]
HILL = [
    (((470, 5), (500, 5)), "✓ right"),
    ([[500.0, 5.0], [530.0, 5.0]], "✓ right"),
    (((480, 5), (520, 5)), "a hole between your two"),
    (((470, 5), (475, 5)), "level ground"),
    (((500, 5), (500, 5)), "level ground"),
    (((480, 5), (500, 5)), "only 0.04 above"),
    (((500, -5), (500, 5)), "stay on the map"),
    (((0, 5), (500, 5)), "stay on the map"),
    (((470, 5), ...), "not answered yet"),
    (((..., ...), (..., ...)), "not answered yet"),
    (None, "not answered yet"),
    (..., "not answered yet"),
    (((470, 5),), "ValueError"),
    (3, "TypeError"),
]


def parzen_draws(points, h, n):
    return points[torch.randint(len(points), (n,))] + h * torch.randn(n)


DRAWS = [
    (parzen_draws, "✓ right"),
    (lambda points, h, n: Normal(points[torch.randint(3, (n,))], h).sample(), "✓ right"),
    (lambda points, h, n: data.bumps(points.tolist(), [h] * 3, [1] * 3).sample((n,)), "✓ right"),
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
    (lambda points, h, n: torch.full((n,), math.nan), "✗"),
    (lambda points, h, n: ..., "not answered yet"),
    (boom, "RuntimeError: boom"),
]


def log_z(score, n, first=0):
    images = (torch.arange(first, 2**n)[:, None] >> torch.arange(n)) & 1
    return torch.logsumexp(score(images.float()), dim=0)


def scores(score, n):
    return score(torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * n))


LOG_Z = [
    (log_z, "✓ right"),
    (lambda score, n: scores(score, n).double().logsumexp(0).item(), "✓ right"),
    (lambda score, n: math.log(sum(math.exp(s) for s in scores(score, n))), "✗ your answer raised OverflowError"),
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


MINIMAX = [
    (lambda V: (V.max(dim=1).values.min(), V.min(dim=0).values.max()), "✓ right"),
    (lambda V: (min(map(max, V.tolist())), max(map(min, V.T.tolist()))), "✓ right"),
    (lambda V: (V.min(dim=0).values.max(), V.max(dim=1).values.min()), "exchanged the two numbers"),
    (lambda V: (V.max(dim=0).values.min(), V.min(dim=1).values.max()), "the other way round"),
    (lambda V: (V.max(), V.min()), "the largest and the smallest"),
    (lambda V: (V.max(dim=1).indices.min(), V.min(dim=0).indices.min()), "places in the table"),
    (lambda V: (V.max(dim=1).values.argmin(), V.min(dim=0).values.argmax()), "it is (5, 2), and yours is (0, 2)"),
    (lambda V: (5.0, 3.0), "yours is (5, 3)"),
    (lambda V: (V.max(dim=1).values, V.min(dim=0).values), "your answer raised"),
    (lambda V: 5.0, "TypeError"),
    (lambda V: (..., ...), "not answered yet"),
    (lambda V: (V.max(dim=1).values.min(), ...), "not answered yet"),
    (lambda V: None, "not answered yet"),
    (boom, "RuntimeError: boom"),
]
LABEL = [
    (lambda a: bce(a, torch.ones_like(a)), "✓ right"),
    (losses.non_saturating_generator_loss, "✓ right"),
    (lambda a: bce(a, torch.zeros_like(a)), "help to be caught"),
    (lambda a: -bce(a, torch.zeros_like(a)), "the saturating loss"),
    (lambda a: -bce(a, torch.ones_like(a)), "which G climbs"),
    (lambda a: bce(a, torch.ones_like(a), reduction="sum"), "take the mean"),
    (lambda a: bce(a.sigmoid(), torch.ones_like(a)), "a sigmoid too many"),
    (lambda a: -a.sigmoid().log().mean(), "rounds to log(0)"),
    (lambda a: bce(a, torch.ones_like(a), reduction="none"), "got tensor"),
    (lambda a: 3.0, "got 3.0, expected"),
    (lambda a: None, "not answered yet"),
    (lambda a: ..., "not answered yet"),
    (boom, "RuntimeError: boom"),
]
STEP = [
    (lambda x, y, eta: (x - eta * y, y + eta * x), "✓ right"),
    (lambda x, y, eta: [torch.tensor(x - eta * y), torch.tensor(y + eta * x)], "✓ right"),
    (lambda x, y, eta: (x - eta * y, y + eta * (x - eta * y)), "y has used the new x"),
    (lambda x, y, eta: (x - eta * (y + eta * x), y + eta * x), "x has used the new y"),
    (lambda x, y, eta: (x - eta * y, y - eta * x), "both descend"),
    (lambda x, y, eta: (x + eta * y, y + eta * x), "both climb"),
    (lambda x, y, eta: (x + eta * y, y - eta * x), "changed places"),
    (lambda x, y, eta: (x - eta * x, y + eta * y), "the other's slope"),
    (lambda x, y, eta: (-eta * y, eta * x), "yours to (-0.3, 0.2)"),
    (lambda x, y, eta: x - eta * y, "return two numbers"),
    (lambda x, y, eta: ..., "not answered yet"),
    (lambda x, y, eta: None, "not answered yet"),
    (boom, "RuntimeError: boom"),
]
REST = torch.full((60,), math.log(4))
LYING = [
    ((REST, torch.full((60,), 0.1)), "✓ right"),
    ((REST + 0.09, torch.full((60,), -0.9)), "✓ right"),
    ((REST, torch.cat([torch.full((40,), 9.0), torch.full((20,), 0.1)])), "✓ right"),  # only the last third counts
    ((REST + 0.11, torch.full((60,), 0.1)), "loss ends at 1.50"),
    ((REST * math.nan, torch.full((60,), 0.1)), "loss ends at nan"),
    ((REST, torch.full((60,), 5.2)), "they do not lie here"),
    ((REST, torch.full((60,), -5.2)), "they do not lie here"),
    ((REST, torch.cat([torch.full((50,), 9.0), torch.full((10,), 0.1)])), "in 50% of the last 20"),
    ((REST, torch.full((60,), math.nan)), "in 0% of the last 20"),
    ((REST[:30], torch.full((60,), 0.1)), "got (30,) and (60,)"),
    (..., "not answered yet"),
    (None, "not answered yet"),
    (3, "TypeError"),
]


def spread(x, s):
    return (x - s).square().mean().sqrt()


def by_search(x, s):
    sigmas = [i / 10_000 for i in range(10_000, 30_000)]
    return max(sigmas, key=lambda sigma: -len(s) * math.log(sigma) - (x - s).square().sum(1).mean() / (2 * sigma**2))


BEST_SIGMA = [
    (spread, "✓ right"),
    (lambda x, s: spread(x, s).item(), "✓ right"),
    (lambda x, s: torch.cdist(x, s[None]).square().mean().div(x.shape[1]).sqrt(), "✓ right"),
    (by_search, "✓ right"),
    (lambda x, s: spread(x, s) ** 2, "take the root"),
    (lambda x, s: (x - s).square().sum(dim=1).mean().sqrt(), "you add up the pixels"),
    (lambda x, s: (x - s).norm(dim=1).mean(), "sigma is per pixel"),
    (lambda x, s: (x - s).norm(dim=1).mean() / len(s) ** 0.5, "square first"),
    (lambda x, s: x.std(correction=0), "measure it from s"),
    (lambda x, s: (x - s).std(), "the bump is at s"),
    (lambda x, s: (x - s).abs().mean(), "the normal density squares them"),
    (lambda x, s: 0.3, "yours is 0.3"),
    (lambda x, s: math.nan, "yours is nan"),
    (lambda x, s: (x - s).square().mean(dim=0).sqrt(), "✗ your answer raised"),
    (lambda x, s: None, "not answered yet"),
    (lambda x, s: ..., "not answered yet"),
    (boom, "RuntimeError: boom"),
]


def kl_from_even(counts):
    return metrics.digit_histogram(torch.arange(10).repeat_interleave(counts.long()))[1]


def shares(counts):
    return counts / counts.sum()


KL = [
    (kl_from_even, "✓ right"),
    (lambda c: math.log(10) - Categorical(shares(c)).entropy(), "✓ right"),
    (lambda c: (shares(c) * (10 * shares(c)).log()).nansum(), "✓ right"),
    (lambda c: (shares(c) * (10 * shares(c)).log()).sum(), "0 log 0 counts as 0"),
    (lambda c: torch.xlogy(c, 10 * c).sum(), "divide them by their sum"),
    (lambda c: torch.xlogy(shares(c), shares(c)).sum(), "even shares are 1/10"),
    (lambda c: Categorical(shares(c)).entropy(), "the entropy"),
    (lambda c: -kl_from_even(c), "the sign"),
    (lambda c: -(10 * shares(c)).log().mean(), "the other way round"),
    (lambda c: kl_from_even(c) / 10, "it is a sum"),
    (lambda c: kl_from_even(c) / math.log(2), "in nats"),
    (lambda c: 3.0, "yours is 3"),
    (lambda c: c / 10, "✗ your answer raised"),
    (lambda c: None, "not answered yet"),
    (lambda c: ..., "not answered yet"),
    (boom, "RuntimeError: boom"),
]


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


SLERP = [
    (slerp, "✓ right"),
    (rotated, "✓ right"),
    (lerp, "this is the straight line"),
    (lambda a, b, t: a.norm() * lerp(a, b, t) / lerp(a, b, t).norm(), "uneven pace"),
    (lambda a, b, t: math.cos(t * math.pi / 2) * a + math.sin(t * math.pi / 2) * b, "theirs is 60°"),
    (lambda a, b, t: slerp(b, a, t), "t = 0 is z_a"),
    (
        lambda a, b, t: slerp(a, b, t) * torch.sin(torch.acos(torch.cosine_similarity(a, b, dim=0))),
        "sin(theta) is miss",
    ),
    (lambda a, b, t: slerp(a / a.norm(), b / b.norm(), t), "must not be divided"),
    (lambda a, b, t: slerp(a, b / b.norm() * a.norm(), t), "of whatever length"),
    (lambda a, b, t: slerp(a, b, t) if t else b, "of whatever length"),
    (lambda a, b, t: a * torch.acos(a @ b), "not a finite number"),
    (lambda a, b, t: a, "and 15° are done; yours has |z| 8.00"),
    (lambda a, b, t: 0.5, "got float"),
    (lambda a, b, t: a[:2], "got torch.Size([2])"),
    (lambda a, b, t: ..., "not answered yet"),
    (lambda a, b, t: None, "not answered yet"),
    (boom, "RuntimeError: boom"),
    (None, "TypeError"),
]
CHANGED = [
    (lambda d: (d != d[:, :1]).any(dim=1).double().mean(), "✓ right"),
    (lambda d: sum(len(set(row)) > 1 for row in d.tolist()) / len(d), "✓ right"),
    (lambda d: (d.max(dim=1).values > d.min(dim=1).values).float().mean().item(), "✓ right"),
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
    (3, "TypeError"),
]


ANSWERS = [
    (check, answer, text)
    for check, answers in (
        (exercises.check_density, DENSITY),
        (exercises.check_discriminator_loss, LOSS),
        (exercises.check_steady, STEADY),
        (exercises.check_optimal_discriminator, BEST_D),
        (exercises.check_density_of_square, SQUARE),
        (exercises.check_weights, WEIGHTS),
        (exercises.check_to_pixels, PIXELS),
        (exercises.check_criterion, CRITERION),
        (exercises.check_hill, HILL),
        (exercises.check_parzen_draws, DRAWS),
        (exercises.check_log_z, LOG_Z),
        (exercises.check_minimax, MINIMAX),
        (exercises.check_label_of_fakes, LABEL),
        (exercises.check_simultaneous_step, STEP),
        (exercises.check_lying_losses, LYING),
        (exercises.check_best_sigma, BEST_SIGMA),
        (exercises.check_kl_from_even, KL),
        (exercises.check_slerp, SLERP),
        (exercises.check_share_changed, CHANGED),
    )
    for answer, text in answers
]


@pytest.mark.parametrize(("check", "answer", "text"), ANSWERS)
def test_each_answer_is_told_what_it_is(check, answer, text, capsys):
    assert check(answer) is None
    printed = capsys.readouterr().out
    assert text.lower() in printed.lower() and printed.count("\n") == 1
    assert printed.startswith(("✓ ", "… ", "✗ "))
    assert printed.startswith("✓") == (text == "✓ right")


def test_show_source_shows_the_code_that_runs(monkeypatch):
    shown = []
    monkeypatch.setattr(exercises, "display", lambda bundle, raw: shown.append(bundle))
    for obj in (losses.discriminator_loss, Trainer.step, Trainer.discriminator_step, Trainer):
        exercises.show_source(obj)
    assert all("monospace" in bundle["text/html"] for bundle in shown)
    texts = [bundle["text/plain"] for bundle in shown]
    assert "return softplus(-logits_real).mean() + softplus(logits_fake).mean()" in texts[0]
    assert texts[0] == inspect.getsource(losses.discriminator_loss).strip()
    assert "def step(self)" in texts[1] and "for _ in self.turns()" in texts[1]  # not the wrapper around it
    assert "def discriminator_step(" in texts[2] and ".detach()" in texts[2]
    assert texts[3].startswith("class Trainer:")
    assert not any(line.startswith(" ") for line in (text.splitlines()[0] for text in texts))


def test_checking_draws_leaves_the_random_numbers_alone():
    torch.manual_seed(3)
    free = torch.rand(2)
    torch.manual_seed(3)
    exercises.check_parzen_draws(parzen_draws)
    assert torch.equal(torch.rand(2), free)
