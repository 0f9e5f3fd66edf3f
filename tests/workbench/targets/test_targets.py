# SPDX-License-Identifier: Apache-2.0
"""Doors to images: processes that end, serial ports, clear refusals."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import termios
import threading
import time
import tty
from pathlib import Path
from types import SimpleNamespace

import pytest

from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from tests.support.doors import board_of, on_a_socket, open_hashing, open_scripted
from tests.support.expected import expected_lines
from tests.support.images import (
    HASHING,
    QEMU_BOARD,
    SCRIPTED_INPUTS,
    bursts,
    hashing_image,
    scripted_image,
)
from tests.support.processes import gone
from tests.support.tools import need_tool
from workbench.protocol.lines import Ack, Status, numbered_line, parse_line
from workbench.targets import Device, open_target, target_board
from workbench.targets.link import LinkClosedError, ProcessLink
from workbench.targets.serial_port import is_hardware

pytestmark = pytest.mark.xdist_group("images")

SOUND = bursts(30)


def pid_of(device: Device) -> int:
    """The process behind a device."""
    link = device.link
    assert isinstance(link, ProcessLink)
    return link.pid


# Processes end


@pytest.mark.parametrize("door", ["pc", "qemu"])
def test_a_closed_image_is_gone(door: str) -> None:
    with open_hashing(door) as device:
        pid = pid_of(device)
    assert gone(pid)
    device.close()  # twice is once


def test_an_image_on_this_computer_ends_by_itself_at_the_end_of_its_line() -> None:
    """Not by a signal: what it does at its end, as to write how often its lines ran, is done."""
    for _ in range(20):
        with open_hashing("pc") as device:
            link = device.link
            assert isinstance(link, ProcessLink)
        assert link.code == 0


@pytest.mark.parametrize("door", ["pc", "qemu"])
def test_an_image_ends_with_the_trouble_around_it(door: str) -> None:
    with contextlib.suppress(KeyboardInterrupt), open_hashing(door) as device:
        pid = pid_of(device)
        raise KeyboardInterrupt
    assert gone(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
@pytest.mark.parametrize("door", ["pc", "qemu"])
def test_an_image_ends_with_its_killed_parent(door: str) -> None:
    image = hashing_image(board_of(door))
    need_tool("qemu-system-arm")
    script = (
        "import sys, time; from pathlib import Path; from workbench.targets import open_target\n"
        f"d = open_target({door!r}, Path({str(image)!r})); print(d.link.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert not gone(pid, 0.1)
        parent.send_signal(signal.SIGKILL)
    assert gone(pid)


def test_an_image_that_dies_is_reported_with_its_words() -> None:
    with open_scripted("pc") as device, pytest.raises(UserError, match="ended") as caught:
        device.tensor(b"\xe2" + bytes(SCRIPTED_INPUTS - 1))
    assert str(scripted_image("pc")) in str(caught.value)


def test_the_program_ends_with_its_input_after_all_its_output() -> None:
    lines = b"".join(
        numbered_line("audio", n, SOUND.astype("<i2").tobytes()[at : at + 360])
        for n, at in enumerate(range(0, 2 * len(SOUND), 360))
    )
    done = subprocess.run(
        [hashing_image("pc")], input=b"replay\n" + lines + b"status\nstat", capture_output=True, check=False
    )
    assert done.returncode == 0
    assert done.stderr == b""
    *reported, last = done.stdout.decode().splitlines()
    assert [line for line in reported if line.startswith('{"ModelNumber"')] == expected_lines(HASHING, SOUND)
    assert isinstance(parse_line(last), Status)  # the half word after it is no command


def test_a_slow_reader_gets_every_line() -> None:
    """A megabyte of stages, read in sips: more than the program and the pipe hold."""
    sound = bursts(2500)
    data = b"".join(
        numbered_line("audio", n, sound.astype("<i2").tobytes()[at : at + 360])
        for n, at in enumerate(range(0, 2 * len(sound), 360))
    )
    with subprocess.Popen([hashing_image("pc")], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        feeder = threading.Thread(target=lambda: _feed(program, b"stages on\nreplay\n" + data + b"status\n"))
        feeder.start()
        time.sleep(0.5)
        out = bytearray()
        while piece := os.read(program.stdout.fileno(), 1 << 14):
            out += piece
            time.sleep(0.001)
        feeder.join()
    assert len(out) > 400_000
    status = parse_line(out.decode().splitlines()[-1])
    assert isinstance(status, Status)
    assert (status["dropped"], status["windows"]) == (0, 2500)
    assert out.count(b'"stage":"cepstra"') == 2500


def _feed(program: subprocess.Popen[bytes], data: bytes) -> None:
    assert program.stdin is not None
    program.stdin.write(data)
    program.stdin.close()


def test_lines_that_nobody_takes_are_dropped_after_a_second_and_counted() -> None:
    """Replay waits for room, but not for ever."""
    sound = bursts(5000)
    payload = sound.astype("<i2").tobytes()
    with open_hashing("pc") as device:
        device.command("stages on")
        device.command("replay")
        lines = b"".join(
            numbered_line("audio", n, payload[at : at + 360])
            for n, at in enumerate(range(0, len(payload), 360))
        )
        sent = 0
        started = time.monotonic()
        while sent < len(lines) and time.monotonic() < started + 900:
            device.send(lines[sent : sent + 4096])
            sent += 4096
            time.sleep(0.001)
        while device.link._link._queued and time.monotonic() < started + 900:  # type: ignore[attr-defined]
            device.send(b"")
            time.sleep(0.01)
        device.timeout = 600
        status = device.status()
    assert status["windows"] == 5000
    assert status["dropped"] > 1000


# Serial ports


def test_a_pyserial_url_is_a_door() -> None:
    with on_a_socket(hashing_image("pc")) as url, open_target(url, timeout=300) as device:
        assert device.boot.name == "app"
        assert list(device.replay(SOUND)) == expected_lines(HASHING, SOUND)


def test_a_serial_device_is_a_door() -> None:
    ours, theirs = os.openpty()
    tty.setraw(theirs, termios.TCSANOW)
    with subprocess.Popen([hashing_image("pc")], stdin=ours, stdout=ours) as program:
        try:
            with open_target(os.ttyname(theirs), timeout=300) as device:
                assert list(device.replay(SOUND)) == expected_lines(HASHING, SOUND)
        finally:
            program.kill()
            os.close(ours)
            os.close(theirs)


def test_a_silent_port_is_given_up() -> None:
    ours, theirs = os.openpty()
    try:
        with pytest.raises(UserError, match="nothing says who it is within 1 seconds"):
            open_target(os.ttyname(theirs), timeout=1)
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.parametrize("port", ["/dev/no-such-port", "socket://127.0.0.1:1", "nonsense://x"])
def test_a_port_that_does_not_open_is_reported(port: str) -> None:
    with pytest.raises(UserError, match="cannot be opened") as caught:
        open_target(port, timeout=1)
    assert str(caught.value).startswith(f"{port}: ")


# Refusals


def test_a_missing_emulator_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    image = hashing_image("pc")  # any file
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UserError, match="qemu-system-arm") as caught:
        open_target("qemu", image)
    assert "nstall" in str(caught.value)


def test_what_is_no_image_is_reported(tmp_path: Path) -> None:
    need_tool("qemu-system-arm")
    with pytest.raises(UserError, match="no such image"):
        open_target("qemu", tmp_path / "firmware.elf")
    empty = tmp_path / "firmware"
    empty.write_bytes(b"")
    with pytest.raises(UserError, match="cannot be started"):
        open_target("pc", empty)
    empty.chmod(0o755)
    empty.write_text("#!/bin/sh\necho boots no more >&2\nexit 5\n")
    with pytest.raises(UserError, match=r"exit code 5\): boots no more"):
        open_target("pc", empty)


def test_an_image_that_says_nothing_is_given_up(tmp_path: Path) -> None:
    mute = tmp_path / "firmware"
    mute.write_text("#!/bin/sh\nexec sleep 60\n")
    mute.chmod(0o755)
    with pytest.raises(UserError, match="nothing says who it is within 1 seconds"):
        open_target("pc", mute, timeout=1)


@pytest.mark.parametrize(("says", "garbled"), [(r"\376\200{", True), ("hello", False)])
def test_what_is_no_text_is_reported_as_a_rate_that_may_be_off(
    tmp_path: Path, says: str, *, garbled: bool
) -> None:
    image = tmp_path / "firmware"
    image.write_text(f"#!/bin/sh\nprintf '{says}\\n'\nexec sleep 60\n")
    image.chmod(0o755)
    with pytest.raises(UserError, match="is the rate of the serial line right") as caught:
        open_target("pc", image, timeout=1)
    assert ("What came is no text" in str(caught.value)) == garbled


def test_boards_and_targets_that_do_not_go_together() -> None:
    assert target_board("/dev/ttyACM0") is None
    board = target_board("qemu")
    assert board is not None
    assert board.name == QEMU_BOARD
    with pytest.raises(UserError, match="board pc"):
        target_board("pc", "mps2_an386")
    with pytest.raises(UserError, match=r"no machine for the board .pc."):
        target_board("qemu", "pc")
    with pytest.raises(UserError, match="there is no board"):
        target_board("qemu", "mps3")


def test_links_tell_when_nothing_more_will_come() -> None:
    with open_hashing("pc") as device:
        os.kill(pid_of(device), signal.SIGKILL)
        assert gone(pid_of(device))
        with pytest.raises(LinkClosedError, match="signal 9"):
            device.link.receive(5)


def test_an_error_that_comes_by_itself_is_no_answer() -> None:
    """A live microphone fails just when a replay is asked for."""
    with open_hashing("pc") as device:
        link = device.link
        receive, reported = link.receive, [b'{"error":"microphone without data","detail":8000}\n']
        link.receive = lambda timeout: reported.pop() if reported else receive(timeout)  # type: ignore[method-assign]
        assert isinstance(device.command("replay"), Ack)
        assert not reported


def test_a_port_is_hardware_by_each_of_its_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its line has a rate, that is checked before sound is lost; a URL and a pseudo-terminal have none."""
    port, link = tmp_path / "ttyACM0", tmp_path / "usb-SEGGER-if00"
    port.touch()
    link.symlink_to(port.name)
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: [SimpleNamespace(device=str(port))])
    assert is_hardware(str(port))
    assert is_hardware(str(link))
    assert not is_hardware("socket://localhost:4321")
    assert not is_hardware(str(tmp_path / "pts"))
