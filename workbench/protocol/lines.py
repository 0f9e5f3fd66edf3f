# SPDX-License-Identifier: Apache-2.0
"""The serial lines as the host sees them: what an image prints, parsed; what it understands, written.

codegen/common/protocol/ is their table, docs/protocol.md the page for people. Whatever comes over a wire is
input here: garbage and half lines are None.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from codegen.common import protocol
from codegen.common.protocol import STACK_WORDS, Kind, LineFormat, Subject

LONGEST = 1 << 20  # bytes kept of a line without end

_WORD = re.compile(r"[0-9a-f]{8}")
_BOOT_BEHIND = re.compile(rf'(?<=.)(?=\{{"{protocol.BOOT.first}":)')


@dataclass(frozen=True)
class Boot:
    """Who is there. contract, rate, frames are None and labels empty for a bare model."""

    name: str
    board: str
    engine: str
    build: str  # GNU build id, 40 hex digits, or empty
    model: str  # 16 hex digits of the model file's SHA-256
    input: int  # bytes of the model's input
    output: int
    contract: str | None = None
    rate: int | None = None  # Hz
    frames: int | None = None
    labels: tuple[str, ...] = ()
    image: str = ""  # CRC-32 of the flash content, 8 hex digits; empty where the board has no flash
    reset: str = ""  # why it started: "power", "fault", "watchdog", ...
    id: str = ""  # the chip's own number, 16 hex digits; empty where it has none
    version: str = ""  # of Earshot that generated it; empty: older than this key


@dataclass(frozen=True)
class ClassifierLine:
    """One of several models; it follows the boot line."""

    number: int
    name: str
    model: str
    contract: str
    frames: int
    labels: tuple[str, ...]
    waits_for: str | None = None
    stays: int | None = None  # windows for which it then runs


@dataclass(frozen=True)
class Decision:
    """What one window was decided to be."""

    model_number: int
    class_index: int  # 0 = Unknown, else index of the label + 1
    segment_start: int  # first sample of the oldest window
    segment_length: int  # samples
    label: str
    score: int  # the largest one, int8
    sequence: int  # of the window, from 0


@dataclass(frozen=True)
class Status:
    """Counters and settings. Values by the line's own keys: "windows", "dropped", "gate.threshold", ..."""

    sequence: int  # windows since reset
    live: bool
    stages: bool
    values: Mapping[str, int]

    def __getitem__(self, key: str) -> int:
        return self.values[key]


@dataclass(frozen=True)
class Error:
    """Something was wrong; `more` holds what else the line says (reason, registers of a fault)."""

    what: str
    detail: int
    more: Mapping[str, object] = field(default_factory=dict)
    code: int | None = None  # its number; None: of an image older than numbers

    @property
    def entry(self) -> protocol.Error | None:
        """The table's row, found by the words where there is no number; None: not of this table."""
        if self.code is not None:
            return protocol.BY_CODE.get(self.code)
        return next((error for error in protocol.ERRORS if self._worded_as(error)), None)

    def _worded_as(self, error: protocol.Error) -> bool:
        if error.subject is Subject.RECEIVED:
            alike = self.what.startswith(f"{error.words} ")
        elif error.of_transfer:
            alike = self.what in {f"{word.word} {error.words}" for word in protocol.WORDS if word.numbered}
        else:
            alike = self.what == error.words
        return alike and error.reason in ("", self.more.get("reason"))

    @property
    def refuses(self) -> bool:
        """It answers a received line, and the image goes on."""
        number = self._number
        return number is not None and number < protocol.FIRST_OWN

    @property
    def stops(self) -> bool:
        """The image resets: a session with it is over. One that no table knows is a wait that ran out."""
        number = self._number
        return number is None or number >= protocol.FIRST_STOP

    @property
    def is_exception(self) -> bool:
        """The core stopped the image: registers follow, and the stack where it could be read."""
        number = self._number
        return number is not None and protocol.FIRST_STOP <= number < protocol.FIRST_WAIT

    @property
    def _number(self) -> int | None:
        entry = self.entry
        return entry.code if entry is not None else self.code


@dataclass(frozen=True)
class Fault:
    """What ended the run before the last reset, reported again: an error of that run, not of this one."""

    what: str
    detail: int
    more: Mapping[str, object] = field(default_factory=dict)
    code: int | None = None


@dataclass(frozen=True)
class Setting:
    """A setting was taken."""

    key: str
    value: int


@dataclass(frozen=True)
class Ack:
    """Numbered lines below `number` were taken; `free` samples (tensors: bytes) may be on their way."""

    number: int
    free: int  # the line's key "room"


@dataclass(frozen=True)
class Stage:
    """One stage of one window."""

    stage: str
    sequence: int
    values: tuple[int, ...]
    model_number: int = 0


@dataclass(frozen=True)
class TensorPart:
    """A piece of a model's output; its checksum was right."""

    number: int
    data: bytes


@dataclass(frozen=True)
class Samples:
    """Sound of the microphone; its checksum was right."""

    first: int  # number of its first sample since `capture`
    bits: int  # of a sample: 16 int16 little-endian, 8 mu-law
    data: bytes


@dataclass(frozen=True)
class Stack:
    """A piece of the stack at a fault: 32-bit words from `address` on."""

    address: int
    words: tuple[int, ...]  # 1 to 8


@dataclass(frozen=True)
class Cycles:
    """Clocks of the core by stage, in the order of protocol.COUNTED."""

    windows: int  # counted since the last such line
    last: tuple[int, ...]  # 0: has not run
    most: tuple[int, ...]


Line = (
    Boot
    | ClassifierLine
    | Decision
    | Status
    | Error
    | Fault
    | Setting
    | Ack
    | Stage
    | TensorPart
    | Samples
    | Stack
    | Cycles
)


class Lines:
    """Bytes as they come -> whole lines, without LF and CR. A line without end is cut off, not kept.

    A reset cuts off a line that goes out too slowly, its end with it: the boot line behind it is a line of
    its own. No text in a line has a quote, so nothing else begins so.
    """

    def __init__(self) -> None:
        self._rest = bytearray()

    @property
    def rest(self) -> bytes:
        """The beginning of a line whose end has not come yet."""
        return bytes(self._rest)

    def take(self, data: bytes) -> list[str]:
        """The lines that these bytes end."""
        self._rest += data
        if b"\n" not in data:
            if len(self._rest) > LONGEST:
                self._rest.clear()
            return []
        *whole, rest = self._rest.split(b"\n")
        self._rest = rest
        texts = (line.replace(b"\r", b"").decode("ascii", "replace") for line in whole)
        return [part for text in texts for part in _BOOT_BEHIND.split(text)]


def parse_line(text: str) -> Line | None:
    """The line's meaning, or None for garbage, half lines and objects of another kind."""
    if not text.startswith('{"'):
        return None
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, dict):
        return None
    found = _LINES.get(next(iter(values)))
    if found is None or not all(_fits(values, key) for key in found[0].keys):
        return None
    try:
        return found[1](values)
    except ValueError:
        return None


def _fits(values: Mapping[str, object], key: protocol.Key) -> bool:
    """The key is there, unless it may be missing, with a value of its kind."""
    return _IS[key.kind](values[key.key]) if key.key in values else key.optional


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


_IS: Mapping[Kind, Callable[[object], bool]] = {
    **dict.fromkeys((Kind.COUNT, Kind.INT32, Kind.INT64, Kind.INT8, Kind.CLASS), _is_integer),
    **dict.fromkeys((Kind.TEXT, Kind.HEX), _is_text),
    Kind.FLAG: lambda value: isinstance(value, bool),
    Kind.TEXTS: lambda value: isinstance(value, list) and all(map(_is_text, value)),
    Kind.NUMBERS: lambda value: isinstance(value, list) and all(map(_is_integer, value)),
}


def _boot(values: dict[str, Any]) -> Boot:
    return Boot(
        name=values["boot"],
        labels=tuple(values.get("labels", ())),
        **{
            key.key: values[key.key]
            for key in protocol.BOOT.keys
            if key.key in values and key.key not in ("boot", "labels")
        },
    )


def _classifier(values: dict[str, Any]) -> ClassifierLine:
    return ClassifierLine(
        values["classifier"],
        values["name"],
        values["model"],
        values["contract"],
        values["frames"],
        tuple(values["labels"]),
        values.get("waits_for"),
        values.get("stays"),
    )


def _stage(values: dict[str, Any]) -> Stage:
    return Stage(values["stage"], values["sequence"], tuple(values["values"]), values.get("ModelNumber", 0))


def _decision(values: dict[str, Any]) -> Decision:
    return Decision(*(values[key.key] for key in protocol.DECISION.keys))


def _status(values: dict[str, Any]) -> Status:
    own = ("status", "live", "stages")
    counts = {key: value for key, value in values.items() if key not in own}
    if not all(map(_is_integer, counts.values())):
        raise ValueError("a counter or a setting is not a number")
    return Status(values["status"], values["live"], values["stages"], counts)


def _error(values: dict[str, Any]) -> Error:
    own = ("error", "detail", "code")
    more = {key: value for key, value in values.items() if key not in own}
    return Error(values["error"], values["detail"], more, values.get("code"))


def _fault(values: dict[str, Any]) -> Fault:
    own = ("fault", "detail", "code")
    more = {key: value for key, value in values.items() if key not in own}
    return Fault(values["fault"], values["detail"], more, values.get("code"))


def _stack(values: dict[str, Any]) -> Stack:
    words = tuple(_word(word) for word in values["words"].split(" "))
    if len(words) > STACK_WORDS:
        raise ValueError("too many words")
    return Stack(_word(values["stack"]), words)


def _cycles(values: dict[str, Any]) -> Cycles:
    last, most = tuple(values["last"]), tuple(values["most"])
    if not len(last) == len(most) == len(protocol.COUNTED):
        raise ValueError("not a number a stage")
    return Cycles(values["cycles"], last, most)


def _word(text: str) -> int:
    if not _WORD.fullmatch(text):
        raise ValueError("not eight hex digits")
    return int(text, 16)


def _tensor(values: dict[str, Any]) -> TensorPart:
    number, data = values["tensor"], values["data"]
    if zlib.crc32(f"tensor {number} {data}".encode("ascii")) != int(values["crc"], 16):
        raise ValueError("checksum")
    return TensorPart(number, base64.b64decode(data, validate=True))


def _samples(values: dict[str, Any]) -> Samples:
    first, bits, data = values["samples"], values["bits"], values["data"]
    if zlib.crc32(f"samples {first} {bits} {data}".encode("ascii")) != int(values["crc"], 16):
        raise ValueError("checksum")
    decoded = base64.b64decode(data, validate=True)
    if bits not in (8, 16) or first < 0 or len(decoded) * 8 % bits:
        raise ValueError("no whole samples")
    return Samples(first, bits, decoded)


_PARSERS: Mapping[LineFormat, Callable[[dict[str, Any]], Line]] = {
    protocol.BOOT: _boot,
    protocol.CLASSIFIER: _classifier,
    protocol.DECISION: _decision,
    protocol.STATUS: _status,
    protocol.ERROR: _error,
    protocol.FAULT: _fault,
    protocol.SETTING: lambda values: Setting(values["set"], values["value"]),
    protocol.ACK: lambda values: Ack(values["ack"], values["room"]),
    protocol.STAGE: _stage,
    protocol.TENSOR: _tensor,
    protocol.SAMPLES: _samples,
    protocol.STACK: _stack,
    protocol.CYCLES: _cycles,
}
_LINES = {line.first: (line, _PARSERS[line]) for line in protocol.LINES}

KINDS: Mapping[LineFormat, type[Line]] = {
    protocol.BOOT: Boot,
    protocol.CLASSIFIER: ClassifierLine,
    protocol.DECISION: Decision,
    protocol.STATUS: Status,
    protocol.ERROR: Error,
    protocol.FAULT: Fault,
    protocol.SETTING: Setting,
    protocol.ACK: Ack,
    protocol.STAGE: Stage,
    protocol.TENSOR: TensorPart,
    protocol.SAMPLES: Samples,
    protocol.STACK: Stack,
    protocol.CYCLES: Cycles,
}


def numbered_line(word: str, number: int, payload: bytes) -> bytes:
    """An `audio` or `tensor` line with its LF. payload: up to PAYLOAD_MAX bytes, audio as int16 LE."""
    text = f"{word} {number} ".encode("ascii") + base64.b64encode(payload)
    return text + f" {zlib.crc32(text):08x}\n".encode("ascii")
