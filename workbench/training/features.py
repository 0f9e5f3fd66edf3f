# SPDX-License-Identifier: Apache-2.0
"""Feature vectors of pieces, made by the firmware's own C and kept in a cache.

A cached file holds the vectors of one recording. Its name is a hash of everything they come from: feature
contract, samples, pieces, augmentation and seed; so an interrupted training goes on where it was, and changed
settings never meet old features.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from codegen.app import spec
from codegen.app.spec import Layout
from workbench.host.arrays import DAMAGED, save_whole
from workbench.host.features import extract
from workbench.host.host_library import HostPipeline
from workbench.training.augment import altered
from workbench.training.pieces import Piece, Recording
from workbench.training.recipe import Augmentation
from workbench.workers import Here, Opened, Workers

NONE = Augmentation(copies=0)
Shape = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Vectors:
    """What a network is fitted to or tried on."""

    values: NDArray[np.uint8]  # [n, frames * cepstra]: oldest frame first
    labels: NDArray[np.int32]  # [n]

    def __len__(self) -> int:
        return len(self.labels)


def vectors(
    pipeline: HostPipeline,
    recordings: Iterable[Recording],
    cache: Path,
    how: Augmentation = NONE,
    seed: int = 0,
    *,
    background: Sequence[NDArray[np.int16]] = (),
    work: Work | None = None,
) -> Vectors:
    """All vectors of all pieces of the recordings, then of `how.copies` altered copies of each piece.

    background: sounds that are mixed into copies. work: who makes those that are not in the cache.
    """
    mixed = _hash(background) if how.background else ""
    made: dict[Path, Vectors] = {}
    order: list[Path] = []
    fresh: list[Path] = []

    def missing() -> Iterator[Recording]:
        for recording in recordings:
            file = cache / f"{_key(pipeline.contract, recording, how, seed, mixed)}.npz"
            order.append(file)
            known = _load(file)
            if known is not None:
                made[file] = known
            elif file not in fresh:
                fresh.append(file)
                yield recording

    task = partial(_make, how, seed, tuple(background) if mixed else ())
    work = work or Work(Here(Opened(None, pipeline)), 0)
    for number, one in enumerate(work.workers.map(task, missing(), work.count)):
        made[fresh[number]] = one
        save_whole(fresh[number], {"values": one.values, "labels": one.labels})
    return Vectors(
        np.concatenate([made[file].values for file in order]),
        np.concatenate([made[file].labels for file in order]),
    )


@dataclass(frozen=True)
class Work:
    """Who works, and on about how many recordings."""

    workers: Workers
    count: int


def pictures(values: NDArray[np.uint8], frames: int, layout: Layout) -> NDArray[np.uint8]:
    """Vectors, oldest frame first, in the order of the model's input tensor; uint8[n, size]."""
    if layout is not Layout.CEPSTRA_BY_FRAMES:
        return values
    turned = values.reshape(-1, frames, values.shape[1] // frames).transpose(0, 2, 1)
    return np.ascontiguousarray(turned).reshape(len(values), -1)


def tensor_shape(pipeline: spec.Pipeline, layout: Layout) -> Shape:
    """Rows and columns of the model's input tensor."""
    frames, cepstra = pipeline.cascade.frames, pipeline.front_end.size
    return (frames, cepstra) if layout is Layout.FRAMES_BY_CEPSTRA else (cepstra, frames)


def _make(
    how: Augmentation,
    seed: int,
    background: Sequence[NDArray[np.int16]],
    app: Opened,
    recording: Recording,
) -> Vectors:
    pipeline = app.pipeline
    values, labels = [], []
    for piece in recording.pieces:
        # A seed of the piece's own: its copies do not depend on which other pieces there are.
        random = RandomState(_seed(seed, recording.file.name, piece))
        sounds = [recording.samples[piece.start : piece.end]]
        sounds += [altered(recording.samples, piece, random, how, background) for _ in range(how.copies)]
        for sound in sounds:
            made = extract(pipeline, sound).vectors
            values.append(made)
            labels.append(np.full(len(made), piece.label, np.int32))
    return Vectors(np.concatenate(values), np.concatenate(labels))


def _seed(seed: int, name: str, piece: Piece) -> int:
    text = f"{seed} {name} {piece.start} {piece.end}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "little")


def _hash(sounds: Sequence[NDArray[np.int16]]) -> str:
    made = hashlib.sha256()
    for sound in sounds:
        made.update(len(sound).to_bytes(8, "little") + sound.tobytes())
    return made.hexdigest()


def _key(contract: str, recording: Recording, how: Augmentation, seed: int, mixed: str) -> str:
    content = {
        "contract": contract,
        "name": recording.file.name,
        "samples": hashlib.sha256(recording.samples.tobytes()).hexdigest(),
        "pieces": [(piece.start, piece.end, piece.label) for piece in recording.pieces],
        "augmentation": dataclasses.asdict(how) if how.copies else None,
        "seed": seed if how.copies else None,
        "background": mixed if how.copies else None,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]


def _load(file: Path) -> Vectors | None:
    """None where there is no such file, or it was cut short."""
    try:
        with np.load(file) as arrays:
            return Vectors(arrays["values"], arrays["labels"])
    except (OSError, *DAMAGED):
        return None
