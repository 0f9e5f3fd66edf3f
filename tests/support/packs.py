# SPDX-License-Identifier: Apache-2.0
"""Small CMSIS-Packs for tests."""

from __future__ import annotations

import zipfile
from pathlib import Path

RIGHT = (
    '<memory id="IROM1" start="0x08000000" size="0x180000" startup="1" default="1"/>'
    '<memory name="RAM" access="rwx" start="0x20000000" size="0x40000" default="1"/>'
)
CORE = '<processor Dcore="Cortex-M33" Dfpu="1" Dmpu="1" Dendian="Little-endian" Dclock="78000000"/>'


def description(
    memories: str = RIGHT,
    *,
    core: str = CORE,
    device: str = "CHIP1536",
    version: str = "1.2.3",
    name: str = "Chip_DFP",
    vendor: str = "Maker",
    more: str = "",
) -> str:
    """The text of a .pdsc with one device."""
    return f"""\
<?xml version="1.0" encoding="UTF-8"?>
<package schemaVersion="1.7.7">
  <vendor>{vendor}</vendor><name>{name}</name><description>d</description><url>http://localhost/</url>
  <releases>
    <release version="{version}" date="2026-01-01">this</release>
    <release version="0.9.0" date="2025-01-01">first</release>
  </releases>
  <devices><family Dfamily="Chip" Dvendor="Silicon Labs:21">
    {core}<device Dname="{device}">{memories}{more}</device>
  </family></devices>
</package>
"""


def write_description(folder: Path, text: str, name: str = "Maker.Chip_DFP.pdsc") -> Path:
    """The .pdsc as a file."""
    file = folder / name
    file.write_text(text)
    return file


def write_pack(folder: Path, text: str, name: str = "Maker.Chip_DFP") -> Path:
    """A .pack with this description and nothing else."""
    file = folder / f"{name}.pack"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"{name}.pdsc", text)
        archive.writestr("docs/readme.txt", "nothing")
    return file
