# SPDX-License-Identifier: Apache-2.0
"""The only way anything here gets a built file: asks SCons, in a process of its own."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from codegen.app.spec import Spec
from codegen.app.spec_file import load_spec
from codegen.board.description import load_board
from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from toolbox import tools
from toolbox.locks import SAY
from toolbox.options import engine_of, folder_name
from toolbox.scons import scons_command, scons_environment
from toolbox.test_log import BUILT, note
from toolbox.tools import board_tools
from workbench.progress import waiting


@dataclass(frozen=True)
class Build:
    """What lies in build/<board>/<app>/."""

    directory: Path
    image: Path  # firmware.elf, or the program `firmware` on the board pc
    library: Path | None  # libearshot.so, on the board pc alone
    counting: Path | None = None  # counting.elf, where it was asked for


def build(
    board: str,
    app: Path | Spec,
    build_dir: Path | None = None,
    *,
    counting: bool = False,
    kernels: str | None = None,
    engine: str | None = None,
    mlperf: str | None = None,
    energy: bool = False,
) -> Build:
    """Brings the app's image for this board up to date. UserError with SCons's words where it cannot.

    counting: also the image that counts instructions, not for the board pc.
    kernels: "small" or "fast" in place of the app's own.
    engine: "aot" or "tflm" in place of the app's own; TFLM is where EARSHOT_TFLM says, or in CMSIS-Packs.
    mlperf: the task of MLPerf Tiny whose serial interface the image has in place of Earshot's own.
    energy: of that image, the energy mode in place of the performance mode.

    Two processes may build at once: for different boards in parallel, for one board one after the other.
    """
    description = load_board(board)
    spec = load_spec(app, several=True) if isinstance(app, Path) else app
    folder = spec.file.parent
    runs = engine_of(spec, description, engine)
    tools.ensure(*board_tools(description, runs))
    targets = ["firmware", "counting"] if counting else []
    where = [f"build={build_dir.resolve()}"] if build_dir else []
    chosen = [f"kernels={kernels}"] if kernels else []
    chosen += [f"engine={runs}"] if not description.hosted else []
    chosen += [f"mlperf={mlperf}"] if mlperf else []
    chosen += ["mode=energy"] if energy else []
    with waiting(f"building {folder.name} for {'this computer' if description.hosted else board}"):
        _scons(f"board={board}", f"app={folder}", *where, *chosen, *targets)
    note(board, BUILT)
    name = folder_name(folder, kernels, runs, mlperf, energy=energy)
    directory = (build_dir.resolve() if build_dir else ROOT / "build") / board / name
    image = directory / ("firmware" if description.hosted else "firmware.elf")
    return Build(
        directory,
        image,
        directory / "libearshot.so" if description.hosted else None,
        directory / "counting.elf" if counting else None,
    )


def _scons(*words: str) -> None:
    heard = os.dup(2)  # that it waits for another build is said at once; what else it says, if it fails
    try:
        done = subprocess.run(
            [*scons_command(), *words],
            cwd=ROOT,
            env={**scons_environment(), "SCONSFLAGS": "", SAY: str(heard)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            pass_fds=(heard,),
        )
    finally:
        os.close(heard)
    if done.returncode != 0:
        raise UserError(done.stderr.strip() or done.stdout.strip())
