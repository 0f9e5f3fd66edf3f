# SPDX-License-Identifier: Apache-2.0
"""Where events come from: a port that may vanish and return, an emulator, sound played into a program of this
computer, a session in a file. All are asked in the same way."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from codegen.common.errors import UserError
from codegen.common.protocol import PAYLOAD_MAX
from workbench.live.events import Back, Event, Gone, Level, Received, Sent
from workbench.protocol.lines import Ack, Error, Lines, numbered_line, parse_line
from workbench.targets.link import Link, LinkClosedError

RETRY = 1.0  # seconds between two tries to open a port that is gone
STATUS_EVERY = 1.0  # seconds between two questions for counters and settings
KEPT = 20.0  # seconds of sound that SoundSource keeps
PIECE = PAYLOAD_MAX // 2  # samples of one audio line
ANSWER = 20.0  # seconds until a program that takes no audio line is given up
_NOT_TAKEN = ("no_pipeline", "model_start")
Clock = Callable[[], float]
Sleep = Callable[[float], None]


class Source(Protocol):
    """Something to watch."""

    def events(self, timeout: float) -> list[Event]:
        """What has happened, waiting up to `timeout` seconds for something. UserError: it cannot go on."""

    def send(self, text: str) -> list[Event]:
        """A line to the device; the event that tells it. Nothing where nobody listens."""

    @property
    def now(self) -> float:
        """Seconds since the session began."""

    @property
    def over(self) -> bool:
        """Nothing more will come."""

    def close(self) -> None:
        """Ends what was started for it."""


class LinkSource:
    """A serial line. Where `open_again` is given, it is opened again when it is gone."""

    def __init__(
        self, link: Link, open_again: Callable[[], Link] | None = None, clock: Clock = time.monotonic
    ) -> None:
        self._link: Link | None = link
        self._open_again = open_again
        self._clock = clock
        self._start = clock()
        self._next_try = 0.0
        self._next_status = 0.0
        self._why = ""
        self.over = False

    @property
    def now(self) -> float:
        """See Source."""
        return self._clock() - self._start

    def events(self, timeout: float) -> list[Event]:
        """See Source. Asks who it is after opening, and for its status from time to time."""
        found: list[Event] = []
        if self._link is None:
            if self.now < self._next_try:
                time.sleep(min(timeout, self._next_try - self.now))
                return found
            found += self._reopen()
            if self._link is None:
                return found
        if self.now >= self._next_status:
            if self._next_status == 0.0:
                found += self.send("boot")
            found += self.send("status")
            self._next_status = self.now + STATUS_EVERY
        if self._link is not None:
            try:
                data = self._link.receive(timeout)
            except LinkClosedError as error:
                return [*found, *self._lose(str(error))]
            if data:
                found.append(Received(self.now, data))
        return found

    def send(self, text: str) -> list[Event]:
        """See Source. The LF before the line ends what may be left of another."""
        if self._link is None:
            return []
        try:
            self._link.send(f"\n{text}\n".encode("ascii"))
        except LinkClosedError as error:
            return self._lose(str(error))
        return [Sent(self.now, text)]

    def close(self) -> None:
        """See Source."""
        if self._link is not None:
            self._link.close()

    def _lose(self, why: str) -> list[Event]:
        if self._link is not None:
            self._link.close()
        self._link = None
        self._next_try = self.now + RETRY
        if self._open_again is None:
            self.over = True
        return [Gone(self.now, why)]

    def _reopen(self) -> list[Event]:
        assert self._open_again is not None
        try:
            self._link = self._open_again()
        except UserError as error:
            self._next_try = self.now + RETRY
            changed, self._why = error.what != self._why, error.what
            return [Gone(self.now, error.what)] if changed else []
        self._next_status, self._why = 0.0, ""
        return [Back(self.now)]


class SoundSource:
    """Sound of this computer played into an image that takes audio lines: the program of the board pc.

    Each piece is sent when the one before was taken. Time is that of the sound: a piece's number of samples.
    """

    def __init__(
        self,
        link: Link,
        sound: Iterator[NDArray[np.int16]],
        rate: int,
        *,
        fast: bool = False,
        clock: Clock = time.monotonic,
        sleep: Sleep = time.sleep,
    ) -> None:
        """sound: pieces of any length; where it is a microphone it blocks until one is there. rate: Hz.
        fast: not in the sound's own time. UserError where the image takes no sound."""
        self._link = link
        self._pieces = _pieces(sound)
        self.rate = rate
        self._fast = fast
        self._clock, self._sleep = clock, sleep
        self._lines = Lines()
        self._number = self._samples = 0
        self._next_status = 0.0
        self._kept: deque[NDArray[np.int16]] = deque()
        self._kept_from = 0  # number of the first sample that is kept
        self._first: list[Event] = [*self.send("boot"), *self._until_ack("replay")]
        self._start = clock()
        self.over = False

    @property
    def now(self) -> float:
        """See Source."""
        return self._samples / self.rate

    def events(self, timeout: float) -> list[Event]:
        """See Source: all until the next piece of sound is taken."""
        found, self._first = self._first, []
        if not self._fast:
            early = self.now - (self._clock() - self._start)
            if early > 0:
                self._sleep(min(early, timeout))
                if early > timeout:
                    return found
        piece = next(self._pieces, None)
        if piece is None:
            if not self.over:
                found += self.send("status")
                found += self._receive(0.2)
            self.over = True
            return found
        self._samples += len(piece)
        self._kept.append(piece)
        while self._samples - self._kept_from - len(self._kept[0]) >= KEPT * self.rate:
            self._kept_from += len(self._kept.popleft())
        found.append(Level(self.now, int(np.abs(piece.astype(np.int32)).max(initial=0))))
        found += self._until_ack(numbered_line("audio", self._number, piece.astype("<i2").tobytes()))
        self._number += 1
        if self.now >= self._next_status:
            found += self.send("status")
            self._next_status = self.now + STATUS_EVERY
        return found

    def cut(self, start: float, end: float) -> NDArray[np.int16]:
        """The sound from second to second, as far as it is one of the last KEPT seconds."""
        whole = np.concatenate([np.zeros(0, np.int16), *self._kept])
        first, last = (max(0, round(at * self.rate) - self._kept_from) for at in (start, end))
        return whole[first:last]

    def send(self, text: str) -> list[Event]:
        """See Source."""
        self._send(f"{text}\n".encode("ascii"))
        return [Sent(self.now, text)]

    def close(self) -> None:
        """See Source."""
        self._link.close()

    def _send(self, data: bytes) -> None:
        try:
            self._link.send(data)
        except LinkClosedError as error:
            raise UserError(str(error)) from None

    def _receive(self, timeout: float) -> list[Event]:
        try:
            data = self._link.receive(timeout)
        except LinkClosedError as error:
            raise UserError(str(error)) from None
        return [Received(self.now, data)] if data else []

    def _until_ack(self, line: str | bytes) -> list[Event]:
        """Sends a line; everything until its ack. UserError: it is refused, or not answered."""
        self._send(f"{line}\n".encode("ascii") if isinstance(line, str) else line)
        found: list[Event] = []
        deadline = self._clock() + ANSWER
        while True:
            events = self._receive(1.0)
            found += events
            for event in events:
                assert isinstance(event, Received)
                for text in self._lines.take(event.data):
                    answer = parse_line(text)
                    if isinstance(answer, Ack):
                        return found
                    if isinstance(answer, Error) and _ends(answer):
                        raise UserError(f"the image takes no sound: {text}")
            if not events and self._clock() > deadline:
                raise UserError(f"the image takes no sound: no answer within {ANSWER:g} seconds")


def _ends(error: Error) -> bool:
    """No later audio line is taken; an error of a `set`, for one, ends nothing."""
    entry = error.entry
    of_sound = error.what.startswith("audio") or (entry is not None and entry.name in _NOT_TAKEN)
    return error.stops or of_sound


def _pieces(sound: Iterator[NDArray[np.int16]]) -> Iterator[NDArray[np.int16]]:
    """The same samples in pieces that an audio line holds."""
    for block in sound:
        for start in range(0, len(block), PIECE):
            yield block[start : start + PIECE]


class PlaySource:
    """Events of a session that was written down, in its own time or at once."""

    def __init__(
        self,
        events: Iterator[Event],
        *,
        fast: bool = False,
        clock: Clock = time.monotonic,
        sleep: Sleep = time.sleep,
    ) -> None:
        self._events = events
        self._fast = fast
        self._clock, self._sleep = clock, sleep
        self._start = clock()
        self._waiting: Event | None = None
        self._now = 0.0
        self.over = False

    @property
    def now(self) -> float:
        """See Source."""
        return self._now

    def events(self, timeout: float) -> list[Event]:
        """See Source: one at a time."""
        event = self._waiting or next(self._events, None)
        self._waiting = None
        if event is None:
            self.over = True
            return []
        if not self._fast:
            early = event.time - (self._clock() - self._start)
            if early > 0:
                self._sleep(min(early, timeout))
            if early > timeout:
                self._waiting = event
                self._now = max(self._now, self._clock() - self._start)
                return []
        self._now = event.time
        return [event]

    def send(self, text: str) -> list[Event]:
        """Nobody listens."""
        return []

    def close(self) -> None:
        """Nothing was started."""
