# SPDX-License-Identifier: Apache-2.0
"""Runs a counting image once more and follows it: every translation block QEMU executes, section by section.

QEMU's log tells of each block it translates the instructions (-d in_asm), and each time one is executed
(-d exec,nochain). A block is a straight piece of code, so the log says of every instruction how often it was
executed and what came after it. The sums must equal what the instruction counter says; profile.py checks it.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from elftools.elf.elffile import ELFFile
from numpy.typing import NDArray

from codegen.board.description import Board
from codegen.common.errors import UserError
from workbench.profiling.counter import OVERHEAD, loaded, read_lines
from workbench.targets.qemu import QemuOptions, qemu_link

Blocks = NDArray[np.uint32]


@dataclass(frozen=True, eq=False)
class Trace:
    """blocks: addresses of the instructions of each block; sections: name, the blocks executed, in order."""

    blocks: tuple[tuple[int, ...], ...]
    sections: tuple[tuple[str, Blocks], ...]
    overhead: int  # instructions of reading the counter, in each section

    def one(self, name: str) -> Blocks:
        """The first section of this name."""
        return next(blocks for section, blocks in self.sections if section == name)

    def all(self, name: str) -> list[Blocks]:
        """Every section of this name, in order."""
        return [blocks for section, blocks in self.sections if section == name]

    def last(self, name: str) -> Blocks:
        """The last section of this name."""
        return self.all(name)[-1]

    def instructions(self, blocks: Blocks) -> int:
        """Of a section, without the counter's own."""
        return self._length(blocks) - self.overhead

    def _length(self, blocks: Blocks) -> int:
        lengths = np.array([len(block) for block in self.blocks], np.int64)
        return int(lengths[blocks].sum())


def trace(image: Path, board: Board, data: bytes) -> Trace:
    """Runs `image` as counter.count() does. UserError where it or the emulator fails."""
    with loaded(data) as file, tempfile.TemporaryDirectory(prefix="trace") as folder:
        pipe = Path(folder) / "log"
        os.mkfifo(pipe)
        reader = _Reader(pipe, symbol(image, "counter_now"))
        reader.start()
        link = qemu_link(board, image, QemuOptions(memory_line=False, psram=file, trace=pipe))
        try:
            names = [name for name, _ in read_lines(link, image) if name != "stack"]
        finally:
            link.close()
            reader.finish()
    return reader.trace(names, image)


def symbol(image: Path, name: str) -> int:
    """Address of a function."""
    with image.open("rb") as file:
        found = ELFFile(file).get_section_by_name(".symtab").get_symbol_by_name(name)
    return int(found[0]["st_value"]) & ~1


class _Reader(threading.Thread):
    """Reads the log while the emulator writes it; it is too large to keep."""

    def __init__(self, pipe: Path, counter: int) -> None:
        super().__init__(daemon=True)
        self._pipe, self._counter = pipe, counter
        self._blocks: list[tuple[int, ...]] = []
        self._undisassembled = False
        self._between: list[array[int]] = []  # the blocks from one reading of the counter to the next

    def run(self) -> None:
        """Until the emulator closes its end."""
        with self._pipe.open("r", encoding="ascii", errors="replace", buffering=1 << 16) as log:
            self._read(log)

    def _read(self, log: Iterable[str]) -> None:
        known: dict[str, int] = {}  # QEMU's name of a block -> its number here
        listed: list[int] | None = None
        executed: array[int] = array("I")
        for line in log:
            if line.startswith("Trace"):
                name = line.split(" ", 3)[2]
                if listed is not None:
                    known[name] = len(self._blocks)
                    self._blocks.append(tuple(listed))
                    listed = None
                number = known[name]
                if self._blocks[number][0] == self._counter:
                    executed = array("I")
                    self._between.append(executed)
                executed.append(number)
            elif listed is not None and line.startswith("0x"):
                self._undisassembled |= "OBJD" in line
                listed.append(int(line.split(":", 1)[0], 16))
            elif line.startswith("IN:"):
                listed = []

    def finish(self) -> None:
        """Waits for the end; opens the pipe in case the emulator never did."""
        while self.is_alive():
            with contextlib.suppress(OSError):
                os.close(os.open(self._pipe, os.O_WRONLY | os.O_NONBLOCK))
            self.join(0.1)

    def trace(self, names: list[str], image: Path) -> Trace:
        """A section is what lies between the first and the second of two readings, named after these."""
        if self._undisassembled:
            raise UserError(
                "this QEMU lists no instructions",
                remedy="Install one built with the disassembler capstone, as Linux distributions have it.",
            )
        if len(self._between) // 2 != len(names):  # one that was begun and never reported may follow
            raise UserError(
                f"QEMU's log has {len(self._between)} readings of the counter, "
                f"the image reported {len(names)} sections",
                file=image,
                remedy="Is this QEMU 7.2 or newer, with its log of executed blocks?",
            )
        sections = tuple(
            (name, np.array(self._between[2 * index], np.uint32)) for index, name in enumerate(names)
        )
        found = Trace(tuple(self._blocks), sections, 0)
        overhead = found.instructions(found.one(OVERHEAD))
        return Trace(found.blocks, tuple(each for each in sections if each[0] != OVERHEAD), overhead)
