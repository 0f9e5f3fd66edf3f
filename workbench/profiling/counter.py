# SPDX-License-Identifier: Apache-2.0
"""Runs a counting image: instructions of each of its sections, exact and the same every time.

QEMU's -icount gives every instruction 2^SHIFT ns of the emulated time; the image reads a timer of 32 bits
that counts that time (firmware/counting). A tick is shorter than a third of an instruction, so the rounding
of the timer is undone. Interrupts are off. What reading the timer costs is measured first and taken off.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from codegen.board.description import Board
from codegen.common.errors import UserError
from workbench.targets.link import LinkClosedError, ProcessLink
from workbench.targets.qemu import QemuOptions, qemu_link

SHIFT = 7  # 128 ns an instruction: 3.2 ticks of 25 MHz, 2.56 of 20 MHz
TIMEOUT = 300.0  # seconds for the whole run
OVERHEAD = "nothing"  # the section of no instruction


@dataclass(frozen=True)
class Section:
    """What lay between two readings of the counter. A name may come several times."""

    name: str
    instructions: int


@dataclass(frozen=True)
class Counted:
    """One run of a counting image."""

    sections: tuple[Section, ...]
    stack: int  # bytes ever used

    def one(self, name: str) -> int:
        """Instructions of the first section of this name."""
        return next(section.instructions for section in self.sections if section.name == name)

    def all(self, name: str) -> list[int]:
        """Instructions of every section of this name, in order."""
        return [section.instructions for section in self.sections if section.name == name]


def count(image: Path, board: Board, data: bytes) -> Counted:
    """Runs `image`, built for `board`, on `data`. UserError where it or the emulator fails."""
    with loaded(data) as file:
        options = QemuOptions(icount=SHIFT, memory_line=False, psram=file)
        link = qemu_link(board, image, options)
        try:
            lines = list(read_lines(link, image))
        finally:
            link.close()
    stack = next(number for name, number in lines if name == "stack")
    ticks = [(name, number) for name, number in lines if name != "stack"]
    overhead = instructions(next(number for name, number in ticks if name == OVERHEAD), board)
    return Counted(
        tuple(
            Section(name, instructions(number, board) - overhead)
            for name, number in ticks
            if name != OVERHEAD
        ),
        stack,
    )


def instructions(ticks: int, board: Board) -> int:
    """The whole number of instructions that took so many ticks of the board's timer."""
    return round(ticks * 1e9 / (board.clock_hz << SHIFT))


@contextmanager
def loaded(data: bytes) -> Iterator[Path]:
    """A file with these bytes, for the emulator."""
    with tempfile.TemporaryDirectory(prefix="counting") as folder:
        file = Path(folder) / "input"
        file.write_bytes(data)
        yield file


def read_lines(link: ProcessLink, image: Path) -> Iterator[tuple[str, int]]:
    """The image's lines until its end. UserError where it stops before."""
    deadline = time.monotonic() + TIMEOUT
    text = b""
    while True:
        try:
            text += link.receive(1.0)
        except LinkClosedError as error:
            raise UserError(str(error), file=image) from None
        *lines, text = text.split(b"\n")
        for line in lines:
            name, _, number = line.decode("ascii", "replace").rpartition(" ")
            if name == "end":
                return
            if name == "error" or not number.isdigit():
                raise UserError(f'the counting image said "{line.decode("ascii", "replace")}"', file=image)
            yield name, int(number)
        if time.monotonic() > deadline:
            raise UserError(f"did not come to its end within {TIMEOUT:.0f} s", file=image)
