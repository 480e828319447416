"""Shipped weights by name, each with a card beside it: how it was made, and its figures."""

import hashlib
import io
import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gan_lessons.models import DigitClassifier

_WEIGHTS = Path(__file__).parent / "weights"


@cache
def classifier() -> DigitClassifier:
    """The net that `metrics.report` looks at images with, on the CPU, in eval mode, its weights fixed.

    Made by tests/train_classifier.py; above 99% of the 10,000 test digits right, as its card says.

    >>> net = classifier()
    >>> net(torch.zeros(1, 784)).shape, net.features(torch.zeros(1, 784)).shape
    (torch.Size([1, 10]), torch.Size([1, 64]))
    """
    net = DigitClassifier()
    net.load_state_dict(_read("classifier")[0]["raw"])
    return net.eval().requires_grad_(False)


def write(name: str, states: dict[str, dict[str, Tensor]], card: dict[str, Any]) -> None:
    """Keep the state dicts of nets, in 16 bits, and their card, to which the weights' SHA-256 is added."""
    file = io.BytesIO()
    halves = {net: {key: value.half() for key, value in state.items()} for net, state in states.items()}
    torch.save(halves, file)
    content = file.getvalue()
    card = {**card, "sha256": hashlib.sha256(content).hexdigest()}
    _WEIGHTS.mkdir(exist_ok=True)
    for suffix, new in (("pt", content), ("json", json.dumps(card, indent=1).encode() + b"\n")):
        part = _WEIGHTS / f"{name}.part"
        part.write_bytes(new)
        os.replace(part, _WEIGHTS / f"{name}.{suffix}")


def _read(name: str) -> tuple[dict[str, dict[str, Tensor]], dict[str, Any]]:
    path = _WEIGHTS / f"{name}.pt"
    try:
        card, content = json.loads(path.with_suffix(".json").read_text()), path.read_bytes()
        damage = "" if hashlib.sha256(content).hexdigest() == card["sha256"] else "its SHA-256 is not its card's"
    except (OSError, ValueError, KeyError) as error:
        damage = repr(error)
    if damage:
        raise RuntimeError(
            f"{path} or its card is missing or damaged ({damage}). Bring them back with `git checkout -- "
            "gan_lessons/weights` in a clone, or else with `pip install --force-reinstall --no-deps gan_lessons`."
        )
    return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True), card
