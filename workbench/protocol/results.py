# SPDX-License-Identifier: Apache-2.0
"""Result lines of SensiML's devices.

Any line with "ModelNumber" in it is a result: SensiML's gateway reads them so. Earshot's own decision lines
are results, too; workbench/protocol/lines.py reads these.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

KEY = '"ModelNumber"'


@dataclass(frozen=True)
class Result:
    """A result line. score: the largest of OutputTensor; None where the line has none."""

    model_number: int
    class_index: int  # 0 is Unknown
    score: int | None


def parse_result(text: str) -> Result | None:
    """None: no result, or half of one."""
    if KEY not in text:
        return None
    try:
        values = json.loads(text[text.index("{") : text.rindex("}") + 1])
    except (ValueError, RecursionError):
        return None
    number, index = values.get("ModelNumber"), values.get("Classification")
    if not (_is_class(number) and _is_class(index)):
        return None
    scores = values.get("OutputTensor")
    whole = isinstance(scores, list) and scores and all(isinstance(score, int) for score in scores)
    return Result(number, index, max(scores) if whole else None)


def _is_class(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 255
