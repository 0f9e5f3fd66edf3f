# SPDX-License-Identifier: Apache-2.0
"""The scripts that flash an image, in its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from SCons.Script import Action

from codegen.emit.flash_scripts import flash_scripts
from toolbox.makers import makers
from toolbox.write_if_changed import write_whole


def generate(env: Any) -> None:
    """Adds env.FlashScripts()."""
    env.AddMethod(_flash_scripts, "FlashScripts")


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
        write_whole(file, texts[file.name])


def exists(env: Any) -> bool:
    """Always."""
    return True
