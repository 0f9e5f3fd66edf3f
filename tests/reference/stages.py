# SPDX-License-Identifier: Apache-2.0
"""Gate, cascade and decision as their descriptions say, in plain Python."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction

from codegen.app.spec import Cascade


def gate_flags(peaks: Iterable[int], threshold: int, backoff: int, delay: int) -> list[bool]:
    """Windows by their largest magnitude -> which pass."""
    flags: list[bool] = []
    plan: list[bool] = []  # of the windows after an opening one
    for peak in peaks:
        if not plan:
            plan = [False] * delay + [True] * (1 + backoff) if peak > threshold else [False]
        flags.append(plan.pop(0))
    return flags


def decided_windows(flags: Sequence[bool], cascade: Cascade) -> list[int]:
    """Windows that decide: docs/pipeline.md, [cascade]."""
    decided: list[int] = []
    fresh = 0
    for index, passes in enumerate(flags):
        fresh += 1
        if passes and fresh >= cascade.frames and (index + 1) % cascade.every == 0:
            decided.append(index)
            if not cascade.slide:
                fresh = 0
    return decided


def verdicts(scores: Iterable[Sequence[int]], limits: Sequence[int], votes: int) -> list[tuple[int, int]]:
    """Scores of decisions -> (class, largest score): argmax, threshold, majority of the last `votes`."""
    seen: list[int] = []
    reported = []
    for row in scores:
        best = max(row)
        label = list(row).index(best)
        seen.append(label + 1 if best >= limits[label] else 0)
        last = seen[-votes:]
        winners = [name for name in set(last) if 2 * last.count(name) > votes]
        reported.append((winners[0] if winners else 0, best))
    return reported


def without_level(samples: Sequence[int], dc_block: int) -> list[int]:
    """Each sample less the level before it, saturated; the level follows by 1 / 2^dc_block of the difference.

    Exact rationals; the level's steps are 2^-14, and every rounding is downward.
    """
    level = Fraction(0)
    out = []
    for x in samples:
        out.append(max(-32768, min(32767, x - math.floor(level))))
        level += Fraction(math.floor((x - level) * 2**14 / 2**dc_block), 2**14)
    return out
