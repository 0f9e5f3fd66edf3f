# SPDX-License-Identifier: Apache-2.0
"""The benchmark's streaming task over one image: a recording goes in stride by stride, scores come out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codegen.app.spec import Pipeline
from codegen.common.errors import UserError
from workbench.mlperf.dialogue import DAMAGED, Dialogue
from workbench.progress import progress


@dataclass(frozen=True)
class Detection:
    """Frames in a row whose first score is accepted."""

    first: int  # number of the frame
    frames: int
    best: int  # the largest score


@dataclass(frozen=True, eq=False)
class Streamed:
    """What came of a recording, a row a frame."""

    features: NDArray[np.int16]  # [frames, features]
    scores: NDArray[np.int16]  # [frames, labels]


def stream(dialogue: Dialogue, samples: NDArray[np.int16], stride: int) -> Streamed:
    """Sends all whole strides of a recording; it has at least one. UserError where a line is damaged."""
    count = len(samples) // stride
    pieces = (samples[at * stride :][:stride].astype("<i2").tobytes() for at in range(count))
    rows = [dialogue.extract(piece) for piece in progress(pieces, count, "frames")]
    if len({(len(features), len(scores)) for features, scores in rows}) != 1:
        raise UserError("frames came with more and with fewer numbers", file=dialogue.name, remedy=DAMAGED)
    features, scores = zip(*rows, strict=True)
    return Streamed(np.array(features, np.int16), np.array(scores, np.int16))


def read_streamed(file: Path) -> Streamed:
    """What the benchmark's own driver wrote: `specgram` and `activations`."""
    with np.load(file) as arrays:
        return Streamed(arrays["specgram"], arrays["activations"])


def detections(scores: Sequence[int], limit: int) -> list[Detection]:
    """Of the first label; limit: the score from which it is accepted."""
    found: list[Detection] = []
    for frame, score in enumerate(scores):
        if score < limit:
            continue
        last = found[-1] if found else None
        if last is not None and last.first + last.frames == frame:
            found[-1] = Detection(last.first, last.frames + 1, max(last.best, score))
        else:
            found.append(Detection(frame, 1, score))
    return found


def text(streamed: Streamed, pipeline: Pipeline, limit: int) -> str:
    """A line, and one a detection."""
    found = detections(streamed.scores[:, 0].tolist(), limit)
    label = pipeline.decision.labels[0]
    times = "once" if len(found) == 1 else f"{len(found)} times" if found else "never"
    lines = [f"{len(streamed.scores):,} frames; {label} was heard {times} (scores from {limit} on)"]
    for one in found:
        seconds = (one.first + 1) * pipeline.window.stride / pipeline.audio.sample_rate
        lines.append(f"  at {seconds:.3f} s, {one.frames} frames, score {one.best} at most")
    return "\n".join(lines)
