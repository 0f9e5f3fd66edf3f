# SPDX-License-Identifier: Apache-2.0
"""Arithmetic of int32: whole numbers, indices and counts, whatever scale the file gives them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from codegen.model.graph import Graph, Node
from codegen.ops.checks import binary_tensors, result
from codegen.ops.family import AGAIN, Fault

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering

# Operator -> the kernel's form.
FORMS = {
    "ADD": "sum",
    "SUB": "difference",
    "MUL": "product",
    "MAXIMUM": "larger",
    "MINIMUM": "smaller",
}


def is_whole(graph: Graph, node: Node) -> bool:
    """It makes int32."""
    return result(graph, node).dtype == "int32"


def check(graph: Graph, node: Node) -> Iterator[Fault]:
    """Two operands of int32, nothing fused: TensorFlow Lite Micro overlooks an activation here."""
    a, b, _ = binary_tensors(graph, node)
    for tensor, what in ((a, "first operand"), (b, "second operand")):
        if tensor.dtype != "int32":
            yield Fault(f"its {what} is {tensor.dtype}, its output int32; both are needed alike", AGAIN)
    activation = node.options.get("fused_activation_function", "none")
    if activation != "none":
        yield Fault(
            f"the activation {activation} is fused into a sum of int32",
            "put the activation into a layer of its own",
        )


def lower(lowering: Lowering, node: Node, axes: tuple[str, str]) -> None:
    """One call. axes: the kernel's broadcast_t"""
    a, b, output = binary_tensors(lowering.graph, node)
    lowering.add(
        node,
        node.op.lower(),
        type="whole_numbers",
        form=FORMS[node.op],
        fields=[axes],
        inputs=(a.index, b.index),
        in_place=[t.index for t in (a, b) if t.data is None and t.shape == output.shape],
    )
