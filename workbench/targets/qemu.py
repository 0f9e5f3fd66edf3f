# SPDX-License-Identifier: Apache-2.0
"""An image in QEMU: its UART is a socket; on the MPS2 machines memory it shares with us is faster."""

from __future__ import annotations

import mmap
import os
import socket
import struct
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from codegen.board.description import Board
from codegen.common.errors import UserError
from toolbox import tools
from workbench.targets.link import Link, ProcessLink, SocketLink

PROGRAM = "qemu-system-arm"

# What firmware/port/mps2 looks for in the PSRAM: mps2.h, memory_line.c, microphone.c.
LINE_MEMORY = 1 << 17
LINE_MAGIC = b"earline2"
LINE_SIZE = 1 << 15  # bytes of the ring each way
LINE_HEADER = 32
LINE_COUNTERS = 16  # offset of four: to the image written, read; from the image written, read
_GATHER = 0.0005  # seconds after a bell in which more lines gather: fewer turns between the image and us

MICROPHONE_MAGIC, ENDLESS_MAGIC = b"earmic01", b"earmic02"
MICROPHONE_HEADER = 16


@dataclass(frozen=True)
class Microphone:
    """Sound for the virtual microphone: a file of raw int16 little-endian mono samples."""

    file: Path
    sample_rate: int  # Hz
    endless: bool = False  # at its end it begins anew


@dataclass(frozen=True)
class QemuOptions:
    """How the emulator runs.

    icount: each instruction takes 2^icount ns of the emulated time, which then depends on nothing else;
    None: the emulated time is the computer's.
    paced: with icount, idle time takes as long here as there; else it is skipped.
    memory_line: the serial line through memory where the machine has it; False: every byte through the UART.
    psram: what lies at the beginning of the PSRAM in place of a microphone's sound.
    trace: a pipe that gets QEMU's log of the translation blocks it makes and executes.
    debugger: a Unix socket on which GDB's protocol is spoken.
    pins: a file that gets QEMU's log of writes to the outputs of an MPS2 machine's FPGAIO, with the seconds
    of this computer's clock.
    """

    microphone: Microphone | None = None
    icount: int | None = None
    paced: bool = False
    memory_line: bool = True
    psram: Path | None = None
    trace: Path | None = None
    debugger: Path | None = None
    pins: Path | None = None


def qemu_link(board: Board, image: Path, options: QemuOptions) -> ProcessLink:
    """Starts the emulator. UserError: no QEMU, no machine for the board, or it does not start."""
    if board.qemu is None:
        raise UserError(
            f'QEMU has no machine for the board "{board.name}"',
            remedy="Use --board mps2_an386, or --target pc.",
        )
    tools.ensure(PROGRAM)
    machine = board.qemu
    words = [PROGRAM, "-nodefaults", "-display", "none", "-monitor", "none", "-kernel", str(image)]
    ours, theirs = socket.socketpair()
    with theirs:
        inherited = [theirs.fileno()]
        uart = SocketLink(ours)
        link: Link = uart
        memory = _SharedMemory(_psram_size(board)) if options.memory_line and _has_psram(board) else None
        if memory is not None:
            link = MemoryLink(uart, memory)
            inherited += memory.inherited
            machine += ",memory-backend=psram"
            size = _psram_size(board)
            words += ["-object", f"memory-backend-file,id=psram,size={size},mem-path={memory.path},share=on"]
        words += ["-machine", machine, "-chardev", f"socket,id=line,fd={theirs.fileno()}"]
        words += ["-serial", "chardev:line"]
        if options.icount is not None:
            sleep = "on" if options.paced else "off"
            words += ["-icount", f"shift={options.icount},align=off,sleep={sleep}"]
        if options.debugger is not None:
            words += ["-gdb", f"unix:{options.debugger},server=on,wait=off"]
        if options.microphone is not None:
            words += _microphone(board, options.microphone)
        if options.psram is not None:
            words += ["-device", _load(options.psram, _psram_start(board))]
        if options.trace is not None:
            words += ["-d", "in_asm,exec,nochain", "-D", str(options.trace)]
        if options.pins is not None:
            words += ["-trace", "mps2_fpgaio_write", "-D", str(options.pins), "-msg", "timestamp=on"]
        return ProcessLink(words, link, inherited=inherited)


def _has_psram(board: Board) -> bool:
    return any(memory.name == "psram" for memory in board.memories)


def _psram_start(board: Board) -> int:
    return next(memory.start for memory in board.memories if memory.name == "psram")


def _psram_size(board: Board) -> int:
    return next(memory.size for memory in board.memories if memory.name == "psram")


def _microphone(board: Board, microphone: Microphone) -> list[str]:
    """The words that load the sound and its header."""
    if not _has_psram(board):
        raise UserError(f'the board "{board.name}" has no memory for a virtual microphone')
    try:
        size = microphone.file.stat().st_size
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", file=microphone.file) from None
    most = _psram_size(board) - LINE_MEMORY - MICROPHONE_HEADER
    if size % 2 or size > most:
        raise UserError(
            f"has {size} bytes; a virtual microphone plays 0 to {most}, an even number", file=microphone.file
        )
    start = _psram_start(board)
    magic = ENDLESS_MAGIC if microphone.endless else MICROPHONE_MAGIC
    header = magic + struct.pack("<II", microphone.sample_rate, size // 2)
    words = []
    for offset in (0, 8):
        value = int.from_bytes(header[offset : offset + 8], "little")
        words += ["-device", f"loader,addr={start + offset:#x},data={value:#x},data-len=8"]
    return [*words, "-device", _load(microphone.file, start + MICROPHONE_HEADER)]


def _load(file: Path, address: int) -> str:
    name = str(file).replace(",", ",,")
    return f"loader,file={name},addr={address:#x},force-raw=on"


class _SharedMemory:
    """The machine's PSRAM, seen from here too; nameless where the system allows, so nothing outlives us."""

    def __init__(self, size: int) -> None:
        self.inherited: list[int] = []
        if sys.platform == "linux":
            self._file = os.fdopen(os.memfd_create("psram"), "r+b")
            self.path = f"/proc/self/fd/{self._file.fileno()}"
            self.inherited.append(self._file.fileno())
        else:
            self._file = tempfile.NamedTemporaryFile()  # noqa: SIM115
            self.path = self._file.name
        self._file.truncate(size)
        self.view = mmap.mmap(self._file.fileno(), size)

    def close(self) -> None:
        """The memory is the emulator's alone from here on."""
        self.view.close()
        self._file.close()


class MemoryLink:
    """A ring each way at the end of the PSRAM; a byte on the socket is the bell that wakes the other side."""

    def __init__(self, bell: SocketLink, memory: _SharedMemory) -> None:
        self._bell = bell
        self._memory = memory
        start = len(memory.view) - LINE_MEMORY
        self._in = start + LINE_HEADER  # the ring to the image
        self._out = self._in + LINE_SIZE
        self._queued = bytearray()
        memory.view[start : start + 16] = LINE_MAGIC + struct.pack("<II", LINE_SIZE, 0)
        # "I", not struct: a counter must change in one piece, for the image may be looking.
        self._counters = memoryview(memory.view)[start + LINE_COUNTERS : start + LINE_HEADER].cast("I")

    def send(self, data: bytes) -> None:
        """See Link."""
        self._queued += data
        self._push()

    def receive(self, timeout: float) -> bytes:
        """See Link."""
        deadline = time.monotonic() + timeout
        while True:
            data = self._pull()
            left = deadline - time.monotonic()
            if data or left <= 0:
                return data
            # With the ring to the image full nothing tells when it has room: look again every millisecond.
            if self._bell.receive(min(left, 0.001) if self._queued else left):
                time.sleep(_GATHER)
            self._push()

    def close(self) -> None:
        """See Link."""
        self._bell.close()
        self._counters.release()
        self._memory.close()

    def _push(self) -> None:
        """As much as the ring has room for; first the bytes, then their number, then the bell."""
        view, written = self._memory.view, self._counters[0]
        piece = bytes(self._queued[: LINE_SIZE - ((written - self._counters[1]) & 0xFFFFFFFF)])
        if not piece:
            return
        del self._queued[: len(piece)]
        at = written % LINE_SIZE
        first = min(len(piece), LINE_SIZE - at)
        view[self._in + at : self._in + at + first] = piece[:first]
        view[self._in : self._in + len(piece) - first] = piece[first:]
        self._counters[0] = (written + len(piece)) & 0xFFFFFFFF
        self._bell.send(b"\n")

    def _pull(self) -> bytes:
        view, read = self._memory.view, self._counters[3]
        count = (self._counters[2] - read) & 0xFFFFFFFF
        at = read % LINE_SIZE
        first = min(count, LINE_SIZE - at)
        data = view[self._out + at : self._out + at + first] + view[self._out : self._out + count - first]
        if data:
            self._counters[3] = (read + count) & 0xFFFFFFFF
            if count > LINE_SIZE // 2:
                self._bell.send(b"\n")  # it may be waiting for room
        return data
