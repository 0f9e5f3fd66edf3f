# SPDX-License-Identifier: Apache-2.0
"""SVDF: a dense layer of low rank and a filter over time, int8 with a state of 16 or 8 bits.

The state lasts from one run to the next, in the interpreters and here: a run is one step of time. TensorFlow
Lite Micro is what it is compared with: LiteRT's interpreter has the same arithmetic, but writes beyond its
memory.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from codegen.kernels.channels import folded_bias, largest_sums
from codegen.kernels.layer import Array
from codegen.kernels.requantize import Multiplier, float32, quantization, quantize_multiplier
from codegen.model.graph import Graph, Node
from codegen.ops import bounds
from codegen.ops.checks import check_bias, check_int8, check_rank, check_weights, operand, present, result
from codegen.ops.family import AGAIN, Family, Fault

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering

INPUT, FEATURES, TIME, BIAS, STATE = range(5)
_LARGEST_STATE = {"int16": 1 << 15, "int8": 255}  # its difference to the zero point


def check_kind(graph: Graph, node: Node) -> Iterator[Fault]:
    """Its tensors are there, and the activation is one that the output's range is enough for."""
    if len(node.inputs) != 5 or len(node.outputs) != 1:
        yield Fault(f"{len(node.inputs)} inputs and {len(node.outputs)} outputs; 5 and 1 are needed", AGAIN)
        return
    for place in (INPUT, FEATURES, TIME, STATE):
        if operand(graph, node, place) is None:
            yield Fault(f"its input {place} is left out", AGAIN)
            return
    activation = node.options["fused_activation_function"]
    if activation not in ("none", "relu"):  # of these the output's range is all that the reference heeds
        what = f"its activation is {activation}, which the reference does not apply; none and relu are taken"
        yield Fault(what, "put the activation into a layer of its own")


def check_types(graph: Graph, node: Node) -> Iterator[Fault]:
    """int8 ends and weights of features; weights of time and state both int16, or both int8."""
    yield from check_int8(present(graph, node, INPUT), "input")
    yield from check_int8(result(graph, node), "output")
    yield from check_weights(present(graph, node, FEATURES), 1, axis=0)
    time, state = present(graph, node, TIME), present(graph, node, STATE)
    if time.data is None:
        yield Fault("its weights of time are computed; they must be constant", AGAIN)
    for tensor, what in ((time, "tensor of weights over time"), (state, "state")):
        one = tensor.quantization is not None and len(tensor.quantization.scales) == 1
        if tensor.dtype not in _LARGEST_STATE or not one:
            yield Fault(f"its {what} is {tensor.dtype}; int16 or int8 with one scale is needed", AGAIN)
            return
    if time.dtype != state.dtype:
        yield Fault(f"its weights of time are {time.dtype}, its state is {state.dtype}", AGAIN)
    elif quantization(time).zero_point or (state.dtype == "int16" and quantization(state).zero_point):
        yield Fault("its weights of time or its state of 16 bits have a zero point other than 0", AGAIN)
    if not state.variable or state.data is not None:
        yield Fault("its state is no variable", AGAIN)


def check_shapes(graph: Graph, node: Node) -> Iterator[Fault]:
    """One batch, and sizes that fit each other."""
    input_, output = present(graph, node, INPUT), result(graph, node)
    features, time, state = (present(graph, node, place) for place in (FEATURES, TIME, STATE))
    tensors = ((input_, "input"), (output, "output"), (features, "weights"), (time, "weights of time"))
    for tensor, what in tensors:
        yield from check_rank(tensor, what, 2)
        if len(tensor.shape) != 2:
            return
    rank, filters = node.options["rank"], features.shape[0]
    units = output.shape[1]
    fit = rank > 0 and filters == units * rank and time.shape[0] == filters
    fit = fit and input_.shape == (1, features.shape[1]) and output.shape[0] == 1
    if not fit or state.size != time.size:
        reported = ", ".join(
            f"{what} {list(tensor.shape)}"
            for what, tensor in (
                ("input", input_),
                ("weights", features),
                ("of time", time),
                ("state", state),
                ("output", output),
            )
        )
        yield Fault(f"{reported}: they do not fit each other at rank {rank} and a batch of 1", AGAIN)
        return
    yield from check_bias(operand(graph, node, BIAS), units)


def check_scales(graph: Graph, node: Node) -> Iterator[Fault]:
    """Scales that the arithmetic can do."""
    features, time = present(graph, node, FEATURES), present(graph, node, TIME)
    assert features.data is not None
    assert time.data is not None
    sums = largest_sums(
        features.data.astype(np.int64), None, quantization(present(graph, node, INPUT)).zero_point
    )
    first, second = _ratios(graph, node)
    yield from bounds.check_ratio(first, max(sums), "the scale of its features over that of its state")
    rows = np.abs(time.data.astype(np.int64)).sum(axis=1).reshape(-1, node.options["rank"]).sum(axis=1)
    largest = _LARGEST_STATE[present(graph, node, STATE).dtype]
    most = int((rows * largest + np.abs(_biases(graph, node))).max())
    yield from bounds.check_ratio(second, most, "the scale of its sums over time over that of its output")


def _biases(graph: Graph, node: Node) -> NDArray[np.int64]:
    """int64[units]; zeros where there are none."""
    bias = operand(graph, node, BIAS)
    if bias is None or bias.data is None:
        return np.zeros(result(graph, node).shape[1], np.int64)
    return bias.data.astype(np.int64).reshape(-1)


def _ratios(graph: Graph, node: Node) -> tuple[float, float]:
    """From sums over features to the state, from sums over time to the output: in float32 steps."""
    input_, features, time, state = (
        quantization(present(graph, node, place)).scale for place in (INPUT, FEATURES, TIME, STATE)
    )
    output = quantization(result(graph, node)).scale
    return float32(float32(input_ * features) / state), float32(float32(state * time) / output)


def _scale(by: Multiplier) -> str:
    return f"{{{by.value}, {by.left}, {by.right}}}"


def lower(lowering: Lowering, node: Node) -> None:
    """One call a step."""
    graph = lowering.graph
    input_, features, time = (present(graph, node, place) for place in (INPUT, FEATURES, TIME))
    assert features.data is not None
    assert time.data is not None
    units, state = result(graph, node).shape[1], present(graph, node, STATE)
    weights = features.data.astype(np.int64)
    starts = folded_bias(weights, None, quantization(input_).zero_point)
    arrays = [
        Array("features", "int8_t", weights.reshape(-1), "part by part"),
        Array("starts", "int32_t", np.array(starts, np.int64), "part by part"),
        Array(
            "time",
            f"{time.dtype}_t",
            time.data.astype(np.int64).reshape(-1),
            "part by part, the oldest first",
        ),
        Array("biases", "int32_t", _biases(graph, node), "unit by unit"),
    ]
    first, second = (_scale(quantize_multiplier(ratio)) for ratio in _ratios(graph, node))
    lowering.add(
        node,
        "svdf",
        type="svdf",
        form="" if state.dtype == "int16" else state.dtype,
        fields=[
            *((array.suffix, array.suffix) for array in arrays),
            ("inputs", str(weights.shape[1])),
            ("units", str(units)),
            ("rank", str(node.options["rank"])),
            ("memory", str(time.shape[1])),
            ("by_feature", first),
            ("by_time", second),
            ("zero_point", str(quantization(result(graph, node)).zero_point)),
            ("state_zero_point", str(quantization(state).zero_point)),
        ],
        arrays=arrays,
        inputs=[input_.index, lowering.state(node.options["states"][node.inputs[STATE]])],
        macs=weights.size + math.prod(time.shape),
    )


FAMILIES = (
    Family(
        ("SVDF",),
        (check_kind, check_types, check_shapes, check_scales),
        lower,
        "an SVDF keeps a state of its own: a decision is one of its steps",
        states=(STATE,),
    ),
)
