# SPDX-License-Identifier: Apache-2.0
"""What each of the 256 features is in the model's tensor, of int8 or of int16."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from codegen.app.spec import Rounding

BYTES = tuple(range(-128, 128))  # u - 128: features of a publisher's formula are the tensor's bytes already


def quantize_table(
    offset: int, scale: float, zero_point: int, rounding: Rounding, dtype: str = "int8"
) -> tuple[int, ...]:
    """round((u - offset) / scale) + zero_point for u = 0..255, saturated to the type.

    The quotient is the exact one of an integer and the file's float32 scale; halves go away from zero, as
    TfLiteRound does. TensorFlow divides in float32, which can round a quotient onto a half that the exact one
    misses by less than 2^-24 of itself; there, and only there, its integer may be the neighbour of this one.
    Rounding.NONE: u - offset - 128, not below -128.
    """
    if rounding is Rounding.NONE:
        return tuple(max(-128, u - offset - 128) for u in range(256))
    exact, limits = Fraction(scale), np.iinfo(dtype)
    levels = (_rounded((u - offset) / exact, rounding) + zero_point for u in range(256))
    return tuple(max(int(limits.min), min(int(limits.max), level)) for level in levels)


def float_table(offset: int, scale: float, zero_point: int, dtype: str = "int8") -> tuple[int, ...]:
    """The same for a model that takes floats: what its QUANTIZE makes of u - offset.

    That divides in float32 and rounds halves away from zero (reference_ops::AffineQuantize).
    """
    limits = np.iinfo(dtype)
    quotients = (np.float32(u - offset) / np.float32(scale) for u in range(256))
    levels = (_rounded(Fraction(float(quotient)), Rounding.NEAREST) + zero_point for quotient in quotients)
    return tuple(max(int(limits.min), min(int(limits.max), level)) for level in levels)


def _rounded(value: Fraction, rounding: Rounding) -> int:
    if rounding is Rounding.ZERO:
        return math.trunc(value)
    magnitude = math.floor(abs(value) + Fraction(1, 2))
    return magnitude if value >= 0 else -magnitude
