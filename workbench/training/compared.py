# SPDX-License-Identifier: Apache-2.0
"""Pieces of sound worth a person's ear: those that float and int8 decide otherwise, and those that sound like
another class than their label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.training.confusion import UNCERTAIN, UNK, UNKNOWN_CLASS
from workbench.training.evaluation import DecidedPiece
from workbench.training.pieces import Piece

SHOWN = 12  # pieces that a person is told of at once


@dataclass(frozen=True)
class Found:
    """`count` of a piece's `vectors` are decided otherwise: as `decided`, most of them."""

    piece: Piece
    label: str
    decided: str
    count: int
    vectors: int

    def object(self) -> dict[str, Any]:
        """For --json."""
        return {
            "file": str(self.piece.file),
            "start": self.piece.start,
            "end": self.piece.end,
            "label": self.label,
            "decided": self.decided,
            "count": self.count,
            "vectors": self.vectors,
        }

    @property
    def text(self) -> str:
        """A line for a person."""
        place = f"{self.piece.file.name} {self.piece.start}..{self.piece.end}"
        return f"{place}, {self.label}: {self.count} of {self.vectors} as {self.decided}"


def apart(labels: Sequence[str], pieces: Iterable[DecidedPiece], other: Sequence[int]) -> list[Found]:
    """Pieces of which some vectors are decided otherwise than in `other`, the class indices of all vectors
    one after the other; those with the most first. Unknown is one decision, whether by score or by name."""
    unknown = {UNCERTAIN, 0, labels.index(UNKNOWN_CLASS) + 1 if UNKNOWN_CLASS in labels else 0}
    found, first = [], 0
    for one in pieces:
        own = [class_index for _, class_index in one.pairs]
        theirs = other[first : first + len(own)]
        first += len(own)
        differing = [
            label
            for label, was in zip(own, theirs, strict=True)
            if label != was and not {label, was} <= unknown
        ]
        if differing:
            found.append(_found(labels, one.piece, differing, len(own)))
    if first != len(other):
        raise ValueError(f"{first} vectors of pieces, {len(other)} others")
    return sorted(found, key=lambda one: -one.count)


def doubtful(labels: Sequence[str], pieces: Iterable[DecidedPiece]) -> list[Found]:
    """Pieces of which more than half of the vectors are decided for one other class, by a model that has not
    heard them: the label may be wrong, or the sound rare. A device's Unknown is no class."""
    found = []
    for one in pieces:
        named = [label for _, label in one.pairs if label > 0 and labels[label - 1] != UNKNOWN_CLASS]
        other, count = next(iter(Counter(named).most_common(1)), (0, 0))
        if 2 * count > len(one.pairs) and other != one.piece.label + 1:
            found.append(_found(labels, one.piece, [other] * count, len(one.pairs)))
    return sorted(found, key=lambda one: -one.count / one.vectors)


def listed(found: Sequence[Found]) -> list[str]:
    """SHOWN of them, and how many more there are."""
    more = len(found) - SHOWN
    return [f"  {one.text}" for one in found[:SHOWN]] + ([f"  and {more} more"] if more > 0 else [])


def _found(labels: Sequence[str], piece: Piece, decided: Sequence[int], vectors: int) -> Found:
    most, _ = Counter(decided).most_common(1)[0]
    name = labels[most - 1] if most > 0 else UNK
    return Found(piece, labels[piece.label], name, len(decided), vectors)
