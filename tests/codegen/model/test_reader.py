# SPDX-License-Identifier: Apache-2.0
"""The model reader: what passes, and that everything else ends in one clear message."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import ai_edge_litert.schema_py_generated as generated
import numpy as np
import pytest

from codegen.model import schema
from codegen.ops import FAMILIES
from codegen.ops.refused import INSTEAD
from codegen.passes.legalise import load_graph
from tests.models.builder import ACTIVATIONS, Builder
from tests.models.networks import tutorial_like
from tests.support.models_c import ModelsC
from tests.support.refused_model import refused

NO_ACTIVATION = {"fusedActivationFunction": ACTIVATIONS["none"]}


def test_what_a_good_model_becomes(tmp_path: Path) -> None:
    graph = load_graph(tutorial_like(tmp_path / "model.tflite", 1))
    assert (graph.input.shape, graph.input.dtype) == ((1, 15, 20, 1), "int8")
    assert (graph.output.shape, graph.output.dtype) == ((1, 4), "int8")
    assert [node.op for node in graph.nodes] == [
        "CONV_2D", "CONV_2D", "MUL", "ADD", "CONV_2D", "CONV_2D", "RESHAPE",
        "FULLY_CONNECTED", "FULLY_CONNECTED", "SOFTMAX",
    ]  # fmt: skip
    conv = graph.nodes[0]
    assert conv.options["padding"] == "valid"
    assert conv.options["fused_activation_function"] == "relu"
    assert conv.options["stride_h"] == 1
    weights = graph.tensors[conv.inputs[1]]
    assert weights.shape == (16, 2, 2, 1)
    assert weights.quantization is not None
    assert len(weights.quantization.scales) == 16
    assert len(graph.sha256) == 64


def dense(
    model: Builder, x: int, *, outputs: int = 2, inputs: int = 4, name: str = "dense", **weights: Any
) -> int:
    """A FULLY_CONNECTED of a hand-made model."""
    data = weights.pop("data", np.ones((outputs, inputs), np.int8))
    w = model.constant(data, weights.pop("scale", 0.01), **weights)
    y = model.tensor((1, outputs), "int8", 0.1, 0, name=name)
    model.operator("FULLY_CONNECTED", [x, w, -1], [y], NO_ACTIVATION)
    return y


def test_float_models(tmp_path: Path) -> None:
    model = Builder()
    x = model.tensor((1, 4), "float32")
    w = model.constant(np.ones((2, 4), np.float32))
    y = model.tensor((1, 2), "float32", name="dense/BiasAdd")
    model.operator("FULLY_CONNECTED", [x, w, -1], [y], NO_ACTIVATION)
    text = refused(model.write(tmp_path / "model.tflite", [x], [y]))
    assert "the whole model computes in float" in text
    assert "dense/BiasAdd" in text
    assert "converter.representative_dataset" in text
    assert "inference_input_type = tf.int8" in text


def test_dynamic_range_quantisation_is_float(tmp_path: Path) -> None:
    """int8 weights alone do not make an int8 model."""
    model = Builder()
    x = model.tensor((1, 4), "float32")
    w = model.constant(np.ones((2, 4), np.int8), 0.1)
    y = model.tensor((1, 2), "float32")
    model.operator("FULLY_CONNECTED", [x, w, -1], [y], NO_ACTIVATION)
    assert "computes in float" in refused(model.write(tmp_path / "model.tflite", [x], [y]))


def test_an_open_shape(tmp_path: Path) -> None:
    model = Builder()
    x = model.tensor((1, 1, 4), "int8", 0.1, 0, signature=(-1, -1, 4), name="audio")
    y = dense(model, x)
    text = refused(model.write(tmp_path / "model.tflite", [x], [y]))
    assert "audio" in text
    assert "[-1, -1, 4] is open" in text
    assert "batch_size=1" in text


def test_an_open_batch_is_one(tmp_path: Path) -> None:
    model = Builder()
    x = model.tensor((1, 4), "int8", 0.1, 0, signature=(-1, 4))
    y = dense(model, x)
    assert load_graph(model.write(tmp_path / "model.tflite", [x], [y])).input.shape == (1, 4)


def test_a_batch_of_two(tmp_path: Path) -> None:
    model = Builder()
    x = model.tensor((2, 4), "int8", 0.1, 0)
    w = model.constant(np.ones((2, 4), np.int8), 0.1)
    y = model.tensor((2, 2), "int8", 0.1, 0)
    model.operator("FULLY_CONNECTED", [x, w, -1], [y], NO_ACTIVATION)
    assert "the batch is 2; it must be 1" in refused(model.write(tmp_path / "model.tflite", [x], [y]))


def test_several_graphs(tmp_path: Path) -> None:
    model = Builder()
    x = model.tensor((1, 4), "int8", 0.1, 0)
    y = dense(model, x)
    model.model.subgraphs = [model.graph, model.graph]
    assert "2 subgraphs" in refused(model.write(tmp_path / "model.tflite", [x], [y]))


@pytest.mark.parametrize("op", ["RNN", "LSTM", "CUSTOM MySpectrogram", "SQUARE"])
def test_an_unknown_operator_is_named(tmp_path: Path, op: str) -> None:
    model = Builder()
    x = model.tensor((1, 4), "int8", 0.1, 0)
    middle = model.tensor((1, 4), "int8", 0.1, 0, name="strange/layer")
    model.operator(op, [x], [middle])
    y = dense(model, middle)
    text = refused(model.write(tmp_path / "model.tflite", [x], [y]))
    assert "layer 0" in text
    assert "strange/layer" in text
    assert op.removeprefix("CUSTOM ") in text


@pytest.mark.parametrize(
    ("op", "words"),
    [
        ("LSTM", ("not supported", "unroll=True")),
        ("SQUARE", ("not supported", "Multiply")),
        ("SPACE_TO_BATCH_ND", ("not supported", "dilation_rate=2")),
        ("HASHTABLE", ("not supported", "./earshot operators")),
    ],
)
def test_the_remedy_is_the_operators(tmp_path: Path, op: str, words: tuple[str, ...]) -> None:
    model = Builder()
    x = model.tensor((1, 4), "int8", 0.1, 0)
    middle = model.tensor((1, 4), "int8", 0.1, 0)
    model.operator(op, [x], [middle])
    y = dense(model, middle)
    text = refused(model.write(tmp_path / "model.tflite", [x], [y]))
    assert all(word in text for word in words)


def test_an_operator_said_to_be_refused_is() -> None:
    assert not set(FAMILIES) & {*INSTEAD}
    assert {*INSTEAD} <= set(schema.OPERATORS)


def test_faults_of_tensors_are_reported_together(tmp_path: Path) -> None:
    model = Builder()
    x = model.tensor((1, -1, 4), "int8", 0.1, 0, name="open")
    y = dense(model, x)
    model.graph.tensors[1].sparsity = generated.SparsityParametersT()
    text = refused(model.write(tmp_path / "model.tflite", [x], [y]))
    assert "open" in text
    assert "[1, -1, 4] is open" in text
    assert "stored sparse" in text


def test_all_faults_at_once(tmp_path: Path) -> None:
    model = Builder()
    x = model.tensor((2, 4), "int8", 0.1, 0)
    first = model.tensor((1, 4), "int8", 0.1, 0, name="first")
    model.operator("SQUARE", [x], [first])
    second = model.tensor((1, 4), "int8", 0.1, 0, name="second")
    model.operator("CUSTOM Thing", [first], [second])
    y = dense(model, second, zero_point=3)
    text = refused(model.write(tmp_path / "model.tflite", [x], [y]))
    for word in (
        "batch is 2",
        "SQUARE",
        "first",
        "Thing",
        "second",
        "layer 2",
        "zero point other than 0",
    ):
        assert word in text
    assert text.count(str(tmp_path)) == 4


Edit = Callable[[Builder, int], int]


def _relu(model: Builder, x: int) -> int:
    y = model.tensor((1, 2), "int8", 0.1, 0)
    w = model.constant(np.ones((2, 4), np.int8), 0.1)
    model.operator("FULLY_CONNECTED", [x, w, -1], [y], {"fusedActivationFunction": ACTIVATIONS["tanh"]})
    return y


def _int16(model: Builder, x: int) -> int:
    y = model.tensor((1, 2), "int16", 0.1, 0)
    w = model.constant(np.ones((2, 4), np.int8), 0.1)
    model.operator("FULLY_CONNECTED", [x, w, -1], [y], NO_ACTIVATION)
    return y


def _no_scale(model: Builder, x: int) -> int:
    y = model.tensor((1, 2), "int8")
    w = model.constant(np.ones((2, 4), np.int8), 0.1)
    model.operator("FULLY_CONNECTED", [x, w, -1], [y], NO_ACTIVATION)
    return y


def _bias(model: Builder, x: int) -> int:
    y = model.tensor((1, 2), "int8", 0.1, 0)
    w, b = model.constant(np.ones((2, 4), np.int8), 0.1), model.constant(np.ones(3, np.int32), 0.01)
    model.operator("FULLY_CONNECTED", [x, w, b], [y], NO_ACTIVATION)
    return y


def _grouped(model: Builder, x: int) -> int:
    shape = model.constant(np.array([1, 1, 1, 4], np.int32))
    picture, y = model.tensor((1, 1, 1, 4), "int8", 0.1, 0), model.tensor((1, 1, 1, 2), "int8", 0.1, 0)
    model.operator("RESHAPE", [x, shape], [picture])
    w, b = model.constant(np.ones((2, 1, 1, 3), np.int8), 0.1), model.constant(np.zeros(2, np.int32), 0.01)
    options = {"strideW": 1, "strideH": 1, **NO_ACTIVATION}
    model.operator("CONV_2D", [picture, w, b], [y], options)
    return y


def _no_stride(model: Builder, x: int) -> int:
    shape = model.constant(np.array([1, 1, 1, 4], np.int32))
    picture, y = model.tensor((1, 1, 1, 4), "int8", 0.1, 0), model.tensor((1, 1, 1, 2), "int8", 0.1, 0)
    model.operator("RESHAPE", [x, shape], [picture])
    w, b = model.constant(np.ones((2, 1, 1, 4), np.int8), 0.1), model.constant(np.zeros(2, np.int32), 0.01)
    model.operator("CONV_2D", [picture, w, b], [y], {"strideW": 0, "strideH": 1, **NO_ACTIVATION})
    return y


def _softmax(model: Builder, x: int) -> int:
    y = model.tensor((1, 4), "int8", 1 / 128, -128)
    model.operator("SOFTMAX", [x], [y], {"beta": 1.0})
    return y


def _classes(model: Builder, x: int) -> int:
    many, y = (model.tensor((1, 4096), "int8", scale, zero) for scale, zero in ((0.1, 0), (1 / 256, -128)))
    paddings = model.constant(np.array([[0, 0], [0, 4092]], np.int32))
    model.operator("PAD", [x, paddings], [many])
    model.operator("SOFTMAX", [many], [y], {"beta": 1.0})
    return y


def _reshape(model: Builder, x: int) -> int:
    y = model.tensor((1, 5), "int8", 0.1, 0)
    model.operator("RESHAPE", [x, model.constant(np.array([1, 5], np.int32))], [y])
    return y


def _add(model: Builder, x: int) -> int:
    y = model.tensor((1, 4), "int8", 0.1, 0)
    model.operator("ADD", [x, model.constant(np.zeros((1, 3), np.int8), 0.1)], [y], NO_ACTIVATION)
    return y


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (
            lambda m, x: dense(m, x, scale=[0.1, 0.1], axis=1, inputs=4, data=np.ones((4, 2), np.int8)),
            "do not fit",
        ),
        (lambda m, x: dense(m, x, scale=[0.1] * 4, axis=1), "4 scales on axis 1"),
        (lambda m, x: dense(m, x, scale=None), "weights have no scale"),
        (lambda m, x: dense(m, x, scale=0.0), "a scale is 0.0"),
        (lambda m, x: dense(m, x, scale=-1.0), "a scale is -1.0"),
        (lambda m, x: dense(m, x, scale=float("nan")), "a scale is nan"),
        (lambda m, x: dense(m, x, data=np.ones((2, 4), np.int16)), "weights are int16"),
        (lambda m, x: dense(m, x, data=np.ones((2, 3), np.int8)), "do not fit"),
        (_relu, "activation tanh"),
        (_int16, "output is int16"),
        (_no_scale, "output has no scale"),
        (_bias, "3 values for 2 channels"),
        (_grouped, "no groups"),
        (_no_stride, "stride_w is 0"),
        (_softmax, "the scale 1/256"),
        (_classes, "4096 classes; 4095 are possible"),
        (_reshape, "cannot become"),
        (_add, "do not broadcast"),
    ],
)
def test_what_a_layer_may_not_be(tmp_path: Path, edit: Edit, words: str) -> None:
    model = Builder()
    x = model.tensor((1, 4), "int8", 0.1, 0)
    y = edit(model, x)
    assert words in refused(model.write(tmp_path / "model.tflite", [x], [y]))


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((1, 0), "holds nothing"),
        ((1, -4), "open"),
        ((1, 2**31 - 1), "needs more than"),
        ((1,) * 9, "9 dimensions"),
    ],
)
def test_impossible_shapes(tmp_path: Path, shape: tuple[int, ...], words: str) -> None:
    model = Builder()
    x = model.tensor(shape, "int8", 0.1, 0)
    y = dense(model, x)
    assert words in refused(model.write(tmp_path / "model.tflite", [x], [y]))


def test_sparse_weights(tmp_path: Path) -> None:
    model = Builder()
    x = model.tensor((1, 4), "int8", 0.1, 0)
    y = dense(model, x)
    model.graph.tensors[1].sparsity = generated.SparsityParametersT()
    assert "sparse" in refused(model.write(tmp_path / "model.tflite", [x], [y]))


def test_a_constant_of_the_wrong_size(tmp_path: Path) -> None:
    model = Builder()
    x = model.tensor((1, 4), "int8", 0.1, 0)
    y = dense(model, x)
    model.graph.tensors[1].shape = [2, 5]
    assert "8 bytes of data do not fill" in refused(model.write(tmp_path / "model.tflite", [x], [y]))


def test_layers_out_of_order(tmp_path: Path) -> None:
    model = Builder()
    x = model.tensor((1, 4), "int8", 0.1, 0)
    middle = dense(model, x, outputs=4)
    y = dense(model, middle)
    model.graph.operators.reverse()
    assert "used before it is made" in refused(model.write(tmp_path / "model.tflite", [x], [y]))


def test_no_output_and_one_input_twice(tmp_path: Path) -> None:
    model = Builder()
    x = model.tensor((1, 4), "int8", 0.1, 0)
    y = dense(model, x)
    assert "1 input and 0 outputs" in refused(model.write(tmp_path / "none.tflite", [x], []))
    assert "two of its inputs" in refused(model.write(tmp_path / "twice.tflite", [x, x], [y]))


def test_several_begin_at_multiples_of_four(tmp_path: Path) -> None:
    model = Builder()
    x, other = model.tensor((1, 5), "int8", 0.1, 0), model.tensor((1, 3), "int8", 0.1, 0)
    y, z = dense(model, x, inputs=5), dense(model, x, inputs=5)
    graph = load_graph(model.write(tmp_path / "model.tflite", [x, other], [y, z]))
    assert (graph.input_places, graph.input_bytes) == ((0, 8), 11)
    assert graph.output_places == (0, -(-graph.tensors[y].nbytes // 4) * 4)


def test_names_cannot_leave_a_comment(tmp_path: Path) -> None:
    """A tensor's name is printed in C: nothing in it ends or opens a comment or makes a trigraph."""
    model = Builder()
    x = model.tensor((1, 4), "int8", 0.1, 0)
    y = dense(model, x, name='*/ int oops = 1; /* ??/\n\x00\u00e9 "\\')
    graph = load_graph(model.write(tmp_path / "model.tflite", [x], [y]))
    (rows,) = ModelsC([graph]).run([np.ones((1, 4), np.int8)])
    assert rows.shape == (1, 2)


@pytest.mark.parametrize(
    ("op", "values", "made"),
    [
        ("TRANSPOSE", [0, 7, 6, 5, 4, 3, 2, 1], (1, 2, 2, 2, 2, 2, 2, 2)),
        ("TRANSPOSE", [0, 6, 5, 4, 3, 2, 1, 7], (1, 2, 2, 2, 2, 2, 2, 2)),
        ("PAD", [[0, 0], *[[1, 1]] * 7], (1, 4, 4, 4, 4, 4, 4, 4)),
        ("MEAN", [1, 3, 5], (1, 2, 2, 2, 2)),
    ],
)
def test_too_many_axes_to_move_along(
    tmp_path: Path, op: str, values: list[Any], made: tuple[int, ...]
) -> None:
    """More than a strided copy has loops for."""
    model = Builder()
    x = model.tensor((1, 2, 2, 2, 2, 2, 2, 2), "int8", 0.1, 0)
    y = model.tensor(made, "int8", 0.1, 0)
    model.operator(op, [x, model.constant(np.array(values, np.int32))], [y])
    assert "too many axes" in refused(model.write(tmp_path / "model.tflite", [x], [y]))
