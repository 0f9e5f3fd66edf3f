# SPDX-License-Identifier: Apache-2.0
"""Features of recordings, made by the firmware's own C: what training, `features` and `inspect` use."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from codegen.app import spec as app_spec
from codegen.app.spec import Spec
from codegen.app.spec_file import load_spec
from codegen.app.tables.decision import Score, score_of
from codegen.common.errors import UserError
from codegen.passes.app_ends import computed_graph
from codegen.passes.legalise import load_for
from workbench.build import build
from workbench.host.host_library import HostLibrary, HostPipeline

NO_FEATURES = (
    "is a bare model: it has no features",
    "Add [decision] with labels and threshold to its pipeline.toml.",
)


@dataclass(frozen=True, eq=False)
class Features:
    """Of one recording with n windows and m = max(0, n - frames + 1) vectors."""

    values: NDArray[np.int32]  # [n, size], of the front end: of the MFCC 4096 times Kaldi's
    gate: NDArray[np.bool_]  # [n], the window passes the gate
    scaled: NDArray[np.uint8]  # [n, size], 0..255
    vectors: NDArray[
        np.uint8
    ]  # [m, frames * size]: oldest frame first, its values inner; whatever the gate says
    window: NDArray[np.int32]  # [m], index of a vector's newest window
    contract: str  # the feature contract, 16 hex digits


def listening_spec(app: Path, *, several: bool = False) -> tuple[Spec, app_spec.Pipeline]:
    """The spec of an app and its pipeline; UserError for a bare model. several: classifiers are allowed"""
    spec = load_spec(app, several=several)
    if spec.pipeline is None:
        raise UserError(NO_FEATURES[0], file=app, remedy=NO_FEATURES[1])
    return spec, spec.pipeline


def app_score(spec: Spec) -> Score:
    """What the scores of an app with a pipeline mean. The build refuses a model whose ends have no scales."""
    graph = computed_graph(spec, load_for(spec.classifier.engine, spec.classifier.model))
    input_, output = graph.input.quantization, graph.output.quantization
    assert spec.pipeline is not None
    assert input_ is not None
    assert output is not None
    return score_of(spec.pipeline.decision.kind, input_, output)


def open_pipeline(app: Path | Spec, build_dir: Path | None = None) -> HostPipeline:
    """The PC build of an app with a pipeline, brought up to date in build/ or `build_dir`."""
    spec = listening_spec(app)[0] if isinstance(app, Path) else app
    library = build("pc", spec, build_dir).library
    assert library is not None
    pipeline = HostLibrary(library, spec).pipeline
    assert pipeline is not None
    return pipeline


def extract(pipeline: HostPipeline, samples: NDArray[np.int16]) -> Features:
    """Features of a recording, int16[samples]; of one shorter than a window, none."""
    values, gate, scaled = pipeline.features(samples)
    frames = pipeline.spec.cascade.frames
    count = max(0, len(scaled) - frames + 1)
    vectors = np.zeros((0, frames * scaled.shape[1]), np.uint8)
    if count:
        # The view is [m, size, frames]; a vector is frame after frame.
        views = sliding_window_view(scaled, frames, axis=0)
        vectors = np.ascontiguousarray(views.transpose(0, 2, 1)).reshape(count, -1)
    window = np.arange(count, dtype=np.int32) + np.int32(frames - 1)
    return Features(values, gate, scaled, vectors, window, pipeline.contract)
