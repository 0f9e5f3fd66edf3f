# SPDX-License-Identifier: Apache-2.0
"""An image that answers, the same on all targets: commands, sound in and decisions out, tensors."""

from __future__ import annotations

import contextlib
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from codegen.common.protocol import EVERY_WORD, PAYLOAD_MAX, RESET_CAUSES
from workbench.protocol.lines import (
    KINDS,
    Ack,
    Boot,
    Decision,
    Error,
    Fault,
    Line,
    Lines,
    Stack,
    Stage,
    Status,
    TensorPart,
    numbered_line,
    parse_line,
)
from workbench.targets.link import Link, LinkClosedError
from workbench.targets.own_time import LOOK, Clock, OwnTime
from workbench.targets.window import Window

TIMEOUT = 20.0  # seconds without a word until an image is given up
FAULT_LOG = ROOT / "build" / "fault.log"  # the last fault's lines
GARBLED = (
    "What came is no text: another rate, or an image that fails before its exact clock runs, as on xg24, "
    "where the rate may be off by some percent (docs/boards/xg24.md)."
)
RETRY = 1.0  # seconds without a word until an image is asked whether it lost something
_DUMP_SECONDS = 3.0  # for the stack after a fault's line; 64 lines of it are less at 115200 baud

_ANSWERS: Mapping[str, type[Line]] = {word.word: KINDS[word.answer] for word in EVERY_WORD}
_NEVER_REFUSED = ("boot", "status")
_NOT_TAKEN = ("no_pipeline", "model_start", "audio")  # errors after which no further line of a transfer helps


def _refuses(answer: Line | None, word: str) -> bool:
    """It is the error that answers a line with this word: none that comes by itself, or of another line."""
    if not isinstance(answer, Error) or not answer.refuses or word in _NEVER_REFUSED:
        return False
    return answer.entry is None or not answer.entry.of_transfer


def _why(reset: str) -> str:
    """A boot line's reason for a message."""
    return f", after {reset}: {RESET_CAUSES[reset]}" if reset in RESET_CAUSES else ""


def _keep(lines: Sequence[str]) -> None:
    FAULT_LOG.parent.mkdir(parents=True, exist_ok=True)
    FAULT_LOG.write_text("\n".join(lines) + "\n", encoding="utf-8")


class Device:
    """An open image. Use it in a `with`, or close it."""

    def __init__(
        self,
        link: Link,
        name: str,
        timeout: float = TIMEOUT,
        *,
        running: bool = False,
        clock: Clock | None = None,
    ) -> None:
        """name: for messages. running: it may have started before, so it is asked who it is. clock: of the
        image's own time, by which `timeout` then counts; None: this computer's.

        UserError when it does not say who it is within `timeout` seconds.
        """
        self.link = link  # may be replaced by one that records, or damages
        self.name = name
        self.timeout = timeout
        self.retry = min(RETRY, timeout)  # seconds without a word until the image is asked
        self.clock = clock
        self._boot_line = ""
        self._asked: deque[str] = deque()  # questions without an answer: "boot" or "status", the oldest first
        self._fault: list[str] = []  # lines of one before the last reset, as the image tells it now
        self._busy = False  # a transfer began and did not end
        self._played = 0  # audio lines since `replay`
        self._capacity = 0  # bytes that the image then took at once
        self._lines = Lines()
        self._garbled = False  # something came that is no text
        self._waiting: deque[str] = deque()  # lines received and not looked at
        self._results: deque[str] = deque()  # decisions and stages that came while an answer was awaited
        try:
            self.boot = self._wait_for_boot(running)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Device:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the image where it is a process of ours."""
        self.link.close()

    def send(self, data: bytes) -> None:
        """Raw bytes, for whoever knows better than the methods below."""
        try:
            self.link.send(data)
        except LinkClosedError as error:
            raise UserError(str(error), file=self.name) from None

    def command(self, text: str) -> Line:
        """Sends a line; the answer that its word has, or the Error that refuses it."""
        word = text.split(" ", 1)[0]
        expected = _ANSWERS.get(word, Error)
        if expected is Boot:
            self._boot_line = ""  # who asks wants to know, whatever it is
        self._ask(text.encode("ascii") + b"\n", expected)
        deadline, own = time.monotonic() + self.timeout, self._own_time()
        while True:
            line = self._line(deadline)
            if line is None:
                if own.passed():
                    raise self._silent(f'answers "{text}"')
                deadline = time.monotonic() + LOOK
                continue
            answer = self._parse(line)
            if isinstance(answer, Decision | Stage):
                self._results.append(line)
            elif _refuses(answer, word) or (isinstance(answer, expected) and not isinstance(answer, Error)):
                assert answer is not None
                return answer

    def status(self) -> Status:
        """Counters and settings. What was sent before is done then, or lost."""
        answer = self.command("status")
        assert isinstance(answer, Status)
        return answer

    def results(self, seconds: float) -> Iterator[str]:
        """Decision and stage lines of a live image as they come, until none came for so many seconds."""
        while True:
            while self._results:
                yield self._results.popleft()
            line = self._line(time.monotonic() + seconds)
            if line is None:
                return
            if isinstance(self._parse(line), Decision | Stage):
                self._results.append(line)

    def next_line(self, seconds: float) -> Line | None:
        """The next line of a live image, or None where none comes within so many seconds."""
        line = self._line(time.monotonic() + seconds)
        return self._parse(line) if line is not None else None

    def replay(self, samples: NDArray[np.int16], *, from_scratch: bool = True) -> Iterator[str]:
        """Plays sound in; yields the exact text of each decision and stage line, in order, as they come.

        from_scratch: with everything empty; False: after the sound of the last replay, as one recording.
        UserError when the image stops answering, has dropped a line because nobody took it in time, or a line
        was lost on its way here.
        """
        before = self.status()
        if from_scratch:
            answer = self.command("replay")
            if not isinstance(answer, Ack):
                raise self._refused("replay", answer)
            self._played, self._capacity = 0, answer.free * 2
        self._results.clear()
        payload = np.ascontiguousarray(samples, dtype="<i2").tobytes()
        decisions = windows = 0
        first = self._played
        self._played += -(-len(payload) // PAYLOAD_MAX)
        for line, parsed in self._transfer("audio", payload, self._capacity, first):
            decisions += isinstance(parsed, Decision)
            windows += isinstance(parsed, Stage) and parsed.stage == "cepstra"
            if isinstance(parsed, Decision | Stage):
                yield line
        after = self.status()
        if after["dropped"] > before["dropped"]:
            dropped = after["dropped"] - before["dropped"]
            raise UserError(f"{dropped} lines were dropped: they were not taken in time", file=self.name)
        made = after["decisions"] - before["decisions"], after["windows"] - before["windows"]
        if made != (decisions, windows if before.stages else made[1]):
            raise UserError(
                f"{decisions} of {made[0]} decisions came whole",
                file=self.name,
                remedy="The serial line loses bytes: lower its rate, or use a better cable.",
            )

    def tensor(self, data: bytes) -> bytes:
        """The model's output for a whole input, both in the model's own types. UserError on any failure."""
        if len(data) != self.boot.input:
            raise UserError(f"{len(data)} bytes for an input of {self.boot.input}", file=self.name)
        if self._busy:
            self.status()  # what an earlier transfer left is answered before
        parts: list[bytes] = []
        for _, answer in self._transfer("tensor", data, PAYLOAD_MAX):
            if isinstance(answer, TensorPart):
                if answer.number == 0:
                    parts.clear()
                if answer.number == len(parts):
                    parts.append(answer.data)
            elif isinstance(answer, Error) and answer.what == "model":
                raise self._refused("tensor", answer)
        output = b"".join(parts)
        if len(output) != self.boot.output:
            raise UserError(
                f"{len(output)} of the output's {self.boot.output} bytes came whole",
                file=self.name,
                remedy="The serial line loses bytes: lower its rate, or use a better cable.",
            )
        return output

    def _transfer(
        self, word: str, payload: bytes, capacity: int, first: int = 0
    ) -> Iterator[tuple[str, Line | None]]:
        """Sends lines numbered from `first` on, at most `capacity` bytes on their way; yields every line that
        is not an ack. UserError when the image does not take such lines, or no longer."""
        pieces = [payload[at : at + PAYLOAD_MAX] for at in range(0, len(payload), PAYLOAD_MAX)]
        window = Window(len(pieces), max(1, capacity // PAYLOAD_MAX))
        silences, own = 0, self._own_time()
        refused = False  # an error line stands before the ack of a refused line
        self._busy = True
        while not window.done:
            self.send(
                b"".join(numbered_line(word, first + number, pieces[number]) for number in window.due())
            )
            line = self._line(time.monotonic() + self.retry)
            if line is None:
                if silences * self.retry >= self.timeout and own.passed():
                    raise self._silent(f"takes {word} line {first + window.taken}")
                self._ask(b"\nstatus\n", Status)  # the newline ends what may be left of a damaged line
                window.ask()
                silences += 1
                continue
            answer = self._parse(line)
            if isinstance(answer, Ack):
                window.ahead = max(1, answer.free * (2 if word == "audio" else 1) // PAYLOAD_MAX)
                if window.ack(answer.number - first, refused=refused):
                    silences, own = 0, self._own_time()
                refused = False
            elif isinstance(answer, Status):
                window.answer()
            else:
                if isinstance(answer, Error) and answer.what.startswith(f"{word} "):
                    again = answer.what == f"{word} order" and answer.detail - first < window.taken
                    refused = not again
                yield line, self._taken(word, answer)
        while window.owed and (line := self._line(time.monotonic() + self.retry)) is not None:
            answer = self._parse(line)
            if isinstance(answer, Status):
                window.answer()
            else:
                yield line, answer
        self._busy = False

    def _taken(self, word: str, answer: Line | None) -> Line | None:
        """The answer, unless it says that no line of a transfer with this word will be taken."""
        if isinstance(answer, Error) and answer.entry is not None and answer.entry.name in _NOT_TAKEN:
            raise self._refused(word, answer)
        return answer

    def _wait_for_boot(self, running: bool) -> Boot:
        self._asked.append("boot")  # what it says by itself, also when opening the port has reset the board
        deadline, own = time.monotonic() + self.timeout, self._own_time()
        asked = 0.0 if running else time.monotonic() + self.timeout / 2
        trouble = None  # an error line: it may have kept the image from starting
        while True:
            now = time.monotonic()
            if now >= asked:
                self._ask(b"\nboot\n", Boot)
                asked = now + 1.0
            line = self._line(min(deadline, asked))
            answer = parse_line(line) if line is not None else None
            if isinstance(answer, Boot):
                self._boot_line = line or ""
                self._answered("boot")
                return answer
            if isinstance(answer, Error):
                trouble = line
                if line is not None and answer.is_exception:
                    raise self._stopped(line, answer)
            if time.monotonic() < deadline:
                continue
            if not own.passed():
                deadline = time.monotonic() + LOOK
                continue
            if trouble is not None:
                raise UserError(f"the image does not start: {trouble}", file=self.name)
            raise self._silent("says who it is")

    def _parse(self, line: str) -> Line | None:
        """What a line means. UserError when it says that the image has stopped, or started anew."""
        answer = parse_line(line)
        if isinstance(answer, Error) and answer.stops:
            raise self._stopped(line, answer)
        if isinstance(answer, Status):
            self._answered("status")
        elif isinstance(answer, Boot):
            # While a question for it is open the reason of the last reset tells a restart from the answer.
            before, self._boot_line = self._boot_line, line
            if not self._answered("boot") or before not in ("", line):
                raise UserError(
                    f"the image has started anew{_why(answer.reset)}",
                    file=self.name,
                    remedy="What was sent to it before is lost: begin again.",
                )
        if isinstance(answer, Fault):
            self._fault = [self._boot_line, line]
            _keep(self._fault)
            print(
                f'{self.name}: its last run ended with "{answer.what}" {answer.detail}; {self._where()}',
                file=sys.stderr,
            )
        elif isinstance(answer, Stack) and self._fault:
            self._fault.append(line)
            _keep(self._fault)
        return answer

    def _ask(self, data: bytes, answer: type[Line]) -> None:
        """Sends a question, and remembers it where its answer tells what was lost."""
        if answer in (Boot, Status):
            self._asked.append("boot" if answer is Boot else "status")
        self.send(data)

    def _answered(self, question: str) -> bool:
        """The oldest such question is answered; those before it never will be. False: there is none."""
        if question not in self._asked:
            return False
        while self._asked.popleft() != question:
            pass
        return True

    def _stopped(self, line: str, error: Error) -> UserError:
        """Keeps a dump's lines, the stack after them too, where `earshot backtrace` can read them."""
        boot_line, self._boot_line = self._boot_line, ""  # another one comes
        if "cfsr" not in error.more:
            entry = error.entry
            return UserError(
                f"the image stopped: {line}",
                file=self.name,
                remedy=f"{entry.when[0].upper()}{entry.when[1:]}." if entry is not None else None,
            )
        lines = [boot_line, line]
        deadline = time.monotonic() + _DUMP_SECONDS
        with contextlib.suppress(UserError):  # the image may be gone
            while (more := self._line(deadline)) is not None and not isinstance(parse_line(more), Boot):
                lines.append(more)
        _keep(lines)
        return UserError(f"the image stopped: {line}", file=self.name, remedy=f"{self._where()}.")

    def _where(self) -> str:
        elf = self.name if self.name.endswith(".elf") else "firmware.elf"
        return f"`earshot backtrace --elf {elf} {FAULT_LOG}` tells where"

    def _line(self, deadline: float) -> str | None:
        """The next line, or None at the deadline."""
        while not self._waiting:
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            try:
                data = self.link.receive(left)
                self._garbled = self._garbled or not data.isascii()
                self._waiting.extend(self._lines.take(data))
            except LinkClosedError as error:
                raise UserError(str(error), file=self.name) from None
        return self._waiting.popleft()

    def _own_time(self) -> OwnTime:
        return OwnTime(self.timeout, self.clock)

    def _silent(self, doing: str) -> UserError:
        return UserError(
            f"nothing {doing} within {self.timeout:g} seconds",
            file=self.name,
            remedy="Is it an image of Earshot, and is the rate of the serial line right?"
            + (f" {GARBLED}" if self._garbled else ""),
        )

    def _refused(self, word: str, answer: Line) -> UserError:
        if isinstance(answer, Error):
            reason = answer.more.get("reason")
            return UserError(
                f'{word} was refused: "{answer.what}" {answer.detail}' + (f", {reason}" if reason else ""),
                file=self.name,
            )
        return UserError(f"an unexpected answer to {word}: {answer}", file=self.name)
