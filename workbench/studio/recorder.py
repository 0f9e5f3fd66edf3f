# SPDX-License-Identifier: Apache-2.0
"""Records takes: a thread listens to a microphone, of this computer or of a device; takes wait to be kept."""

from __future__ import annotations

import itertools
import queue
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from codegen.app.spec import Spec
from codegen.common.errors import UserError
from workbench.audio.wav import wav_bytes
from workbench.data.label_lines import ChangedOutsideError
from workbench.live.capture import Capture, known_of
from workbench.live.microphone import listen
from workbench.live.samples import Incoming, Take
from workbench.live.sources import PIECE
from workbench.live.takes import Takes
from workbench.live.watched import recording_board
from workbench.protocol.lines import Samples
from workbench.studio.labels import Labels
from workbench.targets.serial_port import SerialLink, is_hardware

AHEAD = 1.0  # seconds before the button was pressed that belong to a take
_END = 30.0  # seconds until a thread that was asked to end is left to itself
_MOST = 50  # takes that may wait
_BITS = 16  # of a sample of the emulated board


class Ear(Protocol):
    """A microphone that is open. Capture is one."""

    incoming: Incoming
    rate: int  # Hz

    def pump(self) -> None:
        """Takes what has come. UserError: nothing comes any more."""

    def finish(self, start: int, end: int) -> Take:
        """The samples with these numbers."""

    def stop(self) -> None:
        """Nobody listens any more."""


class ComputerEar:
    """This computer's microphone."""

    def __init__(self, rate: int) -> None:
        """UserError (at the first pump) where there is none of this rate."""
        self.rate, self.incoming = rate, Incoming()
        self._pieces = listen(rate, PIECE)

    def pump(self) -> None:
        """See Ear."""
        self.incoming.take(Samples(self.incoming.end, 16, next(self._pieces).astype("<i2").tobytes()))

    def finish(self, start: int, end: int) -> Take:
        """See Ear."""
        take = self.incoming.cut(start, end)
        self.incoming.forget(end)
        return take

    def stop(self) -> None:
        """See Ear."""
        self._pieces.close()


@dataclass(frozen=True, eq=False)
class Recorded:
    """A take that waits to be kept or discarded."""

    number: int
    label: str
    session: str | None  # None: what is usual when it is kept
    take: Take
    rate: int
    known: Mapping[str, str]  # columns of captures.csv

    def wav(self) -> bytes:
        """To be played."""
        return wav_bytes(self.take.samples, self.rate)


@dataclass(frozen=True)
class _Wish:
    """seconds: of a take that begins; 0: the one that runs ends now, or the thread (label "")."""

    label: str = ""
    session: str = ""
    seconds: float = 0.0
    end: bool = False


class Recorder:
    """One microphone at a time. `level`, `left` and `takes` are what a page shows."""

    def __init__(self) -> None:
        self.takes: list[Recorded] = []
        self.error: UserError | None = None  # what ended the listening
        self.level: int | None = None  # 0..32768; None: no microphone is open
        self.left: float | None = None  # seconds of the take that runs; None: none does
        self._wishes: queue.SimpleQueue[_Wish] = queue.SimpleQueue()
        self._numbers = itertools.count(1)
        self._written: dict[int, Path] = {}  # WAV of a take that waits, as its label could not be written
        self._thread: threading.Thread | None = None

    @property
    def listening(self) -> bool:
        """Whether a microphone is open, or is being opened."""
        return self._thread is not None and self._thread.is_alive()

    def listen_here(self, rate: int) -> None:
        """To this computer's microphone."""
        recorded = {"device": "computer"}
        self._start(lambda: (ComputerEar(rate), recorded), lambda: None)

    def listen_to(self, port: str, baud: int, bits: int) -> None:
        """To the microphone of a device with [device] capture. UserError where there is no such port."""
        link = SerialLink(port, baud)

        def open_() -> tuple[Ear, dict[str, str]]:
            capture = Capture(link, port, bits, baud if is_hardware(port) else None)
            return capture, known_of(capture.boot, bits)

        self._start(open_, link.close)

    def listen_to_emulated(self, spec: Spec, recording: Path) -> None:
        """To the microphone of the emulated board with the app's image, built; it hears a recording."""
        emulated = ExitStack()

        def open_() -> tuple[Ear, dict[str, str]]:
            link = emulated.enter_context(recording_board(spec, recording))
            capture = Capture(link, "the emulated board", _BITS)
            return capture, {**known_of(capture.boot, _BITS), "played": recording.name}

        self._start(open_, emulated.close)

    def begin(self, label: str, session: str, seconds: float) -> None:
        """A take begins, AHEAD seconds ago. UserError where nobody listens, or too many takes wait."""
        if not self.listening:
            raise UserError("no microphone is open", remedy="Choose one, and press Listen.")
        if len(self.takes) >= _MOST:
            raise UserError(f"{_MOST} takes wait", remedy="Keep or discard some.")
        self._wishes.put(_Wish(label, session, seconds))

    def finish(self) -> None:
        """The take that runs ends now."""
        self._wishes.put(_Wish())

    def stop(self) -> None:
        """Closes the microphone; a take that runs ends. Waits for it."""
        self._wishes.put(_Wish(end=True))
        if self._thread is not None:
            self._thread.join(_END)

    def wait(self, label: str, take: Take, rate: int, known: Mapping[str, str]) -> None:
        """A take of somebody else's waits with the others."""
        self.takes.append(Recorded(next(self._numbers), label, None, take, rate, {**_now(), **known}))

    def found(self, number: int) -> Recorded:
        """A take that waits; UserError where it does not."""
        taken = next((one for one in self.takes if one.number == number), None)
        if taken is None:
            raise UserError(f"there is no take {number} that waits")
        return taken

    def discard(self, number: int) -> None:
        """It is gone; a WAV that was written before its label was refused stays."""
        self.takes.remove(self.found(number))
        self._written.pop(number, None)

    def keep(self, number: int, labels: Labels) -> Path:
        """Writes it into the folder, with its label and what is known of it; the WAV. UserError where that
        cannot be: the take waits on, and a WAV that was written is taken when it is kept again."""
        one = self.found(number)
        labels.refresh()  # what another program wrote meanwhile is no reason to refuse
        session = labels.session_of_take() if one.session is None else one.session
        file = self._written.get(number)
        if file is None or not file.is_file():
            takes = Takes(labels.folder.root, one.label, session, one.known, labelled=False)
            file = self._written[number] = takes.add(one.take, one.rate)
        segment = (file, 0, len(one.take.samples), one.label, "" if labels.tracks else session)
        try:
            labels.add(*segment)
        except ChangedOutsideError:  # just now; it has been read again
            labels.add(*segment)
        self.takes.remove(one)
        self._written.pop(number)
        return file

    def _start(self, open_: Callable[[], tuple[Ear, dict[str, str]]], close: Callable[[], None]) -> None:
        if self.listening:
            raise UserError("a microphone is open already", remedy="Stop it first.")
        self.error = self.level = self.left = None
        self._wishes = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._listen, args=(open_, close), daemon=True)
        self._thread.start()

    def _listen(self, open_: Callable[[], tuple[Ear, dict[str, str]]], close: Callable[[], None]) -> None:
        """The thread."""
        try:
            ear, known = open_()
            self.level = 0
            try:
                self._loop(ear, known)
            finally:
                ear.stop()
        except UserError as error:
            self.error = error
        finally:
            close()
            self.level = self.left = None

    def _loop(self, ear: Ear, known: Mapping[str, str]) -> None:
        wish, start, end = _Wish(), 0, 0  # of the take that runs
        try:
            while not wish.end:
                ear.pump()
                self.level = ear.incoming.level
                asked = None
                with suppress(queue.Empty):
                    asked = self._wishes.get_nowait()
                if wish.label:
                    done = ear.incoming.end >= end or (asked is not None and not asked.label)
                    self.left = max(0.0, (end - ear.incoming.end) / ear.rate)
                    if done:
                        self._add(ear, wish, start, min(end, ear.incoming.end), known)
                        wish = _Wish(end=asked is not None and asked.end)
                elif asked is not None:
                    wish = asked
                    start = max(ear.incoming.first, ear.incoming.end - round(AHEAD * ear.rate))
                    end = start + max(1, round(asked.seconds * ear.rate))
                else:
                    ear.incoming.forget(ear.incoming.end - round((AHEAD + 1) * ear.rate))
        except UserError:
            if wish.label and ear.incoming.end > start:  # what came before is kept
                self._add(ear, wish, start, min(end, ear.incoming.end), known)
            raise

    def _add(self, ear: Ear, wish: _Wish, start: int, end: int, known: Mapping[str, str]) -> None:
        take = ear.finish(start, end)
        self.left = None
        if not len(take.samples):  # it was ended before a sample came; no label can stand for it
            return
        number = next(self._numbers)
        self.takes.append(Recorded(number, wish.label, wish.session, take, ear.rate, {**known, **_now()}))


def _now() -> dict[str, str]:
    """A column of captures.csv."""
    return {"recorded": datetime.now().astimezone().isoformat(timespec="seconds")}
