# SPDX-License-Identifier: Apache-2.0
"""An app's model with float or uint8 ends: its int8 gives what the reference makes of the file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from codegen.app.fit import check
from codegen.app.spec import Rounding
from codegen.app.tables.quantize import float_table, quantize_table
from codegen.common.errors import UserError
from codegen.model.graph import Graph
from codegen.passes.int8_ends import int8_ends
from codegen.passes.legalise import load_graph
from tests.models.builder import Builder
from tests.support.apps import App
from tests.support.models_c import ModelsC
from workbench.verify.reference import ReferenceInterpreter

FRAMES, CEPSTRA, LABELS = 4, 6, 3
SIZE = FRAMES * CEPSTRA
TIE = float(np.float32(2) / np.float32(3))  # 1 / TIE is a half in float32, and none exactly


@dataclass(frozen=True)
class Ends:
    """A dense layer between ends. scale, zero: of the input; outer: scale of a uint8 input, else the same."""

    input_: str
    output: str
    scale: float = 1.0
    zero: int = -128
    outer: float | None = None
    outer_score: float | None = None
    reshaped: bool = False  # the ends have another shape than the layer
    offset: int = 0

    def write(self, path: Path) -> Path:
        """The model."""
        model = Builder()
        random = np.random.default_rng(5)
        score, score_zero = 0.11, 9
        shape = (1, FRAMES, CEPSTRA, 1) if self.reshaped else (1, SIZE)
        first, last = self._inwards(model, shape)
        if self.reshaped:
            flat = model.tensor((1, SIZE), "int8", self.scale, self.zero)
            model.operator("RESHAPE", [last, model.constant(np.array([1, SIZE], np.int32))], [flat])
            last = flat
        step = score / (self.scale * 1500)  # of the weights: scores use their range
        weights = model.constant(random.integers(-127, 128, (LABELS, SIZE), np.int8), step)
        bias = model.constant(random.integers(-500, 500, LABELS, np.int32), self.scale * step)
        inside = model.tensor((1, LABELS), "int8", score, score_zero)
        model.operator("FULLY_CONNECTED", [last, weights, bias], [inside])
        end = self._outwards(model, inside, score, score_zero)
        return model.write(path, [first], [end])

    def _inwards(self, model: Builder, shape: tuple[int, ...]) -> tuple[int, int]:
        if self.input_ == "int8":
            first = model.tensor(shape, "int8", self.scale, self.zero)
            return first, first
        if self.input_ == "float32":
            first = before = model.tensor(shape, "float32")
            if self.reshaped:
                before = model.tensor((1, CEPSTRA, FRAMES), "float32")
                to = model.constant(np.array([1, CEPSTRA, FRAMES], np.int32))
                model.operator("RESHAPE", [first, to], [before])
                shape = (1, CEPSTRA, FRAMES)
        else:
            first = before = model.tensor(shape, "uint8", self.outer or self.scale, self.zero + 128)
        inside = model.tensor(shape, "int8", self.scale, self.zero)
        model.operator("QUANTIZE", [before], [inside])
        return first, inside

    def _outwards(self, model: Builder, inside: int, score: float, zero: int) -> int:
        if self.output == "int8":
            return inside
        if self.output == "uint8":
            end = model.tensor((1, LABELS), "uint8", self.outer_score or score, zero + 128)
            model.operator("QUANTIZE", [inside], [end])
            return end
        end = model.tensor((1, LABELS), "float32")
        model.operator("DEQUANTIZE", [inside], [end])
        if self.reshaped:
            flat = model.tensor((1, 1, LABELS), "float32")
            model.operator("RESHAPE", [end, model.constant(np.array([1, 1, LABELS], np.int32))], [flat])
            return flat
        return end


MODELS = (
    Ends("float32", "float32"),
    Ends("float32", "float32", scale=TIE, zero=-20, offset=127),
    Ends("float32", "uint8", scale=0.37, zero=3, reshaped=True),
    Ends("float32", "float32", scale=2.3, zero=-77, reshaped=True),
    Ends("uint8", "uint8"),
    Ends("uint8", "uint8", scale=1.3, zero=-128, outer=1.0, outer_score=0.23),
    Ends("uint8", "int8", scale=0.8, zero=-5, offset=127),
    Ends("int8", "float32"),
    Ends("int8", "int8"),
)


def features(seed: int) -> NDArray[np.uint8]:
    """[n, SIZE]: all 256 values somewhere."""
    random = np.random.default_rng(seed)
    return np.concatenate(
        [np.resize(np.arange(256, dtype=np.uint8), (11, SIZE)), random.integers(0, 256, (30, SIZE), np.uint8)]
    )


def entering(ends: Ends, tensor_shape: tuple[int, ...], rows: NDArray[np.uint8]) -> NDArray[Any]:
    """What TensorFlow feeds the model of the file for these features."""
    reals = rows.astype(np.float32) - np.float32(ends.offset)
    if ends.input_ != "float32":
        scale = np.float64(np.float32(ends.outer or ends.scale if ends.input_ == "uint8" else ends.scale))
        quotient = reals / scale
        whole = np.sign(quotient) * np.floor(np.abs(quotient) + 0.5) + ends.zero
        shift = 128 if ends.input_ == "uint8" else 0
        reals = (np.clip(whole, -128, 127) + shift).astype(ends.input_)
    return reals.reshape(-1, *tensor_shape[1:])


def test_the_int8_between_gives_the_bits_of_the_reference(tmp_path: Path) -> None:
    paths = [ends.write(tmp_path / f"{index}.tflite") for index, ends in enumerate(MODELS)]
    files = [load_graph(path) for path in paths]
    graphs = [int8_ends(graph) for graph in files]
    for graph in graphs:
        assert (graph.input.dtype, graph.output.dtype) == ("int8", "int8")
    models = ModelsC(graphs)
    rows = [features(index) for index in range(len(MODELS))]
    inputs = []
    for ends, graph, each in zip(MODELS, graphs, rows, strict=True):
        quantization = graph.input.quantization
        assert quantization is not None
        table = (
            float_table(ends.offset, quantization.scale, quantization.zero_point)
            if graph.input.file_dtype == "float32"
            else quantize_table(ends.offset, quantization.scale, quantization.zero_point, Rounding.NEAREST)
        )
        inputs.append(np.array(table, np.int8)[each].reshape(-1, *graph.input.shape[1:]))
    found = models.run(inputs)
    with ReferenceInterpreter(paths[0]) as reference:
        for ends, path, file, graph, each, scores in zip(
            MODELS, paths, files, graphs, rows, found, strict=True
        ):
            reference.load(path)
            expected = reference.run(entering(ends, file.input.shape, each)).reshape(len(each), LABELS)
            assert len(np.unique(expected)) > 20, "few values hide differences"
            assert np.array_equal(expected, as_in_file(ends, graph, scores.reshape(len(each), LABELS))), ends


def as_in_file(ends: Ends, graph: Graph, scores: NDArray[np.int8]) -> NDArray[np.generic]:
    """The app's int8 scores as the model of the file gives them."""
    quantization = graph.output.quantization
    assert quantization is not None
    if ends.output == "float32":
        return (quantization.scale * (scores.astype(np.float64) - quantization.zero_point)).astype(np.float32)
    return scores if ends.output == "int8" else (scores.astype(np.int16) + 128).astype(np.uint8)


def test_a_change_of_type_alone_leaves_no_layer(tmp_path: Path) -> None:
    for ends, layers in ((MODELS[0], 1), (MODELS[4], 1), (MODELS[5], 3)):
        graph = int8_ends(load_graph(ends.write(tmp_path / "model.tflite")))
        assert len(graph.nodes) == layers, ends


def test_int8_ends_stay_as_they_are(tmp_path: Path) -> None:
    graph = load_graph(MODELS[-1].write(tmp_path / "model.tflite"))
    assert int8_ends(graph) is graph


def test_a_float_quotient_that_float32_rounds_to_a_half() -> None:
    """1 / TIE in float32 is 1.5, which becomes 2; exactly it is a little less."""
    assert Fraction(1) / Fraction(TIE) < Fraction(3, 2)
    assert float_table(0, TIE, 0)[1] == 2
    assert quantize_table(0, TIE, 0, Rounding.NEAREST)[1] == 1


def app(rounding: Rounding = Rounding.NEAREST) -> App:
    found = App(labels=("a", "b", "c"), rounding=rounding)
    return replace(
        found,
        cascade=replace(found.cascade, frames=FRAMES),
        mfcc=replace(found.mfcc, cepstra=CEPSTRA),
    )


@pytest.mark.parametrize("ends", MODELS[:8], ids=str)
def test_an_app_takes_them(tmp_path: Path, ends: Ends) -> None:
    check(app().spec, int8_ends(load_graph(ends.write(tmp_path / "model.tflite"))))


def test_the_engine_tflm_refuses_them_with_the_way_out(tmp_path: Path) -> None:
    spec = app().spec
    tflm = replace(spec, classifier=replace(spec.classifier, engine="tflm"))
    with pytest.raises(
        UserError, match='is uint8; a pipeline\'s is int8 where the engine is "tflm"'
    ) as caught:
        check(tflm, load_graph(Ends("uint8", "int8").write(tmp_path / "model.tflite")))
    assert 'Take engine = "aot"' in (caught.value.remedy or "")


def test_rounding_of_a_model_that_takes_floats_is_its_own(tmp_path: Path) -> None:
    graph = int8_ends(load_graph(MODELS[0].write(tmp_path / "model.tflite")))
    with pytest.raises(UserError, match='is "zero", but the model takes floats') as caught:
        check(app(rounding=Rounding.ZERO).spec, graph)
    assert caught.value.place == "[classifier] rounding"


def test_a_uint8_end_that_two_layers_read_is_refused(tmp_path: Path) -> None:
    model = Builder()
    x = model.tensor((1, SIZE), "uint8", 1.0, 0)
    one, other, total = (model.tensor((1, SIZE), "int8", 1.0, zero) for zero in (-128, -100, -128))
    model.operator("QUANTIZE", [x], [one])
    model.operator("QUANTIZE", [x], [other])
    model.operator("ADD", [one, other], [total])
    graph = load_graph(model.write(tmp_path / "model.tflite", [x], [total]))
    assert int8_ends(graph) is graph
    with pytest.raises(UserError, match="is uint8; a pipeline's is int8 or int16, or a QUANTIZE"):
        check(app().spec, graph)


def test_an_end_says_its_type_in_the_file(tmp_path: Path) -> None:
    graph = int8_ends(load_graph(MODELS[2].write(tmp_path / "model.tflite")))
    assert (graph.input.file_dtype, graph.output.file_dtype) == ("float32", "uint8")
    assert graph.output.quantization is not None
    assert graph.output.quantization.zero_points == (9,)
