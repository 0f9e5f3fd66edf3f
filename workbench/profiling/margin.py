# SPDX-License-Identifier: Apache-2.0
"""Whether a board keeps up with its microphone: the cycles of a window against the time until the next."""

from __future__ import annotations

from dataclasses import dataclass

from codegen.board.description import Board, board_names, load_board
from workbench.profiling.cycles import Cost


@dataclass(frozen=True)
class Margin:
    """The work of a window against the time until the next, at a board's clock and with its wait states.

    instructions: of a window while there is sound; steady: its cycles; worst: of that after the worst gap
    """

    board: str
    virtual: bool
    clock_hz: int
    wait_states: int
    windows_hz: float
    instructions: float
    steady: float
    worst: float

    @property
    def cycles(self) -> float:
        """Estimated for an instruction."""
        return self.steady / self.instructions

    @property
    def steady_load(self) -> float:
        """Share of the time the core is busy; above 1 it cannot keep up."""
        return self.steady * self.windows_hz / self.clock_hz

    @property
    def worst_load(self) -> float:
        """Of the time of one window; above 1 samples wait, which a few windows later is made up for."""
        return self.worst * self.windows_hz / self.clock_hz


@dataclass(frozen=True)
class Work:
    """every: of each window; one: a decision, in `share` of the windows; worst: the dearest decision."""

    windows_hz: float
    every: Cost
    one: Cost
    share: float
    worst: Cost


def margin_on(board: Board, work: Work) -> Margin:
    """What the work is for a board."""
    every, share = work.every, work.share
    return Margin(
        board=board.name,
        virtual=board.virtual,
        clock_hz=board.clock_hz,
        wait_states=board.flash_wait_states,
        windows_hz=work.windows_hz,
        instructions=every.instructions + share * work.one.instructions,
        steady=every.on(board) + share * work.one.on(board),
        worst=every.on(board) + work.worst.on(board),
    )


def real_boards() -> tuple[Board, ...]:
    """Those that an image can be flashed onto."""
    boards = (load_board(name) for name in board_names())
    return tuple(board for board in boards if not board.hosted and not board.virtual)
