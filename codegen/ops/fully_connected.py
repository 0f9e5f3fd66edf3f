"""FULLY_CONNECTED: dense layers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from codegen.graph import Graph, Node, Tensor
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
    yield from check_weights(weights, outputs, axis=0)
    yield from check_bias(bias, outputs)
    if (
        input_.size % inputs
        or output.size != input_.size // inputs * outputs
        or output.shape[-1:] != (outputs,)
    ):
        yield Fault(
            f"input {list(input_.shape)}, weights {list(weights.shape)}, output {list(output.shape)} clash",
            AGAIN,
        )


def _tensors(graph: Graph, node: Node) -> tuple[Tensor, Tensor, Tensor | None, Tensor]:
    input_, weights = operand(graph, node, 0), operand(graph, node, 1)
    assert input_ is not None  # check_counts
    assert weights is not None
    return input_, weights, operand(graph, node, 2), result(graph, node)


def lower(lowering: Lowering, node: Node) -> None:
    """fully_connected."""
    input_, weights, bias, output = _tensors(lowering.graph, node)
    assert weights.data is not None
    outputs, inputs = weights.shape
    flat = weights.data.astype(np.int64)
    low, high = activation_range(output, node.options["fused_activation_function"])
    multipliers = dense_multipliers(input_, weights, output, outputs, lowering.reference)
    zero_point = quantization(input_).zero_point
    scaling = channels.Scaling(
        biases=channels.folded_bias(flat, bias, zero_point),
        multipliers=multipliers,
        largest=channels.largest_sums(flat, bias, zero_point),
        zero_point=quantization(output).zero_point,
        low=low,
        high=high,
    )
    batches = input_.size // inputs
    lowering.add(
        node,
        "dense",
        type="fully_connected",
        fields=[
            ("weights", "weights"),
            ("channels", "channels"),
            ("batches", str(batches)),
            ("inputs", str(inputs)),
            ("outputs", str(outputs)),
            ("rounds", "1" if lowering.reference is Reference.LITERT else "2"),
            ("zero_point", str(quantization(output).zero_point)),
            ("low", str(low)),
            ("high", str(high)),
        ],
        arrays=(channels.pair_weights(flat), scaling.array()),
        macs=batches * inputs * outputs,
    )


FAMILIES = (Family(("FULLY_CONNECTED",), check, lower),)
