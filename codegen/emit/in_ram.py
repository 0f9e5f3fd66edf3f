# SPDX-License-Identifier: Apache-2.0
"""Which constants are read from RAM: ram_weights of pipeline.toml, where a flash makes the core wait."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from codegen.kernels.layer import Array, Layer


def layers_in_ram(layers: Sequence[Layer], room: int) -> frozenset[str]:
    """Names of layers whose arrays take at most `room` bytes together.

    Those with the most multiply-accumulates a byte come first, for so often a byte is read; a layer that does
    not fit any more is left out, a smaller one after it may still fit. Only layers that multiply.
    """
    found = set()
    for layer in sorted((layer for layer in layers if layer.macs and layer.arrays), key=_rate, reverse=True):
        if nbytes(layer) <= room:
            room -= nbytes(layer)
            found.add(layer.name)
    return frozenset(found)


def owned(layer: Layer, owners: Mapping[tuple[str, str], str]) -> tuple[Array, ...]:
    """The arrays that are written with this layer; others are a layer's before it, of the same values."""
    return tuple(
        array for array in layer.arrays if owners[layer.name, array.suffix] == f"{layer.name}_{array.suffix}"
    )


def charged(layers: Sequence[Layer], owners: Mapping[tuple[str, str], str]) -> list[Layer]:
    """The layers with what each costs and is worth: the arrays it owns, the work of all that read these."""
    names = {f"{layer.name}_{array.suffix}": layer.name for layer in layers for array in layer.arrays}
    macs: Counter[str] = Counter()
    for layer in layers:
        for name in {names[owners[layer.name, array.suffix]] for array in layer.arrays}:
            macs[name] += layer.macs
    return [replace(layer, arrays=owned(layer, owners), macs=macs[layer.name]) for layer in layers]


def nbytes(layer: Layer) -> int:
    """Of its arrays."""
    return sum(array.nbytes for array in layer.arrays)


def _rate(layer: Layer) -> float:
    return layer.macs / nbytes(layer)
