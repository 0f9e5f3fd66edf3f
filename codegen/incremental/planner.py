"""Incremental inference: which layers need to compute one row only when the cascade slides by one frame.

A frame is one row of the input along time. A convolution with stride 1 and no padding along time makes one
new row from the newest rows of its input; the older ones are the same numbers as before, one row further up.
So each such layer keeps the last rows of its input (a stream, firmware/nn/stream.h), and the layers behind
them read all rows from a history. This is exact because every row of the input is quantised alike: one scale
and one zero point for the whole cascade, the only kind of input tensor that the model door lets in.

The layers from the input on are taken while they allow it; the first that does not is named with the reason,
and it and all behind it are computed in full.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from codegen.graph import Graph, Node, Tensor
from codegen.layer import Array, Layer, Program
from codegen.lower import Table
from codegen.ops.channels import Ints, folded_bias
from codegen.ops.conv_2d import Axis, window_axes
from codegen.plan import Plan, plan
from codegen.quantize import activation_range, channel_multipliers, quantization
from codegen.spec import Classifier, Layout, Spec
from codegen.stream_weights import DENSE_TAPS, NotExactError, conv_words, dense_words, dense_words_int16

# kernel of a dense layer -> the same rounding behind a stream
FORMS = {
    "fully_connected": "FULLY_CONNECTED_ONCE",
    "fully_connected_wide": "FULLY_CONNECTED_WIDE",
    "fully_connected_twice": "FULLY_CONNECTED_TWICE",
}


class NotIncrementalError(Exception):
    """Why a layer is computed in full."""


@dataclass(frozen=True)
class Stream:
    """What a layer keeps of its input: a stream_t.

    columns: with padding; depth: values a column, rounded up to an even number of channels
    """

    name: str
    columns: int
    left: int
    rows: int
    depth: int
    zero_point: int

    @property
    def values(self) -> int:
        """int16 in RAM."""
        return self.columns * self.rows * self.depth


@dataclass(frozen=True)
class FlatStream:
    """What a layer keeps of its input in the layout "scrambled": a stream_flat_t.

    positions: kept; step: new ones a frame; rows, pitch: of the kernel, and positions from one to the next
    columns: of the unfolded input, `run` values each
    """

    name: str
    positions: int
    step: int
    depth: int
    rows: int
    width: int
    columns: int
    run: int
    zero_point: int

    @property
    def values(self) -> int:
        """int16 in RAM."""
        return self.positions * self.depth


@dataclass(frozen=True, eq=False)
class StreamLayer:
    """One layer of the step.

    first: the frame of a full run, from 0, from which on its row is right
    macs: of one row; columns, depth: of its output
    """

    layer: Layer
    source: Stream | FlatStream
    first: int
    macs: int
    columns: int
    depth: int


@dataclass(frozen=True, eq=False)
class Incremental:
    """The step, the history it leaves, and the layers behind, which read the history.

    frames, frame_size: of the cascade
    transposed: the input tensor has time along its columns
    flat: frames are copied into it one behind the other
    history_rows, history_columns, history_depth: all rows of the last stream layer's output
    pitch: values a column of it, as the layer writes them
    wide: the history is int16, for a dense layer; else int8
    catch_up: missed frames from which on a full run takes fewer multiplications
    stopped: the first layer computed in full, and why
    """

    frames: int
    frame_size: int
    transposed: bool
    flat: FlatStream | None
    layers: tuple[StreamLayer, ...]
    history_rows: int
    history_columns: int
    history_depth: int
    pitch: int
    wide: bool
    rest: Plan
    catch_up: int
    stopped: str

    @property
    def history_values(self) -> int:
        """Values of the history, with what the dense kernel's loop reads behind it."""
        if self.flat is not None:
            return self.flat.values
        size = self.history_rows * self.history_columns * (self.pitch if self.wide else self.history_depth)
        return size + (-size % DENSE_TAPS if self.wide else 0)

    @property
    def work_values(self) -> int:
        """Values of the memory in which the layout "scrambled" unfolds inputs."""
        unfolded = [
            layer.source.columns * layer.source.run
            for layer in self.layers
            if isinstance(layer.source, FlatStream)
        ]
        rows = self.history_rows * self.history_columns * self.pitch
        return max([*unfolded, rows + -rows % DENSE_TAPS])

    @property
    def state(self) -> int:
        """Bytes that last from decision to decision."""
        streams = sum(2 * layer.source.values for layer in self.layers)
        return streams + self.history_values * (2 if self.wide else 1)


def incremental(spec: Spec, graph: Graph, program: Program) -> Incremental | str:
    """The incremental form of `program`, or the reason why it has none."""
    pipeline = spec.pipeline
    if pipeline is None:
        return "a bare model has no cascade that slides"
    if any(node.op == "VAR_HANDLE" for node in graph.nodes):
        return "the model keeps state of its own"
    if not pipeline.cascade.slide:
        return "the cascade does not slide: no frame serves two decisions"
    return _Planner(graph, program, pipeline.cascade.frames, pipeline.mfcc.cepstra, spec.classifier).plan()


class _Planner:
    def __init__(
        self, graph: Graph, program: Program, frames: int, cepstra: int, classifier: Classifier
    ) -> None:
        self.graph, self.program = graph, program
        layout = classifier.layout
        self.fast = classifier.kernels == "fast"
        self.transposed = layout is Layout.CEPSTRA_BY_FRAMES
        self.flat = layout is Layout.SCRAMBLED
        self.reach = 0  # of the newest output in the flat input, in positions before its own
        self.frames, self.cepstra = frames, cepstra
        self.layers: list[StreamLayer] = []
        self.first = 0
        self.pitch = 0  # depth of the newest output, rounded up to even

    def plan(self) -> Incremental | str:
        """Takes layers while they can be streamed."""
        position, stopped = 0, "nothing is left"
        while position < len(self.program.layers):
            try:
                position = self._take(position)
            except (NotIncrementalError, NotExactError) as reason:
                layer = self.program.layers[position]
                stopped = f"layer {layer.node.index} ({layer.node.op}): {reason}"
                break
        if not self.layers:
            return stopped
        return self._finish(position, stopped)

    def _take(self, position: int) -> int:
        """Streams the layer at `position`, with the tables behind it; the position behind them."""
        layer = self.program.layers[position]
        source = self.layers[-1].layer.output if self.layers else self.program.input
        if layer.inputs != (source,):
            raise NotIncrementalError("it reads something other than the newest layer's output")
        if layer.node.op != "CONV_2D":
            raise NotIncrementalError("it reads all of time")
        if self._only_reader(source) != position:
            raise NotIncrementalError("another layer reads its input too")
        if layer.output == self.program.output:
            raise NotIncrementalError("it makes the model's output")
        table: Table | None = None
        output, after = layer.output, position + 1
        while after < len(self.program.layers) and self._only_reader(output) == after:
            follower = self.program.layers[after]
            if follower.kernel != "table" or follower.node.outputs[0] == self.program.output:
                break
            table = _table_of(follower, table)
            output, after = follower.output, after + 1
        self.layers.append(self._convolution(layer, output, table))
        return after

    def _only_reader(self, tensor: int) -> int | None:
        """The position of the one layer that reads it."""
        readers = [at for at, layer in enumerate(self.program.layers) if tensor in layer.inputs]
        return readers[0] if len(readers) == 1 and tensor != self.program.output else None

    def _convolution(self, layer: Layer, output: int, table: Table | None) -> StreamLayer:
        graph, node = self.graph, layer.node
        source, weights = graph.tensors[node.inputs[0]], graph.tensors[node.inputs[1]]
        bias = graph.tensors[node.inputs[2]] if len(node.inputs) > 2 and node.inputs[2] >= 0 else None
        assert weights.data is not None
        kernel = weights.data.astype(np.int64)
        channels, depth = kernel.shape[0], kernel.shape[3]
        time, other = self._axes(node, source, (kernel.shape[1], kernel.shape[2]))
        if self.transposed:
            kernel = kernel.transpose(0, 2, 1, 3)
        if self.flat:
            self._check_flat(source, time, other)
        elif not self.layers and (time.size != self.frames or other.size * depth != self.cepstra):
            raise NotIncrementalError("its rows are not the cascade's frames")
        if time.padded:
            raise NotIncrementalError("it pads along time")
        if time.stride != 1:
            raise NotIncrementalError(f"it moves by {time.stride} rows along time")

        pitch = self.pitch or depth
        taps, rows = self._taps(kernel, time, other, pitch)
        stream: Stream | FlatStream
        if self.flat:
            stream, count = self._flat_stream(layer, source, (time, other), rows), self.cepstra
            stride = 2 * rows * pitch
        else:
            stream, count = self._stream(layer, source, other, rows, pitch), other.count
            stride = 2 * other.stride * rows * pitch
        starts = folded_bias(layer_weights(kernel), bias, quantization(source).zero_point)
        multipliers = channel_multipliers(source, weights, graph.tensors[node.outputs[0]], channels)
        if channels % 2:
            taps = np.concatenate([taps, np.zeros((1, taps.shape[1]), np.int64)])
            starts, multipliers = [*starts, 0], [*multipliers, multipliers[-1]]
        zero_point = quantization(graph.tensors[node.outputs[0]]).zero_point
        low, high = activation_range(
            graph.tensors[node.outputs[0]], node.options["fused_activation_function"]
        )
        after = _after(low, high, table, channels)
        away = low < zero_point
        zero = zero_point + (128 if after is not None else 0)
        words = conv_words(taps, starts, multipliers, zero, away)

        arrays = [Array("weights", "uint32_t", words, "pair by pair: starts, taps, multipliers")]
        step = 0
        if after is not None:
            arrays.append(Array("table", "int8_t", after.reshape(-1), "of the values -128 .. 127"))
            step = 256 if len(after) > 1 else 0
        fields = (
            ("steps", str(taps.shape[1] // 4)),
            ("output_stride", ""),  # the next stream's, see _finish
            ("weights", "weights"),
            ("end", f"weights + {len(words)}"),
            ("table", "table" if after is not None else "NULL"),
            ("table_step", str(step)),
            ("stride", str(stride)),
            ("columns", str(count)),
            ("keeps_negative", str(int(away))),
        )
        macs = count * channels * math.prod(weights.shape[1:])
        self._move_on(time, other)
        self.pitch = len(taps)
        made = Layer(
            layer.name,
            "stream_conv_2d",
            "stream_conv_2d",
            fields,
            tuple(arrays),
            layer.inputs,
            output,
            node,
            macs=layer.macs,
        )
        return StreamLayer(made, stream, self.first, macs, other.count, channels)

    def _move_on(self, time: Axis, other: Axis) -> None:
        """What the next layer's first right row waits for."""
        if self.flat:
            self.reach += (time.kernel - 1) * time.dilation * self.frames + (
                other.kernel - 1
            ) * other.dilation
            self.first = -(-(self.reach + 1) // self.cepstra) - 1
        else:
            self.first += (time.kernel - 1) * time.dilation

    def _check_flat(self, source: Tensor, rows: Axis, columns: Axis) -> None:
        if not self.layers and (rows.size, columns.size, source.shape[3]) != (self.cepstra, self.frames, 1):
            raise NotIncrementalError("its input is not the picture that the frames are copied into")
        if rows.padded or columns.padded or rows.stride != 1 or columns.stride != 1:
            raise NotIncrementalError("it pads or moves by more than one position")

    def _stream(self, layer: Layer, source: Tensor, other: Axis, rows: int, pitch: int) -> Stream:
        reach = (other.kernel - 1) * other.dilation + 1
        columns = max((other.count - 1) * other.stride + reach, other.size + other.before)
        return Stream(
            f"{layer.name}_input", columns, other.before, rows, pitch, quantization(source).zero_point
        )

    def _flat_stream(self, layer: Layer, source: Tensor, axes: tuple[Axis, Axis], rows: int) -> FlatStream:
        time, other = axes
        pitch = self.pitch or source.shape[3]
        width, reach = time.dilation * self.frames, (other.kernel - 1) * other.dilation
        return FlatStream(
            name=f"{layer.name}_input",
            positions=self.cepstra + (time.kernel - 1) * width + reach,
            step=self.cepstra,
            depth=pitch,
            rows=time.kernel,
            width=width,
            columns=self.cepstra + reach,
            run=rows * pitch,
            zero_point=quantization(source).zero_point,
        )

    def _axes(self, node: Node, source: Tensor, kernel: tuple[int, int]) -> tuple[Axis, Axis]:
        """Time and the other axis."""
        rows, columns = window_axes(node, source.shape, kernel)
        return (columns, rows) if self.transposed else (rows, columns)

    def _taps(self, kernel: Ints, time: Axis, other: Axis, pitch: int) -> tuple[Ints, int]:
        """[channels, taps] in the stream's order (column, row, channel), 0 where none is read; rows kept."""
        channels, _, _, depth = kernel.shape
        apart = 1 if self.flat else time.dilation  # a flat stream unfolds the rows of the kernel alone
        span = (time.kernel - 1) * apart + 1
        reach = (other.kernel - 1) * other.dilation + 1
        rows = span
        while rows * pitch % 2 or rows * pitch * reach % 4:
            rows += 1
        taps = np.zeros((channels, reach, rows, pitch), np.int64)
        for i in range(time.kernel):
            row = i if self.flat else rows - span + i * apart
            taps[:, :: other.dilation, row, :depth] = kernel[:, i]
        return taps.reshape(channels, -1), rows

    def _finish(self, position: int, stopped: str) -> Incremental | str:
        strides = [
            2 * layer.source.depth * (layer.source.rows if isinstance(layer.source, Stream) else 1)
            for layer in self.layers[1:]
        ]
        strides.append(2 * self.pitch)
        self.layers = [_with_output_stride(*pair) for pair in zip(self.layers, strides, strict=True)]
        last = self.layers[-1]
        made = self.graph.tensors[last.layer.node.outputs[0]]
        rows = made.shape[1] if self.flat else self.frames - last.first
        rest = list(self.program.layers[position:])
        reader = self._only_reader(last.layer.output)
        wide = False
        if rest and reader == position and rest[0].node.op == "FULLY_CONNECTED":
            try:
                rest[0] = self._dense(rest[0], rows, last)
                wide = True
                stopped = f"{stopped} (from the kept rows)"
            except NotExactError as reason:
                stopped = f"{stopped}; {reason}"
        if not wide and (self.transposed or self.flat):
            return f"{stopped}; its input would have to be turned"
        behind = Program(self.program.tensors, tuple(rest), last.layer.output, self.program.output)
        step = sum(layer.macs for layer in self.layers)
        full = sum(layer.macs * (self.frames - layer.first) for layer in self.layers)
        return Incremental(
            frames=self.frames,
            frame_size=self.cepstra,
            transposed=self.transposed,
            flat=self._flat_history(rows, last) if self.flat else None,
            layers=tuple(self.layers),
            history_rows=rows,
            history_columns=last.columns,
            history_depth=last.depth,
            pitch=self.pitch,
            wide=wide,
            rest=plan(behind),
            catch_up=max(1, math.ceil(full / step)),
            stopped=stopped,
        )

    def _flat_history(self, rows: int, last: StreamLayer) -> FlatStream:
        """All positions of the last output that belong to its picture, and those between its rows."""
        positions = (rows - 1) * self.frames + last.columns
        return FlatStream("history", positions, self.cepstra, self.pitch, 0, self.frames, 0, 0, 0)

    def _dense(self, layer: Layer, rows: int, last: StreamLayer) -> Layer:
        """The dense layer over the history."""
        node = layer.node
        weights = self.graph.tensors[node.inputs[1]]
        assert weights.data is not None
        outputs, inputs = weights.shape
        if inputs != rows * last.columns * last.depth:
            raise NotExactError("it reads the rows apart")
        flat = weights.data.astype(np.int64)
        shape = (
            (outputs, last.columns, rows, last.depth)
            if self.transposed
            else (outputs, rows, last.columns, last.depth)
        )
        ordered = flat.reshape(shape)
        if self.transposed:
            ordered = ordered.transpose(0, 2, 1, 3)
        padded = np.zeros((outputs, rows, last.columns, self.pitch), np.int64)
        padded[..., : last.depth] = ordered
        flat = padded.reshape(outputs, -1)
        kernel = "stream_fully_connected_int16" if self.fast else "stream_fully_connected"
        if self.fast:
            words, steps = dense_words_int16(flat)
            extra = [("steps", str(steps))]
        else:
            words, steps, most = dense_words(flat)
            extra = [("steps", str(steps)), ("most", str(most))]
        kept = tuple(array for array in layer.arrays if array.suffix != "weights")
        fields = [(f"dense.{name}", value) for name, value in layer.fields if name != "weights"]
        return Layer(
            layer.name,
            kernel,
            kernel,
            (*fields, ("form", FORMS[layer.kernel]), *extra, ("weights", "weights")),
            (*kept, Array("weights", "uint32_t", words, "four outputs at a time, their taps in pairs")),
            (last.layer.output,),
            layer.output,
            node,
            macs=layer.macs,
        )


def _with_output_stride(layer: StreamLayer, stride: int) -> StreamLayer:
    fields = tuple(
        (name, str(stride) if name == "output_stride" else value) for name, value in layer.layer.fields
    )
    return replace(layer, layer=replace(layer.layer, fields=fields))


def layer_weights(kernel: Ints) -> Ints:
    """[channels, products]."""
    return kernel.reshape(len(kernel), -1)


def _table_of(layer: Layer, before: Table | None) -> Table:
    """A table layer's tables, [1 or depth, 256], after those before it."""
    (array,) = (array for array in layer.arrays if array.suffix == "table")
    table: Table = array.values.reshape(-1, 256)
    if before is None:
        return table
    if len(before) < len(table):
        before = np.tile(before, (len(table) // len(before), 1))
    if len(table) < len(before):
        table = np.tile(table, (len(before) // len(table), 1))
    joined: Table = np.take_along_axis(table, before + 128, axis=1)
    return joined


def _after(low: int, high: int, table: Table | None, channels: int) -> Table | None:
    """What follows a saturated value: the clamp, then the tables; None where that is nothing."""
    if table is None and (low, high) == (-128, 127):
        return None
    clamp = np.clip(np.arange(-128, 128), low, high).reshape(1, 256)
    if table is None:
        return clamp
    if len(table) > 1:
        if channels % len(table):
            raise NotIncrementalError("the tables behind it are not one a channel")
        table = np.tile(table, (channels // len(table), 1))
        if channels % 2:
            table = np.concatenate([table, table[-1:]])
    return np.take_along_axis(table, np.broadcast_to(clamp + 128, table.shape), axis=1)
