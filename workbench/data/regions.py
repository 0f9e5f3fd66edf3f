# SPDX-License-Identifier: Apache-2.0
"""Noise regions: a long stretch becomes windows, the first part to learn from, the last to try."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from workbench.data.segment import Segment

TRAIN, TEST = "train", "test"


def windows(segments: Sequence[Segment], label: str, length: int, test: float) -> list[Segment]:
    """The segments, those of `label` without a session cut into windows of `length` samples; the last share
    `test` of each region's windows is of the session test, the others of train.

    What is left over at the end of a region is dropped, and a region shorter than a window stays as it is.
    """
    made: list[Segment] = []
    for segment in segments:
        if segment.label != label or segment.session or segment.samples < length:
            made.append(segment)
            continue
        count = segment.samples // length
        tried = round(test * count)
        for number in range(count):
            start, session = segment.start + number * length, TEST if number >= count - tried else TRAIN
            made.append(dataclasses.replace(segment, start=start, end=start + length, session=session))
    return made
