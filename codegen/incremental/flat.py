"""The layout "scrambled": frames copied one behind the other into rows of another length.

A convolution over the flat picture reads the same offsets at every position, also where a row ends
(firmware/nn/stream_flat.h). So a frame brings as many new positions of every layer as it has values; those
that lie across the end of a row are computed too, and never read. This holds for a chain of convolutions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from codegen.common.reference import Reference
from codegen.incremental.conv import Convolution, kept_rows, stream_layer
from codegen.incremental.dense import dense_layer, serves
from codegen.incremental.fused import Part, is_convolution, parts
from codegen.incremental.schedule import Call
from codegen.incremental.state import FlatStream, History
from codegen.incremental.view import NotIncrementalError
from codegen.kernels.layer import Layer
from codegen.kernels.lowering import Lowering
from codegen.model.graph import Graph, Tensor
from codegen.passes.lower import lowered


@dataclass(frozen=True, eq=False)
class FlatPlan:
    """calls: of the step; before: what the rest needs first; rest: the layers behind; tensors: of both."""

    lowering: Lowering
    calls: tuple[Call, ...]
    kept: tuple[FlatStream, ...]
    before: tuple[Call, ...]
    rest: tuple[Layer, ...]
    tensors: tuple[Tensor, ...]
    frame: int
    reasons: dict[int, str]


def flat_plan(graph: Graph, frames: int, cepstra: int, fast: bool, reference: Reference) -> FlatPlan:
    """The convolutions behind the input, position by position. NotIncrementalError where there is none."""
    return _Flat(graph, frames, cepstra, fast, lowered(graph, reference)).plan()


class _Flat:
    def __init__(self, graph: Graph, frames: int, cepstra: int, fast: bool, lowering: Lowering) -> None:
        self.graph, self.frames, self.cepstra, self.fast = graph, frames, cepstra, fast
        self.lowering = lowering
        self.tensors = list(lowering.graph.tensors)
        self.parts = parts(self.tensors, lowering.layers, {lowering.root(graph.outputs[0])})
        self.frame = graph.inputs[0]
        self.calls: list[Call] = []
        self.reasons: dict[int, str] = {}

    def plan(self) -> FlatPlan:
        """Takes convolutions while each reads the one before it alone."""
        chain: list[Convolution] = []
        rest: list[Part] = list(self.parts)
        tensor = self.lowering.root(self.graph.inputs[0])
        while rest:
            try:
                chain.append(self._take(rest[0], tensor, bool(chain)))
            except NotIncrementalError as reason:
                self.reasons[rest[0].layer.node.index] = str(reason)
                break
            tensor = chain[-1].output
            rest = rest[1:]
        stopped = rest[0].layer.node
        if not chain:
            raise NotIncrementalError(f"layer {stopped.index} ({stopped.op}): {self.reasons[stopped.index]}")
        for part in rest[1:]:
            self.reasons[part.layer.node.index] = f"it comes behind layer {stopped.index} ({stopped.op})"
        behind = [layer for part in rest for layer in (part.layer, *part.joined)]
        streams = self._step(chain, behind[0].name)
        before, behind = self._behind(chain[-1], behind)
        return FlatPlan(
            lowering=self.lowering,
            calls=tuple(self.calls),
            kept=tuple(streams),
            before=tuple(before),
            rest=tuple(behind),
            tensors=tuple(self.tensors),
            frame=self.frame,
            reasons=self.reasons,
        )

    def _take(self, part: Part, source: int, later: bool) -> Convolution:
        """The layer as a convolution over the flat picture."""
        layer, conv = part.layer, part.conv
        if layer.inputs != (source,):
            raise NotIncrementalError("it reads something other than the newest layer's output")
        if sum(source in other.layer.inputs for other in self.parts) != 1:
            raise NotIncrementalError("another layer reads its input too")
        if not is_convolution(self.tensors, layer):
            raise NotIncrementalError("it is no convolution, and the picture is scrambled")
        if conv is None:
            raise NotIncrementalError("its numbers do not suit the kernel over scrambled pictures")
        if part.output == self.lowering.root(self.graph.outputs[0]):
            raise NotIncrementalError("it makes the model's output")
        shape = self.tensors[layer.node.inputs[0]].shape
        if not later and shape[1:] != (self.cepstra, self.frames, 1):
            raise NotIncrementalError("its input is not the picture that the frames are copied into")
        if conv.rows.padded or conv.columns.padded:
            raise NotIncrementalError("it pads, and the picture is scrambled")
        if conv.rows.stride != 1 or conv.columns.stride != 1:
            raise NotIncrementalError("it moves by more than one position, and the picture is scrambled")
        return conv

    # --- the step ---

    def _step(self, chain: Sequence[Convolution], reader: str) -> list[FlatStream]:
        """The calls of all convolutions; what each keeps of its input, and what is kept behind the last."""
        streams = []
        reach, pitch = 0, 1  # of the newest output in positions before its own; values a position
        dues = []
        for conv in chain:
            streams.append(self._stream(conv, pitch))
            rows, columns = conv.rows, conv.columns
            reach += (rows.kernel - 1) * rows.dilation * self.frames + (columns.kernel - 1) * columns.dilation
            dues.append(-(-(reach + 1) // self.cepstra) - 1)
            pitch = conv.pitch
        last = chain[-1]
        positions = (last.rows.count - 1) * self.frames + last.columns.count
        streams.append(FlatStream("history", reader, positions, self.cepstra, pitch, 0, self.frames, 0, 0))
        ready = (f"stream_flat_shift(&@{streams[0].name});", f"stream_flat_push(&@{streams[0].name}, {{0}});")
        self._move(chain[0].layer, (self.frame,), self.frame, ready, 0)
        for conv, (source, target), due in zip(chain, pairwise(streams), dues, strict=True):
            unfolded = self._temporary(source.columns * source.run)
            text = f"stream_flat_unfold(&@{source.name}, {source.run}, {{out_16}});"
            self._move(conv.layer, (), unfolded, (text,), due)
            layer = stream_layer(
                conv,
                source.run // source.depth,
                source.depth,
                oldest=0,
                output_stride=2 * target.depth,
                positions=self.cepstra,
            )
            macs = self.cepstra * conv.kernel.size
            made = replace(layer, inputs=(unfolded,), output=self.frame, macs=macs)
            call = f"stream_conv_2d(&@{layer.name}, {{0_16}}, stream_flat_newest(&@{target.name}));"
            self.calls.append(Call(made, (f"stream_flat_shift(&@{target.name});", call), due))
        return streams

    def _stream(self, conv: Convolution, pitch: int) -> FlatStream:
        width, reach = conv.rows.dilation * self.frames, (conv.columns.kernel - 1) * conv.columns.dilation
        return FlatStream(
            name=f"{conv.layer.name}_input",
            reader=conv.layer.name,
            positions=self.cepstra + (conv.rows.kernel - 1) * width + reach,
            step=self.cepstra,
            depth=pitch,
            rows=conv.rows.kernel,
            width=width,
            columns=self.cepstra + reach,
            run=kept_rows(conv, pitch) * pitch,
        )

    # --- behind it ---

    def _behind(self, last: Convolution, behind: list[Layer]) -> tuple[list[Call], list[Layer]]:
        """The rows of the picture without what lies between them, then the layers that read them."""
        rows, columns, pitch = last.rows.count, last.columns.count, last.pitch
        history = History("history", behind[0].name, rows, columns, last.channels, pitch)
        picture, apart = self._temporary(history.values), self.frames * pitch
        text = f"stream_flat_rows(@history_values, {rows}, {columns * pitch}, {apart}, {{out_16}});"
        calls = [
            Call(replace(last.layer, inputs=(), output=picture, macs=0, scratch=0), (text,), 0, named=False)
        ]
        first, size = behind[0], rows * columns * last.channels
        weights = self.tensors[first.node.inputs[1]] if first.node.op == "FULLY_CONNECTED" else None
        readers = sum(last.output in layer.inputs for layer in behind)
        if weights is not None and readers == 1 and weights.shape[1] == size and serves(weights, self.fast):
            order = np.arange(size, dtype=np.int64)
            made = dense_layer(first, weights, order, history, self.fast)
            self.reasons[first.node.index] = "it reads all of time, from the kept rows"
            return calls, [replace(made, inputs=(picture,)), *behind[1:]]
        narrow = f"stream_narrow({{out}}, {rows * columns}, {last.channels}, {pitch}, {{0_16}});"
        narrowed = replace(last.layer, inputs=(picture,), output=last.output, macs=0, scratch=0, in_place=())
        return [*calls, Call(narrowed, (narrow,), 0, named=False)], behind

    def _temporary(self, values: int) -> int:
        """A tensor of int16 in the arena."""
        made = Tensor(len(self.tensors), "", (values,), "int16")
        self.tensors.append(made)
        return made.index

    def _move(
        self, like: Layer, inputs: tuple[int, ...], output: int, code: tuple[str, ...], due: int
    ) -> None:
        made = replace(like, inputs=inputs, output=output, scratch=0, macs=0, in_place=())
        self.calls.append(Call(made, code, due, named=False))
