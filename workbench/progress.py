# SPDX-License-Identifier: Apache-2.0
"""What a command waits for, on stderr: one line that is replaced on a terminal, plain lines in a log.

Nothing is shown within the first second, nothing with --json, and nothing where EARSHOT_PROGRESS is "off".
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO, TypeVar

from codegen.common.errors import printable

Item = TypeVar("Item")
SWITCH = "EARSHOT_PROGRESS"  # an environment variable
AFTER = 1.0  # seconds before anything is shown
AGAIN = 30.0  # seconds between the lines of a log
_TICK = 0.2


def remark(text: str, *, once: bool = False) -> None:
    """A line on stderr that is no error. once: not where this command has said it before"""
    if once and text in _display.remarked:
        return
    _display.remarked.add(text)
    _display.clear()
    print(f"earshot: {printable(text)}", file=sys.stderr, flush=True)


def begin() -> None:
    """A command begins: nothing has been said."""
    _display.remarked.clear()


def silence() -> None:
    """Nothing more is shown: the command's caller is a program."""
    _display.silent = True


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Shows `what` while the block runs: "building smart_lock for mps2_an386". The block must not print."""
    with _display.shown(_Task(what, time.monotonic())):
        yield


def progress(items: Iterable[Item], total: int, what: str) -> Iterator[Item]:
    """The items; "what: 12 of 40" is shown while they are worked on."""
    task = _Task(what, time.monotonic(), total=total)
    with _display.shown(task):
        for count, item in enumerate(items):
            task.count = count
            yield item


@dataclass(eq=False)
class _Task:
    """Something that is waited for. total: of the items, where it has some."""

    what: str
    start: float
    total: int | None = None
    count: int = 0
    reported: float | None = None  # when a log had its last line of it

    def text(self, seconds: float) -> str:
        """What is shown after so many seconds."""
        if self.total is not None:
            return f"{self.what}: {self.count} of {self.total}"
        return f"{self.what}, {seconds:.0f} s"


class Display:
    """Shows the innermost task. A thread looks at it; `tick` is all that it does."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.silent = False
        self.remarked: set[str] = set()
        self._clock = clock
        self._tasks: list[_Task] = []
        self._lock = threading.Lock()
        self._line = ""  # on the terminal
        self._width = 0  # that it has had at most
        self._stop = threading.Event()

    @contextmanager
    def shown(self, task: _Task) -> Iterator[None]:
        """The task is the innermost one while the block runs."""
        if self.silent or os.environ.get(SWITCH) == "off":
            yield
            return
        with self._lock:
            self._tasks.append(task)
            first = len(self._tasks) == 1
        if first:
            self._stop = threading.Event()
            threading.Thread(target=self._run, args=(self._stop,), daemon=True).start()
        try:
            yield
        finally:
            with self._lock:
                self._tasks.remove(task)  # generators may end in another order than they began
                last = not self._tasks
            if last:
                self._stop.set()
            self.clear()

    def _run(self, stop: threading.Event) -> None:
        while not stop.wait(_TICK):
            self.tick()

    def tick(self) -> None:
        """Shows what has become of the innermost task."""
        with self._lock:
            if not self._tasks or self.silent:
                return
            task, now, stream = self._tasks[-1], self._clock(), sys.stderr
            seconds = now - task.start
            if seconds < AFTER:
                return
            text = task.text(seconds)
            if stream.isatty():
                text = text[: shutil.get_terminal_size().columns - 1]  # a line that wraps is not replaced
                if text != self._line:
                    self._write(stream, f"\r{text:<{self._width}}")
                    self._line, self._width = text, max(self._width, len(text))
            elif task.reported is None or now - task.reported >= AGAIN:
                first = task.reported is None and task.total is None
                self._write(stream, f"earshot: {task.what if first else text}\n")
                task.reported = now

    def clear(self) -> None:
        """The terminal's line is gone."""
        with self._lock:
            if self._width:
                self._write(sys.stderr, f"\r{'':<{self._width}}\r")
                self._line, self._width = "", 0

    @staticmethod
    def _write(stream: TextIO, text: str) -> None:
        try:
            stream.write(text)
            stream.flush()
        except (OSError, ValueError):
            pass  # nobody is there to see it


_display = Display()
