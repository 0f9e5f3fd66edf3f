# SPDX-License-Identifier: Apache-2.0
"""After a reset: the board's serial port, what the image on it says, and whether it is the one flashed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile

from codegen.board.description import Board
from codegen.common.errors import UserError
from workbench.protocol.lines import Boot
from workbench.targets.device import Device
from workbench.targets.serial_port import BAUD, SerialLink

WAIT = 8.0  # seconds until an image that says nothing is given up
# USB vendors of probes that carry a board's serial line: SEGGER, STMicroelectronics, Arm (DAPLink).
_PROBE_VENDORS = (0x1366, 0x0483, 0x0D28)


@dataclass(frozen=True)
class Port:
    """A serial port. certain: it is the board's; else only the one that looks like a probe's."""

    name: str
    certain: bool


def find_ports(serial: str | None) -> list[Port]:
    """The ports of the probe with this serial number: some have two, one of them at the board's line.

    Without any, a probe's port if there is exactly one.
    """
    from serial.tools import list_ports

    ports = sorted(list_ports.comports(), key=lambda port: str(port.device))
    if serial is not None:
        wanted = serial.lstrip("0").lower()
        own = [port for port in ports if (port.serial_number or "").lstrip("0").lower() == wanted]
        if own:
            return [Port(str(port.device), certain=True) for port in own]
    likely = [port for port in ports if port.vid in _PROBE_VENDORS]
    return [Port(str(likely[0].device), certain=False)] if len(likely) == 1 else []


def read_boot(ports: Sequence[Port], board: Board, timeout: float = WAIT) -> tuple[Port, Boot]:
    """Asks on one port after the other who is there; the last one's UserError when none answers in time."""
    rate = dict(board.constants).get("uart_baud", BAUD)
    for port in ports:
        try:
            with Device(SerialLink(port.name, rate), port.name, timeout, running=True) as device:
                return port, device.boot
        except UserError:
            if port == ports[-1]:
                raise
    raise ValueError("read_boot needs a port")


def build_id(elf: Path) -> str:
    """The image's GNU build id in hex, as its boot line tells it; UserError where it has none."""
    with elf.open("rb") as file:
        for section in ELFFile(file).iter_sections():
            if section["sh_type"] != "SHT_NOTE":
                continue
            for note in section.iter_notes():
                if note["n_type"] == "NT_GNU_BUILD_ID":
                    return str(note["n_desc"])
    raise UserError("it has no GNU build id", file=elf, remedy="Link with --build-id=sha1.")
