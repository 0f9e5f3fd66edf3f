# SPDX-License-Identifier: Apache-2.0
"""Which recordings are learnt from, which watch the training, and which are only tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codegen.app.spec import Layout
from codegen.common.errors import UserError
from workbench.audio.recording import Reader, read_audio
from workbench.audio.synthesize import write_session
from workbench.data.labels import Segment, of_session, read_labels
from workbench.data.query import Condition, chosen
from workbench.host.host_library import HostPipeline
from workbench.progress import progress
from workbench.training.chosen import left_out
from workbench.training.confusion import UNKNOWN_CLASS
from workbench.training.features import NONE, Vectors, Work, pictures, vectors
from workbench.training.front_end import FOLDER
from workbench.training.pieces import (
    Piece,
    Recording,
    cut,
    fold_of_groups,
    recordings,
    shortest,
    split,
    split_in_time,
)
from workbench.training.recipe import Recipe
from workbench.workers import Workers

SEEDS = 1_000_000  # synthetic sounds of training: seeds that the command synthesize does not take
MIXED = 2000  # sounds of the class unknown at most, for altered copies
LEARNT = ("training", "synthetic")  # the sets that are fitted to, and augmented

NONE_WANTED = "No validation: training.toml wants none. The last epoch is kept."
NO_VALIDATION = (
    "No validation: 0 pieces. No class can spare a whole author or recording, so nothing watches the "
    "training, and the last epoch is kept."
)


@dataclass(frozen=True)
class Labelled:
    """Where the labelled recordings are, and how they are read."""

    labels: Path  # a label file, or a folder of label tracks
    test: Path | None = None  # one of its own for the test set
    read: Reader = read_audio
    resampled: bool = False  # `read` resamples: sample numbers count at each recording's own rate
    conditions: tuple[Condition, ...] = ()  # of `labels` only the segments that meet them

    def segments(self, sample_rate: int) -> tuple[Segment, ...]:
        """Of `labels`."""
        found = read_labels(self.labels, sample_rate, resampled=self.resampled)
        return chosen(found, self.conditions, self.labels)


@dataclass(frozen=True)
class Set:
    """Pieces of one purpose, and the label file's segments they come from."""

    name: str  # "training", "validation", "test", "synthetic"
    pieces: tuple[Piece, ...]
    segments: tuple[Segment, ...]
    read: Reader = read_audio

    def recordings(self, sample_rate: int) -> Iterator[Recording]:
        """Read one by one, with progress."""
        files = len({piece.file for piece in self.pieces})
        read = recordings(self.pieces, self.segments, sample_rate, self.read)
        return progress(read, files, f"{self.name} recordings")

    def vectors(
        self,
        pipeline: HostPipeline,
        layout: Layout,
        recipe: Recipe,
        background: Sequence[NDArray[np.int16]] = (),
        workers: Workers | None = None,
    ) -> Vectors:
        """Features as the network's input holds them; of what is learnt from also those of altered copies,
        into which `background` is mixed. workers: who makes them."""
        frames = pipeline.spec.cascade.frames
        if not self.pieces:
            size = frames * pipeline.spec.front_end.size
            return Vectors(np.zeros((0, size), np.uint8), np.zeros(0, np.int32))
        made = vectors(
            pipeline,
            self.recordings(pipeline.sample_rate),
            FOLDER / "features" / pipeline.contract,
            recipe.augmentation if self.name in LEARNT else NONE,
            recipe.fit.seed,
            background=background,
            work=None if workers is None else Work(workers, len({piece.file for piece in self.pieces})),
        )
        return Vectors(pictures(made.values, frames, layout), made.labels)


def make_sets(
    pipeline: HostPipeline, recipe: Recipe, labelled: Labelled, say: Callable[[str], None]
) -> list[Set]:
    """training, validation; test where there is one; synthetic where the recipe wants it.

    The test set is the label file of its own where one is given, else the test session of the labels. Where
    no label has a session, the recipe's share of each class is held back: whole authors, or recordings where
    no author is named; of one recording alone its end.
    """
    names, least, rate = pipeline.spec.decision.labels, shortest(pipeline.spec), pipeline.sample_rate
    data, seed, read = recipe.data, recipe.fit.seed, labelled.read
    segments = labelled.segments(rate)

    def pieces(own: Sequence[Segment]) -> tuple[Piece, ...]:
        return cut(own, names, data.segment, least, say)

    sessions = any(segment.session for segment in segments)
    own = of_session(segments, data.train_session, labelled.labels) if sessions else segments
    if sessions and (left := left_out(segments)):
        say(f"{left}.")
    learnt, test_segments = pieces(own), own
    test: tuple[Piece, ...] = ()
    if labelled.test is not None:
        test_segments = read_labels(labelled.test, rate, resampled=labelled.resampled)
        test = pieces(test_segments)
    elif any(segment.session == data.test_session for segment in segments):
        test_segments = of_session(segments, data.test_session, labelled.labels)
        test = pieces(test_segments)
    elif not sessions:
        learnt, test = _held_back(learnt, data.test, seed, say)
    if test_segments is not own:
        _warn_of_both(own, test_segments, say)
    training, validation = split(learnt, data.validation, seed)
    remedy = "Every label of pipeline.toml needs segments in the training session."
    _check_learnt(training, names, labelled, remedy)
    sets = [Set("training", training, own, read), Set("validation", validation, own, read)]
    if not validation:
        say(NO_VALIDATION if data.validation else NONE_WANTED)
    if test:
        sets.append(Set("test", test, test_segments, read))
    for one in sets[1:]:
        absent = [name for index, name in enumerate(names) if all(p.label != index for p in one.pieces)]
        if one.pieces and absent:
            say(f"The {one.name} set has no sound of {', '.join(absent)}.")
    return [*sets, *_synthetic(recipe, names, least, rate, say)]


def make_folds(
    pipeline: HostPipeline, recipe: Recipe, labelled: Labelled, count: int, say: Callable[[str], None]
) -> list[dict[str, Set]]:
    """The sets of a cross-validation by name: of each fold training, validation, test; synthetic where the
    recipe wants it. Each author or recording is tried in one fold, and learnt from in the others.

    The test session stays shut: where the labels have sessions, all folds are of the training session.
    UserError where a class, or the whole, has too few authors or recordings for it.
    """
    names, rate, data = pipeline.spec.decision.labels, pipeline.sample_rate, recipe.data
    least, seed, read = shortest(pipeline.spec), recipe.fit.seed, labelled.read
    segments = labelled.segments(rate)
    sessions = any(segment.session for segment in segments)
    own = of_session(segments, data.train_session, labelled.labels) if sessions else segments
    pieces = cut(own, names, data.segment, least, say)
    groups = len({piece.group for piece in pieces})
    if groups < count:
        raise UserError(
            f"{count} folds take {count} authors or recordings, and there are {groups}",
            file=labelled.labels,
            remedy="Take fewer folds: --folds 2 at least.",
        )
    for index, name in enumerate(names):
        of_class = {piece.group for piece in pieces if piece.label == index}
        if len(of_class) < 2:
            raise UserError(
                f"{name} is of {len(of_class)} authors or recordings: where it is tried, nothing is left to "
                "learn it from",
                file=labelled.labels,
                remedy="Record it with at least two people, or leave --folds away.",
            )
    fold_of = fold_of_groups(pieces, count, seed)
    made = _synthetic(recipe, names, least, rate, say)
    folds = []
    for number in range(count):
        learnt = [piece for piece in pieces if fold_of[piece.group] != number]
        test = tuple(piece for piece in pieces if fold_of[piece.group] == number)
        training, validation = split(learnt, data.validation, seed)
        remedy = "Take fewer folds, [data] validation = 0, or recordings of more people."
        _check_learnt(training, names, labelled, remedy)
        sets = [Set("training", training, own, read), Set("validation", validation, own, read)]
        sets += [Set("test", test, own, read), *made]
        folds.append({one.name: one for one in sets})
    return folds


def _check_learnt(training: Sequence[Piece], names: Sequence[str], labelled: Labelled, remedy: str) -> None:
    """UserError where a class has no piece that is learnt from."""
    missing = [name for index, name in enumerate(names) if all(piece.label != index for piece in training)]
    if missing:
        raise UserError(
            f"there is nothing to learn {', '.join(missing)} from", file=labelled.labels, remedy=remedy
        )


def _synthetic(
    recipe: Recipe, names: Sequence[str], least: int, rate: int, say: Callable[[str], None]
) -> list[Set]:
    """The set of synthesised sounds, where the recipe wants it."""
    if not recipe.data.synthetic:
        return []
    seed = SEEDS + recipe.fit.seed % 50_000  # four thousand times that is still a seed of 32 bits
    made = read_labels(write_session(FOLDER / "synthetic", seed, recipe.data.synthetic), rate)
    return [Set("synthetic", cut(made, names, recipe.data.segment, least, say), made)]


def held_back(pipeline: HostPipeline, recipe: Recipe, labelled: Labelled) -> tuple[Segment, ...]:
    """The segments of the authors or recordings that the recipe holds back to watch the training; the model
    has not learnt from them. UserError where there are none, or where it is not known which they are: without
    sessions they depend on whether the training had a test set of its own, which labelled.test must then be.
    """
    if labelled.test is None and recipe.data.test:
        segments = labelled.segments(pipeline.sample_rate)
        if not any(segment.session for segment in segments):
            raise UserError(
                "no segment has a session: what the model has not learnt from depends on the --test that its "
                "training had",
                file=labelled.labels,
                remedy="Give the same one: --test LABELS. Had it none, leave --held-back out, or give the "
                "segments sessions (train, test) and train again.",
            )
    alone = replace(recipe, data=replace(recipe.data, synthetic=0))
    validation = make_sets(pipeline, alone, labelled, lambda _: None)[1]
    groups = {piece.group for piece in validation.pieces}
    if not groups:
        raise UserError(
            "the training holds nothing back: [data] validation is 0, or no class can spare an author",
            file=recipe.file,
            remedy="Name a session that the model has not learnt from: --session tuning.",
        )
    return tuple(segment for segment in validation.segments if segment.group in groups)


def background_of(
    recipe: Recipe, training: Set, names: Sequence[str], sample_rate: int
) -> tuple[NDArray[np.int16], ...]:
    """What is mixed into altered copies: the pieces of the class named unknown that are learnt from, or MIXED
    of them drawn at random; nothing where the recipe mixes none. UserError where the app has no such class.
    """
    if not recipe.augmentation.background or not recipe.augmentation.copies:
        return ()
    if UNKNOWN_CLASS not in names:
        raise UserError(
            f"sounds of the class {UNKNOWN_CLASS} are mixed into copies, and the app has no such label",
            file=recipe.file,
            place="[augmentation] background",
            remedy=f"Leave it out, or name the class of all other sounds {UNKNOWN_CLASS}.",
        )
    own = [piece for piece in training.pieces if names[piece.label] == UNKNOWN_CLASS]
    if len(own) > MIXED:
        drawn = np.random.RandomState(recipe.fit.seed).choice(len(own), MIXED, replace=False)
        own = [own[index] for index in sorted(drawn.tolist())]
    read = recordings(own, training.segments, sample_rate, training.read)
    return tuple(one.samples[piece.start : piece.end] for one in read for piece in one.pieces)


def _held_back(
    pieces: tuple[Piece, ...], share: float, seed: int, say: Callable[[str], None]
) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """What is learnt from, and the test set, of labels without sessions."""
    if not share:
        say("No label has a session, and training.toml holds nothing back: there is no test set.")
        return pieces, ()
    learnt, test = split(pieces, share, seed)
    if test:
        groups = len({piece.group for piece in test})
        say(
            f"No label has a session: {groups} of {len({piece.group for piece in pieces})} authors or "
            f"recordings are held back as the test set."
        )
        return learnt, test
    say(
        f"No label has a session, and no class can spare a whole author or recording: the last "
        f"{100 * share:g} % of each class are held back as the test set. Its figures will flatter."
    )
    return split_in_time(pieces, share)


def _warn_of_both(own: Sequence[Segment], test: Sequence[Segment], say: Callable[[str], None]) -> None:
    both = sorted({segment.group for segment in own} & {segment.group for segment in test})
    if both:
        say(f"Warning: {', '.join(both)}: in both sessions. The figures of the test session will flatter.")
