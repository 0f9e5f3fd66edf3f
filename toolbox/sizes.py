# SPDX-License-Identifier: Apache-2.0
"""How much of a board an image takes, from its ELF file."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile

from codegen.board.description import Board
from toolbox.checksum import SECTION


@dataclass(frozen=True)
class Sizes:
    """Bytes of an image. Data counts twice: its initial values lie in the flash too."""

    code: int  # instructions and the vector table
    constants: int
    data: int
    bss: int
    stack: int  # reserved
    more: tuple[tuple[str, int], ...] = ()  # further rams: section, bytes

    @property
    def flash(self) -> int:
        """All that is programmed."""
        return self.code + self.constants + self.data

    @property
    def ram(self) -> int:
        """All of the ram that holds data and stack."""
        return self.data + self.bss + self.stack


def sizes(elf: Path, board: Board) -> Sizes:
    """Adds up the sections that are in memory when the image runs."""
    taken: Counter[str] = Counter()
    with elf.open("rb") as file:
        for section in ELFFile(file).iter_sections():
            if section["sh_flags"] & SH_FLAGS.SHF_ALLOC:
                taken[_part(section, board)] += section["sh_size"]
    parts = {part: taken[part] for part in ("code", "constants", "data", "bss", "stack")}
    more = ((memory.name, taken[f".{memory.name}"]) for memory in board.more_ram)
    return Sizes(**parts, more=tuple((name, size) for name, size in more if size))


def _part(section: Any, board: Board) -> str:
    """The part of Sizes a section counts to; of a further ram the section's own name."""
    if section.name in {f".{memory.name}" for memory in board.more_ram}:
        return str(section.name)
    if section.name == ".stack":
        return "stack"
    if section.name == SECTION:
        return "constants"
    if section["sh_type"] == "SHT_NOBITS":
        return "bss"
    if section["sh_flags"] & SH_FLAGS.SHF_EXECINSTR or section.name == ".vectors":
        return "code"
    return "data" if section["sh_flags"] & SH_FLAGS.SHF_WRITE else "constants"


def table(title: str, found: Sizes, board: Board, stack: int | None = None) -> str:
    """The sizes for a person, against the board's memories; a computer has neither flash nor a limit.

    stack: bytes that the image takes of its stack at most; None where nobody knows.
    """
    flash = [("code", found.code), ("constants", found.constants), ("data", found.data)]
    ram = [("data", found.data), ("bss", found.bss), ("stack", found.stack)]
    if board.hosted:
        return "\n".join([title, *_memory("file", flash, None), *_memory("memory", ram, None)])
    lines = [title, *_memory("flash", flash, board.code.size), *_memory("RAM", ram, board.ram.size)]
    room = {memory.name: memory.size for memory in board.more_ram}
    for name, size in found.more:
        lines += _memory(name, [("data", size)], room[name])
    if stack is not None:
        lines.append(f"  {'stack':<7}{'at most':<10}{stack:>11,} B{_share(stack, found.stack)}")
    return "\n".join(lines)


def _share(amount: int, size: int) -> str:
    return f"  of {size:>11,} B {100 * amount / size:6.2f} %"


def _memory(name: str, parts: list[tuple[str, int]], size: int | None) -> list[str]:
    total = sum(part for _, part in parts)
    lines = [f"  {name:<7}{part:<10}{amount:>11,} B" for part, amount in parts if amount]
    share = _share(total, size) if size else ""
    lines.append(f"  {name:<7}{'total':<10}{total:>11,} B{share}")
    return lines
