# SPDX-License-Identifier: Apache-2.0
"""Labels that the sound speaks against: each segment is held against those of other authors and recordings.

The model is the plainest there is: mean and spread of a segment's features (the firmware's own), and of the
segments of other groups the most similar ones. A segment with hardly any of its own class among them is worth
a second hearing; some of them are right, and rare.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from workbench.data.findings import Finding, where
from workbench.data.segment import Segment
from workbench.host.host_library import Pipeline
from workbench.training.pieces import Piece, Recording

MOST, FEWEST = 25, 5  # neighbours: a third of the smallest class within these
OWN = 0.05  # share of them at most that is of its own class, were all classes of equal size

Values = NDArray[np.float64]


def summaries(pipeline: Pipeline, recordings: Iterable[Recording]) -> tuple[Values, list[Piece]]:
    """Mean and spread of the features of every piece, [n, 2 * size], and the pieces."""
    rows, pieces = [], []
    for recording in recordings:
        for piece in recording.pieces:
            _, _, features = pipeline.features(recording.samples[piece.start : piece.end])
            rows.append(np.concatenate([features.mean(axis=0), features.std(axis=0)]))
            pieces.append(piece)
    width = 2 * pipeline.spec.front_end.size
    return np.array(rows, np.float64).reshape(-1, width), pieces


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


def doubtful(
    pipeline: Pipeline, recordings: Iterable[Recording], segments: Sequence[Segment]
) -> list[Finding]:
    """What to listen to again."""
    values, pieces = summaries(pipeline, recordings)
    names = pipeline.spec.decision.labels
    findings = []
    labels, groups = [piece.label for piece in pieces], [piece.group for piece in pieces]
    for number, like, others in improbable(values, labels, groups):
        piece = pieces[number]
        of = next(
            one
            for one in segments
            if one.file == piece.file and one.start <= piece.start and piece.end <= one.end
        )
        findings.append(
            Finding(
                "noise",
                f"{where(of)}, {piece.file.name} from {piece.start}",
                f"labelled {names[piece.label]}, sounds like {names[like]}: {others} of the "
                f"{neighbours(labels)} most similar segments of others",
                "Listen to it again; correct the label where it is wrong.",
            )
        )
    return findings
