# SPDX-License-Identifier: Apache-2.0
"""The recordings that an app's suites play: named ones, a sample of a labelled session, or made ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import soxr

from codegen.common.errors import UserError
from workbench.audio.recording import RAW_SUFFIXES, read_audio
from workbench.audio.synthesize import RATE, write_session
from workbench.audio.wav import wav_bytes
from workbench.data.labels import Segment, of_session, read_labels
from workbench.progress import remark
from workbench.suites.settings import Settings

SUFFIXES = (".wav", ".flac", ".ogg", ".aiff", *RAW_SUFFIXES)
SEED = 1


@dataclass(frozen=True)
class Recording:
    """A file, and what is heard in it as far as a label says."""

    file: Path
    labels: tuple[str, ...]

    @property
    def words(self) -> str:
        """The labels for a person."""
        return " and ".join(self.labels)


def synthesised(settings: Settings) -> bool:
    """Whether sounds made by a program are played: no recording is named, or none of those is there."""
    if settings.files:
        return False
    return settings.labels is None or (settings.synthetic and not settings.labels.is_file())


def choose(settings: Settings, app: Path, rate: int, made: Path) -> list[Recording]:
    """At least one recording, settings.most at most. made: folder for sounds out of a seed, at `rate` Hz.

    UserError where the app names what is not there.
    """
    return _all(settings, app, rate, made)[: settings.most]


def _all(settings: Settings, app: Path, rate: int, made: Path) -> list[Recording]:
    named = _named(settings, app)
    if settings.labels is not None and (settings.labels.is_file() or not settings.synthetic):
        return [*named, *_sample(settings, rate)]
    if named:
        return named
    if settings.labels is not None:
        remark(f"{settings.labels} is not there; sounds made by a program are played instead")
    elif not settings.synthetic:
        raise UserError(
            "no recording is named", file=settings.source, remedy='Add files = ["door.wav"], or labels.'
        )
    return _made(settings, rate, made)


def _named(settings: Settings, app: Path) -> list[Recording]:
    found: list[Recording] = []
    for pattern in settings.files:
        whole = Path(pattern)
        base, rest = (Path(whole.anchor), str(whole.relative_to(whole.anchor)))
        files = sorted((base if whole.is_absolute() else app).glob(rest))
        files = [file for file in files if file.suffix.lower() in SUFFIXES]
        if not files:
            raise UserError(
                f'no recording is named "{pattern}"',
                file=settings.source,
                remedy="Names and patterns start at the app's folder; WAV, FLAC and .s16le are played.",
            )
        found += [Recording(file, ()) for file in files if file not in [other.file for other in found]]
    return found


def _sample(settings: Settings, rate: int) -> list[Recording]:
    assert settings.labels is not None
    segments: Sequence[Segment] = read_labels(settings.labels, rate)
    session = settings.session
    if session is None and any(segment.session == "test" for segment in segments):
        session = "test"
    if session is not None:
        segments = of_session(segments, session, settings.labels)
    return drawn(segments, settings.count)


def drawn(segments: Sequence[Segment], count: int) -> list[Recording]:
    """`count` recordings of these segments, in turn one of each class, in the label file's order."""
    labels: dict[Path, list[str]] = defaultdict(list)
    for segment in segments:
        if segment.label not in labels[segment.file]:
            labels[segment.file].append(segment.label)
    classes: dict[str, list[Path]] = defaultdict(list)
    for file, own in labels.items():
        classes[own[0]].append(file)
    chosen: list[Path] = []
    turn = 0
    while len(chosen) < min(count, len(labels)):
        left = [files[turn] for files in classes.values() if turn < len(files)]
        chosen += left[: count - len(chosen)]
        turn += 1
    order = list(labels)
    return [Recording(file, tuple(labels[file])) for file in sorted(chosen, key=order.index)]


def _made(settings: Settings, rate: int, folder: Path) -> list[Recording]:
    each = -(-settings.count // 4)
    labels = write_session(folder, SEED, recordings=each, count=3, session="test")
    found = drawn(read_labels(labels, RATE), settings.count)
    if rate != RATE:
        for recording in found:
            recording.file.write_bytes(
                wav_bytes(soxr.resample(read_audio(recording.file, RATE), RATE, rate), rate)
            )
    return found
