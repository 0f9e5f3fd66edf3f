# SPDX-License-Identifier: Apache-2.0
"""Device: whether the app fits a board and keeps up there; build, flash, and who is at a port."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from codegen.board.description import board_names
from codegen.common.errors import UserError
from workbench.studio.pages.frame import baud_field, baud_of, framed, told
from workbench.studio.pages.log import Log
from workbench.studio.run_command import json_of
from workbench.studio.studio import Studio

ADDRESS = "/device"


def register(studio: Studio) -> None:
    """Makes the page."""

    @ui.page(ADDRESS, title="Device - Earshot")
    def page() -> None:
        with framed(studio, ADDRESS):
            DevicePage(studio)


class DevicePage:
    """One browser tab's view; the command that runs is the studio's."""

    def __init__(self, studio: Studio) -> None:
        self._studio, self._job = studio, studio.building
        app = studio.app is not None
        with ui.element("main").classes("main page"):
            with ui.element("div").classes("bar"):
                self._board = ui.select(list(board_names()), value="mps2_an386")
                self._board.props('dense outlined aria-label="board"').style("width: 170px")
                for name, words in (("Build", ()), ("Flash", ("flash",)), ("Emulate", ("emulate",))):
                    button = ui.button(name, on_click=lambda words=words: self._build(words))
                    button.props("no-caps color=primary").set_enabled(app)
                self._port = ui.input(placeholder="/dev/ttyACM0").props('dense outlined aria-label="port"')
                self._baud = baud_field()
                ui.button("Who is there?", on_click=self._identify).props("no-caps flat color=primary")
                ui.element("div").classes("grow")
                self._count = ui.button("Does it fit?", on_click=self._profile).props("no-caps color=primary")
                self._count.set_enabled(app)
            if not app:
                ui.label("There is no app: start the studio with --app DIR.").classes("note")
            self._fits = ui.element("div").classes("box scroll fits")
            with self._fits:
                ui.label('"Does it fit?" counts the app\'s instructions, flash and RAM.').classes("soft")
            with ui.element("div").classes("box column logged"):
                self._log = Log(self._job)

    def _build(self, words: tuple[str, ...]) -> None:
        told(lambda: self._job.start([f"board={self._board.value}", f"app={self._studio.app}", *words]))
        self._log.show()

    def _identify(self) -> None:
        port = str(self._port.value or "").strip()
        if not port:
            ui.notify("Name the port: /dev/ttyACM0, or socket://localhost:4321.", type="negative")
            return
        app = ["--app", str(self._studio.app)] if self._studio.app is not None else []
        baud = ["--baud", str(baud_of(self._baud))]
        told(lambda: self._job.start(["identify", port, *baud, *app]))
        self._log.show()

    async def _profile(self) -> None:
        """`profile`, as a command: of this board, and whether each real one keeps up."""
        self._count.disable()
        self._fits.clear()
        with self._fits:
            ui.label("is built, run and counted …").classes("soft")
        try:
            found = await json_of(
                ["profile", "--app", str(self._studio.app), "--board", str(self._board.value)]
            )
            error = None
        except UserError as fault:
            found, error = {}, fault
        if self._fits.is_deleted:  # the tab was closed, or shows another page
            return
        self._count.enable()
        self._fits.clear()
        with self._fits:
            if error is not None:
                ui.label(str(error)).classes("note")
            else:
                self._draw(found)

    def _draw(self, found: dict[str, Any]) -> None:
        flash, ram, count = found["flash"], found["ram"], found["instructions"]
        slide = count["incremental"] or count["full"]
        ui.label(
            f"{flash['code'] + flash['constants']:,} bytes of flash, {ram['image']:,} of RAM on "
            f"{found['board']}; a decision takes {slide:,} instructions, {count['worst']:,} at most"
        ).classes("big")
        columns = [
            {"name": name, "label": name, "field": name, "align": "left"}
            for name in ("board", "clock", "load", "worst load", "keeps up")
        ]
        rows = [
            {
                "board": one["board"] + (" (virtual)" if one["virtual"] else ""),
                "clock": f"{one['clock_hz'] / 1e6:g} MHz",
                "load": f"{one['steady_load']:.0%}",
                "worst load": f"{one['worst_load']:.0%}",
                "keeps up": "yes" if one["steady_load"] < 1 and one["worst_absorbed"] else "no",
            }
            for one in found["verdicts"]
        ]
        ui.table(rows=rows, columns=columns, row_key="board").classes("listed").props("dense flat bordered")
