# SPDX-License-Identifier: Apache-2.0
"""Files that strangers hand out: read with care, and shown with care."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from codegen.common.errors import UserError, printable

_SHOWN = 100  # characters of a value in a message


def read_object(file: Path) -> dict[str, Any]:
    """A JSON object. UserError where the file holds none."""
    try:
        data = json.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", file=file) from None
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise UserError(
            "holds no JSON object", file=file, remedy="Give the .json that stands beside the .tflite."
        )
    return data


def shown(value: object) -> str:
    """A value for a message; a long one is cut."""
    text = ascii(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def in_comment(text: str) -> str:
    """A text in one line of TOML: no line ends, no control characters, no half of a pair."""
    return printable(" ".join(text.split())).encode("utf-8", "backslashreplace").decode("utf-8")


def need_new(folder: Path) -> None:
    """UserError where a folder has something already."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError("is there already", file=folder, remedy="Give a new folder's name after -o.")
