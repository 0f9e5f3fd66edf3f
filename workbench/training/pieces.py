# SPDX-License-Identifier: Apache-2.0
"""Labelled segments -> pieces of sound with a class, for training and evaluation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codegen.app.spec import Pipeline
from codegen.common.errors import UserError, UserErrors
from workbench.audio.recording import Reader, read_audio
from workbench.data.labels import MOST_ERRORS, Segment, class_index
from workbench.data.segment import fault
from workbench.progress import remark

_LINES = 8  # of a label file, named at once


@dataclass(frozen=True)
class Piece:
    """A stretch of one recording."""

    file: Path
    start: int  # first sample
    end: int  # after the last sample
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
    segments: Sequence[Segment],
    labels: Sequence[str],
    length: int | None,
    least: int,
    say: Callable[[str], None] = remark,
) -> tuple[Piece, ...]:
    """Pieces of `length` samples out of longer segments, one after another; shorter segments stay whole, and
    all do where `length` is None.

    What is left over, or is from the start, shorter than `least` samples gives no vector and is dropped;
    whole segments that are, are said, and segments of one class that overlap. UserError when nothing is left,
    a label is no class, or segments of different classes overlap.
    """
    classes = [class_index(segment, labels) for segment in segments]
    _check_overlaps(segments, classes, labels, say)
    pieces = []
    short: list[int] = []
    for number, (segment, label) in enumerate(zip(segments, classes, strict=True)):
        step = segment.samples if length is None else max(length, least)
        if segment.samples < least:
            short.append(number)
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
    if short:
        each = Counter(labels[classes[number]] for number in short)
        say(
            f"{len(short)} of {len(segments)} segments are shorter than one decision, {least:,} samples, and "
            f"give nothing ({', '.join(f'{label} {count}' for label, count in sorted(each.items()))}): "
            f"{_places([segments[number] for number in short])}"
        )
    return tuple(pieces)


def _check_overlaps(
    segments: Sequence[Segment], classes: Sequence[int], labels: Sequence[str], say: Callable[[str], None]
) -> None:
    """UserErrors for segments of different classes over the same samples; those of one class are said."""
    order = sorted(range(len(segments)), key=lambda i: (str(segments[i].file), segments[i].start))
    errors, doubled = [], []
    before: list[int] = []  # segments that reach beyond the start of this one
    for index in order:
        segment = segments[index]
        before = [i for i in before if segments[i].file == segment.file and segments[i].end > segment.start]
        for other in before:
            if classes[other] == classes[index]:
                doubled.append(segment)
                break
            first, second = sorted((other, index), key=lambda i: segments[i].line)
            end = min(segment.end, segments[other].end)
            errors.append(
                fault(
                    f"this segment ({labels[classes[second]]}) overlaps that of {segments[first].place} "
                    f"({labels[classes[first]]}): samples {segment.start} to {end} of {segment.file.name}",
                    segments[second].source,
                    segments[second].place,
                    "Shorten one of them: a sample is of one class.",
                )
            )
        before.append(index)
    if errors:
        raise UserErrors(errors[:MOST_ERRORS]) if len(errors) > 1 else errors[0]
    if doubled:
        say(
            f"{len(doubled)} segments overlap others of their class; what they share counts twice: "
            f"{_places(doubled)}"
        )


def _places(segments: Sequence[Segment]) -> str:
    """labels.csv lines 3, 5, 9 and 12 more."""
    by_source: dict[Path, list[str]] = {}
    for segment in sorted(segments, key=lambda one: one.line):
        by_source.setdefault(segment.source, []).append(segment.place.removeprefix("line "))
    reported = []
    for source, lines in by_source.items():
        shown = ", ".join(lines[:_LINES])
        more = f" and {len(lines) - _LINES} more" if len(lines) > _LINES else ""
        reported.append(f"{source.name} line{'s' if len(lines) > 1 else ''} {shown}{more}")
    return "; ".join(reported)


def recordings(
    pieces: Sequence[Piece], segments: Sequence[Segment], sample_rate: int, read: Reader = read_audio
) -> Iterator[Recording]:
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
        samples = read(file, sample_rate)
        furthest = last[file]
        slack = sample_rate // 1000 if furthest.timed else 0  # a time is told to a few digits
        if furthest.end > len(samples) + slack:
            raise UserError(
                f"the segment ends at sample {furthest.end}, its recording at {len(samples)}",
                file=furthest.source,
                place=furthest.place,
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


def split_in_time(pieces: Sequence[Piece], share: float) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """The pieces without and with the last `share` of each class: for pieces of one group, which split leaves
    whole. A class with one piece keeps it in the first part."""
    held: set[int] = set()
    for label in {piece.label for piece in pieces}:
        own = [index for index, piece in enumerate(pieces) if piece.label == label]
        own.sort(key=lambda index: (str(pieces[index].file), pieces[index].start))
        count = min(len(own) - 1, max(1, round(share * len(own)))) if share else 0
        held.update(own[len(own) - count :])
    chosen = [tuple(p for i, p in enumerate(pieces) if (i in held) == wanted) for wanted in (False, True)]
    return chosen[0], chosen[1]


def fold_of_groups(pieces: Sequence[Piece], count: int, seed: int) -> dict[str, int]:
    """Which of `count` folds each group is in, so that every class is spread as evenly as its groups allow.

    The largest groups are placed first, each in the fold that has the least of its classes; of equal ones in
    an order drawn from `seed`.
    """
    sizes: dict[str, Counter[int]] = {}
    for piece in pieces:
        sizes.setdefault(piece.group, Counter())[piece.label] += 1
    whole = Counter(piece.label for piece in pieces)
    names = sorted(sizes)
    order = [names[index] for index in np.random.RandomState(seed).permutation(len(names))]
    order.sort(key=lambda group: -sizes[group].total())
    held = [Counter[int]() for _ in range(count)]
    fold_of: dict[str, int] = {}
    for group in order:
        shares = [
            (
                sum(size * fold[label] / whole[label] for label, size in sorted(sizes[group].items())),
                fold.total(),
            )
            for fold in held
        ]
        fold_of[group] = shares.index(min(shares))
        held[fold_of[group]] += sizes[group]
    return fold_of
