"""FULLY_CONNECTED: dense layers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from codegen import round_once
from codegen.graph import Graph, Node, Tensor
from codegen.layer import Array
from codegen.ops import channels
from codegen.ops.family import (
    AGAIN,
    Family,
    Fault,
    check_activation,
    check_bias,
    check_counts,
    check_int8,
    check_rank,
    check_weights,
    operand,
    result,
)
from codegen.quantize import Reference, activation_range, dense_multipliers, quantization

if TYPE_CHECKING:
    from codegen.lower import Lowering


def check(graph: Graph, node: Node) -> Iterator[Fault]:
    """int8 input and output, constant weights [outputs, inputs]."""
    faults = list(check_counts(node, 2, 3))
    if faults:
        yield from faults
        return
    input_, weights, bias, output = _tensors(graph, node)
    faults += [*check_int8(input_, "input"), *check_int8(output, "output"), *check_activation(node)]
    faults += check_rank(weights, "weights", 2)
    if node.options["weights_format"] != 0:
        faults.append(Fault("its weights are shuffled for another engine", AGAIN))
    if faults:
        yield from faults
        return
    outputs, inputs = weights.shape
    faults += [*check_weights(weights, outputs, axis=0), *check_bias(bias, outputs)]
    if input_.size % inputs or output.size != input_.size // inputs * outputs or output.shape[-1] != outputs:
        told = f"input {list(input_.shape)}, weights {list(weights.shape)}, output {list(output.shape)}"
        faults.append(Fault(f"{told} do not fit together", AGAIN))
    yield from faults
    if not faults and None in _wide(graph, node):
        yield Fault(
            "its biases are so large that its sums cannot be rounded exactly",
            "train with weight decay, or leave the layer's bias out, and convert again",
        )


def _tensors(graph: Graph, node: Node) -> tuple[Tensor, Tensor, Tensor | None, Tensor]:
    input_, weights = operand(graph, node, 0), operand(graph, node, 1)
    assert input_ is not None  # check_counts
    assert weights is not None
    return input_, weights, operand(graph, node, 2), result(graph, node)


def _flat(weights: Tensor) -> channels.Ints:
    assert weights.data is not None
    return weights.data.astype(np.int64)


def _reals(graph: Graph, node: Node) -> list[tuple[float, int, int, int]]:
    """What round_once needs of each output: multiplier, range without the zero point, largest sum."""
    input_, weights, bias, output = _tensors(graph, node)
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


def _wide(graph: Graph, node: Node) -> list[round_once.Wide | None]:
    return [round_once.wide(*real) for real in _reals(graph, node)]


def lower(lowering: Lowering, node: Node) -> None:
    """fully_connected, or one of its forms where that does not serve every output."""
    graph = lowering.graph
    input_, weights, bias, output = _tensors(graph, node)
    flat = _flat(weights)
    outputs, inputs = flat.shape
    low, high = activation_range(output, node.options["fused_activation_function"])
    zero_point = quantization(input_).zero_point
    biases = channels.folded_bias(flat, bias, zero_point)
    if lowering.reference is Reference.TFLM:
        form = "twice"
        scaling = channels.Scaling(
            biases=biases,
            multipliers=dense_multipliers(input_, weights, output, outputs),
            largest=channels.largest_sums(flat, bias, zero_point),
            zero_point=quantization(output).zero_point,
            low=low,
            high=high,
        ).array()
    else:
        form, scaling = _once(graph, node, biases, (low, high))
    lowering.add(
        node,
        "dense",
        type="fully_connected",
        form=form,
        fields=[
            ("weights", "weights"),
            (scaling.suffix, scaling.suffix),
            ("batches", str(input_.size // inputs)),
            ("inputs", str(inputs)),
            ("outputs", str(outputs)),
            ("zero_point", str(quantization(output).zero_point)),
            ("low", str(low)),
            ("high", str(high)),
        ],
        arrays=(channels.pair_weights(flat), scaling),
        macs=input_.size * outputs,
    )


def _once(graph: Graph, node: Node, biases: list[int], limits: tuple[int, int]) -> tuple[str, Array]:
    """The form of the kernel, and the array it reads: LiteRT's rounding."""
    zero_point = quantization(result(graph, node)).zero_point
    forms = [round_once.fast(*real) for real in _reals(graph, node)] if limits == (-128, 127) else [None]
    rows = []
    for bias, fast in zip(biases, forms, strict=False):
        if fast is None:
            return "wide", _wide_array(graph, node, biases)
        offset = (zero_point << fast.right) + (1 << (fast.right - 1))
        rows.append([bias, fast.multiplier, offset, fast.left, fast.right])
    rows += [[0] * 5] * (len(rows) % 2)
    note = "bias, multiplier, offset, left, right"
    return "", Array("channels", "requantize_t", np.array(rows, dtype=np.int64), note)


def _wide_array(graph: Graph, node: Node, biases: list[int]) -> Array:
    rows = []
    for bias, wide in zip(biases, _wide(graph, node), strict=True):
        assert wide is not None  # check
        rows.append([wide.multiplier, bias, wide.bits])
    rows += [[0, 0, 1]] * (len(rows) % 2)
    return Array("wide", "requantize_wide_t", np.array(rows, dtype=np.int64), "multiplier, bias, bits")


FAMILIES = (Family(("FULLY_CONNECTED",), check, lower),)
