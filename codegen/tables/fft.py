"""Twiddle factors of the real FFT."""

from __future__ import annotations

import math


def twiddles(points: int) -> tuple[int, ...]:
    """points / 2 pairs of trunc(32767 cos a), -trunc(32767 sin a), a = 2 pi i / points: Q15, toward zero.

    They serve the complex FFT of the pairs (even i) and the split of its result into the real spectrum
    (i = points / 4 + k, where the pair is -sin, -cos of bin k).
    """
    pairs: list[int] = []
    for i in range(points // 2):
        angle = 2 * math.pi * i / points
        pairs += [int(32767 * math.cos(angle)), -int(32767 * math.sin(angle))]
    return tuple(pairs)
