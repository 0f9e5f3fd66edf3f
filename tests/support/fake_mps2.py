# SPDX-License-Identifier: Apache-2.0
"""The MPS2 board as Arm's CMSDK manual tells (DDI 0479C, 4.3 and 4.5): the UART and the watchdog."""

from __future__ import annotations

from tests.support.fake_chip import Chip

UART, WATCHDOG = 0x40004000, 0x40008000
DATA, STATE, CTRL, INTSTATUS, BAUDDIV = (UART + at for at in (0, 4, 8, 12, 16))
LOAD, CONTROL, INTCLR, LOCK = (WATCHDOG + at for at in (0, 8, 12, 0xC00))
LOCK_KEY = 0x1ACCE551


class Mps2(Chip):
    """As after a reset, but for an old interrupt of the UART."""

    def __init__(self, stuck: str = "", **mutation: int) -> None:
        """stuck: "line" takes nothing after the byte under way."""
        super().__init__(**mutation)
        self.stuck = stuck
        self.sent = bytearray()
        self.full = False  # the byte to send waits
        self.received: int | None = None
        self.looks = 0  # at STATE since the byte was written
        self.feeds = 0
        self.registers |= {CTRL: 0, INTSTATUS: 0, BAUDDIV: 0, STATE: 0, LOCK: 0}

    def read(self, address: int) -> int:
        """The byte to send goes out while the driver looks."""
        if address == STATE:
            self.looks += self.full
            if self.looks == 3 and self.stuck != "line":
                self.gone()
            return self.registers[STATE] | self.full | (self.received is not None) << 1
        if address == DATA:
            byte, self.received = self.received or 0, None
            return byte
        return super().read(address)

    def gone(self) -> None:
        """The byte to send has gone, and the UART asks for the next one."""
        self.full, self.looks = False, 0
        self.registers[INTSTATUS] |= self.registers[CTRL] >> 2 & 1

    def write(self, address: int, value: int) -> None:
        """The rules of each block."""
        if address >= WATCHDOG:
            self._watchdog(address, value)
        elif address == DATA:
            self.need(self.registers[CTRL] & 1 == 1, "sent while the transmitter is off")
            self.need(self.registers[BAUDDIV] >= 16, "the divider is 16 at least")
            self.need(not self.full, "a byte finds no room")
            self.sent.append(value & 0xFF)
            self.full = True
        elif address == CTRL:
            self.need(self.registers[BAUDDIV] == 25_000_000 // 115200, "the UART is on before it has a rate")
            self.registers[CTRL] = value
        elif address in (STATE, INTSTATUS):
            self.registers[address] &= ~value
        else:
            self.need(address == BAUDDIV, f"nothing lies at {address:#x}")
            self.registers[address] = value

    def receive(self, byte: int) -> None:
        """A byte comes over the line."""
        if not self.registers[CTRL] & 2:
            return
        if self.received is not None:
            self.registers[STATE] |= 8
        self.received = byte
        self.registers[INTSTATUS] |= self.registers[CTRL] >> 2 & 2

    def _watchdog(self, address: int, value: int) -> None:
        self.need(address == LOCK or self.registers[LOCK] == LOCK_KEY, "the watchdog is locked")
        if address == CONTROL:
            self.need(self.registers.get(LOAD, 0) > 0, "the watchdog starts without a time")
        self.feeds += address == INTCLR
        self.registers[address] = value
