# SPDX-License-Identifier: Apache-2.0
"""Integer multipliers for dense layers as LiteRT's reference kernel computes them: in double, rounded once.

The kernel's output is round(sum * real), sum an int32 and `real` a double. It is a staircase in the sum, so
an integer formula that puts every step of the int8 range at the same sum gives the same outputs. Steps matter
only where the layer's sums can reach.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from codegen.kernels.limits import LARGEST_SHIFT
from codegen.kernels.requantize import quantize_multiplier

NEIGHBOURS = 64  # multipliers tried on each side of the nearest
TOP = (1 << 31) - 1
WORD = 31  # bits of a multiplier that fits the fast form


@dataclass(frozen=True)
class Fast:
    """(high word of (sum << left) * multiplier + half) >> right: requantize_once in the firmware."""

    multiplier: int
    left: int
    right: int

    def __call__(self, value: int) -> int:
        """The rounded product."""
        return ((((value << self.left) * self.multiplier) >> 32) + (1 << (self.right - 1))) >> self.right


@dataclass(frozen=True)
class Wide:
    """(sum * multiplier + half) >> bits in 64 bits, halves away from zero."""

    multiplier: int
    bits: int

    def __call__(self, value: int) -> int:
        """The rounded product."""
        return (value * self.multiplier + (1 << (self.bits - 1)) - (value < 0)) >> self.bits


def round_double(value: int, real: float) -> int:
    """C's round(value * real) in double: halves away from zero."""
    product = float(value) * real
    whole = math.floor(abs(product))
    whole += abs(product) - whole >= 0.5
    return whole if product >= 0 else -whole


@lru_cache(maxsize=65536)
def steps(real: float, low: int, high: int) -> tuple[int, ...]:
    """The least sum of each result above `low`; for one that no int32 reaches the nearest int32."""
    found = []
    for level in range(low + 1, high + 1):
        near = (level - 0.5) / real
        if abs(near) > TOP - 4:
            found.append(TOP if near > 0 else -TOP - 1)
            continue
        total = math.floor(near) - 2
        while round_double(total, real) < level:
            total += 1
        found.append(total)
    return tuple(found)


def _edges(real: float, low: int, high: int, largest: int) -> list[tuple[int, int]]:
    """(sum, result) on both sides of every step from `low` to `high`, for sums within -largest .. largest."""
    edges = {}
    for level in range(low + 1, high + 1):
        near = math.floor((level - 0.5) / real) if real > 0 else largest + 2
        for value in range(near - 1, near + 3):
            if abs(value) <= largest:
                edges[value] = round_double(value, real)
    for value in (-largest, 0, largest):
        edges[value] = round_double(value, real)
    return [(value, max(low, min(high, result))) for value, result in edges.items()]


def _fits(formula: Fast | Wide, edges: list[tuple[int, int]], low: int, high: int) -> bool:
    return all(max(low, min(high, formula(value))) == wanted for value, wanted in edges)


@lru_cache(maxsize=65536)
def fast(real: float, low: int, high: int, largest: int) -> Fast | None:
    """The fast form for results clamped to low .. high and sums up to `largest`, where there is one."""
    nearest = quantize_multiplier(real)
    left, right = 1 + max(nearest.shift, 0), max(-nearest.shift, 0)
    if nearest.value == 0 or not 1 <= right <= LARGEST_SHIFT or largest >= 1 << (WORD - left):
        return None
    edges = _edges(real, low, high, largest)
    for distance in range(NEIGHBOURS):
        for value in {nearest.value + distance, nearest.value - distance}:
            candidate = Fast(value, left, right)
            if value < 1 << WORD and _fits(candidate, edges, low, high):
                return candidate
    return None


@lru_cache(maxsize=65536)
def wide(real: float, low: int, high: int, largest: int) -> Wide | None:
    """The wide form: as many bits of multiplier as keep the product below 2^62; None where none fits.

    None fits where sums lie so near a half that the rounding of the double itself decides.
    """
    if real == 0.0 or largest == 0:
        return Wide(0, 1)
    room = 62 - largest.bit_length()
    fraction, exponent = math.frexp(real)
    bits = min(room, 53)
    value, shift = math.floor(fraction * (1 << bits) + 0.5), bits - exponent
    if shift > 62:  # even the largest sum is far below a half
        value, shift = value >> (shift - 62), 62
    if shift < 1:
        return None
    edges = _edges(real, low, high, largest)
    for distance in range(NEIGHBOURS):
        for candidate in {value + distance, value - distance}:
            formula = Wide(candidate, shift)
            if candidate >= 0 and _fits(formula, edges, low, high):
                return formula
    return None
