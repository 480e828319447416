import math

import pytest
import torch
from answers import boom, in_all_forms, says, spoiling, told
from torch import nn
from torch.distributions import Normal
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from gan_lessons import data, losses, models, recipes, seen, theory
from gan_lessons.devices import seeded
from gan_lessons.lessons import gaussian_gan as lesson
from gan_lessons.optimizers import adam

# -- what the lesson states of its game, played on eight seeds by tests/make/observations.py ---------------------------


def play(gan, rounds):
    """mu and |sigma| after each round, and D's loss, three tensors (rounds,)."""
    path = []
    for record in gan.run(rounds):
        path.append((gan.generator.mu.item(), abs(gan.generator.sigma.item()), record.loss_d.item()))
    return torch.tensor(path).T


def near(mu, sigma):
    return ((mu - 500).abs() < 1) & ((sigma - 5).abs() < 1)


def finds_it(seed):
    mu, sigma, _ = play(recipes.gaussian(seed, decay=None), 1500)
    too_wide, share = sigma.max().item(), near(mu[600:], sigma[600:]).double().mean().item()
    return share == 1 and 7 < too_wide < 8.5, {"widest": too_wide, "share near after 600": share}


def front_then_rear(seed):
    gan = recipes.gaussian(seed, decay=None)
    on_sigma, mu, front_to_rear = [], [], []
    for _ in gan.run(200):
        at_z = seen.push(gan, gan.generator(torch.tensor([-1.0, 1.0])))
        front_to_rear.append((at_z[1] / at_z[0]).item())
        fakes = seen.fakes(gan, 101)
        on_sigma.append((fakes.z * fakes.push).mean().item())
        mu.append(gan.generator.mu.item())
    turn = next(i for i in range(50, 200) if max(on_sigma[i : i + 5]) < 0)
    holds = front_to_rear[49] > 5 and on_sigma[49] > 0.1 and 120 <= turn <= 170 and 488 < mu[turn] < 490
    return holds, {
        "front to rear": front_to_rear[49],
        "at round 50": on_sigma[49],
        "negative from round": turn + 1,
        "mu then": mu[turn],
    }


def frozen_d(seed):
    gan = recipes.gaussian(seed, decay=None)
    play(gan, 40)
    gan.k = 0
    _, sigma, _ = play(gan, 760)
    gan.k = 1
    mu_after, sigma_after, _ = play(gan, 700)
    holds = sigma[-1].item() < 0.1 and near(mu_after[-200:], sigma_after[-200:]).all().item()
    return holds, {"spread of the frozen game": sigma[-1].item(), "spread at the end": sigma_after[-1].item()}


def slow_d(seed):
    mu, sigma, _ = play(recipes.gaussian(seed, decay=None, lr_d=0.001), 2000)
    widest = sigma.argmax().item()
    narrowest = sigma[widest:].min().item()
    holds = sigma.max().item() > 9 and narrowest < 2.2 and near(mu[-500:], sigma[-500:]).all().item()
    return holds, {"widest": sigma.max().item(), "then narrowest": narrowest}


def fast_g(seed):
    mu, sigma, _ = play(recipes.gaussian(seed, decay=None, lr_g=1.0), 2000)
    share = near(mu[-500:], sigma[-500:]).double().mean().item()
    return share < 0.1, {"share near": share}


def fast_g_and_many_turns(seed):
    mu, sigma, _ = play(recipes.gaussian(seed, decay=None, lr_g=1.0, k=20), 300)
    share = near(mu[100:], sigma[100:]).double().mean().item()
    return share == 1, {"share near after 100": share}


def still_g(seed):
    gan = recipes.gaussian(seed, decay=None)
    play(gan, 40)
    gan.lr_g = 1e-5
    _, _, loss_d = play(gan, 500)
    p, q = data.gaussian(), Normal(gan.generator.mu.item(), abs(gan.generator.sigma.item()))
    best = -theory.value(theory.optimal_discriminator(p, q), p, q)
    last = loss_d[-100:].mean().item()
    return 0.1 < last < 0.3 and last < best + 0.05, {"D's loss": last, "the best possible": best}


def splits(seed):
    humps = data.bumps(means=(490.0, 510.0), sds=(4.0, 4.0), weights=(0.5, 0.5))
    gan = recipes.gaussian_mlp(seed, data=humps, k=3, lr_g=0.003, steps=900)
    for _ in gan.run():
        pass
    left, middle, right = theory.pushforward(gan.generator, gan.latent)(torch.tensor([490.0, 500.0, 510.0])).tolist()
    return min(left, right) > 1.5 * middle, {"at 490": left, "at 500": middle, "at 510": right}


def follows_its_sample(seed):
    with seeded(seed):
        coins = data.gaussian().sample((100,))
    gan = recipes.gaussian(seed, data=data.Sample(coins), lr_g=0.1)
    for _ in gan.run():
        pass
    own, mu = coins.mean().item(), gan.generator.mu.item()
    return abs(own - mu) < 0.4, {"mean of the coins": own, "mean of the fakes": mu}


def plain_descent(seed):
    gan = recipes.gaussian(seed, decay=None, lr_g=1.0)
    gan.optimizer_g = torch.optim.SGD(gan.generator.parameters(), lr=1.0)
    mu, sigma, _ = play(gan, 1500)
    return sigma.max().item() < 6 and abs(mu[-1].item() - 500) < 2, {"widest": sigma.max().item()}


OBSERVATIONS = {
    "With plain gradient descent for G the spread stayed below 6, in {} of 8 seeds": plain_descent,
    lesson.HUNDRED: follows_its_sample,
    "In {} of 8 seeds its widest spread was between 7 and 8.5, and from round 600 on it stayed near (500, 5)": finds_it,
    "In {} of 8 seeds it went like this": front_then_rear,
    "In {} of 8 seeds the spread fell below 0.1, and came back to 5 afterwards.": frozen_d,
    "to more than 9, and then fell to less than 2.2 before it settled, in {} of 8 seeds": slow_d,
    "in {} of 8 seeds it was within 1 of (500, 5) in fewer than one tenth of the last 500 of 2,000 rounds": fast_g,
    "Now it settles, in {} of 8 seeds within 100 rounds": fast_g_and_many_turns,
    "D's loss (under *More*: loss_d) falls below 0.3, in {} of 8 seeds": still_g,
    "In {} of 8 seeds both humps were found": splits,
}


# -- the pictures and the numbers in the text --------------------------------------------------------------------------


def test_mu_and_sigma_follow_the_pushes():
    """On the same z autograd's gradients are minus the mean push, and minus the mean of z times the push."""
    gan = lesson.a_hill()
    with seeded(0):
        z = torch.randn(1000)
    loss = losses.non_saturating.generator(None, gan.discriminator(gan.generator(z)))
    of_mu, of_sigma = torch.autograd.grad(loss, [gan.generator.mu, gan.generator.sigma])
    push = seen.push(gan, gan.generator(z).detach())
    assert of_mu.item() == pytest.approx(-push.mean().item(), rel=1e-4)
    assert of_sigma.item() == pytest.approx(-(z * push).mean().item(), rel=1e-4)


def test_a_push_is_slope_over_height():
    gan = lesson.a_hill()
    x = torch.linspace(480, 500, 9)

    def D(x):
        return gan.discriminator.double()(x.double()).sigmoid()

    slope = (D(x + 0.01) - D(x - 0.01)) / 0.02
    assert torch.allclose(seen.push(gan, x.double()), slope / D(x), rtol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 5])
def test_a_small_rate_gets_nowhere(seed):
    gan = recipes.gaussian(seed, decay=None, lr_g=0.0002)
    for _ in gan.run(1000):
        pass
    assert gan.generator.mu.item() == pytest.approx(480.25, abs=0.05)


def test_the_costs_of_saying_nine_tenths_and_one_half():
    real, fake = bce(torch.tensor(0.9).logit(), torch.ones(())), bce(torch.tensor(0.9).logit(), torch.zeros(()))
    assert (real.item(), fake.item()) == (pytest.approx(0.11, abs=0.005), pytest.approx(2.30, abs=0.005))
    assert ((real + fake) / 2).item() == pytest.approx(1.20, abs=0.005)
    costs = {p: -(0.8 * math.log(p) + 0.2 * math.log(1 - p)) for p in (0.8, 0.9, 0.5)}
    assert costs == {
        0.8: pytest.approx(0.50, abs=0.005),
        0.9: pytest.approx(0.54, abs=0.006),
        0.5: pytest.approx(0.69, abs=0.005),
    }
    x = torch.linspace(485, 500, 1501)
    best = theory.optimal_discriminator(data.gaussian(), Normal(490.0, 3.0))(x)
    crossing = x[best > 0.5].min().item()
    assert 494 < crossing < 495


def test_at_the_back_d_hardly_grows_and_in_front_it_does():
    """The seven fakes of the picture at round 50."""
    gan = recipes.gaussian(0, decay=None)
    for _ in gan.run(50):
        pass
    rear, _, _, middle, _, _, front = seen.fakes(gan, 7).height.tolist()
    assert rear == pytest.approx(0.004, abs=5e-4) and middle == pytest.approx(0.008, abs=5e-4)
    assert front > 20 * middle


def test_an_inspector_who_has_learned_everything_pushes_the_rear_hardest():
    """At round 50 of the panel's game (mu = 484, sigma = 5), with the best D in place of the trained one."""
    z = seen.quantiles(Normal(0.0, 1.0), 101)
    x = (484 + 5 * z).requires_grad_()
    log_odds = theory.log_odds(data.gaussian(), Normal(484.0, 5.0))(x)
    (push,) = torch.autograd.grad(-losses.non_saturating.generator(None, log_odds) * len(x), x)
    assert (z * push).mean() < -0.05 and (push.diff() <= 1e-6).all()


@pytest.mark.parametrize("seed", [0, 3])
@pytest.mark.parametrize(("mu", "sigma"), [(490.0, 5.0), (500.0, 2.0)])
def test_raw_x_leaves_d_blind(seed, mu, sigma):
    torch.manual_seed(seed)
    x, stuck, off = torch.linspace(480, 520, 201), [], []
    best = theory.optimal_discriminator(data.gaussian(), Normal(mu, sigma))(x)
    for view in (None, models.Standardise(0.0, 500.0), models.Standardise(500.0, 5.0)):
        D = models.MLPDiscriminator(1, 16, 16, 1, inputs=view)
        optimizer = adam(D.parameters(), lr=0.01)
        for _ in range(400):
            x_real, x_fake = data.gaussian().sample((128,)), mu + sigma * torch.randn(128)
            loss = losses.discriminator_loss(D(x_real), D(x_fake))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        stuck.append((D.net[0](D.inputs(x)[:, None]).tanh().abs() > 0.99).double().mean().item())
        off.append((D(x).sigmoid() - best).abs().mean().item())
    assert stuck[0] > 0.95 > stuck[1]
    assert off[0] > 4 * off[2] and off[1] > 2 * off[2]
    if sigma == 2:  # x / 500 does not show the width
        assert off[1] > 0.8 * off[0]


# -- the checks of the exercises ---------------------------------------------------------------------------------------


def bell(x, factor, sd=5.0):
    return factor * torch.exp(-((x - 500) ** 2) / (2 * sd**2))


RIGHT = 1 / (5 * math.sqrt(2 * math.pi))
DENSITY = [
    *in_all_forms(lambda x: bell(x, RIGHT)),
    (lambda x: Normal(500.0, 5.0).log_prob(x).exp(), "Right"),
    (lambda x: x.sub_(500).div_(5).square_().div_(-2).exp_().mul_(RIGHT), "Right"),
    (lambda x: [RIGHT * math.exp(-((v - 500) ** 2) / 50) for v in x.tolist()], "Right"),
    (spoiling(lambda x: bell(x, RIGHT)), "Not yet"),
    (lambda x: RIGHT * torch.exp(-((x - x.mean()) ** 2) / 50), "the bump is off"),
    (lambda x: bell(x, 1.0) / bell(x, 1.0).sum(), "not 1: look at the factor"),
    (lambda x: bell(x, RIGHT)[:, None], "shape (61,) is wanted; got Tensor of shape (61, 1)"),
    (lambda x: bell(x.double(), RIGHT), "Right"),
    (lambda x: bell(x, 1 / math.sqrt(5 * 2 * math.pi)), "the variance is 25"),
    (lambda x: bell(x, RIGHT).log(), "take exp"),
    (lambda x: bell(x, 1.0), "area under it is 12.5"),
    (lambda x: bell(x, RIGHT, sd=math.sqrt(5)), "the bump is off"),
    (lambda x: bell(x, RIGHT, sd=10.0), "0.882; it should be"),
    (lambda x: bell(x, RIGHT).sum(), "shape (61,) is wanted; got Tensor of shape ()"),
    (lambda x: 0.1, "got float"),
    (lambda x: [0.1] * 61, "the bump is off"),
    (lambda x: [0.1] * 60, "got list of 60"),
    (lambda x: torch.zeros(61), "Not yet"),
    (lambda x: None, "not answered yet"),
    (lambda x: ..., "not answered yet"),
    (boom, "RuntimeError: boom"),
    (3, "hand over the function itself"),
]


def turn_of_d(real=1.0, fake=0.0, detach=True, zero=True, step=True, sigmoid=False, sign=1):
    def turn(D, G, optimizer, x_real, z):
        x_fake = G(z).detach() if detach else G(z)
        out = [D(x).sigmoid() if sigmoid else D(x) for x in (x_real, x_fake)]
        terms = [
            bce(o, torch.full_like(o, label)) for o, label in zip(out, (real, fake), strict=True) if label is not None
        ]
        if zero:
            optimizer.zero_grad()
        (sign * sum(terms)).backward()
        if step:
            optimizer.step()

    return turn


def one_batch(D, G, optimizer, x_real, z):
    x, labels = torch.cat([x_real, G(z).detach()]), torch.cat([torch.ones_like(x_real), torch.zeros_like(z)])
    optimizer.zero_grad()
    bce(D(x), labels).backward()
    optimizer.step()


def moves_g(D, G, optimizer, x_real, z):
    turn_of_d()(D, G, optimizer, x_real, z)
    G.mu.data += 1


def two_passes(D, G, optimizer, x_real, z):
    D.zero_grad(set_to_none=False)
    (-D(x_real).sigmoid().log().mean()).backward()
    with torch.no_grad():
        x_fake = G(z)
    bce(D(x_fake), D(x_fake).detach() * 0).backward()
    optimizer.step()
    return 0.7


def by_hand(D, G, optimizer, x_real, z):
    loss = losses.discriminator_loss(D(x_real), D(G(z).detach()))
    with torch.no_grad():
        for weight, slope in zip(D.parameters(), torch.autograd.grad(loss, list(D.parameters())), strict=True):
            weight -= optimizer.param_groups[0]["lr"] * slope


def frozen_g_turn(D, G, optimizer, x_real, z):
    G.requires_grad_(False)
    turn_of_d(detach=False)(D, G, optimizer, x_real, z)
    return D


def summed(D, G, optimizer, x_real, z):
    out = D(torch.cat([x_real, G(z).detach()]))
    optimizer.zero_grad()
    bce(out, torch.tensor([1.0, 0.0]).repeat_interleave(32), reduction="sum").backward()
    optimizer.step()


def many_steps(D, G, optimizer, x_real, z):
    turn_of_d()(D, G, optimizer, x_real, z)
    turn_of_d()(D, G, optimizer, x_real, z)


TURN_OF_D = [
    (turn_of_d(), "Right"),
    (two_passes, "Right"),
    (by_hand, "Right"),
    (frozen_g_turn, "Right"),
    (spoiling(turn_of_d()), "the player moved, but not"),
    (summed, "take the mean"),
    (many_steps, "the player moved, but not"),
    (lambda D, G, optimizer, x_real, z: bce(D(x_real), torch.ones(32)), "nothing has moved"),
    (lambda D, G, optimizer, x_real, z: turn_of_d()(D, G, optimizer, torch.randn(32), z), "the player moved, but not"),
    (one_batch, "Right"),
    (turn_of_d(detach=False), "cut the fakes off"),
    (turn_of_d(zero=False), "optimizer.zero_grad()"),
    (turn_of_d(step=False), "optimizer.step() is missing"),
    (turn_of_d(real=0.0, fake=1.0), "changed places"),
    (turn_of_d(fake=1.0), "the fakes carry the label 1"),
    (turn_of_d(fake=None), "only the real coins"),
    (turn_of_d(real=None), "only the fakes"),
    (turn_of_d(sign=-1), "minus the loss"),
    (turn_of_d(sigmoid=True), "a sigmoid too many"),
    (turn_of_d(sign=3), "the player moved"),
    (moves_g, "G has moved"),
    (lambda *_: None, "not answered yet"),
    (lambda *_: ..., "not answered yet"),
    (boom, "RuntimeError: boom"),
    (3, "hand over the function itself"),
]


def turn_of_g(label=1.0, zero=True, step=True, sigmoid=False, sign=1, total=False, detach=False):
    def turn(D, G, optimizer, z):
        out = D(G(z).detach() if detach else G(z))
        out = out.sigmoid() if sigmoid else out
        loss = sign * bce(out, torch.full_like(out, label), reduction="sum" if total else "mean")
        if zero:
            optimizer.zero_grad()
        loss.backward()
        if step:
            optimizer.step()

    return turn


def moves_d(D, G, optimizer, z):
    turn_of_g()(D, G, optimizer, z)
    next(D.parameters()).data += 1


def with_loss(loss):
    def turn(D, G, optimizer, z):
        optimizer.zero_grad()
        loss(D(G(z))).backward()
        optimizer.step()
        return loss

    return turn


TURN_OF_G = [
    (turn_of_g(), "Right"),
    (with_loss(losses.non_saturating_generator_loss), "Right"),
    (with_loss(lambda out: -out.sigmoid().log().mean()), "Right"),
    (with_loss(lambda out: -nn.functional.logsigmoid(out).mean()), "Right"),
    (with_loss(lambda out: nn.functional.softplus(-out).sum() / len(out)), "Right"),
    (with_loss(lambda out: nn.functional.binary_cross_entropy(out.sigmoid(), torch.ones(32))), "Right"),
    (spoiling(turn_of_g()), "the player moved, but not"),
    (lambda D, G, optimizer, z: turn_of_g()(D, G, optimizer, torch.randn(32)), "the player moved, but not"),
    (lambda D, G, optimizer, z: bce(D(G(z)), torch.ones(32)), "nothing has moved"),
    (turn_of_g(label=0.0), "helps D to catch it"),
    (turn_of_g(label=0.0, sign=-1), "the loss of lesson 03"),
    (turn_of_g(sign=-1), "the sign"),
    (turn_of_g(sigmoid=True), "a sigmoid too many"),
    (turn_of_g(zero=False), "optimizer.zero_grad()"),
    (turn_of_g(step=False), "G has not moved"),
    (turn_of_g(detach=True), "G has not moved"),
    (turn_of_g(total=True), "take the mean"),
    (turn_of_g(sign=3), "the player moved"),
    (moves_d, "D has moved"),
    (lambda *_: None, "not answered yet"),
    (boom, "RuntimeError: boom"),
]
ANSWERS = told(
    lesson,
    {"check_density": DENSITY, "check_discriminator_turn": TURN_OF_D, "check_generator_turn": TURN_OF_G},
)


@pytest.mark.parametrize(("check", "answer", "text"), ANSWERS)
def test_each_answer_is_told_what_it_is(check, answer, text, capsys):
    says(check, answer, text, capsys)


def test_the_learners_own_gan_plays_once_both_turns_are_written(monkeypatch, capsys):
    shown = []
    monkeypatch.setattr(lesson, "show", lambda figure, alt: shown.append(figure.axes[0].get_title()))
    lesson.your_gan(turn_of_d(), lambda *_: None)
    assert shown == [] and "waits for both" in capsys.readouterr().out
    lesson.your_gan(boom, boom)
    assert shown == [] and "RuntimeError" in capsys.readouterr().out
    lesson.your_gan(one_batch, turn_of_g(), rounds=3)
    assert shown == ["your GAN after 3 rounds: mean 480.1, spread 1.1"] or shown[0].startswith(
        "your GAN after 3 rounds"
    )


@pytest.mark.parametrize("seed", [0, 3])
def test_a_loss_of_d_near_0_does_not_stop_g(seed):
    """The first edition said that then nobody learns: so it is with log(1 - D), not with -log D."""
    moved = {}
    for loss in (losses.non_saturating, losses.minimax):
        gan = recipes.gaussian(seed, start=(470.0, 1.0), decay=None, lr_g=1.0, loss=loss)
        gan.optimizer_g = torch.optim.SGD(gan.generator.parameters(), lr=1.0)  # Adam would hide how small a push is
        for _ in range(500):
            gan.discriminator_step()
        assert max(record.loss_d.item() for record in gan.run(20)) < 0.1
        moved[loss.name] = gan.generator.mu.item() - 470
    assert moved["non_saturating"] > 2 and abs(moved["minimax"]) < 0.05
