# SPDX-License-Identifier: Apache-2.0
"""Takes in a folder: WAV files, their labels and what is known of them, in the form that `data` reads."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from codegen.common.errors import UserError
from workbench.audio.wav import wav_bytes
from workbench.data.captures import add_capture, check_captures
from workbench.data.label_lines import ChangedOutsideError, LabelLines, check_words
from workbench.data.labels import own_rates
from workbench.data.segment import Segment
from workbench.data.sessions import TRAIN, usual_session
from workbench.host.model_app import write_whole
from workbench.live.samples import Take

LABELS = "labels.csv"
_RATE = 16000  # Hz, of labelled recordings whose file does not tell one
_STEM = 60  # characters of a label in a file's name, which has 255 bytes at most


class Takes:
    """A folder that takes are added to; what is in it already stays as it is."""

    def __init__(
        self,
        folder: Path,
        label: str | None,
        session: str | None,
        known: Mapping[str, str],
        *,
        labelled: bool = True,
    ) -> None:
        """label: of each take, from its first sample to its last; None: they get none. session: None: the one
        that is learnt from, or none where the segments that are there have none. known: columns of
        captures.csv, for the takes to come. labelled: False: somebody else writes the labels. UserError
        where the folder cannot take them, or a label file not the label, before anything is recorded."""
        if label is not None:
            check_words(label, session or "")
        self._folder, self._session = folder, session
        self.label = label
        self.known = known
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"cannot be made: {error.strerror}", file=folder) from None
        if not os.access(folder, os.W_OK):
            raise UserError("cannot be written: no right to", file=folder)
        self._lines = (
            LabelLines(folder / LABELS, own_rates(_RATE)) if labelled and label is not None else None
        )
        if self._lines is not None and self._lines.locked is not None:
            raise self._lines.locked
        check_captures(folder)

    def add(self, take: Take, rate: int) -> Path:
        """The WAV that was written, 16-bit mono. Other programs may add takes to the folder at the same time.
        UserError where it cannot be written, or its row in a table cannot."""
        try:
            file = self._written(wav_bytes(take.samples, rate))
        except OSError as error:
            raise UserError(f"the take cannot be written: {error.strerror}", file=self._folder) from None
        missing = {"missing": str(take.missing), "clipped": str(take.clipped)}
        try:
            try:
                if self._lines is not None and self.label is not None:
                    self._add_label(self._lines, Segment(file, 0, len(take.samples), self.label))
            finally:
                add_capture(self._folder, {"file": file.name, **self.known, **missing})
        except UserError as error:
            what = f"{error.what}; {file.name} is written, and has no row here"
            raise UserError(what, file=error.file, place=error.place, remedy=error.remedy) from None
        return file

    def _written(self, wav: bytes) -> Path:
        """A file of its own, whole."""
        file = self._reserved()
        try:
            write_whole(file, wav)
        except BaseException:
            file.unlink()
            raise
        return file

    def _add_label(self, lines: LabelLines, segment: Segment) -> None:
        """In the form that the label file has."""
        while True:
            lines.refresh()
            session = usual_session([lines], TRAIN) if self._session is None else self._session
            try:
                lines.add(replace(segment, session=session))
            except ChangedOutsideError:  # just now; it has been read again
                continue
            return

    def _reserved(self) -> Path:
        """An empty file of a name that was free: nobody else gets it."""
        stem = re.sub(r"[^\w-]+", "_", self.label or "take").strip("_")[:_STEM] or "take"
        number = 1
        while True:
            file = self._folder / f"{stem}_{number:03}.wav"
            try:
                file.open("xb").close()
            except FileExistsError:
                number += 1
            else:
                return file
