# SPDX-License-Identifier: Apache-2.0
"""The EFR32's drivers, built for xg24 and put on the fake chip: what their tests share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from codegen.board.description import load_board
from tests.support.fake_chip import Drivers, build_drivers, fresh
from tests.support.fake_efr32 import EUSART, LDMA, Efr32

BLOCK = 128
SETTLING = 4096
SOUND = [(37 * n * n + 11 * n) % 60001 - 30000 for n in range(SETTLING + 12 * BLOCK)]


@dataclass
class Built:
    """The port's library, and copies of it."""

    library: Path
    folder: Path
    pins: dict[str, int]  # port, and number from bit 16 on
    copies: int = 0

    def chip(self, stuck: str = "", **mutation: int) -> Efr32:
        """A chip with the board's pins."""
        high = self.pins["uart_tx"], self.pins["microphone_power"]
        return Efr32(self.pins["led"], high, stuck, **mutation)

    def drivers(self, chip: Efr32) -> Drivers:
        """Fresh variables on this chip."""
        self.copies += 1
        return Drivers(fresh(self.library, self.folder, self.copies), chip)


def deliver(drivers: Drivers, chip: Efr32) -> None:
    """Interrupts that are asked for and enabled, one after the other."""
    for _ in range(100):
        chip.waiting = 0
        flags, enabled = chip.registers[EUSART + 0x4C], chip.registers.get(EUSART + 0x50, 0)
        # TXFL stands whenever there is room.
        asked = {11: flags & enabled & 0x14, 12: enabled & 2}
        asked[21] = chip.registers[LDMA + 0x50] & chip.registers.get(LDMA + 0x54, 0) & 0x80000001
        handlers = {11: drivers.c.uart_rx_handler, 12: drivers.c.uart_tx_handler, 21: drivers.c.ldma_handler}
        due = [n for n in handlers if n in chip.enabled and (asked[n] or n in chip.pended)]
        if not due:
            return
        for number in due:
            chip.pended.discard(number)
            handlers[number]()
    chip.broken.append("an interrupt that never ends")


def build_xg24(folder: Path) -> Built:
    """The port's library."""
    pins = {name: pin.port | pin.number << 16 for name, pin in load_board("xg24").pins}
    # The watchdog's interrupt ends in the core's fault handler, which is not here.
    return Built(build_drivers(folder, "xg24", "efr32"), folder, pins)
