# SPDX-License-Identifier: Apache-2.0
"""earshot debug: GDB on an image, stopped at main."""

from __future__ import annotations

import argparse
from pathlib import Path

from codegen.board.description import load_board
from codegen.board.stand_in import qemu_board
from toolbox import tools
from workbench.build import build
from workbench.debug import gdb, server
from workbench.targets import EMULATED_BOARD

NAME = "debug"
HELP = "GDB on an image, emulated or on the board, symbols loaded, stopped at main"
DESCRIPTION = """\
Builds the app's image and opens GDB on it: in QEMU (the board itself or its stand-in), on the board by its
probe (--probe), or the program of this computer (--board pc). The image stops at main.

  earshot debug --app examples/smart_lock
  earshot debug --app examples/smart_lock --board pc
  earshot debug --app examples/smart_lock --board nrf52840dk --probe openocd
  earshot debug --app examples/smart_lock --batch --ex "break decision_take" --ex continue --ex backtrace

On a board, flash first (`scons board=... flash`): nothing is written here. The serial line of the emulated
image is a port: with --serial 4321, `earshot replay --target socket://localhost:4321 door.wav` in another
terminal talks to the image while it runs.
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which image, where, and what GDB is told."""
    parser.add_argument("--app", type=Path, required=True, metavar="DIR", help="folder with pipeline.toml")
    parser.add_argument(
        "--board", default=EMULATED_BOARD, help=f"what it is built for (default {EMULATED_BOARD})"
    )
    parser.add_argument(
        "--probe",
        metavar="WHO",
        help=f"the board itself: a method ({', '.join(server.SERVERS)}), a serial number, or METHOD:SERIAL",
    )
    parser.add_argument("--serial", type=int, metavar="PORT", help="TCP port for QEMU's serial line")
    parser.add_argument("--ex", action="append", default=[], metavar="ORDER", help="for GDB, once at main")
    parser.add_argument("--batch", action="store_true", help="leave GDB after the orders")


def run(args: argparse.Namespace) -> int:
    """GDB's exit code."""
    named = load_board(args.board)
    board = named if named.hosted or args.probe else qemu_board(named)
    program = gdb.program(board)
    if not board.hosted and not args.probe:
        tools.ensure("qemu-system-arm")
    chosen = None
    if args.probe and not board.hosted:
        from workbench.flash.choose import choose

        chosen = choose(board, args.probe)
    built = build(board.name, args.app)
    reached = None
    if chosen is not None:
        from workbench.flash.flash import pack_of

        reached = server.probe(board, chosen, pack_of(board, chosen))
    elif not board.hosted:
        reached = server.emulator(board, built.image, args.serial)
    command = gdb.words(program, built.image, reached, args.ex, batch=args.batch)
    return gdb.run(command, reached, built.directory)
