# SPDX-License-Identifier: Apache-2.0
"""RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR: each row and column of the output is one of the input's, or
lies between two of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from codegen.kernels.layer import Array
from codegen.model.graph import Graph, Node
from codegen.ops.checks import check_int8_ends, counts, unary_tensors
from codegen.ops.family import AGAIN, Family, Fault
from codegen.ops.movement import constant, parameter_fault

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering

ONE = 1 << 10  # the step from one row to the next, in which the reference counts places between them
NOT_BY_ROW = "each of its rows has a place of its own among all rows of its input"


def nearest(size: int, count: int, *, align: bool, centers: bool) -> list[int]:
    """The input's place of each of `count` places of the output, in float32 steps."""
    scale = np.float32(size) / np.float32(count)
    if align and count > 1:
        scale = np.float32(size - 1) / np.float32(count - 1)
    found = []
    for place in range(count):
        real = float((np.float32(place) + np.float32(0.5 if centers else 0.0)) * scale)
        found.append(max(0, min(size - 1, math.floor(real + 0.5) if align else math.floor(real))))
    return found


def between(size: int, count: int, *, align: bool, centers: bool) -> list[tuple[int, int, int]]:
    """The input's two places of each of `count` places of the output, and the second's weight of ONE."""
    step = (ONE * size + count // 2) // count
    if align and count > 1:
        step = (ONE * (size - 1) + (count - 1) // 2) // (count - 1)
    found = []
    for place in range(count):
        real = place * step + (step // 2 - ONE // 2 if centers else 0)
        first = max(0, real // ONE)
        second = min(size - 1, -(-real // ONE))
        found.append((first, second, real - ONE * first if second > first else 0))
    return found


def check_types(graph: Graph, node: Node) -> Iterator[Fault]:
    """int8, four dimensions."""
    yield from check_int8_ends(*unary_tensors(graph, node), rank=4)


def check_size(graph: Graph, node: Node) -> Iterator[Fault]:
    """The constant size is that of the output."""
    input_, output = unary_tensors(graph, node)
    try:
        wanted = tuple(constant(graph, node, 1).reshape(-1).tolist())
    except ValueError as error:
        yield parameter_fault(error, "size")
        return
    if wanted != output.shape[1:3]:
        yield Fault(f"its output is {list(output.shape)}, but its size says {list(wanted)}", AGAIN)
    if output.shape[3] != input_.shape[3] or max(input_.shape) >= 1 << 15:
        yield Fault(f"{list(input_.shape)} becomes {list(output.shape)}", AGAIN)


def check_places(graph: Graph, node: Node) -> Iterator[Fault]:
    """No place beyond the last row or column: the reference rounds its steps, and reads there."""
    input_, output = unary_tensors(graph, node)
    align, centers = node.options["align_corners"], node.options["half_pixel_centers"]
    if align and centers:
        yield Fault("it has both align_corners and half_pixel_centers", AGAIN)
        return
    for size, count in zip(input_.shape[1:3], output.shape[1:3], strict=True):
        if between(size, count, align=align, centers=centers)[-1][0] >= size:
            yield Fault(
                f"{size} rows or columns become {count}: the reference reads beyond the last",
                'resize in two steps, or use interpolation="nearest"',
            )


def lower_nearest(lowering: Lowering, node: Node) -> None:
    """resize."""
    add_nearest(lowering, node)


def add_nearest(lowering: Lowering, node: Node, *, width: int = 1) -> None:
    """resize with the places of rows and columns. width: bytes of a value"""
    input_, output = unary_tensors(lowering.graph, node)
    align, centers = node.options["align_corners"], node.options["half_pixel_centers"]
    places = [
        nearest(size, count, align=align, centers=centers)
        for size, count in zip(input_.shape[1:3], output.shape[1:3], strict=True)
    ]
    lowering.add(
        node,
        "resize",
        type="resize",
        fields=[
            ("row_of", "row_of"),
            ("column_of", "column_of"),
            ("rows", str(output.shape[1])),
            ("columns", str(output.shape[2])),
            ("depth", str(width * output.shape[3])),
            ("row_step", str(width * input_.shape[2] * input_.shape[3])),
        ],
        arrays=(
            Array("row_of", "int16_t", np.array(places[0]), "the input's row for each of the output"),
            Array("column_of", "int16_t", np.array(places[1]), "the input's column for each of the output"),
        ),
    )


def lower_bilinear(lowering: Lowering, node: Node) -> None:
    """resize_bilinear."""
    add_bilinear(lowering, node)


def add_bilinear(lowering: Lowering, node: Node, *, type: str = "resize_bilinear") -> None:
    """A kernel with the places of rows and columns, and their weights."""
    input_, output = unary_tensors(lowering.graph, node)
    align, centers = node.options["align_corners"], node.options["half_pixel_centers"]
    arrays = []
    for axis, name in ((1, "row"), (2, "column")):
        places = between(input_.shape[axis], output.shape[axis], align=align, centers=centers)
        note = f"of each {name}: the input's two, and the second's weight in 1/{ONE}"
        arrays.append(Array(f"{name}s", "int16_t", np.array(places, np.int64).reshape(-1), note))
    lowering.add(
        node,
        "resize",
        type=type,
        fields=[
            ("row_places", "rows"),
            ("column_places", "columns"),
            ("rows", str(output.shape[1])),
            ("columns", str(output.shape[2])),
            ("depth", str(output.shape[3])),
            ("row_step", str(input_.shape[2] * input_.shape[3])),
        ],
        arrays=arrays,
    )


FAMILIES = (
    Family(("RESIZE_NEAREST_NEIGHBOR",), (counts(2, 2), check_types, check_size), lower_nearest, NOT_BY_ROW),
    Family(
        ("RESIZE_BILINEAR",),
        (counts(2, 2), check_types, check_size, check_places),
        lower_bilinear,
        NOT_BY_ROW,
    ),
)
