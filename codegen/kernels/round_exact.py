# SPDX-License-Identifier: Apache-2.0
"""Integer multipliers for dense layers with 16-bit activations: a product in double, rounded once, exactly.

LiteRT's reference kernel computes round(sum * real) in double, halves away from zero. The firmware
(requantize_exact) multiplies with all 53 bits of `real` and rounds that product once. The two differ only
where the double's own rounding carries a product onto a half. Both are staircases in the sum, so they are
compared on both sides of every step; a neighbour of the multiplier moves such a step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from codegen.kernels.channels import Ints

WORD = 1 << 32
LARGEST_SUM = 1 << 47  # |sum| is below: what the reference kernels allow, too
LARGEST_SCALE = 1 << 7
LEVELS = 1 << 15  # of an int16 on one side of zero
NEIGHBOURS = (0, *(sign << bits for bits in range(10) for sign in (1, -1)))


@dataclass(frozen=True)
class Exact:
    """(|sum| << left) * multiplier / 2^64 rounded down, + half, >> right: as requantize_exact has it."""

    multiplier: int
    left: int
    right: int

    def of_sizes(self, sizes: NDArray[np.uint64]) -> Ints:
        """The rounded products of sums from 0 on."""
        high = _high_word(sizes << np.uint64(self.left), self.multiplier)
        return ((high + np.uint64(1 << (self.right - 1))) >> np.uint64(self.right)).astype(np.int64)


def _high_word(a: NDArray[np.uint64], b: int) -> NDArray[np.uint64]:
    """floor(a * b / 2^64)"""
    low, bits = np.uint64(WORD - 1), np.uint64(32)
    a0, a1, b0, b1 = a & low, a >> bits, np.uint64(b % WORD), np.uint64(b // WORD)
    cross = a1 * b0 + (a0 * b0 >> bits)
    middle = a0 * b1 + (cross & low)
    high: NDArray[np.uint64] = a1 * b1 + (cross >> bits) + (middle >> bits)
    return high


def _doubles(sizes: NDArray[np.uint64], real: float) -> Ints:
    """round(sum * real) in double of sums from 0 on."""
    products = sizes.astype(np.float64) * real
    whole = np.floor(products)
    return (whole + (products - whole >= 0.5)).astype(np.int64)


def _edges(real: float, largest: int) -> NDArray[np.uint64]:
    """Sums from 0 to `largest` on both sides of every step of an int16."""
    near = np.floor((np.arange(1, LEVELS + 1) - 0.5) / real)
    near = near[near <= largest].astype(np.int64)
    every = np.concatenate([near + more for more in (-1, 0, 1, 2)] + [np.array([0, largest], np.int64)])
    return np.unique(every[(every >= 0) & (every <= largest)]).astype(np.uint64)


@lru_cache(maxsize=65536)
def exact(real: float, largest: int) -> Exact | None:
    """The form for sums to `largest`, below LARGEST_SUM; None where none fits. real: below LARGEST_SCALE"""
    if real * largest < 0.25:
        return Exact(0, 0, 1)
    fraction, exponent = math.frexp(real)
    value = int(fraction * (1 << 53)) << 9  # exact: 62 bits, the last 9 are 0
    left, right = max(0, 3 + exponent), max(1, -2 - exponent)
    edges = _edges(real, largest)
    wanted = _doubles(edges, real)
    for distance in NEIGHBOURS:
        found = Exact(value + distance, left, right)
        if found.multiplier < 1 << 62 and np.array_equal(found.of_sizes(edges), wanted):
            return found
    return None
