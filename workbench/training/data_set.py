# SPDX-License-Identifier: Apache-2.0
"""Labelled recordings as one set of arrays: for a training program of the user's own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from codegen.app.spec import Layout
from workbench.data.segment import Segment
from workbench.host.features import extract
from workbench.host.host_library import HostPipeline
from workbench.training.features import pictures, tensor_shape
from workbench.training.pieces import Piece, Recording

ARRAYS = {
    "x": "uint8[m, rows, columns]    features 0..255, in the layout of the model's input",
    "y": "int32[m]                   the class of each, an index into labels",
    "labels": "text[k]                    the app's classes",
    "segment": "int32[m]                   of which segment: an index into the arrays below",
    "recording": "text[n]                    the segment's file",
    "start": "int64[n]                   its first sample",
    "end": "int64[n]                   after its last sample",
    "label": "text[n]                    as it stands in the label file",
    "session": "text[n]                    train, test, ...",
    "author": "text[n]                    who recorded it: keep an author on one side of a split",
    "offset": "int32                      [classifier] offset: what the app subtracts from a feature",
    "contract": "text                       the feature contract",
}


def data_set(
    pipeline: HostPipeline, layout: Layout, recordings: Iterable[Recording], segment_of: dict[Piece, Segment]
) -> dict[str, Any]:
    """ARRAYS but offset. Each piece is heard on its own, without the gate, as in training.

    The segments are those that give a vector, in the order in which they are read.
    """
    rows, columns = tensor_shape(pipeline.spec, layout)
    values, labels, owners = [], [], []
    segments: list[Segment] = []
    for recording in recordings:
        for piece in recording.pieces:
            made = extract(pipeline, recording.samples[piece.start : piece.end]).vectors
            values.append(pictures(made, pipeline.spec.cascade.frames, layout))
            labels.append(np.full(len(made), piece.label, np.int32))
            owners.append(np.full(len(made), len(segments), np.int32))
            segments.append(segment_of[piece])
    return {
        "x": np.concatenate(values).reshape(-1, rows, columns),
        "y": np.concatenate(labels),
        "labels": np.array(pipeline.spec.decision.labels),
        "segment": np.concatenate(owners),
        **_columns(segments),
        "contract": np.array(pipeline.contract),
    }


def _columns(segments: Sequence[Segment]) -> dict[str, Any]:
    return {
        "recording": np.array([str(one.file) for one in segments]),
        "start": np.array([one.start for one in segments], np.int64),
        "end": np.array([one.end for one in segments], np.int64),
        "label": np.array([one.label for one in segments]),
        "session": np.array([one.session for one in segments]),
        "author": np.array([one.author for one in segments]),
    }
