# SPDX-License-Identifier: Apache-2.0
"""Folders in build/ that belong to one app each, also where two apps' folders share a name."""

from __future__ import annotations

import hashlib
from pathlib import Path

_OWNER = ".app"  # in each such folder: the path of the app it belongs to


def own_folder(base: Path, app: Path) -> Path:
    """`base`/<the app folder's name>, made where it is not there; with a hash of the app's path after the
    name where that folder belongs to another app, which is still there."""
    app = app.resolve()
    plain = base / app.name
    folder = plain if _free(plain, app) else base / f"{app.name}-{_digest(app)}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _OWNER).write_text(f"{app}\n", encoding="utf-8")
    return folder


def _free(folder: Path, app: Path) -> bool:
    try:
        owner = (folder / _OWNER).read_text(encoding="utf-8").rstrip("\n")
    except (OSError, ValueError):
        return True  # nobody's yet
    return owner == str(app) or not Path(owner).is_dir()


def _digest(app: Path) -> str:
    return hashlib.sha256(str(app).encode()).hexdigest()[:8]
