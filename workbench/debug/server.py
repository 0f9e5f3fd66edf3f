# SPDX-License-Identifier: Apache-2.0
"""What GDB talks to: QEMU's stub, OpenOCD, pyOCD or SEGGER's GDB server."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from codegen.board.description import Board
from codegen.board.stand_in import qemu_board
from codegen.common.errors import UserError
from codegen.emit.flash_scripts import openocd_transport
from workbench.flash.choose import Choice
from workbench.targets.qemu import PROGRAM

# The methods that flash by a probe which also debugs; others reach the chip through a bootloader.
SERVERS = ("openocd", "pyocd", "jlink")
JLINK_SERVER = "JLinkGDBServerCLExe"
PORTS = {"pyocd": 3333, "jlink": 2331}


@dataclass(frozen=True)
class Server:
    """How GDB reaches a chip.

    remote: after `target`: a program behind a pipe, or a port
    background: a program to start before GDB, which listens on that port; none where `remote` is a pipe
    reset: words for the server that reset the chip and halt it; none where it starts halted
    """

    remote: str
    background: tuple[str, ...] = ()
    reset: tuple[str, ...] = ()


def emulator(board: Board, image: Path, serial: int | None) -> Server:
    """QEMU, halted before the first instruction, its debugger's protocol on its standard streams.

    serial: a TCP port of this computer for the serial line; None: nobody listens to it
    """
    machine = qemu_board(board).qemu
    assert machine is not None
    words = [PROGRAM, "-nodefaults", "-display", "none", "-monitor", "none", "-machine", machine]
    words += ["-kernel", str(image), "-S", "-gdb", "stdio"]
    words += ["-serial", f"tcp:127.0.0.1:{serial},server=on,wait=off" if serial else "null"]
    return Server(f"remote | exec {shlex.join(words)}")


def probe(board: Board, chosen: Choice, pack: Path | None) -> Server:
    """The program of a flash method as GDB server. UserError: that method only flashes."""
    assert board.flash is not None
    name = chosen.method.name
    if name not in SERVERS:
        raise UserError(
            f"{chosen.method.title} flashes, and cannot debug",
            remedy=f"Install one of {', '.join(SERVERS)} and name it: --probe METHOD, or METHOD:SERIAL.",
        )
    if name == "openocd":
        assert board.flash.openocd is not None
        transport = openocd_transport(board.flash.openocd)
        interface, *target = board.flash.openocd
        words = [chosen.program, "-f", interface]
        words += ["-c", f"transport select {transport}"] if transport else []
        words += [word for file in target for word in ("-f", file)]
        words[1:1] = ["-c", f"adapter serial {chosen.serial}"] if chosen.serial else []
        words += ["-c", "gdb_port pipe; log_output openocd.log"]
        return Server(f"extended-remote | exec {shlex.join(words)}", reset=("monitor reset halt",))
    port = PORTS[name]
    remote = f"extended-remote localhost:{port}"
    if name == "pyocd":
        assert board.flash.pyocd is not None
        words = [chosen.program, "gdbserver", "--no-wait", "--target", board.flash.pyocd, "--port", str(port)]
        words += ["-O", "auto_unlock=false"]  # else gdbserver erases a locked chip unasked
        words += ["--frequency", f"{board.flash.speed_khz}k"]
        words += ["--pack", str(pack)] if pack else []
        words += ["--uid", chosen.serial] if chosen.serial else []
        return Server(remote, tuple(words), ("monitor reset halt",))
    assert board.flash.jlink is not None
    words = [JLINK_SERVER, "-device", board.flash.jlink, "-if", "SWD", "-speed", str(board.flash.speed_khz)]
    words += ["-port", str(port), "-singlerun", "-nogui", "-silent"]
    words += ["-select", f"usb={chosen.serial}"] if chosen.serial else []
    return Server(remote, tuple(words), ("monitor reset", "monitor halt"))
