import pytest
import torch
from evaluation_record import RECORD, drawn, nats, pixels, real_digits

from gan_lessons import data, pretrained


def test_real_digits_are_those_of_the_lesson():
    torch.manual_seed(0)
    assert torch.equal(real_digits(), pixels("train")[:50_000][torch.randperm(50_000)[:10_000]])


def test_a_row_of_the_record_again():
    record = data.saved_record(RECORD.stem)
    again = nats(real_digits(500), pixels("test")[::5])
    old = record["by n"]["real digits"][0]
    assert again == {key: pytest.approx(old[key], abs=1e-2) for key in again}


def test_fakes_of_the_card_come_first():
    name = "mnist_small_z2"
    many = drawn(name, True, 20_000, seed=0)
    assert many.shape == (20_000, 784) and many.min() >= 0 and many.max() <= 1
    assert torch.allclose(many[:100], drawn(name, True)[:100], atol=1e-5)
    assert pretrained.card(name)["metrics"]["averaged"]["n"] == 10_000
