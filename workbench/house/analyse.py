# SPDX-License-Identifier: Apache-2.0
"""gcc -fanalyzer and clang-tidy over the handwritten C: paths that compilers and tests do not walk.

    python -m workbench.house.analyse gcc | clang-tidy

What was found clean is not looked at again while nothing that the program reads has changed: `build/analysed`
has a file for each, named by the hash of the program, its options and the preprocessed source.

The kernels of firmware/nn are headers, analysed by no one here: in a generated model they are one function of
many thousand paths. tests/ proves them value by value under the sanitizers.
"""

from __future__ import annotations

import concurrent.futures
import functools
import hashlib
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

ROOMS = (
    "pipeline",
    "device",
    "device/capture",
    "device/no_capture",
    "device/one_model",
    "device/several_models",
    "device/smoothed",
    "device/unsmoothed",
    "mlperf",
)  # for every board; its port beside them, and counting/ where QEMU runs
CLEAN = ROOT / "build" / "analysed"
# warning -> why it is no finding
SILENCED = {
    "analyzer-use-of-uninitialized-value": "GCC 12 takes an array for unset that a loop fills",
}


def commands(folder: Path, program: str) -> list[list[str]]:
    """A command line for every source, with the headers of the boards written to `folder`.

    program: "gcc", with each board's own compiler, or "clang-tidy", for what runs on this computer
    """
    lines = []
    for board in _boards():
        if program == "clang-tidy" and not board.hosted:
            continue
        headers = folder / board.name
        headers.mkdir()
        for name, text in {**board_sources(board), **protocol_sources()}.items():
            (headers / name).write_text(text)
        rooms = [*ROOMS, f"port/{board.port}", *([] if board.hosted else ["port/cortex_m"])]
        rooms += ["counting", "counting/one_model", "counting/several_models"] if board.qemu else []
        sources = [source for room in rooms for source in sorted((ROOT / "firmware" / room).glob("*.c"))]
        includes = [f"-I{headers}", "-Ifirmware"]
        if program == "clang-tidy":
            lines += [
                ["clang-tidy", "--quiet", str(source), "--", "-std=c11", *includes] for source in sources
            ]
            continue
        words = [*_compiler(board), *includes, "-fanalyzer", "-Werror"]
        words += [f"-Wno-{name}" for name in SILENCED]
        lines += [[*words, "-c", str(source), "-o", os.devnull] for source in sources]
    return lines


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
            said = [text for text in pool.map(lambda line: found(line, Path(folder)), lines) if text]
    if said:
        print("\n".join(said))
    return 1 if said else 0


def found(words: Sequence[str], headers: Path) -> str:
    """What the program says of a source; nothing where it found nothing, now or earlier."""
    clean = CLEAN / _key(words, headers)
    if clean.exists():
        return ""
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        return done.stdout + done.stderr
    clean.parent.mkdir(parents=True, exist_ok=True)
    clean.touch()
    return ""


def _key(words: Sequence[str], headers: Path) -> str:
    """A hash of all that a finding depends on.

    The preprocessor that is there does it for both programs; comments stay, for they can silence one.
    """
    options = words[words.index("--") + 1 :] if "--" in words else words[1:]
    source = next(word for word in words if word.endswith(".c"))
    compiler = "gcc" if "--" in words else words[0]
    macros = [word for word in options if word not in ("-c", "-o", "-fanalyzer", os.devnull, source)]
    text = subprocess.run(
        [compiler, "-E", "-C", *macros, source], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout
    rules = (ROOT / ".clang-tidy").read_text()
    parts = (_version(words[0]), *words, rules, text)
    said = "\0".join(parts).replace(str(headers), "headers").replace(str(ROOT), "root")
    return hashlib.sha256(said.encode()).hexdigest()


@functools.cache
def _version(program: str) -> str:
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
