# SPDX-License-Identifier: Apache-2.0
"""The card that `train` writes beside a model: what it was made of, and what it is worth.

The same training writes the same card.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from codegen.app.spec import Pipeline
from codegen.common.version import VERSION
from workbench.data.query import Condition
from workbench.training.compared import Found, listed
from workbench.training.confusion import Confusion
from workbench.training.figures import percent
from workbench.training.kinds import KINDS
from workbench.training.recipe import SECTIONS, Recipe
from workbench.training.sets import Labelled, Set


@dataclass(frozen=True)
class Facts:
    """What a card tells of a training."""

    app: str  # its folder's name
    pipeline: Pipeline
    recipe: Recipe
    labelled: Labelled
    sets: Sequence[Set]
    parameters: int
    content: bytes  # of the .tflite
    contract: str
    cost: str  # on a board
    epochs: tuple[int, int, int]  # the one that was kept, of how many; those after it with int8's rounding
    float_: Mapping[str, Confusion]
    int8: Mapping[str, Confusion]
    apart: Mapping[str, Sequence[Found]]
    versions: Mapping[str, str]  # of the packages it was trained with


def card(facts: Facts) -> str:
    """Markdown."""
    parts = [
        [f"# Model of {facts.app}", "", "Written by `earshot train`; the next training writes it anew."],
        ["## What it decides", "", *_decides(facts)],
        ["## Data", "", *_data(facts)],
        ["## Results", "", *_results(facts)],
        ["## Recipe", "", *_recipe(facts.recipe)],
        ["## Made with", "", *_made_with(facts)],
    ]
    return "\n\n".join("\n".join(lines) for lines in parts) + "\n"


def _decides(facts: Facts) -> list[str]:
    pipeline, decision = facts.pipeline, facts.pipeline.decision
    rate, window, cascade = pipeline.audio.sample_rate, pipeline.window, pipeline.cascade
    span = (cascade.frames - 1) * window.stride + window.size
    lines = [
        f"- Out of {span:,} samples ({1000 * span / rate:g} ms at {rate:,} Hz): {cascade.frames} frames of "
        f"{pipeline.front_end.size} features."
    ]
    for label, threshold in zip(decision.labels, decision.thresholds, strict=True):
        lines.append(f"- `{label}` from a score of {float(threshold):g} on; below it is Unknown.")
    lines.append(f"- {facts.parameters:,} parameters, {len(facts.content):,} bytes in int8. {facts.cost}.")
    return lines


def _data(facts: Facts) -> list[str]:
    names, labelled = facts.pipeline.decision.labels, facts.labelled
    rows = [["set", *(f"`{name}`" for name in names), "authors or recordings"]]
    for one in facts.sets:
        counts = [sum(piece.label == index for piece in one.pieces) for index in range(len(names))]
        rows.append([one.name, *map(str, counts), str(len({piece.group for piece in one.pieces}))])
    both = _in_several(facts.sets)
    lines = [
        f"Labels: {_source(labelled.labels)}{_limited(labelled.conditions)}.",
        *([f"Tried on: {_source(labelled.test)}."] if labelled.test is not None else []),
        "",
        *_table(rows),
        "",
        "Pieces of sound, before altered copies. " + (both or "No author or recording is in two sets."),
    ]
    if facts.recipe.data.synthetic:
        lines.append("The set `synthetic` is synthesised by this program, and learnt from.")
    return lines


def _in_several(sets: Sequence[Set]) -> str:
    """Authors that the split did not keep apart."""
    owned = [{piece.group for piece in one.pieces} for one in sets]
    both = sorted({group for n, own in enumerate(owned) for other in owned[:n] for group in own & other})
    return f"In two sets, so that the figures flatter: {', '.join(both)}." if both else ""


def _results(facts: Facts) -> list[str]:
    lines = []
    for name, table in facts.int8.items():
        before, after = (one.mean_sensitivity for one in (facts.float_[name], table))
        lines += [
            f"### {name}",
            "",
            f"Mean of the sensitivities {percent(after)} by the firmware's integer code, "
            f"{percent(before)} before the conversion to int8. Each piece on its own, without the gate, with "
            "the app's thresholds:",
            "",
            *(f"    {line}" for line in table.table().splitlines()),
            "",
        ]
        if found := facts.apart[name]:
            lines += [
                "Float and int8 decide otherwise in:",
                "",
                *(f"-{line[1:]}" for line in listed(found)),
                "",
            ]
    if not lines:
        return ["No sound was held back to try it on."]
    return [*lines, "`earshot evaluate` counts events, misses and false alarms an hour of whole recordings."]


def _recipe(recipe: Recipe) -> list[str]:
    lines = [f"`{recipe.file.name}`, with the defaults that it leaves out:", ""]
    for section in SECTIONS:
        values = getattr(recipe, section)
        keys = [field.name for field in fields(values)]
        if section == "network":
            own = KINDS[recipe.network.kind].keys
            keys = ["file"] if recipe.network.file is not None else ["kind", *own]
        lines += [f"    [{section}]"]
        lines += [f"    {key} = {_toml(getattr(values, key))}" for key in keys]
    return lines


def _made_with(facts: Facts) -> list[str]:
    digest = hashlib.sha256(facts.content).hexdigest()
    best, count, more = facts.epochs
    after = f", then {more} epochs with int8's rounding" if more else ""
    return [
        f"- Seed {facts.recipe.fit.seed}; epoch {best} of {count} was kept{after}.",
        f"- Earshot {VERSION}, Python {platform.python_version()}, "
        + ", ".join(f"{name} {version}" for name, version in facts.versions.items())
        + ".",
        f"- Feature contract `{facts.contract}`.",
        f"- SHA-256 of the model: `{digest}`.",
    ]


def _source(path: Path) -> str:
    """A label file's name, and a hash of it where it is one file."""
    if not path.is_file():
        return f"`{path.name}/`"
    return f"`{path.name}` (SHA-256 {hashlib.sha256(path.read_bytes()).hexdigest()[:16]}...)"


def _limited(conditions: Sequence[Condition]) -> str:
    return f", where {' and '.join(f'`{one.text}`' for one in conditions)}" if conditions else ""


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(str, value))}]"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, Path):
        return f'"{value.name}"'
    return f"{value:g}" if isinstance(value, float) else str(value)


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    head, *others = ["| " + " | ".join(row) + " |" for row in rows]
    return [head, "|" + "---|" * len(rows[0]), *others]
