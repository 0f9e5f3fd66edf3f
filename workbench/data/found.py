# SPDX-License-Identifier: Apache-2.0
"""The recording that a label file of another program names: as far as that can be known."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

_UPLOADED = re.compile(r"[0-9a-f]{8}-(?=.)")  # what Label Studio puts before the name of an uploaded file


def recording_named(name: str, labels: Path) -> Path | None:
    """A recording beside a label file, or below its folder: `name` may be a path of another machine or an
    address. None where there is none, or more than one."""
    parts = urlsplit(name)
    inner = parse_qs(parts.query).get("d", [])  # /data/local-files/?d=door/knock.wav
    path = unquote(inner[0] if inner else parts.path if parts.scheme in ("http", "https") else name)
    plain = path.replace("\\", "/")
    base = plain.rsplit("/", 1)[-1]
    tried = [plain.lstrip("/") if plain != name else plain, base, _UPLOADED.sub("", base, count=1)]
    for one in dict.fromkeys(filter(None, tried)):
        try:
            if (labels.parent / one).is_file():
                return labels.parent / one
        except (OSError, ValueError):  # a name that no system takes
            return None
    for one in dict.fromkeys(tried[1:]):
        below = [file for file in labels.parent.rglob("*") if file.name == one and file.is_file()]
        if len(below) == 1:
            return below[0]
    return None
