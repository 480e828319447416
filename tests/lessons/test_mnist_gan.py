"""Lesson 08: what its text says, computed another way; and every answer to its exercises is told what it is."""

import math
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
from answers import boom, in_all_forms, says, spoiling, told
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from gan_lessons import Trainer, data, losses, metrics, models, pretrained, recipes, seen
from gan_lessons.devices import seeded
from gan_lessons.lessons import mnist_gan as lesson

ROOT = Path(__file__).parents[2]
TEXT = "\n".join(cell.source for cell in nbformat.read(ROOT / "notebooks" / "08_mnist_gan.ipynb", 4).cells)


# -- what the lesson says of tries on the panel ------------------------------------------------------------------------


def state(gan):
    """D's mean answer about 1,000 fakes, and how many of them are legible."""
    x = seen.made(gan, seen.noise(gan, 1000))
    with torch.no_grad():
        sure = pretrained.classifier()(x).softmax(1).amax(1)
    return seen.heights(gan, x).mean().item(), (sure > 0.9).double().mean().item()


def played(gan, rounds):
    return [(record.d_real.item(), record.d_fake.item()) for record in gan.run(rounds)]


def fools_a_frozen_d(seed):
    gan = recipes.mnist_quick(seed, device="cpu")
    played(gan, 300)
    before, gan.k = state(gan), 0
    for _ in gan.run(100):
        pass
    after = state(gan)
    measured = {"before": before[0], "after": after[0], "legible": before[1], "legible after": after[1]}
    return after[0] > before[0] + 0.1, measured


def five_turns_part_the_curves(seed):
    gan = recipes.mnist_quick(seed, device="cpu")
    real, fake = torch.tensor(played(gan, 200)[-50:]).mean(0).tolist()
    gan.k = 5
    real_5, fake_5 = torch.tensor(played(gan, 80)[-30:]).mean(0).tolist()
    return real_5 - fake_5 > real - fake, {"gap, k = 1": real - fake, "gap, k = 5": real_5 - fake_5}


def long_steps_break_the_digits(seed):
    gan = recipes.mnist_quick(seed, device="cpu")
    played(gan, 200)
    before, gan.lr_g = state(gan)[1], 0.05
    played(gan, 20)
    broken, gan.lr_g = state(gan)[1], 0.001
    played(gan, 300)
    after = state(gan)[1]
    return broken < before / 2, {"legible before": before, "broken": broken, "after": after}


OBSERVATIONS = {
    "in {} of 8 seeds D's mean answer about 1,000 fakes rose by more than 0.1 in 100 rounds": fools_a_frozen_d,
    "In {} of 8 seeds the two curves of D moved apart": five_turns_part_the_curves,
    "in {} of 8 seeds fewer than half of the legible ones were left": long_steps_break_the_digits,
}


def test_in_how_many_of_these_games_fewer_fakes_were_legible():
    rows = data.saved_record("observations")["mnist_gan"]
    sentence = next(one for one, play in OBSERVATIONS.items() if play is fools_a_frozen_d)
    fewer = sum(row["legible after"] < row["legible"] for row in rows[sentence]["seeds"].values())
    shown(f"in {fewer} of them fewer were legible")
    sentence = next(one for one, play in OBSERVATIONS.items() if play is long_steps_break_the_digits)
    back = sum(row["after"] > row["legible before"] / 2 for row in rows[sentence]["seeds"].values())
    shown(f"in {back} of the 8 more than half of them were back")


# -- the numbers in the text, computed another way ---------------------------------------------------------------------


def shown(*values):
    """Each of these stands in the text."""
    for value in values:
        assert str(value) in TEXT, value


def test_what_the_game_of_the_film_did():
    game, averaged, (early, late) = (lesson._kept(part) for part in ("game", "averaged", "frozen"))
    legible = dict(zip(game["rounds"], game["legible"], strict=True))
    assert legible[0] == 0 and legible[300] < legible[1000] < legible[2400] < averaged["legible"]
    shown(f"from {legible[300]:.2f} at round 300 to about {legible[2400]:.2f}")
    assert legible[2400] > 4 * legible[300]
    answers = early["D(G(z))"]
    shown(f"from {answers[0]:.2f} to {answers[1]:.2f}, and then to {answers[3]:.2f}", f"({answers[4]:.2f} in the fifth")
    real = game["curves"]["d_real"][800 // game["block"]]
    shown(f"when it was stopped ({real:.2f})")
    assert early["legible"][0] > early["legible"][2] > early["legible"][3] < early["legible"][5]
    end = game["curves"]["d_real"][-1]
    assert late["D(G(z))"][3] > end  # more about spoilt fakes than about real digits
    shown(f"stops at {late['D(G(z))'][3]:.2f}", f"({late['legible'][5]:.2f} in place of {late['legible'][0]:.2f})")
    assert late["legible"][0] - late["legible"][3] < early["legible"][0] - early["legible"][3]
    losses_d, losses_g = (game["curves"][key][1:] for key in ("loss_d", "loss_g"))
    assert max(losses_d) < math.log(4) and np.mean(losses_g) < math.log(2)


def test_the_averages_of_a_weight_jitter_less_and_follow():
    weight = lesson._kept("game")["weight"]
    raw, averaged = (torch.tensor(weight[key]) for key in ("raw", "averaged"))
    assert averaged.diff().abs().mean() < raw.diff().abs().mean() / 2
    assert (averaged - raw).abs().max() < raw.max() - raw.min()


def test_in_how_many_kinds_all_three_are_the_same_digit():
    images = lesson.unpacked(lesson._kept("averaged")["kinds"])
    a, b, c = pretrained.classifier()(images).argmax(1).reshape(3, 30)
    shown(f"In {((a == b) & (a == c)).sum()} of the 30")


def test_batch_norm_keeps_z_apart():
    plain, normed = lesson.layer_2(False), lesson.layer_2(True)
    shown(f"their spread is {plain.std(0).mean():.2f}")
    assert normed.std(0).mean().item() == pytest.approx(1, abs=1e-3) and normed.mean(0).abs().max() < 1e-5
    pushed = []
    for batch_norm in (False, True):  # and what comes back through G's layers
        with seeded(0):
            G = models.MLPGenerator(
                64, 512, 512, 784, activation=models.leaky_relu, batch_norm=batch_norm, output=nn.Tanh()
            )
            z, push = torch.randn(200, 64, requires_grad=True), torch.randn(200, 784)
            pushed.append(torch.autograd.grad((G(z) * push).sum(), z)[0].norm())
    assert pushed[1] > 3 * pushed[0]
    chosen = plain.mean(0).argsort()[[5, 506]]
    share = (plain[:, chosen] > 0).double().mean(0)
    assert share[0] < 0.25 and share[1] > 0.75


def test_where_a_game_with_smoothed_labels_rests():
    loss_d, loss_g = losses.smoothed(0.9).at_equilibrium
    shown(f"loss is {loss_d:.3f} and G's {loss_g:.3f}")
    logit = torch.tensor(0.45).logit().requires_grad_()  # half are real: no better answer
    total = bce(logit, torch.tensor(0.9)) + bce(logit, torch.tensor(0.0))
    assert total.item() == pytest.approx(loss_d) and torch.autograd.grad(total, logit)[0].abs() < 1e-6
    card = pretrained.card("mnist_small_z64")["curves"]
    assert all(abs(card[key][-1] - 0.45) < 0.03 for key in ("d_real", "d_fake"))


@pytest.mark.slow
def test_how_often_each_digit_comes():
    mnist, paper, best = (lesson.digit_shares(name) for name in lesson.SHIPPED)
    shown(
        f"With `mnist` {mnist[1]:.0%} are ones",
        f"{mnist[7]:.0%} are sevens",
        f"come to {mnist[[2, 3, 5, 8]].sum():.0%}",
    )
    real = metrics.digit_histogram(data.mnist("train").labels)[0]
    shown(f"{real[1]:.0%} are ones", f"`mnist_paper` has {paper[1]:.0%}", f"`mnist_best` {best[1]:.0%}")


def test_one_thing_changed():
    """Rows count with both dots on one side of both of mnist_quick's."""
    rows = data.saved_record("quick_search")["rows"]

    def dots(variant, rounds, which=0):
        return [row["sure, coverage"][rounds][which] for row in rows if row["variant"] == variant]

    def below(rounds, which=0):
        black = dots("mnist_quick", rounds, which)
        return {one for one in lesson.CHANGED if max(dots(one, rounds, which)) < min(black)}

    assert max(np.ptp(dots(one, "1000")) for one in lesson.CHANGED) < 0.1
    early = {"G begins anywhere", "z without kinds", "no R1", "average 0.999"}
    assert early <= below("1000") and not {"G learns from all fakes", "R1 in every round"} & below("1000")
    assert {"G learns from all fakes", "z without kinds"} <= below("2400")
    alone = ("G begins anywhere", "z without kinds", "G learns from all fakes", "no R1", "R1 in every round")
    assert min(alone, key=lambda one: np.mean(dots(one, "2400"))) == "z without kinds"
    for rounds, which in (("1000", 0), ("2400", 0), ("2400", 1)):
        assert max(dots("no R1, D with dropout 0.3", rounds, which)) < min(dots("no R1", rounds, which))
    for one in ("z without kinds", "average 0.999"):
        assert min(dots(one, "2400", 1)) > max(dots("mnist_quick", "2400", 1))
    for rounds in ("1000", "2400"):
        assert max(dots("simultaneous, no R1", rounds)) < min(dots("no R1", rounds))


def test_noise_in_the_middle_of_g_is_enough():
    """The lesson's two cells on another seed; 1,000 rounds take some seconds."""
    cells = nbformat.read(ROOT / "notebooks" / "08_mnist_gan.ipynb", 4).cells
    code, game = (
        next(cell.source for cell in cells if text in cell.source) for text in ("class Noise", "Trainer(Noise")
    )
    names = {"torch": torch, "nn": nn, "recipes": recipes, "Trainer": Trainer}
    exec(code + "\n" + game.replace("seed=0", "seed=1").replace("manual_seed(0)", "manual_seed(1)"), names)
    coins = names["coins"]
    x = coins.sample(10_000)
    assert coins.steps_done == 1000 and abs(x.mean() - 500) < 0.3 and abs(x.std() - 5) < 0.5


def test_both_players_at_once_as_the_readme_has_it():
    readme = (ROOT / "README.md").read_text()
    for order, figures in (("alternating", ("459", "0.181")), ("simultaneous", ("535", "0.129"))):
        row = re.search(rf"^\| {order} \| [^|]+ ± .+$", readme, re.MULTILINE)[0]
        assert all(f"{figure} ±" in row for figure in figures)
        shown(*figures)


def test_the_table_of_recipes():
    """Its cells, from the trainers themselves."""
    row = {line.split("|")[1].strip(): line.split("|")[2:-1] for line in TEXT.splitlines() if line.startswith("| ")}
    for i, name in enumerate(("mnist", "mnist_paper", "mnist_quick", "mnist_best"), start=1):
        gan = getattr(recipes, name)(device="cpu")
        for player, net in (("G", gan.generator.net), ("D", gan.discriminator.net)):
            linear = [layer for layer in net.modules() if isinstance(layer, nn.Linear)]
            widths = [layer.out_features for layer in linear]
            if name == "mnist_paper" and player == "D":
                widths = [240, 240, 1]
                assert net[1].shape == net[3].shape == (240, 5)
            assert row[player][i].strip().startswith("-".join(map(str, widths)))
            assert ("batch norm" in row[player][i]) == any(isinstance(one, nn.BatchNorm1d) for one in net.modules())
            assert ("dropout" in row[player][i]) == any(isinstance(one, nn.Dropout) for one in net.modules())
        assert ("best 3 of 10" in row["G learns from"][i]) == (gan.loss.name == "top_k(0.3)")
        assert ("R1" in row["added to D's loss"][i]) == bool(gan.r1)
        assert ("at once" in row["turns"][i]) == (gan.order == "simultaneous")
        rates = row["optimiser, rates of D and G"][i]
        assert f"{gan.lr_d:g}" in rates.replace("0.0002", "0.0002") and str(gan.lr_g) in rates
        epochs = gan.steps / (len(gan.data) // gan.batch_size)
        assert row["length"][i].strip() == f"{epochs:g} epochs"
        assert ("yes" in row["average of weights"][i]) == bool(gan.averaged)


def test_a_push_is_the_slope_of_the_logit_times_what_d_doubts():
    gan = recipes.mnist_quick(seed=1, device="cpu")
    x = data.mnist("test")[:4].images.flatten(1) / 127.5 - 1
    leaf = x.clone().requires_grad_()
    logit = gan.discriminator(leaf)
    (slope,) = torch.autograd.grad(logit.sum(), leaf)
    wanted = (1 - logit.sigmoid())[:, None] * slope
    other = x.clone().requires_grad_()
    gan.discriminator(other).sigmoid().log().sum().backward()  # the line of the lesson
    torch.testing.assert_close(other.grad, wanted)
    step = x + 1e-3 * wanted / wanted.norm(dim=1, keepdim=True)
    assert (gan.discriminator(step) > logit).all()


# -- the exercises -----------------------------------------------------------------------------------------------------


def best(share, label):
    return share * label


BEST = [
    *in_all_forms(best),
    (best, "Right"),
    (lambda share, label: share, "forgets the label"),
    (lambda share, label: label, "if all pictures were real"),
    (lambda share, label: share / label, "do not divide"),
    (lambda share, label: share * label / (share * label + 1 - share), "ten count as ten"),
    (lambda share, label: 0.45, "count ten pictures"),
    (0.45, "function itself"),
    (boom, "RuntimeError: boom"),
]


def update(average, G, decay):
    with torch.no_grad():
        for mean, weight in zip(average.parameters(), G.parameters(), strict=True):
            mean.copy_(decay * mean + (1 - decay) * weight)


def by_lerp(average, G, decay):
    for mean, weight in zip(average.parameters(), G.parameters(), strict=True):
        mean.data.lerp_(weight.data, 1 - decay)


def by_state(average, G, decay):
    theirs = G.state_dict()
    average.load_state_dict(
        {name: decay * one + (1 - decay) * theirs[name] for name, one in average.state_dict().items()}
    )


def only_first(average, G, decay):
    with torch.no_grad():
        mean, weight = next(average.parameters()), next(G.parameters())
        mean.copy_(decay * mean + (1 - decay) * weight)


def adds(average, G, decay):
    with torch.no_grad():
        for mean, weight in zip(average.parameters(), G.parameters(), strict=True):
            mean.add_((1 - decay) * weight)


def rebinds(average, G, decay):
    for mean, weight in zip(average.parameters(), G.parameters(), strict=True):
        mean = decay * mean + (1 - decay) * weight  # a new tensor, and the average is as it was


UPDATE = [
    *((one, "Right") for one in (update, by_lerp, by_state)),
    (lambda average, G, decay: update(average, G, 1 - decay), "wrong way round"),
    (lambda average, G, decay: update(average, G, 0.9), "a setting"),
    (lambda average, G, decay: update(average, G, 0), "copies G"),
    (lambda average, G, decay: update(G, average, decay), "G has changed"),
    (lambda average, G, decay: update(average, G, 0.5), "not at decay"),
    (lambda average, G, decay: list(G.parameters()), "has not moved"),
    (rebinds, "in place"),
    (only_first, "only the first tensor"),
    (adds, "adds G"),
    (lambda average, G, decay: next(average.parameters()).mul_(decay), "RuntimeError"),
    (boom, "RuntimeError: boom"),
]


def loop(order="DG", labels=(1, 0, 1), shared=False, clear=True, once=False, detach_g=False, out=lambda x: x, half=1):
    """A learner's loop, right or wrong in one thing."""

    def train(G, D, adam_d, adam_g, images, latent, rounds):
        x_real = images.sample((100,)) if once else None
        for _ in range(rounds):
            x_real = x_real if once else images.sample((100,))
            z = latent.sample((100,))
            for i, player in enumerate(order):
                z = z if shared or i == 0 else latent.sample((100,))
                if player == "D":
                    on_real = bce(out(D(x_real)), torch.full((100,), float(labels[0])))
                    loss = half * (on_real + bce(out(D(G(z).detach())), torch.full((100,), float(labels[1]))))
                else:
                    x_fake = G(z).detach() if detach_g else G(z)
                    loss = bce(out(D(x_fake)), torch.full((100,), float(labels[2])).clamp(min=0))
                    loss = -loss if labels[2] < 0 else loss
                optimizer = adam_d if player == "D" else adam_g
                if clear:
                    optimizer.zero_grad()
                loss.backward()
                optimizer.step()

    return train


def no_steps(G, D, adam_d, adam_g, images, latent, rounds):
    bce(D(images.sample((100,))), torch.ones(100)).backward()


def one_batch_more(G, D, adam_d, adam_g, images, latent, rounds):
    images.sample((100,))
    loop()(G, D, adam_d, adam_g, images, latent, rounds)


TRAIN = [
    *((loop(**way), "Right") for way in ({}, {"shared": True}, {"order": "GD"}, {"half": 0.5})),
    (loop(labels=(0, 1, 1)), "changed places"),
    (loop(labels=(1, 1, 1)), "fakes carry the label 0"),
    (loop(labels=(1, 0, 0)), "helps D to catch it"),
    (loop(labels=(1, 0, -1)), "this is log(1 - D(G(z)))"),
    (loop(clear=False), "zero_grad"),
    (loop(once=True), "the same pictures"),
    (loop(out=torch.sigmoid), "a sigmoid too many"),
    (loop(detach_g=True), "its fake detached"),
    (loop(order="D"), "G has not moved"),
    (loop(order="G"), "D has not moved"),
    (no_steps, "nobody has moved"),
    (one_batch_more, "3 minibatches"),
    (lambda *given: 3.0, "nobody has moved"),
    (spoiling(loop(labels=(1, 0, 0.3))), "both players moved"),
    (boom, "RuntimeError: boom"),
]


ANSWERS = told(lesson, {"check_best_answer": BEST, "check_update_average": UPDATE, "check_train": TRAIN})


@pytest.mark.parametrize(("check", "answer", "text"), ANSWERS)
def test_each_answer_is_told_what_it_is(check, answer, text, capsys):
    says(check, answer, text, capsys)


def test_the_update_is_that_of_the_trainer():
    gan = recipes.mnist_quick(seed=0, device="cpu")
    own = recipes.mnist_quick(seed=0, device="cpu").generator
    for _ in gan.run(3):
        update(own, gan.generator, 0.995) if gan.steps_done > 1 else own.load_state_dict(gan.generator.state_dict())
    for mine, its in zip(own.parameters(), gan.averaged.module.parameters(), strict=True):
        torch.testing.assert_close(mine, its)


@pytest.mark.parametrize("train", [lambda *given: None, boom])
def test_your_digits_waits_for_a_loop(train, capsys):
    lesson.your_digits(train, rounds=10)
    assert "waits" in capsys.readouterr().out or train is boom


def test_three_ones_among_sixteen_are_common():
    """A share of 11% gives three or more of sixteen in one grid of four, by the binomial law."""
    few = sum(math.comb(16, n) * 0.11**n * 0.89 ** (16 - n) for n in range(3))
    assert 1 - few == pytest.approx(1 / 4, abs=0.01)
