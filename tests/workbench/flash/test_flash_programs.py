# SPDX-License-Identifier: Apache-2.0
"""The flash scripts in the real programs, without a probe: they take all up to the missing probe."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from codegen.board.description import board_names, load_board
from codegen.emit.flash_scripts import flash_scripts
from tests.support.flash_tools import BOARD
from tests.support.packs import RIGHT, description, write_pack
from tests.support.tools import need_tool
from workbench.flash.methods import METHODS, run

# A hex file of 16 bytes at 0x08000000, and the same as a binary.
HEX = ":020000040800F2\n:10000000000102030405060708090A0B0C0D0E0F78\n:00000001FF\n"
NO_PROBE = {
    "openocd": r"Error: (No J-Link device found|unable to find a matching CMSIS-DAP|open failed|libusb)",
    "pyocd": r"No connected debug probes",
    "commander": r"ERROR: Could not open J-Link connection",
}
APPROTECT, NVMC_READY, NVMC_CONFIG = 0x10001208, 0x4001E400, 0x4001E504
PLANTED = {"openocd": "program firmware", "commander": "verify firmware.hex"}


def folders(folder: Path, method: str) -> list[tuple[str, Path]]:
    """(board, its image's folder) for every board with this method, and for a board of the tests."""
    (folder / "boards" / "chip").mkdir(parents=True)
    (folder / "boards" / "chip" / "board.toml").write_text(BOARD)
    boards = [load_board("chip", folder / "boards"), *map(load_board, board_names())]
    made = []
    for board in boards:
        if board.flash is None or method not in board.flash.methods:
            continue
        image = folder / board.name
        image.mkdir()
        (image / "firmware.hex").write_text(HEX)
        (image / "firmware.bin").write_bytes(bytes(range(16)))
        for name, text in flash_scripts(board).items():
            (image / name).write_text(text)
        made.append((board.name, image))
    return made


def program_of(method: str) -> str:
    """The installed program; skips where there is none."""
    return METHODS[method].program or need_tool(METHODS[method].programs[0])


@pytest.mark.parametrize("method", NO_PROBE)
def test_every_boards_script_runs_up_to_the_missing_probe(tmp_path: Path, method: str) -> None:
    program = program_of(method)
    for name, image in folders(tmp_path, method):
        board = load_board(name, image.parent / "boards") if name == "chip" else load_board(name)
        command, more = METHODS[method].command(program, board, None, None)
        outcome = run(command, image, _environment(more), timeout=600)
        if re.search(NO_PROBE[method], outcome.output) is None and outcome.code == 0:
            pytest.skip(f"a probe is connected to this computer: {outcome.output}")
        assert outcome.code != 0
        assert re.search(NO_PROBE[method], outcome.output), (name, outcome.output)
        assert not re.search(r"(?i)invalid command|unknown|not recognized|wrong # args|usage", outcome.output)


@pytest.mark.parametrize("method", PLANTED)
def test_a_command_the_program_does_not_know_is_not_taken(tmp_path: Path, method: str) -> None:
    """The test above can fail: a word that is wrong is noticed although no probe is there."""
    program = program_of(method)
    name, image = folders(tmp_path, method)[0]
    script = image / METHODS[method].script
    wrong = script.read_text().replace("adapter speed", "adaptor speed").replace("--speed", "--sped")
    assert wrong != script.read_text()
    script.write_text(wrong)
    board = load_board(name, tmp_path / "boards")
    command, more = METHODS[method].command(program, board, None, None)
    outcome = run(command, image, _environment(more), timeout=600)
    assert outcome.code != 0
    assert re.search(r"(?i)invalid command|not recognized", outcome.output), outcome.output


@pytest.mark.parametrize("method", ["commander", "pyocd"])
def test_the_list_of_probes_is_read(tmp_path: Path, method: str) -> None:
    program = program_of(method)
    board = load_board(folders(tmp_path, method)[0][0], tmp_path / "boards")
    assert isinstance(METHODS[method].probes(program, board), list)


# pyOCD's own table of commands: it asks for a probe before it looks at the commands of a script.
KNOWN = """
import json
import pyocd.commands.commands
from pyocd.commands.base import ALL_COMMANDS
infos = [command.INFO for group in ALL_COMMANDS.values() for command in group]
print(json.dumps({name: info["nargs"] for info in infos for name in info["names"] if "nargs" in info}))
"""


# A chip in OpenOCD's own Tcl: what a script asks of it is written down, nothing else happens.
PLAYED = """
foreach name {transport adapter init halt resume reset program nrf52_recover flash} {
    proc $name {args} "echo \\"did $name \\$args\\""
}
proc read_memory {address width count} { return WORD }
"""


@pytest.mark.parametrize(
    ("lock", "word", "writes"),
    [
        (False, 0xFFFFFFFF, "0xFFFFFF5A"),
        (False, 0x0000005A, None),
        (True, 0xFFFFFF5A, "0xFFFFFF00"),
        (True, 0xFFFFFF00, None),
    ],
)
@pytest.mark.parametrize("recover", [False, True])
def test_openocd_writes_the_debug_ports_word_once(
    tmp_path: Path, *, lock: bool, word: int, writes: str | None, recover: bool
) -> None:
    program = program_of("openocd")
    file = tmp_path / "boards" / "chip" / "board.toml"
    file.parent.mkdir(parents=True)
    file.write_text(BOARD + f"approtect = 0x1000_1208\nlock = {str(lock).lower()}\n")
    script = flash_scripts(load_board("chip", tmp_path / "boards"))["flash.openocd.cfg"]
    (tmp_path / "flash.openocd.cfg").write_text(script.replace("source [find", "# source [find"))
    played = PLAYED.replace("WORD", f"{word:#010x}") + ("set recover 1\n" if recover else "")
    done = run(
        [program, "-c", "noinit", "-c", played, "-f", "flash.openocd.cfg", "-c", "shutdown"],
        tmp_path,
        timeout=60,
    )
    did = [line.strip() for line in re.findall(r"^did (.*)$", done.output, re.MULTILINE)]
    write = [f"flash fillw 0x10001208 {writes} 1"] if writes else []
    before = ["init", *(["nrf52_recover"] if recover else [])]
    if lock:
        expected = [*before, "program firmware.hex verify", "reset halt", *write, "resume"]
    else:
        expected = [*before, "halt", *write, "program firmware.hex verify reset exit"]
    assert [line for line in did if not line.startswith(("transport", "adapter"))] == expected, done.output


class Target:
    """What a `$` line of pyOCD sees of an nRF52840: NVMC lets a word be written, and ones become zeros."""

    def __init__(self, word: int) -> None:
        self.memory = {APPROTECT: word, NVMC_CONFIG: 0, NVMC_READY: 1}
        self.written = 0

    def read32(self, address: int) -> int:
        """One word."""
        return self.memory[address]

    def write32(self, address: int, value: int) -> None:
        """One word."""
        if address == APPROTECT:
            assert self.memory[NVMC_CONFIG] == 1
            self.written += 1
            value &= self.memory[address]
        self.memory[address] = value


def eval_on_target(expression: str) -> bool:
    """Whether it leaves the debug port open, and writes the word only where it is not there."""
    right = True
    for word, writes in ((0xFFFFFFFF, 1), (0xFFFFFF5A, 0), (0x0000005A, 0)):
        target = Target(word)
        eval(expression, {"target": target})
        right &= target.memory[APPROTECT] & 0xFF == 0x5A and target.memory[NVMC_CONFIG] == 0
        right &= target.written == writes
    return right


def test_pyocd_knows_every_command_of_its_scripts(tmp_path: Path) -> None:
    interpreter = Path(shutil.which(program_of("pyocd")) or "").read_text().split("\n")[0].removeprefix("#!")
    done = run([interpreter, "-c", KNOWN], tmp_path, timeout=600)
    assert done.code == 0, done.output
    known = json.loads(done.output)
    for _, image in folders(tmp_path, "pyocd"):
        lines = (image / "flash.pyocd").read_text().splitlines()
        for line in (line for line in lines if line.startswith("$")):
            assert eval_on_target(line[1:].strip())
        for word, *rest in (line.split() for line in lines if line[0] not in "#$"):
            allowed = known[word]
            assert allowed == "*" or len(rest) in ([allowed] if isinstance(allowed, int) else allowed)


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    return {**os.environ, **more}


def test_pyocd_takes_a_boards_pack_and_refuses_one_with_empty_memories(tmp_path: Path) -> None:
    """Which is why `earshot packs` compares them first."""
    program = program_of("pyocd")
    right = write_pack(tmp_path, description(), "Maker.Right")
    targets = run([program, "list", "--targets", "--pack", str(right)], tmp_path, timeout=900)
    assert re.search(r"^ *chip1536 .* pack", targets.output, re.MULTILINE), targets.output
    empty = re.sub(r'(start|size)="\w+"', r'\1="0x0"', RIGHT)
    wrong = write_pack(tmp_path, description(empty), "Maker.Wrong")
    refused = run([program, "list", "--targets", "--pack", str(wrong)], tmp_path, timeout=900)
    assert "Memory regions must have a non-zero length" in refused.output
