# SPDX-License-Identifier: Apache-2.0
"""Programs that flash, played by shell scripts on PATH: they keep their arguments."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from codegen.board.description import Board, load_board

CHIP = """\
name = "chip"
description = "A chip"
core = "cortex-m33"
fpu = "fpv5-sp-d16"
clock_hz = 78_000_000
stack = 4096
interrupts = 4
port = "chip_family"

[[memory]]
name = "flash"
kind = "flash"
start = 0x0800_0000
size = 0x18_0000

[[memory]]
name = "ram"
kind = "ram"
start = 0x2000_0000
size = 0x4_0000

"""
BOARD = f"""{CHIP}\
[flash]
commander = "CHIP1536"
jlink     = "CHIPxxxx1536"
pyocd     = "chip1536"
openocd   = ["interface/jlink.cfg", "target/nrf52.cfg"]
bossac    = "2341:005a"
speed_khz = 2000
"""

# What the programs say of success; those of J-Link Commander are from its manual, UM08001.
COMMANDER_SAYS = "Verifying 52000 bytes at address 0x08000000...OK!\nDONE"
JLINK_SAYS = "Reading 52000 bytes data from target memory @ 0x08000000.\nVerify successful."
PYOCD_SAYS = "Comparing 32768 bytes @ 0x08000000\nAll 52000 bytes match."
OPENOCD_SAYS = "** Verify Started **\n** Verified OK **\n** Resetting Target **"


_ASKING = re.compile(r"^commander adapter list|^pyocd json --probes|/tmp\w+\.jlink$")


class FakeTools:
    """A folder that is all of PATH, besides what shell scripts need."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder / "bin"
        self.folder.mkdir()
        self._log = folder / "calls"
        for needed in ("sh", "dirname", "cat"):
            (self.folder / needed).symlink_to(shutil.which(needed) or needed)
        monkeypatch.setenv("PATH", str(self.folder))

    def add(self, program: str, lists: str, says: str, *, probes: str = "", code: int = 0) -> None:
        """lists: a shell pattern of arguments that ask for `probes`; on others it says `says`."""
        (self.folder / f".{program}.probes").write_text(probes + "\n")
        (self.folder / f".{program}.says").write_text(says + "\n")
        file = self.folder / program
        file.write_text(
            f"#!{os.path.realpath(self.folder / 'sh')}\n"
            f'echo "{program} $*" >>"{self._log}"\n'
            f'case "$*" in {lists}) exec cat "{self.folder}/.{program}.probes" ;; esac\n'
            f'cat "{self.folder}/.{program}.says"\nexit {code}\n'
        )
        file.chmod(0o755)

    def commander(self, *serials: str, says: str = COMMANDER_SAYS, code: int = 0) -> None:
        """Simplicity Commander."""
        listed = f"deviceCount={len(serials)}\n" + "".join(
            f"device(440){{\n  serialNumber={serial}\n  adapterName=kit\n}}\n" for serial in serials
        )
        self.add("commander", "'adapter list'", says, probes=listed + "DONE", code=code)

    def jlink(self, *serials: str, says: str = JLINK_SAYS, code: int = 0) -> None:
        """J-Link Commander; its list comes from a script with a name of its own."""
        listed = "".join(
            f"J-Link[{index}]: Connection: USB, Serial number: {serial}, ProductName: J-Link OB\n"
            for index, serial in enumerate(serials)
        )
        self.add("JLinkExe", "*/tmp*.jlink", says, probes=listed, code=code)

    def pyocd(self, *serials: str, says: str = PYOCD_SAYS, code: int = 0) -> None:
        """pyOCD."""
        listed = json.dumps({"status": 0, "boards": [{"unique_id": serial} for serial in serials]}, indent=4)
        self.add("pyocd", "'json --probes'", says, probes=listed, code=code)

    def openocd(self, says: str = OPENOCD_SAYS, code: int = 0) -> None:
        """OpenOCD, which lists nothing."""
        self.add("openocd", "never", says, code=code)

    def calls(self) -> list[str]:
        """Every call so far, without the questions for probes."""
        lines = self._log.read_text().splitlines() if self._log.exists() else []
        return [line for line in lines if not _ASKING.search(line)]


def board_of(folder: Path, text: str) -> Board:
    """A board of that file alone."""
    file = folder / "boards" / "chip" / "board.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return load_board("chip", folder / "boards")
