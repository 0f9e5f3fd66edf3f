# SPDX-License-Identifier: Apache-2.0
"""An image of the engine tflm in which the size of its arena is another."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from elftools.elf.elffile import ELFFile

from toolbox.checksum import fill_checksum


def with_arena(image: Path, folder: Path, name: str, arena: int, size: int) -> Path:
    """A copy of the app NAME's image where the one word that says `arena` bytes says `size`."""
    with image.open("rb") as file:
        elf = ELFFile(file)
        symbol = elf.get_section_by_name(".symtab").get_symbol_by_name(f"{name}_tflm")[0]
        section = elf.get_section(symbol["st_shndx"])
        at = section["sh_offset"] + symbol["st_value"] - section["sh_addr"]
    data = bytearray(image.read_bytes())
    words = np.frombuffer(bytes(data), "<u4", symbol["st_size"] // 4, at)
    (place,) = np.flatnonzero(words == arena)
    data[at + 4 * place : at + 4 * place + 4] = size.to_bytes(4, "little")
    folder.mkdir()
    made = folder / "firmware.elf"
    made.write_bytes(data)
    fill_checksum(made)
    return made
