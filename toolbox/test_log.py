# SPDX-License-Identifier: Apache-2.0
"""Which boards' images were built and started, and where: for whoever names a file in EARSHOT_RUNS.

The tests do: so comes build/proofs.json, from which `scons --list-boards` tells what was proven.
"""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "EARSHOT_RUNS"
BUILT, BOARD = "built", "board"  # besides the emulators' names: an image was made; it ran on the board itself


def note(board: str, where: str) -> None:
    """A line more in that file; nothing where nobody asked."""
    file = os.environ.get(VARIABLE)
    if file:
        with Path(file).open("a", encoding="utf-8") as out:
            out.write(f"{board}\t{where}\n")


def noted(file: Path) -> frozenset[tuple[str, str]]:
    """(board, where) of every line of such a file; the file is emptied."""
    if not file.exists():
        return frozenset()
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("")
    pairs = (line.split("\t") for line in lines)
    return frozenset((pair[0], pair[1]) for pair in pairs if len(pair) == 2)
