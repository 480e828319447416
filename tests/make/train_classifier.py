"""Trains the net behind `pretrained.classifier()` from nothing, in about two minutes.

`python tests/make/train_classifier.py`. On the first 50,000 images, always to the end of the schedule; the last 10,000
say whether it is worth shipping, and the test images give the one figure on its card.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim.lr_scheduler import OneCycleLR
from tqdm import tqdm

from gan_lessons import data, pretrained
from gan_lessons.devices import seeded
from gan_lessons.models import DigitClassifier

SEED, EPOCHS, BATCH = 0, 5, 128


def train(
    images: data.Images,
    epochs: int = EPOCHS,
    make_net: Callable[[], nn.Module] = DigitClassifier,
    loss_of: Callable[[Tensor, Tensor], Tensor] = cross_entropy,
) -> nn.Module:
    """A net of its own weights, trained to read the labels of images; loss_of(logits, labels)."""
    with seeded(SEED):
        net = make_net()
        optimizer = torch.optim.AdamW(net.parameters())
        steps = epochs * (len(images) // BATCH)
        schedule = OneCycleLR(optimizer, max_lr=4e-3, total_steps=steps)
        with tqdm(total=steps, unit="step") as bar:
            for _ in range(epochs):
                for index in torch.randperm(len(images)).split(BATCH)[: steps // epochs]:
                    batch = images[index]
                    loss = loss_of(net(batch.images / 127.5 - 1), batch.labels)
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                    schedule.step()
                    bar.update()
    return net.eval()


@torch.no_grad()
def accuracy(net: DigitClassifier, images: data.Images) -> float:
    labels = torch.cat([net(x / 127.5 - 1).argmax(dim=1) for x in images.images.split(500)])
    return (labels == images.labels).double().mean().item()


if __name__ == "__main__":
    torch.set_num_threads(1)  # the same run on every machine of a kind
    train_images = data.mnist("train")
    net = train(train_images[:50_000])
    validation = accuracy(net, train_images[50_000:])
    assert validation >= 0.988, f"{validation:.4f} right of the last 10,000 training images; not shipped"
    card = {
        "made by": "python tests/make/train_classifier.py",
        "seed": SEED,
        "trained on": f"the first 50,000 training images, {EPOCHS} epochs",
        "accuracy on the last 10,000 training images": validation,
    }
    states = {"raw": net.state_dict()}
    pretrained.write("classifier", states, card)
    card["accuracy on the 10,000 test images"] = accuracy(pretrained.classifier(), data.mnist("test"))  # as shipped
    pretrained.write("classifier", states, card)
    print(card)
