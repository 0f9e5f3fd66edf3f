# SPDX-License-Identifier: Apache-2.0
"""Faults in a serial log: registers and stack, and the image that printed them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from workbench.protocol.lines import Boot, Error, Fault, Stack, parse_line

REGISTERS = ("r0", "r1", "r2", "r3", *(f"r{n}" for n in range(4, 12)), "r12", "lr", "pc", "psr", "sp", "exc")
STATES = ("cfsr", "hfsr", "mmfar", "bfar")
_VALUE = re.compile(r"[0-9a-f]{8}")


@dataclass(frozen=True)
class Dump:
    """One fault. What was not printed is not in `registers`; `stack` may have gaps."""

    what: str
    detail: int
    registers: Mapping[str, int]  # of REGISTERS and STATES
    stack: Mapping[int, int]  # address of a word -> the word
    build: str | None  # of the last boot line before it; a fault line that comes later is of the same image


def read_dumps(lines: Iterable[str]) -> list[Dump]:
    """The faults of a log, in its order. What a terminal wrote before a line is skipped."""
    dumps: list[Dump] = []
    build: str | None = None
    error: Error | Fault | None = None
    stack: dict[int, int] = {}

    def close() -> None:
        if error is not None:
            dumps.append(Dump(error.what, error.detail, _registers(error.more), dict(stack), build))

    for text in lines:
        line = parse_line(text[text.find('{"') :].strip() if '{"' in text else "")
        if isinstance(line, Stack) and error is not None:
            stack.update((line.address + 4 * index, word) for index, word in enumerate(line.words))
        elif isinstance(line, Error | Fault) and "cfsr" in line.more:
            close()
            error, stack = line, {}
        elif isinstance(line, Boot):
            close()
            error, build = None, line.build or None
    close()
    return dumps


def _registers(more: Mapping[str, object]) -> dict[str, int]:
    return {
        name: int(value, 16)
        for name, value in more.items()
        if name in (*REGISTERS, *STATES) and isinstance(value, str) and _VALUE.fullmatch(value)
    }
