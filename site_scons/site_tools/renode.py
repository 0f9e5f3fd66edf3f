# SPDX-License-Identifier: Apache-2.0
"""What Renode needs to run the image, beside it: the script, the platform, the peripherals."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from SCons.Script import Action

from toolbox.makers import makers
from toolbox.write_if_changed import write_whole


def generate(env: Any) -> None:
    """Adds env.RenodeFiles()."""
    env.AddMethod(_renode_files, "RenodeFiles")


def _renode_files(env: Any) -> list[Any]:
    """renode.resc and what it includes; nothing for a board that Renode does not know."""
    options = env["OPTIONS"]
    renode = options.board.renode
    if renode is None:
        return []
    files = []
    for file in renode.files:
        name = file.rsplit("/", maxsplit=1)[-1]
        files += env.Command(f"{options.folder}/{name}", f"#boards/{file}", Action(_copy, None))
    script = env.Command(
        f"{options.folder}/renode.resc",
        [*env.Glob("#boards/*/board.toml"), env.File("#templates/renode.resc.in")],
        Action(_script, None),
        OPTIONS=options,
    )
    env.Depends(script, makers())
    return [*files, *script]


def _copy(target: list[Any], source: list[Any], env: Any) -> None:
    shutil.copyfile(source[0].get_abspath(), target[0].get_abspath())


def _script(target: list[Any], source: list[Any], env: Any) -> None:
    from codegen.emit.board import renode_script

    write_whole(Path(target[0].get_abspath()), renode_script(env["OPTIONS"].board))


def exists(env: Any) -> bool:
    """Always."""
    return True
