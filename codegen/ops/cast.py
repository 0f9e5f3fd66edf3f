# SPDX-License-Identifier: Apache-2.0
"""CAST: a value as another type's number, whatever its scale says. Bytes of one width stay as they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from codegen.kernels.requantize import quantize_multiplier
from codegen.model.graph import Graph, Node
from codegen.ops.checks import check_computed, check_same_shape, counts, unary_tensors
from codegen.ops.family import AGAIN, Family, Fault

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering

BYTES = ("int8", "uint8")
# Of a comparison's result, 0 or 1.
FROM_BOOL = (("bool", "int8"), ("bool", "uint8"))
# Pair -> the kernel's form.
WIDTHS = {
    ("int8", "int32"): "int8_int32",
    ("uint8", "int32"): "uint8_int32",
    ("bool", "int32"): "uint8_int32",
    ("int16", "int32"): "int16_int32",
    ("int32", "int8"): "int32_int8",
    ("int32", "uint8"): "int32_int8",
    ("int32", "int16"): "int32_int16",
}
SAME = (*((a, b) for a in BYTES for b in BYTES), ("int16", "int16"), ("int32", "int32"), *FROM_BOOL)
PAIRS = (*SAME, ("int8", "int16"), *WIDTHS)


def check(graph: Graph, node: Node) -> Iterator[Fault]:
    """Types whose numbers the bytes already are, or that a kernel makes wider or narrower."""
    input_, output = unary_tensors(graph, node)
    if (input_.dtype, output.dtype) not in PAIRS:
        possible = ", ".join(f"{a} to {b}" for a, b in PAIRS if a != b)
        yield Fault(f"it casts {input_.dtype} to {output.dtype}; {possible} are possible", AGAIN)
    yield from check_computed(input_)
    yield from check_same_shape(input_, output)


def lower(lowering: Lowering, node: Node) -> None:
    """Nothing between types of one width; else another width, of int16 as a change of scale by 1."""
    input_, output = unary_tensors(lowering.graph, node)
    if input_.nbytes == output.nbytes:
        lowering.share(node.outputs[0], node.inputs[0])
        return
    form = WIDTHS.get((input_.dtype, output.dtype))
    if form is not None:
        lowering.add(node, "cast", type="cast", form=form, fields=[("count", str(output.size))])
        return
    one = quantize_multiplier(1.0)
    fields = {
        "count": output.size,
        "multiplier": one.value,
        "left": one.left,
        "right": one.right,
        "zero_in": 0,
        "zero_out": 0,
        "low": -(1 << 15),
        "high": (1 << 15) - 1,
    }
    lowering.add(
        node,
        "cast",
        type="rescale",
        form=f"{input_.dtype}_{output.dtype}",
        fields=[(name, str(value)) for name, value in fields.items()],
    )


FAMILIES = (Family(("CAST",), (counts(1, 1), check), lower),)
