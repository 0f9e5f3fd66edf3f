# SPDX-License-Identifier: Apache-2.0
"""An image in Renode: the same lines as everywhere; and what is reported when it cannot run there."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from codegen.board.description import board_names, load_board
from codegen.common.errors import UserError
from codegen.common.paths import BOARDS as BOARDS_FOLDER
from codegen.common.paths import ROOT
from codegen.emit.board import renode_script
from tests.support.images import hashing_image, hearing_image, recording_image
from tests.support.processes import gone
from tests.support.tools import need_tool
from toolbox.test_log import VARIABLE
from workbench.live.capture import Capture
from workbench.live.samples import Take
from workbench.protocol.lines import Cycles, Error
from workbench.targets import Device, RenodeOptions, open_target, target_board
from workbench.targets.renode import renode_link

BOARD = "mps2_an386"
BOARDS = {name: board.renode for name in board_names() if (board := load_board(name)).renode is not None}
HEARING = [name for name, renode in BOARDS.items() if renode.microphone is not None]

# Takes the monitor's commands like Renode, notes them, and plays the image of this computer on the socket.
FAKE = """\
#!{python}
import os, socket, subprocess, sys
if os.environ.get("FAKE_RENODE") == "broken":
    sys.exit("no mono here")
notes = open(os.environ["FAKE_NOTES"], "w", buffering=1)
print(*sys.argv[1:], file=notes)
program = None
for line in sys.stdin:
    print(line, end="", file=notes)
    if os.environ.get("FAKE_RENODE") == line.split()[0]:
        print("There was an error executing command 'include'\\nno such peripheral", flush=True)
    elif line.startswith("emulation CreateServerSocketTerminal"):
        server = socket.create_server(("127.0.0.1", int(line.split()[2])))
    elif line == "emulation GetTimeSourceInfo\\n":
        print("Elapsed Virtual Time: 00:01:01.500000", flush=True)
    elif line == "start\\n":
        end, _ = server.accept()
        program = subprocess.Popen([os.environ["FAKE_IMAGE"]], stdin=end.fileno(), stdout=end.fileno())
        end.close()
print("end of input", file=notes)
if program:
    program.kill()
"""


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Renode's stand-in first on PATH; the file in which it notes what it was reported."""
    program = tmp_path / "bin" / "renode"
    program.parent.mkdir()
    program.write_text(FAKE.format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv(VARIABLE, raising=False)  # what runs here proves nothing of Renode
    monkeypatch.setenv("FAKE_NOTES", str(tmp_path / "notes"))
    monkeypatch.setenv("FAKE_IMAGE", str(hashing_image("pc")))
    return tmp_path / "notes"


def built(folder: Path, board: str = BOARD) -> Path:
    """An image with Renode's script beside it, as SCons leaves them."""
    image = folder / "firmware.elf"
    image.write_bytes(b"")
    (folder / "renode.resc").write_text(renode_script(load_board(board)))
    return image


def sound() -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    """Two seconds, loud enough for the gate."""
    return np.random.default_rng(5).integers(-8000, 8000, 32000, np.int16)


def test_the_monitor_is_told_what_to_run_and_ends_with_us(tmp_path: Path, fake: Path) -> None:
    image = built(tmp_path)
    with open_target("renode", image, board=BOARD) as device, open_target("pc", hashing_image("pc")) as pc:
        assert list(device.replay(sound())) == list(pc.replay(sound()))
    deadline = time.monotonic() + 600
    while "end of input" not in (reported := fake.read_text().splitlines()):
        assert time.monotonic() < deadline, reported
    assert reported[0] == "--disable-gui --plain --console"
    assert reported[1:3] == [f"$image=@{image}", f"include @{tmp_path / 'renode.resc'}"]
    assert reported[-3:] == ["connector Connect sysbus.uart0 earshot_line", "start", "end of input"]


def behind_a_script(tmp_path: Path, fake: Path) -> Path:
    """A Renode started by a shell script, beside an emulator that takes no signal; the file with its pid."""
    stand_in = fake.parent / "bin" / "renode"
    stand_in.rename(stand_in.with_name("emulator"))
    pid = tmp_path / "pid"
    hangs = tmp_path / "hangs.py"
    hangs.write_text(
        "import os, pathlib, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"pathlib.Path({str(pid)!r}).write_text(str(os.getpid()))\n"
        "time.sleep(600)\n"
    )
    emulator = stand_in.with_name("emulator")
    stand_in.write_text(f'#!/bin/sh\n{sys.executable} {hangs} &\n{emulator} "$@"\nwait\n')
    stand_in.chmod(0o755)
    return pid


def written(file: Path) -> int:
    """The number in a file, once it is there."""
    while not (file.exists() and file.read_text()):
        time.sleep(0.02)
    return int(file.read_text())


def test_a_renode_behind_a_script_is_ended_though_it_does_not_listen(tmp_path: Path, fake: Path) -> None:
    """Portable releases start Renode from a shell script; an emulator that hangs is ended with it."""
    file = behind_a_script(tmp_path, fake)
    with open_target("renode", built(tmp_path), board=BOARD):
        pid = written(file)
    assert gone(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_emulator_outlives_a_killed_parent(tmp_path: Path, fake: Path, sent: signal.Signals) -> None:
    """As `replay --target renode` is one: all that its Renode has started ends, killed or not."""
    file = behind_a_script(tmp_path, fake)
    script = (
        "import signal, time; from pathlib import Path; from workbench.targets import open_target\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"with open_target('renode', Path({str(built(tmp_path))!r}), board={BOARD!r}):\n"
        "    print('open', flush=True)\n    time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"open\n"
        pid = written(file)
        parent.send_signal(sent)
    assert gone(pid)


def test_renode_tells_the_emulated_time(tmp_path: Path, fake: Path) -> None:
    with open_target("renode", built(tmp_path), board=BOARD) as device:
        assert device.clock is not None
        assert device.clock() == 61.5


def test_what_renode_says_of_a_failed_command_is_reported(
    tmp_path: Path, fake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_RENODE", "include")
    with pytest.raises(UserError, match="no such peripheral"):
        renode_link(load_board(BOARD), built(tmp_path))


def test_a_renode_that_does_not_start_is_reported(
    tmp_path: Path, fake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_RENODE", "broken")
    with pytest.raises(UserError, match="no mono here"):
        renode_link(load_board(BOARD), built(tmp_path))


def test_what_is_missing_is_reported(tmp_path: Path, fake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="no such script"):
        renode_link(load_board(BOARD), tmp_path / "firmware.elf")
    image = built(tmp_path)
    with pytest.raises(UserError, match="no microphone"):
        renode_link(load_board(BOARD), image, RenodeOptions(sound=image))
    with pytest.raises(UserError, match=r"no machine for the board .pc."):
        target_board("renode", "pc")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="Renode is not on PATH"):
        renode_link(load_board(BOARD), image)


@pytest.mark.parametrize("board", BOARDS)
def test_real_renode_prints_what_this_computer_prints(board: str, tmp_path: Path) -> None:
    need_tool("renode")
    image = real(board, hashing_image(board), tmp_path)
    with open_target("renode", image, board=board, timeout=600.0) as device:
        assert device.boot.board == board
        can_count = not isinstance(device.command("cycles"), Error)
        assert can_count == (load_board(board).port != "mps2")
        assert lines(device) == pc_lines()
        if can_count:
            counted = device.command("cycles")
            assert isinstance(counted, Cycles)
            assert counted.windows == device.status().sequence
            gate, mfcc, scale, classifier, decision = counted.most
            assert 0 < gate < mfcc > scale > 0
            assert classifier > 0 < decision


@pytest.mark.parametrize("board", HEARING)
def test_a_board_hears_through_its_own_driver_in_real_renode(board: str, tmp_path: Path) -> None:
    """From reset on, by microphone, DMA and interrupt: what this computer decides of the same samples."""
    need_tool("renode")
    described = load_board(board)
    image = real(board, hearing_image(board), tmp_path)
    file = tmp_path / "sound.s16le"
    settling = np.zeros(dict(described.microphone)["settling"], "<i2")  # which the driver drops
    file.write_bytes(np.concatenate([settling, sound().astype("<i2")]).tobytes())
    with open_target("pc", hearing_image("pc")) as pc:
        expected = list(pc.replay(sound()))
    options = RenodeOptions(sound=file)
    with open_target("renode", image, board=board, renode=options, timeout=600.0) as device:
        heard: list[str] = []
        deadline = time.monotonic() + 1200
        while len(heard) < len(expected) and time.monotonic() < deadline:
            heard += device.results(2.0)
        status = device.status()
    assert heard[: len(expected)] == expected
    assert (status["lost"], status["dropped"], status["errors"]) == (0, 0, 0)


@pytest.mark.parametrize(("board", "baud"), [("xg24", 921600)])
def test_capture_is_the_sound_that_the_microphone_played(board: str, baud: int, tmp_path: Path) -> None:
    """Sample for sample, through the board's own drivers both ways, in real Renode."""
    need_tool("renode")
    played = np.random.default_rng(9).integers(-32768, 32768, 3 * 16000).astype("<i2")
    take = captured(board, baud, played, tmp_path, 2 * 16000)
    assert take.missing == 0
    begin = played.tobytes().find(take.samples.tobytes())
    assert begin >= 0
    assert begin % 2 == 0


def captured(board: str, baud: int, played: NDArray[np.int16], folder: Path, count: int) -> Take:
    """So many samples, as `earshot capture` takes them from the board in Renode."""
    image = real(board, recording_image(board, baud), folder)
    file = folder / "sound.s16le"
    settling = np.zeros(dict(load_board(board).microphone)["settling"], "<i2")
    file.write_bytes(np.concatenate([settling, played]).tobytes())
    link = renode_link(load_board(board), image, RenodeOptions(sound=file))
    try:
        capture = Capture(link, "renode", 16, baud, clock=lambda: 0.0)  # however slow Renode is
        while capture.incoming.end < count:
            capture.pump()
        assert capture.uncaptured() == 0
        return capture.finish(0, count)
    finally:
        link.close()


# The nRF52840's UARTE without its core: what a host's thread does between two of the image's instructions.
RECEIVE = """
mach create "receive"
include @{model}
machine LoadPlatformDescriptionFromString "memory: Memory.MappedMemory @ sysbus 0x20000000 {{ size: 0x1000 }}"
machine LoadPlatformDescriptionFromString "uarte0: UART.{kind} @ sysbus 0x40002000 {options}"
sysbus WriteDoubleWord 0x40002500 8
sysbus WriteDoubleWord 0x40002534 0x20000000
sysbus WriteDoubleWord 0x40002538 1
sysbus WriteDoubleWord 0x40002000 1
sysbus.uarte0 WriteChar 0x41
sysbus ReadDoubleWord 0x20000000
sysbus WriteDoubleWord 0x40002110 0
sysbus.uarte0 WriteChar 0x42
sysbus.uarte0 WriteChar 0x43
sysbus ReadDoubleWord 0x20000000
sysbus WriteDoubleWord 0x40002000 1
sysbus ReadDoubleWord 0x20000000
sysbus ReadDoubleWord 0x40002110
sysbus WriteDoubleWord 0x40002110 0
sysbus WriteDoubleWord 0x40002000 1
sysbus ReadDoubleWord 0x20000000
quit
"""


@pytest.mark.parametrize("ours", [True, False])
def test_a_byte_between_two_transfers_waits_for_the_next(ours: bool, tmp_path: Path) -> None:
    """Renode's own UARTE writes it behind the memory of the one that has ended, over the variables there."""
    need_tool("renode")
    kind, options = ("Uarte", "") if ours else ("NRF52840_UART", "{ easyDMA: true }")
    model = BOARDS_FOLDER / "nrf52840dk" / "Uarte.cs"
    read = numbers(RECEIVE.format(model=model, kind=kind, options=options), tmp_path)
    assert (read == [0x41, 0x41, 0x42, 1, 0x43]) == ours
    assert ours or read[1] == 0x434241


# xG24's USART without its core: stopped behind the first word of a frame, then started again.
FRAMES = """
mach create "frames"
include @{model}
$usart="usart: Sound.UsartI2sMicrophone @ sysbus 0x4005C000 {{ clockFrequency: 36864000 }}"
machine LoadPlatformDescriptionFromString $usart
emulation SetGlobalQuantum "0.000001"
sysbus.usart OnGPIO 0 true
sysbus.usart SetInputFile @{sound}
sysbus WriteDoubleWord 0x4005C004 1
sysbus WriteDoubleWord 0x4005C008 0x20000401
sysbus WriteDoubleWord 0x4005C01C 0x1100
sysbus WriteDoubleWord 0x4005C054 0x311
sysbus WriteDoubleWord 0x4005C014 0x15
emulation RunFor "0.00004"
sysbus WriteDoubleWord 0x4005C014 0x2A
sysbus ReadDoubleWord 0x4005C02C
{restart}
sysbus WriteDoubleWord 0x4005C014 0xC00
sysbus WriteDoubleWord 0x4005C014 0x15
emulation RunFor "0.00004"
sysbus ReadDoubleWord 0x4005C02C
quit
"""
OFF_AND_ON = "sysbus WriteDoubleWord 0x4005C004 0\nsysbus WriteDoubleWord 0x4005C004 1"


@pytest.mark.parametrize("off", [True, False])
def test_live_begins_with_the_left_word_where_the_usart_was_off(off: bool, tmp_path: Path) -> None:
    """As firmware/port/efr32/microphone.c does it; else the right one's silence is taken for the left."""
    need_tool("renode")
    sound = tmp_path / "sound.s16le"
    sound.write_bytes(np.full(100, 0x1234, "<i2").tobytes())
    model = BOARDS_FOLDER / "xg24" / "UsartI2sMicrophone.cs"
    script = FRAMES.format(model=model, sound=sound, restart=OFF_AND_ON if off else "")
    assert numbers(script, tmp_path) == [0x1234, 0x1234 if off else 0]


# The start of a board's own script, for 25 ms of emulated time.
START = """
$image=@{image}
include @{script}
sysbus.{line} CreateFileBackend @{said} true
emulation RunFor "0.025"
quit
"""


@pytest.mark.parametrize("board", BOARDS)
def test_a_start_waits_for_no_flag_that_the_platform_lacks(board: str, tmp_path: Path) -> None:
    """Each such wait has an end, and the image comes up; after half a million reads and warnings."""
    need_tool("renode")
    image = real(board, hashing_image(board), tmp_path)
    script = tmp_path / "renode.resc"
    described = load_board(board)
    assert described.renode is not None
    said = tmp_path / "said"
    words = START.format(image=image, script=script, line=described.renode.uart, said=said)
    numbers(words, tmp_path)
    assert b'"boot"' in said.read_bytes()


def numbers(script: str, folder: Path) -> list[int]:
    """What a script reads from registers and memory, in its order."""
    file = folder / "script.resc"
    file.write_text(script)
    words = ["renode", "--disable-gui", "--plain", "--console", str(file)]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    assert "error" not in done.stdout.lower(), done.stdout
    return [int(value, 16) for value in re.findall(r"^0x([0-9A-F]+)\s*$", done.stdout, re.MULTILINE)]


def real(board: str, image: Path, folder: Path) -> Path:
    """The image with what Renode needs beside it."""
    described = load_board(board)
    assert described.renode is not None
    for file in described.renode.files:
        (folder / Path(file).name).write_bytes((described.file.parent.parent / file).read_bytes())
    copy = built(folder, board)
    copy.write_bytes(image.read_bytes())
    return copy


def lines(device: Device) -> list[str]:
    """Decisions and stages of sound()."""
    device.command("stages on")
    return list(device.replay(sound()))


def pc_lines() -> list[str]:
    """The same on this computer."""
    with open_target("pc", hashing_image("pc")) as device:
        return lines(device)
