"""Labelled segments -> pieces of sound with a class, for training and evaluation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codegen.app.spec import Pipeline
from codegen.common.errors import UserError
from workbench.audio.recording import read_audio
from workbench.data.labels import Segment, class_index


@dataclass(frozen=True)
class Piece:
    """A stretch of one recording."""

    file: Path
    start: int  # first sample
    end: int  # behind the last sample
    label: int  # index among the app's labels
    group: str  # the author, or the file


@dataclass(frozen=True, eq=False)
class Recording:
    """One recording's samples and the pieces of it, in their order."""

    file: Path
    samples: NDArray[np.int16]
    pieces: tuple[Piece, ...]


def shortest(pipeline: Pipeline) -> int:
    """Samples that one vector spans."""
    return (pipeline.cascade.frames - 1) * pipeline.window.stride + pipeline.window.size


def cut(
    segments: Sequence[Segment], labels: Sequence[str], length: int | None, least: int
) -> tuple[Piece, ...]:
    """Pieces of `length` samples out of longer segments, one after another; shorter segments stay whole, and
    all do where `length` is None.

    What is left over, or is from the start, shorter than `least` samples gives no vector and is dropped.
    UserError when nothing is left, or a label is no class.
    """
    pieces = []
    for segment in segments:
        label = class_index(segment, labels)
        step = segment.samples if length is None else max(length, least)
        for start in range(segment.start, segment.end, step):
            end = min(segment.end, start + step)
            if end - start >= least:
                pieces.append(Piece(segment.file, start, end, label, segment.group))
    if not pieces:
        raise UserError(
            f"no segment is as long as one decision, {least} samples",
            file=segments[0].source if segments else None,
            remedy="Label longer stretches, or lower [cascade] frames in pipeline.toml and train anew.",
        )
    return tuple(pieces)


def recordings(pieces: Sequence[Piece], segments: Sequence[Segment], sample_rate: int) -> Iterator[Recording]:
    """Reads the recordings of these pieces one by one, in the order of their first piece.

    UserError where a recording cannot be used, or ends before one of its segments, with the label file's
    line.
    """
    by_file: dict[Path, list[Piece]] = {}
    for piece in pieces:
        by_file.setdefault(piece.file, []).append(piece)
    last: dict[Path, Segment] = {}
    for segment in segments:
        if segment.file not in last or segment.end > last[segment.file].end:
            last[segment.file] = segment
    for file, own in by_file.items():
        samples = read_audio(file, sample_rate)
        furthest = last[file]
        if furthest.end > len(samples):
            raise UserError(
                f"the segment ends at sample {furthest.end}, its recording at {len(samples)}",
                file=furthest.source,
                place=f"line {furthest.line}",
                remedy=f"Give sample numbers within {file.name}.",
            )
        yield Recording(file, samples, tuple(own))


def split(pieces: Sequence[Piece], share: float, seed: int) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Training and validation pieces; no group is in both.

    Each class gives groups, drawn at random, until about `share` of its pieces are in validation; a class
    with one group alone gives none.
    """
    random = np.random.RandomState(seed)
    chosen: set[str] = set()
    for label in sorted({piece.label for piece in pieces}):
        sizes: dict[str, int] = {}
        for piece in pieces:
            if piece.label == label:
                sizes[piece.group] = sizes.get(piece.group, 0) + 1
        wanted = share * sum(sizes.values())
        held = sum(size for group, size in sizes.items() if group in chosen)
        groups = sorted(sizes.keys() - chosen)
        for index in random.permutation(len(groups)):
            group = groups[index]
            # Half a group too many or half too few: the nearest to the wanted share.
            if held + sizes[group] / 2 <= wanted and len(groups) > 1:
                chosen.add(group)
                held += sizes[group]
    training = tuple(piece for piece in pieces if piece.group not in chosen)
    validation = tuple(piece for piece in pieces if piece.group in chosen)
    return training, validation
