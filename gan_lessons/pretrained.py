"""Generators that were trained beforehand, by name. Each has a card that says how it was made, and what it scores."""

import hashlib
import io
import json
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gan_lessons import checkpoints, devices, recipes
from gan_lessons.devices import seeded
from gan_lessons.models import DigitClassifier, FaceReader

GENERATORS = {  # name: its recipe, and the settings of `recipes.RECIPE_generator`
    "mnist": ("mnist", {}),
    "mnist_paper": ("mnist_paper", {}),
    "mnist_best": ("mnist_best", {}),
    "mnist_best_10_epochs": ("mnist_best", {}),  # the same, half-way
    "mnist_small_z1": ("mnist_small", {"latent_dim": 1}),
    "mnist_small_z2": ("mnist_small", {"latent_dim": 2}),
    "mnist_small_z8": ("mnist_small", {"latent_dim": 8}),
    "mnist_small_z64": ("mnist_small", {"latent_dim": 64}),
    "faces_dcgan": ("faces_dcgan", {}),
    "faces_lsgan": ("faces_lsgan", {}),
    "mnist_conditional": ("mnist_conditional", {}),  # these two get (z, y), which their latent draws
    "faces_conditional": ("faces_conditional", {}),
}
MADE_BY = {  # in tests/make; the others by train_pretrained.py
    "mnist_conditional": "conditional_record.py",
    "faces_conditional": "conditional_record.py",
    "faces_vae": "vae_record.py",
}
_WEIGHTS = Path(__file__).parent / "weights"


def names() -> list[str]:
    """The generators that ship with this package."""
    return list(GENERATORS)


def card(name: str) -> dict[str, Any]:
    """How a generator was made, as in gan_lessons/weights/NAME.json: the command, recipe, settings and seed; epochs,
    and the mean of each epoch's records in "curves"; "metrics" of its draws, raw and averaged.

    Raises ValueError for an unknown name, RuntimeError for damaged files.
    """
    return _read(_known(name))[1]


def load(name: str, average: bool | None = None, device: str = "cpu") -> nn.Module:
    """A trained generator, in eval mode and without gradients of its own: G(z) is in [-1, 1], digits (n, 784) and faces
    (n, 3, 32, 32), and z is drawn by `G.latent.sample((n,))`.

    average: True for the moving average of its weights, False for the weights as training left them, where these were
    kept; None for the average, or else the raw ones. Matrices are kept in 16 bits, which moves pixels by 0.0001 on
    average. device: where G is and z is drawn; "auto" as in `Trainer`.

    Raises ValueError for an unknown name or device, or weights that were not kept, RuntimeError for damaged files.

    >>> G = load("mnist_small_z2")
    >>> G(G.latent.sample((5,))).shape
    torch.Size([5, 784])
    """
    states, _ = _read(_known(name))
    on = devices.choose(device)
    kept = "averaged" if average or (average is None and "averaged" in states) else "raw"
    if kept not in states:
        what = "no average was kept" if average else "the average alone was kept"
        raise ValueError(f"average: got {average}; of {name!r} {what}: allowed are {not average} and None")
    recipe, settings = GENERATORS[name]
    with seeded(0):  # the weights drawn here are replaced below
        G, latent = getattr(recipes, f"{recipe}_generator")(**settings)
    G.load_state_dict(states[kept])
    G.latent = devices.moved(latent, on)
    return G.to(on).eval().requires_grad_(False)


@cache
def classifier() -> DigitClassifier:
    """The net that `metrics.report` looks at images with, on the CPU, in eval mode, its weights fixed.

    Made by tests/make/train_classifier.py; above 99% of the 10,000 test digits right, as its card says.

    >>> net = classifier()
    >>> net(torch.zeros(1, 784)).shape, net.features(torch.zeros(1, 784)).shape
    (torch.Size([1, 10]), torch.Size([1, 64]))
    """
    net = DigitClassifier()
    net.load_state_dict(_read("classifier")[0]["raw"])
    return net.eval().requires_grad_(False)


@cache
def reader() -> FaceReader:
    """The net that reads the attributes of faces, on the CPU, in eval mode, its weights fixed.

    Faces (n, 3, 32, 32) in [-1, 1], as `.sample` gives them -> logits (n, 4), columns as in `data.ATTRIBUTES`, of which
    > 0 means yes. Made by tests/make/train_reader.py; each attribute is right on above 99.9% of new faces, as its card
    says.

    >>> from gan_lessons import data
    >>> faces = data.faces(500, seed=7)
    >>> read = reader()(faces.images / 127.5 - 1) > 0  # (500, 4)
    >>> (read == faces.labels).double().mean().item() > 0.999
    True
    """
    net = FaceReader()
    net.load_state_dict(_read("reader")[0]["raw"])
    return net.eval().requires_grad_(False)


def write(name: str, states: dict[str, dict[str, Tensor]], card: dict[str, Any]) -> None:
    """Keep the state dicts of nets, and their card, to which the SHA-256 of the weights' file is added.

    Matrices are kept in 16 bits, all else as it is: a batch-norm mean is large beside some units' standard deviation.
    Each file is written whole or not at all. What is stopped between the two does not fit together: `load` says so.
    """
    _WEIGHTS.mkdir(exist_ok=True)
    file = io.BytesIO()
    torch.save({net: {key: _small(value) for key, value in state.items()} for net, state in states.items()}, file)
    card = card | {"sha256": hashlib.sha256(file.getvalue()).hexdigest()}
    for end, content in ((".pt", file.getvalue()), (".json", json.dumps(card, indent=1).encode() + b"\n")):
        checkpoints.put(_WEIGHTS / f"{name}{end}", content)


def _small(value: Tensor) -> Tensor:
    return value.half() if value.dim() > 1 else value


def _known(name: str) -> str:
    if name not in GENERATORS:
        raise ValueError(f"name: got {name!r}; allowed are {names()}")
    return name


def _read(name: str) -> tuple[dict[str, dict[str, Tensor]], dict[str, Any]]:
    """What `write` kept: the state dicts of nets, whose 16 bits load_state_dict makes 32, and their card."""
    path = _WEIGHTS / f"{name}.pt"
    try:
        card = json.loads(path.with_suffix(".json").read_text())
        content = path.read_bytes()
        fits = hashlib.sha256(content).hexdigest() == card["sha256"]
        damage = "" if fits else "its SHA-256 is not that of its card"
    except (OSError, ValueError, KeyError, TypeError) as error:
        damage = repr(error)
    if damage:
        script = f"train_pretrained.py {name}" if name in GENERATORS else f"train_{name}.py"
        script = MADE_BY.get(name, script)
        raise RuntimeError(
            f"{path} or its card is missing or damaged ({damage}). Bring both back with `git checkout -- "
            "gan_lessons/weights` in a clone, or else with `pip install --force-reinstall --no-deps gan_lessons`; "
            f"`python tests/make/{script}` in a clone makes them anew."
        )
    return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True), card


def kept(name: str) -> tuple[dict[str, dict[str, Tensor]], dict[str, Any]]:
    """State dicts by net, and their card, of what ships beside the generators: "faces_vae", for `vae.shipped`."""
    return _read(name)
