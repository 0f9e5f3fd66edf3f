# SPDX-License-Identifier: Apache-2.0
"""PAD and PADV2: the input copied into the middle of the filled output."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from codegen.model.graph import Graph, Node, Tensor
from codegen.ops.checks import check_computed, check_same_scale, operand, result
from codegen.ops.family import AGAIN, Family, Fault
from codegen.ops.movement import (
    FIXED,
    Places,
    check_loops,
    constant,
    copy,
    indices,
    parameter_fault,
    source_of,
)
from codegen.ops.rows import NEWEST, NotIncrementalError, Recipe, Sources, view_along

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering


def _paddings(graph: Graph, node: Node) -> list[tuple[int, int]]:
    values = constant(graph, node, 1)
    source = source_of(graph, node)
    if values.shape != (len(source.shape), 2) or (values < 0).any():
        raise ValueError(f"paddings {values.tolist()} of {list(source.shape)}")
    return [(int(before), int(after)) for before, after in values]


def check_paddings(graph: Graph, node: Node) -> Iterator[Fault]:
    """Constant paddings of a computed input."""
    try:
        _paddings(graph, node)
    except ValueError as error:
        yield parameter_fault(error, "paddings")
        return
    yield from check_computed(source_of(graph, node))


def check_types(graph: Graph, node: Node) -> Iterator[Fault]:
    """int8, and a constant value of the output's scale, or none."""
    output, source = result(graph, node), source_of(graph, node)
    if source.dtype != "int8" or output.dtype != "int8" or output.quantization is None:
        yield Fault(f"it pads {source.dtype} to {output.dtype}; quantized int8 is needed", AGAIN)
        return
    yield from check_same_scale(source, output)
    value = operand(graph, node, 2)
    if value is not None and (value.data is None or value.size != 1 or value.dtype != "int8"):
        yield Fault("its value is computed, or not one int8", FIXED)
    elif value is not None:
        yield from check_same_scale(value, output, "its value and output")


def check_shape(graph: Graph, node: Node) -> Iterator[Fault]:
    """The output that follows from the paddings, and what the kernel can move."""
    output, source, paddings = result(graph, node), source_of(graph, node), _paddings(graph, node)
    shape = tuple(size + before + after for size, (before, after) in zip(source.shape, paddings, strict=True))
    if shape != output.shape:
        yield Fault(f"its output is {list(output.shape)}, but {list(shape)} follows", AGAIN)
        return
    yield from check_loops(indices(source.shape), _middle(source, output, paddings))


def _middle(source: Tensor, output: Tensor, paddings: list[tuple[int, int]]) -> Places:
    """The places of the input in the output."""
    inside = zip(source.shape, paddings, strict=True)
    return indices(output.shape)[tuple(slice(before, before + size) for size, (before, _) in inside)]


def lower(lowering: Lowering, node: Node) -> None:
    """Fills the output and copies the input into its middle."""
    output, source = result(lowering.graph, node), source_of(lowering.graph, node)
    value = operand(lowering.graph, node, 2)
    assert output.quantization is not None
    fill = output.quantization.zero_point
    if value is not None and value.data is not None:
        fill = int(value.data.reshape(-1)[0])
    places = _middle(source, output, _paddings(lowering.graph, node))
    copy(lowering, node, (source.index, indices(source.shape)), (output.index, places), stem="pad", fill=fill)


# --- row by row ---


def rows_padded(node: Node, sources: Sources) -> Recipe:
    """Padding across time."""
    source, output = sources.views[node.inputs[0]], sources.output(node)
    paddings = sources.tensors[node.inputs[1]].data
    assert paddings is not None
    rank = len(output.shape)
    if source.axis is None or rank > 4:
        raise NotIncrementalError("its rows cannot be read from its shape")
    if paddings[source.axis].any():
        raise NotIncrementalError("it pads along time")
    rest = [paddings[axis] for axis in range(1, rank) if axis != source.axis]
    zeros = [np.zeros(2, paddings.dtype)] * (4 - len(rest))
    constants = {1: np.stack([*zeros, *rest])}
    return Recipe(node.op, view_along(output, source.axis), {0: NEWEST}, node.options, constants)


FAMILIES = (Family(("PAD", "PADV2"), (check_paddings, check_types, check_shape), lower, rows_padded),)
