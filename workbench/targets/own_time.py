# SPDX-License-Identifier: Apache-2.0
"""How long an emulated image may be silent: by the time that passes for it, not by this computer's.

A busy computer lets an emulator stand still for as long as it likes. The image is then not silent: no time
has passed for it. So where an emulator tells its own time, that decides.
"""

from __future__ import annotations

import re
import time
import xmlrpc.client
from collections.abc import Callable

from workbench.targets.link import ProcessLink

Clock = Callable[[], float | None]  # seconds that have passed for an image; None: nobody answers

ASK = "emulation GetTimeSourceInfo"  # Renode's monitor command, whose answer elapsed() reads
LOOK = 1.0  # seconds between two looks at such a clock
STANDSTILL = 600.0  # seconds of this computer in which no time passes for the image: it never will
_ELAPSED = re.compile(r"Elapsed Virtual Time: (?:(\d+)\.)?(\d+):(\d+):(\d+(?:\.\d+)?)")
_ANSWER_TIMEOUT = 600.0
_POLL = 0.02  # seconds between two looks at what the monitor has printed


class OwnTime:
    """Asked when an image was silent for its time by this computer's clock: was it by its own, too?"""

    def __init__(
        self, seconds: float, clock: Clock | None, now: Callable[[], float] = time.monotonic
    ) -> None:
        """seconds: of silence, by the image's clock; clock: None where there is none but this computer's."""
        self._seconds = seconds
        self._clock = clock
        self._now = now
        self._first: float | None = None  # by the image's clock
        self._last = 0.0
        self._moved = 0.0  # when it had moved last, by ours

    def passed(self) -> bool:
        """Whether it was silent long enough. False: wait for LOOK more seconds and ask again."""
        own = self._clock() if self._clock is not None else None
        if own is None:
            return True
        now = self._now()
        if self._first is None:
            self._first = own
            self._moved = now
        elif own != self._last:
            self._moved = now
        self._last = own
        return own - self._first >= self._seconds or now - self._moved >= STANDSTILL


def elapsed(said: str) -> float | None:
    """Seconds of emulated time in Renode's answer to ASK, the last one in the text; None: it has none."""
    found = _ELAPSED.findall(said)
    if not found:
        return None
    days, hours, minutes, seconds = found[-1]
    return (int(days or 0) * 24 + int(hours)) * 3600 + int(minutes) * 60 + float(seconds)


def monitor_clock(process: ProcessLink, type_: Callable[[str], None]) -> Clock:
    """Of a Renode whose monitor we type into, and whose words `process` keeps."""

    def clock() -> float | None:
        start = len(process.output())
        type_(ASK)
        deadline = time.monotonic() + _ANSWER_TIMEOUT
        while process.alive and time.monotonic() < deadline:
            # The whole answer: a half one may be a number without its last digits.
            *lines, _ = process.output()[start:].split("\n")
            found = elapsed("\n".join(lines))
            if found is not None:
                return found
            time.sleep(_POLL)
        return None

    return clock


class _Patient(xmlrpc.client.Transport):
    """Gives up in the end."""

    def make_connection(self, host: object) -> object:  # type: ignore[override]
        connection = super().make_connection(host)  # type: ignore[arg-type]
        connection.timeout = _ANSWER_TIMEOUT
        return connection


def robot_clock(address: str) -> Clock:
    """Of a Renode that renode-test has started, by the server of its keywords at this URL."""

    def clock() -> float | None:
        try:
            with xmlrpc.client.ServerProxy(address, transport=_Patient()) as server:
                answer = server.run_keyword("ExecuteCommand", [ASK])
        except (OSError, xmlrpc.client.Error):
            return None
        said = answer.get("return") if isinstance(answer, dict) else None
        return elapsed(str(said))

    return clock
