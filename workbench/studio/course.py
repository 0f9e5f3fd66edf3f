# SPDX-License-Identifier: Apache-2.0
"""The course of a training, read from what `earshot train` prints of each epoch."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_EPOCH = re.compile(
    r"epoch +(\d+) of \d+ +loss (\d+\.\d+)(?: +validation: loss \d+\.\d+, +(\d+\.\d+) % right)?"
)


@dataclass(frozen=True)
class Course:
    """Of one epoch. accuracy: of the validation set, per cent; None where there is none."""

    number: int
    loss: float
    accuracy: float | None


def course(lines: Iterable[str]) -> list[Course]:
    """Of the lines that tell an epoch."""
    found = (_EPOCH.fullmatch(line.strip()) for line in lines)
    return [Course(int(one[1]), float(one[2]), float(one[3]) if one[3] else None) for one in found if one]
