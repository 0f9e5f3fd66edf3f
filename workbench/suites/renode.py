"""Suites under renode-test: Renode's own keywords start the emulation, ours come over Robot's Remote
interface, and the serial line is a local socket."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from codegen.render import render
from workbench.build_options import ROOT
from workbench.robot.keywords import Keywords
from workbench.robot.server import serving
from workbench.suites.emulator import Emulator
from workbench.suites.run import Results, run_renode

KEYWORDS, LINE_PORT = "EARSHOT_KEYWORDS", "EARSHOT_LINE_PORT"


def resc_text(emulator: Emulator, app: str, image: Path) -> str:
    """image.resc: the board's machine with this image and its serial line on a socket."""
    board = emulator.board
    assert board.renode is not None
    own = board.file.parent / board.renode  # else one of Renode's own platforms
    platform = own if own.is_file() else board.renode
    return render("image.resc.in", app=app, board=board, image=image, platform=platform)


def run_on_renode(emulator: Emulator, image: Path, pc_image: Path, suites: Path, results: Path) -> Results:
    """All suites of the folder; image.resc is written beside them."""
    assert emulator.renode_test is not None
    text = resc_text(emulator, image.parent.name, image)
    (suites / "image.resc").write_text(text, encoding="utf-8")
    with serving(Keywords(str(pc_image))) as address:
        environment = _environment() | {KEYWORDS: address, LINE_PORT: str(_free_port())}
        return run_renode(emulator.renode_test, suites, results, environment)


def _environment() -> dict[str, str]:
    """Ours without our Python: renode-test brings its own, with the packages of the version it wants."""
    unwanted = ("PYTHONPATH", "VIRTUAL_ENV")
    environment = {key: value for key, value in os.environ.items() if key not in unwanted}
    venv = ROOT / ".venv" / "bin"
    paths = [path for path in environment.get("PATH", "").split(os.pathsep) if Path(path) != venv]
    return environment | {"PATH": os.pathsep.join(paths)}


def _free_port() -> int:
    """A TCP port that nobody has at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port
