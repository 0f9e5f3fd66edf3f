# SPDX-License-Identifier: Apache-2.0
"""Operators whose values change place by the parts of their axes: tiles, blocks, broadcast, reversal.

NumPy says which value goes where, as in movement.py; here a view may have more axes than the output.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from codegen.model.graph import Graph, Node
from codegen.ops.checks import check_computed, check_made, present, result
from codegen.ops.family import AGAIN, Family, Fault
from codegen.ops.movement import Places, check_loops, check_moved, constant, indices, move, parameter_fault

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering

Arranged = tuple[Places, tuple[int, ...]]  # places in the input; the output's shape, of as many values


def _arranged(graph: Graph, node: Node) -> Arranged:
    """ValueError where the node makes no sense."""
    places = indices(present(graph, node, 0).shape)
    shape = places.shape
    if node.op == "TILE":
        times = [int(value) for value in constant(graph, node, 1).reshape(-1)]
        if len(times) != len(shape) or min(times, default=1) < 1:
            raise ValueError(f"{times} times {list(shape)}")
        apart = places.reshape([size for axis in shape for size in (1, axis)])
        whole = [size for pair in zip(times, shape, strict=True) for size in pair]
        return np.broadcast_to(apart, whole), tuple(np.multiply(times, shape).tolist())
    if node.op == "BROADCAST_TO":
        wanted = tuple(int(value) for value in constant(graph, node, 1).reshape(-1))
        return np.broadcast_to(places, wanted), wanted
    if node.op == "REVERSE_V2":
        axes = tuple(int(value) for value in constant(graph, node, 1).reshape(-1))
        return np.flip(places, axes), shape
    return _blocks(places, int(node.options["block_size"]), to_depth=node.op == "SPACE_TO_DEPTH")


def _blocks(places: Places, size: int, *, to_depth: bool) -> Arranged:
    """SPACE_TO_DEPTH makes one position of size x size; DEPTH_TO_SPACE undoes it."""
    if places.ndim != 4 or size < 1:
        raise ValueError(f"blocks of {size} in {list(places.shape)}")
    batch, rows, columns, depth = places.shape
    parts = (rows, columns) if to_depth else (depth,)
    if any(part % (size if to_depth else size * size) for part in parts):
        raise ValueError(f"blocks of {size} x {size} do not divide {list(places.shape)}")
    if to_depth:
        apart = places.reshape(batch, rows // size, size, columns // size, size, depth)
        shape = (batch, rows // size, columns // size, depth * size * size)
    else:
        apart = places.reshape(batch, rows, columns, size, size, depth // (size * size))
        shape = (batch, rows * size, columns * size, depth // (size * size))
    return apart.transpose(0, 1, 3, 2, 4, 5), shape


def check(graph: Graph, node: Node) -> Iterator[Fault]:
    """The output that follows, of a type that can be moved."""
    if not node.inputs or min(node.inputs) < 0 or len(node.outputs) != 1:
        yield Fault("inputs are missing, or it has several outputs", AGAIN)
        return
    source, output = present(graph, node, 0), result(graph, node)
    yield from check_moved(source)
    yield from check_computed(source)
    try:
        view, shape = _arranged(graph, node)
    except (ValueError, IndexError, TypeError) as error:
        yield parameter_fault(error)
        return
    yield from check_made(source, output, shape)
    yield from check_loops(view, indices(view.shape))


def lower(lowering: Lowering, node: Node) -> None:
    """One copy."""
    view, _ = _arranged(lowering.graph, node)
    move(lowering, node, node.inputs[0], view, node.outputs[0])


FAMILIES = (
    Family(("TILE", "BROADCAST_TO", "REVERSE_V2", "SPACE_TO_DEPTH", "DEPTH_TO_SPACE"), (check,), lower),
)
