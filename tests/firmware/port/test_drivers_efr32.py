# SPDX-License-Identifier: Apache-2.0
"""The EFR32's drivers on a fake chip: what they reach, and that no step may be missing or late."""

from __future__ import annotations

from functools import partial

import pytest

from tests.support.efr32_drivers import BLOCK, SETTLING, SOUND, Built, build_xg24, deliver
from tests.support.fake_chip import Drivers
from tests.support.fake_efr32 import (
    BOD3SENSE,
    CMU,
    DCDC,
    DPLL,
    EUSART,
    GPIO,
    HFXO,
    LDMA,
    MSC,
    RSTCTRL,
    USART,
    WDOG,
    Efr32,
)
from tests.support.mutants import as_good_late, attempt, name, unmissed


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build_xg24(tmp_path_factory.mktemp("xg24"))


def hear(built: Built, drivers: Drivers, chip: Efr32, wrong: list[str]) -> None:
    """The second half of the scenario: the microphone."""

    def check(right: bool, what: str) -> None:
        if not right:
            wrong.append(what)

    check(drivers.listen(16000) is True, "no microphone")
    check(chip.rate == 16000, f"{float(chip.rate)} samples a second")
    power, clock, select, data = (
        built.pins[f"microphone_{of}"] for of in ("power", "clock", "select", "data")
    )
    check(chip.mode(power) == 4 and chip.level(power) == 1, "the microphones have no power")
    check(chip.mode(clock) == chip.mode(select) == 4, "clock or WS drive nothing")
    check(chip.level(clock) == chip.level(select) == 0, "clock or WS do not begin low")
    check(chip.mode(data) == 1, "the data's pin is no input")
    routes = {0x724: 0x00050003, 0x730: 0x00040003, 0x734: 0x00030003}
    for offset, value in routes.items():
        check(chip.registers.get(GPIO + offset) == value, f"route {offset:#x}")
    heard: list[int] = []
    for number, sample in enumerate(SOUND, start=1):
        if not wrong:
            chip.frame(sample, -7)
        if number % BLOCK == 0:
            deliver(drivers, chip)
            heard += drivers.heard()
    check(heard == SOUND[SETTLING:], "the sound is not the left microphone's")
    check(drivers.c.port_audio_lost() == 0, "samples were lost")
    check(drivers.fault() is None, "a fault of the microphone")
    drivers.c.watchdog_feed()
    check(chip.feeds == 1, "the watchdog is not fed")


def scenario(built: Built, chip: Efr32) -> list[str]:
    """Start, talk, listen: everything that went wrong."""
    drivers = built.drivers(chip)
    wrong: list[str] = []

    def check(right: bool, what: str) -> None:
        if not right:
            wrong.append(what)

    failed = drivers.start()
    check(failed is None, f"start: {failed}")
    check(not chip.unguarded, "something is waited for before watchdog and lockup reset")
    check(chip.registers[RSTCTRL] == 0x60407 | 1 << 3 | 1 << 6 | 1 << 7, "lockup, AVDD or IOVDD do not reset")
    check(chip.registers[BOD3SENSE] == 3, "the detectors of AVDD and IOVDD are off")
    check(chip.regulates, "the converter does not supply the core")
    check(chip.registers[DCDC + 0x40] == 0, "DCDC stays open")
    check(chip.hertz == 73_728_000, f"the core runs at {chip.hertz}")
    check(chip.registers.get(MSC + 0x3C) == 0, "MSC stays open")
    check(chip.baud == 115200, f"{float(chip.baud)} baud")
    check(chip.registers.get(EUSART + 0x08) == 0, "not asynchronous with 16 samples a bit")
    check(chip.registers.get(EUSART + 0x0C) == 0, "an old CFG1")
    check(chip.registers.get(EUSART + 0x14) == 0x1002, "not 8N1")
    check(chip.registers.get(GPIO + 0x4AC) == 0x00050000, "TX is not PA05")
    check(chip.registers.get(GPIO + 0x4A4) == 0x00060000, "RX is not PA06")
    check(chip.mode(built.pins["uart_tx"]) == 4, "TX drives nothing")
    check(chip.level(built.pins["uart_tx"]) == 1, "TX does not idle high")
    check(chip.mode(built.pins["uart_rx"]) == 1, "RX is no input")
    check(chip.mode(built.pins["led"]) == 4, "the LED has no output")
    check(chip.level(built.pins["led"]) == 1, "the LED is still lit")
    check(chip.registers.get(WDOG + 8) == 1 << 1 | 10 << 16 | 3 << 24, "the watchdog's times")
    check(
        chip.bit(WDOG + 4, 0) and 42 in chip.enabled, "the watchdog does not run, or its warning is not heard"
    )

    drivers.send(b"sent by interrupts " * 20)
    deliver(drivers, chip)
    check(bytes(chip.sent) == b"sent by interrupts " * 20, f"sent {bytes(chip.sent)!r}")
    for byte in b"status\n":
        chip.receive(byte)
        deliver(drivers, chip)
    check(drivers.received() == b"status\n", "received")
    lost = drivers.c.port_serial_lost()
    for byte in b"sixteen bytes go, the rest does not":
        chip.receive(byte)
    deliver(drivers, chip)
    check(drivers.received() == b"sixteen bytes go", "received late")
    check(drivers.c.port_serial_lost() == lost + 1 == 1, "an overrun is not counted, or an old one is")

    hear(built, drivers, chip, wrong)
    return wrong + chip.broken


def mutant(built: Built, **mutation: int) -> list[str]:
    """The scenario with a mutated driver."""
    return scenario(built, built.chip("", **mutation))


def test_the_drivers_do_all_that_the_chip_asks_for(built: Built) -> None:
    assert scenario(built, built.chip()) == []


def phases(built: Built) -> tuple[list[tuple[int, int]], int, int, int]:
    """All writes; where port_start() ends; where port_audio_start() begins and ends."""
    chip = built.chip()
    assert built.drivers(chip).start() is None
    started = len(chip.writes)
    chip = built.chip()
    assert scenario(built, chip) == []
    power = built.pins["microphone_power"]
    on = (GPIO + 0x1000 + 0x40 + 0x30 * (power & 0xFFFF), 1 << (power >> 16))
    begins = chip.writes.index(on)
    ends = max(n for n, write in enumerate(chip.writes) if write == (USART + 0x14, 0b10101)) + 1
    return chip.writes, started, begins, ends


def levels(built: Built) -> dict[str, tuple[int, int]]:
    """Output pin -> the write of its level."""
    writes = {}
    for of, pin in built.pins.items():
        low = of in ("led", "microphone_clock", "microphone_select")
        if low or pin in (built.pins["uart_tx"], built.pins["microphone_power"]):
            writes[of] = (GPIO + (0x2040 if low else 0x1040) + 0x30 * (pin & 0xFFFF), 1 << (pin >> 16))
    return writes


def levels_twice(built: Built) -> set[str]:
    """Writes of a level, before the direction and after it: on silicon one of them is enough."""
    return {name(write) for write in levels(built).values()}


# Steps that may come after the act, and why.
MAY_BE_LATE = {
    f"{MSC + 0x3C:#x}=0x0": "the flash's registers may stay open",
    f"{DCDC + 0x40:#x}=0x0": "the converter's may, too",
    f"{RSTCTRL + 0x1000:#x}=0xc0": "the supplies are watched later",
    "0xe000e104=0x400": "the watchdog's warning is heard later",
    f"{LDMA + 0x1054:#x}=0x80000001": "an interrupt that is on late is asked late",
    "0xe000e100=0x200000": "the same",
}
HANDLED = (EUSART + 0x44, EUSART + 0x204C, EUSART + 0x1050, EUSART + 0x2050)
HEARD = (LDMA + 0x2050,)


def test_no_step_may_be_missing(built: Built) -> None:
    writes, started, begins, ends = phases(built)
    steps = [*range(started), *range(begins, ends)]
    assert unmissed(partial(mutant, built), writes, steps) == levels_twice(built)
    assert len(steps) > 100


def test_the_level_of_an_output_is_there_before_and_behind_its_direction(built: Built) -> None:
    """Before: no edge that nobody meant. After: Renode 1.16.1 drops what comes before."""

    def forgetful(**mutation: int) -> list[str]:
        return scenario(built, built.chip("forgetful", **mutation))

    assert forgetful() == []
    writes, _, _, ends = phases(built)
    for pin, write in levels(built).items():
        before, after = [n for n in range(ends) if writes[n] == write][:2]
        assert attempt(forgetful, drop=after) != [], pin
        if pin in ("uart_tx", "microphone_power"):
            assert attempt(partial(mutant, built), drop=before) != [], pin


@pytest.mark.parametrize("address", [*HANDLED, *HEARD], ids=hex)
def test_no_handler_may_lack_a_step(built: Built, address: int) -> None:
    _, started, _, ends = phases(built)
    start = ends if address in HEARD else started
    assert attempt(partial(mutant, built), never=address, start=start) != []


def test_no_step_may_come_behind_the_one_that_acts(built: Built) -> None:
    """Each is moved there: after the crystal's start, the PLL's, the switch, the watchdog's, the sound's."""
    writes, started, begins, ends = phases(built)
    acts = [
        writes.index((HFXO + 0x1028, 1 << 16)),
        writes.index((DPLL + 0x1004, 1)),
        writes.index((CMU + 0x70, 2 | 1 << 10 | 1 << 16)),
    ]
    moved = [(n, act) for n in range(acts[-1]) if (act := min(a for a in acts if a >= n)) > n]
    dog = writes.index((WDOG + 0x1004, 1))
    moved += [(n, dog) for n in range(dog) if writes[n][0] & ~0x3FFF == WDOG or writes[n][0] == CMU + 0x200]
    moved += [(n, ends - 1) for n in range(begins, ends - 1)]
    survivors = as_good_late(partial(mutant, built), writes, moved)
    assert survivors == set(MAY_BE_LATE) | levels_twice(built)
    assert len(moved) > 75
    assert started > dog
