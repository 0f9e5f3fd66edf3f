# SPDX-License-Identifier: Apache-2.0
"""The link of an image; one that is too large for its board is reported in words instead of the linker's."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from codegen.board.description import Board
from codegen.common.errors import UserError

_OVERFLOW = re.compile(r"region `(\w+)' overflowed by (\d+) bytes?")
_REMEDY = {
    "flash": 'Take a smaller model, or kernels = "small"; `earshot plan` shows what each layer takes.',
    "ram": "Take a smaller model, or a shorter cascade; `earshot plan` shows what each layer takes.",
}


def link(
    command: str,
    environment: Mapping[str, str],
    board: Board,
    app: Path,
    *,
    inherited: Sequence[int] = (),
    link_map: Path | None = None,
) -> int:
    """Runs the linker's command line and returns its exit code; its words go to stderr.

    UserError where a memory of the board is too small. app: its pipeline.toml; inherited: file descriptors
    that the linker holds open, too; link_map: the linker's map, which is the same for the same image.
    """
    with tempfile.TemporaryDirectory(prefix="earshot-link-") as folder:
        done = subprocess.run(
            command,
            shell=True,
            env={**environment, "TMPDIR": folder},
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            pass_fds=inherited,
        )
    if done.returncode != 0:
        check_fit(done.stderr, board, app)
    elif link_map is not None:
        link_map.write_text(number_temporary(link_map.read_text(), folder))
    sys.stderr.write(done.stderr)
    return done.returncode


def number_temporary(text: str, folder: str) -> str:
    """A map in which link-time optimisation's objects, whose names are random, are 1.lto.o and so on."""
    names: dict[str, str] = {}

    def number(match: re.Match[str]) -> str:
        return names.setdefault(match[0], f"link-time/{len(names) + 1}{match[1]}")

    return re.sub(re.escape(folder) + r"/cc\w{6}((?:\.\w+)+)", number, text)


def check_fit(words: str, board: Board, app: Path) -> None:
    """UserError where the linker says that a memory overflowed: which one, by how much, why it ends there."""
    overflows = {name: int(count) for name, count in _OVERFLOW.findall(words)}
    for memory in board.memories:
        if memory.name in overflows:
            place = f"the {memory.size:,} bytes of {memory.name} at {memory.start:#x} to {memory.end:#x}"
            raise UserError(
                f"the image is {overflows[memory.name]:,} bytes too large for {place} of {board.name}"
                + (f": {memory.limit}" if memory.limit else ""),
                file=app,
                remedy=_REMEDY[memory.kind],
            )
