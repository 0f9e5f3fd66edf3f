# SPDX-License-Identifier: Apache-2.0
"""The map of segments on the Data page: those that sound alike lie together; a click plays one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from nicegui import events, ui

from workbench.studio.pages.frame import colour
from workbench.studio.studio import Studio

Point = Mapping[str, Any]  # file, start, end, label, x, y, as `data plot --json` has them


def draw_map(
    studio: Studio,
    answer: Mapping[str, Any],
    labels: Sequence[str],
    link_of: Callable[[Path, int, int], str],
) -> None:
    """In the element that is current. answer: of `data plot --json`. labels: in the order of their colours.
    link_of: to a stretch of a recording on the Label page."""
    points: list[Point] = answer["points"]
    names = [*labels, *sorted({str(one["label"]) for one in points} - set(labels))]
    series = [[one for one in points if one["label"] == name] for name in names]
    shown = [(name, own) for name, own in zip(names, series, strict=True) if own]
    with ui.element("div").classes("bar"):
        link = ui.link("", "").classes("grow")
        audio = ui.element("audio").props('controls autoplay aria-label="the chosen segment"')
    audio.set_visibility(False)

    def play(event: events.EChartPointClickEventArguments) -> None:
        one = shown[event.series_index][1][event.data_index]
        file, start, end = Path(one["file"]), int(one["start"]), int(one["end"])
        name = studio.folder.name(file)
        if name is None:
            return
        link.set_text(f"{name}: {one['label']}")
        link.props["href"] = link_of(file, start, end)
        audio.props["src"] = "sound/play?" + urlencode({"recording": name, "start": start, "end": end})
        audio.set_visibility(True)

    chart = ui.echart(_chart(shown, names, answer["shares"]), on_point_click=play)
    chart.classes("map").props('role=img aria-label="map of the segments"')


def _chart(
    shown: Sequence[tuple[str, Sequence[Point]]], names: Sequence[str], shares: Sequence[float]
) -> dict[str, Any]:
    grey = {"color": "#8c96a4"}
    axis = {
        "type": "value",
        "nameTextStyle": grey,
        "scale": True,
        "nameLocation": "middle",
        "splitLine": {"show": False},
    }
    return {
        "animation": False,
        "grid": {"left": 46, "right": 12, "top": 30, "bottom": 40},
        "legend": {"top": 0, "textStyle": grey},
        "xAxis": {**axis, "name": f"{shares[0]:.0%} of the differences", "nameGap": 24, "axisLabel": grey},
        "yAxis": {**axis, "name": f"{shares[1]:.0%}", "nameGap": 32, "axisLabel": grey},
        "series": [
            {
                "name": name,
                "type": "scatter",
                "symbolSize": 9,
                "itemStyle": {"color": colour(names.index(name)), "opacity": 0.8},
                "data": [[one["x"], one["y"]] for one in own],
            }
            for name, own in shown
        ],
    }
