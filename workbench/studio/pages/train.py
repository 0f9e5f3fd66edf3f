# SPDX-License-Identifier: Apache-2.0
"""Train: the app's network fitted to the folder's labels, judged, and its thresholds tuned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nicegui import ui

from codegen.common.errors import UserError
from workbench.studio.course import Course, course
from workbench.studio.pages.frame import framed, told
from workbench.studio.pages.log import Log
from workbench.studio.studio import Studio

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
        self._drawn = -1  # lines of which the curve is
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
                self._chart = ui.echart(_chart([])).classes("box curve")
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
        return asked

    def _draw(self) -> None:
        """The course of the epochs that the lines tell."""
        if self._drawn == self._job.count:
            return
        self._drawn = self._job.count
        self._chart.options.update(_chart(course(self._job.lines)))
        self._chart.update()


def _chart(epochs: Sequence[Course]) -> dict[str, Any]:
    """Loss and validation accuracy over the epochs."""
    return {
        "animation": False,
        "grid": {"left": 50, "right": 55, "top": 40, "bottom": 35},
        "legend": {"data": ["loss", "validation accuracy, %"], "textStyle": {"color": "#8c96a4"}},
        "xAxis": {"type": "category", "data": [one.number for one in epochs], "name": "epoch"},
        "yAxis": [{"type": "value", "name": "loss"}, {"type": "value", "max": 100, "name": "%"}],
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
