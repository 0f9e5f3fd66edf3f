# SPDX-License-Identifier: Apache-2.0
"""Live: what a device, an emulated board or this computer hears, while it hears it."""

from __future__ import annotations

import math
from typing import Any

from nicegui import events, run, ui

from codegen.app.tables.decision import NEVER
from codegen.common.errors import UserError
from codegen.common.protocol import THRESHOLD
from workbench.live.controls import DEVICE_VOTES, GATE, Control
from workbench.live.hearing import VOTES
from workbench.live.outputs import troubles
from workbench.live.view import View
from workbench.live.watched import Wanted
from workbench.studio.pages import confusion
from workbench.studio.pages.frame import baud_field, baud_of, colour, framed, pressed_alone, told
from workbench.studio.studio import Studio
from workbench.training.confusion import Confusion

ADDRESS = "/live"
_SHOW = 0.25  # seconds
_SECONDS = 21.0  # of the chart
_STEPS = 10  # of the gate's slider for each doubling
_HISTORY = 6  # sounds that are listed
_HOST_VOTES = "votes"  # of a device that has no such setting: they are counted here
_OTHER = "#8c96a4"  # Unknown, uncertain, idle
PORT, PC, MICROPHONE, QEMU = (
    "a port",
    "this computer, a recording",
    "this computer, its microphone",
    "an emulated board, a recording",
)


class LiveChart(ui.element, component="../scripts/livechart.js"):  # type: ignore[call-arg]
    """Scores and level over time; scripts/livechart.js says what its properties are."""

    def show(self, **properties: Any) -> None:
        """Properties that change."""
        self._props.update(properties)
        self.update()


def register(studio: Studio) -> None:
    """Makes the page."""

    @ui.page(ADDRESS, title="Live - Earshot")
    def page() -> None:
        with framed(studio, ADDRESS):
            LivePage(studio)


class LivePage:
    """One browser tab's view of the studio's session."""

    def __init__(self, studio: Studio) -> None:
        self._studio, self._live = studio, studio.live
        # The model that is shown, labels and settings with controls, and whether something was decided.
        self._built: tuple[str, tuple[str, ...], tuple[str, ...], bool] = ("", (), (), False)
        self._models: dict[str, tuple[ui.element, ui.label]] = {}  # by name, of a device with several
        self._marked: Confusion | None = None  # that is drawn
        self._sliders: dict[str, ui.slider] = {}
        self._values: dict[str, ui.label] = {}
        self._seen: dict[str, int] = {}  # settings that the sliders stand at
        with ui.element("main").classes("main page"):
            self._bar()
            self._note = ui.label().classes("note").props("role=alert")
            with ui.element("div").classes("live"):
                with ui.element("div").classes("column"):
                    self._several = ui.element("div").classes("chips").style("flex: none")
                    with ui.element("div").classes("box hero").props("aria-live=polite"):
                        self._class = ui.label().classes("class")
                        self._score = ui.label().classes("big soft")
                    self._chart = LiveChart()
                    with ui.element("div").classes("box counters"):
                        self._counters = ui.label()
                        self._trouble = ui.label().classes("bad")
                    with ui.element("div").classes("halves low"):
                        with ui.element("div").classes("box scroll"):
                            ui.label("Sounds").classes("soft")
                            self._sounds = ui.element("div")
                        with ui.element("div").classes("box scroll"):
                            ui.label("What it really was, and what was decided").classes("soft")
                            self._confusion = ui.element("div")
                            with ui.element("div").classes("bar"):
                                self._wrong = ui.link("", "record")
                self._panel = ui.element("div").classes("box column scroll")
        ui.keyboard(on_key=self._key, repeating=False)
        self._show()
        ui.timer(_SHOW, self._show)

    def _bar(self) -> None:
        app = self._studio.app is not None
        kinds = [PC, MICROPHONE, QEMU, PORT] if app else [PORT]
        recordings = self._studio.folder.recordings()
        with ui.element("div").classes("bar"):
            self._kind = ui.select(kinds, value=kinds[0], on_change=self._choose)
            self._kind.props('dense outlined aria-label="what is watched"').style("width: 270px")
            self._recording = ui.select(recordings, value=recordings[0] if recordings else None)
            self._recording.props('dense outlined aria-label="recording"').style("width: 300px")
            self._port = ui.input(placeholder="/dev/ttyACM0 or socket://localhost:4321")
            self._port.props('dense outlined aria-label="port"').style("width: 300px")
            self._baud = baud_field()
            self._start = ui.button("Start", on_click=self._toggle).props("no-caps color=primary")
            self._where = ui.label().classes("soft grow")
        self._choose()

    def _choose(self) -> None:
        kind = self._kind.value
        self._recording.set_visibility(kind in (PC, QEMU))
        for one in (self._port, self._baud):
            one.set_visibility(kind == PORT)

    # What is shown

    def _show(self) -> None:
        live = self._live
        view = live.view
        self._start.set_text("Stop" if live.running else "Start")
        notes = [str(live.error)] if live.error is not None else []
        notes += [text for text in (view.away, view.warning, view.error) if text] if view is not None else []
        self._note.set_text("\n".join(notes))
        self._note.set_visibility(bool(notes))
        if view is None:
            waits = "is being built and started …" if live.running else "nothing is watched"
            self._class.set_text("")
            self._score.set_text(waits)
            self._where.set_text("")
            return
        ended = "" if live.running else "over"
        self._where.set_text(" · ".join(filter(None, (live.where, view.device, ended))))
        self._show_models(view)
        self._show_class(view)
        self._show_chart(view)
        self._show_counters(view)
        self._show_sounds(view)
        self._show_marked(view)
        if (view.model, view.labels, tuple(view.settings), view.decisions > 0) != self._built:
            self._build_panel(view)
        self._show_settings(view)

    def _colour(self, view: View, class_index: int) -> str:
        return colour(class_index - 1) if 0 < class_index <= len(view.labels) else _OTHER

    def _text(self, score: float | None) -> str:
        if score is None:
            return ""
        meaning = self._live.score
        return meaning.text(round(score)) if meaning is not None else f"score {round(score)}"

    def _show_models(self, view: View) -> None:
        """Of several models what each hears; a click looks at one."""
        self._several.set_visibility(bool(view.models))
        if [one.name for one in view.models] != list(self._models):
            self._models.clear()
            self._several.clear()
            with self._several:
                for one in view.models:
                    chip = ui.element("button").classes("chip").style(f"--chip: {_OTHER}")
                    chip.on("click", lambda name=one.name: self._live.ask(Control(model=name)))
                    with chip:
                        self._models[one.name] = chip, ui.label()
        for one in view.models:
            chip, label = self._models[one.name]
            chip.classes(**{"add" if one.name == view.model else "remove": "on"})
            label.set_text(f"{one.name}: {one.label or 'listening'}")

    def _show_class(self, view: View) -> None:
        self._class.set_text(view.label or "listening")
        self._class.style(f"color: {self._colour(view, view.class_index)}")
        votes = f"{view.agreeing} of {view.votes} votes" if view.votes > 1 and view.mean is not None else ""
        parts = [self._text(view.score), votes, f"{view.rate:.0f} decisions a second"]
        self._score.set_text(" · ".join(filter(None, parts)))

    def _show_chart(self, view: View) -> None:
        meaning = self._live.score
        settings = view.settings
        shares = meaning is None or meaning.never == NEVER
        value = meaning.value if meaning is not None else lambda score: (score + 128) / 256
        since = view.time - _SECONDS
        limits = [
            [min(1.0, value(settings[name])), colour(number)]
            for number, name in enumerate(f"{THRESHOLD}.{label}" for label in view.labels)
            if shares and name in settings
        ]
        self._chart.show(
            now=view.time,
            points=[
                [round(one.time, 3), self._colour(view, one.class_index), round(value(one.score), 3)]
                for one in view.points
                if one.time >= since and one.score is not None and shares
            ],
            levels=[[round(time, 3), peak] for time, peak in self._live.levels if time >= since],
            threshold=settings.get(GATE, 0),
            limits=limits,
        )

    def _show_counters(self, view: View) -> None:
        gate = "gate open" if view.open else "gate shut"
        counts = ", ".join(f"{count} {label}" for label, count in sorted(view.counts.items()))
        self._counters.set_text(
            f"{gate} · {view.decisions} decisions in {view.time:.0f} s{': ' if counts else ''}{counts}"
            f" · late {view.late} · lost {view.lost} · dropped {view.dropped}"
        )
        self._trouble.set_text("\n".join(troubles(view)))

    def _show_sounds(self, view: View) -> None:
        lines = []
        for one in reversed(view.sounds[-_HISTORY:]):
            truth = f"  (really {one.truth})" if one.truth else ""
            lines.append(f"{one.start:7.1f} s  {one.label}  {self._text(one.score)}{truth}")
        self._sounds.clear()
        with self._sounds:
            ui.label("\n".join(lines)).classes("table")

    def _show_marked(self, view: View) -> None:
        """What a person said, beside what was decided; what of it was wrong waits on the Record page."""
        wrong = sum("decided" in one.known for one in self._studio.recorder.takes)
        self._wrong.set_text(f"{wrong} that were decided wrong wait on the Record page" if wrong else "")
        if view.confusion == self._marked:
            return
        self._marked = view.confusion
        self._confusion.clear()
        if view.confusion is not None:
            with self._confusion:
                confusion.draw(view.confusion)

    def _build_panel(self, view: View) -> None:
        """Controls for the labels and settings that the device has."""
        self._built = view.model, view.labels, tuple(view.settings), view.decisions > 0
        self._sliders.clear()
        self._values.clear()
        self._seen.clear()
        self._panel.clear()
        with self._panel:
            ui.label("It was really (keys 1 to 9; 0 takes back)").classes("soft")
            with ui.element("div").classes("chips"):
                for number, label in enumerate(view.labels):
                    chip = ui.element("button").classes("chip").style(f"--chip: {colour(number)}")
                    chip.on("click", lambda label=label: self._live.ask(Control(mark=label)))
                    with chip:
                        ui.label(f"{number + 1} {label}" if number < 9 else label)
            if GATE in view.settings:
                self._slider(GATE, "gate: threshold", 0, 15 * _STEPS)
            if not self._live.score or self._live.score.never == NEVER:
                for label in view.labels:
                    if f"{THRESHOLD}.{label}" in view.settings:
                        self._slider(f"{THRESHOLD}.{label}", f"{label}: threshold", -128, NEVER)
            if DEVICE_VOTES in view.settings:
                self._slider(DEVICE_VOTES, "votes", 1, VOTES)
            elif view.decisions:
                self._slider(_HOST_VOTES, "votes, counted here", 1, VOTES)
            if self._studio.app is not None:
                self._write = ui.button("Write into pipeline.toml", on_click=self._write_back)
                self._write.props("no-caps flat color=primary")

    def _slider(self, key: str, name: str, least: int, most: int) -> None:
        with ui.element("div").classes("slider"):
            ui.label(name)
            self._values[key] = ui.label().classes("soft")
            slider = ui.slider(min=least, max=most, step=1).props("dense")
            slider.props["aria-label"] = name
            slider.on("change", lambda event, key=key: self._set(key, int(event.args)))
            self._sliders[key] = slider

    def _show_settings(self, view: View) -> None:
        """The sliders follow what the device says, whoever set it."""
        for key, slider in self._sliders.items():
            slider.set_enabled(self._live.running)
            value = view.votes if key == _HOST_VOTES else view.settings.get(key)
            if value is None or self._seen.get(key) == value:
                continue
            self._seen[key] = value
            slider.set_value(_position(value) if key == GATE else value)
            self._values[key].set_text(self._said(key, value))

    def _said(self, key: str, value: int) -> str:
        if key == GATE:
            return "every window passes" if value < 0 else f"{value}"
        if key in (DEVICE_VOTES, _HOST_VOTES):
            return f"{value}"
        return "never" if value >= NEVER else self._text(value)

    # What a person does

    def _set(self, key: str, value: int) -> None:
        wanted = _threshold(value) if key == GATE else value
        self._seen.pop(key, None)  # what the device makes of it is shown
        self._values[key].set_text(f"{self._said(key, wanted)} …")
        if key == _HOST_VOTES:
            self._live.ask(Control(host_votes=wanted))
        else:
            self._live.set(key, wanted)

    def _key(self, event: events.KeyEventArguments) -> None:
        view, number = self._live.view, event.key.number
        if view is None or number is None or not pressed_alone(event):
            return
        if number == 0:
            self._live.ask(Control(take_back=True))
        elif number <= len(view.labels):
            self._live.ask(Control(mark=view.labels[number - 1]))

    async def _toggle(self) -> None:
        if self._live.running:
            await run.io_bound(self._live.stop)
        else:
            told(lambda: self._live.start(self._wanted()))
        self._show()

    def _wanted(self) -> Wanted:
        kind = self._kind.value
        if kind == PORT:
            port = str(self._port.value or "").strip()
            if not port:
                raise UserError(
                    "no port is named", remedy="Such as /dev/ttyACM0, or socket://localhost:4321."
                )
            return Wanted(port=port, baud=baud_of(self._baud))
        if kind == MICROPHONE:
            return Wanted(target="pc", microphone=True)
        if not self._recording.value:
            raise UserError("there is no recording in this folder")
        file = self._studio.folder.recording(str(self._recording.value))
        return Wanted(target="pc" if kind == PC else "qemu", recordings=(file,))

    async def _write_back(self) -> None:
        """After a question: which lines of pipeline.toml become others."""
        found: dict[str, str] = {}
        if not told(lambda: found.update(self._live.changed())):
            return
        if not found:
            ui.notify("Nothing differs from pipeline.toml.", type="info")
            return
        with ui.dialog() as dialog, ui.card():
            ui.label("Write into pipeline.toml?").classes("big")
            ui.label("\n".join(f"{key} = {value}" for key, value in found.items())).classes("table")
            with ui.element("div").classes("bar"):
                ui.button("Write", on_click=lambda: dialog.submit(True)).props("no-caps color=primary")
                ui.button("Leave it", on_click=lambda: dialog.submit(False)).props("no-caps flat")
        if await dialog:
            told(lambda: ui.notify(f"Written into {self._live.write_back()}.", type="positive"))
        dialog.delete()


def _position(threshold: int) -> int:
    """Of the gate's slider: 0 lets every window pass, then _STEPS for each doubling."""
    return 0 if threshold < 1 else round(_STEPS * math.log2(threshold)) or 1


def _threshold(position: int) -> int:
    """The gate's threshold at a slider's position."""
    return -1 if position == 0 else min(32767, round(2 ** (position / _STEPS)))
