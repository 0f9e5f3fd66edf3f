# SPDX-License-Identifier: Apache-2.0
"""From a fault's registers to the functions that called each other: by .debug_frame; after it, guesses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workbench.backtrace.dump import Dump
from workbench.backtrace.image import LR, SP, Image

FRAMES_MAX = 64
_STACKED = ("r0", "r1", "r2", "r3", "r12", "lr", "pc", "psr")
_BASIC, _EXTENDED = (
    0x20,
    0x68,
)  # bytes that an exception stacks, without and with the floating-point registers
_NUMBERS = {f"r{n}": n for n in range(13)} | {"sp": SP, "lr": LR}


@dataclass(frozen=True)
class Frame:
    """One function of the chain, the innermost first.

    address: of the instruction that failed, or of the one after the call.
    guess: no debug information led here; a word of the stack looks like a return address.
    note:  what is to be known of it.
    """

    address: int
    call: bool  # address is after a call
    guess: bool = False
    note: str = ""

    @property
    def at(self) -> int:
        """An address within the instruction that is meant, for tables of lines."""
        return self.address - 1 if self.call else self.address


def unwind(dump: Dump, image: Image) -> list[Frame]:
    """The chain of calls at the fault, as far as registers, stack and debug information tell."""
    if "pc" not in dump.registers:
        return _guesses(image, dump.stack, min(dump.stack, default=0))
    registers = {number: dump.registers[name] for name, number in _NUMBERS.items() if name in dump.registers}
    registers[SP] = _before_exception(
        dump.registers["sp"], dump.registers["psr"], dump.registers.get("exc", ~0)
    )
    frames = [Frame(dump.registers["pc"] & ~1, call=False)]
    if image.function(frames[0].address) is None:
        # A jump into nowhere: whoever jumped left its address in lr, and nothing on the stack.
        frames = [Frame(frames[0].address, call=False, note="no code of this image")]
        back = registers.get(LR, 0)
        if not (back & 1 and image.function(back - 2) and image.after_call(back & ~1)):
            return frames + _guesses(image, dump.stack, registers[SP])
        frames.append(Frame(back & ~1, call=True, note="by lr"))
    try:
        while len(frames) < FRAMES_MAX:
            caller = _caller(frames[-1], registers, dump.stack, image)
            if caller is None:
                break
            frames.append(caller)
    except _LostError:
        frames += _guesses(image, dump.stack, registers[SP])
    return frames


def _before_exception(sp: int, psr: int, exc: int) -> int:
    """The stack pointer of the interrupted code: bit 4 of EXC_RETURN clear means the extended frame, bit 9 of
    psr a word of padding (DDI 0403E, B1.5.7)."""
    return sp + (_BASIC if exc & 1 << 4 else _EXTENDED) + (4 if psr & 1 << 9 else 0)


class _LostError(Exception):
    """Registers, stack or debug information do not tell who called."""


def _caller(frame: Frame, registers: dict[int, int], stack: Mapping[int, int], image: Image) -> Frame | None:
    """The next frame, its registers put into `registers`; None after the first function of all."""
    function = image.function(frame.at)
    if function is not None and function.name == "reset_start":
        return None
    row = image.row(frame.at)
    if row is None or row.base not in registers:
        raise _LostError
    cfa = registers[row.base] + row.offset
    before = {register: _word(stack, cfa + offset) for register, offset in row.saved.items()}
    if LR not in before and frame.call:
        raise _LostError  # the call overwrote lr
    back = before.get(LR, registers.get(LR, 0))
    if back >> 24 == 0xFF:
        registers.update(before)
        return _interrupted(cfa, back, registers, stack)
    if not back & 1 or image.function(back - 2) is None:
        raise _LostError
    registers.update(before)
    registers[SP] = cfa
    return Frame(back & ~1, call=True)


def _interrupted(sp: int, exc: int, registers: dict[int, int], stack: Mapping[int, int]) -> Frame:
    """After a handler: what the exception stacked at sp."""
    stacked = {name: _word(stack, sp + 4 * index) for index, name in enumerate(_STACKED)}
    registers.update((_NUMBERS[name], value) for name, value in stacked.items() if name in _NUMBERS)
    registers[SP] = _before_exception(sp, stacked["psr"], exc)
    return Frame(stacked["pc"] & ~1, call=False, note="interrupted here")


def _word(stack: Mapping[int, int], address: int) -> int:
    if address not in stack:
        raise _LostError
    return stack[address]


def _guesses(image: Image, stack: Mapping[int, int], start: int) -> list[Frame]:
    """Words from `start` on that lie after a call in the code."""
    found = [
        Frame(word & ~1, call=True, guess=True)
        for address, word in sorted(stack.items())
        if address >= start and word & 1 and image.function(word - 2) and image.after_call(word & ~1)
    ]
    return found[:FRAMES_MAX]
