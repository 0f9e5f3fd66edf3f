# SPDX-License-Identifier: Apache-2.0
"""From scores to a class, and from thresholds to limits of scores."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.app.spec import Kind
from codegen.app.tables.decision import Score, score_of
from codegen.model.graph import Quantization
from tests.reference.stages import verdicts
from tests.support.pipeline_c import Decision

SCORES = st.integers(-128, 127)


@pytest.mark.parametrize(
    ("scores", "verdict"),
    [
        ([77, -128, -128, -128], (1, 77)),
        ([76, -128, -128, -128], (0, 76)),
        ([-128, -128, -128, 127], (4, 127)),
        ([100, 100, 100, 100], (1, 100)),  # ties go to the lowest index
        ([-1, 90, 90, 0], (2, 90)),
        ([-128, -128, -128, -128], (0, -128)),
    ],
)
def test_the_largest_score_decides_when_it_reaches_its_limit(
    scores: list[int], verdict: tuple[int, int]
) -> None:
    assert Decision([77] * 4).step(scores) == verdict


def test_each_label_has_its_own_limit() -> None:
    decision = Decision([-128, 128, 0])
    assert decision.step([-128, -128, -128]) == (1, -128)
    assert decision.step([0, 127, 0]) == (0, 127)  # 128: never
    assert decision.step([-1, -1, 0]) == (3, 0)


@settings(deadline=None)
@given(
    st.lists(st.lists(SCORES, min_size=3, max_size=3), max_size=40),
    st.lists(st.integers(-128, 128), min_size=3, max_size=3),
    st.integers(1, 10),
)
def test_any_scores_any_limits_any_votes(rows: list[list[int]], limits: list[int], votes: int) -> None:
    decision = Decision(limits, votes)
    assert [decision.step(row) for row in rows] == verdicts(rows, limits, votes)


def test_more_than_half_of_the_last_votes_win() -> None:
    decision = Decision([0, 0], votes=3)
    reported = [
        decision.step([1 - 2 * label, 2 * label - 1]) for label in (0, 0, 1, 1, 0, 0, 0)
    ]  # labels 1, 1, 2, 2, 1, 1, 1
    assert [class_index for class_index, _ in reported] == [0, 1, 1, 2, 2, 1, 1]


def test_reset_forgets_verdicts_and_keeps_settings() -> None:
    decision = Decision([0, 0], votes=2)
    decision.set_votes(3)
    decision.set_threshold(1, 50)
    for _ in range(3):
        decision.step([10, 0])
    decision.reset()
    assert decision.step([10, 0]) == (0, 10)
    assert decision.limits.tolist() == [0, 50]
    assert decision.state.votes == 3
    decision.restore()
    assert decision.limits.tolist() == [0, 0]
    assert decision.state.votes == 2


def test_settings_are_held_in_their_range() -> None:
    decision = Decision([0, 0])
    for label, limit in ((0, -129), (0, 129), (2, 0)):
        assert not decision.set_threshold(label, limit)
    for votes in (-1, 0, 11, 256 + 1):
        assert not decision.set_votes(votes)
    assert decision.limits.tolist() == [0, 0]
    assert decision.state.votes == 1
    assert decision.set_threshold(0, 128)
    assert decision.set_threshold(1, -128)
    assert decision.set_votes(10)
    assert decision.limits.tolist() == [128, -128]


# Limits


@pytest.mark.parametrize(
    ("threshold", "limit"),
    [
        (Fraction("0.80"), 77),
        (Fraction(206, 256), 78),
        (Fraction("0.8046875"), 78),
        (Fraction(0), -128),
        (Fraction(1), 128),
        (Fraction(255, 256), 127),
        (Fraction("0.99609376"), 128),
    ],
)
def test_limits_of_shares_in_256ths(threshold: Fraction, limit: int) -> None:
    assert Score(Fraction(1 / 256), -128).limit(threshold) == limit


@settings(deadline=None)
@given(
    st.fractions(0, 1, max_denominator=10**9),
    st.floats(2.0**-20, 2.0, width=32),
    st.integers(-128, 127),
)
def test_limit_is_the_smallest_accepted_score(threshold: Fraction, scale: float, zero_point: int) -> None:
    accepted = [q for q in range(-128, 128) if (q - zero_point) * Fraction(scale) >= threshold]
    assert Score(Fraction(scale), zero_point).limit(threshold) == (accepted[0] if accepted else 128)


def test_the_decimal_counts_not_its_nearest_float() -> None:
    """0.1 as a float32 is above 1/10: one step of that scale reaches the threshold 1/10, none of a lower."""
    above = float(np.float32(0.1))
    below = float(np.nextafter(np.float32(0.1), np.float32(0)))
    assert Fraction(above) > Fraction("0.1") > Fraction(below)
    assert Score(Fraction(above), 0).limit(Fraction("0.1")) == 1
    assert Score(Fraction(below), 0).limit(Fraction("0.1")) == 2


@pytest.mark.parametrize("scale", [0.0625, 0.1, 0.5])
@pytest.mark.parametrize("zero_point", [-128, -7, 40])
@pytest.mark.parametrize("share", ["0.5", "0.1", "0.8", "0.95", "0.999999", "0.000001"])
def test_the_limit_of_a_logit_accepts_where_its_sigmoid_does(
    scale: float, zero_point: int, share: str
) -> None:
    ends = Quantization((1.0,), (0,)), Quantization((float(np.float32(scale)),), (zero_point,))
    score = score_of(Kind.BINARY, *ends)
    assert score.logit
    values = 1 / (1 + np.exp(-(np.arange(-128, 128) - zero_point) * np.float64(np.float32(scale))))
    accepted = np.flatnonzero(values >= float(share)) - 128
    assert score.limit(Fraction(share)) == (accepted[0] if len(accepted) else 128)
    assert [score.limit(Fraction(end)) for end in (0, 1)] == [-128, 128]


def test_a_sigmoid_is_compared_as_it_is() -> None:
    score = score_of(Kind.BINARY, Quantization((1.0,), (0,)), Quantization((1 / 256,), (-128,)))
    assert not score.logit
    assert score.limit(Fraction("0.8")) == 77
