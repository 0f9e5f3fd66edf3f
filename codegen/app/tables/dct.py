# SPDX-License-Identifier: Apache-2.0
"""The orthonormal DCT-II of the logarithms."""

from __future__ import annotations

import math
from dataclasses import dataclass

from codegen.app.tables.rounding import nearest


@dataclass(frozen=True)
class Dct:
    """Cosines of cepstra 1..cepstra-1 and the factors that make the transform orthonormal."""

    cosines: tuple[tuple[int, ...], ...]  # Q11; a row holds the left half: filters (n + 1) / 2
    first: int  # sqrt(1 / n), Q11
    other: int  # sqrt(2 / n), Q11


def dct(filters: int, cepstra: int) -> Dct:
    """round(2048 cos(pi k (j + 1/2) / n)): symmetric in j for even k, antisymmetric for odd k."""
    rows = tuple(
        tuple(
            nearest(2048 * math.cos(math.pi * k * (2 * j + 1) / (2 * filters)))
            for j in range((filters + 1) // 2)
        )
        for k in range(1, cepstra)
    )
    return Dct(rows, nearest(2048 / math.sqrt(filters)), nearest(2048 * math.sqrt(2 / filters)))
