# SPDX-License-Identifier: Apache-2.0
"""A board on a serial port, or whatever a pyserial URL leads to."""

from __future__ import annotations

import contextlib
import errno
import os
import time

from codegen.common.errors import UserError
from workbench.targets.link import LinkClosedError

BAUD = 115200


def is_hardware(port: str) -> bool:
    """Whether it is a port of this computer, also by another name of it such as those in /dev/serial/by-id; a
    URL or a pseudo-terminal may lead to anything."""
    from serial.tools import list_ports

    real = os.path.realpath(port)
    return any(os.path.realpath(found.device) == real for found in list_ports.comports())


def ports() -> list[str]:
    """Serial ports of this computer that belong to something: not its empty sockets for 16550 chips."""
    from serial.tools import list_ports

    return sorted(str(found.device) for found in list_ports.comports() if found.hwid != "n/a")


def _not_opened(port: str, error: Exception) -> UserError:
    """Why, and what to do; by the system's number where it has one."""
    number = getattr(error, "errno", None)
    if number in (errno.EBUSY, errno.EAGAIN):
        return UserError(
            "the serial port cannot be opened: another program has it open",
            file=port,
            remedy="End that program: a terminal, another `earshot`, or a service such as ModemManager.",
        )
    if number == errno.EACCES:
        return UserError(
            "the serial port cannot be opened: this user has no right to",
            file=port,
            remedy="On Linux: sudo usermod -aG dialout $USER, then log in again.",
        )
    if number == errno.ENOENT:
        there = ", ".join(ports())
        return UserError(
            "the serial port cannot be opened: there is no such port",
            file=port,
            remedy=f"These are there: {there}." if there else "None is there: is the board plugged in?",
        )
    return UserError(
        f"the serial port cannot be opened: {error}",
        file=port,
        remedy="Name a device such as /dev/ttyACM0 or a URL such as socket://localhost:4321; "
        "on Linux its user must be in the group dialout.",
    )


class SerialLink:
    """pyserial as a link."""

    def __init__(self, port: str, baud: int = BAUD) -> None:
        """port: a device such as /dev/ttyACM0, or a URL such as socket://localhost:4321."""
        import serial  # here: the other targets need no pyserial

        try:
            # exclusive: a second reader would take a part of the bytes, and neither had whole lines
            self._serial = serial.serial_for_url(
                port, baudrate=baud, timeout=0.05, write_timeout=5.0, exclusive=True
            )
        except (serial.SerialException, ValueError, OSError) as error:
            raise _not_opened(port, error) from None
        self._closed_errors = (serial.SerialException, OSError)

    def send(self, data: bytes) -> None:
        """See Link."""
        try:
            self._serial.write(data)
        except self._closed_errors as error:
            raise LinkClosedError(str(error)) from None

    def receive(self, timeout: float) -> bytes:
        """See Link."""
        deadline = time.monotonic() + timeout
        try:
            while True:
                data: bytes = self._serial.read(1)
                if data or time.monotonic() >= deadline:
                    return data + (self._waiting() if data else b"")
        except self._closed_errors as error:
            raise LinkClosedError(str(error)) from None

    def _waiting(self) -> bytes:
        """What has come; nothing where the port has closed: what came before is not lost by that."""
        with contextlib.suppress(*self._closed_errors):
            waiting = self._serial.in_waiting
            data: bytes = self._serial.read(waiting) if waiting else b""
            return data
        return b""

    def close(self) -> None:
        """See Link."""
        self._serial.close()
