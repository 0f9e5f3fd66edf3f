# SPDX-License-Identifier: Apache-2.0
"""Operators with 16-bit activations and 8-bit weights, a family a file.

TFLite calls such models 16x8. Their activations are int16 with the zero point 0, their biases int64 (or
int32), and most operators have an arithmetic of their own there (docs/exactness.md). What only moves values,
and QUANTIZE, DEQUANTIZE and CAST, have one family for all types; every other family refuses int16.
"""

from __future__ import annotations

from codegen.model.graph import Graph, Node
from codegen.ops.family import Family
from codegen.ops.int16x8 import (
    arithmetic,
    batch_matmul,
    conv_2d,
    fully_connected,
    functions,
    lines,
    pad,
    pooling,
    resize,
    softmax,
)

MODULES = (
    arithmetic,
    batch_matmul,
    conv_2d,
    fully_connected,
    functions,
    lines,
    pad,
    pooling,
    resize,
    softmax,
)

FAMILIES: dict[str, Family] = {
    op: family for module in MODULES for family in module.FAMILIES for op in family.ops
}


def is_int16(graph: Graph, node: Node) -> bool:
    """Its first computed input has 16 bits. What only an LSTM or SVDF keeps is no such input."""
    for index in node.inputs:
        if index >= 0 and graph.tensors[index].data is None and not graph.tensors[index].variable:
            return graph.tensors[index].dtype == "int16"
    return False
