# SPDX-License-Identifier: Apache-2.0
"""A labelled stretch of a recording: its class, its place, and the words for what is wrong with its line."""

from __future__ import annotations

import os.path
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from codegen.common.errors import UserError

RateOf = Callable[[Path], int]  # a recording -> the rate in Hz at which its segments count samples


@dataclass(frozen=True)
class Segment:
    """A labelled stretch of one recording."""

    file: Path  # the recording, absolute
    start: int  # first sample
    end: int  # after the last sample
    label: str  # what the sound is
    role: str = ""  # the class it stands for, where that is another
    session: str = ""  # "train", "test", ...
    author: str = ""  # who recorded it; a training never splits an author between two sets
    source: Path = Path()  # the label file
    line: int = 0  # and the line there
    timed: bool = False  # start and end were given in seconds, and are samples to the nearest one
    entry: str = ""  # where in a label file that has no lines: "entry 3"
    metadata: tuple[tuple[str, str], ...] = ()  # what else is known: ("device", "xg24"), ...

    @property
    def samples(self) -> int:
        """Length."""
        return self.end - self.start

    @property
    def place(self) -> str:
        """Where in the label file."""
        return self.entry or f"line {self.line}"

    @property
    def known(self) -> tuple[tuple[str, str], ...]:
        """What is known of the recording: metadata and author."""
        return (*self.metadata, ("author", self.author)) if self.author else self.metadata

    @property
    def group(self) -> str:
        """What must stay together in a split: the author's recordings, or those of the one file."""
        return self.author or self.file.name


def find_class(segment: Segment, labels: Sequence[str]) -> int | None:
    """The segment's class among an app's labels: by its label, else by its role; None where neither is one.

    Upper and lower case are alike where that leaves one class."""
    for word in (segment.label, segment.role):
        if word in labels:
            return labels.index(word)
        alike = [index for index, label in enumerate(labels) if label.casefold() == word.casefold()]
        if len(alike) == 1:
            return alike[0]
    return None


def by_file(segments: Iterable[Segment]) -> dict[Path, list[Segment]]:
    """In the order of their first segment."""
    files: dict[Path, list[Segment]] = defaultdict(list)
    for segment in segments:
        files[segment.file].append(segment)
    return files


def below(file: Path, folder: Path) -> str | None:
    """A recording's name relative to a folder that it lies below, links followed or not; None elsewhere."""
    plain, root = (Path(os.path.normpath(path.absolute())) for path in (file, folder))
    real = folder.resolve()
    for path, base in ((plain, root), (file.parent.resolve() / file.name, real), (file.resolve(), real)):
        if path.is_relative_to(base):
            name = path.relative_to(base)
            if (folder / name).exists() and (folder / name).samefile(file):
                return name.as_posix()
    return None


def fault(what: str, path: Path, line: int | str, remedy: str) -> UserError:
    """A fault of one line of a label file, or of another place that is named."""
    return UserError(what, file=path, place=line if isinstance(line, str) else f"line {line}", remedy=remedy)


def checked(segment: Segment) -> Segment:
    """What every label file wants of a segment."""
    if segment.end <= segment.start:
        what = f"the segment ends at sample {segment.end}, not after its start {segment.start}"
        remedy = (
            "The end is exclusive: at 16 kHz half a second from the start is 0,8000. A point has no sound."
        )
        raise fault(what, segment.source, segment.place, remedy)
    if not segment.label:
        raise fault("the label is empty", segment.source, segment.place, "Say what the sound is.")
    return segment
