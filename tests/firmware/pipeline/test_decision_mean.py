# SPDX-License-Identifier: Apache-2.0
"""The mean of a label's last scores, and the quiet after a detection."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from tests.support.pipeline_c import Decision


def classes(
    scores: list[list[int]], limits: list[int], count: int, suppress: int, votes: int = 1
) -> list[int]:
    """docs/pipeline.md in fractions: a decision is the label of the largest mean, from 1, if that reaches its
    limit; the class with more than half of the votes is told, else 0. After one so many are 0, and mean and
    votes begin anew."""
    found: list[int] = []
    silence = [[-128] * len(limits)] * count
    past, recent = silence, [0] * votes
    quiet = 0
    for row in scores:
        if quiet:
            quiet, past, recent = quiet - 1, silence, [0] * votes
            found.append(0)
            continue
        past = [*past[1:], row]
        means = [Fraction(sum(column), count) for column in zip(*past, strict=True)]
        floors = [mean.__floor__() for mean in means]
        best = floors.index(max(floors))
        recent = [*recent[1:], best + 1 if means[best] >= limits[best] else 0]
        told = next((one for one in recent if 2 * recent.count(one) > votes), 0)
        quiet = suppress if told else 0
        found.append(told)
    return found


@pytest.mark.parametrize(("count", "suppress"), [(1, 3), (5, 0), (5, 4), (100, 0), (3, 300)])
@pytest.mark.parametrize("labels", [1, 3])
@pytest.mark.parametrize("votes", [1, 3])
def test_random_scores(count: int, suppress: int, labels: int, votes: int) -> None:
    rng = np.random.default_rng(count + labels)
    loud = rng.integers(-128, 128, (600, labels)) // 2 + 63 * (np.arange(600)[:, None] // 40 % 2)
    scores = np.clip(loud, -128, 127).tolist()
    limits = [40, 60, 20][:labels]
    decision = Decision(limits, votes, mean=(count, suppress))
    found = [decision.step(row)[0] for row in scores]
    assert found == classes(scores, limits, count, suppress, votes)
    assert count > 5 or any(found)
    decision.reset()
    assert [decision.step(row)[0] for row in scores] == found


def test_the_score_is_the_mean_and_a_limit_is_reached_exactly() -> None:
    decision = Decision([102], mean=(5, 2))
    assert [decision.step([score]) for score in (127, 127, 127, 127)] == [
        (0, -77),
        (0, -26),
        (0, 25),
        (0, 76),
    ]
    assert decision.step([2]) == (1, 102)  # 4 * 127 + 2 = 5 * 102
    assert [decision.step([127]) for _ in range(3)] == [(0, -128), (0, -128), (0, -77)]


def test_a_label_that_is_not_the_largest_silences_nothing() -> None:
    decision = Decision([100, 20], mean=(1, 5))
    assert [decision.step(row)[0] for row in ([90, 30], [110, 30], [110, 30])] == [0, 1, 0]


def test_the_votes_decide_what_is_a_detection() -> None:
    decision = Decision([50], votes=3, mean=(1, 4))
    assert [decision.step([100])[0] for _ in range(9)] == [0, 1, 0, 0, 0, 0, 0, 1, 0]


def test_a_gap_ends_the_mean_and_the_quiet_but_not_the_votes() -> None:
    decision = Decision([100], votes=3, mean=(2, 9))
    assert [decision.step([127]) for _ in range(4)] == [(0, -1), (0, 127), (1, 127), (0, -128)]
    decision.gap()
    assert [decision.step([127]) for _ in range(2)] == [(0, -1), (0, 127)]
    decision.gap()
    assert [decision.step([127]) for _ in range(2)] == [(0, -1), (1, 127)]


def test_a_limit_that_every_score_reaches_is_suppressed_too() -> None:
    decision = Decision([100], mean=(2, 3))
    assert decision.set_threshold(0, -128)
    assert [decision.step([0]) for _ in range(5)] == [(1, -64), (0, -128), (0, -128), (0, -128), (1, -64)]


@pytest.mark.parametrize(("mean", "suppress"), [(1, 0), (4, 9), (7, 3)])
def test_both_may_change_while_it_runs(mean: int, suppress: int) -> None:
    """What was decided before is forgotten; then it is as one that was built so."""
    scores = [[int(score)] for score in np.random.default_rng(3).integers(-128, 128, 300)]
    decision = Decision([60], votes=2, mean=(5, 2), most=7)
    for row in scores[:50]:
        decision.step(row)
    assert decision.set_suppress(suppress)
    assert decision.set_mean(mean)
    found = [decision.step(row)[0] for row in scores]
    assert found == classes(scores, [60], mean, suppress, votes=2)
    for value in (0, -1, 8, 256 + 3, 2**31 - 1):
        assert not decision.set_mean(value)
    for value in (-1, 10001, 65536):
        assert not decision.set_suppress(value)
    decision.reset()
    assert [decision.step(row)[0] for row in scores] == found
    decision.restore()  # to those of the build
    assert [decision.step(row)[0] for row in scores] == classes(scores, [60], 5, 2, votes=2)
    assert decision.set_suppress(10000)
    assert decision.set_mean(7)
