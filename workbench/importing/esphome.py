# SPDX-License-Identifier: Apache-2.0
"""A manifest of ESPHome's micro_wake_word, version 2 (https://esphome.io/components/micro_wake_word)."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codegen.app.rules import LABEL_LENGTH_MAX, UNKNOWN
from codegen.app.spec_file import FILE_NAME
from codegen.common.errors import UserError
from codegen.passes.legalise import load_graph
from workbench.importing.published import in_comment, need_new, shown

_TOML = """\
# {word}, a wake word of ESPHome's micro_wake_word, imported from {manifest}: author {author}.
# Front end, cutoff and sliding window are the publisher's. See docs/pipeline.md.

[micro_frontend]
preset = "micro_wake_word"

[window]
size = 480                          # 30 ms
stride = {stride:<27} # {step_ms} ms

[scale]
formula = "micro_wake_word"

[cascade]
frames = {frames:<27} # new ones a decision: the model keeps the earlier ones itself
slide = false

[classifier]
model = "model.tflite"

[decision]
labels = ["{label}"]
threshold = {cutoff:<24} # probability_cutoff
mean = {window:<29} # sliding_window_size
suppress = {suppress:<25} # decisions after a detection: a second
"""
_RATE = 16000


@dataclass(frozen=True)
class Imported:
    """What a folder was made of."""

    folder: Path
    label: str
    frames: int  # new ones a decision
    step_ms: int
    cutoff: float
    window: int  # decisions of a mean


def import_manifest(manifest: Path, data: dict[str, Any], folder: Path) -> Imported:
    """Writes pipeline.toml and model.tflite into a new folder. UserError with what the manifest or its model
    lacks; then nothing is written.

    data: what the manifest holds
    """
    _check(manifest, data)
    word = _text(manifest, data, "wake_word")
    model = manifest.parent / _text(manifest, data, "model")
    if not model.is_file():
        raise UserError(
            f"its model {in_comment(model.name)} is not beside it",
            file=manifest,
            place="model",
            remedy=f"Put {in_comment(model.name)} into the same folder; the publisher hands out both.",
        )
    micro = data.get("micro")
    if not isinstance(micro, dict):
        raise UserError(
            'has no "micro" with the settings of the model',
            file=manifest,
            remedy="Manifests of version 2 have it: take the publisher's newest.",
        )
    cutoff = _number(manifest, micro, "probability_cutoff", 0, 1)
    window = int(_number(manifest, micro, "sliding_window_size", 1, 100))
    step_ms = int(_number(manifest, micro, "feature_step_size", 1, 30))
    frames = _frames(model)
    need_new(folder)

    label = _label(word)
    text = _TOML.format(
        word=in_comment(word),
        manifest=in_comment(manifest.name),
        author=in_comment(str(data.get("author", "unknown"))),
        label=label,
        stride=step_ms * _RATE // 1000,
        step_ms=step_ms,
        frames=frames,
        cutoff=f"{cutoff:g}",
        window=window,
        suppress=max(1, 1000 // (frames * step_ms)),
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE_NAME).write_text(text, encoding="utf-8")
    shutil.copyfile(model, folder / "model.tflite")
    return Imported(folder, label, frames, step_ms, cutoff, window)


def _check(manifest: Path, data: dict[str, Any]) -> None:
    if data.get("type") != "micro" or data.get("version") != 2:
        kind, version = (shown(data.get(key)) for key in ("type", "version"))
        raise UserError(
            f'is of type {kind}, version {version}; "micro", version 2, is known',
            file=manifest,
            remedy="Take the publisher's manifest of version 2.",
        )


def _text(manifest: Path, data: dict[str, Any], key: str) -> str:
    value = data.get(key)
    if not isinstance(value, str) or not value:
        what = f'lacks "{key}"' if key not in data else f'"{key}" is no text'
        raise UserError(what, file=manifest, place=key, remedy="Take the publisher's file as it is.")
    return value


def _number(manifest: Path, micro: dict[str, Any], key: str, low: int, high: int) -> float:
    value = micro.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        found = "is missing" if key not in micro else f"is {shown(micro.get(key))}"
        remedy = "Take the publisher's file as it is."
        raise UserError(
            f"{found}; {low}..{high} is allowed", file=manifest, place=f"micro {key}", remedy=remedy
        )
    return value


def _frames(model: Path) -> int:
    """New frames a run: the model hears [1, frames, 40]."""
    graph = load_graph(model)
    shape = graph.input.shape
    if len(graph.inputs) != 1 or len(shape) != 3 or shape[0] != 1 or shape[2] != 40:
        raise UserError(
            f"its input is {' x '.join(map(str, shape))}; 1 x frames x 40 features are heard here",
            file=model,
            remedy="Give a model of micro_wake_word.",
        )
    return shape[1]


def _label(word: str) -> str:
    """The wake word as a label: okay_nabu."""
    label = re.sub(r"[^a-z0-9]+", "_", word.lower()).strip("_")[:LABEL_LENGTH_MAX]
    return label if label and label != UNKNOWN.lower() else "wake_word"
