# SPDX-License-Identifier: Apache-2.0
"""What is wrong with the sound of labelled recordings: each is read once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codegen.common.errors import UserError
from workbench.audio.recording import Reader
from workbench.data.findings import Finding, where
from workbench.data.segment import Segment, by_file

FULL_SCALE = 32767
CLIPPED = 3  # samples in a row at full scale: a sound alone touches it once
QUIET = 50  # a peak below this is nothing that a 16-bit microphone hears
OFFSET = 327  # one per cent of full scale


class AudioCheck:
    """Looks at one recording after the other."""

    def __init__(self, sample_rate: int, read: Reader, gate: int | None) -> None:
        """gate: the app's threshold, where there is an app: a segment that never opens it is never heard."""
        self._rate, self._read, self._gate = sample_rate, read, gate
        self.samples: NDArray[np.int16] | None = None  # of the recording that was read last; None: it was not
        self._whole: dict[bytes, Path] = {}  # recordings by the hash of their samples
        self._parts: dict[bytes, Segment] = {}  # segments likewise

    def findings(self, file: Path, segments: Sequence[Segment]) -> Iterator[Finding]:
        """Of a recording and its segments."""
        self.samples = None
        try:
            samples = self.samples = self._read(file, self._rate)
        except UserError as error:
            kind = (
                "format"
                if "--resample" in f"{error}" or "--convert" in f"{error}" or "--mix-down" in f"{error}"
                else "broken"
            )
            yield Finding(
                kind, f"{file.name} ({where(segments[0])})", error.what, error.remedy or "Record it again."
            )
            return
        same = self._whole.setdefault(_digest(samples), file)
        if same != file:
            remedy = "Remove one: the same sound in two sessions flatters, in one it counts twice."
            yield Finding(
                "duplicate", where(segments[0]), f"{file.name} has the same samples as {same.name}", remedy
            )
        mean = float(samples.mean())
        if abs(mean) > OFFSET:
            remedy = "Set [audio] dc_block = 8 in pipeline.toml and train with it, or mend the microphone."
            yield Finding(
                "dc", f"{file.name} ({where(segments[0])})", f"its mean is {mean:.0f}, not about 0", remedy
            )
        for segment in segments:
            yield from self._segment(samples, segment, known=same != file)

    def _segment(self, samples: NDArray[np.int16], segment: Segment, *, known: bool) -> Iterator[Finding]:
        slack = self._rate // 1000 if segment.timed else 0
        if segment.end > len(samples) + slack:
            what = f"the segment ends at sample {segment.end}, its recording at {len(samples)}"
            remedy = f"Give sample numbers within {segment.file.name}, of {self._rate} Hz."
            yield Finding("range", where(segment), what, remedy)
            return
        sound = samples[segment.start : segment.end]
        twin = self._parts.setdefault(_digest(sound), segment)
        silent = int(np.ptp(sound)) == 0
        if (
            twin is not segment
            and not known
            and not silent
            and (twin.file, twin.start) != (segment.file, segment.start)
        ):
            what = f"the same samples as {twin.file.name} from {twin.start} ({twin.place})"
            yield Finding("duplicate", where(segment), what, "Remove one of them.")
        if silent:
            what = f"all samples of the segment are {int(sound[0])}"
            yield Finding("silence", where(segment), what, "Remove it: there is nothing to learn from it.")
            return
        peak = int(np.abs(sound.astype(np.int32)).max())
        if self._gate is not None and peak <= self._gate:
            what = f"its peak is {peak}; the app's gate opens above {self._gate}: nothing is decided here"
            remedy = "Move the segment to the sound, record nearer, or lower [gate] threshold."
            yield Finding("silence", where(segment), what, remedy)
        elif peak < QUIET:
            yield Finding(
                "silence", where(segment), f"its peak is {peak} of 32767", "Record nearer, or remove it."
            )
        longest = longest_run(np.abs(sound.astype(np.int32)) >= FULL_SCALE)
        if longest >= CLIPPED:
            what = f"{longest} samples in a row are at full scale"
            yield Finding("clipping", where(segment), what, "Lower the microphone's gain and record again.")


def check_audio(
    segments: Iterable[Segment], sample_rate: int, read: Reader, gate: int | None
) -> Iterator[tuple[Path, NDArray[np.int16] | None, list[Finding]]]:
    """Each recording, its samples where they can be read, and its findings."""
    check = AudioCheck(sample_rate, read, gate)
    for file, own in by_file(segments).items():
        found = list(check.findings(file, own))
        yield file, check.samples, found


def longest_run(flags: NDArray[np.bool_]) -> int:
    """The most flags in a row."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def counts(findings: Iterable[Finding]) -> Mapping[str, int]:
    """How many of each kind."""
    numbers: dict[str, int] = {}
    for finding in findings:
        numbers[finding.kind] = numbers.get(finding.kind, 0) + 1
    return numbers


def _digest(samples: NDArray[np.int16]) -> bytes:
    return hashlib.sha256(np.ascontiguousarray(samples).tobytes()).digest()
