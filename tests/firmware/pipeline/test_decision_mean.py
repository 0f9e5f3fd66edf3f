# SPDX-License-Identifier: Apache-2.0
"""The mean of a label's last scores, and the quiet after a detection."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from tests.support.pipeline_c import Decision


def classes(scores: list[list[int]], limits: list[int], count: int, suppress: int) -> list[int]:
    """The rule, in fractions: the label of the largest mean where that reaches its limit, from 1; else 0."""
    found: list[int] = []
    past: list[list[int]] = [[-128] * len(limits)] * count
    quiet = 0
    for row in scores:
        if quiet:
            quiet, past = quiet - 1, [[-128] * len(limits)] * count
            found.append(0)
            continue
        past = [*past[1:], row]
        means = [Fraction(sum(column), count) for column in zip(*past, strict=True)]
        floors = [mean.__floor__() for mean in means]
        best = floors.index(max(floors))
        if any(mean >= limit for mean, limit in zip(means, limits, strict=True)):
            quiet = suppress
        found.append(best + 1 if means[best] >= limits[best] else 0)
    return found


@pytest.mark.parametrize(("count", "suppress"), [(1, 3), (5, 0), (5, 4), (100, 0), (3, 300)])
@pytest.mark.parametrize("labels", [1, 3])
def test_random_scores(count: int, suppress: int, labels: int) -> None:
    rng = np.random.default_rng(count + labels)
    loud = rng.integers(-128, 128, (600, labels)) // 2 + 63 * (np.arange(600)[:, None] // 40 % 2)
    scores = np.clip(loud, -128, 127).tolist()
    limits = [40, 60, 20][:labels]
    decision = Decision(limits, mean=(count, suppress))
    found = [decision.step(row)[0] for row in scores]
    assert found == classes(scores, limits, count, suppress)
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
