# SPDX-License-Identifier: Apache-2.0
"""The tables of TensorFlow Lite Micro's audio front end, written from the formulas of docs/front_end.md for
tests: whole arrays in float32. Of codegen it takes the float32 logarithm of devices alone, which
tests/codegen/app/test_log1p.py compares with a C library's."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from codegen.app.spec import MicroFrontend
from codegen.app.tables.log1p import log1p_float32

Floats = NDArray[np.float32]


def single(value: float) -> np.float32:
    return np.float32(value)


def q12(values: Floats) -> list[int]:
    """To nearest, halves up."""
    return [int(value) for value in np.floor(values * single(4096) + single(0.5))]


def log2_beyond_line(at: int) -> int:
    """What log2(1 + x) has above x, x = at / 128, in Q16."""
    return round(65536 * (math.log2((128 + at) / 128) - at / 128))


@dataclass(frozen=True)
class Tables:
    """Of one front end. size: samples of a window"""

    rate: int
    size: int
    settings: MicroFrontend

    @cached_property
    def points(self) -> int:
        """Of the FFT."""
        points = 1
        while points < self.size:
            points *= 2
        return points

    @property
    def doublings(self) -> int:
        """log2 N - 6: what the signal lacks to the scale of the reference's gains."""
        return round(math.log2(self.points)) - 6

    @cached_property
    def window(self) -> list[int]:
        """Q12."""
        angles = (np.arange(self.size, dtype=np.float32) + single(0.5)) * (
            single(math.pi) * single(2) / single(self.size)
        )
        cosines = np.cos(angles.astype(np.float64)).astype(np.float32)
        if self.settings.tables == "signal":
            turns = (np.arange(self.size) + 0.5) / self.size
            return [int(value) for value in np.round(4096 * np.sin(np.pi * turns) ** 2)]
        return q12(single(0.5) - single(0.5) * cosines)

    @cached_property
    def filters(self) -> list[list[tuple[int, int]]]:
        """(bin, weight in Q12) of each filter, that lie over two bands each: rising, then falling."""
        count = self.settings.filters
        low, high = single(self.settings.low_hz), single(self.settings.high_hz)
        spacing = single(0.5) * single(self.rate) / single(self.points // 2)
        first = int(single(1.5) + low / spacing)
        bottom = _mel(low)
        step = (_mel(high) - bottom) / single(count + 1)
        edges = np.array([bottom, *(bottom + step * single(n) for n in range(1, count + 2))], np.float32)
        found: list[list[tuple[int, int]]] = [[] for _ in range(count)]
        for number in range(first, self.points):
            mel = _mel(single(number) * spacing)
            if mel > edges[-1]:
                break
            band = max(int(np.searchsorted(edges, mel)) - 1, 0)  # edges[band] < mel <= edges[band + 1]
            down = (edges[band + 1] - mel) / (edges[band + 1] - edges[band])
            weights = np.array([down, single(1) - down], np.float32)
            signal = self.settings.tables == "signal"
            falling, rising = (
                np.trunc(weights * single(4096)).astype(int).tolist() if signal else q12(weights)
            )
            if band < count:
                found[band].append((number, rising))
            if band > 0:
                found[band - 1].append((number, falling))
        return found

    @property
    def impossible(self) -> bool:
        """These settings make no front end."""
        frontend, last = self.settings, self.points // 2 - 1
        beyond = any(number > last for one in self.filters for number, _ in one)
        gains = 12 <= frontend.pcan_gain_bits - self.doublings <= 43
        gains &= self.doublings <= frontend.smoothing_bits
        return self.points < 64 or beyond or not all(self.filters) or (frontend.pcan and not gains)

    def gain(self, noise: int) -> int:
        """The exact curve at a noise of Q(smoothing_bits - doublings)."""
        frontend = self.settings
        level = single(noise) / single(2.0 ** (frontend.smoothing_bits - self.doublings))
        power = math.pow(float(level + single(frontend.pcan_offset)), -float(single(frontend.pcan_strength)))
        value = single(2.0**frontend.pcan_gain_bits) * single(power)
        return min(int(value + single(0.5)), 32767)

    @lru_cache(maxsize=32)  # noqa: B019 (tables live as long as the test)
    def parabola(self, octave: int) -> tuple[int, int, int]:
        """Value, slope and bend from 2^octave up to its double, by the curve at both and in the middle."""
        below, above = 1 << octave, min(2 << octave, 2**32 - 1)
        start, middle, end = (self.gain(noise) for noise in (below, 3 * below // 2, above))
        return start, 4 * middle - 3 * start - end, 2 * (start + end) - 4 * middle


def _mel(hertz: np.float32) -> np.float32:
    return single(1127) * log1p_float32(hertz / single(700))


def share_of_one(value: float) -> int:
    """Q14, toward zero."""
    return math.floor(single(value) * single(16384))
