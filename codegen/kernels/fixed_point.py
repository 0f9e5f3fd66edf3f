# SPDX-License-Identifier: Apache-2.0
"""Exponential, logistic and hyperbolic tangent in 32-bit fixed point, as TFLite's int8 kernels define them.

The kernels take these functions from a fixed-point library whose roundings are part of the result, so tables
built here follow the same steps: a Taylor polynomial around -1/8 for a quarter's range, then factors
exp(-1/4), exp(-1/2), ... for the bits above it; Newton's iteration for the reciprocal. Qm.n: m integer bits,
n fractional bits, one sign bit.
"""

from __future__ import annotations

import math

from codegen.kernels.requantize import high_multiply, rounding_shift

ONE = (1 << 31) - 1  # the largest Q0.31 stands for 1


def _q31(real: float) -> int:
    return math.floor(real * (1 << 31) + 0.5)


_EXP_MINUS_EIGHTH = _q31(math.exp(-1 / 8))
_THIRD = _q31(1 / 3)
_FACTORS = tuple(_q31(math.exp(-(2.0**exponent))) for exponent in range(-2, 5))  # exp(-1/4) .. exp(-16)
_48_17 = 1515870810  # 48/17 in Q2.29
_32_17 = 1010580540  # 32/17 in Q2.29


def shift_left(value: int, bits: int) -> int:
    """value * 2^bits, saturated to 32 bits."""
    return max(-(1 << 31), min((1 << 31) - 1, value << bits))


def exp_negative(value: int, integer_bits: int) -> int:
    """exp(x) in Q0.31 for x <= 0 in Q(integer_bits).(31 - integer_bits); integer_bits up to 5."""
    if value == 0:
        return ONE
    fraction_bits = 31 - integer_bits
    quarter = 1 << (fraction_bits - 2)
    in_quarter = (value & (quarter - 1)) - quarter  # -1/4 <= x < 0
    x = shift_left(in_quarter, integer_bits) + (1 << 28)  # around -1/8
    x2 = high_multiply(x, x)
    x3 = high_multiply(x2, x)
    x4 = high_multiply(x2, x2)
    tail = rounding_shift(high_multiply(rounding_shift(x4, 2) + x3, _THIRD) + x2, 1)
    result = _EXP_MINUS_EIGHTH + high_multiply(_EXP_MINUS_EIGHTH, x + tail)
    remainder = in_quarter - value
    for index, factor in enumerate(_FACTORS):
        exponent = index - 2
        if exponent < integer_bits and remainder & (1 << (fraction_bits + exponent)):
            result = high_multiply(result, factor)
    return result


def _reciprocal(fraction: int) -> int:
    """1 / ((1 + fraction) / 2) in Q2.29, fraction in Q0.31, 0 .. 1."""
    half = (fraction + ONE + 1) >> 1
    x = _48_17 + high_multiply(half, -_32_17)
    for _ in range(3):
        error = (1 << 29) - high_multiply(half, x)
        x += shift_left(high_multiply(x, error), 2)
    return x


def one_over_one_plus(fraction: int) -> int:
    """1 / (1 + x) in Q0.31 for x in Q0.31, 0 .. 1."""
    return shift_left(_reciprocal(fraction), 1)


def one_minus_over_one_plus(fraction: int) -> int:
    """(1 - x) / (1 + x) in Q0.31 for x in Q0.31, 0 .. 1."""
    return shift_left(_reciprocal(fraction) - (1 << 29), 2)
