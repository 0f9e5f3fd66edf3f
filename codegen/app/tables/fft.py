# SPDX-License-Identifier: Apache-2.0
"""Twiddle factors of the real FFT."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Twiddles:
    """Pairs trunc(32767 cos a), -trunc(32767 sin a), Q15 toward zero, in the order the FFT takes them."""

    stages: tuple[int, ...]
    split: tuple[int, ...]


def twiddles(points: int) -> Twiddles:
    """The factors of a real FFT by way of a complex one of points / 2 pairs.

    stages: the butterflies of stages 3 and 4 together, then 5 and 6, and so on: for each j of the earlier
    stage its own factor, then the two of the later stage that take what it gives. Last, where the number of
    stages is odd, the factors of one alone. Those of stages 1 and 2 are 1 and -i.
    split: what parts the spectra of the even and the odd samples, angles a quarter turn past 2 pi k / points
    for k = 1..points/4-1: they are -sin, -cos of bin k.
    """
    pairs = points // 2
    stages: list[int] = []
    half = 4
    while 4 * half <= pairs:
        for j in range(half):
            stages += _factor(j, 2 * half) + _factor(j, 4 * half) + _factor(j + half, 4 * half)
        half *= 4
    if half < pairs:
        for j in range(half):
            stages += _factor(j, pairs)
    split: list[int] = []
    for k in range(1, points // 4):
        split += _factor(k + points // 4, points)
    return Twiddles(tuple(stages), tuple(split))


def _factor(numerator: int, denominator: int) -> list[int]:
    angle = 2 * math.pi * numerator / denominator
    return [int(32767 * math.cos(angle)), -int(32767 * math.sin(angle))]
