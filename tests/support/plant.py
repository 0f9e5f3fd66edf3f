# SPDX-License-Identifier: Apache-2.0
"""One bit of an image flipped: the smallest fault there is, in the very bytes that would be flashed.

The checksum that an image verifies at its start is made anew, as if it had been built so.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from elftools.elf.elffile import ELFFile

from toolbox.checksum import SECTION, fill_checksum


def plant(image: Path, planted: Path, symbol: str, bit: int) -> Path:
    """A copy of an ELF image with one bit of one object's initial content flipped.

    bit: from the object's first byte on, the lowest bit of a byte first.
    """
    shutil.copy(image, planted)
    with image.open("rb") as file:
        elf = ELFFile(file)
        (found,) = elf.get_section_by_name(".symtab").get_symbol_by_name(symbol)
        assert bit < 8 * found["st_size"], f"{symbol} has {found['st_size']} bytes"
        section = elf.get_section(found["st_shndx"])
        assert section["sh_type"] == "SHT_PROGBITS"
        hosted = elf.get_section_by_name(SECTION) is None
        at = section["sh_offset"] + found["st_value"] - section["sh_addr"] + bit // 8
    with planted.open("r+b") as out:
        out.seek(at)
        byte = out.read(1)[0]
        out.seek(at)
        out.write(bytes([byte ^ 1 << bit % 8]))
    if not hosted:
        fill_checksum(planted)
    return planted
