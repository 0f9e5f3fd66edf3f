# SPDX-License-Identifier: Apache-2.0
"""Takes in a folder: WAV files, their labels and what is known of them, in the form that `data` reads."""

from __future__ import annotations

import csv
import io
import os
import re
import wave
from collections.abc import Mapping
from pathlib import Path

from codegen.common.errors import UserError
from workbench.data.captures import NAME as CAPTURES
from workbench.data.one_writer import one_writer
from workbench.host.model_app import write_whole
from workbench.live.samples import Take
from workbench.training.chosen import TRAIN

LABELS = "labels.csv"
_HEADER = ("file", "start", "end", "label", "session")


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
        where the folder cannot take them, before anything is recorded."""
        self._folder, self._session, self._labelled = folder, session, labelled
        self.label = label
        self.known = known
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"cannot be made: {error.strerror}", file=folder) from None
        if not os.access(folder, os.W_OK):
            raise UserError("cannot be written: no right to", file=folder)
        if labelled and label is not None:
            _check(folder / LABELS, _HEADER[:4])
        _check(folder / CAPTURES, ("file",))

    def add(self, take: Take, rate: int) -> Path:
        """The WAV that was written, 16-bit mono. Other programs may add takes to the folder at the same time.
        UserError where it cannot be written, or its row in a table cannot."""
        try:
            file = self._written(_wav(take, rate))
        except OSError as error:
            raise UserError(f"the take cannot be written: {error.strerror}", file=self._folder) from None
        try:
            with one_writer(self._folder):
                self._add_rows(file, take)
        except OSError as error:
            what = f"{file.name} is written, what is known of it cannot be: {error.strerror}"
            raise UserError(what, file=self._folder) from None
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

    def _add_rows(self, file: Path, take: Take) -> None:
        if self._labelled and self.label is not None:
            session = _usual(self._folder / LABELS) if self._session is None else self._session
            row = (file.name, "0", str(len(take.samples)), self.label, session)
            _append(self._folder / LABELS, dict(zip(_HEADER, row, strict=True)))
        missing = {"missing": str(take.missing), "clipped": str(take.clipped)}
        _append(self._folder / CAPTURES, {"file": file.name, **self.known, **missing})

    def _reserved(self) -> Path:
        """An empty file of a name that was free: nobody else gets it."""
        stem = re.sub(r"[^\w-]+", "_", self.label or "take").strip("_") or "take"
        number = 1
        while True:
            file = self._folder / f"{stem}_{number:03}.wav"
            try:
                file.open("xb").close()
            except FileExistsError:
                number += 1
            else:
                return file


def _wav(take: Take, rate: int) -> bytes:
    stream = io.BytesIO()
    with wave.open(stream, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(take.samples.astype("<i2").tobytes())
    return stream.getvalue()


def _usual(file: Path) -> str:
    """The session of a take for which none was named. Among segments without one it has none either: a first
    session would leave all of those out of the training."""
    rows = _read(file)[1] if file.exists() else []
    return "" if rows and not any(row.get("session", "").strip() for row in rows) else TRAIN


def _check(file: Path, needed: tuple[str, ...]) -> None:
    """UserError where the table is there, and rows of ours do not fit it."""
    if not file.exists():
        return
    columns, _ = _read(file)
    missing = [name for name in needed if name not in columns]
    if missing:
        raise UserError(
            f"its first line has no column {missing[0]}: takes cannot be added to it",
            file=file,
            place="line 1",
            remedy=f"It must name {', '.join(needed)}, commas between them; or give another folder (-o).",
        )


def _read(file: Path) -> tuple[list[str], list[dict[str, str]]]:
    try:
        with file.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream, restval="")
            rows = list(reader)
            columns = list(reader.fieldnames or ())
    except (OSError, csv.Error, UnicodeDecodeError) as error:
        raise UserError(f"cannot be read: {error}", file=file) from None
    for number, row in enumerate(rows, start=2):
        if None in row:  # DictReader's key of what the header does not name
            raise UserError(
                "a row has more fields than the first line names", file=file, place=f"row {number}"
            )
    return columns, rows


def _append(file: Path, row: Mapping[str, str]) -> None:
    """The table with this row more. Where it needs a new column, all of it is written again: the file is
    replaced when the new one is whole."""
    there = file.exists()
    columns, rows = _read(file) if there else ([], [])
    whole = {**row, "unit": "samples"} if "unit" in columns else dict(row)
    if there and "session" not in columns and not whole.get("session"):
        whole.pop("session", None)
    if there and set(whole) <= set(columns):
        ends = file.read_bytes()[-1:] == b"\n"
        with file.open("a", newline="", encoding="utf-8") as stream:
            stream.write("" if ends else "\n")
            csv.DictWriter(stream, columns, restval="", lineterminator="\n").writerow(whole)
        return
    columns += [name for name in whole if name not in columns]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows([*rows, whole])
    write_whole(file.resolve(), text.getvalue().encode())  # a link stays one
