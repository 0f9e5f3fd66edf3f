# SPDX-License-Identifier: Apache-2.0
"""One process at a time in a folder. Standard library only: used before anything is installed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shlex
import sys
import time
from pathlib import Path
from typing import IO

COMMAND = "EARSHOT_COMMAND"  # the variable with what a person typed, for those who wait for it
SAY = "EARSHOT_SAY"  # a file descriptor for what must be seen at once, where stderr is captured
_TRIES, _PAUSE = 5, 0.02  # seconds until the holder of a lock has signed it


def lock(file: Path, waiting: str) -> IO[str]:
    """Waits for the lock `file` and takes it; held until the returned file is closed or the process ends.

    waiting: what is said when another process holds it, with that process and its command line.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    handle = file.open("a+")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say(f"{waiting} of {_holder(handle)}")
        fcntl.flock(handle, fcntl.LOCK_EX)
    # On a full disk it stays unsigned: who waits is then told of "another process".
    with contextlib.suppress(OSError):
        handle.truncate(0)
        handle.write(f"{os.getpid()}\t{os.environ.get(COMMAND) or shlex.join(sys.argv)}\n")
        handle.flush()
    return handle


def say(text: str) -> None:
    """A line for the person at the terminal, though stderr may be captured by who started this process."""
    descriptor = os.environ.get(SAY, "")
    if descriptor.isdecimal():
        with contextlib.suppress(OSError):
            os.write(int(descriptor), f"{text}\n".encode())
            return
    print(text, file=sys.stderr, flush=True)


def _holder(handle: IO[str]) -> str:
    """Who has the lock. It signs just after it took it: what an earlier one left is not believed."""
    for _ in range(_TRIES):
        handle.seek(0)
        pid, _, command = handle.read().strip().partition("\t")
        if pid.isdecimal() and _lives(int(pid)):
            return f"process {pid} ({command})"
        time.sleep(_PAUSE)
    return "another process"


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # somebody else's
    return True
