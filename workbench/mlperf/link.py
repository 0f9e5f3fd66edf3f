# SPDX-License-Identifier: Apache-2.0
"""The line to an image for the benchmark, wherever it runs."""

from __future__ import annotations

from pathlib import Path

from codegen.board.description import Board
from workbench.targets import PC, RENODE
from workbench.targets.link import Link
from workbench.targets.pc import pc_link
from workbench.targets.qemu import QemuOptions, qemu_link
from workbench.targets.renode import renode_link
from workbench.targets.serial_port import BAUD, SerialLink


def benchmark_link(target: str, board: Board | None, image: Path | None, baud: int = BAUD) -> Link:
    """Starts the image of a board on pc, qemu or renode, or opens a serial port, where it is already.

    board, image: as target_board() and the build say; None for a port. UserError where it cannot be.
    """
    if board is None or image is None:
        return SerialLink(target, baud)
    if target == PC:
        return pc_link(image)
    if target == RENODE:
        return renode_link(board, image)
    return qemu_link(board, image, QemuOptions())
