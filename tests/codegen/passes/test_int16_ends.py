# SPDX-License-Identifier: Apache-2.0
"""An app's model with 16-bit ends: features and decisions are what the reference makes of the file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from codegen.app.fit import check
from codegen.app.spec import Classifier, Rounding
from codegen.common.errors import UserError
from codegen.compile import compile_app
from codegen.emit.modes import mode_plan, mode_table
from codegen.model.graph import Graph
from codegen.passes.int16_ends import narrow_ends
from codegen.passes.legalise import load_graph
from tests.models.builder import PADDINGS, TYPES, Builder
from tests.support.apps import App
from tests.support.models_c import ModelsC
from tests.support.tools import need_target
from tests.support.tutorial import noises
from workbench.protocol.lines import Decision, Stage, parse_line
from workbench.targets import open_app
from workbench.verify.reference import ReferenceInterpreter

FRAMES, CEPSTRA, LABELS = 4, 6, 3
SIZE = FRAMES * CEPSTRA


@dataclass(frozen=True)
class Wide:
    """A convolution, a dense layer and perhaps a last one, all of 16 bits. scale: of the input"""

    input_: str = "int16"
    output: str = "int16"
    scale: float = 1 / 120  # of which 255 are less than 32,767
    last: str = "SOFTMAX"
    offset: int = 0
    rounding: Rounding = Rounding.NEAREST

    def write(self, path: Path) -> Path:
        """The model."""
        model = Builder()
        random = np.random.default_rng(5)
        shape = (1, FRAMES, CEPSTRA, 1)
        first = before = model.tensor(shape, "int16", self.scale, 0)
        if self.input_ == "float32":
            first = model.tensor(shape, "float32")
            model.operator("QUANTIZE", [first], [before])
        step = 0.01
        made = model.tensor((1, FRAMES, CEPSTRA, 2), "int16", 0.02, 0)
        weights = model.constant(random.integers(-127, 128, (2, 3, 3, 1), np.int8), step)
        bias = model.constant(random.integers(-500, 500, 2).astype(np.int64), self.scale * step)
        options = {"padding": PADDINGS["same"], "strideH": 1, "strideW": 1}
        model.operator("CONV_2D", [before, weights, bias], [made], options)
        inside = model.tensor((1, LABELS), "int16", 0.001, 0)
        weights = model.constant(random.integers(-127, 128, (LABELS, 2 * SIZE), np.int8), 0.00001)
        bias = model.constant(random.integers(-500, 500, LABELS).astype(np.int64), 0.02 * 0.00001)
        model.operator(
            "FULLY_CONNECTED", [made, weights, bias], [inside], {"quantizedBiasType": TYPES["int64"]}
        )
        end = inside
        if self.last:
            end = model.tensor((1, LABELS), "int16", 1 / 32768, 0)
            model.operator(self.last, [inside], [end], {"beta": 1.0} if self.last == "SOFTMAX" else None)
        if self.output == "float32":
            inside, end = end, model.tensor((1, LABELS), "float32")
            model.operator("DEQUANTIZE", [inside], [end])
        return model.write(path, [first], [end])

    def narrow(self, path: Path) -> Graph:
        """What an app computes."""
        classifier = Classifier(path, offset=self.offset, rounding=self.rounding)
        return narrow_ends(load_graph(self.write(path)), classifier)

    def entering(self, features: NDArray[np.uint8]) -> NDArray[Any]:
        """What TensorFlow feeds the model of the file for these features."""
        reals = features.astype(np.float32) - np.float32(self.offset)
        if self.input_ == "int16":
            quotients = [[Fraction(float(real)) / Fraction(self.exact) for real in row] for row in reals]
            rounded = [[self._whole(quotient) for quotient in row] for row in quotients]
            reals = np.clip(rounded, -32768, 32767).astype(np.int16)
        return reals.reshape(-1, FRAMES, CEPSTRA, 1)

    @property
    def exact(self) -> float:
        """The scale as the file has it."""
        return float(np.float32(self.scale))

    def _whole(self, quotient: Fraction) -> int:
        half = Fraction(1, 2) if self.rounding is Rounding.NEAREST else 0
        return (1 if quotient > 0 else -1) * int(abs(quotient) + half)

    def leaving(self, folder: Path, scores: NDArray[Any]) -> NDArray[np.int64]:
        """The int8 scores of an app that follow from those of the file: by TFLite's QUANTIZE."""
        scale = 1 / 32768 if self.last else float(np.float32(0.001))
        wide = np.rint(scores.astype(np.float64) / scale) if self.output == "float32" else scores
        model = Builder()
        x = model.tensor((1, LABELS), "int16", scale, 0)
        shares = self.last in ("SOFTMAX", "LOGISTIC")
        y = model.tensor((1, LABELS), "int8", 1 / 256 if shares else 256 * scale, -128 if shares else 0)
        model.operator("QUANTIZE", [x], [y])
        with ReferenceInterpreter(model.write(folder / "quantize.tflite", [x], [y])) as reference:
            found = reference.run(wide.astype(np.int16).reshape(-1, 1, LABELS))
        parts = wide.astype(np.float64) / (128 if shares else 256) - (128 if shares else 0)
        assert (
            np.abs(found.reshape(-1) - np.clip(parts, -128, 127).reshape(-1)).max() <= 0.52
        )  # rounded twice
        return found.astype(np.int64)


MODELS = (
    Wide(),
    Wide(offset=127, last=""),
    Wide("float32", "float32"),
    Wide("float32", "float32", scale=float(np.float32(2) / np.float32(3)), offset=100, last=""),
    Wide("int16", "float32", scale=0.00123, last="TANH"),  # most features saturate
    Wide("float32", "int16", scale=1.7, last="LOGISTIC"),
    Wide(scale=3.7, offset=255, rounding=Rounding.ZERO),
)


def features(seed: int) -> NDArray[np.uint8]:
    """[n, SIZE]: all 256 values somewhere."""
    every = np.resize(np.arange(256, dtype=np.uint8), (11, SIZE))
    return np.concatenate([every, np.random.default_rng(seed).integers(0, 256, (30, SIZE), np.uint8)])


@pytest.mark.parametrize("target", ["pc", "qemu"])
def test_the_scores_are_the_references(tmp_path: Path, target: str) -> None:
    need_target(target)
    paths = [tmp_path / f"{index}.tflite" for index in range(len(MODELS))]
    graphs = [wide.narrow(path) for wide, path in zip(MODELS, paths, strict=True)]
    rows = [features(index)[:: 1 if target == "pc" else 5] for index in range(len(MODELS))]
    inputs = [(each.astype(np.int16) - 128).astype(np.int8).reshape(-1, FRAMES, CEPSTRA, 1) for each in rows]
    found = ModelsC(graphs, target=target).run(inputs)
    with ReferenceInterpreter(paths[0]) as reference:
        for wide, path, graph, each, scores in zip(MODELS, paths, graphs, rows, found, strict=True):
            assert (graph.input.dtype, graph.output.dtype) == ("int8", "int8")
            assert (graph.input.file_dtype, graph.output.file_dtype) == (wide.input_, wide.output)
            reference.load(path)
            expected = wide.leaving(tmp_path, reference.run(wide.entering(each))).reshape(len(each), LABELS)
            assert len(np.unique(expected)) > 8, "few values hide differences"
            assert np.array_equal(expected, scores.reshape(len(each), LABELS)), wide


def test_scores_of_a_softmax_are_shares_and_others_keep_their_range(tmp_path: Path) -> None:
    for last, scale, zero_point in (("SOFTMAX", 1 / 256, -128), ("TANH", 1 / 128, 0), ("", 0.256, 0)):
        quantization = Wide(last=last).narrow(tmp_path / "model.tflite").output.quantization
        assert quantization is not None
        assert quantization.scale == pytest.approx(scale)
        assert quantization.zero_point == zero_point


def test_other_ends_stay(tmp_path: Path) -> None:
    model = Builder()
    x, y = model.tensor((1, 4), "int8", 0.1, 0), model.tensor((1, 4), "int8", 0.1, 0)
    model.operator("ABS", [x], [y])
    graph = load_graph(model.write(tmp_path / "model.tflite", [x], [y]))
    assert narrow_ends(graph, Classifier(tmp_path)) is graph


# --- an app ---


def app(tmp_path: Path, wide: Wide, more: str = "") -> Path:
    """Four frames of six cepstra; every window decides."""
    folder = tmp_path / "wide"
    folder.mkdir()
    wide.write(folder / "model.tflite")
    (folder / "pipeline.toml").write_text(
        f"[mfcc]\ncepstra = {CEPSTRA}\n[gate]\nthreshold = -1\n[cascade]\nframes = {FRAMES}\n{more}"
        f'[classifier]\nmodel = "model.tflite"\noffset = {wide.offset}\n'
        '[decision]\nlabels = ["a", "b", "c"]\nthreshold = 0.93\n'
    )
    return folder


@pytest.mark.parametrize("wide", [MODELS[0], MODELS[2]], ids=["int16", "float"])
def test_an_app_hears_and_decides_as_the_file_says(tmp_path: Path, wide: Wide) -> None:
    folder = app(tmp_path, wide)
    said = {}
    for target in ("pc", "qemu"):
        need_target(target)
        with open_app(folder, target) as device:
            device.command("stages on")
            said[target] = list(device.replay(noises(3, 4)))
    assert said["pc"] == said["qemu"]

    lines = [parse_line(line) for line in said["pc"]]
    stages = [line for line in lines if isinstance(line, Stage)]
    heard = np.array([line.values for line in stages if line.stage == "features"], np.uint8)
    scores = np.array([line.values for line in stages if line.stage == "scores"])
    rows = np.array([heard[end - FRAMES : end].reshape(-1) for end in range(FRAMES, len(heard) + 1)])
    assert len(scores) == len(rows) > 50
    with ReferenceInterpreter(folder / "model.tflite") as reference:
        expected = wide.leaving(tmp_path, reference.run(wide.entering(rows))).reshape(-1, LABELS)
    assert np.array_equal(expected, scores)
    assert len(np.unique(expected)) > 10

    decisions = [(line.class_index, line.score) for line in lines if isinstance(line, Decision)]
    best = expected.argmax(axis=1)
    largest = expected.max(axis=1)
    accepted = (largest + 128) * 100 >= 256 * 93  # a share of 0.93, exactly
    assert decisions == list(zip(np.where(accepted, best + 1, 0).tolist(), largest.tolist(), strict=True))
    assert {index for index, _ in decisions} > {0}


def test_why_it_is_computed_in_full_is_said(tmp_path: Path) -> None:
    table = mode_table(mode_plan(compile_app(app(tmp_path, MODELS[0]))))
    assert (
        "layer 0 (FEATURES): its values are int16, which are not kept row by row; padding, strides" in table
    )


def test_a_publishers_formula_is_of_bytes(tmp_path: Path) -> None:
    found = App(labels=("a", "b", "c"))
    spec = replace(
        found,
        cascade=replace(found.cascade, frames=FRAMES),
        mfcc=replace(found.mfcc, cepstra=CEPSTRA),
        scale=replace(found.scale, formula="micro_wake_word"),
    ).spec
    with pytest.raises(UserError, match="makes the bytes of a published model; the model's input has 16"):
        check(spec, MODELS[0].narrow(tmp_path / "model.tflite"))


def test_the_engine_tflm_runs_the_file_as_it_is(tmp_path: Path) -> None:
    spec = App(labels=("a", "b", "c")).spec
    tflm = replace(spec, classifier=replace(spec.classifier, engine="tflm"))
    with pytest.raises(UserError, match="is int16; a pipeline's is int8 where the engine is") as caught:
        check(tflm, load_graph(Wide("int16", "float32").write(tmp_path / "model.tflite")))
    assert 'Take engine = "aot"' in str(caught.value)
