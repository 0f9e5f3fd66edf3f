# SPDX-License-Identifier: Apache-2.0
"""The firmware's own C on the PC: libearshot.so of one app, numpy in and numpy out."""

from __future__ import annotations

import ctypes
import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from ctypes import POINTER, byref, c_bool, c_int16, c_int32, c_size_t, c_uint8, c_uint32, c_uint64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codegen.app import spec as app_spec
from workbench.host.structs import ModelStruct, PipelineStruct, StepStruct

EVERY_WINDOW = {"threshold": -1, "delay": 0}  # settings of a gate that every window passes


@dataclass(frozen=True, eq=False)
class HostStep:
    """One window through every stage; arrays are copies."""

    sequence: int  # from 0
    start: int  # position of the window's first sample
    gate_open: bool
    values: NDArray[np.int32]  # [size], as the front end leaves them
    features: NDArray[np.uint8]  # [size]
    frame: NDArray[np.int8]  # [size]
    decided: bool
    input: NDArray[np.int8] | None  # [frames * size], the tensor; None unless a full run decided
    scores: NDArray[np.int8] | None  # the model's output; None unless decided
    class_index: int  # 0: Unknown, or not decided
    score: int  # what was compared with the threshold: the largest one, or the error
    segment_start: int  # first sample of the oldest window of the decision
    segment_length: int


class EngineError(RuntimeError):
    """The engine returned an error: a defect, not a user's mistake."""


def _pointer(array: NDArray[Any]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


class HostModel:
    """model_t: tensors in the model's own types, as bytes."""

    def __init__(self, model: ModelStruct) -> None:
        self._model = model
        self.input_size: int = model.input_size
        self.output_size: int = model.output_size
        self.incremental = bool(model.advance) and bool(model.finish)
        self.catch_up: int = model.catch_up
        error = model.start()
        if error:
            raise EngineError(f"model_t.start returned {error}")

    def reset(self) -> None:
        """Forgets streaming state and history."""
        self._model.reset()

    def run(self, tensor: NDArray[Any]) -> NDArray[np.uint8]:
        """A whole input, any type, input_size bytes -> the output's bytes."""
        given = np.ascontiguousarray(tensor)
        if given.nbytes != self.input_size:
            raise ValueError(f"{given.nbytes} bytes for an input of {self.input_size}")
        # The runtime may read words: buffers of its own alignment, whatever slice the caller has.
        source, result = _aligned(self.input_size), _aligned(self.output_size)
        source[:] = given.reshape(-1).view(np.uint8)
        error = self._model.run(_pointer(source), _pointer(result))
        if error:
            raise EngineError(f"model_t.run returned {error}")
        return result

    def advance(self, frame: NDArray[np.int8]) -> None:
        """One frame more; int8[size]."""
        self._model.advance(_pointer(np.ascontiguousarray(frame, dtype=np.int8)))

    def finish(self) -> NDArray[np.uint8]:
        """The output after the frames so far."""
        result = _aligned(self.output_size)
        self._model.finish(_pointer(result))
        return result


def _copy(pointer: Any, count: int) -> Any:
    """The values that a pointer of the C points to; None where it is NULL."""
    return np.ctypeslib.as_array(pointer, (count,)).copy() if pointer else None


def _aligned(size: int, alignment: int = 16) -> NDArray[np.uint8]:
    """`size` bytes at a multiple of `alignment`."""
    room = np.zeros(size + alignment, np.uint8)
    skip = -room.ctypes.data % alignment
    return room[skip : skip + size]


class HostPipeline:
    """pipeline_t: samples in, steps out; and its two halves. The order of the stages is the C's."""

    def __init__(
        self, library: ctypes.CDLL, pipeline: PipelineStruct, spec: app_spec.Pipeline, scores: int
    ) -> None:
        self._library = library
        self._pipeline = pipeline
        self._scores = scores
        self.spec = spec
        self.contract: str = pipeline.feature_contract.decode()
        self.sample_rate: int = pipeline.sample_rate
        library.pipeline_push.restype = c_size_t
        library.pipeline_step.restype = c_bool
        library.pipeline_features.restype = c_bool
        library.pipeline_classify.restype = None
        library.pipeline_segment_start.restype = c_uint64
        library.pipeline_segment_length.restype = c_uint32
        library.window_push.restype = c_size_t
        library.window_next.restype = POINTER(c_int16)
        library.gate_step.restype = c_bool
        for setter in (
            "decision_set_threshold",
            "decision_set_votes",
            "gate_set_threshold",
            "gate_set_backoff",
            "gate_set_delay",
        ):
            getattr(library, setter).restype = c_bool
        self.start()

    def start(self) -> None:
        """Settings of the build come back, everything is empty."""
        error = self._library.pipeline_start(byref(self._pipeline))
        if error:
            raise EngineError(f"pipeline_start returned {error}")

    def reset(self) -> None:
        """Everything is empty, sequence and sample count start from 0; live settings stay."""
        self._library.pipeline_reset(byref(self._pipeline))

    def steps(self, samples: NDArray[np.int16]) -> Iterator[HostStep]:
        """Takes all samples; one step for each window they complete."""
        return (self._step(raw) for raw in self._windows(samples, self._library.pipeline_step))

    def _windows(self, samples: NDArray[np.int16], run: Any) -> Iterator[StepStruct]:
        """Takes all samples; `run` is the C function that each window they complete is given to."""
        given = np.ascontiguousarray(samples, dtype=np.int16)
        taken = 0
        raw = StepStruct()
        while taken < given.size:
            rest = given[taken:]
            taken += int(
                self._library.pipeline_push(byref(self._pipeline), _pointer(rest), c_size_t(rest.size))
            )
            while run(byref(self._pipeline), byref(raw)):
                yield raw

    def _step(self, raw: StepStruct) -> HostStep:
        if raw.error:
            raise EngineError(f"the engine returned {raw.error} at window {raw.sequence}")
        size, frames = self.spec.front_end.size, self.spec.cascade.frames
        return HostStep(
            sequence=raw.sequence,
            start=raw.start,
            gate_open=raw.gate_open,
            values=_copy(raw.values, size),
            features=_copy(raw.features, size),
            frame=_copy(raw.frame, size),
            decided=raw.decided,
            input=_copy(raw.input, frames * size) if raw.decided else None,
            scores=_copy(raw.scores, self._scores) if raw.decided else None,
            class_index=raw.verdict.class_index if raw.decided else 0,
            score=raw.verdict.score if raw.decided else 0,
            segment_start=self._library.pipeline_segment_start(byref(self._pipeline), byref(raw)),
            segment_length=self._library.pipeline_segment_length(byref(self._pipeline)),
        )

    def features(
        self, samples: NDArray[np.int16]
    ) -> tuple[NDArray[np.int32], NDArray[np.bool_], NDArray[np.uint8]]:
        """pipeline_features() of a whole recording: window, gate, front end and scale, without classifying.

        Returns values int32[n, size], gate open bool[n], features uint8[n, size] of its n windows.
        The pipeline is reset before and after.
        """
        self.reset()
        count = self.spec.front_end.size
        windows = [
            (_copy(raw.values, count), bool(raw.gate_open), _copy(raw.features, count))
            for raw in self._windows(samples, self._library.pipeline_features)
        ]
        self.reset()
        return (
            np.array([values for values, _, _ in windows], np.int32).reshape(-1, count),
            np.array([gate_open for _, gate_open, _ in windows], np.bool_),
            np.array([features for _, _, features in windows], np.uint8).reshape(-1, count),
        )

    def peaks(self, samples: NDArray[np.int16]) -> NDArray[np.int64]:
        """Largest |sample| of each window, 0..32768: after [audio] dc_block, as the gate is given them.

        The pipeline is reset before and after.
        """
        self.reset()
        given = np.ascontiguousarray(samples, dtype=np.int16)
        window = ctypes.c_void_p(self._pipeline.window)
        size, start, taken = self.spec.window.size, c_uint64(), 0
        peaks = []
        while taken < given.size:
            rest = given[taken:]
            taken += int(self._library.window_push(window, _pointer(rest), c_size_t(rest.size)))
            whole = self._library.window_next(window, byref(start))
            if whole:
                values = np.ctypeslib.as_array(whole, (size,))
                peaks.append(max(int(values.max()), -int(values.min())))
        self.reset()
        return np.array(peaks, np.int64)

    def passing(self, peaks: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which windows pass gate_step(), by the largest |sample| of each, 0..32768.

        The pipeline is reset before and after.
        """
        self.reset()
        gate, step = ctypes.c_void_p(self._pipeline.gate), self._library.gate_step
        windows = np.asarray(-peaks, np.int16)  # of one sample each: -32768 is the largest there is
        first, width = windows.ctypes.data, windows.itemsize
        passes = [
            bool(step(gate, ctypes.c_void_p(first + width * index), c_size_t(1)))
            for index in range(len(windows))
        ]
        self.reset()
        return np.array(passes, np.bool_)

    def classify(self, features: NDArray[np.uint8]) -> list[tuple[int, int]]:
        """pipeline_classify() of uint8[n, size]: cascade, classifier and decision, the gate open.

        Returns (class index, largest score) of each decision. The pipeline is reset before and after.
        """
        return [(index, int(scores.max())) for _, index, scores in self.decide(features)]

    def decide(
        self, features: NDArray[np.uint8], gate: NDArray[np.bool_] | None = None
    ) -> list[tuple[int, int, NDArray[np.int8] | NDArray[np.int32]]]:
        """pipeline_classify() of uint8[n, size], the gate of each window as bool[n] says, or open.

        Returns (index of the window, class index, scores int8[labels]) of each decision; of an anomaly
        the error, int32[1]. The pipeline is reset before and after.
        """
        self.reset()
        decisions = []
        rows = np.ascontiguousarray(features, dtype=np.uint8)
        for window, row in enumerate(rows):
            gate_open = gate is None or bool(gate[window])
            raw = StepStruct(gate_open=gate_open, features=row.ctypes.data_as(POINTER(c_uint8)))
            self._library.pipeline_classify(byref(self._pipeline), byref(raw))
            if raw.error:
                raise EngineError(f"the engine returned {raw.error}")
            if raw.decided:
                scores = (
                    np.array([raw.verdict.score], np.int32)
                    if self.spec.decision.kind is app_spec.Kind.ANOMALY
                    else _copy(raw.scores, self._scores)
                )
                decisions.append((window, int(raw.verdict.class_index), scores))
        self.reset()
        return decisions

    def set_threshold(self, limit: int) -> None:
        """All labels accept from this score on until start()."""
        decision = ctypes.c_void_p(self._pipeline.decision)
        for label in range(len(self.spec.decision.labels)):
            if not self._library.decision_set_threshold(decision, c_size_t(label), c_int32(limit)):
                raise ValueError(f"a score limit of {limit}")

    def open_gate(self) -> None:
        """Every window passes, until start()."""
        gate = ctypes.c_void_p(self._pipeline.gate)
        for name, value in EVERY_WINDOW.items():
            if not getattr(self._library, f"gate_set_{name}")(gate, c_int32(value)):
                raise ValueError(f"a gate {name} of {value}")

    def configure(self, threshold: int, backoff: int, limits: Sequence[int], votes: int) -> None:
        """The gate's threshold and back-off, the score from which each label is accepted, and how many
        decisions vote, until start()."""
        gate, decision = (ctypes.c_void_p(one) for one in (self._pipeline.gate, self._pipeline.decision))
        taken = [
            self._library.gate_set_threshold(gate, c_int32(threshold)),
            self._library.gate_set_backoff(gate, c_int32(backoff)),
            self._library.decision_set_votes(decision, c_int32(votes)),
        ]
        for label, limit in enumerate(limits):
            taken.append(self._library.decision_set_threshold(decision, c_size_t(label), c_int32(limit)))
        if not all(taken):
            raise ValueError(f"gate {threshold}, {backoff}; limits {limits}; votes {votes}")


_loaded: dict[str, bytes] = {}  # path of a library -> hash of the file that this process has loaded from it


def _load(path: Path) -> ctypes.CDLL:
    """The library as the file is now. The system gives the one that was loaded from a path before, whatever
    was built there since: a file that has changed is loaded from a copy."""
    name = str(path.resolve())
    content = path.read_bytes()
    digest = hashlib.sha256(content).digest()
    if _loaded.setdefault(name, digest) == digest:
        return ctypes.CDLL(name)
    with tempfile.NamedTemporaryFile(prefix="earshot_", suffix=".so") as copy:
        copy.write(content)
        copy.flush()
        return ctypes.CDLL(copy.name)  # which stays when the file goes


class HostLibrary:
    """libearshot.so of an app. One state a file: two objects on one path share it, where nothing was built
    there in between."""

    def __init__(self, path: Path, spec: app_spec.Spec) -> None:
        self._library = _load(path)
        self.spec = spec
        self.model = HostModel(ModelStruct.in_dll(self._library, f"{spec.name}_model"))
        self.pipeline: HostPipeline | None = None
        if spec.pipeline is not None:
            pipeline = PipelineStruct.in_dll(self._library, f"{spec.name}_pipeline")
            self.pipeline = HostPipeline(self._library, pipeline, spec.pipeline, self.model.output_size)
