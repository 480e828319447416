"""Trains the net behind `pretrained.reader()` from nothing, in about a quarter of a minute.

`python tests/make/train_reader.py`. On faces of which half have each attribute, so that rare kinds are no harder than
common ones; new faces of the usual shares say whether it is worth shipping, and others give the figures on its card.
"""

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits
from train_classifier import BATCH, SEED, train

from gan_lessons import data, pretrained
from gan_lessons.models import FaceReader

EPOCHS, FACES = 4, 20_000
EVEN = (0.5,) * len(data.ATTRIBUTES)


def train_reader(images: data.Images, epochs: int = EPOCHS) -> FaceReader:
    return train(images, epochs, FaceReader, lambda out, y: binary_cross_entropy_with_logits(out, y.to(out.dtype)))


@torch.no_grad()
def accuracy(net: FaceReader, faces: data.Images) -> Tensor:
    """The share of faces on which each attribute is right, (4,)."""
    out = torch.cat([net(x / 127.5 - 1) for x in faces.images.split(500)])
    return ((out > 0) == faces.labels).double().mean(dim=0)


def figures(net: FaceReader, faces: data.Images) -> dict[str, float]:
    return dict(zip(data.ATTRIBUTES, accuracy(net, faces).tolist(), strict=True))


if __name__ == "__main__":
    torch.set_num_threads(1)  # the same run on every machine of a kind
    net = train_reader(data.faces(FACES, seed=1, shares=EVEN))
    validation = figures(net, data.faces(10_000, seed=2))
    assert min(validation.values()) >= 0.999, f"right of 10,000 new faces: {validation}; not shipped"
    card = {
        "made by": "python tests/make/train_reader.py",
        "seed": SEED,
        "trained on": f"data.faces({FACES}, seed=1, shares={EVEN}), {EPOCHS} epochs of batches of {BATCH}",
        "accuracy on data.faces(10_000, seed=2)": validation,
    }
    states = {"raw": net.state_dict()}
    pretrained.write("reader", states, card)
    card["accuracy on data.faces(10_000, seed=3)"] = figures(pretrained.reader(), data.faces(10_000, seed=3))
    pretrained.write("reader", states, card)
    print(card)
