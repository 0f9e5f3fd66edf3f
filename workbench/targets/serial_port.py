# SPDX-License-Identifier: Apache-2.0
"""A board on a serial port, or whatever a pyserial URL leads to."""

from __future__ import annotations

import time

from codegen.common.errors import UserError
from workbench.targets.link import LinkClosedError

BAUD = 115200


def is_hardware(port: str) -> bool:
    """Whether it is a port of this computer; a URL or a pseudo-terminal may lead to anything."""
    from serial.tools import list_ports

    return any(found.device == port for found in list_ports.comports())


class SerialLink:
    """pyserial as a link."""

    def __init__(self, port: str, baud: int = BAUD) -> None:
        """port: a device such as /dev/ttyACM0, or a URL such as socket://localhost:4321."""
        import serial  # here: the other targets need no pyserial

        try:
            self._serial = serial.serial_for_url(port, baudrate=baud, timeout=0.05, write_timeout=5.0)
        except (serial.SerialException, ValueError, OSError) as error:
            raise UserError(
                f"the serial port cannot be opened: {error}",
                file=port,
                remedy="Name a device such as /dev/ttyACM0 or a URL such as socket://localhost:4321; "
                "on Linux its user must be in the group dialout.",
            ) from None
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
                    waiting = self._serial.in_waiting
                    return data + (self._serial.read(waiting) if data and waiting else b"")
        except self._closed_errors as error:
            raise LinkClosedError(str(error)) from None

    def close(self) -> None:
        """See Link."""
        self._serial.close()
