# SPDX-License-Identifier: Apache-2.0
"""REDUCE_MAX and REDUCE_MIN over any axes: global max pooling, and its opposite."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from codegen.model.graph import Graph, Node
from codegen.ops.checks import check_same_scale, counts, unary_tensors
from codegen.ops.conv_2d import Axis, window_axis
from codegen.ops.family import Family, Fault
from codegen.ops.mean import Blocks, blocks, check_shapes, check_types
from codegen.ops.pool_2d import add_pool
from codegen.ops.rows import ALL_TIME

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering

NEGATED = np.arange(127, -129, -1).reshape(1, 256)  # of -128 .. 127: -1 - x, which turns the order round


def check_scale(graph: Graph, node: Node) -> Iterator[Fault]:
    """The value itself comes out."""
    yield from check_same_scale(*unary_tensors(graph, node))


def window_of(taken: Blocks) -> tuple[Axis, Axis]:
    """The values that are taken together as the rows of a window."""
    rows = window_axis(taken.rows * taken.count, taken.count, taken.count, 1, "valid")
    return rows, window_axis(1, 1, 1, 1, "valid")


def lower(lowering: Lowering, node: Node) -> None:
    """A pooling over a column of the values that are taken together; of the negated ones for the least."""
    taken = blocks(lowering, node)
    source, target = taken.source, node.outputs[0]
    if node.op == "REDUCE_MIN":
        like = lowering.graph.tensors[source]
        source = lowering.temporary(like.shape, like)
        target = lowering.temporary(lowering.graph.tensors[target].shape, like)
        lowering.table(replace(node, outputs=(source,)), taken.source, NEGATED)
    add_pool(
        lowering,
        node,
        window_of(taken),
        taken.depth,
        (-128, 127),
        form="largest",
        inputs=(source,),
        output=target,
    )
    if node.op == "REDUCE_MIN":
        lowering.table(node, target, NEGATED)


FAMILIES = (
    Family(
        ("REDUCE_MAX", "REDUCE_MIN"), (counts(2, 2), check_types, check_shapes, check_scale), lower, ALL_TIME
    ),
)
