# SPDX-License-Identifier: Apache-2.0
"""A session in a file comes back as it was; a damaged one is told with its line."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from codegen.common.errors import UserError
from workbench.live.events import Back, Event, Gone, Level, Mark, Received, Sent
from workbench.live.session_file import SessionWriter, read_session

EVENTS: list[Event] = [
    Sent(0.0, "boot"),
    Received(0.1, bytes(range(256))),
    Received(0.2, b""),
    Level(0.3, 4211),
    Mark(0.4, "knöcking"),
    Mark(0.5, None),
    Mark(0.55, "yes", 1),
    Gone(0.6, "pulled"),
    Back(0.7),
]


def written(folder: Path) -> Path:
    file = folder / "a.session"
    writer = SessionWriter(file, "/dev/ttyACM0")
    for event in EVENTS:
        writer.take(event)
    writer.close()
    return file


def test_every_event_comes_back(tmp_path: Path) -> None:
    assert list(read_session(written(tmp_path))) == EVENTS


def test_a_session_is_never_overwritten(tmp_path: Path) -> None:
    file = written(tmp_path)
    before = file.read_bytes()
    with pytest.raises(UserError, match="it is there already"):
        SessionWriter(file, "x")
    assert file.read_bytes() == before


def test_what_a_kill_left_is_played(tmp_path: Path) -> None:
    file = written(tmp_path)
    file.write_bytes(file.read_bytes()[:-5])
    assert list(read_session(file)) == EVENTS[:-1]


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        "[]",
        '{"time":9}',
        '{"time":"x","sent":"boot"}',
        '{"time":9,"received":7}',
        '{"time":9,"received":"\\u0416"}',
        '{"time":0.1,"back":true}',  # before the one before it
        '{"time":9,"back":false}',
        '{"time":9,"mark":7}',
        '{"time":1e999,"back":true}',
        '{"time":1e300,"back":true}',  # no clock waits so long
        f'{{"time":{"9" * 400},"back":true}}',
        '{"time":9,"level":1e999}',
        f'{{"time":9,"level":{"9" * 400}}}',
        '{"time":9,"level":-1}',
    ],
)
def test_a_damaged_line_is_told_by_its_number(tmp_path: Path, line: str) -> None:
    file = written(tmp_path)
    file.write_text(file.read_text() + line + "\n")
    with pytest.raises(UserError) as raised:
        list(read_session(file))
    assert raised.value.place == f"line {len(EVENTS) + 2}"


def test_a_disk_that_is_full_is_one_message(tmp_path: Path) -> None:
    writer = SessionWriter(tmp_path / "a.session", "x")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))  # as a full disk: it fails in the midst
    try:
        writer.take(EVENTS[0])
        with pytest.raises(UserError, match="cannot be written: File too large") as told:
            writer.take(EVENTS[1])
        writer.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert told.value.file == str(tmp_path / "a.session")


def test_other_files_are_no_sessions(tmp_path: Path) -> None:
    file = tmp_path / "other"
    for data in (b"", b"{}\n", b'{"session":2}\n', b"\xff\xfe"):
        file.write_bytes(data)
        with pytest.raises(UserError):
            list(read_session(file))
    with pytest.raises(UserError, match="No such file"):
        list(read_session(tmp_path / "none"))
