# SPDX-License-Identifier: Apache-2.0
"""Layers of the schedule, with tables fused to the convolutions that the stream kernel computes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from codegen.incremental.conv import Convolution, convolution, fits
from codegen.kernels.layer import Layer
from codegen.kernels.lowering import CLAMP
from codegen.kernels.packing.lanes import NotExactError
from codegen.model.graph import Tensor
from codegen.passes import output_pairs

LEAST_TAPS = 32  # of a dot product


@dataclass(frozen=True, eq=False)
class FusedLayer:
    """A layer as lowered; conv: where the stream kernel computes it, with the `tables` after it."""

    layer: Layer
    conv: Convolution | None = None
    tables: tuple[Layer, ...] = ()

    @property
    def name(self) -> str:
        """Of its struct."""
        return self.layer.name

    @property
    def output(self) -> int:
        """The row it makes."""
        return self.conv.output if self.conv else self.layer.output


def fused_layers(tensors: Sequence[Tensor], layers: Sequence[Layer], wanted: set[int]) -> list[FusedLayer]:
    """The layers, with tables fused to the convolution before them. wanted: tensors that last."""
    found: list[FusedLayer] = []
    fused: set[str] = set()
    for layer in layers:
        if layer.name in fused:
            continue
        if layer.kernel == CLAMP or not is_convolution(tensors, layer):
            found.append(FusedLayer(layer))
            continue
        clamps = [other for other in layers if other.kernel == CLAMP and other.node is layer.node]
        others = [other for other in layers if other not in clamps]
        tables = _tables_after(layer, others, wanted, tensors[layer.output].shape[3])
        if not tables and layer.type == output_pairs.KERNEL and _reads_one_row(tensors, layer):
            found.append(FusedLayer(layer))
            continue
        try:
            found.append(FusedLayer(layer, convolution(tensors, layer, tables), tuple(tables)))
            fused.update(part.name for part in (*clamps, *tables))  # a table has the clamp
        except NotExactError:
            found.append(FusedLayer(layer))
    return found


def is_convolution(tensors: Sequence[Tensor], layer: Layer) -> bool:
    """A convolution, or a depthwise one of one channel, which is the same."""
    node = layer.node
    return node.op == "CONV_2D" or (node.op == "DEPTHWISE_CONV_2D" and tensors[node.inputs[0]].shape[3] == 1)


def _reads_one_row(tensors: Sequence[Tensor], layer: Layer) -> bool:
    """Of a layer of one window: it is the newest row, of which no older ones are kept as a stream; and its
    taps are many enough to pay for a row that is handed on as int8."""
    _, rows, _, _ = tensors[layer.inputs[0]].shape
    return rows == 1 and tensors[layer.inputs[0]].size >= LEAST_TAPS


def _tables_after(layer: Layer, layers: Sequence[Layer], wanted: set[int], channels: int) -> list[Layer]:
    tables: list[Layer] = []
    output = layer.output
    while output not in wanted:
        readers = [other for other in layers if output in other.inputs]
        if len(readers) != 1 or readers[0].kernel != "table" or not fits(readers[0], channels):
            break
        tables.append(readers[0])
        output = readers[0].output
    return tables
