# SPDX-License-Identifier: Apache-2.0
"""RESIZE_NEAREST_NEIGHBOR: each row and column of the output is one of the input's."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from codegen.kernels.layer import Array
from codegen.model.graph import Graph, Node
from codegen.ops.checks import binary_tensors, check_int8_ends, counts, unary_tensors
from codegen.ops.family import AGAIN, Family, Fault

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering


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


def check_types(graph: Graph, node: Node) -> Iterator[Fault]:
    """int8, four dimensions."""
    yield from check_int8_ends(*unary_tensors(graph, node), rank=4)


def check_size(graph: Graph, node: Node) -> Iterator[Fault]:
    """The constant size is that of the output."""
    input_, size, output = binary_tensors(graph, node)
    if size.data is None or tuple(size.data.reshape(-1).tolist()) != output.shape[1:3]:
        yield Fault(f"its size is computed, or not that of its output {list(output.shape)}", AGAIN)
    if output.shape[3] != input_.shape[3] or max(input_.shape) >= 1 << 15:
        yield Fault(f"{list(input_.shape)} becomes {list(output.shape)}", AGAIN)


def lower(lowering: Lowering, node: Node) -> None:
    """resize with the places of rows and columns."""
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
            ("depth", str(output.shape[3])),
            ("row_step", str(input_.shape[2] * input_.shape[3])),
        ],
        arrays=(
            Array("row_of", "int16_t", np.array(places[0]), "the input's row for each of the output"),
            Array("column_of", "int16_t", np.array(places[1]), "the input's column for each of the output"),
        ),
    )


FAMILIES = (Family(("RESIZE_NEAREST_NEIGHBOR",), (counts(2, 2), check_types, check_size), lower),)
