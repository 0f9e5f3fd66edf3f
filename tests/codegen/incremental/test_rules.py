# SPDX-License-Identifier: Apache-2.0
"""Which layers are computed row by row, over any axis of time, and the reasons of those that are not."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from codegen.app.spec import Layout
from codegen.app.spec_file import load_spec
from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from codegen.compile import run_passes
from codegen.emit.modes import mode_plan, mode_table
from codegen.incremental import Incremental
from codegen.incremental.planner import row_by_row
from codegen.kernels.packing.lanes import NotExactError, pair_words
from codegen.passes.legalise import load_graph
from tests.codegen.incremental.test_incremental import compare
from tests.models.branches import MASKS, Branches, Picture
from tests.models.builder import ACTIVATIONS, PADDINGS
from tests.models.networks import Network, tutorial_like
from tests.support.cli import earshot
from tests.support.streams_c import App, modes_of

FRAMES, CEPSTRA = 12, 8


def sliced(made: Branches, source: Picture) -> Picture:
    """Every second row."""
    places = [np.array(values, np.int32) for values in ((0, 0, 0, 0), (1, 12, 8, 4), (1, 2, 1, 1))]
    cut = made.picture(source, rows=(source.rows + 1) // 2)
    made.operator("STRIDED_SLICE", [source.index, *map(made.constant, places)], [cut.index], {**MASKS})
    return cut


def joined(made: Branches, source: Picture) -> Picture:
    """Two pictures one after the other in time."""
    both = made.picture(source, rows=2 * source.rows)
    made.operator(
        "CONCATENATION", [source.index] * 2, [both.index], {"axis": 1, "fusedActivationFunction": 0}
    )
    return both


def constant(made: Branches, source: Picture) -> Picture:
    """A sum with other numbers at every row."""
    values = made.random.integers(-128, 128, (1, source.rows, source.columns, source.depth), np.int8)
    summed = made.picture(source)
    made.operator(
        "ADD", [source.index, made.constant(values, 0.1)], [summed.index], {"fusedActivationFunction": 0}
    )
    return summed


def padded(made: Branches, source: Picture) -> Picture:
    """PAD with a row in front."""
    wider = made.picture(source, rows=source.rows + 1)
    paddings = made.constant(np.array([[0, 0], [1, 0], [0, 0], [0, 0]], np.int32))
    made.operator("PAD", [source.index, paddings], [wider.index], {})
    return wider


def pooled(made: Branches, source: Picture) -> Picture:
    """The largest of two rows, two rows further every time."""
    half = made.picture(source, rows=source.rows // 2)
    options = {"padding": PADDINGS["valid"], "strideH": 2, "strideW": 1, "filterHeight": 2, "filterWidth": 1}
    made.operator("MAX_POOL_2D", [source.index], [half.index], {**options, "fusedActivationFunction": 0})
    return half


def turned(made: Branches, source: Picture) -> Picture:
    """TRANSPOSE of the values of each row."""
    other = made.picture(source, columns=source.depth, depth=source.columns)
    order = made.constant(np.array([0, 1, 3, 2], np.int32))
    made.operator("TRANSPOSE", [source.index, order], [other.index], {})
    return other


def reversed_(made: Branches, source: Picture) -> Picture:
    """REVERSE_V2 of the values of each row."""
    other = made.picture(source)
    made.operator("REVERSE_V2", [source.index, made.constant(np.array([3], np.int32))], [other.index], {})
    return other


REASONS = {
    "it pads along time": lambda made, source: made.conv(source, along=2, same=1, depthwise=0, dilation=1),
    "it moves by 2 rows along time": lambda made, source: made.conv(
        source, along=2, stride=2, depthwise=0, dilation=1
    ),
    "it moves by 2 rows along time ": pooled,
    "it pads along time ": padded,
    "it leaves out rows along time": sliced,
    "it joins along time": joined,
    "its constant differs from row to row": constant,
    "it turns the values of a row": turned,
    "no rule computes this operator row by row": reversed_,
}


@pytest.mark.parametrize("reason", REASONS)
def test_reasons_are_named(tmp_path: Path, reason: str) -> None:
    """One layer cannot be kept: it says why, the one before it is kept, those after say which."""
    made = Branches(5, FRAMES, CEPSTRA)
    first = made.narrow(made.newest, 8, 4)
    broken = REASONS[reason](made, first)
    path = made.write(tmp_path / "m.tflite", [made.input], [made.end_dense(made.function(broken))])
    app = App(path, FRAMES, CEPSTRA, Layout.FRAMES_BY_CEPSTRA)
    graph = load_graph(path)
    planned = row_by_row(app.spec("m"), graph)
    assert isinstance(planned, Incremental)
    layers = mode_plan(replace(run_passes(app.spec("m"), graph), plan=planned)).layers
    assert layers[0].incremental
    assert {layer.layer: layer.reason for layer in layers if layer.layer == 1} == {1: reason.strip()}
    op = graph.nodes[1].op
    assert f"it reads layer 1 ({op}), computed in full" in {layer.reason for layer in layers}
    assert compare([app]) > 20


def conv_1d(folder: Path, layout: Layout) -> App:
    """As Keras converts Conv1D: pictures one row high, time along columns; dilations 1, 2, 4; residuals."""
    network = Network(4, (1, 20, 6), 0.05, 3)
    picture = network._next((1, 1, 20, 6), 0.05, 3, "expanded")
    shape = network.constant(np.array([1, 1, 20, 6], np.int32))
    network.operator("RESHAPE", [network.input, shape], [picture], {"newShape": [1, 1, 20, 6]})
    source, rows, depth, scale, zero_point = picture, 20, 6, 0.05, 3
    for dilation in (1, 2, 4):
        scales = network.random.uniform(0.002, 0.01, 6).astype(np.float32)
        w = network.constant(network.random.integers(-127, 128, (6, 1, 3, depth), np.int8), scales.tolist())
        b = network.constant(np.zeros(6, np.int32), (scales * np.float32(scale)).tolist())
        rows -= 2 * dilation
        made = network.tensor((1, 1, rows, 6), "int8", scale * 1.5, -20)
        options = {"padding": PADDINGS["valid"], "strideH": 1, "strideW": 1, "dilationHFactor": 1}
        options |= {"dilationWFactor": dilation, "fusedActivationFunction": ACTIVATIONS["none"]}
        network.operator("CONV_2D", [source, w, b], [made], options)
        begin = network.constant(np.array([0, 0, dilation, 0], np.int32))
        size = network.constant(np.array([1, 1, rows, 6], np.int32))
        middle = network.tensor((1, 1, rows, 6), "int8", scale, zero_point)
        network.operator("SLICE", [source, begin, size], [middle], {})
        summed = network.tensor((1, 1, rows, 6), "int8", scale * 1.6, 5)
        network.operator("ADD", [made, middle], [summed], {"fusedActivationFunction": ACTIVATIONS["relu"]})
        source, scale, zero_point = summed, scale * 1.6, 5
    network.last, network.scale = source, scale
    network.shape = (1, 1, rows, 6)
    network.flatten(dynamic=False)
    network.dense(5)
    return App(network.save(folder / "conv1d.tflite"), 20, 6, layout)


def test_time_on_another_axis_is_kept(tmp_path: Path) -> None:
    """PyTorch's Conv1d has time last; TRANSPOSE before the first convolution leaves each row as it is."""
    path = ROOT / "tests/models/torch/statistics.tflite"
    app = App(path, 24, 10, Layout.CEPSTRA_BY_FRAMES)
    modes = modes_of(app)
    assert [row.incremental for row in modes.layers if row.op == "CONV_2D"] == [True, True]
    assert not [row for row in modes.layers if row.op == "TRANSPOSE"]
    assert compare([app], windows=60) > 30


def test_convolutions_of_one_dimension_with_residuals(tmp_path: Path) -> None:
    """A temporal network keeps the rows that its dilations reach, and computes one row of every layer."""
    app = conv_1d(tmp_path, Layout.FRAMES_BY_CEPSTRA)
    modes = modes_of(app)
    layers = {layer.op: [row for row in modes.layers if row.op == layer.op] for layer in modes.layers}
    assert [layer.macs for layer in layers["CONV_2D"]] == [3 * 6 * 6] * 3
    assert [layer.incremental for layer in (*layers["CONV_2D"], *layers["ADD"])] == [True] * 6
    kept = 3 * 6 + 5 * 6 + 9 * 6  # rows from a kernel's first to its last, of 6 values
    assert sum(layer.state for layer in (*layers["CONV_2D"], *layers["ADD"])) == kept
    assert compare([app], windows=80) > 50
    assert compare([app], target="qemu", windows=30) > 30


@pytest.mark.parametrize("key", ["minimum", "maximum"])
def test_a_range_for_each_place_of_the_cascade_is_refused(tmp_path: Path, key: str) -> None:
    """A frame would be other numbers at every place, and nothing of it could be kept."""
    text = f"""
        [scale]
        {key} = [{", ".join(["-500000"] * 300)}]
        [classifier]
        model = "m.tflite"
        [decision]
        labels = ["a"]
        threshold = 0.5
        [mfcc]
    """
    (tmp_path / "pipeline.toml").write_text(textwrap.dedent(text))
    (tmp_path / "m.tflite").touch()
    with pytest.raises(UserError, match="one number for all features and frames"):
        load_spec(tmp_path)


def test_generate_prints_the_plan(tmp_path: Path) -> None:
    """And the generated C has the same table."""
    (tmp_path / "knock").mkdir()
    tutorial_like(tmp_path / "knock" / "model.tflite", 3)
    (tmp_path / "knock" / "pipeline.toml").write_text(
        '[mfcc]\n[classifier]\nmodel = "model.tflite"\n[decision]\nlabels = ["a", "b", "c", "d"]\n'
        "threshold = 0.5\n"
    )
    done = earshot("generate", "--app", tmp_path / "knock", "-o", tmp_path / "sources")
    assert done.returncode == 0, done.stderr
    spec = load_spec(tmp_path / "knock")
    table = mode_table(mode_plan(run_passes(spec, load_graph(spec.classifier.model))))
    assert done.stdout.endswith("\n" + table)
    source = (tmp_path / "sources" / "knock_model.c").read_text()
    assert all(f" *     {line}\n" in source for line in table.splitlines())


@pytest.mark.parametrize("channel", [0, 1])
def test_sums_that_need_too_many_bits_are_not_paired(channel: int) -> None:
    """The kernels' words: 24 bits for a pair's second channel, 30 for its first."""
    limit = (1 << 30, 1 << 23)[channel]
    biases = [0, 0]
    weights = np.full((2, 4), 1, np.int64)
    biases[channel] = limit - 4 * 128 - 1
    pair_words(weights, biases)
    biases[channel] += 1
    with pytest.raises(NotExactError):
        pair_words(weights, biases)


@pytest.mark.parametrize("op", ["PRELU", "SQUARED_DIFFERENCE", "GELU"])
def test_functions_of_values_are_kept(tmp_path: Path, op: str) -> None:
    """With a constant for each column and channel, and of one value alone."""
    made = Branches(6, FRAMES, CEPSTRA)
    source = made.narrow(made.newest, 8, 4)
    output = made.picture(source)
    operands, options = [source.index], {"approximate": False} if op == "GELU" else None
    if op != "GELU":
        values = made.random.integers(-128, 128, (1, 1, source.columns, source.depth), np.int8)
        operands.append(made.constant(values, 0.02))
    made.operator(op, operands, [output.index], options)
    path = made.write(tmp_path / "m.tflite", [made.input], [made.end_dense(made.function(output))])
    app = App(path, FRAMES, CEPSTRA, Layout.FRAMES_BY_CEPSTRA)
    layers = modes_of(app).layers
    assert {layer.op for layer in layers if not layer.incremental} == {"FULLY_CONNECTED"}
    assert compare([app]) > 20


def test_functions_in_float_are_kept(tmp_path: Path) -> None:
    """DEQUANTIZE, SQUARE, QUANTIZE, as converters write an operator without an int8 form."""
    made = Branches(6, FRAMES, CEPSTRA)
    source = made.narrow(made.newest, 8, 4)
    output, shape = made.picture(source), made.shape(source.rows, source.columns, source.depth)
    reals = [made.tensor(shape, "float32") for _ in range(2)]
    made.operator("DEQUANTIZE", [source.index], reals[:1])
    made.operator("SQUARE", reals[:1], reals[1:])
    made.operator("QUANTIZE", reals[1:], [output.index])
    path = made.write(tmp_path / "m.tflite", [made.input], [made.end_dense(made.function(output))])
    app = App(path, FRAMES, CEPSTRA, Layout.FRAMES_BY_CEPSTRA)
    layers = modes_of(app).layers
    assert {layer.op for layer in layers if not layer.incremental} == {"FULLY_CONNECTED"}
    assert compare([app]) > 20


@pytest.mark.parametrize("along_columns", [False, True])
def test_a_slice_across_time_is_kept(tmp_path: Path, along_columns: bool) -> None:
    """SLICE has two constants, the STRIDED_SLICE that a row of it becomes has three."""
    made = Branches(5, FRAMES, CEPSTRA, turned=along_columns)
    source = made.conv(made.newest, along=2, depthwise=0, dilation=1)
    cut = made.picture(source, columns=source.columns - 2)
    begin, size = (0, *made.pair(0, 1), 0), (1, *made.pair(-1, source.columns - 2), -1)
    constants = [made.constant(np.array(values, np.int32)) for values in (begin, size)]
    made.operator("SLICE", [source.index, *constants], [cut.index])
    path = made.write(tmp_path / "m.tflite", [made.input], [made.end_dense(made.function(cut))])
    layout = Layout.CEPSTRA_BY_FRAMES if along_columns else Layout.FRAMES_BY_CEPSTRA
    app = App(path, FRAMES, CEPSTRA, layout)
    layers = modes_of(app).layers
    assert all(layer.incremental for layer in layers if layer.op != "FULLY_CONNECTED")
    assert compare([app]) > 20


@pytest.mark.parametrize("along_columns", [False, True])
def test_an_input_that_is_kept_and_read_whole(tmp_path: Path, along_columns: bool) -> None:
    """One branch steps, the other takes the picture of all frames."""
    made = Branches(5, FRAMES, CEPSTRA, turned=along_columns)
    kept = made.function(made.conv(made.newest, along=2, depthwise=0, dilation=1))
    whole = made.picture(kept, rows=made.newest.rows, columns=made.newest.columns, depth=1)
    made.operator("QUANTIZE", [reversed_(made, made.newest).index], [whole.index])
    flat = []
    for part in (kept, made.function(whole)):
        count = part.rows * part.columns * part.depth
        flat.append(made.tensor((1, count), "int8", part.scale, part.zero_point))
        shape = made.constant(np.array((1, count), np.int32))
        made.operator("RESHAPE", [part.index, shape], [flat[-1]])
    scores = [made.tensor((1, 3), "int8", 1.0, 0) for _ in flat]
    options = {"fusedActivationFunction": 0, "keepNumDims": False}
    for values, score in zip(flat, scores, strict=True):
        count = made.graph.tensors[values].shape[1]
        weights = made.constant(made.random.integers(-127, 128, (3, count), np.int8), 0.01)
        made.operator("FULLY_CONNECTED", [values, weights], [score], options)
    y = made.tensor((1, 3), "int8", 1.5, 0)
    made.operator("ADD", scores, [y], {"fusedActivationFunction": 0})
    path = made.write(tmp_path / "m.tflite", [made.input], [y])
    layout = Layout.CEPSTRA_BY_FRAMES if along_columns else Layout.FRAMES_BY_CEPSTRA
    app = App(path, FRAMES, CEPSTRA, layout)
    layers = modes_of(app).layers
    assert layers[0].incremental
    assert compare([app]) > 10


def in_groups(made: Branches, source: Picture, padding: str) -> Picture:
    """A CONV_2D of two groups, two rows high."""
    output = made.picture(source, rows=source.rows - (padding == "valid"), depth=2)
    weights = made.constant(made.random.integers(-127, 128, (2, 2, 1, source.depth // 2), np.int8), 0.01)
    bias = made.constant(np.zeros(2, np.int32), 0.01 * source.scale)
    options = {"padding": PADDINGS[padding], "strideH": 1, "strideW": 1, "fusedActivationFunction": 0}
    made.operator("CONV_2D", [source.index, weights, bias], [output.index], options)
    return output


def transposed(made: Branches, source: Picture, padding: str) -> Picture:
    """A TRANSPOSE_CONV that makes two columns of one."""
    output = made.picture(source, columns=2 * source.columns, depth=3)
    shape = (1, output.rows, output.columns, output.depth)
    weights = made.random.integers(-127, 128, (3, 1, 2, source.depth), np.int8)
    operands = [made.constant(np.array(shape, np.int32)), made.constant(weights, 0.01), source.index]
    options = {"padding": PADDINGS[padding], "strideH": 1, "strideW": 2}
    made.operator("TRANSPOSE_CONV", operands, [output.index], options)
    return output


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("layer", [in_groups, transposed])
def test_layers_of_several_nodes(
    tmp_path: Path, layer: Callable[[Branches, Picture, str], Picture], padding: str
) -> None:
    """A pass has put other nodes in the layer's place: each has an index of its own."""
    made = Branches(6, FRAMES, CEPSTRA)
    source = made.conv(made.newest, along=2, depthwise=0, dilation=1, same=1)
    whole = made.narrow(source, CEPSTRA, 4)
    broken = layer(made, whole, padding)
    path = made.write(tmp_path / "m.tflite", [made.input], [made.end_dense(made.function(broken))])
    graph = load_graph(path)
    assert len({node.index for node in graph.nodes}) == len(graph.nodes)
    assert {node.number for node in graph.nodes} == set(range(len(made.graph.operators)))
    assert compare([App(path, FRAMES, CEPSTRA, Layout.FRAMES_BY_CEPSTRA)]) > 10
