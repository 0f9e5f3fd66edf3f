# SPDX-License-Identifier: Apache-2.0
"""The EFR32's drivers where something goes wrong, and what the microphones give."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.efr32_drivers import BLOCK, SETTLING, SOUND, Built, build_xg24, deliver
from tests.support.fake_chip import Drivers
from tests.support.fake_efr32 import DCDC, EMU, EUI64, HFXO, LDMA, USERDATA, WDOG, Efr32


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build_xg24(tmp_path_factory.mktemp("xg24"))


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
def test_a_clock_that_is_stuck_is_named_and_can_be_reported(built: Built, stuck: str, said: str) -> None:
    chip = built.chip(stuck)
    drivers = built.drivers(chip)
    assert drivers.start() == said
    assert chip.hertz == 20_000_000  # nothing after it was done
    if said != "serial line":
        drivers.c.port_emergency_write(b"it is told, at 115200 baud", 26)
        assert chip.sent == b"it is told, at 115200 baud"
        assert chip.broken == []


@pytest.mark.parametrize("stuck", ["dcdc", "vregin"])
def test_a_converter_that_does_not_come_up_is_switched_out(built: Built, stuck: str) -> None:
    chip = built.chip(stuck)
    assert built.drivers(chip).start() is None
    assert not chip.bit(DCDC + 4, 0)
    assert chip.registers[DCDC + 0x40] == 0
    assert chip.hertz == 73_728_000


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


@pytest.mark.parametrize("words", [1, 2, 7])
def test_listening_again_hears_the_left_microphone_wherever_the_clocks_stopped(
    built: Built, words: int
) -> None:
    drivers, chip, record = listening(built)
    record([1] * BLOCK)
    for _ in range(words):
        chip.word(2, 3)
    assert drivers.listen(16000) is True
    heard: list[int] = []
    for start in range(0, SETTLING + 4 * BLOCK, BLOCK):
        record(SOUND[start : start + BLOCK])
        heard += drivers.heard()
    assert heard == SOUND[SETTLING : SETTLING + 4 * BLOCK]
    assert chip.broken == []


def test_a_microphone_that_gives_nothing_is_reported(built: Built) -> None:
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


def test_a_heard_microphone_that_is_stuck_is_reported_whatever_the_other_hears(built: Built) -> None:
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
    drivers.c.watchdog_feed()
    assert chip.feeds == 0
    chip.registers[WDOG + 0x24] = 0
    drivers.c.watchdog_feed()
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
def test_the_reset_cause_is_read_and_cleared(built: Built, reasons: int, cause: str) -> None:
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


def test_the_chip_has_its_own_number(built: Built) -> None:
    """DEVINFO's EUI64L and EUI64H, as Simplicity Commander shows them: the high word first."""
    chip = built.chip()
    chip.registers |= {EUI64[0]: 0x9C6A0177, EUI64[1]: 0x842E14FF}
    assert built.drivers(chip).c.port_device_id() == 0x842E14FF9C6A0177
