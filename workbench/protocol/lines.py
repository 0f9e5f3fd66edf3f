"""The serial lines as the host sees them: what an image prints, parsed; what it understands, written.

docs/protocol.md has the lines. Whatever comes over a wire is input here: garbage and half lines are None.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

PAYLOAD_MAX = 360  # bytes an audio or tensor line may carry: 180 samples
LONGEST = 1 << 20  # bytes kept of a line without end
STOPPED = ("fault", "stack overflow", "watchdog", "interrupt")  # errors after which the image starts anew
STACK_WORDS = 8  # at most in a stack line

_WORD = re.compile(r"[0-9a-f]{8}")


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


@dataclass(frozen=True)
class Fault:
    """What ended the run before the last reset, told again: an error of then, not of now."""

    what: str
    detail: int
    more: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Setting:
    """A setting was taken."""

    key: str
    value: int


@dataclass(frozen=True)
class Ack:
    """Numbered lines below `number` were taken; `room` samples (tensors: bytes) may be on their way."""

    number: int
    room: int


@dataclass(frozen=True)
class Stage:
    """One stage of one window."""

    stage: str
    sequence: int
    values: tuple[int, ...]


@dataclass(frozen=True)
class TensorPart:
    """A piece of a model's output; its checksum was right."""

    number: int
    data: bytes


@dataclass(frozen=True)
class Stack:
    """A piece of the stack at a fault: 32-bit words from `address` on."""

    address: int
    words: tuple[int, ...]  # 1 to 8


Line = Boot | Decision | Status | Error | Fault | Setting | Ack | Stage | TensorPart | Stack


class Lines:
    """Bytes as they come -> whole lines, without LF and CR. A line without end is cut off, not kept."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def take(self, data: bytes) -> list[str]:
        """The lines that these bytes end."""
        self._rest += data
        if b"\n" not in data:
            if len(self._rest) > LONGEST:
                self._rest.clear()
            return []
        *whole, rest = self._rest.split(b"\n")
        self._rest = rest
        return [line.replace(b"\r", b"").decode("ascii", "replace") for line in whole]


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
    parse = _PARSERS.get(next(iter(values)))
    if parse is None:
        return None
    try:
        return parse(values)
    except (KeyError, TypeError, ValueError):
        return None


def _integer(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("not an integer")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a string")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("not true or false")
    return value


def _boot(values: dict[str, Any]) -> Boot:
    return Boot(
        name=_text(values["boot"]),
        board=_text(values["board"]),
        engine=_text(values["engine"]),
        build=_text(values["build"]),
        model=_text(values["model"]),
        input=_integer(values["input"]),
        output=_integer(values["output"]),
        contract=_text(values["contract"]) if "contract" in values else None,
        rate=_integer(values["rate"]) if "rate" in values else None,
        frames=_integer(values["frames"]) if "frames" in values else None,
        labels=tuple(_text(label) for label in values.get("labels", ())),
        image=_text(values.get("image", "")),
        reset=_text(values.get("reset", "")),
        id=_text(values.get("id", "")),
    )


def _decision(values: dict[str, Any]) -> Decision:
    return Decision(
        model_number=_integer(values["ModelNumber"]),
        class_index=_integer(values["Classification"]),
        segment_start=_integer(values["SegmentStart"]),
        segment_length=_integer(values["SegmentLength"]),
        label=_text(values["Label"]),
        score=_integer(values["Score"]),
        sequence=_integer(values["Sequence"]),
    )


def _status(values: dict[str, Any]) -> Status:
    own = ("status", "live", "stages")
    return Status(
        sequence=_integer(values["status"]),
        live=_flag(values["live"]),
        stages=_flag(values["stages"]),
        values={key: _integer(value) for key, value in values.items() if key not in own},
    )


def _error(values: dict[str, Any]) -> Error:
    more = {key: value for key, value in values.items() if key not in ("error", "detail")}
    return Error(_text(values["error"]), _integer(values["detail"]), more)


def _fault(values: dict[str, Any]) -> Fault:
    error = _error({"error": values["fault"], **values})
    return Fault(error.what, error.detail, {key: error.more[key] for key in error.more if key != "fault"})


def _stack(values: dict[str, Any]) -> Stack:
    words = tuple(_word(word) for word in _text(values["words"]).split(" "))
    if len(words) > STACK_WORDS:
        raise ValueError("too many words")
    return Stack(_word(_text(values["stack"])), words)


def _word(text: str) -> int:
    if not _WORD.fullmatch(text):
        raise ValueError("not eight hex digits")
    return int(text, 16)


def _tensor(values: dict[str, Any]) -> TensorPart:
    number, data = _integer(values["tensor"]), _text(values["data"])
    if zlib.crc32(f"tensor {number} {data}".encode("ascii")) != int(_text(values["crc"]), 16):
        raise ValueError("checksum")
    return TensorPart(number, base64.b64decode(data, validate=True))


_PARSERS: Mapping[str, Callable[[dict[str, Any]], Line]] = {
    "boot": _boot,
    "ModelNumber": _decision,
    "status": _status,
    "error": _error,
    "fault": _fault,
    "set": lambda values: Setting(_text(values["set"]), _integer(values["value"])),
    "ack": lambda values: Ack(_integer(values["ack"]), _integer(values["room"])),
    "stage": lambda values: Stage(
        _text(values["stage"]),
        _integer(values["sequence"]),
        tuple(_integer(value) for value in values["values"]),
    ),
    "tensor": _tensor,
    "stack": _stack,
}


def numbered_line(word: str, number: int, payload: bytes) -> bytes:
    """An `audio` or `tensor` line with its LF. payload: up to PAYLOAD_MAX bytes, audio as int16 LE."""
    text = f"{word} {number} ".encode("ascii") + base64.b64encode(payload)
    return text + f" {zlib.crc32(text):08x}\n".encode("ascii")
