# SPDX-License-Identifier: Apache-2.0
"""The layout "scrambled": frames copied one after the other into rows of another length.

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
from codegen.incremental.calls import (
    Call,
    Convolve,
    FlatPush,
    FlatRows,
    FlatShift,
    FlatUnfold,
    Frame,
    InArena,
    Narrow,
    NewestOfFlat,
    Place,
    Task,
)
from codegen.incremental.conv import Convolution, stream_layer, stream_rows
from codegen.incremental.dense import dense_layer, serves
from codegen.incremental.fused import FusedLayer, fused_layers, is_convolution
from codegen.incremental.state import FlatStream, History
from codegen.kernels.layer import Layer
from codegen.kernels.lowering import Lowering
from codegen.model.graph import Graph, Tensor
from codegen.ops.rows import NotIncrementalError
from codegen.passes.lower import lowered


@dataclass(frozen=True, eq=False)
class FlatPlan:
    """tasks: of a step; before: what the rest needs first; rest: layers after; tensors, places: of both."""

    lowering: Lowering
    tasks: tuple[Task, ...]
    states: tuple[FlatStream, ...]
    before: tuple[Task, ...]
    rest: tuple[Layer, ...]
    tensors: tuple[Tensor, ...]
    places: dict[int, Place]
    frame: int
    reasons: dict[int, str]


def flat_plan(graph: Graph, frames: int, cepstra: int, fast: bool, reference: Reference) -> FlatPlan:
    """The convolutions after the input, position by position. NotIncrementalError where there is none."""
    return _Flat(graph, frames, cepstra, fast, lowered(graph, reference, fast=fast)).plan()


class _Flat:
    def __init__(self, graph: Graph, frames: int, cepstra: int, fast: bool, lowering: Lowering) -> None:
        self.graph, self.frames, self.cepstra, self.fast = graph, frames, cepstra, fast
        self.lowering = lowering
        self.tensors = list(lowering.graph.tensors)
        self.layers = fused_layers(self.tensors, lowering.layers, {lowering.root(graph.outputs[0])})
        self.frame = graph.inputs[0]
        self.tasks: list[Task] = []
        self.reasons: dict[int, str] = {}

    def plan(self) -> FlatPlan:
        """Takes convolutions while each reads the one before it alone."""
        chain: list[Convolution] = []
        rest: list[FusedLayer] = list(self.layers)
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
            raise NotIncrementalError(f"layer {stopped.number} ({stopped.op}): {self.reasons[stopped.index]}")
        for fused in rest[1:]:
            self.reasons[fused.layer.node.index] = f"it comes after layer {stopped.number} ({stopped.op})"
        after = [layer for fused in rest for layer in (fused.layer, *fused.tables)]
        streams = self._step(chain, after[0].name)
        before, after = self._after(chain[-1], streams[-1], after)
        return FlatPlan(
            lowering=self.lowering,
            tasks=tuple(self.tasks),
            states=tuple(streams),
            before=tuple(before),
            rest=tuple(after),
            tensors=tuple(self.tensors),
            places={self.frame: Frame()},
            frame=self.frame,
            reasons=self.reasons,
        )

    def _take(self, fused: FusedLayer, source: int, later: bool) -> Convolution:
        """The layer as a convolution over the flat picture."""
        layer, conv = fused.layer, fused.conv
        if layer.inputs != (source,):
            raise NotIncrementalError("it reads something other than the newest layer's output")
        if sum(source in other.layer.inputs for other in self.layers) != 1:
            raise NotIncrementalError("another layer reads its input too")
        if not is_convolution(self.tensors, layer):
            raise NotIncrementalError("it is no convolution, and the picture is scrambled")
        if conv is None:
            raise NotIncrementalError("its numbers do not suit the kernel over scrambled pictures")
        if fused.output == self.lowering.root(self.graph.outputs[0]):
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
        """The tasks of all convolutions; what each keeps of its input, and what is kept after the last."""
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
        push = (FlatShift(streams[0]), FlatPush(streams[0], self.frame))
        self._move(chain[0].layer, (self.frame,), self.frame, push, 0)
        for conv, (source, target), due in zip(chain, pairwise(streams), dues, strict=True):
            unfolded = self._temporary(source.columns * source.run)
            self._move(conv.layer, (), unfolded, (FlatUnfold(source, unfolded),), due)
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
            convolve = Convolve(made, InArena(unfolded), NewestOfFlat(target))
            self.tasks.append(Task(made, (FlatShift(target), convolve), due))
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
            run=stream_rows(conv, pitch) * pitch,
        )

    # --- after it ---

    def _after(
        self, last: Convolution, kept: FlatStream, after: list[Layer]
    ) -> tuple[list[Task], list[Layer]]:
        """The rows of the picture without what lies between them, then the layers that read them."""
        rows, columns, pitch = last.rows.count, last.columns.count, last.pitch
        history = History("history", after[0].name, rows, columns, last.channels, pitch)
        picture, apart = self._temporary(history.values), self.frames * pitch
        copy = FlatRows(kept, picture, rows, columns * pitch, apart)
        tasks = [Task(replace(last.layer, inputs=(), output=picture, macs=0, scratch=0), (copy,), 0)]
        first, size = after[0], rows * columns * last.channels
        weights = self.tensors[first.node.inputs[1]] if first.node.op == "FULLY_CONNECTED" else None
        readers = sum(last.output in layer.inputs for layer in after)
        if weights is not None and readers == 1 and weights.shape[1] == size and serves(weights, self.fast):
            order = np.arange(size, dtype=np.int64)
            made = dense_layer(first, weights, order, history, self.fast)
            self.reasons[first.node.index] = "it reads all of time, from the kept rows"
            return tasks, [replace(made, inputs=(picture,)), *after[1:]]
        narrow = Narrow(picture, last.output, rows * columns, last.channels, pitch)
        narrowed = replace(last.layer, inputs=(picture,), output=last.output, macs=0, scratch=0, in_place=())
        return [*tasks, Task(narrowed, (narrow,), 0)], after

    def _temporary(self, values: int) -> int:
        """A tensor of int16 in the arena."""
        made = Tensor(len(self.tensors), "", (values,), "int16")
        self.tensors.append(made)
        return made.index

    def _move(
        self, like: Layer, inputs: tuple[int, ...], output: int, calls: tuple[Call, ...], due: int
    ) -> None:
        made = replace(like, inputs=inputs, output=output, scratch=0, macs=0, in_place=())
        self.tasks.append(Task(made, calls, due))
