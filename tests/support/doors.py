# SPDX-License-Identifier: Apache-2.0
"""Images opened for tests, by the names of the ways to them."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from tests.support.images import M33_BOARD, QEMU_BOARD, hashing_image, scripted_image
from tests.support.tools import need_tool
from workbench.protocol.lines import Error, Status, parse_line
from workbench.targets import Device, QemuOptions, open_target

# pc; QEMU with the line in memory, as everybody uses it; QEMU with every byte through its UART; the same two
# ways on a Cortex-M33.
DOORS = ("pc", "qemu", "uart", "m33")
CHIPS = {"qemu": QEMU_BOARD, "uart": QEMU_BOARD, "m33": M33_BOARD, "m33_uart": M33_BOARD}


def board_of(door: str) -> str:
    """Whose image runs there."""
    return "pc" if door == "pc" else CHIPS[door]


def open_image(door: str, image: Path, qemu: QemuOptions | None = None, timeout: float = 60.0) -> Device:
    """The device behind a door."""
    if door == "pc":
        return open_target("pc", image, timeout=timeout)
    need_tool("qemu-system-arm")
    options = qemu or QemuOptions(memory_line=not door.endswith("uart"))
    return open_target("qemu", image, board=CHIPS[door], qemu=options, timeout=timeout)


def open_hashing(door: str, *, incremental: bool = False) -> Device:
    """HASHING."""
    return open_image(door, hashing_image(board_of(door), incremental=incremental))


def open_scripted(door: str) -> Device:
    """The bare model."""
    return open_image(door, scripted_image(board_of(door)))


@contextlib.contextmanager
def on_a_socket(image: Path) -> Iterator[str]:
    """The image behind a TCP port, as a pyserial URL."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        program: list[subprocess.Popen[bytes]] = []

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                program.append(
                    subprocess.Popen([image], stdin=connection.fileno(), stdout=connection.fileno())
                )

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"socket://127.0.0.1:{server.getsockname()[1]}"
        thread.join(10)
    for running in program:
        running.kill()
        running.wait()


def heard(device: Device, data: bytes) -> list[str]:
    """All lines that come for these bytes: up to the answer to a status line sent after them, without it."""
    device.send(data + b"\nstatus\n")
    lines: list[str] = []
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        line = device._line(deadline)
        assert line is not None, "no answer"
        if isinstance(parse_line(line), Status):
            return lines
        lines.append(line)
    raise AssertionError(f"no end: {lines}")


def errors(lines: list[str]) -> list[Error]:
    """The lines, which must all be errors."""
    parsed = [parse_line(line) for line in lines]
    assert all(isinstance(line, Error) for line in parsed), lines
    return [line for line in parsed if isinstance(line, Error)]


def quiet(device: Device) -> None:
    """Back to how it was."""
    device.command("stages off")
    for key, value in (("threshold", 600), ("backoff", 2), ("delay", 0)):
        device.command(f"set gate.{key} {value}")
    device.command("set decision.threshold 0")
    device.command("set decision.votes 1")
