# SPDX-License-Identifier: Apache-2.0
"""Where two images stop saying the same of one sound: the first window, its first stage, both values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workbench.protocol.lines import Decision, Stage, Status, parse_line

DECISION = "decision"
STAGES = ("cepstra", "gate", "features", "frame", "input", "scores", DECISION)  # in the order of a window

Value = tuple[int, ...] | str | None  # of a stage; the line of a decision; None: no line came
ByStage = Mapping[tuple[int, str], Value]  # by window and stage


@dataclass(frozen=True)
class StageDifference:
    """The first thing that differs. `ours` and `theirs` are those of the whole stage."""

    window: int
    stage: str  # one of STAGES
    ours: Value
    theirs: Value
    windows: Mapping[str, int]  # of each stage that differs anywhere: in how many windows

    @property
    def value(self) -> int | None:
        """Index of the first value that differs; None where not two rows of the same length are compared."""
        if not isinstance(self.ours, tuple) or not isinstance(self.theirs, tuple):
            return None
        if len(self.ours) != len(self.theirs):
            return None
        return next(
            i for i, pair in enumerate(zip(self.ours, self.theirs, strict=True)) if pair[0] != pair[1]
        )

    @property
    def values(self) -> int:
        """How many values of the stage differ, 0 where value is None."""
        if self.value is None:
            return 0
        assert isinstance(self.ours, tuple)
        assert isinstance(self.theirs, tuple)
        return sum(a != b for a, b in zip(self.ours, self.theirs, strict=True))


def by_stage(lines: Sequence[str]) -> ByStage:
    """Stage and decision lines by window and stage; others are left out."""
    values: dict[tuple[int, str], Value] = {}
    for line in lines:
        parsed = parse_line(line)
        if isinstance(parsed, Stage):
            values[parsed.sequence, _of(parsed.model_number, parsed.stage)] = parsed.values
        elif isinstance(parsed, Decision):
            values[parsed.sequence, _of(parsed.model_number, DECISION)] = line
    return values


def _of(model_number: int, stage: str) -> str:
    """What a stage is called: of several models those after the first have their number with it."""
    return f"{stage} of model {model_number}" if model_number else stage


def first_difference(ours: Sequence[str], theirs: Sequence[str]) -> StageDifference | None:
    """Compares the lines of two images for the same sound, made with `stages on`. None: the same."""
    if list(ours) == list(theirs):
        return None
    left, right = by_stage(ours), by_stage(theirs)
    order = {stage: index for index, stage in enumerate(STAGES)}
    keys = sorted(left.keys() | right.keys(), key=lambda key: (key[0], order.get(key[1], len(order))))
    wrong = [key for key in keys if left.get(key) != right.get(key)]
    if not wrong:
        return _otherwise(ours, theirs)
    window, stage = wrong[0]
    counts = Counter(name for _, name in wrong)
    windows = {name: counts[name] for name in sorted(counts, key=lambda name: order.get(name, len(order)))}
    return StageDifference(window, stage, left.get(wrong[0]), right.get(wrong[0]), windows)


def _otherwise(ours: Sequence[str], theirs: Sequence[str]) -> StageDifference:
    """The same values in other words, another order, or twice: no image of Earshot does that."""
    count = min(len(ours), len(theirs))
    at = next((i for i in range(count) if ours[i] != theirs[i]), count)
    lines = [side[at] if at < len(side) else None for side in (ours, theirs)]
    parsed = parse_line(next(line for line in lines if line is not None))
    window = parsed.sequence if isinstance(parsed, Stage | Decision) else 0
    stage = parsed.stage if isinstance(parsed, Stage) else DECISION
    return StageDifference(window, stage, lines[0], lines[1], {stage: 1})


def other_settings(ours: Status, theirs: Status) -> dict[str, tuple[int | None, int | None]]:
    """Settings that were changed in one image and not in the other: key to both values."""
    keys = [key for key in {**ours.values, **theirs.values} if key.startswith("gate.") or "decision." in key]
    pairs = {key: (ours.values.get(key), theirs.values.get(key)) for key in keys}
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}
