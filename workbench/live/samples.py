# SPDX-License-Identifier: Apache-2.0
"""Samples lines of a device -> sound, with every gap known. No port and no clock."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codegen.common.protocol import CAPTURE_MAX, DECISION_MAX
from workbench.protocol.lines import Samples

CLIPPED = 32767  # |sample| from which it is at the end of its range
_DECISIONS = 40  # a second, that share the line with the samples
_BITS_A_BYTE = 10  # 8N1
_FRAME = len('{"samples":9999999999,"bits":16,"data":"","crc":"01234567"}\n')


def mu_law_table() -> NDArray[np.int16]:
    """int16[256]: the value of each byte of G.711's mu-law, in 16 bits."""
    codes = ~np.arange(256, dtype=np.int32) & 0xFF
    segment, step = codes >> 4 & 7, codes & 15
    magnitude = ((step << 3) + 132 << segment) - 132
    return np.where(codes & 128, -magnitude, magnitude).astype(np.int16)


_TABLE = mu_law_table()


def decoded(line: Samples) -> NDArray[np.int16]:
    """The sound of one line."""
    if line.bits == 8:
        return _TABLE[np.frombuffer(line.data, np.uint8)]
    return np.frombuffer(line.data, "<i2").astype(np.int16)


def needed_baud(rate: int, bits: int) -> int:
    """Baud at 8N1 that samples at `rate` Hz take, beside 40 decisions a second."""
    data = -(-CAPTURE_MAX * bits // 8 // 3) * 4
    return -(-rate * (_FRAME + data) * _BITS_A_BYTE // CAPTURE_MAX) + _DECISIONS * DECISION_MAX * _BITS_A_BYTE


@dataclass(frozen=True)
class Gap:
    """Samples that did not come: `count` of them, from `at` on, counted from the take's first sample."""

    at: int
    count: int


@dataclass(frozen=True, eq=False)
class Take:
    """A piece of sound. Where samples are missing it has zeros: its time is right."""

    samples: NDArray[np.int16]
    gaps: tuple[Gap, ...]

    @property
    def missing(self) -> int:
        """Samples that did not come."""
        return sum(gap.count for gap in self.gaps)

    @property
    def peak(self) -> int:
        """Largest |sample|, 0..32768."""
        return int(np.abs(self.samples.astype(np.int32)).max(initial=0))

    @property
    def clipped(self) -> int:
        """Samples at the end of the range."""
        return int(np.count_nonzero(np.abs(self.samples.astype(np.int32)) >= CLIPPED))


class Incoming:
    """The samples that have come so far, by their numbers; what nobody needs any more is forgotten."""

    def __init__(self) -> None:
        self._blocks: deque[tuple[int, NDArray[np.int16]]] = deque()  # number of the first, in order
        self.end = 0  # number of the sample that comes next
        self.level = 0  # largest |sample| of the newest line

    def take(self, line: Samples) -> None:
        """One line. One that comes twice, or late, changes nothing."""
        if line.first < self.end:
            return
        sound = decoded(line)
        self._blocks.append((line.first, sound))
        self.end = line.first + len(sound)
        self.level = int(np.abs(sound.astype(np.int32)).max(initial=0))

    @property
    def first(self) -> int:
        """Number of the oldest sample that is kept."""
        return self._blocks[0][0] if self._blocks else self.end

    def forget(self, before: int) -> None:
        """Samples of lower numbers are needed no more."""
        while self._blocks and self._blocks[0][0] + len(self._blocks[0][1]) <= before:
            self._blocks.popleft()

    def cut(self, start: int, end: int) -> Take:
        """The samples with these numbers; start <= end <= self.end."""
        samples = np.zeros(end - start, np.int16)
        gaps, at = [], start
        for first, sound in self._blocks:
            low, high = max(first, start), min(first + len(sound), end)
            if low >= high:
                continue
            if low > at:
                gaps.append(Gap(at - start, low - at))
            samples[low - start : high - start] = sound[low - first : high - first]
            at = high
        if at < end:
            gaps.append(Gap(at - start, end - at))
        return Take(samples, tuple(gaps))
