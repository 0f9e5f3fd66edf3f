# SPDX-License-Identifier: Apache-2.0
"""The MPS2 boards' UART and watchdog drivers on a fake chip: what QEMU's never does, and that no step may be
missing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.fake_chip import FAKE, Drivers, build_drivers, fresh
from tests.support.fake_mps2 import CONTROL, CTRL, INTSTATUS, LOAD, LOCK, LOCK_KEY, STATE, UART, Mps2
from tests.support.mutants import Scenario, attempt, unmissed


@dataclass
class Built:
    """The port's library, and copies of it."""

    library: Path
    folder: Path
    copies: int = 0

    def drivers(self, chip: Mps2) -> Drivers:
        """Fresh variables on this chip."""
        self.copies += 1
        return Drivers(fresh(self.library, self.folder, self.copies), chip)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("mps2")
    instead = {"memory_line.c": None, "microphone.c": FAKE.parent / "mps2_line.c"}
    return Built(build_drivers(folder, "mps2_an386", "mps2", instead=instead), folder)


def deliver(drivers: Drivers, chip: Mps2) -> None:
    """Interrupts that are asked for and enabled, one after the other."""
    handlers = {0: drivers.c.uart_rx_handler, 1: drivers.c.uart_tx_handler}
    for _ in range(1000):
        asked = {0: chip.registers[INTSTATUS] & 2, 1: chip.registers[INTSTATUS] & 1}
        due = [n for n in handlers if n in chip.enabled and (asked[n] or n in chip.pended)]
        if not due and not chip.full:
            return
        for number in due:
            chip.pended.discard(number)
            handlers[number]()
        if chip.full:
            chip.gone()
    chip.broken.append("an interrupt that never ends")


def scenario(built: Built, chip: Mps2) -> list[str]:
    """Start, talk: everything that went wrong."""
    drivers = built.drivers(chip)
    wrong: list[str] = []

    def check(right: bool, what: str) -> None:
        if not right:
            wrong.append(what)

    check(drivers.start() is None, "start")
    check(chip.writes[:1] == [(LOCK, LOCK_KEY)], "the watchdog does not come first")
    check(chip.registers[CTRL] == 0b1111, "the UART is not on, or asks for nothing")
    check(chip.registers.get(LOAD) == 30 * 25_000_000, "the watchdog's time")
    check(chip.registers.get(CONTROL) == 3, "the watchdog does not run")
    check(chip.registers[LOCK] == 0, "the watchdog stays open")
    drivers.send(b"sent by interrupts " * 20)
    deliver(drivers, chip)
    check(bytes(chip.sent) == b"sent by interrupts " * 20, f"sent {bytes(chip.sent)!r}")
    for byte in b"status\n":
        chip.receive(byte)
        deliver(drivers, chip)
    check(drivers.received() == b"status\n", "received")
    chip.receive(1)
    chip.receive(2)
    deliver(drivers, chip)
    check(drivers.received() == b"\2", "received late")
    check(drivers.c.port_serial_lost() == 1, "an overrun is not counted")
    chip.receive(3)
    deliver(drivers, chip)
    check(drivers.c.port_serial_lost() == 1, "an overrun is counted twice")
    drivers.c.watchdog_feed()
    check(chip.feeds == 1, "the watchdog is not fed")
    check(chip.registers[LOCK] == 0, "the watchdog stays open after its feed")
    return wrong + chip.broken


def mutant_of(built: Built) -> Scenario:
    """The scenario with a mutated driver."""

    def mutant(**mutation: int) -> list[str]:
        return scenario(built, Mps2("", **mutation))

    return mutant


def test_the_drivers_do_all_that_the_board_asks_for(built: Built) -> None:
    assert scenario(built, Mps2()) == []


def test_no_step_may_be_missing(built: Built) -> None:
    chip = Mps2()
    assert built.drivers(chip).start() is None
    started = len(chip.writes)
    chip = Mps2()
    assert scenario(built, chip) == []
    feed = range(len(chip.writes) - 3, len(chip.writes))
    assert unmissed(mutant_of(built), chip.writes, [*range(started), *feed]) == set()
    assert started > 7


@pytest.mark.parametrize("address", [UART, STATE, INTSTATUS], ids=hex)
def test_no_handler_may_lack_a_step(built: Built, address: int) -> None:
    chip = Mps2()
    assert built.drivers(chip).start() is None
    assert attempt(mutant_of(built), never=address, start=len(chip.writes)) != []


def test_an_emergency_needs_no_interrupt(built: Built) -> None:
    chip = Mps2()
    drivers = built.drivers(chip)
    assert drivers.start() is None
    drivers.c.port_emergency_write(b"told", 4)
    assert chip.sent == b"told"
    assert chip.registers[CTRL] == 1


def test_an_emergency_on_a_line_that_takes_nothing_is_given_up_for_good(built: Built) -> None:
    chip = Mps2("line")
    drivers = built.drivers(chip)
    assert drivers.start() is None
    drivers.c.port_emergency_write(b"not told", 8)
    assert chip.sent == b"n"
    reads, chip.stuck, chip.full = chip.reads, "", False
    drivers.c.port_emergency_write(b"not either", 10)
    assert (bytes(chip.sent), chip.reads) == (b"n", reads)
