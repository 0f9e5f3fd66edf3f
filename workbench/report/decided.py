# SPDX-License-Identifier: Apache-2.0
"""The decisions of one recording, kept short enough to lie beside an app, and where two of them differ.

"15600 2:84 2:86; 20000 0:-41" are three decisions: two in consecutive windows, which end at sample 15,600 and
a stride later, for class 2 with the scores 84 and 86; then one for class 0. Classes are numbered in a list.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Decided:
    """One decision. end: the sample after its newest window; score: the largest, int8"""

    end: int
    label: str
    score: int


@dataclass(frozen=True)
class Place:
    """Where two rows of decisions differ; None: none was made there."""

    end: int
    before: Decided | None
    now: Decided | None


def stride_of(rows: Iterable[Sequence[Decided]]) -> int:
    """Samples from a decision to that of the next window: the fewest between any two."""
    return min((later.end - one.end for row in rows for one, later in pairwise(row)), default=1)


def encode(row: Sequence[Decided], stride: int, labels: Sequence[str]) -> str:
    """The row as text."""
    numbers = {label: number for number, label in enumerate(labels)}
    groups: list[list[str]] = []
    expected = None
    for one in row:
        if one.end != expected:
            groups.append([str(one.end)])
        groups[-1].append(f"{numbers[one.label]}:{one.score}")
        expected = one.end + stride
    return "; ".join(" ".join(group) for group in groups)


def decode(text: str, stride: int, labels: Sequence[str]) -> tuple[Decided, ...]:
    """The row of a text. ValueError, IndexError: it is none."""
    row = []
    for group in filter(None, text.split("; ")):
        start, *pairs = group.split(" ")
        end = int(start)
        for pair in pairs:
            number, score = pair.split(":")
            row.append(Decided(end, labels[int(number)], int(score)))
            end += stride
    return tuple(row)


def places(before: Sequence[Decided], now: Sequence[Decided]) -> list[Place]:
    """Where they differ, the earliest first."""
    first, second = ({one.end: one for one in row} for row in (before, now))
    found = (Place(end, first.get(end), second.get(end)) for end in sorted({*first, *second}))
    return [place for place in found if place.before != place.now]
