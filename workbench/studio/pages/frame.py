# SPDX-License-Identifier: Apache-2.0
"""What every page has: its links, the folder's name, light or dark, and how a fault is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from fastapi.responses import RedirectResponse
from nicegui import events, ui

from codegen.common.errors import UserError
from workbench.studio.studio import Studio
from workbench.targets import BAUD

LINKS = (
    ("Record", "/record"),
    ("Label", "/label"),
    ("Data", "/data"),
    ("Train", "/train"),
    ("Device", "/device"),
    ("Live", "/live"),
)
START = LINKS[1][1]
STYLE = Path(__file__).parents[1] / "scripts" / "studio.css"
# Told apart by people who do not see red or green as others do, on white and on black.
COLOURS = (
    "#c2410c",
    "#1d6fb8",
    "#0f7b5f",
    "#a21caf",
    "#8a6a00",
    "#4f46e5",
    "#be123c",
    "#0e7490",
    "#5b6b16",
)


def register(studio: Studio) -> None:
    """The bare address leads to the first page."""

    @ui.page("/")
    def start() -> RedirectResponse:
        return RedirectResponse(f".{START}")


@contextmanager
def framed(studio: Studio, here: str) -> Iterator[None]:
    """A page's content stands in the block. here: its address."""
    ui.add_css(STYLE.read_text(encoding="utf-8"))
    dark = ui.dark_mode(None)
    ui.colors(primary="var(--button)")
    with ui.element("header").classes("top"):
        ui.label("Earshot").classes("name")
        with ui.element("nav"):
            for name, address in LINKS:
                link = ui.link(name, address)
                if address == here:
                    link.classes("here").props("aria-current=page")
        ui.label(str(studio.folder.root)).classes("where").tooltip(str(studio.folder.root))
        ui.button(icon="contrast", on_click=lambda: dark.set_value(not dark.value)).props(
            'flat round dense aria-label="light or dark"'
        ).tooltip("light or dark")
    yield


def colour(number: int) -> str:
    """Of a label, by its number."""
    return COLOURS[number % len(COLOURS)]


def place(studio: Studio, recording: Path, start: int, end: int) -> str:
    """The address of a stretch of a recording on the Label page."""
    name = studio.folder.name(recording) or ""
    return "label?" + urlencode({"recording": name, "start": start, "end": end})


def pressed_alone(event: events.KeyEventArguments) -> bool:
    """Whether a key goes down that is ours: with Alt, Ctrl or Meta it is the browser's."""
    held = event.modifiers
    return bool(event.action.keydown) and not (held.alt or held.ctrl or held.meta)


def baud_field() -> ui.number:
    """The rate of a serial line, which a device with `[device] capture` has higher than others."""
    field = ui.number(value=BAUD, min=1, format="%d", suffix="baud")
    return field.props('dense outlined aria-label="baud"').style("width: 140px")


def baud_of(field: ui.number) -> int:
    """What stands in it; the usual rate where nothing does."""
    return int(field.value or BAUD)


def told(act: Callable[[], object]) -> bool:
    """Does something; a fault is shown on the page. Whether it went well."""
    try:
        act()
    except UserError as error:
        ui.notify(str(error), type="negative", multi_line=True, timeout=10000, close_button="OK")
        return False
    return True
