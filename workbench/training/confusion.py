# SPDX-License-Identifier: Apache-2.0
"""Right and wrong decisions counted: the confusion table in the form of SensiML's toolkit.

Rows are the truth, columns the decision. UNK: the largest score is below its threshold. UNC: it reached it,
but the last decisions have no majority, so the device says Unknown (only with votes above 1). A row's
sensitivity is its diagonal over its support; a column's positive predictivity its diagonal over its total.
An app's own class named "unknown" says the same as both, so they are right in that row.

The mean of the sensitivities is the figure to trust: the plain share of right decisions is mostly that of
the class there is most of, and a device that says Unknown all the time does well by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

UNKNOWN_CLASS = "unknown"
UNK, UNC = "UNK", "UNC"  # the columns after the labels: below threshold, no majority
UNCERTAIN = -1  # a decision without a majority, where the device's own class index is 0


@dataclass(frozen=True)
class Confusion:
    """counts[truth][decision]: one row a label; columns are the labels, then UNK and UNC."""

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
            sum(count for column, count in enumerate(counts) if self.is_right(row, column))
            for row, counts in enumerate(self.counts)
        )

    def is_right(self, row: int, column: int) -> bool:
        """Whether the decision of a column is right for the truth of a row."""
        return column == row or (self.labels[row] == UNKNOWN_CLASS and column >= len(self.labels))

    @property
    def sensitivity(self) -> tuple[float | None, ...]:
        """Share of each truth that was decided right, 0..1; None where there was none."""
        return tuple(_share(part, whole) for part, whole in zip(self.right, self.support, strict=True))

    @property
    def mean_sensitivity(self) -> float | None:
        """Mean of the sensitivities of the truths there were, 0..1: the share of right decisions if every
        truth came equally often. None without any."""
        known = [share for share in self.sensitivity if share is not None]
        return sum(known) / len(known) if known else None

    @property
    def always_unknown(self) -> tuple[float | None, float | None]:
        """Mean of the sensitivities and accuracy of a device that says Unknown whatever it hears."""
        silent = [(0,) * len(self.labels) + (support, 0) for support in self.support]
        other = Confusion(self.labels, tuple(silent))
        return other.mean_sensitivity, other.accuracy

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
            "columns": [*self.labels, UNK, UNC],
            "confusion": [list(row) for row in self.counts],
            "mean_sensitivity": self.mean_sensitivity,
            "sensitivity": list(self.sensitivity),
            "positive_predictivity": list(self.positive_predictivity),
            "accuracy": self.accuracy,
            "support": list(self.support),
        }

    def table(self) -> str:
        """The printed table; shares in per cent with one decimal."""
        header = ["", *self.labels, UNK, UNC, "Support", "Sens(%)"]
        rows = [header]
        for label, counts, support, sensitivity in zip(
            self.labels, self.counts, self.support, self.sensitivity, strict=True
        ):
            rows.append([label, *map(str, counts), str(support), _percent(sensitivity)])
        columns = [sum(column) for column in zip(*self.counts, strict=True)]
        rows.append(["Total", *map(str, columns), str(sum(columns)), ""])
        predictivity = [_percent(share) for share in self.positive_predictivity]
        rows.append(["PosPred(%)", *predictivity, "", "", "Acc(%)", _percent(self.accuracy)])
        widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
        return "\n".join(_line(row, widths) for row in rows)


def confusion(labels: Sequence[str], pairs: Iterable[tuple[int, int]]) -> Confusion:
    """Counts (truth, decision) pairs. truth: index of a label; decision: class index as the device reports
    it, 0 is Unknown, else the label's index + 1; or UNCERTAIN."""
    counts = [[0] * (len(labels) + 2) for _ in labels]
    for truth, decision in pairs:
        if not UNCERTAIN <= decision <= len(labels):
            raise ValueError(f"class index {decision} of {len(labels)} labels")
        counts[truth][decision - 1 if decision > 0 else len(labels) - decision] += 1
    return Confusion(tuple(labels), tuple(tuple(row) for row in counts))


def summed(tables: Sequence[Confusion]) -> Confusion:
    """One table of several with the same labels, at least one."""
    counts = np.sum([table.counts for table in tables], axis=0).tolist()
    return Confusion(tables[0].labels, tuple(tuple(row) for row in counts))


def balanced(labels: Sequence[str], pairs: Sequence[tuple[int, int]], seed: int) -> Confusion:
    """Every truth drawn down to the one there is least of, without replacement: the tutorial's table."""
    own = [[pair for pair in pairs if pair[0] == truth] for truth in range(len(labels))]
    least = min((len(rows) for rows in own if rows), default=0)
    random = np.random.RandomState(seed)
    drawn = [rows[index] for rows in own if rows for index in random.permutation(len(rows))[:least]]
    return confusion(labels, drawn)


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
