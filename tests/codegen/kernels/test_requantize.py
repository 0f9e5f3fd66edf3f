# SPDX-License-Identifier: Apache-2.0
"""The arithmetic of requantisation: Python's and C's against definitions in exact rationals."""

from __future__ import annotations

import math
import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.kernels import fixed_point, round_once
from codegen.kernels.requantize import (
    Multiplier,
    activation_range,
    high_multiply,
    multiply,
    quantize_multiplier,
    rounding_shift,
    wrap32,
)
from codegen.model.graph import Quantization, Tensor
from tests.support.compile import SUPPORT
from tests.support.program_c import ProgramC

INT32 = st.integers(-(2**31), 2**31 - 1)
CASES = settings(max_examples=300, deadline=None, derandomize=True, database=None)


def away(value: Fraction) -> int:
    """Rounded to the nearest, halves away from zero: the definition."""
    return int(math.copysign(math.floor(abs(value) + Fraction(1, 2)), value)) if value else 0


def nearest_up(value: Fraction) -> int:
    """Rounded to the nearest, halves up."""
    return math.floor(value + Fraction(1, 2))


@CASES
@given(st.floats(1e-12, 1e6))
def test_a_multiplier_is_within_half_a_step(real: float) -> None:
    by = quantize_multiplier(real)
    if by.value == 0:
        assert real < 2.0**-31
        return
    assert 2**30 <= by.value < 2**31
    assert abs(Fraction(by.value) * Fraction(2) ** (by.shift - 31) - Fraction(real)) <= Fraction(2) ** (
        by.shift - 32
    )


def test_multipliers_at_the_ends() -> None:
    assert quantize_multiplier(0.0) == Multiplier(0, 0)
    assert quantize_multiplier(1.0) == Multiplier(1 << 30, 1)
    assert quantize_multiplier(0.5) == Multiplier(1 << 30, 0)
    assert quantize_multiplier(1.0 - 2.0**-40) == Multiplier(1 << 30, 1)  # rounds up into the next power
    assert quantize_multiplier(2.0**-32) == Multiplier(1 << 30, -31)
    assert quantize_multiplier(2.0**-33) == Multiplier(0, 0)


@CASES
@given(INT32, st.integers(0, 2**31 - 1))
def test_high_multiply_is_a_rounded_product(a: int, b: int) -> None:
    assert high_multiply(a, b) == nearest_up(Fraction(a * b, 2**31))


@CASES
@given(INT32, st.integers(0, 31))
def test_rounding_shift_is_a_rounded_quotient(value: int, bits: int) -> None:
    assert rounding_shift(value, bits) == away(Fraction(value, 2**bits))


@CASES
@given(st.integers(-(2**40), 2**40))
def test_wrapping_keeps_32_bits(value: int) -> None:
    assert wrap32(value) == int(np.array(value, np.int64).astype(np.int32))


def edges(seed: int) -> list[tuple[int, int, int, int, int, int]]:
    """(sum, multiplier, left, right, zero point, high): corners, sums beside every half, and random ones."""
    random = np.random.default_rng(seed)
    found = []
    for value in (1 << 30, (1 << 31) - 1, 1518500250):
        for left, right in ((0, 0), (0, 1), (0, 5), (0, 9), (0, 21), (0, 31), (1, 0), (4, 0)):
            for total in (0, 1, -1, 2**31 - 1, -(2**31), 2**29, -(2**29), 2**30 - 1, 1 - 2**30):
                found.append((total, value, left, right, -128, 127))
    for _ in range(400):
        value, right = int(random.integers(1 << 30, 1 << 31)), int(random.integers(1, 22))
        zero, level = int(random.integers(-128, 128)), int(random.integers(-300, 300))
        beside = round((level + 0.5) * 2.0 ** (31 + right) / value)
        for total in range(beside - 2, beside + 3):
            found.append((wrap32(total), value, 0, right, zero, int(random.integers(0, 128))))
    for _ in range(400):
        total, value = int(random.integers(-(2**31), 2**31)), int(random.integers(1 << 30, 1 << 31))
        found.append((total, value, int(random.integers(0, 3)), 0, int(random.integers(-128, 128)), 127))
    return found


@pytest.mark.parametrize("target", ["pc", "qemu"])
def test_the_firmware_rounds_as_defined(tmp_path: Path, target: str) -> None:
    """All forms of requantisation on corner cases: C on the PC, instructions of a Cortex-M4 in QEMU."""
    program = ProgramC(tmp_path, [SUPPORT / "requantize_main.c"], target=target)
    sent, wanted = b"", []

    def ask(which: int, case: tuple[int, ...], expected: int) -> None:
        nonlocal sent
        sent += struct.pack("<7i", which, *case)
        wanted.append(expected)

    for case in edges(1):
        total, value, left, right, zero, high = case
        first = nearest_up(Fraction(wrap32(total << left) * value, 2**31))
        twice = away(Fraction(first, 2**right))
        assert multiply(total, Multiplier(value, left - right)) == twice
        ask(0, case, twice)
        if abs(twice) < 2**30:
            ask(1, case, max(-128, min(high, twice + zero)))
        if left == 0 and 1 <= right <= 21 and abs(total) < 2**30:
            ask(2, (*case[:5], 127), max(-128, min(127, twice + zero)))
            once = math.floor(Fraction(total * value, 2 ** (31 + right)) + Fraction(1, 2))
            ask(3, (*case[:5], 127), max(-128, min(127, once + zero)))
        if abs(total) * value < 2**61:
            exact = away(Fraction(total * value, 2 ** (31 + right - left)))
            ask(4, case, max(-128, min(high, exact + zero)))
    found = np.frombuffer(program.run(sent), np.int32).tolist()
    assert len(found) == len(wanted) > 5000
    assert found == wanted


@CASES
@given(
    st.floats(-24, 2).map(lambda power: 2.0**power), st.integers(8, 26), st.integers(-128, 127), st.booleans()
)
def test_integer_forms_round_as_a_double(real: float, bits: int, zero: int, fast: bool) -> None:
    """round_once: both forms give round(sum * real) within the int8 range, at every step and between."""
    low, high, largest = -128 - zero, 127 - zero, (1 << bits) - 1
    form = round_once.fast(real, low, high, largest) if fast else round_once.wide(real, low, high, largest)
    if form is None:
        assert fast  # the wide form must exist; the fast one need not
        return
    random = np.random.default_rng(bits)
    sums = set(random.integers(-largest, largest + 1, 200).tolist())
    for level in range(low, high + 2):
        sums.update(math.floor((level - 0.5) / real) + step for step in (-1, 0, 1, 2))
    for total in sums:
        if abs(total) <= largest:
            product = Fraction(float(total) * real)
            assert max(low, min(high, form(total))) == max(low, min(high, away(product)))


@CASES
@given(
    st.floats(2.0**-10, 2.0),
    st.integers(-128, 127),
    st.sampled_from(("none", "relu", "relu6", "relu_n1_to_1")),
)
def test_a_fused_activation_is_a_range(scale: float, zero: int, activation: str) -> None:
    scale = float(np.float32(scale))
    tensor = Tensor(0, "t", (1,), "int8", Quantization((scale,), (zero,)))
    real_low, real_high = {
        "none": (None, None), "relu": (0, None), "relu6": (0, 6), "relu_n1_to_1": (-1, 1)
    }[activation]  # fmt: skip
    low, high = activation_range(tensor, activation)
    # float32 division moves a quotient by less than a thousandth of a step here
    if real_low is not None and -128 < low < 127:
        assert abs((low - zero) - real_low / scale) <= 0.501
    if real_high is not None and -128 < high < 127:
        assert abs((high - zero) - real_high / scale) <= 0.501
    assert low >= -128
    assert high <= 127


def test_fixed_point_functions_are_near_the_real_ones() -> None:
    for x in np.linspace(-15.9, 0, 500):
        assert abs(fixed_point.exp_negative(round(x * 2**26), 5) / 2**31 - math.exp(x)) < 3e-7
    for x in np.linspace(0, 1, 300):
        raw = min(2**31 - 1, round(x * 2**31))
        assert abs(fixed_point.one_over_one_plus(raw) / 2**31 - 1 / (1 + x)) < 1e-8
        assert abs(fixed_point.one_minus_over_one_plus(raw) / 2**31 - (1 - x) / (1 + x)) < 1e-8
