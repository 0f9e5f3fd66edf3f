# SPDX-License-Identifier: Apache-2.0
"""What an app decides on labelled recordings, by the firmware's own integer code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from codegen.common.errors import UserError
from workbench.host.host_library import Pipeline
from workbench.protocol.lines import Decision, parse_line
from workbench.targets import Device
from workbench.training.confusion import Confusion, confusion
from workbench.training.pieces import Recording


def of_vectors(pipeline: Pipeline, recordings: Iterable[Recording]) -> Confusion:
    """Every vector of every piece is decided, as in training: each piece on its own, the gate left out."""
    pairs: list[tuple[int, int]] = []
    for recording in recordings:
        for piece in recording.pieces:
            _, _, features = pipeline.features(recording.samples[piece.start : piece.end])
            pairs += [(piece.label, class_index) for class_index, _ in pipeline.classify(features)]
    return _counted(pipeline.spec.decision.labels, pairs)


def of_stream(labels: Sequence[str], device: Device, recordings: Iterable[Recording]) -> Confusion:
    """Whole recordings are played into an image as a microphone would, gate and all; the decisions whose
    samples lie within one piece count."""
    pairs: list[tuple[int, int]] = []
    for recording in recordings:
        for decision in _decisions(device, recording.samples):
            start = decision.segment_start
            end = start + decision.segment_length
            inside = (piece for piece in recording.pieces if piece.start <= start and end <= piece.end)
            pairs += [(piece.label, decision.class_index) for piece in inside]
    return _counted(labels, pairs)


def _decisions(device: Device, samples: NDArray[np.int16]) -> Iterator[Decision]:
    for text in device.replay(samples):
        line = parse_line(text)
        if isinstance(line, Decision):
            yield line


def _counted(labels: Sequence[str], pairs: list[tuple[int, int]]) -> Confusion:
    if not pairs:
        raise UserError(
            "not one decision was made",
            remedy="The segments are shorter than a decision, or the energy gate stayed shut.",
        )
    return confusion(labels, pairs)
