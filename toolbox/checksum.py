"""The checksum of an image: behind everything it covers, then a word of zeros; verified at start."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from elftools.elf.elffile import ELFFile

from codegen.common.errors import UserError

SECTION = ".image_checksum"  # of the linker script: the word, and one that pads it


def fill_checksum(elf: Path) -> int:
    """Writes the CRC-32 (zlib's) of the flash content into the ELF file and returns it.

    The content is that of firmware.bin: all loaded segments by physical address, from the first to the
    checksum. UserError where it has a gap, which objcopy and a flash would fill differently.
    """
    with elf.open("r+b") as file:
        found = ELFFile(file)
        section = found.get_section_by_name(SECTION)
        if section is None:
            raise UserError(f"has no section {SECTION}", file=elf, remedy="Link it by the board's linker.ld.")
        segments = [
            (segment["p_paddr"], segment.data())
            for segment in found.iter_segments()
            if segment["p_type"] == "PT_LOAD"
            and segment["p_filesz"]
            and not segment.section_in_segment(section)
        ]
        content = bytearray()
        segments.sort()
        start = segments[0][0]
        for address, data in [*segments, (section["sh_addr"], b"")]:
            if address != start + len(content):
                raise UserError(
                    f"the flash content has a gap before {address:#x}",
                    file=elf,
                    remedy="Every section in flash must begin where the one before ends.",
                )
            content += data
        crc = zlib.crc32(content)
        file.seek(section["sh_offset"])
        file.write(struct.pack("<I", crc))
    return crc
