# SPDX-License-Identifier: Apache-2.0
"""How large TFLM's arena has to be: found by running the model in an emulator, not computed."""

from __future__ import annotations

import json
from pathlib import Path

from codegen.board.description import Board
from codegen.board.stand_in import qemu_board
from codegen.common.errors import UserError
from codegen.emit.tflm import ALIGNMENT


def emulated(board: Board) -> Board:
    """The board whose image is measured: the one named, or the stand-in of its core. UserError: none."""
    try:
        return qemu_board(board)
    except UserError as error:
        raise UserError(
            f"the arena of TFLM is measured in QEMU: {error.what}",
            file=board.file,
            remedy="Name a board with the same core that QEMU runs: stand_in = ... in board.toml.",
        ) from None


def largest_arena(board: Board) -> int:
    """Bytes of arena in a measuring image: half of the RAM, the other half is more than the rest takes."""
    return board.ram.size // 2 // ALIGNMENT * ALIGNMENT


def granted(file: Path, limit: int | None, where: Path) -> int:
    """The arena measured in `file`, where the limit allows it. UserError otherwise."""
    size = int(json.loads(file.read_text())["arena"])
    if limit is not None and size > limit:
        raise UserError(
            f"TFLM's arena has to be {size} bytes for this model; arena={limit} allows less",
            file=where,
            remedy=f"Write arena={size} or more, leave arena= out, or use engine=aot, which needs less RAM.",
        )
    return size
