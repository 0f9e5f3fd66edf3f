"""What the newest row of each operator's output reads: the rule of an operator, over any axis of time.

A rule gives the operator over a few rows: of each input the rows it reads, and its options and constants with
time along the rows of a picture. NotIncrementalError says why an operator has to be computed in full.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codegen.incremental.view import NotIncrementalError, View, flat, row_axes, view
from codegen.model.fold import slice_ranges
from codegen.model.graph import Node, Tensor
from codegen.ops.conv_2d import window_axes
from codegen.ops.unary import FUNCTIONS

ALIASES = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")  # the same values under another shape
ALL_TIME = "it reads all of time"


@dataclass(frozen=True)
class Read:
    """`count` rows, the last of them `age` rows before the newest."""

    age: int = 0
    count: int = 1


NEWEST = Read()


@dataclass(frozen=True)
class Recipe:
    """An operator over a few rows.

    output: the whole output's view
    reads: input position -> rows; other inputs are constants
    constants: input position -> values that take the place of the model's
    """

    op: str
    output: View
    reads: Mapping[int, Read]
    options: Mapping[str, Any] = field(default_factory=dict)
    constants: Mapping[int, NDArray[Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Sources:
    """The model's tensors, and the views of those that slide."""

    tensors: Sequence[Tensor]
    views: Mapping[int, View]

    def output(self, node: Node) -> Tensor:
        """The node's one output."""
        if len(node.outputs) != 1:
            raise NotIncrementalError("it has several outputs")
        return self.tensors[node.outputs[0]]


def recipe(node: Node, sources: Sources) -> Recipe:
    """The rule of the node's operator, applied. Every computed input has a view."""
    if node.op not in RULES:
        raise NotIncrementalError("no rule computes this operator row by row")
    if any(sources.tensors[index].dtype != "int8" for index in (*node.outputs, *_computed(node, sources))):
        raise NotIncrementalError("its values are not int8")
    return RULES[node.op](node, sources)


def _computed(node: Node, sources: Sources) -> list[int]:
    return [index for index in node.inputs if index >= 0 and sources.tensors[index].data is None]


# --- windows: convolutions and pooling ---

_SWAPPED = {
    "stride_h": "stride_w",
    "dilation_h_factor": "dilation_w_factor",
    "filter_height": "filter_width",
}


def _window(node: Node, sources: Sources) -> Recipe:
    """Stride 1 and no padding along time; anything across it."""
    source = sources.views[node.inputs[0]]
    shape = sources.tensors[source.tensor].shape
    if source.axis not in (1, 2) or len(shape) != 4:
        raise NotIncrementalError("time does not lie along the rows or columns of its input")
    pools = "filter_height" in node.options
    if pools:
        kernel = (node.options["filter_height"], node.options["filter_width"])
    else:
        _, *sizes, _ = sources.tensors[node.inputs[1]].shape
        kernel = (sizes[0], sizes[1])
    axes = window_axes(node, shape, kernel)
    time = axes[source.axis - 1]
    if time.padded:
        raise NotIncrementalError("it pads along time")
    if time.stride != 1 and time.count > 1:
        raise NotIncrementalError(f"it moves by {time.stride} rows along time")
    if pools and time.count == 1 and time.size > 1:
        raise NotIncrementalError(ALL_TIME)
    options, constants = dict(node.options), {}
    if source.axis == 2:
        for first, second in _SWAPPED.items():
            if first in options:
                options[first], options[second] = options[second], options[first]
        if not pools:
            weights = sources.tensors[node.inputs[1]].data
            assert weights is not None
            constants[1] = np.ascontiguousarray(weights.transpose(0, 2, 1, 3))
    span = (time.kernel - 1) * time.dilation + 1
    output = view(sources.output(node), source.axis)
    return Recipe(node.op, output, {0: Read(0, span)}, options, constants)


# --- value by value ---


def _unary(node: Node, sources: Sources) -> Recipe:
    """A function of one value."""
    source = sources.views[node.inputs[0]]
    output = sources.output(node)
    made = flat(output, source.rows) if source.axis is None else view(output, source.axis)
    return Recipe(node.op, made, {0: NEWEST}, node.options)


def _binary(node: Node, sources: Sources) -> Recipe:
    """Two operands of the same rows, or one and a constant that all rows share."""
    output = sources.output(node)
    slid = {
        position: sources.views[index] for position, index in enumerate(node.inputs) if index in sources.views
    }
    first = next(iter(slid.values()))
    made = flat(output, first.rows) if first.axis is None else view(output, first.axis)
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


# --- moved values ---


def _alias(node: Node, sources: Sources) -> Recipe:
    """Another shape of the same values."""
    source, output = sources.views[node.inputs[0]], sources.output(node)
    if not source.turned:
        return Recipe("RESHAPE", flat(output, source.rows), {0: NEWEST})
    before = sources.tensors[source.tensor].shape
    if [size for size in before if size != 1] != [size for size in output.shape if size != 1]:
        raise NotIncrementalError("it puts the columns of time into one row")
    assert source.axis is not None
    larger = sum(size != 1 for size in before[: source.axis])  # axes that count before time
    places = [axis for axis, size in enumerate(output.shape) if size != 1]
    if source.rows == 1 or len(places) <= larger:
        raise NotIncrementalError("its rows cannot be told from its shape")
    return Recipe("RESHAPE", view(output, places[larger]), {0: NEWEST})


def _concatenation(node: Node, sources: Sources) -> Recipe:
    """Inputs of the same rows, side by side."""
    output = sources.output(node)
    if any(index not in sources.views for index in node.inputs):
        raise NotIncrementalError("it joins a constant")
    views = [sources.views[index] for index in node.inputs]
    axis, rank = views[0].axis, len(output.shape)
    joined = int(node.options["axis"]) % rank
    if axis is None or any(found.axis != axis for found in views):
        raise NotIncrementalError("time lies differently in its inputs")
    if joined == axis:
        raise NotIncrementalError("it joins along time")
    made = view(output, axis)
    if rank > 4 or joined == 0 or any(found.rows != made.rows for found in views):
        raise NotIncrementalError("its inputs do not lie side by side")
    last = joined == rank - 1 or (axis == rank - 1 and joined == rank - 2)
    return Recipe(
        node.op, made, dict.fromkeys(range(len(views)), NEWEST), {**node.options, "axis": 3 if last else 2}
    )


def _slice(node: Node, sources: Sources) -> Recipe:
    """Consecutive rows, and any part of a row: where the end is cut, the newest row is an older one."""
    source, output = sources.views[node.inputs[0]], sources.output(node)
    shape = sources.tensors[source.tensor].shape
    if source.axis is None or len(shape) != len(output.shape) or len(shape) > 4:
        raise NotIncrementalError("it changes the number of axes")
    parts = _ranges(node, sources, shape)
    rows = parts[source.axis]
    rest = [part for axis, part in enumerate(parts) if axis not in (0, source.axis)]
    if rows.step != 1:
        raise NotIncrementalError("it leaves out rows along time")
    made = view(output, source.axis)
    reads = {0: Read(source.rows - rows.stop, 1)}
    if all(len(part) == size for part, size in zip(rest, row_axes(shape, source.axis), strict=True)):
        return Recipe("RESHAPE", made, reads)
    picture = [range(1)] * (4 - len(rest)) + rest
    constants = {
        1: np.array([part.start for part in picture], np.int32),
        2: np.array([part.start + part.step * len(part) for part in picture], np.int32),
        3: np.array([part.step for part in picture], np.int32),
    }
    return Recipe("STRIDED_SLICE", made, reads, {**_NO_MASKS, "offset": False}, constants)


_NO_MASKS = dict.fromkeys(("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask"), 0)


def _ranges(node: Node, sources: Sources, shape: tuple[int, ...]) -> list[range]:
    """What a slice takes of each axis."""
    constants = [sources.tensors[index].data for index in node.inputs[1:]]
    if node.op == "SLICE":
        begin, sizes = (values.tolist() for values in constants if values is not None)
        return [range(b, size if n == -1 else b + n) for b, n, size in zip(begin, sizes, shape, strict=True)]
    parts = slice_ranges(node, *constants)
    if len(parts) > len(shape) or not all(isinstance(part, slice) for part in parts):
        raise NotIncrementalError("it changes the number of axes")
    whole = [*parts, *[slice(None)] * (len(shape) - len(parts))]
    found = [range(size)[part] for part, size in zip(whole, shape, strict=True)]
    if any(part.step < 0 for part in found):
        raise NotIncrementalError("it turns an axis round")
    return found


def _pad(node: Node, sources: Sources) -> Recipe:
    """Padding across time."""
    source, output = sources.views[node.inputs[0]], sources.output(node)
    paddings = sources.tensors[node.inputs[1]].data
    assert paddings is not None
    rank = len(output.shape)
    if source.axis is None or rank > 4:
        raise NotIncrementalError("its rows cannot be told from its shape")
    if paddings[source.axis].any():
        raise NotIncrementalError("it pads along time")
    rest = [paddings[axis] for axis in range(1, rank) if axis != source.axis]
    zeros = [np.zeros(2, paddings.dtype)] * (4 - len(rest))
    constants = {1: np.stack([*zeros, *rest])}
    return Recipe(node.op, view(output, source.axis), {0: NEWEST}, node.options, constants)


# --- along the last axis ---


def _innermost(node: Node, sources: Sources) -> Recipe:
    """A function of the values along the last axis: a softmax, a dense layer that each row passes alone."""
    source, output = sources.views[node.inputs[0]], sources.output(node)
    shape = sources.tensors[source.tensor].shape
    if source.axis is None or source.axis == len(shape) - 1:
        raise NotIncrementalError(ALL_TIME)
    if node.op == "FULLY_CONNECTED" and sources.tensors[node.inputs[1]].shape[1] != shape[-1]:
        raise NotIncrementalError(ALL_TIME)
    axis = source.axis
    if len(output.shape) != len(shape):  # a dense layer drops the axes of 1 in front
        axis = 0
    if output.shape[axis] != source.rows or math.prod(row_axes(output.shape, axis)[:-1]) != source.columns:
        raise NotIncrementalError("its rows cannot be told from its shape")
    return Recipe(node.op, view(output, axis), {0: NEWEST}, node.options)


def _all_time(node: Node, sources: Sources) -> Recipe:
    raise NotIncrementalError(ALL_TIME)


Rule = Callable[[Node, Sources], Recipe]

RULES: dict[str, Rule] = {
    **dict.fromkeys(("CONV_2D", "DEPTHWISE_CONV_2D", "AVERAGE_POOL_2D", "MAX_POOL_2D"), _window),
    **dict.fromkeys(FUNCTIONS, _unary),
    **dict.fromkeys(("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM"), _binary),
    **dict.fromkeys(ALIASES, _alias),
    **dict.fromkeys(("PAD", "PADV2"), _pad),
    **dict.fromkeys(("SLICE", "STRIDED_SLICE"), _slice),
    **dict.fromkeys(("FULLY_CONNECTED", "SOFTMAX"), _innermost),
    "CONCATENATION": _concatenation,
    "MEAN": _all_time,
}
