# SPDX-License-Identifier: Apache-2.0
"""ADD, SUB, MUL, MAXIMUM, MINIMUM with broadcasting. With a constant operand they are exact tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from codegen.common.reference import Reference
from codegen.kernels.channels import Ints
from codegen.kernels.layer import Array
from codegen.kernels.limits import LARGEST_SHIFT
from codegen.kernels.requantize import (
    Multiplier,
    activation_range,
    clamp,
    float32,
    multiply,
    multiply_each,
    quantization,
    quantize_multiplier,
)
from codegen.kernels.sum_once import SumOnce, sum_once
from codegen.model.graph import Graph, Node, Tensor
from codegen.ops import bounds, whole_numbers
from codegen.ops.checks import binary_tensors, check_activation, check_int8, counts, result
from codegen.ops.family import AGAIN, Family, Fault
from codegen.ops.rows import (
    NEWEST,
    NotIncrementalError,
    Recipe,
    Sources,
    View,
    row_axes,
    view_along,
    view_flat,
)

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering, Table

# Channels that get tables, of 256 bytes each; more are computed element by element, with the constant alone.
LARGEST_TABLES = {"small": 16, "fast": 64}
ZEROS = ("zero_a", "zero_b", "zero_point")  # of the operands and the output
RANK = 5  # of the kernels' loops, after joining axes
ADD_SHIFT = 20  # bits of headroom the operands get before they are scaled

Function = Callable[[int, int], int]


def common_scale(a: Tensor, b: Tensor) -> tuple[float, Multiplier, Multiplier]:
    """Twice the larger scale of two operands, and the multipliers that take each there."""
    scale_a, scale_b = quantization(a).scale, quantization(b).scale
    twice = 2 * max(scale_a, scale_b)
    return twice, quantize_multiplier(scale_a / twice), quantize_multiplier(scale_b / twice)


def add_multipliers(a: Tensor, b: Tensor, output: Tensor) -> tuple[Multiplier, Multiplier, Multiplier]:
    """Of the two operands, to twice the larger scale, and from there to the output."""
    twice, by_a, by_b = common_scale(a, b)
    return by_a, by_b, quantize_multiplier(twice / ((1 << ADD_SHIFT) * quantization(output).scale))


def mul_ratio(a: Tensor, b: Tensor, output: Tensor, reference: Reference) -> float:
    """From the product's scale to the output's: in float32 steps, TFLM in double (docs/exactness.md)."""
    scale_a, scale_b, scale = (quantization(tensor).scale for tensor in (a, b, output))
    if reference is Reference.LITERT:
        return float32(float32(scale_a * scale_b) / scale)
    return scale_a * scale_b / scale


def mul_multiplier(a: Tensor, b: Tensor, output: Tensor, reference: Reference) -> Multiplier:
    """mul_ratio as integers."""
    return quantize_multiplier(mul_ratio(a, b, output, reference))


def sum_function(a: Tensor, b: Tensor, output: Tensor, activation: str, *, sign: int) -> Function:
    """Sum, or difference, of two integers."""
    by_a, by_b, by_out = add_multipliers(a, b, output)
    zero_a, zero_b, zero = (quantization(tensor).zero_point for tensor in (a, b, output))
    low, high = activation_range(output, activation)

    def add(x: int, y: int) -> int:
        total = multiply((x - zero_a) << ADD_SHIFT, by_a) + sign * multiply((y - zero_b) << ADD_SHIFT, by_b)
        return clamp(multiply(total, by_out) + zero, low, high)

    return add


def mul_function(a: Tensor, b: Tensor, output: Tensor, activation: str, reference: Reference) -> Function:
    """The operator on two integers."""
    by = mul_multiplier(a, b, output, reference)
    zero_a, zero_b, zero = (quantization(tensor).zero_point for tensor in (a, b, output))
    low, high = activation_range(output, activation)

    def mul(x: int, y: int) -> int:
        return clamp(multiply((x - zero_a) * (y - zero_b), by) + zero, low, high)

    return mul


def function_of(node: Node, a: Tensor, b: Tensor, output: Tensor, reference: Reference) -> Function:
    """The operator on two integers."""
    if node.op in EXTREMES:
        return max if node.op == "MAXIMUM" else min
    activation = node.options["fused_activation_function"]
    if node.op == "MUL":
        return mul_function(a, b, output, activation, reference)
    return sum_function(a, b, output, activation, sign=-1 if node.op == "SUB" else 1)


EXTREMES = ("MAXIMUM", "MINIMUM")  # of the numbers as they are: no scale is looked at


def check_types(graph: Graph, node: Node) -> Iterator[Fault]:
    """Two int8 operands, or two of int32."""
    if whole_numbers.is_whole(graph, node):
        yield from whole_numbers.check(graph, node)
        return
    a, b, output = binary_tensors(graph, node)
    for tensor, what in ((a, "first operand"), (b, "second operand"), (output, "output")):
        yield from check_int8(tensor, what, constant=True)
    if "fused_activation_function" in node.options:
        yield from check_activation(node)


def check_shapes(graph: Graph, node: Node) -> Iterator[Fault]:
    """Operands that broadcast to the output's shape."""
    a, b, output = binary_tensors(graph, node)
    if a.data is not None and b.data is not None:
        yield Fault("both operands are constant", "compute the result before converting")
    try:
        shape = np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        yield Fault(f"{list(a.shape)} and {list(b.shape)} do not broadcast", AGAIN)
        return
    if shape != output.shape:
        yield Fault(f"its output is {list(output.shape)}, but {list(shape)} follows from its operands", AGAIN)
    elif len(joined_axes(a.shape, b.shape, output.shape)) > RANK:
        yield Fault(
            f"broadcasting {list(a.shape)} and {list(b.shape)} mixes too many axes", "reshape the operands"
        )


def check_scales(graph: Graph, node: Node) -> Iterator[Fault]:
    """Scales that the arithmetic can do."""
    if node.op not in EXTREMES and not whole_numbers.is_whole(graph, node):
        yield from _check_scales(node, *binary_tensors(graph, node))


def _check_scales(node: Node, a: Tensor, b: Tensor, output: Tensor) -> Iterator[Fault]:
    """What the operator's arithmetic can do."""
    yield from bounds.check_range(output, node.options["fused_activation_function"])
    if node.op == "MUL":
        what = "the ratio of its operands' scales to its output's"
        largest = max(mul_ratio(a, b, output, reference) for reference in Reference)
        yield from bounds.check_ratio(largest, bounds.BYTE**2, what)
        return
    twice = 2 * max(quantization(a).scale, quantization(b).scale)
    if twice == 0:
        yield Fault("the scales of both operands are 0", AGAIN)
    elif math.isinf(float32(quantization(output).scale * (1 << ADD_SHIFT))):
        yield Fault("its output's scale is above 2^107", bounds.SCALES)
    elif twice / ((1 << ADD_SHIFT) * quantization(output).scale) >= 1:
        yield Fault("its operands' scale is over 2^19 times its output's", AGAIN)


def joined(shapes: Sequence[tuple[int, ...]], output: tuple[int, ...]) -> list[tuple[int, ...]]:
    """(size, a step of each operand) of as few loops as give every element in order, outermost first."""

    def steps(shape: tuple[int, ...]) -> list[int]:
        full = (1,) * (len(output) - len(shape)) + shape
        found, step = [], 1
        for size in reversed(full):
            found.append(0 if size == 1 else step)
            step *= size
        return found[::-1]

    axes: list[tuple[int, ...]] = []
    for size, *along in zip(output, *map(steps, shapes), strict=True):
        if size == 1:
            continue
        if axes and list(axes[-1][1:]) == [size * step for step in along]:
            axes[-1] = (axes[-1][0] * size, *along)
        else:
            axes.append((size, *along))
    return axes or [(1, *(0,) * len(shapes))]


def joined_axes(
    a: tuple[int, ...], b: tuple[int, ...], output: tuple[int, ...]
) -> list[tuple[int, int, int]]:
    """The same of two operands."""
    return [(size, step_a, step_b) for size, step_a, step_b in joined((a, b), output)]


def constant_per_channel(constant: Tensor, output: Tensor) -> int:
    """Values of a constant that repeats over the flat output: 1 or the last axis; 0 where it does not."""
    if constant.size == 1:
        return 1
    last = constant.shape[-1]
    return last if constant.size == last == output.shape[-1] else 0


def lower(lowering: Lowering, node: Node) -> None:
    """A table where one operand is constant along the channels, else the kernel of that name, a short
    one where that is exact."""
    a, b, output = binary_tensors(lowering.graph, node)
    if whole_numbers.is_whole(lowering.graph, node):
        whole_numbers.lower(lowering, node, axes_field(a, b, output))
        return
    function = function_of(node, a, b, output, lowering.reference)
    if not lower_by_table(lowering, node, function) and not _lower_short(lowering, node, a, b):
        kernel, form = KERNELS[node.op]
        fields = _fields(lowering, node, a, b, output)
        zeros = () if node.op in EXTREMES else ZEROS
        lower_elementwise(lowering, node, kernel, fields, form=form, zeros=zeros)


def lower_by_table(lowering: Lowering, node: Node, function: Function) -> bool:
    """Tables where one operand is constant along the channels, which are few; False elsewhere."""
    a, b, output = binary_tensors(lowering.graph, node)
    constant, other = (a, b) if a.data is not None else (b, a)
    if constant.data is None or other.shape != output.shape:
        return False
    if not 0 < constant_per_channel(constant, output) <= LARGEST_TABLES["fast" if lowering.fast else "small"]:
        return False
    lowering.table(node, other.index, _tables(function, constant, first=constant is a))
    return True


def _lower_short(lowering: Lowering, node: Node, a: Tensor, b: Tensor) -> bool:
    """A sum that one rounding computes, or a product of a short requantisation. False where it is clamped
    within int8, where an operand repeats along the innermost loop, or where that would not be exact."""
    output = result(lowering.graph, node)
    if node.op in EXTREMES or joined_axes(a.shape, b.shape, output.shape)[-1][1:] != (1, 1):
        return False
    if activation_range(output, node.options["fused_activation_function"]) != (-128, 127):
        return False
    if node.op == "MUL":
        by, zero = mul_multiplier(a, b, output, lowering.reference), quantization(output).zero_point
        if not 1 <= by.right <= LARGEST_SHIFT:
            return False
        offset = (zero << by.right) + (1 << by.right >> 1)
        numbers = {"multiplier": by.value, "offset": offset, "right": by.right}
        lower_elementwise(lowering, node, "multiply_short", _texts(numbers), zeros=ZEROS[:2])
        return True
    found = _sum_once(node, a, b, output)
    if found is None:
        return False
    lower_elementwise(lowering, node, "add_once", _texts(asdict(found)), zeros=())
    return True


def _texts(numbers: dict[str, int]) -> list[tuple[str, str]]:
    return [(name, str(number)) for name, number in numbers.items()]


def _sum_once(node: Node, a: Tensor, b: Tensor, output: Tensor) -> SumOnce | None:
    by_a, by_b, by_out = add_multipliers(a, b, output)
    sign = -1 if node.op == "SUB" else 1
    of_a, of_b = _pairs(a, b)
    scaled_a, scaled_b = (
        multiply_each((of - quantization(tensor).zero_point) << ADD_SHIFT, by)
        for of, tensor, by in ((of_a, a, by_a), (of_b, b, by_b))
    )
    sums = multiply_each(scaled_a + sign * scaled_b, by_out) + quantization(output).zero_point
    scale_a, scale_b, scale = (quantization(tensor).scale for tensor in (a, b, output))
    return sum_once(of_a, of_b, np.clip(sums, -128, 127), scale_a / scale, sign * scale_b / scale)


def _pairs(a: Tensor, b: Tensor) -> tuple[Ints, Ints]:
    """All pairs of operands that can occur, each value of a constant once: [n] and [n]."""
    values = [
        np.arange(-128, 128) if tensor.data is None else np.unique(tensor.data).astype(np.int64)
        for tensor in (a, b)
    ]
    first, second = np.meshgrid(*values)
    return first.reshape(-1), second.reshape(-1)


def _tables(function: Function, constant: Tensor, first: bool) -> Table:
    """[channels, 256] of the function with one operand held."""
    assert constant.data is not None
    rows = []
    for held in constant.data.reshape(-1).tolist():
        rows.append([function(held, x) if first else function(x, held) for x in range(-128, 128)])
    return np.array(rows, dtype=np.int64)


def axes_field(a: Tensor, b: Tensor, output: Tensor) -> tuple[str, str]:
    """The kernels' broadcast_t."""
    axes = joined_axes(a.shape, b.shape, output.shape)
    axes = [(1, 0, 0)] * (RANK - len(axes)) + axes
    columns = ["{" + ", ".join(str(axis[part]) for axis in axes) + "}" for part in range(3)]
    return "axes", "{" + ", ".join(columns) + "}"


def lower_elementwise(
    lowering: Lowering,
    node: Node,
    kernel: str,
    fields: Sequence[tuple[str, str]],
    *,
    form: str = "",
    zeros: Sequence[str] = ZEROS,
    arrays: Sequence[Array] = (),
) -> None:
    """A kernel that meets each element of two operands.

    fields: without axes and zero points; zeros: the zero points' fields, of the operands and the output
    """
    a, b, output = binary_tensors(lowering.graph, node)
    own = [
        (name, str(quantization(tensor).zero_point))
        for name, tensor in zip(zeros, (a, b, output), strict=False)
    ]
    lowering.add(
        node,
        node.op.lower(),
        type=kernel,
        form=form,
        fields=[axes_field(a, b, output), *own, *fields],
        arrays=arrays,
        inputs=(a.index, b.index),
        in_place=[t.index for t in (a, b) if t.data is None and t.shape == output.shape],
    )


def scaling_fields(by: Multiplier, suffix: str = "") -> list[tuple[str, str]]:
    """Of requantize_multiply()."""
    parts = (("multiplier", by.value), ("left", by.left), ("right", by.right))
    return [(f"{name}{suffix}", str(value)) for name, value in parts]


def _fields(lowering: Lowering, node: Node, a: Tensor, b: Tensor, output: Tensor) -> list[tuple[str, str]]:
    fields: list[tuple[str, str]] = []
    if node.op not in EXTREMES:
        low, high = activation_range(output, node.options["fused_activation_function"])
        fields += [("low", str(low)), ("high", str(high))]
    if node.op in ("ADD", "SUB"):
        for name, by in zip(("a", "b", "output"), add_multipliers(a, b, output), strict=True):
            fields += [(f"multiplier_{name}", str(by.value)), (f"right_{name}", str(by.right))]
    elif node.op == "MUL":
        fields += scaling_fields(mul_multiplier(a, b, output, lowering.reference))
    return fields


KERNELS = {
    "ADD": ("add", ""),
    "SUB": ("add", "difference"),
    "MUL": ("multiply", ""),
    "MAXIMUM": ("extreme", "largest"),
    "MINIMUM": ("extreme", "smallest"),
}

# --- row by row ---


def pair_rows(node: Node, sources: Sources) -> Recipe:
    """Two operands of the same rows, or one and a constant that all rows share."""
    output = sources.output(node)
    slid = {
        position: sources.views[index] for position, index in enumerate(node.inputs) if index in sources.views
    }
    first = next(iter(slid.values()))
    made = view_flat(output, first.rows) if first.axis is None else view_along(output, first.axis)
    constants = {}
    for position, index in enumerate(node.inputs):
        operand = sources.tensors[index]
        if position in slid:
            found = slid[position]
            if found.rows != made.rows:
                raise NotIncrementalError("one operand's row meets all rows of the other")
            if found.axis != made.axis or len(operand.shape) != len(output.shape):
                raise NotIncrementalError("time lies differently in its operands")
        else:
            constants[position] = _shared_by_rows(operand, output, made)
    return Recipe(node.op, made, dict.fromkeys(slid, NEWEST), node.options, constants)


def _shared_by_rows(constant: Tensor, output: Tensor, made: View) -> NDArray[Any]:
    """A constant operand as one row of the picture."""
    assert constant.data is not None
    if constant.size == 1:
        return constant.data.reshape(1, 1, 1, 1)
    rank = len(output.shape)
    shape = (1,) * (rank - len(constant.shape)) + constant.shape
    if made.axis is None or shape[made.axis] != 1:
        raise NotIncrementalError("its constant differs from row to row")
    rest = row_axes(shape, made.axis)
    if any(size != 1 for size in rest[:-1]):  # it differs from column to column, too
        whole = (*row_axes(output.shape, made.axis)[:-1], rest[-1])
        values = np.broadcast_to(constant.data.reshape(rest), whole)
        return values.reshape(1, 1, made.columns, rest[-1])
    return constant.data.reshape(1, 1, 1, rest[-1])


FAMILIES = (
    Family(tuple(KERNELS), (counts(2, 2), check_types, check_shapes, check_scales), lower, pair_rows),
)
