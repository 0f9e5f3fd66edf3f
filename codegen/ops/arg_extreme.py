# SPDX-License-Identifier: Apache-2.0
"""ARG_MAX and ARG_MIN along one axis: an index of 32 bits, of equal values the first."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from codegen.model.graph import Graph, Node
from codegen.ops.checks import check_computed, check_int8, counts, present, result
from codegen.ops.family import AGAIN, Family, Fault

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering

WIDER = {
    "ARG_MAX": "write tf.argmax(..., output_type=tf.int32)",
    "ARG_MIN": "write tf.argmin(..., output_type=tf.int32)",
}


def _axis(graph: Graph, node: Node) -> int:
    data = present(graph, node, 1).data
    assert data is not None
    axis = int(data.reshape(-1)[0])
    return axis + len(present(graph, node, 0).shape) if axis < 0 else axis


def check_types(graph: Graph, node: Node) -> Iterator[Fault]:
    """int8 in, int32 out, and an axis that is known."""
    input_, axis, output = present(graph, node, 0), present(graph, node, 1), result(graph, node)
    yield from check_int8(input_, "input")
    yield from check_computed(input_)
    if axis.data is None or axis.data.size != 1:
        yield Fault("its axis is computed; one that is constant is needed", AGAIN)
    if output.dtype != "int32":
        yield Fault(f"its output is {output.dtype}; int32 is needed", WIDER[node.op])


def check_shapes(graph: Graph, node: Node) -> Iterator[Fault]:
    """The input's shape without the axis."""
    shape, axis, output = present(graph, node, 0).shape, _axis(graph, node), result(graph, node)
    if not 0 <= axis < len(shape) or output.size * shape[axis] != math.prod(shape):
        yield Fault(f"input {list(shape)}, axis {axis} and output {list(output.shape)} do not fit", AGAIN)


def lower(lowering: Lowering, node: Node) -> None:
    """One call."""
    shape, axis = present(lowering.graph, node, 0).shape, _axis(lowering.graph, node)
    sizes = (math.prod(shape[:axis]), shape[axis], math.prod(shape[axis + 1 :]))
    lowering.add(
        node,
        "arg_extreme",
        type="arg_extreme",
        form="largest" if node.op == "ARG_MAX" else "smallest",
        fields=list(zip(("outer", "count", "inner"), map(str, sizes), strict=True)),
    )


FAMILIES = (
    Family(
        ("ARG_MAX", "ARG_MIN"),
        (counts(2, 2), check_types, check_shapes),
        lower,
        "its output is no int8 that a later layer could read",
    ),
)
