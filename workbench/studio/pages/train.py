# SPDX-License-Identifier: Apache-2.0
"""Train: the app's network fitted to the folder's labels, judged, and its thresholds tuned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nicegui import ui

from codegen.common.errors import UserError
from workbench.studio.course import Course, course
from workbench.studio.pages import confusion
from workbench.studio.pages.confusion import Cell
from workbench.studio.pages.frame import framed, place, told
from workbench.studio.pages.log import Log
from workbench.studio.studio import Studio
from workbench.training.confusion import UNC, UNK, Confusion
from workbench.training.decided import Decided, read_decided

ADDRESS = "/train"
_SHOW = 0.5  # seconds


def register(studio: Studio) -> None:
    """Makes the page."""

    @ui.page(ADDRESS, title="Train - Earshot")
    def page() -> None:
        with framed(studio, ADDRESS):
            TrainPage(studio)


class TrainPage:
    """One browser tab's view; the command that runs is the studio's."""

    def __init__(self, studio: Studio) -> None:
        self._studio, self._job = studio, studio.training
        self._drawn: tuple[int, int | None] | None = None  # lines of which the curve is, and the exit code
        self._decided = Path(studio.scratch.name) / "decided.csv"
        self._tables: tuple[Decided, ...] | None = None  # of which the table is
        with ui.element("main").classes("main page"):
            if studio.app is None:
                ui.label("There is no app: start the studio with --app DIR.").classes("note")
                return
            with ui.element("div").classes("bar"):
                for name, words, what in (
                    ("Train", ("train",), "fits the network, and takes the model where it decides no worse"),
                    ("Evaluate", ("evaluate",), "events heard and missed, and the confusion table"),
                    ("Tune", ("tune",), "thresholds for a stated rate of false alarms"),
                    ("Tune and write", ("tune", "--write"), "the same, written into pipeline.toml"),
                ):
                    button = ui.button(name, on_click=lambda words=words: self._start(words))
                    button.props("no-caps color=primary").tooltip(what)
                self._where = ui.input(placeholder="device=xg24  label!=unknown")
                self._where.props('dense outlined aria-label="conditions"').style("width: 280px")
                self._where.tooltip("only labels that meet these, separated by blanks")
                self._background = ui.input(placeholder="folder of background sound")
                self._background.props('dense outlined aria-label="background"').style("width: 240px")
            with ui.element("div").classes("trained"):
                with ui.element("div").classes("box column"):
                    self._log = Log(self._job)
                with ui.element("div").classes("column"):
                    self._chart = ui.echart(_chart([])).classes("box curve")
                    with ui.element("div").classes("box scroll grow"):
                        ui.label("Segments, and what they were taken for").classes("soft")
                        self._table = ui.element("div")
                        self._cell = ui.element("div")
        self._draw()
        ui.timer(_SHOW, self._draw)

    def _start(self, words: Sequence[str]) -> None:
        told(lambda: self._job.start(self._asked(words)))
        self._log.show()

    def _asked(self, words: Sequence[str]) -> list[str]:
        folder = self._studio.folder
        labels = folder.root if self._studio.labels.tracks else folder.table
        asked = [*words, "--app", str(self._studio.app), "--labels", str(labels)]
        for condition in str(self._where.value or "").split():
            asked += ["--where", condition]
        background = str(self._background.value or "").strip()
        if background and words[0] != "train":
            path = folder.root / background
            if folder.name(path) is None:
                raise UserError("lies outside the studio's folder", file=path)
            asked += ["--background", str(path)]
        if words[0] == "evaluate":
            self._decided.unlink(missing_ok=True)  # it is of another evaluation
            asked += ["--decided", str(self._decided)]
        return asked

    def _draw(self) -> None:
        """The course of the epochs that the lines tell, and the table of the last evaluation."""
        now = self._job.count, self._job.code
        if self._drawn == now:
            return
        self._drawn = now
        if not self._job.running:
            self._draw_table(tuple(read_decided(self._decided)))
        if self._job.words[:1] == ("train",):
            self._studio.courses[:] = course(self._job.lines)
        self._chart.options.update(_chart(self._studio.courses))
        self._chart.update()

    def _draw_table(self, decided: tuple[Decided, ...]) -> None:
        """A cell lists its segments below."""
        if decided == self._tables:
            return
        self._tables = decided
        self._cell.clear()
        self._table.clear()
        listener = self._studio.listener
        if not decided or listener is None:
            return
        labels = listener.settings.decision.labels
        columns = (*labels, UNK, UNC)
        counts = Counter((one.label, one.decided) for one in decided)
        table = Confusion(labels, tuple(tuple(counts[row, column] for column in columns) for row in labels))

        def show(cell: Cell) -> None:
            label, taken = labels[cell[0]], columns[cell[1]]
            self._cell.clear()
            with self._cell:
                ui.label(f"{label}, taken for {taken}").classes("soft")
                for one in decided:
                    if (one.label, one.decided) == (label, taken):
                        name = self._studio.folder.name(one.file) or one.file.name
                        text = f"{name}, samples {one.start} to {one.end}"
                        ui.link(text, place(self._studio, one.file, one.start, one.end)).classes("listed")

        with self._table:
            confusion.draw(table, show)


def _chart(epochs: Sequence[Course]) -> dict[str, Any]:
    """Loss and validation accuracy over the epochs."""
    grey = {"color": "#8c96a4"}
    axis = {"axisLabel": grey, "nameTextStyle": grey, "splitLine": {"show": False}}
    return {
        "animation": False,
        "grid": {"left": 50, "right": 55, "top": 55, "bottom": 25},
        "legend": {"data": ["loss", "validation accuracy, %"], "top": 0, "textStyle": grey},
        "xAxis": {**axis, "type": "category", "data": [one.number for one in epochs], "name": "epoch"},
        "yAxis": [
            {**axis, "type": "value", "name": "loss"},
            {**axis, "type": "value", "min": 0, "max": 100, "name": "%"},
        ],
        "series": [
            {"name": "loss", "type": "line", "data": [one.loss for one in epochs], "symbol": "none"},
            {
                "name": "validation accuracy, %",
                "type": "line",
                "yAxisIndex": 1,
                "data": [one.accuracy for one in epochs],
                "symbol": "none",
            },
        ],
    }
