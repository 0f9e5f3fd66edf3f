# SPDX-License-Identifier: Apache-2.0
"""Logistic function and tangent in 16-bit fixed point, of every int16, against their definition.

The definition is that of the fixed-point library that TFLite's LSTM computes with: each product and each
shift is rounded on its own, a product's halves up, a shift's away from zero; constants keep their sign.
"""

from __future__ import annotations

import ctypes
import math

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.compile import SUPPORT, compile_shared, load

Ints = NDArray[np.int64]
EVERY = np.arange(-(1 << 15), 1 << 15, dtype=np.int64)
ONE = (1 << 15) - 1  # the largest Q0.15 stands for 1


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    return load(compile_shared(tmp_path_factory.mktemp("fixed_point"), [SUPPORT / "fixed_point.c"]))


def constant(real: float, integer_bits: int = 0) -> Ints:
    """A real number in Q(integer_bits).(15 - integer_bits), to the nearest."""
    return np.array(math.floor(real * 2.0 ** (15 - integer_bits) + 0.5), np.int64)


def times(a: Ints, b: Ints) -> Ints:
    """The product of two fractions."""
    return np.asarray(np.floor_divide(2 * a * b + (1 << 15), 1 << 16))


def halved(value: Ints, bits: int) -> Ints:
    """Divided by 2^bits."""
    return np.asarray(np.sign(value) * ((2 * np.abs(value) + (1 << bits)) // (2 << bits)))


def doubled(value: Ints, bits: int) -> Ints:
    """Times 2^bits, saturated."""
    return np.asarray(np.clip(value << bits, -ONE - 1, ONE))


def exponential(x: Ints, integer_bits: int) -> Ints:
    """exp(x) of x <= 0, in Q0.15."""
    fraction = 15 - integer_bits
    quarter = 1 << (fraction - 2)
    rest = (x & (quarter - 1)) - quarter  # -1/4 <= rest < 0
    near = doubled(rest, integer_bits) + constant(1 / 8)
    square = times(near, near)
    third = times(halved(times(square, square), 2) + times(square, near), constant(1 / 3))
    series = near + halved(third + square, 1)
    eighth = constant(math.exp(-1 / 8))
    result = np.minimum(eighth + times(eighth, series), ONE)
    above = rest - x  # a multiple of a quarter
    for power in range(-2, min(integer_bits, 5)):
        is_set = above >> (fraction + power) & 1
        result = np.where(is_set, times(result, constant(math.exp(-(2.0**power)))), result)
    if integer_bits > 5:
        result = np.where(x < -(32 << fraction), 0, result)
    return np.where(x == 0, ONE, result)


def inverse(x: Ints) -> Ints:
    """2 / (1 + x) in Q2.13, of x from 0 to 1: three of Newton's steps from 48/17 - 32/17 (1 + x) / 2."""
    half = (x + ONE + 1) >> 1
    y = constant(48 / 17, 2) + times(half, constant(-32 / 17, 2))
    for _ in range(3):
        y = y + doubled(times(y, (1 << 13) - times(half, y)), 2)
    return y


def logistic(x: Ints) -> Ints:
    """Of Q3.12, in Q0.15."""
    positive = doubled(inverse(exponential(-np.abs(x), 3)), 1)
    return np.where(x == 0, 1 << 14, np.where(x > 0, positive, ONE - positive))


def tangent(x: Ints, integer_bits: int) -> Ints:
    """Hyperbolic, of Q(integer_bits).(15 - integer_bits), in Q0.15."""
    positive = doubled(inverse(exponential(-np.abs(x), integer_bits + 1)) - (1 << 13), 2)
    return np.where(x == 0, 0, np.where(x > 0, positive, -positive))


def test_every_logistic(library: ctypes.CDLL) -> None:
    found = np.empty(EVERY.size, np.int32)
    library.every_logistic(found.ctypes.data_as(ctypes.c_void_p))
    assert np.argwhere(found != logistic(EVERY)).tolist() == []


@pytest.mark.parametrize("integer_bits", range(7))
def test_every_tangent(library: ctypes.CDLL, integer_bits: int) -> None:
    found = np.empty(EVERY.size, np.int32)
    library.every_tanh(integer_bits, found.ctypes.data_as(ctypes.c_void_p))
    assert np.argwhere(found != tangent(EVERY, integer_bits)).tolist() == []
