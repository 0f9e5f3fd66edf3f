# SPDX-License-Identifier: Apache-2.0
"""BATCH_MATMUL: products of matrices, the scores and the mixture of an attention."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from codegen.kernels.requantize import float32, quantization, quantize_multiplier
from codegen.model.graph import Graph, Node, Tensor
from codegen.ops import bounds
from codegen.ops.arithmetic import RANK, check_types, joined_axes
from codegen.ops.checks import binary_tensors, counts
from codegen.ops.family import AGAIN, Family, Fault

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering

BLOCK = 4  # BATCH_MATMUL_BLOCK of the kernel


def check_shapes(graph: Graph, node: Node) -> Iterator[Fault]:
    """Matrices that fit, batches that broadcast."""
    a, b, output = binary_tensors(graph, node)
    if a.data is not None and b.data is not None:
        yield Fault("both operands are constant", "compute the result before converting")
    if min(len(a.shape), len(b.shape)) < 2:
        yield Fault(f"{list(a.shape)} and {list(b.shape)} are no matrices", AGAIN)
        return
    rows, depth = _turned(a.shape[-2:], turn=node.options["adj_x"])
    depth_b, columns = _turned(b.shape[-2:], turn=node.options["adj_y"])
    try:
        batches = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    except ValueError:
        batches = (-1,)
    if depth != depth_b or batches == (-1,):
        yield Fault(f"{list(a.shape)} and {list(b.shape)} do not fit", AGAIN)
    elif (*batches, rows, columns) != output.shape:
        yield Fault(
            f"its output is {list(output.shape)}, but {[*batches, rows, columns]} follows from its operands",
            AGAIN,
        )
    elif len(_batches(a, b, output)) > RANK - 1:
        yield Fault(f"broadcasting {list(a.shape)} and {list(b.shape)} mixes too many axes", "reshape them")


def check_scales(graph: Graph, node: Node) -> Iterator[Fault]:
    """What the sums of products of bytes can be scaled with."""
    a, b, output = binary_tensors(graph, node)
    depth, _ = depth_and_columns(b, turn=node.options["adj_y"])
    what = "the ratio of its operands' scales to its output's"
    yield from bounds.check_ratio(ratio_of(a, b, output), depth * bounds.BYTE**2, what)


def depth_and_columns(b: Tensor, *, turn: bool) -> tuple[int, int]:
    """Of the second operand."""
    return _turned(b.shape[-2:], turn=turn)


def _turned(shape: tuple[int, ...], *, turn: bool) -> tuple[int, int]:
    return (shape[1], shape[0]) if turn else (shape[0], shape[1])


def _batches(a: Tensor, b: Tensor, output: Tensor) -> list[tuple[int, int, int]]:
    """(size, step of a, step of b) in values, of as few loops as possible."""
    axes = joined_axes(a.shape[:-2], b.shape[:-2], output.shape[:-2])
    whole = [int(np.prod(tensor.shape[-2:])) for tensor in (a, b)]
    return [(size, step_a * whole[0], step_b * whole[1]) for size, step_a, step_b in axes]


def ratio_of(a: Tensor, b: Tensor, output: Tensor) -> float:
    """From the sums to the output: the product of the scales in float32, as of a dense layer."""
    return float32(quantization(a).scale * quantization(b).scale) / quantization(output).scale


@dataclass(frozen=True)
class Operand:
    """Vectors of `depth` values. vector, step: values to the next and along one; output: to the next there"""

    tensor: Tensor
    count: int
    vector: int
    step: int
    output: int


@dataclass(frozen=True)
class Product:
    """The operand of fewer vectors is a. fields: of sizes and steps; note: rows x depth x columns"""

    a: Operand
    b: Operand
    depth: int
    fields: list[tuple[str, str]]
    note: str


def product_of(graph: Graph, node: Node) -> Product:
    """How the kernels walk; a transposed operand is read in other steps."""
    first, second, output = binary_tensors(graph, node)
    rows, depth = _turned(first.shape[-2:], turn=node.options["adj_x"])
    _, columns = depth_and_columns(second, turn=node.options["adj_y"])
    axes = _batches(first, second, output)
    axes = [(1, 0, 0)] * (RANK - 1 - len(axes)) + axes + [(1, 0, 0)]
    sizes, *steps = (list(part) for part in zip(*axes, strict=True))
    operands = [
        Operand(first, rows, *((1, rows) if node.options["adj_x"] else (depth, 1)), columns),
        Operand(second, columns, *((depth, 1) if node.options["adj_y"] else (1, columns)), 1),
    ]
    if columns < rows:
        operands.reverse()
        steps.reverse()
    a, b = operands
    fields = [
        ("batches", "{" + ", ".join(_braced(part) for part in (sizes, *steps)) + "}"),
        ("count_a", str(a.count)),
        ("count_b", str(b.count)),
        ("depth", str(depth)),
        ("vector_a", str(a.vector)),
        ("step_a", str(a.step)),
        ("vector_b", str(b.vector)),
        ("step_b", str(b.step)),
        ("output_a", str(a.output)),
        ("output_b", str(b.output)),
    ]
    return Product(a, b, depth, fields, f"{rows} x {depth} x {columns}")


def lower(lowering: Lowering, node: Node) -> None:
    """batch_matmul."""
    first, second, output = binary_tensors(lowering.graph, node)
    found = product_of(lowering.graph, node)
    by = quantize_multiplier(ratio_of(first, second, output))
    blocks = -(-found.a.count // BLOCK) * BLOCK
    lowering.add(
        node,
        "matmul",
        type="batch_matmul",
        fields=[
            *found.fields,
            ("zero_a", str(quantization(found.a.tensor).zero_point)),
            ("zero_b", str(quantization(found.b.tensor).zero_point)),
            ("multiplier", str(by.value)),
            ("left", str(by.left)),
            ("right", str(by.right)),
            ("zero_point", str(quantization(output).zero_point)),
        ],
        inputs=(found.a.tensor.index, found.b.tensor.index),
        scratch=4 * (blocks + 1) * ((found.depth + 1) // 2),
        macs=output.size * found.depth,
        note=found.note,
    )


def _braced(values: list[int]) -> str:
    return "{" + ", ".join(map(str, values)) + "}"


FAMILIES = (Family(("BATCH_MATMUL",), (counts(2, 2), check_types, check_shapes, check_scales), lower),)
