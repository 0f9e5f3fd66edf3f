"""One training from beginning to end: recordings, recipe -> model.tflite and what it is worth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codegen.contract import feature_contract
from codegen.errors import UserError
from codegen.spec import Spec
from workbench.features import open_pipeline
from workbench.labels import Segment, of_session, read_labels
from workbench.library import Pipeline
from workbench.progress import progress
from workbench.synthesize import write_session
from workbench.training import convert, fit
from workbench.training.confusion import Confusion, confusion
from workbench.training.evaluation import of_vectors
from workbench.training.features import NONE, Vectors, pictures, vectors
from workbench.training.front_end import FOLDER, front_end
from workbench.training.pieces import Piece, Recording, cut, recordings, shortest, split
from workbench.training.recipe import Augmentation, Recipe

Say = Callable[[str], None]
SEEDS = 1_000_000  # synthetic sounds of training: seeds that the command synthesize does not take


@dataclass(frozen=True)
class Trained:
    """What came out. `float_` is the network before its conversion, `int8` the firmware's own code."""

    model: Path
    contract: str
    pieces: dict[str, int]  # set -> pieces
    vectors: dict[str, int]  # set -> vectors
    float_: dict[str, Confusion]  # set -> its decisions
    int8: dict[str, Confusion]

    def object(self) -> dict[str, Any]:
        """For --json and the report."""
        return {
            "model": str(self.model),
            "contract": self.contract,
            "pieces": self.pieces,
            "vectors": self.vectors,
            "float": {name: table.object() for name, table in self.float_.items()},
            "int8": {name: table.object() for name, table in self.int8.items()},
        }


@dataclass(frozen=True)
class _Set:
    """Pieces of one purpose, and the label file's segments they come from."""

    pieces: tuple[Piece, ...]
    segments: tuple[Segment, ...]

    def recordings(self, sample_rate: int, what: str) -> Iterator[Recording]:
        """Read one by one, with progress."""
        files = len({piece.file for piece in self.pieces})
        return progress(recordings(self.pieces, self.segments, sample_rate), files, what)


def train(app: Path, recipe: Recipe, labels: Path, say: Say) -> Trained:
    """Trains the app's model, writes it with its feature contract beside it. UserError on unusable input."""
    spec, pipeline = front_end(app, convert.stand_in)
    names, frames, layout = (
        pipeline.spec.decision.labels,
        pipeline.spec.cascade.frames,
        spec.classifier.layout,
    )
    shape = pictures(np.zeros((1, frames * pipeline.spec.mfcc.cepstra), np.uint8), frames, layout)[1]
    _check_shape(recipe, shape)
    sets = _sets(spec, recipe, labels, pipeline.sample_rate)
    made = {}
    for name, chosen in sets.items():
        values = _vectors(pipeline, chosen, recipe, name)
        made[name] = Vectors(pictures(values.values, frames, layout)[0], values.labels)
        say(f"{name:<10} {len(chosen.pieces):6} pieces {len(values):8} vectors")

    learnt = [made[name] for name in ("training", "synthetic") if name in made]
    training = Vectors(
        np.concatenate([part.values for part in learnt]), np.concatenate([part.labels for part in learnt])
    )
    task = fit.Task(training, made["validation"], shape, names)
    network = fit.fit(recipe, task, lambda epoch: say(_told(epoch, recipe)))
    say(f"{network.count_params()} parameters; converting to int8")
    content = convert.to_int8(network, spec.classifier.offset, training.values, shape, recipe.fit.seed)
    model = app_folder(app) / spec.classifier.model.relative_to(spec.file.parent)
    _write(model, content, feature_contract(spec))

    float_: dict[str, Confusion] = {}
    int8: dict[str, Confusion] = {}
    say("compiling it, and deciding with the firmware's own code")
    trained = open_pipeline(app)
    for name in ("validation", "test"):
        if name not in made or len(made[name]) == 0:
            continue
        decided = _decided(fit.logits(network, made[name].values, shape), spec)
        float_[name] = confusion(names, zip(made[name].labels.tolist(), decided, strict=True))
        int8[name] = of_vectors(trained, sets[name].recordings(trained.sample_rate, name))
    return Trained(
        model,
        trained.contract,
        {name: len(chosen.pieces) for name, chosen in sets.items()},
        {name: len(chosen) for name, chosen in made.items()},
        float_,
        int8,
    )


def app_folder(app: Path) -> Path:
    """Where pipeline.toml is."""
    return app.absolute() if app.is_dir() else app.absolute().parent


def _sets(spec: Spec, recipe: Recipe, labels: Path, sample_rate: int) -> dict[str, _Set]:
    """training, validation; test where the labels have that session; synthetic where the recipe wants it."""
    assert spec.pipeline is not None
    names, least = spec.pipeline.decision.labels, shortest(spec.pipeline)
    segments = read_labels(labels, sample_rate)

    def cut_session(chosen: tuple[Segment, ...]) -> tuple[Piece, ...]:
        return cut(chosen, names, recipe.data.segment, least)

    own = of_session(segments, recipe.data.train_session, labels)
    training, validation = split(cut_session(own), recipe.data.validation, recipe.fit.seed)
    missing = [name for index, name in enumerate(names) if all(piece.label != index for piece in training)]
    if missing:
        raise UserError(
            f"there is nothing to learn {', '.join(missing)} from",
            file=labels,
            remedy="Every label of pipeline.toml needs segments in the training session.",
        )
    sets = {"training": _Set(training, own), "validation": _Set(validation, own)}
    if any(segment.session == recipe.data.test_session for segment in segments):
        test = of_session(segments, recipe.data.test_session, labels)
        both = {segment.group for segment in own} & {segment.group for segment in test}
        if both:
            sessions = f"{recipe.data.train_session} and {recipe.data.test_session}"
            raise UserError(
                f"{sorted(both)[0]} is in both sessions, {sessions}",
                file=labels,
                remedy="A test on an author that was trained on proves little: move one of them.",
            )
        sets["test"] = _Set(cut_session(test), test)
    if recipe.data.synthetic:
        folder = FOLDER / "synthetic"
        seed = SEEDS + recipe.fit.seed % 50_000  # four thousand times that is still a seed of 32 bits
        made = read_labels(write_session(folder, seed, recipe.data.synthetic), sample_rate)
        sets["synthetic"] = _Set(cut_session(made), made)
    return sets


def _vectors(pipeline: Pipeline, chosen: _Set, recipe: Recipe, name: str) -> Vectors:
    if not chosen.pieces:
        size = pipeline.spec.cascade.frames * pipeline.spec.mfcc.cepstra
        return Vectors(np.zeros((0, size), np.uint8), np.zeros(0, np.int32))
    how: Augmentation = recipe.augmentation if name in ("training", "synthetic") else NONE
    cache = FOLDER / "features" / pipeline.contract
    return vectors(
        pipeline, chosen.recordings(pipeline.sample_rate, f"{name} features"), cache, how, recipe.fit.seed
    )


def _check_shape(recipe: Recipe, shape: tuple[int, int]) -> None:
    """Each 'valid' convolution takes kernel - 1 rows and columns."""
    left = min(shape) - len(recipe.network.convolutions) * (recipe.network.kernel - 1)
    if left < 1:
        raise UserError(
            f"{len(recipe.network.convolutions)} convolutions of {recipe.network.kernel} x "
            f"{recipe.network.kernel} leave nothing of {shape[0]} x {shape[1]} features",
            file=recipe.file,
            place="[network]",
            remedy="Take fewer convolutions, or a smaller kernel.",
        )


def _told(epoch: fit.Epoch, recipe: Recipe) -> str:
    text = f"epoch {epoch.number:3} of {recipe.fit.epochs}   loss {epoch.loss:.3f}"
    return text if epoch.accuracy is None else f"{text}   validation {100 * epoch.accuracy:5.1f} %"


def _decided(outputs: NDArray[np.float32], spec: Spec) -> list[int]:
    """Class indices as a device would report them: the largest logit's, where its threshold accepts."""
    assert spec.pipeline is not None
    thresholds = spec.pipeline.decision.thresholds
    chances = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    best = chances.argmax(axis=1)
    return [
        int(label) + 1 if chance >= float(thresholds[label]) else 0
        for label, chance in zip(best, chances.max(axis=1), strict=True)
    ]


def _write(model: Path, content: bytes, contract: str) -> None:
    """The model and, beside it, the contract of the features it was trained on; each whole or not at all."""
    for file, text in ((model, content), (model.with_suffix(".contract"), f"{contract}\n".encode())):
        part = file.with_name(f"{file.name}.part")
        part.write_bytes(text)
        part.replace(file)
