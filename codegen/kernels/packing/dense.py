"""Weights of dense layers in the order of firmware/nn/fully_connected.h, which describes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from codegen.kernels.channels import Ints
from codegen.kernels.layer import Array, Group, groups
from codegen.kernels.packing.lanes import NotExactError, lanes

OCTET = 8  # inputs
SEGMENT = 64  # octets: 512 * 127 * 128 < 2^23, so a sum of so many products always fits 24 bits


@dataclass(frozen=True)
class Dense:
    """Weights of a dense layer. type: of the kernel that reads them; scratch: bytes that it needs"""

    type: str
    array: Array
    octets: int
    segment: int
    scratch: int

    @property
    def fields(self) -> list[tuple[str, str]]:
        """Of a fully_connected_t."""
        return [("weights", "weights"), ("octets", str(self.octets)), ("segment", str(self.segment))]


def dense(weights: Ints, *, wide: bool = False) -> Dense:
    """Words of [outputs, inputs]. wide: two bytes a weight; also where a weight is -128"""
    if not wide:
        try:
            lanes(_padded(weights, 2))
        except NotExactError:
            wide = True
    octets = -(-weights.shape[1] // OCTET)
    segment = -(-octets // -(-octets // SEGMENT))
    words: list[Ints] = []
    told: list[Group] = []
    for start in range(0, octets, segment):
        part = weights[:, OCTET * start : OCTET * (start + segment)]
        words.append(_words_int16(part) if wide else _words(part))
        inputs = (
            f"inputs {OCTET * start} .. {OCTET * start + part.shape[1] - 1} of " if segment < octets else ""
        )
        told += _told(inputs, len(weights), -(-part.shape[1] // OCTET), wide)
    note = "by turns inputs 0, 1 and 2, 3 of every output" if wide else "two outputs a word, as a + 256 * b"
    array = Array("weights", "uint32_t", np.concatenate(words), f"{note}, zeros behind the last input", told)
    outputs = len(weights) + -len(weights) % 4
    scratch = 2 * OCTET * segment + (4 * outputs if segment < octets else 0)
    return Dense("fully_connected_int16" if wide else "fully_connected", array, octets, segment, scratch)


def _told(inputs: str, outputs: int, octets: int, wide: bool) -> list[Group]:
    """The groups of a segment: outputs in fours, the last one or two in a pair."""
    pair = 0 if wide or outputs % 4 in (0, 3) else outputs % 4
    found = groups("output", 4, outputs, ((16 if wide else 8) * octets,))
    if pair:
        found[-1] = Group(found[-1].of, (4 * octets,))
    return [Group(inputs + group.of, group.parts) for group in found]


def _words(weights: Ints) -> Ints:
    """Two outputs a word; the last one or two outputs, where no more are left over, in a pair."""
    whole = len(weights) if len(weights) % 4 in (0, 3) else len(weights) // 4 * 4
    fours, pair = lanes(_padded(weights[:whole], 4)), lanes(_padded(weights[whole:], 2))
    steps = fours.shape[1] // 2
    ordered = fours.reshape(-1, 2, steps, 2).transpose(0, 2, 1, 3)
    return np.concatenate([ordered.reshape(-1), pair.reshape(-1)])


def _words_int16(weights: Ints) -> Ints:
    padded = _padded(weights, 4) & 0xFFFF
    words = padded[:, 0::2] | (padded[:, 1::2] << 16)
    return words.reshape(len(padded) // 4, 4, -1, 2).transpose(0, 2, 1, 3).reshape(-1)


def _padded(weights: Ints, outputs: int) -> Ints:
    """Filled with zeros to a multiple of `outputs` and to whole octets."""
    rows, columns = weights.shape
    return np.pad(weights, ((0, -rows % outputs), (0, -columns % OCTET)))
