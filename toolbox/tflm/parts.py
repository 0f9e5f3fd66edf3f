# SPDX-License-Identifier: Apache-2.0
"""What of an image is TFLM, its kernels and the model, from the linker's map."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass

INTERPRETER, KERNELS, CMSIS_NN, SHIM, MODEL, ARENA = (
    "interpreter",
    "kernels",
    "CMSIS-NN",
    "shim",
    "model",
    "arena",
)
_FLASH = ("text", "rodata", "data")
_RAM = ("data", "bss")
_PIECE = re.compile(r"^ \.(\w+)\S*\s+0x([0-9a-f]+)\s+0x([0-9a-f]+)\s+(\S.*)$", re.MULTILINE)
_MEMBER = re.compile(r"\.a\(([^()]+)\.(?:o|obj)\)$")


@dataclass(frozen=True)
class Part:
    """Bytes."""

    name: str
    flash: int
    ram: int


@dataclass(frozen=True)
class Piece:
    """A section of one object, in the image."""

    section: str  # "text", "rodata", "data" or "bss"
    address: int
    size: int
    file: str  # the object; of a library LIBRARY.a(OBJECT.o)


def parts(link_map: str, library: str, kernels: Collection[str], app: str) -> tuple[Part, ...]:
    """The parts that the engine tflm brings.

    library: the file's name; kernels: names of the sources of TFLM's kernels; app: the name in front of the
    generated sources
    """
    flash: Counter[str] = Counter()
    ram: Counter[str] = Counter()
    for piece in pieces(link_map):
        part = _part(piece.file, library, kernels, app)
        if part is None:
            continue
        flash[part] += piece.size if piece.section in _FLASH else 0
        in_arena = part == MODEL and piece.section == "bss"
        ram[ARENA if in_arena else part] += piece.size if piece.section in _RAM else 0
    names = (INTERPRETER, KERNELS, CMSIS_NN, SHIM, MODEL, ARENA)
    return tuple(Part(name, flash[name], ram[name]) for name in names if flash[name] or ram[name])


def table(found: tuple[Part, ...]) -> str:
    """For a person: what the parts are of the totals above it."""
    words = {
        INTERPRETER: "TensorFlow Lite Micro without its kernels",
        KERNELS: "TFLM's kernels",
        CMSIS_NN: "the kernels that they call",
        SHIM: "Earshot's shim and resolver",
        MODEL: "the .tflite",
        ARENA: "measured, and the MFCC's memory",
    }
    lines = [f"  of which{'flash':>20}{'RAM':>12}"]
    for part in found:
        flash = f"{part.flash:>11,} B" if part.flash else f"{'':>13}"
        ram = f"{part.ram:>10,} B" if part.ram else f"{'':>12}"
        lines.append(f"    {part.name:<12}{flash}{ram}   {words[part.name]}")
    return "\n".join(lines)


def pieces(link_map: str) -> Iterator[Piece]:
    """Every piece that is in the image."""
    used = link_map.partition("Linker script and memory map")[2].replace("\r", "")
    for match in _PIECE.finditer(re.sub(r"^( \.\S+)\n +", r"\1 ", used, flags=re.MULTILINE)):
        size = int(match[3], 16)
        if size and match[1] in {*_FLASH, *_RAM}:
            yield Piece(match[1], int(match[2], 16), size, match[4])


def member(file: str, library: str) -> str | None:
    """The name, without suffix, of an object of this library; None: it is no such object."""
    match = _MEMBER.search(file)
    return match[1] if match is not None and f"{library}(" in file else None


def _part(file: str, library: str, kernels: Collection[str], app: str) -> str | None:
    """None: of no part."""
    name = member(file, library)
    if name is not None:
        return CMSIS_NN if name.startswith("arm_") else KERNELS if name in kernels else INTERPRETER
    if "/objects/tflm/" in file or file.endswith(f"/{app}_resolver.o"):
        return SHIM
    return MODEL if file.endswith((f"/{app}_flatbuffer.o", f"/{app}_model.o")) else None
