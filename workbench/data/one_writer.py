# SPDX-License-Identifier: Apache-2.0
"""Programs that write the tables of one folder do so one after the other."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def one_writer(folder: Path) -> Iterator[None]:
    """Waits until no other thread or process is in here for this folder. The folder itself is locked: no file
    is left in it. A file system that knows no locks is written without."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
