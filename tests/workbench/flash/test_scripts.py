# SPDX-License-Identifier: Apache-2.0
"""The flash scripts: what the board says is in them, and the page tells of each."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from codegen.board.description import Board, load_board
from codegen.common.paths import ROOT
from codegen.emit.flash_scripts import flash_scripts
from tests.support.flash_tools import BOARD, board_of
from toolbox.options import OPTIONS
from workbench.flash.methods import METHODS


def test_the_scripts_say_what_the_board_says(board: Board) -> None:
    scripts = flash_scripts(board)
    assert sorted(scripts) == [
        "flash.bossac.sh",
        "flash.commander.sh",
        "flash.jlink",
        "flash.openocd.cfg",
        "flash.pyocd",
    ]
    assert scripts["flash.jlink"].splitlines() == [
        "ExitOnError 1",
        "device CHIPxxxx1536",
        "si SWD",
        "speed 2000",
        "connect",
        "r",
        "loadfile firmware.hex",
        "verifybin firmware.bin,0x08000000",
        "r",
        "g",
        "exit",
    ]
    assert "compare 0x08000000 firmware.bin\n" in scripts["flash.pyocd"]
    assert scripts["flash.openocd.cfg"].splitlines()[1:] == [
        "source [find interface/jlink.cfg]",
        "transport select swd",
        "source [find target/nrf52.cfg]",
        "adapter speed 2000",
        "program firmware.hex verify reset exit",
    ]
    for text in scripts.values():
        assert "{" not in text.replace("${", "")  # nothing of the template is left
        assert text.endswith("\n")


def test_the_whole_chip_is_erased_where_the_board_wants_it(tmp_path: Path) -> None:
    scripts = flash_scripts(board_of(tmp_path, BOARD + 'erase = "chip"\n'))
    assert "\nr\nerase\nloadfile" in scripts["flash.jlink"]
    assert "chip_erase=chip" in scripts["flash.pyocd"]
    assert "--masserase\n$commander verify" in scripts["flash.commander.sh"]
    assert "flash erase_sector 0 0 last\nprogram" in scripts["flash.openocd.cfg"]


@pytest.mark.parametrize(
    ("configs", "transport"),
    [
        ('["interface/stlink.cfg", "target/stm32f4x.cfg"]', ["transport select hla_swd"]),
        ('["board/stm32f4discovery.cfg"]', []),
    ],
)
def test_openocd_selects_the_transport_its_interface_has(
    tmp_path: Path, configs: str, transport: list[str]
) -> None:
    text = BOARD.replace('["interface/jlink.cfg", "target/nrf52.cfg"]', configs)
    script = flash_scripts(board_of(tmp_path, text))["flash.openocd.cfg"]
    assert [line for line in script.splitlines() if "transport" in line] == transport


def test_a_board_without_flash_has_no_scripts() -> None:
    assert flash_scripts(load_board("mps2_an386")) == {}


def test_the_page_tells_every_method_its_script_and_where_its_program_comes_from() -> None:
    page = (ROOT / "docs" / "flashing.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \|(.*)$", page, re.MULTILINE))
    assert list(rows) == list(METHODS)
    for name, method in METHODS.items():
        assert method.title in rows[name]
        assert method.script in rows[name]
        for command in re.findall(r"(?:pip|apt-get|brew) install [\w-]+", method.install):
            assert command in rows[name]
    for option in ("probe", "port", "verbose"):
        assert f"`{option}=" in page
        assert option in OPTIONS
