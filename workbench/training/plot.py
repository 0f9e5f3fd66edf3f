"""The confusion table as a picture."""

from __future__ import annotations

from pathlib import Path

from codegen.common.errors import UserError
from workbench.training.confusion import Confusion


def plot(table: Confusion, file: Path) -> None:
    """Writes a PNG: each row's shares as shades, the counts as text. UserError where it cannot be written."""
    from matplotlib.figure import Figure

    columns = [*table.labels, "UNK"]
    shares = [[count / max(1, sum(row)) for count in row] for row in table.counts]
    figure = Figure(figsize=(2 + 0.9 * len(columns), 1.6 + 0.7 * len(table.labels)), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for row, counts in enumerate(table.counts):
        for column, count in enumerate(counts):
            dark = shares[row][column] > 0.5
            axes.text(column, row, str(count), ha="center", va="center", color="white" if dark else "black")
    axes.set_xticks(range(len(columns)), columns, rotation=30, ha="right")
    axes.set_yticks(range(len(table.labels)), table.labels)
    axes.set_xlabel("decided")
    axes.set_ylabel("truth")
    if table.accuracy is not None:
        axes.set_title(f"{100 * table.accuracy:.1f} % of {sum(table.support)} right")
    try:
        figure.savefig(file, dpi=150, format="png")
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror}", file=file) from None
