"""The MPS2 boards' UART driver on registers in memory: what QEMU's never does."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

import pytest

from tests.support.compile import FIRMWARE, WARNINGS, protocol_table
from tests.support.fake_chip import FAKE
from tests.support.tools import need_tool

BOARD = """
#include <stdint.h>
extern volatile uint32_t fake_uart[5];
#define BOARD_UART_BASE   ((uintptr_t)fake_uart)
#define BOARD_CLOCK_HZ    25000000
#define BOARD_UART_BAUD   115200
#define BOARD_UART_RX_IRQ 0
#define BOARD_UART_TX_IRQ 1
"""
DATA, STATE = 0, 1
TX_FULL = 1


@pytest.fixture
def uart(tmp_path: Path) -> ctypes.CDLL:
    (tmp_path / "board.h").write_text(BOARD)
    protocol_table(tmp_path)
    files = [FAKE.parent / "mps2_uart.c", FIRMWARE / "port" / "mps2" / "uart.c"]
    words = [*WARNINGS, "-O1", "-fPIC", "-shared", f"-I{FAKE}", f"-I{FIRMWARE}", f"-I{tmp_path}"]
    words += [*map(str, files), "-o", str(tmp_path / "uart.so")]
    done = subprocess.run([need_tool("gcc"), *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return ctypes.CDLL(str(tmp_path / "uart.so"))


def test_an_emergency_on_a_line_that_takes_nothing_is_given_up_for_good(uart: ctypes.CDLL) -> None:
    registers = (ctypes.c_uint32 * 5).in_dll(uart, "fake_uart")
    uart.uart_emergency_write(b"told", ctypes.c_size_t(4))
    assert registers[DATA] == ord("d")
    registers[STATE] = TX_FULL
    uart.uart_emergency_write(b"not told", ctypes.c_size_t(8))
    registers[STATE] = 0
    uart.uart_emergency_write(b"not either", ctypes.c_size_t(10))
    assert registers[DATA] == ord("d")
