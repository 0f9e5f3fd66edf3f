# SPDX-License-Identifier: Apache-2.0
"""The image of the board pc: a program whose stdin and stdout are the serial line."""

from __future__ import annotations

import socket
from pathlib import Path

from workbench.targets.link import ProcessLink, SocketLink


def pc_link(image: Path) -> ProcessLink:
    """Starts the program. UserError where it cannot be."""
    ours, theirs = socket.socketpair()
    with theirs:
        end = theirs.fileno()
        return ProcessLink([str(image)], SocketLink(ours), end=end)
