"""A trainer's state on disk: written whole or not at all, and looked at before anything takes it over.

The file is torch's own format with its SHA-256 at the end: torch.load opens it, but would not notice a flipped bit.
"""

import copy
import hashlib
import io
import os
import pickle
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import torch

from gan_lessons import devices, guards
from gan_lessons.guards import uninterrupted

PLAYERS = ("generator", "discriminator", "averaged")
OPTIMIZERS = ("optimizer_d", "optimizer_g")
ONLY_IF_OURS = "a value"  # what a newer torch has put there is left out
Self = TypeVar("Self", bound="Checkpointed")


class Checkpointed:
    """The half of a `Trainer` that keeps and takes over states: in memory, and on disk."""

    def state_dict(self) -> dict[str, Any]:
        """All that the next rounds depend on; holds references, so copy it to keep it."""
        return {
            "generator": self.generator.state_dict(),
            "discriminator": self.discriminator.state_dict(),
            "averaged": self.averaged.state_dict() if self.averaged else {},
            "optimizer_d": self.optimizer_d.state_dict(),
            "optimizer_g": self.optimizer_g.state_dict(),
            # names as keys, so that whole states compare as numbers
            "optimizers": {part: {type(getattr(self, part)).__name__: True} for part in OPTIMIZERS},
            "settings": {name: getattr(self, name) for name in ("k", "lr_d", "lr_g", "batch_size", "seed")},
            "steps_done": self.steps_done,
            "random_states": self._random_states,  # of the CPU, and of the device if it is another
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from the state of a trainer built alike.

        Raises ValueError naming the first entry that does not fit, with nothing touched.
        """
        ours = self.state_dict()
        defaults = {part: getattr(self, part).defaults for part in OPTIMIZERS}
        check_fit(ours, state, defaults)
        settings = {name: guards.setting(name, setting) for name, setting in state["settings"].items()}
        guards.check_together(self.order, settings["k"], self.r1, self.r2, self.steps, self.decay)
        states = {part: copy.deepcopy(state[part]) for part in PLAYERS}  # optimisers keep what they get
        states |= {part: _known_settings(ours[part], copy.deepcopy(state[part])) for part in OPTIMIZERS}
        random_states = devices.completed(state["random_states"], self.device)
        with uninterrupted():
            for part, one in states.items():
                if one:
                    getattr(self, part).load_state_dict(one)
            vars(self).update(settings, steps_done=guards.setting("steps_done", state["steps_done"]))
            self._random_states, self._recorder = random_states, type(self._recorder)()
            self._last_good = copy.deepcopy(self.state_dict())

    def check_finite(self) -> None:
        """Test the last losses and all weights for nan and infinity; `step` does so every 100 steps, on CUDA 1,000.

        If one is not finite, go back to the last good state and raise FloatingPointError naming it and the interval in
        which it broke.
        """
        measured = {name: value for name, value in self.record._asdict().items() if value is not None}
        players = {"generator": self.generator, "discriminator": self.discriminator}
        weights = {f"{player}.{name}": w for player, net in players.items() for name, w in net.state_dict().items()}
        flags = {name: value.isfinite().all().to(self.device) for name, value in (measured | weights).items()}
        for name, is_finite in zip(flags, torch.stack(list(flags.values())).tolist(), strict=True):  # one look
            if not is_finite:
                good, now = self._last_good["steps_done"], self.steps_done
                self.load_state_dict(self._last_good | {"settings": self.state_dict()["settings"]})
                raise FloatingPointError(
                    f"{name} became nan or infinite between step {good} and step {now}. The trainer is back at step "
                    f"{good}, its last good state: lower lr_d or lr_g before you go on."
                )

    def save(self, path: str | Path) -> None:
        """Write a checkpoint, whole or not at all. Refuses to write weights that are not finite (`check_finite`)."""
        self.check_finite()
        write(path, self.state_dict())

    def load(self: Self, path: str | Path) -> Self:
        """Go on from a checkpoint, in a trainer built alike: `recipes.mnist().load(path)`. Returns the trainer.

        On the CPU the rounds that follow are those of the run that was saved, bit by bit. Raises FileNotFoundError, or
        ValueError for a file that is damaged or does not fit; then nothing is touched.
        """
        self.load_state_dict(read(path))
        return self


def write(path: str | Path, state: dict[str, Any]) -> None:
    """Save state to path; whatever stops it, path holds the old file or the new one.

    Raises ValueError for a state that `read` would not read, such as one with numpy's numbers in it.
    """
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    try:
        torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ValueError(f"checkpoint: holds what could not be read back, so {path} is not written") from error
    put(path, file.getvalue() + hashlib.sha256(file.getvalue()).digest())


def put(path: str | Path, content: bytes) -> None:
    """Make content the file at path. Whatever stops it, a power cut too, path holds the old file or the new one.

    It is written beside path, as PATH.part. A kill can leave that behind; the next `put` to the same path removes it.
    """
    part = Path(f"{path}.part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # on the disk before its name is: else a power cut could leave an empty file
        os.replace(part, path)
    finally:
        with suppress(OSError):  # it has its name by now, or could not even be made
            part.unlink()


def read(path: str | Path) -> dict[str, Any]:
    """The state saved at path, on the CPU. Raises FileNotFoundError, or ValueError if damaged or no checkpoint."""
    whole = Path(path).read_bytes()
    content, digest = whole[:-32], whole[-32:]
    if hashlib.sha256(content).digest() != digest:
        raise ValueError(f"{path}: damaged, or no checkpoint of a Trainer")
    return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)


def check_fit(ours: dict[str, Any], theirs: dict[str, Any], defaults: dict[str, dict[str, Any]]) -> None:
    """Raise ValueError naming the first entry at which one trainer cannot take the other's state.

    defaults: the settings of each optimiser that are torch's own. Versions of torch differ in them, so they may.
    """
    for name in ours:
        if not isinstance(theirs, dict) or name not in theirs:
            raise ValueError(f"checkpoint: has no {name}; it is none of a Trainer of this version")
    try:
        theirs = _skeleton(theirs, defaults)
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        raise ValueError(f"checkpoint: it is none of a Trainer ({type(error).__name__}: {error})") from error
    ours = _skeleton(ours, defaults)
    for name in ours | {name: there for name, there in theirs.items() if there != ONLY_IF_OURS}:
        if (here := ours.get(name, "nothing")) != (there := theirs.get(name, "nothing")):
            raise ValueError(
                f"checkpoint: does not fit at {name}, where it has {there} and this trainer {here}; "
                "build the trainer as it was built when saved, with the same recipe"
            )


def _skeleton(state: dict[str, Any], defaults: dict[str, dict[str, Any]]) -> dict[str, str]:
    parts = {f"{part}.{name}": f"shape {tuple(w.shape)}" for part in PLAYERS for name, w in state[part].items()}
    for part, torchs in defaults.items():
        parts[part] = ", ".join(state["optimizers"][part])
        for i, group in enumerate(state[part]["param_groups"]):
            parts[f"{part}.param_groups[{i}]"] = f"{len(group['params'])} weights"
            parts |= {f"{part}.{name}": ONLY_IF_OURS for name in group if name not in torchs}
    parts |= {f"settings.{name}": "a value" for name in state["settings"]}
    return parts | {"random_states": f"shape {tuple(state['random_states']['cpu'].shape)}"}


def _known_settings(ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
    """An optimiser's state with the settings that this version of torch knows: what is missing is as we have it."""
    groups = zip(ours["param_groups"], theirs["param_groups"], strict=True)
    return theirs | {"param_groups": [{name: group.get(name, own[name]) for name in own} for own, group in groups]}
