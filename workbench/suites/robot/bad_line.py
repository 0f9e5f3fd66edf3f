# SPDX-License-Identifier: Apache-2.0
"""Serial lines that damage what is sent to an image, from a seed: for tests and for the suites of users."""

from __future__ import annotations

import random
from collections.abc import Callable

from workbench.targets.link import Link

SURELY = 5  # this audio line is damaged whatever the seed
Damage = Callable[[random.Random, bytes], bytes]  # a line with its LF -> what arrives of it


class BadBytes:
    """A link that loses, doubles and changes single bytes of what is sent."""

    def __init__(self, link: Link, seed: int, rate: float) -> None:
        """rate: share of the bytes, 0..1."""
        self._link = link
        self._random = random.Random(seed)
        self._rate = rate
        self.damaged = 0

    def send(self, data: bytes) -> None:
        """See Link."""
        out = bytearray()
        for byte in data:
            if self._random.random() >= self._rate:
                out.append(byte)
                continue
            self.damaged += 1
            kind = self._random.randrange(4)
            if kind == 0:
                out.append(byte ^ 1 << self._random.randrange(8))
            elif kind == 1:
                out += bytes((byte, byte))
            elif kind == 2:
                out += bytes((byte, self._random.randrange(256)))
        self._link.send(bytes(out))

    def receive(self, timeout: float) -> bytes:
        """See Link."""
        return self._link.receive(timeout)

    def close(self) -> None:
        """See Link."""
        self._link.close()


class BadLines:
    """A link that damages whole audio lines: garbage before them, cut short, sent twice, held back, lost."""

    def __init__(self, link: Link, seed: int, rate: float, damages: tuple[str, ...] = ()) -> None:
        """rate: share of the lines, 0..1, besides the fifth. damages: names out of DAMAGES; none: all."""
        self._link = link
        self._random = random.Random(seed)
        self._rate = rate
        self._damages = [DAMAGES[name] for name in damages or DAMAGES]
        self._held = b""  # a line that is sent after the next one
        self._audio = 0  # audio lines so far
        self.damaged = 0

    def send(self, data: bytes) -> None:
        """See Link."""
        self._link.send(b"".join(self._arrives(line) for line in data.splitlines(keepends=True)))

    def _arrives(self, line: bytes) -> bytes:
        held, self._held = self._held, b""
        self._audio += line.startswith(b"audio ")
        chosen = self._audio == SURELY or self._random.random() < self._rate
        if not chosen or not line.startswith(b"audio "):
            return line + held
        self.damaged += 1
        damage = self._random.choice(self._damages)
        if damage is _held_back:
            self._held = line
            return held
        return damage(self._random, line) + held

    def receive(self, timeout: float) -> bytes:
        """See Link."""
        return self._link.receive(timeout)

    def close(self) -> None:
        """See Link."""
        self._link.close()


def _garbage(source: random.Random, line: bytes) -> bytes:
    return source.randbytes(source.randrange(1, 600)) + b"\n" + line


def _truncated(source: random.Random, line: bytes) -> bytes:
    return line[: source.randrange(1, len(line) - 1)] + b"\n"


def _duplicated(_source: random.Random, line: bytes) -> bytes:
    return line + line


def _held_back(_source: random.Random, line: bytes) -> bytes:
    return line


def _lost(_source: random.Random, _line: bytes) -> bytes:
    return b""


DAMAGES: dict[str, Damage] = {
    "garbage": _garbage,
    "truncated": _truncated,
    "duplicated": _duplicated,
    "reordered": _held_back,
    "lost": _lost,
}
