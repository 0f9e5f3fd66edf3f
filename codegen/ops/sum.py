# SPDX-License-Identifier: Apache-2.0
"""SUM over any axes: the end of an attention that weighs and adds up. The kernel is that of MEAN."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from codegen.kernels.requantize import quantization, quantize_multiplier
from codegen.model.graph import Graph, Node
from codegen.ops import bounds
from codegen.ops.checks import counts, unary_tensors
from codegen.ops.family import Family, Fault
from codegen.ops.mean import LARGEST_COUNT, add_mean, blocks, check_shapes, check_types
from codegen.ops.rows import ALL_TIME

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering


def check_count(graph: Graph, node: Node) -> Iterator[Fault]:
    """What 32 bits can sum up and scale."""
    input_, output = unary_tensors(graph, node)
    count = input_.size // output.size
    if count > LARGEST_COUNT:
        yield Fault(f"it sums up more than {LARGEST_COUNT} values at once", "sum up in two steps")
    yield from bounds.check_ratio(
        quantization(input_).scale / quantization(output).scale, bounds.BYTE * count
    )


def lower(lowering: Lowering, node: Node) -> None:
    """mean, with a multiplier that does not divide."""
    input_, output = unary_tensors(lowering.graph, node)
    by = quantize_multiplier(quantization(input_).scale / quantization(output).scale)
    add_mean(lowering, node, blocks(lowering, node), by)


FAMILIES = (Family(("SUM",), (counts(2, 2), check_types, check_shapes, check_count), lower, ALL_TIME),)
