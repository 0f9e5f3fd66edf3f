# SPDX-License-Identifier: Apache-2.0
"""GATHER and GATHER_ND with constant indices, and MIRROR_PAD: rows in another order, some of them repeated.

Indices that lie at one distance are one strided copy: 7, 5, 3, 1 is one, a padding of 3 rows is one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from codegen.model.graph import Graph, Node
from codegen.ops.checks import check_computed, check_made, check_same_scale, counts, unary_tensors
from codegen.ops.family import Family, Fault
from codegen.ops.movement import ComputedError, check_moved, constant, copy, indices, parameter_fault
from codegen.ops.refused import OTHER

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering

TABLE = "it looks up rows of a table, an embedding, by numbers that are computed, which is not supported"
COPIES = 64  # at most, of one operator: each has a struct of its own
Taken = list[tuple[int, list[int]]]  # (axis, the rows of it that are wanted, in order)


def progressions(values: Sequence[int]) -> list[list[int]]:
    """The values in the same order, parted into as few runs of one distance as going along finds."""
    runs: list[list[int]] = []
    for value in values:
        run = runs[-1] if runs else []
        if runs and (len(run) == 1 or value - run[-1] == run[1] - run[0]):
            run.append(value)
        else:
            runs.append([value])
    return runs


def _blocks(shape: tuple[int, ...], places: NDArray[np.int64]) -> list[int]:
    """Of places [..., k] along the first k axes the numbers of what lies there."""
    axes = places.shape[-1] if places.ndim else 0
    if not 1 <= axes <= len(shape):
        raise ValueError(f"places of {axes} axes in {list(shape)}")
    if not places.size or (places < 0).any() or (places >= shape[:axes]).any():
        raise ValueError(f"places beyond {list(shape[:axes])}")
    return [int(np.ravel_multi_index(place, shape[:axes])) for place in places.reshape(-1, axes)]


def _view(graph: Graph, node: Node) -> tuple[int, ...]:
    """The input's shape along whose axes rows are taken."""
    shape = graph.tensors[node.inputs[0]].shape
    if node.op != "GATHER_ND":
        return shape
    axes = constant(graph, node, 1).shape[-1]
    return (math.prod(shape[:axes]), *shape[axes:])


def _taken(graph: Graph, node: Node) -> Taken:
    """What is taken along which axes, one after the other; ValueError where the node makes no sense."""
    shape = graph.tensors[node.inputs[0]].shape
    if node.op == "GATHER":
        axis = int(node.options["axis"])
        if int(node.options["batch_dims"]) != 0 or not -len(shape) <= axis < len(shape):
            raise ValueError(f"axis {axis} of {list(shape)}, batch dimensions {node.options['batch_dims']}")
        axis %= len(shape)
        rows = [int(value) for value in constant(graph, node, 1).reshape(-1)]
        if not rows or not all(0 <= row < shape[axis] for row in rows):
            raise ValueError(f"rows {rows} of {shape[axis]}")
        return [(axis, rows)]
    if node.op == "GATHER_ND":
        return [(0, _blocks(shape, constant(graph, node, 1)))]
    pads = constant(graph, node, 1)
    if pads.shape != (len(shape), 2):
        raise ValueError(f"paddings {pads.tolist()} of {list(shape)}")
    edge = 1 if node.options["mode"] == 0 else 0  # REFLECT does not repeat the edge, SYMMETRIC does
    found = []
    for axis, (size, (before, after)) in enumerate(zip(shape, pads.tolist(), strict=True)):
        if not 0 <= min(before, after) <= max(before, after) <= size - edge:
            raise ValueError(f"{before} and {after} rows mirrored of {size}")
        if before or after:
            low = range(before - 1 + edge, edge - 1, -1)
            high = range(size - 1 - edge, size - 1 - edge - after, -1)
            found.append((axis, [*low, *range(size), *high]))
    return found


def _shape(graph: Graph, node: Node, taken: Taken) -> tuple[int, ...]:
    shape = list(_view(graph, node))
    for axis, rows in taken:
        shape[axis] = len(rows)
    if node.op == "GATHER_ND":
        return (*constant(graph, node, 1).shape[:-1], *shape[1:])
    if node.op == "GATHER":
        ((axis, _),) = taken
        shape[axis : axis + 1] = constant(graph, node, 1).shape
    return tuple(shape)


def check(graph: Graph, node: Node) -> Iterator[Fault]:
    """Constant indices or paddings, and the output that follows."""
    source, output = unary_tensors(graph, node)
    yield from check_moved(source)
    try:
        taken = _taken(graph, node)
        shape = _shape(graph, node, taken)
    except ComputedError as error:
        yield Fault(TABLE, OTHER) if source.data is not None else parameter_fault(error)
        return
    except ValueError as error:
        yield parameter_fault(error)
        return
    yield from check_computed(source)
    if node.op == "MIRROR_PAD":
        yield from check_same_scale(source, output)
    yield from check_made(source, output, shape)
    if any(len(progressions(rows)) > COPIES for _, rows in taken):
        yield Fault(
            f"it takes rows in over {COPIES} runs of one distance", "take rows in an order, or transpose"
        )


def _range(run: Sequence[int]) -> slice:
    """The rows of a run; of one that repeats a row, that row."""
    step = run[-1] - run[-2] if len(run) > 1 else 1
    if step == 0:
        return slice(run[0], run[0] + 1)
    end = run[-1] + step
    return slice(run[0], None if end < 0 else end, step)


def lower(lowering: Lowering, node: Node) -> None:
    """A copy for each run, axis by axis."""
    source, output = unary_tensors(lowering.graph, node)
    taken = _taken(lowering.graph, node)
    current, shape = source.index, _view(lowering.graph, node)
    if not taken:
        lowering.share(output.index, source.index)
    for count, (axis, rows) in enumerate(taken, 1):
        wanted = (*shape[:axis], len(rows), *shape[axis + 1 :])
        target = output.index if count == len(taken) else lowering.temporary(wanted, source)
        places, targets, start = indices(shape), indices(wanted), 0
        for run in progressions(rows):
            before = (slice(None),) * axis
            part = targets[(*before, slice(start, start + len(run)))]
            view = np.broadcast_to(places[(*before, _range(run))], part.shape)
            copy(lowering, node, (current, view), (target, part), stem=node.op.lower())
            start += len(run)
        current, shape = target, wanted


FAMILIES = (Family(("GATHER", "GATHER_ND", "MIRROR_PAD"), (counts(2, 2), check), lower),)
