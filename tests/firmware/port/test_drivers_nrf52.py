"""The nRF52840's drivers on a fake chip: what they reach, and that no step may be missing or late."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from codegen.board.description import load_board
from tests.support.fake_chip import Drivers, build_drivers, fresh
from tests.support.fake_nrf52 import CLOCK, PDM, RESETREAS, TIMER, UARTE, WDT, Nrf52
from tests.support.mutants import as_good_late, attempt, name, unmissed

BLOCK = 128
SETTLING = 4096
SOUND = [(37 * n * n + 11 * n) % 60001 - 30000 for n in range(SETTLING + 40 * BLOCK)]

BOARDS = ("nrf52840dk", "nano33ble")


@dataclass
class Built:
    """A port's library, and copies of it."""

    library: Path
    folder: Path
    pins: dict[str, int]  # as the peripherals select them
    copies: int = 0

    @property
    def high(self) -> tuple[int, ...]:
        """Pins that the drivers must set."""
        return tuple(self.pins[name] for name in ("uart_tx", "microphone_power") if name in self.pins)

    def drivers(self, chip: Nrf52) -> Drivers:
        """Fresh variables on this chip."""
        self.copies += 1
        return Drivers(fresh(self.library, self.folder, self.copies), chip)


@pytest.fixture(scope="module", params=BOARDS)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp(request.param)
    pins = {name: pin.port << 5 | pin.number for name, pin in load_board(request.param).pins}
    return Built(build_drivers(folder, request.param, "nrf52"), folder, pins)


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


def hear(built: Built, drivers: Drivers, chip: Nrf52, wrong: list[str]) -> None:
    """The second half of the scenario: the microphone."""

    def check(right: bool, what: str) -> None:
        if not right:
            wrong.append(what)

    registers = chip.registers
    chip.pass_time(16_000_001)
    check(drivers.listen(16000) is True, "no microphone")
    check(drivers.fault() is None, "time that passed before the start counts")
    expected = {0x504: 0x0A000000, 0x508: 1, 0x520: 1, 0x518: 40, 0x51C: 40, 0x564: BLOCK, 0x500: 1, 0x300: 5}
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
    drivers.c.port_alive()
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


def chip_of(built: Built, stuck: str = "", **mutation: int) -> Nrf52:
    """A chip with the board's pins."""
    return Nrf52(built.pins["led"], built.high, stuck, **mutation)


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


# Steps that may come behind the act, and why.
MAY_BE_LATE = {
    **MAY_BE_MISSING,
    f"{UARTE + 0x124:#x}=0x0": "an old error asks for nothing before the interrupt is on",
    f"{UARTE + 0x304:#x}=0x310": "an interrupt that is on late is asked late",
    f"{UARTE + 0x480:#x}=0x1": "the same",
    f"{TIMER + 0x00C:#x}=0x1": "the count may begin anew at any time",
    f"{TIMER + 0x544:#x}=0x1000000": "the first wake is a second away",
    f"{TIMER + 0x304:#x}=0x20000": "as the UARTE's",
    f"{PDM + 0x518:#x}=0x28": "the gain may change at any time",
    f"{PDM + 0x51C:#x}=0x28": "the same",
    f"{PDM + 0x304:#x}=0x5": "as the UARTE's",
}


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
    ]
    survivors = as_good_late(partial(mutant, built), writes, moved)
    assert survivors == set(MAY_BE_LATE) & {name(writes[n]) for n, _ in moved}
    assert len(moved) > 30


# Waits that run out


@pytest.mark.parametrize(
    ("stuck", "said"), [("crystal", "high-frequency crystal"), ("pdm", "microphone stop"), ("", None)]
)
def test_a_wait_that_runs_out_is_named(built: Built, stuck: str, said: str | None) -> None:
    chip = chip_of(built, stuck)
    drivers = built.drivers(chip)
    failed = drivers.start()
    if stuck == "crystal":
        assert failed == said
        assert not chip.dog  # nothing behind it was done
        drivers.c.port_emergency_write(b"it is told", 10)
        assert chip.sent == b"it is told"
        return
    assert failed is None
    assert drivers.listen(16000) is True
    assert drivers.listen(16000) == (said or True)


def test_an_emergency_needs_no_interrupt_and_no_end(built: Built) -> None:
    chip = chip_of(built)
    drivers = built.drivers(chip)
    words = bytes(range(32, 127)) * 3
    drivers.c.port_emergency_write(words, len(words))  # before anything was started
    assert chip.sent == words
    stuck = chip_of(built, "uart")
    drivers = built.drivers(stuck)
    drivers.c.port_emergency_write(words, len(words))
    assert len(stuck.sent) == 64  # given up behind the first piece
    reads, stuck.stuck = stuck.reads, ""
    drivers.c.port_emergency_write(words, len(words))
    assert (len(stuck.sent), stuck.reads) == (64, reads)  # for good, and without a wait


def test_an_emergency_gives_up_behind_a_piece_that_does_not_go_out(built: Built) -> None:
    chip = chip_of(built, "uart")
    drivers = built.drivers(chip)
    assert drivers.start() is None
    drivers.send(b"x" * 100)
    drivers.c.uart_handler()
    drivers.c.port_emergency_write(b"not told", 8)
    reads = chip.reads
    drivers.c.port_emergency_write(b"not told", 8)
    assert (bytes(chip.sent), chip.reads) == (b"x" * 100, reads)


def test_an_emergency_waits_for_the_piece_under_way(built: Built) -> None:
    chip = chip_of(built, "slow")
    drivers = built.drivers(chip)
    assert drivers.start() is None
    drivers.send(b"x" * 100)
    drivers.c.uart_handler()
    drivers.c.port_emergency_write(b"it is told", 10)
    assert chip.sent == b"x" * 100 + b"it is told"
    assert chip.broken == []


# The microphone


def listening(built: Built) -> tuple[Drivers, Nrf52, Callable[[list[int]], None]]:
    chip = chip_of(built)
    drivers = built.drivers(chip)
    assert drivers.start() is None
    assert drivers.listen(16000) is True
    deliver(drivers, chip)

    def record(samples: list[int]) -> None:
        chip.record(samples)
        deliver(drivers, chip)

    return drivers, chip, record


@pytest.mark.parametrize("rate", [8000, 15999, 16001, 48000])
def test_another_rate_is_refused(built: Built, rate: int) -> None:
    chip = chip_of(built)
    assert built.drivers(chip).listen(rate) is False
    assert chip.writes == []


@pytest.mark.parametrize("blocks", [30, 31, 33, 64, 65, 200])
def test_what_was_overwritten_is_counted_and_the_rest_is_whole(built: Built, blocks: int) -> None:
    drivers, chip, record = listening(built)
    for start in range(0, SETTLING, BLOCK):
        record(SOUND[start : start + BLOCK])
    sound = [n % 30011 for n in range(blocks * BLOCK)]
    for start in range(0, len(sound), BLOCK):
        record(sound[start : start + BLOCK])
    heard = drivers.heard()
    lost = drivers.c.port_audio_lost()
    assert lost == max(0, blocks - 30) * BLOCK  # 32 blocks, of which the engine owns two
    assert heard == sound[lost:]
    assert not chip.broken


def test_listening_again_starts_afresh(built: Built) -> None:
    drivers, chip, record = listening(built)
    record([1] * BLOCK)
    assert drivers.listen(16000) is True
    deliver(drivers, chip)
    heard = []
    for start in range(0, SETTLING + 4 * BLOCK, BLOCK):
        record(SOUND[start : start + BLOCK])
        heard += drivers.heard()
    assert heard == SOUND[SETTLING : SETTLING + 4 * BLOCK]
    assert chip.broken == []


def test_a_microphone_without_data_is_told_after_a_second(built: Built) -> None:
    drivers, chip, record = listening(built)
    chip.pass_time(16_000_000)
    assert drivers.fault() is None
    chip.pass_time(1)
    assert drivers.fault() == "microphone without data"
    record([1] * BLOCK)
    assert drivers.fault() is None


def test_a_line_that_never_changes_is_told_after_ten_seconds(built: Built) -> None:
    drivers, _, record = listening(built)
    for block in range(SETTLING // BLOCK + 1250):
        record([-1] * BLOCK)
        drivers.heard()
        if block % 100 == 0:
            assert drivers.fault() is None
    record([-1] * BLOCK)
    drivers.heard()
    assert drivers.fault() == "microphone line stuck"
    assert drivers.listen(16000) is True
    assert drivers.fault() is None  # it may have been mended
    record([5] * BLOCK)
    drivers.heard()
    assert drivers.fault() is None


@pytest.mark.parametrize(
    ("reasons", "cause"),
    [(0, "power"), (1, "pin"), (2, "watchdog"), (4, "software"), (8, "lockup"), (6, "watchdog"), (5, "pin")],
)
def test_the_reset_cause_is_told_once(built: Built, reasons: int, cause: str) -> None:
    chip = chip_of(built)
    chip.registers[RESETREAS] = reasons
    drivers = built.drivers(chip)
    assert drivers.c.reset_cause_of_chip().decode() == cause
    assert chip.registers[RESETREAS] == 0
