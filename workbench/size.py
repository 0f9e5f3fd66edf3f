"""How much of a board an image takes, from its ELF file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile

from codegen.board import Board


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
    found = {"code": 0, "constants": 0, "data": 0, "bss": 0, "stack": 0}
    more = {memory.name: 0 for memory in board.more_ram}
    with elf.open("rb") as file:
        for section in ELFFile(file).iter_sections():
            if section["sh_flags"] & SH_FLAGS.SHF_ALLOC:
                name = section.name.removeprefix(".")
                place = more if name in more else found
                place[name if name in more else _kind(section)] += section["sh_size"]
    return Sizes(**found, more=tuple((name, size) for name, size in more.items() if size))


def _kind(section: object) -> str:
    name, flags, kind = section.name, section["sh_flags"], section["sh_type"]  # type: ignore[attr-defined, index]
    if name == ".stack":
        return "stack"
    if kind == "SHT_NOBITS":
        return "bss"
    if flags & SH_FLAGS.SHF_EXECINSTR or name == ".vectors":
        return "code"
    return "data" if flags & SH_FLAGS.SHF_WRITE and section["sh_size"] else "constants"  # type: ignore[index]


def table(title: str, found: Sizes, board: Board) -> str:
    """The sizes for a person, against the board's memories; without those on a board that is a computer."""
    flash = [("code", found.code), ("constants", found.constants), ("data", found.data)]
    ram = [("data", found.data), ("bss", found.bss), ("stack", found.stack)]
    lines = [title]
    lines += _memory("flash", flash, None if board.hosted else board.code.size)
    lines += _memory("RAM", ram, None if board.hosted else board.ram.size)
    room = {memory.name: memory.size for memory in board.more_ram}
    for name, size in found.more:
        lines += _memory(name, [("data", size)], room[name])
    return "\n".join(lines)


def _memory(name: str, parts: list[tuple[str, int]], size: int | None) -> list[str]:
    total = sum(part for _, part in parts)
    lines = [f"  {name:<7}{part:<10}{amount:>11,} B" for part, amount in parts if amount]
    share = f"  of {size:>11,} B {100 * total / size:6.2f} %" if size else ""
    lines.append(f"  {name:<7}{'total':<10}{total:>11,} B{share}")
    return lines
