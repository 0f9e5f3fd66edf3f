# SPDX-License-Identifier: Apache-2.0
"""Label: the recordings of the folder, and which stretch of them is what."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nicegui import background_tasks, run, ui
from nicegui.events import GenericEventArguments

from codegen.common.errors import UserError
from workbench.data.detect import Stretch, events, new_ones, threshold
from workbench.studio.heard import Heard
from workbench.studio.pages.frame import colour, framed, told
from workbench.studio.pages.recording_list import RecordingList
from workbench.studio.studio import Studio

ADDRESS = "/label"
LENGTH = 0.5  # seconds of a segment that a click makes, where no app says it
_LOOK = 1.0  # seconds between looks at files that may have been changed outside
_FOLDER = 5  # and at the folder's recordings, times _LOOK
_KEYS = (
    ("click", "add"),
    ("drag", "draw, move, resize"),
    ("Shift drag", "noise"),
    ("E", "detect events"),
    ("1-9", "label"),
    ("Space", "play"),
    ("Del", "delete"),
    ("Ctrl Z", "undo"),
    ("Ctrl Y", "redo"),
    ("N P", "next, previous"),
    ("wheel ↑ ↓", "zoom"),
    ("← →", "scroll"),
    ("Alt ← →", "shift"),
    ("Shift ← →", "longer, shorter"),
    ("Enter", "add at the line"),
    ("F", "to the segment"),
    ("Home", "all"),
    ("V", "height"),
    ("PgUp PgDn", "recording"),
)


class SoundView(  # type: ignore[call-arg]
    ui.element,
    component="../scripts/soundview.js",
    esm={"earshot": "../scripts"},
):
    """The picture of one recording; scripts/soundview.js draws it and says what its properties are."""

    def show(self, **properties: Any) -> None:
        """Properties that change."""
        self._props.update(properties)
        self.update()


def register(studio: Studio) -> None:
    """Makes the page."""

    @ui.page(ADDRESS, title="Label - Earshot")
    def page(recording: str = "", start: int = -1, end: int = -1) -> None:
        with framed(studio, ADDRESS):
            LabelPage(studio, recording, (start, end) if 0 <= start < end else None)


class LabelPage:
    """One browser tab's view; what is labelled is the studio's."""

    def __init__(self, studio: Studio, recording: str, place: tuple[int, int] | None) -> None:
        self._studio, self._labels = studio, studio.labels
        self._names: list[str] = []  # of labels, in the order of their number keys
        self._chosen: int | None = None  # key of a segment
        self._number = 0  # of the label that a new segment gets
        self._version = -1
        self._told = len(self._labels.changes)  # of what others have changed
        self._looks = 0
        self._current = ""
        self._path: Path | None = None
        self._rate = 0
        self._damage = ""  # of the recording that is shown
        self._noise: Stretch | None = None  # where nothing happens, as a person says
        settings = studio.listener.settings if studio.listener is not None else None
        self._app_labels = list(settings.decision.labels) if settings is not None else []
        self._gate = settings.gate.threshold if settings is not None else 0
        with ui.element("div").classes("work"):
            self._list = RecordingList(studio, self._show)
            with ui.element("main").classes("main"):
                self._bar()
                self._view = SoundView()
                self._view.on("edit", self._edit)
                self._view.on("choose", self._choose)
                self._note = ui.label().classes("note").props("role=alert")
                with ui.element("div").classes("keys"):
                    for key, what in _KEYS:
                        with ui.element("span"):
                            ui.element("kbd").props(f'innerHTML="{key}"')
                            ui.label(f" {what}")
        names = self._list.names
        self._show(recording if recording in names else (names or [""])[0], place)
        ui.timer(_LOOK, self._look)

    def _bar(self) -> None:
        with ui.element("div").classes("bar"):
            self._chips = ui.element("div").classes("chips").props('role=group aria-label="labels"')
            self._new = ui.input(placeholder="new label").props("dense outlined").style("width: 130px")
            self._new.on("keydown.enter", self._name)
            self._usual = self._labels.usual_session()
            self._session = (
                ui.input(placeholder="session", value=self._usual)
                .props("dense outlined")
                .style("width: 110px")
            )
            self._session.tooltip("of new segments: train, test, ...; Enter gives it to the chosen one")
            self._session.on("keydown.enter", self._give_session)
            self._length = ui.number(value=LENGTH, min=0.005, max=60, step=0.05, suffix="s").props(
                'dense outlined aria-label="length of a new segment"'
            )
            self._length.style("width: 95px").tooltip("length of a segment that a click makes")
            self._length.on_value_change(self._push)
            detect = ui.button("Detect", on_click=lambda: told(self._detect)).props(
                "dense no-caps outline color=primary"
            )
            detect.tooltip("draws a segment of the chosen label around each event of the recording (E)")
            if self._studio.listener is not None:
                self._ear = ui.checkbox("app", on_change=self._hear).tooltip(
                    "where the app's gate opens, and what it decides"
                )
            for icon, what, act in (
                ("undo", "undo (Ctrl Z)", self._labels.undo),
                ("redo", "redo (Ctrl Y)", self._labels.redo),
            ):
                button = ui.button(icon=icon, on_click=lambda act=act: self._do(act))
                button.props(f'flat dense aria-label="{what}"').tooltip(what)

    # What is shown

    def _show(self, name: str, place: tuple[int, int] | None = None) -> None:
        """Another recording."""
        self._current, self._path, self._noise, self._damage = name, None, None, ""
        properties: dict[str, Any] = {
            "sound": None,
            "segments": [],
            "heard": None,
            "place": None,
            "noise": None,
            "waits": "",
        }
        try:
            if name:
                path = self._studio.folder.recording(name)
                sound = self._studio.sounds.open(path)
                self._path, self._rate, self._damage = path, sound.rate, sound.damage
                properties["sound"] = {
                    "recording": name,
                    "version": str(path.stat().st_mtime_ns),
                    "samples": len(sound.samples),
                    "rate": sound.rate,
                    "peak": sound.peak,
                }
            if place is not None:
                properties["place"] = {"start": place[0], "end": place[1]}
        except UserError as error:
            properties["waits"] = str(error)
        self._view.show(**properties, threshold=self._gate)
        self._list.show(self._current)
        self._push()
        if self._studio.listener is not None and self._ear.value:
            background_tasks.create(self._hear())

    def _push(self) -> None:
        """Segments and labels as they are now."""
        self._version = self._labels.version
        before, self._usual = self._usual, self._labels.usual_session()
        if self._session.value == before:  # nobody typed another
            self._session.set_value(self._usual)
        known = dict.fromkeys([*self._app_labels, *sorted({one.label for one in self._labels.segments()})])
        self._names += [name for name in known if name not in self._names]  # number keys keep their meaning
        placed = self._labels.of(self._path) if self._path is not None else []
        self._view.show(
            segments=[
                {
                    "key": one.key,
                    "start": one.segment.start,
                    "end": one.segment.end,
                    "label": one.segment.label,
                    "session": one.segment.session,
                }
                for one in placed
            ],
            labels=[{"name": name, "colour": colour(number)} for number, name in enumerate(self._names)],
            length=self._usual_samples(),
        )
        self._chips.clear()
        with self._chips:
            for number, name in enumerate(self._names):
                chip = ui.element("button").classes("chip").style(f"--chip: {colour(number)}")
                with chip:
                    ui.label(f"{number + 1} {name}" if number < 9 else name)
                chip.on("click", lambda number=number: self._take(number))
                if number == self._number:
                    chip.classes("on").props("aria-pressed=true")
        notes = [str(error) for error in self._labels.errors()]
        if self._damage:
            notes.insert(0, f"{self._damage}\n  What lies before that is shown.")
        self._note.set_text("\n".join(notes))
        self._note.set_visibility(bool(notes))
        self._session.set_enabled(not self._labels.tracks)

    def _usual_samples(self) -> int:
        """Of a segment that a click makes."""
        return max(1, round(float(self._length.value or LENGTH) * (self._rate or 1)))

    def _look(self) -> None:
        """Once in a while: what others did to the files, or other tabs to the labels."""
        self._labels.refresh()
        told, self._told = self._told, len(self._labels.changes)
        for path in self._labels.changes[told:]:
            ui.notify(f"{path.name} was changed by another program and has been read again.", type="info")
        if self._labels.version != self._version:
            self._list.show(self._current)
            self._push()
        self._looks += 1
        if self._looks % _FOLDER == 0:
            self._list.look()

    async def _hear(self) -> None:
        """What the app hears, drawn as far as it is known."""
        listener, path = self._studio.listener, self._path
        if listener is None or path is None:
            return
        listener.stop()
        if not self._ear.value:
            self._view.show(heard=None, waits="")
            return
        known: list[Heard] = []
        try:
            sound = self._studio.sounds.open(path)
        except UserError as error:
            self._view.show(heard=None, waits=str(error))
            return

        def show() -> None:
            if known and path == self._path and not self._view.is_deleted:
                one = known[-1]
                share = one.until / len(sound.samples)
                waits = f"the app has heard {share:.0%}" if share < 1 else ""
                self._view.show(heard={"gate": one.gate, "decided": one.decided}, waits=waits)

        self._view.show(heard={"gate": [], "decided": []}, waits="the app is built and listens")
        with self._view:
            timer = ui.timer(_LOOK, show)
        try:
            last = await run.io_bound(listener.hear, sound.samples, sound.rate, known.append)
        except UserError as error:
            self._view.show(heard=None, waits=str(error))
            return
        finally:
            timer.delete()
        if last is not None:
            known.append(last)
            show()

    # What a person does

    def _edit(self, event: GenericEventArguments) -> None:
        given: dict[str, Any] = event.args
        kind = given["kind"]
        names = self._list.names
        if kind == "recording" and self._current in names:
            at = names.index(self._current) + int(given["way"])
            if 0 <= at < len(names):
                self._show(names[at])
            return
        if kind == "detect":
            told(self._detect)
            return
        if kind in ("undo", "redo"):
            self._do(self._labels.undo if kind == "undo" else self._labels.redo)
            return
        path = self._path
        if path is None:
            return
        if kind == "add":
            self._do(lambda: self._add(path, (int(given["start"]), int(given["end"]))))
        elif kind == "change":
            start, end = int(given["start"]), int(given["end"])
            self._do(lambda: self._labels.change(path, int(given["key"]), start=start, end=end))
        elif kind == "noise":
            start, end = int(given["start"]), int(given["end"])
            self._noise = Stretch(start, end) if start < end else None
            told(
                lambda: self._view.show(
                    noise=[start, end] if start < end else None, threshold=self._shown_threshold(path)
                )
            )
        elif kind == "remove":
            self._do(lambda: self._labels.remove(path, self._meant(path, given)))
        elif kind == "label" and int(given["number"]) < len(self._names):
            self._take(int(given["number"]), self._meant(path, given))

    def _shown_threshold(self, path: Path) -> int:
        """That is drawn: of the noise, else of the app's gate; 0: none."""
        if self._noise is None:
            return self._gate
        sound = self._studio.sounds.open(path)
        return threshold(sound.samples, sound.rate, self._noise, None)

    def _detect(self) -> None:
        """A segment around each event that is in none yet. UserError where the recording is gone."""
        path = self._path
        if path is None:
            return
        sound = self._studio.sounds.open(path)
        limit = threshold(sound.samples, sound.rate, self._noise, self._gate)
        found = events(sound.samples, sound.rate, limit, self._usual_samples())
        there = [Stretch(one.segment.start, one.segment.end) for one in self._labels.of(path)]
        fresh = new_ones(found, there)
        if fresh:
            self._do(lambda: self._add(path, *((one.start, one.end) for one in fresh)))
        old = len(found) - len(fresh)
        ui.notify(
            f"{len(found)} events louder than {limit}" + (f", {old} in a segment already" if old else ""),
            type="info",
        )

    def _add(self, path: Path, *places: tuple[int, int]) -> None:
        if not self._names:
            raise UserError("there is no label yet", remedy="Type one into the field: new label.")
        session = "" if self._labels.tracks else str(self._session.value or "").strip()
        self._labels.add_all(path, places, self._names[self._number], session)

    def _meant(self, path: Path, given: dict[str, Any]) -> list[int]:
        """The key of the chosen segment, or of one just made, whose key the view does not have yet; nothing
        where none is chosen."""
        if given.get("key"):
            return [int(given["key"])]
        ends = given.get("start"), given.get("end")
        return [one.key for one in self._labels.of(path) if (one.segment.start, one.segment.end) == ends][:1]

    def _take(self, number: int, keys: Sequence[int] = ()) -> None:
        """A label for what comes next, and for the chosen segment."""
        self._number = number
        path, label = self._path, self._names[number]
        if path is not None and keys:
            self._do(lambda: self._labels.change(path, keys[0], label=label))
        else:
            self._push()

    def _name(self) -> None:
        name = str(self._new.value or "").strip()
        if not name or not name.isprintable():
            return
        if name not in self._names:
            self._names.append(name)
        self._number = self._names.index(name)
        self._new.set_value("")
        self._push()

    def _choose(self, event: GenericEventArguments) -> None:
        self._chosen = event.args["key"]

    def _give_session(self) -> None:
        """The session that stands in the field, for the chosen segment."""
        path, key, session = self._path, self._chosen, str(self._session.value or "").strip()
        if path is not None and key:
            self._do(lambda: self._labels.change(path, int(key), session=session))

    def _do(self, act: Any) -> None:
        """An edit; what it made of the labels is shown, or why it could not be."""
        told(act)
        self._list.show(self._current)
        self._push()
