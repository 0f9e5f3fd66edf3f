# SPDX-License-Identifier: Apache-2.0
"""An image's serial line as a device file, for programs that open serial ports."""

from __future__ import annotations

import contextlib
import os
import select
import threading
import tty
from collections.abc import Iterator

from workbench.targets.link import Link, LinkClosedError

_TURN = 0.002  # seconds in which what the program writes may wait
_CHUNK = 4096


@contextlib.contextmanager
def pseudo_terminal(link: Link) -> Iterator[str]:
    """The name of a device file that leads to the link, while the block runs. The link stays open."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    over = threading.Event()
    thread = threading.Thread(target=_carry, args=(link, ours, over), daemon=True)
    thread.start()
    try:
        yield os.ttyname(theirs)
    finally:
        over.set()
        thread.join()
        os.close(ours)
        os.close(theirs)


def _carry(link: Link, terminal: int, over: threading.Event) -> None:
    """Both ways, until it is over or the image has ended. A program that reads nothing loses bytes, as it
    would from a serial port."""
    os.set_blocking(terminal, False)
    with contextlib.suppress(LinkClosedError):
        while not over.is_set():
            received = link.receive(_TURN)
            if received:
                _write(terminal, received, over)
            if select.select([terminal], [], [], 0)[0]:
                link.send(os.read(terminal, _CHUNK))


def _write(terminal: int, data: bytes, over: threading.Event) -> None:
    """All of it, or as much as is taken within a second."""
    while data and not over.is_set():
        if not select.select([], [terminal], [], 1.0)[1]:
            return
        with contextlib.suppress(BlockingIOError):
            data = data[os.write(terminal, data) :]
