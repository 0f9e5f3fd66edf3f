# SPDX-License-Identifier: Apache-2.0
"""Recordings with events at known places."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RATE = 16000
SECOND = RATE
LENGTH = 8000  # of a segment: half a second


def sound(seconds: float, *bursts: tuple[int, int, int], noise: int = 20) -> NDArray[np.int16]:
    """Noise of this peak, with bursts: first sample, the one after the last, and their constant value."""
    made = np.resize(np.array([noise, -noise, noise // 2], np.int16), round(seconds * RATE))
    for start, end, value in bursts:
        made[start:end] = value
    return made
