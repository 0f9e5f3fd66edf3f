# SPDX-License-Identifier: Apache-2.0
"""Tables of the logarithm of an energy."""

from __future__ import annotations

import math

from codegen.app.tables.rounding import nearest

LOG_ADD_COUNT = 1598


def log2_table() -> tuple[int, ...]:
    """round(4096 log2(1 + j / 64)), j = 0..63: Q12."""
    return tuple(nearest(4096 * math.log2(1 + j / 64)) for j in range(64))


def log_add_table() -> tuple[int, ...]:
    """round(256 ln(1 + e^(-d / 256))), d = 0..1597: Q8. It is 0 from the last entry on."""
    return tuple(nearest(256 * math.log1p(math.exp(-d / 256))) for d in range(LOG_ADD_COUNT))
