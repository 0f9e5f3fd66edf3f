# SPDX-License-Identifier: Apache-2.0
"""The sound of a device's microphone over its serial line."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime

from codegen.common.errors import UserError
from codegen.common.protocol import BY_NAME
from workbench.identity.ask import Sensiml, ask
from workbench.live.samples import Incoming, Take, needed_baud
from workbench.protocol.lines import Boot, Decision, Error, Line, Lines, Samples, Status, parse_line
from workbench.protocol.packets import Packets, packet_baud
from workbench.targets.link import Link, LinkClosedError

ANSWER = 5.0  # seconds for an answer, and without a sample until the microphone is given up
_POLL = 0.1
_HEARD = 1000  # decisions that are kept until somebody takes them
_NO_CAPTURE = (
    "Write [device] capture = true into the app's pipeline.toml, build and flash it: earshot board=... "
    "app=... flash."
)


class Capture:
    """An open device that sends its samples. Call pump() often: the serial line does not wait."""

    def __init__(
        self,
        link: Link,
        port: str,
        bits: int = 16,
        baud: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """bits: of a sample on the line, 16, or 8 by mu-law. baud: of the line; None: it has no rate.

        UserError: nobody is there, no capture or no microphone in the image, a line too slow.
        """
        self._link, self._port, self._clock = link, port, clock
        self._lines = Lines()
        self._packets: Packets | None = None  # of a device with SensiML's firmware
        self._status: Status | None = None
        self._refused: Error | None = None
        self.incoming = Incoming()
        # Decisions: the number of the sample that comes after each, and the label.
        self.heard: deque[tuple[int, str]] = deque(maxlen=_HEARD)
        self._done = -1  # number of the sample to which takes reach
        self.rate = 0  # Hz
        self.boot: Boot | None = None  # None: SensiML's firmware
        self._uncaptured = 0  # what the device had counted before
        self._begun = False  # what comes before is of a capture that was never stopped
        try:
            found = ask(link, port, ANSWER, clock)
            if isinstance(found, Sensiml):
                self._connect(found, baud)
            else:
                self._start(found, bits, baud)
        except BaseException:  # Ctrl-C too: nobody else can stop it
            if self.boot is not None or self._packets is not None:
                self.stop()
            raise
        self._heard = clock()

    def _connect(self, device: Sensiml, baud: int | None) -> None:
        if device.rate is None:
            raise UserError(
                "it runs SensiML's firmware, and prints results in place of samples",
                file=self._port,
                remedy="Flash its data capture firmware, or an image of Earshot.",
            )
        self.rate = device.rate
        check_baud(self._port, packet_baud(self.rate, device.size), baud, _SENSIML_SLOW)
        self._packets = Packets(device.size)
        self._send("connect\n")

    def _start(self, boot: Boot, bits: int, baud: int | None) -> None:
        port = self._port
        if boot.rate is None:
            raise UserError("its image is a bare model, which hears nothing", file=port, remedy=_NO_CAPTURE)
        self.boot, self.rate = boot, boot.rate
        slow = _SLOW
        if bits > 8 and baud is not None and needed_baud(self.rate, 8) <= baud:
            slow += " Or --bits 8: mu-law, whose noise lies 38 dB below the sound."
        check_baud(port, needed_baud(self.rate, bits), baud, slow)
        status = self._command(f"capture {bits}")
        if status is None or "capture" not in status.values:
            raise UserError(f'the image "{boot.name}" has no capture', file=port, remedy=_NO_CAPTURE)
        self._uncaptured = status.values.get("uncaptured", 0)
        if not status.live and (answer := self._command("live")) is not None and not answer.live:
            raise UserError("its microphone gives no sound", file=port)
        if self._refused is not None:
            raise UserError(
                f"it has no microphone at {self.rate} Hz: {self._refused.what}, "
                f"{self._refused.more.get('reason', '')}",
                file=port,
            )

    def pump(self, timeout: float = _POLL) -> None:
        """Takes what has come, waiting up to `timeout` seconds. UserError: the port or the sound is gone."""
        before = self.incoming.end
        self._receive(timeout)
        if self.incoming.end > before:
            self._heard = self._clock()
        elif self._clock() - self._heard > ANSWER:
            raise UserError(f"no sample came for {ANSWER:g} seconds", file=self._port)

    def finish(self, start: int, end: int) -> Take:
        """The samples with these numbers, incoming.end is that of the next one. They and what was decided in
        them are forgotten."""
        take = self.incoming.cut(start, end)
        self.incoming.forget(end)
        self._done = end
        while self.heard and self.heard[0][0] <= end:
            self.heard.popleft()
        return take

    def ahead(self, at: int, seconds: float) -> int:
        """Number of the sample so long before another, or of the oldest that is kept."""
        return max(self.incoming.first, at - round(seconds * self.rate))

    def uncaptured(self) -> int:
        """Samples for whose lines the device found no room since the capture began: the line is too slow. 0
        of one with SensiML's firmware, which does not count them."""
        status = self._command("status") if self.boot is not None else None
        count = status.values.get("uncaptured", 0) if status is not None else self._uncaptured
        return (count - self._uncaptured) % (1 << 32)

    def stop(self) -> None:
        """The device sends no more samples, if it is there."""
        with contextlib.suppress(UserError):
            self._send("capture off\n" if self._packets is None else "disconnect\n")

    def _command(self, text: str) -> Status | None:
        """Its status line; None: it refuses, and self._refused says how."""
        self._status = self._refused = None
        self._send(f"{text}\n")
        deadline = self._clock() + ANSWER
        while self._status is None and self._refused is None:
            if self._clock() > deadline:
                raise UserError(f'nothing answers "{text}" within {ANSWER:g} seconds', file=self._port)
            self._receive(_POLL)
        return self._status

    def _send(self, text: str) -> None:
        try:
            self._link.send(f"\n{text}".encode("ascii"))  # LF ends what may be left of another line
        except LinkClosedError as error:
            raise UserError(f"the port is gone: {error}", file=self._port) from None

    def _receive(self, timeout: float) -> None:
        try:
            data = self._link.receive(timeout)
        except LinkClosedError as error:
            raise UserError(f"the port is gone: {error}", file=self._port) from None
        if self._packets is not None:
            for samples in self._packets.take(data):
                self.incoming.take(samples)
            return
        for text in self._lines.take(data):
            self._take(parse_line(text), text)

    def _take(self, line: Line | None, text: str) -> None:
        if isinstance(line, Samples):
            if self._begun:
                self.incoming.take(line)
        elif isinstance(line, Decision):
            if self._begun and self.incoming.end > self._done:
                self.heard.append((self.incoming.end, line.label))
        elif isinstance(line, Status):  # the first one answers `capture`
            self._status, self._begun = line, True
        elif isinstance(line, Error) and line.refuses:
            self._refused = line
        elif isinstance(line, Error) and (line.stops or line.entry in _NO_SOUND):
            raise UserError(f"the device reports: {text}", file=self._port)
        elif isinstance(line, Boot) and self.incoming.end > 0:
            raise UserError("the device has started anew: what came after that is lost", file=self._port)


_SLOW = (
    "Set uart_baud in the board's board.toml to 921600 (1000000 on the nRF52840), build and flash, and give "
    "the same by --baud."
)
_SENSIML_SLOW = "Give the rate of its firmware by --baud: 921600 with SensiML's own."
_NO_SOUND = tuple(BY_NAME[name] for name in ("microphone_silent", "microphone_stuck", "microphone_dma"))


def known_of(boot: Boot | None, bits: int) -> dict[str, str]:
    """Columns of captures.csv that a device tells, and the time. boot: None: it has SensiML's firmware."""
    known = {"device": "SensiML"}
    if boot is not None:
        known = {"device": boot.board, "chip": boot.id, "app": boot.name, "build": boot.build[:16]}
    return {
        **{name: value for name, value in known.items() if value},
        "bits": str(bits),
        "recorded": datetime.now().astimezone().isoformat(timespec="seconds"),
    }


def check_baud(port: str, needed: int, baud: int | None, remedy: str) -> None:
    """UserError where a line of this rate cannot carry the samples. baud: None: the line has no rate."""
    if baud is not None and needed > baud:
        raise UserError(f"its samples need {needed} baud, the line has {baud}", file=port, remedy=remedy)
