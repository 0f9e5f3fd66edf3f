"""One process at a time in a folder. Standard library only: used before anything is installed."""

from __future__ import annotations

import fcntl
import sys
from pathlib import Path
from typing import IO


def lock(file: Path, busy: str) -> IO[str]:
    """Waits for the lock `file` and takes it; held until the returned file is closed or the process ends.

    busy: what to tell on stderr when another process holds it.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    handle = file.open("a")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(busy, file=sys.stderr, flush=True)
        fcntl.flock(handle, fcntl.LOCK_EX)
    return handle
