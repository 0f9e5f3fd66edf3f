# SPDX-License-Identifier: Apache-2.0
"""suites.toml of an app: the recordings its suites play."""

from __future__ import annotations

import difflib
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from codegen.common.toml_place import TomlFile, read_toml

FILE_NAME = "suites.toml"
SHARED = "EARSHOT_SHARED"  # the folder of recordings and models beside the clone
KEYS = {
    "files": "names or patterns, from the app's folder",
    "labels": "a label file (CSV or Audacity label track)",
    "session": "the session of the label file to take (default: test where there is one)",
    "count": "how many recordings are drawn from the label file, 1..1000 (default 24)",
    "synthetic": "true: where the label file is absent, sounds made from a seed",
    "long": "seconds of the long recording, 1..86400 (default 60)",
}


SHORT_COUNT, SHORT_LONG = 4, 10  # recordings and seconds of the short set, where more are named


@dataclass(frozen=True)
class Settings:
    """Paths are absolute; environment variables in them are replaced."""

    source: Path  # suites.toml, or the app's folder where there is none
    files: tuple[str, ...] = ()  # patterns
    labels: Path | None = None
    session: str | None = None
    count: int = 24
    synthetic: bool = False
    long: int = 60  # seconds
    most: int | None = None  # recordings at most

    @property
    def short(self) -> Settings:
        """The short set: for an emulator that takes its time."""
        return replace(self, most=SHORT_COUNT, long=min(self.long, SHORT_LONG))


def read_settings(app: Path) -> Settings:
    """The app's suites.toml; without one, its folder recordings/, and without that made sounds.

    UserError with file and line where a key is not known or its value does not fit.
    """
    file = app / FILE_NAME
    if not file.is_file():
        folder = app / "recordings"
        if not folder.is_dir():
            return Settings(app, synthetic=True)
        if (folder / "labels.csv").is_file():
            return Settings(app, labels=folder / "labels.csv")
        return Settings(app, files=("recordings/*",))
    toml = read_toml(file)
    table = toml.data.get("recordings", {})
    for key in toml.data:
        if key != "recordings" or not isinstance(table, dict):
            raise _fault(toml, (key,), "is unknown", "The file has one section: [recordings].")
    for key in table:
        if key not in KEYS:
            near = difflib.get_close_matches(key, KEYS, 1)
            remedy = f"Did you mean {near[0]}?" if near else f"Keys: {', '.join(KEYS)}."
            raise _fault(toml, ("recordings", key), "is unknown", remedy)
    return Settings(
        source=file,
        files=tuple(_expanded(toml, "files", text) for text in _texts(toml, table, "files")),
        labels=_path(toml, table, app),
        session=_text(toml, table, "session"),
        count=_whole(toml, table, "count", 24, most=1000),
        synthetic=_flag(toml, table),
        long=_whole(toml, table, "long", 60, most=86400),
    )


def _fault(toml: TomlFile, key: tuple[str, ...], what: str, remedy: str) -> UserError:
    return UserError(what, file=toml.path, place=toml.place(*key), remedy=remedy)


def _wrong(toml: TomlFile, key: str, wanted: str) -> UserError:
    return _fault(toml, ("recordings", key), f"must be {wanted}", f"{key}: {KEYS[key]}.")


def _text(toml: TomlFile, table: dict[str, Any], key: str) -> str | None:
    value = table.get(key)
    if value is not None and (not isinstance(value, str) or not value):
        raise _wrong(toml, key, "text")
    return value


def _texts(toml: TomlFile, table: dict[str, Any], key: str) -> list[str]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise _wrong(toml, key, 'a list of texts, for example ["door*.wav"]')
    return value


def _whole(toml: TomlFile, table: dict[str, Any], key: str, default: int, *, most: int) -> int:
    value = table.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise _wrong(toml, key, f"a whole number from 1 to {most}")
    return value


def _flag(toml: TomlFile, table: dict[str, Any]) -> bool:
    value = table.get("synthetic", False)
    if not isinstance(value, bool):
        raise _wrong(toml, "synthetic", "true or false")
    return value


def _path(toml: TomlFile, table: dict[str, Any], app: Path) -> Path | None:
    text = _text(toml, table, "labels")
    return None if text is None else app / _expanded(toml, "labels", text)


def _expanded(toml: TomlFile, key: str, text: str) -> str:
    """$NAME becomes the environment's; EARSHOT_SHARED is the folder `shared` beside the clone if not set."""
    known = {SHARED: str(ROOT.parent / "shared"), **os.environ}

    def value(match: re.Match[str]) -> str:
        if match[1] not in known:
            what = f"the environment has no {match[1]}"
            raise _fault(toml, ("recordings", key), what, f"Set it, or write the path without ${match[1]}.")
        return known[match[1]]

    return re.sub(r"\$(\w+)", value, text)
