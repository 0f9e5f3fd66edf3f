# SPDX-License-Identifier: Apache-2.0
"""A session in a file: its events, one JSON object a line, so that it can be shown again as it was.

{"session":1,"device":"/dev/ttyACM0"}
{"time":0.012,"received":"{\\"boot\\":..."}        bytes as Latin-1: one character a byte
{"time":1.000,"sent":"status"}
{"time":2.431,"mark":"knocking"}                   null: the last mark was taken back
{"time":2.440,"mark":"yes","model":1}              of several models the one whose class it is
{"time":2.500,"level":4211}
{"time":9.100,"gone":"it ended"}
{"time":11.20,"back":true}
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from codegen.common.errors import UserError
from workbench.live.events import Back, Event, Gone, Level, Mark, Received, Sent

VERSION = 1
_LONGEST = 1e9  # seconds
_LOUDEST = 32768  # |int16|
_REMEDY = "Give a file that `earshot monitor --record FILE` has written."


class SessionWriter:
    """Writes events as they come; what was written before a crash can be played."""

    def __init__(self, file: Path, device: str) -> None:
        """UserError where the file is there already or cannot be written."""
        try:
            self._stream: TextIO = file.open("x", encoding="ascii", buffering=1)
        except FileExistsError:
            raise UserError("it is there already", file=file, remedy="Name a new file.") from None
        except OSError as error:
            raise UserError(f"cannot be written: {error.strerror}", file=file) from None
        self._file = file
        self._write({"session": VERSION, "device": device})

    def take(self, event: Event) -> None:
        """One event. UserError where it cannot be written."""
        self._write({"time": round(event.time, 4)} | _values(event))

    def close(self) -> None:
        """The file is whole."""
        with contextlib.suppress(OSError):  # it was told when it was written
            self._stream.close()

    def _write(self, values: dict[str, Any]) -> None:
        try:
            self._stream.write(json.dumps(values, separators=(",", ":")) + "\n")
        except OSError as error:
            raise UserError(f"cannot be written: {error.strerror}", file=self._file) from None


def _values(event: Event) -> dict[str, Any]:
    if isinstance(event, Received):
        return {"received": event.data.decode("latin-1")}
    if isinstance(event, Sent):
        return {"sent": event.text}
    if isinstance(event, Level):
        return {"level": event.peak}
    if isinstance(event, Gone):
        return {"gone": event.why}
    if isinstance(event, Mark):
        return {"mark": event.label} | ({} if event.model is None else {"model": event.model})
    return {"back": True}


def read_session(file: Path) -> Iterator[Event]:
    """Its events, in order. UserError with the line where it is none, or damaged. A last line without end,
    as a kill leaves it, is left out."""
    try:
        text = file.read_text(encoding="ascii")
    except UnicodeDecodeError:
        raise UserError("is no session: it holds more than text", file=file, remedy=_REMEDY) from None
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", file=file) from None
    *lines, _ = text.split("\n")
    before = 0.0
    for number, line in enumerate(lines, start=1):
        try:
            values = json.loads(line)
            if number == 1:
                known = values["session"] == VERSION
                event: Event | None = None
            else:
                event = _event(values)
                known = before <= event.time < _LONGEST
                before = event.time
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            known = False
        if not known:
            raise UserError("is no event of a session", file=file, place=f"line {number}", remedy=_REMEDY)
        if event is not None:
            yield event
    if not lines:
        raise UserError("is empty", file=file, remedy=_REMEDY)


def _event(values: Any) -> Event:
    """KeyError, TypeError, ValueError or OverflowError where it is none."""
    time = float(values["time"])
    if "received" in values:
        return Received(time, _text(values["received"]).encode("latin-1"))
    if "sent" in values:
        return Sent(time, _text(values["sent"]))
    if "level" in values:
        level = int(values["level"])
        if not 0 <= level <= _LOUDEST:
            raise ValueError("no level")
        return Level(time, level)
    if "gone" in values:
        return Gone(time, _text(values["gone"]))
    if "mark" in values:
        label = values["mark"]
        model = values.get("model")
        if model is not None and (not isinstance(model, int) or isinstance(model, bool)):
            raise TypeError("no model")
        return Mark(time, None if label is None else _text(label), model)
    if values["back"] is True:
        return Back(time)
    raise ValueError("no event")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value
