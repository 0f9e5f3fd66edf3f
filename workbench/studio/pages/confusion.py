# SPDX-License-Identifier: Apache-2.0
"""A confusion table on a page: rows what it was, columns what was decided, by the numbers of the labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nicegui import ui

from workbench.training.confusion import UNC, UNK, Confusion

Cell = tuple[int, int]  # row: index of a label; column: of a label, then UNK and UNC


def draw(table: Confusion, chosen: Callable[[Cell], object] | None = None) -> None:
    """In the element that is current. chosen: is given a cell that is not 0 when a person clicks it."""
    columns = [*(str(number + 1) for number in range(len(table.labels))), UNK, UNC]
    with ui.element("table").classes("confusion"):
        with ui.element("tr"):
            ui.element("td")
            for text in [*columns, "right"]:
                _cell("th", text)
        for row, (label, counts) in enumerate(zip(table.labels, table.counts, strict=True)):
            with ui.element("tr"):
                _cell("th", f"{row + 1} {label}")
                _draw_row(table, row, counts, chosen)
                share = table.sensitivity[row]
                _cell("td", "" if share is None else f"{share:.0%}")


def _draw_row(
    table: Confusion, row: int, counts: Sequence[int], chosen: Callable[[Cell], object] | None
) -> None:
    for column, count in enumerate(counts):
        right = table.is_right(row, column)
        with ui.element("td").classes("soft" if not count else "good" if right else "bad"):
            if count and chosen is not None:
                decided = [*table.labels, UNK, UNC][column]
                button = ui.button(str(count), on_click=lambda column=column: chosen((row, column)))
                button.props("flat dense no-caps color=none")
                button.props["aria-label"] = f"{table.labels[row]} decided {decided}: {count}"
            else:
                ui.label(str(count))


def _cell(kind: str, text: str) -> None:
    with ui.element(kind):
        ui.label(text)
