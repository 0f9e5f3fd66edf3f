# SPDX-License-Identifier: Apache-2.0
"""Right and wrong decisions counted: the confusion table in the form of SensiML's toolkit.

Rows are the truth, columns the decision. UNK counts decisions below their threshold, UNC is kept for the form
and always 0. A row's sensitivity is its diagonal over its support; a column's positive predictivity its
diagonal over its total. An app's own class named "unknown" says the same as UNK, so UNK is right in that row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

UNKNOWN_CLASS = "unknown"


@dataclass(frozen=True)
class Confusion:
    """counts[truth][decision]: one row a label; columns are the labels, then UNK."""

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    @property
    def support(self) -> tuple[int, ...]:
        """Decisions a truth."""
        return tuple(sum(row) for row in self.counts)

    @property
    def right(self) -> tuple[int, ...]:
        """Right decisions a truth."""
        return tuple(
            row[index] + (row[-1] if label == UNKNOWN_CLASS else 0)
            for index, (label, row) in enumerate(zip(self.labels, self.counts, strict=True))
        )

    @property
    def sensitivity(self) -> tuple[float | None, ...]:
        """Share of each truth that was decided right, 0..1; None where there was none."""
        return tuple(_share(part, whole) for part, whole in zip(self.right, self.support, strict=True))

    @property
    def positive_predictivity(self) -> tuple[float | None, ...]:
        """Share of the decisions for each label that were right, 0..1; None where it was never decided."""
        columns = [sum(column) for column in zip(*self.counts, strict=True)]
        return tuple(_share(row[index], columns[index]) for index, row in enumerate(self.counts))

    @property
    def accuracy(self) -> float | None:
        """Share of all decisions that were right, 0..1; None without any."""
        return _share(sum(self.right), sum(self.support))

    def object(self) -> dict[str, Any]:
        """For --json; shares are 0..1, null where there is nothing to divide by."""
        return {
            "labels": list(self.labels),
            "columns": [*self.labels, "UNK"],
            "confusion": [list(row) for row in self.counts],
            "sensitivity": list(self.sensitivity),
            "positive_predictivity": list(self.positive_predictivity),
            "accuracy": self.accuracy,
            "support": list(self.support),
        }

    def table(self) -> str:
        """The printed table; shares in per cent with one decimal."""
        header = ["", *self.labels, "UNK", "UNC", "Support", "Sens(%)"]
        rows = [header]
        for label, counts, support, sensitivity in zip(
            self.labels, self.counts, self.support, self.sensitivity, strict=True
        ):
            rows.append([label, *map(str, counts), "0", str(support), _percent(sensitivity)])
        columns = [sum(column) for column in zip(*self.counts, strict=True)]
        rows.append(["Total", *map(str, columns), "0", str(sum(columns)), ""])
        predictivity = [_percent(share) for share in self.positive_predictivity]
        rows.append(["PosPred(%)", *predictivity, "", "", "Acc(%)", _percent(self.accuracy)])
        widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
        return "\n".join(_line(row, widths) for row in rows)


def confusion(labels: Sequence[str], pairs: Iterable[tuple[int, int]]) -> Confusion:
    """Counts (truth, decision) pairs. truth: index of a label; decision: class index as the device reports
    it, 0 is Unknown, else the label's index + 1."""
    counts = [[0] * (len(labels) + 1) for _ in labels]
    for truth, decision in pairs:
        if not 0 <= decision <= len(labels):
            raise ValueError(f"class index {decision} of {len(labels)} labels")
        counts[truth][decision - 1 if decision else len(labels)] += 1
    return Confusion(tuple(labels), tuple(tuple(row) for row in counts))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = (
        cell.ljust(width) if column == 0 else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  ".join([first, *rest]).rstrip()
