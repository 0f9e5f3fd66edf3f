# SPDX-License-Identifier: Apache-2.0
"""scons board=... flash: builds the scripts, flashes, and hears who answers."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.clone import clone, reported, scons
from tests.support.flash_tools import FakeTools
from tests.support.tools import need_tool
from workbench.flash.boot_line import build_id


@contextmanager
def emulated(elf: Path) -> Iterator[str]:
    """The URL of an emulated board's UART."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        number = free.getsockname()[1]
    command = [need_tool("qemu-system-arm"), "-machine", "mps2-an386", "-nodefaults", "-display", "none"]
    command += ["-kernel", str(elf), "-serial", f"tcp:127.0.0.1:{number},server=on,wait=off"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as board:
        try:
            yield f"socket://127.0.0.1:{number}"
        finally:
            board.kill()


HEIR = 'name = "flashed"\ninherits = "mps2_an386"\n[flash]\njlink = "CHIP"\npyocd = "chip"\n'


def test_scons_builds_the_scripts_and_flashes(tmp_path: Path) -> None:
    need_tool("arm-none-eabi-gcc")
    root = clone(tmp_path / "clone")
    (root / "boards" / "flashed").mkdir()
    (root / "boards" / "flashed" / "board.toml").write_text(HEIR)
    path = os.environ["PATH"]
    with pytest.MonkeyPatch.context() as patch:
        tools = FakeTools(tmp_path, patch)
    env = {"PATH": f"{tools.folder}:{path}"}
    built = scons(root, "board=flashed", env=env)
    assert built.returncode == 0, built.stderr
    folder = root / "build" / "flashed" / "smart_lock"
    assert (folder / "flash.jlink").is_file()
    assert (folder / "flash.pyocd").is_file()
    assert "is up to date" in scons(root, "board=flashed", env=env).stdout

    tools.jlink()
    tools.pyocd()
    message = reported(scons(root, "board=flashed", "flash", env=env))
    assert "no probe for the board" in message
    tools.jlink("5")
    with emulated(folder / "firmware.elf") as port:
        done = scons(root, "board=flashed", "flash", f"port={port}", env=env)
    assert done.returncode == 0, done.stderr
    assert f"smart_lock on flashed, engine aot, build {build_id(folder / 'firmware.elf')}" in done.stdout
    assert "It is the image just flashed." in done.stdout
    assert tools.calls() == ["JLinkExe -NoGui 1 -SelectEmuBySN 5 -CommanderScript flash.jlink"]
    tools.jlink("5", says="Verify failed @ address 0x00000010.")
    failed = scons(root, "board=flashed", "flash", "probe=jlink", env=env)
    assert failed.returncode == 1
    assert "it is not verified" in failed.stderr
    message = reported(scons(root, "board=mps2_an386", "flash", env=env))
    assert 'the board "mps2_an386" cannot be flashed' in message
    assert "It is emulated" in message
