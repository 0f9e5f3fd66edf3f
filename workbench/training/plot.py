# SPDX-License-Identifier: Apache-2.0
"""Pictures of confusion tables and of a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from codegen.common.errors import UserError
from workbench.data.query import Row
from workbench.training.confusion import UNKNOWN_CLASS, Confusion
from workbench.training.epochs import Epoch
from workbench.training.tune import Point, Tuned

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from workbench.training.search import Search

OTHERS = ("UNK: below threshold", "UNC: no majority")
FORMATS = ("png", "svg", "pdf")


def check_name(file: Path) -> str:
    """The format that a picture's name asks for; UserError for another."""
    kind = file.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise UserError(
            "is no picture by its name",
            file=file,
            remedy=f"Let it end in {' or '.join(f'.{f}' for f in FORMATS)}.",
        )
    return kind


def plot(tables: Mapping[str, Confusion], file: Path) -> None:
    """Draws confusion tables side by side, each under its name: each row's shares as shades, the counts as
    text. UserError where it cannot be written."""
    from matplotlib.figure import Figure

    first = next(iter(tables.values()))
    columns = len(first.labels) + 2
    size = ((2 + 1.1 * columns) * len(tables), 2.1 + 0.8 * len(first.labels))
    figure = Figure(figsize=size, layout="constrained")
    for axes, (name, table) in zip(
        figure.subplots(1, len(tables), squeeze=False)[0], tables.items(), strict=True
    ):
        _draw(axes, name, table)
    save(figure, file)


def _draw(axes: Axes, name: str, table: Confusion) -> None:
    columns = [*table.labels, *OTHERS]
    shares = [[count / max(1, sum(row)) for count in row] for row in table.counts]
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for row, counts in enumerate(table.counts):
        for column, count in enumerate(counts):
            colour = "white" if shares[row][column] > 0.5 else "black"
            percent = f"{100 * shares[row][column]:.0f} %" if shares[row][column] >= 0.005 else "< 1 %"
            text = f"{count:,}\n{percent}" if count else "0"
            axes.text(column, row, text, ha="center", va="center", color=colour)
    axes.set_xticks(range(len(columns)), columns, rotation=30, ha="right")
    axes.set_yticks(range(len(table.labels)), table.labels)
    axes.set_xlabel(f"decided: {name}, and their share of the row")
    axes.set_ylabel("truth")
    mean, plain = table.mean_sensitivity, table.accuracy
    if mean is not None and plain is not None:
        of = f", that of {UNKNOWN_CLASS} among them:" if UNKNOWN_CLASS in table.labels else ""
        axes.set_title(
            f"mean of the sensitivities{of} {100 * mean:.1f} %\n"
            f"{100 * plain:.1f} % of {sum(table.support):,} {name} are right"
        )


def plot_statistics(tables: Mapping[str, Sequence[Row]], file: Path) -> None:
    """Draws bars of segments and of seconds, a row of pictures a table, its segments by session. UserError
    where it cannot be written."""
    from matplotlib.figure import Figure

    heights = [max(1.2, 0.5 + 0.28 * len(rows)) for rows in tables.values()]
    figure = Figure(figsize=(9, 0.4 + sum(heights)), layout="constrained")
    grid = figure.subplots(len(tables), 2, squeeze=False, height_ratios=heights)
    sessions = sorted({name for rows in tables.values() for row in rows for name in row.sessions})
    for (counted, timed), (column, rows) in zip(grid, tables.items(), strict=True):
        names = [row.value for row in rows]
        before = [0] * len(rows)
        for number, session in enumerate(sessions):
            own = [row.sessions.get(session, 0) for row in rows]
            counted.barh(names, own, left=before, color=f"C{number}", label=session)
            before = [sum(both) for both in zip(before, own, strict=True)]
        timed.barh(names, [row.seconds for row in rows], color="0.5")
        for axes, title in ((counted, f"segments by {column}"), (timed, f"seconds by {column}")):
            axes.set_title(title, fontsize=10)
            axes.invert_yaxis()
        timed.set_yticklabels([])
    if len(sessions) > 1:
        handles, names = grid[0][0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside upper left", ncols=len(names), title="session", fontsize=8)
    save(figure, file)


def plot_training(epochs: Sequence[Epoch], best: int, file: Path) -> None:
    """Draws the course of a training: losses above, validation accuracy below, the kept epoch in both."""
    from matplotlib.figure import Figure

    numbers = [epoch.number for epoch in epochs]
    watched = epochs[0].accuracy is not None
    figure = Figure(figsize=(7, 5 if watched else 3), layout="constrained")
    rows = figure.subplots(2 if watched else 1, sharex=True, squeeze=False)
    loss = rows[0][0]
    marker = "o" if len(epochs) == 1 else None
    loss.plot(
        numbers,
        [epoch.loss for epoch in epochs],
        color="tab:blue",
        marker=marker,
        label="training, altered copies",
    )
    if watched:
        losses = [epoch.validation_loss or 0.0 for epoch in epochs]
        loss.plot(numbers, losses, color="tab:orange", marker=marker, label="validation")
        percent = [100 * (epoch.accuracy or 0.0) for epoch in epochs]
        rows[1][0].plot(numbers, percent, color="tab:orange", marker=marker)
        rows[1][0].set_ylabel("validation accuracy, %")
    loss.set_ylabel("loss (cross-entropy)")
    for axes in rows[:, 0]:
        axes.axvline(best, color="tab:green", linestyle="--", linewidth=1, label=f"kept: epoch {best}")
        axes.grid(alpha=0.3)
    loss.legend()
    rows[0][0].set_xlim(0.5 if len(epochs) == 1 else 1, max(1.5, len(epochs)))
    rows[-1][0].set_xlabel("epoch")
    rows[-1][0].xaxis.get_major_locator().set_params(integer=True)
    save(figure, file)


def plot_search(found: Search, file: Path) -> None:
    """Draws what each recipe's decision takes against what it is worth, and the front."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, LogLocator

    figure = Figure(figsize=(7.5, 5), layout="constrained")
    axes = figure.subplots()
    tried = [one for one in found.candidates if one.mean is not None]
    front = found.front
    places = {one.number: (one.cost.instructions, 100 * (one.mean or 0.0)) for one in tried}
    axes.plot(*zip(*places.values(), strict=True), "o", color="0.6", markersize=4, label="tried")
    if front:
        line = [places[one.number] for one in front]
        axes.plot(*zip(*line, strict=True), color="tab:green", marker="*", markersize=11, label="the front")
        for one, place in zip(front, line, strict=True):
            axes.annotate(str(one.number), place, xytext=(4, 5), textcoords="offset points", fontsize=8)
    axes.plot(*places[0], "ko", markersize=13, fillstyle="none", label="your recipe")
    if found.budget.instructions is not None:
        axes.axvline(found.budget.instructions, color="grey", linestyle="--", linewidth=1, label="the budget")
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.xaxis.set_minor_formatter("")
    axes.tick_params(axis="x", labelrotation=30)
    axes.set_xlabel("instructions a decision, about")
    axes.set_ylabel("mean of the sensitivities, int8, %")
    axes.grid(alpha=0.3)
    axes.legend()
    save(figure, file)


def plot_tuning(tuned: Tuned, rate: float, names: Sequence[str], before: Sequence[int], file: Path) -> None:
    """Draws misses against false alarms of each label as its threshold rises, the app's own setting and the
    chosen one. rate: false alarms an hour that were stated. before: the app's limits."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter

    figure = Figure(figsize=(7.5, 5), layout="constrained")
    axes = figure.subplots()
    for number, (name, curve) in enumerate(tuned.curves.items()):
        colour = f"C{number}"
        label = names.index(name)
        points = {point.limit: _place(point, tuned.hours) for point in curve}
        line = sorted(points.values(), key=lambda place: (place[0], -place[1]))
        axes.plot(*zip(*line, strict=True), color=colour, marker=".", drawstyle="steps-post", label=name)
        was = points.get(before[label])
        if was is not None:
            axes.plot(*was, color=colour, marker="o", markersize=11, fillstyle="none")
        axes.plot(*points[tuned.settings.limits[label]], color=colour, marker="*", markersize=15)
    axes.plot([], [], "k*", markersize=12, label="chosen")
    axes.plot([], [], "ko", markersize=9, fillstyle="none", label="the app's threshold, with this gate")
    axes.axvline(rate, color="grey", linestyle="--", linewidth=1, label=f"{rate:g} an hour, stated")
    axes.set_xscale("symlog", linthresh=1 / tuned.hours)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlim(left=0)
    axes.set_ylim(-3, 103)
    axes.set_xlabel(f"false alarms an hour, in {tuned.hours:.3g} h of background")
    axes.set_ylabel("events missed, %")
    settings = tuned.settings
    axes.set_title(
        f"gate {settings.gate_threshold}, back-off {settings.gate_backoff}, votes {settings.votes}: "
        "each label as its threshold rises"
    )
    axes.grid(alpha=0.3)
    axes.legend()
    save(figure, file)


def _place(point: Point, hours: float) -> tuple[float, float]:
    return point.alarms / hours, 100 * point.events.missed / max(1, point.events.events)


def save(figure: Figure, file: Path) -> None:
    """As the name's ending says; the same bytes for the same figure."""
    from matplotlib import rc_context

    kind = check_name(file)
    metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind, {})
    try:
        with rc_context({"svg.hashsalt": "earshot"}):
            figure.savefig(file, dpi=150, format=kind, metadata=metadata)
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror}", file=file) from None
