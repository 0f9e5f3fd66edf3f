# SPDX-License-Identifier: Apache-2.0
"""Where every newest row goes, and in which form it is kept.

- The rows that one convolution alone reads, one after the other, are its stream: int16, side by side.
- Rows that others read too, older rows, rows apart, and all rows that the rest of the model reads are kept
  once, as int8. A convolution unfolds those it needs into a stream that lasts for one step.
- All rows that a dense layer reads are its history: int16.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from codegen.incremental.conv import Convolution, stream_rows
from codegen.incremental.fused import FusedLayer
from codegen.incremental.partition import Partition, Window
from codegen.incremental.state import History, Rows, Stream
from codegen.kernels.layer import Layer
from codegen.kernels.requantize import quantization
from codegen.model.graph import Tensor


@dataclass(frozen=True, eq=False)
class ToStream:
    """Becomes the newest row of a convolution's stream."""

    reader: FusedLayer


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

    reader: FusedLayer


Destination = ToStream | ToRows | ToHistory | ToLayer


@dataclass(frozen=True, eq=False)
class Placement:
    """rows, histories: by tensor of the model; streams: by the name of the layer that reads it.

    of: newest row -> who takes it; direct: rows that a convolution writes as their one destination keeps them
    """

    of: dict[int, list[Destination]]
    direct: set[int]
    streams: dict[str, Stream]
    rows: dict[int, Rows]
    histories: dict[int, History]


def place_rows(
    partition: Partition,
    tensors: Sequence[Tensor],
    layers: Sequence[FusedLayer],
    after: Sequence[Layer],
    roots: dict[int, int],
) -> Placement:
    """Decides for all rows.

    layers, after: of the step, and of the rest
    roots: tensor of the model that slides -> the tensor that is its newest row
    """
    return _Placing(partition, tensors, layers, after, roots).place()


class _Placing:
    def __init__(
        self,
        partition: Partition,
        tensors: Sequence[Tensor],
        layers: Sequence[FusedLayer],
        after: Sequence[Layer],
        roots: dict[int, int],
    ) -> None:
        self.partition, self.tensors, self.layers, self.roots = partition, tensors, layers, roots
        self.after = after
        self.made = Placement({}, set(), {}, {}, {})
        self.owners = [tensor for tensor in partition.views if partition.owner(tensor) == tensor]
        self.makers = {fused.output: fused for fused in layers}

    def place(self) -> Placement:
        """Rows first, then who takes what, then the forms that follow from it."""
        whole = {self.partition.owner(tensor) for tensor in self.partition.whole}
        historic = {self.partition.owner(tensor) for tensor in self.partition.histories.values()}
        for owner in self.owners:
            windows, row = self._windows(owner), self.roots[owner]
            older = self._older(owner)
            if owner in whole or older or (windows and not self._is_stream(windows)):
                reach = max([1, *(window.reach for window in (*older, *(read for _, read in windows)))])
                self._keep_rows(owner, self.partition.views[owner].rows if owner in whole else reach)
                self._add(row, ToRows(owner))
            else:
                for fused, _ in windows:
                    self._add(row, ToStream(fused))
            if owner in historic:
                self._add(row, ToHistory(owner))
        for fused in self.layers:
            for tensor in dict.fromkeys(fused.layer.inputs):
                if tensor not in self.partition.windows:
                    self._add(tensor, ToLayer(fused) if fused.conv is None else ToStream(fused))
        self.made.direct.update(row for row in self.made.of if self._is_direct(row))
        for fused in self.layers:
            if fused.conv is not None:
                self.made.streams[fused.name] = self._stream(fused, fused.conv)
        for owner in historic:
            self.made.histories[owner] = self._history(owner)
        return self.made

    def _add(self, row: int, to: Destination) -> None:
        self.made.of.setdefault(row, []).append(to)

    def _windows(self, owner: int) -> list[tuple[FusedLayer, Window]]:
        """Who reads kept rows of this tensor."""
        return [
            (fused, self.partition.windows[tensor])
            for fused in self.layers
            for tensor in dict.fromkeys(fused.layer.inputs)
            if tensor in self.partition.windows and self.partition.windows[tensor].of == owner
        ]

    def _older(self, owner: int) -> list[Window]:
        """Older rows of this tensor that are another's newest."""
        found = (self.partition.windows.get(row) for row in dict.fromkeys(self.roots.values()))
        return [window for window in found if window is not None and window.of == owner]

    @staticmethod
    def _is_stream(windows: list[tuple[FusedLayer, Window]]) -> bool:
        """One convolution reads them, up to the newest, and none is left out."""
        (fused, window), *others = windows
        return not others and fused.conv is not None and window.age == 0 and fused.conv.rows.dilation == 1

    def _is_direct(self, row: int) -> bool:
        """The row's one destination keeps it as a convolution writes it."""
        maker, (to, *others) = self.makers.get(row), self.made.of[row]
        if maker is None or maker.conv is None or others:
            return False
        if isinstance(to, ToHistory):
            return self.roots[to.owner] == row and first_frame(self.partition, maker) == self.partition.first(
                to.owner
            )
        if not isinstance(to, ToStream):
            return False
        seen = self.tensors[to.reader.layer.node.inputs[0]].shape
        return seen[2:] == self.tensors[row].shape[2:]

    def _keep_rows(self, owner: int, count: int) -> None:
        view = self.partition.views[owner]
        name = f"{self._name(owner)}_rows"
        self.made.rows[owner] = Rows(name, self._reader(owner), count, view.columns, view.depth)

    def _name(self, owner: int) -> str:
        """After the layer that makes its rows: "conv4". Another tensor of the same rows is "conv4_2"."""
        row = self.roots[owner]
        maker = self.makers.get(row)
        place = [other for other in self.owners if self.roots[other] == row].index(owner)
        name = "frame" if maker is None else maker.name
        return name if place == 0 else f"{name}_{place + 1}"

    def _reader(self, owner: int) -> str:
        """The first layer that reads its kept rows, of the step or of the rest."""
        kept = {tensor for tensor, window in self.partition.windows.items() if window.of == owner}
        kept |= {made for made, of in self.partition.histories.items() if self.partition.owner(of) == owner}
        kept |= {tensor for tensor in self.partition.whole if self.partition.owner(tensor) == owner}
        layers = (*(fused.layer for fused in self.layers), *self.after)
        found = next((layer.name for layer in layers if kept.intersection(layer.inputs)), None)
        if found is None:  # an older row, kept as another tensor's newest
            found = next((self._reader(other) for other in self.owners if self.roots[other] in kept), "")
        return found

    def _stream(self, fused: FusedLayer, conv: Convolution) -> Stream:
        row = fused.layer.inputs[0]
        window = self.partition.windows.get(row)
        kept = window is not None and window.of not in self.made.rows
        if window is not None:
            row = self.roots[window.of]
        fed = window is None or kept  # row by row, as they are made
        maker = self.makers.get(row)
        direct = fed and row in self.made.direct and maker is not None and maker.conv is not None
        pitch = maker.conv.pitch if direct and maker and maker.conv else conv.kernel.shape[3]
        other = conv.columns
        return Stream(
            name=f"{fused.name}_input",
            reader=fused.name,
            columns=max((other.count - 1) * other.stride + conv.reach, other.size + other.before),
            left=other.before,
            inner=other.size,
            rows=stream_rows(conv, pitch),
            depth=pitch,
            zero_point=quantization(self.tensors[conv.layer.node.inputs[0]]).zero_point,
            in_arena=not kept,
        )

    def _history(self, owner: int) -> History:
        view, row = self.partition.views[owner], self.roots[owner]
        name, reader = f"{self._name(owner)}_history", self._reader(owner)
        if row not in self.made.direct:
            return History(name, reader, view.rows, view.columns, view.depth, view.depth)
        *_, columns, depth = self.tensors[row].shape
        return History(name, reader, view.rows, columns, depth, depth + depth % 2)


def first_frame(partition: Partition, fused: FusedLayer) -> int:
    """The frame of a full run, from 0, from which on a layer's row is right."""
    (made,) = fused.layer.node.outputs
    return next(partition.first(tensor) for tensor, row in partition.rows.items() if row == made)
