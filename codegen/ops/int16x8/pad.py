# SPDX-License-Identifier: Apache-2.0
"""PAD and PADV2 of 16-bit activations: with zeros."""

from __future__ import annotations

from collections.abc import Iterator

from codegen.model.graph import Graph, Node
from codegen.ops import pad
from codegen.ops.checks import check_same_scale, operand, result
from codegen.ops.family import Family, Fault
from codegen.ops.int16x8.checks import INT8, check_int16
from codegen.ops.movement import FIXED, source_of


def check_types(graph: Graph, node: Node) -> Iterator[Fault]:
    """int16 of one scale, and the value 0 where there is one."""
    output, source, value = result(graph, node), source_of(graph, node), operand(graph, node, 2)
    yield from check_int16(source, "input")
    yield from check_int16(output, "output")
    yield from check_same_scale(source, output)
    if value is not None and (value.data is None or value.size != 1 or value.dtype != "int16"):
        yield Fault("its value is computed, or not one int16", FIXED)
    elif value is not None and value.data is not None and value.data.any():
        yield Fault("it pads 16-bit activations with a value other than 0", INT8)


FAMILIES = (
    Family(("PAD", "PADV2"), (pad.check_paddings, check_types, pad.check_shape), pad.lower, pad.rows_padded),
)
