"""CAST: a value as another type's number, whatever its scale says. Between 8-bit types the byte stays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from codegen.kernels.requantize import quantize_multiplier
from codegen.model.graph import Graph, Node
from codegen.ops.family import AGAIN, Family, Fault, check_counts, operand, result

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering

BYTES = ("int8", "uint8")
PAIRS = (*((a, b) for a in BYTES for b in BYTES), ("int16", "int16"), ("int8", "int16"))


def check(graph: Graph, node: Node) -> Iterator[Fault]:
    """Types whose numbers the bytes already are, or int8 made wider."""
    faults = list(check_counts(node, 1, 1))
    if faults:
        yield from faults
        return
    input_, output = operand(graph, node, 0), result(graph, node)
    assert input_ is not None
    if (input_.dtype, output.dtype) not in PAIRS:
        possible = ", ".join(f"{a} to {b}" for a, b in PAIRS if a != b)
        yield Fault(f"it casts {input_.dtype} to {output.dtype}; {possible} are possible", AGAIN)
    if input_.data is not None:
        yield Fault("its input is constant", "compute the result before converting")
    if input_.shape != output.shape:
        yield Fault(f"its input is {list(input_.shape)}, its output {list(output.shape)}", AGAIN)


def lower(lowering: Lowering, node: Node) -> None:
    """Nothing between types of one width; else a change of scale by 1."""
    input_, output = operand(lowering.graph, node, 0), result(lowering.graph, node)
    assert input_ is not None
    if input_.nbytes == output.nbytes:
        lowering.share(node.outputs[0], node.inputs[0])
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


FAMILIES = (Family(("CAST",), check, lower),)
