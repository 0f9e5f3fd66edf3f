# SPDX-License-Identifier: Apache-2.0
"""TRANSPOSE_CONV: what a convolution and DEPTH_TO_SPACE compute in its place.

codegen/passes/transpose_conv.py puts these there where this family finds no fault.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from codegen.model.graph import Graph, Node
from codegen.ops.checks import check_rank, check_weights, operand, present, result
from codegen.ops.family import AGAIN, Family, Fault

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering

SIZE = (
    "give the layer a size that is known before: fix the model's input shape, e.g. "
    "keras.Input(shape=(15, 20, 1), batch_size=1), or make the output shape a constant, and convert again"
)


def check_inputs(graph: Graph, node: Node) -> Iterator[Fault]:
    """Sizes, weights, input and perhaps a bias; one output."""
    del graph
    given = [index >= 0 for index in node.inputs]
    if not 3 <= len(given) <= 4 or not all(given[:3]) or len(node.outputs) != 1:
        yield Fault(
            f"{sum(given)} inputs and {len(node.outputs)} outputs; an output shape, weights and an input, "
            "perhaps a bias, and one output are needed",
            AGAIN,
        )


def check_sizes(graph: Graph, node: Node) -> Iterator[Fault]:
    """An output shape that is a constant: four sizes, those of the output."""
    sizes, output = present(graph, node, 0), result(graph, node)
    if sizes.data is None:
        name = f" ({sizes.name})" if sizes.name else ""
        if sizes.index in graph.inputs:
            what = f"its output shape is an input of the model{name}"
        else:
            maker = next((other for other in graph.nodes if sizes.index in other.outputs), None)
            by = f" by layer {maker.number} ({maker.op})" if maker is not None else ""
            what = f"its output shape{name} is computed{by}"
        yield Fault(f"{what}, so it is known when the model runs, and not before", SIZE)
    elif tuple(int(size) for size in sizes.data.reshape(-1)) != output.shape:
        found = [int(size) for size in sizes.data.reshape(-1)]
        yield Fault(f"its output is {list(output.shape)}, but its output shape says {found}", AGAIN)


def check_types(graph: Graph, node: Node) -> Iterator[Fault]:
    """Constant int8 weights [depth, rows, columns, input depth], a constant bias, four dimensions."""
    weights, input_, output = present(graph, node, 1), present(graph, node, 2), result(graph, node)
    for tensor, what in ((weights, "weights"), (input_, "input"), (output, "output")):
        yield from check_rank(tensor, what, 4)
    yield from check_weights(weights, weights.shape[0] if weights.shape else 0, axis=0)


def check_shapes(graph: Graph, node: Node) -> Iterator[Fault]:
    """Sizes that fit each other."""
    weights, input_, output = present(graph, node, 1), present(graph, node, 2), result(graph, node)
    if input_.shape[0] != 1:
        yield Fault(f"its input has a batch of {input_.shape[0]}; it must be 1", AGAIN)
    if weights.shape[3] != input_.shape[3]:
        yield Fault(
            f"its filters have {weights.shape[3]} channels and its input {input_.shape[3]}; "
            "channels in groups are not supported",
            "use a layer for each group of channels, and concatenate what they make",
        )
    if weights.shape[0] != output.shape[3]:
        yield Fault(f"{weights.shape[0]} filters make {output.shape[3]} channels", AGAIN)
    bias = operand(graph, node, 3)
    if bias is not None and bias.data is None:
        yield Fault("its bias is computed; it must be constant", "use a layer with a trained bias")
    elif bias is not None and bias.size != weights.shape[0]:
        yield Fault(f"its bias has {bias.size} values for {weights.shape[0]} channels", AGAIN)
    strides = (node.options["stride_h"], node.options["stride_w"])
    if min(strides) < 1:
        yield Fault(f"its strides are {strides[0]} x {strides[1]}; at least 1 is needed", AGAIN)
        return
    for word, size, stride, before in zip(
        ("rows", "columns"), output.shape[1:3], strides, input_.shape[1:3], strict=True
    ):
        same = node.options["padding"] == "same"
        if not (-(-size // stride) == before if same else (before - 1) * stride < size):
            padding = node.options["padding"].upper()
            yield Fault(
                f"{before} {word} of its input at a stride of {stride} with padding {padding} do not make "
                f"{size} {word}",
                AGAIN,
            )


def lower(lowering: Lowering, node: Node) -> None:
    """Never called: the pass leaves none without faults."""
    del lowering
    raise AssertionError(node.op)


FAMILIES = (Family(("TRANSPOSE_CONV",), (check_inputs, check_sizes, check_types, check_shapes), lower),)
