# SPDX-License-Identifier: Apache-2.0
"""L2_NORMALIZATION along the last axis: embeddings of length 1."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from codegen.kernels.requantize import quantization
from codegen.model.graph import Graph, Node
from codegen.ops import bounds
from codegen.ops.checks import check_int8_ends, check_same_shape, counts, unary_tensors
from codegen.ops.family import AGAIN, Family, Fault

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering

LARGEST_DEPTH = (1 << 29) // (bounds.BYTE + 1) ** 2  # squares whose sum the inverse root takes


def check_types(graph: Graph, node: Node) -> Iterator[Fault]:
    """int8 in and out, no activation."""
    yield from check_int8_ends(*unary_tensors(graph, node))
    activation = node.options["fused_activation_function"]
    if activation != "none":
        yield Fault(f"it has the activation {activation}", "put the activation into a layer of its own")


def check_shapes(graph: Graph, node: Node) -> Iterator[Fault]:
    """The output's scale is fixed; the squares fit."""
    input_, output = unary_tensors(graph, node)
    yield from check_same_shape(input_, output)
    if (quantization(output).scale, quantization(output).zero_point) != (1 / 128, 0):
        yield Fault("its output must have scale 1/128 and zero point 0", AGAIN)
    if input_.shape[-1] > LARGEST_DEPTH:
        yield Fault(
            f"its vectors have {input_.shape[-1]} values; {LARGEST_DEPTH} are possible",
            "normalise shorter vectors",
        )


def lower(lowering: Lowering, node: Node) -> None:
    """l2_normalization."""
    input_, _ = unary_tensors(lowering.graph, node)
    depth = input_.shape[-1]
    lowering.add(
        node,
        "normalise",
        type="l2_normalization",
        fields=[
            ("rows", str(input_.size // depth)),
            ("depth", str(depth)),
            ("zero_point", str(quantization(input_).zero_point)),
        ],
        in_place=(input_.index,),
    )


FAMILIES = (Family(("L2_NORMALIZATION",), (counts(1, 1), check_types, check_shapes), lower),)
