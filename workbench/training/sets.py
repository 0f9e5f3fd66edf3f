"""Which recordings are learnt from, which watch the training, and which are only tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from codegen.app.spec import Layout
from codegen.common.errors import UserError
from workbench.audio.synthesize import write_session
from workbench.data.labels import Segment, of_session, read_labels
from workbench.host.host_library import Pipeline
from workbench.progress import progress
from workbench.training.features import NONE, Vectors, pictures, vectors
from workbench.training.front_end import FOLDER
from workbench.training.pieces import Piece, Recording, cut, recordings, shortest, split
from workbench.training.recipe import Recipe

SEEDS = 1_000_000  # synthetic sounds of training: seeds that the command synthesize does not take
LEARNT = ("training", "synthetic")  # the sets that are fitted to, and augmented


@dataclass(frozen=True)
class Set:
    """Pieces of one purpose, and the label file's segments they come from."""

    name: str  # "training", "validation", "test", "synthetic"
    pieces: tuple[Piece, ...]
    segments: tuple[Segment, ...]

    def recordings(self, sample_rate: int) -> Iterator[Recording]:
        """Read one by one, with progress."""
        files = len({piece.file for piece in self.pieces})
        return progress(recordings(self.pieces, self.segments, sample_rate), files, f"{self.name} recordings")

    def vectors(self, pipeline: Pipeline, layout: Layout, recipe: Recipe) -> Vectors:
        """Features as the network's input holds them; of what is learnt from also those of altered copies."""
        frames = pipeline.spec.cascade.frames
        if not self.pieces:
            size = frames * pipeline.spec.mfcc.cepstra
            return Vectors(np.zeros((0, size), np.uint8), np.zeros(0, np.int32))
        made = vectors(
            pipeline,
            self.recordings(pipeline.sample_rate),
            FOLDER / "features" / pipeline.contract,
            recipe.augmentation if self.name in LEARNT else NONE,
            recipe.fit.seed,
        )
        return Vectors(pictures(made.values, frames, layout), made.labels)


def make_sets(pipeline: Pipeline, recipe: Recipe, labels: Path, say: Callable[[str], None]) -> list[Set]:
    """training, validation; test where the labels have that session; synthetic where the recipe wants it."""
    names, least, rate = pipeline.spec.decision.labels, shortest(pipeline.spec), pipeline.sample_rate
    segments = read_labels(labels, rate)

    def pieces(chosen: tuple[Segment, ...]) -> tuple[Piece, ...]:
        return cut(chosen, names, recipe.data.segment, least)

    own = of_session(segments, recipe.data.train_session, labels)
    training, validation = split(pieces(own), recipe.data.validation, recipe.fit.seed)
    missing = [name for index, name in enumerate(names) if all(piece.label != index for piece in training)]
    if missing:
        raise UserError(
            f"there is nothing to learn {', '.join(missing)} from",
            file=labels,
            remedy="Every label of pipeline.toml needs segments in the training session.",
        )
    sets = [Set("training", training, own), Set("validation", validation, own)]
    if any(segment.session == recipe.data.test_session for segment in segments):
        test = of_session(segments, recipe.data.test_session, labels)
        both = sorted({segment.group for segment in own} & {segment.group for segment in test})
        if both:
            say(
                f"Warning: {', '.join(both)}: in both sessions. The figures of the test session will flatter."
            )
        sets.append(Set("test", pieces(test), test))
    if recipe.data.synthetic:
        seed = SEEDS + recipe.fit.seed % 50_000  # four thousand times that is still a seed of 32 bits
        made = read_labels(write_session(FOLDER / "synthetic", seed, recipe.data.synthetic), rate)
        sets.append(Set("synthetic", pieces(made), made))
    return sets
