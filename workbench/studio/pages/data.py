# SPDX-License-Identifier: Apache-2.0
"""Data: how much there is of what, and what is wrong with it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from nicegui import ui

from codegen.common.errors import UserError
from codegen.common.toml_place import read_toml
from workbench.data import query
from workbench.data.captures import with_captures
from workbench.data.findings import KINDS
from workbench.data.labels import own_rates
from workbench.data.query import Condition
from workbench.data.segment import Segment
from workbench.studio.labels import RATE
from workbench.studio.pages.frame import colour, framed, place, told
from workbench.studio.pages.sound_map import draw_map
from workbench.studio.run_command import json_of
from workbench.studio.studio import Studio

ADDRESS = "/data"
_LOOK = 1.0  # seconds between looks at the label files
_MOST_VALUES = 30  # of a column that is shown
_LISTED = 1000  # segments
_LINE = re.compile(r"(?:^|\()([^(),]+), line (\d+)\)?$")  # where a finding stands


def register(studio: Studio) -> None:
    """Makes the page."""

    @ui.page(ADDRESS, title="Data - Earshot")
    def page() -> None:
        with framed(studio, ADDRESS):
            DataPage(studio)


class DataPage:
    """One browser tab's view."""

    def __init__(self, studio: Studio) -> None:
        self._studio, self._labels = studio, studio.labels
        self._conditions: list[Condition] = []
        self._version = -1
        self._rate_of = own_rates(RATE)
        with ui.element("main").classes("main page"):
            self._bar()
            self._note = ui.label().classes("note").props("role=alert")
            with ui.element("div").classes("halves"):
                with ui.element("section").classes("box scroll"):
                    self._total = ui.label().classes("big")
                    self._tables = ui.element("div")
                with ui.element("section").classes("box scroll"):
                    self._findings()
            with ui.element("section").classes("box"):
                self._list()
        self._show()
        ui.timer(_LOOK, self._look)

    def _bar(self) -> None:
        with ui.element("div").classes("bar"):
            self._where = ui.input(placeholder="label=knock  device!=phone  file=night_*")
            self._where.props('dense outlined aria-label="condition"').style("width: 330px")
            self._where.on("keydown.enter", self._ask)
            self._chips = ui.element("div").classes("chips")
            self._name = ui.input(placeholder="name of the query").props("dense outlined")
            self._name.style("width: 170px").on("keydown.enter", self._save)
            ui.button("Save", on_click=self._save).props("flat dense no-caps")
            self._stored = ui.select([], label="stored", on_change=self._load).props("dense outlined")
            self._stored.style("width: 150px")

    def _findings(self) -> None:
        with ui.element("div").classes("bar"):
            self._check = ui.button("Check", on_click=self._run_check).props("dense no-caps color=primary")
            self._map = ui.button("Map", on_click=self._run_map).props("dense no-caps color=primary")
            self._map.set_enabled(self._studio.app is not None)
            self._map.tooltip("segments that sound alike lie together; a click plays one")
            self._checked = ui.label("Check looks for what is wrong with labels and sounds").classes("soft")
        self._found = ui.element("div")

    def _list(self) -> None:
        columns = [
            {"name": name, "label": name, "field": name, "align": "left", "sortable": True}
            for name in ("recording", "start", "seconds", "label", "session", "more")
        ]
        self._table = ui.table(rows=[], columns=columns, row_key="number", pagination=8)
        self._table.classes("listed").props('dense flat bordered aria-label="segments"')
        self._table.add_slot(
            "body-cell-recording",
            '<q-td :props="props"><a :href="props.row.link">{{ props.value }}</a></q-td>',
        )

    # What is shown

    def _show(self) -> None:
        """The segments that meet the conditions."""
        self._version = self._labels.version
        errors = [str(error) for error in self._labels.errors()]
        known: Sequence[Segment] = ()
        try:
            known = with_captures(self._labels.segments())
            found = query.chosen(known, self._conditions, self._studio.folder.table) if known else ()
        except UserError as error:
            errors.append(str(error))
            found = ()
        self._note.set_text("\n".join(errors))
        self._note.set_visibility(bool(errors))
        seconds = sum(one.samples / self._rate_of(one.file) for one in found)
        files = len({one.file for one in found})
        part = f"{len(found)} of {len(known)}" if len(found) < len(known) else f"{len(known)}"
        self._total.set_text(f"{part} segments, {seconds:.1f} s, {_counted(files)}")
        self._draw_tables(found, sorted({one.session or query.NONE for one in known}))
        self._draw_chips()
        file = self._studio.folder.root / query.NAME
        names: list[str] = []
        if file.is_file():
            told(lambda: names.extend(read_toml(file).data))
        self._stored.set_options(names)
        listed = found[:_LISTED]
        self._table.rows = [self._row(number, one) for number, one in enumerate(listed)]
        self._table.update()

    def _row(self, number: int, one: Segment) -> dict[str, Any]:
        rate = self._rate_of(one.file)
        more = [*([f"author {one.author}"] if one.author else []), *(" ".join(pair) for pair in one.metadata)]
        return {
            "number": number,
            "recording": query.value_of(one, "file"),
            "start": round(one.start / rate, 3),
            "seconds": round(one.samples / rate, 3),
            "label": one.label,
            "session": one.session,
            "more": ", ".join(more),
            "link": self._place(one),
        }

    def _draw_tables(self, segments: Sequence[Segment], sessions: Sequence[str]) -> None:
        self._tables.clear()
        with self._tables:
            if len(sessions) > 1:
                with ui.element("div").classes("legend"):
                    for number, session in enumerate(sessions):
                        ui.element("span").classes("dot").style(f"background: {colour(number)}")
                        ui.label(session)
            columns = query.columns_of(segments) if segments else []
            for column in sorted(columns, key=lambda name: (name == "file", name != "label")):
                rows = query.statistics(segments, column, self._rate_of)
                if column == "label" or 1 < len(rows) <= _MOST_VALUES:
                    self._draw_table(column, rows, sessions)

    def _draw_table(self, column: str, rows: Sequence[query.Row], sessions: Sequence[str]) -> None:
        most = max(row.segments for row in rows)
        with ui.element("table").classes("bars"):
            with ui.element("caption"):
                ui.label(column)
            for row in rows:
                with ui.element("tr"):
                    with ui.element("th").props("scope=row"):
                        value = "" if row.value == query.NONE else row.value
                        button = ui.button(row.value).props("flat dense no-caps color=none align=left")
                        button.on_click(lambda value=value: self._ask_for(f"{column}={value}"))
                    with ui.element("td").classes("wide"):
                        self._draw_bar(row.sessions, sessions, most)
                    with ui.element("td").classes("number"):
                        ui.label(f"{row.segments}")
                    with ui.element("td").classes("number soft"):
                        ui.label(f"{row.seconds:.1f} s")
                    with ui.element("td").classes("number soft"):
                        ui.label(_counted(row.recordings))

    def _draw_bar(self, counts: Mapping[str, int], sessions: Sequence[str], most: int) -> None:
        with ui.element("div").classes("bar-line"):
            for number, session in enumerate(sessions):
                count = counts.get(session, 0)
                if count:
                    part = ui.element("span").style(
                        f"width: {100 * count / most:.2f}%; background: {colour(number)}"
                    )
                    part.tooltip(f"{session}: {count}")

    def _draw_chips(self) -> None:
        self._chips.clear()
        with self._chips:
            for one in self._conditions:
                chip = ui.element("button").classes("chip").style("--chip: var(--accent)")
                chip.props["aria-label"] = f"without {one.column}"
                chip.on("click", lambda one=one: self._drop(one))
                with chip:
                    ui.label(f"{one.text} ✕")

    def _look(self) -> None:
        self._labels.refresh()
        if self._labels.version != self._version:
            self._show()

    # What a person does

    def _ask(self) -> None:
        text = str(self._where.value or "").strip()
        if text:
            self._ask_for(text)

    def _ask_for(self, text: str) -> None:
        """One more condition; it is not kept where no segment meets it."""
        made: list[Condition] = []
        if not told(lambda: made.append(query.condition(text))):
            return
        wanted = [*self._conditions, *made]
        if told(
            lambda: query.chosen(with_captures(self._labels.segments()), wanted, self._studio.folder.table)
        ):
            self._conditions = list({one.text: one for one in wanted}.values())
            self._where.set_value("")
            self._show()

    def _drop(self, condition: Condition) -> None:
        self._conditions.remove(condition)
        self._show()

    def _save(self) -> None:
        name = str(self._name.value or "").strip()
        if told(lambda: query.save(self._studio.folder.table, name, self._conditions)):
            ui.notify(f"{name} stands in {query.NAME}: --query {name} takes it.", type="positive")
            self._name.set_value("")
            self._show()

    def _load(self) -> None:
        name = self._stored.value
        if name:
            found: list[Condition] = []
            if told(lambda: found.extend(query.stored(self._studio.folder.table, name))):
                self._conditions = found
                self._show()

    def _place(self, segment: Segment) -> str:
        return place(self._studio, segment.file, segment.start, segment.end)

    async def _run_check(self) -> None:
        """`data check`, as a command; with links to where a finding stands."""
        answer = await self._asked("check")
        if answer is None:
            return
        found: list[dict[str, Any]] = answer["findings"]
        serious = sum(bool(one["fails"]) for one in found)
        self._checked.set_text(
            f"{serious} to mend, {len(found) - serious} to look at" if found else "nothing is wrong with them"
        )
        self._draw_findings(found)

    async def _run_map(self) -> None:
        """`data plot`, as a command, of the segments that meet the conditions."""
        where = [word for one in self._conditions for word in ("--where", one.text)]
        answer = await self._asked("plot", *where)
        if answer is None:
            return
        listener, studio = self._studio.listener, self._studio
        own = list(listener.settings.decision.labels) if listener is not None else []
        self._checked.set_text(f"{answer['segments']} segments; a click plays one")
        self._found.clear()
        with self._found:
            draw_map(studio, answer, own, lambda *stretch: place(studio, *stretch))

    async def _asked(self, word: str, *more: str) -> dict[str, Any] | None:
        """What `data WORD --json` prints; None where it cannot, which is shown."""
        app = ["--app", str(self._studio.app)] if self._studio.app is not None else []
        table = self._studio.folder.root if self._labels.tracks else self._studio.folder.table
        buttons = [self._check, *([self._map] if app else [])]
        for button in buttons:
            button.disable()
        self._checked.set_text("is looking …")
        try:
            found: dict[str, Any] = await json_of(["data", word, str(table), *app, *more])
            error = None
        except UserError as fault:
            found, error = {}, fault
        if self._found.is_deleted:  # the tab was closed, or shows another page
            return None
        for button in buttons:
            button.enable()
        if error is not None:
            self._checked.set_text("")
            self._found.clear()
            with self._found:
                ui.label(str(error)).classes("note")
            return None
        return found

    def _draw_findings(self, found: Sequence[Mapping[str, Any]]) -> None:
        counts = Counter(one["kind"] for one in found)
        by_line = {(one.source.name, one.line): one for one in self._labels.segments()}
        self._found.clear()
        with self._found:
            for kind, what in KINDS.items():
                if not counts[kind]:
                    continue
                with ui.expansion(f"{kind} ({counts[kind]}): {what}").classes("kind"):
                    for one in found:
                        if one["kind"] == kind:
                            self._draw_finding(one, by_line)

    def _draw_finding(self, one: Mapping[str, Any], by_line: Mapping[tuple[str, int], Segment]) -> None:
        place = _LINE.search(str(one["place"]))
        segment = by_line.get((place[1], int(place[2]))) if place else None
        with ui.element("div").classes("finding"):
            if segment is not None and self._studio.folder.name(segment.file) is not None:
                ui.link(str(one["place"]), self._place(segment))
            else:
                ui.label(str(one["place"]))
            ui.label(str(one["what"]))
            ui.label(str(one["remedy"])).classes("soft")


def _counted(recordings: int) -> str:
    return f"{recordings} recording{'s' * (recordings != 1)}"
