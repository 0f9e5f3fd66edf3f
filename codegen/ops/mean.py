# SPDX-License-Identifier: Apache-2.0
"""MEAN over any axes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from codegen.kernels.requantize import Multiplier, quantization, quantize_multiplier
from codegen.model.graph import Graph, Node, Tensor
from codegen.ops import bounds
from codegen.ops.checks import check_int8_ends, counts, operand, unary_tensors
from codegen.ops.family import AGAIN, Family, Fault
from codegen.ops.movement import Places, check_loops, constant, copy, indices, parameter_fault
from codegen.ops.rows import ALL_TIME

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering

LARGEST_COUNT = 1 << 22  # values averaged; their sum stays within 32 bits


def axes_of(graph: Graph, node: Node) -> list[int] | None:
    """The axes, sorted; None where they are computed or make no sense."""
    input_, axes = operand(graph, node, 0), operand(graph, node, 1)
    if input_ is None or axes is None or axes.data is None:
        return None
    rank = len(input_.shape)
    values = [int(axis) for axis in axes.data.reshape(-1)]
    if any(not -rank <= axis < rank for axis in values):
        return None
    return sorted({axis % rank for axis in values})


def check_types(graph: Graph, node: Node) -> Iterator[Fault]:
    """int8 in and out, constant axes."""
    yield from check_int8_ends(*unary_tensors(graph, node))
    yield from check_axes(graph, node)


def check_axes(graph: Graph, node: Node) -> Iterator[Fault]:
    """Constant axes of the input."""
    try:
        axes = constant(graph, node, 1).reshape(-1).tolist()
    except ValueError as error:
        yield parameter_fault(error, "axes")
        return
    if axes_of(graph, node) is None:
        shape = list(unary_tensors(graph, node)[0].shape)
        yield Fault(f"its axes are {axes}, and its input is {shape}", AGAIN)


def check_shapes(graph: Graph, node: Node) -> Iterator[Fault]:
    """The output that follows from the axes, and what the kernels can move."""
    input_, output = unary_tensors(graph, node)
    axes = axes_of(graph, node)
    assert axes is not None
    kept = [1 if axis in axes else size for axis, size in enumerate(input_.shape)]
    if not node.options["keep_dims"]:
        kept = [size for axis, size in enumerate(input_.shape) if axis not in axes]
    if tuple(kept) != output.shape:
        yield Fault(f"its output is {list(output.shape)}, but {kept} follows", AGAIN)
    view = _gathered(input_.shape, axes)
    if view is not None:
        yield from check_loops(view, indices(view.shape))


def check_count(graph: Graph, node: Node) -> Iterator[Fault]:
    """What 32 bits can sum up and scale."""
    input_, output = unary_tensors(graph, node)
    if input_.size // output.size > LARGEST_COUNT:
        yield Fault(f"it averages more than {LARGEST_COUNT} values at once", "average in two steps")
    yield from bounds.check_ratio(quantization(input_).scale / quantization(output).scale, bounds.BYTE)


def _gathered(shape: tuple[int, ...], axes: list[int]) -> Places | None:
    """The places of the input with the values of each mean side by side; None where they are at one pitch."""
    real = [axis for axis in axes if shape[axis] > 1]
    if not real or all(axis in real or shape[axis] == 1 for axis in range(real[0], real[-1])):
        return None
    return indices(shape).transpose([axis for axis in range(len(shape)) if axis not in axes] + axes)


def mean_multiplier(input_: Tensor, output: Tensor, count: int) -> Multiplier:
    """From the sum of `count` values to the output: the scales' ratio, divided by the count as an integer."""
    by = quantize_multiplier(quantization(input_).scale / quantization(output).scale)
    shift = min(count.bit_length() - 1, 32, 31 + by.shift)
    return Multiplier((by.value << shift) // count, by.shift - shift)


@dataclass(frozen=True)
class Blocks:
    """`count` values that lie `depth` apart are one result, for each of `depth` channels of `rows` blocks."""

    source: int  # the tensor
    rows: int
    count: int
    depth: int


def blocks(lowering: Lowering, node: Node) -> Blocks:
    """Of the node's axes; after a transposition where these are apart."""
    input_, output = unary_tensors(lowering.graph, node)
    axes = axes_of(lowering.graph, node)
    assert axes is not None
    source, shape = input_.index, input_.shape
    real = [axis for axis in axes if shape[axis] > 1]
    count = input_.size // output.size
    view = _gathered(shape, axes)
    if view is not None:
        source = lowering.temporary(view.shape, input_)
        copy(lowering, node, (input_.index, view), (source, indices(view.shape)), stem="transpose")
        depth = 1
    else:
        depth = int(np.prod(shape[real[-1] + 1 :])) if real else 1
    return Blocks(source, input_.size // (count * depth), count, depth)


def lower(lowering: Lowering, node: Node) -> None:
    """mean."""
    input_, output = unary_tensors(lowering.graph, node)
    taken = blocks(lowering, node)
    add_mean(lowering, node, taken, mean_multiplier(input_, output, taken.count))


def add_mean(lowering: Lowering, node: Node, taken: Blocks, by: Multiplier) -> None:
    """The call of the kernel that sums blocks up. by: from the sum to the output"""
    input_, output = unary_tensors(lowering.graph, node)
    lowering.add(
        node,
        node.op.lower(),
        type="mean",
        inputs=(taken.source,),
        fields=[
            ("rows", str(taken.rows)),
            ("count", str(taken.count)),
            ("depth", str(taken.depth)),
            ("multiplier", str(by.value)),
            ("left", str(by.left)),
            ("right", str(by.right)),
            ("zero_sum", str(taken.count * quantization(input_).zero_point)),
            ("zero_point", str(quantization(output).zero_point)),
        ],
    )


FAMILIES = (Family(("MEAN",), (counts(2, 2), check_types, check_shapes, check_count), lower, ALL_TIME),)
