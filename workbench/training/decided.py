# SPDX-License-Identifier: Apache-2.0
"""What each labelled segment was taken for, as a table in a file: `evaluate --decided`."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from codegen.common.errors import UserError
from workbench.host.model_app import write_whole
from workbench.training.confusion import UNC, UNCERTAIN, UNK
from workbench.training.evaluation import Stream
from workbench.training.events import Events

_HEADER = ("file", "start", "end", "label", "decided")


@dataclass(frozen=True)
class Decided:
    """A segment, in samples, the end exclusive. decided: a label, UNK or UNC."""

    file: Path
    start: int
    end: int
    label: str
    decided: str


def write_decided(file: Path, labels: Sequence[str], streams: Sequence[Stream], events: Events) -> None:
    """A row for each labelled stretch of the played recordings. UserError where it cannot be written."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEADER)
    truths = [(one.file, truth) for one in streams for truth in one.played.truths]
    for (recording, truth), (_, decided) in zip(truths, events.taken, strict=True):
        name = UNC if decided == UNCERTAIN else [UNK, *labels][decided]
        writer.writerow([recording, truth.start, truth.end, labels[truth.label], name])
    try:
        write_whole(file, text.getvalue().encode())
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror}", file=file) from None


def read_decided(file: Path) -> list[Decided]:
    """What write_decided wrote; nothing where there is no such file."""
    if not file.is_file():
        return []
    with file.open(newline="", encoding="utf-8") as stream:
        return [
            Decided(Path(row["file"]), int(row["start"]), int(row["end"]), row["label"], row["decided"])
            for row in csv.DictReader(stream)
        ]
