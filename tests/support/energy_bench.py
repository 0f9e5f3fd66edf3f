# SPDX-License-Identifier: Apache-2.0
"""Stand-ins for what the benchmark's energy test wires to a board: power monitor and interface board.

Each is a serial port to the runner. They speak as the runner's own code expects an LPM01A and an
STM32H573I-DK to; the edges that they see are those of an emulated image's pin, from QEMU's log of FPGAIO. The
energies are made up.
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

from workbench.mlperf.surroundings import Port
from workbench.targets.link import Link

POWER, INTERFACE = (
    (0x0483, 0x5740),
    (0x0483, 0x374E),
)  # USB numbers, as the runner's lists of devices have them
SAMPLE = "1000-09\r\n"  # 1 uJ
RATE = 1000  # samples a second
TIMESTAMP, PROCESSING, DETECTED = (0x00, 1), (0x00, 2), (0x4C, 1 << 8)  # offset in FPGAIO, bit


class Pin:
    """Edges of an output of the emulated board, as they come."""

    def __init__(self, log: Path, pin: tuple[int, int], *, high: bool) -> None:
        """high: its level before."""
        self._log, (self._offset, self._bit), self._level = log, pin, high
        self._read = 0

    def edges(self) -> list[tuple[bool, float]]:
        """New ones: whether it rose, and when, in seconds."""
        data = self._log.read_bytes()[self._read :] if self._log.exists() else b""
        whole = data.rfind(b"\n") + 1
        self._read += whole
        found = []
        line = rb"@(\d+\.\d+):mps2_fpgaio_write .*offset 0x([0-9a-f]+) data 0x([0-9a-f]+)"
        for at, offset, value in re.findall(line, data[:whole]):
            level = bool(int(value, 16) & self._bit)
            if int(offset, 16) == self._offset and level != self._level:
                found.append((level, float(at)))
                self._level = level
        return found


class Monitor:
    """Acknowledges every command, then sends a sample each millisecond, and an event at each fall."""

    def __init__(self, log: Path) -> None:
        self.commands: list[str] = []
        self._pin = Pin(log, TIMESTAMP, high=False)
        self._said = self._heard = ""
        self._start: float | None = None
        self._samples = self._events = 0

    def send(self, data: bytes) -> None:
        """From the runner."""
        *lines, self._heard = (self._heard + data.decode()).split("\r\n")
        for command in lines:
            self.commands.append(command)
            if command == "stop":
                self._start = None
                self._said += "Acquisition completed\r\n"
                continue
            self._said += f"PowerShield > ack {command}\r\n"
            if command == "start":
                self._pin.edges()  # what was before is nobody's event
                self._start, self._samples = time.monotonic(), 0

    def receive(self, timeout: float) -> bytes:
        """To the runner."""
        time.sleep(timeout)
        said, self._said = self._said, ""
        if self._start is None:
            return said.encode()
        falls = sum(not high for high, _ in self._pin.edges())
        due = int((time.monotonic() - self._start) * RATE) - self._samples
        self._samples += due
        said += due * SAMPLE
        for _ in range(falls):
            said += f"event {self._events} ris\r\n"
            self._events += 1
        return said.encode()

    def close(self) -> None:
        """Nothing is open."""


class Interface:
    """Passes commands to the image, and its answers back; of the streaming test tells what its pins did.

    It plays nothing: the image hears its emulated microphone from `start` on, and the records begin there.
    """

    def __init__(self, image: Link, log: Path, seconds: float = 0) -> None:
        """log: of the image's pins. seconds: of the sound."""
        self.bauds: list[int] = []
        self._image, self._log, self._seconds = image, log, seconds
        self._said = self._heard = self._answer = ""
        self._awaited = 0  # answers of the image

    def send(self, data: bytes) -> None:
        """From the runner."""
        *commands, self._heard = (self._heard + data.decode()).split("%")
        for command in commands:
            word, _, rest = command.partition(" ")
            if word == "dut":
                self._said += f"m-dut-passthrough({rest})\r\nm-ready\r\n"
                self._image.send(f"{rest}%".encode())
                self._awaited += 1
            elif word == "setbaud":
                self.bauds.append(int(rest))
                self._said += f"set baud to: {rest}\nm-ready\r\n"
            elif word == "play":
                time.sleep(self._seconds)
                self._said += "succeeded.\nm-ready\r\n"
            else:
                self._said += f"{self._told(word)}m-ready\r\n"

    def _told(self, word: str) -> str:
        if word == "record_detections":
            return "Now recording detections\r\n"
        start = [at for high, at in Pin(self._log, TIMESTAMP, high=False).edges() if high][-2]
        if word == "print_detections":
            falls = [at for high, at in Pin(self._log, DETECTED, high=False).edges() if not high]
            return "Detection Timestamps (ms)\r\n" + "".join(
                f"{round(1000 * (at - start))},\r\n" for at in falls if at > start
            )
        assert word == "print_dutycycle"
        edges = Pin(self._log, PROCESSING, high=False).edges()
        text = ""
        for rising, name in ((True, "start"), (False, "stop")):
            # The first pulse aligns the records: on the bench it comes before they begin.
            times = [round(100_000 * (at - start)) for high, at in edges if high == rising and at > start][1:]
            text += f"Duty cycle {name} times (s)\r\n{', '.join(map(str, times))},\r\n"
        return text

    def receive(self, timeout: float) -> bytes:
        """To the runner."""
        said, self._said = self._said, ""
        received = self._image.receive(timeout).decode()
        # As long as it takes over the board's line, which QEMU does not wait for: the monitor's words, which
        # came before, are read meanwhile.
        time.sleep(len(received) * 10 / self.bauds[-1] if self.bauds else 0)
        *lines, self._answer = (self._answer + received).split("\r\n")
        for line in lines if self._awaited else ():
            said += f"[dut]: {line}\r\n"
            self._awaited -= line == "m-ready"
        return said.encode()

    def close(self) -> None:
        """The image is closed by whom it was opened."""


def bench_ports(monitor: str, interface: str) -> list[Port]:
    """What the runner finds on this computer."""
    return [Port(monitor, *POWER), Port(interface, *INTERFACE)]


if __name__ == "__main__":  # MONITOR INTERFACE PROGRAM WORD ...: the runner, with these two ports
    import sys

    from workbench.mlperf.surroundings import run

    run(bench_ports(*sys.argv[1:3]), sys.argv[3], sys.argv[4:])
    os._exit(0)
