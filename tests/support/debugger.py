# SPDX-License-Identifier: Apache-2.0
"""A few words of GDB's remote protocol: what is in an image's memory while it runs, and writing it.

So a counter can be brought near its wrap in the very image that ships.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from elftools.elf.elffile import ELFFile


class Debugger:
    """Halts the image as long as the context lasts."""

    def __init__(self, path: Path, image: Path) -> None:
        """path: QEMU's socket; image: the ELF, for the addresses of its objects."""
        self._image = image
        self._received = b""
        self._socket = socket.socket(socket.AF_UNIX)
        deadline = time.monotonic() + 600
        while True:
            try:
                self._socket.connect(str(path))
                break
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
        self._socket.settimeout(600)

    def __enter__(self) -> Debugger:
        self._ask("?")  # who connects halts the machine
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ask("D")  # it goes on
        self._socket.close()

    def address(self, symbol: str) -> int:
        """Of the one object with this name."""
        with self._image.open("rb") as file:
            (found,) = ELFFile(file).get_section_by_name(".symtab").get_symbol_by_name(symbol)
            return int(found["st_value"])

    def word(self, symbol: str, offset: int = 0) -> int:
        """A uint32 of an object."""
        answer = self._ask(f"m{self.address(symbol) + offset:x},4")
        return int(struct.unpack("<I", bytes.fromhex(answer))[0])

    def register(self, address: int) -> int:
        """A register of the core's or of a device."""
        return int(struct.unpack("<I", bytes.fromhex(self._ask(f"m{address:x},4")))[0])

    def run_to(self, symbol: str, act: Callable[[], None]) -> None:
        """Goes on, does this meanwhile, and halts at the function's first instruction."""
        place = f"0,{self.address(symbol) & ~1:x},2"
        assert self._ask(f"Z{place}") == "OK"
        self._send("c")
        act()
        while self._packet()[:1] not in ("T", "S"):
            pass
        assert self._ask(f"z{place}") == "OK"

    def set_word(self, symbol: str, value: int, offset: int = 0) -> None:
        """Writes a uint32 of an object."""
        data = struct.pack("<I", value % 2**32).hex()
        assert self._ask(f"M{self.address(symbol) + offset:x},4:{data}") == "OK"

    def stack_pointer(self) -> int:
        """Where the stack ends now."""
        registers = bytes.fromhex(self._ask("g")[: 16 * 8])  # r0 to r15
        return int.from_bytes(registers[52:56], "little")

    def asleep(self) -> bool:
        """The core waits for an interrupt: nothing is in the middle of a change."""
        with self._image.open("rb") as file:
            (found,) = ELFFile(file).get_section_by_name(".symtab").get_symbol_by_name("port_sleep")
        start = found["st_value"] & ~1
        registers = bytes.fromhex(self._ask("g")[: 16 * 8])  # r0 to r15
        return bool(start <= int.from_bytes(registers[60:], "little") < start + found["st_size"])

    def _ask(self, text: str) -> str:
        """Sends a packet; the answer. Unasked, at any time, it may also say that the image has stopped."""
        self._send(text)
        answer = self._packet()
        while text != "?" and answer[:1] in ("T", "S"):
            answer = self._packet()
        return answer

    def _send(self, text: str) -> None:
        self._socket.sendall(f"${text}#{sum(text.encode()) % 256:02x}".encode())

    def _packet(self) -> str:
        while True:
            start = self._received.find(b"$")
            end = self._received.find(b"#", start)
            if 0 <= start < end and len(self._received) >= end + 3:
                packet, self._received = self._received[start + 1 : end], self._received[end + 3 :]
                self._socket.sendall(b"+")
                return packet.decode()
            more = self._socket.recv(4096)
            assert more, "the debugger is gone"
            self._received += more
