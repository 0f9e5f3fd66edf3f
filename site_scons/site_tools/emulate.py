"""The app's Robot suites on an emulator, whenever they are asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from SCons.Script import Action

from codegen.common.paths import ROOT
from toolbox.exit_code import ExitCode
from toolbox.scons import scons_environment


def generate(env: Any) -> None:
    """Adds env.Emulate(files of the image)."""
    env.AddMethod(_emulate, "Emulate")


def _emulate(env: Any, image: list[Any]) -> list[Any]:
    options = env["OPTIONS"]
    # No such file is ever made: it runs each time.
    run = env.Command(f"{options.folder}/emulate/run", image, Action(_run, None), OPTIONS=options)
    env.AlwaysBuild(run)
    return list(run)


def _run(target: list[Any], source: list[Any], env: Any) -> None:
    options = env["OPTIONS"]
    image = next(Path(node.get_abspath()) for node in source if node.name == "firmware.elf")
    words = ["--board", options.board.name, "--app", options.app, "--image", image, "--build", options.build]
    if options.emulator:
        words += ["--emulator", options.emulator]
    command = [sys.executable, "-P", "-m", "workbench.suites", *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, env=scons_environment(), check=False)
    if done.returncode != 0:
        raise ExitCode(done.returncode)


def exists(env: Any) -> bool:
    """Always."""
    return True
