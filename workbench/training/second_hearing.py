# SPDX-License-Identifier: Apache-2.0
"""Labels that the sound speaks against: each segment is held against those of other authors and recordings.

The model is the plainest there is: mean and spread of a segment's features (the firmware's own), and of the
segments of other groups the most similar ones. A segment with hardly any of its own class among them is worth
a second hearing; some of them are right, and rare.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workbench.data.findings import Finding, where
from workbench.data.segment import Segment
from workbench.host.host_library import HostPipeline
from workbench.training.feature_map import mean_and_spread
from workbench.training.pieces import Piece

MOST, FEWEST = 25, 5  # neighbours: a third of the smallest class within these
OWN = 0.05  # share of them at most that is of its own class, were all classes of equal size

Values = NDArray[np.float64]


def neighbours(labels: Sequence[int]) -> int:
    """How many are asked."""
    sizes = np.bincount(np.array(labels, np.int64))
    return int(np.clip(sizes[sizes > 0].min(initial=MOST * 3) // 3, FEWEST, MOST))


def improbable(values: Values, labels: Sequence[int], groups: Sequence[str]) -> list[tuple[int, int, int]]:
    """(number, class that it sounds like, neighbours of that class) of each doubtful one, those first whose
    neighbours agree most."""
    scaled = (values - values.mean(axis=0)) / np.maximum(values.std(axis=0), 1e-9)
    owned, named = np.array(labels), np.array(groups)
    sizes = np.maximum(np.bincount(owned), 1)
    count = neighbours(labels)
    found = []
    for number in range(len(scaled)):
        others = np.flatnonzero(named != named[number])
        if len(others) < count:
            continue
        distances = np.square(scaled[others] - scaled[number]).sum(axis=1)
        nearest = others[np.argsort(distances, kind="stable")[:count]]
        counts = np.bincount(owned[nearest], minlength=len(sizes))
        shares = counts / sizes / (counts / sizes).sum()
        like = int(shares.argmax())
        if shares[owned[number]] <= OWN and 2 * shares[like] > 1:
            found.append((number, like, int(counts[like])))
    return sorted(found, key=lambda row: (-row[2], row[0]))


class SecondHearing:
    """Takes one recording after the other; at the end says what to listen to again."""

    def __init__(self, pipeline: HostPipeline, pieces: Sequence[Piece], segments: Sequence[Segment]) -> None:
        """pieces: of the segments."""
        self._pipeline, self._segments = pipeline, segments
        self._pieces: dict[Path, list[Piece]] = {}
        for piece in pieces:
            self._pieces.setdefault(piece.file, []).append(piece)
        self._rows: list[tuple[Piece, Values]] = []  # each with mean and spread of its features, [2 * size]

    def hear(self, file: Path, samples: NDArray[np.int16]) -> None:
        """A recording: its pieces' features."""
        for piece in self._pieces.get(file, ()):
            _, _, features = self._pipeline.features(samples[piece.start : piece.end])
            self._rows.append((piece, mean_and_spread(features)))

    def findings(self) -> Iterator[Finding]:
        """Of what was heard."""
        if not self._rows:
            return
        names = self._pipeline.spec.decision.labels
        pieces = [piece for piece, _ in self._rows]
        labels, groups = [piece.label for piece in pieces], [piece.group for piece in pieces]
        values = np.array([row for _, row in self._rows], np.float64)
        for number, like, others in improbable(values, labels, groups):
            piece = pieces[number]
            of = next(
                one
                for one in self._segments
                if one.file == piece.file and one.start <= piece.start and piece.end <= one.end
            )
            yield Finding(
                "noise",
                f"{where(of)}, {piece.file.name} from {piece.start}",
                f"labelled {names[piece.label]}, sounds like {names[like]}: {others} of the "
                f"{neighbours(labels)} most similar segments of others",
                "Listen to it again; correct the label where it is wrong.",
            )
