# SPDX-License-Identifier: Apache-2.0
"""How far an interrupted fit came: written after each epoch, so that the same command goes on from there.

A file's name is a hash of everything that the fit depends on. Going on gives the bits that a fit without an
interruption would have given: what is drawn at random and the optimizer's memory are kept, too.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.host.arrays import DAMAGED, save_whole
from workbench.training.epochs import Epoch
from workbench.training.front_end import FOLDER

_MOST = 20  # fits that are kept; the oldest go
Arrays = tuple[NDArray[Any], ...]


@dataclass(frozen=True, eq=False)
class State:
    """A fit after its last whole epoch."""

    epochs: tuple[Epoch, ...]  # at least one
    best: int  # number of the epoch whose weights are kept
    random: tuple[NDArray[np.uint32], int, int, float]  # of the generator that draws: key, place, of a normal
    network: Arrays  # every variable, those that draw at random among them
    optimizer: Arrays
    weights: Arrays  # of the best epoch


class Unfinished:
    """The file of one fit."""

    def __init__(self, key: str, folder: Path = FOLDER / "unfinished") -> None:
        """key: a hash of all that the fit depends on."""
        self._file = folder / f"{key}.npz"

    def load(self) -> State | None:
        """How far it came; None where it has not begun, or the file was damaged."""
        try:
            with np.load(self._file) as arrays:
                told = json.loads(str(arrays["told"]))
                parts = [
                    tuple(arrays[f"{name}_{number}"] for number in range(told[name]))
                    for name in ("network", "optimizer", "weights")
                ]
                key = arrays["random"].astype(np.uint32)
        except (OSError, *DAMAGED):
            return None
        epochs = tuple(Epoch(**epoch) for epoch in told["epochs"])
        return State(epochs, told["best"], (key, *told["place"]), *parts)

    def save(self, state: State) -> None:
        """Whole or not at all. A disk that is full costs the going on, and not the training."""
        key, *place = state.random
        told = {
            "epochs": [dataclasses.asdict(epoch) for epoch in state.epochs],
            "best": state.best,
            "place": place,
            **{name: len(getattr(state, name)) for name in ("network", "optimizer", "weights")},
        }
        arrays: dict[str, Any] = {
            "told": np.array(json.dumps(told)),
            "random": key,
            **_named("network", state.network),
            **_named("optimizer", state.optimizer),
            **_named("weights", state.weights),
        }
        with suppress(OSError):
            save_whole(self._file, arrays)
            self._forget_old()

    def done(self) -> None:
        """The fit is finished: there is nothing to go on with."""
        self._file.unlink(missing_ok=True)

    def _forget_old(self) -> None:
        files = sorted(self._file.parent.glob("*.npz"), key=lambda file: file.stat().st_mtime_ns)
        for file in files[:-_MOST]:
            file.unlink(missing_ok=True)


def _named(name: str, arrays: Sequence[NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {f"{name}_{number}": array for number, array in enumerate(arrays)}
