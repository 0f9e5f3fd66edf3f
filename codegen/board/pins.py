# SPDX-License-Identifier: Apache-2.0
"""[pins] and [microphone] of a board.toml: what is wired where, and what a microphone needs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from codegen.board.keys import Check, whole

_PIN = re.compile(r"P(?:([A-D])(\d\d)|([01])\.(\d\d))")
PINS_A_PORT = 32


@dataclass(frozen=True)
class Pin:
    """A pin of the chip by the name that its maker gives it: "PA05" or "P1.03"."""

    port: int  # A and 0 are 0
    number: int


def pin(value: Any) -> str | None:
    """The name of a pin."""
    found = _PIN.fullmatch(value) if isinstance(value, str) else None
    if found and int(found[2] or found[4]) < PINS_A_PORT:
        return None
    return 'must be a pin such as "PA05" or "P1.03"'


MICROPHONE: Mapping[str, Check] = {
    "rate": whole(8000, 48000),  # samples a second, the only rate it has
    "settling": whole(0, 1 << 16),  # samples after its start that are dropped
    "gain": whole(0, 255),  # in the chip's own unit
}


def pins_of(table: Mapping[str, str]) -> tuple[tuple[str, Pin], ...]:
    """[pins], checked before, in the file's order."""
    return tuple((name, _pin(value)) for name, value in table.items())


def shared_pins(table: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Names of a pin that another name has already, with that name."""
    users: dict[str, str] = {}
    for name, value in table.items():
        if value in users:
            yield name, users[value]
        users.setdefault(value, name)


def _pin(value: str) -> Pin:
    found = _PIN.fullmatch(value)
    assert found is not None
    if found[1]:
        return Pin("ABCD".index(found[1]), int(found[2]))
    return Pin(int(found[3]), int(found[4]))
