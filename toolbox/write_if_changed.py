"""Generated texts into the files that a build expects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path


def write_if_changed(files: Sequence[Path], texts: Mapping[str, str]) -> None:
    """Each text into the file of its name, where it differs: a file whose text stays keeps its time."""
    expected = {file.name: file for file in files}
    if expected.keys() != texts.keys():
        raise RuntimeError(f"expected {sorted(expected)}, generated {sorted(texts)}")
    for name, file in expected.items():
        if not file.is_file() or file.read_text() != texts[name]:
            file.write_text(texts[name])
