# SPDX-License-Identifier: Apache-2.0
"""The figures of an evaluation in words; the plain share of right decisions comes last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.data.query import Row
from workbench.training.confusion import UNKNOWN_CLASS, Confusion
from workbench.training.events import Events, LabelEvents, median, per_hour, percentile

_WIDTH = 28  # of the first column


def of_events(events: Events) -> list[str]:
    """Whole recordings."""
    count = events.found + events.missed
    lines = [
        _row("Mean of the sensitivities", f"{percent(events.mean_found)}, of the classes with events"),
        _row("Events", f"{count}: {events.found} heard, {events.missed} missed" + _also(events)),
        _row("False alarms", _alarms(events)),
    ]
    if len(events.latency):
        late = events.latency
        lines.append(
            _row("Latency", f"{_ms(median(late))} (median), 95 % within {_ms(percentile(late, 95))}")
        )
    header = ("", "events", "heard", "missed", "doubled", "false alarms", "of them in background", "latency")
    rows = [header, *(_label(one) for one in events.labels)]
    return [*lines, "", *aligned(rows)]


def of_table(table: Confusion) -> list[str]:
    """The figures above a confusion table; the table itself ends with the plain accuracy."""
    mean, plain = table.always_unknown
    lines = [
        _row("Mean of the sensitivities", f"{percent(table.mean_sensitivity)}, of classes of equal size")
    ]
    if UNKNOWN_CLASS in table.labels:
        always = f"{percent(mean)}, and an accuracy of {percent(plain)}"
        lines.append(_row("Always saying Unknown has", always))
    return lines


def side_by_side(targets: Mapping[str, tuple[Events, Confusion]]) -> list[str]:
    """One column a target. The table is of the decisions within segments of the played recordings."""
    rows: list[Sequence[str]] = [("", *targets)]
    figures = {
        "mean of the sensitivities, events": [percent(events.mean_found) for events, _ in targets.values()],
        "events heard": [str(events.found) for events, _ in targets.values()],
        "events missed": [str(events.missed) for events, _ in targets.values()],
        "events heard twice": [str(events.doubled) for events, _ in targets.values()],
        "false alarms": [str(events.false_alarms) for events, _ in targets.values()],
        "latency, median": [_ms(median(events.latency)) for events, _ in targets.values()],
        "mean of the sensitivities, decisions": [
            percent(table.mean_sensitivity) for _, table in targets.values()
        ],
        "accuracy, decisions": [percent(table.accuracy) for _, table in targets.values()],
    }
    rows += [(name, *values) for name, values in figures.items()]
    return aligned(rows)


def of_statistics(column: str, rows: Sequence[Row]) -> list[str]:
    """What there is of each value of a column; a column for each session where there are several."""
    sessions = sorted({name for row in rows for name in row.sessions}) if column != "session" else []
    if len(sessions) < 2:
        sessions = []
    table: list[Sequence[str]] = [(column, "segments", "seconds", "recordings", "authors", *sessions)]
    for row in rows:
        counts = (row.recordings, row.authors, *(row.sessions.get(name, 0) for name in sessions))
        table.append((row.value, f"{row.segments}", f"{row.seconds:.1f}", *map(str, counts)))
    return aligned(table)


def percent(share: float | None) -> str:
    """One decimal; - where there is none."""
    return "-" if share is None else f"{100 * share:.1f} %"


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """A table: the first column to the left, the others to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def duration(hours: float) -> str:
    """In the unit that a person would say."""
    if hours >= 1:
        return f"{hours:.1f} h"
    return f"{60 * hours:.1f} min" if hours >= 1 / 60 else f"{3600 * hours:.0f} s"


def _row(name: str, value: str) -> str:
    return f"{name:<{_WIDTH}}{value}"


def _also(events: Events) -> str:
    shut = f" ({events.shut} of them with the gate shut)" if events.shut else ""
    return f"{shut}, {events.doubled} heard twice or more"


def _alarms(events: Events) -> str:
    rate = per_hour(events.false_alarms, events.hours)
    if rate is None:
        return f"{events.false_alarms}"
    quiet = per_hour(events.background_alarms, events.background_hours)
    background = f"; {events.background_alarms} in {duration(events.background_hours)} of background"
    if quiet is None:
        background = "; there was no background"
    else:
        background += f", {quiet:.1f} an hour"
    return f"{events.false_alarms} in {duration(events.hours)}, {rate:.1f} an hour{background}"


def _label(one: LabelEvents) -> tuple[str, ...]:
    counts = (one.events, one.found, one.missed, one.doubled, one.false_alarms, one.background)
    return one.label, *map(str, counts), _ms(median(one.latency))


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} ms"
