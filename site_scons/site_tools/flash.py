"""The scripts that flash an image, in its folder; and the target that runs one of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from SCons.Script import Action

from codegen.common.paths import ROOT
from codegen.emit.flash_scripts import flash_scripts
from toolbox.exit_code import ExitCode
from toolbox.makers import makers
from toolbox.scons import scons_environment


def generate(env: Any) -> None:
    """Adds env.FlashScripts() and env.Flash(what to build before)."""
    env.AddMethod(_flash_scripts, "FlashScripts")
    env.AddMethod(_flash, "Flash")


def _flash_scripts(env: Any) -> list[Any]:
    """The nodes of the board's scripts."""
    options = env["OPTIONS"]
    names = list(flash_scripts(options.board))
    if not names:
        return []
    nodes = env.Command(
        [f"{options.folder}/{name}" for name in names],
        env.Glob("#boards/*/board.toml"),
        Action(_write, "  GEN  ${TARGET.dir}/flash.*"),
        OPTIONS=options,
    )
    env.Depends(nodes, makers())
    return list(nodes)


def _write(target: list[Any], source: list[Any], env: Any) -> None:
    texts = flash_scripts(env["OPTIONS"].board)
    for node in target:
        file = Path(node.get_abspath())
        file.write_text(texts[file.name])


def _flash(env: Any, files: list[Any]) -> list[Any]:
    """The target `flash`: never up to date."""
    target = env.Alias("flash", files, Action(_run, None), OPTIONS=env["OPTIONS"])
    env.AlwaysBuild(target)
    return list(target)


def _run(target: list[Any], source: list[Any], env: Any) -> None:
    """A probe is the workbench's work, in a process of its own."""
    options = env["OPTIONS"]
    words = [options.board.name, options.folder, options.probe or "", options.port or ""]
    command = [sys.executable, "-P", "-m", "workbench.flash", *words, "verbose" if options.verbose else ""]
    done = subprocess.run(list(map(str, command)), cwd=ROOT, env=scons_environment(), check=False)
    if done.returncode != 0:
        raise ExitCode(done.returncode)


def exists(env: Any) -> bool:
    """Always."""
    return True
