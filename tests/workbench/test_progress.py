# SPDX-License-Identifier: Apache-2.0
"""What is waited for: on a terminal one line, after a second, and gone at the end; in a log plain lines; with
--json nothing."""

from __future__ import annotations

import io
import sys
import time
from pathlib import Path
from typing import NoReturn

import pytest

from codegen.common.errors import UserError
from toolbox.options import EXAMPLE
from workbench import build, cli, targets
from workbench import progress as module
from workbench.progress import SWITCH, Display, progress, remark, silence, waiting


class Terminal(io.StringIO):
    """A stderr that a person looks at."""

    def isatty(self) -> bool:
        return True


class Clock:
    """Time passes when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(time, "monotonic", made)
    monkeypatch.delenv(SWITCH)
    return made


@pytest.fixture
def display(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Display:
    """Without its thread: a test ticks."""
    made = Display(clock)
    monkeypatch.setattr(made, "_run", lambda stop: None)
    monkeypatch.setattr(module, "_display", made)
    return made


def shown(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO) -> io.StringIO:
    monkeypatch.setattr(sys, "stderr", stream)
    return stream


def test_what_is_quick_shows_nothing(monkeypatch: pytest.MonkeyPatch, display: Display, clock: Clock) -> None:
    for stream in (Terminal(), io.StringIO()):
        shown(monkeypatch, stream)
        with waiting("building door"):
            clock.now += 0.9
            display.tick()
        assert stream.getvalue() == ""


def test_a_terminal_has_one_line_that_is_replaced_and_wiped(
    monkeypatch: pytest.MonkeyPatch, display: Display, clock: Clock
) -> None:
    stream = shown(monkeypatch, Terminal())
    with waiting("building door for mps2_an386"):
        for _ in range(3):
            clock.now += 4.2
            display.tick()
    lines = stream.getvalue().split("\r")
    assert [line.strip() for line in lines] == [
        "",
        "building door for mps2_an386, 4 s",
        "building door for mps2_an386, 8 s",
        "building door for mps2_an386, 13 s",
        "",
        "",
    ]
    assert "\n" not in stream.getvalue()
    assert len(lines[-2]) >= len(lines[-3])  # it is wiped as far as it reached
    assert lines[-1] == ""


def test_a_log_has_plain_lines_now_and_then(
    monkeypatch: pytest.MonkeyPatch, display: Display, clock: Clock
) -> None:
    stream = shown(monkeypatch, io.StringIO())
    with waiting("building door"):
        for _ in range(400):
            clock.now += 0.2
            display.tick()
    assert (
        stream.getvalue()
        == "earshot: building door\nearshot: building door, 31 s\nearshot: building door, 61 s\n"
    )


def test_items_are_counted(monkeypatch: pytest.MonkeyPatch, display: Display, clock: Clock) -> None:
    log, terminal = io.StringIO(), Terminal()
    for stream, line in ((log, "earshot: recordings: 12 of 40\n"), (terminal, "\rrecordings: 12 of 40")):
        shown(monkeypatch, stream)
        items = progress(range(40), 40, "recordings")
        for item in items:
            clock.now += 0.1
            if item == 12:
                display.tick()
                assert stream.getvalue() == line
        assert list(items) == []
    assert terminal.getvalue().endswith("\r")


def test_the_innermost_is_shown_and_then_the_outer_one_again(
    monkeypatch: pytest.MonkeyPatch, display: Display, clock: Clock
) -> None:
    stream = shown(monkeypatch, Terminal())
    with waiting("outer"):
        clock.now += 5
        with waiting("inner"):
            display.tick()  # not for a second yet
            clock.now += 2
            display.tick()
        display.tick()
    lines = [line.strip() for line in stream.getvalue().split("\r")]
    assert [line for line in lines if line] == ["inner, 2 s", "outer, 7 s"]


def test_a_remark_stands_on_a_line_of_its_own(
    monkeypatch: pytest.MonkeyPatch, display: Display, clock: Clock
) -> None:
    stream = shown(monkeypatch, Terminal())
    with waiting("building"):
        clock.now += 3
        display.tick()
        remark("another build is waited for")
    assert stream.getvalue().endswith("\rearshot: another build is waited for\n")


def test_silent_with_json_and_where_it_is_switched_off(
    monkeypatch: pytest.MonkeyPatch, display: Display, clock: Clock
) -> None:
    stream = shown(monkeypatch, Terminal())
    monkeypatch.setenv(SWITCH, "off")
    with waiting("building"):
        clock.now += 5
        display.tick()
    monkeypatch.delenv(SWITCH)
    silence()
    with waiting("building"):
        clock.now += 5
        display.tick()
    assert list(progress(range(3), 3, "items")) == [0, 1, 2]
    assert stream.getvalue() == ""


def test_a_stream_that_is_gone_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, display: Display, clock: Clock
) -> None:
    stream = shown(monkeypatch, io.StringIO())
    with waiting("building"):
        clock.now += 5
        stream.close()
        monkeypatch.setattr(stream, "isatty", lambda: False)
        display.tick()


def test_the_commands_say_what_they_wait_for(
    monkeypatch: pytest.MonkeyPatch, display: Display, clock: Clock, tmp_path: Path
) -> None:
    stream = shown(monkeypatch, io.StringIO())

    def long(*_: object) -> NoReturn:
        clock.now += 5
        display.tick()
        raise UserError("enough")

    monkeypatch.setattr(build, "_scons", long)
    monkeypatch.setattr(targets, "qemu_link", long)
    monkeypatch.setattr(targets, "SerialLink", long)
    (tmp_path / "firmware.elf").touch()
    for call in (
        lambda: build.build("pc", EXAMPLE),
        lambda: targets.open_target("qemu", tmp_path / "firmware.elf"),
        lambda: targets.open_target("/dev/ttyACM0"),
    ):
        with pytest.raises(UserError, match="enough"):
            call()
    assert stream.getvalue().splitlines() == [
        "earshot: building smart_lock for this computer",
        "earshot: starting the emulator qemu with mps2_an386",
        "earshot: waiting for the image at /dev/ttyACM0",
    ]


def test_json_silences_every_command(monkeypatch: pytest.MonkeyPatch, display: Display) -> None:
    shown(monkeypatch, io.StringIO())
    assert cli.main(["plan", "no_such.tflite"]) == 2
    assert not display.silent
    assert cli.main(["plan", "no_such.tflite", "--json"]) == 2
    assert display.silent
