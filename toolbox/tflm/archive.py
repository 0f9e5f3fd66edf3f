# SPDX-License-Identifier: Apache-2.0
"""A static library: its objects, the core and float ABI each was built for, and what they define."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from codegen.board.description import Board
from codegen.common.errors import UserError

_MAGIC = b"!<arch>\n"
_HEADER = 60
_INDEX = "/"

# Values of Tag_CPU_arch (Addenda to the ABI for the Arm Architecture) as GCC's -mcpu names the cores.
_ARCHITECTURES = {
    11: "v6-M",
    12: "v6S-M",
    10: "v7",
    13: "v7E-M",
    16: "v8-M.baseline",
    17: "v8-M.mainline",
    21: "v8.1-M.mainline",
}
_OF_CORE = {
    "cortex-m0": "v6S-M",
    "cortex-m0plus": "v6S-M",
    "cortex-m1": "v6S-M",
    "cortex-m3": "v7",
    "cortex-m4": "v7E-M",
    "cortex-m7": "v7E-M",
    "cortex-m23": "v8-M.baseline",
    "cortex-m33": "v8-M.mainline",
    "cortex-m35p": "v8-M.mainline",
    "cortex-m55": "v8.1-M.mainline",
    "cortex-m85": "v8.1-M.mainline",
}
_HARD = 1  # Tag_ABI_VFP_args


@dataclass(frozen=True)
class Target:
    """What an object was built for."""

    architecture: str  # "v7E-M"
    cpu: str  # "Cortex-M4", or what else the object says
    hard_float: bool  # floats are passed in registers of the FPU

    def __str__(self) -> str:
        cpu = f"{self.cpu} ({self.architecture})" if self.cpu.startswith("Cortex") else self.architecture
        return f"{cpu}, {'hard' if self.hard_float else 'soft'}-float ABI"


@dataclass(frozen=True)
class Library:
    """An archive as far as a link depends on it."""

    file: Path
    target: Target
    members: tuple[str, ...]
    symbols: frozenset[str]  # defined and visible


def read_library(file: Path) -> Library:
    """UserError where it is no static library of Arm objects, or mixes targets."""
    members: list[str] = []
    symbols: frozenset[str] = frozenset()
    targets: dict[Target, str] = {}
    try:
        for name, data in _members(file):
            if name == _INDEX:
                symbols = _symbols(data)
                continue
            members.append(name)
            targets.setdefault(_target(ELFFile(io.BytesIO(data))), name)
    except (ELFError, ValueError, KeyError, OSError) as error:
        raise UserError(f"cannot be read as a static library: {error}", file=file) from None
    if not members:
        raise UserError("is a static library without objects", file=file)
    if len(targets) > 1:
        reported = "; ".join(f"{name} for {target}" for target, name in targets.items())
        raise UserError(f"its objects were built for different targets: {reported}", file=file)
    return Library(file, next(iter(targets)), tuple(members), symbols)


def board_target(board: Board) -> Target:
    """What a board's objects are built for."""
    core = board.core or ""
    return Target(_OF_CORE.get(core.split("+")[0], core), core.title(), board.fpu is not None)


def misfit(library: Target, board: Board) -> str | None:
    """Why the library cannot be linked into the board's image; None where it can."""
    wanted = board_target(board)
    if (library.architecture, library.hard_float) == (wanted.architecture, wanted.hard_float):
        return None
    return f"it was built for {library}; {board.name} needs {wanted}"


def _members(file: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of the index of symbols and of each object."""
    data = file.read_bytes()
    if not data.startswith(_MAGIC):
        raise ValueError("it does not begin as one")
    at, long_names = len(_MAGIC), b""
    while at + _HEADER <= len(data):
        header = data[at : at + _HEADER]
        size = int(header[48:58])
        content = data[at + _HEADER : at + _HEADER + size]
        if len(content) < size:
            raise ValueError("it ends too early")
        name = header[:16].decode("latin-1").rstrip()
        if name == "//":
            long_names = content
        elif name == _INDEX:
            yield name, content
        else:
            yield _name(name, long_names), content
        at += _HEADER + size + size % 2


def _name(name: str, long_names: bytes) -> str:
    if name.startswith("/"):
        start = int(name[1:])
        return long_names[start : long_names.index(b"/", start)].decode("latin-1")
    return name.rstrip("/")


def _target(elf: Any) -> Target:
    """From the build attributes, which every Arm object has."""
    section = elf.get_section_by_name(".ARM.attributes")
    if section is None or elf["e_machine"] != "EM_ARM":
        raise ValueError(f"one of its objects is for {elf.get_machine_arch()}, not for Arm")
    found: dict[str, Any] = {}
    for subsection in section.iter_subsections("aeabi"):
        for attributes in subsection.iter_subsubsections():
            found.update({attribute.tag: attribute.value for attribute in attributes.iter_attributes()})
    number = found.get("TAG_CPU_ARCH", 0)
    return Target(
        _ARCHITECTURES.get(number, f"architecture number {number}"),
        str(found.get("TAG_CPU_NAME", "")),
        found.get("TAG_ABI_VFP_ARGS", 0) == _HARD,
    )


def _symbols(index: bytes) -> frozenset[str]:
    """Of the index: a big-endian number of symbols, as many offsets, then the names, each ended by a zero."""
    count = int.from_bytes(index[:4], "big")
    names = index[4 + 4 * count :].split(b"\0")[:count]
    return frozenset(name.decode("latin-1") for name in names)
