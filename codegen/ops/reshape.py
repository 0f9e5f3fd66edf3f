"""RESHAPE, SQUEEZE, EXPAND_DIMS: the same values under another shape. No kernel: the tensors share memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from codegen.model.graph import Graph, Node
from codegen.ops.family import AGAIN, Family, Fault, check_counts, operand, result

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering


BATCH = (
    "the file leaves the batch open: give the input layer batch_size=1, e.g. "
    "keras.Input(shape=(20, 10), batch_size=1), and convert again"
)


def check(graph: Graph, node: Node) -> Iterator[Fault]:
    """Same type, same number of values, a shape that is known."""
    faults = list(check_counts(node, 1, 2))
    if faults:
        yield from faults
        return
    input_, shape, output = operand(graph, node, 0), operand(graph, node, 1), result(graph, node)
    assert input_ is not None
    if shape is not None and shape.data is None:
        yield Fault(
            "its new shape is computed while the model runs",
            "give the model a fixed input shape, e.g. keras.Input(shape=..., batch_size=1), and convert",
        )
    if input_.size != output.size or input_.dtype != output.dtype:
        opened = input_.dtype == output.dtype and (input_.open_batch or output.open_batch)
        yield Fault(
            f"{input_.dtype}{list(input_.shape)} cannot become {output.dtype}{list(output.shape)}",
            BATCH if opened else AGAIN,
        )


def lower(lowering: Lowering, node: Node) -> None:
    """Nothing to do."""
    lowering.share(node.outputs[0], node.inputs[0])


FAMILIES = (Family(("RESHAPE", "SQUEEZE", "EXPAND_DIMS"), check, lower),)
