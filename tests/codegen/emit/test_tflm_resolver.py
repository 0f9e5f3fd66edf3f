# SPDX-License-Identifier: Apache-2.0
"""The resolver of the engine tflm: exactly the model's operators, int8 kernels alone where they fit."""

from __future__ import annotations

import copy
import re
from pathlib import Path

import numpy as np
import pytest

from codegen.app.spec_file import load_spec
from codegen.common.errors import UserError
from codegen.compile import compile_app
from codegen.emit.sources import sources
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
  TfLiteStatus AddDecode() {
    const TFLMRegistration& registration = tflite::Register_DECODE();
    return AddCustom("TFLM_DECODE", &registration);
  }
  TfLiteStatus AddEthosU() {
    TFLMRegistration* registration = tflite::Register_ETHOSU();
    if (registration) {
      return AddCustom(tflite::GetString_ETHOSU(), registration);
    }
    return kTfLiteOk;
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
        "CUSTOM TFLite_Detection_PostProcess": ("AddDetectionPostprocess", False),
        "CUSTOM TFLM_DECODE": ("AddDecode", False),
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


def beyond_aot(folder: Path) -> Path:
    """An app whose model has a custom operator, weights of four bits, a loop over other graphs and a state:
    its engine is tflm."""
    model = Builder()
    x = model.tensor((1, 4), "int8", 0.5, 0)
    handle = model.variable("state", np.zeros((1, 4), np.float32))
    old = model.tensor((1, 4), "float32")
    model.operator("READ_VARIABLE", [handle], [old])
    packed = model.tensor((4, 4), "int4", 0.1, data=np.zeros(8, np.uint8))
    tensors = [model.tensor((1, 4), "int8", 0.5, 0) for _ in range(3)]
    model.operator("FULLY_CONNECTED", [x, packed, -1], tensors[:1], {})
    model.operator("CUSTOM TFLM_DECODE", tensors[:1], tensors[1:2])
    model.operator("WHILE", tensors[1:2], tensors[2:], {"condSubgraphIndex": 2, "bodySubgraphIndex": 3})
    main = model.graph
    for name in (b"cond", b"body"):
        model.model.subgraphs.append(_graph_of_one(model, name))
    model.graph = main
    folder.mkdir()
    model.write(folder / "model.tflite", [x], tensors[2:])
    (folder / "pipeline.toml").write_text('[classifier]\nmodel = "model.tflite"\nengine = "tflm"\n')
    return folder


def _graph_of_one(model: Builder, name: bytes) -> object:
    """A graph of one ADD."""
    model.graph = copy.deepcopy(model.graph)
    model.graph.name, model.graph.tensors, model.graph.operators = name, [], []
    x, y = (model.tensor((1, 4), "int8", 0.5, 0) for _ in range(2))
    model.operator("ADD", [x, x], [y], {"fusedActivationFunction": 0})
    model.ends([x], [y])
    return model.graph


def test_the_engine_tflm_takes_what_its_resolver_has(tmp_path: Path) -> None:
    """Not what aot computes: the file goes into the image as it stands."""
    app = beyond_aot(tmp_path / "app")
    with pytest.raises(UserError):
        load_graph(app / "model.tflite")
    compiled = compile_app(app)
    more = {op: (f"Add{op.title()}", False) for op in ("WHILE", "ADD")}
    lacking = known()
    everything = Registrations({**lacking.methods, **more}, lacking.int8)
    text = tflm_sources(compiled.spec, compiled.graph, everything, "TFLM")[
        f"{compiled.spec.name}_resolver.cc"
    ]
    methods = re.findall(r"resolver->(\w+)\(", text)
    states = ("AddVarHandle", "AddCallOnce", "AddReadVariable", "AddAssignVariable")
    assert {*methods} == {*states, "AddFullyConnected", "AddDecode", "AddWhile", "AddAdd"}
    assert len(methods) == 8
    assert "MicroMutableOpResolver<8>" in text
    made = sources(compiled, 2048)[f"{compiled.spec.name}_model.c"]
    assert ".variables = 1," in made
    assert ".input_size = 4," in made
    with pytest.raises(UserError, match="TFLM has no operator WHILE"):
        tflm_sources(compiled.spec, compiled.graph, Registrations(lacking.methods, {}), "TFLM")


def test_where_aot_stands_in_the_other_engine_is_named(tmp_path: Path) -> None:
    """Its own reasons, and that the app runs elsewhere; of a damaged file only the damage."""
    app = beyond_aot(tmp_path / "app")
    with pytest.raises(UserError) as error:
        compile_app(app, engine="aot")
    said = str(error.value)
    assert "the custom operator TFLM_DECODE is unknown" in said
    assert f"{app / 'pipeline.toml'}: the engine tflm runs this model on boards and in emulators" in said
    assert "--target qemu" in said
    whole = (app / "model.tflite").read_bytes()
    (app / "model.tflite").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError) as error:
        compile_app(app, engine="aot")
    assert "the engine tflm" not in str(error.value)


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
