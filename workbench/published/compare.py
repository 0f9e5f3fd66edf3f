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
from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from codegen.compile import App, load_app
from codegen.model.graph import Quantization
from workbench.audio.recording import read_audio
from workbench.host.features import open_pipeline
from workbench.importing.esphome import import_manifest
from workbench.profiling.profile import Profile, profile
from workbench.progress import progress, waiting
from workbench.protocol.lines import Decision, parse_line
from workbench.published.catalogue import Folders, Published
from workbench.published.publishers import PUBLISHERS, Publisher, Rows, Sounds
from workbench.targets import open_app
from workbench.verify.reference import ReferenceInterpreter

PLACE = ROOT / "build" / "published"  # apps are made here
QUIET = 1.5  # seconds without a detection after which the next is another one
Made = tuple[int, int, int]  # a decision: first sample of its segment, class, score
Detections = Counter[tuple[int, str]]


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
    """What was made of all sounds. Detections: how many, by the sound's number and the word."""

    sounds: int
    seconds: float
    published: Detections
    pc: Detections
    qemu: Detections
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
    UserError, NoReferenceError: what is there does not run.

    most: sounds of each pattern
    """
    publisher = PUBLISHERS[published.publisher]
    folder = make_app(published, folders.model(published))
    app = load_app(folder)
    pipeline = _pipeline(app)
    files = folders.sounds(published.sounds, most)
    sounds = [recording(file, pipeline) for file in files]
    with waiting(f"asking the publisher's code for the features of {len(sounds)} sounds"):
        rows = publisher.features(folders, sounds, _quantization(app))
    with waiting("running the model in the reference interpreter"):
        scores = published_scores(app, rows)
    made = heard(published, app, sounds, rows, scores)
    return Compared(app, publisher, made, profile(folder))


def recording(file: Path, pipeline: Pipeline) -> NDArray[np.int16]:
    """At least as long as one decision."""
    samples = read_audio(file, pipeline.audio.sample_rate, channel=1, options=False)
    least = pipeline.window.size + (pipeline.cascade.frames - 1) * pipeline.window.stride
    if len(samples) < least:
        raise UserError(
            f"has {len(samples):,} samples; a decision takes {least:,}",
            file=file,
            remedy="Take it out of the folders.",
        )
    return samples


def make_app(published: Published, model: Path) -> Path:
    """Its folder, made anew."""
    folder = PLACE / f"published_{published.name}"  # no app of the user has its build
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


def published_scores(app: App, rows: Sequence[Rows]) -> list[NDArray[np.int64]]:
    """[decisions, labels] of each sound, 0..255."""
    pipeline = _pipeline(app)
    frames, step = pipeline.cascade.frames, pipeline.cascade.step
    found = []
    with ReferenceInterpreter(app.spec.classifier.model, app.spec.classifier.reference) as model:
        for each in rows:
            inputs = np.array([each[at : at + frames] for at in range(0, len(each) - frames + 1, step)])
            outputs = model.run(inputs.reshape(len(inputs), -1), sequence=True)
            found.append(_bytes(outputs.reshape(len(inputs), -1)))
    return found


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
    quiet = round(QUIET * pipeline.audio.sample_rate / (pipeline.window.stride * pipeline.cascade.step))

    def events(number: int, classes: Sequence[int]) -> Detections:
        words = detections(classes, labels, published.words, quiet)
        return Counter({(number, word): count for word, count in words.items()})

    theirs, here, there = Detections(), Detections(), Detections()
    features = made_scores = decisions = NONE
    with open_app(app, "qemu") as device:
        everything = enumerate(zip(sounds, rows, scores, strict=True))
        for number, (samples, their_rows, their_scores) in progress(everything, len(sounds), "sounds"):
            host.reset()
            steps = list(host.steps(samples))
            decided = [step for step in steps if step.scores is not None]
            ours = [(step.segment_start, step.class_index, step.score) for step in decided]
            played = _played(device.replay(samples))
            theirs += events(number, decide(their_scores, pipeline.decision).tolist())
            here += events(number, [class_index for _, class_index, _ in ours])
            there += events(number, [class_index for _, class_index, _ in played])
            features += differing(their_rows, np.array([step.frame for step in steps]))
            made_scores += differing(
                their_scores, _bytes(np.array([step.scores for step in decided], np.int8))
            )
            decisions += _apart(ours, played)
    seconds = sum(len(samples) for samples in sounds) / pipeline.audio.sample_rate
    return Heard(len(sounds), seconds, theirs, here, there, features, made_scores, decisions)


def _apart(ours: Sequence[Made], played: Sequence[Made]) -> Differing:
    """Decisions of which one number or more differs; those that are not there do, too."""
    most = max(len(ours), len(played))
    return Differing(most, most - sum(one == other for one, other in zip(ours, played, strict=False)), 0)


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
