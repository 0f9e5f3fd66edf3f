"""The scripts that flash an image, in its folder; and the target that runs one of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from SCons.Script import Action

from codegen.emit.flash_scripts import flash_scripts


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
    env.Depends(nodes, env.Glob("#codegen/*.py") + env.Glob("#templates/flash.*.in"))
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
    from workbench.flash.flash import flash

    options = env["OPTIONS"]
    flash(options.board, options.folder, options.probe, options.port, verbose=options.verbose)


def exists(env: Any) -> bool:
    """Always."""
    return True
