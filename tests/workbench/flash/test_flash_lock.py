# SPDX-License-Identifier: Apache-2.0
"""The debug port of Nordic's chips: what the scripts do for it, and what is told of a locked one."""

from __future__ import annotations

from pathlib import Path

import pytest

from codegen.board.description import Board
from codegen.common.errors import UserError
from codegen.emit.flash_scripts import flash_scripts
from tests.support.flash_tools import BOARD, JLINK_SAYS, FakeTools, board_of
from workbench.flash import flash
from workbench.flash.choose import choose
from workbench.flash.flash import FlashError


@pytest.fixture
def image(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    folder.mkdir()
    return folder


def nordic(folder: Path, more: str = "") -> Board:
    """A board whose debug port UICR.APPROTECT opens and closes."""
    return board_of(folder, BOARD + "approtect = 0x1000_1208\n" + more)


def test_the_scripts_of_every_probe_leave_the_debug_port_open(tmp_path: Path) -> None:
    scripts = flash_scripts(nordic(tmp_path))
    jlink = scripts["flash.jlink"].splitlines()
    at = jlink.index("w4 0x10001208,0xFFFFFF5A")
    assert jlink[at - 2 : at + 4] == [
        "connect",
        "h",
        "w4 0x10001208,0xFFFFFF5A",
        "mem32 0x10001208,1",
        "r",
        "loadfile firmware.hex",
    ]
    openocd = scripts["flash.openocd.cfg"]
    assert openocd.index("nrf52_recover") < openocd.index("flash fillw 0x10001208 0xFFFFFF5A 1")
    assert openocd.endswith("program firmware.hex verify reset exit\n")
    pyocd = scripts["flash.pyocd"].splitlines()
    assert "0xFFFFFF5A" in pyocd[-2]
    assert pyocd[-1] == "reset"
    assert "10001208" not in scripts["flash.bossac.sh"] + scripts["flash.commander.sh"]


def test_the_word_is_written_behind_what_erases_it(tmp_path: Path) -> None:
    scripts = flash_scripts(nordic(tmp_path, 'erase = "chip"\n'))
    assert "\nh\nerase\nw4 0x10001208" in scripts["flash.jlink"]
    assert scripts["flash.pyocd"].index("\nload ") < scripts["flash.pyocd"].index("0x10001208")
    assert scripts["flash.openocd.cfg"].index("erase_sector") < scripts["flash.openocd.cfg"].index("fillw")


def test_a_board_for_production_is_locked_when_the_image_is_verified(tmp_path: Path) -> None:
    scripts = flash_scripts(nordic(tmp_path, "lock = true\n"))
    assert scripts["flash.jlink"].endswith("\nr\nw4 0x10001208,0xFFFFFF00\nmem32 0x10001208,1\ng\nexit\n")
    openocd = scripts["flash.openocd.cfg"]
    assert openocd.index("program firmware.hex verify\nreset halt\n") < openocd.index("0xFFFFFF00")
    assert openocd.endswith("}\nresume\nshutdown\n")
    pyocd = scripts["flash.pyocd"].splitlines()
    assert pyocd.index("reset halt") < len(pyocd) - 2
    assert "0xFFFFFF00" in pyocd[-2]
    assert pyocd[-1] == "continue"
    assert not any("5A" in scripts[name] for name in ("flash.jlink", "flash.openocd.cfg", "flash.pyocd"))


def test_a_lock_that_cannot_be_is_refused(tools: FakeTools, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="debug port cannot be locked"):
        board_of(tmp_path, BOARD + "lock = true\n")
    tools.add("bossac", "never", "Verify successful")
    board = nordic(tmp_path, "lock = true\n")
    with pytest.raises(UserError, match="debug port cannot be locked with bossac"):
        choose(board, "bossac")
    tools.openocd()
    assert choose(board, None).method.name == "openocd"


LOCKED = {
    "openocd": "nRF52 device has AP lock engaged (see UICR APPROTECT register).\nDebug access is denied.",
    "pyocd": "0000228 W NRF52840 APPROTECT enabled: not automatically unlocking [target_nRF52]",
}


@pytest.mark.parametrize("name", LOCKED)
@pytest.mark.parametrize("code", [0, 1])
def test_a_locked_chip_is_reported_with_what_recovers_it(
    tools: FakeTools, tmp_path: Path, image: Path, name: str, code: int
) -> None:
    tools.pyocd("1", says=LOCKED["pyocd"], code=code)
    tools.openocd(says=LOCKED["openocd"], code=code)
    with pytest.raises(FlashError, match=r"debug port is locked \(APPROTECT\)") as caught:
        flash.flash(nordic(tmp_path), image, name, None)
    reported = str(caught.value)
    commands = {
        "openocd": f"cd {image} && openocd -c 'set recover 1' -f flash.openocd.cfg",
        "pyocd": f"cd {image} && pyocd commander --no-wait --target chip1536 -O auto_unlock=true "
        "--frequency 2000k --uid 1 --execute flash.pyocd",
    }
    assert commands[name] in reported
    assert "erases the whole chip" in reported
    assert "the bootloader of chip too" in reported
    assert "probe=bossac" in reported


def test_jlink_recovers_a_locked_chip_unasked_which_is_reported(
    tools: FakeTools, tmp_path: Path, image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secured = "CTRL-AP indicates that the device is secured.\nDevice will be unsecured now.\n"
    tools.jlink("1", says=secured + JLINK_SAYS + "\n10001208 = FFFFFF5A")
    flash.flash(nordic(tmp_path), image, None, None)
    reported = capsys.readouterr().out
    assert "The chip was locked: J-Link Commander has erased all of it first, the bootloader" in reported
    assert "may be locked" not in reported
    tools.jlink("1", says=secured + "Error: Communication timed out", code=1)
    with pytest.raises(FlashError, match="debug port is locked") as caught:
        flash.flash(nordic(tmp_path), image, None, None)
    assert "nrfutil device recover --serial-number 1" in str(caught.value)
    tools.jlink("1")
    flash.flash(nordic(tmp_path), image, None, None)
    assert "did not say that 10001208 = FFFFFF5A" in capsys.readouterr().out
