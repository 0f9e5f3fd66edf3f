# SPDX-License-Identifier: Apache-2.0
"""FULLY_CONNECTED with 16-bit activations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from codegen.common.reference import Reference
from codegen.kernels.channels import Ints
from codegen.kernels.layer import Array
from codegen.kernels.requantize import activation_range, dense_multipliers, quantization
from codegen.kernels.round_exact import Exact, exact
from codegen.model.graph import Graph, Node, Tensor
from codegen.ops import bounds
from codegen.ops.checks import counts, weighted_tensors
from codegen.ops.family import Family, Fault
from codegen.ops.fully_connected import check_form, check_geometry, row_by_row
from codegen.ops.int16x8 import weighted
from codegen.ops.int16x8.checks import check_bias, check_int16_ends, check_sums

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering


def check_types(graph: Graph, node: Node) -> Iterator[Fault]:
    """int16 input and output, constant weights [outputs, inputs]."""
    input_, _, _, output = weighted_tensors(graph, node)
    yield from check_int16_ends(input_, output)
    yield from check_form(graph, node)


def check_shapes(graph: Graph, node: Node) -> Iterator[Fault]:
    """Weights, bias and output that fit the input and each other."""
    _, weights, bias, _ = weighted_tensors(graph, node)
    yield from check_geometry(graph, node)
    yield from check_bias(node, bias, weights.shape[0])


def check_scales(graph: Graph, node: Node) -> Iterator[Fault]:
    """Scales that the arithmetic can do."""
    _, _, bias, _ = weighted_tensors(graph, node)
    yield from check_sums(graph, node, weighted.sums_of(_flat(graph, node), bias).largest)


def check_rounding(graph: Graph, node: Node) -> Iterator[Fault]:
    """Integers round as the reference's doubles do."""
    for output, found in enumerate(_exact(graph, node)):
        if found is None:
            yield Fault(f"no integers round the sums of output {output} as a double does", bounds.SCALES)
            return


def _flat(graph: Graph, node: Node) -> Ints:
    _, weights, _, _ = weighted_tensors(graph, node)
    assert weights.data is not None
    return weights.data.astype(np.int64)


def _exact(graph: Graph, node: Node) -> list[Exact | None]:
    """One an output."""
    input_, weights, bias, output = weighted_tensors(graph, node)
    largest, scales = weighted.sums_of(_flat(graph, node), bias).largest, quantization(weights).scales
    if len(scales) == 1:
        scales, largest = scales * len(largest), [max(largest)] * len(largest)
    scale_in, scale_out = quantization(input_).scale, quantization(output).scale
    return [exact(scale_in * scale / scale_out, most) for scale, most in zip(scales, largest, strict=True)]


def lower(lowering: Lowering, node: Node) -> None:
    """fully_connected_16x8. Biases of 32 bits are for sums of 32 bits, which wrap."""
    input_, weights, bias, output = weighted_tensors(lowering.graph, node)
    flat = _flat(lowering.graph, node)
    outputs, inputs = flat.shape
    sums = weighted.sums_of(flat, bias)
    low, high = activation_range(output, node.options["fused_activation_function"])
    if lowering.reference is Reference.TFLM:
        by = dense_multipliers(input_, weights, output, outputs)
        if bias is not None and bias.dtype == "int32":
            form, scaling = "twice", weighted.twice(sums.biases, by)
        else:
            scaling = weighted.reduced(sums, by)
            form = "reduced" if scaling.suffix == "channels" else "reduced_wide"
    else:
        exact_ones = [found for found in _exact(lowering.graph, node) if found is not None]
        form, scaling = _form(sums, exact_ones, bias), _exact_array(sums.biases, exact_ones)
    steps = -(-inputs // weighted.TAPS)
    batches = input_.size // inputs
    fields = {"batches": batches, "inputs": inputs, "outputs": outputs, "steps": steps}
    lowering.add(
        node,
        "dense",
        type="fully_connected_16x8",
        form=form,
        fields=[
            ("weights", "weights"),
            (scaling.suffix, scaling.suffix),
            *((name, str(value)) for name, value in fields.items()),
            ("low", str(low)),
            ("high", str(high)),
        ],
        arrays=(weighted.words(flat), scaling),
        scratch=8 * steps,
        macs=batches * flat.size,
    )


def _form(sums: weighted.Sums, found: list[Exact], bias: Tensor | None) -> str:
    """Narrow where sums, shifted left, fit 32 bits. With a bias of 32 bits they are computed in 32 bits."""
    wraps = bias is not None and bias.dtype == "int32"
    fits = all(most << by.left < 1 << 32 for most, by in zip(sums.largest, found, strict=True))
    return "" if (sums.narrow or wraps) and fits else "wide"


def _exact_array(biases: list[int], found: list[Exact]) -> Array:
    rows = [(bias, by.multiplier, by.left, by.right) for bias, by in zip(biases, found, strict=True)]
    rows += [(0, 0, 0, 1)] * (len(rows) % 2)
    return Array("exact", "requantize_exact_t", np.array(rows, np.int64), "bias, multiplier, left, right")


FAMILIES = (
    Family(
        ("FULLY_CONNECTED",),
        (counts(2, 3), check_types, check_shapes, check_scales, check_rounding),
        lower,
        row_by_row,
    ),
)
