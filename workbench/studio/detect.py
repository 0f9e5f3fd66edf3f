# SPDX-License-Identifier: Apache-2.0
"""Events of a recording, found as the energy gate finds them: by samples that are louder than a threshold.

The threshold follows from a stretch of noise that a person shows, or is that of the app's gate, or follows
from the recording itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.live.sounds import PAUSE

ABOVE_NOISE = 2  # times the loudest sample of the noise: 6 dB
ABOVE_USUAL = 3  # times the median of the blocks' loudest samples: 10 dB
LEAD = 0.2  # of the usual length: how far a segment begins before its event
_BLOCK = 0.01  # seconds

Samples = NDArray[np.int16]


@dataclass(frozen=True)
class Stretch:
    """Samples of a recording; the end is exclusive."""

    start: int
    end: int

    def overlaps(self, other: Stretch) -> bool:
        """Whether both have a sample in common."""
        return self.start < other.end and other.start < self.end


def threshold(samples: Samples, rate: int, noise: Stretch | None, gate: int | None) -> int:
    """|sample| above which something happens. noise: nothing does there. gate: the app's own threshold."""
    if noise is not None:
        return ABOVE_NOISE * max(1, _loudest(samples[noise.start : noise.end]))
    if gate is not None and gate > 0:
        return gate
    return ABOVE_USUAL * max(1, round(float(np.median(_peaks(samples, rate)[1]))))


def events(samples: Samples, rate: int, limit: int, length: int) -> list[Stretch]:
    """Segments around what is louder than `limit`, in order, none over another.

    Loud samples that are less than PAUSE apart are one event. A segment begins LEAD of `length` before it and
    is `length` samples long, or as long as the event and its lead.
    """
    starts, peaks = _peaks(samples, rate)
    loud = np.flatnonzero(peaks > limit)
    if not len(loud):
        return []
    block = int(starts[1]) if len(starts) > 1 else len(samples)
    breaks = np.flatnonzero(np.diff(loud) * block > PAUSE * rate)
    lead = round(LEAD * length)
    found: list[Stretch] = []
    for first, last in zip(loud[[0, *(breaks + 1)]], loud[[*breaks, -1]], strict=True):
        onset = int(starts[first]) + _first(samples[starts[first] : starts[first] + block], limit)
        end = min(len(samples), int(starts[last]) + block)
        if found and end <= found[-1].end:
            continue  # the segment before holds it, too
        start = max(0, onset - lead, found[-1].end if found else 0)
        found.append(Stretch(start, min(len(samples), max(start + length, end))))
    return found


def _peaks(samples: Samples, rate: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First sample and largest |sample| of each block."""
    starts = np.arange(0, len(samples), max(1, round(_BLOCK * rate)))
    most, least = (each.reduceat(samples, starts).astype(np.int64) for each in (np.maximum, np.minimum))
    return starts, np.maximum(most, -least)


def _loudest(samples: Samples) -> int:
    return int(np.abs(samples.astype(np.int32)).max(initial=0))


def _first(samples: Samples, limit: int) -> int:
    """Index of the first sample that is louder; there is one."""
    return int(np.argmax(np.abs(samples.astype(np.int32)) > limit))
