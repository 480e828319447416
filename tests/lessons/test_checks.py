"""Every check of every lesson, whatever it is given."""

import importlib
import io
import pkgutil
import random
import sys
import warnings

import answers
import numpy as np
import pytest
import torch

from gan_lessons import lessons
from gan_lessons.lessons import checking

MODULES = [
    importlib.import_module(f"gan_lessons.lessons.{found.name}") for found in pkgutil.iter_modules(lessons.__path__)
]
CHECKS = {name: getattr(module, name) for module in MODULES for name in vars(module) if name.startswith("check_")}
ODD = [*answers.THINGS, *answers.FUNCTIONS]


def test_there_are_enough_odd_things():
    assert len(ODD) > 60 and len(CHECKS) > 15


@pytest.mark.filterwarnings("ignore")  # of coroutines that nobody awaits
@pytest.mark.parametrize("name", CHECKS)
def test_whatever_is_answered_it_is_one_line_and_not_right(name, monkeypatch):
    returned = [lambda *_, thing=thing: thing for thing in ODD]
    pairs = [lambda *_, thing=thing: (thing, thing) for thing in ODD]
    for answer in [*ODD, *returned, *pairs, *((thing, thing) for thing in ODD)]:
        console = io.TextIOWrapper(io.BytesIO(), encoding="ascii", newline="")
        monkeypatch.setattr(sys, "stdout", console)
        CHECKS[name](answer)
        console.flush()
        said = console.buffer.getvalue().decode()
        assert said.startswith(("Not yet: ", "Not answered yet.")) and said.endswith("\n")
        assert said[:-1].isprintable() and len(said) < 600


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize("nothing", [None, ...])
def test_nothing_is_not_answered(name, nothing, capsys):
    answers.says(CHECKS[name], nothing, "not answered yet", capsys)
    CHECKS[name](lambda *_: nothing)
    said = capsys.readouterr().out
    assert said == "Not answered yet.\n" or "got function" in said  # where no function is asked for


def test_an_interrupt_is_not_held_back():
    @checking.check
    def check(answer):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check(0)


@pytest.mark.parametrize("name", CHECKS)
def test_the_learners_random_numbers_and_gradients_stay_as_they_were(name, capsys):
    def meddles(*given):
        torch.manual_seed(5)
        torch.set_grad_enabled(False)

    torch.manual_seed(3)
    free = torch.rand(2)
    torch.manual_seed(3)
    CHECKS[name](meddles)
    assert torch.is_grad_enabled() and torch.equal(torch.rand(2), free)


NUMBERS = [
    3,
    3.0,
    np.float32(3),
    np.int64(3),
    np.array(3.0),
    np.array([3]),
    torch.tensor(3),
    torch.tensor([3.0]),
    [3.0],
]
NUMBERS += [torch.tensor(3.0, dtype=dtype) for dtype in (torch.float16, torch.bfloat16, torch.float32, torch.float64)]
NUMBERS += [torch.tensor(3.0, requires_grad=True), (torch.tensor(3.0, requires_grad=True),), torch.tensor([[3]])]


@pytest.mark.parametrize("answer", NUMBERS)
def test_a_number_may_come_in_any_form(answer):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert checking.number(answer) == 3.0 and type(checking.number(answer)) is float


@pytest.mark.parametrize("answer", [[1, 2], (1, 2.0), np.array([1, 2]), torch.tensor([1, 2]), [torch.tensor(1.0), 2]])
def test_a_tensor_may_come_in_any_form(answer):
    found = checking.tensor(answer, 2)
    assert found.dtype == torch.double and not found.requires_grad and found.tolist() == [1, 2]
    assert checking.close(answer, (1, 2.0001)) and not checking.close(answer, (1, 2.01))
    assert not checking.close(answer, [[1, 2]])


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (torch.zeros(3), "one number is wanted; got Tensor of shape (3,)."),
        ([1, 2], "one number is wanted; got list of 2."),
        ("1", "a number or a tensor is wanted; got str."),
        (torch.zeros(2, dtype=torch.complex64), "got Tensor of shape (2,)"),
        (np.array(["1"]), "got ndarray of shape (1,)"),
        (random, "got module"),
        (..., checking.UNANSWERED),
        ([1, None], checking.UNANSWERED),
    ],
)
def test_what_is_no_number_is_named(answer, text):
    with pytest.raises(checking.Mistake) as refused:
        checking.number(answer)
    assert text in str(refused.value)
    with pytest.raises(checking.Mistake):
        checking.tensor(answer, 7)


def test_a_function_gets_copies_and_is_asked_for_itself():
    x = torch.ones(2)
    assert checking.call(lambda x: x.mul_(2).sum(), x) == 4 and x.sum() == 2
    with pytest.raises(checking.Mistake, match="the function itself, not what it returns; got float"):
        checking.call(3.0, x)


def test_a_judge_may_say_more_than_right(capsys):
    checking.check(lambda answer: "Right. And more.")(0)
    assert capsys.readouterr().out == "Right. And more.\n"
