"""Operators that only move values: slices, splits, concatenation, packing, transposition, padding.

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
from codegen.ops.family import AGAIN, Family, Fault, operand, result

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering

RANK = 5  # loops of the kernel
MOVED = ("int8", "uint8", "int16", "int32")
FIXED = "use constants there, with fixed input shapes, and convert again"

View = NDArray[np.int64]


def indices(shape: tuple[int, ...]) -> View:
    """Each value's place in the flat tensor."""
    return np.arange(int(np.prod(shape, dtype=np.int64)), dtype=np.int64).reshape(shape)


def loops(source: View, target: View) -> tuple[list[tuple[int, int, int]], int, int]:
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


def runs(source: View, target: View) -> tuple[list[tuple[int, int, int]], int, int, int]:
    """Loops as the kernel has them, the values of the run inside them, and the two first places."""
    axes, start_in, start_out = loops(source, target)
    run = axes.pop()[0] if axes and axes[-1][1:] == (1, 1) else 1
    return axes, run, start_in, start_out


def check_loops(source: View, target: View) -> Iterator[Fault]:
    """The kernel has enough loops for the copy."""
    if source.size and len(runs(source, target)[0]) > RANK:
        yield Fault("it moves values along too many axes at once", "reshape to fewer dimensions before it")


def copy(
    lowering: Lowering,
    node: Node,
    source: tuple[int, View],
    target: tuple[int, View],
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


def move(lowering: Lowering, node: Node, source: int, view: View, output: int) -> None:
    """The whole of `output` from what `view` names of `source`; shared where that is all, in order."""
    places = indices(lowering.graph.tensors[output].shape)
    if view.size == lowering.graph.tensors[source].size and np.array_equal(
        view.reshape(-1), places.reshape(-1)
    ):
        lowering.share(output, source)
        return
    copy(lowering, node, (source, view), (output, places.reshape(view.shape)), stem=node.op.lower())


# --- what each operator selects ---


def _constant(graph: Graph, node: Node, position: int) -> NDArray[Any]:
    tensor = operand(graph, node, position)
    if tensor is None or tensor.data is None:
        raise ValueError("is not constant")
    return tensor.data


def _axis(value: int, rank: int) -> int:
    if not -rank <= value < rank:
        raise ValueError(f"axis {value} of {rank} dimensions")
    return value % rank


def _views(graph: Graph, node: Node) -> list[View]:  # noqa: PLR0911 (one an operator)
    """Of each output, the places in the one input it comes from; ValueError where the node makes no sense."""
    source = _source(graph, node)
    places = indices(source.shape)
    rank = len(source.shape)
    options = node.options
    if node.op == "TRANSPOSE":
        return [places.transpose([int(axis) for axis in _constant(graph, node, 1)])]
    if node.op == "STRIDED_SLICE":
        begin, end, strides = (_constant(graph, node, position) for position in (1, 2, 3))
        return [places[slice_ranges(node, begin, end, strides)]]
    if node.op == "SLICE":
        begin, sizes = _constant(graph, node, 1).tolist(), _constant(graph, node, 2).tolist()
        ends = [size - b if n == -1 else n for b, n, size in zip(begin, sizes, source.shape, strict=True)]
        if any(b < 0 or n < 1 or b + n > size for b, n, size in zip(begin, ends, source.shape, strict=True)):
            raise ValueError(f"{begin} and {sizes} reach outside {list(source.shape)}")
        return [places[tuple(slice(b, b + n) for b, n in zip(begin, ends, strict=True))]]
    if node.op == "UNPACK":
        axis = _axis(options["axis"], rank)
        return [places[(slice(None),) * axis + (i,)] for i in range(source.shape[axis])]
    if node.op == "SPLIT":
        axis = _axis(int(_constant(graph, node, 0).reshape(-1)[0]), rank)
        return np.split(places, len(node.outputs), axis)
    if node.op == "SPLIT_V":
        axis = _axis(int(_constant(graph, node, 2).reshape(-1)[0]), rank)
        sizes = _constant(graph, node, 1).reshape(-1).tolist()
        if sizes.count(-1) == 1:
            sizes[sizes.index(-1)] = source.shape[axis] - sum(sizes) - 1
        if sum(sizes) != source.shape[axis] or min(sizes) < 1:
            raise ValueError(f"parts of {sizes} of {source.shape[axis]}")
        return np.split(places, np.cumsum(sizes)[:-1], axis)
    if node.op == "FILL":
        sizes = [int(size) for size in _constant(graph, node, 0).reshape(-1)]
        if source.size != 1 or any(size < 1 for size in sizes):
            raise ValueError(f"{list(source.shape)} to fill {sizes}")
        return [np.broadcast_to(places.reshape(()), sizes)]
    raise ValueError(node.op)


def _source(graph: Graph, node: Node) -> Tensor:
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
        source = _source(graph, node)
        views = _views(graph, node)
    except (ValueError, IndexError, TypeError) as error:
        yield Fault(f"its parameters make no sense or are computed: {error}", FIXED)
        return
    yield from check_moved(source)
    if source.data is not None:
        yield Fault("its input is constant", "compute the result before converting")
    if len(views) != len(node.outputs):
        yield Fault(f"{len(node.outputs)} outputs, but {len(views)} parts", AGAIN)
        return
    for view, index in zip(views, node.outputs, strict=True):
        output = graph.tensors[index]
        if view.shape != output.shape or source.dtype != output.dtype:
            found, wanted = f"{output.dtype}{list(output.shape)}", f"{source.dtype}{list(view.shape)}"
            yield Fault(f"its output is {found}, but {wanted} follows", AGAIN)
        else:
            yield from check_loops(view, indices(view.shape))


def lower(lowering: Lowering, node: Node) -> None:
    """A copy for each output that is read."""
    source = _source(lowering.graph, node)
    for view, output in zip(_views(lowering.graph, node), node.outputs, strict=True):
        if lowering.is_read(output):
            move(lowering, node, source.index, view, output)


# --- concatenation and packing ---


def check_joined(graph: Graph, node: Node) -> Iterator[Fault]:
    """Inputs of one type and scale that fill the output along the axis."""
    output = result(graph, node)
    tensors = [operand(graph, node, position) for position in range(len(node.inputs))]
    if not tensors or len(node.outputs) != 1:
        yield Fault(f"{len(node.inputs)} inputs and {len(node.outputs)} outputs", AGAIN)
        return
    present = [tensor for tensor in tensors if tensor is not None]
    if len(present) != len(tensors):
        yield Fault("one of its inputs is left out", AGAIN)
        return
    if node.options.get("fused_activation_function", "none") != "none":
        yield Fault("it has a fused activation", "put the activation into a layer of its own")
    yield from check_moved(output)
    for tensor in present:
        if tensor.dtype != output.dtype:
            yield Fault(f"it joins {tensor.dtype} into {output.dtype}", AGAIN)
            return
        if node.op == "CONCATENATION" and not same_scale(tensor, output):
            yield Fault("its inputs and output have different scales or zero points", AGAIN)
            return
    try:
        shape = _joined(node, [np.empty(tensor.shape, np.int8) for tensor in present]).shape
    except ValueError:
        yield Fault(f"the shapes {[list(tensor.shape) for tensor in present]} do not fit", AGAIN)
        return
    if shape != output.shape:
        yield Fault(f"its output is {list(output.shape)}, but {list(shape)} follows", AGAIN)


def same_scale(a: Tensor, b: Tensor) -> bool:
    """The same numbers mean the same values."""
    if a.quantization is None or b.quantization is None:
        return a.quantization is b.quantization
    return (a.quantization.scales, a.quantization.zero_points) == (
        b.quantization.scales,
        b.quantization.zero_points,
    )


def _joined(node: Node, arrays: list[NDArray[Any]]) -> NDArray[Any]:
    axis = int(node.options["axis"])
    return np.concatenate(arrays, axis) if node.op == "CONCATENATION" else np.stack(arrays, axis)


def lower_joined(lowering: Lowering, node: Node) -> None:
    """A copy from each input into its part of the output."""
    output = result(lowering.graph, node)
    places = indices(output.shape)
    axis = int(node.options["axis"]) % len(output.shape)
    start = 0
    for index in node.inputs:
        tensor = lowering.graph.tensors[index]
        count = tensor.shape[axis] if node.op == "CONCATENATION" else 1
        part = places[(slice(None),) * axis + (slice(start, start + count),)]
        shape = (
            tensor.shape if node.op == "CONCATENATION" else (*tensor.shape[:axis], 1, *tensor.shape[axis:])
        )
        copy(lowering, node, (index, indices(shape)), (output.index, part), stem=node.op.lower())
        start += count


# --- padding ---


def _paddings(graph: Graph, node: Node) -> list[tuple[int, int]]:
    values = _constant(graph, node, 1)
    source = _source(graph, node)
    if values.shape != (len(source.shape), 2) or (values < 0).any():
        raise ValueError(f"paddings {values.tolist()} of {list(source.shape)}")
    return [(int(before), int(after)) for before, after in values]


def check_pad(graph: Graph, node: Node) -> Iterator[Fault]:
    """Constant paddings; a constant value of the output's scale, or none."""
    output = result(graph, node)
    try:
        source, paddings = _source(graph, node), _paddings(graph, node)
    except ValueError as error:
        yield Fault(f"its paddings make no sense or are computed: {error}", FIXED)
        return
    if source.data is not None:
        yield Fault("its input is constant", "compute the result before converting")
    if source.dtype != "int8" or output.dtype != "int8" or output.quantization is None:
        yield Fault(f"it pads {source.dtype} to {output.dtype}; quantized int8 is needed", AGAIN)
        return
    if not same_scale(source, output):
        yield Fault("its input and output have different scales or zero points", AGAIN)
    value = operand(graph, node, 2)
    if value is not None and (value.data is None or value.size != 1 or value.dtype != "int8"):
        yield Fault("its value is computed, or not one int8", FIXED)
    elif value is not None and not same_scale(value, output):
        yield Fault("its value and output have different scales or zero points", AGAIN)
    shape = tuple(size + before + after for size, (before, after) in zip(source.shape, paddings, strict=True))
    if shape != output.shape:
        yield Fault(f"its output is {list(output.shape)}, but {list(shape)} follows", AGAIN)
        return
    yield from check_loops(indices(source.shape), _middle(source, output, paddings))


def _middle(source: Tensor, output: Tensor, paddings: list[tuple[int, int]]) -> View:
    """The places of the input in the output."""
    inside = zip(source.shape, paddings, strict=True)
    return indices(output.shape)[tuple(slice(before, before + size) for size, (before, _) in inside)]


def lower_pad(lowering: Lowering, node: Node) -> None:
    """Fills the output and copies the input into its middle."""
    output, source = result(lowering.graph, node), _source(lowering.graph, node)
    value = operand(lowering.graph, node, 2)
    assert output.quantization is not None
    fill = output.quantization.zero_point
    if value is not None and value.data is not None:
        fill = int(value.data.reshape(-1)[0])
    places = _middle(source, output, _paddings(lowering.graph, node))
    copy(lowering, node, (source.index, indices(source.shape)), (output.index, places), stem="pad", fill=fill)


FAMILIES = (
    Family(("TRANSPOSE", "STRIDED_SLICE", "SLICE", "UNPACK", "SPLIT", "SPLIT_V", "FILL"), check, lower),
    Family(("CONCATENATION", "PACK"), check_joined, lower_joined),
    Family(("PAD", "PADV2"), check_pad, lower_pad),
)
