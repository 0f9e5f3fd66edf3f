# SPDX-License-Identifier: Apache-2.0
"""Kernels "fast": weights of two bytes for the largest dense layers, while flash lasts.

Convolutions gain next to nothing from wider weights, because one sign extension serves three positions; a
dense layer's serves one vector, and its kernel needs a quarter fewer instructions without. All other
differences between the modes are in firmware/nn/fast.h.
"""

from __future__ import annotations

from dataclasses import replace

from codegen.kernels.layer import Layer, Program
from codegen.kernels.packing.dense import dense
from codegen.passes.output_pairs import dense_weights

LIMIT = 1.9  # constants of all layers, times those of the model


def wide_weights(program: Program) -> Program:
    """The program with as many weights of two bytes as LIMIT allows, the largest layers first."""
    room = LIMIT * sum(tensor.nbytes for tensor in program.tensors if tensor.data is not None)
    room -= sum(array.nbytes for layer in program.layers for array in layer.arrays)
    layers = list(program.layers)
    packed = [place for place, layer in enumerate(layers) if layer.type == "fully_connected"]
    for place in sorted(packed, key=lambda place: -layers[place].macs):
        wide = _wide(program, layers[place])
        more = sum(array.nbytes for array in wide.arrays) - sum(a.nbytes for a in layers[place].arrays)
        if more <= room:
            layers[place] = wide
            room -= more
    return replace(program, layers=tuple(layers))


def _wide(program: Program, layer: Layer) -> Layer:
    made = dense(dense_weights(program.tensors, layer), wide=True)
    return replace(
        layer,
        type=made.type,
        kernel=made.type + layer.kernel.removeprefix(layer.type),
        arrays=(made.array, *(array for array in layer.arrays if array.suffix != made.array.suffix)),
    )
