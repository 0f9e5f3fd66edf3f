# SPDX-License-Identifier: Apache-2.0
"""RESHAPE, SQUEEZE, EXPAND_DIMS: the same values under another shape. No kernel: the tensors share memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from codegen.model.graph import Graph, Node
from codegen.ops.checks import counts, operand, unary_tensors
from codegen.ops.family import AGAIN, Family, Fault
from codegen.ops.rows import NEWEST, NotIncrementalError, Recipe, Sources, view_along, view_flat

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering

OPS = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")
BATCH = (
    "the file leaves the batch open: give the input layer batch_size=1, e.g. "
    "keras.Input(shape=(20, 10), batch_size=1), and convert again"
)

OPEN = "give the model a fixed input shape, e.g. keras.Input(shape=..., batch_size=1), and convert"


def check(graph: Graph, node: Node) -> Iterator[Fault]:
    """Same type, same number of values, a shape that is known."""
    input_, output = unary_tensors(graph, node)
    shape = operand(graph, node, 1)
    if shape is not None and shape.data is None:
        yield Fault("its new shape is computed while the model runs", OPEN)
    if input_.size != output.size or input_.dtype != output.dtype:
        opened = input_.dtype == output.dtype and (input_.open_batch or output.open_batch)
        yield Fault(
            f"{input_.dtype}{list(input_.shape)} cannot become {output.dtype}{list(output.shape)}",
            BATCH if opened else AGAIN,
        )


def lower(lowering: Lowering, node: Node) -> None:
    """Nothing to do."""
    lowering.share(node.outputs[0], node.inputs[0])


def _rows(node: Node, sources: Sources) -> Recipe:
    """The same values of a row, where the rows stay rows."""
    source, output = sources.views[node.inputs[0]], sources.output(node)
    if not source.turned:
        return Recipe("RESHAPE", view_flat(output, source.rows), {0: NEWEST})
    before = sources.tensors[source.tensor].shape
    if [size for size in before if size != 1] != [size for size in output.shape if size != 1]:
        raise NotIncrementalError("it puts the columns of time into one row")
    assert source.axis is not None
    larger = sum(size != 1 for size in before[: source.axis])  # axes that count before time
    places = [axis for axis, size in enumerate(output.shape) if size != 1]
    if source.rows == 1 or len(places) <= larger:
        raise NotIncrementalError("its rows cannot be read from its shape")
    return Recipe("RESHAPE", view_along(output, places[larger]), {0: NEWEST})


FAMILIES = (Family(OPS, (counts(1, 2), check), lower, _rows),)
