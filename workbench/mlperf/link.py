# SPDX-License-Identifier: Apache-2.0
"""The line to an image for the benchmark, wherever it runs."""

from __future__ import annotations

from pathlib import Path

from codegen.board.description import Board
from codegen.common.errors import UserError
from workbench.mlperf.dialogue import READY, TIMEOUT
from workbench.targets import PC, RENODE
from workbench.targets.link import Link, LinkClosedError
from workbench.targets.own_time import LOOK, OwnTime
from workbench.targets.pc import pc_link
from workbench.targets.qemu import QemuOptions, qemu_link
from workbench.targets.renode import RenodeLink, renode_link
from workbench.targets.serial_port import BAUD, SerialLink


def benchmark_link(target: str, board: Board | None, image: Path | None, baud: int = BAUD) -> Link:
    """Starts the image of a board on pc, qemu or renode, or opens a serial port, where it is already.

    board, image: as target_board() and the build say; None for a port. In Renode the image has started, and
    its words at the start are read. UserError where it cannot be.
    """
    if board is None or image is None:
        return SerialLink(target, baud)
    if target == PC:
        return pc_link(image)
    if target == RENODE:
        link = renode_link(board, image)
        try:
            _await_start(link)
        except BaseException:
            link.close()
            raise
        return link
    return qemu_link(board, image, QemuOptions())


def _await_start(link: RenodeLink) -> None:
    """Until the image is ready: a byte that comes before it has turned its receiver on is lost, as on a chip.
    UserError: it was not within TIMEOUT seconds of emulated time, or Renode has ended."""
    said, time = b"", OwnTime(TIMEOUT, link.clock)
    while READY.encode() not in said:
        try:
            received = link.receive(LOOK)
        except LinkClosedError as error:
            raise UserError(str(error), file=RENODE) from None
        if not received and time.passed():
            raise UserError(
                f"the image did not say `{READY}` at its start within {TIMEOUT:g} seconds", file=RENODE
            )
        said += received
