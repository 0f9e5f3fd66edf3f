# SPDX-License-Identifier: Apache-2.0
"""Povey's window: a Hann window to the power 0.85, as Kaldi's."""

from __future__ import annotations

import math

from codegen.app.tables.rounding import nearest


def povey_window(size: int) -> tuple[int, ...]:
    """round(16383 (0.5 - 0.5 cos(2 pi n / (size - 1)))^0.85): Q14, 0..16383, symmetric."""
    left = [
        nearest(16383 * (0.5 - 0.5 * math.cos(2 * math.pi * n / (size - 1))) ** 0.85)
        for n in range((size + 1) // 2)
    ]
    return tuple(left + left[: size // 2][::-1])
