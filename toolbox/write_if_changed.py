# SPDX-License-Identifier: Apache-2.0
"""Texts into files, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path


def write_if_changed(files: Sequence[Path], texts: Mapping[str, str]) -> None:
    """Each text into the file of its name, where it differs: a file whose text stays keeps its time."""
    expected = {file.name: file for file in files}
    if expected.keys() != texts.keys():
        raise RuntimeError(f"expected {sorted(expected)}, generated {sorted(texts)}")
    for name, file in expected.items():
        if not file.is_file() or file.read_text() != texts[name]:
            write_whole(file, texts[name])


def write_whole(file: Path, text: str) -> None:
    """In one step: after a full disk or an interrupt it is the old text or the new one, never half of it."""
    new = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        new.write_text(text, encoding="utf-8")
        new.replace(file)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
