# SPDX-License-Identifier: Apache-2.0
"""Labelled segments as the app's front end sees them: what is typical of each class, and what is not.

A segment is described by mean and spread of its features. Of all segments the two directions in which these
differ most (principal components) make a map. An outlier is one that lies much farther from the middle of its
class than the others of the class do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.host.host_library import HostPipeline
from workbench.training.pieces import Piece, Recording
from workbench.training.plot import save

FAR = 4.0  # robust standard deviations beyond the median distance of its class: an outlier
FEWEST = 5  # segments of a class, below which nothing of it is called an outlier
NAMED = 12  # outliers with their numbers on the map, the farthest first
_MAD = 1.4826  # of a normal distribution: its standard deviation over its median absolute deviation
_COLUMNS = 4  # classes side by side
_MARKERS = "o^sDvP*X"  # of the sessions

Values = NDArray[np.float64]


def mean_and_spread(features: NDArray[np.uint8]) -> Values:
    """uint8[n, size] -> [2 * size]: mean and standard deviation of each feature; n > 0."""
    return np.concatenate([features.mean(axis=0), features.std(axis=0)])


@dataclass(frozen=True, eq=False)
class Described:
    """n segments, each of at least one window."""

    pieces: tuple[Piece, ...]  # in the order in which they were read
    windows: NDArray[np.int64]  # [n]
    values: Values  # [n, 2 * size]

    def of_class(self, label: int) -> tuple[Values, Values]:
        """Mean and standard deviation of each feature over all windows of a class, [size] each."""
        own = np.array([piece.label == label for piece in self.pieces])
        size = self.values.shape[1] // 2
        means, spreads = self.values[own, :size], self.values[own, size:]
        weights = self.windows[own] / self.windows[own].sum()
        mean = weights @ means
        return mean, np.sqrt(np.maximum(weights @ (spreads**2 + means**2) - mean**2, 0))


@dataclass(frozen=True, eq=False)
class Map:
    """Where each segment lies."""

    places: Values  # [n, 2]
    shares: tuple[float, float]  # of all differences that each direction has, 0..1
    outliers: tuple[tuple[int, float], ...]  # number and FAR's measure of each, the farthest first


def described(pipeline: HostPipeline, recordings: Iterable[Recording]) -> Described:
    """By the firmware's own front end; pieces shorter than a window are left out."""
    pieces, windows, rows = [], [], []
    for recording in recordings:
        for piece in recording.pieces:
            _, _, features = pipeline.features(recording.samples[piece.start : piece.end])
            if len(features):
                pieces.append(piece)
                windows.append(len(features))
                rows.append(mean_and_spread(features))
    values = np.array(rows, np.float64).reshape(-1, 2 * pipeline.spec.front_end.size)
    return Described(tuple(pieces), np.array(windows, np.int64), values)


def mapped(segments: Described) -> Map:
    """Principal components of the standardised values; at least one segment."""
    values = segments.values
    scaled = (values - values.mean(axis=0)) / np.maximum(values.std(axis=0), 1e-9)
    left, sizes, directions = np.linalg.svd(scaled, full_matrices=False)
    count = min(2, len(sizes))
    signs = np.sign([row[np.abs(row).argmax()] for row in directions[:count]])  # the same on every machine
    places = np.zeros((len(values), 2))
    places[:, :count] = left[:, :count] * sizes[:count] * signs
    total = max(float((sizes**2).sum()), 1e-9)
    first, second = (*(float(size) ** 2 / total for size in sizes[:count]), 0.0)[:2]
    return Map(places, (first, second), tuple(_outliers(scaled, segments.pieces)))


def _outliers(scaled: Values, pieces: Sequence[Piece]) -> list[tuple[int, float]]:
    found = []
    classes = np.array([piece.label for piece in pieces])
    for label in np.unique(classes):
        own = np.flatnonzero(classes == label)
        if len(own) < FEWEST:
            continue
        distances = np.sqrt(np.square(scaled[own] - np.median(scaled[own], axis=0)).sum(axis=1))
        middle = np.median(distances)
        width = _MAD * max(float(np.median(np.abs(distances - middle))), 1e-9)
        far = (distances - middle) / width
        found += [(int(own[at]), float(far[at])) for at in np.flatnonzero(far > FAR)]
    return sorted(found, key=lambda one: (-one[1], one[0]))


def draw(
    segments: Described,
    seen: Map,
    names: Sequence[str],
    sessions: Sequence[str],
    outliers: Sequence[str],
    *,
    file: Path,
) -> None:
    """Each class's mean and spread of the features above, the map below. names: of the classes. sessions: of
    each segment. outliers: a name of each. UserError where it cannot be written."""
    from matplotlib.figure import Figure

    shown = sorted({piece.label for piece in segments.pieces})
    columns = min(_COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    figure = Figure(figsize=(11, 1.9 * rows + 6.5), layout="constrained")
    halves: Any = figure.subfigures(2, 1, height_ratios=[1.9 * rows, 6.5])
    above, below = halves
    panels = above.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
    size = segments.values.shape[1] // 2
    whole = segments.windows @ segments.values[:, :size] / segments.windows.sum()
    for axes, label in zip(panels, shown, strict=False):
        mean, spread = segments.of_class(label)
        middle, colour = mean - whole, f"C{label}"
        axes.axhline(0, color="0.6", lw=1)
        axes.fill_between(np.arange(size), middle - spread, middle + spread, color=colour, alpha=0.25, lw=0)
        axes.plot(middle, color=colour)
        count = sum(piece.label == label for piece in segments.pieces)
        axes.set_title(f"{names[label]} ({count})", fontsize=10)
    for axes in panels[len(shown) :]:
        axes.axis("off")
    above.supylabel("steps of 255", fontsize=9)
    above.supxlabel("feature, from 0", fontsize=9)
    above.suptitle(
        "mean of each feature, less that of all sounds; shaded: its standard deviation", fontsize=10
    )
    _draw_map(below.add_subplot(), segments, seen, (names, sessions, outliers))
    save(figure, file)


def _draw_map(
    axes: Any, segments: Described, seen: Map, words: tuple[Sequence[str], Sequence[str], Sequence[str]]
) -> None:
    names, sessions, outliers = words
    kinds = sorted({*zip((piece.label for piece in segments.pieces), sessions, strict=True)})
    order = sorted(set(sessions))
    for label, session in kinds:
        own = [
            number
            for number, piece in enumerate(segments.pieces)
            if (piece.label, sessions[number]) == (label, session)
        ]
        axes.scatter(
            *seen.places[own].T,
            s=14,
            color=f"C{label}",
            marker=_MARKERS[order.index(session) % len(_MARKERS)],
            alpha=0.7,
            lw=0,
            label=f"{names[label]}, {session}" if session else names[label],
        )
    for rank, (number, _) in enumerate(seen.outliers[:NAMED], start=1):
        axes.plot(*seen.places[number], "o", ms=9, mfc="none", mec="black", mew=0.8)
        axes.annotate(f"{rank}", seen.places[number], (7, 4), textcoords="offset points", fontsize=8)
    listed = "\n".join(f"{rank} {name}" for rank, name in enumerate(outliers[:NAMED], start=1))
    axes.text(0.99, 0.01, listed, transform=axes.transAxes, ha="right", va="bottom", fontsize=7)
    for text, share in zip(("x", "y"), seen.shares, strict=True):
        getattr(axes, f"set_{text}label")(f"{100 * share:.0f} % of the differences")
    axes.set_title("a point a segment; those that sound alike lie together", fontsize=10)
    axes.legend(fontsize=8, markerscale=1.5)
