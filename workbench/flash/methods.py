# SPDX-License-Identifier: Apache-2.0
"""The programs that flash a board: how each is called, asked for probes, and believed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from codegen.board.description import Board
from codegen.emit.flash_scripts import SCRIPTS

ASK_SECONDS = 60  # for a list of probes; pyOCD loads its plug-ins first
FLASH_SECONDS = 600
GRACE = 5  # for a program to end after Ctrl-C
TIMED_OUT = 124  # in place of an exit code


@dataclass(frozen=True)
class Method:
    """One way to flash. Its script lies in the image's folder, where it is run."""

    name: str  # as in board.toml
    title: str  # the program's name, for people
    programs: tuple[str, ...]  # names it goes by on PATH
    install: str  # where it comes from
    probes: Callable[
        [str, Board], list[str] | None
    ]  # (program, board) -> serial numbers; None: it cannot tell
    # (program, board, serial number or None, pack or None) -> the command, and what to add to the environment
    command: Callable[[str, Board, str | None, Path | None], tuple[list[str], Mapping[str, str]]]
    absent: (
        str | None
    )  # what its output says where it finds no probe; None: it lists them, so is not run then
    proof: str | None  # what its output says of a verified image; None: its exit code is enough
    locked: str | None = None  # what its output says of a chip whose debug port is locked
    # As `command`, for a locked chip: erases all of it and flashes; None: it does so whenever it meets one
    recover: Callable[[str, Board, str | None, Path | None], list[str]] | None = None

    @property
    def program(self) -> str | None:
        """The program on PATH, or None."""
        return next((program for program in self.programs if shutil.which(program)), None)

    @property
    def script(self) -> str:
        """The file in the image's folder that it runs."""
        return SCRIPTS[self.name]


@dataclass(frozen=True)
class Outcome:
    """What a program did and said."""

    code: int
    output: str


def run(
    command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None, timeout: int = 0
) -> Outcome:
    """Runs a program, bounded in time; what it says on both streams in one text. TIMED_OUT: it did not."""
    limit = timeout or FLASH_SECONDS
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except OSError as error:
        return Outcome(126, f"{command[0]} cannot be run: {error.strerror}")
    with process:
        try:
            said, _ = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            process.kill()
            said, _ = process.communicate()
            return Outcome(TIMED_OUT, f"{said}\n{command[0]} did not end within {limit} seconds")
        except KeyboardInterrupt:
            _let_end(process)
            raise
    return Outcome(process.returncode, said)


def _let_end(process: subprocess.Popen[str]) -> None:
    """Ctrl-C reached the program too: it may leave probe and chip in order first."""
    try:
        process.communicate(timeout=GRACE)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.kill()


def _commander_probes(program: str, board: Board) -> list[str]:
    said = run([program, "adapter", "list"], Path.cwd(), timeout=ASK_SECONDS).output
    return re.findall(r"^\s*serialNumber\s*[=:]\s*(\d+)", said, re.MULTILINE)


def _jlink_probes(program: str, board: Board) -> list[str]:
    with tempfile.NamedTemporaryFile("w", suffix=".jlink") as script:
        script.write("ShowEmuList USB\nexit\n")
        script.flush()
        command = [program, "-NoGui", "1", "-CommanderScript", script.name]
        said = run(command, Path.cwd(), timeout=ASK_SECONDS).output
    return re.findall(r"^J-Link\[\d+\]:.*?Serial number: (\d+)", said, re.MULTILINE)


def _pyocd_probes(program: str, board: Board) -> list[str]:
    said = run([program, "json", "--probes"], Path.cwd(), timeout=ASK_SECONDS).output
    try:
        return [str(probe["unique_id"]) for probe in json.loads(said[said.index("{") :])["boards"]]
    except (ValueError, KeyError, TypeError):
        return []


def _bossac_ports(program: str, board: Board) -> list[str]:
    from serial.tools import list_ports

    assert board.flash is not None
    found = [(port.device, f"{port.vid or 0:04x}:{port.pid or 0:04x}") for port in list_ports.comports()]
    return [str(name) for name, usb in found if usb == board.flash.bossac]


def _commander(program: str, board: Board, serial: str | None, pack: Path | None) -> _Command:
    return ["sh", SCRIPTS["commander"], *([serial] if serial else [])], {"COMMANDER": program}


def _jlink(program: str, board: Board, serial: str | None, pack: Path | None) -> _Command:
    probe = ["-SelectEmuBySN", serial] if serial else []
    return [program, "-NoGui", "1", *probe, "-CommanderScript", SCRIPTS["jlink"]], {}


def _pyocd(
    program: str, board: Board, serial: str | None, pack: Path | None, *, unlock: bool = False
) -> _Command:
    """unlock: erase a locked chip; said either way, since pyOCD's commands differ in what they do unasked."""
    assert board.flash is not None
    assert board.flash.pyocd is not None
    command = [program, "commander", "--no-wait", "--target", board.flash.pyocd]
    command += ["-O", f"auto_unlock={str(unlock).lower()}"]
    command += ["--frequency", f"{board.flash.speed_khz}k"]
    command += ["--pack", str(pack)] if pack else []
    command += ["--uid", serial] if serial else []
    return [*command, "--execute", SCRIPTS["pyocd"]], {}


def _pyocd_recover(program: str, board: Board, serial: str | None, pack: Path | None) -> list[str]:
    return _pyocd(program, board, serial, pack, unlock=True)[0]


def _openocd_recover(program: str, board: Board, serial: str | None, pack: Path | None) -> list[str]:
    command, _ = _openocd(program, board, serial, pack)
    return [command[0], "-c", "set recover 1", *command[1:]]


def _openocd(program: str, board: Board, serial: str | None, pack: Path | None) -> _Command:
    probe = ["-c", f"adapter serial {serial}"] if serial else []
    return [program, *probe, "-f", SCRIPTS["openocd"]], {}


def _bossac(program: str, board: Board, serial: str | None, pack: Path | None) -> _Command:
    return ["sh", SCRIPTS["bossac"], serial or ""], {"BOSSAC": program}


_Command = tuple[list[str], Mapping[str, str]]

METHODS: Mapping[str, Method] = {
    method.name: method
    for method in (
        Method(
            "commander",
            "Simplicity Commander",
            ("commander", "commander-cli", "pycommander", "pycommander-cli"),
            "pip install silabs-pycommander-cli, or from Silicon Labs",
            _commander_probes,
            _commander,
            absent=None,
            proof=None,
        ),
        Method(
            "jlink",
            "J-Link Commander",
            ("JLinkExe", "JLink"),
            "SEGGER's J-Link Software and Documentation Pack",
            _jlink_probes,
            _jlink,
            absent=None,
            proof=r"Verify successful",
            locked=r"CTRL-AP indicates that the device is secured|Device will be unsecured now",
        ),
        Method(
            "pyocd",
            "pyOCD",
            ("pyocd",),
            "pip install pyocd",
            _pyocd_probes,
            _pyocd,
            absent=None,
            proof=r"All \d+ bytes match",
            locked=r"APPROTECT enabled",
            recover=_pyocd_recover,
        ),
        Method(
            "openocd",
            "OpenOCD",
            ("openocd",),
            "Debian, Ubuntu: sudo apt-get install openocd; macOS: brew install openocd",
            lambda program, board: None,
            _openocd,
            absent=r"Error: (No J-Link device found|unable to find a matching|open failed|no device found)",
            proof=r"Verified OK",
            locked=r"device has AP lock engaged",
            recover=_openocd_recover,
        ),
        Method(
            "bossac",
            "bossac",
            ("bossac",),
            "the one of Arduino's boards package (1.9.1-arduino2); others do not know the nRF52840",
            _bossac_ports,
            _bossac,
            absent=None,
            proof=r"Verify successful",
        ),
    )
}
