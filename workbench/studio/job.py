# SPDX-License-Identifier: Apache-2.0
"""A command of Earshot that runs beside the pages: its lines as they come, its end, and Ctrl-C."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from codegen.common.errors import UserError
from codegen.common.paths import ROOT

LINES = 2000  # kept
_END = 20.0  # seconds after Ctrl-C until it is killed


def environment() -> dict[str, str]:
    """Of a command."""
    python_path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": python_path, "PYTHONUNBUFFERED": "1"}


class Job:
    """One command at a time."""

    def __init__(self) -> None:
        self.words: tuple[str, ...] = ()
        self.lines: deque[str] = deque(maxlen=LINES)
        self.count = 0  # lines that came, also those that are kept no more
        self.code: int | None = None  # of the last command; None while it runs, and before the first
        self._process: subprocess.Popen[str] | None = None

    @property
    def running(self) -> bool:
        """Whether a command runs."""
        return self._process is not None and self.code is None

    def start(self, words: Sequence[str]) -> None:
        """`earshot WORDS`. UserError where one runs already."""
        if self.running:
            raise UserError("a command runs already", remedy="Wait for its end, or stop it.")
        self.words, self.code, self.count = tuple(words), None, 0
        self.lines.clear()
        self._say(f"$ earshot {shlex.join(words)}")
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "workbench", *words],
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # a Ctrl-C of the studio's terminal is not the command's
        )
        threading.Thread(target=self._read, args=(self._process,), daemon=True).start()

    def interrupt(self) -> None:
        """Ctrl-C, for the command and what it started."""
        process = self._process
        if process is not None and self.running:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGINT)

    def stop(self) -> None:
        """Ends it, and waits for its end."""
        process = self._process
        if process is None or not self.running:
            return
        self.interrupt()
        try:
            process.wait(_END)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def _read(self, process: subprocess.Popen[str]) -> None:
        """The thread."""
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                self._say(line.rstrip("\n"))
        self.code = process.wait()

    def _say(self, line: str) -> None:
        self.lines.append(line)
        self.count += 1
