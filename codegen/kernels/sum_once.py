# SPDX-License-Identifier: Apache-2.0
"""ADD and SUB of two int8 with one rounding, where that gives the bits of the reference's three.

An int8 output is a staircase over its operands. For every pair of operands that can occur, one formula has to
lie on the step that the reference's arithmetic finds; then they are equal, whatever lies between. Its factors
are the real ones, or a neighbour; the offset follows from the pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from codegen.kernels.channels import Ints
from codegen.kernels.limits import INPUT_LIMIT

LOW, HIGH = -128, 127  # of the output, which is saturated
NEIGHBOURS = range(-3, 4)  # added to each factor, nearest first
WORD = 1 << 31  # |sum| is below
MOST_BITS = 24  # of a factor behind the point
FAR = 1 << 60

MOVES = sorted(product(NEIGHBOURS, repeat=2), key=lambda moves: sum(map(abs, moves)))


@dataclass(frozen=True)
class SumOnce:
    """(a * factor_a + b * factor_b + offset) >> right, saturated: add_once in the firmware."""

    factor_a: int
    factor_b: int
    offset: int
    right: int


def sum_once(a: Ints, b: Ints, wanted: Ints, real_a: float, real_b: float) -> SumOnce | None:
    """Factors near the real ones that give `wanted`; None where these do not.

    a, b, wanted: [n], operands and the output of all pairs that can occur
    """
    for right in range(MOST_BITS, 0, -1):
        near_a, near_b = (round(real * (1 << right)) for real in (real_a, real_b))
        if INPUT_LIMIT * (abs(near_a) + abs(near_b)) >= WORD:
            continue
        for move_a, move_b in MOVES:
            factor_a, factor_b = near_a + move_a, near_b + move_b
            offset = _offset(a * factor_a + b * factor_b, wanted, right)
            if offset is None:
                continue
            if INPUT_LIMIT * (abs(factor_a) + abs(factor_b)) + abs(offset) < WORD:
                return SumOnce(factor_a, factor_b, offset, right)
            break  # fewer bits leave more room
        else:
            return None  # fewer bits are no nearer
    return None


def _offset(sums: Ints, wanted: Ints, right: int) -> int | None:
    """The middle of the offsets with which (sum + offset) >> right, saturated, is `wanted`; None: there is
    none."""
    least = int(((wanted << right) - sums)[wanted > LOW].max(initial=-FAR))
    most = int((((wanted + 1) << right) - 1 - sums)[wanted < HIGH].min(initial=FAR))
    if least > most:
        return None
    if -FAR in (least, -most):  # every output is at one rail
        return most if least == -FAR else least
    return (least + most) // 2
