# SPDX-License-Identifier: Apache-2.0
"""Dense layers over one vector: two outputs at a time, with what finishes them in their words.

Convolutions of one window are lowered as dense layers, too. Those whose weights keep one byte
(passes/wide_weights.py) and whose sums suit the words of nn/conv_block.h get the kernel
nn/fully_connected_pairs.h: the same bytes of constants, but no call and no sums in memory for each four
outputs. Of dense layers in LiteRT's rounding it is those with many outputs, which pay for its code.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from codegen.kernels.channels import Ints, Scaling, largest_sums
from codegen.kernels.layer import Layer, Program
from codegen.kernels.packing import conv as conv_words
from codegen.kernels.requantize import Multiplier, quantization
from codegen.model.graph import Tensor

KERNEL = "fully_connected_pairs"
FORMS = {"fully_connected_fast": "", "fully_connected": "_once"}  # how the same rounding is called there
MANY = 64  # outputs of a dense layer
LEAST = 1 << 30  # multiplier of the first of a pair, of which the kernel takes off 2^31


def output_pairs(program: Program) -> Program:
    """The program with that kernel where it serves."""
    return replace(program, layers=tuple(paired(program.tensors, program.layers)))


def paired(tensors: Sequence[Tensor], layers: Iterable[Layer]) -> list[Layer]:
    """The layers, some of them with that kernel."""
    return [_paired(tensors, layer) if layer.kernel in FORMS else layer for layer in layers]


def _paired(tensors: Sequence[Tensor], layer: Layer) -> Layer:
    fields, form = dict(layer.fields), FORMS[layer.kernel]
    if fields["batches"] != "1" or (form and int(fields["outputs"]) < MANY):
        return layer
    node = layer.node
    bias = tensors[node.inputs[2]] if len(node.inputs) > 2 and node.inputs[2] >= 0 else None
    flat, outputs = dense_weights(tensors, layer), int(fields["outputs"])
    (channels,) = (array.values for array in layer.arrays if array.suffix == "channels")
    rows = channels[:outputs].tolist()
    if form and min(row[1] for row in rows) < LEAST:
        return layer
    scaling = Scaling(
        biases=[row[0] for row in rows],
        multipliers=[Multiplier(row[1], -row[4]) for row in rows],
        largest=largest_sums(flat, bias, quantization(tensors[node.inputs[0]]).zero_point),
        zero_point=int(fields["zero_point"]),
        low=int(fields["low"]),
        high=int(fields["high"]),
    )
    block = conv_words.block(conv_words.crossed(flat), scaling)
    scratch = 2 * conv_words.whole(flat).shape[1]
    if block.form or (form and scratch > layer.scratch):
        return layer
    return replace(
        layer,
        type=KERNEL,
        kernel=KERNEL + form,
        fields=(*((f"block.{name}", value) for name, value in block.fields), ("inputs", fields["inputs"])),
        arrays=tuple(block.arrays),
        scratch=scratch,
    )


def dense_weights(tensors: Sequence[Tensor], layer: Layer) -> Ints:
    """[outputs, inputs] of a layer that is lowered as a dense one."""
    data = tensors[layer.node.inputs[1]].data
    assert data is not None
    weights = data.astype(np.int64)
    if layer.node.op == "DEPTHWISE_CONV_2D":  # of one input channel: [1, rows, columns, outputs]
        weights = weights.transpose(3, 1, 2, 0)
    return weights.reshape(len(weights), -1)
