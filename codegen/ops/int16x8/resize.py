# SPDX-License-Identifier: Apache-2.0
"""RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR of 16-bit activations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from codegen.model.graph import Graph, Node
from codegen.ops import resize
from codegen.ops.checks import counts, unary_tensors
from codegen.ops.family import Family, Fault
from codegen.ops.int16x8.checks import check_int16_ends

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering


def check_types(graph: Graph, node: Node) -> Iterator[Fault]:
    """int16, four dimensions."""
    yield from check_int16_ends(*unary_tensors(graph, node), rank=4)


def lower_nearest(lowering: Lowering, node: Node) -> None:
    """resize, which moves bytes: two of each value."""
    resize.add_nearest(lowering, node, width=2)


def lower_bilinear(lowering: Lowering, node: Node) -> None:
    """resize_bilinear_16x8."""
    resize.add_bilinear(lowering, node, type="resize_bilinear_16x8")


FAMILIES = (
    Family(
        ("RESIZE_NEAREST_NEIGHBOR",),
        (counts(2, 2), check_types, resize.check_size),
        lower_nearest,
        resize.NOT_BY_ROW,
    ),
    Family(
        ("RESIZE_BILINEAR",),
        (counts(2, 2), check_types, resize.check_size, resize.check_places),
        lower_bilinear,
        resize.NOT_BY_ROW,
    ),
)
