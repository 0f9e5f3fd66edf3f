# SPDX-License-Identifier: Apache-2.0
"""An image in Renode: its UART is a socket, the monitor listens on stdin and ends when we do."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from codegen.board.description import Board
from codegen.board.renode import Renode
from codegen.common.errors import UserError
from workbench.targets.link import LinkClosedError, ProcessLink, SocketLink
from workbench.targets.own_time import monitor_clock

PROGRAM = "renode"
VERSION = "1.16.1"  # the oldest that the scripts are proven with
SCRIPT = "renode.resc"  # beside the image, see site_scons/site_tools/renode.py
START_TIMEOUT = 600.0  # seconds until Renode has opened the line, on a computer that has other work
_POLL = 0.02  # seconds between two tries
_LINE = "earshot_line"  # Renode's name of the socket
_FAILED = "There was an error executing command"


@dataclass(frozen=True)
class RenodeOptions:
    """How the emulator runs.

    sound: a file of raw int16 little-endian mono samples that the board's own microphone plays, or None.
    """

    sound: Path | None = None


class RenodeLink(ProcessLink):
    """Renode behind the image's line."""

    def __init__(self, line: _Line, stdin: int) -> None:
        """stdin: what becomes the monitor's; `line` types into its other end."""
        super().__init__([PROGRAM, "--disable-gui", "--plain", "--console"], line, stdin=stdin, family=True)
        self.clock = monitor_clock(self, line.type)  # of the emulated time


def renode_link(board: Board, image: Path, options: RenodeOptions | None = None) -> RenodeLink:
    """Starts the emulator. UserError: no Renode, a board or a microphone it does not know, or no start."""
    if board.renode is None:
        raise UserError(
            f'Renode has no machine for the board "{board.name}"',
            remedy="Its board.toml needs a [renode]; boards/README.md tells how.",
        )
    script = image.parent / SCRIPT
    if not script.is_file():
        raise UserError("there is no such script", file=script, remedy=f"Build: scons board={board.name}")
    port = _free_port()
    commands = _commands(board.renode, image, script, port, options or RenodeOptions())
    need_renode()
    stdin, typing = os.pipe()
    line = _Line(typing)
    try:
        process = RenodeLink(line, stdin)
    finally:
        os.close(stdin)
    try:
        for command in commands:
            line.type(command)
        _connect(process, line, port)
        line.type("start")
    except BaseException:
        process.close()
        raise
    return process


def need_renode() -> None:
    """UserError unless Renode is on PATH. No registry has it, so nothing here installs it."""
    if shutil.which(PROGRAM) is None:
        raise UserError(
            "Renode is not on PATH",
            remedy=f"Unpack its portable release, {VERSION} or newer, and put its folder on PATH.",
        )


def _commands(renode: Renode, image: Path, script: Path, port: int, options: RenodeOptions) -> list[str]:
    """What the monitor does before the image runs. The line is made last: who connects finds all done."""
    commands = [f"$image=@{_path(image)}", f"include @{_path(script)}"]
    if options.sound is not None:
        if renode.microphone is None:
            raise UserError("Renode's machine of this board has no microphone that plays files")
        if not options.sound.is_file():
            raise UserError("there is no such file", file=options.sound)
        commands.append(f"sysbus.{renode.microphone} SetInputFile @{_path(options.sound)}")
    # A microphone's sound may be hurried. A sleeping image may not: Renode's TIMER of the nRF52 does not wrap
    # at 32 bits, so after 268 s of emulated time nothing but a byte wakes it for the watchdog.
    hurried = str(options.sound is not None).lower()
    return [
        *commands,
        f"emulation SetAdvanceImmediately {hurried}",
        f'emulation CreateServerSocketTerminal {port} "{_LINE}" false',
        f"connector Connect sysbus.{renode.uart} {_LINE}",
    ]


def _path(file: Path) -> str:
    """As the monitor takes it: a blank is escaped."""
    return str(file.resolve()).replace(" ", "\\ ")


def _free_port() -> int:
    """A port of this computer that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _connect(process: ProcessLink, line: _Line, port: int) -> None:
    """Waits until the line is there. UserError with Renode's words when a command failed or it ended."""
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        connected = line.connect(port)
        said = process.said()
        failed = said.find(_FAILED)
        if failed >= 0 or not process.alive or time.monotonic() > deadline:
            raise UserError(
                said[max(failed, 0) :].strip() or "it did not open the serial line",
                file=PROGRAM,
                remedy="Try the script by hand: renode build/BOARD/APP/renode.resc",
            )
        if connected:
            return
        time.sleep(_POLL)


class _Line:
    """The serial line once it is connected, and Renode's stdin: Renode ends when that is closed."""

    def __init__(self, typing: int) -> None:
        self._typing = typing
        self._socket: SocketLink | None = None

    def type(self, command: str) -> None:
        """A line into the monitor."""
        with contextlib.suppress(BrokenPipeError):  # it has ended, which is found elsewhere
            os.write(self._typing, command.encode() + b"\n")

    def connect(self, port: int) -> bool:
        """False: nobody listens yet."""
        with contextlib.suppress(OSError):
            self._socket = SocketLink(socket.create_connection(("127.0.0.1", port), timeout=1.0))
        return self._socket is not None

    def send(self, data: bytes) -> None:
        """See Link."""
        self._connected.send(data)

    def receive(self, timeout: float) -> bytes:
        """See Link."""
        return self._connected.receive(timeout)

    def close(self) -> None:
        """See Link."""
        if self._socket is not None:
            self._socket.close()
        if self._typing >= 0:
            os.close(self._typing)
            self._typing = -1

    @property
    def _connected(self) -> SocketLink:
        if self._socket is None:
            raise LinkClosedError("not connected")
        return self._socket
