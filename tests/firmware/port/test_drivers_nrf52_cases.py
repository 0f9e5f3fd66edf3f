# SPDX-License-Identifier: Apache-2.0
"""The nRF52840's drivers where something goes wrong, and what the microphone gives."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.fake_chip import Drivers
from tests.support.fake_nrf52 import APPROTECT_DISABLE, RESETREAS, UICR_APPROTECT, Nrf52
from tests.support.nrf52_drivers import BLOCK, BOARDS, SETTLING, SOUND, Built, build_nrf52, chip_of, deliver


@pytest.fixture(scope="module", params=BOARDS)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build_nrf52(tmp_path_factory.mktemp(request.param), request.param)


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
        assert chip.dog  # whatever hangs from here on ends in a reset
        assert chip.level(built.pins["led"]) == 0  # nothing after it was done
        drivers.c.port_emergency_write(b"it is told", 10)
        assert chip.sent == b"it is told"
        return
    assert failed is None
    assert drivers.listen(16000) is True
    assert drivers.listen(16000) == (said or True)


def test_a_bootloaders_uart_that_does_not_come_to_rest_is_not_waited_for(built: Built) -> None:
    chip = chip_of(built, "uart stop")
    assert built.drivers(chip).start() is None
    assert chip.reads < 1000
    assert chip.broken == []


@pytest.mark.parametrize(
    ("flashed", "open_"), [(0xFFFFFF5A, True), (0xFFFFFFFF, False), (0xFFFFFF00, False), (0, False)]
)
def test_the_debug_port_is_open_where_it_was_flashed_so(built: Built, flashed: int, open_: bool) -> None:
    chip = chip_of(built)
    chip.registers[UICR_APPROTECT] = flashed
    assert built.drivers(chip).start() is None
    assert chip.debug_port_open == open_
    assert chip.registers[APPROTECT_DISABLE] == flashed


def test_a_failing_supply_is_named(built: Built) -> None:
    chip = chip_of(built)
    drivers = built.drivers(chip)
    assert drivers.start() is None
    assert drivers.failing(drivers.c.power_handler) == "supply low"


def test_an_emergency_needs_no_interrupt_and_no_end(built: Built) -> None:
    chip = chip_of(built)
    drivers = built.drivers(chip)
    words = bytes(range(32, 127)) * 3
    drivers.c.port_emergency_write(words, len(words))  # before anything was started
    assert chip.sent == words
    stuck = chip_of(built, "uart")
    drivers = built.drivers(stuck)
    drivers.c.port_emergency_write(words, len(words))
    assert len(stuck.sent) == 64  # given up after the first piece
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


def test_a_microphone_without_data_is_reported_after_a_second(built: Built) -> None:
    drivers, chip, record = listening(built)
    chip.pass_time(16_000_000)
    assert drivers.fault() is None
    chip.pass_time(1)
    assert drivers.fault() == "microphone without data"
    record([1] * BLOCK)
    assert drivers.fault() is None


def test_a_line_that_never_changes_is_reported_after_ten_seconds(built: Built) -> None:
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
    [
        (0, "power"),
        (1, "pin"),
        (2, "watchdog"),
        (4, "software"),
        (8, "lockup"),
        (6, "watchdog"),
        (5, "pin"),
        (3, "pin"),
        (15, "pin"),
    ],
)
def test_the_reset_cause_is_read_once(built: Built, reasons: int, cause: str) -> None:
    chip = chip_of(built)
    chip.registers[RESETREAS] = reasons
    drivers = built.drivers(chip)
    assert drivers.c.reset_cause_of_chip().decode() == cause
    assert chip.registers[RESETREAS] == 0


def test_the_chip_has_its_own_number(built: Built) -> None:
    """FICR.DEVICEID[0] and [1] of the product specification, the second one first."""
    chip = chip_of(built)
    chip.registers |= {0x10000060: 0x89ABCDEF, 0x10000064: 0x01234567}
    assert built.drivers(chip).c.port_device_id() == 0x0123456789ABCDEF
