# SPDX-License-Identifier: Apache-2.0
"""Which emulator runs an app's suites, and whose image: what is installed and knows the board decides."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from codegen.app.spec import Spec
from codegen.board.description import Board, board_names, load_board
from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from workbench.targets.renode import VERSION

QEMU, RENODE = "qemu", "renode"
EMULATORS = (QEMU, RENODE)
FULL_SCALE = 32767
RENODE_TEST = "renode-test"
INSTALL_RENODE = (
    f"Unpack Renode's portable release, {VERSION} or newer, and put its folder on PATH. "
    "Its renode-test wants Python packages: python3 -m pip install -r FOLDER/tests/requirements.txt"
)


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


def need_renode_test(program: Path) -> None:
    """UserError where renode-test does not even start: mostly for want of Python packages."""
    try:
        done = subprocess.run(
            [program, "--help"], env=renode_environment(), capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise UserError(f"cannot be started: {error.strerror}", file=program) from None
    if done.returncode != 0:
        words = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise UserError(
            f"does not start (exit code {done.returncode}): {words[0] if words else 'it says nothing'}",
            file=program,
            remedy="It needs Python packages (robotframework, psutil, ...) that Renode's folder names: "
            "python3 -m pip install -r FOLDER/tests/requirements.txt",
        )


def renode_environment() -> dict[str, str]:
    """Ours without our Python: renode-test wants another one, with the packages of its own version."""
    environment = {
        key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")
    }
    ours = ROOT / ".venv" / "bin"
    paths = [path for path in environment.get("PATH", "").split(os.pathsep) if Path(path) != ours]
    return environment | {"PATH": os.pathsep.join(paths)}


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
