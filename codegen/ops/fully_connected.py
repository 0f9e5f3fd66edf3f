# SPDX-License-Identifier: Apache-2.0
"""FULLY_CONNECTED: dense layers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from codegen.common.reference import Reference
from codegen.kernels import channels, round_once
from codegen.kernels.layer import Array
from codegen.kernels.packing import dense as dense_words
from codegen.kernels.requantize import activation_range, dense_multipliers, quantization
from codegen.model.graph import Graph, Node, Tensor
from codegen.ops.checks import (
    check_activation,
    check_bias,
    check_int8_ends,
    check_rank,
    check_weights,
    counts,
    result,
    weighted_scales,
    weighted_tensors,
)
from codegen.ops.family import AGAIN, Family, Fault
from codegen.ops.rows import ALL_TIME, NotIncrementalError, Recipe, Sources, along_last_axis

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering


def check_types(graph: Graph, node: Node) -> Iterator[Fault]:
    """int8 input and output, constant weights [outputs, inputs]."""
    input_, _, _, output = weighted_tensors(graph, node)
    yield from check_int8_ends(input_, output)
    yield from check_form(graph, node)


def check_form(graph: Graph, node: Node) -> Iterator[Fault]:
    """What is fused, and weights as they lie in the file."""
    _, weights, _, _ = weighted_tensors(graph, node)
    yield from check_activation(node)
    yield from check_rank(weights, "weights", 2)
    if node.options["weights_format"] != 0:
        yield Fault("its weights are shuffled for another engine", AGAIN)


def check_shapes(graph: Graph, node: Node) -> Iterator[Fault]:
    """Weights, bias and output that fit the input and each other."""
    _, weights, bias, _ = weighted_tensors(graph, node)
    yield from check_geometry(graph, node)
    yield from check_bias(bias, weights.shape[0])


def check_geometry(graph: Graph, node: Node) -> Iterator[Fault]:
    """The same without the bias."""
    input_, weights, _, output = weighted_tensors(graph, node)
    outputs, inputs = weights.shape
    yield from check_weights(weights, outputs, axis=0)
    if input_.size % inputs or output.size != input_.size // inputs * outputs or output.shape[-1] != outputs:
        reported = f"input {list(input_.shape)}, weights {list(weights.shape)}, output {list(output.shape)}"
        yield Fault(f"{reported} do not fit together", AGAIN)


def _flat(weights: Tensor) -> channels.Ints:
    assert weights.data is not None
    return weights.data.astype(np.int64)


def _reals(graph: Graph, node: Node) -> list[tuple[float, int, int, int]]:
    """What round_once needs of each output: multiplier, range without the zero point, largest sum."""
    input_, weights, bias, output = weighted_tensors(graph, node)
    low, high = activation_range(output, node.options["fused_activation_function"])
    zero_point = quantization(output).zero_point
    scales = quantization(weights).scales
    sums = channels.largest_sums(_flat(weights), bias, quantization(input_).zero_point)
    if len(scales) == 1:
        scales, sums = scales * len(sums), [max(sums)] * len(sums)
    factor_in, factor_out = quantization(input_).scale, quantization(output).scale
    return [
        (factor_in * scale / factor_out, low - zero_point, high - zero_point, largest)
        for scale, largest in zip(scales, sums, strict=True)
    ]


def lower(lowering: Lowering, node: Node) -> None:
    """fully_connected, or one of its forms where that does not serve every output."""
    graph = lowering.graph
    input_, weights, bias, output = weighted_tensors(graph, node)
    flat = _flat(weights)
    outputs = len(flat)
    low, high = activation_range(output, node.options["fused_activation_function"])
    zero_point = quantization(input_).zero_point
    biases = channels.folded_bias(flat, bias, zero_point)
    if lowering.reference is Reference.TFLM:
        twice = channels.Scaling(
            biases=biases,
            multipliers=dense_multipliers(input_, weights, output, outputs),
            largest=channels.largest_sums(flat, bias, zero_point),
            zero_point=quantization(output).zero_point,
            low=low,
            high=high,
        )
        form, scaling = "twice" if twice.general else "fast", [twice.array()]
    else:
        form, scaling = _once(graph, node, biases, (low, high))
    add(
        lowering,
        node,
        flat,
        form=form,
        scaling=scaling,
        zero_point=quantization(output).zero_point,
        limits=(low, high),
    )


def add(
    lowering: Lowering,
    node: Node,
    flat: channels.Ints,
    *,
    form: str,
    scaling: list[Array],
    zero_point: int,
    limits: tuple[int, int],
) -> None:
    """The call of a dense layer, of one that a convolution is too. flat: weights as [outputs, inputs]"""
    outputs, inputs = flat.shape
    batches = lowering.graph.tensors[node.inputs[0]].size // inputs
    dense = dense_words.dense(flat)
    lowering.add(
        node,
        "dense" if node.op == "FULLY_CONNECTED" else "conv",
        type=dense.type,
        form=form,
        fields=[
            *dense.fields,
            *((array.suffix, array.suffix) for array in scaling),
            *_step_counts(scaling, *limits),
            ("batches", str(batches)),
            ("inputs", str(inputs)),
            ("outputs", str(outputs)),
            ("zero_point", str(zero_point)),
            ("low", str(limits[0])),
            ("high", str(limits[1])),
        ],
        arrays=(dense.array, *scaling),
        in_place=[node.inputs[0]] if batches == 1 or outputs <= inputs else (),
        scratch=dense.scratch,
        macs=batches * flat.size,
    )


def _step_counts(scaling: list[Array], low: int, high: int) -> list[tuple[str, str]]:
    """Of the form "steps": how many an output has, and how many to the next output's."""
    if scaling[-1].suffix != "steps":
        return []
    count = high - low
    return [
        ("step_count", str(count)),
        ("step_stride", "0" if len(scaling[-1].values) == count else str(count)),
    ]


def _once(graph: Graph, node: Node, biases: list[int], limits: tuple[int, int]) -> tuple[str, list[Array]]:
    """The form of the kernel, and the arrays it reads: LiteRT's rounding."""
    reals = _reals(graph, node)
    zero_point = quantization(result(graph, node)).zero_point
    if limits == (-128, 127):
        rows = []
        for bias, fast in zip(biases, [round_once.fast(*real) for real in reals], strict=True):
            if fast is not None:
                offset = (zero_point << fast.right) + (1 << (fast.right - 1))
                rows.append([bias, fast.multiplier, offset, fast.left, fast.right])
        if len(rows) == len(biases):
            rows += [[0] * 5] * (len(rows) % 2)
            note = "bias, multiplier, offset, left, right"
            return "", [Array("channels", "requantize_t", np.array(rows, dtype=np.int64), note)]
    wide = [round_once.wide(*real) for real in reals]
    rows = [
        [form.multiplier, bias, form.bits]
        for form, bias in zip(wide, biases, strict=True)
        if form is not None
    ]
    if len(rows) < len(biases):
        return "steps", _steps(graph, node, biases)
    rows += [[0, 0, 1]] * (len(rows) % 2)
    return "wide", [
        Array("wide", "requantize_wide_t", np.array(rows, dtype=np.int64), "multiplier, bias, bits")
    ]


def _steps(graph: Graph, node: Node, biases: list[int]) -> list[Array]:
    """Biases, and of each output (or of all, where they share one scale) the sums at which it steps up."""
    reals = dict.fromkeys((real, low, high) for real, low, high, _ in _reals(graph, node))
    shared = len(reals) == 1
    every = list(reals) if shared else [(real, low, high) for real, low, high, _ in _reals(graph, node)]
    sums = [value for real in every for value in round_once.steps(*real)]
    padded = biases + [0] * (len(biases) % 2)
    return [
        Array("biases", "int32_t", np.array(padded, dtype=np.int64), "one an output"),
        Array("steps", "int32_t", np.array(sums, dtype=np.int64), "least sum of each level above the lowest"),
    ]


# --- row by row ---


def row_by_row(node: Node, sources: Sources) -> Recipe:
    """Where every row passes the layer alone."""
    inputs, depth = (sources.tensors[index].shape[-1] for index in node.inputs[:2])
    if inputs != depth:
        raise NotIncrementalError(ALL_TIME)
    return along_last_axis(node, sources)


FAMILIES = (
    Family(
        ("FULLY_CONNECTED",),
        (counts(2, 3), check_types, check_shapes, weighted_scales(axis=0)),
        lower,
        row_by_row,
    ),
)
