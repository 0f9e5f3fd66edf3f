# SPDX-License-Identifier: Apache-2.0
"""A report as one HTML file that needs nothing else: its plots are SVG in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from codegen.common.render import render
from workbench.profiling.budgets import Change
from workbench.report.decisions import cells
from workbench.report.report import Report
from workbench.report.text import difference, growth, named, verdict

_WIDTH = 520  # of a plot's bars, in its own units
_ROW = 34
_LETTER = 7.2  # width of one at the plots' font size, about
TITLES = {
    "instructions": "Instructions of each stage and decision",
    "flash": "Flash in bytes",
    "ram": "RAM in bytes",
}


@dataclass(frozen=True)
class Bar:
    """A row of a plot. Widths are in its units; accepted: None where there is none."""

    name: str
    y: int
    now: float
    accepted: float | None
    label: str
    over: bool


@dataclass(frozen=True)
class Plot:
    """Rows of bars on one scale from 0."""

    title: str
    height: int
    bars: tuple[Bar, ...]


def page(report: Report) -> str:
    """The HTML."""
    groups = list(dict.fromkeys(change.group for change in report.changes))
    plots = [
        _plot(TITLES.get(group, group), [c for c in report.changes if c.group == group], report)
        for group in groups
    ]
    layers = _layers(report)
    bars = [bar for plot in (*plots, layers) for bar in plot.bars]
    left = 20 + _longest(bar.name for bar in bars)  # one scale for all plots, so their texts are of one size
    return render(
        "report.html.in",
        app=escape(report.profile.app),
        board=escape(report.profile.board),
        build=report.build,
        compiler=escape(report.profile.compiler),
        engine=report.profile.engine,
        verdict=escape(verdict(report)),
        over=not report.passed,
        plots=plots,
        layers=layers,
        left=left,
        width=left + _WIDTH + 20 + _longest(bar.label for bar in bars),
        rows=[_row(change, report) for change in _worst_first(report)],
        before=report.before,
        total=len(report.now.recordings),
        compared=len(report.now.recordings) - report.uncompared,
        changed=[
            (escape(one.name), escape(one.now.truth), escape(difference(one))) for one in report.changed
        ],
        gone=[escape(name) for name in report.gone],
        cells=[
            (escape(cell.truth), escape(named(cell.decided)), cell.before, cell.now, cell.now - cell.before)
            for cell in report.cells
        ],
        confusion=_confusion(report),
        row_height=_ROW,
    )


def _longest(texts: Iterable[str]) -> int:
    """The width of the longest, about."""
    return round(_LETTER * max(map(len, texts), default=0))


def _plot(title: str, changes: Sequence[Change], report: Report) -> Plot:
    most = max((max(change.accepted or 0, change.found or 0) for change in changes), default=0) or 1
    bars = []
    for index, change in enumerate(changes):
        found = change.found or 0
        change_words = growth(change)
        bars.append(
            Bar(
                escape(change.name),
                index * _ROW,
                round(_WIDTH * found / most, 1),
                None if change.accepted is None else round(_WIDTH * change.accepted / most, 1),
                f"{found:,}" + (f" ({change_words})" if change_words else ""),
                _over(change, report),
            )
        )
    return Plot(escape(title), len(bars) * _ROW, tuple(bars))


def _layers(report: Report) -> Plot:
    """Instructions of each layer: of an incremental decision where there is one, else of a full one."""
    layers = [
        (layer.name, layer.incremental if layer.incremental is not None else layer.instructions)
        for layer in report.profile.layers
    ]
    layers.sort(key=lambda layer: -layer[1])
    most = max((count for _, count in layers), default=0) or 1
    bars = tuple(
        Bar(escape(name), index * _ROW, round(_WIDTH * count / most, 1), None, f"{count:,}", False)
        for index, (name, count) in enumerate(layers)
    )
    incremental = report.profile.decisions.incremental is not None
    title = (
        f"Instructions of each layer in {'an incremental' if incremental else 'a full'} decision, most first"
    )
    return Plot(title, len(bars) * _ROW, bars)


def _worst_first(report: Report) -> list[Change]:
    """What is over its budget, then what has grown most; the rest in the order of the stages."""
    return sorted(report.changes, key=lambda change: (not _over(change, report), -(change.share or 0.0)))


def _over(change: Change, report: Report) -> bool:
    return report.budgets is not None and change.grown


def _row(change: Change, report: Report) -> tuple[str, str, str, str, str, bool]:
    """Name, unit, accepted, now, change, and whether it is over its budget."""
    accepted, found = ("-" if number is None else f"{number:,}" for number in (change.accepted, change.found))
    unit = "instructions" if change.group == "instructions" else "bytes"
    groups = {"flash": "flash, ", "ram": "RAM, "}
    name = groups.get(change.group, "") + change.name
    return escape(name), unit, accepted, found, growth(change), _over(change, report)


def _confusion(report: Report) -> tuple[list[str], list[tuple[str, list[tuple[int, float]]]]]:
    """Columns, and a row a truth: counts with their share of the row."""
    found = cells(report.now.recordings.values())
    columns = sorted({decided for _, decided in found})
    rows = []
    for truth in sorted({truth for truth, _ in found}):
        own = [found[truth, decided] for decided in columns]
        rows.append((escape(truth), [(count, round(count / max(1, sum(own)), 3)) for count in own]))
    return [escape(named(column)) for column in columns], rows
