# SPDX-License-Identifier: Apache-2.0
"""Cepstra to 0..255: the exact floor."""

from __future__ import annotations

import csv
from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.app.spec import Scale
from codegen.app.tables import check_scale
from codegen.app.tables.scale import RANGE_MAX
from codegen.common.errors import UserError
from tests.support.pipeline_c import scaled
from tests.support.shared import shared

LOW, HIGH = -500000, 500000
INT32 = np.iinfo(np.int32)


def exact(minimum: int, maximum: int, x: int) -> int:
    return max(0, min(255, floor(Fraction(255 * (x - minimum), maximum - minimum))))


def clamped(values: list[int]) -> list[int]:
    return sorted({max(INT32.min, min(INT32.max, value)) for value in values})


def test_first_integer_of_every_level() -> None:
    with shared("vectors/scale_edges.csv").open(newline="") as file:
        rows = [(int(row["first_x_of_level"]), int(row["exact_floor"])) for row in csv.DictReader(file)]
    assert len(rows) == 255
    edges = np.array([x for x, _ in rows], np.int32)
    levels = np.array([level for _, level in rows])
    assert (scaled(LOW, HIGH, edges) == levels).all()
    before = scaled(LOW, HIGH, edges - 1)
    departs = before == levels  # the reference device enters these levels one integer early
    assert (before[~departs] == levels[~departs] - 1).all()
    assert edges[departs].tolist() == [72549, 272549, 472549]


def test_every_integer_of_the_default_range() -> None:
    x = np.arange(LOW - 2, HIGH + 3, dtype=np.int64)
    expected = np.clip(255 * (x - LOW) // (HIGH - LOW), 0, 255)
    assert (scaled(LOW, HIGH, x.astype(np.int32)) == expected).all()
    assert scaled(LOW, HIGH, np.array([0], np.int32)).tolist() == [127]


def test_the_ends_of_int32() -> None:
    ends = np.array([INT32.min, INT32.min + 1, -1, 0, 1, INT32.max - 1, INT32.max], np.int32)
    for minimum, maximum in [
        (LOW, HIGH),
        (INT32.min, INT32.min + RANGE_MAX),
        (INT32.max - RANGE_MAX, INT32.max),
        (INT32.max - 1, INT32.max),
        (INT32.min, INT32.min + 1),
        (-RANGE_MAX // 2, RANGE_MAX // 2),
    ]:
        expected = [exact(minimum, maximum, int(x)) for x in ends]
        assert scaled(minimum, maximum, ends).tolist() == expected


@settings(deadline=None)
@given(
    st.integers(INT32.min, INT32.max - 1),
    st.one_of(st.integers(1, RANGE_MAX), st.integers(1, 1000), st.integers(RANGE_MAX - 1000, RANGE_MAX)),
    st.lists(st.integers(INT32.min, INT32.max), max_size=10),
)
def test_any_range_at_the_edges_of_all_levels(minimum: int, span: int, others: list[int]) -> None:
    maximum = min(minimum + span, INT32.max)
    span = maximum - minimum
    firsts = [minimum - (-level * span // 255) for level in range(257)]
    values = clamped([first + step for first in firsts for step in (-1, 0, 1)] + others)
    assert scaled(minimum, maximum, np.array(values, np.int32)).tolist() == [
        exact(minimum, maximum, x) for x in values
    ]


def test_ranges_whose_product_is_not_exact_are_refused() -> None:
    check_scale(Scale(-500000, 500000))
    check_scale(Scale(0, RANGE_MAX))
    with pytest.raises(UserError, match="268435456 is allowed") as caught:
        check_scale(Scale(0, RANGE_MAX + 1))
    assert caught.value.place == "[scale] maximum"
    assert caught.value.remedy


@given(st.data())
def test_toward_zero_is_the_quotient_less_128_cut(data: st.DataObject) -> None:
    """As a cast of (x - minimum) / step - 128 to int8 in a program that computes exactly."""
    minimum = data.draw(st.integers(INT32.min, INT32.max - 1))
    maximum = minimum + data.draw(st.integers(1, min(RANGE_MAX, INT32.max - minimum)))
    near = [minimum + data.draw(st.integers(0, 255)) * (maximum - minimum) // 255 for _ in range(8)]
    values = clamped([x + offset for x in near for offset in (-1, 0, 1)] + [minimum, maximum, INT32.min])
    found = scaled(minimum, maximum, np.array(values, np.int32), toward_zero=True)
    for x, feature in zip(values, found.tolist(), strict=True):
        quotient = Fraction(255 * (x - minimum), maximum - minimum) - 128
        assert feature == max(-128, min(127, int(quotient))) + 128, x
