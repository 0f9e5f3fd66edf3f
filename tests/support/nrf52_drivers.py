# SPDX-License-Identifier: Apache-2.0
"""The nRF52840's drivers, built for a board and put on the fake chip: what their tests share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from codegen.board.description import load_board
from tests.support.fake_chip import Drivers, build_drivers, fresh
from tests.support.fake_nrf52 import PDM, TIMER, UARTE, Nrf52

BLOCK = 128
SETTLING = 4096
SOUND = [(37 * n * n + 11 * n) % 60001 - 30000 for n in range(SETTLING + 40 * BLOCK)]

BOARDS = ("nrf52840dk", "nano33ble")
# The chip's own 0 dB for a microphone that nobody knows; as Arduino ships its own, -10 dB.
GAIN_AND_DCDC = {"nrf52840dk": (40, True), "nano33ble": (20, False)}


@dataclass
class Built:
    """A port's library, and copies of it."""

    library: Path
    folder: Path
    pins: dict[str, int]  # as the peripherals select them
    gain: int
    dcdc: bool  # the board has the converter's coils
    copies: int = 0

    @property
    def high(self) -> tuple[int, ...]:
        """Pins that the drivers must set."""
        return tuple(self.pins[name] for name in ("uart_tx", "microphone_power") if name in self.pins)

    def drivers(self, chip: Nrf52) -> Drivers:
        """Fresh variables on this chip."""
        self.copies += 1
        return Drivers(fresh(self.library, self.folder, self.copies), chip)


def deliver(drivers: Drivers, chip: Nrf52) -> None:
    """Interrupts that are asked for and enabled, one after the other."""
    sources = (
        (2, drivers.c.uart_handler, UARTE, {0x110: 4, 0x120: 8, 0x124: 9}),
        (8, drivers.c.tick_timer_handler, TIMER, {0x144: 17}),
        (29, drivers.c.pdm_handler, PDM, {0x100: 0, 0x108: 2}),
    )
    for _ in range(100):
        asked = []
        for number, handler, base, events in sources:
            inten = chip.registers.get(base + 0x300, 0)
            event = any(chip.registers.get(base + at) and inten >> bit & 1 for at, bit in events.items())
            if number in chip.enabled and (event or number in chip.pended):
                asked.append((number, handler))
        if not asked:
            return
        for number, handler in asked:
            chip.pended.discard(number)
            handler()
    chip.broken.append("an interrupt that never ends")


def build_nrf52(folder: Path, name: str) -> Built:
    """The port's library for this board."""
    board = load_board(name)
    pins = {name: pin.port << 5 | pin.number for name, pin in board.pins}
    return Built(build_drivers(folder, board.name, "nrf52"), folder, pins, *GAIN_AND_DCDC[board.name])


def chip_of(built: Built, stuck: str = "", **mutation: int) -> Nrf52:
    """A chip with the board's pins."""
    return Nrf52(built.pins["led"], built.high, stuck, **mutation)
