# SPDX-License-Identifier: Apache-2.0
"""The recordings that a person names: files, and folders of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from codegen.common.errors import UserError
from workbench.audio.recording import RAW_SUFFIXES

SUFFIXES = (".wav", ".flac", ".ogg", ".aiff", *RAW_SUFFIXES)


def recording_files(paths: Sequence[Path]) -> list[Path]:
    """The recordings that these paths name: files, and all of folders with those below. UserError where one
    names none."""
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            found = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES)
            if not found:
                raise UserError(
                    "this folder has no recording",
                    file=path,
                    remedy=f"Recordings end in {', '.join(SUFFIXES)}.",
                )
            files += found
        elif path.is_file():
            files.append(path)
        else:
            raise UserError("there is no such recording or folder", file=path)
    return list({file.resolve(): file.absolute() for file in files}.values())
