# SPDX-License-Identifier: Apache-2.0
"""What features are in a tensor of 16 bits: a table of 256 int16. No file has the operator:
codegen/passes/int16_ends.py puts it before the model of an app."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from codegen.kernels.layer import Array
from codegen.model.graph import Graph, Node
from codegen.ops.checks import check_int8, check_same_shape, counts, result, unary_tensors
from codegen.ops.family import AGAIN, Family, Fault
from codegen.ops.rows import elementwise

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering

OP = "FEATURES"


def check(graph: Graph, node: Node) -> Iterator[Fault]:
    """int8 in, int16 of the same shape out."""
    yield from check_int8(unary_tensors(graph, node)[0], "input")
    yield from check_same_shape(*unary_tensors(graph, node))
    if result(graph, node).dtype != "int16":
        yield Fault(f"its output is {result(graph, node).dtype}; int16 is needed", AGAIN)


def lower(lowering: Lowering, node: Node) -> None:
    """table_16x8. The option "table": the int16 of each feature, 0 .. 255."""
    table = np.array(node.options["table"], np.int64)
    lowering.add(
        node,
        "features",
        type="table_16x8",
        fields=[("table", "table"), ("count", str(result(lowering.graph, node).size))],
        arrays=(Array("table", "int16_t", table, "of each feature"),),
    )


FAMILIES = (Family((OP,), (counts(1, 1), check), lower, elementwise),)
