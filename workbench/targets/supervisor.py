# SPDX-License-Identifier: Apache-2.0
"""Runs a command and leaves nothing of it behind, whoever is killed: python supervisor.py COMMAND ...

An emulator may be started by a script that is started by a program: ending one of them leaves the others.
This process adopts what loses its parent (Linux: PR_SET_CHILD_SUBREAPER). It ends all of it when the command
ends, when it is told to end itself, and when who started it is gone, killed or not.
Standard library only, and no module of ours: it starts in a few hundredths of a second.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path
from types import FrameType

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_FAILED = 127  # exit code where the command does not start, as a shell says it
_OURS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def supervise(command: list[str], parent: int) -> int:
    """The command's exit code, or 128 and its signal. parent: the process whose end is ours."""
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    # An interrupt is for the command, which is in our group; we wait for what it makes of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    if os.getppid() != parent:
        return 1
    child = os.fork()
    if child == 0:
        _become(command)
    try:
        return _exit_code(child)
    finally:
        _end_all()


def _become(command: list[str]) -> None:
    for number in _OURS:
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr, flush=True)
        os._exit(_FAILED)


def _exit_code(child: int) -> int:
    """Waits for the command, and for what it left to us."""
    while True:
        pid, status = os.wait()
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _end(_number: int, _frame: FrameType | None) -> None:
    _end_all()
    os._exit(128 + signal.SIGTERM)


def _end_all() -> None:
    """Until nothing is left: what is killed may have started something meanwhile."""
    while found := _descendants(os.getpid()):
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.wait()


def _descendants(root: int) -> list[int]:
    """All processes below this one."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            with contextlib.suppress(OSError):
                # The name in parentheses may hold blanks; after it: the state, then the parent.
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(folder.name))
    found: list[int] = []
    next_ones = [root]
    while next_ones:
        own = children.get(next_ones.pop(), [])
        found += own
        next_ones += own
    return found


def supervised(command: list[str]) -> list[str]:
    """The words that run a command under this program, as our child; the command itself on other systems."""
    if sys.platform != "linux":
        return command
    return [sys.executable, "-I", "-S", str(Path(__file__).resolve()), str(os.getpid()), *command]


if __name__ == "__main__":
    sys.exit(supervise(sys.argv[2:], int(sys.argv[1])))
