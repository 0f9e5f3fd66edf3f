# SPDX-License-Identifier: Apache-2.0
"""Flash and RAM: of the image that ships, and of the model in it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile

from codegen.board.description import Board
from toolbox.sizes import sizes
from toolbox.stack_bound import stack_bound
from toolbox.tflm.found import LIBRARY


@dataclass(frozen=True)
class Flash:
    """Bytes of the image that ships. rooms: code by where it comes from, the largest first."""

    code: int
    constants: int
    rooms: tuple[tuple[str, int], ...]
    model: int  # constants of the model, of all constants

    @property
    def total(self) -> int:
        """Code and constants."""
        return self.code + self.constants


@dataclass(frozen=True)
class Ram:
    """Bytes. arena, state, stack, total: what samples -> scores needs; image: all the shipped image takes.

    arena: tensors between the layers, and the MFCC's working memory before them
    state: what the model keeps from decision to decision, and its working memory beside the arena
    stack: used by the counting image, whose calls below main() are those of the image that ships
    weights: constants of the model that are read from RAM; they are in the flash, too
    image: data, bss and the stack reserved
    bound: of the stack that the image can take at most, interrupts included; None where nobody knows
    """

    arena: int
    state: int
    stack: int
    image: int
    bound: int | None = None
    weights: int = 0

    @property
    def total(self) -> int:
        """Arena, state, stack and weights."""
        return self.arena + self.state + self.stack + self.weights


def flash(image: Path, link_map: Path, name: str, board: Board) -> Flash:
    """Of the image and the linker's map beside it."""
    found = sizes(image, board)
    return Flash(
        code=found.code,
        constants=found.constants,
        rooms=rooms(link_map.read_text(), found.code),
        model=_symbols(image, name, (".rodata",)),
    )


def compiler(image: Path) -> str:
    """The version of the GCC that made the image: 12.2.1."""
    with image.open("rb") as file:
        section = ELFFile(file).get_section_by_name(".comment")
        text = section.data().decode("ascii", "replace") if section else ""
    match = re.search(r"GCC:.*?\) (\d[\w.]*)", text)
    return match[1] if match else "unknown"


def ram(image: Path, name: str, board: Board, stack: int, arena: int | None = None) -> Ram:
    """stack: bytes used, measured. arena: of a model whose tensors lie in that of another."""
    arena = _arena(image, name) if arena is None else arena
    found = sizes(image, board)
    bound = stack_bound(image).total
    weights = _symbols(image, name, (".data",))
    return Ram(arena, _symbols(image, name, (".bss",)), stack, found.ram, bound, weights)


def _arena(image: Path, name: str) -> int:
    with image.open("rb") as file:
        symbols = ELFFile(file).get_section_by_name(".symtab").get_symbol_by_name(f"{name}_arena")
    return int(symbols[0]["st_size"]) if symbols else 0


def layers_in_ram(image: Path, name: str, layers: Sequence[str]) -> frozenset[str]:
    """Of these layers those whose weights an image of the app `name` reads from RAM."""
    there = _objects(image, name, (".data",))
    return frozenset(layer for layer in layers if f"{name}_{layer}_weights" in there)


def _symbols(image: Path, name: str, sections: tuple[str, ...]) -> int:
    """Bytes of the objects that NAME_model.c keeps to itself in these sections."""
    return sum(_objects(image, name, sections).values())


def _objects(image: Path, name: str, sections: tuple[str, ...]) -> dict[str, int]:
    """Their names and bytes."""
    found: dict[str, int] = {}
    inside = False
    with image.open("rb") as file:
        elf = ELFFile(file)
        wanted = {
            index for index, section in enumerate(elf.iter_sections()) if section.name.startswith(sections)
        }
        for symbol in elf.get_section_by_name(".symtab").iter_symbols():
            info = symbol["st_info"]
            if info["type"] == "STT_FILE":
                inside = symbol.name == f"{name}_model.c"
            elif inside and (info["bind"], info["type"]) == ("STB_LOCAL", "STT_OBJECT"):
                found |= {symbol.name: symbol["st_size"]} if symbol["st_shndx"] in wanted else {}
    return found


_PIECE = re.compile(r"^ \.(text|vectors)\S*\s+0x([0-9a-f]+)\s+0x([0-9a-f]+)\s+(\S+)$", re.MULTILINE)


def rooms(link_map: str, code: int) -> tuple[tuple[str, int], ...]:
    """Code of an image by room of firmware/, from the linker's map; what is left of `code` is "linker"."""
    used = link_map.partition("Linker script and memory map")[2].replace("\r", "")
    found: Counter[str] = Counter()
    for match in _PIECE.finditer(re.sub(r"^( \.\S+)\n +", r"\1 ", used, flags=re.MULTILINE)):
        if int(match[3], 16):
            found[_room(match[4])] += int(match[3], 16)
    rest = code - sum(found.values())
    if rest:
        found["linker"] = rest  # padding, veneers
    return tuple(sorted(found.items(), key=lambda room: (-room[1], room[0])))


def _room(path: str) -> str:
    """Of an object: its folder under objects/; generated sources lie in it directly."""
    if ".a(" in path:
        return "TFLM" if f"/{LIBRARY}(" in path else "C library"
    if path.endswith((".lto.o", ".ltrans.o")):
        return "device"  # which the compiler sees as one, when it links
    inside = path.partition("/objects/")[2]
    if "/" in inside:
        return inside.rpartition("/")[0]
    if inside.endswith("_model.o"):
        return "model"
    return "generated" if inside else "start"
