# SPDX-License-Identifier: Apache-2.0
"""The scripts that flash an image, one for each method of its board; they lie beside its firmware.hex."""

from __future__ import annotations

from codegen.board.description import Board
from codegen.common.render import render

# method -> name of its script, and of its template with .in after it
SCRIPTS = {
    "commander": "flash.commander.sh",
    "jlink": "flash.jlink",
    "pyocd": "flash.pyocd",
    "openocd": "flash.openocd.cfg",
    "bossac": "flash.bossac.sh",
}


def flash_scripts(board: Board) -> dict[str, str]:
    """File name -> text; empty where the board cannot be flashed."""
    if board.flash is None:
        return {}
    values = {
        "board": board,
        "configs": board.flash.openocd,
        "transport": openocd_transport(board.flash.openocd),
    }
    return {SCRIPTS[method]: render(f"{SCRIPTS[method]}.in", **values) for method in board.flash.methods}


def openocd_transport(configs: tuple[str, ...]) -> str | None:
    """What is selected between the interface and the target; files of whole boards do it themselves."""
    if not configs or not configs[0].startswith("interface/"):
        return None
    return "hla_swd" if configs[0] == "interface/stlink.cfg" else "swd"
