# SPDX-License-Identifier: Apache-2.0
"""The table of sizes: printed when an image was made, kept beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from SCons.Script import Action

from toolbox.makers import makers
from toolbox.write_if_changed import write_whole


def generate(env: Any) -> None:
    """Adds env.SizeTable(file, elf, what to wait for)."""
    env.AddMethod(_size_table, "SizeTable")


def _size_table(env: Any, file: str, elf: Any, files: list[Any]) -> list[Any]:
    table = env.Command(file, elf, Action(_write, None), OPTIONS=env["OPTIONS"])
    env.Depends(table, files)
    env.Depends(table, makers("toolbox", "site_scons"))
    return list(table)


def _write(target: list[Any], source: list[Any], env: Any) -> None:
    from toolbox.sizes import sizes, table
    from toolbox.stack_bound import stack_bound
    from toolbox.test_log import BUILT, note
    from toolbox.tflm import parts
    from toolbox.tflm.found import LIBRARY

    options = env["OPTIONS"]
    note(options.board.name, BUILT)
    elf = Path(source[0].get_abspath())
    bounded = options.engine == "aot" and not options.board.hosted
    stack = stack_bound(elf).total if bounded else None
    title = f"{options.spec.name} on {options.board.name}"
    text = table(title, sizes(elf, options.board), options.board, stack)
    if options.tflm is not None:
        link_map = elf.with_suffix(".map").read_text()
        library = options.tflm.library or Path(LIBRARY)
        found = parts.parts(link_map, library.name, options.tflm.kernels, options.spec.name)
        text += f"\n{parts.table(found)}"
    write_whole(Path(target[0].get_abspath()), text + "\n")
    print(f"\n{text}\n\n{source[0].path}")


def exists(env: Any) -> bool:
    """Always."""
    return True
