# SPDX-License-Identifier: Apache-2.0
"""The checksum of an image: after everything it covers, then a word of zeros; verified at start."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile

from codegen.common.errors import UserError

SECTION = ".image_checksum"  # of the linker script: the word, and one that pads it


def fill_checksum(elf: Path) -> int:
    """Writes the CRC-32 (zlib's) of the flash content into the ELF file and returns it.

    The content is that of firmware.bin and firmware.hex: all loaded sections by physical address, from the
    first to the checksum. UserError where it has a gap: that is zeros in the one, and nothing in the other.
    """
    with elf.open("r+b") as file:
        found = ELFFile(file)
        section = found.get_section_by_name(SECTION)
        if section is None:
            raise UserError(f"has no section {SECTION}", file=elf, remedy="Link it by the board's linker.ld.")
        content = bytearray()
        loaded = _loaded(found)
        start = loaded[0][0]
        for address, name, data in loaded:
            gap = address - start - len(content)
            if gap:
                raise UserError(
                    f"the flash content has a gap of {gap} bytes before {name} at {address:#x}",
                    file=elf,
                    remedy="Every section in flash must begin where the one before ends; see linker.ld.",
                )
            if name == SECTION:
                break
            content += data
        crc = zlib.crc32(content)
        file.seek(section["sh_offset"])
        file.write(struct.pack("<I", crc))
    return crc


def _loaded(elf: ELFFile) -> list[tuple[int, str, bytes]]:
    """Physical address, name and content of every section that is programmed, by address."""
    segments = [segment for segment in elf.iter_segments() if segment["p_type"] == "PT_LOAD"]
    found = []
    for section in elf.iter_sections():
        held = section["sh_flags"] & SH_FLAGS.SHF_ALLOC and section["sh_type"] != "SHT_NOBITS"
        if held and section["sh_size"]:
            (segment,) = (each for each in segments if each.section_in_segment(section))
            address = section["sh_addr"] - segment["p_vaddr"] + segment["p_paddr"]
            found.append((address, section.name, section.data()))
    return sorted(found)
