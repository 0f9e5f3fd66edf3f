# SPDX-License-Identifier: Apache-2.0
"""Recordings in which nothing happens: hours of them say how often an app reports what is not there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from codegen.common.errors import UserError
from workbench.audio.files import recording_files
from workbench.audio.recording import Reader
from workbench.data.segment import Segment
from workbench.progress import progress
from workbench.training.confusion import UNKNOWN_CLASS
from workbench.training.pieces import Piece, Recording


def check_apart(paths: Sequence[Path], segments: Iterable[Segment]) -> None:
    """UserError where a recording of the background has labels: its events would be false alarms."""
    labelled = {file.resolve() for file in {segment.file for segment in segments}}
    for file in recording_files(paths):
        if file.resolve() in labelled:
            raise UserError(
                "has labels, so it is no background: its events would count as false alarms",
                file=file,
                remedy="Name recordings in which nothing happens. What has the label unknown is background "
                "without --background.",
            )


def background_recordings(paths: Sequence[Path], sample_rate: int, read: Reader) -> Iterator[Recording]:
    """They are read one by one, with progress; none has a piece."""
    files = recording_files(paths)
    for file in progress(files, len(files), "recordings of background"):
        yield Recording(file, read(file, sample_rate), ())


def unlabelled_counts(choice: str | None, pieces: Sequence[Piece], labels: Sequence[str]) -> bool:
    """Whether sound without a label is background: as the option --unlabelled says, or else where nothing is
    labelled unknown."""
    return choice == "background" or (
        choice is None and not any(labels[piece.label] == UNKNOWN_CLASS for piece in pieces)
    )
