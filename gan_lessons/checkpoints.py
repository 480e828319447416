"""A trainer's state on disk: written whole or not at all, and looked at before anything takes it over.

The file is torch's own format with its SHA-256 at the end: torch.load opens it, but would not notice a flipped bit.
"""

import hashlib
import io
import os
from pathlib import Path
from typing import Any

import torch

PLAYERS = ("generator", "discriminator", "averaged")
OPTIMIZERS = ("optimizer_d", "optimizer_g")


def write(path: str | Path, state: dict[str, Any]) -> None:
    """Save state to path; whatever stops it, path holds the old file or the new one."""
    file, part = io.BytesIO(), Path(f"{path}.part")
    torch.save(state, file)
    try:
        part.write_bytes(file.getvalue() + hashlib.sha256(file.getvalue()).digest())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def read(path: str | Path) -> dict[str, Any]:
    """The state saved at path, on the CPU. Raises FileNotFoundError, or ValueError if damaged or no checkpoint."""
    whole = Path(path).read_bytes()
    content, digest = whole[:-32], whole[-32:]
    if hashlib.sha256(content).digest() != digest:
        raise ValueError(f"{path}: damaged, or no checkpoint of a Trainer")
    return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)


def check_fit(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Raise ValueError naming the first entry at which one trainer cannot take the other's state."""
    ours, theirs = _skeleton(ours), _skeleton(theirs)
    for name in ours | theirs:
        if (here := ours.get(name, "nothing")) != (there := theirs.get(name, "nothing")):
            raise ValueError(
                f"checkpoint: does not fit at {name}, where it has {there} and this trainer {here}; "
                "build the trainer as it was built when saved, with the same recipe"
            )


def _skeleton(state: dict[str, Any]) -> dict[str, str]:
    nets = {f"{part}.{name}": f"shape {tuple(w.shape)}" for part in PLAYERS for name, w in state[part].items()}
    settings = {f"{part}.{name}": "a value" for part in OPTIMIZERS for name in state[part]["param_groups"][0]}
    return nets | settings
