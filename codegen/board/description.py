# SPDX-License-Identifier: Apache-2.0
"""boards/<name>/board.toml as a frozen dataclass: what an image has to know about the chip under it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codegen.board.flash import FLASH, METHODS, PACK, Flash, Pack, flash_of, pack_of
from codegen.board.keys import (
    ADDRESSES,
    CHIP,
    EMULATOR,
    KINDS,
    MEMORY,
    TABLES,
    TOP,
    Check,
    identifier,
    whole,
)
from codegen.board.pins import MICROPHONE, Pin, pin, pins_of, shared_pins
from codegen.board.renode import RENODE, RENODE_NEEDS, Renode, missing_files, renode_of
from codegen.common.errors import UserError, UserErrors
from codegen.common.paths import BOARDS
from codegen.common.toml_place import Key, TomlFile, read_toml


@dataclass(frozen=True)
class Memory:
    """A stretch of addresses. Code lies in the first flash, data in the first ram."""

    name: str
    kind: str  # one of KINDS
    start: int  # bytes
    size: int  # bytes, above 0
    limit: str | None = None  # why it ends before the chip's does

    @property
    def end(self) -> int:
        """The first address after it."""
        return self.start + self.size


@dataclass(frozen=True)
class Board:
    """One folder of boards/. `core` is None for the board that is this computer."""

    name: str
    description: str
    file: Path  # board.toml, absolute
    port: str  # the folder of firmware/port
    core: str | None = None  # GCC's -mcpu
    fpu: str | None = None  # GCC's -mfpu; None: no floating-point unit
    clock_hz: int = 0  # of the core
    stack: int = 0  # bytes reserved, a multiple of 8
    interrupts: int = 0  # external ones in the vector table
    flash_wait_states: int = 0  # cycles that a read of the flash takes beyond one
    flash_cache: str = "none"  # one of CACHES: the reads that a cache serves, in one cycle
    memories: tuple[Memory, ...] = ()
    irq: tuple[tuple[int, str], ...] = ()  # number, handler; by number
    constants: tuple[tuple[str, int], ...] = ()  # what the port asks for, in the file's order
    pins: tuple[tuple[str, Pin], ...] = ()  # what is wired where, in the file's order
    microphone: tuple[tuple[str, int], ...] = ()  # rate, settling, gain: as the port asks; empty: none
    qemu: str | None = None  # the emulator's machine
    stand_in: str | None = None  # the board whose machine runs this board's core
    flash: Flash | None = None  # how an image gets onto it; None: it cannot be flashed
    pack: Pack | None = None  # the CMSIS-Pack of its chip
    renode: Renode | None = None  # the machine that Renode makes of it

    @property
    def hosted(self) -> bool:
        """An image for this computer, built by its own compiler."""
        return self.core is None

    @property
    def virtual(self) -> bool:
        """It is there for its emulator's sake: nobody ships it."""
        return self.core is not None and self.flash is None

    @property
    def code(self) -> Memory:
        """Where code and constants lie."""
        return next(memory for memory in self.memories if memory.kind == "flash")

    @property
    def ram(self) -> Memory:
        """Where data, bss and stack lie."""
        return next(memory for memory in self.memories if memory.kind == "ram")

    @property
    def more_ram(self) -> tuple[Memory, ...]:
        """Further rams: each a section of its name that nothing initialises."""
        return tuple(memory for memory in self.memories if memory.kind == "ram" and memory != self.ram)


def board_names(folder: Path = BOARDS) -> tuple[str, ...]:
    """Every board, by name."""
    return tuple(sorted(file.parent.name for file in folder.glob("*/board.toml")))


def load_board(name: str, folder: Path = BOARDS) -> Board:
    """The board of that name; UserError where there is none, UserErrors where its file does not hold."""
    return _Reader(folder).board(name)


# Tables of known keys, each of which may be left out.
_CLOSED: Mapping[str, Mapping[str, Check]] = {
    "emulator": EMULATOR,
    "microphone": MICROPHONE,
    "flash": FLASH,
    "pack": PACK,
    "renode": RENODE,
}


# Tables whose keys the port gives a meaning; an interrupt's is its number. And the checks of their values.
_OPEN: Mapping[str, Check] = {"irq": identifier, "constants": whole(0, ADDRESSES - 1), "pins": pin}
_EXAMPLES = {"constants": "uart_base = 0x40004000", "pins": 'uart_tx = "PA05"'}


class _Reader:
    """Reads a board and those it inherits from, collecting every fault."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.errors: list[UserError] = []

    def board(self, name: str) -> Board:
        file = self.folder / name / "board.toml"
        if name not in board_names(self.folder):
            known = board_names(self.folder)
            near = difflib.get_close_matches(name, known, 1)
            raise UserError(
                f'there is no board "{name}"',
                remedy=(f'Did you mean "{near[0]}"? ' if near else "") + f"Boards: {', '.join(known)}.",
            )
        values = self._with_inherited(name, ())
        if not self.errors:
            self._check_whole(values, read_toml(file))
        if self.errors:
            raise UserErrors(self.errors) if len(self.errors) > 1 else self.errors[0]
        return _board(values, file)

    def _with_inherited(self, name: str, heirs: tuple[str, ...]) -> dict[str, Any]:
        toml = read_toml(self.folder / name / "board.toml")
        self._check_file(toml, name)
        own = dict(toml.data)
        parent = own.pop("inherits", None)
        if not isinstance(parent, str):
            return own
        if parent in (*heirs, name) or parent not in board_names(self.folder):
            what = "inherits from itself" if parent in (*heirs, name) else f'there is no board "{parent}"'
            self._fault(toml, ("inherits",), what, f"Boards: {', '.join(board_names(self.folder))}.")
            return own
        inherited = self._with_inherited(parent, (*heirs, name))
        for key, value in own.items():
            both = isinstance(value, dict) and isinstance(inherited.get(key), dict)
            inherited[key] = {**inherited[key], **value} if both else value
            if both and key == "flash":  # an heir's own methods are tried first
                inherited[key] = {**value, **{k: v for k, v in inherited[key].items() if k not in value}}
        return inherited

    def _check_file(self, toml: TomlFile, folder_name: str) -> None:
        """Keys and types of one file."""
        for key, value in toml.data.items():
            if key in TOP:
                self._check_value(toml, (key,), value, TOP[key])
            elif key == "memory" and isinstance(value, list) and all(isinstance(m, dict) for m in value):
                for index, memory in enumerate(value):
                    self._check_memory(toml, index, memory)
            elif key in _CLOSED and isinstance(value, dict):
                self._check_table(toml, (key,), value, _CLOSED[key])
            elif key in _OPEN and isinstance(value, dict):
                self._check_open_table(toml, key, value)
            elif key in TABLES:
                form = "[[memory]]" if key == "memory" else f"[{key}]"
                self._fault(toml, (key,), f"must be written as {form}", f"Put {form} on a line of its own.")
            else:
                self._unknown(toml, (key,), (*TOP, *TABLES))
        if toml.data.get("name", folder_name) != folder_name:
            what = f'the board is called "{toml.data["name"]}", its folder "{folder_name}"'
            self._fault(toml, ("name",), what, f'Write name = "{folder_name}", or rename the folder.')
        elif "name" not in toml.data:
            self._missing(toml, "name")

    def _check_memory(self, toml: TomlFile, index: int, memory: Mapping[str, Any]) -> None:
        self._check_table(toml, ("memory", index), memory, MEMORY)
        for key in MEMORY:
            if key not in memory and key != "limit":
                self._fault(
                    toml, ("memory", index), f"{key} is missing", "A [[memory]] has name, kind, start, size."
                )

    def _check_table(
        self, toml: TomlFile, at: Key, table: Mapping[str, Any], checks: Mapping[str, Check]
    ) -> None:
        for key, value in table.items():
            if key in checks:
                self._check_value(toml, (*at, key), value, checks[key])
            else:
                self._unknown(toml, (*at, key), tuple(checks))

    def _check_open_table(self, toml: TomlFile, name: str, table: Mapping[str, Any]) -> None:
        """[irq]: number = handler. [constants]: name = number. [pins]: name = pin."""
        for key, value in table.items():
            if name == "irq" and not key.isdecimal():
                what = f'"{key}" is not the number of an interrupt'
                self._fault(toml, (name, key), what, 'Write for example 8 = "timer_handler".')
            elif name != "irq" and identifier(key):
                what = f'"{key}" {identifier(key)}'
                self._fault(toml, (name, key), what, f"Write for example {_EXAMPLES[name]}.")
            else:
                self._check_value(toml, (name, key), value, _OPEN[name])

    def _check_value(self, toml: TomlFile, key: Key, value: Any, check: Check) -> None:
        wrong = check(value)
        if wrong:
            self._fault(toml, key, f"{value!r} is not allowed, it {wrong}", None)

    def _check_whole(self, values: Mapping[str, Any], toml: TomlFile) -> None:
        """What no single key tells: what is missing, and what contradicts."""
        for key in ("description", "port"):
            if key not in values:
                self._missing(toml, key)
        chip = [key for key in CHIP if key in values]
        self._check_flash(values, toml)
        self._check_renode(values, toml)
        if not chip:
            return
        for key in CHIP:
            if key not in values:
                self._missing(toml, key)
        if "memory" in values:
            self._check_memories(
                [Memory(**memory) for memory in values["memory"]], values.get("stack", 0), toml
            )
        for number in values.get("irq", {}):
            if int(number) >= values.get("interrupts", 480):
                what = f"the vector table has interrupts 0 to {values['interrupts'] - 1}"
                self._fault(toml, ("irq", number), what, "Raise interrupts, or correct the number.")
        for mine, other in shared_pins(values.get("pins", {})):
            what = f"{other} is on the pin {values['pins'][mine]} already"
            self._fault(toml, ("pins", mine), what, "Correct one of them.")
        stand_in = values.get("stand_in")
        if stand_in is not None and stand_in not in board_names(self.folder):
            self._fault(toml, ("stand_in",), f'there is no board "{stand_in}"', None)

    def _check_flash(self, values: Mapping[str, Any], toml: TomlFile) -> None:
        """[flash] has a method, [pack] its two names, and both belong to a chip."""
        for table in ("flash", "pack"):
            if table in values and "core" not in values:
                self._fault(toml, (table,), "a board without core is this computer", f"Remove [{table}].")
        if "flash" in values and not any(method in values["flash"] for method in METHODS):
            what = "it names no way to flash the board"
            self._fault(toml, ("flash",), what, f"Add one or more of {', '.join(METHODS)}.")
        if values.get("flash", {}).get("lock") is True and "approtect" not in values["flash"]:
            what = "this chip's debug port cannot be locked: only Nordic's UICR.APPROTECT is known"
            self._fault(toml, ("flash", "lock"), what, "Remove lock, or add approtect, the word's address.")
        for key in ("name", "device"):
            if "pack" in values and key not in values["pack"]:
                self._fault(toml, ("pack",), f"{key} is missing", "A [pack] has name and device.")

    def _check_renode(self, values: Mapping[str, Any], toml: TomlFile) -> None:
        """[renode] is whole and its files are there."""
        if "renode" not in values:
            return
        if "core" not in values:
            self._fault(toml, ("renode",), "a board without core is this computer", "Remove [renode].")
        for key in RENODE_NEEDS:
            if key not in values["renode"]:
                self._fault(toml, ("renode",), f"{key} is missing", "A [renode] has platform and uart.")
        for file in missing_files(values["renode"], self.folder):
            self._fault(toml, ("renode",), f'there is no file "{file}" in {self.folder}', None)

    def _check_memories(self, memories: list[Memory], stack: int, toml: TomlFile) -> None:
        for kind in KINDS:
            if not any(memory.kind == kind for memory in memories):
                self._fault(
                    toml, ("memory",), f'there is none with kind = "{kind}"', "An image needs flash and ram."
                )
        for index, memory in enumerate(memories):
            if memory.end > ADDRESSES:
                self._fault(toml, ("memory", index, "size"), "it reaches beyond the 32-bit addresses", None)
            for other in memories[:index]:
                if memory.name == other.name:
                    self._fault(toml, ("memory", index, "name"), f'"{memory.name}" is there twice', None)
                if memory.start < other.end and other.start < memory.end:
                    what = f'"{memory.name}" and "{other.name}" overlap'
                    self._fault(
                        toml, ("memory", index, "start"), what, "Correct start or size of one of them."
                    )
        ram = next((memory for memory in memories if memory.kind == "ram"), None)
        if ram and stack >= ram.size:
            self._fault(
                toml, ("stack",), f'it must be smaller than the ram "{ram.name}", {ram.size} bytes', None
            )

    def _unknown(self, toml: TomlFile, key: Key, known: tuple[str, ...]) -> None:
        near = difflib.get_close_matches(str(key[-1]), known, 1)
        remedy = (f'Did you mean "{near[0]}"? ' if near else "") + f"Known here: {', '.join(known)}."
        self._fault(toml, key, "this key is not known", remedy)

    def _missing(self, toml: TomlFile, key: str) -> None:
        self.errors.append(
            UserError(
                f"{key} is missing", file=toml.path, remedy=f"Add {key}; boards/README.md explains each key."
            )
        )

    def _fault(self, toml: TomlFile, key: Key, what: str, remedy: str | None) -> None:
        self.errors.append(UserError(what, file=toml.path, place=toml.place(*key), remedy=remedy))


def _board(values: Mapping[str, Any], file: Path) -> Board:
    fpu = values.get("fpu")
    return Board(
        name=values["name"],
        description=values["description"],
        file=file,
        port=values["port"],
        core=values.get("core"),
        fpu=None if fpu == "none" else fpu,
        clock_hz=values.get("clock_hz", 0),
        stack=values.get("stack", 0),
        interrupts=values.get("interrupts", 0),
        flash_wait_states=values.get("flash_wait_states", 0),
        flash_cache=values.get("flash_cache", "none"),
        memories=tuple(Memory(**memory) for memory in values.get("memory", ())),
        irq=tuple(sorted((int(number), handler) for number, handler in values.get("irq", {}).items())),
        constants=tuple(values.get("constants", {}).items()),
        pins=pins_of(values.get("pins", {})),
        microphone=tuple(values.get("microphone", {}).items()),
        qemu=values.get("emulator", {}).get("qemu"),
        stand_in=values.get("stand_in"),
        flash=flash_of(values.get("flash")),
        pack=pack_of(values.get("pack")),
        renode=renode_of(values.get("renode")),
    )
