"""One step of time as C: the calls that make the newest row of every layer, and those that keep it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from codegen.incremental.conv import Convolution, stream_layer
from codegen.incremental.fused import Part
from codegen.incremental.partition import Cut, Window
from codegen.incremental.placement import Sinks, ToHistory, ToRows, ToStream, first
from codegen.incremental.state import History, Kept, Stream
from codegen.kernels.layer import Layer
from codegen.model.graph import Tensor


@dataclass(frozen=True, eq=False)
class Call:
    """Lines of C that make a row, or move it.

    layer: what the arena's plan sees of it, inputs, output, scratch; its struct is written where `named`
    code: "@" is the app's prefix; {0}, {1} .., {out}, {scratch} are places of the layer's tensors as
    int8_t *, {0_16}, {out_16} as int16_t *
    first: the frame of a full run, from 0, from which on it is due
    """

    layer: Layer
    code: tuple[str, ...]
    first: int
    named: bool = True


@dataclass(frozen=True, eq=False)
class Step:
    """calls: in order; kept: memory of its own; works: streams in the arena, and the tensors that they are.

    places: tensors with memory of their own -> C; tensors: with those that only the step has
    """

    calls: tuple[Call, ...]
    kept: tuple[Kept, ...]
    works: dict[str, int]
    places: dict[int, str]
    tensors: tuple[Tensor, ...]
    histories: dict[int, History]


def step(
    cut: Cut, tensors: Sequence[Tensor], found: Sequence[Part], roots: dict[int, int], to: Sinks
) -> Step:
    """The calls of a step, in the order of the frames from which on they are due in a full run."""
    return _Writer(cut, tensors, found, roots, to).write()


class _Writer:
    def __init__(
        self, cut: Cut, tensors: Sequence[Tensor], found: Sequence[Part], roots: dict[int, int], to: Sinks
    ) -> None:
        self.cut, self.parts, self.roots, self.to = cut, found, roots, to
        self.tensors = list(tensors)
        self.frame = roots[cut.graph.inputs[0]]
        self.places: dict[int, str] = {self.frame: "frame"}
        self.calls: list[Call] = []
        self.works: dict[str, int] = {
            name: self._temporary(stream.values) for name, stream in to.streams.items() if stream.work
        }

    def write(self) -> Step:
        """Row after row, in the order of the model's layers."""
        self._hand_on(self.frame, 0)
        handed = {self.frame}
        for node in self.cut.graph.nodes[: self.cut.steps]:
            for part in (part for part in self.parts if part.layer.node is node):
                if part.conv is None:
                    self._plain(part)
                else:
                    self._convolve(part, part.conv)
                handed.add(part.output)
            for tensor in (tensor for tensor, row in self.cut.rows.items() if row in node.outputs):
                if self.roots[tensor] not in handed:  # an older row, kept as another tensor's newest
                    self._hand_on(self.roots[tensor], self.cut.first(tensor))
                    handed.add(self.roots[tensor])
        for tensor in self.cut.whole:
            if not self.cut.views[tensor].turned:
                self.places[tensor] = f"@{self.to.rows[self.cut.owner(tensor)].name}_values"
        for tensor, window in self.cut.windows.items():
            if window.of in self.to.rows:
                self.places[tensor] = self._window(window)
        histories = {made: self.to.histories[self.cut.owner(of)] for made, of in self.cut.histories.items()}
        self.places.update({made: f"@{history.name}_values" for made, history in histories.items()})
        kept = [stream for stream in self.to.streams.values() if not stream.work]
        return Step(
            calls=tuple(sorted(self.calls, key=lambda call: call.first)),
            kept=(*kept, *self.to.rows.values(), *self.to.histories.values()),
            works=self.works,
            places=self.places,
            tensors=tuple(self.tensors),
            histories=histories,
        )

    def _window(self, window: Window) -> str:
        rows = self.to.rows[window.of]
        if rows.rows == window.count == self.cut.views[window.of].rows:
            return f"@{rows.name}_values"
        return f"stream_rows_last(&@{rows.name}, {_index(self.cut.first(window.of))}, {window.reach})"

    # --- a layer ---

    def _plain(self, part: Part) -> None:
        """The layer's own kernel over a few rows."""
        layer, due = part.layer, first(self.cut, part)
        places = [*(f"{{{at}}}" for at in range(len(layer.inputs))), "{out}"]
        if layer.scratch:
            places.append("{scratch}")
        code = (*self._own_place(part.output, due), f"{layer.kernel}(&@{layer.name}, {', '.join(places)});")
        self.calls.append(Call(layer, code, due))
        if not any(other.output == part.output for other in self.parts[self.parts.index(part) + 1 :]):
            self._hand_on(part.output, due)

    def _convolve(self, part: Part, conv: Convolution) -> None:
        """The stream kernel, whose row goes where it is kept, or becomes int8 first."""
        due, source = first(self.cut, part), self.to.streams[part.name]
        if part.layer.inputs[0] in self.cut.windows and source.work:
            self._unfold(part, conv, source, due)
        inputs = (self.works[part.name],) if source.work else ()
        ready: tuple[str, ...] = ()
        output, target, stride = self.frame, "{out_16}", 2 * conv.pitch
        direct = part.output in self.to.direct
        sink = self.to.of[part.output][0] if direct else None
        if isinstance(sink, ToStream):
            stream = self.to.streams[sink.reader.name]
            ready, target = _ready(stream), f"stream_newest(&@{stream.name})"
            stride = 2 * stream.rows * stream.depth
            output = self.works.get(sink.reader.name, self.frame)
        elif isinstance(sink, ToHistory):
            target = self._history_place(sink.owner)
        else:
            output = self._temporary(conv.columns.count * conv.pitch)
        layer = stream_layer(
            conv,
            source.rows,
            source.depth,
            oldest=source.rows - conv.rows.kernel,
            output_stride=stride,
            positions=conv.columns.count,
        )
        call = f"stream_conv_2d(&@{layer.name}, @{source.name}.values, {target});"
        self.calls.append(Call(replace(layer, inputs=inputs, output=output), (*ready, call), due))
        if not direct:
            narrow = f"stream_narrow({{out}}, {conv.columns.count}, {conv.channels}, {conv.pitch}, {{0_16}});"
            code = (*self._own_place(part.output, due), narrow)
            self._move(part.layer, (output,), part.output, code, due)
            self._hand_on(part.output, due)

    def _unfold(self, part: Part, conv: Convolution, stream: Stream, due: int) -> None:
        """A convolution's stream from rows that are kept as they lie in the tensor."""
        kernel = conv.rows.kernel
        apart = conv.rows.dilation * stream.inner * conv.kernel.shape[3]
        call = f"stream_unfold(&@{stream.name}, {{0}}, {stream.inner}, {kernel}, {apart});"
        self._move(part.layer, part.layer.inputs, self.works[part.name], (*_clear(stream), call), due)

    # --- a row ---

    def _own_place(self, row: int, due: int) -> tuple[str, ...]:
        """Lets a row be made where it is kept, if that is one place, and says so."""
        owners = [sink.owner for sink in self.to.of.get(row, []) if isinstance(sink, ToRows)]
        if len(owners) != 1 or row in self.places or self.cut.first(owners[0]) != due:
            return ()
        name = self.to.rows[owners[0]].name
        row_name = name.removesuffix("s")
        self.places[row] = row_name
        return (f"int8_t *const {row_name} = stream_rows_next(&@{name}, {_index(due)});",)

    def _hand_on(self, row: int, due: int) -> None:
        """Gives a row in int8 to all that keep it."""
        for sink in self.to.of.get(row, []):
            if isinstance(sink, ToStream):
                stream = self.to.streams[sink.reader.name]
                push = f"stream_push(&@{stream.name}, {{0}}, {stream.inner});"
                output = self.works.get(sink.reader.name, self.frame)
                self._move(sink.reader.layer, (row,), output, (*_ready(stream), push), due)
            elif isinstance(sink, ToHistory):
                history = self.to.histories[sink.owner]
                widen = f"stream_widen({self._history_place(sink.owner)}, {{0}}, {history.row});"
                self._move(self.parts[0].layer, (row,), self.frame, (widen,), self.cut.first(sink.owner))
            elif isinstance(sink, ToRows):
                rows = self.to.rows[sink.owner]
                if self.places.get(row) != rows.name.removesuffix("s"):
                    later = self.cut.first(sink.owner)
                    push = f"stream_rows_push(&@{rows.name}, {_index(later)}, {{0}});"
                    self._move(self.parts[0].layer, (row,), self.frame, (push,), later)

    def _history_place(self, owner: int) -> str:
        history = self.to.histories[owner]
        return f"stream_history_next(&@{history.name}, {_index(self.cut.first(owner))})"

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


def _index(due: int) -> str:
    """The row's number in a full run."""
    return f"time - {due}" if due else "time"


def _ready(stream: Stream) -> tuple[str, ...]:
    """Makes room for a stream's newest row."""
    if stream.work:
        return _clear(stream)
    return (f"stream_age(&@{stream.name});",) if stream.rows > 1 else ()


def _clear(stream: Stream) -> tuple[str, ...]:
    """Fills the columns of padding of a stream that lasts for one step."""
    return (f"stream_clear(&@{stream.name});",) if stream.padded else ()
