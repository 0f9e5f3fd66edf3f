# SPDX-License-Identifier: Apache-2.0
"""GDB itself: which program, the words that bring it to main, and the server behind it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from codegen.board.description import Board
from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from toolbox.tools import GDB, HOST_GDB, install, remedy
from workbench.debug.server import Server

CROSS = ("gdb-multiarch", "arm-none-eabi-gdb", "arm-zephyr-eabi-gdb")
WAIT_SECONDS = 60  # for a server to listen: pyOCD reads its pack first


def program(board: Board) -> str:
    """The GDB for a board's core. UserError where there is none and it cannot be installed."""
    names, tool = (("gdb", "gdb-multiarch"), HOST_GDB) if board.hosted else (CROSS, GDB)
    found = next(filter(shutil.which, names), None)
    if found is None:
        install([tool])
        found = next(filter(shutil.which, names), None)
    if found is None:
        raise UserError(f"none of {', '.join(names)} is on PATH", remedy=remedy([tool]))
    return found


def words(gdb: str, image: Path, server: Server | None, more: Sequence[str], *, batch: bool) -> list[str]:
    """GDB's command line: symbols loaded, the image stopped at main, then `more`.

    server: None for a program of this computer
    """
    # Debug information names sources from the clone's root on, generated ones from the build folder on.
    first = ["set pagination off", "set confirm off", "set debuginfod enabled off", f"directory {ROOT}"]
    if server is not None:
        first += [f"target {server.remote}", *server.reset]
    first += ["break main" if server is None else "tbreak main"]
    first += ["run" if server is None else "continue"]
    orders = [word for order in (*first, *more) for word in ("-ex", order)]
    return [gdb, "-q", *(["-batch"] if batch else []), *orders, str(image)]


def run(command: Sequence[str], server: Server | None, folder: Path) -> int:
    """Runs GDB in the clone with its server, on this terminal; GDB's exit code."""
    with _listening(server, folder):
        # Ctrl-C is for the image, which GDB then stops. A handler of ours ends at exec: GDB has its own.
        before = signal.signal(signal.SIGINT, lambda *_: None)
        try:
            return subprocess.run(command, cwd=ROOT, check=False).returncode
        finally:
            signal.signal(signal.SIGINT, before)


@contextmanager
def _listening(server: Server | None, folder: Path) -> Iterator[None]:
    """A server that listens on a port, as long as the context lasts; its words in gdb_server.log."""
    if server is None or not server.background:
        yield
        return
    name, port = server.background[0], int(server.remote.rsplit(":", maxsplit=1)[1])
    log = folder / "gdb_server.log"
    if shutil.which(name) is None:
        raise UserError(f"{name} is not on PATH", remedy="It comes with the program that flashes.")
    with log.open("w") as out:
        process = subprocess.Popen(
            server.background,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in GDB is not for it
        )
    try:
        _wait(process, port, log)
        yield
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("localhost", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    what = "does not listen" if process.poll() is None else f"ended with exit code {process.returncode}"
    raise UserError(
        f"the GDB server {what}:\n{log.read_text(errors='replace').rstrip()}",
        file=log,
        remedy="Is the board plugged in, and no other program using the probe?",
    )
