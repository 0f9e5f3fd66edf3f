# SPDX-License-Identifier: Apache-2.0
"""What an image's ELF file says of itself."""

from __future__ import annotations

from pathlib import Path

from elftools.elf.elffile import ELFFile

NOTE = ".note.gnu.build-id"


def build_id(image: Path) -> str:
    """The GNU build id, 40 hex digits; empty where the linker gave none."""
    with image.open("rb") as file:
        section = ELFFile(file).get_section_by_name(NOTE)
        if section is None:
            return ""
        return str(next(section.iter_notes())["n_desc"])
