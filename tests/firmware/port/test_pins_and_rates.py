# SPDX-License-Identifier: Apache-2.0
"""Pins that a board names, and other rates of the serial line, on fake chips."""

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest

from codegen.board.description import load_board
from tests.support.efr32_drivers import build_xg24
from tests.support.fake_chip import FAKE, Drivers, build_drivers, fresh
from tests.support.fake_efr32 import EUSART
from tests.support.fake_mps2 import BAUDDIV, Mps2
from tests.support.fake_nrf52 import UARTE
from tests.support.nrf52_drivers import BOARDS, build_nrf52, chip_of

FPGAIO_LEDS, FPGAIO_MISC = 0x40028000, 0x4002804C


class Pin(ctypes.Structure):
    """port_pin_t."""

    _fields_ = (("port", ctypes.c_uint8), ("number", ctypes.c_uint8))


def pins(board: str) -> dict[str, Pin]:
    return {name: Pin(at.port, at.number) for name, at in load_board(board).pins if "mlperf" in name}


def rate(drivers: Drivers, baud: int) -> bool:
    """port_serial_rate()."""
    drivers.c.port_serial_rate.restype = ctypes.c_bool
    return bool(drivers.c.port_serial_rate(ctypes.c_uint32(baud)))


@pytest.mark.parametrize("board", BOARDS)
def test_the_nrf52_drives_pins_and_has_three_rates(tmp_path: Path, board: str) -> None:
    built = build_nrf52(tmp_path, board)
    chip = chip_of(built)
    drivers = built.drivers(chip)
    assert drivers.start() is None
    for name, pin in pins(board).items():
        selected = built.pins[name]
        assert not chip.is_output(selected, high=True)
        for high in (True, False, True):
            call = drivers.c.port_pin_output if high else drivers.c.port_pin_level
            call(pin, ctypes.c_bool(high))
            assert chip.is_output(selected, high=high)
    for baud, code in ((9600, 0x275000), (1_000_000, 0x10000000), (115200, 0x1D60000)):
        assert rate(drivers, baud)
        assert (chip.registers[UARTE + 0x524], chip.registers[UARTE + 0x500]) == (code, 8)
        chip.receive(ord("%"))
        drivers.c.uart_handler()
        assert drivers.received() == b"%"
    assert not rate(drivers, 921600)
    assert chip.registers[UARTE + 0x524] == 0x1D60000
    assert chip.broken == []


def test_the_efr32_drives_pins_and_has_rates_that_divide_its_clock(tmp_path: Path) -> None:
    built = build_xg24(tmp_path)
    chip = built.chip()
    drivers = built.drivers(chip)
    assert drivers.start() is None
    for name, pin in pins("xg24").items():
        selected = built.pins[name]
        for high in (True, False, True):
            call = drivers.c.port_pin_output if high else drivers.c.port_pin_level
            call(pin, ctypes.c_bool(high))
            assert (chip.mode(selected), chip.level(selected)) == (4, high)
    for baud in (9600, 921600, 115200):
        assert rate(drivers, baud)
        divider = chip.registers[EUSART + 0x30]
        assert (divider + 256) * baud == 16 * load_board("xg24").clock_hz
        assert divider & ~0x7FFFF8 == 0
    for baud in (9601, 1_000_000, 5_000_000, 100):
        assert not rate(drivers, baud)
        assert chip.registers[EUSART + 0x30] == divider
    assert chip.broken == []


def test_the_mps2_drives_leds_and_misc_and_any_rate_down_to_a_divider_of_16(tmp_path: Path) -> None:
    class Board(Mps2):
        """With FPGAIO."""

        def write(self, address: int, value: int) -> None:
            if FPGAIO_LEDS <= address <= FPGAIO_MISC:
                self.registers[address] = value
            else:
                super().write(address, value)

    instead = {"memory_line.c": None, "microphone.c": FAKE.parent / "mps2_line.c"}
    library = build_drivers(tmp_path, "mps2_an386", "mps2", instead=instead)
    chip = Board()
    drivers = Drivers(fresh(library, tmp_path, 1), chip)
    assert drivers.start() is None
    chip.registers |= {FPGAIO_LEDS: 0, FPGAIO_MISC: 0x41}
    named = pins("mps2_an386")
    drivers.c.port_pin_output(named["mlperf_timestamp"], ctypes.c_bool(True))
    drivers.c.port_pin_output(named["mlperf_detected"], ctypes.c_bool(True))
    drivers.c.port_pin_level(named["mlperf_processing"], ctypes.c_bool(True))
    assert (chip.registers[FPGAIO_LEDS], chip.registers[FPGAIO_MISC]) == (3, 0x141)
    drivers.c.port_pin_level(named["mlperf_timestamp"], ctypes.c_bool(False))
    drivers.c.port_pin_level(named["mlperf_detected"], ctypes.c_bool(False))
    assert (chip.registers[FPGAIO_LEDS], chip.registers[FPGAIO_MISC]) == (2, 0x41)
    assert rate(drivers, 9600)
    assert chip.registers[BAUDDIV] == 25_000_000 // 9600
    assert not rate(drivers, 25_000_000 // 15)
    assert chip.registers[BAUDDIV] == 25_000_000 // 9600
    assert chip.broken == []
