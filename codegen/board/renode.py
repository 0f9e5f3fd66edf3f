# SPDX-License-Identifier: Apache-2.0
"""[renode] of a board.toml: the machine that Renode makes of the board."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from codegen.board.keys import Check

_OBJECT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
_FILE = re.compile(r"[a-z0-9_]+/[A-Za-z0-9_.-]+")

RENODE_NEEDS = ("platform", "uart")


@dataclass(frozen=True)
class Renode:
    """What Renode needs beside the image. Files are named from boards/ on."""

    platform: str  # the .repl that describes the machine
    uart: str  # the object of it that is the serial line, after sysbus
    peripherals: tuple[
        str, ...
    ] = ()  # C# of peripherals that Renode lacks, compiled when it loads the script
    microphone: str | None = None  # the object that plays a file of raw int16 samples

    @property
    def files(self) -> tuple[str, ...]:
        """All of them."""
        return (self.platform, *self.peripherals)

    @property
    def platform_name(self) -> str:
        """Without its folder."""
        return PurePosixPath(self.platform).name

    @property
    def peripheral_names(self) -> tuple[str, ...]:
        """Without their folders."""
        return tuple(PurePosixPath(file).name for file in self.peripherals)


def _object(value: Any) -> str | None:
    fits = isinstance(value, str) and _OBJECT.fullmatch(value)
    return None if fits else 'must be the name of an object in the platform file, such as "uart0"'


def _file(value: Any) -> str | None:
    fits = isinstance(value, str) and _FILE.fullmatch(value)
    return None if fits else 'must be a file named from boards/ on, such as "xg24/xg24.repl"'


def _files(value: Any) -> str | None:
    fits = isinstance(value, list) and value and all(_file(item) is None for item in value)
    return None if fits else 'must be a list of files named from boards/ on, such as ["xg24/i2s.cs"]'


RENODE: Mapping[str, Check] = {
    "platform": _file,
    "uart": _object,
    "peripherals": _files,
    "microphone": _object,
}


def renode_of(table: Mapping[str, Any] | None) -> Renode | None:
    """[renode], checked before; None where there is none."""
    if table is None:
        return None
    return Renode(**{**table, "peripherals": tuple(table.get("peripherals", ()))})


def missing_files(table: Mapping[str, Any], folder: Path) -> Sequence[str]:
    """Files that the table names and `folder`, boards/, does not have."""
    named = [table.get("platform"), *table.get("peripherals", ())]
    return [file for file in named if isinstance(file, str) and not (folder / file).is_file()]
