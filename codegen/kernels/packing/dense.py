# SPDX-License-Identifier: Apache-2.0
"""Weights of dense layers: firmware/nn/fully_connected.h, stream_fully_connected.h and their int16 forms.

Outputs come in fours, inputs in octets. A dense layer over a tensor widens its inputs segment by segment, so
that a sum of one segment always fits; one over kept rows reads them as they are, and sums what fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from codegen.kernels.channels import Ints
from codegen.kernels.layer import Array, Group, groups
from codegen.kernels.limits import INPUT_LIMIT, LARGEST_WEIGHT, OCTET, PAIR_SUM_LIMIT, SAFE_TAPS
from codegen.kernels.packing.lanes import NotExactError, filled, int16_words, lanes

SEGMENT = SAFE_TAPS // OCTET  # octets

Field = tuple[str, str]


@dataclass(frozen=True)
class Dense:
    """Weights of a dense layer. type: of the kernel that reads them; scratch: bytes that it needs"""

    type: str
    array: Array
    octets: int
    segment: int
    scratch: int

    @property
    def fields(self) -> list[Field]:
        """Of a fully_connected_t."""
        return [("weights", "weights"), ("octets", str(self.octets)), ("segment", str(self.segment))]


def dense(weights: Ints, *, wide: bool = False) -> Dense:
    """Words of [outputs, inputs]. wide: two bytes a weight; also where a weight is -128"""
    if not wide:
        try:
            lanes(filled(weights, 2, OCTET))
        except NotExactError:
            wide = True
    octets = -(-weights.shape[1] // OCTET)
    segment = -(-octets // -(-octets // SEGMENT))
    words: list[Ints] = []
    found: list[Group] = []
    for start in range(0, octets, segment):
        part = weights[:, OCTET * start : OCTET * (start + segment)]
        words.append(_fours_int16(part) if wide else _fours_and_pair(part))
        inputs = (
            f"inputs {OCTET * start} .. {OCTET * start + part.shape[1] - 1} of " if segment < octets else ""
        )
        found += _groups(inputs, len(weights), -(-part.shape[1] // OCTET), wide)
    note = "by turns inputs 0, 1 and 2, 3 of every output" if wide else "two outputs a word, as a + 256 * b"
    array = Array("weights", "uint32_t", np.concatenate(words), f"{note}, zeros after the last input", found)
    outputs = len(weights) + -len(weights) % 4
    scratch = 2 * OCTET * segment + (4 * outputs if segment < octets else 0)
    return Dense("fully_connected_int16" if wide else "fully_connected", array, octets, segment, scratch)


@dataclass(frozen=True)
class StreamDense:
    """Weights of a dense layer over kept rows. fields: of its struct, beside those of the layer"""

    type: str
    array: Array
    fields: tuple[Field, ...]


def stream_dense(weights: Ints, *, wide: bool) -> StreamDense:
    """Words of [outputs, inputs]. wide: two bytes a weight; NotExactError where one is -128, unless wide."""
    steps = -(-weights.shape[1] // OCTET) * OCTET // 4
    fields: tuple[Field, ...] = (("steps", str(steps)),)
    if wide:
        words = _fours_int16(weights)
        note = "each four: by turns taps 0, 1 and taps 2, 3 of every output, two a word"
    else:
        words = _fours(weights)
        fields = (*fields, ("most", str(_most(weights, steps))))
        note = "each four: by turns taps 0, 1 and taps 2, 3 of two outputs as a + 256 * b, then of the others"
    outputs = len(weights)
    fours = groups("output", 4, outputs, (len(words) // -(-outputs // 4),))
    array = Array("weights", "uint32_t", words, note, fours)
    return StreamDense(f"stream_fully_connected{'_int16' if wide else ''}", array, fields)


def gates(vectors: Sequence[Ints]) -> tuple[str, Array]:
    """Weights of an LSTM, [units, gates, values] of each vector that its gates see, and how the kernel's name
    ends: "int16" where one byte a weight is not exact."""
    flat = [weights.reshape(-1, weights.shape[2]) for weights in vectors]
    wide = (
        max(each.shape[1] for each in flat) > SAFE_TAPS or min(each.min() for each in flat) < -LARGEST_WEIGHT
    )
    units = len(vectors[0])
    words = [(_fours_int16(each) if wide else _fours(each)).reshape(units, -1) for each in flat]
    note = "by turns values 0, 1 and 2, 3 of every gate" if wide else "two gates a word, as a + 256 * b"
    found = groups("unit", 1, units, tuple(each.shape[1] for each in words))
    array = Array("weights", "uint32_t", np.concatenate(words, axis=1).reshape(-1), note, found)
    return "int16" if wide else "", array


def _most(weights: Ints, steps: int) -> int:
    """Fours of taps whose sum always fits. The kernel adds biases to whole sums, which cannot overflow."""
    fits = np.abs(weights).sum(axis=1).max() * INPUT_LIMIT < PAIR_SUM_LIMIT
    return steps if fits else min(steps, SAFE_TAPS // 4)


def _groups(inputs: str, outputs: int, octets: int, wide: bool) -> list[Group]:
    """The groups of a segment: outputs in fours, the last one or two in a pair."""
    pair = 0 if wide or outputs % 4 in (0, 3) else outputs % 4
    found = groups("output", 4, outputs, ((16 if wide else 8) * octets,))
    if pair:
        found[-1] = Group(found[-1].of, (4 * octets,))
    return [Group(inputs + group.of, group.parts) for group in found]


# --- orders of words ---


def _fours_and_pair(weights: Ints) -> Ints:
    """Two outputs a word; the last one or two outputs, where no more are left over, in a pair."""
    whole = len(weights) if len(weights) % 4 in (0, 3) else len(weights) // 4 * 4
    pair = lanes(filled(weights[whole:], 2, OCTET))
    return np.concatenate([_fours(weights[:whole]), pair.reshape(-1)])


def _fours(weights: Ints) -> Ints:
    """Two outputs a word, by turns of the first two of four and of the others."""
    words = lanes(filled(weights, 4, OCTET))
    return words.reshape(-1, 2, words.shape[1] // 2, 2).transpose(0, 2, 1, 3).reshape(-1)


def _fours_int16(weights: Ints) -> Ints:
    """Two inputs a word, by turns of every output of four."""
    words = int16_words(filled(weights, 4, OCTET))
    return words.reshape(len(words) // 4, 4, -1, 2).transpose(0, 2, 1, 3).reshape(-1)
