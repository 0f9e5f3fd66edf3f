# SPDX-License-Identifier: Apache-2.0
"""An image as a debugger sees it: functions, instructions, and how each function's frame is undone."""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elftools.common.exceptions import ELFError
from elftools.dwarf.callframe import FDE
from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile

from codegen.common.errors import UserError

SP, LR = 13, 14  # numbers of registers in DWARF for Arm (IHI 0040, 3.1); r0 to r12 have their own


@dataclass(frozen=True)
class Function:
    """A function's place; end is the first address after it."""

    name: str
    start: int
    end: int


@dataclass(frozen=True)
class Row:
    """Where a caller's registers are: cfa = registers[base] + offset, saved[register] at cfa + its number."""

    base: int
    offset: int
    saved: dict[int, int]


class Image:
    """An ELF file for Arm with debug information."""

    def __init__(self, elf: Path) -> None:
        """UserError where it cannot be read or is no such file."""
        self.file = elf
        try:
            with elf.open("rb") as stream:
                self._read(ELFFile(stream))
        except OSError as error:
            raise UserError(f"cannot be read: {error.strerror}", file=elf) from None
        except ELFError as error:
            remedy = "Name the firmware.elf of the build that printed the log."
            raise UserError(f"no ELF file: {error}", file=elf, remedy=remedy) from None

    def _read(self, file: ELFFile) -> None:
        if file["e_machine"] != "EM_ARM":
            raise UserError(
                "it is no image for a Cortex-M", file=self.file, remedy="Name a firmware.elf of a board."
            )
        self.build = _build_id(file)
        self._code = [
            (section["sh_addr"], section.data())
            for section in file.iter_sections()
            if section["sh_flags"] & SH_FLAGS.SHF_EXECINSTR and section["sh_type"] == "SHT_PROGBITS"
        ]
        self.functions = _functions(file)
        self._starts = [function.start for function in self.functions]
        dwarf = file.get_dwarf_info() if file.has_dwarf_info() else None
        self._frames: list[Any] = []
        if dwarf is not None and dwarf.has_CFI():
            self._frames = [entry for entry in dwarf.CFI_entries() if isinstance(entry, FDE)]

    def function(self, address: int) -> Function | None:
        """The function that holds this address."""
        index = bisect.bisect_right(self._starts, address) - 1
        if index >= 0 and self.functions[index].start <= address < self.functions[index].end:
            return self.functions[index]
        return None

    def row(self, address: int) -> Row | None:
        """How the frame of the function at this instruction is undone; None where debug information lacks."""
        for entry in self._frames:
            start = entry["initial_location"]
            if not start <= address < start + entry["address_range"]:
                continue
            rows = [row for row in entry.get_decoded().table if row["pc"] <= address]
            if not rows or rows[-1]["cfa"].expr is not None:
                return None
            row = rows[-1]
            saved = {
                register: rule.arg
                for register, rule in row.items()
                if isinstance(register, int) and rule.type == "OFFSET"
            }
            return Row(row["cfa"].reg, row["cfa"].offset, saved)
        return None

    def after_call(self, address: int) -> bool:
        """Whether a call is before this address: BL, or BLX of a register (DDI 0403E, A7.7)."""
        long = self._bytes(address - 4, 4)
        if long is not None:
            first, second = int.from_bytes(long[:2], "little"), int.from_bytes(long[2:], "little")
            if first & 0xF800 == 0xF000 and second & 0xD000 == 0xD000:
                return True
        short = self._bytes(address - 2, 2)
        return short is not None and int.from_bytes(short, "little") & 0xFF87 == 0x4780

    def _bytes(self, address: int, count: int) -> bytes | None:
        for start, data in self._code:
            if start <= address and address + count <= start + len(data):
                return bytes(data[address - start : address - start + count])
        return None


def _functions(file: ELFFile) -> list[Function]:
    table = file.get_section_by_name(".symtab")
    found: dict[int, Function] = {}
    for symbol in table.iter_symbols() if table is not None else ():
        if symbol["st_info"]["type"] == "STT_FUNC" and symbol["st_shndx"] != "SHN_UNDEF":
            start = symbol["st_value"] & ~1
            found.setdefault(start, Function(symbol.name, start, start + max(symbol["st_size"], 2)))
    return [found[start] for start in sorted(found)]


def _build_id(file: ELFFile) -> str | None:
    for section in file.iter_sections():
        if section["sh_type"] == "SHT_NOTE":
            for note in section.iter_notes():
                if note["n_type"] == "NT_GNU_BUILD_ID":
                    return str(note["n_desc"])
    return None
