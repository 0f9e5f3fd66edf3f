# SPDX-License-Identifier: Apache-2.0
"""Record: takes of this computer's microphone or of a device's, named by their label, kept or discarded."""

from __future__ import annotations

import math

from nicegui import events, run, ui

from codegen.common.errors import UserError
from workbench.host.features import listening_spec
from workbench.live.samples import CLIPPED
from workbench.studio.labels import RATE
from workbench.studio.pages.frame import baud_field, baud_of, colour, framed, pressed_alone, told
from workbench.studio.recorder import AHEAD, Recorded
from workbench.studio.studio import Studio

ADDRESS = "/record"
_SHOW = 0.1  # seconds
_FLOOR = 60  # decibels below full scale at the meter's left end
MICROPHONE, PORT, QEMU = (
    "this computer's microphone",
    "a board at a port",
    "an emulated board, a recording",
)


def register(studio: Studio) -> None:
    """Makes the page."""

    @ui.page(ADDRESS, title="Record - Earshot")
    def page() -> None:
        with framed(studio, ADDRESS):
            RecordPage(studio)


class RecordPage:
    """One browser tab's view; microphone and takes are the studio's."""

    def __init__(self, studio: Studio) -> None:
        self._studio, self._recorder = studio, studio.recorder
        settings = studio.listener.settings if studio.listener is not None else None
        self._rate = settings.audio.sample_rate if settings is not None else RATE
        own = list(settings.decision.labels) if settings is not None else []
        there = sorted({one.label for one in studio.labels.segments()})
        self._names = list(dict.fromkeys([*own, *there]))
        self._number = 0
        self._version = studio.labels.version
        self._drawn: list[int] = [-1]  # numbers of the takes that are listed
        with ui.element("main").classes("main page"):
            self._bar()
            self._note = ui.label().classes("note").props("role=alert")
            with ui.element("div").classes("halves tall"):
                with ui.element("section").classes("box column"):
                    self._controls()
                with ui.element("section").classes("box scroll"):
                    ui.label("Takes that wait: K keeps the newest, D discards it").classes("soft")
                    self._takes = ui.element("div")
        ui.keyboard(on_key=self._key, repeating=False)
        self._chips()
        self._show()
        ui.timer(_SHOW, self._show)

    def _bar(self) -> None:
        with ui.element("div").classes("bar"):
            kinds = [MICROPHONE, PORT, *([QEMU] if self._studio.app is not None else [])]
            self._kind = ui.select(kinds, value=MICROPHONE, on_change=self._choose)
            self._kind.props('dense outlined aria-label="which microphone"').style("width: 300px")
            recordings = self._studio.folder.recordings()
            self._played = ui.select(recordings, value=recordings[0] if recordings else None)
            self._played.props('dense outlined aria-label="recording"').style("width: 300px")
            self._port = ui.input(placeholder="/dev/ttyACM0").props('dense outlined aria-label="port"')
            self._baud = baud_field()
            self._bits = ui.select({16: "16 bits", 8: "8 bits (mu-law)"}, value=16).props("dense outlined")
            self._listen = ui.button("Listen", on_click=self._toggle).props("no-caps color=primary")
        self._choose()

    def _choose(self) -> None:
        for one in (self._port, self._baud, self._bits):
            one.set_visibility(self._kind.value == PORT)
        self._played.set_visibility(self._kind.value == QEMU)

    def _controls(self) -> None:
        self._usual = self._studio.labels.session_of_take()
        self._chip_row = ui.element("div").classes("chips").props('role=group aria-label="labels"')
        with ui.element("div").classes("bar"):
            self._new = ui.input(placeholder="new label").props("dense outlined").style("width: 150px")
            self._new.on("keydown.enter", self._name)
            self._session = ui.input(placeholder="session", value=self._usual).props("dense outlined")
            self._session.style("width: 120px")
            self._seconds = ui.number(value=10, min=0.5, max=3600, suffix="s")
            self._seconds.props('dense outlined aria-label="seconds of a take"').style("width: 110px")
        with ui.element("div").classes("meter").props('role=meter aria-label="level"'):
            self._bar_of_level = ui.element("div")
        self._level = ui.label().classes("soft")
        self._record = ui.button("Record (R)", on_click=self._begin).props("no-caps color=primary size=xl")
        self._left = ui.label().classes("hero class")
        ui.label(f"A take begins {AHEAD:g} s before the button was pressed.").classes("soft")

    # What is shown

    def _chips(self) -> None:
        self._chip_row.clear()
        with self._chip_row:
            for number, name in enumerate(self._names):
                chip = ui.element("button").classes("chip").style(f"--chip: {colour(number)}")
                chip.on("click", lambda number=number: self._take(number))
                with chip:
                    ui.label(f"{number + 1} {name}" if number < 9 else name)
                if number == self._number:
                    chip.classes("on").props("aria-pressed=true")

    def _show(self) -> None:
        recorder = self._recorder
        self._listen.set_text("Stop" if recorder.listening else "Listen")
        self._record.set_text("Finish (R)" if recorder.left is not None else "Record (R)")
        self._record.set_enabled(recorder.level is not None)
        self._note.set_text(str(recorder.error or ""))
        self._note.set_visibility(recorder.error is not None)
        self._left.set_text("" if recorder.left is None else f"{recorder.left:.1f} s")
        level = recorder.level
        decibels = 20 * math.log10(max(1, level or 1) / 32768)
        share = 0 if level is None else max(0.0, 1 + decibels / _FLOOR)
        loud = level is not None and level >= CLIPPED
        shade = "var(--bad)" if loud else "var(--good)"
        self._bar_of_level.style(f"width: {100 * share:.0f}%; background: {shade}")
        words = f"{decibels:.0f} dB" + (": too loud" if loud else "")
        if level is None:
            words = "it is being opened …" if recorder.listening else "nobody listens"
        self._level.set_text(words)
        if self._studio.labels.version != self._version:
            self._version = self._studio.labels.version
            before, self._usual = self._usual, self._studio.labels.session_of_take()
            if self._session.value == before:  # nobody typed another
                self._session.set_value(self._usual)
        numbers = [one.number for one in recorder.takes]
        if numbers != self._drawn:
            self._drawn = numbers
            self._draw_takes()

    def _draw_takes(self) -> None:
        self._takes.clear()
        with self._takes:
            for one in reversed(self._recorder.takes):
                self._draw_take(one)

    def _draw_take(self, one: Recorded) -> None:
        take = one.take
        with ui.element("div").classes("finding"):
            with ui.element("div").classes("bar"):
                ui.label(f"{one.label}, {len(take.samples) / one.rate:.1f} s").classes("grow")
                ui.button("Keep", on_click=lambda: self._keep(one.number)).props(
                    "dense no-caps color=primary"
                )
                ui.button("Discard", on_click=lambda: self._discard(one.number)).props("dense flat no-caps")
            if "decided" in one.known:
                ui.label(f"the app has decided {one.known['decided']}").classes("soft")
            faults = [f"{take.clipped} samples too loud"] if take.clipped else []
            faults += [f"{take.missing} samples missing"] if take.missing else []
            ui.label(f"loudest {take.peak} of 32768").classes("soft")
            if faults:
                ui.label(", ".join(faults)).classes("bad")
            ui.element("audio").props(f'controls preload=metadata src="sound/take/{one.number}"')

    # What a person does

    def _take(self, number: int) -> None:
        self._number = number
        self._chips()

    def _name(self) -> None:
        name = str(self._new.value or "").strip()
        if name and name.isprintable():
            if name not in self._names:
                self._names.append(name)
            self._new.set_value("")
            self._take(self._names.index(name))

    async def _toggle(self) -> None:
        recorder = self._recorder
        if recorder.listening:
            await run.io_bound(recorder.stop)
        elif self._kind.value == MICROPHONE:
            told(lambda: recorder.listen_here(self._rate))
        elif self._kind.value == QEMU:
            told(self._listen_to_emulated)
        else:
            port, baud = str(self._port.value or "").strip(), baud_of(self._baud)
            told(lambda: recorder.listen_to(port, baud, int(self._bits.value)))
        self._show()

    def _listen_to_emulated(self) -> None:
        app = self._studio.app
        assert app is not None
        if not self._played.value:
            raise UserError("there is no recording in this folder")
        recording = self._studio.folder.recording(str(self._played.value))
        self._recorder.listen_to_emulated(listening_spec(app)[0], recording)

    def _begin(self) -> None:
        if self._recorder.left is not None:
            self._recorder.finish()
        else:
            told(self._begin_take)

    def _begin_take(self) -> None:
        if not self._names:
            raise UserError("there is no label yet", remedy="Type one into the field: new label.")
        session = str(self._session.value or "").strip()
        self._recorder.begin(self._names[self._number], session, float(self._seconds.value or 10))

    def _keep(self, number: int) -> None:
        def keep() -> None:
            file = self._recorder.keep(number, self._studio.labels)
            ui.notify(f"{file.name} is written.", type="positive")

        told(keep)
        self._show()

    def _discard(self, number: int) -> None:
        told(lambda: self._recorder.discard(number))
        self._show()

    def _key(self, event: events.KeyEventArguments) -> None:
        if not pressed_alone(event):
            return
        number, newest = event.key.number, self._recorder.takes[-1:]
        if number is not None and 1 <= number <= len(self._names):
            self._take(number - 1)
        elif event.key == "r":
            self._begin()
        elif event.key == "k" and newest:
            self._keep(newest[0].number)
        elif event.key == "d" and newest:
            self._discard(newest[0].number)
