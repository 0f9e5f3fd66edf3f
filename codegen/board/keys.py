# SPDX-License-Identifier: Apache-2.0
"""The keys of a board.toml, and what each may be."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

CORES = ("cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55")
FPUS = ("none", "fpv4-sp-d16", "fpv5-sp-d16", "fpv5-d16")
KINDS = ("flash", "ram")
CACHES = ("none", "code", "all")  # which reads of the flash a cache serves

_NAME = re.compile(r"[a-z][a-z0-9_]*")
ADDRESSES = 1 << 32

# Checks of one value: None, or what is wrong with it.
Check = Callable[[Any], str | None]


def text(value: Any) -> str | None:
    """Any text that is not empty."""
    return None if isinstance(value, str) and value else "must be text"


def identifier(value: Any) -> str | None:
    """A name that C and a file system take alike."""
    if isinstance(value, str) and _NAME.fullmatch(value):
        return None
    return "must be a name of lower-case letters, digits and _, a letter first"


def one_of(*allowed: str) -> Check:
    """One of these words."""
    return lambda value: None if value in allowed else f"must be one of {', '.join(allowed)}"


def whole(low: int, high: int, step: int = 1) -> Check:
    """A whole number from low to high, both allowed, that `step` divides."""

    def check(value: Any) -> str | None:
        number = isinstance(value, int) and not isinstance(value, bool)
        if number and low <= value <= high and value % step == 0:
            return None
        multiple = f", a multiple of {step}" if step > 1 else ""
        return f"must be a whole number from {low} to {high}{multiple}"

    return check


TOP: Mapping[str, Check] = {
    "name": identifier,
    "description": text,
    "inherits": identifier,
    "port": identifier,
    "core": one_of(*CORES),
    "fpu": one_of(*FPUS),
    "clock_hz": whole(1, 2_000_000_000),
    "stack": whole(512, 1 << 24, step=8),
    "interrupts": whole(0, 480),
    "stand_in": identifier,
    "flash_wait_states": whole(0, 15),
    "flash_cache": one_of(*CACHES),
}
MEMORY: Mapping[str, Check] = {
    "name": identifier,
    "kind": one_of(*KINDS),
    "start": whole(0, ADDRESSES - 1),
    "size": whole(1, ADDRESSES),
    "limit": text,
}
EMULATOR: Mapping[str, Check] = {"qemu": text}
TABLES = ("memory", "irq", "constants", "pins", "microphone", "emulator", "flash", "pack", "renode")
CHIP = ("core", "fpu", "clock_hz", "stack", "interrupts", "memory")  # what an image for a chip needs
