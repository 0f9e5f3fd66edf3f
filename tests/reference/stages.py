"""Gate, cascade and decision as their descriptions say, in plain Python."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def gate_flags(peaks: Iterable[int], threshold: int, backoff: int, delay: int) -> list[bool]:
    """Windows by their largest magnitude -> which pass."""
    flags: list[bool] = []
    plan: list[bool] = []  # of the windows after an opening one
    for peak in peaks:
        if not plan:
            plan = [False] * delay + [True] * (1 + backoff) if peak > threshold else [False]
        flags.append(plan.pop(0))
    return flags


def decided_windows(flags: Sequence[bool], frames: int, slide: bool) -> list[int]:
    """Windows that decide."""
    decided: list[int] = []
    fresh = 0
    for index, passes in enumerate(flags):
        fresh += 1
        if passes and fresh >= frames:
            decided.append(index)
            if not slide:
                fresh = 0
    return decided


def verdicts(scores: Iterable[Sequence[int]], limits: Sequence[int], votes: int) -> list[tuple[int, int]]:
    """Scores of decisions -> (class, largest score): argmax, threshold, majority of the last `votes`."""
    seen: list[int] = []
    told = []
    for row in scores:
        best = max(row)
        label = list(row).index(best)
        seen.append(label + 1 if best >= limits[label] else 0)
        last = seen[-votes:]
        winners = [name for name in set(last) if 2 * last.count(name) > votes]
        told.append((winners[0] if winners else 0, best))
    return told
