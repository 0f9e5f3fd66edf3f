# SPDX-License-Identifier: Apache-2.0
"""An Audacity label track: start and end in seconds and a label, tab separated, on each line."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

from codegen.common.errors import UserError
from workbench.data.segment import RateOf, Segment, checked, fault

RECORDINGS = (".wav", ".flac")


def read_track(text: str, path: Path, rate_of: RateOf) -> tuple[list[Segment], list[UserError]]:
    """The segments of a track, and the faults of its lines. UserError where its recording is missing."""
    recording = recording_beside(path)
    if recording is None:
        raise UserError(
            f"there is no recording {path.stem}.wav or {path.stem}.flac beside it",
            file=path,
            remedy="A label track belongs to the recording of the same name in the same folder.",
        )
    sample_rate = rate_of(recording)
    segments: list[Segment] = []
    errors: list[UserError] = []
    for line, row in enumerate(text.split("\n"), start=1):
        if not row.strip() or row.startswith("\\"):  # a backslash: the frequency range of the label before
            continue
        try:
            segments.append(_segment(row, recording, path, line, sample_rate))
        except UserError as error:
            errors.append(error)
    return segments, errors


def recording_beside(track: Path) -> Path | None:
    """The recording of the same name in the same folder."""
    return next(filter(Path.is_file, (track.with_suffix(suffix) for suffix in RECORDINGS)), None)


def track_text(segments: Iterable[Segment], sample_rate: int) -> str:
    """The label track of one recording, as Audacity exports it."""
    rows = sorted(segments, key=lambda one: (one.start, one.end))
    return "".join(
        f"{one.start / sample_rate:.6f}\t{one.end / sample_rate:.6f}\t{one.label}\n" for one in rows
    )


def seconds(name: str, text: str, path: Path, line: int) -> float:
    """A time in seconds, with a decimal point or, as some systems write it, a decimal comma."""
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = math.nan
    if not 0 <= value < 1e9:
        remedy = "Times are seconds from 0 with a decimal point."
        raise fault(f'{name} is "{text}", not a time in seconds', path, line, remedy)
    return value


def _segment(row: str, recording: Path, path: Path, line: int, sample_rate: int) -> Segment:
    fields = [field.strip() for field in row.split("\t")]
    if len(fields) != 3:
        remedy = "A label track has start, end (seconds) and label on each line, as Audacity exports it."
        raise fault(f"{len(fields)} tab-separated fields instead of 3", path, line, remedy)
    start = round(seconds("start", fields[0], path, line) * sample_rate)
    end = round(seconds("end", fields[1], path, line) * sample_rate)
    return checked(Segment(recording, start, end, fields[2], source=path, line=line, timed=True))
