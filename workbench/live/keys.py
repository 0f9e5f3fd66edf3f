# SPDX-License-Identifier: Apache-2.0
"""Single keys of a terminal, without waiting for Enter."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager


class Keys:
    """Keys that were pressed since the last look; none where nobody can press any."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor

    def pressed(self) -> str:
        """A character a key; does not wait."""
        if self._descriptor is None or not select.select([self._descriptor], [], [], 0)[0]:
            return ""
        return os.read(self._descriptor, 64).decode("utf-8", "replace")


@contextmanager
def keys(wanted: bool) -> Iterator[Keys]:
    """Of this program's terminal, which gets its ways back. wanted: False: nobody presses keys."""
    if not wanted or not sys.stdin.isatty():
        yield Keys(None)
        return
    import termios
    import tty

    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor)
        yield Keys(descriptor)
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
