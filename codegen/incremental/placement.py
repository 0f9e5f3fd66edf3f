"""Where every newest row goes, and in which form it is kept.

- The rows that one convolution alone reads, one behind the other, are its stream: int16, side by side.
- Rows that others read too, older rows, rows apart, and all rows that the rest of the model reads are kept
  once, as int8. A convolution unfolds those it needs into a stream that lasts for one step.
- All rows that a dense layer reads are its history: int16.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from codegen.incremental.conv import Convolution, kept_rows
from codegen.incremental.fused import Part
from codegen.incremental.partition import Cut, Window
from codegen.incremental.state import History, Rows, Stream
from codegen.kernels.layer import Layer
from codegen.kernels.requantize import quantization
from codegen.model.graph import Tensor


@dataclass(frozen=True, eq=False)
class ToStream:
    """Becomes the newest row of a convolution's stream."""

    reader: Part


@dataclass(frozen=True, eq=False)
class ToRows:
    """Is kept with the rows of a tensor of the model."""

    owner: int


@dataclass(frozen=True, eq=False)
class ToHistory:
    """Is kept for a dense layer, with the rows of a tensor of the model."""

    owner: int


@dataclass(frozen=True, eq=False)
class ToLayer:
    """Is read by a kernel as it is."""

    reader: Part


Sink = ToStream | ToRows | ToHistory | ToLayer


@dataclass(frozen=True, eq=False)
class Sinks:
    """rows, histories: by tensor of the model; streams: by the name of the layer that reads it.

    of: newest row -> who takes it; direct: rows that a convolution writes as its one sink keeps them
    """

    of: dict[int, list[Sink]]
    direct: set[int]
    streams: dict[str, Stream]
    rows: dict[int, Rows]
    histories: dict[int, History]


def sinks(
    cut: Cut,
    tensors: Sequence[Tensor],
    found: Sequence[Part],
    behind: Sequence[Layer],
    roots: dict[int, int],
) -> Sinks:
    """Decides for all rows.

    found, behind: layers of the step, and of the rest
    roots: tensor of the model that slides -> the tensor that is its newest row
    """
    return _Deciding(cut, tensors, found, behind, roots).decide()


class _Deciding:
    def __init__(
        self,
        cut: Cut,
        tensors: Sequence[Tensor],
        found: Sequence[Part],
        behind: Sequence[Layer],
        roots: dict[int, int],
    ) -> None:
        self.cut, self.tensors, self.parts, self.roots = cut, tensors, found, roots
        self.behind = behind
        self.made = Sinks({}, set(), {}, {}, {})
        self.owners = [tensor for tensor in cut.views if cut.owner(tensor) == tensor]
        self.makers = {part.output: part for part in found}

    def decide(self) -> Sinks:
        """Rows first, then who takes what, then the forms that follow from it."""
        whole = {self.cut.owner(tensor) for tensor in self.cut.whole}
        historic = {self.cut.owner(tensor) for tensor in self.cut.histories.values()}
        for owner in self.owners:
            windows, row = self._windows(owner), self.roots[owner]
            older = self._older(owner)
            if owner in whole or older or (windows and not self._is_stream(windows)):
                reach = max([1, *(window.reach for window in (*older, *(read for _, read in windows)))])
                self._keep_rows(owner, self.cut.views[owner].rows if owner in whole else reach)
                self._add(row, ToRows(owner))
            else:
                for part, _ in windows:
                    self._add(row, ToStream(part))
            if owner in historic:
                self._add(row, ToHistory(owner))
        for part in self.parts:
            for tensor in dict.fromkeys(part.layer.inputs):
                if tensor not in self.cut.windows:
                    self._add(tensor, ToLayer(part) if part.conv is None else ToStream(part))
        self.made.direct.update(row for row in self.made.of if self._is_direct(row))
        for part in self.parts:
            if part.conv is not None:
                self.made.streams[part.name] = self._stream(part, part.conv)
        for owner in historic:
            self.made.histories[owner] = self._history(owner)
        return self.made

    def _add(self, row: int, sink: Sink) -> None:
        self.made.of.setdefault(row, []).append(sink)

    def _windows(self, owner: int) -> list[tuple[Part, Window]]:
        """Who reads kept rows of this tensor."""
        return [
            (part, self.cut.windows[tensor])
            for part in self.parts
            for tensor in dict.fromkeys(part.layer.inputs)
            if tensor in self.cut.windows and self.cut.windows[tensor].of == owner
        ]

    def _older(self, owner: int) -> list[Window]:
        """Older rows of this tensor that are another's newest."""
        found = (self.cut.windows.get(row) for row in dict.fromkeys(self.roots.values()))
        return [window for window in found if window is not None and window.of == owner]

    @staticmethod
    def _is_stream(windows: list[tuple[Part, Window]]) -> bool:
        """One convolution reads them, up to the newest, and none is left out."""
        (part, window), *others = windows
        return not others and part.conv is not None and window.age == 0 and part.conv.rows.dilation == 1

    def _is_direct(self, row: int) -> bool:
        """The row's one sink keeps it as a convolution writes it."""
        maker, (sink, *others) = self.makers.get(row), self.made.of[row]
        if maker is None or maker.conv is None or others:
            return False
        if isinstance(sink, ToHistory):
            return self.roots[sink.owner] == row and first(self.cut, maker) == self.cut.first(sink.owner)
        if not isinstance(sink, ToStream):
            return False
        seen = self.tensors[sink.reader.layer.node.inputs[0]].shape
        return seen[2:] == self.tensors[row].shape[2:]

    def _keep_rows(self, owner: int, count: int) -> None:
        view = self.cut.views[owner]
        name = f"{self._name(owner)}_rows"
        self.made.rows[owner] = Rows(name, self._reader(owner), count, view.columns, view.depth)

    def _name(self, owner: int) -> str:
        """After the layer that makes its rows, unless another tensor has that name."""
        row = self.roots[owner]
        maker = self.makers.get(row)
        if owner == self.cut.graph.inputs[0]:
            return "frame"
        return (
            maker.name
            if maker and sum(root == row for root in self.roots.values()) == 1
            else f"tensor{owner}"
        )

    def _reader(self, owner: int) -> str:
        """The first layer that reads its kept rows, of the step or of the rest."""
        kept = {tensor for tensor, window in self.cut.windows.items() if window.of == owner}
        kept |= {made for made, of in self.cut.histories.items() if self.cut.owner(of) == owner}
        kept |= {tensor for tensor in self.cut.whole if self.cut.owner(tensor) == owner}
        layers = (*(part.layer for part in self.parts), *self.behind)
        found = next((layer.name for layer in layers if kept.intersection(layer.inputs)), None)
        if found is None:  # an older row, kept as another tensor's newest
            found = next((self._reader(other) for other in self.owners if self.roots[other] in kept), "")
        return found

    def _stream(self, part: Part, conv: Convolution) -> Stream:
        row = part.layer.inputs[0]
        window = self.cut.windows.get(row)
        kept = window is not None and window.of not in self.made.rows
        if window is not None:
            row = self.roots[window.of]
        fed = window is None or kept  # row by row, as they are made
        maker = self.makers.get(row)
        direct = fed and row in self.made.direct and maker is not None and maker.conv is not None
        pitch = maker.conv.pitch if direct and maker and maker.conv else conv.kernel.shape[3]
        other = conv.columns
        return Stream(
            name=f"{part.name}_input",
            reader=part.name,
            columns=max((other.count - 1) * other.stride + conv.reach, other.size + other.before),
            left=other.before,
            inner=other.size,
            rows=kept_rows(conv, pitch),
            depth=pitch,
            zero_point=quantization(self.tensors[conv.layer.node.inputs[0]]).zero_point,
            work=not kept,
        )

    def _history(self, owner: int) -> History:
        view, row = self.cut.views[owner], self.roots[owner]
        name, reader = f"{self._name(owner)}_history", self._reader(owner)
        if row not in self.made.direct:
            return History(name, reader, view.rows, view.columns, view.depth, view.depth)
        *_, columns, depth = self.tensors[row].shape
        return History(name, reader, view.rows, columns, depth, depth + depth % 2)


def first(cut: Cut, part: Part) -> int:
    """The frame of a full run, from 0, from which on a layer's row is right."""
    (made,) = part.layer.node.outputs
    return next(cut.first(tensor) for tensor, row in cut.rows.items() if row == made)
