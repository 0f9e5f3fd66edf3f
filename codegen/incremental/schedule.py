# SPDX-License-Identifier: Apache-2.0
"""The schedule of one step of time: what makes the newest row of every layer, and what keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from codegen.incremental.calls import (
    Age,
    AllRows,
    Call,
    Clear,
    Compute,
    Convolve,
    Frame,
    InArena,
    LastRows,
    Narrow,
    NewestOfStream,
    NextOfHistory,
    NextRow,
    Place,
    Push,
    PushRow,
    Target,
    Task,
    Unfold,
    Widen,
)
from codegen.incremental.conv import Convolution, stream_layer
from codegen.incremental.fused import FusedLayer
from codegen.incremental.partition import Partition, Window
from codegen.incremental.placement import Placement, ToHistory, ToRows, ToStream, first_frame
from codegen.incremental.state import History, State, Stream
from codegen.kernels.layer import Layer
from codegen.model.graph import Tensor


@dataclass(frozen=True, eq=False)
class Schedule:
    """tasks: in order; states: memory that lasts from one step to the next.

    streams_in_arena: reader's name -> the tensor that is its stream, of those that last for one step
    places: of tensors that are neither in the arena nor constant
    tensors: the model's and the partition's, with those that only the schedule has
    histories: tensor that a dense layer reads -> its history
    """

    tasks: tuple[Task, ...]
    states: tuple[State, ...]
    streams_in_arena: dict[str, int]
    places: dict[int, Place]
    tensors: tuple[Tensor, ...]
    histories: dict[int, History]


def schedule(
    partition: Partition,
    tensors: Sequence[Tensor],
    layers: Sequence[FusedLayer],
    roots: dict[int, int],
    placement: Placement,
) -> Schedule:
    """The tasks of a step, in the order of the frames from which on they are due in a full run."""
    return _Scheduler(partition, tensors, layers, roots, placement).schedule()


class _Scheduler:
    def __init__(
        self,
        partition: Partition,
        tensors: Sequence[Tensor],
        layers: Sequence[FusedLayer],
        roots: dict[int, int],
        placement: Placement,
    ) -> None:
        self.partition, self.layers, self.roots, self.placement = partition, layers, roots, placement
        self.tensors = list(tensors)
        self.frame = roots[partition.graph.inputs[0]]
        self.places: dict[int, Place] = {self.frame: Frame()}
        self.tasks: list[Task] = []
        self.streams_in_arena: dict[str, int] = {
            name: self._temporary(stream.values)
            for name, stream in placement.streams.items()
            if stream.in_arena
        }

    def schedule(self) -> Schedule:
        """Row after row, in the order of the model's layers."""
        self._hand_on(self.frame, 0)
        handed = {self.frame}
        for node in self.partition.stepping:
            for fused in (fused for fused in self.layers if fused.layer.node is node):
                if fused.conv is None:
                    self._compute(fused)
                else:
                    self._convolve(fused, fused.conv)
                handed.add(fused.output)
            for tensor in (tensor for tensor, row in self.partition.rows.items() if row in node.outputs):
                if self.roots[tensor] not in handed:  # an older row, kept as another tensor's newest
                    self._hand_on(self.roots[tensor], self.partition.first(tensor))
                    handed.add(self.roots[tensor])
        for tensor in self.partition.whole:
            if not self.partition.views[tensor].turned:
                self.places[tensor] = AllRows(self.placement.rows[self.partition.owner(tensor)])
        for tensor, window in self.partition.windows.items():
            if window.of in self.placement.rows:
                self.places[tensor] = self._window(window)
        histories = {
            made: self.placement.histories[self.partition.owner(of)]
            for made, of in self.partition.histories.items()
        }
        self.places.update({made: AllRows(history) for made, history in histories.items()})
        lasting = [stream for stream in self.placement.streams.values() if not stream.in_arena]
        return Schedule(
            tasks=tuple(sorted(self.tasks, key=lambda task: task.first)),
            states=(*lasting, *self.placement.rows.values(), *self.placement.histories.values()),
            streams_in_arena=self.streams_in_arena,
            places=self.places,
            tensors=tuple(self.tensors),
            histories=histories,
        )

    def _window(self, window: Window) -> Place:
        rows = self.placement.rows[window.of]
        if rows.rows == window.count == self.partition.views[window.of].rows:
            return AllRows(rows)
        return LastRows(rows, self.partition.first(window.of), window.reach)

    # --- a layer ---

    def _compute(self, fused: FusedLayer) -> None:
        """The layer's own kernel over a few rows."""
        layer, due = fused.layer, first_frame(self.partition, fused)
        self.tasks.append(Task(layer, (*self._own_place(fused.output, due), Compute(layer)), due))
        if not any(other.output == fused.output for other in self.layers[self.layers.index(fused) + 1 :]):
            self._hand_on(fused.output, due)

    def _convolve(self, fused: FusedLayer, conv: Convolution) -> None:
        """The stream kernel, whose row goes where it is kept, or becomes int8 first."""
        due, source = first_frame(self.partition, fused), self.placement.streams[fused.name]
        if fused.layer.inputs[0] in self.partition.windows and source.in_arena:
            self._unfold(fused, conv, source, due)
        inputs = (self.streams_in_arena[fused.name],) if source.in_arena else ()
        ready: tuple[Call, ...] = ()
        output, stride = self.frame, 2 * conv.pitch
        target: Target
        direct = fused.output in self.placement.direct
        destination = self.placement.of[fused.output][0] if direct else None
        if isinstance(destination, ToStream):
            stream = self.placement.streams[destination.reader.name]
            ready, target = _ready(stream), NewestOfStream(stream)
            stride = 2 * stream.rows * stream.depth
            output = self.streams_in_arena.get(destination.reader.name, self.frame)
        elif isinstance(destination, ToHistory):
            target = self._next_of_history(destination.owner)
        else:
            output = self._temporary(conv.columns.count * conv.pitch)
            target = InArena(output)
        layer = stream_layer(
            conv,
            source.rows,
            source.depth,
            oldest=source.rows - conv.rows.kernel,
            output_stride=stride,
            positions=conv.columns.count,
        )
        made = replace(layer, inputs=inputs, output=output)
        self.tasks.append(Task(made, (*ready, Convolve(made, source, target)), due))
        if not direct:
            narrow = Narrow(output, fused.output, conv.columns.count, conv.channels, conv.pitch)
            calls: tuple[Call, ...] = (*self._own_place(fused.output, due), narrow)
            self._move(fused.layer, (output,), fused.output, calls, due)
            self._hand_on(fused.output, due)

    def _unfold(self, fused: FusedLayer, conv: Convolution, stream: Stream, due: int) -> None:
        """A convolution's stream from rows that are kept as they lie in the tensor."""
        apart = conv.rows.dilation * stream.inner * conv.kernel.shape[3]
        unfold = Unfold(stream, fused.layer.inputs[0], conv.rows.kernel, apart)
        calls: tuple[Call, ...] = (*_clear(stream), unfold)
        self._move(fused.layer, fused.layer.inputs, self.streams_in_arena[fused.name], calls, due)

    # --- a row ---

    def _own_place(self, row: int, due: int) -> tuple[NextRow, ...]:
        """Lets a row be made where it is kept, if that is one place, and says so."""
        owners = [to.owner for to in self.placement.of.get(row, []) if isinstance(to, ToRows)]
        if len(owners) != 1 or row in self.places or self.partition.first(owners[0]) != due:
            return ()
        place = NextRow(self.placement.rows[owners[0]], due)
        self.places[row] = place
        return (place,)

    def _hand_on(self, row: int, due: int) -> None:
        """Gives a row in int8 to all that keep it."""
        for to in self.placement.of.get(row, []):
            if isinstance(to, ToStream):
                stream = self.placement.streams[to.reader.name]
                output = self.streams_in_arena.get(to.reader.name, self.frame)
                self._move(to.reader.layer, (row,), output, (*_ready(stream), Push(stream, row)), due)
            elif isinstance(to, ToHistory):
                widen = Widen(self._next_of_history(to.owner), row)
                later = self.partition.first(to.owner)
                self._move(self.layers[0].layer, (row,), self.frame, (widen,), later)
            elif isinstance(to, ToRows):
                rows, later = self.placement.rows[to.owner], self.partition.first(to.owner)
                place = self.places.get(row)
                if not (isinstance(place, NextRow) and place.rows == rows):
                    self._move(self.layers[0].layer, (row,), self.frame, (PushRow(rows, later, row),), later)

    def _next_of_history(self, owner: int) -> NextOfHistory:
        return NextOfHistory(self.placement.histories[owner], self.partition.first(owner))

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


def _ready(stream: Stream) -> tuple[Call, ...]:
    """Makes space for a stream's newest row."""
    if stream.in_arena:
        return _clear(stream)
    return (Age(stream),) if stream.rows > 1 else ()


def _clear(stream: Stream) -> tuple[Call, ...]:
    """Fills the columns of padding of a stream that lasts for one step."""
    return (Clear(stream),) if stream.padded else ()
