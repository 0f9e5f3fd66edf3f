# SPDX-License-Identifier: Apache-2.0
"""The feature contract: a hash of all that decides which features a model sees."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

from codegen.app.spec import FrontEnd, Pipeline, Scale, Spec
from codegen.app.tables import front_end_tables
from codegen.app.tables.scale import scale_factors
from codegen.common.errors import UserError


def feature_contract(spec: Spec) -> str:
    """16 hex digits over audio, window, front end, scale, cascade.frames, the classifier's offset, rounding
    and layout, and the tables of the front end: what to change makes training necessary.

    Not over the model, whose quantization is its own and is learnt from these features, nor over what may
    change without training: gate, slide, every, decision. A bare model has no features: ValueError.
    """
    if spec.pipeline is None:
        raise ValueError("a bare model has no feature contract")
    text = json.dumps(_content(spec, spec.pipeline), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:16]


def contract_file(spec: Spec) -> Path:
    """Where training leaves the contract of the features it trained the model on; a model may have none."""
    return spec.classifier.model.with_suffix(".contract")


def check_contract(spec: Spec) -> None:
    """UserError when the model has a contract and it is another one than the pipeline's."""
    file = contract_file(spec)
    if spec.pipeline is None or not file.is_file():
        return
    trained, ours = file.read_bytes().decode("ascii", "replace").strip(), feature_contract(spec)
    if trained != ours:
        raise UserError(
            f'the model was trained on features "{trained[:16]}", those of pipeline.toml are "{ours}"',
            file=file,
            remedy="Set pipeline.toml back to what the model learnt from, or train anew: ./earshot train",
        )


def _set(scale: Scale) -> dict[str, object]:
    values = dataclasses.asdict(scale).items()
    return {key: value for key, value in values if value is not None and (key, value) != ("rounding", "down")}


def _front_end(front_end: FrontEnd) -> dict[str, object]:
    values = dataclasses.asdict(front_end)
    if not values.get("deltas"):
        values = {key: value for key, value in values.items() if key not in ("deltas", "delta_frames")}
    return {key: value for key, value in values.items() if value != () and (key, value) != ("tables", "c")}


def _content(spec: Spec, pipeline: Pipeline) -> dict[str, object]:
    # A stage that is off leaves the contract as it was before there was one.
    tables = front_end_tables(pipeline)
    return {
        "audio": {key: value for key, value in dataclasses.asdict(pipeline.audio).items() if value},
        "window": dataclasses.asdict(pipeline.window),
        pipeline.front_end.section: _front_end(pipeline.front_end),
        "scale": _set(pipeline.scale),
        "frames": pipeline.cascade.frames,
        "offset": spec.classifier.offset,
        "rounding": spec.classifier.rounding.value,
        "layout": spec.classifier.layout.value,
        "tables": {**dataclasses.asdict(tables), "scale": scale_factors(pipeline.scale)},
    }
