# SPDX-License-Identifier: Apache-2.0
"""scons flash: the scripts, the choice of program and probe, and what is made of a program's words."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from codegen.board.description import Board
from codegen.common.errors import UserError
from codegen.emit.flash_scripts import flash_scripts
from tests.support.flash_tools import BOARD, FakeTools, board_of
from workbench.flash import boot_line, flash
from workbench.flash.boot_line import Port, find_ports
from workbench.flash.choose import choose
from workbench.flash.flash import FlashError, FlashInterruptedError
from workbench.flash.methods import METHODS, run

BOOT = (
    '{{"boot":"app","board":"chip","engine":"aot","build":"{build}","model":"777ab1825585a3c5",'
    '"input":300,"output":4}}\n'
)


@pytest.fixture
def image(tmp_path: Path, board: Board) -> Path:
    """A folder with the board's scripts."""
    folder = tmp_path / "app"
    folder.mkdir()
    for name, text in flash_scripts(board).items():
        (folder / name).write_text(text)
    return folder


def test_commander_flashes_verifies_and_resets(tools: FakeTools, board: Board, image: Path) -> None:
    tools.commander("440012345")
    flash.flash(board, image, None, None)
    chip = "--device CHIP1536 --tif SWD --speed 2000 --serialno 440012345"
    assert tools.calls() == [
        f"commander flash firmware.hex {chip}",
        f"commander verify firmware.hex {chip}",
        f"commander device reset {chip}",
    ]


def test_jlink_runs_its_script(
    tools: FakeTools, board: Board, image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tools.jlink("440012345")
    flash.flash(board, image, None, None)
    assert tools.calls() == ["JLinkExe -NoGui 1 -SelectEmuBySN 440012345 -CommanderScript flash.jlink"]
    reported = capsys.readouterr().out
    assert "flashing chip with J-Link Commander, probe 440012345" in reported
    assert "verified and reset: app/firmware.hex" in reported
    assert "No serial port of the board was found" in reported


def test_pyocd_runs_its_script(tools: FakeTools, board: Board, image: Path) -> None:
    tools.pyocd("0240000034544e45")
    flash.flash(board, image, None, None)
    assert tools.calls() == [
        "pyocd commander --no-wait --target chip1536 -O auto_unlock=false --frequency 2000k "
        "--uid 0240000034544e45 --execute flash.pyocd"
    ]


def test_openocd_takes_the_probe_it_finds_or_the_one_named(
    tools: FakeTools, board: Board, image: Path
) -> None:
    tools.openocd()
    flash.flash(board, image, None, None)
    flash.flash(board, image, "openocd:77", None)
    assert tools.calls() == [
        "openocd -f flash.openocd.cfg",
        "openocd -c adapter serial 77 -f flash.openocd.cfg",
    ]


def test_bossac_takes_the_bootloaders_port(
    tools: FakeTools, board: Board, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools.add("bossac", "never", "Verify successful")
    ports = [
        SimpleNamespace(device="/dev/ttyACM0", vid=0x2341, pid=0x805A, serial_number="A"),
        SimpleNamespace(device="/dev/ttyACM1", vid=0x2341, pid=0x005A, serial_number="A"),
    ]
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: ports)
    flash.flash(board, image, None, None)
    assert tools.calls() == ["bossac --port=ttyACM1 -U -i -e -w -v firmware.bin -R"]


def test_the_boards_order_decides_among_programs_that_see_a_probe(tools: FakeTools, board: Board) -> None:
    tools.commander()
    tools.jlink()
    tools.pyocd("99")
    tools.openocd()
    assert (choose(board, None).method.name, choose(board, None).serial) == ("pyocd", "99")
    tools.jlink("12", "13")
    assert choose(board, "13").method.name == "jlink"
    assert choose(board, "99").method.name == "pyocd"
    assert choose(board, "pyocd").serial == "99"
    assert choose(board, "PYOCD:99").serial == "99"
    assert choose(board, "openocd").serial is None


def test_serial_numbers_with_and_without_leading_zeros(tools: FakeTools, board: Board) -> None:
    tools.jlink("440012345")
    assert choose(board, "000440012345").serial == "440012345"


def test_a_failing_verify_is_reported(
    tools: FakeTools, board: Board, image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tools.commander("1", says="ERROR: Verification failed at 0x08000010", code=254)
    with pytest.raises(FlashError, match=r"Simplicity Commander failed \(exit code 254\)"):
        flash.flash(board, image, None, None)
    assert len(tools.calls()) == 1  # neither verified again nor reset
    assert "Verification failed at 0x08000010" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["jlink", "pyocd", "openocd"])
def test_a_program_that_ends_well_without_having_verified_is_not_believed(
    tools: FakeTools, board: Board, image: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tools.jlink("1", says="Verify failed @ address 0x08000010.")
    tools.pyocd("1", says="Mismatched byte at 0x08000010 (offset 0x10): 0xff (memory) != 0x00 (file)")
    tools.openocd(says="shutdown command invoked")
    with pytest.raises(FlashError, match="it is not verified"):
        flash.flash(board, image, name, None)
    assert ("0x08000010" in capsys.readouterr().out) == (name != "openocd")


def test_a_program_that_hangs_is_ended(tmp_path: Path) -> None:
    outcome = run(["sh", "-c", "echo begun; exec sleep 60"], tmp_path, timeout=1)
    assert outcome.code == 124
    assert "begun" in outcome.output
    assert "did not end within 1 seconds" in outcome.output


def test_ctrl_c_lets_the_program_end_and_says_what_the_flash_may_hold(
    tools: FakeTools, board: Board, image: Path
) -> None:
    """The program has half a second for the probe; then it is flashed again, or nothing is."""
    tools.openocd()
    file, sleep = tools.folder / "openocd", shutil.which("sleep", path=os.defpath)
    ending = f"kill -INT $PPID; {sleep} 0.5; echo >{image}/ended"
    file.write_text(file.read_text().replace("exit 0", ending))
    with pytest.raises(FlashInterruptedError, match="while OpenOCD wrote") as caught:
        flash.flash(board, image, "openocd", None)
    assert caught.value.exit_code == 130
    assert (image / "ended").exists()


def test_no_program_is_reported_with_what_to_install(tools: FakeTools, board: Board) -> None:
    with pytest.raises(UserError) as caught:
        choose(board, None)
    text = str(caught.value)
    for method in METHODS.values():
        assert method.title in text
    assert "pip install pyocd" in text
    assert "apt-get install openocd" in text
    with pytest.raises(UserError) as caught:
        choose(board, "pyocd")
    assert "openocd" not in str(caught.value)


def test_no_probe_is_reported(tools: FakeTools, board: Board) -> None:
    tools.commander()
    tools.jlink()
    with pytest.raises(UserError, match=r"no probe for the board .chip. is found") as caught:
        choose(board, None)
    assert "asked: Simplicity Commander, J-Link Commander" in str(caught.value)
    assert "debug USB port" in str(caught.value)


def test_openocd_without_a_probe_is_reported_as_that(tools: FakeTools, board: Board, image: Path) -> None:
    tools.openocd(says="Error: No J-Link device found\n** OpenOCD init failed **", code=1)
    with pytest.raises(
        UserError, match=r"no probe for the board .chip. is found \(asked: OpenOCD\)"
    ) as caught:
        flash.flash(board, image, None, None)
    assert not isinstance(caught.value, FlashError)


def test_the_bootloader_is_not_there(tools: FakeTools, board: Board) -> None:
    tools.add("bossac", "never", "")
    with pytest.raises(UserError, match="press its reset button twice"):
        choose(board, "bossac")


def test_two_probes_have_to_be_chosen_from(tools: FakeTools, board: Board) -> None:
    tools.jlink("440012345", "440067890")
    with pytest.raises(UserError) as caught:
        choose(board, None)
    assert "J-Link Commander sees 2 probes: 440012345, 440067890" in str(caught.value)
    assert "probe=440012345" in str(caught.value)
    assert choose(board, "440067890").serial == "440067890"
    with pytest.raises(UserError, match=r"there is no probe 7; .* found 440012345, 440067890"):
        choose(board, "7")


@pytest.mark.parametrize("words", ["", "a b", "1;ls", "jlink:$(id)", "-f", "pyocd:"])
def test_what_cannot_be_a_probe_is_refused(tools: FakeTools, board: Board, words: str) -> None:
    tools.pyocd()
    with pytest.raises(UserError, match="is not a probe" if words != "pyocd:" else "no probe"):
        choose(board, words)


def test_a_method_the_board_does_not_have(tools: FakeTools, tmp_path: Path) -> None:
    board = board_of(tmp_path, BOARD.replace('jlink     = "CHIPxxxx1536"', ""))
    with pytest.raises(UserError, match="is not flashed with jlink"):
        choose(board, "jlink")


def test_pyocd_gets_the_boards_pack(
    tools: FakeTools, tmp_path: Path, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EARSHOT_PACKS", str(tmp_path / "packs"))
    pack = '\n[pack]\nname = "Maker.Chip_DFP"\ndevice = "CHIP1536"\npyocd = true\n'
    board = board_of(tmp_path, BOARD + pack)
    tools.pyocd("1")
    with pytest.raises(UserError, match="earshot packs --board chip"):
        flash.flash(board, image, None, None)
    laid = tmp_path / "packs" / "Maker" / "Chip_DFP" / "1.2.3.pack"
    laid.parent.mkdir(parents=True)
    laid.touch()
    flash.flash(board, image, None, None)
    assert f" --pack {laid} --uid 1 " in tools.calls()[0]


@contextmanager
def serial_line(build: str | None) -> Iterator[str]:
    """The URL of a line at whose other end an image answers `boot`; None: it says nothing."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            while data := connection.recv(4096):
                if b"boot" in data and build is not None:
                    connection.sendall(BOOT.format(build=build).encode())

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with server:
        yield f"socket://127.0.0.1:{server.getsockname()[1]}"
    thread.join(5)


def test_the_image_that_answers_is_compared_with_the_one_flashed(
    tools: FakeTools,
    board: Board,
    image: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    tools.jlink("1")
    monkeypatch.setattr(flash, "build_id", lambda elf: "00ff" * 10)
    with serial_line("00ff" * 10) as port:
        flash.flash(board, image, None, port)
    reported = capsys.readouterr().out
    assert f"app on chip, engine aot, build {'00ff' * 10}" in reported
    assert "It is the image just flashed." in reported
    with serial_line("11ff" * 10) as port, pytest.raises(FlashError, match="is not the one just flashed"):
        flash.flash(board, image, None, port)
    monkeypatch.setattr(flash, "read_boot", lambda ports, board: boot_line.read_boot(ports, board, 0.5))
    silent = pytest.raises(FlashError, match=r"nothing says who it is within 0\.5 seconds")
    with serial_line(None) as port, silent:
        flash.flash(board, image, None, port)
    tools.jlink("1")
    monkeypatch.setattr(flash, "find_ports", lambda serial: [Port("/dev/none", certain=False)])
    flash.flash(board, image, None, None)  # it may be another board's
    assert "cannot be opened" in capsys.readouterr().err


def test_the_boards_port_is_its_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    def port(device: str, vid: int | None, serial: str | None) -> SimpleNamespace:
        return SimpleNamespace(device=device, vid=vid, pid=1, serial_number=serial)

    def there(*ports: SimpleNamespace) -> None:
        monkeypatch.setattr("serial.tools.list_ports.comports", lambda: list(ports))

    there(port("/dev/ttyS0", None, None), port("/dev/ttyACM3", 0x1366, "000440012345"))
    assert find_ports("440012345") == [Port("/dev/ttyACM3", certain=True)]
    assert find_ports(None) == [Port("/dev/ttyACM3", certain=False)]
    assert find_ports("7") == [Port("/dev/ttyACM3", certain=False)]
    there(port("/dev/ttyACM0", 0x1366, "1"), port("/dev/ttyACM1", 0x1366, "2"))
    assert find_ports("2") == [Port("/dev/ttyACM1", certain=True)]
    assert find_ports(None) == []
    there(port("/dev/ttyS0", None, None))
    assert find_ports("1") == []
    there(port("/dev/ttyACM1", 0x1366, "1"), port("/dev/ttyACM0", 0x1366, "1"))
    assert find_ports("1") == [Port("/dev/ttyACM0", certain=True), Port("/dev/ttyACM1", certain=True)]


def test_of_a_probes_two_ports_the_one_that_answers_is_the_boards(board: Board) -> None:
    with serial_line(None) as silent, serial_line("00ff" * 10) as speaking:
        ports = [Port(silent, certain=True), Port(speaking, certain=True)]
        port, boot = boot_line.read_boot(ports, board, 0.5)
    assert (port.name, boot.build) == (speaking, "00ff" * 10)
