# SPDX-License-Identifier: Apache-2.0
"""What an app decides on labelled recordings, by the firmware's own integer code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codegen.app.spec import Decision as DecisionSpec
from codegen.app.spec import Pipeline
from codegen.common.errors import UserError
from codegen.common.protocol import THRESHOLD
from workbench.host.host_library import HostPipeline
from workbench.protocol.lines import Decision, Stage, parse_line
from workbench.targets import PC, Device, open_target
from workbench.targets.restored import with_settings
from workbench.training.confusion import UNCERTAIN, Confusion, confusion
from workbench.training.events import Played, Truth
from workbench.training.pieces import Piece, Recording, shortest
from workbench.workers import Opened

Integers = NDArray[np.int8] | NDArray[np.int32] | NDArray[np.int64]
Pair = tuple[int, int]  # truth: index of a label; decision: class index, or UNCERTAIN


@dataclass(frozen=True, eq=False)
class Stream:
    """A whole recording played into an image."""

    file: Path
    played: Played
    scores: NDArray[np.int64]  # [n] the largest one of each decision
    pairs: tuple[Pair, ...]  # of each vector that lies within a segment

    @property
    def name(self) -> str:
        """Of the recording."""
        return self.file.name

    def first_difference(self, other: Stream) -> int | None:
        """Sample at which another image's decisions begin to differ, scores too; None where none does."""
        columns = [np.stack([one.played.starts, one.played.classes, one.scores]) for one in (self, other)]
        both = min(column.shape[1] for column in columns)
        differing = np.flatnonzero((columns[0][:, :both] != columns[1][:, :both]).any(axis=0))
        if len(differing):
            return int(min(column[0, differing[0]] for column in columns))
        longer = max(columns, key=lambda column: column.shape[1])
        return int(longer[0, both]) if longer.shape[1] > both else None


@dataclass(frozen=True)
class DecidedPiece:
    """The decisions of one piece of sound, a vector after the other."""

    piece: Piece
    pairs: tuple[Pair, ...]


def decided_pieces(
    pipeline: HostPipeline, recordings: Iterable[Recording], limits: Sequence[int]
) -> Iterator[DecidedPiece]:
    """Every vector of every piece is decided, as in training: each piece on its own, the gate left out.

    limits: the score from which each label is accepted."""
    voted = _voted_alone(pipeline.spec.decision, pipeline.spec.decision.votes)
    for recording in recordings:
        for piece in recording.pieces:
            _, _, features = pipeline.features(recording.samples[piece.start : piece.end])
            made = _at_every_window(pipeline, features)
            pairs = ((piece.label, _decided(own, scores, limits, voted=voted)) for _, own, scores in made)
            yield DecidedPiece(piece, tuple(pairs))


def vector_pairs(
    limits: Sequence[int], threshold: int | None, app: Opened, recording: Recording
) -> list[Pair]:
    """The decisions of decided_pieces, one after the other. threshold: of all labels; None: the app's own."""
    pipeline = app.pipeline
    pipeline.start()  # a cluster's worker keeps it open from one command to the next
    if threshold is not None:
        pipeline.set_threshold(threshold)
    return [pair for one in decided_pieces(pipeline, [recording], limits) for pair in one.pairs]


def _at_every_window(pipeline: HostPipeline, features: NDArray[np.uint8]) -> list[tuple[int, int, Integers]]:
    """HostPipeline.decide() of a piece, at those windows, too, that `[cascade] every` leaves out.

    With the first frame several times in front other windows have their turn.
    """
    cascade = pipeline.spec.cascade
    made: list[tuple[int, int, Integers]] = []
    for before in range(cascade.every):
        own = np.concatenate([np.repeat(features[:1], before, axis=0), features])
        heard = np.arange(len(own)) >= before + cascade.frames - 1  # the cascade holds the piece alone
        made += [(window - before, label, scores) for window, label, scores in pipeline.decide(own, heard)]
    return sorted(made, key=lambda one: one[0])


@dataclass(frozen=True)
class Model:
    """Of several in an image, the one whose decisions are looked at. name: "" where it is the only one"""

    number: int = 0
    name: str = ""

    def key(self, setting: str) -> str:
        """A setting of its own, as the status line names it."""
        return f"{self.name}.{setting}" if self.name else setting


ONLY = Model()


def play(
    pipeline: Pipeline, device: Device, recordings: Iterable[Recording], model: Model = ONLY
) -> Iterator[Stream]:
    """Whole recordings are played into an image as a microphone would, gate and all.

    A vector within a segment that was not decided since the gate was shut is one decided Unknown: nothing was
    reported. A recording without pieces is background.
    """
    status = device.status()
    limits = [status[model.key(f"{THRESHOLD}.{label}")] for label in pipeline.decision.labels]
    voted = _voted_alone(pipeline.decision, status[model.key("decision.votes")])
    uneven = voted and len(set(limits)) > 1  # whose limit it was only its scores tell
    device.command("stages on" if uneven else "stages off")
    span = shortest(pipeline)
    for recording in recordings:
        starts, classes, scores = _replayed(device, recording, limits, model, voted=voted)
        truths = tuple(Truth(piece.start, piece.end, piece.label) for piece in recording.pieces)
        played = Played(len(recording.samples), truths, starts, span, classes, not truths)
        pairs = _within(pipeline, played)
        yield Stream(recording.file, played, scores, tuple(pairs))


def played_here(
    pipeline: Pipeline, settings: Mapping[str, int], model: Model, app: Opened, recording: Recording
) -> Stream:
    """A recording played into the app's image on the computer that works, with these settings."""
    with open_target(PC, app.image) as device, with_settings(device, settings):
        (made,) = play(pipeline, device, [recording], model)
    return made


def _replayed(
    device: Device, recording: Recording, limits: Sequence[int], model: Model, *, voted: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """First sample, class index and largest score of each decision."""
    rows = []
    own: NDArray[np.int64] | None = None  # the scores of the decision that comes next, where stages are on
    for line in map(parse_line, device.replay(recording.samples)):
        if not isinstance(line, Stage | Decision) or line.model_number != model.number:
            continue
        if isinstance(line, Stage) and line.stage == "scores":
            own = np.array(line.values, np.int64)
        elif isinstance(line, Decision):
            known = np.full(len(limits), line.score, np.int64) if own is None else own
            rows.append(
                (line.segment_start, _decided(line.class_index, known, limits, voted=voted), line.score)
            )
    table = np.array(rows, np.int64).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2]


def _within(pipeline: Pipeline, played: Played) -> Iterator[Pair]:
    """Decisions within each truth, and Unknown for those that the gate kept from being made."""
    stride, frames = pipeline.window.stride, pipeline.cascade.frames
    for truth in played.truths:
        inside = (played.starts >= truth.start) & (played.starts + played.span <= truth.end)
        made = played.classes[inside].tolist()
        first, last = -(-truth.start // stride), (truth.end - played.span) // stride
        turns = ((window + frames) // pipeline.cascade.every for window in (last, first - 1))
        vectors = max(0, next(turns) - next(turns))
        if not pipeline.cascade.slide:
            vectors = (vectors + frames - 1) // frames if vectors else 0
        made += [0] * max(0, vectors - len(made))
        yield from ((truth.label, class_index) for class_index in made)


def _voted_alone(decision: DecisionSpec, votes: int) -> bool:
    """Whether votes are all that can make Unknown of a score that reaches its threshold: a mean is compared
    with it in place of the score, and after a detection decisions are suppressed."""
    return votes > 1 and decision.mean == 1 and decision.suppress == 0


def _decided(class_index: int, scores: Integers, limits: Sequence[int], *, voted: bool) -> int:
    """The class index; UNCERTAIN where the best score was accepted, but has no majority (`_voted_alone`)."""
    if voted and class_index == 0 and scores.max() >= limits[int(scores.argmax())]:
        return UNCERTAIN
    return class_index


def counted(labels: Sequence[str], pairs: Sequence[Pair]) -> Confusion:
    """A table of them. UserError where there are none."""
    if not pairs:
        raise UserError(
            "not one decision was made",
            remedy="Every segment is shorter than a decision: label longer stretches.",
        )
    return confusion(labels, pairs)
