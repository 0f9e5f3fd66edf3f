# SPDX-License-Identifier: Apache-2.0
"""The session that is driven on a board, step by step, and every byte of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from codegen.common.errors import UserError
from codegen.common.protocol import COUNTED
from workbench.protocol.lines import Boot, Cycles, Error, Status
from workbench.targets import Device
from workbench.targets.link import Link

TAPS_SECONDS = 20.0  # for a person to tap the microphone


@dataclass(frozen=True)
class Sound:
    """A recording that is played, and the decision lines that the computer makes of it."""

    name: str
    samples: NDArray[np.int16]
    expected: tuple[str, ...]


@dataclass(frozen=True)
class SessionStep:
    """One step. passed: None where it was not done, and `words` say why."""

    name: str
    passed: bool | None
    words: str


class LinkRecorder:
    """A link that writes down each line that passes: seconds, > to the image or < from it, the bytes."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.log: list[str] = []
        self._start = time.monotonic()
        self._open = {">": b"", "<": b""}  # of each way, a line that has not ended yet

    def send(self, data: bytes) -> None:
        """To the image."""
        self._note(">", data)
        self.link.send(data)

    def receive(self, seconds: float) -> bytes:
        """From the image."""
        data = self.link.receive(seconds)
        if data:
            self._note("<", data)
        return data

    def close(self) -> None:
        """Of the link behind it."""
        self.link.close()

    def _note(self, way: str, data: bytes) -> None:
        *lines, self._open[way] = (self._open[way] + data).split(b"\n")
        for line in lines:
            if line:
                text = line.decode("latin-1").encode("unicode_escape").decode("ascii")
                self.log.append(f"{time.monotonic() - self._start:.3f} {way} {text}")


@dataclass
class Session:
    """Runs the steps on an open image; a step that fails does not keep the next from being done."""

    device: Device
    build: str  # GNU build id that has to answer
    sounds: Sequence[Sound]
    live_seconds: float  # 0: not listened
    person: Callable[[str], None] | None = None  # says what a person has to do; None: nobody is there
    steps: list[SessionStep] = field(default_factory=list)

    def run(self) -> list[SessionStep]:
        """All steps, in order."""
        for name, step in self._all():
            try:
                self.steps.append(step())
            except UserError as error:
                self.steps.append(SessionStep(name, False, error.what))
        return self.steps

    def _all(self) -> Iterator[tuple[str, Callable[[], SessionStep]]]:
        yield "boot", self._boot
        yield "status", self._status
        for sound in self.sounds:
            yield f"replay {sound.name}", partial(self._replay, sound)
        yield "cycles", self._cycles
        yield "live", self._live
        yield "taps", self._taps

    def _boot(self) -> SessionStep:
        boot = self.device.command("boot")
        assert isinstance(boot, Boot)
        words = f"{boot.name} on {boot.board}, engine {boot.engine}, build {boot.build}"
        words += f", chip {boot.id}" if boot.id.strip("0") else ""
        return SessionStep("boot", boot.build == self.build, words)

    def _status(self) -> SessionStep:
        status = self.device.status()
        self.device.command("cycles")  # counts from here on, where the board can
        return SessionStep("status", status["errors"] == 0, f"{status['errors']} errors since the start")

    def _cycles(self) -> SessionStep:
        """Of each stage while the recordings were played: the classifier's most is a full run, which an
        incremental one follows."""
        answer = self.device.command("cycles")
        if not isinstance(answer, Cycles):
            return SessionStep("cycles", None, "the board has no counter of the core's clocks")
        stages = zip(COUNTED, answer.most, answer.last, strict=True)
        words = ", ".join(f"{name} {most:,} (last {last:,})" for name, most, last in stages)
        counted = answer.windows > 0 and all(answer.most[: COUNTED.index("classifier")])
        return SessionStep("cycles", counted, f"in {answer.windows:,} windows at most {words}")

    def _replay(self, sound: Sound) -> SessionStep:
        lines = tuple(self.device.replay(sound.samples))
        if lines == sound.expected:
            return SessionStep(f"replay {sound.name}", True, f"{len(lines)} decisions, as on this computer")
        pairs = enumerate(zip_longest(lines, sound.expected))
        first = next(at for at, (theirs, ours) in pairs if theirs != ours)
        words = f"decision {first + 1} of {len(sound.expected)} is not this computer's"
        return SessionStep(f"replay {sound.name}", False, words)

    def _live(self) -> SessionStep:
        if not self.live_seconds:
            return SessionStep("live", None, "not asked for")
        answer = self.device.command("live")
        if not isinstance(answer, Status):
            return SessionStep("live", None, "the image has no microphone")
        before = self.device.status()
        errors = self._listen(self.live_seconds)
        after = self.device.status()
        windows, lost, late = (after[key] - before[key] for key in ("windows", "lost", "late"))
        words = f"{windows} windows in {self.live_seconds:g} s, {lost} samples lost, {late} late"
        words += f"; {errors[0].what}" if errors else ""
        return SessionStep("live", windows > 0 and lost == 0 and not errors, words)

    def _taps(self) -> SessionStep:
        if self.person is None:
            return SessionStep("taps", None, "nobody is there to tap the microphone")
        if not any(step.name == "live" and step.passed for step in self.steps):
            return SessionStep("taps", None, "it does not listen")
        self.person(f"Tap the microphone three times within the next {TAPS_SECONDS:g} seconds.")
        before = self.device.status()["decisions"]
        self._listen(TAPS_SECONDS)
        heard = self.device.status()["decisions"] - before
        return SessionStep("taps", heard > 0, f"{heard} decisions while the microphone was tapped")

    def _listen(self, seconds: float) -> list[Error]:
        """Takes lines for that long; the errors among them."""
        found = []
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            line = self.device.next_line(left)
            if isinstance(line, Error):
                found.append(line)
        return found
