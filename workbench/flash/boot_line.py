"""After a reset: the board's serial port, what the image on it says, and whether it is the one flashed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile

from codegen.board import Board
from codegen.errors import UserError
from workbench.lines import Boot
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


def find_port(serial: str | None) -> Port | None:
    """The port of the probe with this serial number; without one, a probe's port if there is exactly one."""
    from serial.tools import list_ports

    ports = list(list_ports.comports())
    if serial is not None:
        wanted = serial.lstrip("0").lower()
        for port in ports:
            if (port.serial_number or "").lstrip("0").lower() == wanted:
                return Port(str(port.device), certain=True)
    likely = [port for port in ports if port.vid in _PROBE_VENDORS]
    return Port(str(likely[0].device), certain=False) if len(likely) == 1 else None


def read_boot(port: Port, board: Board, timeout: float = WAIT) -> Boot:
    """Asks the image who it is; UserError when nothing answers in time."""
    rate = dict(board.constants).get("uart_baud", BAUD)
    with Device(SerialLink(port.name, rate), port.name, timeout, running=True) as device:
        return device.boot


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
