# SPDX-License-Identifier: Apache-2.0
"""The nRF52840 as its product specification tells: clock, power, UARTE0, TIMER0, PDM, WDT, GPIO."""

from __future__ import annotations

import struct

from tests.support.fake_chip import Chip

CLOCK, UARTE, TIMER, WDT = 0x40000000, 0x40002000, 0x40008000, 0x40010000
PDM, NVMC, GPIO = 0x4001D000, 0x4001E000, 0x50000000
RESETREAS, POFWARN, POFCON, DCDCEN = 0x40000400, 0x40000108, 0x40000510, 0x40000578
UICR_APPROTECT, APPROTECT_DISABLE = 0x10001208, 0x40000558
ICACHECNF = NVMC + 0x540

UARTE_CONFIG = (0x508, 0x50C, 0x510, 0x514, 0x524, 0x56C)
PDM_CONFIG = (0x504, 0x508, 0x520, 0x540, 0x544)
TIMER_CONFIG = (0x504, 0x508, 0x510)


class Nrf52(Chip):
    """As a bootloader may have left it: UART and timer on, flow control, interrupts, old events."""

    def __init__(self, led: int, high: tuple[int, ...], stuck: str = "", **mutation: int) -> None:
        """led: its pin. high: pins that will have to be high, so they are low now, and all others high.

        stuck: "crystal" never starts, "uart" never ends a transfer, "slow" only after some looks, "pdm" never
        stops, "uart stop" never comes to rest.
        """
        super().__init__(**mutation)
        self.led, self.stuck = led, stuck
        self.sent = bytearray()
        self.fifo: list[int] = []
        self.receiving = self.sending = True  # a bootloader's
        self.resting: dict[int, int] = {}  # event -> looks at it until EasyDMA has come to rest
        self.unguarded = False  # something was waited for before the watchdog ran
        self.looks = 0  # at ENDTX until a slow transfer ends
        self.crystal = self.dog = self.recording = False
        self.timing, self.ticks = True, 0x12345678  # TIMER0
        self.place = 0, 0  # of the byte to come, and MAXCNT: they count as they were at STARTRX
        self.block = 0  # where the block lies that PDM writes now
        self.count = 0  # its samples
        self.reported = False  # of a new place since the last block began
        self.left: list[int] = []  # overwritten places
        self.registers |= {UARTE + 0x500: 8, UARTE + 0x508: 5, UARTE + 0x510: 7, UARTE + 0x56C: 1}
        self.registers |= {UARTE + 0x144: 1, UARTE + 0x158: 1, UICR_APPROTECT: 0xFFFFFF5A, POFWARN: 1}
        self.registers |= {UARTE + 0x300: 0x1FFF, UARTE + 0x110: 1, UARTE + 0x120: 1, UARTE + 0x124: 1}
        self.registers |= {TIMER + 0x504: 1, TIMER + 0x510: 4, TIMER + 0x144: 1}
        for port in (0, 1):
            low = sum(1 << (pin & 31) for pin in high if pin >> 5 == port)
            self.registers[GPIO + 0x300 * port + 0x504] = 0xFFFFFFFF & ~low
        self.registers |= {UARTE + 0x480: 1, PDM + 0x500: 1}
        self.registers |= {PDM + 0x300: 7, PDM + 0x100: 1, PDM + 0x108: 1, CLOCK + 0x100: 1}

    def read(self, address: int) -> int:
        """A transfer under way ends while the driver looks."""
        self.unguarded |= not self.dog and address in (UARTE + 0x144, UARTE + 0x158, CLOCK + 0x100)
        if address in self.resting and self.stuck != "uart stop":
            self.resting[address] -= 1
            if self.resting[address] == 0:
                self._rest(address)
        if address == UARTE + 0x120 and self.looks:
            self.looks -= 1
            self.registers[address] = int(self.looks == 0)
        return super().read(address)

    def write(self, address: int, value: int) -> None:
        """The rules of each block."""
        block, offset = address & ~0xFFF, address & 0xFFF
        if address == RESETREAS:
            self.registers[address] = self.registers.get(address, 0) & ~value
        elif block == CLOCK:
            self._clock(offset, value)
        elif block == UARTE:
            self._uarte(offset, value)
        elif block == TIMER:
            self._timer(offset, value)
        elif block == PDM:
            self._pdm(offset, value)
        elif block == WDT:
            self._wdt(offset, value)
        elif block == GPIO:
            self._gpio(offset, value)
        else:
            self.need(address == ICACHECNF, f"nothing lies at {address:#x}")
            self.registers[address] = value

    def _interrupts(self, base: int, offset: int, value: int) -> bool:
        """INTENSET and INTENCLR over INTEN."""
        inten = self.registers.get(base + 0x300, 0)
        if offset == 0x304:
            self.registers[base + 0x300] = inten | value
        elif offset == 0x308:
            self.registers[base + 0x300] = inten & ~value
        return offset in (0x304, 0x308)

    def _rest(self, event: int) -> None:
        del self.resting[event]
        self.registers[event] = 1
        if event == UARTE + 0x144:
            self.receiving = False
        else:
            self.sending = False

    @property
    def debug_port_open(self) -> bool:
        """As a chip of build code F0 and later has it: flashed so, and the image says so."""
        flashed, said = self.registers[UICR_APPROTECT], self.registers.get(APPROTECT_DISABLE, 0)
        return flashed & 0xFF == said & 0xFF == 0x5A

    def _clock(self, offset: int, value: int) -> None:
        if self._interrupts(CLOCK, offset, value):
            self.need(offset == 0x308 or not self.registers[POFWARN], "an old warning would be taken for one")
            return
        if CLOCK + offset in (POFWARN, POFCON, DCDCEN, APPROTECT_DISABLE):
            self.registers[CLOCK + offset] = value
        elif offset == 0 and value == 1:
            self.need(not self.registers.get(CLOCK + 0x100), "the old event would end the wait")
            self.need(self.is_output(self.led, high=False), "the LED is not lit at start")
            self.crystal = self.stuck != "crystal"
            self.registers[CLOCK + 0x100] = int(self.crystal)
        else:
            self.need(offset == 0x100, f"CLOCK has no {offset:#x} here")
            self.registers[CLOCK + offset] = value

    def _uarte(self, offset: int, value: int) -> None:
        on = self.registers.get(UARTE + 0x500) == 8
        if self._interrupts(UARTE, offset, value):
            return
        if offset == 0x500 and value == 0 and self.stuck != "uart stop":
            self.need(not on or not (self.receiving or self.sending), "EasyDMA goes on after the UARTE's end")
        if offset in UARTE_CONFIG:
            self.need(not on, f"UARTE is configured while on: {offset:#x}")
        if offset == 0x500 and value == 8:
            pins = [self.registers.get(UARTE + select, 1 << 31) for select in (0x50C, 0x514)]
            self.need(self.is_output(pins[0], high=True), "TXD's pin must idle high as an output")
            self.need(self.is_input(pins[1]), "RXD's pin must be an input")
        if offset in (0x004, 0x00C):
            event = UARTE + (0x144 if offset == 0x004 else 0x158)
            self.need(not self.registers.get(event), "the old event would end the wait")
            self.resting[event] = 3
        elif offset == 0x000:
            self.need(on, "STARTRX while off")
            self.need(not self.registers.get(UARTE + 0x110), "the old ENDRX would be taken for a byte")
            self.receiving = True
            self.place = self.registers.get(UARTE + 0x534, 0), self.registers.get(UARTE + 0x538, 0)
            self._feed()
        elif offset == 0x008:
            self.need(on, "STARTTX while off")
            self.need(
                not self.registers.get(UARTE + 0x120), "the old ENDTX would be taken for this transfer's"
            )
            count = self.registers.get(UARTE + 0x548, 0)
            self.need(count <= 230, "at 115200 baud a longer piece outlasts the emergency's wait of 20 ms")
            self.sent += self.memory(self.registers.get(UARTE + 0x544, 0), count)
            self.need(self.looks == 0, "STARTTX while a transfer is under way")
            self.looks = 5 if self.stuck == "slow" else 0
            self.registers[UARTE + 0x120] = int(self.stuck not in ("uart", "slow"))
        elif offset == 0x480:
            self.registers[UARTE + offset] = self.registers.get(UARTE + offset, 0) & ~value
        else:
            self.registers[UARTE + offset] = value

    def _feed(self) -> None:
        if self.fifo and self.receiving:
            self.need(self.place[1] == 1, "RXD.MAXCNT is 1, or a byte alone ends nothing")
            self.memory(self.place[0], 1)[0] = self.fifo.pop(0)
            self.receiving = False
            self.registers[UARTE + 0x110] = 1

    def receive(self, byte: int) -> None:
        """A byte comes over the line."""
        if len(self.fifo) >= 5:
            self.registers[UARTE + 0x480] = self.registers.get(UARTE + 0x480, 0) | 1
            self.registers[UARTE + 0x124] = 1
            return
        self.fifo.append(byte)
        self._feed()

    def noise(self) -> None:
        """A byte without a stop bit."""
        self.registers[UARTE + 0x480] = self.registers.get(UARTE + 0x480, 0) | 4
        self.registers[UARTE + 0x124] = 1

    def _timer(self, offset: int, value: int) -> None:
        if self._interrupts(TIMER, offset, value):
            return
        if offset in TIMER_CONFIG:
            self.need(not self.timing, f"TIMER is configured while it runs: {offset:#x}")
        if offset == 0x000:
            self.need(not self.registers.get(TIMER + 0x144), "an old COMPARE would be taken for a wake")
            self.timing = True
        elif offset == 0x004:
            self.timing = False
        elif offset == 0x00C:
            self.ticks = 0
        elif offset == 0x040:
            self.registers[TIMER + 0x540] = self.ticks
        else:
            self.registers[TIMER + offset] = value

    def pass_time(self, ticks: int) -> None:
        """Of 16 MHz, fewer than 2^32; counted asleep and awake."""
        config = [self.registers.get(TIMER + at, 0) for at in TIMER_CONFIG]
        if not self.timing or config != [0, 3, 0]:
            return
        compare = self.registers.get(TIMER + 0x544, 0)
        if 0 < (compare - self.ticks) % 2**32 <= ticks:
            self.registers[TIMER + 0x144] = 1
        self.ticks = (self.ticks + ticks) % 2**32

    def _pdm(self, offset: int, value: int) -> None:
        on = self.registers.get(PDM + 0x500) == 1
        if self._interrupts(PDM, offset, value):
            return
        if offset in PDM_CONFIG:
            self.need(not on, f"PDM is configured while on: {offset:#x}")
        if offset == 0x500 and value == 1:
            pins = [self.registers.get(PDM + select, 1 << 31) for select in (0x540, 0x544)]
            self.need(self.is_output(pins[0], high=False), "the clock's pin must be low as an output")
            self.need(self.is_input(pins[1]), "the data's pin must be an input")
        if offset == 0x000:
            self.need(on, "PDM starts while off")
            self.need(self.crystal, "the rate is as exact as the clock: no crystal")
            for event, name in ((0x100, "STARTED"), (0x108, "END")):
                self.need(not self.registers.get(PDM + event), f"an old {name} would be taken for a block's")
            self.recording = True
            self._begin_block()
        elif offset == 0x004:
            self.need(not self.registers.get(PDM + 0x104), "the old STOPPED would end the wait")
            self.recording = self.recording and self.stuck == "pdm"
            self.registers[PDM + 0x104] = int(self.stuck != "pdm")
        else:
            self.reported = self.reported or offset == 0x560
            self.registers[PDM + offset] = value

    def _begin_block(self) -> None:
        if not self.reported:
            self.left.append(self.block)
        self.block, self.reported = self.registers.get(PDM + 0x560, 0), False
        self.count = self.registers.get(PDM + 0x564, 0)
        self.registers[PDM + 0x100] = 1

    def record(self, samples: list[int]) -> None:
        """A block of sound, MAXCNT samples; the next one begins at once."""
        self.need(self.recording, "nothing records")
        self.need(len(samples) == self.count, f"MAXCNT is not {len(samples)}")
        self.memory(self.block, 2 * len(samples))[:] = struct.pack(f"<{len(samples)}h", *samples)
        self.registers[PDM + 0x108] = 1
        self._begin_block()

    def _wdt(self, offset: int, value: int) -> None:
        if offset in (0x504, 0x508, 0x50C):
            self.need(not self.dog, "the watchdog is configured while it runs")
        if offset == 0:
            self.dog = True
        self.registers[WDT + offset] = value

    def _gpio(self, offset: int, value: int) -> None:
        port = GPIO + (0x300 if offset >= 0x800 else 0)  # P1's registers begin where P0's PIN_CNF end
        local = GPIO + offset - port
        out = self.registers.get(port + 0x504, 0)
        if local == 0x508:
            self.registers[port + 0x504] = out | value
        elif local == 0x50C:
            self.registers[port + 0x504] = out & ~value
        else:
            self.need(0x700 <= local < 0x780, f"GPIO has no {local:#x} here")
            self.registers[port + local] = value

    def _cnf(self, pin: int) -> int:
        return self.registers.get(GPIO + 0x300 * (pin >> 5) + 0x700 + 4 * (pin & 31), 2)

    def level(self, pin: int) -> int:
        """Of an output."""
        return self.registers.get(GPIO + 0x300 * (pin >> 5) + 0x504, 0) >> (pin & 31) & 1

    def is_output(self, pin: int, *, high: bool) -> bool:
        """Direction and level."""
        return pin < 64 and self._cnf(pin) & 1 == 1 and self.level(pin) == int(high)

    def is_input(self, pin: int) -> bool:
        """Direction in, buffer connected."""
        return pin < 64 and self._cnf(pin) & 3 == 0
