"""Which emulator runs an app's suites, and whose image: what is installed and knows the board decides."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from codegen.app.spec import Spec
from codegen.board.description import Board, board_names, load_board
from codegen.common.errors import UserError
from workbench.targets.renode import VERSION

QEMU, RENODE = "qemu", "renode"
EMULATORS = (QEMU, RENODE)
FULL_SCALE = 32767
RENODE_TEST = "renode-test"
INSTALL_RENODE = f"Unpack Renode's portable release, {VERSION} or newer, and put its folder on PATH."


@dataclass(frozen=True)
class Emulator:
    """What runs the suites."""

    name: str  # one of EMULATORS
    board: Board  # whose image runs: the named board, or its stand-in
    named: Board
    renode_test: Path | None = None

    @property
    def words(self) -> str:
        """For a person: what runs, and what it cannot say about the named board."""
        machine = f"QEMU's machine {self.board.qemu}" if self.name == QEMU else "Renode"
        if self.board == self.named:
            return f"{self.named.name} in {machine}"
        return (
            f"{self.board.name} in {machine}, in place of {self.named.name}, which it does not know: "
            f"the same sources built for its core, not the image for {self.named.name}"
        )


def find_renode_test() -> Path | None:
    """The program, if Renode is installed."""
    found = shutil.which(RENODE_TEST)
    return Path(found) if found else None


def choose(board_name: str, wanted: str | None = None) -> Emulator:
    """Renode where it is installed and knows the board; else QEMU, with the board itself or its stand-in.

    wanted: "qemu" or "renode" alone. UserError where nothing fits, with what would.
    """
    board = load_board(board_name)
    if board.hosted:
        raise UserError(
            f'the board "{board.name}" is this computer: there is nothing to emulate',
            remedy=f"Boards with a chip: {', '.join(_with_chip())}.",
        )
    if wanted not in (None, *EMULATORS):
        raise UserError(f'there is no emulator "{wanted}"', remedy=f"Emulators: {', '.join(EMULATORS)}.")
    if wanted != QEMU and board.renode is not None:
        program = find_renode_test()
        if program is not None:
            return Emulator(RENODE, board, board, program)
        if wanted == RENODE:
            raise UserError("Renode is not installed", remedy=INSTALL_RENODE)
    if wanted == RENODE:
        raise UserError(
            f'the board "{board.name}" has no Renode platform', remedy="Use emulator=qemu, or leave it out."
        )
    runs = load_board(board.stand_in) if board.qemu is None and board.stand_in else board
    if runs.qemu is None:
        remedy = (
            INSTALL_RENODE
            if board.renode is not None
            else "Add a stand_in to its board.toml: a board of QEMU's."
        )
        raise UserError(f'no emulator here knows the board "{board.name}"', remedy=remedy)
    return Emulator(QEMU, runs, board)


def check(spec: Spec, board_name: str, wanted: str | None) -> None:
    """UserError where an app has nothing to be emulated, or nothing emulates its board."""
    if spec.pipeline is None:
        raise UserError(
            "it is a bare model, which hears nothing",
            file=spec.file,
            remedy="`earshot verify --target qemu` compares its outputs in the emulator.",
        )
    if spec.pipeline.gate.threshold == FULL_SCALE:
        raise UserError(
            "the gate never opens: there is nothing to test",
            file=spec.file,
            place="[gate] threshold",
            remedy=f"Give it a threshold below {FULL_SCALE}.",
        )
    choose(board_name, wanted)


def _with_chip() -> list[str]:
    return [name for name in board_names() if not load_board(name).hosted]
