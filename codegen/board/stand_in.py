# SPDX-License-Identifier: Apache-2.0
"""Which board's image QEMU runs in place of a board that it does not know."""

from __future__ import annotations

from collections.abc import Callable

from codegen.board.description import Board, board_names, load_board
from codegen.common.errors import UserError


def qemu_board(board: Board) -> Board:
    """The board itself, else its stand-in with the same core. UserError where QEMU runs neither."""
    runs = load_board(board.stand_in) if board.qemu is None and board.stand_in else board
    if runs.qemu is None:
        raise UserError(
            f'QEMU has no machine for the board "{board.name}"',
            remedy=f"Boards that QEMU runs: {able(lambda other: other.qemu is not None)}.",
        )
    return runs


def able(of: Callable[[Board], bool]) -> str:
    """The names of the boards of which that holds, for a message."""
    return ", ".join(name for name in board_names() if of(load_board(name)))
