# SPDX-License-Identifier: Apache-2.0
"""The bank of mel triangles.

All arithmetic is float32, as Kaldi's: three of the 480 weights of the default bank differ from float64's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class MelBank:
    """Triangles over the bins of a spectrum: filter i weighs `counts[i]` bins from bin `firsts[i]` on."""

    firsts: tuple[int, ...]
    counts: tuple[int, ...]
    weights: tuple[int, ...]  # Q12, 0..4096, of all filters in turn

    def of_filter(self, index: int) -> tuple[int, ...]:
        """The weights of one filter."""
        start = sum(self.counts[:index])
        return self.weights[start : start + self.counts[index]]


def mel_bank(sample_rate: int, points: int, filters: int, low_hz: float, high_hz: float) -> MelBank:
    """Triangles evenly spaced in mel between two frequencies, over the bins 0..points/2-1.

    A bin counts where its weight is above 0; a triangle that lies between two bins has none.
    """
    low, high = _mel(np.float32(low_hz)), _mel(np.float32(high_hz))
    delta = (high - low) / np.float32(filters + 1)
    edges = [low + np.float32(j) * delta for j in range(filters + 2)]
    spacing = np.float32(sample_rate) / np.float32(points)
    bins = [_mel(spacing * np.float32(k)) for k in range(points // 2)]

    firsts: list[int] = []
    counts: list[int] = []
    weights: list[int] = []
    for left, centre, right in zip(edges, edges[1:], edges[2:], strict=False):
        inside = [k for k, mel in enumerate(bins) if left < mel < right]
        firsts.append(inside[0] if inside else 0)
        counts.append(len(inside))
        for k in inside:
            rising = bins[k] <= centre
            weight = (bins[k] - left) / (centre - left) if rising else (right - bins[k]) / (right - centre)
            weights.append(math.floor(4096 * float(weight) + 0.5))
    return MelBank(tuple(firsts), tuple(counts), tuple(weights))


def _mel(hertz: np.float32) -> np.float32:
    """1127 ln(1 + f / 700), every operation rounded to float32.

    The logarithm is float64's, rounded: NumPy's own float32 logarithm depends on the machine's vector unit.
    """
    argument = np.float32(1) + hertz / np.float32(700)
    return np.float32(1127) * np.float32(math.log(float(argument)))
