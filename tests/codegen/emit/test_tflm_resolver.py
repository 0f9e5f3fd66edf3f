# SPDX-License-Identifier: Apache-2.0
"""The resolver of the engine tflm: exactly the model's operators, int8 kernels alone where they fit."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from codegen.app.spec_file import load_spec
from codegen.common.errors import UserError
from codegen.emit.tflm import Registrations, registrations, resolver, tflm_model, tflm_sources
from codegen.model.reader import read_graphs
from codegen.passes.legalise import load_graph
from tests.models.builder import Builder
from tests.models.networks import Network, tutorial_like
from tests.support.toy_tflm import toy_app

# In the manner of TFLM's headers: with and without a parameter, over several lines, custom operators.
RESOLVER = """
  TfLiteStatus AddConv2D(
      const TFLMRegistration& registration = Register_CONV_2D()) {
    return AddBuiltin(BuiltinOperator_CONV_2D, registration, ParseConv2D);
  }
  TfLiteStatus AddFullyConnected(
      const TFLMRegistration& registration = Register_FULLY_CONNECTED()) {
    return AddBuiltin(BuiltinOperator_FULLY_CONNECTED, registration,
                      ParseFullyConnected);
  }
  TfLiteStatus AddDetectionPostprocess() {
    return AddCustom("TFLite_Detection_PostProcess", tflite::Register_DETECTION_POSTPROCESS());
  }
  TfLiteStatus AddResizeNearestNeighbor() {
    return AddBuiltin(BuiltinOperator_RESIZE_NEAREST_NEIGHBOR,
                      Register_RESIZE_NEAREST_NEIGHBOR(), ParseResizeNearestNeighbor);
  }
"""
KERNELS = """
TFLMRegistration Register_CONV_2D();
TFLMRegistration Register_CONV_2D_INT8();
TFLMRegistration Register_CONV_2D_INT16();
inline TFLMRegistration Register_FULLY_CONNECTED_INT8() { return Register_FULLY_CONNECTED(); }
"""
OPERATORS = (
    "CALL_ONCE VAR_HANDLE ASSIGN_VARIABLE READ_VARIABLE RESHAPE SOFTMAX MUL ADD SHAPE STRIDED_SLICE PACK"
)


def known() -> Registrations:
    found = registrations(RESOLVER, [KERNELS])
    more = {op: (f"Add{op.title().replace('_', '')}", True) for op in OPERATORS.split()}
    return Registrations({**found.methods, **more}, found.int8)


def test_headers_are_read() -> None:
    found = registrations(RESOLVER, [KERNELS, "TFLMRegistration Register_ADD_INT8();"])
    assert found.methods == {
        "CONV_2D": ("AddConv2D", True),
        "FULLY_CONNECTED": ("AddFullyConnected", True),
        "RESIZE_NEAREST_NEIGHBOR": ("AddResizeNearestNeighbor", False),
    }
    assert found.int8 == {
        "CONV_2D": "Register_CONV_2D_INT8",
        "FULLY_CONNECTED": "Register_FULLY_CONNECTED_INT8",
        "ADD": "Register_ADD_INT8",
    }


def test_every_operator_of_the_file_once(tmp_path: Path) -> None:
    """Those too that Earshot's own engine folds away: TFLM computes them."""
    model = tutorial_like(tmp_path / "model.tflite", 1, keras3=True)
    graphs = read_graphs(model)
    lines = resolver(graphs, known(), "TFLM")
    assert {line.op for line in lines} == {node.op for node in graphs[0].nodes}
    assert {node.op for node in load_graph(model).nodes} < {line.op for line in lines}
    assert len({line.op for line in lines}) == len(lines)
    arguments = {line.op: line.argument for line in lines}
    assert arguments["CONV_2D"] == "tflite::Register_CONV_2D_INT8()"
    assert arguments["SOFTMAX"] == ""


def test_operators_of_variables_and_of_their_initial_values(tmp_path: Path) -> None:
    model = Builder()
    x = model.tensor((1, 4), "int8", 0.5, 0)
    handle = model.variable("state", np.zeros((1, 4), np.int8))
    old = model.tensor((1, 4), "int8", 0.5, 0)
    model.operator("READ_VARIABLE", [handle], [old])
    model.operator("ASSIGN_VARIABLE", [handle, x], [])
    model.write(tmp_path / "model.tflite", [x], [old])
    ops = [line.op for line in resolver(read_graphs(tmp_path / "model.tflite"), known(), "TFLM")]
    assert sorted(ops) == ["ASSIGN_VARIABLE", "CALL_ONCE", "READ_VARIABLE", "VAR_HANDLE"]


@pytest.mark.parametrize(("dtype", "fits"), [("int8", True), ("int16", False)])
def test_int8_alone_only_where_every_layer_is(tmp_path: Path, dtype: str, fits: bool) -> None:
    model = Builder()
    weights = np.ones((4, 4), np.int8)
    tensors = [model.tensor((1, 4), "int8", 0.5, 0), model.tensor((1, 4), dtype, 0.5, 0)]
    model.operator("FULLY_CONNECTED", [tensors[0], model.constant(weights, 0.1), -1], [tensors[1]], {})
    model.write(tmp_path / "model.tflite", tensors[:1], tensors[1:])
    (line,) = resolver(read_graphs(tmp_path / "model.tflite"), known(), "TFLM")
    assert bool(line.argument) is fits


def test_an_operator_that_tflm_lacks(tmp_path: Path) -> None:
    app = toy_app(tmp_path / "app")
    spec = load_spec(app)
    graph = load_graph(app / "model.tflite")
    methods = {op: method for op, method in known().methods.items() if op != "FULLY_CONNECTED"}
    with pytest.raises(UserError) as error:
        tflm_sources(spec, graph, Registrations(methods, {}), "TensorFlow Lite Micro 1.2")
    assert str(error.value).startswith(f"{app / 'model.tflite'}, layer 0 (FULLY_CONNECTED")
    assert "TensorFlow Lite Micro 1.2 has no operator FULLY_CONNECTED" in str(error.value)
    assert "engine=aot" in str(error.value)


def test_the_file_is_in_the_source_byte_for_byte(tmp_path: Path) -> None:
    app = toy_app(tmp_path / "app")
    data = (app / "model.tflite").read_bytes()
    (app / "model.tflite").write_bytes(data + b"\x01\x02\x03")  # a length that is no multiple of 4
    spec = load_spec(app)
    graph = load_graph(app / "model.tflite")
    text = tflm_sources(spec, graph, known(), "TFLM")[f"{spec.name}_flatbuffer.c"]
    words = [int(word, 16) for word in re.findall(r"0x([0-9A-F]{8})", text)]
    assert np.array(words, "<u4").tobytes() == data + b"\x01\x02\x03" + bytes(-(len(data) + 3) % 4)
    assert "_Alignas(16)" in text


def test_the_model_names_its_arena(tmp_path: Path) -> None:
    network = Network(2, (1, 6), 0.1, 3)
    network.dense(2)
    network.save(tmp_path / "model.tflite")
    (tmp_path / "pipeline.toml").write_text('[classifier]\nmodel = "model.tflite"\n')
    spec = load_spec(tmp_path)
    text = tflm_model(spec, load_graph(tmp_path / "model.tflite"), 1234 // 16 * 16, 2048)
    assert f"{spec.name}_tensors[1232]" in text
    assert f"arena_t {spec.name}_arena[ARENA_BLOCKS(2048)]" in text
    assert ".input_size = 6," in text
