# SPDX-License-Identifier: Apache-2.0
"""One published model: its publisher's code, this computer's build and an emulated core, side by side."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codegen.app.spec import Pipeline
from codegen.app.spec_file import FILE_NAME
from codegen.common.paths import ROOT
from codegen.compile import App, load_app
from codegen.model.graph import Quantization
from workbench.audio.recording import read_audio
from workbench.host.features import open_pipeline
from workbench.importing.esphome import import_manifest
from workbench.profiling.profile import Profile, profile
from workbench.progress import progress, waiting
from workbench.protocol.lines import Decision, parse_line
from workbench.published.catalogue import AbsentError, Folders, Published
from workbench.published.publishers import PUBLISHERS, Publisher, Rows, Sounds
from workbench.targets import open_app
from workbench.verify.reference import NoReferenceError, ReferenceInterpreter

PLACE = ROOT / "build" / "published"  # apps are made here
QUIET = 1.5  # seconds without a detection after which the next is another one
Made = tuple[int, int, int]  # a decision: first sample of its segment, class, score


@dataclass(frozen=True)
class Differing:
    """Of so many values those that differ, and by how much at most."""

    compared: int
    differing: int
    largest: int

    def __add__(self, other: Differing) -> Differing:
        return Differing(
            self.compared + other.compared,
            self.differing + other.differing,
            max(self.largest, other.largest),
        )


NONE = Differing(0, 0, 0)


@dataclass(frozen=True)
class Heard:
    """What was made of all sounds. detections: of each word; by qemu: None where it was not asked"""

    sounds: int
    seconds: float
    published: Counter[str]
    pc: Counter[str]
    qemu: Counter[str]
    features: Differing  # of this computer from the publisher's
    scores: Differing
    decisions: Differing  # of the emulated core from this computer: segment, class, score


@dataclass(frozen=True)
class Compared:
    """A model's row."""

    app: App
    publisher: Publisher
    heard: Heard
    profile: Profile


def compare(published: Published, folders: Folders, most: int | None) -> Compared:
    """Builds the app, plays its sounds and counts. AbsentError where something is not in the folders.

    most: sounds of each pattern
    """
    publisher = PUBLISHERS[published.publisher]
    folder = make_app(published, folders.model(published))
    app = load_app(folder)
    pipeline = _pipeline(app)
    files = folders.sounds(published.sounds, most)
    sounds = [read_audio(file, pipeline.audio.sample_rate, channel=1) for file in files]
    with waiting(f"asking the publisher's code for the features of {len(sounds)} sounds"):
        rows = publisher.features(folders, sounds, _quantization(app))
    with waiting("running the model in the reference interpreter"):
        scores = published_scores(publisher, app, rows)
    made = heard(published, app, sounds, rows, scores)
    return Compared(app, publisher, made, profile(folder))


def make_app(published: Published, model: Path) -> Path:
    """Its folder, made anew."""
    folder = PLACE / published.name
    if published.manifest is not None:
        manifest = {key: published.manifest[key] for key in ("wake_word",)}
        rest = {key: value for key, value in published.manifest.items() if key not in manifest}
        data = {"type": "micro", "version": 2, **manifest, "model": model.name, "micro": rest}
        shutil.rmtree(folder, ignore_errors=True)
        import_manifest(model.parent / f"{published.name}.json", data, folder)
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(ROOT / published.pipeline, folder / FILE_NAME)
    shutil.copyfile(model, folder / "model.tflite")
    return folder


def _pipeline(app: App) -> Pipeline:
    assert app.spec.pipeline is not None
    return app.spec.pipeline


def _quantization(app: App) -> Quantization:
    assert app.graph.input.quantization is not None
    return app.graph.input.quantization


def _hop(pipeline: Pipeline) -> int:
    """Windows from decision to decision."""
    return pipeline.cascade.every if pipeline.cascade.slide else pipeline.cascade.frames


def published_scores(publisher: Publisher, app: App, rows: Sequence[Rows]) -> list[NDArray[np.int64]]:
    """[decisions, labels] of each sound, 0..255."""
    pipeline = _pipeline(app)
    frames, hop = pipeline.cascade.frames, _hop(pipeline)
    try:
        with ReferenceInterpreter(app.spec.classifier.model, publisher.interpreter) as model:
            found = []
            for each in rows:
                inputs = np.array([each[at : at + frames] for at in range(0, len(each) - frames + 1, hop)])
                outputs = model.run(inputs.reshape(len(inputs), -1), sequence=True)
                found.append(_bytes(outputs.reshape(len(inputs), -1)))
            return found
    except NoReferenceError as error:
        raise AbsentError(str(error)) from None


def _bytes(scores: NDArray[np.generic]) -> NDArray[np.int64]:
    """int8 or uint8 as 0..255."""
    return scores.astype(np.int64) + (128 if scores.dtype == np.int8 else 0)


def heard(
    published: Published,
    app: App,
    sounds: Sounds,
    rows: Sequence[Rows],
    scores: Sequence[NDArray[np.int64]],
) -> Heard:
    """Plays the sounds; rows and scores are the publisher's, of each."""
    pipeline = _pipeline(app)
    host = open_pipeline(app.spec)
    labels, decide = pipeline.decision.labels, PUBLISHERS[published.publisher].decide
    quiet = round(QUIET * pipeline.audio.sample_rate / (pipeline.window.stride * _hop(pipeline)))

    def events(classes: Sequence[int]) -> Counter[str]:
        return detections(classes, labels, published.words, quiet)

    theirs, here, there = Counter[str](), Counter[str](), Counter[str]()
    features = made_scores = decisions = NONE
    with open_app(app, "qemu") as device:
        everything = zip(sounds, rows, scores, strict=True)
        for samples, their_rows, their_scores in progress(everything, len(sounds), "sounds"):
            host.reset()
            steps = list(host.steps(samples))
            decided = [step for step in steps if step.scores is not None]
            ours = [(step.segment_start, step.class_index, step.score) for step in decided]
            played = _played(device.replay(samples))
            theirs += events(decide(their_scores, pipeline.decision).tolist())
            here += events([class_index for _, class_index, _ in ours])
            there += events([class_index for _, class_index, _ in played])
            features += differing(their_rows, np.array([step.frame for step in steps]))
            made_scores += differing(
                their_scores, _bytes(np.array([step.scores for step in decided], np.int8))
            )
            decisions += differing(np.array(ours), np.array(played))
    seconds = sum(len(samples) for samples in sounds) / pipeline.audio.sample_rate
    return Heard(len(sounds), seconds, theirs, here, there, features, made_scores, decisions)


def _played(lines: Iterator[str]) -> list[Made]:
    made = (parse_line(line) for line in lines)
    return [(one.segment_start, one.class_index, one.score) for one in made if isinstance(one, Decision)]


def detections(
    classes: Sequence[int], labels: Sequence[str], words: Sequence[str], quiet: int
) -> Counter[str]:
    """How often each word was heard: once as long as it is heard again within `quiet` decisions."""
    found: Counter[str] = Counter()
    last: dict[str, int] = {}
    for place, class_index in enumerate(classes):
        label = labels[class_index - 1] if class_index else ""
        if label in words:
            found[label] += label not in last or place - last[label] > quiet
            last[label] = place
    return found


def differing(expected: NDArray[np.generic], found: NDArray[np.generic]) -> Differing:
    """Values that are not there at all differ, too."""
    count = min(len(expected), len(found))
    most = max(expected.size, found.size)
    if not count:
        return Differing(most, most, 0)
    apart = np.abs(expected[:count].astype(np.int64) - found[:count].astype(np.int64))
    return Differing(most, int((apart != 0).sum()) + most - apart.size, int(apart.max()))
