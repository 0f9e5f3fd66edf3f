# SPDX-License-Identifier: Apache-2.0
"""scons --list-boards: every board, and what the last tests here have proven of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codegen.board.description import Board, board_names, load_board
from toolbox.test_log import BOARD, BUILT

FILE = "proofs.json"  # in the build folder
_NEVER = "never run here"


@dataclass(frozen=True)
class Proof:
    """What tests said that started a board's images in one place."""

    passed: int
    failed: int
    date: str  # of the newest, YYYY-MM-DD

    def __str__(self) -> str:
        failed = f", {self.failed} FAILED" if self.failed else ""
        return f"{self.passed} passed{failed}, {self.date}"


def read_proofs(file: Path) -> dict[tuple[str, str], Proof]:
    """(board, where) -> what was proven, of the file `earshot test` writes; empty without one."""
    try:
        boards = json.loads(file.read_text(encoding="utf-8"))["boards"]
        return {
            (board, where): _proof(tests)
            for board, places in boards.items()
            for where, tests in places.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _proof(tests: Mapping[str, Mapping[str, Any]]) -> Proof:
    outcomes = [bool(test["passed"]) for test in tests.values()]
    return Proof(
        sum(outcomes), len(outcomes) - sum(outcomes), max(str(test["date"]) for test in tests.values())
    )


def board_table(build: Path) -> str:
    """The table for people; proofs from `build`/proofs.json."""
    proofs = read_proofs(build / FILE)
    boards = [load_board(name) for name in board_names()]
    head = ("board", "core", "clock", "flash", "RAM", "emulator", "flashed by")
    rows = [head, *(_row(board) for board in boards)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = []
    for row, board in zip(rows, [None, *boards], strict=True):
        lines.append("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        if board is not None:
            lines += [f"    {where + ':':<{_WIDTH}} {reported}" for where, reported in _proven(board, proofs)]
    lines += [
        "",
        f"Counts are tests of this clone that started an image there ({FILE}, written by `earshot test`).",
    ]
    if not proofs:
        lines.append("No test has run here yet: `earshot test` runs them.")
    return "\n".join(lines)


def _row(board: Board) -> tuple[str, ...]:
    if board.hosted:
        return (board.name, "this computer's", "", "", "", "", "")
    core = f"{(board.core or '').removeprefix('cortex-').upper()}{' + FPU' if board.fpu else ''}"
    ram = " + ".join(_bytes(memory.size) for memory in board.memories if memory.kind == "ram")
    emulators = [name for name, has in (("QEMU", board.qemu), ("Renode", board.renode)) if has]
    if board.stand_in:
        emulators.append(f"QEMU as {board.stand_in}")
    methods = board.flash.methods if board.flash else ("-",)
    return (
        board.name,
        f"Cortex-{core}",
        f"{board.clock_hz / 1e6:g} MHz",
        _bytes(sum(memory.size for memory in board.memories if memory.kind == "flash")),
        ram,
        ", ".join(emulators) or "none",
        ", ".join(methods),
    )


def _bytes(size: int) -> str:
    return f"{size / (1 << 20):g} MiB" if size >= 1 << 20 else f"{size / 1024:g} KiB"


_TOLD = {
    BUILT: "image built",
    "pc": "runs here",
    "qemu": "QEMU",
    "renode": "Renode",
    BOARD: "the board itself",
}
_WIDTH = 2 + max(map(len, _TOLD.values()))


def _proven(board: Board, proofs: Mapping[tuple[str, str], Proof]) -> list[tuple[str, str]]:
    """What can be proven of this board, in that order; and whatever else was."""
    places = [BUILT]
    places += ["pc"] if board.hosted else []
    places += ["qemu"] if board.qemu else []
    places += ["renode"] if board.renode else []
    places += [BOARD] if board.flash else []
    places += [where for name, where in proofs if name == board.name and where not in places]
    lines = []
    for where in places:
        proof = proofs.get((board.name, where))
        lines.append((_TOLD.get(where, where), str(proof) if proof else _NEVER))
    return lines
