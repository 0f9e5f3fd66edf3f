# SPDX-License-Identifier: Apache-2.0
"""The instruction counters against pieces of machine code whose length is known."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from codegen.board.description import Board, load_board
from codegen.emit.board import board_sources
from tests.support.compile import FIRMWARE, SUPPORT, WARNINGS, protocol_table
from tests.support.tools import need_tool
from toolbox.checksum import fill_checksum
from workbench.profiling.attribution import OTHER, attribute, function_site, inline_stacks
from workbench.profiling.counter import Counted, count
from workbench.profiling.cycles import REFILL, cycles, disassembly
from workbench.profiling.trace import Trace, trace

MAIN = SUPPORT / "counting_main.c"
BOARDS = ("mps2_an386", "mps2_an505")
FLAGS = ("-O2", "-g", "-ffunction-sections", "-fdata-sections", "-mthumb", "-mgeneral-regs-only")


def built(folder: Path, board: Board, *defines: str) -> Path:
    """counting_main.c with the counter and the board's port."""
    gcc = need_tool("arm-none-eabi-gcc")
    need_tool("qemu-system-arm")
    for name, text in board_sources(board).items():
        (folder / name).write_text(text)
    files = [MAIN, FIRMWARE / "counting" / "counter.c", folder / "vectors.c", protocol_table(folder)]
    for room in (f"port/{board.port}", "port/cortex_m"):
        files += sorted((FIRMWARE / room).glob("*.c"))
    words = [*WARNINGS, *FLAGS, f"-mcpu={board.core}", f"-mfpu={board.fpu}", "-mfloat-abi=hard", *defines]
    words += [f"-I{FIRMWARE}", f"-I{folder}", *map(str, files), "-nostartfiles", "--specs=nano.specs"]
    words += [f"-T{folder / 'linker.ld'}", "-Wl,--gc-sections,--build-id=sha1", "-o"]
    image = folder / "counting.elf"
    done = subprocess.run([gcc, *words, str(image)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    fill_checksum(image)
    return image


@pytest.fixture(scope="module", params=BOARDS)
def board(request: pytest.FixtureRequest) -> Board:
    return load_board(request.param)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory, board: Board) -> Path:
    """Without the long loop, whose trace would be long too."""
    return built(tmp_path_factory.mktemp("counting"), board)


@pytest.fixture(scope="module")
def followed(image: Path, board: Board) -> Trace:
    return trace(image, board, b"")


@pytest.mark.parametrize("name", BOARDS)
def test_every_instruction_is_counted(tmp_path: Path, name: str) -> None:
    board = load_board(name)
    counted = count(built(tmp_path, board, "-DLONG=1"), board, b"")
    found = {section.name: section.instructions for section in counted.sections}
    assert found["one"] == 1
    assert found["thousand"] == 1000
    assert found["forty million"] == 40_000_000
    assert found["functions"] == 1 + 6 + 1000 + 2 * 100
    assert 0 < counted.stack < 256


def test_counts_are_the_same_every_time(image: Path, board: Board) -> None:
    runs: list[Counted] = [count(image, board, b"") for _ in range(3)]
    assert runs[0] == runs[1] == runs[2]


def test_the_trace_counts_the_same(followed: Trace) -> None:
    found = {name: followed.instructions(blocks) for name, blocks in followed.sections}
    assert found["one"] == 1
    assert found["thousand"] == 1000
    assert found["functions"] == 1 + 6 + 1000 + 2 * 100


def test_instructions_belong_to_the_function_they_are_in(image: Path, followed: Trace) -> None:
    reported = inline_stacks(image, {address for block in followed.blocks for address in block})
    section = followed.one("functions")
    inner = function_site(("hundred", "thousand", "both"), "main")
    assert attribute(followed, section, inner, reported) == {
        OTHER: 1,
        "both": 6,
        "thousand": 1000,
        "hundred": 200,
    }


def test_shared_functions_belong_to_their_caller(image: Path, followed: Trace) -> None:
    """Nothing is known of `hundred`: its instructions are those of whoever came before."""
    reported = inline_stacks(image, {address for block in followed.blocks for address in block})
    section = followed.one("functions")

    def site(chain: object) -> str | None:
        name = chain[0][0] if isinstance(chain, list) and chain else ""
        return name if name in ("both", "thousand", "main") else None

    found = attribute(followed, section, site, reported)
    assert found["thousand"] == 1000
    assert found["both"] == 6 + 200
    assert sum(found.values()) == followed.instructions(section)


def test_cycles_are_those_of_the_manual(image: Path, followed: Trace) -> None:
    listing = disassembly(image)
    nothing = cycles(followed, followed.one("one"), listing) - 1  # reading the counter
    loop = 1 + 498 * (1 + 1 + REFILL) + (1 + 1) + 1  # the last branch is not taken
    assert cycles(followed, followed.one("thousand"), listing) - nothing == loop
    straight = (2 + 1 + 1) + 1 + 2 + 5 + 5 + 2 + 12
    assert cycles(followed, followed.one("timings"), listing) - nothing == straight
