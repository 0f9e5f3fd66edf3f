# SPDX-License-Identifier: Apache-2.0
"""Elementary functions to 26 digits, and float32 rounding of rationals: what tables are held against."""

from __future__ import annotations

from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from functools import lru_cache

_CLOSE = Decimal("1e-18")  # values nearer to a half or an integer than this count as being it


@lru_cache(maxsize=1)
def pi() -> Decimal:
    """Machin: pi = 16 atan(1/5) - 4 atan(1/239)."""

    def arctangent(inverse: int) -> Decimal:
        total = term = 1 / Decimal(inverse)
        n = 1
        while abs(term) > Decimal("1e-32"):
            term /= -inverse * inverse
            n += 2
            total += term / n
        return total

    return 16 * arctangent(5) - 4 * arctangent(239)


def decimal(value: Fraction | int) -> Decimal:
    """The rational to 28 digits."""
    exact = Fraction(value)
    return Decimal(exact.numerator) / Decimal(exact.denominator)


def cos_turns(turns: Fraction) -> Decimal:
    """cos(2 pi turns), exactly 0 and +-1 at the quarter turns."""
    turns = abs(turns) % 1
    if turns > Fraction(1, 2):
        turns = 1 - turns
    if turns > Fraction(1, 4):
        return -cos_turns(Fraction(1, 2) - turns)
    if turns == Fraction(1, 4):
        return Decimal(0)
    square = (2 * pi() * decimal(turns)) ** 2
    term = total = Decimal(1)
    n = 0
    while abs(term) > Decimal("1e-30"):
        n += 2
        term *= -square / (n * (n - 1))
        total += term
    return total


def sin_turns(turns: Fraction) -> Decimal:
    """sin(2 pi turns)."""
    return cos_turns(turns - Fraction(1, 4))


def logarithm(value: Fraction | int) -> Decimal:
    """Natural logarithm."""
    return decimal(value).ln()


def nearest(value: Decimal) -> int:
    """The nearest integer; fails where the digits cannot tell which."""
    below = value.to_integral_value(ROUND_FLOOR)
    rest = value - below
    if abs(rest - Decimal("0.5")) < _CLOSE:
        raise ArithmeticError(f"{value} is a half")
    return int(below) + (rest > Decimal("0.5"))


def truncated(value: Decimal) -> int:
    """Toward zero."""
    near = value.to_integral_value(ROUND_HALF_EVEN)
    return int(near) if abs(value - near) < _CLOSE else int(value)


def float32(value: Fraction | int) -> Fraction:
    """The nearest float32, ties to even, of a normal value."""
    exact = Fraction(value)
    if exact == 0:
        return exact
    exponent = exact.numerator.bit_length() - exact.denominator.bit_length()
    while abs(exact) >= Fraction(2) ** (exponent + 1):
        exponent += 1
    while abs(exact) < Fraction(2) ** exponent:
        exponent -= 1
    unit = Fraction(2) ** (exponent - 23)
    return round(exact / unit) * unit  # round() of a Fraction takes halves to even


def float32_logarithm(value: Fraction) -> Fraction:
    """The float32 nearest to the natural logarithm."""
    return float32(Fraction(logarithm(value)))
