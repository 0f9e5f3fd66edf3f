# SPDX-License-Identifier: Apache-2.0
"""Whether a board keeps up with its microphone: the cycles of a window against the time until the next."""

from __future__ import annotations

from dataclasses import dataclass

from codegen.board.description import Board, board_names, load_board
from workbench.profiling.cycles import Cost

RING = 4096 - 2 * 128  # samples that wait at most: firmware/port/dma_ring.h


@dataclass(frozen=True)
class Margin:
    """The work of a window against the time until the next, at a board's clock and with its wait states.

    instructions: of a window while there is sound; steady: its cycles; worst: of that after the worst gap
    every: windows from decision to decision; ring: windows that wait in the microphone's memory at most
    """

    board: str
    virtual: bool
    clock_hz: int
    wait_states: int
    windows_hz: float
    instructions: float
    steady: float
    worst: float
    every: int
    ring: float

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
        """Of the time of one window; above 1 samples wait."""
        return self.worst * self.windows_hz / self.clock_hz

    @property
    def absorbed(self) -> bool:
        """The samples that wait meanwhile have room, and the windows after it make up for it."""
        return self.steady_load < 1 and self.worst_load <= self.ring


@dataclass(frozen=True)
class Work:
    """each: of each window; one: a decision, of every so many windows; worst: the dearest decision.

    stride: samples from window to window
    """

    windows_hz: float
    stride: int
    each: Cost
    one: Cost
    every: int
    worst: Cost


def margin_on(board: Board, work: Work) -> Margin:
    """What the work is for a board."""
    each, share = work.each, 1 / work.every
    return Margin(
        board=board.name,
        virtual=board.virtual,
        clock_hz=board.clock_hz,
        wait_states=board.flash_wait_states,
        windows_hz=work.windows_hz,
        instructions=each.instructions + share * work.one.instructions,
        steady=each.on(board) + share * work.one.on(board),
        worst=each.on(board) + work.worst.on(board),
        every=work.every,
        ring=RING / work.stride,
    )


def boards_of(named: Board) -> tuple[Board, ...]:
    """The named one, and those that an image can be flashed onto."""
    return (named, *(board for board in real_boards() if board.name != named.name))


def real_boards() -> tuple[Board, ...]:
    """Those that an image can be flashed onto."""
    boards = (load_board(name) for name in board_names())
    return tuple(board for board in boards if not board.hosted and not board.virtual)
