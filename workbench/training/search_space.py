# SPDX-License-Identifier: Apache-2.0
"""What a search for a recipe tries: kinds and sizes of networks, and how they are fitted.

Data, augmentation, epochs and seed are those of the recipe that the search begins with. Where that names a
network of a Python file, only how it is fitted is tried.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

from workbench.training.confusion import UNKNOWN_CLASS
from workbench.training.kinds import KINDS, Network
from workbench.training.recipe import KEYS, Recipe

_WIDTHS = (8, 12, 16, 24, 32, 48)  # channels
_DENSE = (0, 16, 24, 32, 64)  # units; 0: no dense layer between
_LAYERS = 6
SPACE = (tuple(KINDS), _WIDTHS, _DENSE, _LAYERS)  # what a search that goes on must find as it was


class Suggest(Protocol):
    """Chooses a value for each name. A trial of Optuna is one."""

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """One of these."""

    def suggest_int(self, name: str, low: int, high: int) -> int:
        """low..high."""

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """low..high."""


class Chosen:
    """A Suggest that says again what was chosen before."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """See Suggest."""
        return self._values[name]

    def suggest_int(self, name: str, low: int, high: int) -> int:
        """See Suggest."""
        return int(self._values[name])

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """See Suggest."""
        return float(self._values[name])


def suggested(suggest: Suggest, recipe: Recipe, shape: tuple[int, int], labels: Sequence[str]) -> Recipe:
    """The recipe with what `suggest` chooses. shape: rows and columns of the features."""
    network = recipe.network if recipe.network.file is not None else _network(suggest, shape)
    fit = dataclasses.replace(
        recipe.fit,
        learning_rate=float(f"{suggest.suggest_float('learning_rate', 0.0005, 0.01, log=True):.2g}"),
        label_smoothing=round(suggest.suggest_float("label_smoothing", 0.0, 0.1, step=0.05), 2),
        mix=round(suggest.suggest_float("mix", 0.0, 0.4, step=0.1), 1),
    )
    if UNKNOWN_CLASS in labels:
        fit = dataclasses.replace(fit, unknown=round(suggest.suggest_float("unknown", 1.0, 4.0, step=0.5), 1))
    return dataclasses.replace(recipe, network=network, fit=fit)


def _network(suggest: Suggest, shape: tuple[int, int]) -> Network:
    kind = suggest.suggest_categorical("kind", tuple(KINDS))
    keys, values = KINDS[kind].keys, dict[str, Any]()
    values["dropout"] = round(suggest.suggest_float("dropout", 0.0, 0.5, step=0.1), 1)
    units = suggest.suggest_categorical("dense", _DENSE)
    values["dense"] = (units,) if units else ()
    if "convolutions" in keys:
        kernel = suggest.suggest_int("kernel", 2, 5)
        side = shape[0] if kind == "tcn" else min(shape)
        room = (side - 1) // (kernel - 1)  # convolutions that leave a row and a column
        count = max(1, min(suggest.suggest_int("layers", 1, _LAYERS), room))
        width = suggest.suggest_categorical("width", _WIDTHS)
        narrow = width if suggest.suggest_categorical("even", (True, False)) else width // 2
        values["kernel"] = min(kernel, side)
        values["convolutions"] = tuple(width if 2 * at < count else narrow for at in range(count))
    if "normalize_after" in keys:
        values["normalize_after"] = min(2, len(values["convolutions"]))
    return dataclasses.replace(KINDS[kind].defaults, **values)


def recipe_text(recipe: Recipe, comment: str, folder: Path) -> str:
    """As a training.toml that stands in `folder`, which load_recipe() reads as the same."""
    lines = [f"# {line}" for line in comment.splitlines()]
    for section, keys in KEYS.items():
        values = getattr(recipe, section)
        lines += ["", f"[{section}]"]
        own = _keys_of(values) if isinstance(values, Network) else tuple(keys)
        lines += [f"{key} = {_toml(getattr(values, key), folder)}" for key in own]
    return "\n".join(lines) + "\n"


def _keys_of(network: Network) -> tuple[str, ...]:
    return ("file",) if network.file is not None else ("kind", *KINDS[network.kind].keys)


def _toml(value: Any, folder: Path) -> str:
    if isinstance(value, Path):
        value = str(value.relative_to(folder) if value.is_relative_to(folder) else value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)  # a string of TOML, too
    if isinstance(value, tuple):
        return f"[{', '.join(map(str, value))}]"
    return format(Decimal(str(value)), "f") if isinstance(value, float) else str(value)
