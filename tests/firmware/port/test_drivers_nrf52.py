# SPDX-License-Identifier: Apache-2.0
"""The nRF52840's drivers on a fake chip: what they reach, and that no step may be missing or late."""

from __future__ import annotations

from functools import partial

import pytest

from tests.support.fake_chip import Drivers
from tests.support.fake_nrf52 import (
    APPROTECT_DISABLE,
    CLOCK,
    DCDCEN,
    PDM,
    POFCON,
    POFWARN,
    TIMER,
    UARTE,
    WDT,
    Nrf52,
)
from tests.support.mutants import as_good_late, attempt, name, unmissed
from tests.support.nrf52_drivers import (
    BLOCK,
    BOARDS,
    GAIN_AND_DCDC,
    SETTLING,
    SOUND,
    Built,
    build_nrf52,
    chip_of,
    deliver,
)


@pytest.fixture(scope="module", params=BOARDS)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build_nrf52(tmp_path_factory.mktemp(request.param), request.param)


def hear(built: Built, drivers: Drivers, chip: Nrf52, wrong: list[str]) -> None:
    """The second half of the scenario: the microphone."""

    def check(right: bool, what: str) -> None:
        if not right:
            wrong.append(what)

    registers = chip.registers
    chip.pass_time(16_000_001)
    check(drivers.listen(16000) is True, "no microphone")
    check(drivers.fault() is None, "time that passed before the start counts")
    expected = {
        0x504: 0x0A000000,
        0x508: 1,
        0x520: 1,
        0x518: built.gain,
        0x51C: built.gain,
        0x564: BLOCK,
        0x500: 1,
        0x300: 5,
    }
    expected |= {0x540: built.pins["microphone_clock"], 0x544: built.pins["microphone_data"]}
    for offset, value in expected.items():
        check(registers.get(PDM + offset) == value, f"PDM {offset:#x}: {registers.get(PDM + offset)}")
    if "microphone_power" in built.pins:
        check(chip.is_output(built.pins["microphone_power"], high=True), "the microphone has no power")
    deliver(drivers, chip)
    heard: list[int] = []
    for start in range(0, len(SOUND), BLOCK):
        if not wrong:
            chip.record(SOUND[start : start + BLOCK])
        deliver(drivers, chip)
        heard += drivers.heard()
    check(heard == SOUND[SETTLING:], "the sound is not what was recorded")
    check(not chip.left, "a block lies where the one before did")
    check(drivers.c.port_audio_lost() == 0, "samples were lost")
    drivers.c.watchdog_feed()
    check(registers.get(WDT + 0x600) == 0x6E524635, "the watchdog is not fed")


def scenario(built: Built, chip: Nrf52) -> list[str]:
    """Start, talk, listen: everything that went wrong."""
    drivers = built.drivers(chip)
    wrong: list[str] = []

    def check(right: bool, what: str) -> None:
        if not right:
            wrong.append(what)

    failed = drivers.start()
    check(failed is None, f"start: {failed}")
    registers = chip.registers
    check(chip.writes[:1] == [(APPROTECT_DISABLE, 0xFFFFFF5A)], "the debug port does not come first")
    check(chip.debug_port_open, "the debug port is closed")
    check(not chip.unguarded, "something is waited for before the watchdog runs")
    check(registers.get(POFCON) == 7 << 1 | 1, "the supply is not watched, at 2.0 V")
    check(registers.get(CLOCK + 0x300) == 1 << 2 and 0 in chip.enabled, "a failing supply tells nobody")
    check(registers.get(DCDCEN) == (1 if built.dcdc else None), "the converter")
    check(chip.crystal, "the crystal does not run")
    check(registers.get(0x4001E540) == 1, "the flash has no cache")
    expected = {
        0x508: 1 << 31,  # RTS and CTS disconnected, 8N1 without flow control
        0x510: 1 << 31,
        0x50C: built.pins["uart_tx"],
        0x514: built.pins["uart_rx"],
        0x524: 0x01D60000,  # 115200
        0x56C: 0,
        0x500: 8,
        0x300: 1 << 4 | 1 << 8 | 1 << 9,
    }
    for offset, value in expected.items():
        check(registers.get(UARTE + offset) == value, f"UARTE {offset:#x}: {registers.get(UARTE + offset)}")
    dog = {0x504: 8 * 32768 - 1, 0x508: 1, 0x50C: 1}
    for offset, value in dog.items():
        check(registers.get(WDT + offset) == value, f"WDT {offset:#x}")
    check(chip.dog, "the watchdog does not run")
    for second in (1, 2):
        chip.pass_time(1 << 24)
        check(registers.get(TIMER + 0x144) == 1, "a sleeping main loop is not woken")
        deliver(drivers, chip)
        check(registers.get(TIMER + 0x144) == 0, "the wake is not taken")
        check(drivers.c.port_ticks() == second << 24, "ticks")
    check(chip.level(built.pins["led"]) == 1, "the LED is still lit")
    check(chip._cnf(built.pins["led"]) == 3, "the LED has no output")
    check(chip._cnf(built.pins["uart_rx"]) >> 2 == 3, "RXD floats without a cable")

    drivers.send(b"x" * 8000)
    deliver(drivers, chip)
    drivers.send(b"two pieces around the wrap" * 20)
    deliver(drivers, chip)
    check(bytes(chip.sent) == b"x" * 8000 + b"two pieces around the wrap" * 20, "sent")
    for byte in b"status\n":
        chip.receive(byte)
        deliver(drivers, chip)
    check(drivers.received() == b"status\n", "received")
    for byte in b"1234567":  # one is in memory, five wait, the last finds no place
        chip.receive(byte)
    deliver(drivers, chip)
    check(drivers.received() == b"123456", "received late")
    check(drivers.c.port_serial_lost() == 1, "an overrun is not counted")
    chip.noise()
    deliver(drivers, chip)
    check(drivers.c.port_serial_lost() == 1, "noise counts as an overrun")
    check(registers.get(UARTE + 0x480) == 0, "an error stays")

    hear(built, drivers, chip, wrong)
    return wrong + chip.broken


def mutant(built: Built, **mutation: int) -> list[str]:
    """The scenario with a mutated driver."""
    return scenario(built, chip_of(built, "", **mutation))


def test_the_drivers_do_all_that_the_chip_asks_for(built: Built) -> None:
    assert scenario(built, chip_of(built)) == []


# A write whose absence changes nothing here, and why it is there.
MAY_BE_MISSING = {
    f"{UARTE + 0x120:#x}=0x0": "an old ENDTX is taken for the end of nothing; a reader need not know"
}
HANDLED = (
    UARTE,
    UARTE + 0x110,
    UARTE + 0x120,
    UARTE + 0x124,
    UARTE + 0x480,
    UARTE + 8,
    UARTE + 0x544,
    UARTE + 0x548,
    TIMER + 0x144,
    TIMER + 0x544,
    TIMER + 0x040,
)
HEARD = (PDM + 0x100, PDM + 0x108, PDM + 0x560)


def phases(built: Built) -> tuple[list[tuple[int, int]], int, int]:
    """All writes; how many of them port_start() does; where port_audio_start() ends."""
    chip = chip_of(built)
    drivers = built.drivers(chip)
    assert drivers.start() is None
    started = len(chip.writes)
    chip = chip_of(built)
    assert scenario(built, chip) == []
    listening = max(n for n, write in enumerate(chip.writes) if write == (PDM, 1)) + 1
    return chip.writes, started, listening


def test_no_step_may_be_missing(built: Built) -> None:
    writes, started, listening = phases(built)
    audio = min(n for n in range(started, listening) if writes[n][0] >> 12 == PDM >> 12)
    steps = [*range(started), *range(audio, listening)]
    assert unmissed(partial(mutant, built), writes, steps) == set(MAY_BE_MISSING)
    assert len(steps) > 45


@pytest.mark.parametrize("address", [*HANDLED, *HEARD], ids=hex)
def test_no_handler_may_lack_a_step(built: Built, address: int) -> None:
    _, started, listening = phases(built)
    start = listening if address in HEARD else started
    assert attempt(partial(mutant, built), never=address, start=start) != []


# Steps that may come after the act, and why.
MAY_BE_LATE = {
    **MAY_BE_MISSING,
    f"{UARTE + 0x124:#x}=0x0": "an old error asks for nothing before the interrupt is on",
    f"{UARTE + 0x304:#x}=0x310": "an interrupt that is on late is asked late",
    f"{UARTE + 0x480:#x}=0x1": "the same",
    f"{TIMER + 0x00C:#x}=0x1": "the count may begin anew at any time",
    f"{TIMER + 0x544:#x}=0x1000000": "the first wake is a second away",
    f"{TIMER + 0x304:#x}=0x20000": "as the UARTE's",
    **{
        f"{PDM + side:#x}={gain:#x}": "the gain may change at any time"
        for side in (0x518, 0x51C)
        for gain, _ in GAIN_AND_DCDC.values()
    },
    f"{PDM + 0x304:#x}=0x5": "as the UARTE's",
}


# In the clock's block, and none of its steps.
POWER = (APPROTECT_DISABLE, POFWARN, POFCON, DCDCEN, CLOCK + 0x304)


def acts(built: Built) -> dict[int, int]:
    """Block -> number of the write that sets it going."""
    writes, _, listening = phases(built)
    return {
        UARTE: writes.index((UARTE, 1)),
        CLOCK: writes.index((CLOCK, 1)),
        TIMER: writes.index((TIMER, 1)),
        WDT: writes.index((WDT, 1)),
        PDM: listening - 1,
    }


def test_no_step_may_come_behind_the_one_that_acts(built: Built) -> None:
    """Each is moved there."""
    writes, started, listening = phases(built)
    going = acts(built)
    audio = min(n for n in range(started, listening) if writes[n][0] >> 12 == PDM >> 12)
    steps = [*range(started), *range(audio, listening)]
    moved = [
        (n, act)
        for n in steps
        for block, act in going.items()
        if writes[n][0] & ~0xFFF == block and n < act and (block != PDM or n >= audio)
        if writes[n][0] not in POWER
    ]
    moved.append((writes.index((POFWARN, 0)), writes.index((CLOCK + 0x304, 1 << 2))))
    survivors = as_good_late(partial(mutant, built), writes, moved)
    assert survivors == set(MAY_BE_LATE) & {name(writes[n]) for n, _ in moved}
    assert len(moved) > 30
