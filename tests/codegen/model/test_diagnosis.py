# SPDX-License-Identifier: Apache-2.0
"""What people bring in place of a model that fits: each is told by what it is, not as a damaged file."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from codegen.common.errors import UserError
from codegen.passes.legalise import load_graph
from tests.models.builder import Builder

POINTER = """\
version https://git-lfs.github.com/spec/v1
oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393
size 12345
"""


def refused(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        load_graph(path)
    text = str(caught.value)
    assert "damaged" not in text
    assert "before it is made" not in text
    assert "holds nothing" not in text
    return text


def dense_model(path: Path) -> Path:
    """A model that is taken."""
    model = Builder()
    x = model.tensor((1, 4), "int8", 0.1, 0)
    return model.write(path, [x], [_dense(model, x)])


def _dense(model: Builder, source: int) -> int:
    weights = model.constant(np.ones((4, 4), np.int8), 0.1)
    output = model.tensor((1, 4), "int8", 0.1, 0)
    model.operator("FULLY_CONNECTED", [source, weights, -1], [output])
    return output


def with_layer(path: Path, op: str, more: Sequence[tuple[tuple[int, ...], bool]]) -> Path:
    """A model whose first layer is `op`. more: shapes of its further inputs, and which are variables."""
    model = Builder()
    x = model.tensor((1, 4), "int8", 0.1, 0)
    further = []
    for shape, variable in more:
        further.append(model.tensor(shape, "int16" if variable else "int8", 0.01, 0))
        model.graph.tensors[further[-1]].isVariable = variable
    middle = model.tensor((1, 4), "int8", 0.1, 0)
    model.operator(op, [x, *further], [middle])
    return model.write(path, [x], [_dense(model, middle)])


def test_a_git_lfs_pointer(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_text(POINTER)
    text = refused(path)
    assert "a Git LFS pointer" in text
    assert "git lfs pull" in text


@pytest.mark.parametrize("upper", [False, True])
def test_a_c_array_and_its_remedy(tmp_path: Path, upper: bool) -> None:
    """The remedy is run where its programs are: it gives the model back, byte for byte."""
    data = dense_model(tmp_path / "whole.tflite").read_bytes()
    rows = [", ".join(f"0x{value:02x}" for value in data[at : at + 12]) for at in range(0, len(data), 12)]
    array = ",\n  ".join(rows)
    source = tmp_path / "model.cc"
    source.write_text(f"// 2024-01-01\nalignas(16) const unsigned char g_model[] = {{\n  {array}}};\n")
    if upper:
        source.write_text(source.read_text().replace("0x", "@").upper().replace("@", "0x"))
    text = refused(source)
    assert "a C array of a model" in text
    if shutil.which("xxd") is None:
        pytest.skip("the remedy needs xxd")
    subprocess.run(["sh", "-c", text.splitlines()[-1]], cwd=tmp_path, check=True)
    assert (tmp_path / "model.tflite").read_bytes() == data


@pytest.mark.parametrize(
    ("op", "compiler"),
    [
        ("CUSTOM ethos-u", "an Arm Ethos-U (by Vela)"),
        ("CUSTOM edgetpu-custom-op", "an Edge TPU (by edgetpu_compiler)"),
        ("CUSTOM NeutronGraph", "an NXP eIQ Neutron"),
    ],
)
def test_a_file_that_was_compiled_for_an_accelerator(tmp_path: Path, op: str, compiler: str) -> None:
    """Its inputs are what the compiler packed, which nothing in the file makes."""
    text = refused(with_layer(tmp_path / "model.tflite", op, [((64,), False), ((0,), False)]))
    assert f"the file was compiled for {compiler}" in text
    assert "from before it was compiled" in text


@pytest.mark.parametrize("op", ["BIDIRECTIONAL_SEQUENCE_LSTM", "LSTM"])
def test_operators_with_state_of_their_own(tmp_path: Path, op: str) -> None:
    """State that no layer makes, and intermediates of no size: the operator is named."""
    path = with_layer(tmp_path / "model.tflite", op, [((1, 8), True), ((0,), False)])
    text = refused(path)
    assert f"layer 0 ({op}" in text
    assert f"the operator {op} is not supported" in text


def test_a_model_that_is_whole_is_taken(tmp_path: Path) -> None:
    assert len(load_graph(dense_model(tmp_path / "model.tflite")).nodes) == 1


@pytest.mark.parametrize(
    ("op", "shape", "weights", "options"),
    [
        ("FULLY_CONNECTED", (1, 4), (4, 4), {}),
        ("CONV_2D", (1, 4, 4, 2), (2, 1, 1, 2), {"strideH": 1, "strideW": 1}),
        ("DEPTHWISE_CONV_2D", (1, 4, 4, 2), (1, 1, 1, 2), {"strideH": 1, "strideW": 1, "depthMultiplier": 1}),
        ("TRANSPOSE_CONV", (1, 4, 4, 2), (2, 1, 1, 2), {"strideH": 1, "strideW": 1}),
    ],
)
def test_weights_of_four_bits(
    tmp_path: Path, op: str, shape: tuple[int, ...], weights: tuple[int, ...], options: dict[str, int]
) -> None:
    model = Builder()
    x, y = (model.tensor(shape, "int8", 0.1, 0) for _ in range(2))
    packed = np.zeros((int(np.prod(weights)) + 1) // 2, np.uint8)
    operands = [x, model.tensor(weights, "int4", 0.1, data=packed)]
    if op == "TRANSPOSE_CONV":
        operands = [model.constant(np.array(shape, np.int32)), operands[1], x]
    model.operator(op, operands, [y], options)
    text = refused(model.write(tmp_path / "model.tflite", [x], [y]))
    assert f"layer 0 ({op}" in text
    assert "its weights are int4; int8 is needed" in text
    assert "weights of 8 bits" in text
    assert "--engine tflm" in text


def test_an_operator_of_tensorflow_itself(tmp_path: Path) -> None:
    text = refused(with_layer(tmp_path / "model.tflite", "CUSTOM FlexErf", [((1, 4), False)]))
    assert "FlexErf is an operator of TensorFlow itself (SELECT_TF_OPS)" in text
    assert "TFLITE_BUILTINS_INT8" in text


def test_an_unknown_custom_operator_may_be_one_of_tflm(tmp_path: Path) -> None:
    text = refused(with_layer(tmp_path / "model.tflite", "CUSTOM Thing", [((1, 4), False)]))
    assert "the custom operator Thing is unknown" in text
    assert "--engine tflm" in text


@pytest.mark.parametrize("dtype", ["int8", "float32"])
def test_a_model_with_weights_alone_of_int8(tmp_path: Path, dtype: str) -> None:
    model = Builder()
    x, y = (model.tensor((1, 4), "float32") for _ in range(2))
    weights = model.constant(np.ones((4, 4), dtype), 0.1 if dtype == "int8" else None)
    model.operator("FULLY_CONNECTED", [x, weights, -1], [y], {})
    text = refused(model.write(tmp_path / "model.tflite", [x], [y]))
    assert "the whole model computes in float, layer 0 (FULLY_CONNECTED" in text
    assert ("only its weights are int8" in text) == (dtype == "int8")


@pytest.mark.parametrize(
    ("op", "place", "options"),
    [
        ("GATHER", 1, {"axis": 1}),
        ("PAD", 1, {}),
        ("SLICE", 2, {}),
        ("TILE", 1, {}),
        ("RESIZE_NEAREST_NEIGHBOR", 1, {}),
    ],
)
def test_parameters_that_are_inputs_of_the_model(
    tmp_path: Path, op: str, place: int, options: dict[str, int]
) -> None:
    model = Builder()
    x, y = (model.tensor((1, 4, 4, 2), "int8", 0.1, 0) for _ in range(2))
    shape = {"PAD": (4, 2), "RESIZE_NEAREST_NEIGHBOR": (2,)}.get(op, (4,))
    given = model.tensor(shape, "int32", name="given")
    between = [model.constant(np.zeros(4, np.int32))] if place == 2 else []
    model.operator(op, [x, *between, given], [y], options)
    inputs = [x] if op == "PAD" else [x, given]
    if op == "PAD":  # a further input of two dimensions has another fault
        flat = model.tensor((8,), "int32", name="flat")
        to = model.constant(np.array([4, 2], np.int32))
        model.operator("RESHAPE", [flat, to], [given], {})
        model.graph.operators.reverse()
        inputs = [x, flat]
    text = refused(model.write(tmp_path / "model.tflite", inputs, [y]))
    whose = "computed when the model runs" if op == "PAD" else "an input of the model"
    assert f"its input {place} (given) is {whose}; a constant is needed" in text


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(b"")
    text = refused(tmp_path / "model.tflite")
    assert "an empty file" in text
    assert "copy it again" in text


def test_a_flat_input_has_no_batch(tmp_path: Path) -> None:
    model = Builder()
    x, y = (model.tensor((4,), "int8", 0.1, 0, name="x") for _ in range(2))
    model.operator("ABS", [x], [y])
    text = refused(model.write(tmp_path / "model.tflite", [x], [y]))
    assert "input tensor (x): its shape is [4], without a batch of 1 in front" in text
    assert "keras.Input(shape=(4,), batch_size=1)" in text


def test_an_embedding(tmp_path: Path) -> None:
    model = Builder()
    x = model.tensor((1, 4), "int32")
    y = model.tensor((1, 4, 3), "int8", 0.1, 0)
    table = model.constant(np.ones((5, 3), np.int8), 0.1)
    model.operator("GATHER", [table, x], [y], {"axis": 0})
    text = refused(model.write(tmp_path / "model.tflite", [x], [y]))
    assert "it looks up rows of a table, an embedding, by numbers that are computed" in text
    assert "--engine tflm" in text
    assert "compute the result before converting" not in text


@pytest.mark.parametrize("op", ["MEAN", "SUM", "REDUCE_MAX"])
def test_axes(tmp_path: Path, op: str) -> None:
    for axes in (None, 3):
        model = Builder()
        x, y = model.tensor((1, 4, 3), "int8", 0.1, 0), model.tensor((1, 3), "int8", 0.1, 0)
        given = model.tensor((1,), "int32", name="axes") if axes is None else None
        held = given if given is not None else model.constant(np.array([axes], np.int32))
        model.operator(op, [x, held], [y], {"keepDims": False})
        inputs = [x] if given is None else [x, given]
        text = refused(model.write(tmp_path / "model.tflite", inputs, [y]))
        said = "its input 1 (axes) is an input of the model" if axes is None else "its axes are [3], and its"
        assert said in text
