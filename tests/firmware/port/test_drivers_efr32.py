"""The EFR32's drivers on a fake chip: what they reach, and that no step may be missing or late."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from codegen.board.description import load_board
from tests.support.fake_chip import Drivers, build_drivers, fresh
from tests.support.fake_efr32 import (
    CMU,
    DPLL,
    EMU,
    EUI64,
    EUSART,
    GPIO,
    HFXO,
    LDMA,
    MSC,
    USART,
    USERDATA,
    WDOG,
    Efr32,
)
from tests.support.mutants import as_good_late, attempt, unmissed

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


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("xg24")
    pins = {name: pin.port | pin.number << 16 for name, pin in load_board("xg24").pins}
    # The watchdog's interrupt ends in the core's fault handler, which is not here.
    return Built(build_drivers(folder, "xg24", "efr32"), folder, pins)


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
    drivers.c.port_alive()
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


# Steps that may come behind the act, and why.
MAY_BE_LATE = {
    f"{MSC + 0x3C:#x}=0x0": "the flash's registers may stay open",
    f"{LDMA + 0x1054:#x}=0x80000001": "an interrupt that is on late is asked late",
    "0xe000e100=0x200000": "the same",
}
HANDLED = (EUSART + 0x44, EUSART + 0x204C, EUSART + 0x1050, EUSART + 0x2050)
HEARD = (LDMA + 0x2050,)


def test_no_step_may_be_missing(built: Built) -> None:
    writes, started, begins, ends = phases(built)
    steps = [*range(started), *range(begins, ends)]
    assert unmissed(partial(mutant, built), writes, steps) == set()
    assert len(steps) > 85


@pytest.mark.parametrize("address", [*HANDLED, *HEARD], ids=hex)
def test_no_handler_may_lack_a_step(built: Built, address: int) -> None:
    _, started, _, ends = phases(built)
    start = ends if address in HEARD else started
    assert attempt(partial(mutant, built), never=address, start=start) != []


def test_no_step_may_come_behind_the_one_that_acts(built: Built) -> None:
    """Each is moved there: behind the crystal's start, the PLL's, the switch, the watchdog's, the sound's."""
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
    assert survivors == set(MAY_BE_LATE)
    assert len(moved) > 75
    assert started > dog


# Waits that run out


@pytest.mark.parametrize(
    ("stuck", "said"),
    [
        ("uart stop", "serial line"),
        ("uart", "serial line"),
        ("uart on", "serial line"),
        ("crystal stop", "crystal stop"),
        ("crystal", "crystal start"),
        ("pll stop", "PLL stop"),
        ("oscillator", "oscillator"),
        ("pll", "PLL lock"),
    ],
)
def test_a_clock_that_is_stuck_is_named_and_can_be_told(built: Built, stuck: str, said: str) -> None:
    chip = built.chip(stuck)
    drivers = built.drivers(chip)
    assert drivers.start() == said
    assert chip.hertz == 20_000_000  # nothing behind it was done
    if said != "serial line":
        drivers.c.port_emergency_write(b"it is told, at 115200 baud", 26)
        assert chip.sent == b"it is told, at 115200 baud"
        assert chip.broken == []


def test_a_dma_engine_that_does_not_stop_is_named(built: Built) -> None:
    drivers = built.drivers(built.chip("dma"))
    assert drivers.start() is None
    assert drivers.listen(16000) is True
    assert drivers.listen(16000) == "microphone stop"


def test_an_emergency_needs_no_start_and_no_end(built: Built) -> None:
    words = bytes(range(32, 127)) * 3
    chip = built.chip()
    built.drivers(chip).c.port_emergency_write(words, len(words))
    assert chip.sent == words
    assert chip.broken == []
    stuck = built.chip("line")
    drivers = built.drivers(stuck)
    drivers.c.port_emergency_write(words, len(words))
    assert len(stuck.sent) == 16  # given up when nothing went out
    reads, stuck.stuck = stuck.reads, ""
    drivers.c.port_emergency_write(words, len(words))
    assert (len(stuck.sent), stuck.reads) == (16, reads)  # for good, and without a wait


# The microphones


def listening(built: Built) -> tuple[Drivers, Efr32, Callable[[list[int]], None]]:
    chip = built.chip()
    drivers = built.drivers(chip)
    assert drivers.start() is None
    assert drivers.listen(16000) is True

    def record(samples: list[int]) -> None:
        for sample in samples:
            chip.frame(sample, 1234)
        deliver(drivers, chip)

    return drivers, chip, record


def test_another_rate_is_refused(built: Built) -> None:
    chip = built.chip()
    assert built.drivers(chip).listen(8000) is False
    assert chip.writes == []


@pytest.mark.parametrize("blocks", [30, 31, 33, 65])
def test_what_was_overwritten_is_counted_and_the_rest_is_whole(built: Built, blocks: int) -> None:
    drivers, chip, record = listening(built)
    for start in range(0, SETTLING, BLOCK):
        record(SOUND[start : start + BLOCK])
    sound = [n % 30011 for n in range(blocks * BLOCK)]
    for start in range(0, len(sound), BLOCK):
        record(sound[start : start + BLOCK])
    heard = drivers.heard()
    assert (
        drivers.c.port_audio_lost() == max(0, blocks - 30) * BLOCK
    )  # 32 blocks, of which the engine owns two
    assert heard == sound[len(sound) - len(heard) :]
    assert len(heard) == min(blocks, 30) * BLOCK
    assert chip.broken == []


def test_listening_again_starts_afresh(built: Built) -> None:
    drivers, chip, record = listening(built)
    record([1] * (BLOCK + 5))  # in the middle of a block
    assert drivers.listen(16000) is True
    heard: list[int] = []
    for start in range(0, SETTLING + 4 * BLOCK, BLOCK):
        record(SOUND[start : start + BLOCK])
        heard += drivers.heard()
    assert heard == SOUND[SETTLING : SETTLING + 4 * BLOCK]
    assert chip.broken == []


def test_a_microphone_that_gives_nothing_is_told(built: Built) -> None:
    drivers, chip, record = listening(built)
    drivers.c.fake_set_ticks(73_728_001)
    assert drivers.fault() == "microphone without data"
    for _ in range(SETTLING // BLOCK):
        record([1] * BLOCK)
    assert drivers.fault() is None
    assert drivers.heard() == []
    chip.registers[LDMA + 0x50] |= 1 << 31
    deliver(drivers, chip)
    assert drivers.fault() == "microphone DMA"
    assert drivers.heard() == []  # an error is no block


def test_a_heard_microphone_that_is_stuck_is_told_whatever_the_other_hears(built: Built) -> None:
    drivers, chip, _ = listening(built)
    for block in range((SETTLING + 160_000) // BLOCK):
        for n in range(BLOCK):
            chip.frame(-1, n)
        deliver(drivers, chip)
        drivers.heard()
        if block % 200 == 0:
            assert drivers.fault() is None
    assert drivers.fault() is None
    for n in range(BLOCK):
        chip.frame(-1, n)
    deliver(drivers, chip)
    drivers.heard()
    assert drivers.fault() == "microphone line stuck"


def test_the_watchdog_is_not_fed_while_it_still_takes_the_last_feed(built: Built) -> None:
    chip = built.chip()
    drivers = built.drivers(chip)
    assert drivers.start() is None
    chip.registers[WDOG + 0x24] = 1
    drivers.c.port_alive()
    assert chip.feeds == 0
    chip.registers[WDOG + 0x24] = 0
    drivers.c.port_alive()
    assert chip.feeds == 1


@pytest.mark.parametrize(
    ("reasons", "cause"),
    [
        (1 | 0x3F << 7, "power"),
        (2, "pin"),
        (8, "watchdog"),
        (1 << 5, "lockup"),
        (1 << 6, "software"),
        (1 << 9, "brown-out"),
    ],
)
def test_the_reset_cause_is_told_and_cleared(built: Built, reasons: int, cause: str) -> None:
    chip = built.chip()
    chip.registers[EMU + 0x94] = reasons
    assert built.drivers(chip).c.reset_cause_of_chip().decode() == cause
    assert chip.writes == [(EMU + 0x70, 1 << 17)]


@pytest.mark.parametrize(("token", "xi", "xo"), [(0xFFFF, 140, 180), (0x0090, 144, 184), (0x00F0, 240, 255)])
def test_the_crystal_is_tuned_as_the_board_says(built: Built, token: int, xi: int, xo: int) -> None:
    chip = built.chip()
    chip.registers[USERDATA] = token
    built.drivers(chip).start()
    assert (HFXO + 0x18, 60 | xi << 8 | xo << 16 | 3 << 24) in chip.writes


def test_the_chip_is_told_by_its_own_number(built: Built) -> None:
    """DEVINFO's EUI64L and EUI64H, as Simplicity Commander shows them: the high word first."""
    chip = built.chip()
    chip.registers |= {EUI64[0]: 0x9C6A0177, EUI64[1]: 0x842E14FF}
    assert built.drivers(chip).c.port_device_id() == 0x842E14FF9C6A0177
