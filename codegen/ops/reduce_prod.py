# SPDX-License-Identifier: Apache-2.0
"""REDUCE_PROD over any axes. TensorFlow Lite Micro does not have it: the bits are LiteRT's in both modes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from codegen.kernels.requantize import quantization, quantize_multiplier
from codegen.model.graph import Graph, Node, Tensor
from codegen.ops.bounds import BYTE, LARGEST, SCALES
from codegen.ops.checks import counts, unary_tensors
from codegen.ops.family import Family, Fault
from codegen.ops.mean import blocks, check_shapes, check_types
from codegen.ops.rows import ALL_TIME

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering

MOST = 1 << 7  # of a factor's scale: the shift of 64 bits is at least 8 places


def _scaling(input_: Tensor, output: Tensor) -> float:
    """Of each factor: the count-th root of what the whole product is multiplied by."""
    count = input_.size // output.size
    return float(quantization(input_).scale / quantization(output).scale ** (1.0 / count))


def check_scale(graph: Graph, node: Node) -> Iterator[Fault]:
    """Products so far stay within 32 bits, whatever the input."""
    input_, output = unary_tensors(graph, node)
    scaling = _scaling(input_, output)
    largest = float(BYTE)
    for _ in range(1, input_.size // output.size):
        largest = max(largest, min(largest * BYTE * scaling + 1, 2.0 * LARGEST))
    if scaling >= MOST or max(largest, largest * scaling) > LARGEST:
        yield Fault(f"its products reach {largest:.3g} steps; 32 bits hold up to {LARGEST:.3g}", SCALES)


def lower(lowering: Lowering, node: Node) -> None:
    """One call. The multiplier has 15 bits, as the reference's for products of 64 bits."""
    input_, output = unary_tensors(lowering.graph, node)
    taken = blocks(lowering, node)
    by = quantize_multiplier(_scaling(input_, output))
    multiplier = (by.value + (1 << 15)) >> 16 if by.value < 0x7FFF0000 else 0x7FFF
    lowering.add(
        node,
        "reduce_prod",
        type="reduce_prod",
        inputs=(taken.source,),
        fields=[
            ("rows", str(taken.rows)),
            ("count", str(taken.count)),
            ("depth", str(taken.depth)),
            ("multiplier", str(multiplier)),
            ("shift", str(15 - by.shift)),
            ("zero_in", str(quantization(input_).zero_point)),
            ("zero_out", str(quantization(output).zero_point)),
        ],
    )


FAMILIES = (
    Family(("REDUCE_PROD",), (counts(2, 2), check_types, check_shapes, check_scale), lower, ALL_TIME),
)
