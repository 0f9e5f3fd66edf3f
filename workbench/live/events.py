# SPDX-License-Identifier: Apache-2.0
"""What can happen to somebody who watches a device. Times are seconds since the session began.

A session is a list of these: the same list gives the same state, so a session that was written down can be
shown again.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Received:
    """Bytes of the serial line, as they came: lines may begin and end anywhere."""

    time: float
    data: bytes


@dataclass(frozen=True)
class Sent:
    """A line to the device, without its LF."""

    time: float
    text: str


@dataclass(frozen=True)
class Level:
    """The loudest |sample| of a piece of sound that this computer plays or records, 0..32768."""

    time: float
    peak: int


@dataclass(frozen=True)
class Gone:
    """The port is gone, or cannot be opened again."""

    time: float
    why: str


@dataclass(frozen=True)
class Back:
    """The port is open again."""

    time: float


@dataclass(frozen=True)
class Mark:
    """A person says what was really heard. label: one of the classes; None: takes the last mark back.
    model: of several the number of the one whose class it is; None: of one that has the class."""

    time: float
    label: str | None
    model: int | None = None


Event = Received | Sent | Level | Gone | Back | Mark
