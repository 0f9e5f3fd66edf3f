# SPDX-License-Identifier: Apache-2.0
"""Which constants are read from RAM: ram_weights of pipeline.toml, where a flash makes the core wait."""

from __future__ import annotations

from collections.abc import Sequence

from codegen.kernels.layer import Layer


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


def nbytes(layer: Layer) -> int:
    """Of its arrays."""
    return sum(array.nbytes for array in layer.arrays)


def _rate(layer: Layer) -> float:
    return layer.macs / nbytes(layer)
