# SPDX-License-Identifier: Apache-2.0
"""ln(1 + x) in float32 as the C libraries of devices compute it, to the last bit.

Newlib's log1pf, and glibc's up to 2.40, follow Sun's fdlibm; the float32 operations here are fdlibm's. The
exact logarithm, rounded once, differs in the last bit for 4 arguments of 100, and moves weights of filters by
one.
"""

from __future__ import annotations

import struct

import numpy as np

_ONE = np.float32(1)
_LN2_HIGH, _LN2_LOW = np.float32(6.9313812256e-01), np.float32(9.0580006145e-06)
_POLYNOMIAL = tuple(
    np.float32(value)
    for value in (
        6.6666668653e-01,
        4.0000000596e-01,
        2.8571429849e-01,
        2.2222198546e-01,
        1.8183572590e-01,
        1.5313838422e-01,
        1.4798198640e-01,
    )
)
_UNREDUCED = 0x3ED413D7  # bits of sqrt(2) - 1: below, x is small enough for the series itself
_SQRT_2 = 0x3504F7  # the fraction of sqrt(2)


def log1p_float32(x: np.float32) -> np.float32:
    """ln(1 + x) for x = 0 and 2^-29 <= x < 2^24.

    1 + x = 2^k (1 + f) with sqrt(1/2) <= 1 + f < sqrt(2); `lost` is what rounding took off 1 + x.
    """
    if _bits(x) < _UNREDUCED:
        return _series(x) if x > 0 else x
    total = _ONE + x
    k = (_bits(total) >> 23) - 127
    lost = ((_ONE - (total - x)) if k > 0 else (x - (total - _ONE))) / total
    fraction = _bits(total) & 0x7FFFFF
    if fraction < _SQRT_2:
        f = _float(fraction | 0x3F800000) - _ONE
        tiny = fraction == 0
    else:
        f = _float(fraction | 0x3F000000) - _ONE
        k, tiny = k + 1, (0x800000 - fraction) >> 2 == 0
    return _joined(f, np.float32(k), lost, tiny)


def _joined(f: np.float32, k: np.float32, lost: np.float32, tiny: bool) -> np.float32:
    """k ln 2 + ln(1 + f) + lost."""
    low = k * _LN2_LOW + lost
    if f == 0:
        return k * _LN2_HIGH + low
    half_square = np.float32(0.5) * f * f
    if tiny:
        return k * _LN2_HIGH - ((half_square * (_ONE - np.float32(2 / 3) * f) - low) - f)
    s, rest = _remainder(f)
    return k * _LN2_HIGH - ((half_square - (s * (half_square + rest) + low)) - f)


def _series(f: np.float32) -> np.float32:
    """ln(1 + f) = f - f^2 / 2 + s (f^2 / 2 + R), s = f / (2 + f)."""
    half_square = np.float32(0.5) * f * f
    s, rest = _remainder(f)
    return f - (half_square - s * (half_square + rest))


def _remainder(f: np.float32) -> tuple[np.float32, np.float32]:
    s = f / (np.float32(2) + f)
    square, rest = s * s, np.float32(0)
    for coefficient in reversed(_POLYNOMIAL):
        rest = square * (coefficient + rest)
    return s, rest


def _bits(value: np.float32) -> int:
    return int(struct.unpack("<I", struct.pack("<f", value))[0])


def _float(bits: int) -> np.float32:
    return np.float32(struct.unpack("<f", struct.pack("<I", bits))[0])
