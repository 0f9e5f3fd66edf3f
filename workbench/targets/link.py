# SPDX-License-Identifier: Apache-2.0
"""Bytes to and from an image, whatever carries them."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from codegen.common.errors import UserError
from workbench.targets.supervisor import supervised

_CHUNK = 1 << 16
_PR_SET_PDEATHSIG = 1
_GRACE = 2.0  # seconds for a program to end by itself
_SAID_MAX = 2000  # characters of a program's last words


class LinkClosedError(Exception):
    """Nothing more will come; the text says why, as far as it is known."""


class Link(Protocol):
    """A serial line. Sending never blocks for long: what does not go at once goes with the next receive()."""

    def send(self, data: bytes) -> None:
        """Queues bytes. LinkClosedError when the other end is gone."""

    def receive(self, timeout: float) -> bytes:
        """What has come, waiting up to `timeout` seconds for the first byte. LinkClosedError as above."""

    def close(self) -> None:
        """Ends it, and the process behind it. May be called twice."""


class SocketLink:
    """One end of a socket pair."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._socket = end
        self._queued = bytearray()

    def send(self, data: bytes) -> None:
        """See Link."""
        self._queued += data
        self._push()

    def receive(self, timeout: float) -> bytes:
        """See Link."""
        deadline = time.monotonic() + timeout
        while True:
            left = max(0.0, deadline - time.monotonic())
            wanted = [self._socket] if self._queued else []
            readable, writable, _ = select.select([self._socket], wanted, [], left)
            if writable:
                self._push()
            if readable:
                try:
                    data = self._socket.recv(_CHUNK)
                except BlockingIOError:
                    continue
                except OSError as error:
                    raise LinkClosedError(str(error)) from None
                if not data:
                    raise LinkClosedError("it ended")
                return data
            if not writable:
                return b""

    def end_of_input(self) -> None:
        """Nothing more will be sent; what is queued goes out first."""
        while self._queued:
            select.select([], [self._socket], [])
            self._push()
        self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """See Link."""
        self._socket.close()

    def _push(self) -> None:
        with contextlib.suppress(BlockingIOError):
            try:
                sent = self._socket.send(self._queued)
            except (BrokenPipeError, ConnectionResetError) as error:
                raise LinkClosedError(str(error)) from None
            del self._queued[:sent]


class ProcessLink:
    """A program whose line is a socket: it lives as long as the link, and never longer than this process."""

    def __init__(
        self,
        command: Sequence[str],
        link: Link,
        *,
        inherited: Sequence[int] = (),
        end: int = -1,
        stdin: int = -1,
        family: bool = False,
    ) -> None:
        """inherited: file descriptors the program gets under their own numbers; end: the one that becomes
        its stdin and stdout; stdin: one that becomes its stdin alone; at the end of either it ends by itself;
        family: it may start programs of its own, which end with it and with us, killed or not.
        UserError: it does not start."""
        self._link = link
        # What the program says on stderr; closed by close().
        self._words = tempfile.TemporaryFile()  # noqa: SIM115
        self._name = command[0]
        self._grace = _GRACE if stdin >= 0 or end >= 0 else 0.0  # an emulator does not end at a line's end
        try:
            self._process = subprocess.Popen(
                supervised(list(command)) if family else command,
                stdin=end if end >= 0 else stdin if stdin >= 0 else subprocess.DEVNULL,
                stdout=end if end >= 0 else self._words,
                stderr=self._words,
                pass_fds=inherited,
                start_new_session=True,  # Ctrl-C is for us: we end it
                # A supervisor asks for its own signal, and needs time for its family.
                preexec_fn=None if family and sys.platform == "linux" else die_with_parent(),  # noqa: PLW1509
            )
        except OSError as error:
            link.close()
            self._words.close()
            raise UserError(f"cannot be started: {error.strerror}", file=command[0]) from None

    def send(self, data: bytes) -> None:
        """See Link."""
        try:
            self._link.send(data)
        except LinkClosedError as error:
            raise self._ended(error) from None

    def receive(self, timeout: float) -> bytes:
        """See Link."""
        try:
            data = self._link.receive(timeout)
        except LinkClosedError as error:
            raise self._ended(error) from None
        if not data and self._process.poll() is not None:
            raise self._ended(LinkClosedError("it ended"))
        return data

    @property
    def pid(self) -> int:
        """The program's process."""
        return self._process.pid

    @property
    def code(self) -> int | None:
        """With which it ended, a signal's number below 0; None: it has not."""
        return self._process.poll()

    @property
    def alive(self) -> bool:
        """It has not ended."""
        return self._process.poll() is None

    def output(self) -> str:
        """All that the program printed so far."""
        descriptor = self._words.fileno()  # the program writes at the same place: it must not be moved
        return os.pread(descriptor, os.fstat(descriptor).st_size, 0).decode("utf-8", "replace")

    def said(self) -> str:
        """The first of it."""
        return self.output().strip()[:_SAID_MAX]

    def wait(self, timeout: float) -> int:
        """The program's exit code, after its own end."""
        return self._process.wait(timeout)

    def close(self) -> None:
        """See Link."""
        self._link.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(self._grace)
        if self._process.poll() is None:
            # All of its group: a shell script that started the emulator ends without it.
            os.killpg(self._process.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(2.0)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._words.close()

    def _ended(self, error: LinkClosedError) -> LinkClosedError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)
        said = self.said()
        code = self._process.returncode
        how = str(error) if code is None else f"exit code {code}" if code >= 0 else f"signal {-code}"
        return LinkClosedError(f"{self._name} ended ({how})" + (f": {said}" if said else ""))


# Loaded here: nothing may be loaded between fork and exec.
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with_parent() -> Callable[[], None] | None:
    """For Popen's preexec_fn: the program ends with the thread that starts it. None where that cannot be."""
    return functools.partial(_die_with, os.getpid()) if _LIBC else None


def _die_with(parent: int) -> None:
    """In the child before exec: the kernel ends it when the thread that started it is gone."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
