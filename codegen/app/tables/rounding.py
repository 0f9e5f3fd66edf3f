# SPDX-License-Identifier: Apache-2.0
"""The one rounding of the tables that are formulas over the reals."""

from __future__ import annotations

import math


def nearest(value: float) -> int:
    """The nearest integer; halves away from zero."""
    return int(math.copysign(math.floor(abs(value) + 0.5), value))
