# SPDX-License-Identifier: Apache-2.0
"""The folder that a studio works in: its recordings and its label files.

Nothing outside it is read or written.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from codegen.common.errors import UserError
from workbench.data.captures import NAME as CAPTURES
from workbench.data.label_track import RECORDINGS
from workbench.data.labels import TABLE
from workbench.data.query import NAME as QUERIES

MOST = 5000  # recordings that are listed


@dataclass(frozen=True)
class Folder:
    """Recordings, below it at any depth, and what labels them."""

    root: Path  # resolved
    table: Path  # the CSV that segments are written to, where the folder has no label tracks
    named: bool = False  # the CSV itself: then label tracks beside it do not count

    def recordings(self) -> list[str]:
        """The recordings' names relative to the folder, in their order, MOST at most. Hidden folders,
        and links that lead out of the folder, are left out."""
        found: list[str] = []
        for folder, below, files in os.walk(self.root):
            below[:] = sorted(name for name in below if not name.startswith("."))
            for name in sorted(files):
                file = Path(folder, name)
                if file.suffix.lower() in RECORDINGS and self._inside(file):
                    found.append(file.relative_to(self.root).as_posix())
            if len(found) >= MOST:
                break
        return sorted(found[:MOST])

    def recording(self, name: str) -> Path:
        """The recording of a name that `recordings` gave; UserError where it is none of this folder."""
        plain = Path(os.path.normpath(self.root / name))
        if plain.suffix.lower() not in RECORDINGS or not self._inside(plain):
            raise UserError(
                "is no recording of this folder",
                file=name,
                remedy=f"Recordings are WAV or FLAC files below {self.root}.",
            )
        if not os.path.isfile(plain):  # noqa: PTH113 - a name too long for the system is none, too
            raise UserError("there is no such recording any more", file=plain)
        return plain

    def name(self, recording: Path) -> str | None:
        """The name of a recording; None where it lies outside the folder."""
        plain = Path(os.path.normpath(recording))
        return plain.relative_to(self.root).as_posix() if self._inside(plain) else None

    def _inside(self, file: Path) -> bool:
        try:
            return file.is_relative_to(self.root) and file.resolve().is_relative_to(self.root)
        except (OSError, ValueError, RuntimeError):  # a name that no system takes, links in a circle
            return False


def open_folder(path: Path) -> Folder:
    """A folder, or the folder of a CSV of labels. UserError where it is neither."""
    if path.is_dir():
        root = path.resolve()
        return _checked(Folder(root, root / TABLE))
    if path.suffix.lower() == ".csv" and path.parent.is_dir():
        root = path.parent.resolve()
        return _checked(Folder(root, root / path.name, named=True))
    if path.is_file():
        raise UserError(
            "is no folder, and no CSV of labels",
            file=path,
            remedy="Name a folder of recordings. `earshot data import` makes a CSV of others' labels.",
        )
    raise UserError("there is no such folder", file=path, remedy="Name the folder of your recordings.")


def _checked(folder: Folder) -> Folder:
    """The folder. UserError where a file that is written is a link that leads out of it."""
    for file in (folder.table, folder.root / CAPTURES, folder.root / QUERIES):
        if folder.name(file) is None:
            raise UserError(
                f"is a link to {os.path.realpath(file)}, outside the folder",
                file=file,
                remedy="Name the folder that holds it, or copy it here: the studio writes nothing outside.",
            )
    return folder
