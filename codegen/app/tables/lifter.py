# SPDX-License-Identifier: Apache-2.0
"""The lifter: Kaldi's and HTK's weights of the cepstra."""

from __future__ import annotations

import math

from codegen.app.tables.rounding import nearest


def lifter_table(lifter: float, cepstra: int) -> tuple[int, ...]:
    """round(4096 (1 + lifter / 2 sin(pi k / lifter))): Q12; 4096 throughout for lifter 0."""
    if lifter == 0:
        return (4096,) * cepstra
    return tuple(nearest(4096 * (1 + lifter / 2 * math.sin(math.pi * k / lifter))) for k in range(cepstra))
