# SPDX-License-Identifier: Apache-2.0
"""The smallest score a threshold accepts."""

from __future__ import annotations

import math
from fractions import Fraction

NEVER = 128


def score_limit(threshold: Fraction, scale: float, zero_point: int) -> int:
    """The smallest int8 q with (q - zero_point) * scale >= threshold, exactly; NEVER where there is none."""
    least = math.ceil(threshold / Fraction(scale)) + zero_point
    return max(-128, min(NEVER, least))
