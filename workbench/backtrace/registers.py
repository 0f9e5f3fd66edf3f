# SPDX-License-Identifier: Apache-2.0
"""Fault registers in words: Armv7-M manual, DDI 0403E, B3.2.15 to B3.2.18; STKOF: Armv8-M, DDI 0553."""

from __future__ import annotations

from collections.abc import Mapping

EXCEPTIONS = {
    2: "NMI",
    3: "hard fault",
    4: "memory management fault",
    5: "bus fault",
    6: "usage fault",
    7: "secure fault",
}

_CFSR: tuple[tuple[int, str, str], ...] = (
    (0, "IACCVIOL", "an instruction was fetched from where none may be"),
    (1, "DACCVIOL", "data was read or written where that is not allowed"),
    (3, "MUNSTKERR", "the stack could not be read at the return from an exception"),
    (4, "MSTKERR", "the stack could not take the registers of an exception"),
    (5, "MLSPERR", "the floating-point registers could not be saved"),
    (7, "MMARVALID", "mmfar has the address"),
    (8, "IBUSERR", "the bus failed to fetch an instruction"),
    (9, "PRECISERR", "the bus failed to read or write data; pc is the instruction that did"),
    (10, "IMPRECISERR", "the bus failed to write data some instructions before pc"),
    (11, "UNSTKERR", "the bus failed at the return from an exception"),
    (12, "STKERR", "the bus failed to take the registers of an exception"),
    (13, "LSPERR", "the bus failed to save the floating-point registers"),
    (15, "BFARVALID", "bfar has the address"),
    (16, "UNDEFINSTR", "an undefined instruction"),
    (17, "INVSTATE", "a jump to an address without the Thumb bit, as of a null function pointer"),
    (18, "INVPC", "a return from an exception with a wrong value"),
    (19, "NOCP", "a coprocessor or the FPU was used that is off or absent"),
    (20, "STKOF", "the stack reached its limit"),
    (24, "UNALIGNED", "an access that is not aligned"),
    (25, "DIVBYZERO", "a division by zero"),
)
_HFSR: tuple[tuple[int, str, str], ...] = (
    (1, "VECTTBL", "the vector table could not be read"),
    (30, "FORCED", "another fault that could not be handled as itself"),
    (31, "DEBUGEVT", "a debug event without a debugger"),
)


def in_words(registers: Mapping[str, int]) -> list[str]:
    """A line for each bit that is set in cfsr and hfsr, with the address where it is known."""
    addresses = {"MMARVALID": "mmfar", "BFARVALID": "bfar"}
    lines = []
    for register, bits in (("cfsr", _CFSR), ("hfsr", _HFSR)):
        value = registers.get(register, 0)
        for bit, name, meaning in bits:
            if not value >> bit & 1:
                continue
            where = addresses.get(name)
            address = f": 0x{registers[where]:08x}" if where is not None and where in registers else ""
            lines.append(f"{name}: {meaning}{address}")
    return lines
