# SPDX-License-Identifier: Apache-2.0
"""Events of a recording, found as the energy gate finds them: by samples that are louder than a threshold.

The threshold follows from a stretch of noise that a person shows, or is that of the app's gate, or follows
from the recording itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codegen.common.errors import UserError
from workbench.audio.recording import Reader, file_rate
from workbench.data.label_lines import LabelLines, check_words
from workbench.data.labels import own_rates
from workbench.data.segment import Segment, below
from workbench.data.sessions import usual_session
from workbench.live.sounds import PAUSE

ABOVE_NOISE = 2  # times the loudest sample of the noise: 6 dB
ABOVE_USUAL = 3  # times the median of the blocks' loudest samples: 10 dB
LENGTH = 0.5  # seconds of a segment where nobody says another length
LEAD = 0.2  # of the usual length: how far a segment begins before its event
_BLOCK = 0.01  # seconds

Samples = NDArray[np.int16]


@dataclass(frozen=True)
class Stretch:
    """Samples of a recording; the end is exclusive."""

    start: int
    end: int

    def overlaps(self, other: Stretch) -> bool:
        """Whether both have a sample in common."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True)
class Detected:
    """What was found in one recording."""

    file: Path
    limit: int  # |sample| above which something happens
    events: int
    added: int  # the others are in a segment that was there


class Detection:
    """Segments around the events of recordings, added to a label file; the lines that are in it stay."""

    def __init__(
        self,
        table: Path,
        label: str,
        session: str | None = None,
        *,
        length: float = LENGTH,
        limit: int | None = None,
        gate: int | None = None,
        rate: int = 16000,
    ) -> None:
        """table: a .csv, which need not exist. session: None: the one that is learnt from, or none where the
        segments that are there have none. length: in seconds. limit, gate: as of `threshold`; without both it
        follows from each recording. rate: in Hz, of recordings whose file tells none. UserError where the
        table cannot take segments, or has lines that cannot be read: what they name could be found again."""
        if table.suffix.lower() != ".csv":
            raise UserError("is no .csv", file=table, remedy="-o labels.csv")
        if not table.absolute().parent.is_dir():
            raise UserError("there is no such folder", file=table.absolute().parent)
        if session is not None:
            check_words(label, session)
        self._rate_of = own_rates(rate)
        self._lines = LabelLines(table.absolute(), self._rate_of)
        if self._lines.errors:
            raise self._lines.errors[0]
        self._session = usual_session([self._lines], "") if session is None else session
        check_words(label, self._session)
        self._label, self._length, self._limit, self._gate = label, length, limit, gate

    def check(self, files: Iterable[Path]) -> None:
        """UserError where a recording does not lie below the table's folder: the table could not name it."""
        folder = self._lines.path.parent
        outside = next((file for file in files if below(file, folder) is None), None)
        if outside is not None:
            raise UserError(
                f"the recording {outside} does not lie below {folder}",
                file=self._lines.path,
                remedy="Write it into the recordings' folder, or one above: it names them from there.",
            )

    def add(self, file: Path, read: Reader) -> Detected:
        """Finds, and writes, the segments of one recording."""
        rate = file_rate(file) or self._rate_of(file)
        samples = read(file, rate)
        limit = self._limit if self._limit is not None else threshold(samples, rate, None, self._gate)
        found = events(samples, rate, limit, max(1, round(self._length * rate)))
        there = [Stretch(one.start, one.end) for _, one in self._lines.segments if one.file == file]
        fresh = new_ones(found, there)
        if fresh:
            source = self._lines.path
            self._lines.add(
                *(
                    Segment(file, one.start, one.end, self._label, session=self._session, source=source)
                    for one in fresh
                )
            )
        return Detected(file, limit, len(found), len(fresh))


def new_ones(found: Sequence[Stretch], there: Sequence[Stretch]) -> list[Stretch]:
    """Those that have no sample in common with a segment that is there."""
    return [one for one in found if not any(one.overlaps(other) for other in there)]


def threshold(samples: Samples, rate: int, noise: Stretch | None, gate: int | None) -> int:
    """|sample| above which something happens. noise: nothing does there. gate: the app's own threshold."""
    if noise is not None:
        return ABOVE_NOISE * max(1, _loudest(samples[noise.start : noise.end]))
    if gate is not None and gate > 0:
        return gate
    return ABOVE_USUAL * max(1, round(float(np.median(_peaks(samples, rate)[1]))))


def events(samples: Samples, rate: int, limit: int, length: int) -> list[Stretch]:
    """Segments around what is louder than `limit`, in order, none over another.

    Loud samples that are less than PAUSE apart are one event. A segment begins LEAD of `length` before it and
    is `length` samples long, or as long as the event and its lead.
    """
    starts, peaks = _peaks(samples, rate)
    loud = np.flatnonzero(peaks > limit)
    if not len(loud):
        return []
    block = int(starts[1]) if len(starts) > 1 else len(samples)
    breaks = np.flatnonzero(np.diff(loud) * block > PAUSE * rate)
    lead = round(LEAD * length)
    found: list[Stretch] = []
    for first, last in zip(loud[[0, *(breaks + 1)]], loud[[*breaks, -1]], strict=True):
        onset = int(starts[first]) + _first(samples[starts[first] : starts[first] + block], limit)
        end = min(len(samples), int(starts[last]) + block)
        if found and end <= found[-1].end:
            continue  # the segment before holds it, too
        start = max(0, onset - lead, found[-1].end if found else 0)
        found.append(Stretch(start, min(len(samples), max(start + length, end))))
    return found


def _peaks(samples: Samples, rate: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First sample and largest |sample| of each block."""
    starts = np.arange(0, len(samples), max(1, round(_BLOCK * rate)))
    most, least = (each.reduceat(samples, starts).astype(np.int64) for each in (np.maximum, np.minimum))
    return starts, np.maximum(most, -least)


def _loudest(samples: Samples) -> int:
    return int(np.abs(samples.astype(np.int32)).max(initial=0))


def _first(samples: Samples, limit: int) -> int:
    """Index of the first sample that is louder; there is one."""
    return int(np.argmax(np.abs(samples.astype(np.int32)) > limit))
