# SPDX-License-Identifier: Apache-2.0
"""The list of a folder's recordings beside the Label page's picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from nicegui import ui

from workbench.studio.studio import Studio

SHOWN = 200  # at once; others are found by a part of their name


class RecordingList:
    """Names with the number of their segments; one is the current one."""

    def __init__(self, studio: Studio, choose: Callable[[str], None]) -> None:
        """choose: called with the name of the one that was clicked."""
        self._studio, self._choose = studio, choose
        self.names: list[str] = studio.folder.recordings()
        self._current = ""
        self._buttons: dict[str, ui.button] = {}
        self._texts: dict[str, str] = {}
        with ui.element("nav").classes("side").props('aria-label="recordings"'):
            self._filter = ui.input(placeholder="find", on_change=self._build).props(
                "dense outlined clearable"
            )
            self._filter.props('aria-label="find recordings"')
            self._column = ui.element("div")
            self._rest = ui.label().classes("soft")
        self._build()

    def look(self) -> None:
        """At the folder again: recordings may have come or gone."""
        found = self._studio.folder.recordings()
        if found != self.names:
            self.names = found
            self._build()

    def show(self, current: str) -> None:
        """Which one is looked at, and how many segments each has now."""
        if current != self._current:
            for name, marked in ((self._current, False), (current, True)):
                if name in self._buttons:
                    self._mark(self._buttons[name], marked)
            self._current = current
        self._count()

    def _build(self) -> None:
        part = str(self._filter.value or "").casefold()
        found = [name for name in self.names if part in name.casefold()]
        self._column.clear()
        self._buttons.clear()
        self._texts.clear()
        with self._column:
            for name in found[:SHOWN]:
                button = ui.button(name).props("flat dense no-caps align=left color=none")
                button.on_click(lambda name=name: self._choose(name))
                self._mark(button, name == self._current)
                self._buttons[name] = button
        more = len(found) - SHOWN
        rest = f"and {more} more: type a part of the name" if more > 0 else ""
        self._rest.set_text(rest if self.names else "There are no WAV or FLAC files in this folder.")
        self._count()

    def _count(self) -> None:
        counts = Counter(one.file for one in self._studio.labels.segments())
        for name, button in self._buttons.items():
            count = counts[self._studio.folder.root / name]
            text = f"{name}  ({count})" if count else name
            if self._texts.get(name) != text:
                self._texts[name] = text
                button.set_text(text)

    @staticmethod
    def _mark(button: ui.button, marked: bool) -> None:
        if marked:
            button.classes("here").props("aria-current=true")
        else:
            button.classes(remove="here").props(remove="aria-current")
