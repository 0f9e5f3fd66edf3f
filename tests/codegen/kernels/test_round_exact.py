# SPDX-License-Identifier: Apache-2.0
"""Integers that round as a product in double does, against that product in Python's own numbers."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from codegen.kernels.round_exact import Exact, exact


def rounded(value: int, real: float) -> int:
    """C's round(value * real), halves away from zero."""
    product = Fraction(float(value) * real)
    return math.floor(product + Fraction(1, 2))


@pytest.mark.parametrize("real", [2.0**-14 * 1.37, 0.3, 1.0, 77.7, 2.0**-30 * 1.9, 1 / 3, 2.0**-40])
def test_random_sums(real: float) -> None:
    largest = min((1 << 47) - 1, int(2**30 / real))
    found = exact(real, largest)
    assert found is not None
    random = np.random.default_rng(0)
    sums = (largest * random.random(2000) ** 8).astype(np.uint64)
    assert found.of_sizes(sums).tolist() == [rounded(value, real) for value in sums.tolist()]


def test_a_half_that_only_the_double_reaches() -> None:
    """A product below a half by less than a double resolves: the double rounds it up; so must integers."""
    total = next(
        s for s in range(3, 4000, 2) if Fraction(0.5 / s) * s < Fraction(1, 2) and 0.5 / s * s == 0.5
    )
    real = 0.5 / total
    plain = int(math.frexp(real)[0] * (1 << 53)) << 9
    found = exact(real, 1 << 20)
    assert found is not None
    assert found.multiplier != plain
    without = Exact(plain, found.left, found.right)
    sums = np.array([total], np.uint64)
    assert (without.of_sizes(sums).tolist(), found.of_sizes(sums).tolist()) == ([0], [1])
