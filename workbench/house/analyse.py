# SPDX-License-Identifier: Apache-2.0
"""gcc -fanalyzer and clang-tidy over the handwritten C: paths that compilers and tests do not walk.

    python -m workbench.house.analyse gcc | clang-tidy

The kernels of firmware/nn are headers, analysed by no one here: in a generated model they are one function of
many thousand paths. tests/ proves them value by value under the sanitizers.
"""

from __future__ import annotations

import concurrent.futures
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from codegen.board.description import Board, board_names, load_board
from codegen.common.paths import ROOT
from codegen.emit.board import board_sources
from codegen.emit.protocol import protocol_sources
from toolbox.options import C_FLAGS

ROOMS = ("pipeline", "device")  # for every board; its port beside them, and counting/ where QEMU runs
# warning -> why it is no finding
SILENCED = {
    "analyzer-use-of-uninitialized-value": "GCC 12 takes an array for unset that a loop fills",
}


def commands(folder: Path, program: str) -> list[list[str]]:
    """A command line for every source, with the headers of the boards written to `folder`.

    program: "gcc", with each board's own compiler, or "clang-tidy", for what runs on this computer
    """
    found = []
    for board in _boards():
        if program == "clang-tidy" and not board.hosted:
            continue
        headers = folder / board.name
        headers.mkdir()
        for name, text in {**board_sources(board), **protocol_sources()}.items():
            (headers / name).write_text(text)
        rooms = [*ROOMS, f"port/{board.port}", *([] if board.hosted else ["port/cortex_m"])]
        rooms += ["counting"] if board.qemu else []
        sources = [source for room in rooms for source in sorted((ROOT / "firmware" / room).glob("*.c"))]
        includes = [f"-I{headers}", "-Ifirmware"]
        if program == "clang-tidy":
            found += [
                ["clang-tidy", "--quiet", str(source), "--", "-std=c11", *includes] for source in sources
            ]
            continue
        words = [*_compiler(board), *includes, "-fanalyzer", "-Werror"]
        words += [f"-Wno-{name}" for name in SILENCED]
        found += [[*words, "-c", str(source), "-o", os.devnull] for source in sources]
    return found


def _boards() -> list[Board]:
    """One board of each port: what differs between boards of one port is numbers."""
    boards = {board.port: board for board in map(load_board, board_names())}
    return [board for board in boards.values() if shutil.which(_compiler(board)[0])]


def _compiler(board: Board) -> list[str]:
    if board.hosted:
        return ["gcc", *C_FLAGS]
    return ["arm-none-eabi-gcc", f"-mcpu={board.core}", "-mthumb", "-mgeneral-regs-only", *C_FLAGS]


def main(words: Sequence[str]) -> int:
    """1 where the program that is named finds something, which is printed."""
    with tempfile.TemporaryDirectory() as folder:
        lines = commands(Path(folder), words[0])
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            said = [text for text in pool.map(_analyse, lines) if text]
    if said:
        print("\n".join(said))
    return 1 if said else 0


def _analyse(words: Sequence[str]) -> str:
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr if done.returncode else ""


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
