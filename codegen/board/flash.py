# SPDX-License-Identifier: Apache-2.0
"""[flash] and [pack] of a board.toml: how an image gets onto the board, and which pack describes its chip."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from codegen.board.keys import ADDRESSES, Check, one_of, whole

_DEVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_CONFIG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./-]*\.cfg")
_USB = re.compile(r"[0-9a-f]{4}:[0-9a-f]{4}")
_PACK = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Flash:
    """How a board is flashed. Names go into scripts of shell and Tcl, so they are of harmless characters."""

    methods: tuple[str, ...]  # of METHODS, in the order they are tried
    erase: str = "sector"  # what is erased before: the sectors that are written, or the whole "chip"
    speed_khz: int = 4000  # of the debug port
    commander: str | None = None  # the chip's name to Simplicity Commander
    jlink: str | None = None  # to J-Link Commander
    pyocd: str | None = None  # to pyOCD
    openocd: tuple[str, ...] = ()  # OpenOCD's configuration files: the interface, then the target
    bossac: str | None = None  # USB vendor:product of the bootloader that bossac talks to
    approtect: int | None = None  # address of Nordic's UICR.APPROTECT; None: another maker's chip
    lock: bool = False  # the debug port is closed for good, for production; else it is left open

    @property
    def approtect_word(self) -> int:
        """What UICR.APPROTECT is flashed with: HwDisabled or Enabled, the reserved bits as erased."""
        return 0xFFFFFF00 if self.lock else 0xFFFFFF5A


@dataclass(frozen=True)
class Pack:
    """The CMSIS-Pack of the board's chip."""

    name: str  # Vendor.Pack
    device: str  # the chip in it
    pyocd: bool = False  # pyOCD knows the chip by this pack alone


# Those that can write a word outside the image's flash.
LOCKING = ("jlink", "pyocd", "openocd")
METHODS = ("commander", "jlink", "pyocd", "openocd", "bossac")


def device(value: Any) -> str | None:
    """The name of a chip."""
    return _matches(value, _DEVICE, "must be a name of letters, digits, _ . and -")


def configs(value: Any) -> str | None:
    """Configuration files of OpenOCD."""
    if isinstance(value, list) and value and all(_matches(item, _CONFIG, "") is None for item in value):
        return None
    return 'must be a list of files such as ["interface/jlink.cfg", "target/nrf52.cfg"]'


def boolean(value: Any) -> str | None:
    """true or false."""
    return None if isinstance(value, bool) else "must be true or false"


def _matches(value: Any, pattern: re.Pattern[str], wrong: str) -> str | None:
    return None if isinstance(value, str) and pattern.fullmatch(value) else wrong


FLASH: Mapping[str, Check] = {
    "erase": one_of("sector", "chip"),
    "speed_khz": whole(5, 50_000),
    "commander": device,
    "jlink": device,
    "pyocd": device,
    "openocd": configs,
    "bossac": lambda value: _matches(value, _USB, 'must be vendor:product such as "2341:005a"'),
    "approtect": whole(0, ADDRESSES - 4, step=4),
    "lock": boolean,
}
PACK: Mapping[str, Check] = {
    "name": lambda value: _matches(value, _PACK, 'must be "Vendor.Pack"'),
    "device": device,
    "pyocd": boolean,
}


def flash_of(table: Mapping[str, Any] | None) -> Flash | None:
    """[flash], checked before; None where there is none."""
    if table is None:
        return None
    values = {**table, "openocd": tuple(table.get("openocd", ()))}
    return Flash(methods=tuple(key for key in table if key in METHODS), **values)


def pack_of(table: Mapping[str, Any] | None) -> Pack | None:
    """[pack], checked before; None where there is none."""
    return None if table is None else Pack(**table)
