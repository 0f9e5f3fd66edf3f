# SPDX-License-Identifier: Apache-2.0
"""`earshot debug`: GDB stands at main with symbols, wherever the image runs; what GDB is told on a board."""

from __future__ import annotations

import shutil
import socket
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from codegen.board.description import load_board
from codegen.common.errors import UserError
from tests.support.cli import earshot
from tests.support.tools import need_tool
from toolbox.options import EXAMPLE
from workbench.debug import gdb
from workbench.debug.server import Server, emulator, probe
from workbench.flash.choose import Choice
from workbench.flash.methods import METHODS

ORDERS = ("--batch", "--ex", "backtrace", "--ex", "print sizeof(app)")


def test_the_emulated_image_stands_at_main() -> None:
    for tool in ("arm-none-eabi-gcc", "qemu-system-arm", "gdb-multiarch"):
        need_tool(tool)
    done = earshot("debug", "--app", EXAMPLE, *ORDERS)
    assert done.returncode == 0, done.stderr
    assert "#0  main () at firmware/device/main.c:" in done.stdout
    assert "$1 = " in done.stdout


def test_the_program_of_this_computer_stands_at_main() -> None:
    need_tool("gcc")
    if not (shutil.which("gdb") or shutil.which("gdb-multiarch")):
        pytest.skip("gdb is not on PATH")
    done = earshot("debug", "--app", EXAMPLE, "--board", "pc", *ORDERS)
    assert done.returncode == 0, done.stderr
    assert "#0  main (" in done.stdout


def test_without_an_app_the_usage_is_reported() -> None:
    done = earshot("debug")
    assert done.returncode == 2
    assert "--app" in done.stderr


def test_qemu_is_behind_a_pipe_and_halted() -> None:
    server = emulator(load_board("xg24"), Path("my app.elf"), 4321)
    assert server.remote.startswith("remote | exec qemu-system-arm ")
    assert "-machine mps2-an505" in server.remote  # its stand-in
    assert " -S -gdb stdio " in server.remote
    assert "'my app.elf'" in server.remote
    assert "tcp:127.0.0.1:4321" in server.remote
    assert not server.background


@pytest.mark.parametrize(
    ("method", "remote", "program"),
    [
        ("openocd", "extended-remote | exec openocd -c 'adapter serial 1' -f interface/jlink.cfg", None),
        ("pyocd", "extended-remote localhost:3333", "pyocd"),
        ("jlink", "extended-remote localhost:2331", "JLinkGDBServerCLExe"),
    ],
)
def test_a_probe_serves_the_chip_of_its_board(method: str, remote: str, program: str | None) -> None:
    board = load_board("nrf52840dk")
    server = probe(board, Choice(METHODS[method], method, "1"), None)
    assert server.remote.startswith(remote)
    assert server.reset
    assert (server.background[0] if server.background else None) == program
    chip = {"openocd": "target/nrf52.cfg", "pyocd": "nrf52840", "jlink": "nRF52840_xxAA"}[method]
    words = " ".join((server.remote, *server.background))
    assert chip in words
    assert ("-c 'transport select swd' -f target/nrf52.cfg" in words) == (method == "openocd")
    assert ("-O auto_unlock=false" in words) == (method == "pyocd")  # a locked chip is not erased unasked


def test_what_only_flashes_is_refused() -> None:
    with pytest.raises(UserError) as caught:
        probe(load_board("nano33ble"), Choice(METHODS["bossac"], "bossac", None), None)
    assert "cannot debug" in caught.value.what
    assert "openocd" in (caught.value.remedy or "")


def test_gdb_resets_and_stops_at_main_once() -> None:
    server = Server("extended-remote localhost:1", reset=("monitor reset halt",))
    words = gdb.words("gdb", Path("a.elf"), server, ["continue"], batch=False)
    orders = [word for flag, word in pairwise(words) if flag == "-ex"]
    at = orders.index("target extended-remote localhost:1")
    assert orders[at:] == [
        "target extended-remote localhost:1",
        "monitor reset halt",
        "tbreak main",
        "continue",
        "continue",
    ]


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    words = (sys.executable, "-c", "import sys; print('no probe here'); sys.exit(3)")
    server = Server("extended-remote localhost:9", background=words)
    with pytest.raises(UserError) as caught:
        gdb.run(["true"], server, tmp_path)
    assert "no probe here" in caught.value.what
    assert "exit code 3" in caught.value.what


def test_a_server_ends_with_gdb(tmp_path: Path) -> None:
    """It listens, GDB runs and leaves; its port is free again."""
    words = (
        sys.executable,
        "-c",
        "import socket, sys; s = socket.create_server(('localhost', int(sys.argv[1])))\n"
        "while True: s.accept()",
    )
    with socket.create_server(("localhost", 0)) as free:
        port = free.getsockname()[1]
    server = Server(f"extended-remote localhost:{port}", background=(*words, str(port)))
    for _ in range(2):
        assert gdb.run(["true"], server, tmp_path) == 0
