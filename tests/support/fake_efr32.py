# SPDX-License-Identifier: Apache-2.0
"""The EFR32MG24 as its reference manual tells: EMU, CMU, HFXO, DPLL, MSC, GPIO, DC-DC, EUSART0, USART0, LDMA,
WDOG0."""

from __future__ import annotations

import struct
from fractions import Fraction

from tests.support.fake_chip import Chip

EMU, CMU, HFRCO, DPLL, MSC = 0x40004000, 0x40008000, 0x40010000, 0x4001C000, 0x40030000
GPIO, LDMA, LDMAXBAR, USART = 0x4003C000, 0x40040000, 0x40044000, 0x4005C000
HFXO, WDOG, EUSART, DCDC = 0x4A004000, 0x4B004000, 0x4B010000, 0x40094000
RSTCTRL, BOD3SENSE = EMU + 0x90, EMU + 0x20
USERDATA, DEVINFO = 0x0FE00100, 0x0FE08098
EUI64 = (0x0FE08048, 0x0FE0804C)  # low and high word
CRYSTAL_HZ, FSRCO_HZ = 39_000_000, 20_000_000

# Block -> the register and the bit of the CMU that clock it.
CLOCKED = {
    LDMA: (0x64, 0),
    LDMAXBAR: (0x64, 1),
    USART: (0x64, 9),
    WDOG: (0x64, 13),
    DPLL: (0x64, 17),
    HFRCO: (0x64, 18),
    HFXO: (0x64, 20),
    GPIO: (0x64, 26),
    DCDC: (0x64, 31),
    MSC: (0x68, 16),
    EUSART: (0x68, 22),
}
# Registers that a driver looks at until something has come about.
WAITED = (HFXO + 0x58, DPLL + 0x04, DPLL + 0x10, HFRCO + 0x0C, EUSART + 0x54, EUSART + 0x48, DCDC + 0x28)
EUSART_CONFIG = (0x08, 0x0C, 0x14)
USART_CONFIG = (0x08, 0x0C, 0x1C, 0x54)


class Efr32(Chip):
    """As another program may have left it: the crystal asked for, the UART on, old flags, the flash slow."""

    def __init__(self, led: int, high: tuple[int, ...], stuck: str = "", **mutation: int) -> None:
        """led: its pin. high: pins that will have to be high, as EFR32_PIN writes them, so they are low now,
        and all others high; after the UART's, the microphones' power.

        stuck: "crystal", "pll", "uart on" and "dcdc" never come; "crystal stop", "pll stop", "oscillator",
        "uart stop", "uart", "line", "dma" and "vregin" never end. "forgetful": the chip as Renode 1.16.1
        has it, which drops the level of a pin that is no output.
        """
        super().__init__(**mutation)
        self.led, self.high, self.stuck = led, high, stuck
        self.sent = bytearray()
        self.fifo: list[int] = []
        self.waiting = self.asked = 0  # bytes not sent yet; how often their room was asked for
        self.busy = 0  # reads for which the EUSART is still synchronising
        self.hands: list[tuple[int, int, int, int]] = []  # the descriptor under way
        self.hertz = FSRCO_HZ  # of the core
        self.feeds = 0
        self.words = [99]  # of the microphones, received and not fetched: an old one
        self.right = True  # the word to come: a program before stopped in mid-frame
        self.unguarded = False  # something was waited for before watchdog and lockup would have reset
        r = self.registers
        r |= {HFXO + 0x28: 0x06010070, HFXO + 0x20: 3, HFXO + 0x10: 0x0BB00820}
        r |= {DPLL + 0x04: 1, DPLL + 0x10: 6, MSC + 0x04: 0x00200000, CMU + 0x70: 1, CMU + 0x128: 1}
        r |= {RSTCTRL: 0x00060407, BOD3SENSE: 0, EMU + 0x3C: 6, DCDC + 0x04: 0x100, DCDC + 0x28: 1 << 5}
        r |= {
            CMU + 0x200: 1,
            EUSART + 0x04: 1,
            EUSART + 0x08: 0xE0,
            EUSART + 0x0C: 1 << 27,
            EUSART + 0x4C: 0x1FFF,
        }
        r |= {LDMA + 0x50: 0x80000003, LDMA + 0x34: 3, LDMA + 0x5C: 1, LDMA + 0x60: 1, WDOG + 0x18: 3}
        r |= {DEVINFO: 0x12345655, USERDATA: 0xABCD0090}
        for port in range(4):
            low = sum(1 << (pin >> 16) for pin in high if pin & 0xFFFF == port)
            r[GPIO + 0x40 + 0x30 * port] = 0xFFFF & ~low
            r[GPIO + 0x34 + 0x30 * port] = r[GPIO + 0x3C + 0x30 * port] = 0x22222222

    # Facts that follow from the registers

    def bit(self, address: int, number: int) -> bool:
        """One bit of a register."""
        return bool(self.registers.get(address, 0) >> number & 1)

    @property
    def crystal(self) -> bool:
        """HFXO runs: forced, as a crystal oscillator, neither side grounded, tuned."""
        control = self.registers[HFXO + 0x28]
        tuned = self.registers.get(HFXO + 0x18) == 60 | 0x90 << 8 | (0x90 + 40) << 16 | 3 << 24
        started = self.registers[HFXO + 0x10] == 0x0BC00820
        good = tuned and started and self.registers[HFXO + 0x20] & 3 == 0 and not control & 0x30
        return bool(control >> 16 & 1) and good and self.stuck != "crystal"

    @property
    def pll_hz(self) -> int:
        """What the DPLL makes; 0: it has not locked."""
        calibrated = self.registers.get(HFRCO + 0x08) == 0xCCF09F00 | 0x55
        reference = self.registers.get(CMU + 0x100) == 1 and self.crystal
        mode = self.registers.get(DPLL + 0x08) == 5
        factors = self.registers.get(DPLL + 0x0C, 0)
        if not (self.bit(DPLL + 4, 0) and calibrated and reference and mode) or self.stuck == "pll":
            return 0
        made = Fraction(CRYSTAL_HZ * ((factors >> 16) + 1), (factors & 0xFFFF) + 1)
        return int(made) if made.denominator == 1 else 0

    @property
    def regulates(self) -> bool:
        """The core's supply comes from the converter, which is up."""
        return self.bit(DCDC + 0x04, 0) and self.registers[DCDC + 0x04] >> 4 == 0x10 and self.stuck != "dcdc"

    @property
    def baud(self) -> Fraction:
        """Of the EUSART now."""
        source = {1: self.pll_hz, 2: CRYSTAL_HZ, 3: FSRCO_HZ}.get(self.registers[CMU + 0x128], 0)
        group = self.registers.get(CMU + 0x220) == 1
        samples = {0: 16, 1: 8, 2: 6, 3: 4}.get(self.registers[EUSART + 0x08] >> 5 & 7, 1)
        return Fraction(source * group, samples) / (1 + Fraction(self.registers.get(EUSART + 0x30, 0), 256))

    def mode(self, pin: int) -> int:
        """Of a pin."""
        port, number = pin & 0xFFFF, pin >> 16
        register = GPIO + 0x30 + 0x30 * port + (4 if number < 8 else 0xC)
        return self.registers[register] >> 4 * (number & 7) & 15

    def level(self, pin: int) -> int:
        """Of an output."""
        return self.registers[GPIO + 0x40 + 0x30 * (pin & 0xFFFF)] >> (pin >> 16) & 1

    # Accesses

    def read(self, address: int) -> int:
        """The rules of reading."""
        block, offset = address & ~0x3FFF, address & 0xFFF
        self._need_clock(block, address)
        self.unguarded |= address in WAITED and not (self.bit(WDOG + 4, 0) and self.bit(RSTCTRL, 3))
        if block == EUSART:
            return self._eusart_read(offset)
        return self.registers.get(address, 0) | self._status(address)

    def _status(self, address: int) -> int:
        """Bits that say how a block fares now."""
        if address == HFXO + 0x58:
            stopping = self.stuck == "crystal stop"
            demanded = not self.bit(HFXO + 0x28, 24) or not self.bit(HFXO + 0x28, 26)
            runs = self.bit(HFXO + 0x28, 16) or demanded or stopping
            return runs << 16 | (self.crystal and 3)
        low = not self.registers[EMU + 0x3C] & 1 or self.stuck == "vregin"
        return {
            DCDC + 0x30: low << 3,
            DCDC + 0x28: self.regulates << 5,
            DPLL + 0x04: (self.stuck == "pll stop") << 1,
            HFRCO + 0x0C: (self.stuck == "oscillator") << 1,
            DPLL + 0x10: int(self.pll_hz > 0),
            LDMA + 0x30: int(bool(self.hands) and self.stuck == "dma"),
        }.get(address, 0)

    def _eusart_read(self, offset: int) -> int:
        if offset == 0x04:
            return self.registers[EUSART + 0x04] | (self.stuck == "uart stop") << 1
        if offset == 0x54:
            self.busy -= self.busy > 0 and self.stuck != "uart"
            return 8 if self.busy else 0
        if offset == 0x48:
            on, room = self.registers.get(EUSART + 0x48, 0), self.waiting < 16
            self.asked = 0 if room else self.asked + 1
            if self.asked == 3 and self.stuck != "line":
                self.waiting = 0  # meanwhile they have gone
            return on | (self.waiting == 0) << 5 | room << 6 | bool(self.fifo) << 7
        if offset == 0x3C:
            return self.fifo.pop(0) if self.fifo else 0
        return self.registers.get(EUSART + offset, 0)

    def _need_clock(self, block: int, address: int) -> None:
        if block in (EMU, CMU) or address in (USERDATA, DEVINFO, *EUI64):
            return
        self.need(block in CLOCKED, f"nothing lies at {address:#x}")
        register, bit = CLOCKED[block]
        self.need(self.bit(CMU + register, bit), f"bus fault: no clock for {address:#x}")

    def write(self, address: int, value: int) -> None:
        """The alias's operation, then the rules of the block."""
        block, alias, offset = address & ~0x3FFF, address >> 12 & 3, address & 0xFFF
        self._need_clock(block, address)
        old = self.registers.get(block + offset, 0)
        new = {0: value, 1: old | value, 2: old & ~value, 3: old ^ value}[alias]
        rules = {HFXO: self._hfxo, DPLL: self._dpll, MSC: self._msc, CMU: self._cmu, EUSART: self._eusart}
        rules |= {USART: self._usart, LDMA: self._ldma, WDOG: self._wdog, HFRCO: self._hfrco}
        rules |= {GPIO: self._gpio, DCDC: self._dcdc, EMU: self._emu}
        if block not in rules or rules[block](offset, new, value):
            self.registers[block + offset] = new & 0xFFFFFFFF

    def _hfxo(self, offset: int, new: int, _: int) -> bool:
        if offset != 0x80:
            self.need(self.registers.get(HFXO + 0x80) == 0x580E, "HFXO is locked")
        if offset in (0x10, 0x18, 0x20):
            running = (
                self.bit(HFXO + 0x28, 16) or not self.bit(HFXO + 0x28, 24) or not self.bit(HFXO + 0x28, 26)
            )
            self.need(not running, f"HFXO is configured while it runs: {offset:#x}")
        if offset == 0x28 and new >> 16 & 1 and not self.bit(HFXO + 0x28, 16):
            self.need(new & 0x30 == 0, "the crystal starts with a side grounded")
            self._telling()
        return True

    def _telling(self) -> None:
        """Before the crystal is asked to start, its trouble can be reported."""
        self.need(self.mode(self.led) == 4 and self.level(self.led) == 0, "the LED is not lit at start")
        frame = self.registers.get(EUSART + 0x14) == 0x1002 and self.registers[EUSART + 0x0C] == 0
        right = abs(self.baud / 115200 - 1) < Fraction(1, 500)
        tx, rx = self.registers.get(GPIO + 0x4AC, 0), self.registers.get(GPIO + 0x4A4, 0)
        routed = self.registers.get(GPIO + 0x494) == 0x14 and self.mode(tx) == 4 and self.mode(rx) == 1
        self.need(routed and self.level(tx) == 1, "the serial line has no pins yet")
        self.need(frame and right and self.bit(EUSART + 0x48, 1), "the serial line does not work yet")

    def _sounding(self) -> None:
        """Before the microphone's clocks go out, everything waits for what comes in."""
        select, data, clock = (self.registers.get(GPIO + at, 0) for at in (0x724, 0x730, 0x734))
        self.need(self.registers.get(GPIO + 0x720) == 0b1101, "the microphones are not connected")
        self.need(
            self.mode(select) == self.mode(clock) == 4 and self.mode(data) == 1, "the pins are not ready"
        )
        self.need(self.level(select) == self.level(clock) == 0, "the clocks do not begin low")
        powered = all(self.mode(pin) == 4 and self.level(pin) == 1 for pin in self.high[1:])
        self.need(powered, "the microphones have no power")
        self.need(bool(self.hands), "words come before the DMA engine waits for them")

    def _emu(self, offset: int, new: int, _: int) -> bool:
        if offset == 0x90 and new & 0xC0:
            self.need(self.registers[BOD3SENSE] == 3, "a reset by a detector that is off")
            self.need(bool(new & 8), "the resets by a supply come before the one by a lockup")
        return True

    def _dcdc(self, offset: int, new: int, _: int) -> bool:
        if offset != 0x40:
            self.need(self.registers.get(DCDC + 0x40) == 0xABCD, "DCDC is locked")
        if offset == 0x04 and new & 1:
            self.need(self.registers[EMU + 0x3C] == 3 << 1 | 1, "nobody looks at the converter's supply")
            self.need(not self.registers[DCDC + 0x28] & 1 << 5, "an old flag would end the wait")
        return True

    def _gpio(self, offset: int, new: int, _: int) -> bool:
        if self.stuck == "forgetful" and offset in (0x40, 0x70, 0xA0, 0xD0):
            port, old = (offset - 0x40) // 0x30, self.registers[GPIO + offset]
            outputs = sum(1 << n for n in range(16) if self.mode(port | n << 16) == 4)
            self.registers[GPIO + offset] = old & ~outputs | new & outputs
            return False
        self.registers[GPIO + offset] = new & 0xFFFFFFFF
        if self.stuck == "forgetful":
            return False
        steady = all(self.mode(pin) != 4 or self.level(pin) == 1 for pin in self.high)
        self.need(steady, "a break on the line, or the microphones' power is driven low")
        return False

    def _hfrco(self, offset: int, new: int, _: int) -> bool:
        self.need(not self.bit(DPLL + 4, 0), "the oscillator is calibrated while the DPLL steers it")
        return True

    def _dpll(self, offset: int, new: int, _: int) -> bool:
        if offset in (0x08, 0x0C):
            self.need(not self.bit(DPLL + 4, 0), "DPLL is configured while on")
        if offset == 0x04 and new & 1:
            self.need(self.registers[DPLL + 0x10] == 0, "old flags of the DPLL would end the wait")
            self.need(self.registers.get(CMU + 0x100) == 1, "the DPLL has no reference")
        return True

    def _msc(self, offset: int, new: int, _: int) -> bool:
        if offset == 0x04:
            self.need(self.registers.get(MSC + 0x3C) == 0x1B71, "MSC is locked")
            self.need(new >> 20 & 3 != 0, "no wait state is for 40 MHz at most")
        return True

    def _cmu(self, offset: int, new: int, _: int) -> bool:
        if offset == 0x128 and new == 1 and self.bit(EUSART + 0x48, 0):
            self.fifo += [0xFF, 0x7E]  # what came while the rate changed
            self.registers[EUSART + 0x4C] |= 4
        if offset == 0x70 and new & 7 == 2:
            self.need(self.pll_hz > 0, "the core's clock has not locked")
            self.need(new >> 10 & 1 == 1 and new >> 16 & 1 == 1, "PCLK above 50 MHz, or RHCLK above 40")
            self.need(
                self.registers[CMU + 0x70] & 0x10400 == 0x10400, "the prescalers come before the switch"
            )
            self.need(self.registers[MSC + 4] >> 20 & 3 == 1, "one wait state is for 40 to 80 MHz")
            self.hertz = self.pll_hz
        return True

    def _eusart(self, offset: int, new: int, value: int) -> bool:
        on = self.bit(EUSART + 4, 0)
        if offset in EUSART_CONFIG:
            self.need(not on, f"EUSART is configured while on: {offset:#x}")
        if offset in (0x30, 0x38):
            self.need(on, f"EUSART takes {offset:#x} while on alone")
            self.need(self.busy == 0, "EUSART is still synchronising")
        if offset == 0x04 and not new & 1:
            self.registers[EUSART + 0x48] = 0
        if offset in (0x04, 0x30, 0x38) and new & 1 | (offset == 0x30):
            self.busy = 3
        if offset == 0x38:
            self.registers[EUSART + 0x48] = (value & 1) | (value >> 2 & 1) << 1
            if self.stuck == "uart on":
                self.registers[EUSART + 0x48] = 0
        if offset == 0x44:
            self.need(self.bit(EUSART + 0x48, 1), "sent while the transmitter is off")
            routes = self.bit(GPIO + 0x494, 4)
            right = abs(self.baud / 115200 - 1) < Fraction(1, 500)
            self.need(self.waiting < 16, "a byte finds no room")
            self.waiting += 1
            self.sent.append(value & 0xFF if routes and right else 0xFF)
        return offset not in (0x38, 0x44)

    def receive(self, byte: int) -> None:
        """A byte comes over the line."""
        routed = self.bit(GPIO + 0x494, 2) and self.bit(EUSART + 0x48, 0)
        if not routed or len(self.fifo) >= 16:
            self.registers[EUSART + 0x4C] |= 16
            return
        self.fifo.append(byte)
        self.registers[EUSART + 0x4C] |= 4

    def _usart(self, offset: int, new: int, value: int) -> bool:
        on, runs = self.bit(USART + 4, 0), self.registers.get(USART + 0x18, 0) & 7
        if offset == 0x04 and not new & 1:
            self.registers[USART + 0x18] = 0
            self.right = False
        if offset != 0x04:
            self.need(on, f"USART takes {offset:#x} while on alone")
        if offset in USART_CONFIG:
            self.need(runs == 0, f"USART is configured while it runs: {offset:#x}")
        if offset == 0x14:
            status = self.registers.get(USART + 0x18, 0)
            for enable, disable, at in ((0, 1, 0), (2, 3, 1), (4, 5, 2)):
                status |= (value >> enable & 1) << at
                status &= ~((value >> disable & 1) << at)
            self.registers[USART + 0x18] = status
            self.words = [] if value >> 11 & 1 else self.words
            if status & 7 == 7:
                self._sounding()
        return offset != 0x14

    @property
    def rate(self) -> Fraction:
        """Frames a second of 64 clocks, while they go out; 0: none do."""
        configured = self.registers.get(USART + 0x08) == 1 | 1 << 10 | 1 << 29
        framed = self.registers.get(USART + 0x0C, 0) & 15 == 0xD
        i2s = self.registers.get(USART + 0x54) == 1 | 1 << 4 | 3 << 8
        routed = self.registers.get(GPIO + 0x720) == 0b1101
        if not (configured and framed and i2s and routed and self.registers.get(USART + 0x18, 0) & 7 == 7):
            return Fraction(0)
        divider = 2 * (1 + Fraction(self.registers.get(USART + 0x1C, 0), 256))
        return Fraction(self.hertz, 2) / divider / 64

    def frame(self, left: int, right: int) -> None:
        """A frame of sound, word by word: the right one first where the clocks stopped between them."""
        self.word(left, right)
        self.word(left, right)

    def word(self, left: int, right: int) -> None:
        """Half a frame."""
        if self.rate == 16000:
            self.words.append(right if self.right else left)
            self.right = not self.right
        self._pump()

    def _pump(self) -> None:
        while self.words and self.hands:
            self._transfer(self.words.pop(0))

    def _ldma(self, offset: int, new: int, value: int) -> bool:
        if offset == 0x48 and value & 1:
            self.need(self.bit(LDMA + 4, 0), "LDMA is off")
            self.need(not self.registers.get(LDMA + 0x60), "the old loop count counts")
            self.need(self.registers.get(LDMAXBAR + 4) == 0x00040000, "the engine waits for nobody's request")
            self.need(self.registers.get(LDMA + 0x5C) == 0, "an old configuration of the channel")
            old = self.registers[LDMA + 0x34] | self.registers[LDMA + 0x50]
            self.need(old & 0x80000001 == 0, "old flags would be taken for a block's")
            self._load(self.registers.get(LDMA + 0x70, 0))
            self._pump()
        if offset == 0x28 and value & 1 and self.stuck != "dma":
            self.hands = []
        return offset not in (0x28, 0x48)

    def _load(self, link: int) -> None:
        control, source, target, further = struct.unpack("<4I", self.memory(link & ~3, 16))
        self.hands = [(control, source, target, further)]

    def _transfer(self, word: int) -> None:
        control, source, target, link = self.hands[0]
        self.need(source == USART + 0x2C, "the words are in RXDOUBLE")
        self.need(control >> 24 & 15 == 0b0111, "halfwords, from one place")
        self.memory(target, 2)[:] = struct.pack("<h", word)
        left = control >> 4 & 0x7FF
        if left:
            self.hands = [(control & ~0x7FF0 | left - 1 << 4, source, target + 2, link)]
            return
        if control >> 20 & 1:
            self.registers[LDMA + 0x50] |= 1
        self.need(link & 2 == 2, "the last descriptor is linked to the first")
        self._load(link)

    def _wdog(self, offset: int, new: int, value: int) -> bool:
        if offset == 0x08:
            self.need(not self.bit(WDOG + 4, 0), "the watchdog is configured while it runs")
        if offset == 0x0C:
            self.feeds += value & 1
        if offset == 0x04 and new & 1:
            self.need(
                self.bit(WDOG + 0x1C, 1) and not self.registers[WDOG + 0x18], "its warning is set up before"
            )
            self.need(self.registers.get(CMU + 0x200) == 3, "the clock that nothing stops")
        return True
