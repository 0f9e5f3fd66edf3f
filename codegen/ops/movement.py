# SPDX-License-Identifier: Apache-2.0
"""Operators that only move values of one tensor: slices, splits, transposition; and how values are moved.

Each is a strided copy; where the values keep their order, the tensors share their memory. NumPy says which
value goes where: the same operation on an array of indices, whose strides become the loops of the copy.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from codegen.model.fold import slice_ranges
from codegen.model.graph import Graph, Node, Tensor
from codegen.ops.checks import check_computed, check_made, operand
from codegen.ops.family import AGAIN, Family, Fault
from codegen.ops.rows import NEWEST, NotIncrementalError, Read, Recipe, Sources, row_axes, view_along

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering

RANK = 5  # loops of the kernel
MOVED = ("int8", "uint8", "int16", "int32")
FIXED = "use constants there, with fixed input shapes, and convert again"

Places = NDArray[np.int64]


def indices(shape: tuple[int, ...]) -> Places:
    """Each value's place in the flat tensor."""
    return np.arange(int(np.prod(shape, dtype=np.int64)), dtype=np.int64).reshape(shape)


def loops(source: Places, target: Places) -> tuple[list[tuple[int, int, int]], int, int]:
    """(size, step in, step out) of as few loops as possible, outermost first, and the two first places.

    source, target: views of index arrays (not copies: their strides are read), of one shape
    """
    axes: list[tuple[int, int, int]] = []
    for size, step_in, step_out in zip(source.shape, source.strides, target.strides, strict=True):
        step = (step_in // 8, step_out // 8)
        if size == 1:
            continue
        if axes and axes[-1][1] == size * step[0] and axes[-1][2] == size * step[1]:
            axes[-1] = (axes[-1][0] * size, *step)
        else:
            axes.append((size, *step))
    return axes, int(source.flat[0]), int(target.flat[0])


def runs(source: Places, target: Places) -> tuple[list[tuple[int, int, int]], int, int, int]:
    """Loops as the kernel has them, the values of the run inside them, and the two first places."""
    axes, start_in, start_out = loops(source, target)
    run = axes.pop()[0] if axes and axes[-1][1:] == (1, 1) else 1
    return axes, run, start_in, start_out


def check_loops(source: Places, target: Places) -> Iterator[Fault]:
    """The kernel has enough loops for the copy."""
    if source.size and len(runs(source, target)[0]) > RANK:
        yield Fault("it moves values along too many axes at once", "reshape to fewer dimensions before it")


def copy(
    lowering: Lowering,
    node: Node,
    source: tuple[int, Places],
    target: tuple[int, Places],
    *,
    stem: str,
    fill: int | None = None,
) -> None:
    """One strided copy from values of a tensor to places of another; fill: of all its other bytes."""
    tensor = lowering.graph.tensors[target[0]]
    width = np.dtype(tensor.dtype).itemsize
    axes, run, start_in, start_out = runs(source[1], target[1])
    axes = [(1, 0, 0)] * (RANK - len(axes)) + axes
    parts = [[axis[part] * (width if part else 1) for axis in axes] for part in range(3)]
    text = ["{" + ", ".join(str(value) for value in part) + "}" for part in parts]
    fields = [
        ("size", text[0]),
        ("step_in", text[1]),
        ("step_out", text[2]),
        ("start_in", str(start_in * width)),
        ("start_out", str(start_out * width)),
        ("run", str(run * width)),
    ]
    if fill is not None:
        fields += [("whole", str(tensor.nbytes)), ("fill", str(fill))]
    lowering.add(
        node,
        stem,
        type="strided_copy",
        form="" if fill is None else "padded",
        fields=fields,
        inputs=(source[0],),
        output=target[0],
    )


def move(lowering: Lowering, node: Node, source: int, view: Places, output: int) -> None:
    """The whole of `output` from what `view` names of `source`; shared where that is all, in order."""
    places = indices(lowering.graph.tensors[output].shape)
    if view.size == lowering.graph.tensors[source].size and np.array_equal(
        view.reshape(-1), places.reshape(-1)
    ):
        lowering.share(output, source)
        return
    copy(lowering, node, (source, view), (output, places.reshape(view.shape)), stem=node.op.lower())


# --- what each operator selects ---


class ComputedError(ValueError):
    """An input that says what an operator moves, and that is known when the model runs, not before."""


def constant(graph: Graph, node: Node, position: int) -> NDArray[Any]:
    """The values of a constant input; ComputedError where it is computed, ValueError where it is left out."""
    tensor = operand(graph, node, position)
    if tensor is None:
        raise ValueError(f"input {position} is left out")
    if tensor.data is None:
        named = f" ({tensor.name})" if tensor.name else ""
        whose = "an input of the model" if tensor.index in graph.inputs else "computed when the model runs"
        raise ComputedError(f"its input {position}{named} is {whose}; a constant is needed")
    return tensor.data


def parameter_fault(error: Exception, what: str = "parameters") -> Fault:
    """Of an operator whose parameters are computed, or make no sense."""
    if isinstance(error, ComputedError):
        return Fault(str(error), FIXED)
    return Fault(f"its {what} make no sense: {error}", FIXED)


def _axis(value: int, rank: int) -> int:
    if not -rank <= value < rank:
        raise ValueError(f"axis {value} of {rank} dimensions")
    return value % rank


def _views(graph: Graph, node: Node) -> list[Places]:  # noqa: PLR0911 (one an operator)
    """Of each output, the places in the one input it comes from; ValueError where the node makes no sense."""
    source = source_of(graph, node)
    places = indices(source.shape)
    rank = len(source.shape)
    options = node.options
    if node.op == "TRANSPOSE":
        return [places.transpose([int(axis) for axis in constant(graph, node, 1)])]
    if node.op == "STRIDED_SLICE":
        begin, end, strides = (constant(graph, node, position) for position in (1, 2, 3))
        return [places[slice_ranges(node, begin, end, strides)]]
    if node.op == "SLICE":
        begin, sizes = constant(graph, node, 1).tolist(), constant(graph, node, 2).tolist()
        ends = [size - b if n == -1 else n for b, n, size in zip(begin, sizes, source.shape, strict=True)]
        if any(b < 0 or n < 1 or b + n > size for b, n, size in zip(begin, ends, source.shape, strict=True)):
            raise ValueError(f"{begin} and {sizes} reach outside {list(source.shape)}")
        return [places[tuple(slice(b, b + n) for b, n in zip(begin, ends, strict=True))]]
    if node.op == "UNPACK":
        axis = _axis(options["axis"], rank)
        return [places[(slice(None),) * axis + (i,)] for i in range(source.shape[axis])]
    if node.op == "SPLIT":
        axis = _axis(int(constant(graph, node, 0).reshape(-1)[0]), rank)
        return np.split(places, len(node.outputs), axis)
    if node.op == "SPLIT_V":
        axis = _axis(int(constant(graph, node, 2).reshape(-1)[0]), rank)
        sizes = constant(graph, node, 1).reshape(-1).tolist()
        if sizes.count(-1) == 1:
            sizes[sizes.index(-1)] = source.shape[axis] - sum(sizes) - 1
        if sum(sizes) != source.shape[axis] or min(sizes) < 1:
            raise ValueError(f"parts of {sizes} of {source.shape[axis]}")
        return np.split(places, np.cumsum(sizes)[:-1], axis)
    if node.op == "FILL":
        sizes = [int(size) for size in constant(graph, node, 0).reshape(-1)]
        if source.size != 1 or any(size < 1 for size in sizes):
            raise ValueError(f"{list(source.shape)} to fill {sizes}")
        return [np.broadcast_to(places.reshape(()), sizes)]
    raise ValueError(node.op)


def source_of(graph: Graph, node: Node) -> Tensor:
    """The input whose values are moved."""
    tensor = operand(graph, node, 1 if node.op in ("SPLIT", "FILL") else 0)
    if tensor is None:
        raise ValueError("is not there")
    return tensor


def check_moved(tensor: Tensor) -> Iterator[Fault]:
    """A type that can be moved."""
    if tensor.dtype not in MOVED:
        yield Fault(f"it moves {tensor.dtype}; {', '.join(MOVED)} are possible", AGAIN)


def check(graph: Graph, node: Node) -> Iterator[Fault]:
    """One input, cut into outputs whose shapes follow."""
    try:
        source = source_of(graph, node)
        views = _views(graph, node)
    except (ValueError, IndexError, TypeError) as error:
        yield parameter_fault(error)
        return
    yield from check_moved(source)
    yield from check_computed(source)
    if len(views) != len(node.outputs):
        yield Fault(f"{len(node.outputs)} outputs, but {len(views)} parts", AGAIN)
        return
    for view, index in zip(views, node.outputs, strict=True):
        yield from check_made(source, graph.tensors[index], view.shape)
        yield from check_loops(view, indices(view.shape))


def lower(lowering: Lowering, node: Node) -> None:
    """A copy for each output that is read."""
    source = source_of(lowering.graph, node)
    for view, output in zip(_views(lowering.graph, node), node.outputs, strict=True):
        if lowering.is_read(output):
            move(lowering, node, source.index, view, output)


# --- row by row ---


def _rows(node: Node, sources: Sources) -> Recipe:
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
    made = view_along(output, source.axis)
    reads = {0: Read(source.rows - rows.stop, 1)}
    if all(len(part) == size for part, size in zip(rest, row_axes(shape, source.axis), strict=True)):
        return Recipe("RESHAPE", made, reads)
    picture = [range(1)] * (4 - len(rest)) + rest
    constants = {
        1: np.array([part.start for part in picture], np.int32),
        2: np.array([part.start + part.step * len(part) for part in picture], np.int32),
        3: np.array([part.step for part in picture], np.int32),
    }
    options = {**_NO_MASKS, "end_mask": 0b10, "offset": False}  # however many rows are computed at once
    return Recipe("STRIDED_SLICE", made, reads, options, constants)


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


def _turned_rows(node: Node, sources: Sources) -> Recipe:
    """Time on another axis: of a row nothing changes while its values keep their order."""
    source, output = sources.views[node.inputs[0]], sources.output(node)
    constant = sources.tensors[node.inputs[1]].data
    assert constant is not None
    shape, order = sources.tensors[source.tensor].shape, [int(axis) for axis in constant.reshape(-1)]
    if source.axis is None:
        raise NotIncrementalError("its rows cannot be read from its shape")
    rest = [axis for axis in order if axis != source.axis and shape[axis] > 1]
    if rest != sorted(rest):
        raise NotIncrementalError("it turns the values of a row")
    return Recipe("RESHAPE", view_along(output, order.index(source.axis)), {0: NEWEST})


FAMILIES = (
    Family(("STRIDED_SLICE", "SLICE"), (check,), lower, _rows),
    Family(("TRANSPOSE",), (check,), lower, _turned_rows),
    Family(("UNPACK", "SPLIT", "SPLIT_V", "FILL"), (check,), lower),
)
