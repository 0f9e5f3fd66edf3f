# SPDX-License-Identifier: Apache-2.0
"""Interrupt handlers of every port, by the instructions of the image: no store right before they return."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pytest

from codegen.board.description import board_names, load_board
from tests.support.images import hashing_image
from tests.support.tools import need_tool

pytestmark = pytest.mark.xdist_group("images")

CHIPS = [name for name in board_names() if not load_board(name).hosted]


@dataclass(frozen=True)
class Instruction:
    """One line of a disassembly."""

    address: int
    name: str  # without .w and .n
    operands: str

    @property
    def stores(self) -> bool:
        """It writes to memory."""
        return self.name.startswith(("str", "stm", "push", "vst", "vpush"))

    @property
    def returns(self) -> bool:
        """It ends the function, to whoever called."""
        return (self.name == "bx" and self.operands == "lr") or (
            self.name in ("pop", "ldmia", "ldm", "ldr")
            and "pc" in re.split(r"[{}, ]+", self.operands)[:-1]
            and "[pc" not in self.operands
        )


@lru_cache
def functions(elf: Path) -> dict[str, list[Instruction]]:
    """Every function of an image."""
    listing = subprocess.run(
        [need_tool("arm-none-eabi-objdump"), "-d", "--no-show-raw-insn", str(elf)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found: dict[str, list[Instruction]] = {}
    for line in listing.splitlines():
        if match := re.fullmatch(r"[0-9a-f]+ <(.+)>:", line):
            found[match[1]] = []
        elif match := re.match(r" *([0-9a-f]+):\t([a-z0-9]+)(?:\.[nw])?\t?([^@;]*)", line):
            found[list(found)[-1]].append(Instruction(int(match[1], 16), match[2], match[3].strip()))
    return found


def unguarded(elf: Path, name: str) -> list[str]:
    """The ends of a function, and of those it jumps to, after which a store may still be under way."""
    code = functions(elf)[name]
    inside = range(code[0].address, code[-1].address + 1)
    targets = {int(match[1], 16) for each in code if (match := re.search(r"([0-9a-f]+) <", each.operands))}
    wrong = []
    for index, instruction in enumerate(code):
        jump = re.match(r"([0-9a-f]+) <([^+>]+)>", instruction.operands) if instruction.name == "b" else None
        if jump is not None and int(jump[1], 16) not in inside:
            wrong += unguarded(elf, jump[2])
        elif instruction.returns and not _arrived(code[: index + 1], targets):
            wrong.append(f"{name}: {instruction.address:#x} {instruction.name} {instruction.operands}")
    return wrong


def _arrived(code: list[Instruction], targets: set[int]) -> bool:
    """Whatever way leads to the last of these instructions, a dsb stands after the last store."""
    for instruction in reversed(code):
        if instruction.name == "dsb":
            return True
        if instruction.stores or instruction.address in targets:
            return False
    return False


@pytest.mark.parametrize("board", CHIPS)
def test_a_handler_returns_when_all_it_wrote_has_arrived(board: str) -> None:
    """Cortex-M4 erratum 838869; and an interrupt whose clearing is under way would be taken once more."""
    elf = hashing_image(board)
    handlers = {"systick_handler", "watchdog_handler", *(name for _, name in load_board(board).irq)}
    present = handlers & set(functions(elf))
    assert {name for _, name in load_board(board).irq} <= present
    for name in sorted(present):
        assert unguarded(elf, name) == []


def test_a_handler_without_barrier_is_seen(tmp_path: Path) -> None:
    source = tmp_path / "handlers.c"
    source.write_text(
        "extern volatile unsigned flag;\n"
        "void cleared(void) { flag = 0; }\n"
        'void arrived(void) { flag = 0; __asm volatile("dsb" ::: "memory"); }\n'
        'void sometimes(void) { if (flag) __asm volatile("dsb" ::: "memory"); }\n'
        "void elsewhere(void) { flag = 1; arrived(); }\n"
    )
    flags = [
        "-mcpu=cortex-m4",
        "-mthumb",
        "-Os",
        "-ffunction-sections",
        "-fno-inline",
        "-Wl,--defsym,flag=0x20000000",
    ]
    flags += ["-nostdlib", "-Wl,-ecleared", "-Wl,--unresolved-symbols=ignore-all"]
    command = [need_tool("arm-none-eabi-gcc"), *flags, str(source), "-o", str(tmp_path / "handlers.elf")]
    subprocess.run(command, check=True)
    wrong = {
        name: unguarded(tmp_path / "handlers.elf", name) for name in functions(tmp_path / "handlers.elf")
    }
    assert {name: bool(found) for name, found in wrong.items()} == {
        "cleared": True,
        "arrived": False,
        "sometimes": True,
        "elsewhere": False,
    }
