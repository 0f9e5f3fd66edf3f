# SPDX-License-Identifier: Apache-2.0
"""Which published models there are, and where what they need lies in the folders of a user."""

from __future__ import annotations

import fnmatch
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from codegen.common.errors import UserError
from workbench.audio.files import SUFFIXES
from workbench.verify.public_table import content_hash

LIST = Path(__file__).with_name("models.toml")


class AbsentError(Exception):
    """What a row of the table lacks, in words."""


@dataclass(frozen=True)
class Published:
    """A model of models.toml, whose comments say what each key is."""

    name: str
    repository: str
    path: str
    sha256: str
    publisher: str
    words: tuple[str, ...]
    sounds: tuple[str, ...]
    pipeline: str = ""
    manifest: Mapping[str, Any] | None = None


def published_models() -> tuple[Published, ...]:
    """All, in the order of the file."""
    rows = tomllib.loads(LIST.read_text(encoding="utf-8"))["model"]
    return tuple(
        Published(**{**row, "words": tuple(row["words"]), "sounds": tuple(row["sounds"])}) for row in rows
    )


class Folders:
    """The files in a user's folders."""

    def __init__(self, folders: Sequence[Path]) -> None:
        """UserError where one is no folder."""
        for folder in folders:
            if not folder.is_dir():
                raise UserError("is no folder", file=folder, remedy="Name folders with models and sounds.")
        self._folders = folders

    @cached_property
    def _files(self) -> list[Path]:
        found = (path for folder in self._folders for path in sorted(folder.rglob("*")))
        return [path for path in found if path.is_file()]

    @cached_property
    def _models(self) -> dict[str, Path]:
        """The .tflite files by the first 16 digits of their SHA-256."""
        models = [path for path in self._files if path.suffix == ".tflite"]
        return {content_hash(path): path for path in reversed(models)}

    def model(self, published: Published) -> Path:
        """The model's file, whatever its name. AbsentError."""
        found = self._models.get(published.sha256)
        if found is None:
            raise AbsentError(f"no .tflite in the folders is {published.path} of {published.repository}")
        return found

    def file(self, end: str) -> Path:
        """The first file whose path ends so. AbsentError."""
        found = next((path for path in self._files if path.as_posix().endswith(f"/{end}")), None)
        if found is None:
            raise AbsentError(f"no file of the folders is {end}")
        return found

    def sounds(self, patterns: Sequence[str], most: int | None) -> list[Path]:
        """Recordings of these names, each name once, in the order of the patterns and of their names; of a
        pattern at most so many. AbsentError where there are none."""
        recordings = [path for path in reversed(self._files) if path.suffix.lower() in SUFFIXES]
        found: dict[str, Path] = {}
        for pattern in patterns:
            named = {path.name: path for path in recordings if fnmatch.fnmatch(path.name, pattern)}
            found |= {name: named[name] for name in sorted(named)[:most]}
        if not found:
            raise AbsentError(f"no sounds in the folders are named {', '.join(patterns)}")
        return list(found.values())
