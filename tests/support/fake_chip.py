# SPDX-License-Identifier: Apache-2.0
"""A chip of registers for drivers compiled for this computer: what they do is recorded and judged."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from codegen.board.description import load_board
from codegen.emit.board import board_sources
from tests.support.compile import FIRMWARE, WARNINGS, protocol_table
from tests.support.tools import need_tool

FAKE = Path(__file__).parent / "fake"
NVIC_ENABLE, NVIC_PEND = 0xE000E100, 0xE000E200

_READER = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_uint32)
_WRITER = ctypes.CFUNCTYPE(None, ctypes.c_uint32, ctypes.c_uint32)


class BrokenRuleError(Exception):
    """A driver did what the chip's manual forbids."""


class Chip:
    """Registers that remember, and rules of the chip in its subclasses: read() and write().

    Mutations of the driver prove that the rules bite, each as if its source had been changed so: write number
    `drop` does not happen; write number `late` happens after number `until`; no write to the address
    `never` happens after the first `start` ones, as when a handler lacks a step.
    """

    def __init__(
        self,
        *,
        drop: int | None = None,
        late: int | None = None,
        until: int = 0,
        never: int | None = None,
        start: int = 0,
    ) -> None:
        self.registers: dict[int, int] = {}
        self.writes: list[tuple[int, int]] = []  # address, value
        self.reads = 0
        self.broken: list[str] = []
        self.enabled: set[int] = set()  # interrupts
        self.pended: set[int] = set()
        self._drop, self._late, self._until = drop, late, until
        self._never, self._start = never, start
        self._held: tuple[int, int] | None = None
        self.memory: Callable[
            [int, int], memoryview
        ]  # address, size -> the bytes there, to be read and written

    # What the drivers call

    def on_read(self, address: int) -> int:
        """A read by the driver."""
        self.reads += 1
        try:
            return self.read(address) & 0xFFFFFFFF
        except BrokenRuleError as error:
            self.broken.append(str(error))
            return 0

    def on_write(self, address: int, value: int) -> None:
        """A write by the driver."""
        number = len(self.writes)
        self.writes.append((address, value))
        if number == self._drop or (address == self._never and number >= self._start):
            return
        if number == self._late:
            self._held = (address, value)
            return
        self._do(address, value)
        if self._held is not None and number >= self._until:
            held, self._held = self._held, None
            self._do(*held)

    def _do(self, address: int, value: int) -> None:
        try:
            if NVIC_ENABLE <= address < NVIC_ENABLE + 64:
                self.enabled |= _bits(address - NVIC_ENABLE, value)
            elif NVIC_PEND <= address < NVIC_PEND + 64:
                self.pended |= _bits(address - NVIC_PEND, value)
            else:
                self.write(address, value)
        except BrokenRuleError as error:
            self.broken.append(str(error))

    # What a chip is

    def read(self, address: int) -> int:
        """The register's value."""
        return self.registers.get(address, 0)

    def write(self, address: int, value: int) -> None:
        """The register takes the value."""
        self.registers[address] = value

    def need(self, rule: bool, what: str) -> None:
        """A rule of the manual."""
        if not rule:
            raise BrokenRuleError(what)


def _bits(offset: int, value: int) -> set[int]:
    return {8 * offset + bit for bit in range(32) if value >> bit & 1}


class Drivers:
    """A port's C on a fake chip. Each has its own copy of the library, so its own variables."""

    def __init__(self, library: Path, chip: Chip) -> None:
        self.c = ctypes.CDLL(str(library))
        self.chip = chip
        self._reader, self._writer = _READER(chip.on_read), _WRITER(chip.on_write)
        self.c.fake_connect(self._reader, self._writer)
        self.c.fake_memory.restype = ctypes.c_size_t
        self.c.fake_port_start.restype = ctypes.c_char_p
        self.c.fake_audio_start.restype = ctypes.c_char_p
        self.c.fake_call.restype = ctypes.c_char_p
        self.c.reset_cause_of_chip.restype = ctypes.c_char_p
        self.c.fake_audio_fault.restype = ctypes.c_char_p
        self.c.port_ticks.restype = ctypes.c_uint32
        self.c.port_device_id.restype = ctypes.c_uint64
        self.c.port_serial_lost.restype = ctypes.c_uint32
        self.c.port_write_capacity.restype = ctypes.c_size_t
        self.c.port_read.restype = ctypes.c_size_t
        self.c.port_audio_read.restype = ctypes.c_size_t
        chip.memory = self._memory

    def _memory(self, address: int, size: int) -> memoryview:
        chip = self.chip
        chip.need(0x20000000 <= address < 0x20200000, f"a DMA engine reaches RAM alone, not {address:#x}")
        place = self.c.fake_memory(ctypes.c_uint32(address))
        return memoryview((ctypes.c_ubyte * size).from_address(place)).cast("B")

    def start(self) -> str | None:
        """port_start(); the wait that ran out, if one did."""
        failed = self.c.fake_port_start()
        return failed.decode() if failed else None

    def listen(self, rate: int) -> str | bool:
        """port_audio_start(); or the wait that ran out."""
        started = ctypes.c_bool()
        failed = self.c.fake_audio_start(rate, ctypes.byref(started))
        return failed.decode() if failed else started.value

    def failing(self, handler: Any) -> str | None:
        """What a handler gave port_fail(), if it called it."""
        failed = self.c.fake_call(handler)
        return failed.decode() if failed else None

    def fault(self) -> str | None:
        """port_audio_fault()."""
        fault = self.c.fake_audio_fault()
        return fault.decode() if fault else None

    def send(self, data: bytes) -> None:
        """port_write()."""
        self.c.port_write(data, ctypes.c_size_t(len(data)))

    def received(self) -> bytes:
        """port_read(), all there is."""
        data = ctypes.create_string_buffer(4096)
        count = self.c.port_read(data, ctypes.c_size_t(4096))
        return data.raw[:count]

    def heard(self, most: int = 8192) -> list[int]:
        """port_audio_read(), in the pieces of the main loop, all there is."""
        samples: list[int] = []
        piece = (ctypes.c_int16 * 64)()
        while len(samples) < most and (count := self.c.port_audio_read(piece, ctypes.c_size_t(64))):
            samples += piece[:count]
        return samples


def build_drivers(
    folder: Path, board_name: str, port: str, *, instead: Mapping[str, Path | None] | None = None
) -> Path:
    """The port's C with the fake's headers in place of the two that touch the chip.

    instead: files of the port -> what is compiled in their place, None for nothing.
    """
    board = load_board(board_name)
    (folder / "board.h").write_text(board_sources(board)["board.h"])
    library = folder / "drivers.so"
    files = [FAKE / "fake.c", protocol_table(folder), FIRMWARE / "port" / "cortex_m" / "serial_port.c"]
    for source in sorted((FIRMWARE / "port" / port).glob("*.c")):
        taken = (instead or {}).get(source.name, source)
        files += [] if taken is None else [taken]
    words = [*WARNINGS, "-O1", "-g", "-fPIC", "-shared"]
    words += [f"-I{FAKE}", f"-I{FIRMWARE}", f"-I{folder}", *map(str, files), "-o", str(library)]
    done = subprocess.run([need_tool("gcc"), *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return library


def fresh(library: Path, folder: Path, number: int) -> Path:
    """A copy: the loader gives each file its own variables."""
    copy = folder / f"{library.stem}{number}.so"
    copy.write_bytes(library.read_bytes())
    return copy
